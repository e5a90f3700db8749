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

static bool read_gate(struct vcpu *v, u32 vec, u64 *d)
{
	return vec * 8 + 7 <= v->idt.limit && read_gate_desc(v, v->idt.base + vec * 8, d);
}

/* LTR: we only need the kernel's stack from it; the processor has its host's. */
bool set_tr(struct vcpu *v, u16 sel)
{
	u32 sp_ss[2];
	u64 d;

	if ((sel & 4) || !(sel & 0xfff8) || (sel | 7) > v->gdt.limit ||
	    !guest_read(v, v->gdt.base + (sel & ~7), &d, 8) ||
	    (d >> 40 & 0x1d) != 9 || !guest_read(v, desc_base(d) + 4, sp_ss, 8))
		return false;
	v->tr = sel;
	v->sh->esp0 = sp_ss[0];
	v->sh->ss0 = sp_ss[1] & 0xffff;
	return true;
}

/* Of two of them, the second met while the first is delivered, comes a double fault. */
static bool contributory(u32 vec)
{
	return vec == X_DE || (vec >= X_TS && vec <= X_PF);
}

/* What cannot be delivered is a fault, @fault, that is delivered instead. */
static noinline enum outcome deliver_instead(struct vcpu *v, struct regs *r, u32 vec,
					     bool soft, u32 fault, u32 err, const char *why)
{
	if (soft)
		r->ip -= vec == X_BP || vec == X_OF ? 1 : 2;
	if (contributory(vec)) {
		fault = X_DF;
		err = 0;
	}
	if (vec == X_DF || deliver(v, r, fault, true, err, false) == STOP)
		return stop(v, why);
	return DONE;
}

/*
 * Where INT 0x80 leads from now on, for who does not come to deliver().  Another CPU that
 * changes the gate forgets this behind that: if it did before, the gate is another now.
 */
static void keep_gate(struct vcpu *v, u64 d, u16 sel, u16 ss)
{
	u64 now;

	v->fast_ip = GATE_OFFSET(d);
	v->fast_cs = sel;
	v->fast_pf = 0;
	__atomic_store_n(&v->fast_ss, ss, __ATOMIC_SEQ_CST);
	if (!read_gate(v, 0x80, &now) || now != d)
		v->fast_ss = 0;
}

/**
 * deliver - make the guest take an exception or interrupt
 * @v: the virtual CPU
 * @r: its registers
 * @vec: the vector
 * @has_err: is there an error code to push
 * @err: the error code
 * @soft: by an INT instruction, so that the gate's DPL counts
 *
 * Return: STOP if the guest cannot take it: its processor would shut down.
 */
enum outcome deliver(struct vcpu *v, struct regs *r, u32 vec, bool has_err, u32 err,
		     bool soft)
{
	u32 words[6] = { err, r->ip, r->cs, (r->flags & ~FLAG_IF) | v->sh->vif, r->sp, r->ss };
	u32 cpl = r->cs & 3, bytes = has_err ? 16 : 12, sp = r->sp, lin;
	u16 sel, ss = r->ss;
	bool good, fast;
	u64 d;

	if (unlikely(v->nmi_blocked))
		words[3] &= ~FLAG_NT;		/* ours: deliver_nmi() */
	good = read_gate(v, vec, &d) && (GATE_TYPE(d) | 1) == GATE_TRAP;
	if (soft)
		good = good && GATE_DPL(d) >= (cpl == 1 ? 0 : cpl);
	if (!good || !(d & GATE_P))
		return deliver_instead(v, r, vec, soft, good ? X_NP : X_GP, vec * 8 + 2 + !soft,
				       "no gate for an exception or interrupt");
	v->count[soft ? C_SOFT_INT : C_EXCEPTION]++;
	sel = (d >> 16 & 0xfffc) | 1;
	if (cpl == 3) {
		bytes += 8;
		ss = v->sh->ss0 | 1;
		sp = v->sh->esp0;
	}
	fast = sel == v->fast_cs && ss == v->fast_ss;
	if (!fast && !kernel_code_ok(v, sel))
		return deliver_instead(v, r, vec, soft, X_GP, (sel & 0xfffc) + !soft,
				       "a gate's code segment is not the kernel's");
	if (!fast && cpl == 3 && !stack_ok(v, ss, 1))
		return stop(v, "the kernel stack's segment is no data segment");
	sp -= bytes;
	/* Any other exception would find the same stack. */
	if (!fast && !stack_room(v, ss, sp, bytes))
		return stop(v, "the guest's kernel stack is beyond its segment's limit");
	lin = fast ? sp : stack_lin(v, ss, sp);
	if (!guest_write(v, lin, words + !has_err, bytes))
		return stop(v, "the guest's kernel stack is not there");
	if (vec == 0x80 && cpl == 3 && GATE_TYPE(d) == GATE_INT && v->vmi &&
	    !((sel | ss) & 4) && lin == sp && stack_room(v, ss, 0, ~0u))
		keep_gate(v, d, sel, ss);
	if (vec == X_PF && cpl == 3)
		v->fast_pf = fast && GATE_TYPE(d) == GATE_INT ? GATE_OFFSET(d) : 0;
	r->sp = sp;
	r->ss = ss;
	r->ip = GATE_OFFSET(d);
	r->cs = sel;
	r->flags = handler_flags(r->flags);
	if (unlikely(v->nmi_blocked))
		r->flags |= FLAG_NT;
	if (GATE_TYPE(d) == GATE_INT)
		v->sh->vif = 0;
	return DONE;
}

