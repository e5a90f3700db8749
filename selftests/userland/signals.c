// SPDX-License-Identifier: GPL-2.0-only
/* Delivery of signals and return from their handlers. */
#include "ktap.h"

#define SA_BITS(sig)	(1UL << ((sig) - 1))

static volatile int depth, max_depth, count;
static volatile unsigned long handler_esp;

static void nest(int sig, siginfo_t *info, void *context)
{
	depth++;
	count++;
	if (depth > max_depth)
		max_depth = depth;
	if (sig == SIGUSR1)
		kill(getpid(), SIGUSR2);
	else if (sig == SIGUSR2)
		kill(getpid(), SIGHUP);
	depth--;
}

/* Each handler raises the next signal, which arrives before it returns. */
static int nested(void)
{
	int i;

	sys_sigaction(SIGUSR1, nest, 0);
	sys_sigaction(SIGUSR2, nest, 0);
	sys_sigaction(SIGHUP, nest, 0);
	for (i = 1; i <= 100; i++) {
		CHECK_EQ(kill(getpid(), SIGUSR1), 0);
		CHECK_EQ(count, 3 * i);
		CHECK_EQ(max_depth, 3);
		CHECK_EQ(depth, 0);
	}
	return KSFT_PASS;
}

static void recurse(int sig, siginfo_t *info, void *context)
{
	depth++;
	if (depth < 20)
		kill(getpid(), sig);
	count++;
}

static int nodefer(void)
{
	sys_sigaction(SIGUSR1, recurse, SA_NODEFER);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(depth, 20);
	CHECK_EQ(count, 20);
	return KSFT_PASS;
}

static void note_stack(int sig, siginfo_t *info, void *context)
{
	handler_esp = (unsigned long)__builtin_frame_address(0);
	count++;
}

static int alternate_stack(void)
{
	char *stack = sys_pages(8, PROT_READ | PROT_WRITE);
	stack_t ss = { .ss_sp = stack, .ss_size = 8 * PAGE_SIZE };
	stack_t now = { 0 };

	CHECK_EQ(my_syscall2(__NR_sigaltstack, &ss, NULL), 0);
	sys_sigaction(SIGUSR1, note_stack, SA_ONSTACK);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(count, 1);
	CHECK(handler_esp > (unsigned long)stack);
	CHECK(handler_esp < (unsigned long)stack + 8 * PAGE_SIZE);
	CHECK_EQ(my_syscall2(__NR_sigaltstack, NULL, &now), 0);
	CHECK(now.ss_sp == stack && now.ss_flags == 0);

	sys_sigaction(SIGUSR1, note_stack, 0);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(count, 2);
	CHECK(handler_esp < (unsigned long)stack ||
	      handler_esp > (unsigned long)stack + 8 * PAGE_SIZE);
	return KSFT_PASS;
}

static volatile unsigned long overflow_resume;

static void on_overflow(int sig, siginfo_t *info, void *context)
{
	struct ucontext *uc = context;

	count++;
	uc->uc_mcontext.eip = overflow_resume;
	uc->uc_mcontext.esp = uc->uc_mcontext.ebp;
}

/* A stack pointer that points nowhere: only the alternate stack can help. */
static int broken_stack(void)
{
	char *stack = sys_pages(8, PROT_READ | PROT_WRITE);
	stack_t ss = { .ss_sp = stack, .ss_size = 8 * PAGE_SIZE };

	CHECK_EQ(my_syscall2(__NR_sigaltstack, &ss, NULL), 0);
	sys_sigaction(SIGSEGV, on_overflow, SA_ONSTACK);
	asm volatile("pushl %%ebp\n\t"
		     "movl %%esp, %%ebp\n\t"
		     "movl $1f, %0\n\t"
		     "movl $0x1000, %%esp\n\t"
		     "pushl %%eax\n"
		     "1:\tpopl %%ebp"
		     : "=m" (overflow_resume) :: "memory");
	CHECK_EQ(count, 1);
	return KSFT_PASS;
}

