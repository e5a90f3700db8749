#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What a debug kernel watches itself by is at work and has found nothing; run this
# behind the other tests.
. /tests/host/lib

tables=/sys/kernel/debug/page_tables/kernel
if [ ! -e /proc/lockdep_stats ] || [ ! -e $tables ]; then
	echo "  # this kernel does not watch itself"
	exit 4
fi
plan 4
grep -q '^ debug_locks: *1$' /proc/lockdep_stats
result $? locks

# W (9) or D (7) would be there after a warning or an oops.
tainted=$(cat /proc/sys/kernel/tainted)
echo "  # tainted: $tainted"
[ $((tainted & 640)) -eq 0 ]
result $? no_warning

# Linux itself makes all of the BIOS's area so, unless told pci=nobios.  And its
# own check of this is blind with PAE, which has no such bits at the top level.
grep -E ' RW .* x ' $tables > /tmp/wx
while read -r line; do
	echo "  # $line"
done < /tmp/wx
[ ! -s /tmp/wx ]
result $? writable_or_executable

awk '/^enabled: *1|^allocated/ { n++ } END { exit n < 1 }' \
	/sys/kernel/debug/kfence/stats
result $? kfence
exit $failed
