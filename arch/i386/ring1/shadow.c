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
#include "linked.h"

#define RECENT	8		/* address spaces to spare when pages run out */
#define RANGE	64		/* pages that are flushed one by one, at most */
#define LONG_CHAIN	64	/* and four times what there would be if all were equally long */

/* Empty it, as far as it is not. */
static void clear_table(struct spage *s)
{
	u64 *part = s->table;

	for (; s->filled; s->filled >>= 1, part += 64)
		if (s->filled & 1)
			memset(part, 0, 64 * sizeof(u64));
}

static void use(struct vcpu *vcpu, struct spage *s)
{
	u32 b = bucket(s->key);

	s->next = vcpu->hash[b];
	vcpu->hash[b] = s;
	s->list = vcpu->used_pages;
	if (!s->list)
		vcpu->used_last = s;
	vcpu->used_pages = s;
	vcpu->count[C_SHADOW_PAGES]++;
}

/* A guest chooses its frames: all could have the same chain, and find() walks it. */
static bool chain_is_long(struct vcpu *vcpu, u64 key)
{
	u32 left = LONG_CHAIN + vcpu->nr_pages / (ARRAY_SIZE(vcpu->hash) / 4);
	struct spage *s;

	for (s = vcpu->hash[bucket(key)]; s; s = s->next)
		if (!left--)
			return true;
	return false;
}

/* Find or make; NULL: all pages were in use and some are free now, start over. */
static struct spage *find_or_make(struct vcpu *vcpu, u64 key)
{
	struct spage *s = find(vcpu, key);

	if (s)
		return s;
	if (chain_is_long(vcpu, key)) {
		shadow_reset(vcpu);
		return NULL;
	}
	s = vcpu->free_pages;
	if (s) {
		vcpu->free_pages = s->list;
	} else {
		s = new_spage(vcpu);
		if (!s) {
			shadow_trim(vcpu);
			return NULL;
		}
		vcpu->nr_pages++;
	}
	clear_table(s);
	s->key = key;
	s->guest = NULL;
	s->pde = 0;
	s->links = 0;
	memset(s->pdpte, 0, sizeof(s->pdpte));
	use(vcpu, s);
	return s;
}

/* The same, perhaps where @entry leads to already. */
static inline struct spage *get(struct vcpu *vcpu, u64 key, u64 entry)
{
	struct spage *s;

	if ((entry & (PTE_P | PTE_PS)) == PTE_P) {
		s = spage_of(vcpu, entry);
		if (s->key == key)
			return s;
	}
	return find_or_make(vcpu, key);
}

/* The four entries at CR3, as MOV to CR3 reads them in PAE mode. */
static inline void load_pdptes(struct vcpu *vcpu)
{
	struct spage *root = vcpu->root;
	u32 i;

	read_pdptes(vcpu, vcpu->pdpte);
#pragma GCC unroll 4
	for (i = 0; i < 4; i++) {
		if (root->pdpte[i] != vcpu->pdpte[i]) {
			root->pdpte[i] = vcpu->pdpte[i];
			root->table[i] = 0;
			vcpu->lost |= LOST_MORE;
		}
	}
}

/* The processor forgets all; also what the shadows had lost without its knowing. */
static void flush_all(struct vcpu *vcpu)
{
	vcpu->lost = 0;
	flush_tlb(vcpu);
}

/**
 * shadow_set_root - load the shadow for the guest's CR0, CR3 and CR4
 * @vcpu: the virtual CPU
 */
void shadow_set_root(struct vcpu *vcpu)
{
	u64 key = KEY(R_ROOT, 0, 0);

	if (vcpu->cr0 & CR0_PG)
		key = KEY(R_ROOT, vcpu->cr4 & CR4_PAE ? 2 : 1, vcpu->cr3 >> 5);
	do
		vcpu->root = find_or_make(vcpu, key);
	while (!vcpu->root);
	vcpu->awaited = NULL;
	vcpu->root->loaded = ++vcpu->loads;
	if ((vcpu->cr0 & CR0_PG) && (vcpu->cr4 & CR4_PAE))
		load_pdptes(vcpu);
	vcpu->pml4[0] = table_phys(vcpu->root->table) | PTE_P | PTE_W | PTE_U;
	flush_all(vcpu);
}

