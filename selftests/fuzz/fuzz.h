/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FUZZ_H
#define _FUZZ_H

/* What the fuzzers share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef unsigned long u64;	/* as in the monitor */
typedef __s32 s32;
typedef __s64 s64;

#define __packed	__attribute__((__packed__))
#define __aligned(n)	__attribute__((__aligned__(n)))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Ends the run; the fuzzer keeps the input. */
#define EXPECT(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not so: %s\n",		\
				__FILE__, __LINE__, #condition);	\
			abort();					\
		}							\
	} while (0)

/*
 * Memory below 2 GB, so that addresses are as on i386.  Nobody may touch it
 * but for the parts that are opened; a start is a multiple of 8, as the
 * sanitizer wants it, a length is exact.
 */
u8 *arena_new(size_t size);
void arena_open(const void *start, size_t len);
void arena_shut(const void *start, size_t len);

/* The input, piece by piece; zeroes behind its end. */
struct input {
	const u8 *data;
	size_t left;
};

void take(struct input *in, void *to, size_t len);
u32 take_u8(struct input *in);
u32 take_u32(struct input *in);

u16 read_u16(const u8 *byte);
u32 read_u32(const u8 *byte);

/*
 * Counters of what was reached, printed at the end.  A run that leaves one at
 * zero has proven nothing: selftests/fuzz/run refuses it.
 */
struct tally {
	const char *name;
	u64 count;
};

void tally_at_exit(const struct tally *tallies, size_t n);

/* libFuzzer's, which has no header of its own. */
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);

#endif /* _FUZZ_H */
