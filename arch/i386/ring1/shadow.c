// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow page tables, used like a TLB.
 *
 * The processor only sees shadows of the guest's tables, filled entry by entry on
 * page faults.  Every CPU has its own: no locks.  A shadow page belongs to one
 * page of the guest's tables (by frame number and role) and outlives changes of
 * CR3.  What the guest changes it puts into a ring (rom.S); shadow_sync() reads the
 * rings of all CPUs before each flush and clears what changed.  Anything else is
 * stale at worst: frames are checked when an entry is filled.  When there are no more
 * pages, address spaces that were not loaded of late give theirs.
 */
#include "walk.h"

enum role { R_FREE, R_ROOT, R_PD, R_PT, R_SPLIT, R_FLAT_PD };

#define AROUND	8		/* entries to fill at once */
#define RECENT	8		/* address spaces to spare when pages run out */
#define KEY(role, part, gfn)	((u64)(gfn) << 16 | (part) << 4 | (role))
#define LINK	(PFN_MASK | PTE_P | PTE_A | PTE_PS)	/* what leads to a page table, in PAE */

static u32 bucket(u64 key)
{
	return (key ^ key >> 16 ^ key >> 26) & 1023;
}

static struct spage *find(struct vcpu *v, u64 key)
{
	struct spage *s;

	for (s = v->hash[bucket(key)]; s; s = s->next)
		if (s->key == key)
			return s;
	return NULL;
}

static inline void set_filled(struct spage *s, u32 i)
{
	s->filled |= 1 << i / 64;
}

/* Empty it, as far as it is not. */
static void clear_table(struct spage *s)
{
	u64 *part = s->table;

	for (; s->filled; s->filled >>= 1, part += 64)
		if (s->filled & 1)
			memset(part, 0, 64 * sizeof(u64));
}

static void use(struct vcpu *v, struct spage *s)
{
	u32 b = bucket(s->key);

	s->next = v->hash[b];
	v->hash[b] = s;
	s->list = v->used_pages;
	if (!s->list)
		v->used_last = s;
	v->used_pages = s;
	v->count[C_SHADOW_PAGES]++;
}

/* Find or make; NULL: all pages were in use and some are free now, start over. */
static struct spage *find_or_make(struct vcpu *v, u64 key)
{
	struct spage *s = find(v, key);

	if (s)
		return s;
	s = v->free_pages;
	if (s) {
		v->free_pages = s->list;
	} else {
		s = new_spage(v);
		if (!s) {
			shadow_trim(v);
			return NULL;
		}
		v->nr_pages++;
	}
	clear_table(s);
	s->key = key;
	s->guest = NULL;
	s->pde = 0;
	memset(s->pdpte, 0, sizeof(s->pdpte));
	use(v, s);
	return s;
}

/* The same, perhaps where @entry leads to already. */
static inline struct spage *get(struct vcpu *v, u64 key, u64 entry)
{
	struct spage *s;

	if ((entry & (PTE_P | PTE_PS)) == PTE_P) {
		s = spage_of(v, entry);
		if (s->key == key)
			return s;
	}
	return find_or_make(v, key);
}

/* The four entries at CR3, as MOV to CR3 reads them in PAE mode. */
static void load_pdptes(struct vcpu *v)
{
	u64 *root = v->root->table;
	u32 i;

	read_pdptes(v, v->pdpte);
	for (i = 0; i < 4; i++) {
		if (v->root->pdpte[i] != v->pdpte[i]) {
			v->root->pdpte[i] = v->pdpte[i];
			root[i] = 0;
		}
	}
}

/**
 * shadow_set_root - load the shadow for the guest's CR0, CR3 and CR4
 * @v: the virtual CPU
 */
void shadow_set_root(struct vcpu *v)
{
	u64 key = KEY(R_ROOT, 0, 0);

	if (v->cr0 & CR0_PG)
		key = KEY(R_ROOT, v->cr4 & CR4_PAE ? 2 : 1, v->cr3 >> 5);
	do
		v->root = find_or_make(v, key);
	while (!v->root);
	v->awaited = NULL;
	v->root->loaded = ++v->loads;
	if ((v->cr0 & CR0_PG) && (v->cr4 & CR4_PAE))
		load_pdptes(v);
	v->pml4[0] = table_phys(v->root->table) | PTE_P | PTE_W | PTE_U;
	flush_tlb(v);
}

/* Forget everything, like a TLB flush that spares nothing. */
void shadow_reset(struct vcpu *v)
{
	v->count[C_SHADOW_RESET]++;
	memset(v->hash, 0, sizeof(v->hash));
	if (v->used_pages) {
		v->used_last->list = v->free_pages;
		v->free_pages = v->used_pages;
		v->used_pages = NULL;
		v->count[C_SHADOW_PAGES] = 0;
	}
	shadow_set_root(v);
}

