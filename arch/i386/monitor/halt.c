// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for an interrupt: the processor waits, too. */
#include "mon.h"

/* Wait for any interrupt; then do what FlushLater asked for meanwhile. */
void vcpu_halt(struct vcpu *vcpu)
{
	vcpu_rests(vcpu);
	halt_unless(&vcpu->events, &vcpu->kicked);
	vcpu->kicked = false;
	vcpu_resumes(vcpu);
}

/* Wait for what ends the guest's HLT. */
static void halt(struct vcpu *vcpu)
{
	while (!(vcpu->sh->vif && held_any(vcpu)) &&
	       !__atomic_load_n(&vcpu->events, __ATOMIC_RELAXED))
		vcpu_halt(vcpu);
}

/**
 * guest_halt - STI; HLT: wait for an interrupt, really
 */
enum outcome guest_halt(struct vcpu *vcpu, struct regs *regs)
{
	vcpu->sh->vif = FLAG_IF;
	halt(vcpu);
	return deliver_held(vcpu, regs);
}

/* HLT with interrupts off: an NMI or INIT ends it; on all CPUs, nothing does. */
enum outcome halt_closed(struct vcpu *vcpu, struct regs *regs)
{
	bool alive;

	vcpu->online = false;
	alive = smp_alive();
	/* A kernel that halts, or cannot switch the machine off; or one that has no VMI. */
	if (!alive && vcpu->vmi)
		return end(vcpu, END_HALTED, "interrupts are off on all processors");
	if (!alive)
		return stop(vcpu, "the guest halted with interrupts off");
	halt(vcpu);
	vcpu->online = true;
	return DONE;
}

/* SpinWait: until any interrupt. */
enum outcome spin_wait(struct vcpu *vcpu, struct regs *regs)
{
	vcpu_halt(vcpu);
	return deliver_held(vcpu, regs);
}
