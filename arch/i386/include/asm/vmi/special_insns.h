/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_SPECIAL_INSNS_H
#define _ASM_X86_VMI_SPECIAL_INSNS_H

/* Control registers and the cache. */

#include <asm/vmi/site.h>

static inline unsigned long read_cr0(void)
{
	return VMI_GET(GET_CR0, VMI_PAD2 "mov %%cr0,%[val]");
}

static __always_inline unsigned long read_cr2(void)
{
	return VMI_GET(GET_CR2, VMI_PAD2 "mov %%cr2,%[val]");
}

static __always_inline void write_cr2(unsigned long x)
{
	VMI_DO1(SET_CR2, VMI_PAD2 "mov %[a],%%cr2", x);
}

static inline unsigned long __read_cr3(void)
{
	return VMI_GET(GET_CR3, VMI_PAD2 "mov %%cr3,%[val]");
}

static inline void write_cr3(unsigned long x)
{
	VMI_DO1(SET_CR3, VMI_PAD2 "mov %[a],%%cr3", x);
}

/* A processor with CMOV has CR4, so no exception needs to be caught. */
static inline unsigned long __read_cr4(void)
{
	return VMI_GET(GET_CR4, VMI_PAD2 "mov %%cr4,%[val]");
}

/* In native_write_cr0() and native_write_cr4(), which pin some of the bits. */
static __always_inline void vmi_write_cr0(unsigned long x)
{
	VMI_DO1(SET_CR0, VMI_PAD2 "mov %[a],%%cr0", x);
}

static __always_inline void vmi_write_cr4(unsigned long x)
{
	VMI_DO1(SET_CR4, VMI_PAD2 "mov %[a],%%cr4", x);
}

static inline void write_cr0(unsigned long x)
{
	native_write_cr0(x);
}

static inline void __write_cr4(unsigned long x)
{
	native_write_cr4(x);
}

static __always_inline void wbinvd(void)
{
	VMI_DO0(WBINVD, VMI_PAD3 "wbinvd");
}

#endif /* _ASM_X86_VMI_SPECIAL_INSNS_H */
