// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzer of the monitor's shadow page tables (walk.c, shadow.c, memory.c).
 *
 * An input is a machine's settings and then steps, as a guest's two CPUs may
 * do them: write entries of page tables, with and without telling; load CR3,
 * flush; switch paging's modes; touch memory.  Every translation that the
 * shadow holds is compared with mmu.c, again and again: it may allow only what
 * the guest's entries allow, as they are or were when last flushed.
 */
#include <string.h>

#include <sanitizer/asan_interface.h>

#include "tables.h"

#define POOL_MAX	28
#define STEPS		160		/* of one input */

u8 machine[MACHINE] __aligned(4096);

/* What the monitor wants of the files that are not here. */
struct boot_info boot;
struct vcpu *vcpus[MAX_CPUS];
u32 nr_cpus = CPUS;
u64 reserved_bits;
bool cpu_has_nx = true;
struct rom rom = {
	.phys = ROM_PHYS, .code_pages = 1, .shared = ROM_PHYS + PAGE, .copy = rom_page
};

static u8 pools[CPUS][POOL_MAX * PAGE] __aligned(4096);
static struct spage spages[CPUS][POOL_MAX + 1];
static u64 pml4s[CPUS][512] __aligned(4096);
u8 rom_page[PAGE] __aligned(4096);
u64 scratch_frame;

struct extable_entry;
struct extable_entry *_extable_start, *_extable_end;

struct tally tallies[] = {
	[SEEN_COMPARED] = { "translations compared", 0 },
	[SEEN_STALE] = { "of them of entries before a flush", 0 },
	[SEEN_LARGE] = { "large pages in the shadow", 0 },
	[SEEN_SPECIAL] = { "frames that are not the machine's", 0 },
	[SEEN_FILLED] = { "faults filled", 0 },
	[SEEN_FAULT] = { "faults of the guest", 0 },
	[SEEN_RESERVED] = { "reserved bits", 0 },
	[SEEN_NO_WP] = { "writes without WP", 0 },
	[SEEN_SMEP] = { "fetches refused by SMEP", 0 },
	[SEEN_DIRTY] = { "entries made dirty", 0 },
	[SEEN_TWO_LEVEL] = { "faults filled with 2 levels", 0 },
	[SEEN_FULL] = { "pools emptied", 0 },
	[SEEN_TRIMMED] = { "pools used up", 0 },
	[SEEN_AWAITED] = { "fills behind a guest's fault", 0 },
	[SEEN_KEPT] = { "TLB entries that a flush of a range kept", 0 },
	[SEEN_LOST] = { "rings overrun", 0 },
};

struct cpu cpus[CPUS], *cpu;
struct mmu mmu;
u32 me;
u8 shared_pages[CPUS][SH_PAGES * PAGE] __aligned(4096);

void invlpg(u64 lin)
{
	struct tlb_entry *e;

	for (e = cpu->tlb; e < cpu->tlb + TLB; e++)
		if (lin - e->lin < e->size)
			e->size = 0;
}

void write_cr3(u64 val)
{
	struct tlb_entry *e;

	EXPECT(val == mon_phys(cpu->v.pml4));
	for (e = cpu->tlb; e < cpu->tlb + TLB; e++)
		e->size = 0;
}

static void tlb_add(u32 lin, const struct real *r)
{
	struct tlb_entry *e = &cpu->tlb[cpu->tlb_next++ % TLB];
	struct map map;

	explained(lin, r, false, &map);
	*e = (struct tlb_entry){
		.lin = lin & ~(r->size - 1), .size = r->size, .real = *r,
		.guest_lin = lin & ~((u64)map.span - 1), .guest_size = map.span,
	};
}

static struct real look_up(u32 lin)
{
	struct tlb_entry *e;
	struct real r;

	for (e = cpu->tlb; e < cpu->tlb + TLB; e++)
		if (lin - e->lin < e->size)
			return e->real;
	r = real_walk(lin);
	if (r.present)
		tlb_add(lin, &r);
	return r;
}

