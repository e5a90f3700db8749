// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trap and emulate, for code that is not patched: the decompressor, the kernel's
 * first steps, and what little has no call.  All of it faults in ring 1.
 */
#include "ring1.h"

/* A selector for the kernel's CS: RPL 1 whatever the guest wrote. */
static bool load_cs(struct vcpu *v, struct regs *r, u16 sel, u32 ip)
{
	if (!kernel_code_ok(v, sel))
		return false;
	r->cs = (sel & ~3) | 1;
	r->ip = ip;
	v->count[C_EMUL_FAR]++;
	return true;
}

/*
 * Load SS; with LSS, also ESP.  A stack that does not start at 0 is Linux's espfix,
 * which our own IRET does without: the guest stays on its flat stack, same place.
 */
static bool load_ss(struct vcpu *v, struct regs *r, u16 sel, u32 *esp)
{
	u64 d;

	/* The guest may have written the descriptor itself (espfix does). */
	if (!(sel & 4) && sel >> 3 < v->gdt_copied &&
	    guest_read(v, v->gdt.base + (sel & ~7), &d, 8))
		guest_gdt_write(v, r, sel >> 3, d);
	if (!stack_ok(v, sel, 1))
		return false;
	v->count[C_EMUL_SEG]++;
	if (esp && desc_base(*real_desc(v, sel))) {
		r->sp = stack_lin(v, sel, *esp);
		return true;
	}
	r->ss = (sel & ~3) | 1;
	if (esp)
		r->sp = *esp;
	return true;
}

/* Flags that an IRET may bring; the interrupt flag is the guest's own. */
#define IRET_FLAGS	(0xcd5u | FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | 1u << 21)

/*
 * IRET to virtual 8086 mode, which there is none of.  To the guest's kernel its program
 * faults at once, as by an instruction that is not emulated: vm86() returns.
 */
static enum outcome fault_in_vm86(struct vcpu *v, struct regs *r, const u32 *f)
{
	u32 segments[4] = { (u16)f[5], (u16)f[6], (u16)f[7], (u16)f[8] }, cs = (u16)f[1];
	enum outcome done;

	v->sh->esp0 -= sizeof(segments);
	if (!guest_write(v, stack_lin(v, v->sh->ss0 | 1, v->sh->esp0), segments,
			 sizeof(segments)))
		return stop(v, "the guest's kernel stack is not there");
	r->ip = f[0];
	r->cs = cs | 3;
	r->flags = (f[2] & (IRET_FLAGS | FLAG_IOPL | FLAG_VM)) | 2;
	r->sp = f[3];
	r->ss = (u16)f[4];
	v->sh->vif = f[2] & FLAG_IF;
	done = deliver(v, r, X_GP, true, 0, false);
	v->sh->esp0 += sizeof(segments);
	if (done == DONE)
		guest_write(v, stack_lin(v, r->ss, r->sp + 8), &cs, sizeof(cs));
	return raised(done);
}

/*
 * An IRET with frame @f must fault.  To a kernel that would not know what to do it
 * looks as if it had been done, and its program had faulted.
 */
static enum outcome iret_fault(struct vcpu *v, struct regs *r, const u32 *f, u32 sp, u16 sel)
{
	if ((f[1] & 3) == 3 && !rom_knows_iret(v, r->ip)) {
		nmi_unblock(v);
		r->ip = f[0];
		r->cs = (u16)f[1];
		r->flags = (f[2] & IRET_FLAGS) | FLAG_IF | 2;
		r->sp = f[3];
		r->ss = (u16)f[4];
		v->sh->vif = f[2] & FLAG_IF;
	} else {
		r->sp = sp;
	}
	return raised(deliver(v, r, X_GP, true, sel & 0xfffc, false));
}

/**
 * do_iret - the guest's IRET
 * @v: the virtual CPU
 * @r: its registers
 * @skip: bytes of the stack above which the frame is; EAX lies there if not 0
 *
 * Return: FAULT if the stack cannot be read.  An IRET that must fault has
 * raised the guest's #GP.
 */
enum outcome do_iret(struct vcpu *v, struct regs *r, u32 skip)
{
	u32 lin = stack_lin(v, r->ss, r->sp), f[9], n = 3, ax = r->ax;
	u64 *d;

