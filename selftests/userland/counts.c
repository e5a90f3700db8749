// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ROM's counts against counts that Linux keeps for itself, over a short
 * time in which nothing else runs.
 */
#include "vmi.h"

#define ROUNDS		1000
#define TABLES		256	/* page tables to fill: 2 MB of addresses each, 4 without PAE */
#define TABLE_SIZE	0x200000UL

static char text[8192];

/* How often @pid left the CPU. */
static long switches_of(pid_t pid)
{
	char path[32] = "/proc/";

	utoa_r(pid, path + 6);
	strlcat(path, "/status", sizeof(path));
	if (sys_read_file(path, text, sizeof(text)) < 0)
		return -1;
	return text_number(text, "\nvoluntary_ctxt_switches") +
	       text_number(text, "nonvoluntary_ctxt_switches");
}

static pid_t start_echo(int there[2], int back[2])
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	close(there[1]);
	while (read(there[0], &c, 1) == 1)
		write(back[1], &c, 1);
	exit(0);
}

static int ping_pong(int out, int in, int rounds)
{
	char c = 0;

	while (rounds--)
		if (write(out, &c, 1) != 1 || read(in, &c, 1) != 1)
			return -1;
	return 0;
}

/*
 * Two processes take turns on one CPU.  A switch between them loads CR3; one
 * to a kernel thread and back does not, and there are few of those.
 */
static int cr3_loads(void)
{
	int there[2], back[2], slack;
	long loads, switches;
	pid_t pid;

	NEED_COUNTS();
	CHECK_EQ(sys_pin_to_cpu(0), 0);
	CHECK_EQ(pipe(there), 0);
	CHECK_EQ(pipe(back), 0);
	pid = start_echo(there, back);
	CHECK_REL(pid, >, 0);
	CHECK_EQ(ping_pong(there[1], back[0], 50), 0);

	switches = switches_of(getpid()) + switches_of(pid);
	loads = vmi_count("SetCR3");
	CHECK_EQ(ping_pong(there[1], back[0], ROUNDS), 0);
	loads = vmi_count("SetCR3") - loads;
	switches = switches_of(getpid()) + switches_of(pid) - switches;

	ktap_print("# %d context switches, %d loads of CR3", (int)switches, (int)loads);
	slack = switches / 50 + 20;
	CHECK_REL(switches, >=, 2 * ROUNDS);
	CHECK_REL(loads, >=, switches - slack);
	CHECK_REL(loads, <=, switches + slack);
	close(there[1]);
	CHECK_EQ(sys_wait(pid), 0);
	return KSFT_PASS;
}

/* Pages of page tables (user PTE and PMD pages) that Linux has. */
static long page_table_pages(void)
{
	/* Brings in what each CPU still keeps to itself. */
	sys_read_file("/proc/sys/vm/stat_refresh", text, sizeof(text));
	if (sys_read_file("/proc/meminfo", text, sizeof(text)) < 0)
		return -1;
	return text_number(text, "\nPageTables") / 4;
}

static int page_tables(void)
{
	long long allocated[3], released[3];
	long pages[3];
	unsigned int i;
	char *p;

	NEED_COUNTS();
	p = mmap(NULL, TABLES * TABLE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	my_syscall3(__NR_madvise, p, TABLES * TABLE_SIZE, MADV_NOHUGEPAGE);

	for (i = 0; i < 3; i++) {
		unsigned int k;

		pages[i] = page_table_pages();
		allocated[i] = vmi_count("AllocatePage");
		released[i] = vmi_count("ReleasePage");
		if (i == 0)
			for (k = 0; k < TABLES; k++)
				p[k * TABLE_SIZE] = 1;
		if (i == 1)
			CHECK_EQ(munmap(p, TABLES * TABLE_SIZE), 0);
	}

	for (i = 0; i < 2; i++) {
		long long calls = allocated[i + 1] - allocated[i] -
				  (released[i + 1] - released[i]);
		long change = pages[i + 1] - pages[i];

		ktap_print("# PageTables %d pages, AllocatePage %lld, ReleasePage %lld",
			   (int)change, allocated[i + 1] - allocated[i],
			   released[i + 1] - released[i]);
		CHECK_REL(calls, >=, change - 2);
		CHECK_REL(calls, <=, change + 2);
	}
	CHECK_REL(allocated[1] - allocated[0], >=, sys_pae() ? TABLES : TABLES / 2);
	CHECK_REL(released[2] - released[1], >=, sys_pae() ? TABLES : TABLES / 2);
	return KSFT_PASS;
}

/* Each system call by INT 0x80 ends with one IRET. */
static int returns_from_system_calls(void)
{
	long long count;
	unsigned int i;

	NEED_COUNTS();
	count = vmi_count("IRET");
	for (i = 0; i < ROUNDS; i++)
		my_syscall0(__NR_getppid);
	count = vmi_count("IRET") - count;
	/* Interrupts come on top, and vmi_count's own calls. */
	CHECK_REL(count, >=, ROUNDS);
	CHECK_REL(count, <=, ROUNDS * 3);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(cr3_loads),
	TEST(page_tables),
	TEST(returns_from_system_calls),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
