// SPDX-License-Identifier: GPL-2.0-only
/* Page tables that name the monitor's memory, or lie in it, in every format. */
#include "hostile.h"

#define WINDOW		0xc0000000u	/* linear; nothing of the guest is there */
#define WINDOW_PD	(WINDOW >> 22)
#define FRAME		0x1000u
#define LARGE_PAE	0x200000u
#define LARGE_2LEVEL	0x400000u

/* Page tables of the arena, 2-level and PAE. */
static u32 *const pd = (u32 *)ARENA;
static u32 *const pt = (u32 *)(ARENA + 0x1000);
static u64 *const pdpt = (u64 *)(ARENA + 0x2000);
static u64 *const pd_low = (u64 *)(ARENA + 0x4000);
static u64 *const pd_window = (u64 *)(ARENA + 0x5000);
static u64 *const pt_pae = (u64 *)(ARENA + 0x6000);

/* The first 16 MB one to one, nothing else. */
static void paging_2level(void)
{
	u32 i;

	memset((void *)ARENA, 0, 0x10000);
	for (i = 0; i < 4; i++)
		pd[i] = i << 22 | PTE_PS | PTE_PWU;
	pd[WINDOW_PD] = (u32)pt | PTE_PWU;
	WRITE_CR(4, CR4_PSE);
	WRITE_CR(3, (u32)pd);
	WRITE_CR(0, READ_CR(0) | CR0_PG);
}

static void paging_pae(void)
{
	u32 i;

	memset((void *)ARENA, 0, 0x10000);
	for (i = 0; i < 8; i++)
		pd_low[i] = i << 21 | PTE_PS | PTE_PWU;
	pdpt[0] = (u32)pd_low | PTE_P;
	pdpt[WINDOW >> 30] = (u32)pd_window | PTE_P;
	pd_window[0] = (u32)pt_pae | PTE_PWU;
	WRITE_CR(4, CR4_PAE);
	WRITE_CR(3, (u32)pdpt);
	WRITE_CR(0, READ_CR(0) | CR0_PG);
}

/* A whole page of poison at @lin; is that what is read back? */
static bool poison_page(u32 lin)
{
	u32 i;

	for (i = 0; i < FRAME; i += 4)
		write32(lin + i, POISON);
	for (i = 0; i < FRAME; i += 4)
		if (read32(lin + i) != POISON)
			return false;
	return true;
}

/*
 * The frame at @lin is the monitor's as far as the page tables say.  Reading
 * must show what was written before, to another frame: all are one page.
 */
static bool same_scratch(u32 lin)
{
	u32 i;

	for (i = 0; i < FRAME; i += 4)
		if (read32(lin + i) != POISON)
			return false;
	return poison_page(lin);
}

/* Every frame of the monitor, through an entry of 4 or 8 bytes. */
static bool map_frames(void (*set)(u32 pa), u32 step)
{
	u32 pa, i;

	for (pa = mon_start & -step; pa < mon_end; pa += step) {
		set(pa);
		for (i = 0; i < step; i += FRAME) {
			if (pa + i < mon_start || pa + i >= mon_end)
				continue;
			if (pa + i == mon_start && !poison_page(WINDOW + i))
				return false;
			if (!same_scratch(WINDOW + i))
				return false;
		}
	}
	return true;
}

static void set_4k_2level(u32 pa)
{
	pt[0] = pa | PTE_PWU;
	invlpg(WINDOW);
}

static void set_4k_pae(u32 pa)
{
	pt_pae[0] = pa | PTE_PWU;
	invlpg(WINDOW);
}

static void set_large_2level(u32 pa)
{
	pd[WINDOW_PD] = pa | PTE_PS | PTE_PWU;
	WRITE_CR(3, (u32)pd);
	if (rom_slots)
		WRITE_CR(4, READ_CR(4) ^ CR4_PGE);	/* forgets everything */
}

static void set_large_pae(u32 pa)
{
	pd_window[0] = pa | PTE_PS | PTE_PWU;
	invlpg(WINDOW);
}

static bool map_4k_2level(void)
{
	paging_2level();
	return map_frames(set_4k_2level, FRAME);
}

static bool map_4k_pae(void)
{
	paging_pae();
	return map_frames(set_4k_pae, FRAME);
}

static bool map_4m(void)
{
	paging_2level();
	return map_frames(set_large_2level, LARGE_2LEVEL);
}

static bool map_2m(void)
{
	paging_pae();
	return map_frames(set_large_pae, LARGE_PAE);
}

static bool paging_off(void)
{
	u32 pa;

	if (!poison_page(mon_start))
		return false;
	for (pa = mon_start; pa < mon_end; pa += FRAME)
		if (!same_scratch(pa))
			return false;
	return true;
}

