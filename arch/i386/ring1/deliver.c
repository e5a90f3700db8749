// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions and interrupts into the guest, through its own IDT. */
#include "ring1.h"

/* Of a gate in the guest's IDT. */
#define GATE_OFFSET(d)	((u32)((d) >> 32 & 0xffff0000) | (u16)(d))
#define GATE_TYPE(d)	((d) >> 40 & 0x1f)
#define GATE_INT	0xe
#define GATE_TRAP	0xf
#define GATE_DPL(d)	((d) >> 45 & 3)
#define GATE_P		BIT_ULL(47)

static bool read_gate(struct vcpu *vcpu, u32 vec, u64 *d)
{
	return vec * 8 + 7 <= vcpu->idt.limit && read_gate_desc(vcpu, vcpu->idt.base + vec * 8, d);
}

/* LTR: we only need the kernel's stack from it; the processor has its host's. */
bool set_tr(struct vcpu *vcpu, u16 sel)
{
	u32 sp_ss[2];
	u64 d;

	if ((sel & 4) || !(sel & 0xfff8) || (sel | 7) > vcpu->gdt.limit ||
	    !guest_read(vcpu, vcpu->gdt.base + (sel & ~7), &d, 8) ||
	    (d >> 40 & 0x1d) != 9 || !guest_read(vcpu, desc_base(d) + 4, sp_ss, 8))
		return false;
	vcpu->tr = sel;
	vcpu->sh->esp0 = sp_ss[0];
	vcpu->sh->ss0 = (sp_ss[1] & 0xffff) | 1;
	return true;
}

/* Of two of them, the second met while the first is delivered, comes a double fault. */
static bool contributory(u32 vec)
{
	return vec == X_DE || (vec >= X_TS && vec <= X_PF);
}

/* What cannot be delivered is a fault, @fault, that is delivered instead. */
static noinline enum outcome deliver_instead(struct vcpu *vcpu, struct regs *regs, u32 vec,
					     bool soft, u32 fault, u32 err, const char *why)
{
	if (soft)
		regs->ip -= vec == X_BP || vec == X_OF ? 1 : 2;
	if (contributory(vec)) {
		fault = X_DF;
		err = 0;
	}
	if (vec == X_DF || deliver(vcpu, regs, fault, true, err, false) == STOP)
		return stop(vcpu, why);
	return DONE;
}

/*
 * Where INT 0x80 leads from now on, for who does not come to deliver().  Another CPU that
 * changes the gate forgets this behind that: if it did before, the gate is another now.
 */
static void keep_gate(struct vcpu *vcpu, u64 d, u16 sel, u16 ss)
{
	u64 now;

	vcpu->fast_ip = GATE_OFFSET(d);
	vcpu->fast_cs = sel;
	vcpu->fast_pf = 0;
	vcpu->fast_vif = FLAG_IF;
	__atomic_store_n(&vcpu->fast_ss, ss, __ATOMIC_SEQ_CST);
	if (!read_gate(vcpu, 0x80, &now) || now != d)
		vcpu->fast_ss = 0;
}

/**
 * deliver - make the guest take an exception or interrupt
 * @vcpu: the virtual CPU
 * @regs: its registers
 * @vec: the vector
 * @has_err: is there an error code to push
 * @err: the error code
 * @soft: by an INT instruction, so that the gate's DPL counts
 *
 * Return: STOP if the guest cannot take it: its processor would shut down.
 */
enum outcome deliver(struct vcpu *vcpu, struct regs *regs, u32 vec, bool has_err, u32 err,
		     bool soft)
{
	u32 words[6] = { err, regs->ip, regs->cs, (regs->flags & ~FLAG_IF) | vcpu->sh->vif,
			 regs->sp, regs->ss };
	u32 cpl = regs->cs & 3, bytes = has_err ? 16 : 12, sp = regs->sp, gva;
	u16 sel, ss = regs->ss;
	bool good, fast;
	u64 d;

	if (unlikely(vcpu->nmi_blocked))
		words[3] &= ~FLAG_NT;		/* ours: deliver_nmi() */
	good = read_gate(vcpu, vec, &d) && (GATE_TYPE(d) | 1) == GATE_TRAP;
	if (soft)
		good = good && GATE_DPL(d) >= (cpl == 1 ? 0 : cpl);
	if (!good || !(d & GATE_P))
		return deliver_instead(vcpu, regs, vec, soft, good ? X_NP : X_GP,
				       vec * 8 + 2 + !soft,
				       "no gate for an exception or interrupt");
	vcpu->count[soft ? C_SOFT_INT : C_EXCEPTION]++;
	sel = (d >> 16 & 0xfffc) | 1;
	if (cpl == 3) {
		bytes += 8;
		ss = vcpu->sh->ss0 | 1;
		sp = vcpu->sh->esp0;
	}
	fast = sel == vcpu->fast_cs && ss == vcpu->fast_ss;
	if (!fast && !kernel_code_ok(vcpu, sel))
		return deliver_instead(vcpu, regs, vec, soft, X_GP, (sel & 0xfffc) + !soft,
				       "a gate's code segment is not the kernel's");
	if (!fast && cpl == 3 && !stack_ok(vcpu, ss, 1))
		return stop(vcpu, "the kernel stack's segment is no data segment");
	sp -= bytes;
	/* Any other exception would find the same stack. */
	if (!fast && !stack_room(vcpu, ss, sp, bytes))
		return stop(vcpu, "the guest's kernel stack is beyond its segment's limit");
	gva = fast ? sp : stack_lin(vcpu, ss, sp);
	if (!guest_write(vcpu, gva, words + !has_err, bytes))
		return stop(vcpu, "the guest's kernel stack is not there");
	if (vec == 0x80 && cpl == 3 && GATE_TYPE(d) == GATE_INT && vcpu->vmi &&
	    !((sel | ss) & 4) && gva == sp && stack_room(vcpu, ss, 0, ~0u))
		keep_gate(vcpu, d, sel, ss);
	if (vec == X_PF && cpl == 3)
		vcpu->fast_pf = fast && GATE_TYPE(d) == GATE_INT ? GATE_OFFSET(d) : 0;
	regs->sp = sp;
	regs->ss = ss;
	regs->ip = GATE_OFFSET(d);
	regs->cs = sel;
	regs->flags = handler_flags(regs->flags);
	if (unlikely(vcpu->nmi_blocked))
		regs->flags |= FLAG_NT;
	if (GATE_TYPE(d) == GATE_INT)
		vcpu->sh->vif = 0;
	return DONE;
}

