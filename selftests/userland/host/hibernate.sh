#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Hibernate to the disk; the host boots this kernel again, and it goes on here.
. /tests/host/lib

disk=/dev/vda
if [ ! -e /sys/power/disk ]; then
	echo "  # this kernel does not hibernate"
	exit 4
fi
all=$(nproc)
head -c 8000000 /dev/urandom > /tmp/kept
before=$(sha256sum < /tmp/kept)
(while sleep 0.1; do echo . >> /tmp/ticks; done) &

plan 4
mkswap $disk > /dev/null && swapon $disk &&
	echo shutdown > /sys/power/disk && echo disk > /sys/power/state
result $? back

[ "$(sha256sum < /tmp/kept)" = "$before" ] && [ "$(nproc)" -eq "$all" ]
result $? memory_and_processors

rm /tmp/ticks
sleep 1
kill $! && [ -s /tmp/ticks ]
result $? processes

everyday
result $? goes_on
swapoff $disk
exit $failed
