// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables, in both formats: what a guest tells the ROM of its changes, and
 * what it then sees; rights, accessed and dirty bits, faults and their codes.
 */
#include "layer.h"
#include "paging.h"

#define CPUID_NX	(1 << 20)	/* leaf 0x80000001, EDX */
#define CPUID_SMEP	(1 << 7)	/* leaf 7, EBX */
#define FRAMES		4
#define LARGE_FRAME	0x1000000	/* memory that nobody uses */
#define HIGH_FRAME	0x100200000ull
#define MANY		5000		/* more changes than a host would queue */

static struct space spaces[2];		/* 2-level, PAE */
static struct space other;
static u32 frame[FRAMES];		/* each begins with its number + 'A' */
static u32 window;			/* a fresh 4 MB for each test */

/* Does the memory map say that there is RAM? */
static bool ram_at(u64 addr)
{
	const u8 *bp = (const u8 *)boot_params;
	u32 i, type;
	u64 range[2];

	for (i = 0; i < bp[BP_E820_ENTRIES]; i++) {
		memcpy(range, bp + BP_E820 + 20 * i, sizeof(range));
		memcpy(&type, bp + BP_E820 + 20 * i + sizeof(range), sizeof(type));
		if (type == E820_RAM && addr >= range[0] && addr < range[0] + range[1])
			return true;
	}
	return false;
}

static void *pte(u32 addr)
{
	return entry_of(space, addr, 0);
}

static void *pde(u32 addr)
{
	return entry_of(space, addr, 1);
}

static u32 flags(u32 addr, u32 level)
{
	return (addr & ~(PAGE_SIZE - 1)) | VMI_PAGE_CURRENT_AS | level;
}

/* Map a page; nothing is flushed. */
static void map(u32 addr, u32 n, u64 bits)
{
	entry_set(space, pte(addr), frame[n] | bits, flags(addr, VMI_PAGE_PT));
}

static u32 fresh(void)
{
	return window += 0x400000;
}

static bool has(u32 leaf, u32 bit)
{
	u32 eax = leaf, ebx, ecx = 0, edx;

	__cpuid(&eax, &ebx, &ecx, &edx);
	return (leaf == 7 ? ebx : edx) & bit;
}

/* Changes and flushes */

static void t_appears(void)
{
	u32 at = fresh();

	EXPECT_EQ(touch(at, READ, false), 0);
	map(at, 0, PTE_P | PTE_W);
	EXPECT_EQ(read32(at), 'A');
	write32(at + 4, 5);
	EXPECT_EQ(read32(frame[0] + 4), 5);
	EXPECT_EQ(touch(at + PAGE_SIZE, READ, false), 0);
}

static void load_cr3(void)
{
	write_cr3(space->root);
}

static void inval_first(void)
{
	inval_page(window);
}

static void range_of_one(void)
{
	flush_range(window, 1);
}

static void range_of_three(void)
{
	flush_range(window - 2 * PAGE_SIZE, 3);
}

static void changed_by(void (*change)(struct space *s, void *entry, u64 value, u32 flags),
		       void (*flush)(void))
{
	u32 at = fresh();

	map(at, 0, PTE_RIGHTS);
	map(at + PAGE_SIZE, 1, PTE_RIGHTS);
	EXPECT_EQ(read32(at), 'A');
	EXPECT_EQ(read32(at + PAGE_SIZE), 'B');
	change(space, pte(at), frame[2] | PTE_RIGHTS, flags(at, VMI_PAGE_PT));
	flush();
	EXPECT_EQ(read32(at), 'C');
	EXPECT_EQ(read32(at + PAGE_SIZE), 'B');
	change(space, pte(at), frame[2] | (PTE_RIGHTS & ~PTE_P), flags(at, VMI_PAGE_PT));
	flush();
	EXPECT_EQ(touch(at, READ, false), 0);
	EXPECT_EQ(touch(at + PAGE_SIZE, READ, false), NO_FAULT);
}

static void t_set(void)
{
	changed_by(entry_set, inval_first);
	changed_by(entry_set, range_of_one);
	changed_by(entry_set, range_of_three);
	changed_by(entry_set, flush_tlb);
	changed_by(entry_set, flush_global);
	changed_by(entry_set, load_cr3);
}