	if (skip && !guest_read(v, lin, &ax, 4))
		return FAULT;
	if (!guest_read(v, lin + skip, f, 12))
		return FAULT;
	r->ax = ax;
	if (f[2] & FLAG_VM) {
		if (!guest_read(v, lin + skip + 12, f + 3, 24))
			return FAULT;
		nmi_unblock(v);
		return fault_in_vm86(v, r, f);
	}
	if ((f[1] & 3) >= 2) {
		n = 5;
		if (!guest_read(v, lin + skip + 12, f + 3, 8))
			return FAULT;
		d = real_desc(v, f[1]);
		if ((f[1] & 3) == 2 || !d || (*d >> 43 & 3) != 3 || !(*d >> 47 & 1) ||
		    (*d >> 42 & 1 ? 0 : (*d >> 45 & 3) != 3))
			return iret_fault(v, r, f, r->sp + skip, f[1]);
		if (!stack_ok(v, f[4], 3) || (f[4] & 3) != 3)
			return iret_fault(v, r, f, r->sp + skip, f[4]);
	} else if (!kernel_code_ok(v, f[1])) {
		return iret_fault(v, r, f, r->sp + skip, f[1]);
	}
	nmi_unblock(v);
	r->ip = f[0];
	r->cs = (f[1] & 0xffff) | 1;
	r->flags = (f[2] & IRET_FLAGS) | FLAG_IF | 2;
	v->sh->vif = f[2] & FLAG_IF;
	if (n == 5) {
		r->sp = f[3];
		r->ss = f[4] & 0xffff;
		close_ports(v);
	} else {
		r->sp = (u32)(r->sp + skip + 12);
	}
	return DONE;
}

/* Memory of the emulated instruction's, at its privilege; or its page fault is raised. */
enum outcome check_access(struct vcpu *v, struct regs *r, struct insn *i, u32 lin, u32 len,
			  u32 access)
{
	u32 last = lin + len - 1, pfec;

	if (last < lin)
		return FAULT;
	if ((r->cs & 3) == 3)
		access |= ACC_USER;
	while (guest_access(v, lin, access, &pfec)) {
		if (lin >> 12 == last >> 12)
			return DONE;
		lin = last & ~0xfffu;
	}
	r->ip = (u32)(r->ip - i->len);
	v->sh->cr2 = lin;
	v->count[C_PF_GUEST]++;
	return raised(deliver(v, r, X_PF, true, pfec, false));
}

static bool is_io(struct insn *i)
{
	return !i->two && ((i->op >= 0xe4 && i->op <= 0xe7) || (i->op >= 0xec && i->op <= 0xef) ||
			   (i->op >= 0x6c && i->op <= 0x6f));
}

static bool far_transfer(struct vcpu *v, struct regs *r, struct insn *i)
{
	u32 off = i->imm, f[2];
	u16 sel = i->imm_sel;

	if (i->op == 0xff) {
		if (!guest_read(v, i->ea, &off, 4) || !guest_read(v, i->ea + 4, &sel, 2))
			return false;
	}
	if (i->op == 0x9a || (i->op == 0xff && (i->modrm >> 3 & 7) == 3)) {
		f[0] = r->ip;
		f[1] = r->cs;
		if (!kernel_code_ok(v, sel) ||
		    !guest_write(v, stack_lin(v, r->ss, r->sp - 8), f, 8))
			return false;
		r->sp = (u32)(r->sp - 8);
	}
	return load_cs(v, r, sel, off);
}

static bool far_return(struct vcpu *v, struct regs *r, struct insn *i)
{
	u32 f[2];

	if (!guest_read(v, stack_lin(v, r->ss, r->sp), f, 8) || (f[1] & 3) > 1 ||
	    !load_cs(v, r, f[1], f[0]))
		return false;
	r->sp = (u32)(r->sp + 8 + i->imm);
	return true;
}

/* The 16-bit operand of a ModRM byte. */
static bool load16(struct vcpu *v, struct regs *r, struct insn *i, u16 *val)
{
	if (i->modrm < 0xc0)
		return guest_read(v, i->ea, val, 2);
	*val = get_reg(r, i->modrm);
	return true;
}

/* A register is written as a whole, unless the operand's size is 16 bits. */
static bool store16(struct vcpu *v, struct regs *r, struct insn *i, u32 val)
{
	if (i->modrm < 0xc0)
		return guest_write(v, i->ea, &val, 2);
	if (i->op16)
		val = (val & 0xffff) | (get_reg(r, i->modrm) & 0xffff0000);
	set_reg(r, i->modrm, val);
	return true;
}

/* Group 0F 00: SLDT, STR (with UMIP), LLDT, LTR. */
static enum outcome group_6(struct vcpu *v, struct regs *r, struct insn *i)
{
	u32 op = i->modrm >> 3 & 7;
	u16 sel;

	v->count[C_EMUL_DT]++;
	if (op <= 1)
		return done_if(store16(v, r, i, op ? v->tr : v->ldt));
	if (op > 3 || !load16(v, r, i, &sel))
		return FAULT;
	return done_if(op == 2 ? load_guest_ldt(v, sel) : set_tr(v, sel));
}

/* Group 0F 01: descriptor tables, machine status word, INVLPG, XSETBV. */
static enum outcome group_7(struct vcpu *v, struct regs *r, struct insn *i)
{
	u32 op = i->modrm >> 3 & 7;
	u16 val;

