// SPDX-License-Identifier: GPL-2.0-only
/* What to do with each vector, from the guest and from the monitor itself. */
#include "mon.h"
#include "romlabels.h"	/* ROM_x: offset of label x in rom.S */

/* QEMU's IRET to virtual 8086 mode works from any ring, in long mode, too. */
static const char vm86[] = "the guest runs in virtual 8086 mode";

#define PUSH(n, reg) \
	"77" #n ":\tmovl %k[" #reg "], 4*" #n "(%[sp])\n\t" \
	".pushsection .extable, \"a\"\n\t.quad 77" #n "b, 779f\n\t.popsection\n\t"

/* The frame of a program's page fault.  false: the stack is not there. */
static inline bool push_frame(struct regs *regs, u64 sp, u32 pfec, u32 flags)
{
	bool ok = false;

	asm volatile(PUSH(0, err) PUSH(1, ip) PUSH(2, cs) PUSH(3, flags) PUSH(4, usp) PUSH(5, ss)
		     "movb $1, %[ok]\n779:"
		     : [ok] "+r" (ok)
		     : [sp] "r" (sp), [err] "r" (pfec), [ip] "r" (regs->ip), [cs] "r" (regs->cs),
		       [flags] "r" (flags), [usp] "r" (regs->sp), [ss] "r" (regs->ss) : "memory");
	return ok;
}

/* deliver() of a program's page fault, where nothing is unusual. */
static bool deliver_quickly(struct vcpu *vcpu, struct regs *regs, u32 pfec)
{
	struct shared *sh = vcpu->sh;
	u32 sp = sh->esp0 - 24;

	if ((regs->cs & 3) != 3 || vcpu->fast_ss != sh->ss0 || !vcpu->fast_pf ||
	    vcpu->nmi_blocked || !push_frame(regs, sp, pfec, (regs->flags & ~FLAG_IF) | sh->vif))
		return false;
	vcpu->count[C_EXCEPTION]++;
	regs->ip = vcpu->fast_pf;
	regs->cs = vcpu->fast_cs;
	regs->flags = handler_flags(regs->flags);
	regs->sp = sp;
	regs->ss = vcpu->fast_ss;
	sh->vif = 0;
	if (fill_at_iret && vcpu->awaited) {
		sh->fill = 1;
		sh->iret_user = -1;
	}
	return true;
}

/* What entry.S saves at the two short gates, and the processor. */
struct short_frame {
	u64 di, si, dx, cx, ax;
	u64 ip, cs, sp, ss;
};

/**
 * fill_from_rom - the ROM's IRET to a program, behind its page fault
 * @f: registers
 * @vcpu: the virtual CPU
 *
 * A return to a stack of 16 bits would show the upper half of our RSP.
 * Return: false: there is more to do than this.
 */
bool fill_from_rom(struct short_frame *f, struct vcpu *vcpu)
{
	if (f->ss != vcpu->fast_ss)
		return false;
	shadow_fill_awaited(vcpu);
	vcpu->sh->fill = 0;
	note_iret_user(vcpu);
	return true;
}

/**
 * short_call - a call of the ROM's that needs no more than its arguments
 * @f: registers
 * @vcpu: the virtual CPU
 *
 * To do it once more is no harm: where NMIs and interrupts came, the long way follows.
 * Return: false: it is for hypercall().
 */
bool short_call(struct short_frame *f, struct vcpu *vcpu)
{
	u32 off = (u32)f->ip - CALL_LEN - rom.linear - ROM_slots, nr = off / SLOT;

	if (off % SLOT || f->ss != vcpu->fast_ss || !vcpu->vmi ||
	    (vcpu->sh->pending && vcpu->sh->vif))
		return false;
	switch (nr) {
	case VMI_OP_SET_CR3:
		set_cr3(vcpu, f->ax);
		break;
	case VMI_OP_INVAL_PAGE:
		shadow_inval(vcpu, f->ax);
		break;
	case VMI_OP_FLUSH_RANGE:
		shadow_flush_range(vcpu, f->ax, f->dx);
		break;
	case VMI_OP_FLUSH_TLB:
		shadow_flush(vcpu, f->ax & VMI_FLUSH_GLOBAL);
		break;
	default:
		return false;
	}
	note_call(vcpu, nr, f->ip, f->ax, f->dx, f->cx);
	return true;
}

