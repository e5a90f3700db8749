/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_PROCESSOR_H
#define _ASM_X86_VMI_PROCESSOR_H

/* With CPUID, whose place was in asm/processor.h before Linux 6.2. */
#include <asm/vmi/cpuid.h>
#include <asm/vmi/site.h>

static inline void load_sp0(unsigned long sp0)
{
	native_load_sp0(sp0);
	VMI_DO2(UPDATE_KERNEL_STACK, VMI_NOP5, __KERNEL_DS, sp0);
}

#endif /* _ASM_X86_VMI_PROCESSOR_H */
