#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Non-maskable interrupts: from the host, while the machine idles and works, and
# from one CPU to the others.
. /tests/host/lib

# nmis CPU
nmis()
{
	awk -v f=$(($1 + 2)) '$1 == "NMI:" { print $f }' /proc/interrupts
}

# take N: the host sends one, and CPU 0 has had N then.  Its answer may overtake the
# interrupt, and one more would be none while that waits.
take()
{
	ask_host nmi
	for _ in $(seq 100); do
		[ "$(nmis 0)" -lt "$1" ] || break
		sleep 0.05
	done
	[ "$(nmis 0)" -eq "$1" ]
}

plan 4

before=$(nmis 0)
take $((before + 1))
result $? counted

logged "NMI received for unknown reason"
result $? reported

# In the middle of system calls, faults and interrupts.
before=$(nmis 0)
while :; do everyday; done &
taken=0
while [ $taken -lt 20 ] && take $((before + taken + 1)); do
	taken=$((taken + 1))
done
kill $!
wait $! 2>/dev/null
[ $taken -eq 20 ]
result $? under_load

if [ "$(nproc)" -gt 1 ]; then
	before=$(($(nmis 0) + $(nmis 1)))
	echo l > /proc/sysrq-trigger
	[ $(($(nmis 0) + $(nmis 1))) -gt $before ] &&
		logged "NMI backtrace for cpu 0" && logged "NMI backtrace for cpu 1"
	result $? between_cpus
else
	number=$((number + 1))
	echo "  ok $number between_cpus # SKIP one CPU"
fi
exit $failed
