// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watches the clocks while the machine moves, is saved and loaded, until it is killed: no
 * one goes back, none goes on by more than the longest pause (argument, in seconds) from
 * one look to the next.  A line each second, on the console.
 */
#include "ktap.h"

#define PAUSE_NS	20000000
#define NS_PER_SEC	1000000000ULL

struct clock {
	const char *name;
	unsigned long long (*now)(void);
	unsigned long long last;
};

static unsigned long long monotonic(void)
{
	return sys_clock_ns(CLOCK_MONOTONIC);
}

static unsigned long long realtime(void)
{
	return sys_clock_ns(CLOCK_REALTIME);
}

/* What programs read without a system call. */
static unsigned long long tsc(void)
{
	unsigned int low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return (unsigned long long)high << 32 | low;
}

static struct clock clocks[] = {
	{ "CLOCK_MONOTONIC", monotonic },
	{ "CLOCK_REALTIME", realtime },
	{ "TSC", tsc },
};

int main(int argc, char **argv)
{
	/* A TSC of 4 GHz at the most. */
	unsigned long long longest = (argc > 1 ? strtoul(argv[1], NULL, 10) : 5) * NS_PER_SEC;
	unsigned int i, looks;

	for (i = 0; i < ARRAY_SIZE(clocks); i++)
		clocks[i].last = clocks[i].now();
	for (looks = 1; ; looks++) {
		for (i = 0; i < ARRAY_SIZE(clocks); i++) {
			struct clock *c = &clocks[i];
			unsigned long long now = c->now();

			if (now < c->last)
				ktap_print("clocks: %s went back: %llu, then %llu", c->name,
					   c->last, now);
			else if (now - c->last > (c->now == tsc ? 4 * longest : longest))
				ktap_print("clocks: %s jumped: %llu, then %llu", c->name, c->last,
					   now);
			c->last = now;
		}
		if (looks % 50 == 0)
			ktap_print("clocks: looked %u times: %u s, TSC %u M", looks,
				   (unsigned int)(clocks[0].last >> 30),
				   (unsigned int)(clocks[2].last >> 20));
		sys_sleep_ms(PAUSE_NS / 1000000);
	}
}
