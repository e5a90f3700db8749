// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control and debug registers, model-specific registers, CPUID and the other
 * instructions that a processor keeps for its kernel.
 */
#include "layer.h"
#include "paging.h"

#define CR0_MP		0x02
#define CR0_EM		0x04
#define CR4_TSD		0x04
#define MSR_PLATFORM_INFO 0xce
#define CPUID_FAULTING	0x80000000
#define MSR_MISC_FEATURES 0x140
#define CPUID_FAULT	1
#define MSR_TSC		0x10
#define MSR_CORE_THREADS 0x35
#define MSR_TSC_AUX	0xc0000103
#define CPUID_RDTSCP	(1 << 27)	/* leaf 0x80000001, EDX */
#define MSR_SYSENTER	0x174	/* and the next two */
#define MSR_PAT		0x277
#define MSR_NONE	0x12345
#define MSR_LSTAR	0xc0000082
#define EFER_LME	0x100
#define UD		6
#define NM		7
#define DB		1
#define GP		13
#define DR6_FIXED	0xffff0ff0
#define DR7_FIXED	0x400
#define DR7_GD		0x2000
#define DR7_L(n)	(1 << 2 * (n))
#define DR7_WRITE4(n)	(0xd << (16 + 4 * (n)))

static u32 run(const char *stub, bool user, u32 eax, u32 ecx, u32 edx)
{
	struct trap_frame frame = context(user ? user_stub(stub) : stub, user);

	frame.eax = eax;
	frame.ecx = ecx;
	frame.edx = edx;
	launch(&frame);
	return landed.vector;
}

/* Control registers */

static void t_cr0(void)
{
	u32 old = read_cr0();

	write_cr0(old | CR0_TS | CR0_MP);
	EXPECT_EQ(read_cr0(), old | CR0_TS | CR0_MP);
	EXPECT_EQ(run(stub_fpu, true, 0, 0, 0), NM);
	EXPECT_EQ(run(stub_fpu, false, 0, 0, 0), NM);
	clts();
	EXPECT_EQ(read_cr0(), (old | CR0_MP) & ~CR0_TS);
	EXPECT_EQ(run(stub_fpu, true, 0, 0, 0), TRAP_VECTOR);
	write_cr0((old | CR0_EM) & ~CR0_TS);
	EXPECT_EQ(run(stub_fpu, true, 0, 0, 0), NM);
	write_cr0(old & ~(CR0_TS | CR0_EM));
	EXPECT_EQ(run(stub_fpu, false, 0, 0, 0), TRAP_VECTOR);
	write_cr0(old);
	EXPECT_EQ(read_cr0(), old);
}

static void t_cr2_cr3(void)
{
	write_cr2(0x12345678);
	EXPECT_EQ(read_cr2(), 0x12345678);
	touch(0x9abcd000, READ, false);
	EXPECT_EQ(read_cr2(), 0x9abcd000);
	EXPECT_EQ(__read_cr3(), space->root);
	write_cr3(space->root | 0x18);		/* PCD and PWT are kept */
	EXPECT_EQ(__read_cr3(), space->root | 0x18);
	write_cr3(space->root);
}

static void t_cr4(void)
{
	u32 old = __read_cr4();

	__write_cr4(old | CR4_TSD | CR4_DE);
	EXPECT_EQ(__read_cr4(), old | CR4_TSD | CR4_DE);
	EXPECT_EQ(run(stub_rdtsc, true, 0, 0, 0), GP);
	__write_cr4(old);
	EXPECT_EQ(__read_cr4(), old);
	EXPECT_EQ(run(stub_rdtsc, true, 0, 0, 0), TRAP_VECTOR);
	if (ring) {				/* emulation hangs */
		run(stub_set_cr4, false, old | 0x80000000, 0, 0);
		EXPECT(fault_at(stub_set_cr4, GP));
	}
	EXPECT_EQ(__read_cr4(), old);
}

static u32 cpuid(u32 leaf, u32 reg)
{
	u32 word[4] = { leaf, 0, 0, 0 };

	__cpuid(&word[0], &word[1], &word[2], &word[3]);
	return word[reg];
}

