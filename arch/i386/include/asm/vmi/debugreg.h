/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_DEBUGREG_H
#define _ASM_X86_VMI_DEBUGREG_H

/* Debug registers; their number is part of the instruction. */

#include <asm/vmi/site.h>

#define VMI_GET_DR(nr)							\
({									\
	unsigned long __dr;						\
									\
	asm_inline volatile(VMI_THUNK(VMI_PAD2 "mov %%db" #nr ",%[val]", \
				      "mov $" #nr ",%%eax", "",		\
				      VMI_RESULT("%[val]"))		\
			    : [val] "=r" (__dr)				\
			    : VMI_OPERAND(GET_DR) : "memory");		\
	__dr;								\
})

#define VMI_SET_DR(nr, value)						\
	asm_inline volatile(VMI_THUNK(VMI_PAD2 "mov %[val],%%db" #nr,	\
				      VMI_ARGS2("$" #nr, "%[val]"), "",	\
				      VMI_RESTORE)			\
			    : : VMI_OPERAND(SET_DR), [val] "r" (value) : "memory")

static __always_inline unsigned long vmi_get_debugreg(int regno)
{
	switch (regno) {
	case 0:
		return VMI_GET_DR(0);
	case 1:
		return VMI_GET_DR(1);
	case 2:
		return VMI_GET_DR(2);
	case 3:
		return VMI_GET_DR(3);
	case 6:
		return VMI_GET_DR(6);
	case 7:
		return VMI_GET_DR(7);
	default:
		BUG();
	}
}

static __always_inline void vmi_set_debugreg(int regno, unsigned long value)
{
	switch (regno) {
	case 0:
		VMI_SET_DR(0, value);
		break;
	case 1:
		VMI_SET_DR(1, value);
		break;
	case 2:
		VMI_SET_DR(2, value);
		break;
	case 3:
		VMI_SET_DR(3, value);
		break;
	case 6:
		VMI_SET_DR(6, value);
		break;
	case 7:
		VMI_SET_DR(7, value);
		break;
	default:
		BUG();
	}
}

#define get_debugreg(var, register)	((var) = vmi_get_debugreg(register))
#define set_debugreg(value, register)	vmi_set_debugreg(register, value)

#endif /* _ASM_X86_VMI_DEBUGREG_H */
