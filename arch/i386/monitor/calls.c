// SPDX-License-Identifier: GPL-2.0-only
/* State that hypercalls and emulated instructions set alike. */
#include "mon.h"

#define CR0_REAL	(CR0_MP | CR0_EM | CR0_TS | CR0_AM)
#define CR4_REAL	(CR4_DE | CR4_TSD | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | \
			 CR4_OSXSAVE | CR4_SMEP)
#define CR4_GUEST	(CR4_REAL | CR4_VME | CR4_PVI | CR4_PSE | CR4_PAE | CR4_MCE | \
			 CR4_PGE | CR4_UMIP)

enum outcome set_cr0(struct vcpu *vcpu, u32 val)
{
	u32 changed = vcpu->cr0 ^ val;

	if (!(val & CR0_PE))
		return stop(vcpu, "the guest leaves protected mode");
	vcpu->sh->cr0 = val | CR0_ET;
	vcpu->cr0 = val | CR0_ET;
	write_cr0(CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_ET | (val & CR0_REAL));
	/* kexec: the next kernel is not patched, and says nothing of its page tables. */
	if (!(val & CR0_PG))
		vcpu->vmi = false;
	if (changed & (CR0_PG | CR0_WP))
		shadow_reset(vcpu);
	return DONE;
}

bool set_cr3(struct vcpu *vcpu, u32 val)
{
	vcpu->sh->cr3 = val;
	vcpu->cr3 = val;
	shadow_flush(vcpu, false);
	return true;
}

/* false: a bit that the processor, or we, do not have. */
bool set_cr4(struct vcpu *vcpu, u32 val)
{
	u32 changed = vcpu->cr4 ^ val;

	if (val & (~CR4_GUEST | cr4_missing))
		return false;
	write_cr4(cr4_own | (val & CR4_REAL));
	vcpu->sh->cr4 = val;
	vcpu->cr4 = val;
	if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP))
		shadow_reset(vcpu);
	return true;
}

#define DR_FUNCS(n) \
	case n: \
		if (set) \
			asm volatile("movq %0, %%db" #n : : "r" (val)); \
		else \
			asm volatile("movq %%db" #n ", %0" : "=r" (val)); \
		break;

static u64 access_dr(u32 n, bool set, u64 val)
{
	switch (n) {
	DR_FUNCS(0) DR_FUNCS(1) DR_FUNCS(2) DR_FUNCS(3) DR_FUNCS(6) DR_FUNCS(7)
	}
	return val;
}

void set_dr(struct vcpu *vcpu, u32 n, u32 val)
{
	n += n == 4 || n == 5 ? 2 : 0;
	if (n == 6)
		val = (val & 0xe00f) | 0xffff0ff0;
	if (n == 7)
		val = (val & 0xffff03ff) | 0x400;	/* never GD */
	access_dr(n, true, val);
}

/* A debug exception of our own making: why. */
void raise_dr6(struct vcpu *vcpu, u32 bits)
{
	access_dr(6, true, access_dr(6, false, 0) | bits);
}

u32 get_dr(struct vcpu *vcpu, u32 n)
{
	return access_dr(n == 4 || n == 5 ? n + 2 : n, false, 0);
}

/*
 * Model-specific registers.  The guest reads what the processor has; it writes
 * those that cannot hurt us.  What long mode needs is the monitor's alone.
 */
enum policy { M_REFUSE, M_PASS, M_IGNORE };

static const struct {
	u32 first, last;
	enum policy write;
} policies[] = {
	{ 0x10, 0x10, M_PASS },			/* TSC */
	{ 0x17, 0x17, M_IGNORE },
	{ 0x3a, 0x3a, M_IGNORE },		/* FEAT_CTL: VMX is hidden */
	{ 0x3b, 0x3b, M_PASS },			/* TSC_ADJUST */
	{ 0x48, 0x49, M_PASS },			/* SPEC_CTRL, PRED_CMD */
	{ 0x79, 0x79, M_IGNORE },		/* microcode update */
	{ 0x8b, 0x8b, M_IGNORE },
	{ 0x174, 0x176, M_IGNORE },		/* SYSENTER: hidden */
	{ 0x1a0, 0x1a0, M_IGNORE },		/* MISC_ENABLE */
	{ 0x1d9, 0x1d9, M_IGNORE },		/* DEBUGCTL */
	{ 0x200, 0x20f, M_IGNORE },		/* MTRRs: the firmware's are right */
	{ 0x250, 0x26f, M_IGNORE },
	{ 0x2ff, 0x2ff, M_IGNORE },
	{ 0x6e0, 0x6e0, M_PASS },		/* TSC deadline */
	{ 0xda0, 0xda0, M_PASS },		/* XSS */
	{ 0xc0000103, 0xc0000103, M_PASS },	/* TSC_AUX */
	{ 0xc0010114, 0xc0010118, M_REFUSE },	/* SVM: not there */
	{ 0xc0010000, 0xc0011fff, M_IGNORE },	/* AMD's own */
};

bool guest_rdmsr(struct vcpu *vcpu, u32 msr, u64 *val)
{
	if (msr == boot.refused_msr)
		return false;
	switch (msr) {
	case MSR_EFER:
		*val = vcpu->efer;
		return true;
	case 0x174 ... 0x176:
		*val = vcpu->sysenter[msr - 0x174];
		return true;
	case MSR_MISC_FEATURES:
		*val = vcpu->cpuid_faults ? MISC_CPUID_FAULT : 0;
		return true;
	}
	/* Long mode's system call and segment registers, x2APIC: not there. */
	if ((msr >= 0xc0000081 && msr <= 0xc0000102) || (msr >= 0x800 && msr <= 0x8ff))
		return false;
	return read_msr_safe(msr, val);
}

/* false: the guest cannot have this in its EFER. */
bool load_efer(struct vcpu *vcpu, u64 val)
{
	u64 changed = vcpu->efer ^ val;

	if (val & ~(u64)(EFER_NX | EFER_SCE) || (!cpu_has_nx && (val & EFER_NX)))
		return false;
	set_efer(vcpu, val);
	if (changed & EFER_NX)
		shadow_reset(vcpu);
	return true;
}

bool guest_wrmsr(struct vcpu *vcpu, u32 msr, u64 val)
{
	u32 i;

	if (msr == boot.refused_msr)
		return false;
	switch (msr) {
	case MSR_EFER:
		return load_efer(vcpu, val);
	case MSR_APIC_BASE:
		/* It stays where it is, enabled, and no x2APIC. */
		return !((val ^ rdmsr(MSR_APIC_BASE)) & ~0x100UL);
	case 0x174 ... 0x176:
		vcpu->sysenter[msr - 0x174] = val;
		return true;
	case MSR_MISC_FEATURES:
		return guest_cpuid_faults(vcpu, val);
	case MSR_PAT:
		/* The types of our own memory and the local APIC's: they stay as they are. */
		return !((val ^ PAT_RESET) & PAT_OURS) && write_msr_safe(msr, val);
	}
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		if (msr < policies[i].first || msr > policies[i].last)
			continue;
		if (policies[i].write == M_IGNORE)
			return true;
		return policies[i].write == M_PASS && write_msr_safe(msr, val);
	}
	return false;
}
