// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzer of vmi/patch.c.  An input describes what the ROM
 * answered and rows of .vmi_sites with code that they point to; the harness
 * places them so that no two sites overlap.  What is left of the code is then
 * read the way a processor would read it.
 *
 * Input: u8 type for all operations, u8 number of exceptions from that, the
 * exceptions (struct in_reloc), rows to the end (struct in_row).
 */
#include <string.h>

#include <asm/vmi/patch.h>

#include "fuzz.h"

#define GUARD		4096
#define MAX_ROWS	128
#define MAX_GAP		8
#define MAX_CODE	(MAX_ROWS * (255 + MAX_GAP))
#define ROWS_SIZE	4096
#define ARENA		(GUARD + ROWS_SIZE + GUARD + 40960 + GUARD)

/* As docs and processor manuals have them; patch.h is what is tested. */
#define SITE_MIN	5
#define INSN_CALL	0xe8
#define INSN_JMP	0xe9
#define INSN_NOP	0x90
#define PREFIX_DS	0x3e

enum { NONE, CALL, JUMP, NOP };

struct in_reloc {
	u8 op, type;
	u32 eip;
} __packed;

/*
 * @where: bits 2..0 bytes between this site and the one before; bit 7: a row
 * that the patcher has to leave alone points to @wild instead
 */
struct in_row {
	u8 op, len, where;
	u16 flags;
	s32 thunk, wild;
} __packed;

static u8 *arena;
static struct vmi_site *rows;
static u8 *code;
static u8 before[MAX_CODE];

enum { SEEN_CALL, SEEN_JUMP, SEEN_THUNK, SEEN_NOP, SEEN_INNER, SEEN_NONE, SEEN_BAD, SEEN_LONG };
static struct tally tallies[] = {
	[SEEN_CALL] = { "calls of the ROM", 0 },
	[SEEN_JUMP] = { "jumps into the ROM", 0 },
	[SEEN_THUNK] = { "jumps to thunks", 0 },
	[SEEN_NOP] = { "sites erased", 0 },
	[SEEN_INNER] = { "inner sites rewritten", 0 },
	[SEEN_NONE] = { "sites left native", 0 },
	[SEEN_BAD] = { "bad rows", 0 },
	[SEEN_LONG] = { "rewritten sites of 64 bytes or more", 0 },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	_Static_assert(MAX_CODE <= 40960, "arena too small for the code");
	_Static_assert(MAX_ROWS * sizeof(*rows) <= ROWS_SIZE, "arena too small for the rows");
	_Static_assert(sizeof(*rows) == 12, "rows are 12 bytes");
	arena = arena_new(ARENA);
	rows = (struct vmi_site *)(arena + GUARD);
	code = arena + GUARD + ROWS_SIZE + GUARD;
	tally_at_exit(tallies, ARRAY_SIZE(tallies));
	return 0;
}

#define KNOWN(nr, id, name, type, group, in, out, native) \
	[nr] = true,
static const bool known[256] = { VMI_OPS(KNOWN) };

static bool row_is_good(const struct vmi_site *row)
{
	return known[row->op] && row->len >= SITE_MIN;
}

/* What a row has to become: one of CALL, JUMP, NOP; NONE: nothing. */
static unsigned int fate(const struct vmi_site *row, const struct vmi_reloc *relocs)
{
	return row_is_good(row) ? relocs[row->op].type : NONE;
}

/* Length of the nop at @insn, 0 if there is none within @room bytes. */
static unsigned int nop_len(const u8 *insn, unsigned int room)
{
	unsigned int n = 0;

	while (n < room && insn[n] == PREFIX_DS)
		n++;
	return n < room && insn[n] == INSN_NOP ? n + 1 : 0;
}

static void expect_nops(const u8 *insn, unsigned int len)
{
	unsigned int n = (len + 4) / 5, one;

	for (; len; len -= one, insn += one, n--) {
		one = nop_len(insn, len);
		EXPECT(one >= 1 && one <= 5);
	}
	EXPECT(n == 0);
}

/* The target of the call or jump at @insn. */
static u32 target_of(const u8 *insn)
{
	return (u32)(uintptr_t)insn + 5 + read_u32(insn + 1);
}

/* A call or a jump, and nothing but nops behind it. */
static void expect_branch(const struct vmi_site *row, const u8 *insn, u8 opcode, u32 target)
{
	EXPECT(insn[0] == opcode);
	EXPECT(target_of(insn) == target);
	expect_nops(insn + 5, row->len - 5);
}

