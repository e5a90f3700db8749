/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RING1_LINKED_H
#define RING1_LINKED_H

/*
 * Shadows that are in their places, PAE: faults without a walk, and what the ring of
 * changes says.  No call is in it, so that kvm-vmi can do it in its window.
 */

#include "walk.h"

#define AROUND	8		/* entries to fill at once */
#define LINK	(PFN_MASK | PTE_P | PTE_A | PTE_PS)	/* what leads to a page table, in PAE */

#define LOST_MORE	BIT(31)	/* in vcpu->lost: not only entries of page tables */
#define KEY(role, part, gfn)	((u64)(gfn) << 16 | (part) << 4 | (role))

static __always_inline u32 bucket(u64 key)
{
	return (key ^ key >> 16 ^ key >> 26) & 1023;
}

static __always_inline struct spage *find(struct vcpu *vcpu, u64 key)
{
	struct spage *s;

	for (s = vcpu->hash[bucket(key)]; s; s = s->next)
		if (s->key == key)
			return s;
	return NULL;
}

/*
 * The entry @e of a directory leads nowhere now.  Until then it may have filled the TLB
 * with what the table it led to has, under its own address.
 */
static __always_inline void cut_link(struct vcpu *vcpu, u64 e)
{
	struct spage *s;

	vcpu->lost |= LOST_MORE;
	if ((e & (PTE_P | PTE_PS)) != PTE_P)
		return;
	s = spage_of(vcpu, e);
	if (s->links == 1)
		s->links = 0;
}

/* The guest's table that the entry before was of: most are of the same. */
struct last_table {
	u32 gfn;
	struct spage *pt, *pd;
};

/* The guest changed the entry at @gpa. */
static __always_inline void clear_changed(struct vcpu *vcpu, u32 gpa, struct last_table *last)
{
	u32 gfn = gpa >> 12, i = (gpa & 0xfff) / 8;

	if (gfn != last->gfn) {
		last->gfn = gfn;
		last->pt = find(vcpu, KEY(R_PT, 0, gfn));
		last->pd = find(vcpu, KEY(R_PD, 0, gfn));
	}
	if (last->pt && last->pt->table[i]) {
		last->pt->table[i] = 0;
		vcpu->lost++;
	}
	if (last->pd && last->pd->table[i]) {
		cut_link(vcpu, last->pd->table[i]);
		last->pd->table[i] = 0;
	}
}

/* How a host maps a frame: 0 if it does not, or not now. */
typedef u64 (*map_fn)(struct vcpu *vcpu, struct leaf *l);

static __always_inline void set_filled(struct spage *s, u32 i)
{
	s->filled |= 1 << i / 64;
}

/* The leaf of @pte, of a PAE table. */
static __always_inline void set_leaf(struct vcpu *vcpu, u64 pte, struct leaf *l)
{
	l->pte = pte;
	l->frame = pte & PFN_MASK;
	l->rights = leaf_rights(vcpu, pte, 0, false);
}

/* Of the guest's entry @i.  false: it needs a fault to itself. */
static __always_inline bool touched_leaf(struct vcpu *vcpu, u32 i, struct leaf *l)
{
	u64 pte = __atomic_load_n(&l->pt[i], __ATOMIC_RELAXED);

	if ((pte & (PTE_P | PTE_A | vcpu->reserved)) != (PTE_P | PTE_A))
		return false;
	set_leaf(vcpu, pte, l);
	return true;
}

/* @l is of the entry before: mostly no more than the frame @differs.  false: no more. */
static __always_inline bool fill_next(struct vcpu *vcpu, u64 *table, u32 i, struct leaf *l,
				      u64 differs, map_fn map)
{
	u64 pte = __atomic_load_n(&l->pt[i], __ATOMIC_RELAXED);

	if (table[i])
		return false;
	if (!((pte ^ l->pte) & ~differs))
		l->frame = pte & PFN_MASK;
	else if (!touched_leaf(vcpu, i, l))
		return false;
	table[i] = map(vcpu, l);
	return table[i];
}

/* What is next to a touched page, @l, is often touched next: save the faults. */
static __always_inline void fill_around(struct vcpu *vcpu, u64 *table, u32 index,
					struct leaf *l, map_fn map)
{
	u64 differs = PFN_MASK & ~vcpu->reserved;
	u32 i;

	for (i = index + 1; i % AROUND && fill_next(vcpu, table, i, l, differs, map); i++)
		;
	for (i = index; i-- % AROUND && fill_next(vcpu, table, i, l, differs, map);)
		;
}

/*
 * The shadow of the page table for @gva, if it is in its place and the guest's directory
 * still says so.  NULL: walk, and install(); but if @pde lacks PTE_P there is no table.
 */
static __always_inline struct spage *linked_table(struct vcpu *vcpu, u32 gva, u64 *pde)
{
	u64 e = vcpu->root->table[gva >> 30], at;
	u32 i = gva >> 21 & 511;
	struct spage *s;

	*pde = PTE_P;
	if (!(e & PTE_P))
		return NULL;
	s = spage_of(vcpu, e);
	if (!s->guest)
		return NULL;
	e = s->table[i];
	*pde = __atomic_load_n(&s->guest[i], __ATOMIC_RELAXED);
	if ((e & (PTE_P | PTE_PS)) != PTE_P ||
	    ((e ^ *pde) & (PTE_W | PTE_U | PTE_NX | vcpu->reserved)))
		return NULL;
	s = spage_of(vcpu, e);
	at = *pde & LINK;
	return s->pde == at ? s : NULL;
}

/* Does the guest have a page there at all? */
static __always_inline bool linked_present(struct spage *s, u32 i)
{
	return __atomic_load_n(&s->guest[i], __ATOMIC_RELAXED) & PTE_P;
}

/* The page that it has, which was touched before: else FILL_WALK.  Or its own fault. */
static __always_inline enum fill linked_leaf(struct vcpu *vcpu, struct spage *s, u64 pde, u32 i,
					     u32 access, struct leaf *l, u32 *pfec)
{
	u64 bits = access & ACC_WRITE ? PTE_A | PTE_D : PTE_A, pte;

	pte = __atomic_load_n(&s->guest[i], __ATOMIC_RELAXED);
	if (!(vcpu->cr0 & CR0_WP) || (pte & vcpu->reserved) || !(pte & PTE_P))
		return FILL_WALK;
	if (!allowed(vcpu, access, both_rights(pde, pte))) {
		fault(vcpu, access, PFEC_P, pfec);
		return FILL_FAULT;
	}
	set_leaf(vcpu, pte, l);
	l->pt = s->guest;
	return (pte & bits) == bits ? FILL_DONE : FILL_WALK;
}

#endif
