// SPDX-License-Identifier: GPL-2.0-only
/*
 * The monitor's rules as assertions: what "make CHECK=1" in arch/i386/monitor
 * builds into build/monitor-check.elf.  The linker wraps the routines named
 * below, so the monitor's own sources know nothing of this; shadow.c is
 * included, for its structures are its own.
 *
 * Rules that hold whatever the guest does, besides those of ../check/rules.h; a breach
 * stops the machine (0x21):
 *	no entry that the processor can walk names a frame of the monitor, but
 *	for tables of the pool, the scratch page, ROM and shared pages
 *	code, constants, IDT, the page tables above 4 GiB and unused pages of the
 *	pools do not change
 *	every interrupt that arrived was delivered, is held, or met its like held
 * And one that holds for a guest that tells what it changes, on one processor:
 * after a flush no entry remains that the guest's tables do not allow.  Breaches
 * of that are printed ("check: stale ...") and counted.
 */
#include "mon.h"
#include "../../arch/i386/ring1/shadow.c"

#define CANARY		0x6b63696863727543UL
#define EVERY_TRAPS	4096	/* all rules */
#define EVERY_FLUSHES	64	/* the shadows against the guest's tables */
#define SLACK		64	/* pages of a pool that one trap may take */
#define EXIT_BROKEN	0x21	/* as if the monitor had stopped itself */
#define STALE_LINES	10
#define LARGE_FLAGS	0x7fUL	/* of a large page's entry, as in a small one's */


static bool ready;
static u64 constants, traps, flushes, stale, checks;
static u32 high_water[MAX_CPUS];
static u64 arrived[MAX_CPUS], delivered[MAX_CPUS], merged[MAX_CPUS];

static void breach(const char *rule, u64 a, u64 b)
{
	mprintf("\n*** a rule of the monitor is broken: %s: %lx %lx\n", rule, a, b);
	machine_exit(EXIT_BROKEN);
}

static u64 hash(u64 h, const void *p, u64 bytes, u64 mask)
{
	const u64 *w = p, *end = w + bytes / 8;

	for (; w < end; w++)
		h = (h ^ (*w & mask)) * 0x100000001b3UL;
	return h;
}

static u64 *page_at(u64 e)
{
	return phys_ptr(e & PFN_MASK);
}

/* The tables above 4 GiB; the processor sets accessed bits in them. */
static u64 hash_tables(u64 h, u64 *table, u32 level, u32 first)
{
	u32 i;

	h = hash(h, table + first, (512 - first) * 8, ~(PTE_A | PTE_D));
	for (i = first; level > 2 && i < 512; i++)
		/* Many entries of an alias lead to one table. */
		if ((table[i] & PTE_P) && !(table[i] & PTE_PS) &&
		    (i == first || table[i] != table[i - 1]))
			h = hash_tables(h, page_at(table[i]), level - 1, 0);
	return h;
}

/* Nothing of ours is to be written and executed. */
static void check_rights(u64 *table, u32 level, u32 first)
{
	u32 i;

	for (i = first; i < 512; i++) {
		if (!(table[i] & PTE_P) || (i > first && table[i] == table[i - 1]))
			continue;
		if (level > 1 && !(table[i] & PTE_PS))
			check_rights(page_at(table[i]), level - 1, 0);
		else if ((table[i] & PTE_W) && !(table[i] & PTE_NX))
			breach("memory that is written and executed", i, table[i]);
	}
}

static u64 hash_constants(void)
{
	struct desc_ptr idtr;
	u64 h;
	u32 i;

	asm volatile("sidt %0" : "=m" (idtr));
	h = hash(0, _image_start, _rodata_end - _image_start, ~0UL);
	h = hash(h, (void *)idtr.base, idtr.limit + 1, ~0UL);
	for (i = 0; i < nr_cpus; i++) {
		h = hash_tables(h, vcpus[i]->pml4, 4, 256);
		h = hash(h, vcpus[i]->tss_page, PAGE - 8, ~0UL);	/* not TSS_IOMAP */
		h = hash(h, vcpus[i]->stack_top - STACK_SIZE, 8, ~0UL);
		/* Behind the guest's: ours, one of them marked busy. */
		h = hash(h, vcpus[i]->real_gdt + MON_CS / 8, 0x10000 - MON_CS,
			 ~(2UL << 40));
	}
	return h;
}

