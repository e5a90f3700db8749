// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trap and emulate, for code that is not patched: the decompressor, the kernel's
 * first steps, and what little has no call.  All of it faults in ring 1.
 */
#include "ring1.h"

/* A selector for the kernel's CS: RPL 1 whatever the guest wrote. */
static bool load_cs(struct vcpu *vcpu, struct regs *regs, u16 sel, u32 ip)
{
	if (!kernel_code_ok(vcpu, sel))
		return false;
	regs->cs = (sel & ~3) | 1;
	regs->ip = ip;
	vcpu->count[C_EMUL_FAR]++;
	return true;
}

/*
 * Load SS; with LSS, also ESP.  A stack that does not start at 0 is Linux's espfix,
 * which our own IRET does without: the guest stays on its flat stack, same place.
 */
static bool load_ss(struct vcpu *vcpu, struct regs *regs, u16 sel, u32 *esp)
{
	u64 d;

	/* The guest may have written the descriptor itself (espfix does). */
	if (!(sel & 4) && sel >> 3 < vcpu->gdt_copied &&
	    guest_read(vcpu, vcpu->gdt.base + (sel & ~7), &d, 8))
		guest_gdt_write(vcpu, regs, sel >> 3, d);
	if (!stack_ok(vcpu, sel, 1))
		return false;
	vcpu->count[C_EMUL_SEG]++;
	if (esp && desc_base(*real_desc(vcpu, sel))) {
		regs->sp = stack_lin(vcpu, sel, *esp);
		return true;
	}
	regs->ss = (sel & ~3) | 1;
	if (esp)
		regs->sp = *esp;
	return true;
}

/* Flags that an IRET may bring; the interrupt flag is the guest's own. */
#define IRET_FLAGS	(0xcd5u | FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | 1u << 21)

/*
 * IRET to virtual 8086 mode, which there is none of.  To the guest's kernel its program
 * faults at once, as by an instruction that is not emulated: vm86() returns.
 */
static enum outcome fault_in_vm86(struct vcpu *vcpu, struct regs *regs, const u32 *f)
{
	u32 segments[4] = { (u16)f[5], (u16)f[6], (u16)f[7], (u16)f[8] }, cs = (u16)f[1];
	enum outcome done;

	vcpu->sh->esp0 -= sizeof(segments);
	if (!guest_write(vcpu, stack_lin(vcpu, vcpu->sh->ss0 | 1, vcpu->sh->esp0), segments,
			 sizeof(segments)))
		return stop(vcpu, "the guest's kernel stack is not there");
	regs->ip = f[0];
	regs->cs = cs | 3;
	regs->flags = (f[2] & (IRET_FLAGS | FLAG_IOPL | FLAG_VM)) | 2;
	regs->sp = f[3];
	regs->ss = (u16)f[4];
	vcpu->sh->vif = f[2] & FLAG_IF;
	done = deliver(vcpu, regs, X_GP, true, 0, false);
	vcpu->sh->esp0 += sizeof(segments);
	if (done == DONE)
		guest_write(vcpu, stack_lin(vcpu, regs->ss, regs->sp + 8), &cs, sizeof(cs));
	return raised(done);
}

/*
 * An IRET with frame @f must fault.  To a kernel that would not know what to do it
 * looks as if it had been done, and its program had faulted.
 */
static enum outcome iret_fault(struct vcpu *vcpu, struct regs *regs, const u32 *f, u32 sp, u16 sel)
{
	if ((f[1] & 3) == 3 && !rom_knows_iret(vcpu, regs->ip)) {
		nmi_unblock(vcpu);
		regs->ip = f[0];
		regs->cs = (u16)f[1];
		regs->flags = (f[2] & IRET_FLAGS) | FLAG_IF | 2;
		regs->sp = f[3];
		regs->ss = (u16)f[4];
		vcpu->sh->vif = f[2] & FLAG_IF;
	} else {
		regs->sp = sp;
	}
	return raised(deliver(vcpu, regs, X_GP, true, sel & 0xfffc, false));
}