static void t_update(void)
{
	changed_by(entry_update, inval_first);
	changed_by(entry_update, range_of_one);
	changed_by(entry_update, range_of_three);
	changed_by(entry_update, flush_tlb);
	changed_by(entry_update, flush_global);
	changed_by(entry_update, load_cr3);
}

/* SetPxE may wait until the mode is 0 again, but no longer. */
static void t_lazy(void)
{
	u32 at = fresh(), i;

	for (i = 0; i < FRAMES; i++)
		map(at + i * PAGE_SIZE, i, PTE_RIGHTS);
	EXPECT_EQ(read32(at), 'A');
	if (vmi_patched(VMI_OP_SET_LAZY_MODE))
		vmi_call1(SET_LAZY_MODE, VMI_LAZY_MMU);
	for (i = 0; i < FRAMES; i++)
		map(at + i * PAGE_SIZE, FRAMES - 1 - i, PTE_RIGHTS | PTE_U);
	if (vmi_patched(VMI_OP_SET_LAZY_MODE))
		vmi_call1(SET_LAZY_MODE, VMI_LAZY_NONE);
	flush_tlb();
	for (i = 0; i < FRAMES; i++)
		EXPECT_EQ(read32(at + i * PAGE_SIZE), 'A' + FRAMES - 1 - i);
}

/* More changes between two flushes than anyone wants to remember. */
static void t_many(void)
{
	u32 at = fresh(), i, n;

	for (n = 0; n < 512; n++) {
		map(at + n * PAGE_SIZE, n & 3, PTE_RIGHTS);
		EXPECT_EQ(read32(at + n * PAGE_SIZE), 'A' + (n & 3));
	}
	/* The first pages change once, the others again and again. */
	for (i = 0; i < MANY; i++) {
		n = i < 256 ? i : 256 + i % 256;
		map(at + n * PAGE_SIZE, ~n & 3, PTE_RIGHTS);
	}
	flush_tlb();
	for (n = 0; n < 512; n++)
		EXPECT_EQ(read32(at + n * PAGE_SIZE), 'A' + (~n & 3));
}

/* Another page table behind a directory's entry, and none. */
static void t_directory(void)
{
	u32 at = fresh(), from = fresh();

	map(at, 0, PTE_RIGHTS);
	map(from, 1, PTE_RIGHTS);
	EXPECT_EQ(read32(at), 'A');
	entry_set(space, pde(at), entry_read(space, pde(from)), flags(at, VMI_PAGE_PD));
	flush_tlb();
	EXPECT_EQ(read32(at), 'B');
	EXPECT_EQ(read32(from), 'B');
	map(from, 2, PTE_RIGHTS);
	inval_page(at);
	inval_page(from);
	EXPECT_EQ(read32(at), 'C');
	EXPECT_EQ(read32(from), 'C');
	entry_set(space, pde(at), 0, flags(at, VMI_PAGE_PD));
	flush_tlb();
	EXPECT_EQ(touch(at, READ, false), 0);
	EXPECT_EQ(read32(from), 'C');
}

/* A page that stops being a table, is written as data, and is one again. */
static void t_release(void)
{
	u32 at = fresh(), to = fresh(), table;

	map(at, 0, PTE_RIGHTS);
	map(at + PAGE_SIZE, 1, PTE_RIGHTS);
	EXPECT_EQ(read32(at), 'A');
	EXPECT_EQ(read32(at + PAGE_SIZE), 'B');
	table = entry_read(space, pde(at)) & ~(PAGE_SIZE - 1);
	entry_set(space, pde(at), 0, flags(at, VMI_PAGE_PD));
	flush_tlb();
	release_page(space, table >> 12, VMI_PAGE_PT);
	memset((void *)table, 0, PAGE_SIZE);
	allocate_page(space, table >> 12, VMI_PAGE_PT);
	entry_set(space, pde(to), table | PTE_RIGHTS | PTE_U, flags(to, VMI_PAGE_PD));
	map(to, 2, PTE_RIGHTS);
	flush_tlb();
	EXPECT_EQ(read32(to), 'C');
	EXPECT_EQ(touch(to + PAGE_SIZE, READ, false), 0);
}

