// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an instruction does, for the fuzzer of the emulator.  Its parts come from
 * a disassembler, its effect from the processor's manual and docs/monitor.md.
 */
#include <string.h>

#include <Zydis/Zydis.h>

#include "insn.h"

struct ref {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	struct regs *r;
};

static u64 *ref_reg(struct regs *r, ZydisRegister reg)
{
	switch (ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LEGACY_32, reg)) {
	case ZYDIS_REGISTER_EAX:
		return &r->ax;
	case ZYDIS_REGISTER_ECX:
		return &r->cx;
	case ZYDIS_REGISTER_EDX:
		return &r->dx;
	case ZYDIS_REGISTER_EBX:
		return &r->bx;
	case ZYDIS_REGISTER_ESP:
		return &r->sp;
	case ZYDIS_REGISTER_EBP:
		return &r->bp;
	case ZYDIS_REGISTER_ESI:
		return &r->si;
	case ZYDIS_REGISTER_EDI:
		return &r->di;
	default:
		EXPECT(!"a register we do not know");
	}
	return NULL;
}

/* The descriptor of a selector in the guest's own table; 0: none. */
u64 ref_desc(u32 sel)
{
	u32 i = (sel & 0xffff) >> 3;

	return sel & 4 || !i || i >= GDT_LEN ? 0 : guest_gdt[i];
}

u32 ref_base(u64 d)
{
	return d ? (d >> 16 & 0xffffff) | (d >> 56) << 24 : 0;
}

static u32 ref_limit(u64 d)
{
	u32 limit = (d & 0xffff) | (d >> 48 & 0xf) << 16;

	return d >> 55 & 1 ? limit << 12 | 0xfff : limit;
}

static u32 ref_dpl(u64 d)
{
	u32 dpl = d >> 45 & 3;

	return dpl ? dpl : 1;		/* ring 0 is ring 1 */
}

/* Code, present, not conforming; data, present, writable. */
bool ref_kernel_code(u32 sel)
{
	u64 d = ref_desc(sel);

	return (d >> 40 & 0x9c) == 0x98 && ref_dpl(d) == 1;
}

bool ref_stack(u32 sel, u32 ring)
{
	u64 d = ref_desc(sel);

	return (d >> 40 & 0x9a) == 0x92 && ref_dpl(d) == ring;
}

static u32 ref_stack_lin(struct regs *r, u32 sp)
{
	u64 d = ref_desc(r->ss);

	return ref_base(d) + (!d || d >> 54 & 1 ? sp : sp & 0xffff);
}

static bool ref_ea(struct ref *f, ZydisDecodedOperand *op, u32 *lin)
{
	u32 off = op->mem.disp.has_displacement ? op->mem.disp.value : 0;

	if (f->insn.address_width != 32)
		return false;
	if (op->mem.base != ZYDIS_REGISTER_NONE)
		off += *ref_reg(f->r, op->mem.base);
	if (op->mem.index != ZYDIS_REGISTER_NONE)
		off += (u32)*ref_reg(f->r, op->mem.index) * op->mem.scale;
	/* DS, ES, FS and GS are the host's: null, with base 0. */
	if (op->mem.segment == ZYDIS_REGISTER_SS)
		off += ref_base(ref_desc(f->r->ss));
	else if (op->mem.segment == ZYDIS_REGISTER_CS)
		off += ref_base(ref_desc(f->r->cs));
	*lin = off;
	return true;
}

/* The first @len bytes of an operand. */
static bool ref_get(struct ref *f, ZydisDecodedOperand *op, u32 at, u32 len, u64 *val)
{
	u32 lin;

	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		*val = *ref_reg(f->r, op->reg.value) & ((1UL << 8 * len) - 1);
		return true;
	}
	if (!ref_ea(f, op, &lin) || !there(lin + at, len))
		return false;
	tallies[SEEN_LOAD].count++;
	*val = value_at(lin + at, len);
	return true;
}

static bool ref_store(u32 lin, u64 val, u32 len)
{
	if (!there(lin, len))
		return false;
	want.written = len;
	want.to = lin;
	memcpy(want.bytes, &val, len);
	return true;
}

