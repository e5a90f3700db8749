#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A module takes CR0.WP away: the kernel keeps it, with a warning.
. /tests/host/lib

plan 2
for module in /modules/*/vmi_selftest.ko; do
	insmod "$module" pinning=1 2>/dev/null && break
done
rmmod vmi_selftest
result $? keeps_it
logged "CR0 WP bit went missing"
result $? warns
exit $failed
