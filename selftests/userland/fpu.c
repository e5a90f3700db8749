// SPDX-License-Identifier: GPL-2.0-only
/* x87 and SSE registers belong to a process, whatever happens around it. */
#include "ktap.h"

#define TASKS		3
#define SWITCHES	400

struct fpu {
	unsigned int mxcsr;
	unsigned short control;
	unsigned int st[8][2];		/* doubles, as bits */
	unsigned int xmm[8][4] __attribute__((aligned(16)));
};

#define OSXSAVE_AVX	(3 << 27)

static unsigned int cpuid_edx(void)
{
	unsigned int a = 1, b, c, d;

	asm volatile("cpuid" : "+a" (a), "=b" (b), "=c" (c), "=d" (d));
	return d;
}

static unsigned int cpuid_ecx(void)
{
	unsigned int a = 1, b, c, d;

	asm volatile("cpuid" : "+a" (a), "=b" (b), "=c" (c), "=d" (d));
	return c;
}

static int have_sse2(void)
{
	return (cpuid_edx() >> 26) & 1;
}

static void fpu_fill(struct fpu *f, unsigned int seed)
{
	unsigned int i, k;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < 8; i++) {
		/* Doubles of normal size, so that FLD and FSTP keep the bits. */
		f->st[i][0] = seed * 0x01010101 + i;
		f->st[i][1] = 0x40000000 | (seed << 8) | i;
		for (k = 0; k < 4; k++)
			f->xmm[i][k] = prng(&seed);
	}
	/* Exceptions masked; the rounding mode is the seed's. */
	f->mxcsr = 0x1f80 | (seed & 3) << 13;
	f->control = 0x37f | (seed & 3) << 10;
}

static __attribute__((target("sse2"))) void fpu_load(const struct fpu *f)
{
	unsigned int i;

	asm volatile("fninit; fldcw %0" :: "m" (f->control));
	for (i = 0; i < 8; i++)
		asm volatile("fldl %0" :: "m" (f->st[7 - i][0]), "m" (f->st[7 - i][1]));
	asm volatile("ldmxcsr (%0)\n\t"
		     "movdqa (%1), %%xmm0; movdqa 16(%1), %%xmm1\n\t"
		     "movdqa 32(%1), %%xmm2; movdqa 48(%1), %%xmm3\n\t"
		     "movdqa 64(%1), %%xmm4; movdqa 80(%1), %%xmm5\n\t"
		     "movdqa 96(%1), %%xmm6; movdqa 112(%1), %%xmm7"
		     :: "r" (&f->mxcsr), "r" (f->xmm) : "memory");
}

/* Reads all registers without changing their values. */
static __attribute__((target("sse2"))) void fpu_store(struct fpu *f)
{
	unsigned int i;

	asm volatile("stmxcsr (%0)\n\t"
		     "movdqa %%xmm0, (%1); movdqa %%xmm1, 16(%1)\n\t"
		     "movdqa %%xmm2, 32(%1); movdqa %%xmm3, 48(%1)\n\t"
		     "movdqa %%xmm4, 64(%1); movdqa %%xmm5, 80(%1)\n\t"
		     "movdqa %%xmm6, 96(%1); movdqa %%xmm7, 112(%1)"
		     :: "r" (&f->mxcsr), "r" (f->xmm) : "memory");
	asm volatile("fnstcw %0" : "=m" (f->control));
	for (i = 0; i < 8; i++) {
		asm volatile("fstl %0" : "=m" (f->st[i][0]), "=m" (f->st[i][1]));
		asm volatile("fincstp");
	}
}

static int fpu_same(const struct fpu *want, const struct fpu *got)
{
	if (!memcmp(want, got, sizeof(*want)))
		return 1;
	ktap_print("# mxcsr 0x%x 0x%x control 0x%x 0x%x st0 0x%x 0x%x xmm0 0x%x 0x%x",
		   want->mxcsr, got->mxcsr, want->control, got->control,
		   want->st[0][1], got->st[0][1], want->xmm[0][0], got->xmm[0][0]);
	return 0;
}

static int keep_over_yields(unsigned int seed)
{
	struct fpu want, got;
	int i;

	fpu_fill(&want, seed);
	fpu_fill(&got, seed);
	fpu_load(&want);
	for (i = 0; i < SWITCHES; i++) {
		my_syscall0(__NR_sched_yield);
		if (i % 50 == 0)
			sys_sleep_ms(1);
		memset(&got.xmm, 0, sizeof(got.xmm));
		fpu_store(&got);
		if (!fpu_same(&want, &got))
			return KSFT_FAIL;
	}
	return KSFT_PASS;
}

static int context_switches(void)
{
	pid_t pids[TASKS];
	int i;

	if (!have_sse2())
		SKIP("the CPU has no SSE2");
	/* On one CPU, where they must take turns. */
	CHECK_EQ(sys_pin_to_cpu(0), 0);
	for (i = 0; i < TASKS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			exit(keep_over_yields(i + 11));
	}
	for (i = 0; i < TASKS; i++)
		CHECK_EQ(sys_wait(pids[i]), 0);
	return KSFT_PASS;
}