/* Forget everything, like a TLB flush that spares nothing. */
void shadow_reset(struct vcpu *vcpu)
{
	vcpu->count[C_SHADOW_RESET]++;
	memset(vcpu->hash, 0, sizeof(vcpu->hash));
	if (vcpu->used_pages) {
		vcpu->used_last->list = vcpu->free_pages;
		vcpu->free_pages = vcpu->used_pages;
		vcpu->used_pages = NULL;
		vcpu->count[C_SHADOW_PAGES] = 0;
	}
	shadow_set_root(vcpu);
}

/* A directory, and all tables that it leads to. */
static void keep_directory(struct vcpu *vcpu, struct spage *pd)
{
	u32 i;

	if (pd->kept)
		return;
	pd->kept = true;
	for (i = 0; i < 512; i++)
		if ((pd->table[i] & (PTE_P | PTE_PS)) == PTE_P)
			spage_of(vcpu, pd->table[i])->kept = true;
}

/* Mark the address spaces that were loaded last. */
static void keep_recent(struct vcpu *vcpu)
{
	struct spage *s;
	u32 i;

	for (s = vcpu->used_pages; s; s = s->list) {
		if ((s->key & 15) != R_ROOT || vcpu->loads - s->loaded >= RECENT)
			continue;
		s->kept = true;
		for (i = 0; i < 4; i++)
			if (s->table[i] & PTE_P)
				keep_directory(vcpu, spage_of(vcpu, s->table[i]));
	}
}

/**
 * shadow_trim - forget the address spaces that were not loaded of late
 * @vcpu: the virtual CPU
 *
 * Or all, if that leaves little room.
 */
void shadow_trim(struct vcpu *vcpu)
{
	struct spage *s, *next = vcpu->used_pages;
	u64 had = vcpu->count[C_SHADOW_PAGES];

	vcpu->count[C_SHADOW_TRIM]++;
	vcpu->awaited = NULL;
	keep_recent(vcpu);
	memset(vcpu->hash, 0, sizeof(vcpu->hash));
	vcpu->used_pages = NULL;
	vcpu->count[C_SHADOW_PAGES] = 0;
	while (next) {
		s = next;
		next = s->list;
		if (s->kept) {
			s->kept = false;
			use(vcpu, s);
		} else {
			s->list = vcpu->free_pages;
			vcpu->free_pages = s;
		}
	}
	if (vcpu->count[C_SHADOW_PAGES] > had / 4 * 3)
		shadow_reset(vcpu);
	else
		flush_all(vcpu);
}

static u32 rights_index(u64 r)
{
	/* W, U, PWT, PCD stand next to each other. */
	return (r >> 1 & 15) | (r & PTE_NX ? 16 : 0) | (r & PTE_PAT ? 32 : 0);
}

static void set_entry(struct vcpu *vcpu, u64 *slot, u64 val, u32 gva)
{
	u64 old = *slot;

	if (old == val)
		return;
	*slot = val;
	if (old)
		flush_tlb_page(vcpu, gva);
}

/* The entry of a directory at @slot, for @gva, is to lead to @s. */
static void set_link(struct vcpu *vcpu, u64 *slot, struct spage *s, u64 val, u32 gva)
{
	if (!((*slot ^ val) & ~(PTE_A | PTE_D)))
		return;
	if (*slot)
		cut_link(vcpu, *slot);
	s->links += s->links < 2;
	set_entry(vcpu, slot, val, gva);
}