/**
 * do_iret - the guest's IRET
 * @vcpu: the virtual CPU
 * @regs: its registers
 * @skip: bytes of the stack above which the frame is; EAX lies there if not 0
 *
 * Return: FAULT if the stack cannot be read.  An IRET that must fault has
 * raised the guest's #GP.
 */
enum outcome do_iret(struct vcpu *vcpu, struct regs *regs, u32 skip)
{
	u32 gva = stack_lin(vcpu, regs->ss, regs->sp), f[9], n = 3, ax = regs->ax;
	u64 *d;

	if (skip && !guest_read(vcpu, gva, &ax, 4))
		return FAULT;
	if (!guest_read(vcpu, gva + skip, f, 12))
		return FAULT;
	regs->ax = ax;
	if (f[2] & FLAG_VM) {
		if (!guest_read(vcpu, gva + skip + 12, f + 3, 24))
			return FAULT;
		nmi_unblock(vcpu);
		return fault_in_vm86(vcpu, regs, f);
	}
	if ((f[1] & 3) >= 2) {
		n = 5;
		if (!guest_read(vcpu, gva + skip + 12, f + 3, 8))
			return FAULT;
		d = real_desc(vcpu, f[1]);
		if ((f[1] & 3) == 2 || !d || (*d >> 43 & 3) != 3 || !(*d >> 47 & 1) ||
		    (*d >> 42 & 1 ? 0 : (*d >> 45 & 3) != 3))
			return iret_fault(vcpu, regs, f, regs->sp + skip, f[1]);
		if (!stack_ok(vcpu, f[4], 3) || (f[4] & 3) != 3)
			return iret_fault(vcpu, regs, f, regs->sp + skip, f[4]);
	} else if (!kernel_code_ok(vcpu, f[1])) {
		return iret_fault(vcpu, regs, f, regs->sp + skip, f[1]);
	}
	nmi_unblock(vcpu);
	regs->ip = f[0];
	regs->cs = (f[1] & 0xffff) | 1;
	regs->flags = (f[2] & IRET_FLAGS) | FLAG_IF | 2;
	vcpu->sh->vif = f[2] & FLAG_IF;
	if (n == 5) {
		regs->sp = f[3];
		regs->ss = f[4] & 0xffff;
		close_ports(vcpu);
	} else {
		regs->sp = (u32)(regs->sp + skip + 12);
	}
	return DONE;
}

/* Memory of the emulated instruction's, at its privilege; or its page fault is raised. */
enum outcome check_access(struct vcpu *vcpu, struct regs *regs, struct insn *i, u32 gva, u32 len,
			  u32 access)
{
	u32 last = gva + len - 1, pfec;

	if (last < gva)
		return FAULT;
	if ((regs->cs & 3) == 3)
		access |= ACC_USER;
	while (guest_access(vcpu, gva, access, &pfec)) {
		if (gva >> 12 == last >> 12)
			return DONE;
		gva = last & ~0xfffu;
	}
	regs->ip = (u32)(regs->ip - i->len);
	vcpu->sh->cr2 = gva;
	vcpu->count[C_PF_GUEST]++;
	return raised(deliver(vcpu, regs, X_PF, true, pfec, false));
}

static bool is_io(struct insn *i)
{
	return !i->two && ((i->op >= 0xe4 && i->op <= 0xe7) || (i->op >= 0xec && i->op <= 0xef) ||
			   (i->op >= 0x6c && i->op <= 0x6f));
}

static bool far_transfer(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u32 off = i->imm, f[2];
	u16 sel = i->imm_sel;

	if (i->op == 0xff) {
		if (!guest_read(vcpu, i->ea, &off, 4) || !guest_read(vcpu, i->ea + 4, &sel, 2))
			return false;
	}
	if (i->op == 0x9a || (i->op == 0xff && (i->modrm >> 3 & 7) == 3)) {
		f[0] = regs->ip;
		f[1] = regs->cs;
		if (!kernel_code_ok(vcpu, sel) ||
		    !guest_write(vcpu, stack_lin(vcpu, regs->ss, regs->sp - 8), f, 8))
			return false;
		regs->sp = (u32)(regs->sp - 8);
	}
	return load_cs(vcpu, regs, sel, off);
}