/* Changes of a table whose frame no 32 bits hold, and the same with that. */
static void t_high_table(void)
{
	u32 at = fresh(), view = fresh(), pfn = HIGH_FRAME >> 12, i;
	u64 *table = (u64 *)view;

	if (!space->pae || !ram_at(HIGH_FRAME)) {
		SKIP("no memory above 4 GiB, or no way to it");
		return;
	}
	entry_set(space, pte(view), HIGH_FRAME | PTE_RIGHTS, flags(view, VMI_PAGE_PT));
	for (i = 0; i < 3; i++) {
		memset(table, 0, PAGE_SIZE);
		table[0] = frame[i] | PTE_RIGHTS;
		table[1] = frame[i + 1] | PTE_RIGHTS;
		allocate_page(space, pfn, VMI_PAGE_PT);
		entry_set(space, pde(at), HIGH_FRAME | PTE_RIGHTS, flags(at, VMI_PAGE_PD));
		/* What is read first is looked up in any case. */
		EXPECT_EQ(read32(at + (i & 1) * PAGE_SIZE), 'A' + i + (i & 1));
		EXPECT_EQ(read32(at), 'A' + i);
		EXPECT_EQ(read32(at + PAGE_SIZE), 'A' + i + 1);
		entry_set(space, &table[1], frame[i] | PTE_RIGHTS, flags(at, VMI_PAGE_PT));
		flush_tlb();
		EXPECT_EQ(read32(at + PAGE_SIZE), 'A' + i);
		entry_update(space, &table[1], frame[i + 1] | PTE_RIGHTS, flags(at, VMI_PAGE_PT));
		inval_page(at + PAGE_SIZE);
		EXPECT_EQ(read32(at + PAGE_SIZE), 'A' + i + 1);
		entry_set(space, pde(at), 0, flags(at, VMI_PAGE_PD));
		release_page(space, pfn, VMI_PAGE_PT);
		flush_tlb();
	}
}

/* A directory that is a page table too: entries show in a window. */
static void t_self_map(void)
{
	u32 self = fresh(), at = fresh(), mask = large_size(space) - 1;
	u32 dir = (u32)pde(at) & ~(PAGE_SIZE - 1), entry;

	map(at, 0, PTE_RIGHTS);
	EXPECT_EQ(read32(at), 'A');
	self &= ~mask;
	entry_set(space, pde(self), dir | PTE_RIGHTS, flags(self, VMI_PAGE_PD));
	/* The page table of at, as the directory maps it; then the entry itself. */
	entry = self + ((u32)pde(at) & (PAGE_SIZE - 1)) / (space->pae ? 8 : 4) * PAGE_SIZE +
		((u32)pte(at) & (PAGE_SIZE - 1));
	EXPECT_EQ(read32(entry) & ~0xfffu, frame[0]);
	entry_set(space, (void *)entry, frame[1] | PTE_RIGHTS, flags(at, VMI_PAGE_PT));
	inval_page(at);
	EXPECT_EQ(read32(at), 'B');
	entry_update(space, (void *)entry, frame[2] | PTE_RIGHTS, flags(at, VMI_PAGE_PT));
	flush_tlb();
	EXPECT_EQ(read32(at), 'C');
	/* The directory's entry for at, which is an entry of the window as well. */
	entry_set(space, pde(at), 0, flags(at, VMI_PAGE_PD));
	flush_tlb();
	EXPECT_EQ(touch(at, READ, false), 0);
	EXPECT_EQ(touch(entry, READ, false), 0);
	entry_set(space, pde(self), 0, flags(self, VMI_PAGE_PD));
	flush_tlb();
	EXPECT_EQ(touch(entry, READ, false), 0);
}

/* Two trees; the one that is not loaded changes. */
static void t_two_spaces(void)
{
	struct space *first = space;
	u32 at = fresh(), round;

	other.root = 0;
	space_init(&other, first->pae);
	map(at, 0, PTE_RIGHTS);
	entry_set(&other, entry_of(&other, at, 0), frame[1] | PTE_RIGHTS, 0);
	for (round = 0; round < 3; round++) {
		EXPECT_EQ(read32(at), 'A' + round % 3);
		space_load(&other);
		EXPECT_EQ(read32(at), 'B');
		entry_set(first, entry_of(first, at, 0),
			  frame[round + 1] | PTE_RIGHTS, VMI_PAGE_PT);
		space_load(first);
	}
	EXPECT_EQ(read32(at), 'D');
	entry_set(&other, entry_of(&other, at, 0), 0, VMI_PAGE_PT);
	space_load(&other);
	EXPECT_EQ(touch(at, READ, false), 0);
	space_load(first);
	EXPECT_EQ(read32(at), 'D');
}

