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

/**
 * emulate_io - IN or OUT
 */
enum outcome emulate_io(struct vcpu *v, struct regs *r, struct insn *i)
{
	u16 port = i->op & 8 ? r->dx : i->imm;
	u32 size = i->op & 1 ? (i->op16 ? 2 : 4) : 1;

	/* Ring 1 has all ports; programs, what the guest's own bitmap says. */
	if ((r->cs & 3) == 3 && !guest_io_allowed(v, port, size))
		return FAULT;
	v->count[C_EMUL_IO]++;
	if (!(i->op & 2) && size == 1)
		asm volatile("inb %1, %b0" : "+a" (r->ax) : "d" (port));
	else if (!(i->op & 2) && size == 2)
		asm volatile("inw %1, %w0" : "+a" (r->ax) : "d" (port));
	else if (!(i->op & 2))
		asm volatile("inl %1, %k0" : "+a" (r->ax) : "d" (port));
	else if (size == 1 && (port & ~(PIC_SLAVE ^ PIC_MASTER ^ 1)) == PIC_MASTER)
		pic_write(port, r->ax);
	else if (size == 1)
		outb(port, r->ax);
	else if (size == 2)
		asm volatile("outw %w0, %1" : : "a" (r->ax), "d" (port));
	else
		outl(port, r->ax);
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
	return guest_apic_write(v, r, lin & 0xff0, val);
}
