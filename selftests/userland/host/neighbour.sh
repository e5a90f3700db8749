#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The suite's tests alone, then again and again while the host does something to its other
# guests: the same results.  With vmi.suite on the command line all of them, at least once.
. /tests/host/lib

tests='memory process threads signals syscall fpu ptrace tcp'
! grep -q vmi.suite /proc/cmdline || tests=$(ls /tests | grep -v '^host$')

# results TEST: each with its name, as FILE has them then
results()
{
	KTAP_INDENT='' "/tests/$1" >/tmp/out 2>&1
	sed -nE 's/^ *(ok|not ok) [0-9]+ ([^ ]+).*( # SKIP)?.*/\1 \2\3/p' /tmp/out >"$2"
}

plan 2
for test in $tests; do
	results "$test" "/tmp/alone.$test"
done
[ "$(cat /tmp/alone.* | grep -c '^ok')" -gt 40 ]
result $? alone

(ask_host hostile; touch /tmp/over) &
rounds=0 done=0 bad=0
until [ -e /tmp/over ] && [ "$rounds" -gt 0 ]; do
	for test in $tests; do
		[ ! -e /tmp/over ] || [ "$rounds" -eq 0 ] || break
		results "$test" /tmp/now
		done=$((done + 1))
		cmp -s "/tmp/alone.$test" /tmp/now && continue
		diff "/tmp/alone.$test" /tmp/now | sed "s/^/  # $test: /"
		sed 's/^/  # /' /tmp/out
		bad=$((bad + 1))
	done
	rounds=$((rounds + 1))
done
echo "  # $done tests in $rounds rounds, $bad with other results than alone"
[ "$bad" -eq 0 ]
result $? same_results
exit $failed