/* A page fault, and what shadow_fault() makes of it.  true: try again. */
static bool page_fault(u32 lin, u32 access)
{
	struct path p = current_path(lin), now;
	struct map map = mmu_map(&mmu, lin, &p);
	bool good = mmu_allows(&mmu, &map, access), done;
	u32 error = 0x5a5a;
	enum fill fill;
	struct real r;

	fill = shadow_fault(&cpu->v, lin, access, &error);
	done = fill == FILL_DONE;
	if (cpu->v.pdpte[lin >> 30] != p.pdpte) {
		/* The pool was full and is empty: it began anew with other tables. */
		check_pdptes(true);
		now = current_path(lin);
		accept_path(lin, &p, PTE_A | PTE_D, PTE_A | PTE_D);
		accept_path(lin, &now, PTE_A | PTE_D, PTE_A | PTE_D);
		return true;
	}
	if (good && (access & MMU_WRITE) && read_only(map.page)) {
		EXPECT(fill == (map.page == LAPIC_PAGE ? FILL_HOST : FILL_FAULT));
		EXPECT(fill == FILL_HOST || error == (access | 1));
		check_marks(lin, &p, true, access);
		return false;
	}
	check_marks(lin, &p, good, access);
	EXPECT(done == good);
	if (!done) {
		EXPECT(error == mmu_error(&mmu, &map, access));
		tallies[SEEN_FAULT].count++;
		tallies[SEEN_RESERVED].count += map.state == MAP_RESERVED;
		tallies[SEEN_SMEP].count += access == MMU_FETCH && map.user && !map.noexec;
		return false;
	}
	r = real_walk(lin);
	EXPECT(real_allows(&r, access));
	expect_explained(lin, &r, true);
	tallies[SEEN_FILLED].count++;
	tallies[SEEN_TWO_LEVEL].count += mmu.pg && !mmu.pae;
	tallies[SEEN_NO_WP].count += (access & MMU_WRITE) && !map.write;
	return true;
}

static void touch(u32 lin, u32 access)
{
	u64 pdpte = cpu->v.pdpte[lin >> 30];
	u32 faults;
	struct real r;

	for (faults = 0; ; faults++) {
		r = look_up(lin);
		if (real_allows(&r, access))
			return;
		EXPECT(faults == 0 || (faults == 1 && pdpte != cpu->v.pdpte[lin >> 30]));
		invlpg(lin);		/* a fault makes the processor forget */
		if (!page_fault(lin, access))
			return;
	}
}

/* What inputs choose from. */
static u32 some_index(struct input *in)
{
	static const u16 some[] = {
		0, 1, 2, 3, 4, 7, 8, 9, 15, 255, 256, 509, 510, 511, 512, 1023,
	};

	u32 n = take_u8(in);

	return n & 16 ? n & 3 : some[n % ARRAY_SIZE(some)];
}

static u32 last_lin;		/* that was touched: worth coming back to */

static u32 some_lin(struct input *in)
{
	u32 again = take_u8(in), i, k;

	if (again >= 0xc0)
		return last_lin;
	i = some_index(in);
	k = some_index(in);
	if (mmu.pae)
		return (i & 3) << 30 | (some_index(in) & 511) << 21 | (k & 511) << 12;
	return i << 22 | k << 12 | (take_u8(in) & 0xfff);
}

/* A table, a plain frame, or one that is not for the guest. */
static u64 some_frame(struct input *in)
{
	static const u64 frames[] = {
		0, 0x200000, 0x400000, 0x800000, 0x3fc00000, 0x3fe00000, 0x7fffc000, 0x7fe00000,
		MON_START, MON_START + 0x400000, MON_END - PAGE, MON_END, MON_END - LARGE,
		LAPIC_PAGE, LAPIC_PAGE + PAGE, 0xfeeff000, 0xfef00000, 0xfec00000,
		ROM_PHYS, ROM_PHYS + PAGE, ROM_PHYS + 2 * PAGE, ROM_PHYS + 5 * PAGE,
		ROM_PHYS + 6 * PAGE, ROM_PHYS - PAGE,
		HOLE, HOLE_END - PAGE, MACHINE, 0x123400000, 0xfc0000000, 0xff00000000,
		0x1000000000, 0x4000000000, 0x10000000000, 0x8000000000000, 0x202000,
	};
	u32 n = take_u8(in);

	if (n < 128)
		return (u64)table_gfn[n % TABLES] << 12;
	if (n == 255)
		return mon_phys(cpu->v.pool_mem);
	return frames[(n - 128) % ARRAY_SIZE(frames)];
}

/* Zeroes make a present, writable entry that was used. */
static u64 some_entry(struct input *in)
{
	u64 frame = some_frame(in), flags = take_u8(in) ^ 0x67, more = take_u8(in);

	flags |= more & 1 ? PTE_G : 0;
	flags |= (more & 6) == 6 ? PTE_PAT_LARGE : 0;
	flags |= (more & 0x18) == 0x18 && mmu.pae ? PTE_NX : 0;
	flags |= more & 0x80 ? 0xe00 : 0;
	if (mmu.pae)
		return frame | flags;
	/* Bits above 4 GB go where large pages have them. */
	return (u32)(frame | flags | frame >> 32 << 13);
}

