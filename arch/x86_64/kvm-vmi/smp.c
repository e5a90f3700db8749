// SPDX-License-Identifier: GPL-2.0-only
/* Second and more virtual CPUs: how they start, and wait for each other's locks. */
#include "ring1.h"
#include "kvm/x86.h"
#include "kvm/lapic.h"

/**
 * speaks_vmi - is there a kernel that calls the ROM now, and not one that was here before?
 * @v: the virtual CPU
 */
bool speaks_vmi(struct vcpu *v)
{
	u32 i;

	for (i = 0; i < vcpu_count(v); i++)
		if (READ_ONCE(vcpu_nr(v, i)->vmi))
			return true;
	return false;
}

/* A selector that cannot be loaded becomes a null one, as in the window. */
static u16 data_selector(struct vcpu *v, u16 sel)
{
	u64 *d = sel < 4 ? NULL : real_desc(v, sel);

	return d && (*d >> 44 & 1) && (*d >> 47 & 1) ? sel | 1 : 0;
}

/**
 * vmi_deliver_sipi - a startup that a CPU waits for since its INIT
 * @vcpu: the virtual CPU
 * @vector: the page, where it starts
 *
 * It goes on with what SetInitialAPState said.  Without that, as the firmware has it,
 * in real mode, by KVM's emulator.
 *
 * Context: may sleep.
 */
void vmi_deliver_sipi(struct kvm_vcpu *vcpu, u8 vector)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);
	struct vcpu *v = &vmi->ring1;
	struct window *w = vmi->window;
	struct vmi_ap_state state;

	if (!READ_ONCE(v->ap_valid) || !speaks_vmi(v)) {
		kvm_vcpu_deliver_sipi_vector(vcpu, vector);
		return;
	}
	state = v->ap;
	if (vcpu_start(v, &w->regs, &state) != DONE) {
		vmi->bad_start = true;
		return;
	}
	vmi->tables_dirty = false;
	w->guest_seg[0] = data_selector(v, state.ds);
	w->guest_seg[1] = data_selector(v, state.es);
	w->guest_seg[2] = data_selector(v, state.fs);
	w->guest_seg[3] = data_selector(v, state.gs);
	data_segments_to_kvm(vmi);
	/* Neither is what INIT left, even if it has the same selector. */
	vmi->seg[VCPU_SREG_CS].selector = 0;
	vmi->seg[VCPU_SREG_SS].selector = 0;
	regs_to_kvm(vmi);
	system_segments_to_kvm(vmi);
}

/* For the core. */

/* As HLT, but it needs no interrupt: a kick that came since the byte was read is seen. */
enum outcome spin_wait(struct vcpu *v, struct regs *regs)
{
	struct vcpu_vmi *vmi = to_vmi(v);

	/* Who kicks and does not see it has set kicked before. */
	smp_store_mb(vmi->spinning, true);
	if (READ_ONCE(v->kicked))
		WRITE_ONCE(vmi->spinning, false);
	else
		vmi->halt = true;
	return DONE;
}

/* SpinKick: from any SpinWait, and from no later one. */
void smp_kick(struct vcpu *v, u32 apic)
{
	struct vcpu *c = vcpu_by_apic(v, apic);
	struct kvm_vcpu *vcpu;

	if (!c)
		return;
	/* In the other order than spin_wait(). */
	smp_store_mb(c->kicked, true);
	if (!READ_ONCE(to_vmi(c)->spinning))
		return;
	vcpu = &to_vmi(c)->vcpu;
	WRITE_ONCE(vcpu->arch.pv.pv_unhalted, true);
	kvm_make_request(KVM_REQ_EVENT, vcpu);
	kvm_vcpu_kick(vcpu);
}

/* An interrupt or NMI for up to 64 CPUs; 1: the guest has to send it by itself. */
enum outcome hc_SEND_IPI_MASK(struct vcpu *v, struct regs *regs)
{
	struct kvm_lapic *apic = to_vmi(v)->vcpu.arch.apic;
	u32 icr = stack_arg(v, regs, 0), first = regs->ax, shift = apic_x2apic_mode(apic) ? 0 : 24;
	unsigned long mask = (u32)regs->dx | (u64)(u32)regs->cx << 32;
	u32 mode = icr & ~APIC_VECTOR_MASK;
	int bit;

	/* Its stack is not at hand: once more then, where KVM may sleep. */
	if (to_vmi(v)->irqs_off && host_must_act(v))
		return DONE;
	regs->ax = 1;
	if ((mode != APIC_DM_FIXED && mode != APIC_DM_NMI) || first > (~0u >> shift) - 64)
		return DONE;
	for_each_set_bit(bit, &mask, 64)
		if (vcpu_by_apic(v, first + bit))
			kvm_apic_send_ipi(apic, icr, (first + bit) << shift);
	regs->ax = 0;
	return DONE;
}

/* Has the host taken its processor away? */
enum outcome hc_CPU_PREEMPTED(struct vcpu *v, struct regs *regs)
{
	struct vcpu *c = vcpu_by_apic(v, regs->ax);

	regs->ax = c && READ_ONCE(to_vmi(c)->vcpu.preempted);
	return DONE;
}

/* Let that CPU run in place of this. */
enum outcome hc_YIELD_TO(struct vcpu *v, struct regs *regs)
{
	struct kvm_vcpu_stat *stat = &to_vmi(v)->vcpu.stat;
	struct vcpu *c = vcpu_by_apic(v, regs->ax);

	stat->directed_yield_attempted++;
	if (c && c != v && READ_ONCE(to_vmi(c)->vcpu.ready) &&
	    kvm_vcpu_yield_to(&to_vmi(c)->vcpu) > 0)
		stat->directed_yield_successful++;
	return DONE;
}
