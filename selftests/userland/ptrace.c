// SPDX-License-Identifier: GPL-2.0-only
/* One process steps through another and sets breakpoints in its CPU. */
#include "ktap.h"
#include <linux/ptrace.h>
#include <asm/ptrace-abi.h>

/* Offset of the debug registers in what PTRACE_POKEUSER can reach. */
#define DEBUGREG(n)	(252 + 4 * (n))
#define REG(n)		((n) * 4)

#define DR7_LOCAL(n)	(1U << ((n) * 2))
#define DR7_EXEC(n)	(0U << (16 + (n) * 4))
#define DR7_WRITE4(n)	(13U << (16 + (n) * 4))

#define STOPPED(sig)	((sig) << 8 | 0x7f)

static volatile unsigned int watched;
/* What the traced process found when it executed steps(). */
static volatile unsigned int step_result;

extern const char step_start[], step_mid[], step_end[];

/* Seven instructions from step_start to step_end. */
static __attribute__((noinline)) void steps(void)
{
	asm volatile(".globl step_start, step_mid, step_end\n"
		     "step_start:\n\t"
		     "movl $1, %%eax\n\t"
		     "addl $2, %%eax\n\t"
		     "movl %%eax, %%ecx\n"
		     "step_mid:\n\t"
		     "leal (%%ecx), %%edx\n\t"
		     "movl %%eax, %1\n\t"
		     "nop\n\t"
		     "addl $4, %%eax\n"
		     "step_end:\n\t"
		     "movl %%eax, %0"
		     : "=m" (step_result), "=m" (watched) :: "eax", "ecx", "edx", "cc", "memory");
}

static long peek_user(pid_t pid, unsigned long offset)
{
	long value = 0;

	sys_ptrace(PTRACE_PEEKUSR, pid, offset, (unsigned long)&value);
	return value;
}

/* A stopped child that goes on to steps() and exits with its result. */
static pid_t start_traced(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		sys_ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		steps();
		exit(step_result);
	}
	if (pid > 0 && sys_wait(pid) != STOPPED(SIGSTOP))
		return -1;
	return pid;
}

/* Runs @pid to its next stop and returns the wait status. */
static int resume(pid_t pid, int request)
{
	if (sys_ptrace(request, pid, 0, 0))
		return -1;
	return sys_wait(pid);
}

static int set_execution_breakpoint(pid_t pid, int nr, const char *where)
{
	if (sys_ptrace(PTRACE_POKEUSR, pid, DEBUGREG(nr), (unsigned long)where))
		return -1;
	return sys_ptrace(PTRACE_POKEUSR, pid, DEBUGREG(7),
			  DR7_LOCAL(nr) | DR7_EXEC(nr));
}

static int single_step(void)
{
	pid_t pid = start_traced();
	unsigned long eip, last = 0;
	unsigned int count = 0, i;

	CHECK_REL(pid, >, 0);
	for (i = 0; i < 10000; i++) {
		CHECK_EQ(resume(pid, PTRACE_SINGLESTEP), STOPPED(SIGTRAP));
		eip = peek_user(pid, REG(EIP));
		if (eip > (unsigned long)step_start && eip <= (unsigned long)step_end) {
			CHECK(eip > last);
			last = eip;
			count++;
		}
		if (eip == (unsigned long)step_end)
			break;
	}
	CHECK_EQ(count, 7);
	CHECK_EQ(peek_user(pid, REG(EAX)), 7);
	CHECK_EQ(resume(pid, PTRACE_CONT), 7 << 8);
	return KSFT_PASS;
}

/* Steps over a system call: one stop after it, not inside. */
static int step_over_syscall(void)
{
	pid_t pid = fork();
	unsigned int i, calls = 0;

	if (pid == 0) {
		sys_ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		for (i = 0; i < 5; i++)
			my_syscall0(__NR_getppid);
		exit(3);
	}
	CHECK_EQ(sys_wait(pid), STOPPED(SIGSTOP));
	for (i = 0; i < 10000; i++) {
		unsigned long text, eip;
		int status, at_call;

		eip = peek_user(pid, REG(EIP));
		sys_ptrace(PTRACE_PEEKTEXT, pid, eip, (unsigned long)&text);
		at_call = (text & 0xffff) == 0x80cd;
		if (at_call && peek_user(pid, REG(EAX)) == __NR_getppid) {
			CHECK_EQ(resume(pid, PTRACE_SINGLESTEP), STOPPED(SIGTRAP));
			CHECK_EQ(peek_user(pid, REG(EIP)), eip + 2);
			CHECK_EQ(peek_user(pid, REG(EAX)), getpid());
			calls++;
			continue;
		}
		status = resume(pid, PTRACE_SINGLESTEP);
		if (status == 3 << 8)
			break;
		CHECK_EQ(status, STOPPED(SIGTRAP));
	}
	CHECK_EQ(calls, 5);
	return KSFT_PASS;
}

