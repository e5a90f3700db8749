// SPDX-License-Identifier: GPL-2.0-only
/* The monitor's own linear memory, above 4 GiB, and its page allocator. */
#include "mon.h"

static u64 next_page;		/* physical, next free page of our memory */
static u64 *pml4;		/* the monitor's alone, guest's part empty */

/**
 * alloc_pages - take zeroed pages from the monitor's memory, for good
 * @n: how many, contiguous
 *
 * Return: their address, never NULL.
 */
void *alloc_pages(u32 n)
{
	u64 pa = next_page;

	if (pa + n * PAGE > boot.mon_end)
		refuse("not enough memory for the monitor");
	next_page += n * PAGE;
	memset(phys_ptr(pa), 0, n * PAGE);
	return (void *)(MON_BASE + pa - boot.mon_start);
}

u32 pages_left(void)
{
	return (boot.mon_end - next_page) / PAGE;
}

/* The entry for @lin at @level (1: 4 KB, 2: 2 MB), tables made on the way. */
static u64 *entry_for(u64 lin, int level)
{
	u64 table = mon_phys(pml4), *e;
	int l;

	for (l = 4; ; l--) {
		e = (u64 *)phys_ptr(table) + (lin >> (3 + 9 * l) & 511);
		if (l == level)
			return e;
		if (!*e)
			*e = mon_phys(alloc_pages(1)) | PTE_P | PTE_W;
		table = *e & PFN_MASK;
	}
}

/* What is not code; a processor without NX does not know the bit. */
static u64 no_exec(void)
{
	return cpu_has_nx ? PTE_NX : 0;
}

/* Data, in a large page. */
static void map_large(u64 lin, u64 pa, u64 flags)
{
	*entry_for(lin, 2) = pa | PTE_P | PTE_W | PTE_PS | PTE_A | PTE_D | PTE_G | flags |
			     no_exec();
}

/* The large page of our image: code and constants are read-only, whatever the address. */
static void map_image(u64 lin, bool code)
{
	u64 text = _text_end - _image_start, constant = _rodata_end - _image_start, off, e;

	for (off = 0; off < LARGE; off += PAGE) {
		e = (boot.mon_start + off) | PTE_P | PTE_A | PTE_D | PTE_G;
		if (off >= constant)
			e |= PTE_W;
		if (off >= text || !code)
			e |= no_exec();
		*entry_for(lin + off, 1) = e;
	}
}

/* Copy ourselves and go on in the copy: the stack moves along. */
static void move(void)
{
	void *d = phys_ptr(boot.mon_start);
	const void *s = _image_start;
	u64 n = _image_end - _image_start;

	asm volatile("rep movsb\n\tmovq %3, %%cr3"
		     : "+D" (d), "+S" (s), "+c" (n) : "r" (mon_phys(pml4)) : "memory");
}

/* Build the tables and move to our place at the top of memory. */
void paging_init(void)
{
	u64 pa, top = boot.ram_top > 1UL << 32 ? boot.ram_top : 1UL << 32;

	next_page = boot.mon_start + (u64)(_image_end - _image_start);
	pml4 = alloc_pages(1);
	map_image(MON_BASE, true);
	for (pa = boot.mon_start + LARGE; pa < boot.mon_end; pa += LARGE)
		map_large(MON_BASE + pa - boot.mon_start, pa, 0);
	for (pa = 0; pa < top; pa += LARGE)
		if (pa != boot.mon_start)
			map_large(DIRECT_BASE + pa, pa,
				  pa == (LAPIC_PAGE & ~(LARGE - 1)) ? PTE_UC : 0);
	map_image(DIRECT_BASE + boot.mon_start, false);
	entry_for(TSS_BASE, 1);
	if (cpu_has_nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NX);
	/* The loader's structures are no longer reachable from here on. */
	move();
}

u64 *monitor_pml4(void)
{
	return pml4;
}

/* A page of low memory one to one, for a processor's first instructions. */
void map_low_page(u64 pa)
{
	*entry_for(pa, 1) = pa | PTE_P | PTE_W;
}

/**
 * map_stack - a stack between pages that are not there
 * @nr: which
 *
 * Aligned to its size, so that RSP finds the vcpu: it is the first word.
 * Return: its end.
 */
u8 *map_stack(struct vcpu *vcpu, u32 nr)
{
	u64 lin = STACK_BASE + (2 * nr + 1) * STACK_SIZE, off;

	for (off = 0; off < STACK_SIZE; off += PAGE)
		*entry_for(lin + off, 1) = mon_phys(alloc_pages(1)) | PTE_P | PTE_W | PTE_A |
					   PTE_D | no_exec();
	*(struct vcpu **)lin = vcpu;
	return (u8 *)lin + STACK_SIZE;
}

/* TSS, an I/O bitmap of open ports and its end, side by side. */
void map_tss_window(struct vcpu *vcpu)
{
	static u8 *bitmap;
	u64 lin = TSS_BASE + (u64)vcpu->id * TSS_WINDOW;
	u32 i;

	if (!bitmap) {
		bitmap = alloc_pages(3);
		filter_ports(bitmap);
		memset(bitmap + 2 * PAGE, 0xff, PAGE);
	}
	*entry_for(lin, 1) = mon_phys(vcpu->tss_page) | PTE_P | PTE_W | PTE_A | PTE_D | no_exec();
	for (i = 0; i < 3; i++)
		*entry_for(lin + (1 + i) * PAGE, 1) = mon_phys(bitmap + i * PAGE) | PTE_P |
						      PTE_A | no_exec();
}

/*
 * One page of a CPU at every address of its 4 GiB: one table of each level,
 * every entry the same.  The page starts with the vcpu, as a stack does.
 */
void map_alias(struct vcpu *vcpu, void *page)
{
	u64 *pt = alloc_pages(1), *pd = alloc_pages(1);
	u64 flags = PTE_P | PTE_W | PTE_A;
	u32 i;

	*(struct vcpu **)page = vcpu;
	for (i = 0; i < 512; i++) {
		pt[i] = mon_phys(page) | flags | PTE_D | no_exec();
		pd[i] = mon_phys(pt) | flags;
	}
	for (i = 0; i < 4; i++)
		*entry_for(ALIAS_BASE + ((u64)vcpu->id << 32) + ((u64)i << 30), 3) =
			mon_phys(pd) | flags;
}

/**
 * shadow_setup - give a CPU its pool of shadow pages
 * @pages: of the monitor's memory that it may take
 */
void shadow_setup(struct vcpu *vcpu, u32 pages)
{
	u32 size = (pages - 4) * PAGE / (PAGE + sizeof(struct spage)) - 1;

	vcpu->pool = alloc_pages((size * sizeof(struct spage) + PAGE - 1) / PAGE);
	vcpu->pool_mem = alloc_pages(size);
	vcpu->pool_phys = mon_phys(vcpu->pool_mem);
	vcpu->pool_size = size;
	vcpu->pool_used = 1;
	vcpu->pml4 = alloc_pages(1);
	memcpy(vcpu->pml4, pml4, PAGE);
}
