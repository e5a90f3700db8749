// SPDX-License-Identifier: GPL-2.0-only
/* Page tables of a guest on the layer; paging.h describes it. */
#include "layer.h"
#include "paging.h"

#define PAGES		192
#define DIRECT_SIZE	0x20000000
#define APICS		0xfe000000
#define PTE_PCD		0x10

struct space *space;
u32 touched;
static u8 pool[PAGES][PAGE_SIZE] __aligned(4096);
static unsigned int pool_used;

void *page_alloc(void)
{
	if (pool_used == PAGES) {
		print("Bail out! out of pages\n");
		guest_exit(1);
	}
	return pool[pool_used++];
}

u32 large_size(const struct space *s)
{
	return s->pae ? 1 << 21 : 1 << 22;
}

void allocate_page(struct space *s, u32 pfn, u32 level)
{
	if (vmi_patched(VMI_OP_ALLOCATE_PAGE))
		vmi_call5(ALLOCATE_PAGE, pfn, level | (s->pae ? VMI_PAGE_PAE : 0), 0, 0, 0);
}

void release_page(struct space *s, u32 pfn, u32 level)
{
	if (vmi_patched(VMI_OP_RELEASE_PAGE))
		vmi_call2(RELEASE_PAGE, pfn, level | (s->pae ? VMI_PAGE_PAE : 0));
}

static void set_pxe(u32 *entry, u32 value, u32 flags)
{
	asm_inline volatile(VMI_THUNK(VMI_PAD3 "movl %[a],(%[b])",
				      VMI_ARGS3("%[a]", "%[b]", "%[c]"), "", VMI_RESTORE)
			    : : VMI_OPERAND(SET_PXE), [a] "r" (value),
				[b] "r" (entry), [c] "r" (flags) : "memory");
}

static void set_pxe_long(u64 *entry, u64 value, u32 flags)
{
	asm_inline volatile(VMI_THUNK("movl $0,(%[c]); movl %[b],4(%[c]); movl %[a],(%[c])",
				      VMI_ARGS4("%[a]", "%[b]", "%[c]", "%[d]"),
				      VMI_DROP1, VMI_RESTORE)
			    : : VMI_OPERAND(SET_PXE_LONG), [a] "r" ((u32)value),
				[b] "r" ((u32)(value >> 32)), [c] "r" (entry),
				[d] "ri" (flags) : "memory");
}

u64 entry_read(struct space *s, const void *entry)
{
	return s->pae ? *(volatile const u64 *)entry : *(volatile const u32 *)entry;
}

/* By SetPxE or SetPxELong; the flush is the caller's. */
void entry_set(struct space *s, void *entry, u64 value, u32 flags)
{
	if (s->pae)
		set_pxe_long(entry, value, flags);
	else
		set_pxe(entry, value, flags);
}

/* By a plain store, and UpdatePxE or UpdatePxELong. */
void entry_update(struct space *s, void *entry, u64 value, u32 flags)
{
	if (s->pae) {
		*(volatile u64 *)entry = value;
		VMI_DO2(UPDATE_PXE_LONG, VMI_NOP5, entry, flags);
	} else {
		*(volatile u32 *)entry = value;
		VMI_DO2(UPDATE_PXE, VMI_NOP5, entry, flags);
	}
}

static void *index_entry(struct space *s, u32 table, u32 index)
{
	return (void *)((table & ~(PAGE_SIZE - 1)) + index * (s->pae ? 8 : 4));
}

void *entry_of(struct space *s, u32 addr, int level)
{
	u32 table = s->root, index = addr >> 22;
	void *entry;

	if (s->pae) {
		table = ((u64 *)s->root)[addr >> 30];
		index = addr >> 21 & 511;
	}
	entry = index_entry(s, table, index);
	if (level)
		return entry;
	if (!(entry_read(s, entry) & PTE_P)) {
		table = (u32)page_alloc();
		allocate_page(s, table >> 12, VMI_PAGE_PT);
		entry_set(s, entry, table | PTE_RIGHTS | PTE_U, VMI_PAGE_PD);
	}
	return index_entry(s, entry_read(s, entry), s->pae ? addr >> 12 & 511 : addr >> 12 & 1023);
}

static void map_user(struct space *s)
{
	static char *code, *stack;

	if (!code) {
		code = page_alloc();
		stack = page_alloc();
		memcpy(code, stubs, stubs_end - stubs);
	}
	entry_set(s, entry_of(s, USER_CODE, 0), (u32)code | PTE_RIGHTS | PTE_U, 0);
	entry_set(s, entry_of(s, USER_STACK, 0), (u32)stack | PTE_RIGHTS | PTE_U, 0);
}

void space_init(struct space *s, bool pae)
{
	u32 i, addr, step = pae ? 1 << 21 : 1 << 22;

	s->pae = pae;
	s->root = (u32)page_alloc();
	if (pae)
		for (i = 0; i < 4; i++)
			((u64 *)s->root)[i] = (u32)page_alloc() | PTE_P;
	for (addr = 0; addr < DIRECT_SIZE; addr += step)
		entry_set(s, entry_of(s, addr, 1), addr | PTE_RIGHTS | PTE_PS, VMI_PAGE_PD);
	for (addr = APICS; addr; addr += step)
		entry_set(s, entry_of(s, addr, 1), addr | PTE_RIGHTS | PTE_PS | PTE_PCD,
			  VMI_PAGE_PD);
	map_user(s);
}

void space_load(struct space *s)
{
	u32 cr4 = __read_cr4() & ~CR4_PAE;

	if (!space || space->pae != s->pae)
		write_cr0(read_cr0() & ~CR0_PG);
	__write_cr4(cr4 | CR4_PSE | (s->pae ? CR4_PAE : 0));
	write_cr3(s->root);
	write_cr0(read_cr0() | CR0_PG | CR0_WP);
	space = s;
}

/* The page fault of one access, if it has one. */
u32 touch(u32 addr, enum touch how, bool user)
{
	static const char * const code[] = { stub_read, stub_write, stub_call };
	struct trap_frame frame;

	frame = context(user ? user_stub(code[how]) : code[how], user);
	frame.eax = addr;
	frame.edx = TOUCH_VALUE;
	launch(&frame);
	touched = landed.ebx;
	if (landed.vector == TRAP_VECTOR)
		return NO_FAULT;
	EXPECT(landed.vector == 14);
	EXPECT(read_cr2() == addr);
	EXPECT(landed.eip == (how == EXEC ? addr : frame.eip));
	return landed.error;
}
