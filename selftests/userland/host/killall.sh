#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kill -9 for everything, in a process namespace of its own: processes that
# compute, sleep, and hang in pipes; and the first process, which takes all along.
. /tests/host/lib

crowd='
	for i in 1 2 3 4 5 6 7 8; do
		(while :; do :; done) &
		(while :; do echo $i; done | cat > /dev/null) &
		sleep 1000 &
	done'

# How many processes are alive, this one too.
count='
	n=0
	for p in /proc/[0-9]*; do
		read -r _ _ state _ < $p/stat
		[ $state = Z ] || n=$((n + 1))
	done'

plan 3
unshare -p -f -m sh -c "mount -t proc proc /proc; $crowd
	until $count; [ \$n -gt 32 ]; do sleep 1; done
	kill -9 -1; wait
	until $count; [ \$n -eq 1 ]; do sleep 1; done" 2>/dev/null
result $? all

unshare -p -f -m sh -c "$crowd
	sleep 1; exit 7" 2>/dev/null
[ $? -eq 7 ] && ! ps | grep -q "sleep 100[0]"
result $? first

everyday
result $? others_live
exit $failed
