#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Linux's own tests that come as modules and run when they are loaded: probes, static
# keys, the compiler of BPF programs.
. /tests/host/lib

modules=/modules/running
if [ ! -e $modules/test_bpf.ko ]; then
	echo "  # no such tests were built for this kernel"
	exit 4
fi

# KUnit's KTAP on the console would look like ours.
read -r level _ < /proc/sys/kernel/printk
dmesg -n 4
plan 3
insmod $modules/kunit.ko
dmesg -c > /dev/null
insmod $modules/test_kprobes.ko && logged '# kprobes_test: pass:[1-9][0-9]* fail:0 '
result $? kprobes
rmmod test_kprobes kunit

insmod $modules/test_static_key_base.ko && insmod $modules/test_static_keys.ko
result $? static_keys
rmmod test_static_keys test_static_key_base

echo 1 > /proc/sys/net/core/bpf_jit_enable
insmod $modules/test_bpf.ko
status=$?
dmesg | sed -n 's/^.*\(test_bpf: .*\(Summary\|FAIL\)\)/  # \1/p'
[ $status -eq 0 ] && logged 'Summary: [1-9][0-9]* PASSED, 0 FAILED'
result $? bpf
rmmod test_bpf
dmesg -n "$level"
exit $failed
