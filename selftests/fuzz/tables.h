/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FUZZ_TABLES_H
#define _FUZZ_TABLES_H

/* Between shadow.c, which makes the steps, and tables.c, which checks. */
#include "fuzz.h"
#include "mmu.h"

#define CPUS		2
#define MON_START	0x40000000UL
#define MON_END		0x80000000UL
#define MACHINE		0x200000	/* bytes; a hole from 640 KB to 1 MB */
#define HOLE		0xa0000
#define HOLE_END	0x100000
#define ROM_PHYS	0xd0000
#define TLB		16

enum {
	SEEN_COMPARED, SEEN_STALE, SEEN_LARGE, SEEN_SPECIAL, SEEN_FILLED, SEEN_FAULT,
	SEEN_RESERVED, SEEN_NO_WP, SEEN_SMEP, SEEN_DIRTY, SEEN_TWO_LEVEL,
	SEEN_FULL, SEEN_TRIMMED, SEEN_AWAITED, SEEN_KEPT, SEEN_LOST,
};

/* What the processor makes of the shadow for one 4 KB page. */
struct real {
	bool present, write, user, noexec;
	u64 page, size;
	bool wt, cd, pat;
};

/* A processor's memory of translations; the guest's page may be larger. */
struct tlb_entry {
	u64 lin, size;
	struct real real;
	u64 guest_lin, guest_size;
};

struct cpu {
	struct vcpu v, fresh;
	struct tlb_entry tlb[TLB];
	u32 tlb_next;
	u64 pdpte[4];		/* as last seen */
};

/* shadow.c */
extern struct tally tallies[];
extern struct cpu cpus[CPUS];
extern struct cpu *cpu;		/* that makes the step */
extern u32 me;
extern struct mmu mmu;
extern u8 rom_page[], shared_pages[CPUS][SH_PAGES * PAGE];
extern u64 scratch_frame;

/* tables.c: pages of the guest that hold page tables */
#define TABLES		8
extern const u32 table_gfn[TABLES];

u32 entry_size(void);
bool is_table(u64 pa);
bool is_ram(u64 pa, u32 size);
u64 load(u64 pa);
void store(u64 pa, u64 val);
void forget_noted(void);
void forget_all(void);
void entry_noted(u64 pa);
void page_noted(u32 gfn);
void clear_tables(void);

struct real real_walk(u32 lin);
bool real_allows(const struct real *r, u32 access);
bool is_monitors(u64 page);
bool read_only(u64 page);
struct path current_path(u32 lin);
u64 directory(u32 lin, const struct path *p);
u64 table(u32 lin, const struct path *p);
bool explained(u32 lin, const struct real *r, bool current_only, struct map *map);
void expect_explained(u32 lin, const struct real *r, bool current_only);
void check_shadow(void);
void check_pdptes(bool loaded);
void accept_path(u32 lin, const struct path *p, u64 in_pd, u64 in_leaf);
void check_marks(u32 lin, const struct path *p, bool walked, u32 access);

#endif /* _FUZZ_TABLES_H */
