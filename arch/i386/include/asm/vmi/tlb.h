/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_TLB_H
#define _ASM_X86_VMI_TLB_H

/* TLB flushes, for the native functions in mm/tlb.c; true: the host did it. */

#include <asm/vmi/setup.h>

#ifdef CONFIG_VMI

#include <asm/vmi/site.h>

static __always_inline bool vmi_flush_tlb_local(void)
{
	if (!vmi_patched(VMI_OP_FLUSH_TLB))
		return false;
	vmi_call1(FLUSH_TLB, VMI_FLUSH_TLB);
	return true;
}

static __always_inline bool vmi_flush_tlb_global(void)
{
	if (!vmi_patched(VMI_OP_FLUSH_TLB))
		return false;
	vmi_call1(FLUSH_TLB, VMI_FLUSH_GLOBAL);
	return true;
}

static __always_inline bool vmi_flush_tlb_one_user(unsigned long addr)
{
	if (!vmi_patched(VMI_OP_INVAL_PAGE))
		return false;
	vmi_call1(INVAL_PAGE, addr);
	return true;
}

/* Pages of one address space.  false: flush them one by one. */
static __always_inline bool vmi_flush_tlb_range(unsigned long start, unsigned long end)
{
	if (!vmi_patched(VMI_OP_FLUSH_RANGE))
		return false;
	vmi_call2(FLUSH_RANGE, start, (end - start) >> PAGE_SHIFT);
	return true;
}

/* Of the processors to flush, those that must be told now. */
static __always_inline const struct cpumask *vmi_flush_now(const struct cpumask *cpus)
{
#ifdef CONFIG_SMP
	if (vmi_patched(VMI_OP_FLUSH_LATER))
		return vmi_flush_later(cpus);
#endif
	return cpus;
}

#else

static inline bool vmi_flush_tlb_local(void) { return false; }
static inline bool vmi_flush_tlb_global(void) { return false; }
static inline bool vmi_flush_tlb_one_user(unsigned long addr) { return false; }
static inline bool vmi_flush_tlb_range(unsigned long start, unsigned long end)
{
	return false;
}

static inline const struct cpumask *vmi_flush_now(const struct cpumask *cpus)
{
	return cpus;
}

#endif

#endif /* _ASM_X86_VMI_TLB_H */
