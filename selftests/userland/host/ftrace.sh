#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tracers: the kernel rewrites the first instruction of its functions, and what the
# functions do is watched.  Switched on and off while another CPU runs them.  Some
# functions with sites; vmi.trace=all: all functions, which takes minutes.
. /tests/host/lib

tracing=/sys/kernel/tracing
mount -t tracefs tracefs $tracing 2>/dev/null
if [ ! -e $tracing/available_filter_functions ]; then
	echo "  # this kernel has no function tracer"
	exit 4
fi
cd $tracing || exit 1

# traced TRACER PATTERN: with it, the trace has many lines like that
traced()
{
	echo > trace
	echo "$1" > current_tracer && everyday || return 1
	echo 0 > tracing_on
	lines=$(head -n 20000 trace | grep -cE "$2")
	echo nop > current_tracer
	echo 1 > tracing_on
	echo "  # $1: $lines lines"
	[ "$lines" -ge 500 ]
}

if ! grep -q vmi.trace=all /proc/cmdline; then
	sed -n 's/^[0-9a-f]* \([a-z_0-9]*\)+.*/\1/p' /sys/kernel/debug/vmi/sites |
		sort -u | grep -Fxf available_filter_functions |
		awk 'NR % 8 == 1' > /tmp/functions
	cat /tmp/functions > set_ftrace_filter
fi

plan 5
echo "  # $(wc -l < available_filter_functions) functions"
echo "  # $(grep -c '^[a-z_]' set_ftrace_filter) are traced"
traced function '<-'
result $? function

traced function_graph '\{$|;$'
result $? function_graph

echo > trace
echo 1 > events/enable && everyday && echo 0 > events/enable &&
	grep -q 'sched_switch: ' trace
result $? events

echo 0 > tracing_max_latency
echo irqsoff > current_tracer && everyday && echo nop > current_tracer &&
	[ "$(cat tracing_max_latency)" -gt 0 ]
result $? irqsoff

busy_until_killed
rounds=0
while [ $rounds -lt 3 ]; do
	echo function > current_tracer && echo function_graph > current_tracer &&
		echo nop > current_tracer || break
	rounds=$((rounds + 1))
done
not_busy
[ $rounds -eq 3 ] && everyday
result $? on_and_off
echo > set_ftrace_filter
exit $failed
