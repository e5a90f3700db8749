/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_PGALLOC_H
#define _ASM_X86_VMI_PGALLOC_H

/* Telling the host which pages are page tables. */

#include <asm/vmi/site.h>

static __always_inline void vmi_alloc_page(unsigned long pfn, unsigned long level)
{
	if (vmi_patched(VMI_OP_ALLOCATE_PAGE))
		vmi_call5(ALLOCATE_PAGE, pfn, level | VMI_PAGE_FORMAT, 0, 0, 0);
}

static __always_inline void vmi_release_page(unsigned long pfn, unsigned long level)
{
	if (vmi_patched(VMI_OP_RELEASE_PAGE))
		vmi_call2(RELEASE_PAGE, pfn, level | VMI_PAGE_FORMAT);
}

static inline int paravirt_pgd_alloc(struct mm_struct *mm)
{
	vmi_alloc_page(__pa(mm->pgd) >> PAGE_SHIFT, VMI_PAGE_TOP);
	return 0;
}

static inline void paravirt_pgd_free(struct mm_struct *mm, pgd_t *pgd)
{
	vmi_release_page(__pa(pgd) >> PAGE_SHIFT, VMI_PAGE_TOP);
}

static inline void paravirt_alloc_pte(struct mm_struct *mm, unsigned long pfn)
{
	vmi_alloc_page(pfn, VMI_PAGE_PT);
}

static inline void paravirt_alloc_pmd(struct mm_struct *mm, unsigned long pfn)
{
	vmi_alloc_page(pfn, VMI_PAGE_PD);
}

static inline void paravirt_release_pte(unsigned long pfn)
{
	vmi_release_page(pfn, VMI_PAGE_PT);
}

static inline void paravirt_release_pmd(unsigned long pfn)
{
	vmi_release_page(pfn, VMI_PAGE_PD);
}

/* Levels that a kernel of 32 bits does not have. */
static inline void paravirt_alloc_pud(struct mm_struct *mm, unsigned long pfn) {}
static inline void paravirt_alloc_p4d(struct mm_struct *mm, unsigned long pfn) {}
static inline void paravirt_release_pud(unsigned long pfn) {}
static inline void paravirt_release_p4d(unsigned long pfn) {}

#endif /* _ASM_X86_VMI_PGALLOC_H */
