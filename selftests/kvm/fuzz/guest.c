// SPDX-License-Identifier: GPL-2.0-only
/* What is in the guest's memory: tables, random programs, and random changes of both. */
#include <string.h>
#include "fuzz.h"

extern u8 guest_boot[], guest_boot_end[], guest_handler[], guest_handler_end[];

u64 rnd(struct thread *t)
{
	t->random ^= t->random >> 12;
	t->random ^= t->random << 25;
	t->random ^= t->random >> 27;
	return t->random * 0x2545f4914f6cdd1d;
}

u32 pick(struct thread *t, u32 n)
{
	return (rnd(t) >> 32) % n;
}

bool one_in(struct thread *t, u32 n)
{
	return !pick(t, n);
}

static u32 address(struct thread *t)
{
	static const u32 at[] = {
		GDT, IDT, TSS, LDT, PD2, PT2, PDPT, PDPAE, PTPAE, BOOT, HANDLER, PROGRAM,
		STACK - 64, USER_STACK - 64, DATA, ROM, ROM + 0x1000, ROM + 0x2000, 0,
		0xa0000, 0xe0000, MEMORY - 8, MEMORY, 0xfee00000, 0xfec00000, 0xfffff000,
		0xfffffff8, 0x80000000, 0xc0000000, 0x7ffffffc,
	};
	u32 base = at[pick(t, sizeof(at) / sizeof(*at))];

	switch (pick(t, 5)) {
	case 0:
		return rnd(t);
	case 1:
		return base;
	case 2:
		return base + pick(t, 64) * 8;
	case 3:
		return base + pick(t, 0x1000);
	default:
		return DATA + pick(t, 0x4000);
	}
}

u16 selector(struct thread *t)
{
	switch (pick(t, 8)) {
	case 0:
		return rnd(t);
	case 1:
		return pick(t, 4);
	case 2:
		return pick(t, LDT_NR) * 8 | 4 | pick(t, 4);
	case 3:		/* what the module has of its own */
		return (8160 + pick(t, 32)) * 8 | pick(t, 4);
	case 4:
		return one_in(t, 2) ? SEL_USER_DATA : SEL_DATA;
	default:
		return pick(t, GDT_NR) * 8 | pick(t, 4);
	}
}

/* A value of some meaning somewhere. */
u64 value(struct thread *t)
{
	switch (pick(t, 10)) {
	case 0:
		return rnd(t);
	case 1:
		return (u32)rnd(t);
	case 2:
		return 1ULL << pick(t, 64);
	case 3:
		return ~(1ULL << pick(t, 64));
	case 4:
		return -(u64)pick(t, 16);
	case 5:
		return pick(t, 256);
	case 6:
		return selector(t);
	case 7:
		return (u64)pick(t, 0x1000) << 12 | pick(t, 0x1000);
	default:
		return address(t);
	}
}

/* What the ROM offers; before it answered, a part of it. */
u32 op_address(struct thread *t)
{
	u32 at, ops = OPS + pick(t, OPS_NR) * 8;

	memcpy(&at, t->vm->memory + ops, 4);
	return at && t->vm->memory[ops + 4] ? at : ROM + 0x300 + pick(t, 0x700);
}

static u64 descriptor(u32 base, u32 limit, u32 access)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(access & 0xf0ff) << 40 |
	       (u64)(limit & 0xf0000) << 32 | (u64)(base & 0xff000000) << 32;
}

static u64 random_descriptor(struct thread *t)
{
	u64 d = rnd(t);

	if (one_in(t, 4))
		return d;
	/* Flat, of whatever type, and mostly present. */
	d = 0x00cf00000000ffff | (d & 0x00f07f0000000000);
	return one_in(t, 4) ? d : d | 1ULL << 47;
}

static u64 random_entry(struct thread *t)
{
	u64 frame = one_in(t, 2) ? (u64)pick(t, MEMORY >> 12) << 12 : address(t) & ~0xfffu;
	u64 e = frame | (rnd(t) & 0x1ff) | 1;

	if (one_in(t, 4))
		e |= 7;
	if (one_in(t, 8))
		e |= 1ULL << (32 + pick(t, 32));
	return one_in(t, 8) ? rnd(t) : e;
}