/* The directory of @l: its shadow, in its place.  NULL: start over. */
static inline struct spage *link_directory(struct vcpu *vcpu, u32 gva, struct leaf *l)
{
	u64 part = vcpu->cr4 & CR4_PAE ? 0 : gva >> 30, *root = &vcpu->root->table[gva >> 30];
	struct spage *pd = get(vcpu, vcpu->cr0 & CR0_PG ? KEY(R_PD, part, l->pd_gfn) :
			       KEY(R_FLAT_PD, 0, gva >> 30), *root);
	u64 val;

	if (!pd)
		return NULL;
	val = table_phys(pd->table) | PTE_P | PTE_W | PTE_U;
	if (*root && ((*root ^ val) & ~(PTE_A | PTE_D)))
		vcpu->lost |= LOST_MORE;
	*root = val;
	set_filled(vcpu->root, 0);
	set_filled(pd, gva >> 21 & 511);
	pd->guest = l->pd;
	return pd;
}

/* Its page table, likewise: @slot is the directory's. */
static inline struct spage *link_table(struct vcpu *vcpu, u32 gva, struct leaf *l, u64 *slot)
{
	bool pae = vcpu->cr4 & CR4_PAE;
	struct spage *pt = get(vcpu, KEY(R_PT, pae ? 0 : gva >> 21 & 1, l->pt_gfn), *slot);
	u64 val;

	if (!pt)
		return NULL;
	val = table_phys(pt->table) | l->pde_rights;
	set_link(vcpu, slot, pt, val, gva);
	if (pae) {
		pt->guest = l->pt;
		pt->pde = (l->pt_gfn << 12 & PFN_MASK) | PTE_P | PTE_A;
	}
	return pt;
}

/* A large page of the guest's that is none of ours. */
static inline struct spage *link_split(struct vcpu *vcpu, u32 gva, struct leaf *l, u64 *slot)
{
	struct spage *pt = get(vcpu, KEY(R_SPLIT, rights_index(l->rights), l->frame / LARGE *
					 (LARGE / PAGE)), *slot);
	u64 val;

	if (!pt)
		return NULL;
	val = table_phys(pt->table) | PTE_P | PTE_W | PTE_U | PTE_A;
	set_link(vcpu, slot, pt, val, gva);
	return pt;
}

/* Link @l into the shadow tables.  false: start over. */
static noinline bool install(struct vcpu *vcpu, u32 gva, struct leaf *l)
{
	struct spage *pd = link_directory(vcpu, gva, l), *pt;
	u32 i = gva >> 12 & 511;
	u64 *slot, val;

	if (!pd)
		return false;
	slot = &pd->table[gva >> 21 & 511];
	val = l->large ? map_large_frame(vcpu, l) : 0;
	if (val) {
		if (*slot && !(*slot & PTE_PS))
			cut_link(vcpu, *slot);
		if (val & PTE_PAT)
			val ^= PTE_PAT | PTE_PAT_LARGE;
		set_entry(vcpu, slot, val | PTE_PS, gva);
		return true;
	}
	pt = l->large ? link_split(vcpu, gva, l, slot) : link_table(vcpu, gva, l, slot);
	if (!pt)
		return false;
	set_filled(pt, i);
	set_entry(vcpu, &pt->table[i], map_frame(vcpu, l), gva);
	if ((vcpu->cr4 & CR4_PAE) && !l->large && touched_leaf(vcpu, i, l))
		fill_around(vcpu, pt->table, i, l, map_plain);
	return true;
}

/* The guest's own fault, on a page of a table that it has: the next needs no walk. */
static void link_faulted(struct vcpu *vcpu, u32 gva, struct leaf *l)
{
	struct spage *pd;

	if (!(vcpu->cr4 & CR4_PAE) || !l->pt)
		return;
	pd = link_directory(vcpu, gva, l);
	if (pd)
		link_table(vcpu, gva, l, &pd->table[gva >> 21 & 511]);
}