/* A directory, and all tables that it leads to. */
static void keep_directory(struct vcpu *v, struct spage *pd)
{
	u32 i;

	if (pd->kept)
		return;
	pd->kept = true;
	for (i = 0; i < 512; i++)
		if ((pd->table[i] & (PTE_P | PTE_PS)) == PTE_P)
			spage_of(v, pd->table[i])->kept = true;
}

/* Mark the address spaces that were loaded last. */
static void keep_recent(struct vcpu *v)
{
	struct spage *s;
	u32 i;

	for (s = v->used_pages; s; s = s->list) {
		if ((s->key & 15) != R_ROOT || v->loads - s->loaded >= RECENT)
			continue;
		s->kept = true;
		for (i = 0; i < 4; i++)
			if (s->table[i] & PTE_P)
				keep_directory(v, spage_of(v, s->table[i]));
	}
}

/**
 * shadow_trim - forget the address spaces that were not loaded of late
 * @v: the virtual CPU
 *
 * Or all, if that leaves little room.
 */
void shadow_trim(struct vcpu *v)
{
	struct spage *s, *next = v->used_pages;
	u64 had = v->count[C_SHADOW_PAGES];

	v->count[C_SHADOW_TRIM]++;
	v->awaited = NULL;
	keep_recent(v);
	memset(v->hash, 0, sizeof(v->hash));
	v->used_pages = NULL;
	v->count[C_SHADOW_PAGES] = 0;
	while (next) {
		s = next;
		next = s->list;
		if (s->kept) {
			s->kept = false;
			use(v, s);
		} else {
			s->list = v->free_pages;
			v->free_pages = s;
		}
	}
	if (v->count[C_SHADOW_PAGES] > had / 4 * 3)
		shadow_reset(v);
	else
		flush_tlb(v);
}

static u32 rights_index(u64 r)
{
	/* W, U, PWT, PCD stand next to each other. */
	return (r >> 1 & 15) | (r & PTE_NX ? 16 : 0) | (r & PTE_PAT ? 32 : 0);
}

static void set_entry(struct vcpu *v, u64 *slot, u64 val, u32 lin)
{
	u64 old = *slot;

	if (old == val)
		return;
	*slot = val;
	if (old)
		flush_tlb_page(v, lin);
}

/* The leaf of @pte, of a PAE table. */
static inline void set_leaf(struct vcpu *v, u64 pte, struct leaf *l)
{
	l->frame = pte & PFN_MASK;
	l->rights = leaf_rights(v, pte, 0, false);
}

/* false: there is an entry, or the guest's needs a fault to itself. */
static inline bool fill_next(struct vcpu *v, u64 *table, u32 i, struct leaf *l)
{
	u64 pte = l->pt[i];

	if (table[i] || (pte & (PTE_P | PTE_A | v->reserved)) != (PTE_P | PTE_A))
		return false;
	set_leaf(v, pte, l);
	table[i] = map_frame(v, l);
	return table[i];
}

/* What is next to a touched page is often touched next: save the faults. */
static inline void fill_around(struct vcpu *v, u64 *table, u32 index, struct leaf *l)
{
	u32 i;

	for (i = index + 1; i % AROUND && fill_next(v, table, i, l); i++)
		;
	for (i = index; i-- % AROUND && fill_next(v, table, i, l);)
		;
}

/* Link @l into the shadow tables.  false: start over. */
static noinline bool install(struct vcpu *v, u32 lin, struct leaf *l)
{
	bool pae = v->cr4 & CR4_PAE;
	u64 base = l->frame & ~(LARGE - 1), *slot, *table, val;
	u64 *root = &v->root->table[lin >> 30];
	struct spage *pd, *pt;

	pd = get(v, v->cr0 & CR0_PG ? KEY(R_PD, pae ? 0 : lin >> 30, l->pd_gfn) :
				      KEY(R_FLAT_PD, 0, lin >> 30), *root);
	if (!pd)
		return false;
	*root = table_phys(pd->table) | PTE_P | PTE_W | PTE_U;
	set_filled(v->root, 0);
	set_filled(pd, lin >> 21 & 511);
	pd->guest = l->pd;
	slot = &pd->table[lin >> 21 & 511];
	val = l->large ? map_large_frame(v, l) : 0;
	if (val) {
		if (val & PTE_PAT)
			val ^= PTE_PAT | PTE_PAT_LARGE;
		set_entry(v, slot, val | PTE_PS, lin);
		return true;
	}
	if (l->large) {
		pt = get(v, KEY(R_SPLIT, rights_index(l->rights), base >> 12), *slot);
		val = PTE_P | PTE_W | PTE_U | PTE_A;
	} else {
		pt = get(v, KEY(R_PT, pae ? 0 : lin >> 21 & 1, l->pt_gfn), *slot);
		val = l->pde_rights;
	}
	if (!pt)
		return false;
	set_entry(v, slot, table_phys(pt->table) | val, lin);
	set_filled(pt, lin >> 12 & 511);
	if (pae && !l->large) {
		pt->guest = l->pt;
		pt->pde = (l->pt_gfn << 12 & PFN_MASK) | PTE_P | PTE_A;
	}
	table = pt->table;
	set_entry(v, &table[lin >> 12 & 511], map_frame(v, l), lin);
	if (pae && !l->large)
		fill_around(v, table, lin >> 12 & 511, l);
	return true;
}