static bool far_return(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u32 f[2];

	if (!guest_read(vcpu, stack_lin(vcpu, regs->ss, regs->sp), f, 8) || (f[1] & 3) > 1 ||
	    !load_cs(vcpu, regs, f[1], f[0]))
		return false;
	regs->sp = (u32)(regs->sp + 8 + i->imm);
	return true;
}

/* The 16-bit operand of a ModRM byte. */
static bool load16(struct vcpu *vcpu, struct regs *regs, struct insn *i, u16 *val)
{
	if (i->modrm < 0xc0)
		return guest_read(vcpu, i->ea, val, 2);
	*val = get_reg(regs, i->modrm);
	return true;
}

/* A register is written as a whole, unless the operand's size is 16 bits. */
static bool store16(struct vcpu *vcpu, struct regs *regs, struct insn *i, u32 val)
{
	if (i->modrm < 0xc0)
		return guest_write(vcpu, i->ea, &val, 2);
	if (i->op16)
		val = (val & 0xffff) | (get_reg(regs, i->modrm) & 0xffff0000);
	set_reg(regs, i->modrm, val);
	return true;
}

/* Group 0F 00: SLDT, STR (with UMIP), LLDT, LTR. */
static enum outcome group_6(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u32 op = i->modrm >> 3 & 7;
	u16 sel;

	vcpu->count[C_EMUL_DT]++;
	if (op <= 1)
		return done_if(store16(vcpu, regs, i, op ? vcpu->tr : vcpu->ldt));
	if (op > 3 || !load16(vcpu, regs, i, &sel))
		return FAULT;
	return done_if(op == 2 ? load_guest_ldt(vcpu, sel) : set_tr(vcpu, sel));
}

/* Group 0F 01: descriptor tables, machine status word, INVLPG, XSETBV. */
static enum outcome group_7(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u32 op = i->modrm >> 3 & 7;
	u16 val;

	vcpu->count[C_EMUL_DT]++;
	if (i->modrm == 0xd1)
		return done_if(write_xcr_safe(regs->cx, (u32)regs->ax | regs->dx << 32));
	if (i->modrm >= 0xc0 && op != 4 && op != 6)
		return FAULT;
	switch (op) {
	case 0:
	case 1:
		return done_if(guest_write(vcpu, i->ea, op ? &vcpu->idt : &vcpu->gdt,
					   sizeof(vcpu->gdt)));
	case 2:
	case 3:
		return done_if(load_table(vcpu, regs, i->ea, op == 3, i->op16));
	case 4:
		return done_if(store16(vcpu, regs, i, vcpu->cr0));
	case 6:
		if (!load16(vcpu, regs, i, &val))
			return FAULT;
		return set_cr0(vcpu, (vcpu->cr0 & ~0xeu) | (val & 0xe));
	case 7:
		vcpu->count[C_EMUL_TLB]++;
		shadow_inval(vcpu, i->ea);
		return DONE;
	}
	return FAULT;
}

/*
 * SGDT, SIDT, SLDT, STR, SMSW of a program.  The real CR4.UMIP is set where there is
 * one; the guest's says what its programs may see.
 */
static enum outcome store_for_user(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u32 op = i->modrm >> 3 & 7;
	bool table = i->op == 0x01 && op <= 1 && i->modrm < 0xc0;
	enum outcome done = DONE;

	if (!i->two || i->op > 0x01 || (vcpu->cr4 & CR4_UMIP) ||
	    !(table || op == (i->op ? 4 : 0) || op == (i->op ? 4 : 1)))
		return FAULT;
	if (i->modrm < 0xc0)
		done = check_access(vcpu, regs, i, i->ea, table ? sizeof(vcpu->gdt) : 2, ACC_WRITE);
	if (done != DONE)
		return done;
	return i->op ? group_7(vcpu, regs, i) : group_6(vcpu, regs, i);
}