static int execution_breakpoint(void)
{
	pid_t pid = start_traced();

	CHECK_REL(pid, >, 0);
	CHECK_EQ(set_execution_breakpoint(pid, 0, step_mid), 0);
	CHECK_EQ(resume(pid, PTRACE_CONT), STOPPED(SIGTRAP));
	CHECK_EQ(peek_user(pid, REG(EIP)), (unsigned long)step_mid);
	CHECK_EQ(peek_user(pid, REG(EAX)), 3);
	CHECK_EQ(peek_user(pid, DEBUGREG(6)) & 0xf, 1);
	CHECK_EQ(peek_user(pid, DEBUGREG(0)), (unsigned long)step_mid);
	CHECK_EQ(resume(pid, PTRACE_CONT), 7 << 8);
	return KSFT_PASS;
}

static int write_watchpoint(void)
{
	pid_t pid = start_traced();
	unsigned long eip;

	CHECK_REL(pid, >, 0);
	CHECK_EQ(sys_ptrace(PTRACE_POKEUSR, pid, DEBUGREG(2), (unsigned long)&watched), 0);
	CHECK_EQ(sys_ptrace(PTRACE_POKEUSR, pid, DEBUGREG(7),
			    DR7_LOCAL(2) | DR7_WRITE4(2)), 0);
	CHECK_EQ(resume(pid, PTRACE_CONT), STOPPED(SIGTRAP));
	eip = peek_user(pid, REG(EIP));
	CHECK(eip > (unsigned long)step_mid && eip < (unsigned long)step_end);
	CHECK_EQ(peek_user(pid, DEBUGREG(6)) & 0xf, 4);
	CHECK_EQ(sys_ptrace(PTRACE_PEEKDATA, pid, (unsigned long)&watched,
			    (unsigned long)&eip), 0);
	CHECK_EQ(eip, 3);
	CHECK_EQ(sys_ptrace(PTRACE_POKEUSR, pid, DEBUGREG(7), 0), 0);
	CHECK_EQ(resume(pid, PTRACE_CONT), 7 << 8);
	return KSFT_PASS;
}

/* Breakpoints of one process are not another's, on the same CPU. */
static int breakpoints_are_private(void)
{
	pid_t traced, other;

	CHECK_EQ(sys_pin_to_cpu(0), 0);
	traced = start_traced();
	CHECK_REL(traced, >, 0);
	CHECK_EQ(set_execution_breakpoint(traced, 1, step_mid), 0);
	other = fork();
	if (other == 0) {
		steps();
		exit(step_result);
	}
	CHECK_EQ(sys_wait(other), 7 << 8);
	steps();
	CHECK_EQ(step_result, 7);
	CHECK_EQ(resume(traced, PTRACE_CONT), STOPPED(SIGTRAP));
	CHECK_EQ(peek_user(traced, DEBUGREG(6)) & 0xf, 2);
	CHECK_EQ(resume(traced, PTRACE_CONT), 7 << 8);
	return KSFT_PASS;
}

/* A breakpoint in the kernel's half is refused. */
static int kernel_breakpoint(void)
{
	pid_t pid = start_traced();

	CHECK_REL(pid, >, 0);
	CHECK(set_execution_breakpoint(pid, 0, (char *)0xc1000000) != 0);
	sys_ptrace(PTRACE_POKEUSR, pid, DEBUGREG(0), 0);
	CHECK_EQ(resume(pid, PTRACE_CONT), 7 << 8);
	return KSFT_PASS;
}

/* Memory and registers of the traced process, changed from outside. */
static int change_registers(void)
{
	pid_t pid = start_traced();

	CHECK_REL(pid, >, 0);
	CHECK_EQ(set_execution_breakpoint(pid, 0, step_mid), 0);
	CHECK_EQ(resume(pid, PTRACE_CONT), STOPPED(SIGTRAP));
	CHECK_EQ(sys_ptrace(PTRACE_POKEUSR, pid, REG(EAX), 100), 0);
	CHECK_EQ(resume(pid, PTRACE_CONT), 104 << 8);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(single_step),
	TEST(step_over_syscall),
	TEST(execution_breakpoint),
	TEST(write_watchpoint),
	TEST(breakpoints_are_private),
	TEST(kernel_breakpoint),
	TEST(change_registers),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