/* Of YMM registers, by XSAVE: on all CPUs at once, and on one. */
static int keep_ymm(unsigned int seed, int pin)
{
	static unsigned char want[8][32], got[8][32];
	unsigned int i, k;

	if (pin && sys_pin_to_cpu(0))
		return KSFT_FAIL;
	for (i = 0; i < 8; i++)
		for (k = 0; k < 32; k++)
			want[i][k] = prng(&seed);
	asm volatile("vmovups (%0), %%ymm0; vmovups 32(%0), %%ymm1\n\t"
		     "vmovups 64(%0), %%ymm2; vmovups 96(%0), %%ymm3\n\t"
		     "vmovups 128(%0), %%ymm4; vmovups 160(%0), %%ymm5\n\t"
		     "vmovups 192(%0), %%ymm6; vmovups 224(%0), %%ymm7"
		     :: "r" (want) : "memory");
	for (i = 0; i < SWITCHES; i++) {
		my_syscall0(__NR_sched_yield);
		if (i % 50 == 0)
			sys_sleep_ms(1);
		memset(got, 0, sizeof(got));
		asm volatile("vmovups %%ymm0, (%0); vmovups %%ymm1, 32(%0)\n\t"
			     "vmovups %%ymm2, 64(%0); vmovups %%ymm3, 96(%0)\n\t"
			     "vmovups %%ymm4, 128(%0); vmovups %%ymm5, 160(%0)\n\t"
			     "vmovups %%ymm6, 192(%0); vmovups %%ymm7, 224(%0)"
			     :: "r" (got) : "memory");
		if (memcmp(want, got, sizeof(want)))
			return KSFT_FAIL;
	}
	return KSFT_PASS;
}

static int upper_halves(void)
{
	pid_t pids[2 * TASKS];
	int i;

	if ((cpuid_ecx() & OSXSAVE_AVX) != OSXSAVE_AVX)
		SKIP("the CPU has no AVX, or the kernel no XSAVE");
	for (i = 0; i < 2 * TASKS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			exit(keep_ymm(i + 31, i % 2));
	}
	for (i = 0; i < 2 * TASKS; i++)
		CHECK_EQ(sys_wait(pids[i]), 0);
	return KSFT_PASS;
}

static int migration(void)
{
	unsigned int cpus = sys_cpu_count(), i;
	struct fpu want, got;

	if (!have_sse2())
		SKIP("the CPU has no SSE2");
	if (cpus < 2)
		SKIP("one CPU");
	fpu_fill(&want, 77);
	fpu_fill(&got, 77);
	fpu_load(&want);
	for (i = 0; i < 100; i++) {
		CHECK_EQ(sys_pin_to_cpu(i % cpus), 0);
		memset(&got.xmm, 0, sizeof(got.xmm));
		fpu_store(&got);
		CHECK(fpu_same(&want, &got));
	}
	return KSFT_PASS;
}

static int inherited_by_fork(void)
{
	struct fpu want, got;
	pid_t pid;

	if (!have_sse2())
		SKIP("the CPU has no SSE2");
	fpu_fill(&want, 5);
	fpu_fill(&got, 5);
	memset(&got.xmm, 0, sizeof(got.xmm));
	fpu_load(&want);
	pid = fork();
	fpu_store(&got);
	if (pid == 0)
		exit(!fpu_same(&want, &got));
	CHECK(fpu_same(&want, &got));
	CHECK_EQ(sys_wait(pid), 0);
	return KSFT_PASS;
}

static volatile int handled;

static void trash_fpu(int sig, siginfo_t *info, void *context)
{
	struct fpu other;

	fpu_fill(&other, 0x33);
	fpu_load(&other);
	handled++;
}

static int over_signals(void)
{
	struct fpu want, got;
	pid_t pid = getpid();
	int i;

	if (!have_sse2())
		SKIP("the CPU has no SSE2");
	sys_sigaction(SIGUSR1, trash_fpu, 0);
	fpu_fill(&want, 42);
	fpu_fill(&got, 42);
	fpu_load(&want);
	for (i = 1; i <= 50; i++) {
		my_syscall2(__NR_kill, pid, SIGUSR1);
		memset(&got.xmm, 0, sizeof(got.xmm));
		fpu_store(&got);
		CHECK_EQ(handled, i);
		CHECK(fpu_same(&want, &got));
	}
	return KSFT_PASS;
}

static volatile int fpe_code;
static volatile unsigned long fpe_resume;

static void on_fpe(int sig, siginfo_t *info, void *context)
{
	struct ucontext *uc = context;

	fpe_code = info->si_code;
	uc->uc_mcontext.eip = fpe_resume;
}

static int x87_exception(void)
{
	unsigned short control = 0x37b;	/* division by zero unmasked */

	sys_sigaction(SIGFPE, on_fpe, 0);
	asm volatile("movl $1f, %0\n\t"
		     "fninit; fldcw %1; fld1; fldz; fdivrp; fwait\n"
		     "1:" : "=m" (fpe_resume) : "m" (control) : "memory");
	CHECK_EQ(fpe_code, FPE_FLTDIV);
	return KSFT_PASS;
}

static __attribute__((target("sse2"))) int sse_exception(void)
{
	unsigned int mxcsr = 0x1f80 & ~0x200;	/* division by zero unmasked */

	if (!have_sse2())
		SKIP("the CPU has no SSE2");
	sys_sigaction(SIGFPE, on_fpe, 0);
	asm volatile("movl $1f, %0\n\t"
		     "ldmxcsr %1\n\t"
		     "movl $0x3f800000, %%eax; movd %%eax, %%xmm0\n\t"
		     "xorps %%xmm1, %%xmm1; divss %%xmm1, %%xmm0\n"
		     "1:" : "=m" (fpe_resume) : "m" (mxcsr) : "eax", "memory");
	if (!fpe_code)
		SKIP("the CPU is emulated and raises no SSE exceptions");
	CHECK_EQ(fpe_code, FPE_FLTDIV);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(context_switches),
	TEST(upper_halves),
	TEST(migration),
	TEST(inherited_by_fork),
	TEST(over_signals),
	TEST(x87_exception),
	TEST(sse_exception),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
