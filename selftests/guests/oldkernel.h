/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of oldkernel: oldkernel.c starts it and asks the ROM, oldtests.c has
 * what is tested then, oldentry.S what is not C.
 */
#ifndef _OLDKERNEL_H
#define _OLDKERNEL_H

#include <asm/vmi/abi.h>

#include "guest.h"

#define PAGE_OFFSET	0xc0000000u
#define FIX_APIC	0xffffb000u
#define LAPIC		0xfee00000u
#define VICTIM		0xf0000000u	/* a page whose translation changes */
#define CR0_WP		0x00010000

#define REGPARM		__attribute__((__regparm__(3)))

/* By the prototypes that such a kernel has of them; NULL: its own instruction. */
struct old_ops {
	u32 (*apic_read)(u32 reg) REGPARM;
	void (*apic_write)(u32 reg, u32 value) REGPARM;
	void (*irq_enable)(void);
	void (*irq_disable)(void);
	void (*halt)(void);
	void (*flush_tlb)(u32 what) REGPARM;
	void (*inval_page)(u32 addr) REGPARM;
	void (*set_pte)(u32 value, void *entry, u32 flags) REGPARM;
	void (*set_pte_long)(u64 value, void *entry, u32 flags) REGPARM;
	void (*allocate_page)(u32 pfn, u32 flags, u32 clone, u32 first, u32 count) REGPARM;
	void (*release_page)(u32 pfn, u32 flags) REGPARM;
	void (*set_linear_mapping)(u32 slot, u32 addr, u32 pages, u32 pfn) REGPARM;
	void (*set_kernel_stack)(u32 ss, u32 esp) REGPARM;
	void (*write_gdt_entry)(void *table, u32 index, u32 low, u32 high) REGPARM;
	void (*set_lazy_mode)(u32 mode) REGPARM;
	void (*set_initial_ap_state)(const struct vmi_ap_state *state, u32 id) REGPARM;
	u64 (*get_cycle_frequency)(void);
	u64 (*get_cycle_counter)(u32 which) REGPARM;
	u64 (*get_wallclock)(void);
	u32 (*wallclock_updated)(void);
	void (*set_alarm)(u32 flags, u64 expiry, u64 period) REGPARM;
	u32 (*cancel_alarm)(u32 flags) REGPARM;
};

extern struct old_ops ops;
extern struct vmi_reloc old_relocs[96];
extern const struct vmi_rom_header *rom;
extern u32 ring, pae, old_root;

/* By the ROM, or natively. */
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 value);
void irq_enable(void);
void irq_disable(void);
void set_entry(void *entry, u64 value, u32 flags);
void *victim_entry(void);
void release_victim(void);

/* oldentry.S: to a program or the kernel; old_land() makes them return. */
void old_launch(const u32 frame[5], const void *routine) REGPARM;
void old_launch_sysexit(u32 eip, u32 esp, const void *routine) REGPARM;
void __noreturn old_land(void);
void old_ap(void);
extern const char old_user[], old_ap_entry[];
extern const u32 old_marks[2];

struct old_test {
	const char *name;
	void (*run)(const char *cmdline);
};

extern const struct old_test old_tests[];
bool old_trap(const struct trap_frame *frame);

extern char ring0_stack_top[];

#endif /* _OLDKERNEL_H */
