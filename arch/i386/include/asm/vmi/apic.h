/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_APIC_H
#define _ASM_X86_VMI_APIC_H

/*
 * Registers of the local APIC.  No processor with CMOV has the 11AP erratum, so
 * a plain MOV writes them.
 */

#include <asm/vmi/site.h>

static inline void native_apic_mem_write(u32 reg, u32 v)
{
	u32 *addr = (u32 *)(APIC_BASE + reg);

	asm_inline volatile(VMI_THUNK(VMI_PAD3 "movl %[v],%[addr]",
				      "push %[v]; lea %[addr],%%eax; pop %%edx",
				      "", VMI_RESTORE)
			    : [addr] "=m" (*addr)
			    : VMI_OPERAND(APIC_WRITE), [v] "r" (v) : "memory");
}

static inline u32 native_apic_mem_read(u32 reg)
{
	u32 *addr = (u32 *)(APIC_BASE + reg);
	u32 v;

	asm_inline volatile(VMI_THUNK(VMI_PAD3 "movl %[addr],%[v]",
				      "lea %[addr],%%eax", "",
				      VMI_RESULT("%[v]"))
			    : [v] "=r" (v)
			    : VMI_OPERAND(APIC_READ), [addr] "m" (*addr) : "memory");
	return v;
}

#endif /* _ASM_X86_VMI_APIC_H */