/* Fill the shadow, or hand the fault to the guest. */
static enum outcome handle_page_fault(struct vcpu *vcpu, struct regs *regs)
{
	u64 cr2 = read_cr2();
	enum outcome done;
	enum fill fill;
	u32 pfec;

	if (regs->err & PFEC_RSVD)
		return stop(vcpu, "a page fault that cannot be");
	if (cr2 >> 32)		/* an operand across 4 GiB: beyond the segment's limit */
		return deliver(vcpu, regs, X_GP, true, 0, false);
	fill = shadow_fault(vcpu, cr2, regs->err & (PFEC_W | PFEC_U | PFEC_I), &pfec);
	if (fill == FILL_DONE)
		return DONE;
	if (fill == FILL_HOST) {
		done = (regs->cs & 3) == 1 ? emulate_apic_store(vcpu, regs, cr2) : FAULT;
		if (done != FAULT)
			return done;
		pfec = PFEC_P | (regs->err & (PFEC_W | PFEC_U));
	}
	vcpu->count[C_PF_GUEST]++;
	vcpu->sh->cr2 = cr2;
	if (deliver_quickly(vcpu, regs, pfec))
		return DONE;
	return deliver(vcpu, regs, X_PF, true, pfec, false);
}

/* A device's or another CPU's interrupt, while the guest runs. */
static enum outcome interrupt(struct vcpu *vcpu, struct regs *regs)
{
	u32 vec = regs->vec;

	irq_arrived(vcpu, vec);
	if (vcpu->sh->vif && !irq_blocked(vcpu, vec)) {
		if (leave_rom(vcpu, regs) == STOP)
			return STOP;
		if (vcpu->sh->vif) {		/* which its IRET may close */
			irq_service(vcpu, vec);
			return deliver(vcpu, regs, vec, false, 0, false);
		}
	}
	hold_vector(vcpu, vec);
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
static enum outcome return_faulted(struct vcpu *vcpu, struct regs *regs)
{
	if (regs->flags & FLAG_VM)
		return stop(vcpu, vm86);
	if ((regs->cs & 3) != 3)
		return stop(vcpu, "the guest's CS or SS is no longer valid");
	return deliver(vcpu, regs, X_GP, true, regs->err, false);
}

static enum outcome guest_trap(struct vcpu *vcpu, struct regs *regs)
{
	enum outcome done = FAULT;

	switch (regs->vec) {
	case HYPERCALL_VECTOR:
		return hypercall(vcpu, regs);
	case 0x80:
	case X_BP:
	case X_OF:
		return deliver(vcpu, regs, regs->vec, false, 0, true);
	case X_GP:
		if (regs->flags & FLAG_VM)
			return stop(vcpu, vm86);
		done = general_protection(vcpu, regs);
		break;
	case X_NMI:
		nmi_arrived(vcpu);
		return DONE;
	case EVENTS_VECTOR:
		return DONE;
	case IRETQ_FAULTED:
		return return_faulted(vcpu, regs);
	case X_DF:
		return stop(vcpu, "double fault");
	case X_MC:
		return stop(vcpu, machine_check() ? "machine check" : device_vector);
	case X_TS:
	case X_NP:
	case X_SS:
	case X_AC:
		if ((regs->cs & 3) == 1)
			done = emulate(vcpu, regs);
		break;
	case 32 ... 0x7f:
	case 0x81 ... 255:
		return interrupt(vcpu, regs);
	case NOT_EXCEPTION ... NOT_EXCEPTION + 31:
		return stop(vcpu, device_vector);
	default:
		if (regs->flags & FLAG_VM)
			return stop(vcpu, vm86);
		return deliver(vcpu, regs, regs->vec, false, 0, false);
	}
	return done == FAULT ? deliver(vcpu, regs, regs->vec, true, regs->err, false) : done;
}

/*
 * IRETQ to a 16-bit stack leaves the upper half of ESP as it is in our RSP.  So do
 * it from a stack with the program's there: map_alias().
 */
static void return_16bit_stack(struct regs *regs)
{
	struct vcpu *vcpu = this_vcpu();
	u64 top = ALIAS_BASE + ((u64)vcpu->id << 32) + (regs->sp & 0xffff0000) + 0x1000;
	struct regs *copy = (struct regs *)(top - sizeof(*regs));

	*copy = *regs;
	enter_guest(copy);
}

/**
 * trap_from_guest - all that ends the guest's running comes here, but most INT 0x80
 *
 * Return: the vcpu, whose events entry.S looks at.
 */
struct vcpu *trap_from_guest(struct regs *regs)
{
	struct vcpu *vcpu = this_vcpu();
	u64 *d;

