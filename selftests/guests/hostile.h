/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that wants into the monitor.  Each case tries one way; afterwards the
 * guest still runs, or the monitor has stopped it with a dump.
 */
#ifndef _HOSTILE_H
#define _HOSTILE_H

#include "../../arch/i386/ring1/layout.h"
#include "guest.h"

enum ending { LIVES, STOPS, EITHER, STOPS_SMP /* if there is another processor */ };

struct hostile {
	const char *name;
	bool (*run)(void);	/* false: the guest got what it must not get */
	enum ending ends;
};

/* Lists, each ended by a name of NULL. */
extern const struct hostile paging_cases[], segment_cases[], cpu_cases[], machine_cases[];
extern const struct hostile nmi_cases[], call_cases[];

void run_case(const struct hostile *c, u32 number);

/* false: what comes next needs a boot of its own. */
bool run_matrix(u32 first, u32 only);

/*
 * Does @fn(@a, @b) end in a trap?  @seen is the trap then.  Afterwards segments
 * are flat again; what else @fn changed is home_state()'s to repair.
 */
typedef void (*attempt_fn)(u32 a, u32 b);
bool traps(attempt_fn fn, u32 a, u32 b);
extern struct trap_frame seen;

/* Control registers and tables as the guest started, paging off. */
void home_state(void);

/* Where far transfers lead: INT 0x2f with CS in ECX, and 1 in EAX if 32-bit. */
extern char landing[];
#define LANDING_VECTOR	0x2f

/* The monitor's memory, found in the memory map. */
extern u32 mon_start, mon_end;

/* Deterministic random numbers; an argument of the command line. */
void random_seed(u32 seed);
u32 random32(void);
u32 option(const char *name, u32 other);

/* 4 MB for page tables and junk, at a multiple of 4 MB, nothing else there. */
#define ARENA		0x800000
#define ARENA_SIZE	0x400000
#define POISON		0x0dd0badc	/* what is written where nothing may be */

/* The monitor's ROM; 0 until open_rom(). */
extern u32 rom_slots, rom_shared;
#define ROM_SLOT(nr)	(rom_slots + SLOT * (nr))
bool open_rom(void);
u32 hypercall(u32 nr, u32 eax, u32 edx, u32 ecx);

struct table_pointer {
	u16 limit;
	u32 base;
} __packed;

static inline void lgdt(u16 limit, u32 base)
{
	struct table_pointer p = { limit, base };

	asm volatile("lgdt %0" : : "m" (p));
}

static inline void lidt(u16 limit, u32 base)
{
	struct table_pointer p = { limit, base };

	asm volatile("lidt %0" : : "m" (p));
}

static inline void invlpg(u32 lin)
{
	asm volatile("invlpg (%0)" : : "r" (lin) : "memory");
}

/* The local APIC, as it stands where the guest runs with paging off. */
#define LAPIC		0xfee00000u
#define APIC_TPR	0x80
#define APIC_EOI	0xb0
#define APIC_SVR	0xf0
#define APIC_ICR	0x300
#define APIC_ICR2	0x310
#define APIC_LVT_TIMER	0x320
#define APIC_TMICT	0x380
#define APIC_TDCR	0x3e0
#define ICR_SELF	0x44000u
#define ICR_TO_ONE	0x4000u
#define DELIVER_NMI	0x400u
#define DELIVER_INIT	0x500u
#define LVT_PERIODIC	0x20000u
#define LVT_MASKED	0x10000u

static inline void apic(u32 reg, u32 value)
{
	write32(LAPIC + reg, value);
}

static inline void apic_on(void)
{
	apic(APIC_TPR, 0);
	apic(APIC_SVR, 0x1ff);
	apic(APIC_TDCR, 0xb);		/* counts each cycle */
}

/* Its timer: once, or from now on, with a vector or as an NMI. */
static inline void timer(u32 lvt, u32 cycles)
{
	apic(APIC_LVT_TIMER, lvt);
	apic(APIC_TMICT, cycles);
}

#define PTE_P		0x001
#define PTE_W		0x002
#define PTE_U		0x004
#define PTE_AD		0x060
#define PTE_PS		0x080
#define PTE_PWU		0x007
#define CR0_WP		0x00010000
#define CR4_PAE		0x20

#endif /* _HOSTILE_H */
