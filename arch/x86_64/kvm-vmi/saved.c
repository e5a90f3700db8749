// SPDX-License-Identifier: GPL-2.0-only
/*
 * What no register of KVM's says of a virtual CPU: it is in the guest's RAM, so that it
 * moves with that, in the frames behind the shared pages, where the guest itself does not
 * get to.  Nothing there is believed more than a register of the guest's: QEMU, and the
 * guest before vmi_init, write what they like.  Rings and shadows start empty elsewhere.
 */
#include "ring1.h"
#include "kvm/x86.h"

#define SAVED_OFFSET	PAGE		/* the first page has what the ROM's init left */
#define SAVED_SIZE	256		/* for each virtual CPU */
static_assert(sizeof(struct saved) <= SAVED_SIZE);
static_assert(MAX_CPUS * SAVED_SIZE <= (SH_PAGES - 1) * PAGE);

static u64 place(struct vcpu *v, u64 shared)
{
	return shared + SAVED_OFFSET + v->id * SAVED_SIZE;
}

/* Its own, then what another CPU may write, then its own again. */
#define SAVED_OWN	offsetof(struct saved, ap_valid)
#define SAVED_AP	offsetof(struct saved, stolen)

/* Into the guest's RAM what changed, from @from on.  @self runs, @vmi may not. */
static void save(struct vcpu_vmi *self, struct vcpu_vmi *vmi, struct saved *now, u32 from,
		 u32 to)
{
	struct vcpu *v = &vmi->ring1;
	u8 *was = (u8 *)&vmi->saved + from, *is = (u8 *)now + from;

	if (likely(!memcmp(is, was, to - from)))
		return;
	memcpy(was, is, to - from);
	if (kvm_vcpu_write_guest(&self->vcpu, place(v, rom_of(v)->shared) + from, is, to - from))
		pr_err_ratelimited("kvm-vmi: guest of process %d has no RAM at %x: it cannot be saved\n",
				   current->tgid, rom_of(v)->shared);
}

static void save_ap_states(struct vcpu_vmi *self)
{
	struct kvm_vmi *vm = to_kvm_vmi(&self->ring1);
	struct saved now = { };
	struct vcpu *c;
	u32 i;

	mutex_lock(&vm->rom_lock);
	for (i = 0; i < vcpu_count(&self->ring1); i++) {
		c = vcpu_nr(&self->ring1, i);
		now.ap_valid = c->ap_valid;
		now.ap = c->ap;
		save(self, to_vmi(c), &now, SAVED_OWN, SAVED_AP);
	}
	mutex_unlock(&vm->rom_lock);
}

/**
 * save_state - after each run, so that QEMU finds all in the guest's RAM
 * @vmi: the virtual CPU
 */
void save_state(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;
	u64 ap_states = v->hypercalls[VMI_OP_SET_INITIAL_AP_STATE];
	struct rom *rom = rom_of(v);
	struct saved now = { };

	if (!rom->copy)
		return;
	if (v->vmi) {
		now.vmi = 1;
		now.linear = rom->linear;
		now.direct_end = rom->direct_end;
		now.ss0 = v->sh->ss0;
		now.esp0 = v->sh->esp0;
		now.known = v->sh->known;
	}
	now.stolen = vmi->stolen;
	save(vmi, vmi, &now, 0, SAVED_OWN);
	save(vmi, vmi, &now, SAVED_AP, sizeof(now));
	if (likely(ap_states == vmi->ap_states))
		return;
	vmi->ap_states = ap_states;
	save_ap_states(vmi);
}

/* A reset: nothing of what ran is left, for any virtual CPU. */
static void forget(struct vcpu *v)
{
	struct kvm_vmi *vm = to_kvm_vmi(v);
	u32 i;

	for (i = 0; i < vcpu_count(v); i++) {
		vcpu_nr(v, i)->ap_valid = false;
		memset(&to_vmi(vcpu_nr(v, i))->saved, 0, sizeof(struct saved));
		to_vmi(vcpu_nr(v, i))->vcpu.arch.l1_tsc_offset = 0;
		to_vmi(vcpu_nr(v, i))->vcpu.arch.tsc_offset = 0;
	}
	vm->tsc_brought = false;
	if (vm->rom.copy)
		kvm_clear_guest(&vm->kvm, vm->rom.shared + SAVED_OFFSET,
				MAX_CPUS * SAVED_SIZE);
	memset(&vm->rom, 0, sizeof(vm->rom));
}

/* The kernel had called vmi_init, here or elsewhere.  false: it cannot go on here. */
static bool restore(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;
	struct rom *rom = rom_of(v);
	struct saved saved;
	u32 phys, shared;

	phys = find_rom(&vmi->vcpu);
	if (!phys || !rom_shares(v, phys, &shared) ||
	    kvm_vcpu_read_guest(&vmi->vcpu, place(v, shared), &saved, sizeof(saved)))
		return true;			/* not yet, or no ROM of ours */
	vmi->saved = saved;
	vmi->stolen = saved.stolen;
	v->ap_valid = saved.ap_valid == 1;
	v->ap = saved.ap;
	if (saved.vmi != 1 || !is_paging(&vmi->vcpu))
		return true;
	if ((!rom->copy || rom->phys != phys || rom->linear != saved.linear) &&
	    !rom_finish(v, phys, saved.linear))
		return false;
	rom->direct = rom->linear - rom->phys;
	rom->direct_end = saved.direct_end;
	v->vmi = true;
	share_page(v);
	v->sh->ss0 = saved.ss0;
	v->sh->esp0 = saved.esp0;
	v->sh->known = saved.known;
	return true;
}

/**
 * follow_registers - QEMU may have set them since the last KVM_RUN
 * @vmi: the virtual CPU
 *
 * Return: as vcpu_pre_run of KVM's, 0 if KVM_RUN has an answer.
 */
int follow_registers(struct vcpu_vmi *vmi)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;
	struct kvm_vmi *vm = to_kvm_vmi(&vmi->ring1);
	bool good = true;

	if (likely(!vmi->registers_set))
		return 1;
	vmi->registers_set = false;
	mutex_lock(&vm->rom_lock);
	if (is_paging(vcpu) || speaks_vmi(&vmi->ring1))
		good = restore(vmi);
	else if (!is_protmode(vcpu))
		forget(&vmi->ring1);
	mutex_unlock(&vm->rom_lock);
	kvm_make_request(KVM_REQ_TLB_FLUSH_GUEST, vcpu);
	return good ? 1 : vmi_stop(vmi, OTHER_VERSION);
}