static enum outcome move_cr(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u32 n = i->modrm >> 3 & 7, val = get_reg(regs, i->modrm);

	vcpu->count[C_EMUL_CR]++;
	if (i->op == 0x20) {
		if (n == 1 || n > 4)
			return FAULT;
		val = n == 0 ? vcpu->cr0 : n == 2 ? vcpu->sh->cr2 : n == 3 ? vcpu->cr3 : vcpu->cr4;
		set_reg(regs, i->modrm, val);
		return DONE;
	}
	if (n == 0)
		return set_cr0(vcpu, val);
	if (n == 2)
		vcpu->sh->cr2 = val;
	else
		return done_if(n == 3 ? set_cr3(vcpu, val) : n == 4 && set_cr4(vcpu, val));
	return DONE;
}

static enum outcome two_byte(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u32 n = i->modrm >> 3 & 7, off;
	u64 val;
	u16 sel;

	switch (i->op) {
	case 0x00:
		return group_6(vcpu, regs, i);
	case 0x01:
		return group_7(vcpu, regs, i);
	case 0x06:
		vcpu->count[C_EMUL_CR]++;
		return set_cr0(vcpu, vcpu->cr0 & ~CR0_TS);
	case 0x08:
	case 0x09:
		vcpu->count[C_EMUL_OTHER]++;
		host_wbinvd();
		return DONE;
	case 0x20:
	case 0x22:
		return move_cr(vcpu, regs, i);
	case 0x21:
		vcpu->count[C_EMUL_CR]++;
		set_reg(regs, i->modrm, get_dr(vcpu, n));
		return DONE;
	case 0x23:
		vcpu->count[C_EMUL_CR]++;
		set_dr(vcpu, n, get_reg(regs, i->modrm));
		return DONE;
	case 0x30:
		vcpu->count[C_EMUL_MSR]++;
		return done_if(guest_wrmsr(vcpu, regs->cx, (u32)regs->ax | regs->dx << 32));
	case 0x31:
		set_edx_eax(regs, rdtsc());
		return DONE;
	case 0x32:
		vcpu->count[C_EMUL_MSR]++;
		if (!guest_rdmsr(vcpu, regs->cx, &val))
			return FAULT;
		set_edx_eax(regs, val);
		return DONE;
	case 0xb2:
		if (i->op16 || i->modrm >= 0xc0 || !guest_read(vcpu, i->ea, &off, 4) ||
		    !guest_read(vcpu, i->ea + 4, &sel, 2))
			return FAULT;
		if (n == 4)
			return done_if(load_ss(vcpu, regs, sel, &off));
		if (!load_ss(vcpu, regs, sel, NULL))
			return FAULT;
		set_reg(regs, n, off);
		return DONE;
	}
	return FAULT;
}

static enum outcome one_byte(struct vcpu *vcpu, struct regs *regs, struct insn *i)
{
	u16 sel;

