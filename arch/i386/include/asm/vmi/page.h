/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_PAGE_H
#define _ASM_X86_VMI_PAGE_H

/* Telling the host which pages are free. */

#include <asm/vmi/site.h>

struct page;

void vmi_page_state(struct page *page, int order, unsigned long state);

#define HAVE_ARCH_FREE_PAGE
static __always_inline void arch_free_page(struct page *page, int order)
{
	if (vmi_patched(VMI_OP_PAGE_STATE))
		vmi_page_state(page, order, VMI_PAGES_FREE);
}

#define HAVE_ARCH_ALLOC_PAGE
static __always_inline void arch_alloc_page(struct page *page, int order)
{
	if (vmi_patched(VMI_OP_PAGE_STATE))
		vmi_page_state(page, order, VMI_PAGES_USED);
}

#endif /* _ASM_X86_VMI_PAGE_H */