static bool ref_put(struct ref *f, ZydisDecodedOperand *op, u64 val, u32 len)
{
	u64 *reg;
	u32 lin;

	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		reg = ref_reg(&want.r, op->reg.value);
		*reg = op->size == 16 ? (*reg & 0xffff0000) | (u16)val : (u32)val;
		return true;
	}
	tallies[SEEN_STORE].count++;
	return ref_ea(f, op, &lin) && ref_store(lin, val, len);
}

static bool event(enum event what, u64 a, u64 b)
{
	want.event = what;
	want.a = a;
	want.b = b;
	return true;
}

static bool ref_load_ss(u32 sel)
{
	if (!ref_stack(sel, 1))
		return false;
	want.r.ss = (sel & 0xfffc) | 1;
	tallies[SEEN_STACK].count++;
	return true;
}

static bool ref_jump(u32 sel, u32 ip)
{
	if (!ref_kernel_code(sel))
		return false;
	want.r.cs = (sel & 0xfffc) | 1;
	want.r.ip = ip;
	tallies[SEEN_FAR].count++;
	return true;
}

static bool ref_far(struct ref *f, bool call)
{
	u64 off, sel;

	if (f->op[0].type == ZYDIS_OPERAND_TYPE_POINTER) {
		off = f->op[0].ptr.offset;
		sel = f->op[0].ptr.segment;
	} else if (f->insn.operand_width != 32 || !ref_get(f, &f->op[0], 0, 4, &off) ||
		   !ref_get(f, &f->op[0], 4, 2, &sel)) {
		return false;
	}
	if (call && f->insn.operand_width != 32)
		return false;
	if (!ref_kernel_code(sel))
		return false;
	if (call) {
		if (!ref_store(ref_stack_lin(f->r, f->r->sp - 8),
			       (u32)(f->r->ip + f->insn.length) | f->r->cs << 32, 8))
			return false;
		want.r.sp = (u32)(f->r->sp - 8);
	}
	return ref_jump(sel, off);
}

static bool ref_retf(struct ref *f)
{
	u32 lin = ref_stack_lin(f->r, f->r->sp), sel;
	u32 more = f->insn.raw.imm[0].size ? f->insn.raw.imm[0].value.u : 0;

	if (f->insn.operand_width != 32 || !there(lin, 8))
		return false;
	sel = value_at(lin + 4, 2);
	if ((sel & 3) > 1 || !ref_jump(sel, value_at(lin, 4)))
		return false;
	want.r.sp = (u32)(f->r->sp + 8 + more);
	return true;
}

bool ref_program_code(u32 sel)
{
	u64 d = ref_desc(sel);

	if ((sel & 3) != 3 || (d >> 40 & 0x98) != 0x98)
		return false;
	return d >> 42 & 1 || ref_dpl(d) == 3;
}

/* The program faults at its first instruction. */
static bool ref_vm86(u32 lin)
{
	if (!there(lin + 12, 24))
		return false;
	tallies[SEEN_VM86].count++;
	want.vm86 = true;
	want.iret = true;
	want.r.ip = value_at(lin, 4);
	want.r.cs = value_at(lin + 4, 2) | 3;
	want.r.flags = (value_at(lin + 8, 4) & 0x277dd5) | 2;
	want.r.sp = value_at(lin + 12, 4);
	want.r.ss = value_at(lin + 16, 2);
	want.vif = value_at(lin + 8, 4) & 0x200;
	return event(EV_FAULT, X_GP, 0);
}

