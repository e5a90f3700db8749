/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_TLB_H
#define _ASM_X86_VMI_TLB_H

/* TLB flushes; included by mm/tlb.c alone. */

#include <asm/vmi/setup.h>
#include <asm/vmi/site.h>

static void native_flush_tlb_local(void);
static void native_flush_tlb_global(void);
static void native_flush_tlb_one_user(unsigned long addr);
static void native_flush_tlb_multi(const struct cpumask *cpumask,
				   const struct flush_tlb_info *info);

static __always_inline void vmi_flush_tlb_local(void)
{
	if (vmi_patched(VMI_OP_FLUSH_TLB))
		vmi_call1(FLUSH_TLB, VMI_FLUSH_TLB);
	else
		native_flush_tlb_local();
}

static __always_inline void vmi_flush_tlb_global(void)
{
	if (vmi_patched(VMI_OP_FLUSH_TLB))
		vmi_call1(FLUSH_TLB, VMI_FLUSH_GLOBAL);
	else
		native_flush_tlb_global();
}

static __always_inline void vmi_flush_tlb_one_user(unsigned long addr)
{
	if (vmi_patched(VMI_OP_INVAL_PAGE))
		vmi_call1(INVAL_PAGE, addr);
	else
		native_flush_tlb_one_user(addr);
}

/* Pages of one address space.  false: flush them one by one. */
static __always_inline bool vmi_flush_tlb_range(unsigned long start, unsigned long end)
{
	if (!vmi_patched(VMI_OP_FLUSH_RANGE))
		return false;
	vmi_call2(FLUSH_RANGE, start, (end - start) >> PAGE_SHIFT);
	return true;
}

static __always_inline void vmi_flush_tlb_multi(const struct cpumask *cpumask,
						const struct flush_tlb_info *info)
{
#ifdef CONFIG_SMP
	if (vmi_patched(VMI_OP_FLUSH_LATER))
		cpumask = vmi_flush_later(cpumask);
#endif
	native_flush_tlb_multi(cpumask, info);
}

#endif /* _ASM_X86_VMI_TLB_H */
