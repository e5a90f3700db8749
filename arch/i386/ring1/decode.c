// SPDX-License-Identifier: GPL-2.0-only
/* Just enough of a decoder for 32-bit code: prefixes, ModRM, immediates. */
#include "ring1.h"

/* GPRs in the order of the instruction set; struct regs has another. */
static u64 *reg_slot(struct regs *regs, u32 n)
{
	u64 *slot[8] = { &regs->ax, &regs->cx, &regs->dx, &regs->bx,
			 &regs->sp, &regs->bp, &regs->si, &regs->di };

	return slot[n & 7];
}

u32 get_reg(struct regs *regs, u32 n)
{
	return *reg_slot(regs, n);
}

void set_reg(struct regs *regs, u32 n, u32 val)
{
	*reg_slot(regs, n) = val;
}

struct fetch {
	u8 buf[16];
	u32 pos;
};

/* Zeroes behind the 15 bytes that an instruction may have. */
static u32 fetch_n(struct fetch *f, u32 n)
{
	u32 val = 0, i;

	for (i = 0; i < n; i++, f->pos++)
		val |= f->pos < 15 ? (u32)f->buf[f->pos] << 8 * i : 0;
	return val;
}

/* The memory operand of a ModRM byte: offset and the segment it is in. */
static u32 address(struct regs *regs, struct insn *i, struct fetch *f, u32 *sreg)
{
	u32 mod = i->modrm >> 6, rm = i->modrm & 7, off = 0, sib, base;

	*sreg = 3;
	if (rm == 4) {
		sib = fetch_n(f, 1);
		base = sib & 7;
		if ((sib >> 3 & 7) != 4)
			off = get_reg(regs, sib >> 3 & 7) << (sib >> 6);
		if (base == 5 && mod == 0) {
			off += fetch_n(f, 4);
		} else {
			off += get_reg(regs, base);
			if (base == 4 || base == 5)
				*sreg = 2;
		}
	} else if (rm == 5 && mod == 0) {
		off = fetch_n(f, 4);
	} else {
		off = get_reg(regs, rm);
		if (rm == 5)
			*sreg = 2;
	}
	if (mod == 1)
		off += (int)(signed char)fetch_n(f, 1);
	else if (mod == 2)
		off += fetch_n(f, 4);
	return off;
}

static bool has_modrm(struct insn *i)
{
	if (i->two)
		return i->op == 0x00 || i->op == 0x01 || (i->op >= 0x20 && i->op <= 0x23) ||
		       i->op == 0xb2;
	return i->op == 0x8e || i->op == 0xff || i->op == 0x89 || i->op == 0xc7 ||
	       i->op == 0x87 || i->op == 0x88;
}

/**
 * decode - the instruction at the guest's CS:EIP
 * @vcpu: the virtual CPU
 * @regs: its registers
 * @i: the instruction
 *
 * Return: false if its bytes cannot be read or it is of no kind we know.
 */
bool decode(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u32 gva = seg_base(vcpu, regs->cs) + regs->ip, n, sreg, over = ~0u;
	struct fetch f = { .pos = 0 };
	u64 *cs = real_desc(vcpu, regs->cs);

	if (!cs || !(*cs >> 54 & 1))
		return false;			/* 16-bit code */
	/* The instruction may end at the last byte of a mapped page. */
	n = PAGE - (gva & 0xfff) < 15 ? PAGE - (gva & 0xfff) : 15;
	if (!guest_read(vcpu, gva, f.buf, n))
		return false;
	if (n < 15)
		guest_read(vcpu, gva + n, f.buf + n, 15 - n);
	memset(i, 0, sizeof(*i));
	for (;;) {
		i->op = fetch_n(&f, 1);
		switch (i->op) {
		case 0x66:
			i->op16 = true;
			continue;
		case 0x67:
			i->ad16 = true;
			continue;
		case 0xf2:
		case 0xf3:
			i->rep = true;
			continue;
		case 0xf0:
			continue;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			over = i->op >> 3 & 3;
			continue;
		case 0x64:
		case 0x65:
			over = i->op - 0x60;
			continue;
		}
		break;
	}
	i->sreg = over != ~0u ? over : 3;
	if (i->op == 0x0f) {
		i->two = true;
		i->op = fetch_n(&f, 1);
	}
	if (has_modrm(i)) {
		i->modrm = fetch_n(&f, 1);
		if (i->modrm < 0xc0 && !(i->two && i->op >= 0x20 && i->op <= 0x23)) {
			if (i->ad16)
				return false;
			i->ea_off = address(regs, i, &f, &sreg);
			if (over != ~0u)
				sreg = over;
			i->ea = i->ea_off + seg_base(vcpu, get_sreg(vcpu, regs, sreg));
		}
	}
	if (!i->two) {
		if (i->op == 0xcd || (i->op >= 0xe4 && i->op <= 0xe7)) {
			i->imm = fetch_n(&f, 1);
		} else if (i->op == 0xea || i->op == 0x9a) {
			i->imm = fetch_n(&f, i->op16 ? 2 : 4);
			i->imm_sel = fetch_n(&f, 2);
		} else if (i->op == 0xca) {
			i->imm = fetch_n(&f, 2);
		} else if (i->op == 0xc7) {
			i->imm = fetch_n(&f, i->op16 ? 2 : 4);
		} else if (i->op == 0xa3 && i->ad16) {
			return false;
		} else if (i->op == 0xa3) {
			i->ea_off = fetch_n(&f, 4);
			i->ea = i->ea_off +
				seg_base(vcpu, get_sreg(vcpu, regs, i->sreg));
		}
	}
	i->len = f.pos;
	return f.pos <= 15;
}
