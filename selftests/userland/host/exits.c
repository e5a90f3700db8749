// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a known number of things that may exit to the hypervisor, phase by
 * phase, for selftests/kvm/bench.  Before and after each it writes a mark to
 * the second serial port, where the host notes its counters and answers; the
 * kernel's own counts go to the log.
 */
#include "ktap.h"
#include "mark.h"
#include "thread.h"

#define TICKS		1000	/* of 1.1 ms: out of step with the kernel's own */
#define IPIS		1000
#define ROUNDS		1000	/* of ping-pong: two switches each */
#define SHOOTDOWNS	1000	/* pairs of mprotect() */
#define LOCKS		20000	/* by each of two */
#define SYSCALLS	20000
#define SIGNALS		2000
#define FAULTS		2048	/* of pages that the machine has already */
#define FAULTS_AT_ONCE	64

#define MEMBARRIER_PRIVATE_EXPEDITED		8
#define MEMBARRIER_REGISTER_PRIVATE_EXPEDITED	16

static int port = -1;
static char text[8192];
static volatile int stop, ready;
static volatile int ticks;
static int word;

/* Sum over the processors in a row of /proc/interrupts, 0 without it. */
static unsigned long irq_count(const char *row)
{
	unsigned long sum = 0;
	char *p = text_find(text, row);

	for (p = p ? p + strlen(row) : ""; *p == ' ' || (*p >= '0' && *p <= '9'); ) {
		while (*p == ' ')
			p++;
		if (*p >= '0' && *p <= '9')
			sum += atol(p);
		while (*p >= '0' && *p <= '9')
			p++;
	}
	return sum;
}

static int mark(const char *name, unsigned long done)
{
	unsigned long loc, res, cal, tlb;

	CHECK_EQ(mark_send(port, name), 0);
	CHECK_REL(sys_read_file("/proc/interrupts", text, sizeof(text)), >, 0);
	loc = irq_count("LOC:");
	res = irq_count("RES:");
	cal = irq_count("CAL:");
	tlb = irq_count("TLB:");
	CHECK_REL(sys_read_file("/proc/stat", text, sizeof(text)), >, 0);
	ktap_print("# bench %s done=%lu LOC=%lu RES=%lu CAL=%lu TLB=%lu ctxt=%lu",
		   name, done, loc, res, cal, tlb, text_number(text, "ctxt"));
	return KSFT_PASS;
}

static void on_tick(int sig)
{
	ticks++;
}

static int timer(void)
{
	struct { long interval[2], value[2]; } often = { { 0, 1100 }, { 0, 1100 } }, never = { 0 };

	sys_signal(SIGALRM, on_tick);
	sys_pin_to_cpu(0);
	mark("tick-begin", 0);
	my_syscall3(__NR_setitimer, 0, &often, NULL);
	while (ticks < TICKS)
		;
	my_syscall3(__NR_setitimer, 0, &never, NULL);
	return mark("tick-end", TICKS);
}

/* Runs in user mode on the second processor, in this address space. */
static void spinner(void *arg)
{
	sys_pin_to_cpu(1);
	ready = 1;
	while (!stop)
		;
	ready = 0;
}

static int start_second(void (*func)(void *))
{
	static int tid;

	stop = ready = 0;
	CHECK_REL(start_thread(CLONE_THREAD_FLAGS | CLONE_PARENT_SETTID, func, NULL, &tid,
			       NULL), >, 0);
	while (!ready)
		sched_yield();
	return KSFT_PASS;
}

static void stop_second(void)
{
	stop = 1;
	while (ready)
		sched_yield();
}

