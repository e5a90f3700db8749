#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Probes on what the host rewrote: each site takes one like any other instruction,
# unless Linux wants none there.
. /tests/host/lib

sites=/sys/kernel/debug/vmi/sites
tracing=/sys/kernel/tracing
mount -t tracefs tracefs $tracing 2>/dev/null
if [ ! -e $tracing/kprobe_events ] || [ ! -e $sites ]; then
	echo "  # this kernel has no kprobes"
	exit 4
fi
cd $tracing || exit 1

# Of the kernel's sites one in 23; those on the black list apart.
sed -n '2,$ { /\[/d; s/^\([0-9a-f]*\) .* \(.*\)$/0x\1 \2/p }' $sites |
	awk -v black=/sys/kernel/debug/kprobes/blacklist '
	BEGIN {
		while ((getline line < black) > 0) {
			from[n] = substr(line, 1, 10)
			to[n++] = substr(line, 12, 10)
		}
	}
	NR % 23 == 1 {
		for (i = 0; i < n; i++)
			if ($1 >= from[i] && $1 < to[i])
				next
		print
	}' > /tmp/sites

plan 5
accepted=0
refused=0
while read -r address op; do
	if echo "p:site/${op}_$address $address" >> kprobe_events; then
		accepted=$((accepted + 1))
	else
		echo "  # no probe at $address $op"
		refused=$((refused + 1))
	fi
done < /tmp/sites 2>/dev/null
echo "  # $accepted sites take a probe, $refused refuse it"
[ $accepted -ge 100 ] && [ $refused -eq 0 ]
result $? accepted

echo 1 > events/site/enable && everyday
result $? enabled

awk '$2 > 0 { n++; hits += $2; print $1 }
	END { print "  # " n " probes were hit " hits " times" > "/dev/stderr" }
	' kprobe_profile > /tmp/hit
[ "$(wc -l < /tmp/hit)" -ge 5 ]
result $? hit

# Some of those on and off, while another CPU runs over them.
echo 0 > events/site/enable
busy_until_killed
for name in $(head -n 4 /tmp/hit) $(head -n 4 /tmp/hit); do
	echo 1 > "events/site/$name/enable" && echo 0 > "events/site/$name/enable" || break
done
status=$?
not_busy
[ $status -eq 0 ] && everyday
result $? on_and_off

# Entry and return of a function, from the same table.
echo > kprobe_events
echo 'p:fork kernel_clone' >> kprobe_events &&
	echo 'r:forked kernel_clone $retval' >> kprobe_events &&
	echo > trace && echo 1 > events/kprobes/enable && everyday &&
	echo 0 > events/kprobes/enable && grep -q 'forked: .*arg1=0x' trace
result $? return
echo > kprobe_events
exit $failed
