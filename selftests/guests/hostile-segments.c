// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors, gates, selectors, far transfers; tables in odd places. */
#include "hostile.h"

#define SPARE		0x60		/* selector of the slot under attack */
#define TABLE_LEN	8192
#define CALL_GATE	0xfff0		/* those that the ROM may use */
#define FILL_GATE	0xffc0
#define SHORT_GATE	0xffb0
#define MONITORS_CS	0xffa0
#define OLD_SEGMENTS	0xff80		/* CS and SS from before an LGDT, two slots */
#define DESC_P		0x8000u
#define DESC_S		0x1000u
#define FLAGS_L		0x200000u
#define FLAGS_D		0x400000u
#define FLAGS_G		0x800000u

static u64 wild_gdt[TABLE_LEN] __aligned(4096);
static u64 wild_ldt[64] __aligned(4096);

static void wild_table(u16 limit)
{
	memset(wild_gdt, 0, sizeof(wild_gdt));
	memcpy(wild_gdt, gdt, GDT_SIZE);
	lgdt(limit, (u32)wild_gdt);
}

/* Far transfers to @sel, each from a stack of its own frame. */
static void far_jump(u32 sel, u32 off)
{
	struct { u32 off; u16 sel; } __packed to = { off, sel };

	asm volatile("ljmp *%0" : : "m" (to));
}

static void far_call(u32 sel, u32 off)
{
	struct { u32 off; u16 sel; } __packed to = { off, sel };

	asm volatile("lcall *%0" : : "m" (to));
}

static void far_ret(u32 sel, u32 off)
{
	asm volatile("push %2; push %1; push %0; push %1; lret"
		     : : "r" (sel), "r" (off), "i" (USER_DS) : "memory");
}

static void iret_to(u32 sel, u32 off)
{
	asm volatile("push %2; push %1; push $2; push %0; push %1; iret"
		     : : "r" (sel), "r" (off), "i" (USER_DS) : "memory");
}

