// SPDX-License-Identifier: GPL-2.0-only
/* The monitor's ROM: calls with random registers, its shared page scribbled on. */
#include <asm/vmi/abi.h>

#include "hostile.h"

#define SHARED_SIZE	0x5000
#define JUNK		0x2fcd2fcdu	/* INT 0x2f, at any alignment */
#define LOW_LIMIT	0x400000
#define AROUND(lin)	((lin) % ARENA_SIZE & ~0xfffu), 0x1000
#define PROGRESS	4096

u32 rom_slots, rom_shared;
static u32 box_pd[1024] __aligned(4096), box_pt[1024] __aligned(4096);
static u64 box_idt[256];
static u32 wild[8];			/* registers and stack words of a call */
/* For hostile.py, which looks from outside; not in .bss, which a jump to start clears. */
volatile u32 call_number = ~0u;

extern char data_start[], guest_end[];

static struct vmi_rom_header *find_rom(void)
{
	u32 pa;

	for (pa = VMI_ROM_START; pa < VMI_ROM_END; pa += VMI_ROM_STEP)
		if (read16(pa) == VMI_ROM_SIGNATURE && read32(pa + 8) == VMI_SIGNATURE)
			return (struct vmi_rom_header *)pa;
	return NULL;
}

bool open_rom(void)
{
	struct vmi_rom_header *rom = find_rom();
	u32 eax, edx, ecx;

	if (!rom)
		return false;
	asm volatile("call *%3" : "=a" (eax), "=d" (edx), "=c" (ecx)
		     : "r" (rom->vmi_init) : "cc", "memory");
	if (eax)
		return false;
	asm volatile("call *%4" : "=a" (eax), "=d" (edx), "=c" (ecx)
		     : "a" (VMI_OP_RDMSR), "r" (rom->get_reloc) : "cc", "memory");
	rom_slots = eax - SLOT * VMI_OP_RDMSR;
	rom_shared = (u32)rom + 0x1000;
	return true;
}

u32 hypercall(u32 nr, u32 eax, u32 edx, u32 ecx)
{
	asm volatile("push $0; push $0; call *%3; add $8, %%esp"
		     : "+a" (eax), "+d" (edx), "+c" (ecx)
		     : "r" (ROM_SLOT(nr)) : "cc", "memory");
	return eax;
}

static u32 interesting(void)
{
	static const u32 edges[] = {
		0, 1, 4, 0x7f, 0xfff, 0x1000, 0xa0000, 0xc0000, 0xfee00000, 0xfee00300,
		0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffff8, 0xfffffffc, 0xfffffffe,
		0xffffffff, 0xc0000080, 0xc0000103, 0x174, 0x277, 0x1b,
	};
	u32 r = random32();

	switch (r >> 28) {
	case 0:
		return r & 0xff;
	case 1:
	case 2:
		return edges[r % ARRAY_SIZE(edges)];
	case 3:
		return mon_start + (r & 0xfffffc);
	case 4:
		return r & 0xffff;
	case 5:
		return 1u << (r & 31);
	case 6:
		return (u32)box_pd + (r & 0xfff);
	default:
		return random32();
	}
}

/*
 * The sandbox: all of the 4 GiB is one large page of JUNK, but for the guest's
 * own pages, whose code is read-only, and the ROM.  Every wild jump is a trap at once, and few
 * wild pointers hurt the guest itself.
 */
static void box_map(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(box_pd); i++)
		box_pd[i] = ARENA | PTE_PS | PTE_PWU;
	box_pd[0] = (u32)box_pt | PTE_PWU;
	for (i = 0; i < ARRAY_SIZE(box_pt); i++) {
		if (i < 0xc0 || i << 12 >= (u32)guest_end)
			box_pt[i] = ARENA | PTE_PWU;
		else
			box_pt[i] = i << 12 | (i >= 256 && i << 12 < (u32)data_start ?
					       PTE_P | PTE_U : PTE_PWU);
	}
}

static void fill(u32 from, u32 bytes)
{
	u32 *junk = (u32 *)(ARENA + from), i;

	for (i = 0; i < bytes / 4; i++)
		junk[i] = JUNK;
}

/*
 * What calls wrote there may be an endless loop.  Most write, and jump, where
 * interesting() leads, or the junk itself.
 */
static void box_mend(void)
{
	box_map();
	fill(0, 0x10000);
	fill(AROUND(-1u));
	fill(AROUND(JUNK));
	fill(AROUND(JUNK << 8 | JUNK >> 24));
}

/* @nr is slow; the shared page tells whether it is needed. */
static void set_cr(u32 nr, u32 offset, u32 value)
{
	if (read32(rom_shared + offset) != value)
		hypercall(nr, value, 0, 0);
}

