/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FUZZ_MMU_H
#define _FUZZ_MMU_H

/*
 * Paging of a 32-bit processor, once more and in the plainest words, from the
 * processor's manual (volume 3, chapter 4).  It knows nothing of the monitor.
 */
#include "fuzz.h"

struct mmu {
	bool pg, pae, pse, wp, nxe, smep;
	unsigned int maxphyaddr;
};

/* Values of the entries on the way to a page. */
struct path {
	u64 pdpte;		/* PAE only */
	u64 pde, pte;
	bool pde_missing;	/* the table is nowhere: reads as all ones */
	bool pte_missing;
};

enum map_state { MAP_ABSENT, MAP_RESERVED, MAP_PRESENT };

/* What the entries say of one 4 KB page. */
struct map {
	enum map_state state;
	bool user, write, noexec;
	bool accessed;		/* every entry on the way is marked so */
	bool dirty;
	bool wt, cd, pat;
	u64 page;		/* physical address */
	u32 span;		/* bytes that the last entry maps */
};

enum { MMU_WRITE = 2, MMU_USER = 4, MMU_FETCH = 16 };

bool mmu_large(const struct mmu *m, u64 pde);
struct map mmu_map(const struct mmu *m, u32 lin, const struct path *p);
bool mmu_allows(const struct mmu *m, const struct map *map, u32 access);
u32 mmu_error(const struct mmu *m, const struct map *map, u32 access);

#endif /* _FUZZ_MMU_H */