	v->count[C_EMUL_DT]++;
	if (i->modrm == 0xd1)
		return done_if(write_xcr_safe(r->cx, (u32)r->ax | r->dx << 32));
	if (i->modrm >= 0xc0 && op != 4 && op != 6)
		return FAULT;
	switch (op) {
	case 0:
	case 1:
		return done_if(guest_write(v, i->ea, op ? &v->idt : &v->gdt,
					   sizeof(v->gdt)));
	case 2:
	case 3:
		return done_if(load_table(v, r, i->ea, op == 3, i->op16));
	case 4:
		return done_if(store16(v, r, i, v->cr0));
	case 6:
		if (!load16(v, r, i, &val))
			return FAULT;
		return set_cr0(v, (v->cr0 & ~0xeu) | (val & 0xe));
	case 7:
		v->count[C_EMUL_TLB]++;
		shadow_inval(v, i->ea);
		return DONE;
	}
	return FAULT;
}

/*
 * SGDT, SIDT, SLDT, STR, SMSW of a program.  The real CR4.UMIP is set where there is
 * one; the guest's says what its programs may see.
 */
static enum outcome store_for_user(struct vcpu *v, struct regs *r, struct insn *i)
{
	u32 op = i->modrm >> 3 & 7;
	bool table = i->op == 0x01 && op <= 1 && i->modrm < 0xc0;
	enum outcome done = DONE;

	if (!i->two || i->op > 0x01 || (v->cr4 & CR4_UMIP) ||
	    !(table || op == (i->op ? 4 : 0) || op == (i->op ? 4 : 1)))
		return FAULT;
	if (i->modrm < 0xc0)
		done = check_access(v, r, i, i->ea, table ? sizeof(v->gdt) : 2, ACC_WRITE);
	if (done != DONE)
		return done;
	return i->op ? group_7(v, r, i) : group_6(v, r, i);
}

static enum outcome move_cr(struct vcpu *v, struct regs *r, struct insn *i)
{
	u32 n = i->modrm >> 3 & 7, val = get_reg(r, i->modrm);

	v->count[C_EMUL_CR]++;
	if (i->op == 0x20) {
		if (n == 1 || n > 4)
			return FAULT;
		val = n == 0 ? v->cr0 : n == 2 ? v->sh->cr2 : n == 3 ? v->cr3 : v->cr4;
		set_reg(r, i->modrm, val);
		return DONE;
	}
	if (n == 0)
		return set_cr0(v, val);
	if (n == 2)
		v->sh->cr2 = val;
	else
		return done_if(n == 3 ? set_cr3(v, val) : n == 4 && set_cr4(v, val));
	return DONE;
}

static enum outcome two_byte(struct vcpu *v, struct regs *r, struct insn *i)
{
	u32 n = i->modrm >> 3 & 7, off;
	u64 val;
	u16 sel;

	switch (i->op) {
	case 0x00:
		return group_6(v, r, i);
	case 0x01:
		return group_7(v, r, i);
	case 0x06:
		v->count[C_EMUL_CR]++;
		return set_cr0(v, v->cr0 & ~CR0_TS);
	case 0x08:
	case 0x09:
		v->count[C_EMUL_OTHER]++;
		host_wbinvd();
		return DONE;
	case 0x20:
	case 0x22:
		return move_cr(v, r, i);
	case 0x21:
		v->count[C_EMUL_CR]++;
		set_reg(r, i->modrm, get_dr(v, n));
		return DONE;
	case 0x23:
		v->count[C_EMUL_CR]++;
		set_dr(v, n, get_reg(r, i->modrm));
		return DONE;
	case 0x30:
		v->count[C_EMUL_MSR]++;
		return done_if(guest_wrmsr(v, r->cx, (u32)r->ax | r->dx << 32));
	case 0x31:
		set_edx_eax(r, rdtsc());
		return DONE;
	case 0x32:
		v->count[C_EMUL_MSR]++;
		if (!guest_rdmsr(v, r->cx, &val))
			return FAULT;
		set_edx_eax(r, val);
		return DONE;
	case 0xb2:
		if (i->op16 || i->modrm >= 0xc0 || !guest_read(v, i->ea, &off, 4) ||
		    !guest_read(v, i->ea + 4, &sel, 2))
			return FAULT;
		if (n == 4)
			return done_if(load_ss(v, r, sel, &off));
		if (!load_ss(v, r, sel, NULL))
			return FAULT;
		set_reg(r, n, off);
		return DONE;
	}
	return FAULT;
}

static enum outcome one_byte(struct vcpu *v, struct regs *r, struct insn *i)
{
	u16 sel;