static void box_enter(void)
{
	struct table_pointer idt = { sizeof(box_idt) - 1, (u32)box_idt };

	set_cr(VMI_OP_SET_CR3, SH_CR3, (u32)box_pd);
	set_cr(VMI_OP_SET_CR4, SH_CR4, CR4_PSE);
	set_cr(VMI_OP_SET_CR0, SH_CR0, 0x80010011);
	hypercall(VMI_OP_SET_GDT, (u32)&gdt_pointer, 0, 0);
	hypercall(VMI_OP_SET_IDT, (u32)&idt, 0, 0);
	hypercall(VMI_OP_SET_LDT, 0, 0, 0);
	hypercall(VMI_OP_SET_DR, 7, 0, 0);
	set_segment(TSS_SEL, (u32)&tss, sizeof(tss) - 1, SEG_TSS);
	hypercall(VMI_OP_SET_TR, TSS_SEL, 0, 0);
}

static void box_tables(void)
{
	struct table_pointer now;
	u32 i;

	hypercall(VMI_OP_GET_IDT, (u32)&now, 0, 0);
	memset(box_idt, 0, sizeof(box_idt));
	memcpy(box_idt, (void *)now.base, now.limit + 1u);
	for (i = GATE_VECTORS; i < ARRAY_SIZE(box_idt); i++)
		if (i != TRAP_VECTOR)
			box_idt[i] = box_idt[0x20];
}

static void wild_call(u32 nr, u32 on_wild_stack)
{
	static u32 target;

	target = ROM_SLOT(nr);
	if (on_wild_stack)
		asm volatile("mov %0, %%esp; jmp *%1"
			     : : "m" (wild[6]), "m" (target), "a" (wild[0]), "d" (wild[1]),
				 "c" (wild[2]), "b" (wild[3]), "S" (wild[4]), "D" (wild[5]));
	asm volatile("push %6; push %7; call *%8; add $8, %%esp"
		     : "+a" (wild[0]), "+d" (wild[1]), "+c" (wild[2]), "+b" (wild[3]),
		       "+S" (wild[4]), "+D" (wild[5])
		     : "m" (wild[6]), "m" (wild[7]), "m" (target) : "cc", "memory");
}

/* Calls that would end the guest each time get something sensible, mostly. */
static void tame(u32 nr)
{
	u32 keep = random32() & 0xffff;

	if (!keep)
		return;
	if (wild[6] < LOW_LIMIT || wild[6] > -0x1000u)
		wild[6] ^= 0x80000000;
	if (nr == VMI_OP_SET_CR0)
		wild[0] |= 1;
	if (nr == VMI_OP_SET_CR3)
		wild[0] = (u32)box_pd | (wild[0] & 0xfff);
	if (nr == VMI_OP_SET_CR4)
		wild[0] &= ~CR4_PAE;
	/* Interrupts with the vectors of exceptions stop the guest, rightly. */
	if (nr == VMI_OP_APIC_WRITE && (wild[0] & 0xf00) == 0x300)
		wild[1] |= 0x20;
}

static bool wanted(u32 nr)
{
	/* Halt and SpinWait wait, and the last words of a reboot are long. */
	return nr != VMI_OP_HALT && nr != VMI_OP_SPIN_WAIT && nr != VMI_OP_REBOOT && nr != VMI_OP_SHUTDOWN &&
	       (nr != VMI_OP_SYSEXIT || !(random32() & 0xffff));
}

/* Calls after which a trap still finds its gate, whatever they were given. */
static bool keeps_tables(u32 nr)
{
	return nr < VMI_OP_SET_GDT || (nr > VMI_OP_SET_TR && nr < VMI_OP_WRITE_GDT_ENTRY) ||
	       (nr > VMI_OP_WRITE_IDT_ENTRY && nr < VMI_OP_SET_CR0) || nr > VMI_OP_SET_CR4;
}

/* IRET finds a frame of any selectors and flags. */
static void iret_frame(void)
{
	u32 *frame = (u32 *)(ARENA + (wild[6] & 0x3fff00));

	frame[0] = JUNK;
	frame[1] = interesting() & 0xff;
	frame[2] = random32();
	frame[3] = wild[7];
	frame[4] = interesting() & 0xff;
	wild[6] = (u32)frame;
}

static void one_call(u32 seed, u32 number)
{
	u32 nr, i;

	random_seed(seed ^ number * 0x85ebca6b);
	do
		nr = random32() % HC_SLOTS;
	while (!wanted(nr));
	for (i = 0; i < ARRAY_SIZE(wild); i++)
		wild[i] = interesting();
	tame(nr);
	if (nr == HC_IRET)
		iret_frame();
	if (!(random32() & 15))
		write32(rom_shared + (random32() % SHARED_SIZE & ~3u), interesting());
	traps(wild_call, nr, nr == HC_IRET || (keeps_tables(nr) && !(random32() & 15)));
}

