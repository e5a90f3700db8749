// SPDX-License-Identifier: GPL-2.0-only
/* Ports and the local APIC: what the guest's instructions do to the machine's own. */
#include "mon.h"

/* The guest's TSS: may its programs use these ports? */
static bool guest_io_allowed(struct vcpu *v, u16 port, u32 size)
{
	u16 map, bits;
	u64 d;

	if (v->iopl == FLAG_IOPL)
		return true;
	if (!guest_read(v, v->gdt.base + (v->tr & ~7), &d, 8))
		return false;
	if (!guest_read(v, desc_base(d) + 0x66, &map, 2) ||
	    map + port / 8 + 1u > desc_limit(d) ||
	    !guest_read(v, desc_base(d) + map + port / 8, &bits, 2))
		return false;
	return !(bits >> port % 8 & ((1 << size) - 1));
}

/* INS, OUTS: one element.  With REP the instruction is executed again, for the next. */
static enum outcome string_io(struct vcpu *v, struct regs *r, struct insn *i, u32 size)
{
	u32 mask = i->ad16 ? 0xffff : ~0u, step = r->flags & FLAG_DF ? -size : size, val = 0;
	bool out = i->op & 2;
	u64 *index = out ? &r->si : &r->di;
	u32 lin = seg_base(v, get_sreg(v, r, out ? i->sreg : 0)) + (*index & mask);
	enum outcome done;

	if (i->rep && !(r->cx & mask))
		return DONE;
	done = check_access(v, r, i, lin, size, out ? 0 : ACC_WRITE);
	if (done != DONE)
		return done;
	if (out && !guest_read(v, lin, &val, size))
		return FAULT;
	if (out) {
		port_out(r->dx, size, val);
	} else {
		val = port_in(r->dx, size);
		if (!guest_write(v, lin, &val, size))
			return FAULT;
	}
	*index = (*index & ~(u64)mask) | ((*index + step) & mask);
	if (i->rep) {
		r->cx = (r->cx & ~(u64)mask) | ((r->cx - 1) & mask);
		if (r->cx & mask)
			r->ip = (u32)(r->ip - i->len);
	}
	return DONE;
}

/**
 * emulate_io - IN, OUT, INS, OUTS
 *
 * Ring 1 has all ports; programs, what the guest's own bitmap says.
 */
enum outcome emulate_io(struct vcpu *v, struct regs *r, struct insn *i)
{
	u16 port = i->op < 0xe8 && i->op >= 0xe4 ? i->imm : r->dx;
	u32 size = i->op & 1 ? (i->op16 ? 2 : 4) : 1;
	u32 mask = ~0u >> (32 - 8 * size);

	if ((r->cs & 3) == 1)
		open_ports(v);
	else if (!guest_io_allowed(v, port, size))
		return FAULT;
	v->count[C_EMUL_IO]++;
	if (i->op < 0x70)
		return string_io(v, r, i, size);
	if (i->op & 2)
		port_out(port, size, r->ax & mask);
	else
		r->ax = (r->ax & ~(u64)mask) | (port_in(port, size) & mask);
	return DONE;
}

/* A store to the local APIC that did not go through APICWrite. */
enum outcome emulate_apic_store(struct vcpu *v, struct regs *r, u32 lin)
{
	struct insn i;
	u32 val, old;

	if (!decode(v, r, &i) || i.two || i.op16)
		return FAULT;
	if (i.op == 0x87 || i.op == 0x89)
		val = get_reg(r, i.modrm >> 3);
	else if (i.op == 0xa3)
		val = r->ax;
	else if (i.op == 0xc7)
		val = i.imm;
	else
		return FAULT;
	old = apic_read(lin & 0xff0);
	v->count[C_EMUL_APIC]++;
	if (i.op == 0x87)
		set_reg(r, i.modrm >> 3, old);
	r->ip = (u32)(r->ip + i.len);
	r->flags &= ~(u64)FLAG_RF;
	guest_apic_write(v, lin & 0xff0, val);
	return retire(v, r, r->flags & FLAG_TF);
}
