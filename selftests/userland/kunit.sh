#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own unit tests of VMI, which come as a module and print to the
# kernel's log; their results become results of this test.

modules=/modules/running
if [ ! -e $modules/vmi_test.ko ] || [ ! -e /sys/kernel/debug/vmi ]; then
	echo "  # no KUnit tests were built for this kernel"
	exit 4
fi

# KUnit's KTAP on the console would look like ours; init takes it from its log.
read -r level _ < /proc/sys/kernel/printk
dmesg -n 4
echo "kunit tests begin" > /dev/kmsg
insmod $modules/kunit.ko && insmod $modules/vmi_test.ko
loaded=$?
rmmod vmi_test kunit
echo "kunit tests end" > /dev/kmsg
dmesg | sed '1,/kunit tests begin/d; /kunit tests end/d; s/^\[[^]]*\] //' > /tmp/kunit.log
dmesg -n "$level"

# Cases are indented by four blanks, suites and cases of cases are not.
sed -n 's/^    \(ok\|not ok\) [0-9]* \(- \)*/\1 /p' /tmp/kunit.log > /tmp/kunit.cases
count=$(grep -c . /tmp/kunit.cases)
echo "  KTAP version 1"
echo "  1..$count"
number=0
while read -r line; do
	number=$((number + 1))
	case $line in
	not*)	echo "  not ok $number ${line#not ok }" ;;
	*)	echo "  ok $number ${line#ok }" ;;
	esac
done < /tmp/kunit.cases

if [ $loaded -ne 0 ] || [ "$count" -eq 0 ] ||
   grep -qE '^ *not ok|WARNING:|BUG:|Oops' /tmp/kunit.log; then
	while read -r line; do
		echo "  # | $line"
	done < /tmp/kunit.log
	exit 1
fi