static u64 some_place(struct input *in)
{
	u64 pd, pt;
	u32 t = take_u8(in), i = some_index(in);
	struct path p;

	if (t >= 0xc0) {
		p = current_path(last_lin);
		pd = directory(last_lin, &p);
		pt = table(last_lin, &p);
		if (t & 7 && is_table(pt))
			return pt;
		if (is_table(pd))
			return pd;
	}
	t %= TABLES;
	return ((u64)table_gfn[t] << 12) + i % (PAGE / entry_size()) * entry_size();
}

/* The ROM's part: rom.S. */
static void note(u32 value)
{
	struct shared *sh = (struct shared *)shared_pages[me];

	sh->ring[sh->head % RING_SIZE] = value;
	sh->head++;
}

static void note_entry(u64 pa)
{
	note(pa);
	entry_noted(pa);
}

static void note_page(u32 gfn)
{
	note(gfn << 1 | 1);
	page_noted(gfn);
}

static void step_set(struct input *in)
{
	u64 pa = some_place(in), old = load(pa);

	store(pa, some_entry(in));
	if (old & 1)
		note_entry(pa);
}

/* Told later, or never. */
static void step_write(struct input *in)
{
	u64 pa = some_place(in);

	store(pa, some_entry(in));
	if (take_u8(in) % 4)
		note_entry(pa);
}

static void step_note(struct input *in)
{
	u32 n = take_u8(in), i;

	if (n < 128) {
		note_page(table_gfn[n % TABLES]);
	} else if (n < 192) {
		note_entry(some_place(in));
	} else if (n < 250) {
		note(take_u32(in));
	} else if (n < 253) {
		/* hypercall.c: a note that has no room */
		((struct shared *)shared_pages[me])->head += RING_SIZE;
		tallies[SEEN_LOST].count++;
	} else {
		for (i = 0; i < RING_SIZE; i++)
			note(0);
		tallies[SEEN_LOST].count++;
	}
}

/* Has this CPU lost count of some CPU's notes? */
static bool overrun(void)
{
	u32 i;

	for (i = 0; i < CPUS; i++)
		if (cpus[i].v.vmi_page->head - cpu->v.ring_seen[i] >= RING_SIZE)
			return true;
	return false;
}

/* Behind a flush: what the guest said has become true, and the TLB is empty. */
static void flushed(bool all)
{
	u32 i;

	if (all || !cpu->v.vmi)
		forget_all();
	else
		forget_noted();
	for (i = 0; i < TLB; i++)
		EXPECT(!cpu->tlb[i].size);
	check_pdptes(true);
}

static void step_flush(struct input *in)
{
	u32 n = take_u8(in);
	bool all = overrun();
	u64 frame;

	if (n % 4 == 0) {
		frame = n / 4 % 8 ? table_gfn[n / 4 % 4] : some_frame(in) >> 12;
		cpu->v.cr3 = frame << 12 | (n >= 128 ? 32 : 0) | (n & 64 ? 8 : 0);
	}
	shadow_flush(&cpu->v, n & 1);
	flushed(all);
}

static void step_inval(struct input *in)
{
	u32 lin = some_lin(in), i;
	bool all = overrun();
	struct real r;

	shadow_inval(&cpu->v, lin);
	if (all)
		forget_all();
	else if (cpu->v.vmi)
		forget_noted();
	r = real_walk(lin);
	if (r.present)
		expect_explained(lin, &r, true);
	/* The guest's page is gone, in however many pieces it was. */
	for (i = 0; i < TLB; i++) {
		struct tlb_entry *e = &cpu->tlb[i];

		EXPECT(!e->size || lin - e->lin >= e->size);
		EXPECT(!e->size || lin - e->guest_lin >= e->guest_size);
	}
	check_pdptes(false);
}

/* Other addresses may have changed an entry for this one, which is for them to flush. */
static bool is_aliased(u32 lin)
{
	u64 *root = cpu->v.root->table, e = root[lin >> 30];
	u32 i;

	if (!(e & PTE_P))
		return false;
	for (i = 0; i < 4; i++)
		if (i != lin >> 30 && !((root[i] ^ e) & (PFN_MASK | PTE_P)))
			return true;
	e = spage_of(&cpu->v, e)->table[lin >> 21 & 511];
	return (e & (PTE_P | PTE_PS)) == PTE_P && spage_of(&cpu->v, e)->links > 1;
}

