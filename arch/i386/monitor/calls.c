// SPDX-License-Identifier: GPL-2.0-only
/* State that hypercalls and emulated instructions set alike. */
#include "mon.h"

#define CR0_REAL	(CR0_MP | CR0_EM | CR0_TS | CR0_AM)
#define CR4_REAL	(CR4_DE | CR4_TSD | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | \
			 CR4_OSXSAVE | CR4_SMEP)
#define CR4_GUEST	(CR4_REAL | CR4_VME | CR4_PVI | CR4_PSE | CR4_PAE | CR4_MCE | \
			 CR4_PGE | CR4_UMIP)

void set_cr0(struct vcpu *v, struct regs *r, u32 val)
{
	u32 changed = v->cr0 ^ val;

	if (!(val & CR0_PE))
		stop_guest(v, r, "the guest leaves protected mode");
	v->cr0 = v->sh->cr0 = val | CR0_ET;
	write_cr0(CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_ET | (val & CR0_REAL));
	if (changed & (CR0_PG | CR0_WP))
		shadow_reset(v);
}

void set_cr3(struct vcpu *v, u32 val)
{
	v->cr3 = v->sh->cr3 = val;
	shadow_flush(v, false);
}

/* false: a bit that the processor, or we, do not have. */
bool set_cr4(struct vcpu *v, struct regs *r, u32 val)
{
	u32 changed = v->cr4 ^ val;

	if (val & (~CR4_GUEST | cr4_missing))
		return false;
	write_cr4(cr4_own | (val & CR4_REAL));
	v->cr4 = v->sh->cr4 = val;
	if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP))
		shadow_reset(v);
	return true;
}

/* LTR: we only need the kernel's stack from it; the processor keeps our TSS. */
bool set_tr(struct vcpu *v, u16 sel)
{
	u32 sp_ss[2];
	u64 d;

	if ((sel & 4) || !(sel & 0xfff8) || (sel | 7) > v->gdt.limit ||
	    !guest_read(v, v->gdt.base + (sel & ~7), &d, 8) ||
	    (d >> 40 & 0x1d) != 9 ||
	    !guest_read(v, desc_base(d) + 4, sp_ss, 8))
		return false;
	v->tr = sel;
	v->sh->esp0 = sp_ss[0];
	v->sh->ss0 = sp_ss[1] & 0xffff;
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
	DR_FUNCS(0)
	DR_FUNCS(1)
	DR_FUNCS(2)
	DR_FUNCS(3)
	DR_FUNCS(6)
	DR_FUNCS(7)
	}
	return val;
}

void set_dr(struct vcpu *v, u32 n, u32 val)
{
	if (n == 4 || n == 5)
		n += 2;
	if (n > 7)
		return;
	if (n == 6)
		val = (val & 0xe00f) | 0xffff0ff0;
	if (n == 7)
		val = (val & 0xffff03ff) | 0x400;	/* never GD */
	access_dr(n, true, val);
}

u32 get_dr(struct vcpu *v, u32 n)
{
	if (n == 4 || n == 5)
		n += 2;
	return n > 7 ? 0 : access_dr(n, false, 0);
}