/* Large pages */

static u32 large_window(void)
{
	u32 at = fresh();

	return at & ~(large_size(space) - 1);
}

static void t_large(void)
{
	u32 at = large_window(), size = large_size(space), i, base = LARGE_FRAME;
	static const u32 offsets[] = { 0xff0, 0x1ffff0, 0x200ff0, 0x3ffff0 };
	u32 n, offs;

	for (i = 0; i < 2; i++) {
		entry_set(space, pde(at), (base + i * size) | PTE_RIGHTS | PTE_PS,
			  flags(at, VMI_PAGE_PD));
		inval_page(at + 0x3000);
		for (n = 0; n < ARRAY_SIZE(offsets) && offsets[n] < size; n++) {
			offs = offsets[n];
			write32(base + i * size + offs, 0);
			write32(at + offs, offs + i);
			EXPECT_EQ(read32(base + i * size + offs), offs + i);
			EXPECT_EQ(read32(at + offs), offs + i);
		}
	}
}

/* Large to small and back. */
static void t_split(void)
{
	u32 at = large_window(), far = large_size(space) - PAGE_SIZE, i;
	u64 large = LARGE_FRAME | PTE_RIGHTS | PTE_PS, small;

	write32(LARGE_FRAME + far, 'L');
	map(at, 0, PTE_RIGHTS);
	map(at + far, 1, PTE_RIGHTS);
	small = entry_read(space, pde(at));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(read32(at), 'A');
		EXPECT_EQ(read32(at + far), 'B');
		entry_set(space, pde(at), large, flags(at, VMI_PAGE_PD));
		inval_page(at);
		inval_page(at + far);
		EXPECT_EQ(read32(at + far), 'L');
		EXPECT_EQ(read32(at), read32(LARGE_FRAME));
		entry_set(space, pde(at), small, flags(at, VMI_PAGE_PD));
		flush_tlb();
	}
}

/* The first large page has the ROM in it: nobody can map it as a whole. */
static void t_large_rom(void)
{
	u32 at = large_window(), rom_at = VMI_ROM_START;

	entry_set(space, pde(at), PTE_RIGHTS | PTE_PS, flags(at, VMI_PAGE_PD));
	for (; rom_at < VMI_ROM_END; rom_at += PAGE_SIZE)
		EXPECT_EQ(read32(at + rom_at), read32(rom_at));
	/* INVLPG of any of its addresses is for the large page. */
	entry_set(space, pde(at), LARGE_FRAME | PTE_RIGHTS | PTE_PS, flags(at, VMI_PAGE_PD));
	inval_page(at);
	EXPECT_EQ(read32(at + VMI_ROM_START), read32(LARGE_FRAME + VMI_ROM_START));
}

static void t_global(void)
{
	u32 at = fresh();

	__write_cr4(__read_cr4() | CR4_PGE);
	map(at, 0, PTE_RIGHTS | PTE_G);
	EXPECT_EQ(read32(at), 'A');
	map(at, 1, PTE_RIGHTS | PTE_G);
	inval_page(at);
	EXPECT_EQ(read32(at), 'B');
	map(at, 2, PTE_RIGHTS | PTE_G);
	flush_global();
	EXPECT_EQ(read32(at), 'C');
	map(at, 3, PTE_RIGHTS | PTE_G);
	__write_cr4(__read_cr4() & ~CR4_PGE);
	EXPECT_EQ(read32(at), 'D');
}

/* Accessed and dirty */

static u32 bits(const void *entry)
{
	return entry_read(space, entry) & (PTE_A | PTE_D);
}