/* Neighbours of a touched entry are filled with it, some of them ours. */
static bool map_around(void)
{
	u32 i, j;

	paging_pae();
	for (i = 0; i < 512; i++)
		pt_pae[i] = (mon_start - LARGE_PAE / 2 + i * FRAME) | PTE_PWU | PTE_AD;
	invlpg(WINDOW);
	if (!poison_page(WINDOW + 256 * FRAME))
		return false;
	for (i = 256; i < 512; i++)
		if (!same_scratch(WINDOW + i * FRAME))
			return false;
	/* Under the monitor's beginning the guest's own memory is as it was. */
	for (i = 0; i < 256; i++)
		for (j = 0; j < FRAME; j += 4)
			if (read32(WINDOW + i * FRAME + j) == POISON)
				return false;
	return true;
}

static void read_at(u32 lin, u32 unused)
{
	(void)unused;
	read32(lin);
}

static void write_at(u32 lin, u32 value)
{
	write32(lin, value);
}

/* Page tables inside the monitor: nothing may be mapped by them. */
static bool tables_2level(void)
{
	u32 pa;

	paging_2level();
	for (pa = mon_start; pa < mon_end; pa += FRAME) {
		pd[WINDOW_PD] = pa | PTE_PWU;
		invlpg(WINDOW);
		if (!traps(read_at, WINDOW, 0) || seen.vector != 14)
			return false;
	}
	return true;
}

static bool tables_pae(void)
{
	u32 pa;

	paging_pae();
	for (pa = mon_start; pa < mon_end; pa += FRAME) {
		pd_window[1] = pa | PTE_PWU;
		invlpg(WINDOW + LARGE_PAE);
		if (!traps(read_at, WINDOW + LARGE_PAE, 0) || seen.vector != 14)
			return false;
	}
	return true;
}

static bool directories_pae(void)
{
	u32 pa;

	paging_pae();
	for (pa = mon_start; pa < mon_end; pa += FRAME) {
		pdpt[2] = pa | PTE_P;
		WRITE_CR(3, (u32)pdpt);
		if (!traps(read_at, 2u << 30, 0) || seen.vector != 14)
			return false;
	}
	return true;
}

/* Tables in device memory, in the ROM, in nothing, and in themselves. */
static bool tables_odd(void)
{
	static const u32 places[] = {
		0xfee00000, 0xfec00000, 0xfed00000, 0xa0000, 0xb8000, 0xc0000, 0xe0000,
		0xfffff000, 0x80000000, 0xf0000000,
	};
	u32 i;

	paging_2level();
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		pd[WINDOW_PD] = places[i] | PTE_PWU;
		invlpg(WINDOW);
		if (!traps(read_at, WINDOW, 0))
			return false;
	}
	pd[WINDOW_PD] = (u32)pd | PTE_PWU;
	invlpg(WINDOW + 4 * WINDOW_PD);
	return read32(WINDOW + WINDOW_PD * 0x1000 + 4 * WINDOW_PD) >> 12 == (u32)pd >> 12;
}

/* Frame numbers that no machine has, and bits that must be 0. */
static bool reserved_bits(void)
{
	u32 bit;

	paging_pae();
	for (bit = 32; bit < 64; bit++) {
		pt_pae[0] = 1ull << bit | mon_start | PTE_PWU;
		invlpg(WINDOW);
		traps(read_at, WINDOW, 0);
		pd_window[0] = 1ull << bit | mon_start | PTE_PS | PTE_PWU;
		invlpg(WINDOW);
		traps(read_at, WINDOW, 0);
		pd_window[0] = (u32)pt_pae | PTE_PWU;
	}
	return true;
}

/* 36 bits of address in 32-bit entries of large pages. */
static bool pse36(void)
{
	u32 high;

	paging_2level();
	for (high = 0; high < 0x200; high++) {
		pd[WINDOW_PD] = (mon_start & 0xffc00000) | high << 13 | PTE_PS | PTE_PWU;
		WRITE_CR(4, READ_CR(4) ^ CR4_PGE);
		traps(read_at, WINDOW, 0);
	}
	return true;
}

static void enter_ring3(u32 ip, u32 sp)
{
	asm volatile("push %0; push %1; push $0x202; push %2; push %3; iret"
		     : : "i" (USER_DS), "r" (sp), "i" (USER_CS), "r" (ip));
}

/* A program that stores where its stack pointer is. */
extern char ring3_store[];
asm(".pushsection .text; ring3_store: movl $0, (%esp); int $0x2f; .popsection");