static void expect_site(const struct vmi_site *row, const u8 *insn, unsigned int type,
			u32 eip)
{
	if (type == NOP) {
		expect_nops(insn, row->len);
		tallies[SEEN_NOP].count++;
	} else if (row->thunk) {
		expect_branch(row, insn, INSN_JMP,
			      (u32)(uintptr_t)&row->thunk + (u32)row->thunk);
		tallies[SEEN_THUNK].count++;
	} else if (type == JUMP) {
		expect_branch(row, insn, INSN_JMP, eip);
		tallies[SEEN_JUMP].count++;
	} else {
		expect_branch(row, insn, INSN_CALL, eip);
		tallies[SEEN_CALL].count++;
	}
	tallies[SEEN_INNER].count += row->flags & 1;
	tallies[SEEN_LONG].count += row->len >= 64;
}

/* Any type for any operation; vmi_reloc_check() has seen to its being known. */
static void take_relocs(struct input *in, struct vmi_reloc *relocs)
{
	const u8 type = take_u8(in) % 4;
	unsigned int n = take_u8(in) % 64, op;
	struct in_reloc one;

	for (op = 0; op < VMI_NR_OPS; op++)
		relocs[op] = (struct vmi_reloc){ .eip = 0xc00c0000 + op, .type = type };
	while (n-- && in->left) {
		take(in, &one, sizeof(one));
		relocs[one.op % VMI_NR_OPS] =
			(struct vmi_reloc){ .eip = one.eip, .type = one.type % 4 };
	}
}

/* Rows and where each one's site is; returns how much code there is. */
static size_t take_rows(struct input *in, const struct vmi_reloc *relocs,
			size_t *at, unsigned int *nr)
{
	struct in_row one;
	size_t used = 0;

	for (*nr = 0; *nr < MAX_ROWS && in->left; ++*nr) {
		struct vmi_site *row = &rows[*nr];

		take(in, &one, sizeof(one));
		used += one.where % MAX_GAP;
		arena_open(rows, (*nr + 1) * sizeof(*row));
		row->addr = (s32)(intptr_t)(code + used) - (s32)(intptr_t)&row->addr;
		row->thunk = one.thunk;
		if ((intptr_t)&row->thunk + one.thunk < 0)
			row->thunk &= INT32_MAX;
		row->op = one.op;
		row->len = one.len;
		row->flags = one.flags;
		if (one.where & 0x80 && fate(row, relocs) == NONE)
			row->addr = one.wild;
		at[*nr] = used;
		used += one.len;
	}
	return used;
}

static void count_row(const struct vmi_site *row, const struct vmi_reloc *relocs,
		      struct vmi_counts *want)
{
	const unsigned int type = fate(row, relocs);

	if (!row_is_good(row))
		tallies[SEEN_BAD].count++;
	else if (type == NONE)
		tallies[SEEN_NONE].count++;
	if (!row_is_good(row) || row->flags & 1)
		return;
	want->sites++;
	want->calls += type == CALL;
	want->jumps += type == JUMP;
	want->nops += type == NOP;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct vmi_site rows_before[MAX_ROWS];
	static size_t at[MAX_ROWS];
	struct vmi_counts counts, want;
	struct vmi_reloc relocs[VMI_NR_OPS];
	struct input in = { data, size };
	size_t used, i, pos = 0;
	unsigned int nr, type;

	take_relocs(&in, relocs);
	take(&in, &counts, sizeof(counts));
	want = counts;
	used = take_rows(&in, relocs, at, &nr);
	memcpy(rows_before, rows, nr * sizeof(*rows));
	arena_open(code, used);
	for (i = 0; i < used; i++)
		code[i] = 0x40 + i % 47;
	memcpy(before, code, used);

	vmi_patch_sites(rows, rows + nr, relocs, &counts);

	EXPECT(!memcmp(rows, rows_before, nr * sizeof(*rows)));
	for (i = 0; i < nr; i++) {
		type = fate(&rows[i], relocs);
		count_row(&rows[i], relocs, &want);
		EXPECT(!vmi_site_check(&rows[i]) == row_is_good(&rows[i]));
		if (type == NONE)
			continue;
		EXPECT(!memcmp(code + pos, before + pos, at[i] - pos));
		expect_site(&rows[i], code + at[i], type, relocs[rows[i].op].eip);
		pos = at[i] + rows[i].len;
	}
	EXPECT(!memcmp(code + pos, before + pos, used - pos));
	EXPECT(!memcmp(&counts, &want, sizeof(counts)));

	arena_shut(rows, nr * sizeof(*rows));
	arena_shut(code, used);
	return 0;
}
