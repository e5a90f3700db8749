#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A process wants all memory there is: it is killed, the others live.
. /tests/host/lib

plan 3
dmesg -c > /dev/null
echo 1 > /proc/sys/vm/overcommit_memory
tail -c 2000000000 /dev/zero > /dev/null 2>&1
[ $? -eq 137 ]
result $? killed

logged "Out of memory: Killed process .*\(tail\)"
result $? reported

everyday
result $? others_live
exit $failed
