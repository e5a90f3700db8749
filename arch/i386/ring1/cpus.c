// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest's processors want of each other: a start, a wait for a lock, a flush
 * that can be left for later.
 */
#include "ring1.h"

/**
 * vcpu_by_apic - the virtual CPU with that local APIC, NULL if there is none
 * @vcpu: the virtual CPU
 * @apic: number of the local APIC
 */
struct vcpu *vcpu_by_apic(struct vcpu *vcpu, u32 apic)
{
	u32 i;

	for (i = 0; i < vcpu_count(vcpu); i++)
		if (vcpu_nr(vcpu, i)->apic_id == apic)
			return vcpu_nr(vcpu, i);
	return NULL;
}

/**
 * share_page - from now on the ROM and we have a page in common on this CPU
 * @vcpu: the virtual CPU
 *
 * Others may have read its ring: that goes on where it is.
 */
void share_page(struct vcpu *vcpu)
{
	u32 head = vcpu->vmi_page->head;

	if (vcpu->sh != vcpu->vmi_page)
		memcpy(vcpu->vmi_page, vcpu->sh, SH_RING);
	vcpu->vmi_page->head = head;
	vcpu->sh = vcpu->vmi_page;
	vcpu->sh->direct = rom_of(vcpu)->direct;
	vcpu->sh->direct_end = rom_of(vcpu)->direct_end;
	note_held(vcpu);
}

/* A gate has changed: CPUs may know where it led, deliver() says how they look again. */
void forget_gates(struct vcpu *vcpu)
{
	u32 i;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < vcpu_count(vcpu); i++)
		__atomic_store_n(&vcpu_nr(vcpu, i)->fast_ss, 0, __ATOMIC_RELAXED);
}

/* SetInitialAPState: @gva is where the state is. */
void set_ap_state(struct vcpu *vcpu, u32 gva, u32 apic)
{
	struct vcpu *c = vcpu_by_apic(vcpu, apic);

	if (c && c != vcpu)
		c->ap_valid = guest_read(vcpu, gva, &c->ap, sizeof(c->ap));
}

static const char bad_registers[] = "a CPU is started with bad registers";

/**
 * vcpu_start - a CPU starts with what SetInitialAPState said
 * @vcpu: the virtual CPU
 * @regs: its registers
 * @s: a copy, which no other CPU changes once it is checked
 *
 * Return: STOP if it cannot.  DS to GS are the host's to load.
 */
enum outcome vcpu_start(struct vcpu *vcpu, struct regs *regs, struct vmi_ap_state *s)
{
	struct regs none = { };

	*regs = (struct regs){
		.ax = s->eax, .bx = s->ebx, .cx = s->ecx, .dx = s->edx,
		.si = s->esi, .di = s->edi, .bp = s->ebp, .sp = s->esp,
		.ip = s->eip, .flags = (s->eflags & 0xcd5) | FLAG_IF | 2,
		.cs = s->cs | 1, .ss = s->ss | 1,
	};
	vcpu->vmi = true;
	share_page(vcpu);
	vcpu->sh->cr2 = s->cr2;
	if (!(s->cr0 & CR0_PE) || !(s->cr0 & CR0_PG) || !load_efer(vcpu, s->efer) ||
	    !set_cr4(vcpu, s->cr4))
		return stop(vcpu, bad_registers);
	set_cr3(vcpu, s->cr3);
	switch (set_cr0(vcpu, s->cr0)) {
	case DONE:
		break;
	case STOP:
		return STOP;
	default:
		return stop(vcpu, bad_registers);
	}
	shadow_reset(vcpu);
	if (!load_guest_gdt(vcpu, &none, s->gdtr_base, s->gdtr_limit))
		return stop(vcpu, bad_registers);
	if (!kernel_code_ok(vcpu, regs->cs) || !stack_ok(vcpu, regs->ss, 1))
		return stop(vcpu, "a CPU is started with bad segments");
	vcpu->idt = (struct table_reg){ s->idtr_limit, s->idtr_base };
	vcpu->fast_ss = 0;
	load_guest_ldt(vcpu, s->ldtr);
	vcpu->sh->vif = s->eflags & FLAG_IF;
	return DONE;
}

/**
 * vcpu_rests - no code of the guest's runs on this CPU until vcpu_resumes()
 * @vcpu: the virtual CPU
 */
void vcpu_rests(struct vcpu *vcpu)
{
	u32 was = NOT_HALTING;

	__atomic_compare_exchange_n(&vcpu->halting, &was, HALTING, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
}

/**
 * vcpu_resumes - what FlushLater asked for meanwhile, then the guest may run
 * @vcpu: the virtual CPU
 */
void vcpu_resumes(struct vcpu *vcpu)
{
	if (__atomic_load_n(&vcpu->halting, __ATOMIC_RELAXED) == NOT_HALTING)
		return;
	if (__atomic_exchange_n(&vcpu->halting, NOT_HALTING, __ATOMIC_SEQ_CST) == HALTING_FLUSH)
		shadow_flush(vcpu, false);
}

/* FlushLater: does the CPU rest?  Then it has its shadows synchronized before it runs. */
bool flush_later(struct vcpu *vcpu, u32 apic)
{
	struct vcpu *c = vcpu_by_apic(vcpu, apic);
	u32 was = HALTING;

	return c && (__atomic_compare_exchange_n(&c->halting, &was, HALTING_FLUSH, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
		     was == HALTING_FLUSH);
}
