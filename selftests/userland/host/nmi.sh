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

plan 4

before=$(nmis 0)
ask_host nmi
[ "$(nmis 0)" -eq $((before + 1)) ]
result $? counted

logged "NMI received for unknown reason"
result $? reported

# In the middle of system calls, faults and interrupts.
before=$(nmis 0)
while :; do everyday; done &
for i in $(seq 20); do
	ask_host nmi
done
kill $!
wait $! 2>/dev/null
[ "$(nmis 0)" -eq $((before + 20)) ]
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
