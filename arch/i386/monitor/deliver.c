// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions and interrupts into the guest, through its own IDT. */
#include "mon.h"

#define GATE_INT	0xe
#define GATE_TRAP	0xf

struct gate {
	u32 offset;
	u16 sel;
	u8 type, dpl;
	bool present;
};

static bool read_gate(struct vcpu *v, u32 vec, struct gate *g)
{
	u64 d;

	if (vec * 8 + 7 > v->idt.limit || !guest_get64(v->idt.base + vec * 8, &d))
		return false;
	g->offset = (d & 0xffff) | (d >> 32 & 0xffff0000);
	g->sel = d >> 16;
	g->type = d >> 40 & 0x1f;
	g->dpl = d >> 45 & 3;
	g->present = d >> 47 & 1;
	return true;
}

/* Push words below @sp of a stack; returns the new pointer. */
static u32 push_frame(struct vcpu *v, struct regs *r, u16 ss, u32 sp, u32 *words, u32 n)
{
	u32 lin = stack_lin(v, ss, sp - n * 4);

	if (!guest_write(v, lin, words, n * 4))
		stop_guest(v, r, "the guest's kernel stack is not there");
	return sp - n * 4;
}

/**
 * deliver - make the guest take an exception or interrupt
 * @has_err, @err: the error code to push, if there is one
 * @soft: by an INT instruction, so that the gate's DPL counts
 *
 * The guest that cannot take it (its processor would shut down) is stopped.
 */
void deliver(struct vcpu *v, struct regs *r, u32 vec, bool has_err, u32 err, bool soft)
{
	u32 cpl = r->cs & 3, words[6], n = 0, sp;
	struct gate g;
	bool good;
	u16 ss;

	good = read_gate(v, vec, &g) && (g.type == GATE_INT || g.type == GATE_TRAP);
	if (soft) {
		good = good && g.dpl >= (cpl == 1 ? 0 : cpl);
		if (!good || !g.present) {
			r->ip -= vec == X_BP || vec == X_OF ? 1 : 2;
			deliver(v, r, good ? X_NP : X_GP, true, vec * 8 + 2, false);
			return;
		}
	}
	if (!good || !g.present)
		stop_guest(v, r, "no gate for an exception or interrupt");
	v->count[soft ? C_SOFT_INT : C_EXCEPTION]++;
	if (!(v->fast_valid && (g.sel | 3) == (v->fast_cs | 3)) && !kernel_code_ok(v, g.sel))
		stop_guest(v, r, "a gate's code segment is not the kernel's");

	if (has_err)
		words[n++] = err;
	words[n++] = r->ip;
	words[n++] = r->cs;
	words[n++] = (r->flags & ~FLAG_IF) | v->sh->vif;
	if (cpl == 3) {
		words[n++] = r->sp;
		words[n++] = r->ss;
		ss = v->sh->ss0 | 1;
		sp = v->sh->esp0;
		if (!(v->fast_valid && ss == v->fast_ss) && !stack_ok(v, ss, 1))
			stop_guest(v, r, "the kernel stack's segment is no data segment");
		v->vmi_page->iomap = SH_IOMAP_OPEN;
	} else {
		ss = r->ss;
		sp = r->sp;
	}
	if (vec == 0x80 && cpl == 3 && g.type == GATE_INT && v->vmi && !((g.sel | ss) & 4)) {
		v->fast_ip = g.offset;
		v->fast_cs = (g.sel & ~3) | 1;
		v->fast_ss = ss;
		v->fast_valid = true;
	}
	r->sp = push_frame(v, r, ss, sp, words, n);
	r->ss = ss;
	r->ip = g.offset;
	r->cs = (g.sel & ~3) | 1;
	r->flags = (r->flags & ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC)) | FLAG_IF;
	if (g.type == GATE_INT)
		v->sh->vif = 0;
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

/*
 * Tell the ROM whether STI or EOI has to call because of held vectors; and IRET,
 * because of an NMI as well.
 */
void note_held(struct vcpu *v)
{
	bool blocked;

	v->sh->pending = v->nmi_blocked;
	v->sh->eoi_held = 0;
	if (!held_any(v))
		return;
	blocked = irq_blocked(v, highest_held(v));
	v->sh->pending |= !blocked;
	v->sh->eoi_held = blocked;
}

/**
 * deliver_nmi - a pending NMI to the guest; the next waits until it did IRET
 */
void deliver_nmi(struct vcpu *v, struct regs *r)
{
	leave_rom(v, r);
	v->nmi = false;
	v->nmi_blocked = true;
	note_held(v);
	deliver(v, r, X_NMI, false, 0, false);
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
 *
 * The highest vector first, and none below one in service, as the local APIC
 * has it.
 */
void deliver_held(struct vcpu *v, struct regs *r)
{
	u32 vec;

	while (v->sh->vif && held_any(v)) {
		vec = highest_held(v);
		if (irq_blocked(v, vec))
			break;
		v->held[vec / 64] &= ~(1UL << vec % 64);
		irq_service(v, vec);
		deliver(v, r, vec, false, 0, false);
	}
	note_held(v);
}
