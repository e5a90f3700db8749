// SPDX-License-Identifier: GPL-2.0-only
/* What to do with each vector, from the guest and from the monitor itself. */
#include "mon.h"

/* The guest's #GP: a privileged instruction, INT n, or the guest's own fault. */
static void general_protection(struct vcpu *v, struct regs *r)
{
	u8 code[2] = { 0, 0 };

	guest_read(v, seg_base(v, r->cs) + r->ip, code, 2);
	/* Error code: the gate's index; QEMU before 8.0 counts in gates of 8 bytes. */
	if ((r->err & 2) && code[0] == 0xcd &&
	    (r->err >> 3 == code[1] || r->err >> 4 == code[1])) {
		r->ip += 2;
		deliver(v, r, code[1], false, 0, true);
	} else if (code[0] == 0x0f && code[1] == 0x34) {
		/* SYSENTER: CPUID says that there is none. */
		deliver(v, r, X_UD, false, 0, false);
	} else if (!emulate(v, r)) {
		deliver(v, r, X_GP, true, r->err, false);
	}
}

/* Fill the shadow, or hand the fault to the guest. */
static void handle_page_fault(struct vcpu *v, struct regs *r)
{
	u64 cr2 = read_cr2();
	u32 pfec;

	if (r->err & PFEC_RSVD)
		stop_guest(v, r, "a page fault that cannot be");
	if (cr2 >> 32) {	/* an operand across 4 GiB: beyond the segment's limit */
		deliver(v, r, X_GP, true, 0, false);
		return;
	}
	if (shadow_fault(v, cr2, r->err & (PFEC_W | PFEC_U | PFEC_I), &pfec) == FILL_DONE)
		return;
	if (pfec == ~0u) {
		if ((r->cs & 3) == 1 && emulate_apic_store(v, r, cr2))
			return;
		pfec = PFEC_P | (r->err & (PFEC_W | PFEC_U));
	}
	v->count[C_PF_GUEST]++;
	v->sh->cr2 = cr2;
	deliver(v, r, X_PF, true, pfec, false);
}

/* The guest is to be interrupted: an IRET of the ROM's that has begun is done. */
void leave_rom(struct vcpu *v, struct regs *r)
{
	u32 skip;

	if ((r->cs & 3) != 1 || !v->vmi)
		return;
	if (!rom_in_iret(r->ip, &skip)) {
		rom_restart_note(r);
		return;
	}
	v->count[C_IRET_FINISHED]++;
	if (!do_iret(v, r, skip))
		stop_guest(v, r, "IRET's stack is not there");
}

/* A device's or another CPU's interrupt, while the guest runs. */
static void interrupt(struct vcpu *v, struct regs *r)
{
	u32 vec = r->vec;

	if (vec == WAKE_VECTOR) {
		apic_eoi();
		return;
	}
	irq_arrived(v, vec);
	if (v->sh->vif && !irq_blocked(v, vec)) {
		leave_rom(v, r);		/* its IRET may close the flag */
		if (v->sh->vif) {
			irq_service(v, vec);
			deliver(v, r, vec, false, 0, false);
			return;
		}
	}
	hold_vector(v, vec);
}

static void guest_trap(struct vcpu *v, struct regs *r)
{
	switch (r->vec) {
	case HYPERCALL_VECTOR:
		hypercall(v, r);
		break;
	case 0x80:
	case X_BP:
	case X_OF:
		deliver(v, r, r->vec, false, 0, true);
		break;
	case X_GP:
		general_protection(v, r);
		break;
	case X_NMI:
		nmi_arrived(v, r);
		break;
	case X_DF:
		stop_guest(v, r, "double fault");
	case X_MC:
		stop_guest(v, r, "machine check");
	case X_TS:
	case X_NP:
	case X_SS:
	case X_AC:
		if ((r->cs & 3) == 1 && emulate(v, r))
			break;
		deliver(v, r, r->vec, true, r->err, false);
		break;
	case 32 ... 0x7f:
	case 0x81 ... 255:
		interrupt(v, r);
		break;
	case NOT_EXCEPTION ... NOT_EXCEPTION + 31:
		stop_guest(v, r, "a device interrupts with the vector of an exception");
	default:
		deliver(v, r, r->vec, false, 0, false);
	}
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

	if (r->vec == X_PF)
		handle_page_fault(v, r);	/* most of all */
	else
		guest_trap(v, r);
	if (r->vec == X_NMI)
		return;			/* on the NMI's stack */
	if (v->init)
		vcpu_idle(v);
	if (v->nmi && !v->nmi_blocked)
		deliver_nmi(v, r);
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
	if ((g.cs & 3) != 3)
		stop_guest(v, &g, "the guest's CS or SS is no longer valid");
	deliver(v, &g, X_GP, true, r->err, false);
	enter_guest(&g);
}

void trap_from_monitor(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	u32 pfec;

	if (r->vec == X_PF) {
		u64 cr2 = read_cr2();

		if (!(cr2 >> 32) && v->root &&
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
