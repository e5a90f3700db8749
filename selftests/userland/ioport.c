// SPDX-License-Identifier: GPL-2.0-only
/* Port access from user mode: ioperm() and iopl(). */
#include "ktap.h"

/* The first serial port's scratch register: holds a byte, does nothing. */
#define SCRATCH		0x3ff

static volatile int faults, fault_trap;
static volatile unsigned long fault_resume;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct ucontext *uc = context;

	faults++;
	fault_trap = uc->uc_mcontext.trapno;
	uc->uc_mcontext.eip = fault_resume;
}

static void outb(unsigned char value, unsigned short port)
{
	asm volatile("movl $1f, %0; outb %1, %2\n1:"
		     : "=m" (fault_resume) : "a" (value), "d" (port) : "memory");
}

static unsigned char inb(unsigned short port)
{
	unsigned char value = 0;

	asm volatile("movl $1f, %0; inb %2, %1\n1:"
		     : "=m" (fault_resume), "+a" (value) : "d" (port) : "memory");
	return value;
}

static long ioperm(unsigned long from, unsigned long count, int on)
{
	return my_syscall3(__NR_ioperm, from, count, on);
}

static int denied_by_default(void)
{
	sys_sigaction(SIGSEGV, on_fault, 0);
	outb(0, SCRATCH);
	CHECK_EQ(faults, 1);
	CHECK_EQ(fault_trap, 13);
	inb(SCRATCH);
	CHECK_EQ(faults, 2);
	return KSFT_PASS;
}

static int bitmap(void)
{
	sys_sigaction(SIGSEGV, on_fault, 0);
	if (ioperm(SCRATCH, 1, 1) == -ENOSYS)
		SKIP("the kernel has no ioperm");
	outb(0x5a, SCRATCH);
	CHECK_EQ(inb(SCRATCH), 0x5a);
	outb(0xa5, SCRATCH);
	CHECK_EQ(inb(SCRATCH), 0xa5);
	CHECK_EQ(faults, 0);
	/* The neighbour stays closed. */
	inb(SCRATCH - 1);
	CHECK_EQ(faults, 1);
	CHECK_EQ(ioperm(SCRATCH, 1, 0), 0);
	inb(SCRATCH);
	CHECK_EQ(faults, 2);
	return KSFT_PASS;
}

/* The right is the process's own: switches must not leak or lose it. */
static int bitmap_and_switches(void)
{
	int i, there[2], back[2];
	pid_t pid;
	char c;

	sys_sigaction(SIGSEGV, on_fault, 0);
	CHECK_EQ(pipe(there), 0);
	CHECK_EQ(pipe(back), 0);
	CHECK_EQ(sys_pin_to_cpu(0), 0);
	pid = fork();
	if (pid == 0) {
		for (i = 1; i <= 50; i++) {
			read(there[0], &c, 1);
			inb(SCRATCH);
			if (faults != i)
				exit(1);
			write(back[1], &c, 1);
		}
		exit(0);
	}
	if (ioperm(SCRATCH, 1, 1) == -ENOSYS) {
		kill(pid, SIGKILL);
		SKIP("the kernel has no ioperm");
	}
	for (i = 0; i < 50; i++) {
		outb(i, SCRATCH);
		write(there[1], &c, 1);
		read(back[0], &c, 1);
		CHECK_EQ(inb(SCRATCH), i);
	}
	CHECK_EQ(faults, 0);
	CHECK_EQ(sys_wait(pid), 0);
	return KSFT_PASS;
}

static int inherited_by_fork(void)
{
	pid_t pid;

	sys_sigaction(SIGSEGV, on_fault, 0);
	if (ioperm(SCRATCH, 1, 1) == -ENOSYS)
		SKIP("the kernel has no ioperm");
	pid = fork();
	if (pid == 0) {
		outb(0x3c, SCRATCH);
		if (inb(SCRATCH) != 0x3c || faults)
			exit(1);
		ioperm(SCRATCH, 1, 0);
		inb(SCRATCH);
		exit(faults == 1 ? 0 : 2);
	}
	CHECK_EQ(sys_wait(pid), 0);
	CHECK_EQ(inb(SCRATCH), 0x3c);
	CHECK_EQ(faults, 0);
	return KSFT_PASS;
}

static int iopl(void)
{
	sys_sigaction(SIGSEGV, on_fault, 0);
	if (my_syscall1(__NR_iopl, 3) == -ENOSYS)
		SKIP("the kernel has no iopl");
	outb(0x77, SCRATCH);
	CHECK_EQ(inb(SCRATCH), 0x77);
	inb(0x61);
	CHECK_EQ(faults, 0);
	CHECK_EQ(my_syscall1(__NR_iopl, 0), 0);
	inb(SCRATCH);
	CHECK_EQ(faults, 1);
	CHECK_EQ(my_syscall1(__NR_iopl, 4), -EINVAL);
	return KSFT_PASS;
}

static void outs(unsigned short port, const void *from, unsigned long count)
{
	asm volatile("movl $1f, %0; rep outsb\n1:"
		     : "=m" (fault_resume), "+S" (from), "+c" (count) : "d" (port) : "memory");
}

static void ins(unsigned short port, void *to, unsigned long count)
{
	asm volatile("movl $1f, %0; rep insb\n1:"
		     : "=m" (fault_resume), "+D" (to), "+c" (count) : "d" (port) : "memory");
}

/* Strings, to a page that was not there before, too. */
static int strings(void)
{
	char *page = sys_pages(2, PROT_READ | PROT_WRITE);

	sys_sigaction(SIGSEGV, on_fault, 0);
	if (ioperm(SCRATCH, 1, 1) == -ENOSYS)
		SKIP("the kernel has no ioperm");
	outs(SCRATCH, "abcd", 4);
	CHECK_EQ(inb(SCRATCH), 'd');
	ins(SCRATCH, page + PAGE_SIZE - 2, 4);
	CHECK(!memcmp(page + PAGE_SIZE - 3, "\0dddd", 6));
	CHECK_EQ(faults, 0);
	ins(SCRATCH - 1, page, 1);
	CHECK_EQ(faults, 1);
	ins(SCRATCH, NULL, 1);
	CHECK_EQ(faults, 2);
	CHECK_EQ(fault_trap, 14);
	return KSFT_PASS;
}

static volatile unsigned long stepped_to, traps;

static void on_step(int sig, siginfo_t *info, void *context)
{
	struct ucontext *uc = context;

	if (!traps++)
		stepped_to = uc->uc_mcontext.eip;
	uc->uc_mcontext.eflags &= ~0x100;
}

/* A single step's trap comes behind the access, not one instruction later. */
static int single_step(void)
{
	unsigned long behind;

	sys_sigaction(SIGTRAP, on_step, 0);
	if (ioperm(SCRATCH, 1, 1) == -ENOSYS)
		SKIP("the kernel has no ioperm");
	asm volatile("movl $1f, %0; pushf; orl $0x100, (%%esp); popf\n\t"
		     "inb %w1, %%al\n1:\tnop; nop"
		     : "=m" (behind) : "d" (SCRATCH) : "eax", "cc");
	CHECK_EQ(traps, 1);
	CHECK_EQ(stepped_to, behind);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(denied_by_default),
	TEST(bitmap),
	TEST(bitmap_and_switches),
	TEST(inherited_by_fork),
	TEST(iopl),
	TEST(strings),
	TEST(single_step),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
