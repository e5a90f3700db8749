// SPDX-License-Identifier: GPL-2.0-only
/* Segments from a local descriptor table, 32 and 16 bits wide. */
#include "ktap.h"
#include <asm/ldt.h>

#define LDT_SELECTOR(n)	((n) * 8 + 7)

static int modify_ldt(const struct user_desc *desc)
{
	/* 0x11: write, the new way */
	return my_syscall3(__NR_modify_ldt, 0x11, desc, sizeof(*desc));
}

static struct user_desc segment(unsigned int entry, void *base, unsigned int limit)
{
	return (struct user_desc){
		.entry_number = entry,
		.base_addr = (unsigned long)base,
		.limit = limit,
		.seg_32bit = 1,
		.useable = 1,
	};
}

static int ldt_works(void)
{
	struct user_desc desc = segment(0, NULL, 0xfff);

	return modify_ldt(&desc) != -ENOSYS;
}

#define NEED_LDT() do {							\
	if (!ldt_works())						\
		SKIP("the kernel has no modify_ldt");			\
} while (0)

static volatile int faults, fault_trap;
static volatile unsigned long fault_resume;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct ucontext *uc = context;

	faults++;
	fault_trap = uc->uc_mcontext.trapno;
	uc->uc_mcontext.eip = fault_resume;
}

static unsigned int read_fs(unsigned int offset)
{
	unsigned int value = 0;

	asm volatile("movl $1f, %[resume]\n\t"
		     "movl %%fs:(%[offset]), %[value]\n"
		     "1:"
		     : [value] "+r" (value), [resume] "=m" (fault_resume)
		     : [offset] "r" (offset) : "memory");
	return value;
}

static int data_segment(void)
{
	static unsigned int data[4] = { 10, 20, 30, 40 };
	struct user_desc desc = segment(3, data, 11);

	NEED_LDT();
	sys_sigaction(SIGSEGV, on_fault, 0);
	CHECK_EQ(modify_ldt(&desc), 0);
	asm volatile("movw %w0, %%fs" :: "r" (LDT_SELECTOR(3)));
	CHECK_EQ(read_fs(0), 10);
	CHECK_EQ(read_fs(8), 30);
	CHECK_EQ(faults, 0);

	/* A system call and a context switch must not lose it. */
	sched_yield();
	sys_sleep_ms(5);
	CHECK_EQ(read_fs(4), 20);

	/* Changed in place, reloaded. */
	desc.base_addr += 4;
	CHECK_EQ(modify_ldt(&desc), 0);
	asm volatile("movw %w0, %%fs" :: "r" (LDT_SELECTOR(3)));
	CHECK_EQ(read_fs(0), 20);
	asm volatile("movw %w0, %%fs" :: "r" (0));
	return KSFT_PASS;
}

static int segment_limit(void)
{
	static unsigned int data[4];
	struct user_desc desc = segment(3, data, 11);

	NEED_LDT();
	sys_sigaction(SIGSEGV, on_fault, 0);
	CHECK_EQ(modify_ldt(&desc), 0);
	asm volatile("movw %w0, %%fs" :: "r" (LDT_SELECTOR(3)));
	read_fs(8);
	CHECK_EQ(faults, 0);
	/* One byte over the limit. */
	read_fs(9);
	if (!faults)
		SKIP("the CPU is emulated and ignores segment limits");
	CHECK_EQ(faults, 1);
	CHECK_EQ(fault_trap, 13);
	return KSFT_PASS;
}

static int inherited_by_fork(void)
{
	static unsigned int data = 4711;
	struct user_desc desc = segment(1, &data, 0xfff);
	pid_t pid;

	NEED_LDT();
	CHECK_EQ(modify_ldt(&desc), 0);
	asm volatile("movw %w0, %%fs" :: "r" (LDT_SELECTOR(1)));
	pid = fork();
	if (pid == 0) {
		data = 815;
		desc.base_addr = 0;
		/* The child's table changes, the parent's does not. */
		if (read_fs(0) != 815 || modify_ldt(&desc))
			exit(1);
		sched_yield();
		exit(0);
	}
	CHECK_EQ(sys_wait(pid), 0);
	asm volatile("movw %w0, %%fs" :: "r" (LDT_SELECTOR(1)));
	CHECK_EQ(read_fs(0), 4711);
	asm volatile("movw %w0, %%fs" :: "r" (0));
	return KSFT_PASS;
}