/* Without WP the kernel writes where a directory entry says read-only. */
static bool wp_directory(void)
{
	paging_2level();
	pt[0] = (u32)pt | PTE_PWU;
	pd[WINDOW_PD] = (u32)pt | PTE_P | PTE_U;
	invlpg(WINDOW);
	WRITE_CR(0, READ_CR(0) & ~CR0_WP);
	write32(WINDOW + 0x800, POISON);
	/* The same by the monitor's own hand. */
	asm volatile("sgdt %0; smsw %0" : : "m" (*(u32 *)(WINDOW + 0x804)) : "memory");
	if (rom_slots)
		hypercall(7, WINDOW + 0x804, 0, 0);
	/* But no program. */
	if (!traps(enter_ring3, (u32)ring3_store, WINDOW + 0x800) || seen.vector != 14)
		return false;
	WRITE_CR(0, READ_CR(0) | CR0_WP);
	return pt[0x200] == POISON && traps(write_at, WINDOW, 0);
}

/* A program without paging is legal, and its pages are user pages then. */
static bool ring3_paging_off(void)
{
	return traps(enter_ring3, (u32)landing, ARENA + 0x8000) &&
	       seen.vector == LANDING_VECTOR && (seen.cs & 3) == 3;
}

static bool ring3_kernel_page(void)
{
	paging_2level();
	pd[0] = 0 | PTE_PS | PTE_P | PTE_W;
	WRITE_CR(4, READ_CR(4) ^ CR4_PGE);
	return traps(enter_ring3, (u32)landing, ARENA + 0x8000) && seen.vector == 14;
}

/* The local APIC, by every alias; the messages next to it are not for CPUs. */
static bool apic_aliases(void)
{
	u32 i;

	paging_pae();
	pt_pae[0] = LAPIC | PTE_PWU | PTE_AD;
	read32(WINDOW + 0x20);
	for (i = 1; i < 256; i++)
		pt_pae[i] = (LAPIC + i * FRAME) | PTE_PWU;
	for (i = 0; i < 4; i++)
		write32(WINDOW + 0x300, 0x000c4500 + 0x100 * i);	/* all but me */
	write32(WINDOW, 0x4500);
	write32(WINDOW + 0x10, 0x4500);
	for (i = 1; i < 256; i++)
		write32(WINDOW + i * FRAME, 0x4500);	/* a message: INIT */
	delay_us(1000);
	return true;
}

static bool root_2level(void)
{
	paging_2level();
	WRITE_CR(3, mon_start);
	return true;
}

static bool root_pae(void)
{
	paging_pae();
	WRITE_CR(3, mon_start + 0x1000);
	return true;
}

static bool root_device(void)
{
	paging_2level();
	WRITE_CR(3, LAPIC);
	return true;
}

/* Code where the monitor is: what runs is what the guest wrote there itself. */
static void jump_to(u32 ip, u32 unused)
{
	(void)unused;
	asm volatile("jmp *%0" : : "r" (ip));
}

static bool code_in_monitor(void)
{
	u32 i, pa;

	for (i = 0; i < FRAME; i += 4)
		write32(mon_start + i, 0x2fcd2fcd);	/* INT 0x2f, twice */
	for (pa = mon_start; pa < mon_end; pa += FRAME)
		if (!traps(jump_to, pa, 0) || seen.vector != LANDING_VECTOR ||
		    seen.eip != pa + 2 || (seen.cs & 3) != 1)
			return false;
	return true;
}

/* Faults whose handler is not mapped, until the stack is not either. */
static bool handler_unmapped(void)
{
	static u64 idt[32];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(idt); i++)
		idt[i] = (u64)((WINDOW + LARGE_2LEVEL) | 0x8e00) << 32 | KERNEL_CS << 16;
	paging_2level();
	lidt(sizeof(idt) - 1, (u32)idt);
	asm volatile("ud2");
	return true;
}

const struct hostile paging_cases[] = {
	{ "map_4k_2level", map_4k_2level, LIVES },
	{ "map_4k_pae", map_4k_pae, LIVES },
	{ "map_4m", map_4m, LIVES },
	{ "map_2m", map_2m, LIVES },
	{ "map_around", map_around, LIVES },
	{ "paging_off", paging_off, LIVES },
	{ "tables_2level", tables_2level, LIVES },
	{ "tables_pae", tables_pae, LIVES },
	{ "directories_pae", directories_pae, LIVES },
	{ "tables_odd", tables_odd, LIVES },
	{ "reserved_bits", reserved_bits, LIVES },
	{ "pse36", pse36, EITHER },
	{ "wp_directory", wp_directory, LIVES },
	{ "ring3_paging_off", ring3_paging_off, LIVES },
	{ "ring3_kernel_page", ring3_kernel_page, LIVES },
	{ "apic_aliases", apic_aliases, LIVES },
	{ "handler_unmapped", handler_unmapped, STOPS },
	{ "root_2level", root_2level, STOPS },
	{ "root_pae", root_pae, STOPS },
	{ "root_device", root_device, STOPS },
	{ "code_in_monitor", code_in_monitor, LIVES },
	{ NULL, NULL, LIVES }
};