	/* Frames and far pointers of 16 bits are not for a 32-bit kernel. */
	if (i->op16 && (i->op == 0x17 || i->op == 0x9a || i->op == 0xff ||
			(i->op >= 0xca && i->op <= 0xcf)))
		return FAULT;
	switch (i->op) {
	case 0x17:		/* pop %ss */
		if (!guest_read(vcpu, stack_lin(vcpu, regs->ss, regs->sp), &sel, 2) ||
		    !load_ss(vcpu, regs, sel, NULL))
			return FAULT;
		regs->sp = (u32)(regs->sp + 4);
		return DONE;
	case 0x8e:		/* mov to %ss */
		return done_if((i->modrm >> 3 & 7) == 2 && load16(vcpu, regs, i, &sel) &&
			       load_ss(vcpu, regs, sel, NULL));
	case 0x9a:
	case 0xea:
		return done_if(far_transfer(vcpu, regs, i));
	case 0xff:
		return done_if(((i->modrm >> 3 & 7) == 3 || (i->modrm >> 3 & 7) == 5) &&
			       i->modrm < 0xc0 && far_transfer(vcpu, regs, i));
	case 0xca:
	case 0xcb:
		return done_if(far_return(vcpu, regs, i));
	case 0xcf:
		vcpu->count[C_EMUL_IRET]++;
		regs->ip = (u32)(regs->ip - i->len);	/* where it faults, if it does */
		return do_iret(vcpu, regs, 0);
	case 0xf4:
		vcpu->count[C_EMUL_HLT]++;
		regs->flags &= ~(u64)FLAG_RF;
		if (regs->flags & FLAG_TF)
			return DONE;		/* a single step ends it */
		return vcpu->sh->vif ? guest_halt(vcpu, regs) : halt_closed(vcpu, regs);
	case 0xfa:
		vcpu->count[C_EMUL_FLAGS]++;
		vcpu->sh->vif = 0;
		return DONE;
	case 0xfb:
		vcpu->count[C_EMUL_FLAGS]++;
		/* By now a kernel that knows VMI has patched this: POPF would not trap. */
		if (!vcpu->vmi && (vcpu->cr0 & CR0_PG))
			return end(vcpu, END_REFUSED, "this kernel knows no VMI, or has it off");
		vcpu->sh->vif = FLAG_IF;
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
enum outcome retire(struct vcpu *vcpu, struct regs *regs, bool step)
{
	if (step) {
		raise_dr6(vcpu, DR6_BS);
		if (deliver(vcpu, regs, X_DB, false, 0, false) == STOP)
			return STOP;
	}
	return vcpu->sh->vif && vcpu->sh->pending ? deliver_held(vcpu, regs) : DONE;
}

/**
 * emulate - the instruction at which the guest faulted
 * @vcpu: the virtual CPU
 * @regs: its registers
 *
 * Return: FAULT with the registers as they were, if it is the guest's own fault.
 */
enum outcome emulate(struct vcpu *vcpu, struct regs *regs)
{
	u64 ip = regs->ip, flags = regs->flags;
	enum outcome done;
	struct insn i;

	if (!decode(vcpu, regs, &i))
		return FAULT;
	regs->ip = (u32)(ip + i.len);
	if (is_io(&i))
		done = emulate_io(vcpu, regs, &i);
	else if (i.two && i.op == 0xa2)
		done = done_if(guest_cpuid(vcpu, regs));
	else if ((regs->cs & 3) != 1)
		done = store_for_user(vcpu, regs, &i);
	else
		done = i.two ? two_byte(vcpu, regs, &i) : one_byte(vcpu, regs, &i);
	if (done == FAULT) {
		regs->ip = ip;
		regs->flags = flags;
	}
	if (done != DONE)
		return done;
	if (i.two || i.op != 0xcf)
		regs->flags &= ~(u64)FLAG_RF;
	return retire(vcpu, regs, (flags & FLAG_TF) && !keeps_step_back(&i));
}

/**
 * general_protection - the guest's #GP: a privileged instruction, INT n, or its own
 * @vcpu: the virtual CPU
 * @regs: its registers
 *
 * Return: FAULT if it is its own.
 */
enum outcome general_protection(struct vcpu *vcpu, struct regs *regs)
{
	u8 code[2] = { 0, 0 };

	guest_read(vcpu, seg_base(vcpu, regs->cs) + regs->ip, code, 2);
	/* Error code: the gate's index; QEMU before 8.0 counts in gates of 8 bytes. */
	if ((regs->err & 2) && code[0] == 0xcd &&
	    (regs->err >> 3 == code[1] || regs->err >> 4 == code[1])) {
		regs->ip += 2;
		return deliver(vcpu, regs, code[1], false, 0, true);
	}
	/* SYSENTER: CPUID says that there is none. */
	if (code[0] == 0x0f && code[1] == 0x34)
		return deliver(vcpu, regs, X_UD, false, 0, false);
	return emulate(vcpu, regs);
}