static void check_accessed(u32 at, void *entry, u64 value, u32 level)
{
	entry_set(space, entry, value, flags(at, level));
	EXPECT_EQ(bits(entry), 0);
	EXPECT_EQ(touch(at, READ, false), NO_FAULT);
	EXPECT_EQ(bits(entry), PTE_A);
	EXPECT_EQ(touch(at, WRITE, false), NO_FAULT);
	EXPECT_EQ(bits(entry), PTE_A | PTE_D);
	/* Taken away again, and seen again. */
	entry_set(space, entry, value | PTE_A, flags(at, level));
	inval_page(at);
	EXPECT_EQ(touch(at, READ, false), NO_FAULT);
	EXPECT_EQ(bits(entry), PTE_A);
	EXPECT_EQ(touch(at, WRITE, false), NO_FAULT);
	EXPECT_EQ(bits(entry), PTE_A | PTE_D);
	entry_update(space, entry, value, flags(at, level));
	inval_page(at);
	EXPECT_EQ(touch(at, READ, false), NO_FAULT);
	EXPECT_EQ(bits(entry), PTE_A);
}

static void t_accessed(void)
{
	u32 at = fresh(), large = large_window();

	check_accessed(at, pte(at), frame[3] | PTE_P | PTE_W, VMI_PAGE_PT);
	EXPECT(entry_read(space, pde(at)) & PTE_A);
	check_accessed(large, pde(large), LARGE_FRAME | PTE_P | PTE_W | PTE_PS,
		       VMI_PAGE_PD);
}

/* What faults does not become dirty. */
static void t_not_dirty(void)
{
	u32 at = fresh();

	map(at, 3, PTE_P);
	EXPECT_EQ(touch(at, WRITE, false), PF_P | PF_W);
	EXPECT_EQ(touch(at, WRITE, true), PF_P | PF_W | PF_U);
	EXPECT_EQ(bits(pte(at)) & PTE_D, 0);
}

/* Rights */

static u32 expected(bool w, bool u, enum touch how, bool user)
{
	u32 code = PF_P | (how == WRITE ? PF_W : 0) | (user ? PF_U : 0);

	if ((user && !u) || (how == WRITE && !w))
		return code;
	return NO_FAULT;
}

/* Writable and user, in the table and in the directory, for every access. */
static void t_rights(void)
{
	u32 at = fresh(), i, how, user, got, want, both;
	u64 table;

	map(at, 3, PTE_RIGHTS | PTE_U);
	*(u8 *)frame[3] = 0xc3;			/* ret */
	table = entry_read(space, pde(at)) & ~(u64)(PTE_W | PTE_U);
	for (i = 0; i < 16; i++) {
		entry_set(space, pde(at), table | (i & 3) << 1, flags(at, VMI_PAGE_PD));
		map(at, 3, (PTE_RIGHTS & ~PTE_W) | (i >> 2) << 1);
		flush_tlb();
		both = i & i >> 2;
		for (how = READ; how <= EXEC; how++) {
			for (user = 0; user < 2; user++) {
				want = expected(both & 1, both & 2, how, user);
				got = touch(at, how, user);
				if (got != want)
					print("# pde %u pte %u access %u user %u\n", i & 3,
					      i >> 2, how, user);
				EXPECT_EQ(got, want);
				*(u8 *)frame[3] = 0xc3;
			}
		}
	}
}

/* Without CR0.WP the kernel writes anywhere, and leaves its mark. */
static void t_write_protect(void)
{
	u32 at = fresh();

	map(at, 3, PTE_P | PTE_U);
	EXPECT_EQ(touch(at, READ, true), NO_FAULT);
	EXPECT_EQ(touch(at, WRITE, false), PF_P | PF_W);
	write_cr0(read_cr0() & ~CR0_WP);
	EXPECT_EQ(touch(at, WRITE, false), NO_FAULT);
	EXPECT_EQ(bits(pte(at)), PTE_A | PTE_D);
	EXPECT_EQ(touch(at, WRITE, true), PF_P | PF_W | PF_U);
	EXPECT_EQ(touch(at, READ, true), NO_FAULT);
	EXPECT_EQ(touch(at, WRITE, false), NO_FAULT);
	write_cr0(read_cr0() | CR0_WP);
	EXPECT_EQ(touch(at, WRITE, false), PF_P | PF_W);
}

