// SPDX-License-Identifier: GPL-2.0-only
/*
 * Model-specific registers.  The guest reads what the processor has; it writes
 * those that cannot hurt us.  What long mode needs is the monitor's alone.
 */
#include "mon.h"

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
	{ 0x140, 0x140, M_IGNORE },		/* MISC_FEATURES_ENABLES */
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

bool guest_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	switch (msr) {
	case MSR_EFER:
		*val = v->efer;
		return true;
	case 0x174 ... 0x176:
		*val = v->sysenter[msr - 0x174];
		return true;
	}
	/* Long mode's system call and segment registers, x2APIC: not there. */
	if ((msr >= 0xc0000081 && msr <= 0xc0000102) || (msr >= 0x800 && msr <= 0x8ff))
		return false;
	return read_msr_safe(msr, val);
}

bool guest_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	u32 i;

	switch (msr) {
	case MSR_EFER:
		if ((val & ~(u64)(EFER_NX | EFER_SCE)) || ((val & EFER_NX) && !cpu_has_nx))
			return false;
		if ((v->efer ^ val) & EFER_NX) {
			v->efer = val;
			shadow_reset(v);
		}
		v->efer = val;
		return true;
	case MSR_APIC_BASE:
		/* It stays where it is, enabled, and no x2APIC. */
		return !((val ^ rdmsr(MSR_APIC_BASE)) & ~0x100UL);
	case 0x174 ... 0x176:
		v->sysenter[msr - 0x174] = val;
		return true;
	case MSR_PAT:
		/* Our own memory is of the first type: it stays write-back. */
		return (val & 0xff) == 6 && write_msr_safe(msr, val);
	}
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (msr < policies[i].first || msr > policies[i].last)
			continue;
		if (policies[i].write == M_IGNORE)
			return true;
		return policies[i].write == M_PASS && write_msr_safe(msr, val);
	}
	return false;
}
