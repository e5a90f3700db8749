/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_IRQFLAGS_H
#define _ASM_X86_VMI_IRQFLAGS_H

/*
 * The interrupt flag.  These sites call the ROM without a thunk, because a
 * host that emulates the flag is called here more often than anywhere else;
 * in return EAX is lost.  Restoring the flag is a test and then
 * EnableInterrupts, as in arch_local_irq_restore().
 */

#ifndef __ASSEMBLY__

#include <asm/vmi/site.h>

static __always_inline unsigned long arch_local_save_flags(void)
{
	unsigned long flags;

	asm_inline volatile(VMI_DIRECT(VMI_PAD3 "pushf; pop %%eax")
			    : "=a" (flags)
			    : VMI_OPERAND(GET_INTERRUPT_MASK) : "memory");
	return flags;
}

static __always_inline void arch_local_irq_disable(void)
{
	asm_inline volatile(VMI_DIRECT(VMI_PAD4 "cli")
			    : : VMI_OPERAND(DISABLE_INTERRUPTS) : "eax", "memory");
}

static __always_inline void arch_local_irq_enable(void)
{
	asm_inline volatile(VMI_DIRECT(VMI_PAD4 "sti")
			    : : VMI_OPERAND(ENABLE_INTERRUPTS) : "eax", "memory");
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = arch_local_save_flags();

	arch_local_irq_disable();
	return flags;
}

/* In native_safe_halt(). */
static __always_inline void vmi_safe_halt(void)
{
	VMI_DO0(HALT, VMI_PAD3 "sti; hlt");
}

#endif /* !__ASSEMBLY__ */
#endif /* _ASM_X86_VMI_IRQFLAGS_H */
