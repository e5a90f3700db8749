/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_IO_H
#define _ASM_X86_VMI_IO_H

#include <asm/vmi/site.h>

/* The native code is the call that a plain kernel has here. */
static inline void vmi_io_delay(void)
{
	asm_inline volatile(VMI_DIRECT("call native_io_delay")
			    : : VMI_OPERAND(IO_DELAY)
			    : "eax", "edx", "ecx", "memory");
}

#ifndef CONFIG_PARAVIRT
static inline void slow_down_io(void)
{
	vmi_io_delay();
#ifdef REALLY_SLOW_IO
	vmi_io_delay();
	vmi_io_delay();
	vmi_io_delay();
#endif
}
#endif

#endif /* _ASM_X86_VMI_IO_H */
