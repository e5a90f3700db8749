/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VMI_H
#define _VMI_H

/* Shared by the files of the shim. */

#include <linux/list.h>
#include <linux/types.h>
#include <asm/vmi/patch.h>

/**
 * struct vmi_state - what came of the ROM
 * @active: a ROM was accepted and the sites were rewritten
 * @rom: that ROM
 * @relocs: its answers, by operation
 * @counts: what was done to the kernel's own sites
 */
struct vmi_state {
	bool active;
	struct vmi_rom rom;
	struct vmi_reloc relocs[VMI_NR_OPS];
	struct vmi_counts counts;
};

extern struct vmi_state vmi_state;

/**
 * struct vmi_table - the sites of the kernel, or of a module
 * @list: in vmi_tables, under vmi_tables_lock
 * @mod: the module, NULL for the kernel
 * @start: first row
 * @end: behind the last
 */
struct vmi_table {
	struct list_head list;
	struct module *mod;
	const struct vmi_site *start;
	const struct vmi_site *end;
};

extern struct list_head vmi_tables;
extern struct mutex vmi_tables_lock;

extern const struct vmi_site __vmi_sites[], __vmi_sites_end[];

/* entry.S */
int vmi_rom_call(const void *entry, u32 arg, u64 *result);
extern unsigned long vmi_rom_call_esp;
extern const char vmi_rom_call_fault[], vmi_return[], vmi_return_0[], vmi_ap_start[];

/* entry_32.S */
extern const char vmi_iret_site[];

/* cpu.c: what the host keeps; operations for which Linux has a hook of its own */
bool vmi_give_up_top(u32 top);
void vmi_take_back_top(void);
void vmi_hook_early(void);
void vmi_hook_cpu(void);

/* smp.c */
void vmi_hook_spinlock(void);
void vmi_hook_ipi(void);

/* time.c */
void vmi_hook_tsc(void);
void vmi_hook_wallclock(void);
void vmi_hook_clock(void);

#endif /* _VMI_H */
