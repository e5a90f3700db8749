// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts and exceptions into the guest: by the core, at once, where KVM may sleep. */
#include "ring1.h"
#include "kvm/x86.h"
#include "kvm/kvm_cache_regs.h"

/* What the core did to the registers; a debugger's step goes on. */
static void keep_regs(struct vcpu_vmi *vmi)
{
	regs_to_kvm(vmi);
	if (stepping(vmi))
		vmi->rflags |= X86_EFLAGS_TF;
}

enum kind { EVENT, EVENT_NMI, EVENT_INT3 };

static void event(struct vcpu_vmi *vmi, u32 vec, bool has_err, u32 err, enum kind kind)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;
	struct vcpu *v = &vmi->ring1;
	enum outcome done;
	struct regs *regs;

	if (!is_protmode(vcpu)) {
		kvm_inject_realmode_interrupt(vcpu, vec, 0);
		return;
	}
	if (vmi->tables_dirty)
		sync_tables(vmi);
	regs = regs_for_event(vmi);
	done = kind == EVENT_NMI ? deliver_nmi(v, regs) :
	       deliver(v, regs, vec, has_err, err, kind == EVENT_INT3);
	if (done != STOP) {
		keep_regs(vmi);
		return;
	}
	pr_err_ratelimited("kvm-vmi: guest of process %d shuts down: %s\n", current->tgid,
			   v->stop);
	kvm_make_request(KVM_REQ_TRIPLE_FAULT, vcpu);
}

void vmi_inject_irq(struct kvm_vcpu *vcpu, bool reinjected)
{
	event(vcpu_to_vmi(vcpu), vcpu->arch.interrupt.nr, false, 0, EVENT);
}

void vmi_inject_nmi(struct kvm_vcpu *vcpu)
{
	event(vcpu_to_vmi(vcpu), X_NMI, false, 0, EVENT_NMI);
	vcpu_to_vmi(vcpu)->ring1.nmi_blocked = true;
}

void vmi_inject_exception(struct kvm_vcpu *vcpu)
{
	struct kvm_queued_exception *ex = &vcpu->arch.exception;
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);
	enum kind kind = EVENT;

	kvm_deliver_exception_payload(vcpu, ex);
	/* The guest's own, which a debugger has seen first. */
	if (ex->vector == X_BP && at_int3(vmi)) {
		kvm_rip_write(vcpu, kvm_rip_read(vcpu) + 1);
		kind = EVENT_INT3;
	}
	event(vmi, ex->vector, ex->has_error_code, ex->error_code, kind);
}

/* What was injected is delivered: there is nothing to take back. */
void vmi_cancel_injection(struct kvm_vcpu *vcpu)
{
	vcpu->arch.nmi_injected = false;
	kvm_clear_exception_queue(vcpu);
	kvm_clear_interrupt_queue(vcpu);
}

/* An IRET of the ROM's that has begun is done first; it may close the flag. */
static void leave_rom_first(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;

	if (!v->vmi || !is_protmode(&vmi->vcpu))
		return;
	if (leave_rom(v, regs_for_event(vmi)) != STOP)
		keep_regs(vmi);
	else
		kvm_make_request(KVM_REQ_TRIPLE_FAULT, &vmi->vcpu);
}

int vmi_interrupt_allowed(struct kvm_vcpu *vcpu, bool for_injection)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	if (for_injection && (vmi->rflags & X86_EFLAGS_IF))
		leave_rom_first(vmi);
	return (vmi->rflags & X86_EFLAGS_IF) && !vmi->shadow;
}

int vmi_nmi_allowed(struct kvm_vcpu *vcpu, bool for_injection)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	return !vmi->ring1.nmi_blocked && !vmi->shadow;
}

bool vmi_get_nmi_mask(struct kvm_vcpu *vcpu)
{
	return vcpu_to_vmi(vcpu)->ring1.nmi_blocked;
}

void vmi_set_nmi_mask(struct kvm_vcpu *vcpu, bool masked)
{
	vcpu_to_vmi(vcpu)->ring1.nmi_blocked = masked;
}

void vmi_enable_nmi_window(struct kvm_vcpu *vcpu)
{
	vcpu_to_vmi(vcpu)->nmi_window = true;
}

void vmi_enable_irq_window(struct kvm_vcpu *vcpu)
{
	vcpu_to_vmi(vcpu)->irq_window = true;
}

/* Tell the ROM when its STI and IRET have to call. */
void events_to_rom(struct vcpu_vmi *vmi)
{
	struct shared *sh = vmi->ring1.sh;

	note_held(&vmi->ring1);
	if (vmi->irq_window || vmi->nmi_window) {
		sh->pending = 1;
		sh->iret_kernel = -1;
		sh->iret_user = -1;
	}
}