static bool ref_iret(struct ref *f)
{
	u32 lin = ref_stack_lin(f->r, f->r->sp), w[5], i, sel, flags;

	if (f->insn.operand_width != 32 || !there(lin, 12))
		return false;
	for (i = 0; i < 5; i++)
		w[i] = value_at(lin + 4 * i, 4);
	sel = w[1] & 0xffff;
	flags = w[2];
	if (flags >> 17 & 1)
		return ref_vm86(lin);
	tallies[SEEN_IRET].count++;
	if ((sel & 3) >= 2) {
		if (!there(lin + 12, 8))
			return false;
		if (!ref_program_code(sel))
			return event(EV_FAULT, X_GP, sel & 0xfffc);
		if (!ref_stack(w[4], 3) || (w[4] & 3) != 3)
			return event(EV_FAULT, X_GP, w[4] & 0xfffc);
		want.r.sp = w[3];
		want.r.ss = w[4] & 0xffff;
	} else if (!ref_kernel_code(sel)) {
		return event(EV_FAULT, X_GP, sel & 0xfffc);
	}
	if ((sel & 3) < 2)
		want.r.sp = (u32)(f->r->sp + 12);
	want.iret = true;
	want.r.ip = w[0];
	want.r.cs = sel | 1;
	/* CF, PF, AF, ZF, SF, TF, DF, OF, NT, RF, AC, ID; really always IF. */
	want.r.flags = (flags & 0x254dd5) | 0x202;
	want.vif = flags & 0x200;
	return true;
}

static bool ref_may_use(u32 port, u32 size)
{
	u64 d = ref_desc(vcpu.tr);
	u32 base = ref_base(d), map, i;

	if (!there(GDT_LIN + (vcpu.tr & ~7), 8) || !there(base + 0x66, 2))
		return false;
	map = value_at(base + 0x66, 2);
	if (map + port / 8 + 1 > ref_limit(d) || !there(base + map + port / 8, 2))
		return false;
	for (i = port; i < port + size; i++)
		if (value_at(base + map + i / 8, 1) >> i % 8 & 1)
			return false;
	tallies[SEEN_USER_IO].count++;
	return true;
}

static bool ref_io(struct ref *f, bool out)
{
	ZydisDecodedOperand *op = &f->op[out ? 0 : 1];
	u32 size = f->op[out ? 1 : 0].size / 8, port;
	u64 mask = (1UL << 8 * size) - 1;

	port = f->r->dx & 0xffff;
	if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		port = op->imm.value.u & 0xff;
	if ((f->r->cs & 3) == 3 && !ref_may_use(port, size))
		return false;
	if (out)
		return event(EV_OUT, port | size << 16, f->r->ax & mask);
	want.r.ax = (f->r->ax & ~mask & 0xffffffff) | (port_value(port) & mask);
	return event(EV_IN, port, size);
}

/* INS, OUTS: one element; @out. */
static bool ref_string(struct ref *f, bool out)
{
	bool rep = f->insn.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPNE |
					 ZYDIS_ATTRIB_HAS_REPE);
	u32 size = f->insn.opcode & 1 ? f->insn.operand_width / 8 : 1, port = f->r->dx & 0xffff;
	u32 mask = f->insn.address_width == 16 ? 0xffff : ~0u, lin, last;
	u64 *index = out ? &want.r.si : &want.r.di, val;

	if ((f->r->cs & 3) == 3 && !ref_may_use(port, size))
		return false;
	if (rep && !(f->r->cx & mask))
		return true;
	lin = *index & mask;
	if (out && f->insn.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_SS)
		lin += ref_base(ref_desc(f->r->ss));
	else if (out && f->insn.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_CS)
		lin += ref_base(ref_desc(f->r->cs));
	last = lin + size - 1;
	if (last < lin)
		return false;
	if (!there(lin, 1) || !there(last, 1)) {
		want.cr2 = there(lin, 1) ? last & ~0xfffu : lin;
		return event(EV_FAULT, X_PF, (out ? 0 : 2) | ((f->r->cs & 3) == 3 ? 4 : 0));
	}
	tallies[SEEN_STRING].count++;
	*index = (*index & ~(u64)mask) | ((*index + (f->r->flags & FLAG_DF ? -size : size)) & mask);
	if (rep)
		want.r.cx = (f->r->cx & ~(u64)mask) | ((f->r->cx - 1) & mask);
	if (rep && (want.r.cx & mask))
		want.r.ip = f->r->ip;
	val = out ? value_at(lin, size) : port_value(port) & (~0ul >> (64 - 8 * size));
	if (out)
		return event(EV_OUT, port | size << 16, val);
	return event(EV_IN, port, size) && ref_store(lin, val, size);
}