/* A page that is there, by tables that are linked. */
static noinline enum fill fill_linked(struct vcpu *vcpu, struct spage *s, u64 pde, u32 gva,
				      u32 access, u32 *pfec)
{
	u32 i = gva >> 12 & 511;
	enum fill fill;
	struct leaf l;
	u64 val;

	fill = linked_leaf(vcpu, s, pde, i, access, &l, pfec);
	if (fill != FILL_DONE)
		return fill;
	if (check_frame_access(vcpu, &l, access, pfec) != FILL_DONE)
		return FILL_WALK;
	val = map_plain(vcpu, &l);
	if (!val)
		return FILL_WALK;
	/* The fault itself has removed what the processor knew of this page. */
	s->table[i] = val;
	set_filled(s, i);
	fill_around(vcpu, s->table, i, &l, map_plain);
	vcpu->count[C_SHADOW_FILL]++;
	return FILL_DONE;
}

static noinline enum fill walk_and_install(struct vcpu *vcpu, u32 gva, u32 access, u32 *pfec)
{
	u32 tries = WALK_TRIES;
	enum fill fill;
	struct leaf l;
	int ret;

	do {
		/* Another CPU keeps changing it: this one runs, with interrupts open. */
		if (!tries--)
			return FILL_DONE;
		ret = guest_walk(vcpu, gva, access, &l, pfec);
		if (ret < 0) {
			link_faulted(vcpu, gva, &l);
			return FILL_FAULT;
		}
		if (ret && host_must_act(vcpu))
			return FILL_HOST;
		fill = ret ? FILL_DONE : check_frame_access(vcpu, &l, access, pfec);
		if (fill != FILL_DONE)
			return fill;
	} while (ret || !install(vcpu, gva, &l));
	vcpu->count[C_SHADOW_FILL]++;
	return FILL_DONE;
}

/**
 * shadow_fault - a page fault: fill the shadow, if the guest's tables allow it
 * @vcpu: the virtual CPU
 * @gva: linear address
 * @access: ACC_*
 * @pfec: the error code for the guest, when they do not
 *
 * Return: FILL_DONE: the guest goes on, and comes again if there is still no entry.
 */
enum fill shadow_fault(struct vcpu *vcpu, u32 gva, u32 access, u32 *pfec)
{
	enum fill fill = FILL_WALK;
	struct spage *s;
	u64 pde;

	s = linked_table(vcpu, gva, &pde);
	if (!(pde & PTE_P)) {
		fault(vcpu, access, 0, pfec);
		return FILL_FAULT;
	}
	if (s) {
		if (!linked_present(s, gva >> 12 & 511)) {
			fault(vcpu, access, 0, pfec);
			vcpu->awaited = s;
			vcpu->awaited_index = gva >> 12 & 511;
			return FILL_FAULT;
		}
		fill = fill_linked(vcpu, s, pde, gva, access, pfec);
	}
	return fill == FILL_WALK ? walk_and_install(vcpu, gva, access, pfec) : fill;
}

/**
 * shadow_fill_awaited - the guest has handled its last fault: before it comes again
 * @vcpu: the virtual CPU
 *
 * The table is that of the fault, as a processor that caches directories would have it.
 */
void shadow_fill_awaited(struct vcpu *vcpu)
{
	u32 i = vcpu->awaited_index;
	struct spage *s = vcpu->awaited;
	struct leaf l;
	u64 val;

	vcpu->awaited = NULL;
	if (!s)
		return;
	l.pt = s->guest;
	if (s->table[i] || !touched_leaf(vcpu, i, &l))
		return;
	val = map_plain(vcpu, &l);
	if (!val)
		return;
	s->table[i] = val;
	set_filled(s, i);
	fill_around(vcpu, s->table, i, &l, map_plain);
	vcpu->count[C_FILL_AT_IRET]++;
}

