/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MON_HOST_TYPES_H
#define MON_HOST_TYPES_H

/* For ring1.h: types, the instructions C cannot name, the monitor's part of a vcpu. */

#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/* What Linux calls these. */
#define BIT(n)		(1u << (n))
#define BIT_ULL(n)	(1UL << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __packed	__attribute__((__packed__))
#define __noreturn	__attribute__((noreturn))
#define noinline	__attribute__((noinline))
#define __always_inline	inline __attribute__((__always_inline__))
#define unlikely(x)	__builtin_expect(!!(x), 0)

struct desc_ptr {
	u16 limit;
	u64 base;
} __packed;

/* An instruction that may fault: @ok, operand 0, tells.  A comma before outputs. */
#define MAY_FAULT(ok, insn, operands...)	\
	asm volatile("xorl %k0, %k0\n"		\
		     "1:\t" insn "\n\t"	\
		     "movb $1, %b0\n2:\n\t"	\
		     ".pushsection .extable, \"a\"\n\t" \
		     ".quad 1b, 2b\n\t"	\
		     ".popsection" : "=&q" (ok) operands)

static inline void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static inline void outl(u16 port, u32 val)
{
	asm volatile("outl %0, %1" : : "a" (val), "Nd" (port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	asm volatile("inb %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a" (lo), "=d" (hi) : "c" (msr));
	return lo | (u64)hi << 32;
}

static inline void wrmsr(u32 msr, u64 val)
{
	asm volatile("wrmsr" : : "a" ((u32)val), "d" ((u32)(val >> 32)), "c" (msr));
}

static inline void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	asm volatile("cpuid" : "=a" (*a), "=b" (*b), "=c" (*c), "=d" (*d)
		     : "a" (leaf), "c" (sub));
}

#define CR_FUNCS(n) \
static inline u64 read_cr##n(void) \
{ u64 v; asm volatile("movq %%cr" #n ", %0" : "=r" (v)); return v; } \
static inline void write_cr##n(u64 v) \
{ asm volatile("movq %0, %%cr" #n : : "r" (v) : "memory"); }
CR_FUNCS(0) CR_FUNCS(2) CR_FUNCS(3) CR_FUNCS(4)

static inline void invlpg(u64 gva)
{
	asm volatile("invlpg (%0)" : : "r" (gva) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a" (lo), "=d" (hi));
	return lo | (u64)hi << 32;
}

static inline void pause(void)
{
	asm volatile("pause" : : : "memory");
}

/* console.c */
void *memcpy(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* In struct vcpu: each is pinned to a processor of the machine. */
#define HOST_VCPU \
	bool online; \
	bool cpuid_faults;		/* a program's, as the guest's kernel wants it */ \
	bool parked;			/* waits for STARTUP, in vcpu_idle() */ \
	enum mp_state { MP_RUNNABLE, MP_INIT_RECEIVED, MP_SIPI_RECEIVED } mp_state; \
	bool nmi_asked;			/* why an NMI of ours comes: smp.c */ \
	bool nmi_echo;			/* one more of them may be under way */ \
	u32 nmi_sent, nmi_seen; \
	u32 ldr;			/* logical destination, local APIC */ \
	u8 irq_kind[256];		/* of the last with this vector, apic.c */ \
	u8 *tss_page, *stack_top; \
	/* Pages of shadows, the first unused. */ \
	struct spage *pool; \
	u8 *pool_mem; \
	u64 pool_phys; \
	u32 pool_size, pool_used;

#endif