/* The TLB has nothing then that the shadow has not, of the range or elsewhere. */
static void step_range(struct input *in)
{
	u32 lin = some_lin(in) & ~(PAGE - 1), n = take_u8(in) % 70, i;
	bool all = overrun();
	struct tlb_entry *e;
	struct real r;

	shadow_flush_range(&cpu->v, lin, n);
	if (all || !cpu->v.vmi)
		forget_all();
	else
		forget_noted();
	for (i = 0; i < n; i++, lin += PAGE) {
		r = real_walk(lin);
		if (r.present)
			expect_explained(lin, &r, false);
	}
	for (e = cpu->tlb; e < cpu->tlb + TLB; e++) {
		if (!e->size || is_aliased(e->lin))
			continue;
		r = real_walk(e->lin);
		EXPECT(r.present && r.page == (e->real.page & ~(r.size - 1)) && r.size == e->size);
		/* Less than in the shadow is a fault that was not needed. */
		EXPECT(r.write >= e->real.write && r.user >= e->real.user);
		tallies[SEEN_KEPT].count++;
	}
	check_pdptes(false);
}

static void read_mode(void)
{
	struct vcpu *v = &cpu->v;

	mmu.pg = v->cr0 & CR0_PG;
	mmu.wp = v->cr0 & CR0_WP;
	mmu.pae = v->cr4 & CR4_PAE;
	mmu.pse = v->cr4 & CR4_PSE;
	mmu.smep = v->cr4 & CR4_SMEP;
	mmu.nxe = v->efer & EFER_NX;
}

/* As calls.c does it. */
static void set_mode(u32 cr0, u32 cr4, u64 efer)
{
	cpu->v.cr0 = cr0;
	cpu->v.cr4 = cr4;
	set_efer(&cpu->v, efer);
	read_mode();
	shadow_reset(&cpu->v);
	flushed(true);
}

/* The format of the tables is the same for both CPUs, or cells make no sense. */
static void step_mode(struct input *in)
{
	static const u32 in_cr4[] = { CR4_PSE, CR4_PGE, CR4_SMEP };
	u32 n = take_u8(in), cr0 = cpu->v.cr0, cr4 = cpu->v.cr4, i;
	u64 efer = cpu->v.efer;

	switch (n % 8) {
	case 0:
		cr0 ^= CR0_WP;
		break;
	case 1:
		efer ^= EFER_NX;
		break;
	case 2:
		cr0 ^= n / 8 % 4 ? 0 : CR0_PG;
		break;
	case 3:
		if (n / 8 % 4)
			return;
		for (i = 0; i < CPUS; i++) {
			cpu = &cpus[me = i];
			set_mode(cpu->v.cr0, cpu->v.cr4 ^ CR4_PAE, cpu->v.efer);
		}
		return;
	default:
		cr4 ^= in_cr4[n % ARRAY_SIZE(in_cr4)];
	}
	set_mode(cr0, cr4, efer);
}

static void step_touch(struct input *in)
{
	static const u32 accesses[] = { MMU_WRITE, 0, MMU_FETCH, MMU_WRITE };
	u32 n = take_u8(in), lin = some_lin(in);

	last_lin = lin;
	touch(lin, accesses[n % 4] | (n & 4 ? MMU_USER : 0));
	/* Its neighbour, which fill_around() knows. */
	if (n & 8)
		touch(lin ^ PAGE, n & 4 ? MMU_USER : 0);
}

static void one_step(struct input *in)
{
	static void (*const steps[16])(struct input *in) = {
		step_touch, step_touch, step_touch, step_touch, step_touch, step_touch,
		step_set, step_set, step_set, step_set, step_write, step_note,
		step_flush, step_range, step_inval, step_mode,
	};
	u32 n = take_u8(in);

	me = n / 16 % 8 == 7;
	cpu = &cpus[me];
	read_mode();
	if (n & 16)
		shadow_fill_awaited(&cpu->v);
	steps[n % 16](in);
	if (n % 16 >= 6 || n & 128)
		check_shadow();
	check_pdptes(false);
}