/* A few bytes of memory, most often of a table. */
void poke(struct thread *t)
{
	u32 at, n = one_in(t, 8) ? 1 + pick(t, 16) : 1;
	u64 v;

	while (n--) {
		switch (pick(t, 10)) {
		case 0:
			at = GDT + pick(t, GDT_NR) * 8;
			v = random_descriptor(t);
			break;
		case 1:
			at = LDT + pick(t, LDT_NR) * 8;
			v = random_descriptor(t);
			break;
		case 2:
			at = IDT + pick(t, 256) * 8;
			v = random_descriptor(t);
			break;
		case 3:
		case 4:
			at = TABLES + pick(t, (TABLES_END - TABLES) / 4) * 4;
			v = random_entry(t);
			break;
		case 5:
			at = STACK - 4 - pick(t, 32) * 4;
			v = value(t);
			break;
		case 6:
			at = ROM + pick(t, ROM_SIZE - 8);
			v = value(t);
			break;
		case 7:
			at = SAVED + pick(t, VCPUS) * 256 + pick(t, 16) * 4;
			v = one_in(t, 2) ? pick(t, 2) : value(t);
			break;
		default:
			at = pick(t, MEMORY - 8);
			v = value(t);
		}
		memcpy(t->vm->memory + at, &v, one_in(t, 4) ? 4 : 8);
	}
}

/*
 * Instructions.  S: a selector, A: an address, V: a value, X: a random byte, O: an
 * address of the ROM's; all else is hexadecimal.
 */
static const char * const insns[] = {
	"b8V", "b9V", "baV", "bbV", "bdV", "beA", "bfA", "b8A",
	"66b8S8ed8", "66b8S8ec0", "66b8S8ee0", "66b8S8ee8", "66b8S8ed0",
	"cdX", "cd80", "cd1f", "cc", "ce", "f1", "0f0b",
	"0f05", "0f34", "0f35", "0f07", "fa", "fb", "fbf4", "f4", "9c9d", "68V9d",
	"0f20c0", "0f20d0", "0f20d8", "0f20e0", "b8V0f22c0", "0f20c00f22c0", "b8V0f22d8",
	"0f20d80f22d8", "b8V0f22e0", "0f20e00f22e0", "b8V0f22d0", "0f21X", "b8V0f23X",
	"0f0115A", "0f011dA", "0f0105A", "0f010dA", "0f01e0", "0f01f0", "0f013dA",
	"66b8S0f00d0", "66b8S0f00d8", "0f00c0", "0f00c8", "66b8S0f00e0", "66b8S0f00e8",
	"66b8S0f02c0", "66b8S0f03c0", "0fa2", "b9V0f32", "b9V0f30", "0f31", "0f33",
	"b900000000c00f32", "b9800000c00f30", "b9740100000f30", "b9100000000f30",
	"0f01f9", "31c90f01d0", "31c90f01d1", "0f08", "0f09", "0f06",
	"a1A", "a3A", "f00fb105A", "ff05A", "c605AX", "0fb605A",
	"e4X", "e6X", "baV000000ec", "ee", "ed", "ef", "6e", "6c", "6f", "f36e", "f36c",
	"eaVS", "9aAS", "cb", "caX00", "ff1dA", "ff2dA", "0fb205A", "0fb405A", "c405A",
	"17", "1f", "07", "0fa1", "0fa9", "16", "1e", "06", "60", "61", "c8X000X", "c9",
	"68S000068A68V68S000068Acf", "68V68S000068Acf", "cf", "66cf",
	"682300000068002002006802020000681b00000068Acf",	/* IRET to ring 3 */
	"682300000068002002006802020000681b0000006800300100cf",
	"680202000068080000006800300100cf",
	"f7f0", "dbe3", "d9e8", "9b", "0f57c0", "0f77", "0fae05A", "0fae0dA", "0fae25A",
	"0fae2dA", "f3a4", "f3a5", "f3ab", "fd", "fc", "0fc7X", "630d", "62X", "XX", "XXXX",
	"50535152", "ebfe", "ebX", "75X", "0fc8", "8f05A", "ff35A", "66XX", "67XX", "f2XX", "f0XX",
};

