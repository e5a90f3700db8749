#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory and blocks of the disk that are free again: the host, which looks before and
# behind, gets them.
. /tests/host/lib

plan 4

mount -o remount,size=110M /tmp &&
dd if=/dev/urandom of=/tmp/a bs=1M count=100 2>/dev/null &&
ask_host memory_used &&
rm /tmp/a &&
ask_host memory_free
result $? memory

mke2fs -F /dev/vda >/dev/null 2>&1 &&
mount -t ext4 /dev/vda /mnt &&
dd if=/dev/urandom of=/mnt/kept bs=1M count=4 2>/dev/null &&
sum=$(sha256sum </mnt/kept) &&
dd if=/dev/urandom of=/mnt/a bs=1M count=40 2>/dev/null &&
sync &&
ask_host blocks_used &&
rm /mnt/a &&
sync &&
fstrim -v /mnt &&
ask_host blocks_free
result $? blocks

echo 3 >/proc/sys/vm/drop_caches &&
[ "$(sha256sum </mnt/kept)" = "$sum" ]
result $? what_is_used_stays

everyday
result $? others_live
exit $failed
