// SPDX-License-Identifier: GPL-2.0-only
/* Ports and the local APIC: what the guest's instructions do to the machine's own. */
#include "mon.h"

/* The guest's TSS: may its programs use these ports? */
static bool guest_io_allowed(struct vcpu *vcpu, u16 port, u32 size)
{
	u16 map, bits;
	u64 d;

	if (vcpu->iopl == FLAG_IOPL)
		return true;
	if (!guest_read(vcpu, vcpu->gdt.base + (vcpu->tr & ~7), &d, 8))
		return false;
	if (!guest_read(vcpu, desc_base(d) + 0x66, &map, 2) ||
	    map + port / 8 + 1u > desc_limit(d) ||
	    !guest_read(vcpu, desc_base(d) + map + port / 8, &bits, 2))
		return false;
	return !(bits >> port % 8 & ((1 << size) - 1));
}

/* INS, OUTS: one element.  With REP the instruction is executed again, for the next. */
static enum outcome string_io(struct vcpu *vcpu, struct regs *regs, struct insn *i, u32 size)
{
	u32 mask = i->ad16 ? 0xffff : ~0u, step = regs->flags & FLAG_DF ? -size : size, val = 0;
	bool out = i->op & 2;
	u64 *index = out ? &regs->si : &regs->di;
	u32 gva = seg_base(vcpu, get_sreg(vcpu, regs, out ? i->sreg : 0)) + (*index & mask);
	enum outcome done;

	if (i->rep && !(regs->cx & mask))
		return DONE;
	done = check_access(vcpu, regs, i, gva, size, out ? 0 : ACC_WRITE);
	if (done != DONE)
		return done;
	if (out && !guest_read(vcpu, gva, &val, size))
		return FAULT;
	if (out) {
		port_out(regs->dx, size, val);
	} else {
		val = port_in(regs->dx, size);
		if (!guest_write(vcpu, gva, &val, size))
			return FAULT;
	}
	*index = (*index & ~(u64)mask) | ((*index + step) & mask);
	if (i->rep) {
		regs->cx = (regs->cx & ~(u64)mask) | ((regs->cx - 1) & mask);
		if (regs->cx & mask)
			regs->ip = (u32)(regs->ip - i->len);
	}
	return DONE;
}

/**
 * emulate_io - IN, OUT, INS, OUTS
 *
 * Ring 1 has all ports; programs, what the guest's own bitmap says.
 */
enum outcome emulate_io(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u16 port = i->op < 0xe8 && i->op >= 0xe4 ? i->imm : regs->dx;
	u32 size = i->op & 1 ? (i->op16 ? 2 : 4) : 1;
	u32 mask = ~0u >> (32 - 8 * size);

	if ((regs->cs & 3) == 1)
		open_ports(vcpu);
	else if (!guest_io_allowed(vcpu, port, size))
		return FAULT;
	vcpu->count[C_EMUL_IO]++;
	if (i->op < 0x70)
		return string_io(vcpu, regs, i, size);
	if (i->op & 2)
		port_out(port, size, regs->ax & mask);
	else
		regs->ax = (regs->ax & ~(u64)mask) | (port_in(port, size) & mask);
	return DONE;
}

/* A store to the local APIC that did not go through APICWrite. */
enum outcome emulate_apic_store(struct vcpu *vcpu, struct regs *regs, u32 gva)
{
	struct insn i;
	u32 val, old;

	if (!decode(vcpu, regs, &i) || i.two || i.op16)
		return FAULT;
	if (i.op == 0x87 || i.op == 0x89)
		val = get_reg(regs, i.modrm >> 3);
	else if (i.op == 0xa3)
		val = regs->ax;
	else if (i.op == 0xc7)
		val = i.imm;
	else
		return FAULT;
	old = apic_read(gva & 0xff0);
	vcpu->count[C_EMUL_APIC]++;
	if (i.op == 0x87)
		set_reg(regs, i.modrm >> 3, old);
	regs->ip = (u32)(regs->ip + i.len);
	regs->flags &= ~(u64)FLAG_RF;
	guest_apic_write(vcpu, gva & 0xff0, val);
	return retire(vcpu, regs, regs->flags & FLAG_TF);
}
