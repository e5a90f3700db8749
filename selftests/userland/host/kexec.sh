#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Another kernel takes this one's place: by kexec -e (test kexec), or after a crash in
# an interrupt, where possible on another processor than the first (test kdump, which
# needs crashkernel=).  Its tests are kexeced or vmcore, and some everyday ones; the
# results that count are printed there.

case $0 in
*kdump)	how=-p next=vmcore more=nr_cpus=1 ;;
*)	how=-l next=kexeced more= ;;
esac
kexec="/kexec/ld-linux.so.2 --library-path /kexec /kexec/kexec"

# What the next kernel is to find: how this one booted, and a word in its memory.
word=$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')
hostname "$word"
was=$(dmesg | sed -n 's/.*\] vmi: \([^ ,]*\).*/\1/p' | head -n 1)
words=$(sed "s/vmi\.test=[^ ]*/vmi.test=$next,process,signals,threads/; s/crashkernel=[^ ]*//" /proc/cmdline)

echo "# the next kernel is to find $was $word"
$kexec $how /kexec/bzImage --initrd=/kexec/initrd \
	--command-line="$words $more vmi.was=$was,$word" || exit 1
sync
if [ $how = -p ]; then
	for module in /modules/*/vmi_selftest.ko; do
		taskset 1 insmod "$module" crash=1
	done
else
	$kexec -e -x -y
fi
echo "# the kernel has not been replaced"
exit 1
