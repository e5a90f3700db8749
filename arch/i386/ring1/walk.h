/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RING1_WALK_H
#define RING1_WALK_H

/* What a processor makes of the guest's entries: for walk.c and shadow.c. */

#include "ring1.h"

/* Of a page of shadows: struct spage's key. */
enum role { R_FREE, R_ROOT, R_PD, R_PT, R_SPLIT, R_FLAT_PD };

/* The processor's verdict on an access with these combined rights. */
static __always_inline bool allowed(struct vcpu *vcpu, u32 access, u64 rights)
{
	if ((access & ACC_USER) && !(rights & PTE_U))
		return false;
	if ((access & ACC_WRITE) && !(rights & PTE_W) &&
	    ((access & ACC_USER) || (vcpu->cr0 & CR0_WP)))
		return false;
	if (access & ACC_FETCH) {
		if (rights & PTE_NX)
			return false;
		if (!(access & ACC_USER) && (rights & PTE_U) && (vcpu->cr4 & CR4_SMEP))
			return false;
	}
	return true;
}

static __always_inline int fault(struct vcpu *vcpu, u32 access, u32 bits, u32 *pfec)
{
	*pfec = bits | (access & (PFEC_W | PFEC_U));
	if ((access & ACC_FETCH) &&
	    (((vcpu->efer & EFER_NX) && (vcpu->cr4 & CR4_PAE)) || (vcpu->cr4 & CR4_SMEP)))
		*pfec |= PFEC_I;
	return -1;
}

/* Rights of both levels together. */
static __always_inline u64 both_rights(u64 pde, u64 pte)
{
	return (pde & pte & (PTE_W | PTE_U)) | ((pde | pte) & PTE_NX);
}

/*
 * Without WP the guest's kernel may write anywhere, its programs not: an entry
 * without the right gets it for the kernel alone, which SMEP must not notice.
 */
static __always_inline u64 open_to_kernel(struct vcpu *vcpu, u64 r, u32 access)
{
	if ((r & PTE_W) || (access & (ACC_WRITE | ACC_USER)) != ACC_WRITE)
		return r;
	if ((r & PTE_U) && (vcpu->cr4 & CR4_SMEP) && cpu_has_nx)
		r |= PTE_NX;
	return (r | PTE_W | PTE_D) & ~PTE_U;
}

/* Rights of a leaf's 4 KB shadow entry: its alone, many directories may lead to it. */
static __always_inline u64 leaf_rights(struct vcpu *vcpu, u64 e, u32 access, bool large)
{
	u64 r = PTE_P | PTE_A | (e & (PTE_U | PTE_NX | PTE_PWT | PTE_PCD | (large ? 0 : PTE_PAT)));
	/* Writable only once the guest's entry is dirty, so that we set the bit. */
	u64 w = e & e / (PTE_D / PTE_W) & PTE_W;

	r |= w | w * (PTE_D / PTE_W);
	if (large && (e & PTE_PAT_LARGE))
		r |= PTE_PAT;
	return open_to_kernel(vcpu, r, access);
}

#endif
