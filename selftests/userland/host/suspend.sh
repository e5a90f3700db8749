#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Suspend to RAM, and back; or the kernel does not offer it.
. /tests/host/lib

if ! grep -q deep /sys/power/mem_sleep 2>/dev/null; then
	echo "  # not offered"
	exit 4
fi
plan 2
ask_host "wake up later"
echo mem > /sys/power/state
result $? back

everyday
result $? goes_on
exit $failed