static int read_back(void)
{
	struct user_desc desc = segment(2, (void *)0x12345678, 0xabcde);
	unsigned int table[2 * 8];

	NEED_LDT();
	desc.limit_in_pages = 1;
	CHECK_EQ(modify_ldt(&desc), 0);
	CHECK_EQ(my_syscall3(__NR_modify_ldt, 0, table, sizeof(table)), sizeof(table));
	CHECK_EQ(table[4], 0x5678bcdeU);
	/* Present, DPL 3, writable data; useable, 32 bits, pages. */
	CHECK_EQ(table[5] & ~0x100U, 0x12daf234U & ~0x100U);
	return KSFT_PASS;
}

/* 32-bit code that is reached and left by far transfers. */
static int code_segment(void)
{
	static const unsigned char code[] = {
		0xb8, 0x78, 0x56, 0x34, 0x12,	/* mov $0x12345678, %eax */
		0xcb,				/* lret */
	};
	struct user_desc desc;
	unsigned char *p = sys_pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
	struct { unsigned int offset; unsigned short selector; } target;
	unsigned int ret;

	NEED_LDT();
	memcpy(p, code, sizeof(code));
	desc = segment(4, p, 0xfff);
	desc.contents = 2;	/* code */
	CHECK_EQ(modify_ldt(&desc), 0);
	target.offset = 0;
	target.selector = LDT_SELECTOR(4);
	asm volatile("lcall *%1" : "=a" (ret) : "m" (target) : "memory", "cc");
	CHECK_EQ(ret, 0x12345678);
	return KSFT_PASS;
}

/* 16-bit code that makes a system call: the return goes to 16-bit code. */
static int code_segment_16bit(void)
{
	static const unsigned char code[] = {
		0xcd, 0x80,			/* int $0x80 */
		0x66, 0xcb,			/* lretl */
	};
	struct user_desc desc;
	unsigned char *p = sys_pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
	struct { unsigned int offset; unsigned short selector; } target;
	unsigned int i, ret;

	NEED_LDT();
	memcpy(p, code, sizeof(code));
	desc = segment(5, p, 0xfff);
	desc.contents = 2;
	desc.seg_32bit = 0;
	if (modify_ldt(&desc) == -EINVAL)
		SKIP("the kernel has no 16-bit segments");
	target.offset = 0;
	target.selector = LDT_SELECTOR(5);
	for (i = 0; i < 100; i++) {
		asm volatile("lcall *%1"
			     : "=a" (ret) : "m" (target), "0" (__NR_getpid)
			     : "memory", "cc");
		CHECK_EQ(ret, getpid());
	}
	return KSFT_PASS;
}

/*
 * On a 16-bit stack IRET loads SP only, and the upper half of ESP would keep
 * the kernel's; Linux returns through a stack of its own to prevent it.
 * Everything between the two loads of SS uses no stack but for the system
 * call, whose frame is the kernel's.
 */
static unsigned int esp_after(unsigned int esp, unsigned int loops)
{
	unsigned int after;

	asm volatile("movl %%esp, %%esi\n\t"
		     "movl %%ss, %%edi\n\t"
		     "movw %w[sel], %%ss\n\t"
		     "movl %[esp], %%esp\n"
		     "1:\tmovl %[nr], %%eax\n\t"
		     "int $0x80\n\t"
		     "cmpl %[esp], %%esp\n\t"
		     "jne 2f\n\t"
		     "decl %%ecx\n\t"
		     "jnz 1b\n"
		     "2:\tmovl %%esp, %%edx\n\t"
		     "movw %%di, %%ss\n\t"
		     "movl %%esi, %%esp\n\t"
		     : "=d" (after), "+c" (loops)
		     : [sel] "r" (LDT_SELECTOR(6)), [esp] "b" (esp),
		       [nr] "i" (__NR_getppid)
		     : "eax", "esi", "edi", "memory", "cc");
	return after;
}

static int stack_segment_16bit(void)
{
	static const unsigned int esps[] = { 0x800, 0x12340800, 0xdead0ff0, 0xffff0100 };
	struct user_desc desc;
	char *p = sys_pages(16, PROT_READ | PROT_WRITE);
	unsigned int i;

	NEED_LDT();
	desc = segment(6, p, 0xffff);
	desc.seg_32bit = 0;
	if (modify_ldt(&desc) == -EINVAL)
		SKIP("the kernel has no 16-bit segments");
	for (i = 0; i < ARRAY_SIZE(esps); i++) {
		unsigned int after = esp_after(esps[i], 200);

		if (after != esps[i]) {
			ktap_print("# ESP was 0x%x, is 0x%x", esps[i], after);
			return KSFT_FAIL;
		}
	}
	return KSFT_PASS;
}