bool held_any(struct vcpu *vcpu)
{
	return vcpu->held[0] | vcpu->held[1] | vcpu->held[2] | vcpu->held[3];
}

static u32 highest_held(struct vcpu *vcpu)
{
	u32 i = 3;

	while (!vcpu->held[i])
		i--;
	return i * 64 + 63 - __builtin_clzl(vcpu->held[i]);
}

/* Tell the ROM whether STI, EOI or IRET has to call: held vectors, an NMI, ports, an LDT. */
void note_held(struct vcpu *vcpu)
{
	bool held = held_any(vcpu), blocked = held && irq_blocked(vcpu, highest_held(vcpu));

	vcpu->sh->pending = held && !blocked;
	vcpu->sh->eoi_held = blocked;
	vcpu->sh->iret_kernel = vcpu->sh->pending || vcpu->nmi_blocked ? -1 : IRET_FREE;
	note_iret_user(vcpu);
}

/* The guest is to be interrupted: an IRET of the ROM's that has begun is done. */
enum outcome leave_rom(struct vcpu *vcpu, struct regs *regs)
{
	enum outcome done;
	u32 skip;

	if ((regs->cs & 3) != 1 || !vcpu->vmi)
		return DONE;
	if (!rom_in_iret(vcpu, regs->ip, &skip)) {
		rom_restart_note(vcpu, regs);
		return DONE;
	}
	vcpu->count[C_IRET_FINISHED]++;
	done = do_iret(vcpu, regs, skip);
	return done == FAULT ? stop(vcpu, "IRET's stack is not there") : done;
}

/**
 * deliver_nmi - a pending NMI to the guest; the next waits until it did IRET
 * @vcpu: the virtual CPU
 * @regs: its registers
 *
 * An IRET from ring 1 to ring 1 does not trap, but with NT set it does, in long mode.
 * So the handler runs with NT; a frame that is pushed meanwhile does not show it.
 */
enum outcome deliver_nmi(struct vcpu *vcpu, struct regs *regs)
{
	if (leave_rom(vcpu, regs) == STOP)
		return STOP;
	vcpu->nmi = false;
	if (deliver(vcpu, regs, X_NMI, false, 0, false) == STOP)
		return STOP;
	vcpu->nmi_blocked = true;
	regs->flags |= FLAG_NT;
	note_held(vcpu);
	return DONE;
}

/* The guest's IRET: an NMI that came meanwhile is next. */
void nmi_unblock(struct vcpu *vcpu)
{
	if (!vcpu->nmi_blocked)
		return;
	__atomic_store_n(&vcpu->nmi_blocked, false, __ATOMIC_SEQ_CST);
	if (vcpu->nmi)
		vcpu->events = true;
	note_held(vcpu);
}

/* An interrupt that came while the guest did not want any. */
void hold_vector(struct vcpu *vcpu, u32 vec)
{
	vcpu->count[C_IRQ_HELD]++;
	vcpu->held[vec / 64] |= 1UL << vec % 64;
	note_held(vcpu);
}

/**
 * deliver_held - the guest's interrupt flag is set: deliver what was held back
 * @vcpu: the virtual CPU
 * @regs: its registers
 *
 * The highest vector first, and none below one in service, as the local APIC
 * has it.
 */
enum outcome deliver_held(struct vcpu *vcpu, struct regs *regs)
{
	u32 vec;

	while (vcpu->sh->vif && held_any(vcpu)) {
		vec = highest_held(vcpu);
		if (irq_blocked(vcpu, vec))
			break;
		vcpu->held[vec / 64] &= ~(1UL << vec % 64);
		irq_service(vcpu, vec);
		if (deliver(vcpu, regs, vec, false, 0, false) == STOP)
			return STOP;
	}
	note_held(vcpu);
	return DONE;
}