	/* Page faults are most of all. */
	if ((regs->vec == X_PF ? handle_page_fault(vcpu, regs) : guest_trap(vcpu, regs)) == STOP)
		stop_guest(vcpu, regs, vcpu->stop);
	/* To a stack segment of the LDT: of 16 bits? */
	if (regs->ss & 4) {
		d = real_desc(vcpu, regs->ss);
		if (d && !(*d >> 54 & 1))
			return_16bit_stack(regs);
	}
	return vcpu;
}

/**
 * guest_events - on the way out to the guest: what NMIs came for
 */
struct vcpu *guest_events(struct regs *regs)
{
	struct vcpu *vcpu = this_vcpu();

	__atomic_store_n(&vcpu->events, false, __ATOMIC_SEQ_CST);
	if (vcpu->mp_state != MP_RUNNABLE) {
		vcpu->online = false;
		if (!smp_alive())
			stop_guest(vcpu, regs, "INIT to the last processor that runs");
		run_on_stack(vcpu->stack_top, vcpu_idle, vcpu);
	}
	if (vcpu->nmi && !vcpu->nmi_blocked && deliver_nmi(vcpu, regs) == STOP)
		stop_guest(vcpu, regs, vcpu->stop);
	return vcpu;
}

/* An NMI on a way out, or before one that @regs returns to: the way that ends here again. */
void go_round(struct regs *regs)
{
	if (regs->ip >= (u64)ways_out && regs->ip < (u64)ways_out_again)
		regs->ip += ways_out_again - ways_out;
}

/* The frame of an IRETQ that faulted becomes the guest's, at the top of the stack. */
static void retry_return(struct vcpu *vcpu, struct regs *regs)
{
	struct regs *g = (struct regs *)vcpu->stack_top - 1;
	struct regs copy = *regs;

	memcpy(&copy.ip, (void *)regs->sp, 5 * sizeof(u64));
	copy.vec = IRETQ_FAULTED;
	*g = copy;
	trap_again(g);
}

/* A fault of the monitor's own.  false: nobody knows why. */
static bool monitor_fault(struct vcpu *vcpu, struct regs *regs)
{
	u64 cr2 = read_cr2();
	u32 pfec;

	if (regs->vec == X_PF && !(cr2 >> 32) && vcpu->root && !(regs->err & PFEC_RSVD) &&
	    shadow_fault(vcpu, cr2, regs->err & PFEC_W, &pfec) == FILL_DONE)
		return true;
	if (regs->vec == X_DF)
		return false;
	if (regs->ip == (u64)iretq_insn || regs->ip == (u64)syscall_iretq)
		retry_return(vcpu, regs);
	return extable_fixup(regs);
}

/**
 * trap_from_monitor - in ring 0: faults, NMIs, and what comes with interrupts open
 *
 * They are open while a CPU is halted, and at call_gate.
 * Return: the vcpu, whose events entry.S looks at.
 */
struct vcpu *trap_from_monitor(struct regs *regs)
{
	struct vcpu *vcpu = this_vcpu();
	bool open = regs->flags & FLAG_IF;

	if (regs->flags & FLAG_VM)		/* whose CS looks like ring 0 */
		stop_guest(vcpu, regs, vm86);
	if (regs->vec == X_NMI) {
		nmi_arrived(vcpu);
		if (regs->ip >= (u64)halt_begin && regs->ip < (u64)halt_end)
			regs->ip = (u64)halt_end;
	} else if (regs->vec == EVENTS_VECTOR) {
		/* What is to be done entry.S does. */
	} else if (regs->vec == X_MC && machine_check()) {
		panic(regs, "machine check");
	} else if (regs->vec == X_DB) {
		/* A guest's watchpoint on memory that we read. */
	} else if (open && vcpu->parked) {
		apic_eoi();		/* INIT: what was under way is lost */
	} else if (open && (regs->vec < 32 || regs->vec >= NOT_EXCEPTION)) {
		stop_guest(vcpu, regs, device_vector);
	} else if (regs->vec >= 32 && regs->vec < NOT_EXCEPTION) {
		irq_arrived(vcpu, regs->vec);
		hold_vector(vcpu, regs->vec);
	} else if (!monitor_fault(vcpu, regs)) {
		panic(regs, regs->vec == X_DF ? "a fault without a stack: is it full?" :
		      "fault in the monitor");
	}
	return vcpu;
}
