/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of romtest.  romtest.c finds ROMs and checks what can be checked
 * without calling operations; romcalls.c calls each; romcontext.c calls some
 * from where a call from flat ring 0 does not reach; romprobe.S runs a routine
 * with every register set and every register seen.
 */
#ifndef _ROMTEST_H
#define _ROMTEST_H

#include <asm/vmi/rom.h>

#include "guest.h"

#define EFLAGS_FIXED		0x0002
#define EFLAGS_ARITHMETIC	0x08d5	/* CF PF AF ZF SF OF */
#define EFLAGS_IF		0x0200
#define EFLAGS_DF		0x0400
#define EFLAGS_IOPL		0x3000

#define INSN_HLT		0xf4
#define INSN_IRET		0xcf

/* All that a routine can see or change; romprobe.S knows the order. */
struct probe_regs {
	u32	eax, ecx, edx, ebx, esi, edi, ebp;
	u32	esp, ss;
	u32	eflags, eip, cs;
	u32	ds, es, fs, gs;
	u32	vector;		/* after: the trap that ended the probe */
};

extern struct probe_regs probe_in, probe_out;
extern char probe_done[];	/* "int TRAP_VECTOR", from any ring */

/* Loads probe_in and goes; the next trap but an IRQ fills in probe_out. */
void probe_run(void);
void probe_home(void);		/* from the trap, back to who called it */

/* A ROM under test. */
struct rom {
	const struct vmi_rom_header *header;
	u32 len;
	const char *product;
	struct vmi_reloc relocs[128];
};

/* The table of operations, for C. */
enum op_group {
	GROUP_CPU, GROUP_MSR, GROUP_DESC, GROUP_CR, GROUP_IRQ, GROUP_RETURN,
	GROUP_MMU, GROUP_APIC, GROUP_TIME, GROUP_DEBUG, GROUP_SMP,
};

struct op_info {
	const char *name;	/* NULL: no such number */
	u8 type;
	enum op_group group;
};

extern const struct op_info op_info[VMI_NR_OPS];

/* Print the result of a test; the first clears why. */
void rom_result(const struct rom *rom, const char *what, const char *name);
void rom_skip(const struct rom *rom, const char *what, const char *name,
	      const char *reason);

/* romcalls.c: the ROM under test, and whether it counts. */
extern const struct rom *rom;
extern bool rom_counts;
extern u32 flags_in;		/* EFLAGS of the next call */

unsigned int calls_plan(const struct rom *planned);
void calls_run(const struct rom *under_test, unsigned int cpus);
bool counts_ops(const struct rom *rom);
u64 op_count(u32 nr);
u32 *call_prepare(u32 nr, u32 eax, u32 edx, u32 ecx);

/* romcontext.c */
unsigned int context_plan(void);		/* for a ROM that counts */
void context_run(unsigned int cpus);
void t_IRET(void);
void t_SYSEXIT(void);

/* The probe ended in a fault of the routine, and nothing had changed. */
void expect_fault_at_entry(void);

/*
 * With paging on: @flush makes the processor forget what it knew of a page,
 * though it is global (CR4.PGE set).
 */
void expect_flushed(void (*flush)(u32 addr), bool pge, bool global);

/* The timer: periodic interrupts, after each of which timer_work is called. */
extern volatile u32 timer_irqs, timer_first_eip;
void timer_start(void (*work)(void));
void timer_wait_pending(void);
void timer_stop(void);
bool timer_trap(const struct trap_frame *frame);	/* true: it was one */

#endif /* _ROMTEST_H */