static void fill_pool(struct vcpu *vcpu)
{
	u32 n;
	u64 *w = (u64 *)(vcpu->pool_mem + high_water[vcpu->id] * PAGE);
	u64 *end = (u64 *)(vcpu->pool_mem + vcpu->pool_size * PAGE);

	while (w < end)
		*w++ = CANARY;
	for (n = high_water[vcpu->id]; n < vcpu->pool_size; n++)
		vcpu->pool[n].filled = 0xff;	/* not as empty as it was */
}

static void start(void)
{
	u32 i;

	for (i = 0; i < nr_cpus; i++) {
		high_water[i] = vcpus[i]->pool_used + SLACK;
		if (high_water[i] < vcpus[i]->pool_size)
			fill_pool(vcpus[i]);
	}
	constants = hash_constants();
	if (cpu_has_nx)
		check_rights(vcpus[0]->pml4, 4, 256);
	ready = true;
}

static void check_canaries(struct vcpu *vcpu)
{
	u64 *w = (u64 *)(vcpu->pool_mem + high_water[vcpu->id] * PAGE);
	u64 *end = (u64 *)(vcpu->pool_mem + vcpu->pool_size * PAGE);

	if (hash_constants() != constants)
		breach("code, constants or tables changed", hash_constants(), constants);
	for (; w < end; w++)
		if (*w != CANARY)
			breach("an unused page changed", (u64)w, *w);
}

/* Pages that the guest may reach, with these rights? */
static void check_leaf(struct vcpu *vcpu, u64 *slot, u64 e, u64 n)
{
	u64 size = n * PAGE, gpa = e & PFN_MASK & ~(size - 1), code = mon_phys(rom.copy);
	u64 shared = mon_phys(vcpu->vmi_page);

	if (n > 1) {
		if (gpa <= LAPIC_PAGE && LAPIC_PAGE < gpa + size)
			breach("the local APIC in a large page", e, gpa);
	}
	if (gpa == LAPIC_PAGE && (e & PTE_W))
		breach("the local APIC is writable", e, gpa);
	if (gpa == LAPIC_PAGE && (e & PTE_UC) != PTE_UC)
		breach("the local APIC is cached", e, gpa);
	if (gpa + size <= boot.mon_start || gpa >= boot.mon_end)
		return;
	if (size == PAGE && gpa == mon_phys(scratch))
		return;
	if (size == PAGE && gpa - code < rom.code_pages * PAGE && !(e & PTE_W))
		return;
	if (size == PAGE && gpa - shared < SH_PAGES * PAGE)
		return;
	breach("an entry names the monitor", e, gpa);
}

/* An entry that leads to a table: one of this CPU's pool, in use. */
static struct spage *table_behind(struct vcpu *vcpu, u64 e)
{
	u64 pool = mon_phys(vcpu->pool_mem), n = ((e & PFN_MASK) - pool) / PAGE;

	if ((e & PFN_MASK) < pool || n >= vcpu->pool_used || !n)
		breach("an entry leads out of the pool", e, pool);
	return &vcpu->pool[n];
}

static void check_table(struct vcpu *vcpu, u64 e)
{
	table_behind(vcpu, e);
}

#include "rules.h"

/* The entry that was just filled, or not: the guest's did not stand still. */
static void check_filled(struct vcpu *vcpu, u32 gva)
{
	u64 e = vcpu->root->table[gva >> 30], *slot;

	if (!(e & PTE_P))
		return;
	slot = &table_behind(vcpu, e)->table[gva >> 21 & 511];
	check_entry(vcpu, R_PD, slot);
	if ((*slot & (PTE_P | PTE_PS)) == PTE_P)
		check_entry(vcpu, R_PT, &table_behind(vcpu, *slot)->table[gva >> 12 & 511]);
}

/* In is out, for what the monitor itself takes care of. */
static void check_interrupts(struct vcpu *vcpu)
{
	u64 held = 0;
	u32 i;

	for (i = 0; i < 256; i++)
		held += vcpu->held[i / 64] >> i % 64 & 1;
	if (arrived[vcpu->id] != delivered[vcpu->id] + merged[vcpu->id] + held)
		breach("interrupts lost or made up", arrived[vcpu->id],
		       delivered[vcpu->id] + merged[vcpu->id] + held);
}

