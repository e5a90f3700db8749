// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host takes memory away and brings it back, while a process looks at its own and
 * changes it: vmi.hold=MEGABYTES of it.
 */
#include "ktap.h"

#define WORDS		(PAGE_SIZE / 4)
#define SLOTS		20	/* changes */

static unsigned int pages;

static int find_size(void)
{
	static char text[4096];
	const char *p;

	sys_read_file("/proc/cmdline", text, sizeof(text));
	p = text_find(text, "vmi.hold=");
	pages = p ? atol(p + 9) << 8 : 0;
	return pages;
}

#define NEED_SIZE() do {						\
	if (!find_size())						\
		SKIP("the host says nothing of vmi.hold=MEGABYTES");	\
} while (0)

/* Of a page in a round; pages of the same kind are alike. */
static unsigned int seed_of(unsigned int page, unsigned int round, unsigned int kinds)
{
	return (page % kinds + 1) * 2654435761u + round;
}

static void write_page(unsigned int *p, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		p[i] = seed + i * 0x9e3779b9;
}

static int page_is(const unsigned int *p, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		if (p[i] != seed + i * 0x9e3779b9)
			return 0;
	return 1;
}

/* Asks in a process of its own; the host answers with a newline when it is done. */
static pid_t ask_host(const char *what)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	char line[16];
	pid_t pid = fork();

	if (pid)
		return pid;
	ktap_print("# host: %s", what);
	exit(poll(&in, 1, 200000) != 1 || read(0, line, sizeof(line)) <= 0);
}

/* Each page holds what it was given last, then gets something else. */
static int turn(unsigned int *mem, unsigned int round, unsigned int kinds)
{
	unsigned int i;

	for (i = 0; i < pages; i++) {
		if (!page_is(mem + i * WORDS, seed_of(i, round, kinds))) {
			ktap_print("  # page %u of round %u is another", i, round);
			return -1;
		}
		/* Some are read alone: these stay merged, or swapped. */
		if (i % 4 != 3)
			write_page(mem + i * WORDS, seed_of(i, round + 1, kinds));
		else
			mem[i * WORDS + 5] = seed_of(i, round + 1, kinds) + 5 * 0x9e3779b9;
	}
	for (i = 3; i < pages; i += 4)
		write_page(mem + i * WORDS, seed_of(i, round + 1, kinds));
	return 0;
}

static int while_host(const char *does, unsigned int kinds)
{
	unsigned int *mem = mmap(NULL, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i, round = 0;
	int status;
	pid_t pid;

	CHECK(mem != MAP_FAILED);
	for (i = 0; i < pages; i++)
		write_page(mem + i * WORDS, seed_of(i, 0, kinds));
	pid = ask_host(does);
	CHECK_REL(pid, >, 0);
	do {
		CHECK_EQ(turn(mem, round++, kinds), 0);
		/* The host gets to see it at rest, too. */
		sys_sleep_ms(200);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(turn(mem, round++, kinds), 0);
	CHECK_EQ(turn(mem, round++, kinds), 0);
	ktap_print("  # %s: %u rounds of %u pages", does, round, pages);
	munmap(mem, pages * PAGE_SIZE);
	return KSFT_PASS;
}

static int swapped(void)
{
	NEED_SIZE();
	return while_host("swap", pages);
}

static int merged(void)
{
	NEED_SIZE();
	return while_host("merge", 16);
}

static int ballooned(void)
{
	NEED_SIZE();
	pages /= 2;
	return while_host("balloon", pages);
}

/* A device's memory comes and goes: each time KVM drops all it knows of the guest's. */
static int slots(void)
{
	int fd = open("/sys/bus/pci/devices/0000:00:0e.0/config", O_RDWR);
	unsigned int i, round, off = 0, on = 2, *mem;

	NEED_SIZE();
	CHECK_REL(fd, >=, 0);
	pages /= 8;
	mem = sys_pages(pages, PROT_READ | PROT_WRITE);
	CHECK(mem != MAP_FAILED);
	for (i = 0; i < pages; i++)
		write_page(mem + i * WORDS, seed_of(i, 0, pages));
	for (round = 0; round < SLOTS; round++) {
		CHECK_EQ(my_syscall5(__NR_pwrite64, fd, round & 1 ? &off : &on, 2, 4, 0), 2);
		CHECK_EQ(turn(mem, round, pages), 0);
	}
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(swapped),
	TEST(merged),
	TEST(ballooned),
	TEST(slots),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