static void trash_registers(int sig, siginfo_t *info, void *context)
{
	count++;
	asm volatile("movl $-1, %%eax; movl $-1, %%ebx; movl $-1, %%ecx\n\t"
		     "movl $-1, %%edx; movl $-1, %%esi; movl $-1, %%edi\n\t"
		     "std; stc; cld"
		     ::: "eax", "ebx", "ecx", "edx", "esi", "edi", "cc");
}

/* A fault's handler changes every register; the return brings them back. */
static int registers_survive(void)
{
	unsigned int a, b, c, d, s, t, flags;

	sys_sigaction(SIGTRAP, trash_registers, 0);
	asm volatile("stc; int3; pushf; popl %6"
		     : "=a" (a), "=b" (b), "=c" (c), "=d" (d), "=S" (s),
		       "=D" (t), "=m" (flags)
		     : "0" (0x11111111), "1" (0x22222222), "2" (0x33333333),
		       "3" (0x44444444), "4" (0x55555555), "5" (0x66666666)
		     : "cc", "memory");
	CHECK_EQ(count, 1);
	CHECK_EQ(a, 0x11111111);
	CHECK_EQ(b, 0x22222222);
	CHECK_EQ(c, 0x33333333);
	CHECK_EQ(d, 0x44444444);
	CHECK_EQ(s, 0x55555555);
	CHECK_EQ(t, 0x66666666);
	CHECK(flags & 1);
	CHECK(flags & 0x200);
	return KSFT_PASS;
}

static void change_registers(int sig, siginfo_t *info, void *context)
{
	struct ucontext *uc = context;

	uc->uc_mcontext.ebx = 0xb0b0b0b0;
	uc->uc_mcontext.eflags |= 1;
}

static int handler_changes_registers(void)
{
	unsigned int b = 1;
	unsigned char carry;

	sys_sigaction(SIGTRAP, change_registers, 0);
	asm volatile("clc; int3; setc %1" : "+b" (b), "=q" (carry) :: "memory", "cc");
	CHECK_EQ(b, 0xb0b0b0b0U);
	CHECK_EQ(carry, 1);
	return KSFT_PASS;
}

static volatile int last_pid;

static void note_sender(int sig, siginfo_t *info, void *context)
{
	last_pid = info->si_pid;
	count++;
}

static int blocked_and_pending(void)
{
	unsigned long set[2] = { SA_BITS(SIGUSR1) | SA_BITS(SIGUSR2), 0 };
	unsigned long pending[2] = { 0 };
	pid_t pid, self = getpid();

	sys_sigaction(SIGUSR1, note_sender, 0);
	sys_sigaction(SIGUSR2, note_sender, 0);
	CHECK_EQ(my_syscall4(__NR_rt_sigprocmask, SIG_BLOCK, set, NULL, 8), 0);
	pid = fork();
	if (pid == 0) {
		kill(self, SIGUSR1);
		kill(self, SIGUSR1);
		kill(self, SIGUSR2);
		exit(0);
	}
	CHECK_EQ(sys_wait(pid), 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(my_syscall2(__NR_rt_sigpending, pending, 8), 0);
	CHECK_EQ(pending[0], set[0]);
	CHECK_EQ(my_syscall4(__NR_rt_sigprocmask, SIG_UNBLOCK, set, NULL, 8), 0);
	/* Two of a kind are one. */
	CHECK_EQ(count, 2);
	CHECK_EQ(last_pid, pid);
	return KSFT_PASS;
}

static int interrupts_system_call(void)
{
	pid_t pid, self = getpid();
	int fds[2];
	char c;

	CHECK_EQ(pipe(fds), 0);
	sys_sigaction(SIGUSR1, note_sender, 0);
	pid = fork();
	if (pid == 0) {
		/* Repeated: the first may come before the read sleeps. */
		for (;;) {
			sys_sleep_ms(50);
			kill(self, SIGUSR1);
		}
	}
	CHECK_EQ(my_syscall3(__NR_read, fds[0], &c, 1), -EINTR);
	CHECK_REL(count, >=, 1);
	kill(pid, SIGKILL);
	CHECK_EQ(sys_wait(pid), SIGKILL);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(nested),
	TEST(nodefer),
	TEST(alternate_stack),
	TEST(broken_stack),
	TEST(registers_survive),
	TEST(handler_changes_registers),
	TEST(blocked_and_pending),
	TEST(interrupts_system_call),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
