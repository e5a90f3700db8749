/* SPDX-License-Identifier: GPL-2.0-only */
/* Page tables of a guest on the layer, in both of the processor's formats. */
#ifndef _PAGING_H
#define _PAGING_H

#include "guest.h"

#define PAGE_SIZE	4096u
#define PTE_P		0x001
#define PTE_W		0x002
#define PTE_U		0x004
#define PTE_A		0x020
#define PTE_D		0x040
#define PTE_PS		0x080
#define PTE_G		0x100
#define PTE_NX		(1ull << 63)
#define PTE_RIGHTS	(PTE_P | PTE_W | PTE_A | PTE_D)

#define CR0_WP		0x00010000
#define CR4_PAE		0x20
#define CR4_SMEP	0x100000
#define CR4_SMAP	0x200000
#define EFER		0xc0000080
#define EFER_NX		0x800

/* A page fault's error code. */
#define PF_P		1
#define PF_W		2
#define PF_U		4
#define PF_RSVD		8
#define PF_I		16
#define NO_FAULT	0xffff

struct space {
	bool pae;
	u32 root;		/* for CR3 */
};

/* The space that is loaded. */
extern struct space *space;

/* A page of zeros, never given back. */
void *page_alloc(void);

/* The first 512 MB and the APICs by large pages, and the user's page and stack. */
void space_init(struct space *s, bool pae);
void space_load(struct space *s);	/* turns paging on, or changes the format */

/* An entry of a table: 0 for pages, 1 for directories; tables made on the way. */
void *entry_of(struct space *s, u32 addr, int level);
u64 entry_read(struct space *s, const void *entry);
void entry_set(struct space *s, void *entry, u64 value, u32 flags);
void entry_update(struct space *s, void *entry, u64 value, u32 flags);
u32 large_size(const struct space *s);

void allocate_page(struct space *s, u32 pfn, u32 level);
void release_page(struct space *s, u32 pfn, u32 level);

#define USER_CODE	0x40000000
#define USER_STACK	0x40001000

/* An access, from the kernel or a user: NO_FAULT, or the page fault's code. */
enum touch { READ, WRITE, EXEC };
u32 touch(u32 addr, enum touch how, bool user);
extern u32 touched;		/* what READ read */
#define TOUCH_VALUE	0x600dc0de	/* what WRITE writes */

#endif /* _PAGING_H */
