/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls and small helpers that nolibc lacks.  Test programs include
 * ktap.h, which includes this.
 */
#ifndef VMI_TEST_SYS_H
#define VMI_TEST_SYS_H

#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <asm/siginfo.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#define PAGE_SIZE	4096UL
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* What rt_sigaction takes; the UAPI's struct is that of the old call. */
struct ksigaction {
	void (*handler)(int sig, siginfo_t *info, void *context);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask[2];
};

static inline int sys_sigaction(int sig, void (*handler)(int, siginfo_t *, void *),
				unsigned long flags)
{
	struct ksigaction sa = { .handler = handler, .flags = flags | SA_SIGINFO };

	return __sysret(my_syscall4(__NR_rt_sigaction, sig, &sa, NULL, 8));
}

static inline int sys_signal(int sig, void (*handler)(int))
{
	struct ksigaction sa = { .handler = (void *)handler };

	return __sysret(my_syscall4(__NR_rt_sigaction, sig, &sa, NULL, 8));
}

static inline unsigned int sys_alarm(unsigned int seconds)
{
	return my_syscall1(__NR_alarm, seconds);
}

static inline int mprotect(void *addr, size_t len, int prot)
{
	return __sysret(my_syscall3(__NR_mprotect, addr, len, prot));
}

static inline ssize_t pread(int fd, void *buf, size_t len, unsigned long offset)
{
	return __sysret(my_syscall5(__NR_pread64, fd, buf, len, offset, 0));
}

static inline int ftruncate(int fd, unsigned long len)
{
	return __sysret(my_syscall2(__NR_ftruncate, fd, len));
}

static inline long sys_ptrace(long request, pid_t pid, unsigned long addr,
			      unsigned long data)
{
	return __sysret(my_syscall4(__NR_ptrace, request, pid, addr, data));
}

static inline int sys_futex(int *word, int op, int val)
{
	return __sysret(my_syscall6(__NR_futex, word, op, val, NULL, NULL, 0));
}

/* Nanoseconds of @clock since whenever it started. */
static inline unsigned long long sys_clock_ns(int clock)
{
	struct __kernel_timespec ts = { 0 };

	my_syscall2(__NR_clock_gettime64, clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Sleeps; @ms below 1000. */
static inline int sys_sleep_ms(unsigned int ms)
{
	struct __kernel_timespec ts = { .tv_nsec = ms * 1000000ULL };

	return my_syscall4(__NR_clock_nanosleep_time64, CLOCK_MONOTONIC, 0,
			   &ts, NULL);
}

/* Number of CPUs that the process may run on, at most 32. */
static inline unsigned int sys_cpu_count(void)
{
	unsigned long mask[32] = { 0 };
	unsigned int count = 0;

	my_syscall3(__NR_sched_getaffinity, 0, sizeof(mask), mask);
	for (; mask[0]; mask[0] &= mask[0] - 1)
		count++;
	return count;
}

static inline int sys_pin_to_cpu(unsigned int cpu)
{
	unsigned long mask = 1UL << cpu;

	return __sysret(my_syscall3(__NR_sched_setaffinity, 0, sizeof(mask), &mask));
}

static inline void *sys_pages(unsigned int count, int prot)
{
	return mmap(NULL, count * PAGE_SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

/* A page of zeros that children share. */
static inline void *sys_shared_page(void)
{
	return mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Wait status of @pid, or -1. */
static inline int sys_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static inline int sys_read_full(int fd, void *buf, size_t len)
{
	while (len) {
		ssize_t n = read(fd, buf, len);

		if (n <= 0)
			return -1;
		buf += n;
		len -= n;
	}
	return 0;
}

static inline int sys_write_full(int fd, const void *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n <= 0)
			return -1;
		buf += n;
		len -= n;
	}
	return 0;
}

/* Start of a file as a string, cut to @size; its length or -1. */
static inline int sys_read_file(const char *path, char *buf, int size)
{
	int fd = open(path, O_RDONLY);
	int len = 0, n;

	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	buf[len] = 0;
	close(fd);
	return len;
}

/* First @needle in @text, or NULL. */
static inline char *text_find(const char *text, const char *needle)
{
	size_t len = strlen(needle);

	for (; *text; text++)
		if (!strncmp(text, needle, len))
			return (char *)text;
	return NULL;
}

/* Are the kernel's page tables those of PAE?  Without, large pages have 4 MB. */
static inline int sys_pae(void)
{
	char text[4096];

	return sys_read_file("/proc/meminfo", text, sizeof(text)) > 0 &&
	       !text_find(text, "DirectMap4M");
}

/* The number after "@key", blanks, tabs and a colon skipped; or -1. */
static inline long text_number(const char *text, const char *key)
{
	const char *p = text_find(text, key);

	if (!p)
		return -1;
	p += strlen(key);
	while (*p == ' ' || *p == '\t' || *p == ':' || *p == '=')
		p++;
	return *p >= '0' && *p <= '9' ? atol(p) : -1;
}

/* A repeatable stream of bits. */
static inline unsigned int prng(unsigned int *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* FNV-1a, continued from @hash; start with FNV_START. */
#define FNV_START	2166136261U
static inline unsigned int fnv(unsigned int hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		hash = (hash ^ *p++) * 16777619U;
	return hash;
}

#endif /* VMI_TEST_SYS_H */