static void clear_slot(struct vcpu *vcpu, u64 key, u32 index, u32 n)
{
	struct spage *s = find(vcpu, key);

	while (s && n--) {
		if (s->table[index + n] && (key & 15) == R_PT)
			vcpu->lost++;
		else if (s->table[index + n])
			cut_link(vcpu, s->table[index + n]);
		s->table[index + n] = 0;
	}
}

/* The guest changed the entry at @gpa, of a page table or directory, or both. */
static inline void entry_changed(struct vcpu *vcpu, u32 gpa, struct last_table *last)
{
	u32 gfn = gpa >> 12, i = (gpa & 0xfff) / 4;

	if (unlikely(!(vcpu->cr4 & CR4_PAE))) {
		clear_slot(vcpu, KEY(R_PT, i >> 9, gfn), i & 511, 1);
		clear_slot(vcpu, KEY(R_PD, i >> 8, gfn), (i & 255) * 2, 2);
		return;
	}
	clear_changed(vcpu, gpa, last);
	/* Other roots read theirs when they are loaded. */
	if (gpa >> 5 == vcpu->cr3 >> 5)
		load_pdptes(vcpu);
}

static void forget(struct vcpu *vcpu, u64 key)
{
	struct spage *s = find(vcpu, key);

	if (s) {
		vcpu->lost |= s->filled ? LOST_MORE : 0;
		clear_table(s);
	}
}

/* A page becomes a page table, or ceases to be one: forget its shadows. */
static void shadow_page_gone(struct vcpu *vcpu, u32 gfn)
{
	u32 i;

	for (i = 0; i < 4; i++)
		forget(vcpu, KEY(R_PD, i, gfn));
	forget(vcpu, KEY(R_PT, 0, gfn));
	forget(vcpu, KEY(R_PT, 1, gfn));
}

/*
 * What that CPU has put into its ring since we last looked, up to @head: @left is how much
 * may still be read.  Return: what is left; 0, if everything is to be forgotten.
 */
static noinline u32 sync_ring(struct vcpu *vcpu, u32 c, struct shared *sh, u32 head, u32 left)
{
	struct last_table last = { .gfn = ~0u };	/* none yet */
	u32 n = vcpu->ring_seen[c], e;

	vcpu->ring_seen[c] = head;
	if (head - n >= left)
		return 0;
	left -= head - n;
	for (; n != head; n++) {
		e = __atomic_load_n(&sh->ring[n % RING_SIZE], __ATOMIC_RELAXED);
		if (e & 1)
			shadow_page_gone(vcpu, e >> 1);
		else
			entry_changed(vcpu, e, &last);
	}
	/* Overtaken while we read: what we read may be anything. */
	if (c != vcpu->id && __atomic_load_n(&sh->head, __ATOMIC_ACQUIRE) - head > 60)
		return 0;
	return left;
}

/* Forget what the guest's CPUs said they changed since we last looked. */
static inline void shadow_sync(struct vcpu *vcpu)
{
	u32 c, head, left = RING_SIZE - 63;
	struct shared *sh;

	vcpu->awaited = NULL;
	for (c = 0; c < vcpu_count(vcpu); c++) {
		sh = vcpu_nr(vcpu, c)->vmi_page;
		head = __atomic_load_n(&sh->head, __ATOMIC_ACQUIRE);
		if (head != vcpu->ring_seen[c])
			left = sync_ring(vcpu, c, sh, head, left);
	}
	if (unlikely(!left))
		shadow_reset(vcpu);
}

/* The shadow table that an entry names. */
static u64 *table_at(u64 entry)
{
	return table_virt(entry & PFN_MASK);
}

/* Is this directory there for other addresses, too? */
static bool directory_is_aliased(struct vcpu *vcpu, u64 root_entry)
{
	u32 i, n = 0;

	for (i = 0; i < 4; i++)
		n += !((vcpu->root->table[i] ^ root_entry) & (PFN_MASK | PTE_P));
	return n > 1;
}

/*
 * The shadow of the guest's entry for @gva, if it has a table.  false: it is not known to
 * be the only one for it, or it is none of a page table.
 */