static void t_not_present(void)
{
	u32 at = fresh();

	EXPECT_EQ(touch(at + 4, READ, false), 0);
	EXPECT_EQ(touch(at + 8, WRITE, false), PF_W);
	EXPECT_EQ(touch(at + 4, READ, true), PF_U);
	EXPECT_EQ(touch(at + 8, WRITE, true), PF_W | PF_U);
	EXPECT_EQ(touch(at, EXEC, false), 0);
	EXPECT_EQ(touch(at, EXEC, true), PF_U);
	/* Half of an access: the second page's address is the fault's. */
	map(at, 3, PTE_P | PTE_W);
	launch(&(struct trap_frame) {
		.ds = KERNEL_DS, .es = KERNEL_DS, .cs = KERNEL_CS | ring,
		.eip = (u32)stub_read, .eflags = 2, .eax = at + PAGE_SIZE - 2,
	});
	EXPECT_EQ(landed.vector, 14);
	EXPECT_EQ(read_cr2(), at + PAGE_SIZE);
}

static void efer_nx(bool on)
{
	wrmsr(EFER, (rdmsr(EFER) & ~(u64)EFER_NX) | (on ? EFER_NX : 0));
}

static void t_nx(void)
{
	u32 at = fresh();
	u64 table;

	if (!has(0x80000001, CPUID_NX)) {
		SKIP("no NX");
		return;
	}
	efer_nx(true);
	*(u8 *)frame[3] = 0xc3;
	if (!space->pae) {
		/* No such bit here, and none in the error code. */
		EXPECT_EQ(touch(at, EXEC, false), 0);
		EXPECT_EQ(touch(at, EXEC, true), PF_U);
		efer_nx(false);
		return;
	}
	map(at, 3, PTE_RIGHTS | PTE_U | PTE_NX);
	EXPECT_EQ(touch(at, READ, true), NO_FAULT);
	EXPECT_EQ(touch(at, EXEC, true), PF_P | PF_U | PF_I);
	EXPECT_EQ(touch(at, EXEC, false), PF_P | PF_I);
	map(at, 3, PTE_RIGHTS | PTE_U);
	table = entry_read(space, pde(at));
	entry_set(space, pde(at), table | PTE_NX, flags(at, VMI_PAGE_PD));
	flush_tlb();
	EXPECT_EQ(touch(at, EXEC, true), PF_P | PF_U | PF_I);
	EXPECT_EQ(touch(at, WRITE, true), NO_FAULT);
	efer_nx(false);				/* now it is a reserved bit */
	flush_tlb();
	EXPECT_EQ(touch(at, READ, true) | PF_P, PF_P | PF_U | PF_RSVD);
	entry_set(space, pde(at), table, flags(at, VMI_PAGE_PD));
	flush_tlb();
	*(u8 *)frame[3] = 0xc3;
	EXPECT_EQ(touch(at, EXEC, true), NO_FAULT);
}

static void t_smep(void)
{
	u32 at = fresh();

	if (!has(7, CPUID_SMEP)) {
		SKIP("no SMEP");
		return;
	}
	*(u8 *)frame[3] = 0xc3;
	map(at, 3, PTE_RIGHTS | PTE_U);
	EXPECT_EQ(touch(at, EXEC, false), NO_FAULT);
	__write_cr4(__read_cr4() | CR4_SMEP);
	EXPECT_EQ(touch(at, EXEC, false), PF_P | PF_I);
	EXPECT_EQ(touch(at, EXEC, true), NO_FAULT);
	EXPECT_EQ(touch(at, READ, false), NO_FAULT);
	EXPECT_EQ(touch(at + PAGE_SIZE, EXEC, false), PF_I);
	/* Without WP the kernel may write it, but still not execute it. */
	map(at, 3, (PTE_RIGHTS & ~PTE_W) | PTE_U);
	inval_page(at);
	write_cr0(read_cr0() & ~CR0_WP);
	EXPECT_EQ(touch(at, WRITE, false), NO_FAULT);
	*(u8 *)frame[3] = 0xc3;
	EXPECT_EQ(touch(at, EXEC, false), PF_P | PF_I);
	EXPECT_EQ(touch(at, EXEC, true), NO_FAULT);
	write_cr0(read_cr0() | CR0_WP);
	__write_cr4(__read_cr4() & ~CR4_SMEP);
	EXPECT_EQ(touch(at, EXEC, false), NO_FAULT);
}