static void check_all(struct vcpu *vcpu)
{
	checks++;
	check_canaries(vcpu);
	check_descriptors(vcpu->real_gdt, 0, MON_CS / 8);
	check_descriptors(vcpu->real_ldt, 0, 8192);
	check_root(vcpu, 1);
	check_shadows(vcpu);
}

static void note_stale(u32 gva, u64 shadow, u64 guest)
{
	if (stale++ < STALE_LINES)
		mprintf("check: stale shadow at %08x: %lx, the guest has %lx\n",
			gva, shadow, guest);
}

/* Does the guest's entry, below a directory, allow what the shadow does? */
static bool allows(struct vcpu *vcpu, u64 g, u64 e)
{
	bool wp = vcpu->cr0 & CR0_WP;

	if (!(g & PTE_P) || !(g & PTE_A) || ((e & PTE_U) && !(g & PTE_U)) ||
	    ((e & PTE_W) && !(g & PTE_W) && wp) || ((e & PTE_W) && !(g & PTE_D) && wp) ||
	    (!(e & PTE_NX) && (g & PTE_NX)))
		return false;
	return mon_owns(e & PFN_MASK) || (e & PFN_MASK) == (g & PFN_MASK);
}

static void compare_table(struct vcpu *vcpu, u32 gva, u64 *shadow, u64 pde, bool split)
{
	u64 *guest = (u64 *)guest_ram(pde & PFN_MASK, PAGE), g;
	u32 i;

	for (i = 0; i < 512; i++) {
		if (!(shadow[i] & PTE_P))
			continue;
		if (split)
			g = (pde & ~(LARGE - 1)) + i * PAGE + (pde & LARGE_FLAGS);
		else
			g = guest ? guest[i] : 0;
		if (!allows(vcpu, g, shadow[i]))
			note_stale(gva + i * PAGE, shadow[i], g);
	}
}

/* The current address space, PAE: walk the shadow, look at the guest's. */
static void check_stale(struct vcpu *vcpu)
{
	u64 *root = vcpu->root->table, *pd, *guest;
	u32 i, j, gva;

	for (i = 0; i < 4; i++) {
		if (!(root[i] & PTE_P))
			continue;
		pd = table_behind(vcpu, root[i])->table;
		guest = (u64 *)guest_ram(vcpu->pdpte[i] & PFN_MASK, PAGE);
		for (j = 0; j < 512; j++) {
			u64 g = guest ? guest[j] : 0;

			if (!(pd[j] & PTE_P))
				continue;
			gva = i << 30 | j << 21;
			if (pd[j] & PTE_PS) {
				if (!(g & PTE_PS) || !allows(vcpu, g & ~PTE_PAT_LARGE,
							     pd[j] & ~PTE_PAT_LARGE))
					note_stale(gva, pd[j], g);
			} else if (!(g & PTE_P)) {
				note_stale(gva, pd[j], g);
			} else {
				compare_table(vcpu, gva, table_behind(vcpu, pd[j])->table, g,
					      g & PTE_PS);
			}
		}
	}
}

static u32 online_cpus(void)
{
	u32 i, n = 0;

	for (i = 0; i < nr_cpus; i++)
		n += vcpus[i]->online;
	return n;
}

static void mark_used(struct vcpu *vcpu)
{
	u32 used = vcpu->pool_used + SLACK;

	if (used > vcpu->pool_size)
		used = vcpu->pool_size;
	if (used > high_water[vcpu->id])
		high_water[vcpu->id] = used;
}

/* What the linker puts around the monitor's routines. */

