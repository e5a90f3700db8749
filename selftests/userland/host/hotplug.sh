#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# CPUs go and come back while the machine works.
. /tests/host/lib

cpus=$(ls -d /sys/devices/system/cpu/cpu[1-9]* 2>/dev/null)
if [ -z "$cpus" ]; then
	echo "  # there is one CPU"
	exit 4
fi
all=$(nproc)

# each 0|1: all CPUs but the first off or on
each()
{
	for cpu in $cpus; do
		echo "$1" > "$cpu/online" || return 1
	done
}

plan 5
each 0 && [ "$(nproc)" -eq 1 ] && everyday
result $? off

each 1 && [ "$(nproc)" -eq "$all" ] && everyday
result $? on

# The CPU that came back runs processes.
last=$((all - 1))
taskset $((1 << last)) sh -c 'cd /proc/self && . /tests/host/lib && everyday'
result $? works

# Its time is not taken for stolen: the clock of that starts anew or goes on.
user_ticks()
{
	sed -n "s/^cpu$last \([0-9]*\) .*/\1/p" /proc/stat
}
before=$(user_ticks)
taskset $((1 << last)) timeout 2 sh -c 'while :; do :; done'
[ $(($(user_ticks) - before)) -ge 10 ]
result $? accounted

while :; do everyday; done &
for i in $(seq 10); do
	each 0 && each 1 || break
done
status=$?
kill $!
wait $! 2>/dev/null
[ $status -eq 0 ] && [ "$(nproc)" -eq "$all" ]
result $? under_load
exit $failed
