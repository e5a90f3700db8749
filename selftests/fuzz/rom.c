// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzer of vmi/rom.c.  An input is a window to scan, then TRAILER bytes: how
 * many steps of zeroes to put behind the window, and what to answer for
 * get_reloc.  Every verdict is compared with one that is made here, from
 * docs/abi.md.
 */
#include <string.h>

#include <asm/vmi/patch.h>

#include "fuzz.h"

#define WINDOW_MAX	(VMI_ROM_END - VMI_ROM_START)
#define TRAILER		64
#define GUARD		4096
#define ARENA		(GUARD + WINDOW_MAX + GUARD)

/* As docs/abi.md has them; abi.h is what is tested. */
#define HEADER		144
#define STEP		2048
#define ENTRY_INIT	128
#define ENTRY_RELOC	136

static u8 *arena;

enum { SEEN_ROM, SEEN_GOOD, SEEN_BIG, SEEN_NAME, SEEN_REFUSED, SEEN_ANSWER, SEEN_WRONG };
static struct tally tallies[] = {
	[SEEN_ROM] = { "images found", 0 },
	[SEEN_GOOD] = { "images accepted", 0 },
	[SEEN_BIG] = { "images accepted of 64 KB or more", 0 },
	[SEEN_NAME] = { "images accepted with a name", 0 },
	[SEEN_REFUSED] = { "images refused", 0 },
	[SEEN_ANSWER] = { "answers accepted", 0 },
	[SEEN_WRONG] = { "answers refused", 0 },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	arena = arena_new(ARENA);
	tally_at_exit(tallies, ARRAY_SIZE(tallies));
	return 0;
}

/* The table, once more and in other words. */
struct op {
	bool used, returns, result;
};