struct vcpu *__real_trap_from_guest(struct regs *regs);
struct vcpu *__wrap_trap_from_guest(struct regs *regs);
struct vcpu *__real_trap_from_monitor(struct regs *regs);
struct vcpu *__wrap_trap_from_monitor(struct regs *regs);
void __real_irq_arrived(struct vcpu *vcpu, u32 vec);
void __wrap_irq_arrived(struct vcpu *vcpu, u32 vec);
void __real_irq_service(struct vcpu *vcpu, u32 vec);
void __wrap_irq_service(struct vcpu *vcpu, u32 vec);
void __real_hold_vector(struct vcpu *vcpu, u32 vec);
void __wrap_hold_vector(struct vcpu *vcpu, u32 vec);
enum fill __real_shadow_fault(struct vcpu *vcpu, u32 gva, u32 access, u32 *pfec);
enum fill __wrap_shadow_fault(struct vcpu *vcpu, u32 gva, u32 access, u32 *pfec);
void __real_shadow_flush(struct vcpu *vcpu, bool global);
void __wrap_shadow_flush(struct vcpu *vcpu, bool global);
void __real_shadow_flush_range(struct vcpu *vcpu, u32 gva, u32 pages);
void __wrap_shadow_flush_range(struct vcpu *vcpu, u32 gva, u32 pages);
void __real_dump_counters(void);
void __wrap_dump_counters(void);
void __real_stop_guest(struct vcpu *vcpu, struct regs *regs, const char *why)
	__attribute__((noreturn));
void __wrap_stop_guest(struct vcpu *vcpu, struct regs *regs, const char *why)
	__attribute__((noreturn));

struct vcpu *__wrap_trap_from_guest(struct regs *regs)
{
	struct vcpu *vcpu = this_vcpu();

	if (!ready)
		start();
	mark_used(vcpu);
	/* Before, since some ways out of it do not return here. */
	check_interrupts(vcpu);
	if (!(__atomic_add_fetch(&traps, 1, __ATOMIC_RELAXED) % EVERY_TRAPS))
		check_all(vcpu);
	__real_trap_from_guest(regs);
	mark_used(vcpu);
	return vcpu;
}

struct vcpu *__wrap_trap_from_monitor(struct regs *regs)
{
	struct vcpu *vcpu = this_vcpu();

	__real_trap_from_monitor(regs);
	if (ready && vcpu->pool)
		mark_used(vcpu);
	return vcpu;
}

void __wrap_irq_arrived(struct vcpu *vcpu, u32 vec)
{
	arrived[vcpu->id]++;
	__real_irq_arrived(vcpu, vec);
}

void __wrap_irq_service(struct vcpu *vcpu, u32 vec)
{
	delivered[vcpu->id]++;
	__real_irq_service(vcpu, vec);
}

void __wrap_hold_vector(struct vcpu *vcpu, u32 vec)
{
	merged[vcpu->id] += vcpu->held[vec / 64] >> vec % 64 & 1;
	__real_hold_vector(vcpu, vec);
}

enum fill __wrap_shadow_fault(struct vcpu *vcpu, u32 gva, u32 access, u32 *pfec)
{
	enum fill ret = __real_shadow_fault(vcpu, gva, access, pfec);

	if (ret == FILL_DONE)
		check_filled(vcpu, gva);
	return ret;
}

static void flushed(struct vcpu *vcpu)
{
	if (vcpu->vmi && (vcpu->cr0 & CR0_PG) && (vcpu->cr4 & CR4_PAE) && online_cpus() == 1 &&
	    !(++flushes % EVERY_FLUSHES))
		check_stale(vcpu);
}

void __wrap_shadow_flush(struct vcpu *vcpu, bool global)
{
	__real_shadow_flush(vcpu, global);
	flushed(vcpu);
}

void __wrap_shadow_flush_range(struct vcpu *vcpu, u32 gva, u32 pages)
{
	__real_shadow_flush_range(vcpu, gva, pages);
	flushed(vcpu);
}

void __wrap_dump_counters(void)
{
	struct vcpu *vcpu = this_vcpu();

	__real_dump_counters();
	check_all(vcpu);
	mprintf("check: %lu checks, %lu flushes, %lu stale entries, interrupts: %lu arrived, %lu delivered, %lu merged\n",
		checks, flushes, stale, arrived[vcpu->id], delivered[vcpu->id], merged[vcpu->id]);
}

/* A rule broken stands before the dump, which then does not come. */
void __wrap_stop_guest(struct vcpu *vcpu, struct regs *regs, const char *why)
{
	if (ready && vcpu->root)
		check_all(vcpu);
	__real_stop_guest(vcpu, regs, why);
}