/*
 * The shadow of the page table for @lin, if it is in its place and the guest's directory
 * still says so.  NULL: walk, and install().
 */
static inline struct spage *linked_table(struct vcpu *v, u32 lin, u64 *pde)
{
	u64 e = v->root->table[lin >> 30], at;
	u32 i = lin >> 21 & 511;
	struct spage *s;

	if (!(e & PTE_P))
		return NULL;
	s = spage_of(v, e);
	if (!s->guest)
		return NULL;
	e = s->table[i];
	*pde = __atomic_load_n(&s->guest[i], __ATOMIC_RELAXED);
	if ((e & (PTE_P | PTE_PS)) != PTE_P ||
	    ((e ^ *pde) & (PTE_W | PTE_U | PTE_NX | v->reserved)))
		return NULL;
	s = spage_of(v, e);
	at = *pde & LINK;
	return s->pde == at ? s : NULL;
}

/* A page that is there, by tables that are linked. */
static noinline enum fill fill_linked(struct vcpu *v, struct spage *s, u64 pde, u32 lin,
				      u32 access, u32 *pfec)
{
	u64 bits = access & ACC_WRITE ? PTE_A | PTE_D : PTE_A, pte;
	u32 i = lin >> 12 & 511;
	struct leaf l;

	pte = __atomic_load_n(&s->guest[i], __ATOMIC_RELAXED);
	if (!(v->cr0 & CR0_WP) || (pte & v->reserved) || !(pte & PTE_P))
		return FILL_WALK;
	if (!allowed(v, access, both_rights(pde, pte))) {
		fault(v, access, PFEC_P, pfec);
		return FILL_FAULT;
	}
	set_leaf(v, pte, &l);
	if ((pte & bits) != bits || check_frame_access(v, &l, access, pfec) != FILL_DONE)
		return FILL_WALK;
	l.pt = s->guest;
	/* The fault itself has removed what the processor knew of this page. */
	s->table[i] = map_frame(v, &l);
	set_filled(s, i);
	fill_around(v, s->table, i, &l);
	v->count[C_SHADOW_FILL]++;
	return FILL_DONE;
}

static noinline enum fill walk_and_install(struct vcpu *v, u32 lin, u32 access, u32 *pfec)
{
	enum fill fill;
	struct leaf l;
	int ret;

	do {
		ret = guest_walk(v, lin, access, &l, pfec);
		if (ret < 0)
			return FILL_FAULT;
		if (ret && host_must_act(v))
			return FILL_HOST;
		fill = ret ? FILL_DONE : check_frame_access(v, &l, access, pfec);
		if (fill != FILL_DONE)
			return fill;
	} while (ret || !install(v, lin, &l));
	v->count[C_SHADOW_FILL]++;
	return FILL_DONE;
}

/**
 * shadow_fault - a page fault: fill the shadow, if the guest's tables allow it
 * @v: the virtual CPU
 * @lin: linear address
 * @access: ACC_*
 * @pfec: the error code for the guest, when they do not
 */
enum fill shadow_fault(struct vcpu *v, u32 lin, u32 access, u32 *pfec)
{
	enum fill fill = FILL_WALK;
	struct spage *s;
	u64 pde;

	s = linked_table(v, lin, &pde);
	if (s) {
		if (!(__atomic_load_n(&s->guest[lin >> 12 & 511], __ATOMIC_RELAXED) & PTE_P)) {
			fault(v, access, 0, pfec);
			v->awaited = s;
			v->awaited_index = lin >> 12 & 511;
			return FILL_FAULT;
		}
		fill = fill_linked(v, s, pde, lin, access, pfec);
	}
	return fill == FILL_WALK ? walk_and_install(v, lin, access, pfec) : fill;
}

