// SPDX-License-Identifier: GPL-2.0-only
/* The guest's descriptors.  The processor only sees copies, made harmless. */
#include "ring1.h"

#define D_TYPE(d)	((d) >> 40 & 0xf)
#define D_S		BIT_ULL(44)
#define D_DPL(d)	((d) >> 45 & 3)
#define D_P		BIT_ULL(47)
#define D_L		BIT_ULL(53)
#define D_G		BIT_ULL(55)
#define D_ACCESSED	BIT_ULL(40)
#define D_CODE		BIT_ULL(43)
#define D_CONFORMING	BIT_ULL(42)
#define D_EXPAND_DOWN	BIT_ULL(42)
#define D_B		BIT_ULL(54)

/* The copy of a guest's descriptor that is safe to load. */
static u64 sanitize(u64 d)
{
	if (!(d & D_S))
		return 0;
	d &= ~D_L;
	d |= D_ACCESSED;
	if (!D_DPL(d))
		d |= 1UL << 45;
	return d;
}

u32 desc_base(u64 d)
{
	return (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000);
}

u32 desc_limit(u64 d)
{
	u32 limit = (d & 0xffff) | (d >> 32 & 0xf0000);

	return d & D_G ? limit << 12 | 0xfff : limit;
}

/**
 * real_desc - the descriptor that the processor finds for a guest's selector
 * @vcpu: the virtual CPU
 * @sel: a selector
 *
 * Return: NULL for a null selector or one of the monitor's own.
 */
u64 *real_desc(struct vcpu *vcpu, u16 sel)
{
	u32 index = sel >> 3;

	if (sel & 4)
		return vcpu->ldt ? &vcpu->real_ldt[index] : NULL;
	if (!index || (index >= GUEST_GDT_MAX && index != STALE_CS / 8 && index != STALE_SS / 8))
		return NULL;
	return &vcpu->real_gdt[index];
}

/* May the guest's kernel run with this code selector (RPL aside)? */
bool kernel_code_ok(struct vcpu *vcpu, u16 sel)
{
	u64 *d = real_desc(vcpu, sel);

	return d && (*d & (D_S | D_P | D_CODE | D_CONFORMING)) == (D_S | D_P | D_CODE) &&
	       D_DPL(*d) == 1;
}

/* May SS be loaded with it at this privilege? */
bool stack_ok(struct vcpu *vcpu, u16 sel, u32 cpl)
{
	u64 *d = real_desc(vcpu, sel);

	return d && (*d & (D_S | D_P | D_CODE)) == (D_S | D_P) && (*d >> 41 & 1) &&
	       D_DPL(*d) == cpl;
}

u32 seg_base(struct vcpu *vcpu, u16 sel)
{
	u64 *d = real_desc(vcpu, sel);

	return d ? desc_base(*d) : 0;
}

/* Linear address of a stack pointer, 16-bit stacks included. */
u32 stack_lin(struct vcpu *vcpu, u16 ss, u32 sp)
{
	u64 *d = real_desc(vcpu, ss);

	if (!d)
		return sp;
	return desc_base(*d) + (*d >> 54 & 1 ? sp : (u16)sp);
}

/* Does the segment have these bytes?  A processor's #SS if not. */
bool stack_room(struct vcpu *vcpu, u16 ss, u32 sp, u32 bytes)
{
	u64 *d = real_desc(vcpu, ss);
	u32 last = d && !(*d & D_B) ? 0xffff : ~0u, first = sp & last;

	if (!d)
		return true;
	if (*d & D_EXPAND_DOWN)
		return first > desc_limit(*d) && bytes - 1 <= last - first;
	return first <= desc_limit(*d) && bytes - 1 <= desc_limit(*d) - first;
}

/*
 * LGDT leaves CS and SS as they are, but every return to the guest loads them: old
 * descriptors live on under selectors of ours until the guest loads its new ones.
 */
