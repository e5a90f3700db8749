// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzzers share; fuzz.h describes it. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include <sanitizer/asan_interface.h>

#include "fuzz.h"

u8 *arena_new(size_t size)
{
	u8 *arena = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	EXPECT(arena != MAP_FAILED);
	EXPECT((uintptr_t)arena + size <= INT32_MAX);
	arena_shut(arena, size);
	return arena;
}

void arena_open(const void *start, size_t len)
{
	EXPECT((uintptr_t)start % 8 == 0);
	__asan_unpoison_memory_region(start, len);
}

void arena_shut(const void *start, size_t len)
{
	__asan_poison_memory_region(start, len);
}

void take(struct input *in, void *to, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memset(to, 0, len);
	if (n)
		memcpy(to, in->data, n);
	in->data += n;
	in->left -= n;
}

u32 take_u8(struct input *in)
{
	u8 byte;

	take(in, &byte, 1);
	return byte;
}

u32 take_u32(struct input *in)
{
	u8 bytes[4];

	take(in, bytes, 4);
	return read_u32(bytes);
}

u16 read_u16(const u8 *byte)
{
	return byte[0] | byte[1] << 8;
}

u32 read_u32(const u8 *byte)
{
	return read_u16(byte) | (u32)read_u16(byte + 2) << 16;
}

static const struct tally *all_tallies;
static size_t nr_tallies;

static void print_tallies(void)
{
	size_t i;

	for (i = 0; i < nr_tallies; i++)
		fprintf(stderr, "reached: %s: %llu\n", all_tallies[i].name,
			(unsigned long long)all_tallies[i].count);
}

void tally_at_exit(const struct tally *tallies, size_t n)
{
	all_tallies = tallies;
	nr_tallies = n;
	atexit(print_tallies);
}
