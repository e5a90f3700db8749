// SPDX-License-Identifier: GPL-2.0-only
/*
 * An entry of a page table that another CPU changes again and again: does the shadows' code
 * let the guest run in between?  Here it changes whenever it is to be marked, for the files
 * of the ring-1 core and the monitor.  And page tables whose frames have one hash: are chains
 * of them short enough to walk with interrupts closed?  And full rings of many CPUs?
 * Prints KTAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUZZ_BITS	0x200		/* of those that are the guest's */
#define ROOT		0x10000
#define PD		0x11000
#define PT		0x12000
#define PAGE_AT		0x13000

static bool restless(struct vcpu *vcpu, u64 gpa);
#define may_mark restless

#include "../../arch/i386/ring1/walk.c"
#include "../../arch/i386/ring1/shadow.c"

u8 machine[0x20000] __attribute__((aligned(4096)));
static u8 pool_mem[16 * PAGE] __attribute__((aligned(4096)));
static struct spage pool[16];
static u64 pml4[512] __attribute__((aligned(4096)));

struct boot_info boot;
struct vcpu *vcpus[MAX_CPUS];
u32 nr_cpus = 1;
u64 reserved_bits;
bool cpu_has_nx = true;
struct rom rom;
struct extable_entry *_extable_start, *_extable_end;

static struct vcpu v;
static u32 left;	/* changes that are still to come */

void invlpg(u64 gva)
{
}

void write_cr3(u64 val)
{
}

/* Between the walk's look at an entry and its mark. */
static bool restless(struct vcpu *vcpu, u64 gpa)
{
	if (left && gpa == PT) {
		*(u64 *)(machine + PT) ^= FUZZ_BITS;
		left--;
	}
	return true;
}

static void prepare(u32 changes)
{
	*(u64 *)(machine + ROOT) = PD | PTE_P;
	*(u64 *)(machine + PD) = PT | PTE_P | PTE_W | PTE_U | PTE_A;
	*(u64 *)(machine + PT) = PAGE_AT | PTE_P | PTE_W | PTE_U;
	left = changes;
	shadow_reset(&v);
}

static u32 n, bad;

static void result(bool ok, const char *name)
{
	printf("%sok %u %s\n", ok ? "" : "not ", ++n, name);
	fflush(stdout);
	bad += !ok;
}

static bool filled(void)
{
	u64 e = v.root->table[0];

	e = e & PTE_P ? table_virt(e & PFN_MASK)[0] : 0;
	e = e & PTE_P ? table_virt(e & PFN_MASK)[0] : 0;
	return e & PTE_P;
}

/* Page tables in frames that the hash cannot tell apart, as a guest may choose them. */
static u32 longest_chain(void)
{
	static struct spage many[1024];
	u32 i, j, longest = 0;
	struct spage *s;

	v.pool = many;
	v.pool_mem = aligned_alloc(PAGE, sizeof(many) / sizeof(*many) * PAGE);
	v.pool_phys = mon_phys(v.pool_mem);
	v.pool_size = sizeof(many) / sizeof(*many);
	v.pool_used = v.nr_pages = 0;
	v.free_pages = v.used_pages = NULL;
	shadow_reset(&v);
	for (i = 0; i < 1000; i++) {
		while (!find_or_make(&v, KEY(R_PT, 0, i << 10 | i)))
			;
		for (j = 0, s = v.hash[bucket(KEY(R_PT, 0, 0))]; s; s = s->next)
			j++;
		longest = j > longest ? j : longest;
	}
	printf("# the longest chain: %u\n", longest);
	return longest;
}

/* Each CPU's ring is nearly full: all is forgotten, once, instead of 64 rings read. */
static bool many_rings(void)
{
	u32 c, head = RING_SIZE - 100, resets = v.count[C_SHADOW_RESET];
	static struct vcpu others[MAX_CPUS];
	bool all = true;

	nr_cpus = MAX_CPUS;
	for (c = 0; c < MAX_CPUS; c++) {
		if (c)
			vcpus[c] = &others[c];
		vcpus[c]->vmi_page = (struct shared *)calloc(SH_PAGES, PAGE);
		vcpus[c]->vmi_page->head = head;
	}
	shadow_sync(&v);
	for (c = 0; c < MAX_CPUS; c++)
		all = all && v.ring_seen[c] == head;
	nr_cpus = 1;
	return all && v.count[C_SHADOW_RESET] == resets + 1;
}

int main(void)
{
	u32 pfec;

	printf("KTAP version 1\n1..5\n");
	fflush(stdout);
	alarm(10);			/* it hangs: no result */
	boot.mon_start = 1UL << 40;
	boot.mon_end = boot.mon_start + PAGE;
	boot.map[0] = (struct range){ 0, sizeof(machine), 1 };
	boot.nr_map = 1;
	vcpus[0] = &v;
	v.vmi_page = (struct shared *)calloc(SH_PAGES, PAGE);
	v.sh = v.vmi_page;
	v.pml4 = pml4;
	v.pool = pool;
	v.pool_mem = pool_mem;
	v.pool_phys = mon_phys(pool_mem);
	v.pool_used = 1;
	v.pool_size = 16;
	v.cr0 = CR0_PE | CR0_PG | CR0_WP;
	v.cr4 = CR4_PAE;
	v.cr3 = ROOT;
	set_efer(&v, EFER_NX);
	prepare(3);
	result(shadow_fault(&v, 0, ACC_WRITE, &pfec) == FILL_DONE && filled(),
	       "an entry that changes a few times is there in the end");
	prepare(-1u);
	result(shadow_fault(&v, 0, ACC_WRITE, &pfec) == FILL_DONE && !filled(),
	       "one that does not stand still lets the guest run");
	left = 0;
	result(shadow_fault(&v, 0, ACC_WRITE, &pfec) == FILL_DONE && filled(),
	       "and is there once it does");
	result(many_rings(), "full rings of 64 CPUs");
	result(longest_chain() < 100, "page tables in frames of one hash");
	return bad;
}
