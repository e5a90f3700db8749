// SPDX-License-Identifier: GPL-2.0-only
/* What to do with each vector, from the guest and from the monitor itself. */
#include "mon.h"

/* QEMU's IRET to virtual 8086 mode works from any ring, in long mode, too. */
static const char vm86[] = "the guest runs in virtual 8086 mode";

/* Fill the shadow, or hand the fault to the guest. */
static enum outcome handle_page_fault(struct vcpu *v, struct regs *r)
{
	u64 cr2 = read_cr2();
	enum outcome done;
	enum fill fill;
	u32 pfec;

	if (r->err & PFEC_RSVD)
		return stop(v, "a page fault that cannot be");
	if (cr2 >> 32)		/* an operand across 4 GiB: beyond the segment's limit */
		return deliver(v, r, X_GP, true, 0, false);
	fill = shadow_fault(v, cr2, r->err & (PFEC_W | PFEC_U | PFEC_I), &pfec);
	if (fill == FILL_DONE)
		return DONE;
	if (fill == FILL_HOST) {
		done = (r->cs & 3) == 1 ? emulate_apic_store(v, r, cr2) : FAULT;
		if (done != FAULT)
			return done;
		pfec = PFEC_P | (r->err & (PFEC_W | PFEC_U));
	}
	v->count[C_PF_GUEST]++;
	v->sh->cr2 = cr2;
	return deliver(v, r, X_PF, true, pfec, false);
}

/* A device's or another CPU's interrupt, while the guest runs. */
static enum outcome interrupt(struct vcpu *v, struct regs *r)
{
	u32 vec = r->vec;

	if (vec == WAKE_VECTOR) {
		apic_eoi();
		return DONE;
	}
	irq_arrived(v, vec);
	if (v->sh->vif && !irq_blocked(v, vec)) {
		if (leave_rom(v, r) == STOP)
			return STOP;
		if (v->sh->vif) {		/* which its IRET may close */
			irq_service(v, vec);
			return deliver(v, r, vec, false, 0, false);
		}
	}
	hold_vector(v, vec);
	return DONE;
}

static enum outcome guest_trap(struct vcpu *v, struct regs *r)
{
	enum outcome done = FAULT;

	switch (r->vec) {
	case HYPERCALL_VECTOR:
		return hypercall(v, r);
	case 0x80:
	case X_BP:
	case X_OF:
		return deliver(v, r, r->vec, false, 0, true);
	case X_GP:
		if (r->flags & FLAG_VM)
			return stop(v, vm86);
		done = general_protection(v, r);
		break;
	case X_NMI:
		nmi_arrived(v, r);
		return DONE;
	case X_DF:
		return stop(v, "double fault");
	case X_MC:
		return stop(v, "machine check");
	case X_TS:
	case X_NP:
	case X_SS:
	case X_AC:
		if ((r->cs & 3) == 1)
			done = emulate(v, r);
		break;
	case 32 ... 0x7f:
	case 0x81 ... 255:
		return interrupt(v, r);
	case NOT_EXCEPTION ... NOT_EXCEPTION + 31:
		return stop(v, "a device interrupts with the vector of an exception");
	default:
		if (r->flags & FLAG_VM)
			return stop(v, vm86);
		return deliver(v, r, r->vec, false, 0, false);
	}
	return done == FAULT ? deliver(v, r, r->vec, true, r->err, false) : done;
}

/*
 * IRETQ to a 16-bit stack leaves the upper half of ESP as it is in our RSP.  So do
 * it from a stack with the program's there: map_alias().
 */
static void return_16bit_stack(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	u64 top = ALIAS_BASE + ((u64)v->id << 32) + (r->sp & 0xffff0000) + 0x1000;
	struct regs *copy = (struct regs *)(top - sizeof(*r));

	*copy = *r;
	enter_guest(copy);
}

void trap_from_guest(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	u64 *d;

	/* Page faults are most of all. */
	if ((r->vec == X_PF ? handle_page_fault(v, r) : guest_trap(v, r)) == STOP)
		stop_guest(v, r, v->stop);
	if (r->vec == X_NMI)
		return;			/* on the NMI's stack */
	if (v->init)
		vcpu_idle(v);
	if (v->nmi && !v->nmi_blocked && deliver_nmi(v, r) == STOP)
		stop_guest(v, r, v->stop);
	/* To a stack segment of the LDT: of 16 bits? */
	if (!(r->ss & 4))
		return;
	d = real_desc(v, r->ss);
	if (d && !(*d >> 54 & 1))
		return_16bit_stack(r);
}

/* IRETQ faulted: what CS or SS names has changed behind a program's back. */
static void return_faulted(struct vcpu *v, struct regs *r)
{
	u64 *frame = (u64 *)r->sp;
	struct regs g = *r;

	g.ip = frame[0];
	g.cs = frame[1];
	g.flags = frame[2];
	g.sp = frame[3];
	g.ss = frame[4];
	if (g.flags & FLAG_VM)
		stop_guest(v, &g, vm86);
	if ((g.cs & 3) != 3)
		stop_guest(v, &g, "the guest's CS or SS is no longer valid");
	if (deliver(v, &g, X_GP, true, r->err, false) == STOP)
		stop_guest(v, &g, v->stop);
	enter_guest(&g);
}

void trap_from_monitor(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	u32 pfec;

	if (r->flags & FLAG_VM)		/* whose CS looks like ring 0 */
		stop_guest(v, r, vm86);
	if (r->vec == X_PF) {
		u64 cr2 = read_cr2();

		if (!(cr2 >> 32) && v->root && !(r->err & PFEC_RSVD) &&
		    shadow_fault(v, cr2, r->err & PFEC_W, &pfec) == FILL_DONE)
			return;
		if (extable_fixup(r))
			return;
	} else if (r->vec == X_NMI) {
		nmi_arrived(v, r);
		return;
	} else if (r->vec == X_MC) {
		panic(r, "machine check");
	} else if (r->vec == X_DB) {
		return;		/* a guest's watchpoint on memory that we read */
	} else if ((r->flags & FLAG_IF) && (r->vec < 32 || r->vec >= NOT_EXCEPTION)) {
		stop_guest(v, r, "a device interrupts with the vector of an exception");
	} else if (r->vec >= 32) {
		/* Interrupts are open while a CPU is halted, and at call_gate. */
		if (r->vec == WAKE_VECTOR) {
			apic_eoi();
		} else {
			irq_arrived(v, r->vec);
			hold_vector(v, r->vec);
		}
		return;
	} else if (r->vec != X_DF) {
		if (r->ip == (u64)iretq_insn || r->ip == (u64)syscall_iretq)
			return_faulted(v, r);
		if (extable_fixup(r))
			return;
	}
	panic(r, "fault in the monitor");
}
