#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# virtio: random numbers, a directory of the host's, a balloon, a port, a console.
. /tests/host/lib

plan 6

[ "$(cat /sys/class/misc/hw_random/rng_current)" = virtio_rng.0 ] &&
[ "$(dd if=/dev/hwrng bs=512 count=2 2>/dev/null | sha256sum)" != \
  "$(dd if=/dev/hwrng bs=512 count=2 2>/dev/null | sha256sum)" ]
result $? rng

# The host put a file there, with its sum; and looks for what is written.
mount -t 9p -o trans=virtio,version=9p2000.L share /mnt &&
(cd /mnt && sha256sum -c sums >/dev/null &&
 dd if=/dev/urandom of=written bs=64k count=8 2>/dev/null && sha256sum written >written.sum)
result $? 9p
umount /mnt

ls -d /sys/bus/virtio/drivers/virtio_balloon/virtio* >/dev/null
result $? balloon

# What the host put there comes in by the port, and what we make goes out.
port=/dev/$(basename "$(dirname "$(grep -lx port /sys/class/virtio-ports/*/name)")")
mount -t 9p -o trans=virtio,version=9p2000.L share /mnt &&
head -c 524288 "$port" | cmp -s - /mnt/file &&
cat /mnt/written >"$port"
result $? port
umount /mnt

grep -q '^hvc0 .*E' /proc/consoles && echo "devices: by the console" >/dev/hvc0
result $? console

everyday
result $? others_live
exit $failed