	/* Frames and far pointers of 16 bits are not for a 32-bit kernel. */
	if (i->op16 && (i->op == 0x17 || i->op == 0x9a || i->op == 0xff ||
			(i->op >= 0xca && i->op <= 0xcf)))
		return FAULT;
	switch (i->op) {
	case 0x17:		/* pop %ss */
		if (!guest_read(v, stack_lin(v, r->ss, r->sp), &sel, 2) ||
		    !load_ss(v, r, sel, NULL))
			return FAULT;
		r->sp = (u32)(r->sp + 4);
		return DONE;
	case 0x8e:		/* mov to %ss */
		return done_if((i->modrm >> 3 & 7) == 2 && load16(v, r, i, &sel) &&
			       load_ss(v, r, sel, NULL));
	case 0x9a:
	case 0xea:
		return done_if(far_transfer(v, r, i));
	case 0xff:
		return done_if(((i->modrm >> 3 & 7) == 3 || (i->modrm >> 3 & 7) == 5) &&
			       i->modrm < 0xc0 && far_transfer(v, r, i));
	case 0xca:
	case 0xcb:
		return done_if(far_return(v, r, i));
	case 0xcf:
		v->count[C_EMUL_IRET]++;
		r->ip = (u32)(r->ip - i->len);	/* where it faults, if it does */
		return do_iret(v, r, 0);
	case 0xf4:
		v->count[C_EMUL_HLT]++;
		r->flags &= ~(u64)FLAG_RF;
		if (r->flags & FLAG_TF)
			return DONE;		/* a single step ends it */
		return v->sh->vif ? guest_halt(v, r) : halt_closed(v, r);
	case 0xfa:
		v->count[C_EMUL_FLAGS]++;
		v->sh->vif = 0;
		return DONE;
	case 0xfb:
		v->count[C_EMUL_FLAGS]++;
		/* By now a kernel that knows VMI has patched this: POPF would not trap. */
		if (!v->vmi && (v->cr0 & CR0_PG))
			return end(v, END_REFUSED, "this kernel knows no VMI, or has it off");
		v->sh->vif = FLAG_IF;
		return DONE;
	}
	return FAULT;
}

/* A load of SS keeps the trap back until the next instruction is done, too. */
static bool keeps_step_back(struct insn *i)
{
	return !i->two && (i->op == 0x17 || i->op == 0x8e);
}

/* The instruction is done: the trap of a single step, then what waits for the flag. */
enum outcome retire(struct vcpu *v, struct regs *r, bool step)
{
	if (step) {
		raise_dr6(v, DR6_BS);
		if (deliver(v, r, X_DB, false, 0, false) == STOP)
			return STOP;
	}
	return v->sh->vif && v->sh->pending ? deliver_held(v, r) : DONE;
}

/**
 * emulate - the instruction at which the guest faulted
 * @v: the virtual CPU
 * @r: its registers
 *
 * Return: FAULT with the registers as they were, if it is the guest's own fault.
 */
enum outcome emulate(struct vcpu *v, struct regs *r)
{
	u64 ip = r->ip, flags = r->flags;
	enum outcome done;
	struct insn i;

	if (!decode(v, r, &i))
		return FAULT;
	r->ip = (u32)(ip + i.len);
	if (is_io(&i))
		done = emulate_io(v, r, &i);
	else if (i.two && i.op == 0xa2)
		done = done_if(guest_cpuid(v, r));
	else if ((r->cs & 3) != 1)
		done = store_for_user(v, r, &i);
	else
		done = i.two ? two_byte(v, r, &i) : one_byte(v, r, &i);
	if (done == FAULT) {
		r->ip = ip;
		r->flags = flags;
	}
	if (done != DONE)
		return done;
	if (i.two || i.op != 0xcf)
		r->flags &= ~(u64)FLAG_RF;
	return retire(v, r, (flags & FLAG_TF) && !keeps_step_back(&i));
}

/**
 * general_protection - the guest's #GP: a privileged instruction, INT n, or its own
 * @v: the virtual CPU
 * @r: its registers
 *
 * Return: FAULT if it is its own.
 */
enum outcome general_protection(struct vcpu *v, struct regs *r)
{
	u8 code[2] = { 0, 0 };

	guest_read(v, seg_base(v, r->cs) + r->ip, code, 2);
	/* Error code: the gate's index; QEMU before 8.0 counts in gates of 8 bytes. */
	if ((r->err & 2) && code[0] == 0xcd &&
	    (r->err >> 3 == code[1] || r->err >> 4 == code[1])) {
		r->ip += 2;
		return deliver(v, r, code[1], false, 0, true);
	}
	/* SYSENTER: CPUID says that there is none. */
	if (code[0] == 0x0f && code[1] == 0x34)
		return deliver(v, r, X_UD, false, 0, false);
	return emulate(v, r);
}
