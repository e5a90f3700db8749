// SPDX-License-Identifier: GPL-2.0-only
/* What a handler is told about faults: signal, code, address, state. */
#include "ktap.h"
#include <asm/processor-flags.h>

static volatile int got_signal, got_code, got_trap;
static volatile unsigned long got_addr, got_error, got_eip;
static volatile unsigned long resume_eip;

/* Notes everything and goes on at resume_eip. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct ucontext *uc = context;

	got_signal = sig;
	got_code = info->si_code;
	got_addr = (unsigned long)info->si_addr;
	got_trap = uc->uc_mcontext.trapno;
	got_error = uc->uc_mcontext.err;
	got_eip = uc->uc_mcontext.eip;
	if (resume_eip)
		uc->uc_mcontext.eip = resume_eip;
}

static void expect_fault(int sig)
{
	got_signal = 0;
	got_addr = -1;
	sys_sigaction(sig, on_fault, 0);
}

/* Executes an instruction that faults; the handler skips it. */
#define FAULTING(insn, ...)						\
	asm volatile("movl $1f, %[resume]\n\t"				\
		     insn "\n"						\
		     "1:"						\
		     : [resume] "=m" (resume_eip) : __VA_ARGS__ : "memory", "eax", "edx")

/* Error code of a page fault. */
#define PF_PRESENT	1
#define PF_WRITE	2
#define PF_USER		4
#define PF_FETCH	16

static int read_unmapped(void)
{
	char *p = sys_pages(1, PROT_READ);

	munmap(p, PAGE_SIZE);
	expect_fault(SIGSEGV);
	FAULTING("movb 0x123(%[v]), %%al", [v] "r" (p));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_code, SEGV_MAPERR);
	CHECK_EQ(got_addr, (unsigned long)p + 0x123);
	CHECK_EQ(got_trap, 14);
	CHECK_EQ(got_error, PF_USER);
	return KSFT_PASS;
}

static int write_unmapped(void)
{
	char *p = sys_pages(1, PROT_READ);

	munmap(p, PAGE_SIZE);
	expect_fault(SIGSEGV);
	FAULTING("movb %%al, 0xfff(%[v])", [v] "r" (p));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_code, SEGV_MAPERR);
	CHECK_EQ(got_addr, (unsigned long)p + 0xfff);
	CHECK_EQ(got_error, PF_USER | PF_WRITE);
	return KSFT_PASS;
}

static int write_readonly(void)
{
	volatile char *p = sys_pages(1, PROT_READ);

	(void)*p;
	expect_fault(SIGSEGV);
	FAULTING("movb %%al, (%[v])", [v] "r" (p));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_code, SEGV_ACCERR);
	CHECK_EQ(got_addr, (unsigned long)p);
	CHECK_EQ(got_error, PF_USER | PF_WRITE | PF_PRESENT);
	CHECK_EQ(*p, 0);
	return KSFT_PASS;
}

static int read_kernel(void)
{
	expect_fault(SIGSEGV);
	FAULTING("movb (%[v]), %%al", [v] "r" (0xc0100000));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_addr, 0xc0100000UL);
	return KSFT_PASS;
}

static int exec_unmapped(void)
{
	char *p = sys_pages(1, PROT_READ);

	munmap(p, PAGE_SIZE);
	expect_fault(SIGSEGV);
	FAULTING("jmp *%[v]", [v] "r" (p));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_code, SEGV_MAPERR);
	CHECK_EQ(got_addr, (unsigned long)p);
	CHECK_EQ(got_eip, (unsigned long)p);
	return KSFT_PASS;
}

static int have_nx(void)
{
	static char text[8192];

	sys_read_file("/proc/cpuinfo", text, sizeof(text));
	return !!text_find(text, " nx ");
}

static int exec_nx(void)
{
	unsigned char *p = sys_pages(1, PROT_READ | PROT_WRITE);

	if (!have_nx())
		SKIP("the CPU has no NX");
	p[0] = 0x0f; /* ud2: SIGILL kills the test, were it executed */
	p[1] = 0x0b;
	expect_fault(SIGSEGV);
	FAULTING("jmp *%[v]", [v] "r" (p));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_code, SEGV_ACCERR);
	CHECK_EQ(got_addr, (unsigned long)p);
	CHECK_EQ(got_eip, (unsigned long)p);
	CHECK_EQ(got_error, PF_USER | PF_PRESENT | PF_FETCH);
	return KSFT_PASS;
}

