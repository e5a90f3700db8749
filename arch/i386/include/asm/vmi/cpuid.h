/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_CPUID_H
#define _ASM_X86_VMI_CPUID_H

#include <asm/vmi/site.h>

static inline void __cpuid(unsigned int *eax, unsigned int *ebx,
			   unsigned int *ecx, unsigned int *edx)
{
	asm_inline volatile(VMI_DIRECT(VMI_PAD3 "cpuid")
			    : "=a" (*eax), "=b" (*ebx), "=c" (*ecx), "=d" (*edx)
			    : VMI_OPERAND(CPUID), "0" (*eax), "2" (*ecx)
			    : "memory");
}

#endif /* _ASM_X86_VMI_CPUID_H */
