// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks and timers.  A host under load delays everything, so nothing here
 * is bounded from above.
 */
#include "ktap.h"

#define MS	1000000ULL

static volatile int ticks;

static void on_tick(int sig)
{
	ticks++;
}

static int clock_goes_forward(void)
{
	static const int clocks[] = { CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME };
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		unsigned long long start = sys_clock_ns(clocks[i]), last = start;

		for (k = 0; k < 20000; k++) {
			unsigned long long now = sys_clock_ns(clocks[i]);

			CHECK(now >= last);
			last = now;
		}
		CHECK(last > start);
	}
	return KSFT_PASS;
}

/* The same on every CPU, moving between them. */
static int clock_across_cpus(void)
{
	unsigned int cpus = sys_cpu_count(), i;
	unsigned long long last = 0;

	if (cpus < 2)
		SKIP("one CPU");
	for (i = 0; i < 200; i++) {
		unsigned long long now;

		CHECK_EQ(sys_pin_to_cpu(i % cpus), 0);
		now = sys_clock_ns(CLOCK_MONOTONIC);
		CHECK(now >= last);
		last = now;
	}
	return KSFT_PASS;
}

static int sleep_is_long_enough(void)
{
	unsigned int ms;

	for (ms = 1; ms < 200; ms = ms * 2 + 1) {
		unsigned long long start = sys_clock_ns(CLOCK_MONOTONIC);

		CHECK_EQ(sys_sleep_ms(ms), 0);
		CHECK(sys_clock_ns(CLOCK_MONOTONIC) - start >= ms * MS);
	}
	return KSFT_PASS;
}

static int set_itimer(int which, unsigned int ms)
{
	struct __kernel_old_itimerval it = {
		.it_interval.tv_usec = ms * 1000,
		.it_value.tv_usec = ms * 1000,
	};

	return my_syscall3(__NR_setitimer, which, &it, NULL);
}

static int interval_timer(void)
{
	unsigned long long start = sys_clock_ns(CLOCK_MONOTONIC);

	sys_signal(SIGALRM, on_tick);
	CHECK_EQ(set_itimer(0 /* ITIMER_REAL */, 10), 0);
	while (ticks < 10)
		my_syscall0(__NR_pause);
	CHECK_EQ(set_itimer(0, 0), 0);
	CHECK(sys_clock_ns(CLOCK_MONOTONIC) - start >= 100 * MS);
	return KSFT_PASS;
}

/* Interrupts a loop that makes no system call. */
static int interrupts_busy_loop(void)
{
	sys_signal(SIGVTALRM, on_tick);
	CHECK_EQ(set_itimer(1 /* ITIMER_VIRTUAL */, 10), 0);
	while (ticks < 5)
		asm volatile("pause");
	CHECK_EQ(set_itimer(1, 0), 0);
	return KSFT_PASS;
}

static int time_of_day(void)
{
	struct timeval tv;
	unsigned long long real = sys_clock_ns(CLOCK_REALTIME);

	CHECK_EQ(gettimeofday(&tv, NULL), 0);
	CHECK(tv.tv_sec * 1000000000ULL + tv.tv_usec * 1000ULL >= real - 1000);
	/* The machine's clock: past 2020. */
	CHECK_REL(tv.tv_sec, >, 1577836800);
	return KSFT_PASS;
}

static int cpu_time_counts(void)
{
	unsigned long long start = sys_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	unsigned int i;

	for (i = 0; i < 3000000; i++)
		asm volatile("");
	CHECK(sys_clock_ns(CLOCK_PROCESS_CPUTIME_ID) > start);
	start = sys_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	sys_sleep_ms(300);
	/* Sleep is not CPU time. */
	CHECK(sys_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start < 250 * MS);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(clock_goes_forward),
	TEST(clock_across_cpus),
	TEST(sleep_is_long_enough),
	TEST(interval_timer),
	TEST(interrupts_busy_loop),
	TEST(time_of_day),
	TEST(cpu_time_counts),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
