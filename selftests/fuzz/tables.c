// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest's tables said and say, what the shadow says, and whether the
 * one explains the other.
 */
#include <string.h>

#include "tables.h"

#define PAST		6

/*
 * The guest's tables are in these pages.  For every entry: what it was, as far
 * as a CPU may still remember; and whether the guest said that it changed.
 */
const u32 table_gfn[TABLES] = { 0x10, 0x11, 0x12, 0x13, 0x9f, 0x100, 0x1ff, 0x30 };

struct cell {
	u64 past[CPUS][PAST];
	u8 nr[CPUS];
	bool many[CPUS], noted[CPUS];	/* many: too many to know */
};

static struct cell cells[TABLES][1024];
static u32 known[TABLES][1024];		/* the tables, as we know them */
static struct cell *touched[8192];
static u32 nr_touched;

u32 entry_size(void)
{
	return mmu.pae ? 8 : 4;
}

static struct cell *cell_at(u64 pa)
{
	u32 i;

	for (i = 0; i < TABLES; i++)
		if (pa >> 12 == table_gfn[i])
			return &cells[i][pa % PAGE / 4];
	return NULL;
}

bool is_table(u64 pa)
{
	return cell_at(pa);
}

bool is_ram(u64 pa, u32 size)
{
	return pa + size <= HOLE || (pa >= HOLE_END && pa + size <= MACHINE);
}

u64 load(u64 pa)
{
	u64 val = 0;

	EXPECT(is_ram(pa, entry_size()));
	memcpy(&val, machine + pa, entry_size());
	return val;
}

static void remember(u64 pa, u64 old)
{
	struct cell *c = cell_at(pa);
	u32 i, k;

	if (nr_touched < ARRAY_SIZE(touched))
		touched[nr_touched++] = c;
	else
		EXPECT(!"too many steps");
	for (i = 0; i < CPUS; i++) {
		for (k = 0; k < c->nr[i] && c->past[i][k] != old; k++)
			;
		if (k < c->nr[i])
			continue;
		if (k == PAST)
			c->many[i] = true;
		else
			c->past[i][c->nr[i]++] = old;
	}
}

void store(u64 pa, u64 val)
{
	u32 i;

	remember(pa, load(pa));
	memcpy(machine + pa, &val, entry_size());
	for (i = 0; i < TABLES; i++)
		if (pa >> 12 == table_gfn[i])
			memcpy((u8 *)known[i] + pa % PAGE, &val, entry_size());
}

static void forget(struct cell *c)
{
	c->nr[me] = 0;
	c->many[me] = false;
	c->noted[me] = false;
}

void forget_noted(void)
{
	u32 i;

	for (i = 0; i < nr_touched; i++)
		if (touched[i]->noted[me])
			forget(touched[i]);
}

void forget_all(void)
{
	u32 i;

	for (i = 0; i < nr_touched; i++)
		forget(touched[i]);
}

/* The guest told of a change: of an entry, of a whole page. */
void entry_noted(u64 pa)
{
	struct cell *c = cell_at(pa);
	u32 i;

	for (i = 0; i < CPUS; i++)
		c->noted[i] = true;
	if (nr_touched < ARRAY_SIZE(touched))
		touched[nr_touched++] = c;
	else
		EXPECT(!"too many steps");
}

void page_noted(u32 gfn)
{
	u32 i, k, t;

	for (t = 0; t < TABLES && table_gfn[t] != gfn; t++)
		;
	for (k = 0; t < TABLES && k < nr_touched; k++)
		if (touched[k] >= cells[t] && touched[k] < cells[t] + 1024)
			for (i = 0; i < CPUS; i++)
				touched[k]->noted[i] = true;
}

void clear_tables(void)
{
	u32 i;

	for (i = 0; i < TABLES; i++) {
		memset(machine + table_gfn[i] * PAGE, 0, PAGE);
		memset(known[i], 0, PAGE);
	}
	for (i = 0; i < nr_touched; i++)
		memset(touched[i], 0, sizeof(*touched[i]));
	nr_touched = 0;
}

