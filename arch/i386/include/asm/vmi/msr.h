/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_MSR_H
#define _ASM_X86_VMI_MSR_H

/*
 * The bare instructions for asm statements that already have their operands in
 * the instruction's registers.  In a kernel without VMI they are just that.
 */

#ifdef CONFIG_VMI
#include <asm/vmi/site.h>

#define VMI_INSN(insn)		VMI_DIRECT(VMI_PAD3 insn)
#define VMI_ALSO(id)		, VMI_OPERAND(id)	/* behind other inputs */
#define VMI_ONLY(id)		: VMI_OPERAND(id)	/* where there are none */
#else
#define VMI_INSN(insn)		insn "\n"
#define VMI_ALSO(id)
#define VMI_ONLY(id)
#endif

#endif /* _ASM_X86_VMI_MSR_H */