/* A host that hides SMAP refuses its bit, and its instructions do not exist. */
static void t_smap(void)
{
	bool smap = cpuid(7, 1) >> 20 & 1;
	u32 old = __read_cr4();

	run(stub_set_cr4, false, old | CR4_SMAP, 0, 0);
	if (smap) {
		EXPECT_EQ(landed.vector, TRAP_VECTOR);
		EXPECT_EQ(touch(USER_STACK, READ, false), PF_P);
		__write_cr4(old);
	} else {
		EXPECT(fault_at(stub_set_cr4, GP));
	}
	EXPECT_EQ(run(stub_stac, false, 0, 0, 0), smap ? TRAP_VECTOR : UD);
	EXPECT(!ring || !smap);
}

/* CPUID */

enum { EAX, EBX, ECX, EDX };

static const struct {
	const char *name;
	u32 leaf, reg, bit;
} hidden[] = {
	{ "VME", 1, EDX, 1 }, { "MCE", 1, EDX, 7 }, { "SEP", 1, EDX, 11 },
	{ "MCA", 1, EDX, 14 }, { "VMX", 1, ECX, 5 }, { "PCID", 1, ECX, 17 },
	{ "x2APIC", 1, ECX, 21 }, { "FSGSBASE", 7, EBX, 0 }, { "INVPCID", 7, EBX, 10 },
	{ "SMAP", 7, EBX, 20 }, { "PKU", 7, ECX, 3 }, { "LA57", 7, ECX, 16 },
	{ "SYSCALL", 0x80000001, EDX, 11 }, { "LM", 0x80000001, EDX, 29 },
	{ "SVM", 0x80000001, ECX, 2 },
};

static const u32 leaves[] = { 0, 1, 2, 4, 6, 7, 0xd, 0x80000000, 0x80000001, 0x80000008 };

static void t_cpuid(void)
{
	u32 word[4], i, reg;

	for (i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (!ring || !(cpuid(hidden[i].leaf, hidden[i].reg) >> hidden[i].bit & 1))
			continue;
		print("# %s\n", hidden[i].name);
		FAIL("CPUID does not hide it");
	}
	for (i = 0; i < ARRAY_SIZE(leaves) && !ring; i++) {
		asm volatile("cpuid" : "=a" (word[0]), "=b" (word[1]), "=c" (word[2]),
			     "=d" (word[3]) : "a" (leaves[i]), "c" (0));
		for (reg = EAX; reg <= EDX; reg++)
			EXPECT_EQ(cpuid(leaves[i], reg), word[reg]);
	}
	if (ring)
		EXPECT_EQ(cpuid(1, ECX) >> 31, 1);	/* there is a hypervisor */
}

/*
 * A program's, where the processor can make it fault: the monitor shows what it shows the
 * kernel, and the kernel may have it fault.
 */
static void t_cpuid_program(void)
{
	const u32 *words[] = { &landed.eax, &landed.ebx, &landed.ecx, &landed.edx };
	u32 i, reg;

	if (run(stub_rdmsr, false, 0, MSR_PLATFORM_INFO, 0) != TRAP_VECTOR ||
	    !(landed.eax & CPUID_FAULTING)) {
		SKIP("the processor cannot make CPUID fault");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		EXPECT_EQ(run(stub_cpuid, true, leaves[i], 0, 0), TRAP_VECTOR);
		for (reg = EAX; reg <= EDX; reg++)
			EXPECT_EQ(*words[reg], cpuid(leaves[i], reg));
	}
	wrmsr(MSR_MISC_FEATURES, CPUID_FAULT);
	EXPECT_EQ(rdmsr(MSR_MISC_FEATURES), CPUID_FAULT);
	EXPECT_EQ(run(stub_cpuid, true, 1, 0, 0), GP);
	EXPECT_EQ(landed.eip, (u32)user_stub(stub_cpuid));
	EXPECT_EQ(run(stub_cpuid, false, 1, 0, 0), TRAP_VECTOR);
	wrmsr(MSR_MISC_FEATURES, 0);
	EXPECT_EQ(run(stub_cpuid, true, 1, 0, 0), TRAP_VECTOR);
}

/* Model-specific registers */

static void t_msr(void)
{
	u32 i;

	for (i = MSR_SYSENTER; i < MSR_SYSENTER + 3; i++) {
		wrmsr(i, 0x500 + i);
		EXPECT_EQ(rdmsr(i), 0x500 + i);
	}
	wrmsr(EFER, EFER_NX);
	EXPECT_EQ(rdmsr(EFER), EFER_NX);
	wrmsr(EFER, 0);
	EXPECT_EQ(rdmsr(EFER), 0);
	wrmsr(MSR_PAT, rdmsr(MSR_PAT));
}

