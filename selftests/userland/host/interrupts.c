// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ROM's count of IRET against QEMU's log of interrupts, with the host's
 * help: it turns the log on and off when asked, and host/check-interrupts
 * compares afterwards.
 *
 * A window begins and ends with a read of vmi/ops.  The length that is asked
 * for says which one it is, and the log shows it in EDX at the INT 0x80.
 */
#include "vmi.h"

#define WINDOWS		10
#define MARK		0x5600	/* + 2 * window, + 1 at its end */

static char ops[MARK + 256];
static volatile int traps;

static void on_trap(int sig)
{
	traps++;
}

/* Returns when the host has done it: it answers with a newline. */
static int ask_host(const char *what)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	char line[16];

	ktap_print("# host: %s", what);
	if (poll(&in, 1, 60000) != 1)
		return -1;
	return read(0, line, sizeof(line)) > 0 ? 0 : -1;
}

/* One system call, which reads the count somewhere in it. */
static long long read_count(int fd, unsigned int mark)
{
	long len = my_syscall3(__NR_read, fd, ops, mark);
	struct vmi_row row;

	if (len <= 0)
		return -1;
	ops[len] = 0;
	if (vmi_find_row(ops, "IRET", &row) || !row.counted)
		return -1;
	return row.count;
}

/* A bit of everything that ends with IRET; no fork, which has one more. */
static void work(char *pages)
{
	unsigned int i;

	for (i = 0; i < 200; i++)
		my_syscall0(__NR_getppid);
	for (i = 0; i < 8; i++)
		pages[i * PAGE_SIZE] = 1;
	for (i = 0; i < 5; i++)
		asm volatile("int3");
	sys_sleep_ms(30);
}

static int windows(void)
{
	long long before[WINDOWS], after[WINDOWS];
	int fds[2 * WINDOWS], i;
	char *pages = sys_pages(8 * WINDOWS, PROT_READ | PROT_WRITE);

	NEED_COUNTS();
	sys_signal(SIGTRAP, on_trap);
	for (i = 0; i < 2 * WINDOWS; i++) {
		fds[i] = open(VMI_OPS, O_RDONLY);
		CHECK_REL(fds[i], >=, 0);
	}
	CHECK_EQ(ask_host("log on"), 0);
	for (i = 0; i < WINDOWS; i++) {
		before[i] = read_count(fds[2 * i], MARK + 2 * i);
		work(pages + i * 8 * PAGE_SIZE);
		after[i] = read_count(fds[2 * i + 1], MARK + 2 * i + 1);
	}
	CHECK_EQ(ask_host("log off"), 0);
	for (i = 0; i < WINDOWS; i++) {
		CHECK_REL(before[i], >=, 0);
		CHECK_REL(after[i], >, before[i]);
		ktap_print("# window %d: %lld IRET", i, after[i] - before[i]);
	}
	CHECK_EQ(traps, 5 * WINDOWS);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(windows),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
