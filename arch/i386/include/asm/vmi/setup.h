/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_SETUP_H
#define _ASM_X86_VMI_SETUP_H

/* What Linux's own files call. */
#include <linux/types.h>

#include <asm/segment.h>

struct cpumask;
struct module;
struct pt_regs;

#ifdef CONFIG_VMI

void vmi_init(void);
bool vmi_rom_page(unsigned long vaddr);
bool vmi_takes_iret(void);
bool vmi_ring0(void);
u32 vmi_crc32(u32 crc);
void vmi_module_finalize(struct module *mod, void *sites, size_t size);
void vmi_module_cleanup(struct module *mod);
bool vmi_fault_in_rom(struct pt_regs *regs, int trapnr, unsigned long error_code);
const struct cpumask *vmi_flush_later(const struct cpumask *cpus);

/* The kernel's code segment?  Its RPL is the ring that the host has us run in. */
static inline bool vmi_is_kernel_cs(unsigned short cs)
{
	return (cs & ~SEGMENT_RPL_MASK) == __KERNEL_CS;
}

#else

static inline void vmi_init(void) {}
static inline bool vmi_rom_page(unsigned long vaddr) { return false; }
static inline bool vmi_takes_iret(void) { return false; }
static inline bool vmi_ring0(void) { return true; }
static inline u32 vmi_crc32(u32 crc) { return crc; }
static inline void vmi_module_finalize(struct module *mod, void *sites, size_t size) {}
static inline void vmi_module_cleanup(struct module *mod) {}
static inline bool vmi_fault_in_rom(struct pt_regs *regs, int trapnr,
				    unsigned long error_code)
{
	return false;
}

static inline bool vmi_is_kernel_cs(unsigned short cs)
{
	return cs == __KERNEL_CS;
}

#endif

#endif /* _ASM_X86_VMI_SETUP_H */