/* QEMU's software emulation takes all; a host of ours refuses to write. */
static void t_msr_refused(void)
{
	run(stub_rdmsr, false, 0, MSR_NONE, 0);
	if (landed.vector != TRAP_VECTOR) {
		EXPECT(fault_at(stub_rdmsr, GP));
	} else if (!ring) {
		SKIP("this processor answers for any register");
		return;
	}
	run(stub_wrmsr, false, 0, MSR_NONE, 0);
	EXPECT(fault_at(stub_wrmsr, GP));
	EXPECT_EQ(landed.ecx, MSR_NONE);
	run(stub_wrmsr, false, EFER_LME, EFER, 0);	/* paging is on */
	EXPECT(fault_at(stub_wrmsr, GP));
	EXPECT_EQ(rdmsr(EFER), 0);
	if (ring) {
		run(stub_rdmsr, false, 0, MSR_LSTAR, 0);
		EXPECT(fault_at(stub_rdmsr, GP));
	}
}

/* What CPUID says that there is can be read, and written as it is. */
static const struct {
	u32 leaf, reg, bit, msr;
} promised[] = {
	{ 1, EDX, 4, MSR_TSC }, { 1, EDX, 9, 0x1b /* APIC base */ },
	{ 1, EDX, 12, 0x2ff /* MTRRs */ }, { 1, EDX, 14, 0x179 /* machine checks */ },
	{ 1, EDX, 16, MSR_PAT }, { 1, ECX, 15, 0x345 /* PDCM */ },
	{ 7, EBX, 1, 0x3b /* TSC_ADJUST */ }, { 7, EDX, 26, 0x48 /* SPEC_CTRL */ },
	{ 7, EDX, 29, 0x10a /* ARCH_CAPABILITIES */ },
	{ 0x80000001, EDX, 27, MSR_TSC_AUX }, { 0x80000008, EBX, 14, 0x48 /* IBRS */ },
};

static void t_msr_promised(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(promised); i++) {
		if (!(cpuid(promised[i].leaf, promised[i].reg) >> promised[i].bit & 1) ||
		    run(stub_rdmsr, false, 0, promised[i].msr, 0) == TRAP_VECTOR)
			continue;
		print("# MSR %x\n", promised[i].msr);
		FAIL("CPUID has it, and it faults");
	}
}

/* Its number for this processor is what a program reads with RDTSCP. */
static void t_tsc_aux(void)
{
	u32 low, high, aux;

	if (!(cpuid(0x80000001, EDX) & CPUID_RDTSCP)) {
		SKIP("no RDTSCP");
		return;
	}
	if (run(stub_wrmsr, false, 0x1234, MSR_TSC_AUX, 0) != TRAP_VECTOR) {
		SKIP("TSC_AUX is the host's");
		return;
	}
	asm volatile("rdtscp" : "=a" (low), "=d" (high), "=c" (aux));
	EXPECT_EQ(aux, 0x1234);
	EXPECT_EQ(rdmsr(MSR_TSC_AUX), 0x1234);
}

/* QEMU answers, under KVM by its filter of MSRs: one core, one thread. */
static void t_msr_of_qemu(void)
{
	if (run(stub_rdmsr, false, 0, MSR_CORE_THREADS, 0) != TRAP_VECTOR || !landed.eax) {
		SKIP("no number of cores and threads");
		return;
	}
	EXPECT_EQ(rdmsr(MSR_CORE_THREADS), 0x10001);
}

/* The TSC is one, however it is read.  QEMU's software emulation says 0. */
static void t_msr_tsc(void)
{
	u64 before, value, after;

	asm volatile("rdtsc" : "=A" (before));
	if (run(stub_rdmsr, false, 0, MSR_TSC, 0) != TRAP_VECTOR ||
	    !(landed.eax | landed.edx)) {
		SKIP("the TSC is no MSR here");
		return;
	}
	value = landed.eax | (u64)landed.edx << 32;
	asm volatile("rdtsc" : "=A" (after));
	EXPECT(before <= value && value <= after);
}

static void t_rdtsc(void)
{
	u64 before, value, after;

	asm volatile("rdtsc" : "=A" (before));
	value = rdtsc();
	asm volatile("rdtsc" : "=A" (after));
	EXPECT(before <= value && value <= after);
}

/* A processor without such a counter: #GP, in emulation #UD. */
static void t_rdpmc(void)
{
	run(stub_rdpmc, false, 0, 0xff, 0);
	EXPECT(fault_at(stub_rdpmc, GP) || fault_at(stub_rdpmc, UD));
	EXPECT_EQ(landed.ecx, 0xff);
}

