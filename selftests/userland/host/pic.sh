#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The 8259s are set up again and again while they bring timer interrupts.
. /tests/host/lib

irqs()
{
	awk '$1 == "0:" { print $2 }' /proc/interrupts
}

plan 3
grep -q "^ *0:.*XT-PIC" /proc/interrupts
result $? timer_by_8259

for i in 1 2 3 4 5 6 7 8 9 10; do
	insmod /modules/*/vmi_selftest.ko pic=1 && rmmod vmi_selftest || break
done
result $? set_up

before=$(irqs)
everyday && [ "$(irqs)" -gt "$before" ]
result $? goes_on
exit $failed