static bool range_slot(struct vcpu *vcpu, u32 gva, u64 **slot)
{
	u64 e = vcpu->root->table[gva >> 30];
	struct spage *s;

	*slot = NULL;
	if (!(e & PTE_P))
		return true;
	if (directory_is_aliased(vcpu, e))
		return false;
	e = spage_of(vcpu, e)->table[gva >> 21 & 511];
	if (e & PTE_PS)
		return false;
	if (!(e & PTE_P))
		return true;
	s = spage_of(vcpu, e);
	*slot = &s->table[gva >> 12 & 511];
	return (s->key & 15) == R_PT && s->links == 1;
}

static inline bool leads_to_pt(struct vcpu *vcpu, u64 e)
{
	return (e & (PTE_P | PTE_PS)) == PTE_P && (spage_of(vcpu, e)->key & 15) == R_PT;
}

/* INVLPG, of a large page too: the processor may know that by several entries. */
void shadow_inval(struct vcpu *vcpu, u32 gva)
{
	u64 root, *e, *other, *slot;
	bool was;

	if (!vcpu->vmi) {
		shadow_reset(vcpu);
		return;
	}
	was = range_slot(vcpu, gva, &slot) && slot && *slot;
	shadow_sync(vcpu);
	if (was && !*slot && !(vcpu->lost & LOST_MORE))
		vcpu->lost--;
	root = vcpu->root->table[gva >> 30];
	/* What was lost may have been a large page, with this address. */
	if (!(root & PTE_P) || (vcpu->lost & LOST_MORE)) {
		flush_all(vcpu);
		if (!(root & PTE_P))
			return;
	}
	e = table_at(root) + (gva >> 21 & 511);
	/* Without PAE, an entry of the guest's has two of ours. */
	other = vcpu->cr4 & CR4_PAE ? e : (u64 *)((u64)e ^ 8);
	if (leads_to_pt(vcpu, *e) && (!*other || leads_to_pt(vcpu, *other))) {
		table_at(*e)[gva >> 12 & 511] = 0;
		flush_tlb_page(vcpu, gva);
		return;
	}
	*e = 0;
	*other = 0;
	flush_all(vcpu);
}

/* FlushTLB, or a load of CR3.  Before vmi_init nobody tells us of changes. */
void shadow_flush(struct vcpu *vcpu, bool global)
{
	if (!vcpu->vmi) {
		shadow_reset(vcpu);
		return;
	}
	shadow_sync(vcpu);
	shadow_set_root(vcpu);
}

/**
 * shadow_flush_range - INVLPG for some pages
 * @vcpu: the virtual CPU
 * @gva: the first
 * @pages: how many
 *
 * What the processor knows is in the shadows, or was lost from them since the last flush
 * of all.  So only pages that are lost now need an INVLPG, if nothing else was.
 */
void shadow_flush_range(struct vcpu *vcpu, u32 gva, u32 pages)
{
	u64 *slots[RANGE], *slot;
	u8 which[RANGE];
	u32 i, end, n = 0;

	if (!vcpu->vmi || pages > RANGE) {
		shadow_flush(vcpu, false);
		return;
	}
	for (i = 0; i < pages; i = end) {
		if (!range_slot(vcpu, gva + i * PAGE, &slot)) {
			shadow_flush(vcpu, false);
			return;
		}
		end = i + 512 - ((gva >> 12) + i) % 512;
		if (end > pages)
			end = pages;
		for (; slot && i < end; i++, slot++) {
			if (*slot) {
				slots[n] = slot;
				which[n++] = i;
			}
		}
	}
	shadow_sync(vcpu);
	while (n-- && !(vcpu->lost & LOST_MORE)) {
		if (*slots[n])
			continue;
		flush_tlb_page(vcpu, gva + which[n] * PAGE);
		vcpu->lost--;
	}
	if (vcpu->lost)
		shadow_set_root(vcpu);
}