static bool ref_mov(struct ref *f)
{
	ZydisRegister to = f->op[0].reg.value, from = f->op[1].reg.value;
	u64 val;

	if (f->op[0].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	if (to == ZYDIS_REGISTER_SS)
		return ref_get(f, &f->op[1], 0, 2, &val) && ref_load_ss(val);
	if (f->op[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	if (from >= ZYDIS_REGISTER_DR0 && from <= ZYDIS_REGISTER_DR7) {
		*ref_reg(&want.r, to) = 0xd0000000 + (from - ZYDIS_REGISTER_DR0);
		return event(EV_GET_DR, from - ZYDIS_REGISTER_DR0, 0);
	}
	if (to >= ZYDIS_REGISTER_DR0 && to <= ZYDIS_REGISTER_DR7)
		return event(EV_SET_DR, to - ZYDIS_REGISTER_DR0, *ref_reg(f->r, from));
	switch (from) {
	case ZYDIS_REGISTER_CR0:
		*ref_reg(&want.r, to) = vcpu.cr0;
		return true;
	case ZYDIS_REGISTER_CR2:
		*ref_reg(&want.r, to) = shared->cr2;
		return true;
	case ZYDIS_REGISTER_CR3:
		*ref_reg(&want.r, to) = vcpu.cr3;
		return true;
	case ZYDIS_REGISTER_CR4:
		*ref_reg(&want.r, to) = vcpu.cr4;
		return true;
	default:
		break;
	}
	switch (to) {
	case ZYDIS_REGISTER_CR0:
		return event(EV_CR0, *ref_reg(f->r, from), 0);
	case ZYDIS_REGISTER_CR2:
		want.cr2 = *ref_reg(f->r, from);
		return true;
	case ZYDIS_REGISTER_CR3:
		return event(EV_CR3, *ref_reg(f->r, from), 0);
	case ZYDIS_REGISTER_CR4:
		return event(EV_CR4, *ref_reg(f->r, from), 0) && agree;
	default:
		return false;
	}
}

static bool ref_lss(struct ref *f)
{
	u64 off, sel, d;

	if (f->insn.operand_width != 32 || !ref_get(f, &f->op[1], 0, 4, &off) ||
	    !ref_get(f, &f->op[1], 4, 2, &sel))
		return false;
	d = ref_desc(sel);
	/* Linux's espfix: the flat stack stays, see load_ss(). */
	if (f->op[0].reg.value == ZYDIS_REGISTER_ESP && ref_stack(sel, 1) && ref_base(d)) {
		want.r.sp = (u32)(ref_base(d) + (d >> 54 & 1 ? off : off & 0xffff));
		tallies[SEEN_STACK].count++;
		return true;
	}
	if (!ref_load_ss(sel))
		return false;
	*ref_reg(&want.r, f->op[0].reg.value) = off;
	return true;
}

static bool ref_load_table(struct ref *f, u32 *base, u32 *limit)
{
	u64 b, l;

	if (!ref_get(f, &f->op[0], 0, 6, &l))
		return false;
	b = l >> 16;
	l &= 0xffff;
	*base = f->insn.operand_width == 16 ? b & 0xffffff : b;
	*limit = l;
	return true;
}

static bool ref_lldt(struct ref *f)
{
	u64 sel, d;

	if (!ref_get(f, &f->op[0], 0, 2, &sel))
		return false;
	if (sel > 3) {
		d = ref_desc(sel);
		if ((sel & 4) || (d >> 40 & 0x9f) != 0x82 ||
		    !there(GDT_LIN + (sel & 0xfff8), 8) || !there(ref_base(d), ref_limit(d) & ~7))
			return false;
	}
	want.ldt = sel > 3 ? sel : 0;
	return event(EV_LLDT, 0, 0);
}

static bool ref_system(struct ref *f)
{
	ZydisDecodedOperand *op = f->op;
	struct regs *r = f->r;
	u64 val;
	u32 lin;

	switch (f->insn.mnemonic) {
	case ZYDIS_MNEMONIC_SLDT:
		return ref_put(f, op, vcpu.ldt, 2);
	case ZYDIS_MNEMONIC_STR:
		return ref_put(f, op, vcpu.tr, 2);
	case ZYDIS_MNEMONIC_SMSW:
		return ref_put(f, op, vcpu.cr0, 2);
	case ZYDIS_MNEMONIC_SGDT:
		return ref_put(f, op, vcpu.gdt.limit | (u64)vcpu.gdt.base << 16, 6);
	case ZYDIS_MNEMONIC_SIDT:
		return ref_put(f, op, vcpu.idt.limit | (u64)vcpu.idt.base << 16, 6);
	case ZYDIS_MNEMONIC_LIDT:
		return ref_load_table(f, &want.idt_base, &want.idt_limit);
	case ZYDIS_MNEMONIC_LLDT:
		return ref_lldt(f);
	case ZYDIS_MNEMONIC_LTR:
		return ref_get(f, op, 0, 2, &val) && event(EV_TR, val, 0) && agree;
	case ZYDIS_MNEMONIC_LMSW:
		return ref_get(f, op, 0, 2, &val) &&
		       event(EV_CR0, (vcpu.cr0 & 0xfffffff1) | (val & 0xe), 0);
	case ZYDIS_MNEMONIC_INVLPG:
		return ref_ea(f, op, &lin) && event(EV_INVLPG, lin, 0);
	case ZYDIS_MNEMONIC_XSETBV:
		return event(EV_XCR, r->cx, r->ax | r->dx << 32) && agree;
	case ZYDIS_MNEMONIC_CLTS:
		return event(EV_CR0, vcpu.cr0 & ~8u, 0);
	case ZYDIS_MNEMONIC_INVD:
	case ZYDIS_MNEMONIC_WBINVD:
		return event(EV_WBINVD, 0, 0);
	case ZYDIS_MNEMONIC_WRMSR:
		return event(EV_WRMSR, r->cx, r->ax | r->dx << 32) && agree;
	case ZYDIS_MNEMONIC_RDMSR:
		if (!(event(EV_RDMSR, r->cx, 0) && agree))
			return false;
		want.r.ax = r->cx;
		want.r.dx = 0x12345678;
		return true;
	case ZYDIS_MNEMONIC_RDTSC:
		want.r.ax = got.r.ax;
		want.r.dx = got.r.dx;
		return true;
	default:
		return false;
	}
}

/* In ring 3: what shows the tables, without UMIP. */
static bool ref_user(struct ref *f)
{
	u32 lin, last, size = 2;

	switch (f->insn.mnemonic) {
	case ZYDIS_MNEMONIC_SGDT:
	case ZYDIS_MNEMONIC_SIDT:
		size = 6;
		break;
	case ZYDIS_MNEMONIC_SLDT:
	case ZYDIS_MNEMONIC_STR:
	case ZYDIS_MNEMONIC_SMSW:
		break;
	default:
		return false;
	}
	tallies[SEEN_USER_TABLE].count++;
	if (f->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
		return ref_system(f);
	if (!ref_ea(f, &f->op[0], &lin) || lin + size - 1 < lin)
		return false;
	last = lin + size - 1;
	if (there(lin, 1) && there(last, 1))
		return ref_system(f);
	want.cr2 = there(lin, 1) ? last & ~0xfffu : lin;
	return event(EV_FAULT, X_PF, 6);
}

/* What the instruction does in ring 1, EIP aside; false: it faults. */
static bool ref_kernel(struct ref *f)
{
	struct regs *r = f->r;
	u32 lin;

	switch (f->insn.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		return ref_mov(f);
	case ZYDIS_MNEMONIC_LSS:
		return ref_lss(f);
	case ZYDIS_MNEMONIC_POP:
		lin = ref_stack_lin(r, r->sp);
		if (f->insn.opcode != 0x17 || f->insn.operand_width != 32 || !there(lin, 2) ||
		    !ref_load_ss(value_at(lin, 2)))
			return false;
		want.r.sp = (u32)(r->sp + 4);
		return true;
	case ZYDIS_MNEMONIC_CALL:
	case ZYDIS_MNEMONIC_JMP:
		return f->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR &&
		       ref_far(f, f->insn.mnemonic == ZYDIS_MNEMONIC_CALL);
	case ZYDIS_MNEMONIC_RET:
		return f->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR && ref_retf(f);
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
		return ref_iret(f);
	case ZYDIS_MNEMONIC_HLT:
		if (!want.vif && !(r->flags & FLAG_TF))
			return event(EV_STOP, 0, 0);
		return true;
	case ZYDIS_MNEMONIC_CLI:
		want.vif = 0;
		return true;
	case ZYDIS_MNEMONIC_STI:
		if (!vcpu.vmi)		/* with paging on, as here */
			return event(EV_STOP, 0, 0);
		want.vif = 0x200;
		return true;
	default:
		return ref_system(f);
	}
}

/* MOV and POP of SS keep the trap of a single step back. */
static bool ref_loads_ss(struct ref *f)
{
	return (f->insn.mnemonic == ZYDIS_MNEMONIC_MOV ||
		f->insn.mnemonic == ZYDIS_MNEMONIC_POP) &&
	       f->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       f->op[0].reg.value == ZYDIS_REGISTER_SS;
}

static bool ref_apic(struct ref *f, u32 lin)
{
	ZydisDecodedOperand *op = f->op;
	u32 val;

	if (op[0].size != 32 || f->insn.operand_width != 32 ||
	    f->insn.address_width != 32)
		return false;
	switch (f->insn.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		if (op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			val = op[1].imm.value.u;
		else if (f->insn.opcode == 0x89 || f->insn.opcode == 0xa3)
			val = *ref_reg(f->r, op[1].reg.value);
		else
			return false;
		break;
	case ZYDIS_MNEMONIC_XCHG:
		val = *ref_reg(f->r, op[1].reg.value);
		*ref_reg(&want.r, op[1].reg.value) = 0xa0000000 + (lin & 0xff0);
		break;
	default:
		return false;
	}
	tallies[SEEN_APIC].count++;
	return event(EV_APIC, lin & 0xff0, val);
}

/* What shall happen; false: the instruction is none, anything may. */
bool expected(struct regs *r, bool apic, u32 lin)
{
	static ZydisDecoder decoder;
	struct ref f = { .r = r };
	u32 n = 0;

	while (n < INSN_MAX && there(code_lin + n, 1))
		n++;
	tallies[SEEN_CUT].count += n < INSN_MAX;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	if (!n || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, n, &f.insn, f.op)))
		return false;
	want.r = *r;
	want.r.ip = (u32)(r->ip + f.insn.length);
	/* It faulted with an address, so it has one. */
	if (apic && f.op[0].type != ZYDIS_OPERAND_TYPE_MEMORY)
		return false;
	if (apic)
		want.ok = ref_apic(&f, lin);
	else if (f.insn.mnemonic == ZYDIS_MNEMONIC_IN || f.insn.mnemonic == ZYDIS_MNEMONIC_OUT)
		want.ok = ref_io(&f, f.insn.mnemonic == ZYDIS_MNEMONIC_OUT);
	else if (f.insn.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && f.insn.opcode >= 0x6c &&
		 f.insn.opcode <= 0x6f)
		want.ok = ref_string(&f, f.insn.opcode & 2);
	else if ((r->cs & 3) != 1)
		want.ok = ref_user(&f);
	else if (f.insn.mnemonic == ZYDIS_MNEMONIC_LGDT)
		return false;	/* its descriptors may be anywhere: not ours */
	else
		want.ok = ref_kernel(&f);
	/* A fault that the emulator raises itself. */
	if ((!want.ok || want.event == EV_FAULT) && !want.vm86)
		want.r = *r;
	if (!want.ok || want.event == EV_FAULT || want.event == EV_STOP)
		return true;
	want.held = want.vif;
	want.step = r->flags & FLAG_TF && !ref_loads_ss(&f);
	tallies[SEEN_STEP].count += want.step;
	if (f.insn.mnemonic != ZYDIS_MNEMONIC_IRETD)
		want.r.flags &= ~(u64)FLAG_RF;
	return true;
}
