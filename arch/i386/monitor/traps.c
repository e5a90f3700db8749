// SPDX-License-Identifier: GPL-2.0-only
/* What to do with each vector, from the guest and from the monitor itself. */
#include "mon.h"

/* QEMU's IRET to virtual 8086 mode works from any ring, in long mode, too. */
static const char vm86[] = "the guest runs in virtual 8086 mode";

#define PUSH(n, reg) \
	"77" #n ":\tmovl %k[" #reg "], 4*" #n "(%[sp])\n\t" \
	".pushsection .extable, \"a\"\n\t.quad 77" #n "b, 779f\n\t.popsection\n\t"

/* The frame of a program's page fault.  false: the stack is not there. */
static inline bool push_frame(struct regs *r, u64 sp, u32 pfec, u32 flags)
{
	bool ok = false;

	asm volatile(PUSH(0, err) PUSH(1, ip) PUSH(2, cs) PUSH(3, flags) PUSH(4, usp) PUSH(5, ss)
		     "movb $1, %[ok]\n779:"
		     : [ok] "+r" (ok)
		     : [sp] "r" (sp), [err] "r" (pfec), [ip] "r" (r->ip), [cs] "r" (r->cs),
		       [flags] "r" (flags), [usp] "r" (r->sp), [ss] "r" (r->ss) : "memory");
	return ok;
}

/* deliver() of a program's page fault, where nothing is unusual. */
static bool deliver_quickly(struct vcpu *v, struct regs *r, u32 pfec)
{
	struct shared *sh = v->sh;
	u32 sp = sh->esp0 - 24;

	if ((r->cs & 3) != 3 || v->fast_ss != (sh->ss0 | 1) || !v->fast_pf ||
	    v->nmi_blocked || !push_frame(r, sp, pfec, (r->flags & ~FLAG_IF) | sh->vif))
		return false;
	v->count[C_EXCEPTION]++;
	r->ip = v->fast_pf;
	r->cs = v->fast_cs;
	r->flags = handler_flags(r->flags);
	r->sp = sp;
	r->ss = v->fast_ss;
	sh->vif = 0;
	if (fill_at_iret && v->awaited) {
		sh->fill = 1;
		sh->iret_user = -1;
	}
	return true;
}

/**
 * fill_from_rom - the ROM's IRET to a program, behind its page fault
 * @saved: five registers, and what a call gate pushes: EIP, CS, ESP, SS
 *
 * A return to a stack of 16 bits would show the upper half of our RSP.
 * Return: the vcpu, whose events entry.S looks at; NULL: there is more to do than this.
 */
struct vcpu *fill_from_rom(u64 *saved)
{
	struct vcpu *v = this_vcpu();

	if (saved[8] != v->fast_ss)
		return NULL;
	shadow_fill_awaited(v);
	v->sh->fill = 0;
	v->sh->iret_user = v->ports_open ? -1 : v->sh->iret_kernel;	/* as note_held() */
	return v;
}

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
	if (deliver_quickly(v, r, pfec))
		return DONE;
	return deliver(v, r, X_PF, true, pfec, false);
}

/* A device's or another CPU's interrupt, while the guest runs. */
static enum outcome interrupt(struct vcpu *v, struct regs *r)
{
	u32 vec = r->vec;

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

static const char device_vector[] = "a device interrupts with the vector of an exception";

/* A device may use this vector, too; but then no machine check is in progress. */
static bool machine_check(void)
{
	u64 status;

	return read_msr_safe(MSR_MCG_STATUS, &status) && (status & MCG_STATUS_MCIP);
}

/* IRETQ faulted: what CS or SS names has changed behind a program's back. */
static enum outcome return_faulted(struct vcpu *v, struct regs *r)
{
	if (r->flags & FLAG_VM)
		return stop(v, vm86);
	if ((r->cs & 3) != 3)
		return stop(v, "the guest's CS or SS is no longer valid");
	return deliver(v, r, X_GP, true, r->err, false);
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
		nmi_arrived(v);
		return DONE;
	case EVENTS_VECTOR:
		return DONE;
	case IRETQ_FAULTED:
		return return_faulted(v, r);
	case X_DF:
		return stop(v, "double fault");
	case X_MC:
		return stop(v, machine_check() ? "machine check" : device_vector);
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
		return stop(v, device_vector);
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

/**
 * trap_from_guest - all that ends the guest's running comes here, but most INT 0x80
 *
 * Return: the vcpu, whose events entry.S looks at.
 */
struct vcpu *trap_from_guest(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	u64 *d;

	/* Page faults are most of all. */
	if ((r->vec == X_PF ? handle_page_fault(v, r) : guest_trap(v, r)) == STOP)
		stop_guest(v, r, v->stop);
	/* To a stack segment of the LDT: of 16 bits? */
	if (r->ss & 4) {
		d = real_desc(v, r->ss);
		if (d && !(*d >> 54 & 1))
			return_16bit_stack(r);
	}
	return v;
}

/**
 * guest_events - on the way out to the guest: what NMIs came for
 */
struct vcpu *guest_events(struct regs *r)
{
	struct vcpu *v = this_vcpu();

