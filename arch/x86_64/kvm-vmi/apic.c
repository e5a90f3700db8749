// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC is KVM's.  Behind each write KVM looks whether the map of all APICs is to
 * be made anew, as when another CPU starts or QEMU sets its APIC: for that it takes a mutex,
 * and no look before could rule that out.  So in the loop, with interrupts off, the few
 * registers that are written often are written here, by what KVM exports.
 */
#include "ring1.h"
#include "kvm/x86.h"
#include "kvm/lapic.h"

static void write_reg(struct kvm_lapic *apic, u32 reg, u32 val)
{
	*(u32 *)(apic->regs + reg) = val;
}

/* -1: none is in service. */
static int highest_in_service(struct kvm_lapic *apic)
{
	int i = 8;
	u32 isr;

	while (i--) {
		isr = kvm_lapic_get_reg(apic, APIC_ISR + 0x10 * i);
		if (isr)
			return 32 * i + __fls(isr);
	}
	return -1;
}

/*
 * false: the EOI does not end at the local APIC.  The I/O APIC's lock is not to be waited
 * for here: who has it may wait for our processor to leave the guest.
 */
static bool end_interrupt(struct kvm_vcpu *vcpu)
{
	struct kvm_lapic *apic = vcpu->arch.apic;
	int vec = highest_in_service(apic);

#ifdef CONFIG_KVM_HYPERV
	if (vcpu->arch.hyperv_enabled)
		return false;
#endif
	if (vec < 0)
		return true;
	if (test_bit(vec, vcpu->arch.ioapic_handled_vectors))
		return false;
	kvm_lapic_clear_vector(vec, apic->regs + APIC_ISR);
	apic->isr_count--;
	apic->highest_isr_cache = -1;
	/* Asks for an exit if there is an interrupt that waited for this. */
	kvm_apic_update_ppr(vcpu);
	/* A copy of the APIC in the guest's memory is KVM's to write. */
	if (vcpu->arch.apic_attention)
		kvm_make_request(KVM_REQ_EVENT, vcpu);
	return true;
}

/* The timer's count.  KVM exports nothing that starts it; it ends in KVM's own function. */
static bool start_timer(struct kvm_lapic *apic, u32 count)
{
	struct kvm_timer *t = &apic->lapic_timer;

	if (t->timer_mode != APIC_LVT_TIMER_ONESHOT)
		return false;
	hrtimer_cancel(&t->timer);
	atomic_set(&t->pending, 0);
	write_reg(apic, APIC_TMICT, count);
	t->period = (u64)count * apic->vcpu->kvm->arch.apic_bus_cycle_ns * apic->divide_count;
	if (!t->period)
		return true;
	t->target_expiration = ktime_add_ns(ktime_get(), t->period);
	hrtimer_start(&t->timer, t->target_expiration, HRTIMER_MODE_ABS_HARD);
	return true;
}

/* With interrupts off.  false: it is for KVM. */
static bool write_at_once(struct kvm_vcpu *vcpu, u32 reg, u32 val)
{
	struct kvm_lapic *apic = vcpu->arch.apic;

	if (kvm_get_apic_mode(vcpu) != LAPIC_MODE_XAPIC || apic->base_address != LAPIC_PAGE)
		return false;
	switch (reg) {
	case APIC_EOI:
		return end_interrupt(vcpu);
	case APIC_ICR:
		val &= ~APIC_ICR_BUSY;
		kvm_apic_send_ipi(apic, val, kvm_lapic_get_reg(apic, APIC_ICR2));
		write_reg(apic, reg, val);
		return true;
	case APIC_ICR2:
		write_reg(apic, reg, val & 0xff000000);
		return true;
	case APIC_TMICT:
		return start_timer(apic, val);
	default:
		return false;
	}
}

/* For the core. */

u32 guest_apic_read(struct vcpu *v, u32 reg)
{
	struct kvm_vcpu *vcpu = &to_vmi(v)->vcpu;
	u32 val = 0;

	kvm_iodevice_read(vcpu, &vcpu->arch.apic->dev, LAPIC_PAGE + reg, 4, &val);
	return val;
}

void guest_apic_write(struct vcpu *v, u32 reg, u32 val)
{
	struct vcpu_vmi *vmi = to_vmi(v);

	if (!vmi->irqs_off)
		kvm_iodevice_write(&vmi->vcpu, &vmi->vcpu.arch.apic->dev, LAPIC_PAGE + reg, 4,
				   &val);
	else if (!write_at_once(&vmi->vcpu, reg, val))
		vmi->nested.pending = true;	/* again, by KVM */
}