static void keep_segments(struct vcpu *vcpu, struct regs *regs, u64 old_cs, u64 old_ss)
{
	if (!(regs->cs & 4) && vcpu->real_gdt[(regs->cs & 0xffff) >> 3] != old_cs) {
		vcpu->real_gdt[STALE_CS / 8] = old_cs;
		regs->cs = STALE_CS | 1;
	}
	if (!(regs->ss & 4) && (regs->ss & 0xfff8) &&
	    vcpu->real_gdt[(regs->ss & 0xffff) >> 3] != old_ss) {
		vcpu->real_gdt[STALE_SS / 8] = old_ss;
		regs->ss = STALE_SS | 1;
	}
}

/* Copy a descriptor table.  false: it is not all there. */
static bool copy_table(struct vcpu *vcpu, u32 base, u32 n, u64 *real, u32 *copied)
{
	u32 i;
	u64 d;

	for (i = 0; i < n; i++) {
		if (!guest_read(vcpu, base + i * 8, &d, 8))
			return false;
		real[i] = sanitize(d);
	}
	for (; i < *copied; i++)
		real[i] = 0;
	*copied = n;
	return true;
}

bool load_guest_gdt(struct vcpu *vcpu, struct regs *regs, u32 base, u16 limit)
{
	u64 old_cs = vcpu->real_gdt[(regs->cs & 0xffff) >> 3];
	u64 old_ss = vcpu->real_gdt[(regs->ss & 0xffff) >> 3];
	u32 n = (limit + 1) / 8;

	vcpu->fast_ss = 0;
	if (!copy_table(vcpu, base, n < GUEST_GDT_MAX ? n : GUEST_GDT_MAX, vcpu->real_gdt,
			&vcpu->gdt_copied))
		return false;
	vcpu->real_gdt[0] = 0;
	vcpu->gdt = (struct table_reg){ limit, base };
	keep_segments(vcpu, regs, old_cs, old_ss);
	return true;
}

/* LGDT and LIDT; with an operand of 16 bits the base has 24. */
bool load_table(struct vcpu *vcpu, struct regs *regs, u32 gva, bool idt, bool op16)
{
	struct table_reg t;

	if (!guest_read(vcpu, gva, &t, sizeof(t)))
		return false;
	if (op16)
		t.base &= 0xffffff;
	if (!idt)
		return load_guest_gdt(vcpu, regs, t.base, t.limit);
	vcpu->fast_ss = 0;
	vcpu->idt = t;
	return true;
}

void guest_gdt_write(struct vcpu *vcpu, struct regs *regs, u32 index, u64 d)
{
	u64 old_cs = vcpu->real_gdt[(regs->cs & 0xffff) >> 3];
	u64 old_ss = vcpu->real_gdt[(regs->ss & 0xffff) >> 3];

	if (!index || index >= vcpu->gdt_copied)
		return;
	if (index == vcpu->fast_cs >> 3 || index == vcpu->fast_ss >> 3)
		vcpu->fast_ss = 0;
	vcpu->real_gdt[index] = sanitize(d);
	keep_segments(vcpu, regs, old_cs, old_ss);
}

/* SetLDT: copy the table that the guest's descriptor names. */
bool load_guest_ldt(struct vcpu *vcpu, u16 sel)
{
	u32 limit;
	u64 d;

	if (!(sel & 0xfffc)) {
		vcpu->ldt = 0;
		load_ldt(vcpu, 0);
		note_held(vcpu);
		return true;
	}
	if ((sel & 4) || (sel | 7) > vcpu->gdt.limit ||
	    !guest_read(vcpu, vcpu->gdt.base + (sel & ~7), &d, 8) ||
	    (d & D_S) || !(d & D_P) || D_TYPE(d) != 2)
		return false;
	limit = desc_limit(d);
	if (!copy_table(vcpu, desc_base(d), limit >= 0xffff ? 8192 : (limit + 1) / 8,
			vcpu->real_ldt, &vcpu->ldt_copied))
		return false;
	vcpu->ldt = sel;
	vcpu->ldt_base = desc_base(d);
	load_ldt(vcpu, MON_LDT);
	note_held(vcpu);
	return true;
}

void guest_ldt_write(struct vcpu *vcpu, u32 base, u32 index, u64 d)
{
	if (vcpu->ldt && base == vcpu->ldt_base && index < vcpu->ldt_copied)
		vcpu->real_ldt[index] = sanitize(d);
}
