// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID as the guest's programs see it.  Its kernel asks the ROM, which hides what ring
 * 1 or long mode lack; a program's CPUID does not trap, unless the processor has a bit
 * for that.  The kernel's then traps as well, and may make it fault for a program.
 */
#include "mon.h"

#define MSR_PLATFORM_INFO	0xce		/* bit 31: CPUID may fault, Intel's way */
#define MSR_HWCR		0xc0010015	/* bit 35: AMD's way */
#define AMD_CPUID_FAULT		BIT(17)		/* leaf 0x80000021, EAX */

static bool intel_way;

/**
 * trap_cpuid - make CPUID fault outside of ring 0, on this processor
 */
void trap_cpuid(void)
{
	u32 a, b, c, d;
	u64 val;

	if (read_msr_safe(MSR_PLATFORM_INFO, &val) && (val & BIT(31))) {
		intel_way = write_msr_safe(MSR_MISC_FEATURES, MISC_CPUID_FAULT);
		return;
	}
	cpuid(0x80000000, 0, &a, &b, &c, &d);
	if (a < 0x80000021)
		return;
	cpuid(0x80000021, 0, &a, &b, &c, &d);
	if ((a & AMD_CPUID_FAULT) && read_msr_safe(MSR_HWCR, &val))
		write_msr_safe(MSR_HWCR, val | BIT_ULL(35));
}

static void hide(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	if (leaf == 1) {
		*c = (*c & ~CPUID_1_ECX_HIDDEN) | CPUID_1_ECX_SHOWN;
		*d &= ~CPUID_1_EDX_HIDDEN;
	} else if (leaf == 7) {
		*b &= ~CPUID_7_EBX_HIDDEN;
		*c &= ~CPUID_7_ECX_HIDDEN;
		*d &= ~CPUID_7_EDX_HIDDEN;
	} else if (leaf == 0xd && sub == 1) {
		*a &= CPUID_D_1_EAX_SHOWN;
	} else if (leaf == 0x80000001) {
		*c &= ~CPUID_EXT_ECX_HIDDEN;
		*d &= ~CPUID_EXT_EDX_HIDDEN;
	} else if (leaf >> 8 == CPUID_HYPERVISOR >> 8) {
		*a = 0;
		*b = 0;
		*c = 0;
		*d = 0;
	}
}

/**
 * guest_cpuid - CPUID that trapped
 *
 * Return: false if the guest's kernel wants a program's to fault.
 */
bool guest_cpuid(struct vcpu *vcpu, struct regs *regs)
{
	u32 leaf = regs->ax, sub = regs->cx, a, b, c, d;

	if (vcpu->cpuid_faults && (regs->cs & 3) == 3)
		return false;
	vcpu->count[C_EMUL_OTHER]++;
	cpuid(leaf, sub, &a, &b, &c, &d);
	hide(leaf, sub, &a, &b, &c, &d);
	regs->ax = a;
	regs->bx = b;
	regs->cx = c;
	regs->dx = d;
	return true;
}

/* The guest's MSR_MISC_FEATURES: that one bit, where the processor has it. */
bool guest_cpuid_faults(struct vcpu *vcpu, u64 val)
{
	if (intel_way)
		vcpu->cpuid_faults = val & MISC_CPUID_FAULT;
	return !(val & ~(u64)MISC_CPUID_FAULT) || !intel_way;
}
