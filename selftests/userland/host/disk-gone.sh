#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The disk stops answering in the middle of reads and writes: these fail, no
# more than that.
. /tests/host/lib

use()
{
	dd if=/dev/vda of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null &&
	dd if=/dev/zero of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null
}

if [ ! -b /dev/vda ]; then
	echo "  # the host gave no disk"
	exit 4
fi

plan 4
use
result $? works

while use; do :; done &
sleep 1
ask_host "disk gone"
wait $!
! use
result $? fails

logged "I/O error, dev vda"
result $? reported

everyday
result $? others_live
exit $failed
