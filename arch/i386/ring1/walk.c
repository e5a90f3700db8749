// SPDX-License-Identifier: GPL-2.0-only
/* Walking the guest's page tables as the processor would: rights, A and D bits. */
#include "walk.h"

/* Read an entry of a table of the guest's.  false: that is not in its RAM. */
static inline bool load_entry(struct vcpu *vcpu, u64 table, u32 offset, bool pae, void **p,
			      u64 *val)
{
	*p = guest_table(vcpu, table & PFN_MASK);
	if (!*p)
		return false;
	*p += offset;
	*val = pae ? *(volatile u64 *)*p : *(volatile u32 *)*p;
	return true;
}

/* Set bits in an entry of @table.  false: the guest changed it meanwhile, or not yet. */
static inline bool mark_entry(struct vcpu *vcpu, u64 table, void *p, u64 *val, u64 bits, bool pae)
{
	u64 old = *val;
	u32 old32 = old;

	if ((old & bits) == bits)
		return true;
	if (!may_mark(vcpu, table & PFN_MASK))
		return false;
	*val |= bits;
	if (pae)
		return __atomic_compare_exchange_n((u64 *)p, &old, *val, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return __atomic_compare_exchange_n((u32 *)p, &old32, (u32)*val, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* A table is not there: the guest's fault, unless its host can bring it. */
static int no_table(struct vcpu *vcpu, u32 access, u32 *pfec)
{
	return host_must_act(vcpu) ? 1 : fault(vcpu, access, PFEC_P | PFEC_RSVD, pfec);
}

/* Frame of the 4 KB page inside a large page. */
static u64 large_frame(u64 pde, u32 gva, bool pae)
{
	if (pae)
		return (pde & PFN_MASK & ~(LARGE - 1)) + (gva & (LARGE - 1) & ~0xfff);
	return (pde & 0xffc00000) + (gva & 0x3ff000) + ((pde >> 13 & 0xff) << 32);
}

/* guest_walk() with paging on, for both formats. */
static inline __attribute__((always_inline))
int walk(struct vcpu *vcpu, u32 gva, u32 access, struct leaf *l, u32 *pfec, const bool pae)
{
	u64 table = pae ? vcpu->pdpte[gva >> 30] : vcpu->cr3 | PTE_P;
	u64 rsvd = pae ? vcpu->reserved : 0;
	u32 pd_offset = pae ? (gva >> 21 & 511) * 8 : (gva >> 22) * 4;
	u32 pt_offset = pae ? (gva >> 12 & 511) * 8 : (gva >> 12 & 1023) * 4;
	u64 pde, pte, rights, bits = access & ACC_WRITE ? PTE_A | PTE_D : PTE_A;
	void *pde_at, *pte_at;

	l->pt = NULL;
	if (!(table & PTE_P))
		return fault(vcpu, access, 0, pfec);
	if (!load_entry(vcpu, table, pd_offset, pae, &pde_at, &pde))
		return no_table(vcpu, access, pfec);
	if (!(pde & PTE_P))
		return fault(vcpu, access, 0, pfec);
	if (pde & rsvd)
		return fault(vcpu, access, PFEC_P | PFEC_RSVD, pfec);
	rights = pde & (PTE_W | PTE_U | PTE_NX);
	l->pd_gfn = table >> 12;
	l->pd = pae ? pde_at - pd_offset : NULL;
	l->large = (pde & PTE_PS) && (pae || (vcpu->cr4 & CR4_PSE));
	if (l->large) {
		l->frame = large_frame(pde, gva, pae);
		if ((pde & (pae ? 0x1fe000 : 0x200000)) || (l->frame & vcpu->reserved))
			return fault(vcpu, access, PFEC_P | PFEC_RSVD, pfec);
		if (!allowed(vcpu, access, rights))
			return fault(vcpu, access, PFEC_P, pfec);
		if (!mark_entry(vcpu, table, pde_at, &pde, bits, pae))
			return 1;
		l->rights = leaf_rights(vcpu, pde, access, true);
		return 0;
	}
	if (!load_entry(vcpu, pde, pt_offset, pae, &pte_at, &pte))
		return no_table(vcpu, access, pfec);
	/* Also of a fault that is the guest's own: link_faulted(). */
	l->pt = pde & PTE_A ? pte_at - pt_offset : NULL;
	l->pt_gfn = pde >> 12;
	l->pde_rights = (pde & (PTE_W | PTE_U | PTE_NX)) | PTE_P | PTE_A;
	if (!(pte & PTE_P))
		return fault(vcpu, access, 0, pfec);
	if (pte & rsvd)
		return fault(vcpu, access, PFEC_P | PFEC_RSVD, pfec);
	rights = both_rights(rights, pte);
	if (!allowed(vcpu, access, rights))
		return fault(vcpu, access, PFEC_P, pfec);
	if (!mark_entry(vcpu, table, pde_at, &pde, PTE_A, pae) ||
	    !mark_entry(vcpu, pde, pte_at, &pte, bits, pae))
		return 1;
	l->pde_rights = open_to_kernel(vcpu, l->pde_rights, access);
	l->pt = pte_at - pt_offset;
	l->frame = pte & PFN_MASK;
	l->rights = leaf_rights(vcpu, pte, access, false);
	return 0;
}

#define WALK(name, pae) \
static noinline int name(struct vcpu *vcpu, u32 gva, u32 access, struct leaf *l, u32 *pfec) \
{ return walk(vcpu, gva, access, l, pfec, pae); }
WALK(walk_pae, true)
WALK(walk_2level, false)

/**
 * guest_walk - translate through the guest's tables
 * @vcpu: the virtual CPU
 * @gva: linear address
 * @access: ACC_* of the access to check
 * @l: the translation
 * @pfec: the page fault's error code, when it faults
 *
 * Return: 0; -1 when the guest itself would fault; 1: ask again, since it changed an
 * entry meanwhile, or once the host has acted where host_must_act() says so.
 */
int guest_walk(struct vcpu *vcpu, u32 gva, u32 access, struct leaf *l, u32 *pfec)
{
	if ((vcpu->cr0 & CR0_PG) && (vcpu->cr4 & CR4_PAE))
		return walk_pae(vcpu, gva, access, l, pfec);
	if (vcpu->cr0 & CR0_PG)
		return walk_2level(vcpu, gva, access, l, pfec);
	l->frame = gva & ~0xfffu;
	l->rights = PTE_P | PTE_W | PTE_A | PTE_D | (access & ACC_USER);
	l->pde_rights = PTE_P | PTE_W | PTE_U;
	l->pd_gfn = gva >> 30;
	l->pd = NULL;
	l->large = true;
	return 0;
}
