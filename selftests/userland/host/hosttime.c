// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the guest's time pass as the host's?  vmi.seconds=N on the command line
 * says how long to look (60).  At both ends the host is asked some times for its
 * own, by a mark to the second serial port; selftests/kvm/check-time compares.
 */
#include "ktap.h"
#include "mark.h"

#define ASKED	20	/* at each end: the quickest answer says most */

static char text[4096];

static int ask(int port, const char *when)
{
	unsigned long long before, after;
	int i;

	for (i = 0; i < ASKED; i++) {
		before = sys_clock_ns(CLOCK_MONOTONIC);
		CHECK_EQ(mark_send(port, when), 0);
		after = sys_clock_ns(CLOCK_MONOTONIC);
		ktap_print("# %s %llu %llu", when, before, after);
	}
	return KSFT_PASS;
}

static int host_clock(void)
{
	long seconds, i;
	int port = open("/dev/ttyS1", O_RDWR);

	if (port < 0)
		return KSFT_SKIP;
	CHECK_REL(sys_read_file("/proc/cmdline", text, sizeof(text)), >, 0);
	seconds = text_number(text, "vmi.seconds");
	ask(port, "time0");
	for (i = 0; i < 2 * (seconds < 0 ? 60 : seconds); i++)
		sys_sleep_ms(500);
	return ask(port, "time1");
}

static int clocksource(void)
{
	CHECK_REL(sys_read_file("/sys/devices/system/clocksource/clocksource0/current_clocksource",
				text, sizeof(text)), >, 0);
	*text_find(text, "\n") = 0;
	ktap_print("# clocksource %s", text);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(clocksource),
	TEST(host_clock),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