/* The same: calls of the ROM's. */
static const char * const rom_calls[] = {
	"bbOffd3", "b8VbaVb9VbbOffd3", "b8AbaVb9VbbOffd3", "68V68Vb8AbaVb9VbbOffd3",
	"b8AbaX000000b9VbbOffd3", "68A68Vb8VbaVb9AbbOffd3",
	"68V68Vb800100000baX000000b9VbbOffd3", "b8VbaX000000b9X000000bbOffd3",
	"b8X000000baVb9100000c0bbOffd3", "68A6a02bbOffe3",
};

static u8 hex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static u32 add_insn(struct thread *t, u8 *to)
{
	const char *p = one_in(t, 4) ? rom_calls[pick(t, sizeof(rom_calls) / sizeof(*rom_calls))] :
				       insns[pick(t, sizeof(insns) / sizeof(*insns))];
	u32 n = 0, v;
	u16 sel;

	while (*p) {
		switch (*p++) {
		case 'S':
			sel = selector(t);
			memcpy(to + n, &sel, 2);
			n += 2;
			break;
		case 'V':
			v = value(t);
			memcpy(to + n, &v, 4);
			n += 4;
			break;
		case 'A':
			v = address(t);
			memcpy(to + n, &v, 4);
			n += 4;
			break;
		case 'O':
			v = op_address(t);
			memcpy(to + n, &v, 4);
			n += 4;
			break;
		case 'X':
			to[n++] = rnd(t);
			break;
		default:
			to[n++] = hex(p[-1]) << 4 | hex(*p);
			p++;
		}
	}
	return n;
}

/* Random instructions, and back to the beginning. */
void write_program(struct thread *t)
{
	u8 code[PROGRAM_SIZE], *p = code;
	u32 left = 1 + pick(t, one_in(t, 4) ? 40 : 8);
	int back;

	while (left--)
		p += add_insn(t, p);
	*p++ = 0xe6;
	*p++ = DONE_PORT;
	*p++ = 0xe9;
	back = code - (p + 4);
	memcpy(p, &back, 4);
	p += 4;
	memcpy(t->vm->memory + PROGRAM, code, p - code);
}

static void fill_tables(u8 *memory)
{
	u32 *pd2 = (u32 *)(memory + PD2), *pt2 = (u32 *)(memory + PT2), i;
	u64 *pdpt = (u64 *)(memory + PDPT), *pd = (u64 *)(memory + PDPAE);
	u64 *pt = (u64 *)(memory + PTPAE);

	memset(memory + TABLES, 0, TABLES_END - TABLES);
	for (i = 0; i < MEMORY >> 12; i++) {
		pt2[i] = i << 12 | 7;
		pt[i] = i << 12 | 7;
	}
	for (i = 0; i < 2; i++)
		pd2[i] = (PT2 + (i << 12)) | 7;
	pd2[0xfee00000 >> 22] = 0xfec00000 | 0x9f;	/* both APICs */
	for (i = 0; i < 4; i++) {
		pdpt[i] = (PDPAE + (i << 12)) | 1;
		pd[i] = (PTPAE + (i << 12)) | 7;
	}
	pd[4] = 0x00800000 | 0xe7;			/* a large page, of the slot that moves */
	pd[0xfee00000 >> 21] = 0xfee00000 | 0x9f;
	pd[0xfec00000 >> 21] = 0xfec00000 | 0x9f;
}

