#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# Measure whole programs, of the disk /dev/vda or of the archive: programs ROUNDS [NAME ...]
# Each runs once before, so that it and its data are in the page cache.

rounds=$1
shift
names=" $* "
[ -d /mnt/usr ] || mount -t ext4 -o ro /dev/vda /mnt || exit 1
mount -t tmpfs tmpfs /mnt/tmp
mount -t proc proc /mnt/proc
mount --bind /dev /mnt/dev
cp /bin/probe /mnt/tmp/

wanted()
{
	case $names in
	"  "|*" $1 "*) ;;
	*) return 1
	esac
}

# measure NAME PROGRAM ARGS
measure()
{
	! wanted "$1" || chroot /mnt /tmp/probe -r "$rounds" -x "$@"
}

measure gzip /bin/gzip -c /data/text
measure sha256sum /usr/bin/sha256sum /data/text
measure tcc /usr/bin/tcc -nostdinc -c /data/program.c -o /tmp/program.o
measure hackbench /usr/bin/hackbench -g 1 -f 8 -l 50

wanted redis || exit 0
chroot /mnt /usr/bin/redis-server --save '' --port 6379 >/mnt/tmp/log 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9 10; do
	chroot /mnt /usr/bin/redis-cli ping 2>/dev/null | grep -q PONG && break
	sleep 1
done
measure redis /usr/bin/redis-benchmark -q -n 500 -c 5 -t set,get
kill $!
wait
