#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ext4 on virtio-blk: what was written is there after a remount.  The host
# checks the file system and the sums again when the machine is off.

disk=$(sed -n 's/.*vmi\.disk=\([^ ]*\).*/\1/p' /proc/cmdline)
if [ -z "$disk" ]; then
	echo "  # the host gave no disk"
	exit 4
fi

number=0
result()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "  ok $number $2"
	else
		echo "  not ok $number $2"
		failed=1
	fi
}

sums=/tmp/disk.sums
echo "  KTAP version 1"
echo "  1..6"

mount -t ext4 "$disk" /mnt
result $? mount
[ $number -eq 1 ] && [ "$failed" ] && exit 1

# One large file, many small ones, a sparse one.
dd if=/dev/urandom of=/mnt/large bs=64k count=128 2>/dev/null &&
mkdir /mnt/small &&
for i in $(seq 300); do
	echo "file number $i" > /mnt/small/$i || break
done &&
dd if=/dev/urandom of=/mnt/sparse bs=4k count=4 seek=1000 2>/dev/null &&
cd /mnt && sha256sum large sparse small/* > $sums && cd /
result $? write

for file in large sparse small/1 small/300; do
	echo "  # disk sha256 $(sed -n "s, *$file\$,,p" $sums) /$file"
done

umount /mnt &&
echo 3 > /proc/sys/vm/drop_caches &&
mount -t ext4 "$disk" /mnt
result $? remount

(cd /mnt && sha256sum -c $sums > /dev/null)
result $? reread

[ "$(ls /mnt/small | wc -l)" -eq 300 ] &&
mkdir /mnt/gone && cp /mnt/small/1* /mnt/gone/ && rm -r /mnt/gone &&
mv /mnt/small/2 /mnt/small/moved && mv /mnt/small/moved /mnt/small/2 &&
(cd /mnt && sha256sum -c $sums > /dev/null)
result $? rename_and_remove

umount /mnt
result $? umount
exit ${failed:-0}
