# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154 # who reads this has them, and uses them
# What a script that runs in L1 beside its machine may use.  ./init reads it before.
#
#	$1		before, while, after: when it is
#	$dir		the machine's directory: files there outlive L1
#	$console	what the machine has written to its serial port
#	$qemu		QEMU's process, but with "before"
#	/tmp/input	what is written there the machine reads from its serial port
#	/tmp/l2		a directory for what the script keeps
#
# Its standard output, each line behind "script: ", is part of the test's log.  A status
# other than 0 fails the test.  ROM and kernel are in the arguments, one on a line.

# hmp COMMAND ... tells QEMU's monitor at $monitor, and prints what that says.
monitor=/tmp/monitor
hmp()
{
	/bin/hmp "$monitor" "$*"
}

# hmp_times N COMMAND ...: the same, N times
hmp_times()
{
	times=$1
	shift
	/bin/hmp "$monitor" "$*" "$times"
}

# say TEXT: into the log, and at once into L1's.
say()
{
	echo "$*"
	echo "script: $*" >/dev/console
}

# wait_for PATTERN [SECONDS [FILE]]: until a line of the console, or FILE, has it.
wait_for()
{
	left=$((${2:-100} * 5))
	until grep -aqE -- "$1" "${3:-$console}" 2>/dev/null; do
		left=$((left - 1))
		if [ $left -le 0 ]; then
			echo "no line has /$1/ in ${2:-100} s"
			return 1
		fi
		usleep 200000
	done
}

# asks: the guest wants something from us by a line "# host: WORD" on the console: the
# function of that name does it, and the guest gets a newline.
asks()
{
	asked=0
	while kill -0 "$qemu" 2>/dev/null; do
		if [ "$(grep -ac '# host: ' "$console")" -gt $asked ]; then
			asked=$((asked + 1))
			word=$(grep -a '# host: ' "$console" | sed -n "$asked"'s/.*# host: \([^\r]*\).*/\1/p')
			$word || return 1
			echo >/tmp/input
		fi
		usleep 100000
	done
}

# load MODULE: one of L1's that it does not have from the start, see ./unpack.
load()
{
	while read -r file; do
		[ -e "/sys/module/$(echo "${file%.ko}" | tr - _)" ] || insmod "/modules/$file"
	done <"/modules/order.$1"
}

# serve_tap PORT: a tap for vhost-net, with L1 as 10.0.2.2, where the server of the net test
# listens; until remove_tap.
serve_tap()
{
	load tun
	load vhost_net
	[ -c /dev/net/tun ] || { mkdir -p /dev/net; mknod /dev/net/tun c 10 200; }
	tunctl -t tap0 >/dev/null
	ifconfig tap0 10.0.2.2 netmask 255.255.255.0 up
	host python3 -B selftests/host/net.py "$1" &
}

remove_tap()
{
	killall python3
	tunctl -d tap0 >/dev/null
}

# another NAME [ARGUMENT ...]: one more QEMU, in the background, as $pid.  It has the
# arguments of this test's, and these.  The console is /tmp/l2/NAME.console, QEMU's
# monitor /tmp/l2/NAME.monitor.
another()
{
	name=$1
	shift
	sed "s,/tmp/\(monitor\|qmp\|log\),/tmp/l2/$name.\1,; s/l2[.]tsc/$tsc/" \
		"$dir/arguments" >"/tmp/l2/$name.arguments"
	printf '%s\n' "$@" | sed '/^$/d' >>"/tmp/l2/$name.arguments"
	dd if=/dev/zero of="/tmp/l2/$name.log" bs=1M seek=1 count=0 2>/dev/null
	machine_of "/tmp/l2/$name.arguments" </dev/null >"/tmp/l2/$name.console" 2>&1 &
	pid=$!
}

# machine_of FILE: becomes QEMU with the arguments in it, one on a line.
machine_of()
{
	# shellcheck disable=SC2086 # these are words
	set -- "$1" qemu-system-x86_64 $accel
	while IFS= read -r word; do
		set -- "$@" "$word"
	done <"$1"
	shift
	exec "$@"
}

# host PROGRAM ARGUMENT ...: one of this machine's, from /usr, with its libraries.
host()
{
	if [ ! -d /usr.host ]; then
		mkdir /usr.host
		mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro usr /usr.host
	fi
	program=$1
	shift
	PYTHONHOME=/usr.host PYTHONDONTWRITEBYTECODE=1 \
	LD_LIBRARY_PATH=/usr.host/lib/x86_64-linux-gnu "/usr.host/bin/$program" "$@"
}
