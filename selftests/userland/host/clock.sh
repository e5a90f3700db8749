#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The clock jumps: the wall clock is set back and forth under a sleeper, and the
# whole machine stands still for a while.
. /tests/host/lib

uptime_s()
{
	read -r s _ < /proc/uptime
	echo "${s%.*}"
}

plan 4
now=$(date +%s)
start=$(uptime_s)
sleep 3 &
date -s "@$((now - 300000000))" > /dev/null && date -s "@$((now + 300000000))" > /dev/null
result $? set

# Sleep is on the monotonic clock.
wait $!
took=$(($(uptime_s) - start))
[ $took -ge 2 ] && [ $took -lt 60 ]
result $? sleep

date -s "@$((now + took))" > /dev/null && everyday
result $? set_back

ask_host stall
sleep 1 && everyday
result $? stall
exit $failed
