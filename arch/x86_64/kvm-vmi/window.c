// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the window: page faults and calls of the ROM's that need no walk, nothing of KVM's
 * that is not remembered, and no word to anyone.  All of them can be done outside as well,
 * also what was begun here.
 *
 * The tables are the guest's with the host's half, GS and the IDT are not the host's, as
 * switch.S has it: no function is called here, nothing is per CPU, and nothing may fault.
 */
#include "ring1.h"
#include "linked.h"
#include "romlabels.h"	/* ROM_x: offset of label x in rom.S */

/* As map_frame(), of the guest's RAM. */
static __always_inline u64 map_at_hand(struct vcpu *v, struct leaf *l)
{
	struct rom *rom = rom_of(v);
	u64 offset, entry;

	if (in_rom(rom, l->frame, &offset) || in_shared(rom, l->frame, &offset))
		return 0;
	entry = tdp_at_hand(to_vmi(v), l->frame);
	return entry ? map_as(l, entry) : 0;
}

/* Is IRETQ to this stack one to 32 bits?  To 16 it needs window_enter()'s RSP. */
static __always_inline bool stack_is_flat(struct vcpu *v, u64 ss)
{
	return !(ss & 4) && (v->real_gdt[(ss & 0xffff) >> 3] >> 54 & 1);
}

/* Page faults that are the guest's: to its kernel, if deliver() has been there before. */
static __always_inline int hand_over(struct vcpu *v, struct fault_frame *f, u32 cr2, u32 pfec)
{
	struct shared *sh = v->vmi_page;

	if (!(f->err & PFEC_U) || !v->fast_pf || v->fast_ss != sh->ss0 ||
	    sh->vif != FLAG_IF || v->nmi_blocked)
		return -1;
	sh->cr2 = cr2;
	v->count[C_EXCEPTION]++;
	return pfec;
}

/**
 * window_page_fault - fill the shadow, or see that the guest wants the fault
 * @cpu: what this CPU's window needs
 * @f: the registers
 *
 * Return: 0: filled; the error code, never 0, with which a program's is the guest's;
 * -1: it is to be handled outside the window.
 */
noinstr int window_page_fault(struct window_cpu *cpu, struct fault_frame *f)
{
	struct window *w = cpu->window;
	struct vcpu *v = w->faults;
	u64 cr2, pde, entry;
	u32 access, pfec, i;
	struct spage *s;
	struct leaf l;

	asm volatile("mov %%cr2, %0" : "=r" (cr2));
	if (cr2 >> 32 || (f->flags & FLAG_VM) || !stack_is_flat(v, f->ss) ||
	    (f->err & ~(u64)(PFEC_P | PFEC_W | PFEC_U | PFEC_I)) ||
	    (cpu->apf && READ_ONCE(*cpu->apf)))
		return -1;
	w->regs.err = f->err;		/* for window_fault */
	access = f->err & (PFEC_W | PFEC_U | PFEC_I);
	i = cr2 >> 12 & 511;
	s = linked_table(v, cr2, &pde);
	if (!s && (pde & PTE_P))
		return -1;
	if (!s || !linked_present(s, i)) {
		fault(v, access, 0, &pfec);
		return hand_over(v, f, cr2, pfec);
	}
	switch (linked_leaf(v, s, pde, i, access, &l, &pfec)) {
	case FILL_DONE:
		break;
	case FILL_FAULT:
		return hand_over(v, f, cr2, pfec);
	default:
		return -1;
	}
	entry = map_at_hand(v, &l);
	if (!(entry & PTE_P) || ((access & ACC_WRITE) && !(entry & PTE_W)) ||
	    ((access & ACC_FETCH) && (entry & PTE_NX)))
		return -1;
	s->table[i] = entry;
	set_filled(s, i);
	fill_around(v, s->table, i, &l, map_at_hand);
	v->count[C_SHADOW_FILL]++;
	return 0;
}

/* shadow_sync() of what is little. */
static __always_inline bool sync_at_hand(struct vcpu *v)
{
	struct kvm_vmi *kvm = to_kvm_vmi(v);
	u32 cpus = atomic_read(&kvm->kvm.online_vcpus), c, n, head, e;
	struct last_table last = { .gfn = ~0u };
	struct shared *sh;
	struct vcpu *other;

	v->awaited = NULL;
	for (c = 0; c < cpus && c < MAX_CPUS; c++) {
		other = READ_ONCE(kvm->vcpus[c]);
		if (!other)
			return false;
		sh = other->vmi_page;
		head = __atomic_load_n(&sh->head, __ATOMIC_ACQUIRE);
		n = v->ring_seen[c];
		if (head - n > 64)
			return false;
		for (; n != head; n++) {
			e = READ_ONCE(sh->ring[n % RING_SIZE]);
			if ((e & 1) || e >> 5 == v->cr3 >> 5)
				return false;
			clear_changed(v, e, &last);
		}
		/* Overtaken while we read: what we read may be anything. */
		if (other != v && __atomic_load_n(&sh->head, __ATOMIC_ACQUIRE) - head > 60)
			return false;
		v->ring_seen[c] = head;
	}
	return true;
}