bool held_any(struct vcpu *v)
{
	return v->held[0] | v->held[1] | v->held[2] | v->held[3];
}

static u32 highest_held(struct vcpu *v)
{
	u32 i = 3;

	while (!v->held[i])
		i--;
	return i * 64 + 63 - __builtin_clzl(v->held[i]);
}

/* Tell the ROM whether STI, EOI or IRET has to call: held vectors, an NMI, ports. */
void note_held(struct vcpu *v)
{
	bool held = held_any(v), blocked = held && irq_blocked(v, highest_held(v));

	v->sh->pending = held && !blocked;
	v->sh->eoi_held = blocked;
	v->sh->iret_kernel = v->sh->pending || v->nmi_blocked ? -1 : IRET_FREE;
	v->sh->iret_user = v->ports_open ? -1 : v->sh->iret_kernel;
}

/* The guest is to be interrupted: an IRET of the ROM's that has begun is done. */
enum outcome leave_rom(struct vcpu *v, struct regs *r)
{
	enum outcome done;
	u32 skip;

	if ((r->cs & 3) != 1 || !v->vmi)
		return DONE;
	if (!rom_in_iret(v, r->ip, &skip)) {
		rom_restart_note(v, r);
		return DONE;
	}
	v->count[C_IRET_FINISHED]++;
	done = do_iret(v, r, skip);
	return done == FAULT ? stop(v, "IRET's stack is not there") : done;
}

/**
 * deliver_nmi - a pending NMI to the guest; the next waits until it did IRET
 * @v: the virtual CPU
 * @r: its registers
 *
 * An IRET from ring 1 to ring 1 does not trap, but with NT set it does, in long mode.
 * So the handler runs with NT; a frame that is pushed meanwhile does not show it.
 */
enum outcome deliver_nmi(struct vcpu *v, struct regs *r)
{
	if (leave_rom(v, r) == STOP)
		return STOP;
	v->nmi = false;
	if (deliver(v, r, X_NMI, false, 0, false) == STOP)
		return STOP;
	v->nmi_blocked = true;
	r->flags |= FLAG_NT;
	note_held(v);
	return DONE;
}

/* The guest's IRET: an NMI that came meanwhile is next. */
void nmi_unblock(struct vcpu *v)
{
	if (!v->nmi_blocked)
		return;
	__atomic_store_n(&v->nmi_blocked, false, __ATOMIC_SEQ_CST);
	if (v->nmi)
		v->events = true;
	note_held(v);
}

/* An interrupt that came while the guest did not want any. */
void hold_vector(struct vcpu *v, u32 vec)
{
	v->count[C_IRQ_HELD]++;
	v->held[vec / 64] |= 1UL << vec % 64;
	note_held(v);
}

/**
 * deliver_held - the guest's interrupt flag is set: deliver what was held back
 * @v: the virtual CPU
 * @r: its registers
 *
 * The highest vector first, and none below one in service, as the local APIC
 * has it.
 */
enum outcome deliver_held(struct vcpu *v, struct regs *r)
{
	u32 vec;

	while (v->sh->vif && held_any(v)) {
		vec = highest_held(v);
		if (irq_blocked(v, vec))
			break;
		v->held[vec / 64] &= ~(1UL << vec % 64);
		irq_service(v, vec);
		if (deliver(v, r, vec, false, 0, false) == STOP)
			return STOP;
	}
	note_held(v);
	return DONE;
}
