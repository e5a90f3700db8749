// SPDX-License-Identifier: GPL-2.0-only
/* Operations of one process: the processor, system calls, signals, memory. */
#include "probe.h"

#define FILE_PAGES	1024UL
#define FAULT_STRIDE	16	/* pages that Linux maps around a file fault */
#define TEST_FILE	"/tmp/bench.data"

static void op_calibrate(unsigned int count)
{
	while (count--) {
		unsigned int n = 498;

		/* 1000: mov, 996 of the loop, nop, and two of the loop around */
		asm volatile("nop\n1:\tdec %0\n\tjnz 1b" : "+r" (n) : : "cc");
	}
}

static void op_user_cpu(unsigned int count)
{
	static unsigned char data[4096];

	while (count--) {
		unsigned int crc = ~0u, i, k;

		for (i = 0; i < sizeof(data); i++) {
			crc ^= data[i];
			for (k = 0; k < 8; k++)
				crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
		}
		data[crc % sizeof(data)] = crc;
	}
}

static void op_null_syscall(unsigned int count)
{
	while (count--)
		my_syscall0(__NR_getppid);
}

static int zero_fd;

static bool open_zero(void)
{
	zero_fd = open("/dev/zero", O_RDONLY, 0);
	return zero_fd >= 0;
}

static void op_read_zero(unsigned int count)
{
	char c;

	while (count--)
		my_syscall3(__NR_read, zero_fd, &c, 1);
}

/* What rt_sigaction takes, in both ABIs. */
struct ksigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask[8 / sizeof(long)];
};

static bool catch(int sig, void *handler)
{
	struct ksigaction sa = {
		.handler = handler,
		.flags = 0x04000004,	/* SA_RESTORER, SA_SIGINFO */
		.restorer = restorer,
	};

	return !my_syscall4(__NR_rt_sigaction, sig, &sa, NULL, 8);
}

static volatile unsigned int handled;

static void on_signal(int sig)
{
	handled++;
}

static bool catch_usr1(void)
{
	return catch(SIGUSR1, on_signal);
}

static void op_signal(unsigned int count)
{
	pid_t self = getpid();

	handled = 0;
	for (unsigned int i = 0; i < count; i++)
		my_syscall2(__NR_kill, self, SIGUSR1);
	if (handled != count)
		die("signals lost");
}

/* Continues behind the store, whose encoding is three bytes long. */
static void on_fault(int sig, siginfo_t *info, struct ucontext *uc)
{
#ifdef __i386__
	uc->uc_mcontext.eip += 3;
#else
	uc->uc_mcontext.rip += 3;
#endif
	handled++;
}

static void *readonly;

static bool catch_segv(void)
{
	readonly = map_pages(1);
	*(volatile char *)readonly = 1;
	check(my_syscall3(__NR_mprotect, readonly, PAGE_SIZE, PROT_READ), "mprotect");
	return catch(SIGSEGV, on_fault);
}

static void op_protection_fault(unsigned int count)
{
	handled = 0;
	for (unsigned int i = 0; i < count; i++)
		asm volatile("movb $1, (%0)" : : "a" (readonly) : "memory");
	if (handled != count)
		die("faults lost");
}

const struct op cpu_ops[] = {
	{ "calibrate", NULL, op_calibrate, 500, 1 },
	{ "user_cpu", NULL, op_user_cpu, 5, 1 },
	{ "null_syscall", NULL, op_null_syscall, 1500, 1 },
	{ "read_zero", open_zero, op_read_zero, 1000, 1 },
	{ "signal", catch_usr1, op_signal, 400, 1 },
	{ "protection_fault", catch_segv, op_protection_fault, 400, 1 },
	{ }
};

static void op_anon_fault(unsigned int count)
{
	volatile char *p = map_pages(count);

	begin();
	for (unsigned int i = 0; i < count; i++)
		p[i * PAGE_SIZE] = 1;
	end();
	munmap((void *)p, count * PAGE_SIZE);
}

static int file_fd;

static bool make_file(void)
{
	static char page[PAGE_SIZE];

	file_fd = open(TEST_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600);
	check(file_fd, TEST_FILE);
	for (unsigned int i = 0; i < FILE_PAGES; i++)
		if (write(file_fd, page, PAGE_SIZE) != (ssize_t)PAGE_SIZE)
			die(TEST_FILE);
	return true;
}

static void op_file_fault(unsigned int count)
{
	unsigned int per_map = FILE_PAGES / FAULT_STRIDE;

	while (count) {
		unsigned int n = count < per_map ? count : per_map;
		volatile char *p = mmap(NULL, FILE_PAGES * PAGE_SIZE, PROT_READ,
					MAP_SHARED, file_fd, 0);

		if (p == MAP_FAILED)
			die("mmap of a file");
		begin();
		for (unsigned int i = 0; i < n; i++)
			(void)p[i * FAULT_STRIDE * PAGE_SIZE];
		end();
		munmap((void *)p, FILE_PAGES * PAGE_SIZE);
		count -= n;
	}
}

static void op_mmap_touch(unsigned int count)
{
	while (count--) {
		volatile char *p = mmap(NULL, 16 * PAGE_SIZE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		p[0] = 1;
		p[8 * PAGE_SIZE] = 1;
		munmap((void *)p, 16 * PAGE_SIZE);
	}
}

const struct op memory_ops[] = {
	{ "anon_fault", NULL, op_anon_fault, 512, 1 },
	{ "file_fault", make_file, op_file_fault, 128, 1 },
	{ "mmap_touch_munmap", NULL, op_mmap_touch, 100, 1 },
	{ }
};
