# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154 # who reads this has them, and uses them
# Several guests, each in a cgroup of its own: for scripts that run in L1 instead of QEMU.
# Behind ./l1.sh.
groups=/sys/fs/cgroup
kernel=build/bzImage words=''
bad=0

# yes WHAT COMMAND ...: it succeeds
yes()
{
	what=$1
	shift
	if "$@"; then
		say "ok $what"
	else
		say "not ok $what"
		bad=1
	fi
}

# guest NUMBER [ARGUMENT ...]: one in the cgroup gNUMBER
guest()
{
	n=$1
	shift
	mkdir -p $groups/g"$n"
	mkfifo /tmp/in."$n"
	# shellcheck disable=SC2016,SC2086,SC2154 # the inner shell's; these are words, of ./init
	sh -c 'echo $$ >$0/cgroup.procs; exec "$@"' $groups/g"$n" \
		qemu-system-x86_64 $accel -nodefaults -no-user-config -display none -no-reboot \
		-m 128M -kernel $kernel -initrd build/initramfs.cpio.gz \
		-append "console=ttyS0 quiet no_timer_check vmi.net=1 $words" \
		-option-rom build/rom/kvm.rom -serial stdio "$@" <>/tmp/in."$n" >/tmp/out."$n" 2>&1 &
}

# tell NUMBER LINE: to that guest's shell
tell()
{
	echo "$2" >/tmp/in."$1"
}

# done_by NUMBER WORD [SECONDS]: until a line of it begins so
done_by()
{
	wait_for "^$2" "${3:-300}" /tmp/out."$1"
}