static int ipi(void)
{
	int i;

	if (sys_cpu_count() < 2)
		return KSFT_SKIP;
	CHECK_EQ(my_syscall3(__NR_membarrier, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
	start_second(spinner);
	mark("ipi-begin", 0);
	for (i = 0; i < IPIS; i++)
		my_syscall3(__NR_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0);
	mark("ipi-end", IPIS);
	stop_second();
	return KSFT_PASS;
}

static int shootdown(void)
{
	char *page = sys_pages(1, PROT_READ | PROT_WRITE);
	int i;

	if (sys_cpu_count() < 2)
		return KSFT_SKIP;
	start_second(spinner);
	mark("shootdown-begin", 0);
	for (i = 0; i < SHOOTDOWNS; i++) {
		mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
		*page = i;
		mprotect(page, PAGE_SIZE, PROT_READ);
	}
	mark("shootdown-end", 2 * SHOOTDOWNS);
	stop_second();
	return KSFT_PASS;
}

static int context_switch(void)
{
	int to[2], from[2], i;
	char c = 0;
	pid_t pid;

	CHECK_EQ(pipe(to) | pipe(from), 0);
	sys_pin_to_cpu(0);
	pid = fork();
	if (!pid) {
		for (i = 0; i < ROUNDS; i++)
			if (read(to[0], &c, 1) != 1 || write(from[1], &c, 1) != 1)
				exit(1);
		exit(0);
	}
	mark("switch-begin", 0);
	for (i = 0; i < ROUNDS; i++) {
		CHECK_EQ(write(to[1], &c, 1), 1);
		CHECK_EQ(read(from[0], &c, 1), 1);
	}
	mark("switch-end", 2 * ROUNDS);
	CHECK_EQ(sys_wait(pid), 0);
	return KSFT_PASS;
}

/* The lock is that of the futex's hash bucket, in the kernel. */
static void take_locks(void *arg)
{
	int i;

	sys_pin_to_cpu(1);
	ready = 1;
	while (!stop)
		;
	for (i = 0; i < LOCKS; i++)
		sys_futex(&word, FUTEX_WAIT, 1);
	ready = 0;
}

/* What the marks themselves cost. */
static int nothing(void)
{
	mark("nothing-begin", 0);
	return mark("nothing-end", 1000);
}

static int system_calls(void)
{
	int i;

	mark("syscall-begin", 0);
	for (i = 0; i < SYSCALLS; i++)
		getppid();
	return mark("syscall-end", SYSCALLS);
}

static int signals(void)
{
	pid_t self = getpid();
	int i;

	ticks = 0;
	sys_signal(SIGUSR1, on_tick);
	mark("signal-begin", 0);
	for (i = 0; i < SIGNALS; i++)
		kill(self, SIGUSR1);
	mark("signal-end", SIGNALS);
	CHECK_EQ(ticks, SIGNALS);
	return KSFT_PASS;
}

static void touch_and_forget(char *pages, int n)
{
	int i;

	for (; n > 0; n -= FAULTS_AT_ONCE) {
		for (i = 0; i < FAULTS_AT_ONCE; i++)
			pages[i * PAGE_SIZE] = 1;
		my_syscall3(__NR_madvise, pages, FAULTS_AT_ONCE * PAGE_SIZE, MADV_DONTNEED);
	}
}

static int page_faults(void)
{
	char *pages = sys_pages(FAULTS_AT_ONCE, PROT_READ | PROT_WRITE);

	touch_and_forget(pages, FAULTS);
	mark("fault-begin", 0);
	touch_and_forget(pages, FAULTS);
	return mark("fault-end", FAULTS);
}

static int contended_lock(void)
{
	int i;

	if (sys_cpu_count() < 2)
		return KSFT_SKIP;
	word = 0;
	start_second(take_locks);
	mark("lock-begin", 0);
	stop = 1;
	for (i = 0; i < LOCKS; i++)
		sys_futex(&word, FUTEX_WAIT, 1);
	while (ready)
		sched_yield();
	return mark("lock-end", 2 * LOCKS);
}

static const struct test tests[] = {
	TEST(nothing), TEST(system_calls), TEST(signals), TEST(page_faults), TEST(timer),
	TEST(ipi), TEST(context_switch), TEST(shootdown), TEST(contended_lock),
};

int main(void)
{
	port = open("/dev/ttyS1", O_RDWR);
	if (port < 0)
		return KSFT_SKIP;
	return KTAP_MAIN(tests);
}
