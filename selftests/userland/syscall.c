// SPDX-License-Identifier: GPL-2.0-only
/* The ways into the kernel: INT 0x80 and the vDSO. */
#include "ktap.h"
#include <linux/elf.h>

typedef int (*vdso_gettime_t)(int clock, struct __kernel_timespec *ts);

static unsigned long vsyscall;

static long call_vsyscall(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("call *%[entry]"
		     : "=a" (ret)
		     : "0" (nr), "b" (a), "c" (b), "d" (c), [entry] "m" (vsyscall)
		     : "memory", "cc");
	return ret;
}

static int int80(void)
{
	CHECK_EQ(my_syscall0(__NR_getpid), getpid());
	CHECK_EQ(my_syscall1(__NR_close, 999), -EBADF);
	CHECK_EQ(my_syscall0(9999), -ENOSYS);
	CHECK_EQ(my_syscall0(-1), -ENOSYS);
	return KSFT_PASS;
}

/* Six arguments, and all registers but EAX unchanged. */
static int int80_registers(void)
{
	unsigned int a = __NR_getpid, b = 0xb1, c = 0xc1, d = 0xd1, s = 0x51, t = 0xd2;

	asm volatile("int $0x80"
		     : "+a" (a), "+b" (b), "+c" (c), "+d" (d), "+S" (s), "+D" (t)
		     :: "memory", "cc");
	CHECK_EQ(a, getpid());
	CHECK(b == 0xb1 && c == 0xc1 && d == 0xd1 && s == 0x51 && t == 0xd2);
	return KSFT_PASS;
}

static int sixth_argument(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char direct[16], *mapped;

	CHECK_REL(fd, >=, 0);
	/* mmap2() counts its last argument in pages. */
	mapped = (char *)my_syscall6(__NR_mmap2, NULL, PAGE_SIZE, PROT_READ,
				     MAP_PRIVATE, fd, 1);
	CHECK((unsigned long)mapped < (unsigned long)-4095);
	CHECK_EQ(pread(fd, direct, sizeof(direct), PAGE_SIZE), sizeof(direct));
	CHECK(!memcmp(mapped, direct, sizeof(direct)));
	return KSFT_PASS;
}

static int vsyscall_entry(void)
{
	static char text[8192];
	int i;

	vsyscall = getauxval(32 /* AT_SYSINFO */);
	if (!vsyscall)
		SKIP("the kernel has no vsyscall page");
	sys_read_file("/proc/cpuinfo", text, sizeof(text));
	ktap_print("# the vDSO enters by %s",
		   text_find(text, " sep ") ? "SYSENTER" : "INT 0x80");
	for (i = 0; i < 1000; i++) {
		CHECK_EQ(call_vsyscall(__NR_getpid, 0, 0, 0), getpid());
		CHECK_EQ(call_vsyscall(__NR_close, 999, 0, 0), -EBADF);
	}
	CHECK_EQ(call_vsyscall(9999, 0, 0, 0), -ENOSYS);
	return KSFT_PASS;
}

static volatile int ticks;

static void on_tick(int sig)
{
	ticks++;
}

/* A signal at the entry: the call is restarted or interrupted, no more. */
static int vsyscall_signals(void)
{
	struct __kernel_old_itimerval it = {
		.it_interval.tv_usec = 5000, .it_value.tv_usec = 5000,
	};
	pid_t pid = getpid();

	vsyscall = getauxval(32);
	if (!vsyscall)
		SKIP("the kernel has no vsyscall page");
	sys_signal(SIGALRM, on_tick);
	CHECK_EQ(my_syscall3(__NR_setitimer, 0, &it, NULL), 0);
	while (ticks < 20)
		CHECK_EQ(call_vsyscall(__NR_getpid, 0, 0, 0), pid);
	/* Sleeps at the entry: EINTR or the end of the pause. */
	CHECK_EQ(call_vsyscall(__NR_pause, 0, 0, 0), -EINTR);
	it.it_value.tv_usec = 0;
	CHECK_EQ(my_syscall3(__NR_setitimer, 0, &it, NULL), 0);
	return KSFT_PASS;
}

/* Address of a function that the vDSO exports. */
static void *vdso_symbol(const char *name)
{
	char *base = (char *)getauxval(AT_SYSINFO_EHDR);
	Elf32_Ehdr *ehdr = (void *)base;
	Elf32_Phdr *phdr;
	Elf32_Dyn *dyn = NULL;
	Elf32_Sym *syms = NULL;
	unsigned int *hash = NULL, i;
	char *strings = NULL;

	if (!base || memcmp(base, ELFMAG, SELFMAG))
		return NULL;
	phdr = (void *)(base + ehdr->e_phoff);
	for (i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_DYNAMIC)
			dyn = (void *)(base + phdr[i].p_vaddr);
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			syms = (void *)(base + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_STRTAB)
			strings = base + dyn->d_un.d_ptr;
		if (dyn->d_tag == DT_HASH)
			hash = (void *)(base + dyn->d_un.d_ptr);
	}
	if (!syms || !strings || !hash)
		return NULL;
	for (i = 0; i < hash[1]; i++)
		if (!strcmp(strings + syms[i].st_name, name))
			return base + syms[i].st_value;
	return NULL;
}

/* The clock without a system call agrees with the one through it. */
static int vdso_clock(void)
{
	vdso_gettime_t gettime = vdso_symbol("__vdso_clock_gettime64");
	int i;

	if (!gettime)
		SKIP("the vDSO has no clock_gettime64");
	for (i = 0; i < 1000; i++) {
		struct __kernel_timespec ts;
		unsigned long long before, now, after;

		before = sys_clock_ns(CLOCK_MONOTONIC);
		CHECK_EQ(gettime(CLOCK_MONOTONIC, &ts), 0);
		after = sys_clock_ns(CLOCK_MONOTONIC);
		now = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
		CHECK(before <= now && now <= after);
	}
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(int80),
	TEST(int80_registers),
	TEST(sixth_argument),
	TEST(vsyscall_entry),
	TEST(vsyscall_signals),
	TEST(vdso_clock),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
