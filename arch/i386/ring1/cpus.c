// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest's processors want of each other: a start, a wait for a lock, a flush
 * that can be left for later.
 */
#include "ring1.h"

/**
 * vcpu_by_apic - the virtual CPU with that local APIC, NULL if there is none
 * @v: the virtual CPU
 * @apic: number of the local APIC
 */
struct vcpu *vcpu_by_apic(struct vcpu *v, u32 apic)
{
	u32 i;

	for (i = 0; i < vcpu_count(v); i++)
		if (vcpu_nr(v, i)->apic_id == apic)
			return vcpu_nr(v, i);
	return NULL;
}

/**
 * share_page - from now on the ROM and we have a page in common on this CPU
 * @v: the virtual CPU
 *
 * Others may have read its ring: that goes on where it is.
 */
void share_page(struct vcpu *v)
{
	u32 head = v->vmi_page->head;

	if (v->sh != v->vmi_page)
		memcpy(v->vmi_page, v->sh, SH_RING);
	v->vmi_page->head = head;
	v->sh = v->vmi_page;
	v->sh->direct = rom_of(v)->direct;
	v->sh->direct_end = rom_of(v)->direct_end;
	note_held(v);
}

/* A gate has changed: CPUs may know where it led, deliver() says how they look again. */
void forget_gates(struct vcpu *v)
{
	u32 i;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < vcpu_count(v); i++)
		__atomic_store_n(&vcpu_nr(v, i)->fast_ss, 0, __ATOMIC_RELAXED);
}

/* SetInitialAPState: @lin is where the state is. */
void set_ap_state(struct vcpu *v, u32 lin, u32 apic)
{
	struct vcpu *c = vcpu_by_apic(v, apic);

	if (c && c != v)
		c->ap_valid = guest_read(v, lin, &c->ap, sizeof(c->ap));
}

static const char bad_registers[] = "a CPU is started with bad registers";

/**
 * vcpu_start - a CPU starts with what SetInitialAPState said
 * @v: the virtual CPU
 * @r: its registers
 * @s: a copy, which no other CPU changes once it is checked
 *
 * Return: STOP if it cannot.  DS to GS are the host's to load.
 */
enum outcome vcpu_start(struct vcpu *v, struct regs *r, struct vmi_ap_state *s)
{
	struct regs none = { };

	*r = (struct regs){
		.ax = s->eax, .bx = s->ebx, .cx = s->ecx, .dx = s->edx,
		.si = s->esi, .di = s->edi, .bp = s->ebp, .sp = s->esp,
		.ip = s->eip, .flags = (s->eflags & 0xcd5) | FLAG_IF | 2,
		.cs = s->cs | 1, .ss = s->ss | 1,
	};
	v->vmi = true;
	share_page(v);
	v->sh->cr2 = s->cr2;
	if (!(s->cr0 & CR0_PE) || !(s->cr0 & CR0_PG) || !load_efer(v, s->efer) ||
	    !set_cr4(v, s->cr4))
		return stop(v, bad_registers);
	set_cr3(v, s->cr3);
	switch (set_cr0(v, s->cr0)) {
	case DONE:
		break;
	case STOP:
		return STOP;
	default:
		return stop(v, bad_registers);
	}
	shadow_reset(v);
	if (!load_guest_gdt(v, &none, s->gdtr_base, s->gdtr_limit))
		return stop(v, bad_registers);
	if (!kernel_code_ok(v, r->cs) || !stack_ok(v, r->ss, 1))
		return stop(v, "a CPU is started with bad segments");
	v->idt = (struct table_reg){ s->idtr_limit, s->idtr_base };
	v->fast_ss = 0;
	load_guest_ldt(v, s->ldtr);
	v->sh->vif = s->eflags & FLAG_IF;
	return DONE;
}

/**
 * vcpu_rests - no code of the guest's runs on this CPU until vcpu_resumes()
 * @v: the virtual CPU
 */
void vcpu_rests(struct vcpu *v)
{
	u32 was = NOT_HALTING;

	__atomic_compare_exchange_n(&v->halting, &was, HALTING, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
}

/**
 * vcpu_resumes - what FlushLater asked for meanwhile, then the guest may run
 * @v: the virtual CPU
 */
void vcpu_resumes(struct vcpu *v)
{
	if (__atomic_load_n(&v->halting, __ATOMIC_RELAXED) == NOT_HALTING)
		return;
	if (__atomic_exchange_n(&v->halting, NOT_HALTING, __ATOMIC_SEQ_CST) == HALTING_FLUSH)
		shadow_flush(v, false);
}

/* FlushLater: does the CPU rest?  Then it has its shadows synchronized before it runs. */
bool flush_later(struct vcpu *v, u32 apic)
{
	struct vcpu *c = vcpu_by_apic(v, apic);
	u32 was = HALTING;

	return c && (__atomic_compare_exchange_n(&c->halting, &was, HALTING_FLUSH, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
		     was == HALTING_FLUSH);
}
