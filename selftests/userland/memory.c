// SPDX-License-Identifier: GPL-2.0-only
/* Mappings, copy on write, page faults, brk. */
#include "ktap.h"

#define PAGES	64

static long minor_faults(void)
{
	struct rusage ru;

	my_syscall2(__NR_getrusage, RUSAGE_SELF, &ru);
	return ru.ru_minflt;
}

/* Exit status of a child that does one access; SIGSEGV if it may not. */
static int child_access(volatile char *p, int write)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (write)
			*p = 1;
		else
			(void)*p;
		exit(0);
	}
	return sys_wait(pid);
}

static int anonymous(void)
{
	char *p = sys_pages(PAGES, PROT_READ | PROT_WRITE);
	unsigned int i;

	CHECK(p != MAP_FAILED);
	for (i = 0; i < PAGES; i++) {
		CHECK_EQ(p[i * PAGE_SIZE], 0);
		CHECK_EQ(p[i * PAGE_SIZE + 4095], 0);
		p[i * PAGE_SIZE] = i + 1;
	}
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(p[i * PAGE_SIZE], i + 1);
	/* A hole in the middle: the rest must stay. */
	CHECK_EQ(munmap(p + 16 * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(p[15 * PAGE_SIZE], 16);
	CHECK_EQ(p[17 * PAGE_SIZE], 18);
	CHECK_EQ(child_access(p + 16 * PAGE_SIZE, 0), SIGSEGV);
	CHECK_EQ(munmap(p, PAGES * PAGE_SIZE), 0);
	CHECK_EQ(child_access(p, 0), SIGSEGV);
	return KSFT_PASS;
}

static int protect(void)
{
	char *p = sys_pages(3, PROT_READ | PROT_WRITE);

	CHECK(p != MAP_FAILED);
	memset(p, 0x5a, 3 * PAGE_SIZE);
	CHECK_EQ(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(child_access(p, 1), 0);
	CHECK_EQ(child_access(p + PAGE_SIZE, 0), 0);
	CHECK_EQ(child_access(p + PAGE_SIZE, 1), SIGSEGV);
	CHECK_EQ(child_access(p + 2 * PAGE_SIZE, 1), 0);
	CHECK_EQ(mprotect(p, PAGE_SIZE, PROT_NONE), 0);
	CHECK_EQ(child_access(p, 0), SIGSEGV);
	CHECK_EQ(mprotect(p, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(p[0], 0x5a);
	CHECK_EQ(p[PAGE_SIZE], 0x5a);
	p[0] = 1;
	p[PAGE_SIZE] = 1;
	return KSFT_PASS;
}

static int copy_on_write(void)
{
	unsigned char *p = sys_pages(PAGES, PROT_READ | PROT_WRITE);
	unsigned int *shared = sys_shared_page();
	unsigned int i, round;

	CHECK(p != MAP_FAILED && shared != MAP_FAILED);
	for (round = 0; round < 8; round++) {
		unsigned char old = round ? 0x40 + round - 1 : 0;
		pid_t pid = fork();

		if (pid == 0) {
			/* The parent's pages as they were at the fork. */
			for (i = 0; i < PAGES; i++)
				if (p[i * PAGE_SIZE + i] != old)
					exit(1);
			for (i = 0; i < PAGES; i++)
				p[i * PAGE_SIZE + i] = 0xc0;
			*shared += 1;
			exit(0);
		}
		for (i = 0; i < PAGES; i++)
			p[i * PAGE_SIZE + i] = 0x40 + round;
		CHECK_EQ(sys_wait(pid), 0);
		for (i = 0; i < PAGES; i++)
			CHECK_EQ(p[i * PAGE_SIZE + i], 0x40 + round);
		CHECK_EQ(*shared, round + 1);
	}
	return KSFT_PASS;
}

/* The kernel itself writes to a page that is copied on write. */
static int copy_on_write_by_kernel(void)
{
	char *p = sys_pages(1, PROT_READ | PROT_WRITE);
	int fd = open("/dev/zero", O_RDONLY);
	pid_t pid;

	CHECK(p != MAP_FAILED);
	CHECK_REL(fd, >=, 0);
	memset(p, 0x77, PAGE_SIZE);
	pid = fork();
	if (pid == 0) {
		if (read(fd, p, PAGE_SIZE) != PAGE_SIZE)
			exit(1);
		exit(p[0] || p[4095] ? 2 : 0);
	}
	CHECK_EQ(sys_wait(pid), 0);
	CHECK_EQ(p[0], 0x77);
	CHECK_EQ(p[4095], 0x77);
	return KSFT_PASS;
}

static int fault_count(void)
{
	char *p = sys_pages(PAGES, PROT_READ | PROT_WRITE);
	long before, after;
	unsigned int i;

	CHECK(p != MAP_FAILED);
	before = minor_faults();
	for (i = 0; i < PAGES; i++)
		p[i * PAGE_SIZE] = 1;
	after = minor_faults();
	CHECK_EQ(after - before, PAGES);
	for (i = 0; i < PAGES; i++)
		p[i * PAGE_SIZE] += 1;
	CHECK_EQ(minor_faults(), after);
	/* Pages that were given back fault again. */
	my_syscall3(__NR_madvise, p, PAGES * PAGE_SIZE, MADV_DONTNEED);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(p[i * PAGE_SIZE], 0);
	CHECK_EQ(minor_faults() - after, PAGES);
	return KSFT_PASS;
}

static int file_mapping(void)
{
	unsigned char buf[16], *shared, *private;
	int fd = open("/tmp/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK_REL(fd, >=, 0);
	CHECK_EQ(ftruncate(fd, 2 * PAGE_SIZE), 0);
	shared = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(shared != MAP_FAILED && private != MAP_FAILED);

	shared[100] = 0xab;
	CHECK_EQ(private[100], 0xab);
	CHECK_EQ(pread(fd, buf, 1, 100), 1);
	CHECK_EQ(buf[0], 0xab);

	private[100] = 0xcd;
	CHECK_EQ(shared[100], 0xab);
	CHECK_EQ(pread(fd, buf, 1, 100), 1);
	CHECK_EQ(buf[0], 0xab);

	CHECK_EQ(lseek(fd, PAGE_SIZE + 5, SEEK_SET), PAGE_SIZE + 5);
	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK(!memcmp(shared + PAGE_SIZE + 5, "hello", 5));
	CHECK(!memcmp(private + PAGE_SIZE + 5, "hello", 5));

	/* A page past the end of the file: SIGBUS, not SIGSEGV. */
	CHECK_EQ(ftruncate(fd, PAGE_SIZE), 0);
	CHECK_EQ(child_access((char *)shared + PAGE_SIZE, 0), SIGBUS);
	CHECK_EQ(unlink("/tmp/mapped"), 0);
	CHECK_EQ(shared[100], 0xab);
	return KSFT_PASS;
}

static int brk_growth(void)
{
	char *start = sys_brk(NULL);
	char *end = start + PAGES * PAGE_SIZE;
	unsigned int i;

	CHECK(sys_brk(end) == end);
	for (i = 0; i < PAGES; i++) {
		CHECK_EQ(start[i * PAGE_SIZE], 0);
		start[i * PAGE_SIZE] = i;
	}
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(start[i * PAGE_SIZE], i);
	CHECK(sys_brk(start) == start);
	/* Back again: the kernel must have cleared it. */
	CHECK(sys_brk(end) == end);
	for (i = 1; i < PAGES; i++)
		CHECK_EQ(start[i * PAGE_SIZE], 0);
	return KSFT_PASS;
}

/* mremap moves the pages: the old address faults, the new one has them. */
static int move_mapping(void)
{
	char *p = sys_pages(PAGES, PROT_READ | PROT_WRITE);
	char *q;
	unsigned int i;

	CHECK(p != MAP_FAILED);
	for (i = 0; i < PAGES; i++)
		p[i * PAGE_SIZE] = i;
	/* 3: MREMAP_MAYMOVE | MREMAP_FIXED */
	q = (char *)my_syscall5(__NR_mremap, p, PAGES * PAGE_SIZE,
				PAGES * PAGE_SIZE, 3, 0x50000000);
	CHECK(q == (char *)0x50000000);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(q[i * PAGE_SIZE], i);
	CHECK_EQ(child_access(p, 0), SIGSEGV);
	return KSFT_PASS;
}

/* One page in each of many page tables, at both ends of user space too. */
static int sparse(void)
{
	unsigned long addr;

	for (addr = 0x10000000; addr < 0xb0000000; addr += 0x1000000) {
		char *p = mmap((void *)addr, PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		CHECK(p == (char *)addr);
		*(unsigned long *)p = addr;
	}
	for (addr = 0x10000000; addr < 0xb0000000; addr += 0x1000000)
		CHECK_EQ(*(unsigned long *)addr, addr);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(anonymous),
	TEST(protect),
	TEST(copy_on_write),
	TEST(copy_on_write_by_kernel),
	TEST(fault_count),
	TEST(file_mapping),
	TEST(brk_growth),
	TEST(move_mapping),
	TEST(sparse),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
