// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for an interrupt: the processor waits, too. */
#include "mon.h"

/* Wait for any interrupt; then do what FlushLater asked for meanwhile. */
void vcpu_halt(struct vcpu *v)
{
	vcpu_rests(v);
	halt_unless(&v->events, &v->kicked);
	v->kicked = false;
	vcpu_resumes(v);
}

/* Wait for what ends the guest's HLT. */
static void halt(struct vcpu *v)
{
	while (!(v->sh->vif && held_any(v)) && !__atomic_load_n(&v->events, __ATOMIC_RELAXED))
		vcpu_halt(v);
}

/**
 * guest_halt - STI; HLT: wait for an interrupt, really
 */
enum outcome guest_halt(struct vcpu *v, struct regs *r)
{
	v->sh->vif = FLAG_IF;
	halt(v);
	return deliver_held(v, r);
}

/* HLT with interrupts off: an NMI or INIT ends it; on all CPUs, nothing does. */
enum outcome halt_closed(struct vcpu *v, struct regs *r)
{
	bool alive;

	v->online = false;
	alive = smp_alive();
	/* A kernel that halts, or cannot switch the machine off; or one that has no VMI. */
	if (!alive && v->vmi)
		return end(v, END_HALTED, "interrupts are off on all processors");
	if (!alive)
		return stop(v, "the guest halted with interrupts off");
	halt(v);
	v->online = true;
	return DONE;
}

/* SpinWait: until any interrupt. */
enum outcome spin_wait(struct vcpu *v, struct regs *r)
{
	vcpu_halt(v);
	return deliver_held(v, r);
}
