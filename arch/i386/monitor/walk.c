// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walking the guest's page tables the way the processor would: rights checked,
 * accessed and dirty bits set.  Both formats, and paging switched off.
 */
#include "mon.h"

struct entry {
	u64 pa;			/* where it is */
	u64 val;
	u32 size;		/* 4 or 8 bytes */
};

static bool load_entry(struct entry *e, u64 pa, u32 size)
{
	void *p = guest_ram(pa, size);

	if (!p)
		return false;
	e->pa = pa;
	e->size = size;
	e->val = size == 4 ? *(volatile u32 *)p : *(volatile u64 *)p;
	return true;
}

/* Set bits in an entry unless the guest changed it meanwhile. */
static bool mark_entry(struct entry *e, u64 bits)
{
	void *p = phys_ptr(e->pa);
	u64 old = e->val;
	u32 old32 = old;

	if ((old & bits) == bits)
		return true;
	e->val |= bits;
	if (e->size == 8)
		return __atomic_compare_exchange_n((u64 *)p, &old, e->val, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return __atomic_compare_exchange_n((u32 *)p, &old32, (u32)e->val, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The processor's verdict on an access with these combined rights. */
static bool allowed(struct vcpu *v, u32 access, u64 rights)
{
	if ((access & ACC_USER) && !(rights & PTE_U))
		return false;
	if ((access & ACC_WRITE) && !(rights & PTE_W) &&
	    ((access & ACC_USER) || (v->cr0 & CR0_WP)))
		return false;
	if (access & ACC_FETCH) {
		if (rights & PTE_NX)
			return false;
		if (!(access & ACC_USER) && (rights & PTE_U) && (v->cr4 & CR4_SMEP))
			return false;
	}
	return true;
}

static int fault(struct vcpu *v, u32 access, u32 bits, u32 *pfec)
{
	*pfec = bits | (access & (PFEC_W | PFEC_U));
	if ((access & ACC_FETCH) &&
	    (((v->efer & EFER_NX) && (v->cr4 & CR4_PAE)) || (v->cr4 & CR4_SMEP)))
		*pfec |= PFEC_I;
	return -1;
}

/*
 * Without WP the guest's kernel may write anywhere, its programs not: an entry
 * without the right gets it for the kernel alone, which SMEP must not notice.
 */
static u64 open_to_kernel(struct vcpu *v, u64 r, u32 access)
{
	if ((r & PTE_W) || (access & (ACC_WRITE | ACC_USER)) != ACC_WRITE)
		return r;
	if ((r & PTE_U) && (v->cr4 & CR4_SMEP) && cpu_has_nx)
		r |= PTE_NX;
	return (r | PTE_W | PTE_D) & ~PTE_U;
}

/*
 * Rights of the 4 KB shadow entry for a leaf, cache bits included.  They are
 * the leaf's alone: more than one directory entry may lead to its table.
 */
static u64 leaf_rights(struct vcpu *v, u64 e, u32 access, bool large)
{
	u64 r = PTE_P | PTE_A | (e & (PTE_U | PTE_NX | PTE_PWT | PTE_PCD));

	if (large ? e & PTE_PAT_LARGE : e & PTE_PAT)
		r |= PTE_PAT;
	/* Writable only once the guest's entry is dirty, so that we set the bit. */
	if ((e & PTE_W) && (e & PTE_D))
		r |= PTE_W | PTE_D;
	return open_to_kernel(v, r, access);
}

/* Frame of the 4 KB page inside a large page. */
static u64 large_frame(u64 pde, u32 lin, bool pae)
{
	if (pae)
		return (pde & PFN_MASK & ~(LARGE - 1)) + (lin & (LARGE - 1) & ~0xfff);
	return (pde & 0xffc00000) + (lin & 0x3ff000) + ((pde >> 13 & 0xff) << 32);
}

/* Both formats: 0, -1 for a fault, 1 if the guest changed an entry meanwhile. */
static int walk(struct vcpu *v, u32 lin, u32 access, struct leaf *l, u32 *pfec)
{
	bool pae = v->cr4 & CR4_PAE;
	u32 size = pae ? 8 : 4, index = pae ? lin >> 21 & 511 : lin >> 22;
	u64 table = pae ? v->pdpte[lin >> 30] : v->cr3 | PTE_P;
	u64 rsvd = !pae ? 0 : pte_reserved | (v->efer & EFER_NX ? 0 : PTE_NX);
	u64 rights, bits = PTE_A;
	struct entry pde, pte, *leaf = &pde;

	if (!(table & PTE_P))
		return fault(v, access, 0, pfec);
	if (!load_entry(&pde, (table & PFN_MASK) + index * size, size))
		return fault(v, access, PFEC_P | PFEC_RSVD, pfec);
	if (!(pde.val & PTE_P))
		return fault(v, access, 0, pfec);
	rights = pde.val & (PTE_W | PTE_U | PTE_NX);
	l->pd_gfn = table >> 12;
	l->pde_rights = open_to_kernel(v, rights | PTE_P | PTE_A, access);
	l->large = (pde.val & PTE_PS) && (pae || (v->cr4 & CR4_PSE));
	if ((pde.val & rsvd) || (l->large && ((pde.val & (pae ? 0x1fe000 : 0x200000)) ||
					      (large_frame(pde.val, lin, pae) & pte_reserved))))
		return fault(v, access, PFEC_P | PFEC_RSVD, pfec);
	if (!l->large) {
		index = pae ? lin >> 12 & 511 : lin >> 12 & 1023;
		if (!load_entry(&pte, (pde.val & PFN_MASK) + index * size, size))
			return fault(v, access, PFEC_P | PFEC_RSVD, pfec);
		if (!(pte.val & PTE_P))
			return fault(v, access, 0, pfec);
		if (pte.val & rsvd)
			return fault(v, access, PFEC_P | PFEC_RSVD, pfec);
		rights = (rights & pte.val & (PTE_W | PTE_U)) | ((rights | pte.val) & PTE_NX);
		leaf = &pte;
	}
	if (!allowed(v, access, rights))
		return fault(v, access, PFEC_P, pfec);
	if (access & ACC_WRITE)
		bits |= PTE_D;
	if (!mark_entry(&pde, l->large ? bits : PTE_A) ||
	    (!l->large && !mark_entry(&pte, bits)))
		return 1;
	l->pt_gfn = l->large ? 0 : pde.val >> 12;
	l->frame = l->large ? large_frame(pde.val, lin, pae) : pte.val & PFN_MASK;
	l->rights = leaf_rights(v, leaf->val, access, l->large);
	return 0;
}

/**
 * guest_walk - translate through the guest's tables
 * @access: ACC_* of the access to check
 * @l: the translation
 * @pfec: the page fault's error code, when it faults
 *
 * Return: 0, or -1 when the guest itself would fault.
 */
int guest_walk(struct vcpu *v, u32 lin, u32 access, struct leaf *l, u32 *pfec)
{
	int ret;

	do {
		l->pt_gfn = 0;
		if (!(v->cr0 & CR0_PG)) {
			l->frame = lin & ~0xfffu;
			l->rights = PTE_P | PTE_W | PTE_A | PTE_D | (access & ACC_USER);
			l->pde_rights = PTE_P | PTE_W | PTE_U;
			l->pd_gfn = lin >> 30;
			l->large = true;
			return 0;
		}
		ret = walk(v, lin, access, l, pfec);
	} while (ret > 0);	/* the guest changed an entry: once more */
	return ret;
}

/**
 * leaf_around - the leaf of an entry near one that was just walked
 * @pte: the guest's entry, of a PAE table
 * @l: that of the walked one; frame and rights are replaced
 *
 * Return: false if the entry would need a walk of its own.
 */
bool leaf_around(struct vcpu *v, u64 pte, struct leaf *l)
{
	if ((pte & (PTE_P | PTE_A)) != (PTE_P | PTE_A) || (pte & pte_reserved) ||
	    ((pte & PTE_NX) && !(v->efer & EFER_NX)))
		return false;
	l->frame = pte & PFN_MASK;
	l->rights = leaf_rights(v, pte, 0, false);
	return true;
}

/* Where a linear address of the guest's kernel is, without side effects. */
bool guest_virt_to_phys(struct vcpu *v, u32 lin, u64 *pa)
{
	struct leaf l;
	u32 pfec;

	if (guest_walk(v, lin, 0, &l, &pfec))
		return false;
	*pa = l.frame + (lin & 0xfff);
	return true;
}