/* A trap at once: what C code does with such segments is not of interest. */
#define LOAD(reg) \
static void load_##reg(u32 sel, u32 unused) \
{ (void)unused; asm volatile("mov %0, %%" #reg "; int $0x2f" : : "r" (sel) : "memory"); }
LOAD(ds)
LOAD(es)
LOAD(fs)
LOAD(gs)
LOAD(ss)

static void do_lldt(u32 sel, u32 unused)
{
	(void)unused;
	asm volatile("lldt %w0" : : "r" (sel));
}

static void do_ltr(u32 sel, u32 unused)
{
	(void)unused;
	asm volatile("ltr %w0" : : "r" (sel));
}

static const attempt_fn transfers[] = { far_jump, far_call, far_ret, iret_to };
static const attempt_fn loads[] = {
	load_ds, load_es, load_fs, load_gs, load_ss, do_lldt, do_ltr,
};

/* Where a transfer arrived, if it did: rings 1 to 3, 16 or 32 bits. */
static bool arrival_ok(bool trapped)
{
	if (!trapped || seen.vector != LANDING_VECTOR)
		return true;
	return (seen.cs & 3) && (seen.eax & 0xffff) == 1;
}

/* Nothing of a stack in it is where our trap's code looks: beyond 64 KB. */
static bool no_stack(u64 desc)
{
	return option("limits", 0) && (desc >> 40 & 0x1c) == 0x14 && !(desc >> 54 & 1);
}

/* All attempts on the descriptor @desc behind @sel, with each privilege it may ask. */
static bool attack(u32 sel, u64 desc)
{
	u32 rpl, i;

	for (rpl = 0; rpl < 4; rpl++) {
		for (i = 0; i < ARRAY_SIZE(transfers); i++)
			if (!arrival_ok(traps(transfers[i], sel | rpl, (u32)landing)))
				return false;
		for (i = 0; i < ARRAY_SIZE(loads); i++)
			if (loads[i] != load_ss || !no_stack(desc))
				traps(loads[i], sel | rpl, 0);
	}
	return true;
}

/* Every type, privilege and width; gates lead to the monitor's own selectors. */
static u64 descriptor(u32 n)
{
	static const u32 widths[] = { 0, FLAGS_D, FLAGS_L, FLAGS_D | FLAGS_L };
	u32 high = (n & 0x1f) << 8 | DESC_P | (n >> 5 & 3) << 13;
	u32 target = (u32)landing, limit = 0xfffff;

	/* Data that expands down has all that is above its limit. */
	if ((n & 0x1c) == 0x14)
		limit = 0;
	if (high & DESC_S || (n & 7) < 4)
		return (u64)(high | (limit & 0xf0000) | FLAGS_G | widths[n >> 7 & 3]) << 32 |
		       (limit & 0xffff);
	return (u64)(high | (target & 0xffff0000)) << 32 | (n & 0x80 ? MONITORS_CS : 8u) << 16 |
	       (target & 0xffff);
}

static bool all_in_gdt(void)
{
	u32 n;

	for (n = 0; n < 512; n++) {
		wild_table(0xff);
		wild_gdt[SPARE / 8] = descriptor(n);
		lgdt(0xff, (u32)wild_gdt);
		if (!attack(SPARE, descriptor(n)))
			return false;
		home_state();
	}
	return true;
}

static bool all_in_ldt(void)
{
	u32 n;

	for (n = 0; n < 512; n++) {
		wild_table(0xff);
		wild_gdt[LDT_SEL / 8] = (u64)((u32)wild_ldt >> 16 & 0xff) << 32 |
			(u64)((u32)wild_ldt & 0xff000000) << 32 |
			(u64)SEG_LDT << 32 | (u64)((u32)wild_ldt & 0xffff) << 16 | 0x1ff;
		wild_ldt[4] = descriptor(n);
		lgdt(0xff, (u32)wild_gdt);
		asm volatile("lldt %w0" : : "r" (LDT_SEL));
		if (!attack(4 * 8 | 4, descriptor(n)))
			return false;
		home_state();
	}
	return true;
}

/* Every selector there is, most of them beyond the table or the monitor's. */
static bool all_selectors(void)
{
	u32 sel, i;

	for (sel = 0; sel < 0x10000; sel += sel < 0xfe00 && sel > 0x200 ? 61 : 1) {
		if ((sel & 0xfff8) == LDT_SEL)
			continue;
		for (i = 0; i < ARRAY_SIZE(transfers); i++)
			if (!arrival_ok(traps(transfers[i], sel, (u32)landing)))
				return false;
		for (i = 0; i < 5; i++) {
			traps(loads[i], sel, 0);
			/* Beyond the guest's table only null may load. */
			if (seen.vector == LANDING_VECTOR && (sel & 0xfff8) >= GDT_SIZE &&
			    (sel & 0xfff0) != OLD_SEGMENTS)
				return false;
		}
	}
	return true;
}

/* What LAR, LSL and VERR tell of the monitor's descriptors: nothing. */
static bool looks(void)
{
	u32 sel, out;
	u8 zf;

	for (sel = 0xff90; sel < CALL_GATE; sel += 8) {
		if (sel == FILL_GATE || sel == SHORT_GATE)
			continue;
		asm volatile("lar %2, %1; setz %0" : "=q" (zf), "=r" (out) : "r" (sel));
		if (zf)
			return false;
		asm volatile("lsl %2, %1; setz %0" : "=q" (zf), "=r" (out) : "r" (sel));
		if (zf)
			return false;
		asm volatile("verr %w1; setz %0" : "=q" (zf) : "r" (sel));
		if (zf)
			return false;
	}
	return true;
}

static void do_lgdt(u32 limit, u32 base)
{
	lgdt(limit, base);
	/* A table that could be read is in force now: the good one again. */
	asm volatile("lgdt %0" : : "m" (gdt_pointer));
}

static void lgdt_at(u32 lin, u32 unused)
{
	(void)unused;
	asm volatile("lgdt (%0)" : : "r" (lin));
}

static const u32 odd_places[] = {
	0, 1, 0x9ffff, 0xfee00000, 0xfec00000, 0xfffffff0, 0xfffffff8, 0xfffffffd,
	0xffffffff, 0xffff0000, 0x80000000, 0x7fffffff, 0xfffffffa, 0xfffffffb,
};

/* Tables that wrap around 4 GiB, are devices, or the monitor's memory. */
static bool gdt_places(void)
{
	static const u16 limits[] = { 0, 7, 0x57, 0x5f, 0xff, 0xfff, 0xfffe, 0xffff };
	u32 i, j;

	for (j = 0; j < ARRAY_SIZE(limits); j++) {
		for (i = 0; i < ARRAY_SIZE(odd_places); i++)
			traps(do_lgdt, limits[j], odd_places[i]);
		traps(do_lgdt, limits[j], mon_start);
		traps(do_lgdt, limits[j], mon_end - 4);
	}
	for (i = 0; i < ARRAY_SIZE(odd_places); i++) {
		traps(lgdt_at, odd_places[i], 0);
		asm volatile("lgdt %0" : : "m" (gdt_pointer));
	}
	return true;
}

/* All 8192 entries filled: the guest's end where the monitor's begin. */
static bool gdt_full(void)
{
	u32 i, sel;

	wild_table(0xffff);
	for (i = GDT_SIZE / 8; i < TABLE_LEN; i++)
		wild_gdt[i] = 0x00cf9b000000ffff;
	lgdt(0xffff, (u32)wild_gdt);
	for (sel = 0xfd00; sel < 0x10000; sel += 8)
		if (!arrival_ok(traps(far_jump, sel, (u32)landing)))
			return false;
	if (rom_slots)		/* WriteGDTEntry; the high word comes from the stack */
		for (i = 0; i < TABLE_LEN; i += i < 8000 ? 97 : 1)
			hypercall(11, (u32)wild_gdt, i, 0x0000ffff);
	return true;
}

static void set_system(u32 slot, u32 base, u32 limit, u32 type)
{
	wild_gdt[slot / 8] = (u64)((base & 0xff000000) | (base >> 16 & 0xff) |
				   (limit & 0xf0000) | DESC_P | type << 8) << 32 |
			     (u64)(base & 0xffff) << 16 | (limit & 0xffff);
}

/* LDT and TSS descriptors with wild bases and limits. */
static bool ldt_tss_places(void)
{
	static const u32 limits[] = { 0, 1, 7, 0x67, 0xffff, 0xfffff };
	u32 i, j, type;

	for (j = 0; j < ARRAY_SIZE(limits); j++) {
		for (i = 0; i < ARRAY_SIZE(odd_places) + 2; i++) {
			u32 base = i < ARRAY_SIZE(odd_places) ? odd_places[i] :
				   i & 1 ? mon_start : mon_end - 0x20;

			for (type = 0; type < 16; type++) {
				wild_table(0xff);
				set_system(SPARE, base, limits[j], type);
				lgdt(0xff, (u32)wild_gdt);
				traps(do_lldt, SPARE, 0);
				traps(far_jump, 0x14, (u32)landing);
				asm volatile("lldt %w0" : : "r" (0));
				traps(do_ltr, SPARE, 0);
			}
		}
	}
	return true;
}

/* IRET frames: selectors, flags and stacks at random, by both ways. */
static void random_iret(u32 stack, u32 slow)
{
	if (slow && rom_slots)
		asm volatile("mov %0, %%esp; jmp *%1" : : "r" (stack),
			     "r" (ROM_SLOT(HC_IRET)));
	asm volatile("mov %0, %%esp; iret" : : "r" (stack));
}

static bool iret_frames(void)
{
	static const u32 sels[] = {
		0, KERNEL_CS, KERNEL_CS | 1, KERNEL_CS | 2, USER_CS, USER_DS, KERNEL_DS | 1,
		TSS_SEL, MONITORS_CS, MONITORS_CS | 1, MONITORS_CS | 3,
		0xffc0, 0xffc1, 0xffc3, 0xff80, 0xff81, 0xff89, 0x14, 0x17,
	};
	u32 *frame = (u32 *)(ARENA + 0x9000), i;

	random_seed(option("seed", 1));
	for (i = 0; i < option("irets", 4000); i++) {
		frame[0] = (u32)landing;
		frame[1] = sels[random32() % ARRAY_SIZE(sels)];
		/* VM stops the guest, TF and AC only help. */
		frame[2] = random32() & ~0x20000;
		frame[3] = ARENA + 0x8000;
		frame[4] = sels[random32() % ARRAY_SIZE(sels)];
		if (!traps(random_iret, (u32)frame, i & 1))
			return false;
		if (!(seen.cs & 3))
			return false;
	}
	return true;
}

static bool iret_vm86(void)
{
	u32 *frame = (u32 *)(ARENA + 0x9000);

	frame[0] = (u32)landing;
	frame[1] = KERNEL_CS;
	frame[2] = 0x20002;
	frame[3] = ARENA + 0x8000;
	frame[4] = KERNEL_DS;
	if (rom_slots)
		traps(random_iret, (u32)frame, 1);
	else
		traps(random_iret, (u32)frame, 0);
	return true;
}

/* Where the kernel's code would go on is beyond its segment's limit. */
static bool code_limit(void)
{
	wild_table(0xff);
	wild_gdt[SPARE / 8] = 0x00409b0000000000;	/* one byte */
	lgdt(0xff, (u32)wild_gdt);
	traps(far_jump, SPARE, 0x1000);
	return true;
}

const struct hostile segment_cases[] = {
	{ "all_in_gdt", all_in_gdt, LIVES },
	{ "all_in_ldt", all_in_ldt, LIVES },
	{ "all_selectors", all_selectors, LIVES },
	{ "looks", looks, LIVES },
	{ "gdt_places", gdt_places, EITHER },
	{ "gdt_full", gdt_full, LIVES },
	{ "ldt_tss_places", ldt_tss_places, LIVES },
	{ "iret_frames", iret_frames, LIVES },
	{ "iret_vm86", iret_vm86, EITHER },
	{ "code_limit", code_limit, EITHER },
	{ NULL, NULL, LIVES }
};