	__atomic_store_n(&v->events, false, __ATOMIC_SEQ_CST);
	if (v->mp_state != MP_RUNNABLE) {
		v->online = false;
		if (!smp_alive())
			stop_guest(v, r, "INIT to the last processor that runs");
		run_on_stack(v->stack_top, vcpu_idle, v);
	}
	if (v->nmi && !v->nmi_blocked && deliver_nmi(v, r) == STOP)
		stop_guest(v, r, v->stop);
	return v;
}

/* An NMI on a way out, or before one that @r returns to: the way that ends here again. */
void go_round(struct regs *r)
{
	if (r->ip >= (u64)ways_out && r->ip < (u64)ways_out_again)
		r->ip += ways_out_again - ways_out;
}

/* The frame of an IRETQ that faulted becomes the guest's, at the top of the stack. */
static void retry_return(struct vcpu *v, struct regs *r)
{
	struct regs *g = (struct regs *)v->stack_top - 1;
	struct regs copy = *r;

	memcpy(&copy.ip, (void *)r->sp, 5 * sizeof(u64));
	copy.vec = IRETQ_FAULTED;
	*g = copy;
	trap_again(g);
}

/* A fault of the monitor's own.  false: nobody knows why. */
static bool monitor_fault(struct vcpu *v, struct regs *r)
{
	u64 cr2 = read_cr2();
	u32 pfec;

	if (r->vec == X_PF && !(cr2 >> 32) && v->root && !(r->err & PFEC_RSVD) &&
	    shadow_fault(v, cr2, r->err & PFEC_W, &pfec) == FILL_DONE)
		return true;
	if (r->vec == X_DF)
		return false;
	if (r->ip == (u64)iretq_insn || r->ip == (u64)syscall_iretq)
		retry_return(v, r);
	return extable_fixup(r);
}

/**
 * trap_from_monitor - in ring 0: faults, NMIs, and what comes with interrupts open
 *
 * They are open while a CPU is halted, and at call_gate.
 * Return: the vcpu, whose events entry.S looks at.
 */
struct vcpu *trap_from_monitor(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	bool open = r->flags & FLAG_IF;

	if (r->flags & FLAG_VM)		/* whose CS looks like ring 0 */
		stop_guest(v, r, vm86);
	if (r->vec == X_NMI) {
		nmi_arrived(v);
		if (r->ip >= (u64)halt_begin && r->ip < (u64)halt_end)
			r->ip = (u64)halt_end;
	} else if (r->vec == EVENTS_VECTOR) {
		/* What is to be done entry.S does. */
	} else if (r->vec == X_MC && machine_check()) {
		panic(r, "machine check");
	} else if (r->vec == X_DB) {
		/* A guest's watchpoint on memory that we read. */
	} else if (open && v->parked) {
		apic_eoi();		/* INIT: what was under way is lost */
	} else if (open && (r->vec < 32 || r->vec >= NOT_EXCEPTION)) {
		stop_guest(v, r, device_vector);
	} else if (r->vec >= 32 && r->vec < NOT_EXCEPTION) {
		irq_arrived(v, r->vec);
		hold_vector(v, r->vec);
	} else if (!monitor_fault(v, r)) {
		panic(r, r->vec == X_DF ? "a fault without a stack: is it full?" :
		      "fault in the monitor");
	}
	return v;
}