/* What the shadow says, as the processor reads it. */
static const u64 *real_table(u64 entry)
{
	u64 at = (entry & PFN_MASK) - MON_START;
	const u8 *table = (u8 *)at;

	EXPECT(!(entry & PFN_MASK & reserved_bits));
	EXPECT(table >= cpu->v.pool_mem && table < cpu->v.pool_mem + cpu->v.pool_size * PAGE);
	return (const u64 *)table;
}

struct real real_walk(u32 lin)
{
	const u64 path[] = { cpu->v.pml4[0], lin >> 30, lin >> 21 & 511, lin >> 12 & 511 };
	struct real r = { .write = true, .user = true };
	u64 e = path[0];
	u32 i;

	for (i = 1; i <= 4; i++) {
		EXPECT(!(e & ~PTE_NX & reserved_bits));
		if (!(e & PTE_P))
			return (struct real){ .present = false };
		r.write &= !!(e & PTE_W);
		r.user &= !!(e & PTE_U);
		r.noexec |= !!(e & PTE_NX);
		r.size = i == 4 ? PAGE : LARGE;
		if (i == 4 || (i == 3 && (e & PTE_PS)))
			break;
		e = real_table(e)[path[i]];
	}
	r.present = true;
	r.page = (e & PFN_MASK & ~(r.size - 1)) + (lin & (r.size - 1) & ~0xfffUL);
	r.wt = e & PTE_PWT;
	r.cd = e & PTE_PCD;
	r.pat = e & (i == 3 ? PTE_PAT_LARGE : PTE_PAT);
	if (i == 3)
		EXPECT(!(e & 0x1fe000));
	return r;
}

/* Long mode with CR0.WP and EFER.NX; CR4.SMEP is the guest's. */
bool real_allows(const struct real *r, u32 access)
{
	if (!r->present || ((access & MMU_USER) && !r->user))
		return false;
	if ((access & MMU_WRITE) && !r->write)
		return false;
	if (access & MMU_FETCH)
		return !r->noexec && ((access & MMU_USER) || !r->user || !mmu.smep);
	return true;
}

bool is_monitors(u64 page)
{
	return page >= MON_START && page < MON_END;
}

/* What the guest shall see where its tables name @page. */
static u64 seen_page(u64 page)
{
	u64 n = (page - ROM_PHYS) / PAGE;

	if (is_monitors(page) || (page > LAPIC_PAGE && page <= LAPIC_LAST))
		return scratch_frame;
	if (page < ROM_PHYS || n > SH_PAGES)
		return page;
	return n ? mon_phys(shared_pages[me] + (n - 1) * PAGE) : mon_phys(rom_page);
}

/* Of the monitor's own memory, whatever the guest's entries say. */
static bool may_show(u64 page)
{
	return !is_monitors(page) || page == scratch_frame || page == mon_phys(rom_page) ||
	       page - mon_phys(shared_pages[me]) < SH_PAGES * PAGE;
}

bool read_only(u64 page)
{
	return page == LAPIC_PAGE || page == ROM_PHYS;
}

/* Does @map justify what the processor may do with @r? */
static bool justifies(const struct map *map, const struct real *r)
{
	static const u32 accesses[] = {
		0, MMU_USER, MMU_WRITE, MMU_USER | MMU_WRITE, MMU_FETCH, MMU_USER | MMU_FETCH,
	};
	u32 i;

	if (map->state != MAP_PRESENT || !map->accessed || seen_page(map->page) != r->page)
		return false;
	/* The local APIC is uncached, whatever the guest says. */
	if (map->page == LAPIC_PAGE ? !r->wt || !r->cd || r->pat :
	    map->wt != r->wt || map->cd != r->cd || map->pat != r->pat)
		return false;
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		if (!real_allows(r, accesses[i]))
			continue;
		if (!mmu_allows(&mmu, map, accesses[i]))
			return false;
		if ((accesses[i] & MMU_WRITE) && (!map->dirty || read_only(map->page)))
			return false;
	}
	return true;
}