#define RETURNS_CALL	true
#define RETURNS_JUMP	false
#define OP(nr, id, name, type, group, in, out, native) \
	[nr] = { true, RETURNS_##type, out[0] != '\0' },
static const struct op ops[VMI_NR_OPS] = { VMI_OPS(OP) };

static bool has_signatures(const u8 *image)
{
	return image[0] == 0x55 && image[1] == 0xaa && !memcmp(image + 8, "cVmi", 4);
}

static bool text_inside(const u8 *image, size_t len, size_t at)
{
	return at < len && memchr(image + at, 0, len - at);
}

static bool entry_inside(const u8 *image, size_t len, u32 at)
{
	const u8 *insn = image + at;
	s64 target;

	if (insn[0] == 0xeb)
		target = at + 2 + (int8_t)insn[1];
	else if (insn[0] == 0xe9)
		target = at + 5 + (s64)(s32)read_u32(insn + 1);
	else
		return false;
	return target >= HEADER && target < (s64)len;
}

static bool pnp_inside(const u8 *image, size_t len)
{
	size_t pnp = read_u16(image + 26), product;

	if (!pnp)
		return true;
	if (pnp + 32 > len || memcmp(image + pnp, "$PnP", 4))
		return false;
	product = read_u16(image + pnp + 16);
	return !product || text_inside(image, len, product);
}

/* "What a guest checks" */
static bool is_good(const u8 *image, size_t room)
{
	size_t len = image[2] * 512, pci = read_u16(image + 24), i;
	size_t code = image[28] && image[28] < image[2] ? image[28] * 512 : len;
	unsigned int sum = 0;

	if (!len || len > room)
		return false;
	for (i = 0; i < len; i++)
		sum += image[i];
	return sum % 256 == 0 && image[13] == 3 &&
	       text_inside(image, len, read_u16(image + 22)) &&
	       pci + 24 <= len && !memcmp(image + pci, "PCIR", 4) &&
	       pnp_inside(image, len) &&
	       entry_inside(image, code, ENTRY_INIT) &&
	       entry_inside(image, code, ENTRY_RELOC);
}

static void expect_reason(const char *why, bool refused)
{
	size_t len = strnlen(why, VMI_WHY_LEN), i;

	EXPECT(len < VMI_WHY_LEN);
	EXPECT(refused == (len != 0));
	for (i = 0; i < len; i++)
		EXPECT(why[i] >= ' ' && why[i] <= '~');
}

static void expect_text(const u8 *image, size_t len, const char *text, u16 at)
{
	EXPECT((const u8 *)text == image + at);
	EXPECT(at < len && strnlen(text, len - at) < len - at);
}

static bool answer_is_good(u32 image, size_t len, unsigned int op, u32 eip, unsigned int type)
{
	bool inside = eip >= image + HEADER && eip < image + len;

	switch (type) {
	case 0:
		return true;
	case 1:
		return ops[op].returns && inside;
	case 2:
		return !ops[op].returns && inside;
	case 3:
		return ops[op].returns && !ops[op].result;
	}
	return false;
}

static void check_answer(const struct vmi_rom *rom, unsigned int op, u32 eip, u8 type)
{
	const struct vmi_reloc reloc = { .eip = eip, .type = type };
	const u32 image = (uintptr_t)rom->image;
	bool good = answer_is_good(image, rom->code, op, eip, type);
	char why[VMI_WHY_LEN] = "";

	EXPECT(!vmi_reloc_check(rom, op, &reloc, why) == good);
	expect_reason(why, !good);
	tallies[good ? SEEN_ANSWER : SEEN_WRONG].count++;
}

/* For one operation what is around every limit; for others what comes. */
static void check_answers(const struct vmi_rom *rom, struct input *in)
{
	const u32 image = (uintptr_t)rom->image;
	const u32 edges[] = {
		0, image - 1, image, image + HEADER - 1, image + HEADER,
		image + rom->code - 1, image + rom->code, ~0u,
	};
	unsigned int op = take_u8(in) % VMI_NR_OPS, type, i;

	while (!ops[op].used)
		op = (op + 1) % VMI_NR_OPS;
	for (type = 0; type < 5; type++)
		for (i = 0; i < ARRAY_SIZE(edges); i++)
			check_answer(rom, op, edges[i], type);

	while (in->left) {
		op = take_u8(in);
		type = take_u8(in);
		i = take_u32(in);
		if (op < VMI_NR_OPS && ops[op].used) {
			check_answer(rom, op, i, type);
			check_answer(rom, op, image + i % 65536, type % 4);
		}
	}
}

/* @image: at least a header, with nothing to be read before or behind it. */
static void check_image(const u8 *image, size_t room, struct input answers)
{
	const bool good = is_good(image, room);
	char why[VMI_WHY_LEN] = "";
	struct vmi_rom rom;

	memset(&rom, 0xa5, sizeof(rom));
	EXPECT(!vmi_rom_check(&rom, image, room, why) == good);
	expect_reason(why, !good);
	if (!good) {
		tallies[SEEN_REFUSED].count++;
		return;
	}

	EXPECT((const u8 *)rom.image == image);
	EXPECT(rom.len == image[2] * 512u && rom.len <= room);
	expect_text(image, rom.len, rom.license, read_u16(image + 22));
	if (read_u16(image + 26) && read_u16(image + read_u16(image + 26) + 16)) {
		expect_text(image, rom.len, rom.product,
			    read_u16(image + read_u16(image + 26) + 16));
		tallies[SEEN_NAME].count++;
	} else {
		EXPECT(!strcmp(rom.product, "unnamed"));
	}
	tallies[SEEN_GOOD].count++;
	tallies[SEEN_BIG].count += rom.len >= 65536;
	check_answers(&rom, &answers);
}

/* Everything that vmi_rom_find() finds, and that it finds everything. */
static void check_window(const u8 *window, size_t size, struct input answers)
{
	const u8 *found = vmi_rom_find(window, size, 0);
	size_t pos;

	for (pos = 0; pos + HEADER <= size; pos += STEP) {
		if (!has_signatures(window + pos))
			continue;
		EXPECT(found == window + pos);
		tallies[SEEN_ROM].count++;
		arena_shut(window, pos);
		check_image(found, size - pos, answers);
		arena_open(window, pos);
		found = vmi_rom_find(window, size, pos + STEP);
	}
	EXPECT(!found);
}

/* A first byte that is too large means none: such inputs are slow. */
static size_t zeroes_behind(u8 steps, size_t in_window)
{
	size_t zeroes = steps < WINDOW_MAX / STEP ? steps * STEP : 0;

	return zeroes < WINDOW_MAX - in_window ? zeroes : WINDOW_MAX - in_window;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t in_window = size > TRAILER ? size - TRAILER : 0, zeroes;
	struct input trailer = { data + in_window, size - in_window };
	u8 *window = arena + GUARD;

	if (in_window > WINDOW_MAX)
		return -1;
	zeroes = zeroes_behind(take_u8(&trailer), in_window);
	arena_open(window, in_window + zeroes);
	memcpy(window, data, in_window);
	memset(window + in_window, 0, zeroes);
	check_window(window, in_window + zeroes, trailer);
	if (in_window + zeroes >= HEADER && !has_signatures(window))
		check_image(window, in_window + zeroes, trailer);
	arena_shut(window, in_window + zeroes);
	return 0;
}

/*
 * Mutation.  Bytes at random do not add up to 0; so most inputs get some of
 * what a ROM must have back.
 */
static u32 random_state;

static u32 random_below(u32 limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static void write_u16(u8 *byte, u16 value)
{
	byte[0] = value;
	byte[1] = value >> 8;
}

/* Where something of @size bytes may be: anywhere, or around the last place. */
static u16 some_place(u16 now, size_t size, size_t len)
{
	if (random_below(4))
		return now % (len - size + 1);
	return len - size - 1 + random_below(4);
}

static void repair_texts(u8 *image, size_t len)
{
	u16 at;

	if (random_below(8))
		write_u16(image + 22, some_place(read_u16(image + 22), 1, len));
	if (random_below(8)) {
		at = some_place(read_u16(image + 24), 24, len);
		write_u16(image + 24, at);
		memcpy(image + at, "PCIR", 4);
	}
	if (random_below(8) && read_u16(image + 26)) {
		at = some_place(read_u16(image + 26), 32, len);
		write_u16(image + 26, at);
		memcpy(image + at, "$PnP", 4);
		if (random_below(8))
			write_u16(image + at + 16, some_place(read_u16(image + at + 16), 1, len));
	}
}

/* Around the first and last place where code may be, or between. */
static u32 some_target(size_t len)
{
	switch (random_below(4)) {
	case 0:
		return HEADER - 2 + random_below(4);
	case 1:
		return len - 2 + random_below(4);
	default:
		return HEADER + random_below(len - HEADER);
	}
}

static void repair_entry(u8 *image, size_t len, u32 at)
{
	const u32 target = some_target(len), rel32 = target - (at + 5);

	if (random_below(4))
		return;

	if (target <= at + 2 + 127 && random_below(2)) {
		image[at] = 0xeb;
		image[at + 1] = target - (at + 2);
		return;
	}
	image[at] = 0xe9;
	write_u16(image + at + 1, rel32);
	write_u16(image + at + 3, rel32 >> 16);
}

/* @real: bytes of the image that are in the input; zeroes follow up to @room */
static void repair(u8 *image, size_t real, size_t room)
{
	size_t len, i;
	u8 sum = 0;

	if (random_below(16)) {
		write_u16(image, 0xaa55);
		memcpy(image + 8, "cVmi", 4);
	}
	if (room >= 512 && (!image[2] || image[2] * 512u > room || real < room) &&
	    random_below(16))
		image[2] = 1 + random_below(room < 255 * 512 ? room / 512 : 255);
	len = image[2] * 512u;
	if (!len || len > room)
		return;
	if (random_below(16)) {
		image[13] = 3;
		memset(image + 16, 0, 4);
	}
	repair_entry(image, len, ENTRY_INIT);
	repair_entry(image, len, ENTRY_RELOC);
	if (len > real)
		len = real;
	repair_texts(image, len);
	if (!random_below(32))
		return;
	for (i = 0; i < len; i++)
		sum += image[i];
	image[random_below(4) ? len - 1 : 28] -= sum;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t pos, real, zeroes;

	random_state = seed;
	size = LLVMFuzzerMutate(data, size, max_size);
	if (size < HEADER + TRAILER || !random_below(8))
		return size;
	real = size - TRAILER;
	if (!random_below(64))
		data[real] = 63;
	zeroes = zeroes_behind(data[real], real);
	pos = random_below(4) ? 0 : random_below(real / STEP + 1) * STEP;
	if (pos + HEADER <= real)
		repair(data + pos, real - pos, real + zeroes - pos);
	return size;
}
