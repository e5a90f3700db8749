// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that wants into the monitor: the list of cases and what they share.
 * On the command line: list=1 only names the cases, first=N skips those before, last=N
 * those behind, only=N runs that one,
 * matrix=1 or 2 runs those of hostile-vectors.c instead,
 * mon=MB says where a monitor is that the memory map does not name,
 * smp=N tells how many processors there are, vmi=1 calls vmi_init first, seed=N, calls=N and from=N are for random calls.
 */
#include "hostile.h"

#define DEBUG_VECTOR	1
#define NMI_VECTOR	2
#define TIMER_VECTOR	0x20	/* of the 8259, as start.S sets it up */
#define LARGE_MASK	0x1fffff

struct trap_frame seen;
u32 mon_start, mon_end;
static void *home[5];
static bool armed;
static u32 random_state;
static const char *options;

u32 option(const char *name, u32 other)
{
	return cmdline_number(options, name, other);
}

void random_seed(u32 seed)
{
	random_state = seed * 2654435761u + 1;
}

u32 random32(void)
{
	/* Xorshift, and a multiplication that hides its straight lines. */
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state * 0x9e3779b1;
}

static bool on_trap(const struct trap_frame *frame)
{
	if (frame->vector == NMI_VECTOR)	/* icr sends some to itself */
		return true;
	seen = *frame;
	if (frame->vector == DEBUG_VECTOR)
		asm volatile("mov %0, %%db7" : : "r" (0));
	if (!armed)		/* a watchpoint of the case, after its trap; a held interrupt */
		return frame->vector == DEBUG_VECTOR || frame->vector == TIMER_VECTOR;
	armed = false;
	__builtin_longjmp(home, 1);
}

static void flat_segments_again(void)
{
	asm volatile("push $0; popf\n\t"
		     "ljmp %0, $1f\n1:\n\t"
		     "mov %1, %%ds; mov %1, %%es; mov %1, %%ss\n\t"
		     "mov %1, %%fs; mov %1, %%gs"
		     : : "i" (KERNEL_CS), "r" (KERNEL_DS) : "memory");
}

__attribute__((noinline)) bool traps(attempt_fn fn, u32 a, u32 b)
{
	if (__builtin_setjmp(home)) {
		flat_segments_again();
		return true;
	}
	armed = true;
	fn(a, b);
	armed = false;
	return false;
}

void home_state(void)
{
	WRITE_CR(0, (READ_CR(0) | CR0_WP) & ~(CR0_PG | CR0_TS));
	WRITE_CR(4, 0);
	asm volatile("lgdt %0" : : "m" (gdt_pointer));
	lidt(sizeof(idt) - 1, (u32)idt);
	flat_segments_again();
	asm volatile("lldt %w0" : : "r" (0));
	set_segment(TSS_SEL, (u32)&tss, sizeof(tss) - 1, SEG_TSS);
	asm volatile("ltr %w0" : : "r" (TSS_SEL));
	asm volatile("mov %0, %%db7" : : "r" (0));
}

/* The one range of the map that is reserved in whole large pages. */
static bool find_monitor(void)
{
	const u8 *bp = (const u8 *)boot_params;
	u32 i, range[5];

	if (option("mon", 0)) {
		mon_start = option("mon", 0) << 20;
		mon_end = mon_start + LARGE_MASK + 1;
		return true;
	}
	for (i = 0; i < bp[BP_E820_ENTRIES]; i++) {
		memcpy(range, bp + BP_E820 + 20 * i, 20);
		if (range[4] != E820_RESERVED || range[1] || range[3] ||
		    (range[0] | range[2]) & LARGE_MASK)
			continue;
		mon_start = range[0];
		mon_end = range[0] + range[2];
		return true;
	}
	return false;
}

static const struct hostile *const lists[] = {
	paging_cases, segment_cases, cpu_cases, machine_cases, nmi_cases, call_cases,
};

void run_case(const struct hostile *c, u32 number)
{
	static const char *const endings[] = { "lives", "stops", "either" };
	enum ending ends = c->ends;
	bool ok;

	if (ends == STOPS_SMP)
		ends = option("smp", 1) > 1 ? STOPS : LIVES;
	print("# case %u %s %s\n", number, c->name, endings[ends]);
	if (option("list", 0))
		return;
	home_state();
	ok = c->run();
	home_state();
	ktap_result(ok, c->name);
}

int main(const char *cmdline)
{
	u32 i, number = 0, first, last, only;
	const struct hostile *c;

	options = cmdline;
	trap_hook = on_trap;
	first = option("first", 0);
	last = option("last", ~0u);
	only = option("only", ~0u);
	if (!find_monitor()) {
		print("Bail out! the memory map names no monitor\n");
		return 1;
	}
	if (option("vmi", 0) && !open_rom()) {
		print("Bail out! no ROM\n");
		return 1;
	}
	if (option("matrix", 0) && !run_matrix(first, only))
		return 0;
	for (i = 0; i < ARRAY_SIZE(lists) && !option("matrix", 0); i++)
		for (c = lists[i]; c->name; c++, number++)
			if (number >= first && number <= last &&
			    (only == ~0u || number == only))
				run_case(c, number);
	print("# cases end\n");
	return ktap_failed() ? 2 : 0;
}