/* The n-th value that an entry has or may have had; false: no more. */
static bool value_at(u64 pa, u32 n, bool current_only, u64 *val)
{
	struct cell *c = cell_at(pa);

	*val = load(pa);
	if (!n)
		return true;
	if (!c || current_only || n > c->nr[me])
		return false;
	*val = c->past[me][n - 1];
	return true;
}

u64 directory(u32 lin, const struct path *p)
{
	if (!mmu.pae)
		return (cpu->v.cr3 & 0xfffff000) + (lin >> 22) * 4;
	return (p->pdpte & PFN_MASK) + (lin >> 21 & 511) * 8;
}

u64 table(u32 lin, const struct path *p)
{
	if (!mmu.pae)
		return (p->pde & 0xfffff000) + (lin >> 12 & 1023) * 4;
	return (p->pde & PFN_MASK) + (lin >> 12 & 511) * 8;
}

static bool unknown(u64 pa, bool current_only)
{
	struct cell *c = cell_at(pa);

	return !current_only && c && c->many[me];
}

/* Find entries that explain @r, and what they map it with; NULL: whatever. */
bool explained(u32 lin, const struct real *r, bool current_only, struct map *map)
{
	struct path p = { .pdpte = cpu->v.pdpte[lin >> 30] };
	u64 pd = directory(lin, &p), pt;
	u32 i, k;

	*map = (struct map){ .span = PAGE };
	if (!mmu.pg) {
		*map = mmu_map(&mmu, lin, &p);
		return justifies(map, r);
	}
	if ((mmu.pae && !(p.pdpte & 1)) || !is_ram(pd, entry_size()))
		return false;
	if (unknown(pd, current_only))
		return true;
	for (i = 0; value_at(pd, i, current_only, &p.pde); i++) {
		pt = table(lin, &p);
		if (mmu_large(&mmu, p.pde) || !is_ram(pt, entry_size())) {
			p.pte_missing = true;
			*map = mmu_map(&mmu, lin, &p);
			p.pte_missing = false;
			if (justifies(map, r))
				return true;
			continue;
		}
		if (unknown(pt, current_only))
			return true;
		for (k = 0; value_at(pt, k, current_only, &p.pte); k++) {
			*map = mmu_map(&mmu, lin, &p);
			if (justifies(map, r)) {
				tallies[SEEN_STALE].count += i || k;
				return true;
			}
		}
	}
	return false;
}

/* The guest's entries on the way to @lin, as they are now. */
struct path current_path(u32 lin)
{
	struct path p = { .pdpte = cpu->v.pdpte[lin >> 30] };
	u64 at = directory(lin, &p);

	if (!mmu.pg || (mmu.pae && !(p.pdpte & 1)))
		return p;
	p.pde_missing = !is_ram(at, entry_size());
	if (p.pde_missing)
		return p;
	p.pde = load(at);
	at = table(lin, &p);
	p.pte_missing = !is_ram(at, entry_size());
	if (!p.pte_missing && (p.pde & 1) && !mmu_large(&mmu, p.pde))
		p.pte = load(at);
	return p;
}

/* For who looks at a finding. */
static void describe(u32 lin, const struct real *r, bool current_only)
{
	struct path p = current_path(lin);
	u64 pd = directory(lin, &p), pt = table(lin, &p);

	fprintf(stderr, "CPU %u: %08x -> %lx, size %lx, write %d user %d noexec %d cache %d%d%d\n",
		me, lin, r->page, r->size, r->write, r->user, r->noexec, r->wt, r->cd, r->pat);
	fprintf(stderr, "now, in %lx and %lx: %lx %lx %lx%s\n", pd, pt, p.pdpte, p.pde, p.pte,
		current_only ? ", nothing else" : "");
	fprintf(stderr, "paging %d pae %d pse %d wp %d nxe %d smep %d\n",
		mmu.pg, mmu.pae, mmu.pse, mmu.wp, mmu.nxe, mmu.smep);
}