/* set_cr3() to a root whose four entries are as they were. */
static __always_inline bool cr3_at_hand(struct vcpu_vmi *vmi, u32 cr3)
{
	u64 *pdptrs = vmi->vcpu.arch.walk_mmu->pdptrs, *table, entry;
	struct vcpu *v = &vmi->ring1;
	struct spage *root = find(v, KEY(R_ROOT, 2, cr3 >> 5));
	int i;

	entry = tdp_at_hand(vmi, cr3 & ~0xfffu);
	if (!root || !entry)
		return false;
	table = __va(entry & PFN_MASK) + (cr3 & 0xfe0);
	for (i = 0; i < 4; i++)
		if (READ_ONCE(table[i]) != root->pdpte[i])
			return false;
	for (i = 0; i < 4; i++) {
		v->pdpte[i] = root->pdpte[i];
		pdptrs[i] = root->pdpte[i];
	}
	vmi->vcpu.arch.cr3 = cr3;
	vmi->paging_cr3 = cr3;
	v->cr3 = cr3;
	v->vmi_page->cr3 = cr3;
	v->root = root;
	root->loaded = ++v->loads;
	v->lost = 0;
	v->pml4[0] = __pa(root->table) | PTE_P | PTE_W | PTE_U;
	asm volatile("mov %0, %%cr3" : : "r" (vmi->window->guest_cr3) : "memory");
	return true;
}

/* shadow_inval() of a page of 4 KB. */
static __always_inline bool inval_at_hand(struct vcpu *v, u32 gva)
{
	u64 entry = v->root->table[gva >> 30];
	struct spage *s;

	if (!(entry & PTE_P) || (v->lost & LOST_MORE))
		return false;
	entry = table_virt(entry & PFN_MASK)[gva >> 21 & 511];
	if ((entry & (PTE_P | PTE_PS)) != PTE_P)
		return false;
	s = spage_of(v, entry);
	if ((s->key & 15) != R_PT)
		return false;
	s->table[gva >> 12 & 511] = 0;
	asm volatile("invlpg (%0)" : : "r" ((u64)gva) : "memory");
	return true;
}

static __always_inline bool do_call(struct vcpu *v, u32 nr, struct fault_frame *f)
{
	switch (nr) {
	case VMI_OP_SET_CR3:
		return sync_at_hand(v) && cr3_at_hand(to_vmi(v), f->ax);
	case VMI_OP_FLUSH_RANGE:
		if ((u32)f->dx != 1)
			return sync_at_hand(v) && cr3_at_hand(to_vmi(v), v->cr3);
		return sync_at_hand(v) && inval_at_hand(v, f->ax);
	case VMI_OP_INVAL_PAGE:
		return sync_at_hand(v) && inval_at_hand(v, f->ax);
	case VMI_OP_FLUSH_TLB:
		return sync_at_hand(v) && cr3_at_hand(to_vmi(v), v->cr3);
	default:
		return false;
	}
}

/**
 * window_hypercall - a call of the ROM's, as hypercall() does it
 * @cpu: what this CPU's window needs
 * @f: the registers
 *
 * Return: 0: done; -1: it is to be done outside the window.
 */
noinstr int window_hypercall(struct window_cpu *cpu, struct fault_frame *f)
{
	struct vcpu *v = cpu->window->faults;
	u32 off = (u32)f->ip - 2 - rom_of(v)->linear - ROM_slots, nr = off / SLOT;
	struct shared *sh = v->vmi_page;

	/* With the flag open, what waits for it is KVM's to deliver. */
	if ((f->cs & 3) != 1 || off % SLOT || (sh->pending && sh->vif) ||
	    !stack_is_flat(v, f->ss) || (v->cr0 & CR0_PG) != CR0_PG || !(v->cr4 & CR4_PAE) ||
	    !do_call(v, nr, f))
		return -1;
	note_call(v, nr, f->ip, f->ax, f->dx, f->cx);
	return 0;
}