static bool random_calls(void)
{
	u32 i, end = option("calls", 100000), seed = option("seed", 1);
	u32 from = option("from", 0);	/* the sandbox hides the command line */

	if (!rom_slots)
		return true;
	box_tables();
	fill(0, ARENA_SIZE);
	box_mend();
	box_enter();
	for (i = from; i < end; i++) {
		call_number = i;
		if (!(i % PROGRESS)) {
			print("# calls %u\n", i);
			fill(0, ARENA_SIZE);
		}
		if (!(i % 16))
			box_mend();
		one_call(seed, i);
		box_enter();
	}
	print("# calls %u\n", end);
	return true;
}

/*
 * The ROM's IRET behind a page fault calls until this is 0.  Nobody knows the gate of
 * INT 0x80 here, so the call goes the long way.
 */
static bool fill_long(void)
{
	u32 fill;

	if (!rom_slots)
		return true;
	write32(rom_shared + SH_FILL, 1);
	hypercall(HC_FILL, 0, 0, 0);
	fill = read32(rom_shared + SH_FILL);
	write32(rom_shared + SH_FILL, 0);
	return !fill;
}

/* The shared page: every word with odd values, then whatever uses it. */
static bool shared_page(void)
{
	static const u32 values[] = { 0, 1, 0x0f, 0x10, 0x1f, 0xff, 0xffff, 0x10000, ~0u };
	u32 off, i, words[0x84 / 4];

	if (!rom_slots)
		return true;
	memcpy(words, (void *)rom_shared, sizeof(words));
	for (off = 0; off < sizeof(words); off += 4) {
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			write32(rom_shared + off, values[i]);
			hypercall(VMI_OP_FLUSH_TLB, 3, 0, 0);
			hypercall(VMI_OP_APIC_WRITE, 0xfee000b0, 0, 0);
			hypercall(VMI_OP_UPDATE_PXE, ARENA, 0, 0);
			hypercall(VMI_OP_INVAL_PAGE, ARENA, 0, 0);
			write32(rom_shared + 8, 0);
			inb(0x80);
			memcpy((void *)rom_shared, words, sizeof(words));
		}
	}
	/* The ring: any entry, and counts that run ahead of it. */
	for (i = 0; i < 4096; i++)
		write32(rom_shared + 0x1000 + 4 * i, random32());
	for (i = 0; i < 64; i++) {
		write32(rom_shared + SH_HEAD, random32());
		hypercall(VMI_OP_FLUSH_TLB, 3, 0, 0);
		write32(rom_shared + SH_HEAD, read32(rom_shared + SH_HEAD) + 4000);
		hypercall(VMI_OP_FLUSH_TLB, 3, 0, 0);
	}
	return true;
}

static void get_gdt(u32 at, u32 unused)
{
	(void)unused;
	hypercall(VMI_OP_GET_GDT, at, 0, 0);
}

/* The ROM's code is the same for all: nobody may write it. */
static void write_rom(u32 at, u32 unused)
{
	(void)unused;
	write32(at, JUNK);
}

static bool rom_writes(void)
{
	u32 at;

	if (!rom_slots)
		return true;
	for (at = rom_shared - 0x1000; at < rom_shared; at += 4)
		if (!traps(write_rom, at, 0))
			return false;
	/* Nor the monitor for us: GetGDT, GetIDT into it. */
	for (at = rom_shared - 0x1000; at < rom_shared - 8; at += 252) {
		u32 before = read32(at);

		traps(get_gdt, at, 0);
		if (read32(at) != before)
			return false;
	}
	return true;
}

/* INT 0x1f outside of the slots, and from ring 3. */
static void bare_int(u32 eax, u32 unused)
{
	(void)unused;
	asm volatile("int $0x1f" : "+a" (eax));
}

static bool elsewhere(void)
{
	return traps(bare_int, 0, 0) && seen.vector == 13;
}

static bool bad_ap_states(void)
{
	u32 *state = (u32 *)ARENA, i, j;

	if (!rom_slots)
		return true;
	for (i = 0; i < 200; i++) {
		for (j = 0; j < sizeof(struct vmi_ap_state) / 4; j++)
			state[j] = interesting();
		hypercall(VMI_OP_SET_INITIAL_AP_STATE, (u32)state, random32() & 3, 0);
		hypercall(VMI_OP_SET_INITIAL_AP_STATE, -(i & 31), 1, 0);
	}
	/* Start one with the last of them, if there is one: it stops the guest. */
	hypercall(VMI_OP_SET_INITIAL_AP_STATE, (u32)state, 1, 0);
	hypercall(VMI_OP_APIC_WRITE, 0xfee00310, 1 << 24, 0);
	hypercall(VMI_OP_APIC_WRITE, 0xfee00300, 0x4600 | 8, 0);
	delay_us(500000);	/* its dump takes a while */
	return true;
}

const struct hostile call_cases[] = {
	{ "fill_long", fill_long, LIVES },
	{ "shared_page", shared_page, EITHER },
	{ "rom_writes", rom_writes, LIVES },
	{ "elsewhere", elsewhere, LIVES },
	{ "bad_ap_states", bad_ap_states, EITHER },
	{ "random_calls", random_calls, EITHER },
	{ NULL, NULL, LIVES }
};
