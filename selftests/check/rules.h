/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECK_RULES_H
#define CHECK_RULES_H

/*
 * The rules of the ring-1 core as assertions, for the check.c of each of its hosts
 * (selftests/monitor, selftests/kvm).  Whatever the guest does:
 *
 *	no descriptor that it can load is a system one, 64-bit or of DPL 0
 *	its address space is the shadow of its tables, 4 GiB of it
 *	shadows in use lead to shadows in use, and to pages that the host lets it have
 *
 * Who includes this has
 *	breach(rule, a, b)	a rule is broken
 *	check_table(v, e)	does entry @e lead to one of this CPU's tables?
 *	check_leaf(v, slot, e, n)	may the guest reach the @n pages of @e, with its rights?
 */

#include "walk.h"

#define SEG_S		BIT_ULL(44)
#define SEG_DPL		(3ULL << 45)
#define SEG_L		BIT_ULL(53)

static void check_descriptors(u64 *table, u32 from, u32 to)
{
	for (; from < to; from++)
		if (table[from] && (!(table[from] & SEG_S) || (table[from] & SEG_L) ||
				    !(table[from] & SEG_DPL)))
			breach("a descriptor of ring 0", from, table[from]);
}

/* Entries from @first on, below the upper half, are nobody's. */
static void check_root(struct vcpu *v, u32 first)
{
	u32 i;

	if ((v->pml4[0] & PFN_MASK) != table_phys(v->root->table))
		breach("the root", v->pml4[0], table_phys(v->root->table));
	for (i = first; i < 256; i++)
		if (v->pml4[i])
			breach("a root that nobody made", i, v->pml4[i]);
	for (i = 4; i < 512; i++)
		if (v->root->table[i])
			breach("beyond 4 GiB", i, v->root->table[i]);
}

static void check_entry(struct vcpu *v, enum role role, u64 *slot)
{
	u64 e = *slot;

	if (!(e & PTE_P))
		return;
	if (role == R_PT || role == R_SPLIT)
		check_leaf(v, slot, e & ~PTE_PS, 1);	/* that bit is PAT here */
	else if (role != R_ROOT && (e & PTE_PS))
		check_leaf(v, slot, e, LARGE / PAGE);
	else
		check_table(v, e);
}

/* Of all address spaces that this CPU remembers; what is not filled is empty. */
static void check_shadows(struct vcpu *v)
{
	struct spage *s;
	u32 i;

	for (s = v->used_pages; s; s = s->list)
		for (i = 0; i < 512; i++)
			if (s->filled >> i / 64 & 1)
				check_entry(v, s->key & 15, &s->table[i]);
}

#endif
