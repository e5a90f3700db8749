/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe: what its files share.  Builds for i386 and amd64 from one source,
 * on the kernel's nolibc.
 */
#ifndef VMI_BENCH_PROBE_H
#define VMI_BENCH_PROBE_H

#include "nolibc.h"
#include <stdbool.h>
#include <linux/time_types.h>
#include <asm/siginfo.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#define PAGE_SIZE	4096UL
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * struct op - an operation that is measured
 * @name: as in the report
 * @prepare: run once before, may be NULL; false if the system cannot do it
 * @run: does the operation @count times; measures with begin() and end() what
 *	it does if not all of it counts
 * @count: operations in a round: a million instructions or so, so that few
 *	rounds meet a timer interrupt
 * @cpus: processors that it takes
 */
struct op {
	const char *name;
	bool (*prepare)(void);
	void (*run)(unsigned int count);
	unsigned int count;
	unsigned int cpus;
};

extern const struct op cpu_ops[], memory_ops[], process_ops[], ipc_ops[];

/* arch.S */
void restorer(void);
long start_thread(unsigned long flags, void *stack);

void begin(void);
void end(void);
void die(const char *what);

static inline unsigned long long rdtsc(void)
{
	unsigned int lo, hi;

	/* Nothing is to move across it; CPUID would trap on some systems. */
	asm volatile("lfence\n\trdtsc\n\tlfence" : "=a" (lo), "=d" (hi) : : "memory");
	return lo | (unsigned long long)hi << 32;
}

/* nolibc's wrappers set errno; the system call alone is what we measure. */
static inline void check(long ret, const char *what)
{
	if (ret < 0)
		die(what);
}

static inline int sys_pin(unsigned int cpu)
{
	unsigned long mask = 1UL << cpu;

	return my_syscall3(__NR_sched_setaffinity, 0, sizeof(mask), &mask);
}

static inline void *map_pages(unsigned long pages)
{
	void *p = mmap(NULL, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	/* One fault for each page, also where the kernel has huge ones. */
	my_syscall3(__NR_madvise, p, pages * PAGE_SIZE, 15 /* MADV_NOHUGEPAGE */);
	return p;
}

static inline void wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		die("a child failed");
}

#endif