static void fill_descriptors(u8 *memory)
{
	static const u64 kinds[GDT_NR][3] = {		/* base, limit, flags and access */
		{ 0, 0, 0 },
		{ 0, 0xfffff, 0xc09b }, { 0, 0xfffff, 0xc093 },		/* kernel */
		{ 0, 0xfffff, 0xc0fb }, { 0, 0xfffff, 0xc0f3 },		/* user */
		{ TSS, 0x67, 0x0089 }, { LDT, LDT_NR * 8 - 1, 0x0082 },
		{ 0, 0xffff, 0x009b }, { 0, 0xffff, 0x0093 },		/* 16 bits */
		{ DATA, 0xfff, 0x4093 }, { DATA, 0xfff, 0x4097 },	/* small, expand-down */
		{ 0, 0xfffff, 0xc09f }, { 0, 0xfffff, 0xa09b },		/* conforming, 64 bits */
		{ 0, 0xfffff, 0xc0b3 }, { 0, 0xfffff, 0xc0bb },		/* ring 1 */
		{ 0, 0xfffff, 0xc013 }, { 0, 0xfffff, 0xc091 },		/* absent, read-only */
		{ 0, 0xffff, 0x00fb }, { 0, 0xffff, 0x00f3 },		/* 16 bits, user */
		{ 0, 0xfffff, 0xc0d3 }, { HANDLER, 8, 0x00ec },		/* ring 2, call gate */
		{ 0, 0xfffff, 0xa0fb }, { TSS, 0x67, 0x008b }, { 0, 0, 0x0085 },
	};
	u64 *gdt = (u64 *)(memory + GDT), *ldt = (u64 *)(memory + LDT);
	u64 *idt = (u64 *)(memory + IDT);
	u32 i, esp_ss[2] = { STACK, SEL_DATA };

	for (i = 0; i < GDT_NR; i++)
		gdt[i] = descriptor(kinds[i][0], kinds[i][1], kinds[i][2]);
	for (i = 0; i < LDT_NR; i++)
		ldt[i] = gdt[1 + i];
	for (i = 0; i < 256; i++)
		idt[i] = (HANDLER & 0xffff) | (u64)(HANDLER >> 16) << 48 | SEL_CODE << 16 |
			 (i == 0x80 || i == 3 ? 0xee00ULL << 32 : 0x8e00ULL << 32);
	memset(memory + TSS, 0, 0x68);
	memcpy(memory + TSS + 4, esp_ss, 8);
}

/* As it is at the beginning, and now and then again. */
void fill_memory(struct vm *vm, bool all)
{
	fill_descriptors(vm->memory);
	if (!all)
		return;
	fill_tables(vm->memory);
	memcpy(vm->memory + BOOT, guest_boot, guest_boot_end - guest_boot);
	memcpy(vm->memory + HANDLER, guest_handler, guest_handler_end - guest_handler);
	memcpy(vm->memory + ROM, rom, ROM_SIZE);
}

/* What a load of @sel makes of the guest's descriptor. */
void segment_of(struct vm *vm, struct kvm_segment *s, u16 sel)
{
	u32 at = sel & 4 ? LDT + (sel & 0x78) : GDT + (sel & 0xff8);
	u64 d = 0;

	if (sel & ~3)
		memcpy(&d, vm->memory + at, 8);
	memset(s, 0, sizeof(*s));
	s->selector = sel;
	s->base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000);
	s->limit = (d & 0xffff) | (d >> 32 & 0xf0000);
	s->g = d >> 55 & 1;
	if (s->g)
		s->limit = s->limit << 12 | 0xfff;
	s->type = d >> 40 & 15;
	s->s = d >> 44 & 1;
	s->dpl = d >> 45 & 3;
	s->present = d >> 47 & 1;
	s->avl = d >> 52 & 1;
	s->l = d >> 53 & 1;
	s->db = d >> 54 & 1;
	s->unusable = !s->present;
}

void base_sregs(struct vm *vm, struct kvm_sregs *s)
{
	segment_of(vm, &s->cs, SEL_CODE);
	segment_of(vm, &s->ds, SEL_DATA);
	s->es = s->ds;
	s->fs = s->ds;
	s->gs = s->ds;
	s->ss = s->ds;
	segment_of(vm, &s->tr, SEL_TSS);
	s->tr.type = 11;
	segment_of(vm, &s->ldt, SEL_LDT);
	s->gdt = (struct kvm_dtable){ .base = GDT, .limit = GDT_NR * 8 - 1 };
	s->idt = (struct kvm_dtable){ .base = IDT, .limit = 256 * 8 - 1 };
	s->cr0 = 0x00010031;		/* WP, NE, ET, PE */
	s->cr3 = vm->pae ? PDPT : PD2;
	s->cr4 = vm->pae ? 0x630 : 0x610;
	s->efer = 0;
	if (vm->paging)
		s->cr0 |= 1u << 31;
}

void base_regs(struct kvm_regs *r, u32 eip)
{
	memset(r, 0, sizeof(*r));
	r->rip = eip;
	r->rsp = STACK - 128;
	r->rflags = 2;
}
