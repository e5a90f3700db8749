/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_PGTABLE_H
#define _ASM_X86_VMI_PGTABLE_H

/*
 * Page-table writes.  Entries of the lowest level are written through SetPxELong,
 * of two-level tables through SetPxE.  With PAE the others are exchanged by CMPXCHG8B,
 * so they are written natively and the host is told afterwards; two-level ones are no
 * different from that.
 */

#include <asm/vmi/site.h>

/* Flag of the tables' format, and the level of the one that CR3 names. */
#ifdef CONFIG_X86_PAE

#define VMI_PAGE_FORMAT		VMI_PAGE_PAE
#define VMI_PAGE_TOP		VMI_PAGE_PDP

static inline void vmi_set_pte(pte_t *ptep, pte_t pte)
{
	VMI_DO4(SET_PXE_LONG, "movl %[b],4(%[c]); movl %[a],(%[c])",
		(u32)pte.pte, (u32)(pte.pte >> 32), ptep, VMI_PAGE_PT);
}

static inline void vmi_pte_clear(struct mm_struct *mm, unsigned long addr,
				 pte_t *ptep)
{
	VMI_DO4(SET_PXE_LONG, "movl %[a],(%[c]); movl %[b],4(%[c])",
		0, 0, ptep, VMI_PAGE_PT);
}

static inline void vmi_update_pxe(void *entry, unsigned long level)
{
	VMI_DO2(UPDATE_PXE_LONG, VMI_NOP5, entry, level);
}

#define set_pte_atomic(ptep, pte)					\
do {									\
	pte_t *__ptep = (ptep);						\
									\
	native_set_pte_atomic(__ptep, pte);				\
	vmi_update_pxe(__ptep, VMI_PAGE_PT);				\
} while (0)

#define set_pud(pudp, pud)						\
do {									\
	pud_t *__pudp = (pudp);						\
									\
	native_set_pud(__pudp, pud);					\
	vmi_update_pxe(__pudp, VMI_PAGE_PDP);				\
} while (0)

#else /* !CONFIG_X86_PAE */

#define VMI_PAGE_FORMAT		0
#define VMI_PAGE_TOP		VMI_PAGE_PD

static inline void vmi_set_pte(pte_t *ptep, pte_t pte)
{
	VMI_DO3(SET_PXE, VMI_PAD3 "movl %[a],(%[b])", pte.pte_low, ptep, VMI_PAGE_PT);
}

static inline void vmi_pte_clear(struct mm_struct *mm, unsigned long addr,
				 pte_t *ptep)
{
	vmi_set_pte(ptep, (pte_t) { .pte_low = 0 });
}

static inline void vmi_update_pxe(void *entry, unsigned long level)
{
	VMI_DO2(UPDATE_PXE, VMI_NOP5, entry, level);
}

#define set_pte_atomic(ptep, pte)	vmi_set_pte(ptep, pte)

#endif /* CONFIG_X86_PAE */

/* Behind an exchange or a changed bit of an entry of the lowest level. */
#define vmi_update_pte(ptep)	vmi_update_pxe(ptep, VMI_PAGE_PT)

/* Behind an exchange or a changed bit of a large page's entry. */
#define vmi_update_pmd(pmdp)	vmi_update_pxe(pmdp, VMI_PAGE_PD)

/* The same, with the entry that was there as the result. */
#define vmi_updated_pmd(pmdp, old)					\
({									\
	pmd_t __old = (old);						\
									\
	vmi_update_pmd(pmdp);						\
	__old;								\
})

/* An entry is gone; if it named a table, that is none any longer. */
#define vmi_release_table(pmd)						\
do {									\
	pmd_t __pmd = (pmd);						\
									\
	if (vmi_patched(VMI_OP_RELEASE_PAGE) &&				\
	    pmd_present(__pmd) && !pmd_leaf(__pmd))			\
		vmi_call2(RELEASE_PAGE, pmd_pfn(__pmd),			\
			  VMI_PAGE_PT | VMI_PAGE_FORMAT);		\
} while (0)

#define set_pte(ptep, pte)	vmi_set_pte(ptep, pte)

#define set_pmd(pmdp, pmd)						\
do {									\
	pmd_t *__pmdp = (pmdp);						\
									\
	native_set_pmd(__pmdp, pmd);					\
	vmi_update_pxe(__pmdp, VMI_PAGE_PD);				\
} while (0)

#define pte_clear(mm, addr, ptep)	vmi_pte_clear(mm, addr, ptep)

#define pmd_clear(pmdp)							\
do {									\
	pmd_t *__pmdp = (pmdp);						\
									\
	native_pmd_clear(__pmdp);					\
	vmi_update_pxe(__pmdp, VMI_PAGE_PD);				\
} while (0)

#define __HAVE_ARCH_ENTER_LAZY_MMU_MODE

#define VMI_LAZY_MODE(mode)						\
	asm_inline volatile(VMI_THUNK(VMI_NOP5, "mov $" #mode ",%%eax", "", \
				      VMI_RESTORE)			\
			    : : VMI_OPERAND(SET_LAZY_MODE) : "memory")

static inline void arch_enter_lazy_mmu_mode(void)
{
	VMI_LAZY_MODE(1);
}

static inline void arch_leave_lazy_mmu_mode(void)
{
	VMI_LAZY_MODE(0);
}

/* Whatever is queued is written; the rest of a lazy section is eager. */
static inline void arch_flush_lazy_mmu_mode(void)
{
	VMI_LAZY_MODE(0);
}

#endif /* _ASM_X86_VMI_PGTABLE_H */