/* Chains that inputs start with: table 0 leads to 1 and 2, those to 3 and 4. */
static void first_tables(void)
{
	static const u8 links[][3] = {
		{ 0, 0, 1 }, { 0, 1, 2 }, { 0, 3, 1 },
		{ 1, 0, 3 }, { 1, 1, 4 }, { 1, 2, 3 }, { 2, 0, 3 }, { 2, 3, 4 },
		{ 3, 0, 5 }, { 3, 1, 6 }, { 3, 8, 7 }, { 4, 0, 5 }, { 4, 2, 3 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(links); i++)
		store(((u64)table_gfn[links[i][0]] << 12) + links[i][1] * entry_size(),
		      (u64)table_gfn[links[i][2]] << 12 |
		      (mmu.pae && !links[i][0] ? PTE_P : PTE_P | PTE_W | PTE_U));
}

static void power_on(struct input *in)
{
	u32 n = take_u8(in), pool = take_u8(in), i, cr4 = 0;

	cr4 |= n & 1 ? 0 : CR4_PAE;
	cr4 |= n & 2 ? 0 : CR4_PSE;
	cr4 |= n & 4 ? CR4_SMEP : 0;
	mmu.maxphyaddr = n & 32 ? 46 : 36;
	reserved_bits = ~PTE_NX & ~((1UL << mmu.maxphyaddr) - 1);
	for (i = CPUS; i--;) {
		cpu = &cpus[i];
		me = i;
		memcpy(&cpu->v, &cpu->fresh, sizeof(cpu->v));
		memset(cpu->tlb, 0, sizeof(cpu->tlb));
		memset(cpu->pdpte, 0, sizeof(cpu->pdpte));
		cpu->v.pool_size = 4 + pool % (POOL_MAX - 4);
		cpu->v.vmi = !(n & 64);
		cpu->v.vmi_page->head = n & 128 ? -8u : 0;
		cpu->v.ring_seen[0] = cpu->v.vmi_page->head;
		cpu->v.ring_seen[1] = cpu->v.vmi_page->head;
		cpu->v.cr0 = CR0_PE | CR0_PG | (n & 8 ? 0 : CR0_WP);
		cpu->v.cr4 = cr4;
		set_efer(&cpu->v, n & 16 ? 0 : EFER_NX);
		cpu->v.cr3 = table_gfn[0] << 12;
		read_mode();
		if (!i)
			first_tables();
		shadow_set_root(&cpu->v);
		check_pdptes(true);
	}
	forget_all();
	me = 1;
	forget_all();
}

static void power_off(void)
{
	u32 i;

	for (i = 0; i < CPUS; i++) {
		tallies[SEEN_FULL].count += cpus[i].v.count[C_SHADOW_RESET];
		tallies[SEEN_TRIMMED].count += cpus[i].v.count[C_SHADOW_TRIM];
		tallies[SEEN_AWAITED].count += cpus[i].v.count[C_FILL_AT_IRET];
	}
	clear_tables();
}

/* Where the monitor's frames lead, asked once: it is one page, not a table. */
static void find_scratch(void)
{
	struct leaf leaf;
	u32 error;

	cpu->v.cr0 = 0;
	read_mode();
	shadow_set_root(&cpu->v);
	EXPECT(shadow_fault(&cpu->v, MON_START, 0, &error) == FILL_DONE);
	scratch_frame = real_walk(MON_START).page;
	EXPECT(!guest_walk(&cpu->v, MON_START, 0, &leaf, &error));
	EXPECT(is_monitors(scratch_frame));
	EXPECT(scratch_frame == mon_phys(scratch));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	u32 i;

	(void)argc;
	(void)argv;
	boot.mon_start = MON_START;
	boot.mon_end = MON_END;
	boot.map[0] = (struct range){ 0, HOLE, 1 };
	boot.map[1] = (struct range){ HOLE_END - 0x10000, HOLE_END, 2 };
	boot.map[2] = (struct range){ HOLE_END, MACHINE, 1 };
	boot.map[3] = (struct range){ MON_START, MON_END, 2 };
	boot.nr_map = 4;
	__asan_poison_memory_region(machine + HOLE, HOLE_END - HOLE);
	mmu.maxphyaddr = 36;
	for (i = 0; i < CPUS; i++) {
		cpu = &cpus[i];
		me = i;
		cpu->v.id = i;
		cpu->v.vmi_page = (struct shared *)shared_pages[i];
		cpu->v.sh = cpu->v.vmi_page;
		vcpus[i] = &cpu->v;
		cpu->v.pool = spages[i];
		cpu->v.pool_mem = pools[i];
		cpu->v.pool_phys = mon_phys(pools[i]);
		cpu->v.pool_used = 1;
		cpu->v.pool_size = POOL_MAX;
		cpu->v.pml4 = pml4s[i];
		memcpy(&cpu->fresh, &cpu->v, sizeof(cpu->v));
	}
	find_scratch();
	tally_at_exit(tallies, ARRAY_SIZE(tallies));
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u32 i;

	last_lin = 0;
	power_on(&in);
	for (i = 0; i < STEPS && in.left; i++)
		one_step(&in);
	power_off();
	return 0;
}

