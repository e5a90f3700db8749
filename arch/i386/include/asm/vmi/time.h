/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_TIME_H
#define _ASM_X86_VMI_TIME_H

/* Time that the host took from this processor; for the scheduler. */

#include <asm/vmi/site.h>

/* Without CONFIG_PARAVIRT, which has a static key and a static call for it. */
#define paravirt_steal_clock_enabled()	vmi_patched(VMI_OP_GET_CYCLE_COUNTER)

__u64 paravirt_steal_clock(int cpu);

#endif /* _ASM_X86_VMI_TIME_H */