/* Bits that an entry must not have.  Emulation may forget to say present. */
static void t_reserved(void)
{
	u32 at = fresh(), large = large_window();
	u32 word[4] = { 0x80000008 }, bit;

	__cpuid(&word[0], &word[1], &word[2], &word[3]);
	/* The first address that is too wide, by CPUID, and one by any processor's. */
	for (bit = word[0] & 0xff; space->pae && bit <= 51; bit = bit < 51 ? 51 : 52) {
		map(at, 3, PTE_RIGHTS | PTE_U | 1ull << bit);
		EXPECT_EQ(touch(at, READ, false) | PF_P, PF_P | PF_RSVD);
		EXPECT_EQ(touch(at, WRITE, true) | PF_P, PF_P | PF_W | PF_U | PF_RSVD);
		map(at, 3, PTE_RIGHTS);
	}
	/* Behind the PAT bit of a large page, where its address is not yet. */
	entry_set(space, pde(large), LARGE_FRAME | PTE_RIGHTS | PTE_PS | large_size(space) >> 1,
		  flags(large, VMI_PAGE_PD));
	EXPECT_EQ(touch(large, READ, false) | PF_P, PF_P | PF_RSVD);
}

/* Paging off: linear is physical, for users as well; and on again. */
static void t_paging_off(void)
{
	u32 at = fresh();
	struct trap_frame user;

	map(at, 0, PTE_RIGHTS);
	EXPECT_EQ(read32(at), 'A');
	write_cr0(read_cr0() & ~CR0_PG);
	EXPECT_EQ(read32(frame[1]), 'B');
	user = context(stub_read, true);
	user.eax = frame[2];
	launch(&user);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.ebx, 'C');
	write_cr0(read_cr0() | CR0_PG);
	EXPECT_EQ(read32(at), 'A');
	EXPECT_EQ(touch(frame[2], READ, true), PF_P | PF_U);
}

/* Frames are the machine's own. */
static void t_frames(void)
{
	u32 pfn;

	for (pfn = 0; pfn < 0x100000; pfn += 0x1234) {
		if (vmi_patched(VMI_OP_MACHINE_TO_PHYSICAL))
			EXPECT_EQ(vmi_call1(MACHINE_TO_PHYSICAL, pfn), pfn);
		if (vmi_patched(VMI_OP_PHYSICAL_TO_MACHINE))
			EXPECT_EQ(vmi_call1(PHYSICAL_TO_MACHINE, pfn), pfn);
	}
}

static void use(u32 pae)
{
	u32 i;

	for (i = 0; i < FRAMES; i++) {
		if (!frame[i])
			frame[i] = (u32)page_alloc();
		write32(frame[i], 'A' + i);
	}
	window = 0x80000000;
	space_init(&spaces[pae], pae);
	space_load(&spaces[pae]);
}

static void use_2level(void)
{
	use(0);
}

static void use_pae(void)
{
	use(1);
}

static void use_both(void)
{
	u32 round;

	for (round = 0; round < 4; round++) {
		space_load(&spaces[round & 1]);
		window = 0x70000000 + round * 0x1000000;
		t_appears();
		t_set();
	}
}

static const struct test tests[] = {
	{ "an entry appears", t_appears },
	{ "SetPxE", t_set },
	{ "UpdatePxE", t_update },
	{ "SetLazyMode", t_lazy },
	{ "many changes", t_many },
	{ "another page table", t_directory },
	{ "ReleasePage, AllocatePage", t_release },
	{ "a page table above 4 GiB", t_high_table },
	{ "directory maps itself", t_self_map },
	{ "two spaces", t_two_spaces },
	{ "large page", t_large },
	{ "large and small", t_split },
	{ "large page with the ROM", t_large_rom },
	{ "global page", t_global },
	{ "accessed and dirty", t_accessed },
	{ "a fault leaves no mark", t_not_dirty },
	{ "rights", t_rights },
	{ "CR0.WP", t_write_protect },
	{ "not present", t_not_present },
	{ "NX", t_nx },
	{ "SMEP", t_smep },
	{ "reserved bits", t_reserved },
	{ "paging off and on", t_paging_off },
	{ "frame numbers", t_frames },
	{ }
};

static const struct test both_tests[] = {
	{ "another format", use_both },
	{ }
};

const struct suite suites[] = {
	{ "2-level", use_2level, tests },
	{ "PAE", use_pae, tests },
	{ "both", NULL, both_tests },
	{ }
};