void expect_explained(u32 lin, const struct real *r, bool current_only)
{
	struct map map;

	if (!explained(lin, r, current_only, &map)) {
		describe(lin, r, current_only);
		EXPECT(!"explained by the guest's entries");
	}
	EXPECT(may_show(r->page));
	tallies[SEEN_COMPARED].count++;
	tallies[SEEN_SPECIAL].count += is_monitors(r->page);
}

/* All that the loaded shadow holds. */
void check_shadow(void)
{
	const u64 *root = real_table(cpu->v.pml4[0]), *pd, *pt;
	u32 i, j, k, lin;
	struct real r;

	for (i = 0; i < 4; i++) {
		if (!(root[i] & PTE_P))
			continue;
		pd = real_table(root[i]);
		for (j = 0; j < 512; j++) {
			lin = i << 30 | j << 21;
			if (!(pd[j] & PTE_P))
				continue;
			pt = pd[j] & PTE_PS ? NULL : real_table(pd[j]);
			tallies[SEEN_LARGE].count += !pt;
			for (k = 0; k < 512; k++) {
				/* Of a large page every frame is looked at. */
				if (pt && !(pt[k] & PTE_P))
					continue;
				r = real_walk(lin | k << 12);
				expect_explained(lin | k << 12, &r, false);
			}
		}
	}
}

/*
 * The four entries that a load of CR3 reads.  In between the monitor may read
 * them again, which a processor would not; it may not make them up.
 */
void check_pdptes(bool loaded)
{
	const u64 marks = PTE_A | PTE_D;	/* since, if it is also a PTE */
	u64 pa = cpu->v.cr3 & ~31u;
	bool there = is_ram(pa, 32);
	u32 i;

	for (i = 0; i < 4 && mmu.pg && mmu.pae; i++, pa += 8) {
		if (loaded || cpu->v.pdpte[i] != cpu->pdpte[i])
			EXPECT(!((cpu->v.pdpte[i] ^ (there ? load(pa) : 0)) & ~marks));
		cpu->pdpte[i] = cpu->v.pdpte[i];
	}
}

/* The entry at @pa may have been marked with @bits; note that it was. */
static void accept_marks(u64 pa, u64 bits)
{
	u64 now, before = 0;
	u32 i;

	if (!cell_at(pa))
		return;
	now = load(pa);
	for (i = 0; i < TABLES; i++)
		if (pa >> 12 == table_gfn[i])
			memcpy(&before, (u8 *)known[i] + pa % PAGE, entry_size());
	if (now == before)
		return;
	if ((before ^ now) & ~bits || before & ~now)
		fprintf(stderr, "entry %lx: %lx became %lx\n", pa, before, now);
	EXPECT(!((before ^ now) & ~bits) && !(before & ~now));
	tallies[SEEN_DIRTY].count += !!((now & ~before) & PTE_D);
	remember(pa, before);
	store(pa, now);
}

/* The same of the entries on the way to @lin. */
void accept_path(u32 lin, const struct path *p, u64 in_pd, u64 in_leaf)
{
	u64 pd = directory(lin, p), pt = mmu_large(&mmu, p->pde) ? pd : table(lin, p);

	accept_marks(pd, pt == pd ? in_leaf : in_pd);
	accept_marks(pt, in_leaf);
}

void check_marks(u32 lin, const struct path *p, bool walked, u32 access)
{
	u64 leaf = PTE_A | (access & MMU_WRITE ? PTE_D : 0);
	u64 pd = directory(lin, p), pt = mmu_large(&mmu, p->pde) ? pd : table(lin, p);
	u32 i;

	if (mmu.pg && walked) {
		accept_path(lin, p, PTE_A, leaf);
		EXPECT((load(pd) & PTE_A) && (load(pt) & leaf) == leaf);
	}
	for (i = 0; i < TABLES; i++)
		EXPECT(!memcmp(known[i], machine + table_gfn[i] * PAGE, PAGE));
}