/**
 * shadow_fill_awaited - the guest has handled its last fault: before it comes again
 * @v: the virtual CPU
 *
 * The table is that of the fault, as a processor that caches directories would have it.
 */
void shadow_fill_awaited(struct vcpu *v)
{
	u32 i = v->awaited_index;
	struct spage *s = v->awaited;
	struct leaf l;

	v->awaited = NULL;
	if (!s)
		return;
	l.pt = s->guest;
	if (!fill_next(v, s->table, i, &l))
		return;
	set_filled(s, i);
	fill_around(v, s->table, i, &l);
	v->count[C_FILL_AT_IRET]++;
}

static void clear_slot(struct vcpu *v, u64 key, u32 index, u32 n)
{
	struct spage *s = find(v, key);

	while (s && n--)
		s->table[index + n] = 0;
}

/* The guest changed the entry at @pa, of a page table or directory, or both. */
static void shadow_entry_changed(struct vcpu *v, u64 pa)
{
	u32 gfn = pa >> 12, i = (pa & 0xfff) / 4;

	if (!(v->cr4 & CR4_PAE)) {
		clear_slot(v, KEY(R_PT, i >> 9, gfn), i & 511, 1);
		clear_slot(v, KEY(R_PD, i >> 8, gfn), (i & 255) * 2, 2);
		return;
	}
	clear_slot(v, KEY(R_PT, 0, gfn), i / 2, 1);
	clear_slot(v, KEY(R_PD, 0, gfn), i / 2, 1);
	/* Other roots read theirs when they are loaded. */
	if (pa >> 5 == v->cr3 >> 5)
		load_pdptes(v);
}

static void forget(struct vcpu *v, u64 key)
{
	struct spage *s = find(v, key);

	if (s)
		clear_table(s);
}

/* A page becomes a page table, or ceases to be one: forget its shadows. */
static void shadow_page_gone(struct vcpu *v, u32 gfn)
{
	u32 i;

	for (i = 0; i < 4; i++)
		forget(v, KEY(R_PD, i, gfn));
	forget(v, KEY(R_PT, 0, gfn));
	forget(v, KEY(R_PT, 1, gfn));
}

/* Forget what the guest's CPUs said they changed since we last looked. */
static void shadow_sync(struct vcpu *v)
{
	u32 c, head, n, e;

	v->awaited = NULL;
	for (c = 0; c < vcpu_count(v); c++) {
		struct shared *sh = vcpu_nr(v, c)->vmi_page;

		head = __atomic_load_n(&sh->head, __ATOMIC_ACQUIRE);
		n = v->ring_seen[c];
		if (head - n > RING_SIZE - 64) {
			v->ring_seen[c] = head;
			shadow_reset(v);
			continue;
		}
		for (; n != head; n++) {
			e = __atomic_load_n(&sh->ring[n % RING_SIZE], __ATOMIC_RELAXED);
			if (e & 1)
				shadow_page_gone(v, e >> 1);
			else
				shadow_entry_changed(v, e);
		}
		v->ring_seen[c] = head;
		/* Overtaken while we read: what we read may be anything. */
		if (c != v->id && __atomic_load_n(&sh->head, __ATOMIC_ACQUIRE) - head > 60)
			shadow_reset(v);
	}
}

/* The shadow table that an entry names. */
static u64 *table_at(u64 entry)
{
	return table_virt(entry & PFN_MASK);
}

/* INVLPG, of a large page too: the processor may know that by several entries. */
void shadow_inval(struct vcpu *v, u32 lin)
{
	u64 root, *e;

	if (!v->vmi) {
		shadow_reset(v);
		return;
	}
	shadow_sync(v);
	root = v->root->table[lin >> 30];
	if (!(root & PTE_P)) {
		flush_tlb(v);
		return;
	}
	e = table_at(root) + (lin >> 21 & 511);
	if ((*e & (PTE_P | PTE_PS)) == PTE_P && (spage_of(v, *e)->key & 15) == R_PT) {
		table_at(*e)[lin >> 12 & 511] = 0;
		flush_tlb_page(v, lin);
		return;
	}
	*e = 0;
	if (!(v->cr4 & CR4_PAE))
		*(u64 *)((u64)e ^ 8) = 0;
	flush_tlb(v);
}

/* FlushTLB, or a load of CR3.  Before vmi_init nobody tells us of changes. */
void shadow_flush(struct vcpu *v, bool global)
{
	if (!v->vmi) {
		shadow_reset(v);
		return;
	}
	shadow_sync(v);
	shadow_set_root(v);
}
