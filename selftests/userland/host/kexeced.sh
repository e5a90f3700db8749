#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the kernel that kexec started: the same host took it, with all processors.
. /tests/host/lib

was=$(sed -n 's/.*vmi\.was=\([^,]*\),.*/\1/p' /proc/cmdline)
cpus=$(sed -n 's/.*vmi\.cpus=\([0-9]*\).*/\1/p' /proc/cmdline)

plan 3
logged "vmi: $was"
result $? same_host
[ "$(grep -c '^processor' /proc/cpuinfo)" -eq "$cpus" ]
result $? all_processors
everyday
result $? everyday
exit $failed