/* Debug registers */

static void t_dr(void)
{
	u32 i, value;

	for (i = 0; i < 4; i++) {
		vmi_set_debugreg(i, 0x1000 * i + i);
		EXPECT_EQ(vmi_get_debugreg(i), 0x1000 * i + i);
	}
	vmi_set_debugreg(6, DR6_FIXED | 0xf);
	EXPECT_EQ(vmi_get_debugreg(6), DR6_FIXED | 0xf);
	vmi_set_debugreg(6, DR6_FIXED);
	value = DR7_FIXED | DR7_WRITE4(1);
	vmi_set_debugreg(7, value);
	EXPECT_EQ(vmi_get_debugreg(7), value);
	vmi_set_debugreg(7, DR7_FIXED | (ring ? DR7_GD : 0));
	EXPECT_EQ(vmi_get_debugreg(7), DR7_FIXED);
}

static void t_breakpoints(void)
{
	static u32 watched;
	u32 user;

	for (user = 0; user < 2; user++) {
		const char *step = user ? user_stub(stub_step) : stub_step;

		vmi_set_debugreg(0, (u32)step + 1);
		vmi_set_debugreg(6, DR6_FIXED);
		vmi_set_debugreg(7, DR7_FIXED | DR7_L(0));
		EXPECT_EQ(run(stub_step, user, 0, 0, 0), DB);
		EXPECT_EQ(landed.eip, (u32)step + 1);
		EXPECT_EQ(vmi_get_debugreg(6) & 0xf, 1);
		/* On from there, with RF set. */
		landed.eflags |= EFLAGS_RF;
		if (!user)
			landed.cs = KERNEL_CS | ring;
		struct trap_frame again = landed;

		launch(&again);
		EXPECT_EQ(landed.vector, TRAP_VECTOR);
	}
	vmi_set_debugreg(1, (u32)&watched);
	vmi_set_debugreg(6, DR6_FIXED);
	vmi_set_debugreg(7, DR7_FIXED | DR7_L(1) | DR7_WRITE4(1));
	EXPECT_EQ(touch((u32)&watched, READ, false), NO_FAULT);
	EXPECT_EQ(run(stub_write, false, (u32)&watched, 0, 7), DB);
	EXPECT_EQ(landed.eip, (u32)stub_write + 2);
	EXPECT_EQ(vmi_get_debugreg(6) & 0xf, 2);
	EXPECT_EQ(watched, 7);
	vmi_set_debugreg(7, DR7_FIXED);
	EXPECT_EQ(run(stub_write, false, (u32)&watched, 0, 8), TRAP_VECTOR);
}

static u64 op_count(u32 op)
{
	if (vmi_patched(VMI_OP_GET_OP_COUNT))
		return vmi_call1(GET_OP_COUNT, op);
	return 0;
}

static void t_no_effect(void)
{
	bool counts = relocs[VMI_OP_GET_OP_COUNT].type != VMI_RELOC_NONE;
	u64 before = op_count(VMI_OP_WBINVD);

	VMI_DO0(WBINVD, VMI_PAD3 "wbinvd");
	vmi_io_delay();
	EXPECT(op_count(VMI_OP_WBINVD) == before + counts);
	EXPECT(op_count(0xffffffff) == 0);
}

static const struct test tests[] = {
	{ "SetCR0, GetCR0, CLTS", t_cr0 },
	{ "SetCR2, GetCR2, SetCR3, GetCR3", t_cr2_cr3 },
	{ "SetCR4, GetCR4", t_cr4 },
	{ "SMAP", t_smap },
	{ "CPUID", t_cpuid },
	{ "CPUID of programs", t_cpuid_program },
	{ "RDMSR, WRMSR", t_msr },
	{ "MSRs refused", t_msr_refused },
	{ "MSRs of CPUID", t_msr_promised },
	{ "TSC_AUX", t_tsc_aux },
	{ "MSRs of QEMU", t_msr_of_qemu },
	{ "RDMSR of the TSC", t_msr_tsc },
	{ "RDTSC", t_rdtsc },
	{ "RDPMC", t_rdpmc },
	{ "SetDR, GetDR", t_dr },
	{ "breakpoints", t_breakpoints },
	{ "WBINVD, IODelay, GetOpCount", t_no_effect },
	{ }
};

const struct suite suites[] = {
	{ "registers", NULL, tests },
	{ }
};