static volatile int ticks;

static void on_tick(int sig)
{
	ticks++;
}

/* The same for returns from interrupts: spins until the timer has hit it. */
static int stack_16bit_interrupted(void)
{
	struct user_desc desc;
	char *p = sys_pages(16, PROT_READ | PROT_WRITE);
	unsigned int i, after;

	NEED_LDT();
	desc = segment(6, p, 0xffff);
	desc.seg_32bit = 0;
	if (modify_ldt(&desc) == -EINVAL)
		SKIP("the kernel has no 16-bit segments");
	for (i = 0; i < 5; i++) {
		asm volatile("movl %%esp, %%esi\n\t"
			     "movl %%ss, %%edi\n\t"
			     "movw %w[sel], %%ss\n\t"
			     "movl %[esp], %%esp\n"
			     "movl $10000000, %%ecx\n"
			     "1:\tcmpl %[esp], %%esp\n\t"
			     "jne 2f\n\t"
			     "decl %%ecx\n\t"
			     "jnz 1b\n"
			     "2:\tmovl %%esp, %%edx\n\t"
			     "movw %%di, %%ss\n\t"
			     "movl %%esi, %%esp\n\t"
			     : "=d" (after)
			     : [sel] "r" (LDT_SELECTOR(6)), [esp] "b" (0x43210100)
			     : "ecx", "esi", "edi", "memory", "cc");
		CHECK_EQ(after, 0x43210100);
	}
	return KSFT_PASS;
}

/* A signal that arrives on the 16-bit stack, and the return from it. */
static int stack_16bit_signal(void)
{
	struct __kernel_old_itimerval it = {
		.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000,
	};
	char *alt = sys_pages(8, PROT_READ | PROT_WRITE);
	stack_t ss = { .ss_sp = alt, .ss_size = 8 * PAGE_SIZE };
	struct ksigaction sa = { .handler = (void *)on_tick, .flags = SA_ONSTACK };
	struct user_desc desc;
	char *p = sys_pages(16, PROT_READ | PROT_WRITE);
	int bad = 0;

	NEED_LDT();
	desc = segment(6, p, 0xffff);
	desc.seg_32bit = 0;
	if (modify_ldt(&desc) == -EINVAL)
		SKIP("the kernel has no 16-bit segments");
	CHECK_EQ(my_syscall2(__NR_sigaltstack, &ss, NULL), 0);
	CHECK_EQ(my_syscall4(__NR_rt_sigaction, SIGPROF, &sa, NULL, 8), 0);
	CHECK_EQ(my_syscall3(__NR_setitimer, 2 /* ITIMER_PROF */, &it, NULL), 0);
	while (ticks < 5 && !bad)
		bad = esp_after(0x77770800, 200) != 0x77770800;
	it.it_value.tv_usec = 0;
	CHECK_EQ(my_syscall3(__NR_setitimer, 2 /* ITIMER_PROF */, &it, NULL), 0);
	CHECK_EQ(bad, 0);
	return KSFT_PASS;
}

static int not_present_segment(void)
{
	struct user_desc desc = segment(7, NULL, 0xfff);

	NEED_LDT();
	desc.seg_not_present = 1;
	CHECK_EQ(modify_ldt(&desc), 0);
	sys_sigaction(SIGSEGV, on_fault, 0);
	sys_sigaction(SIGBUS, on_fault, 0);
	asm volatile("movl $1f, %0\n\t"
		     "movw %w1, %%es\n"
		     "1:" : "=m" (fault_resume) : "r" (LDT_SELECTOR(7)) : "memory");
	CHECK_EQ(faults, 1);
	CHECK_EQ(fault_trap, 11);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(data_segment),
	TEST(segment_limit),
	TEST(inherited_by_fork),
	TEST(read_back),
	TEST(code_segment),
	TEST(code_segment_16bit),
	TEST(stack_segment_16bit),
	TEST(stack_16bit_interrupted),
	TEST(stack_16bit_signal),
	TEST(not_present_segment),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