static int exec_after_mprotect(void)
{
	unsigned char *p = sys_pages(1, PROT_READ | PROT_WRITE);
	static const unsigned char code[] = { 0xb8, 0x39, 0x05, 0, 0, 0xc3 };
	int ret;

	memcpy(p, code, sizeof(code));
	CHECK_EQ(mprotect(p, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
	asm volatile("call *%1" : "=a" (ret) : "r" (p) : "ecx", "edx", "memory");
	CHECK_EQ(ret, 1337);
	return KSFT_PASS;
}

static int divide_by_zero(void)
{
	expect_fault(SIGFPE);
	FAULTING("movl $1, %%eax; xorl %%edx, %%edx; divl %[v]", [v] "r" (0));
	CHECK_EQ(got_signal, SIGFPE);
	CHECK_EQ(got_code, FPE_INTDIV);
	CHECK_EQ(got_trap, 0);
	CHECK_EQ(got_addr, got_eip);
	return KSFT_PASS;
}

static int invalid_opcode(void)
{
	expect_fault(SIGILL);
	FAULTING("ud2", [v] "r" (0));
	CHECK_EQ(got_signal, SIGILL);
	CHECK_EQ(got_code, ILL_ILLOPN);
	CHECK_EQ(got_trap, 6);
	CHECK_EQ(got_addr, got_eip);
	return KSFT_PASS;
}

static int breakpoint(void)
{
	unsigned long after;

	expect_fault(SIGTRAP);
	resume_eip = 0;
	asm volatile("int3\n1:\tmovl $1b, %0" : "=r" (after) :: "memory");
	CHECK_EQ(got_signal, SIGTRAP);
	CHECK_EQ(got_trap, 3);
	CHECK_EQ(got_eip, after);
	return KSFT_PASS;
}

static int single_step_flag(void)
{
	unsigned long after;

	expect_fault(SIGTRAP);
	resume_eip = 0;
	/* TF set by POPF traps after the instruction that follows. */
	asm volatile("pushf; orl $0x100, (%%esp); popf\n\t"
		     "nop\n"
		     "1:\tpushf; andl $~0x100, (%%esp); popf\n\t"
		     "movl $1b, %0"
		     : "=r" (after) :: "memory", "cc");
	CHECK_EQ(got_signal, SIGTRAP);
	CHECK_EQ(got_trap, 1);
	/* The last trap came before TF was clear again. */
	CHECK_REL(got_eip, >=, after);
	return KSFT_PASS;
}

static int privileged(void)
{
	static const char * const what[] = { "hlt", "cli", "mov cr3", "rdmsr", "lgdt" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(what); i++) {
		expect_fault(SIGSEGV);
		if (i == 0)
			FAULTING("hlt", [v] "r" (0));
		else if (i == 1)
			FAULTING("cli", [v] "r" (0));
		else if (i == 2)
			FAULTING("movl %%cr3, %%eax", [v] "r" (0));
		else if (i == 3)
			FAULTING("rdmsr", "c" (0x10));
		else
			FAULTING("lgdt (%[v])", [v] "r" (&resume_eip));
		if (got_signal != SIGSEGV || got_trap != 13 || got_addr != 0) {
			ktap_print("# %s: signal %d trap %d", what[i],
				   got_signal, got_trap);
			return KSFT_FAIL;
		}
	}
	return KSFT_PASS;
}

static int bad_selector(void)
{
	expect_fault(SIGSEGV);
	/* Kernel data segment: its privilege forbids it. */
	FAULTING("movl $0x68, %%eax; movw %%ax, %%es", [v] "r" (0));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_trap, 13);
	CHECK_EQ(got_error & 0xfffc, 0x68);
	return KSFT_PASS;
}

static int bad_interrupt_gate(void)
{
	expect_fault(SIGSEGV);
	FAULTING("int $0x20", [v] "r" (0));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_trap, 13);
	/* QEMU's emulation of long mode, under a monitor, counts 16 a gate. */
	CHECK(got_error == 0x20 * 8 + 2 || got_error == 0x20 * 16 + 2);
	return KSFT_PASS;
}

/*
 * Ways into a monitor, or none, that are closed to programs: the error is that
 * of a processor without them.
 */
static int no_way_up(void)
{
	expect_fault(SIGSEGV);
	FAULTING("int $0x1f", [v] "r" (0));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK(got_error == 0x1f * 8 + 2 || got_error == 0x1f * 16 + 2);
	expect_fault(SIGSEGV);
	FAULTING("lcall $0xfff1, $0", [v] "r" (0));
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_trap, 13);
	CHECK_EQ(got_error, 0xfff0);
	CHECK_EQ(got_addr, 0);
	expect_fault(SIGILL);
	FAULTING("syscall", [v] "r" (0));
	CHECK_EQ(got_signal, SIGILL);
	CHECK_EQ(got_trap, 6);
	CHECK_EQ(got_addr, got_eip);
	return KSFT_PASS;
}

/* INTO raises its trap from user mode. */
static int overflow_trap(void)
{
	expect_fault(SIGSEGV);
	resume_eip = 0;
	asm volatile("movb $127, %%al; addb $1, %%al; into" ::: "eax", "cc", "memory");
	CHECK_EQ(got_signal, SIGSEGV);
	CHECK_EQ(got_trap, 4);
	return KSFT_PASS;
}

/* A fault of the kernel on a user's pointer: an error, not a signal. */
static int kernel_fault(void)
{
	char *p = sys_pages(1, PROT_READ);
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	munmap(p, PAGE_SIZE);
	CHECK_EQ(my_syscall3(__NR_write, fds[1], p, 1), -EFAULT);
	CHECK_EQ(my_syscall3(__NR_write, fds[1], 0xc0100000, 1), -EFAULT);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(my_syscall3(__NR_read, fds[0], p, 1), -EFAULT);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(read_unmapped),
	TEST(write_unmapped),
	TEST(write_readonly),
	TEST(read_kernel),
	TEST(exec_unmapped),
	TEST(exec_nx),
	TEST(exec_after_mprotect),
	TEST(divide_by_zero),
	TEST(invalid_opcode),
	TEST(breakpoint),
	TEST(single_step_flag),
	TEST(privileged),
	TEST(bad_selector),
	TEST(bad_interrupt_gate),
	TEST(no_way_up),
	TEST(overflow_trap),
	TEST(kernel_fault),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
