// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host counts of its own, vmi/host in debugfs, while programs are busy
 * with all that a kernel does for them.
 */
#include "ktap.h"

#define HOST		"/sys/kernel/debug/vmi/host"
#define MAX_KINDS	64
#define WINDOW_NS	1000000000ULL

struct kind {
	unsigned long count;
	char name[64];
};

/* "count name", a line each, behind the heading.  Their number, or -1. */
static int read_kinds(struct kind *kinds)
{
	static char text[8192];
	const char *p = text;
	unsigned int n, len;

	if (sys_read_file(HOST, text, sizeof(text)) < 0)
		return -1;
	for (n = 0; n < MAX_KINDS; n++) {
		while (*p && *p != '\n')
			p++;
		if (!*p++ || !*p)
			break;
		kinds[n].count = atol(p);
		while (*p && *p != ' ' && *p != '\n')
			p++;
		for (len = 0; p[len + 1] && p[len + 1] != '\n' && len < 63; len++)
			kinds[n].name[len] = p[len + 1];
		kinds[n].name[len] = 0;
	}
	return n;
}

static void on_signal(int sig)
{
}

/* A little of everything. */
static int work(int fds[2])
{
	char *p, c = 0;
	pid_t pid;
	int i;

	for (i = 0; i < 100; i++)
		my_syscall0(__NR_getppid);
	if (write(fds[1], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
		return -1;
	p = sys_pages(16, PROT_READ | PROT_WRITE);
	p[0] = p[8 * PAGE_SIZE] = 1;
	munmap(p, 16 * PAGE_SIZE);
	kill(getpid(), SIGUSR1);
	pid = fork();
	if (!pid) {
		execve("/bin/busybox", (char *[]){ "true", NULL }, (char *[]){ NULL });
		exit(1);
	}
	return sys_wait(pid);
}

/* Hardly an instruction is emulated once all sites are patched. */
static int emulates_next_to_nothing(void)
{
	static struct kind before[MAX_KINDS], after[MAX_KINDS];
	unsigned long long start, end;
	unsigned long n, emulated = 0;
	int kinds, fds[2], i, rounds = 0;

	kinds = read_kinds(before);
	if (kinds <= 0)
		SKIP("no host that counts");
	CHECK_EQ(pipe(fds), 0);
	sys_signal(SIGUSR1, on_signal);
	start = sys_clock_ns(CLOCK_MONOTONIC);
	do {
		CHECK_EQ(work(fds), 0);
		rounds++;
		end = sys_clock_ns(CLOCK_MONOTONIC);
	} while (end - start < WINDOW_NS);
	CHECK_EQ(read_kinds(after), kinds);

	ktap_print("# %d rounds in %d us", rounds, (int)((unsigned int)(end - start) / 1000));
	for (i = 0; i < kinds; i++) {
		n = after[i].count - before[i].count;
		if (n)
			ktap_print("# %lu %s", n, after[i].name);
		if (!strncmp(after[i].name, "emulated", 8))
			emulated += n;
	}
	CHECK_REL(emulated, <=, 10);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(emulates_next_to_nothing),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
