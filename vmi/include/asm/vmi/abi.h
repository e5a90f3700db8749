/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_ABI_H
#define _ASM_X86_VMI_ABI_H

/*
 * The VMI 3.0 wire ABI, as Documentation/arch/x86/vmi.rst describes it, which
 * is docs/abi.md where the ROMs' sources are.  Guests, ROMs, the
 * monitor and host-side tests all include this file, assembly too.
 */

#include <asm/vmi/ops.h>

#define VMI_ROM_START		0xc0000		/* physical, first byte scanned */
#define VMI_ROM_END		0xe0000		/* physical, one past the last */
#define VMI_ROM_STEP		2048		/* a ROM starts on such a multiple */
#define VMI_ROM_BLOCK		512		/* unit of the length byte */

#define VMI_ROM_SIGNATURE	0xaa55
#define VMI_SIGNATURE		0x696d5663	/* "cVmi" */
#define VMI_API_MAJOR		3
#define VMI_API_MINOR		0

#define VMI_PCI_VENDOR		0x15ad
#define VMI_PCI_DEVICE		0x0801

/* Offsets of the header's fields that assembly needs. */
#define VMI_HEADER_INIT		128
#define VMI_HEADER_GET_RELOC	136
#define VMI_HEADER_SIZE		144

/* Types that get_reloc answers, in DL. */
#define VMI_RELOC_NONE		0
#define VMI_RELOC_CALL		1
#define VMI_RELOC_JUMP		2
#define VMI_RELOC_NOP		3

/* Flags of SetPxE, SetPxELong, UpdatePxE, UpdatePxELong. */
#define VMI_PAGE_PT		0x00
#define VMI_PAGE_PD		0x01
#define VMI_PAGE_PDP		0x02
#define VMI_PAGE_PML4		0x03
#define VMI_PAGE_LEVEL_MASK	0x03
#define VMI_PAGE_CURRENT_AS	0x10
#define VMI_PAGE_DEFER		0x20

/* Flags of AllocatePage and ReleasePage, beside the level. */
#define VMI_PAGE_PAE		0x10
#define VMI_PAGE_CLONE		0x20
#define VMI_PAGE_ZEROED		0x40

/* Arguments of FlushTLB. */
#define VMI_FLUSH_TLB		1
#define VMI_FLUSH_GLOBAL	2

/* Arguments of SetLazyMode. */
#define VMI_LAZY_NONE		0
#define VMI_LAZY_MMU		1
#define VMI_LAZY_CPU		2

/* Arguments of GetCycleCounter, and the low byte of SetAlarm's flags. */
#define VMI_CYCLES_REAL		0
#define VMI_CYCLES_AVAILABLE	1
#define VMI_CYCLES_STOLEN	2
#define VMI_ALARM_COUNTER_MASK	0x000ff
#define VMI_ALARM_PERIODIC	0x00100
#define VMI_ALARM_LVTT		0x10000

/* GetOpCount: first number of the counters that are the host's own. */
#define VMI_HOST_COUNTERS	256

/* States of pages, for PageState. */
#define VMI_PAGES_FREE		0
#define VMI_PAGES_USED		1

/* Who polls before a processor halts, for HaltPoll. */
#define VMI_POLL_GUEST		0
#define VMI_POLL_HOST		1

#ifndef __ASSEMBLY__

#include <linux/types.h>

#define VMI_OP_ENUM(nr, id, name, type, group, in, out, native) \
	VMI_OP_##id = nr,
enum vmi_op {
	VMI_OPS(VMI_OP_ENUM)
};

/*
 * struct vmi_rom_header - first 144 bytes of an ABI ROM
 *
 * Offsets in the *_offs fields count from the first byte of the header.
 * @vmi_init and @get_reloc hold a jump instruction each.
 */
struct vmi_rom_header {
	__u16	rom_signature;
	__u8	rom_length;
	__u8	rom_entry[4];
	__u8	pad0;
	__u32	vrom_signature;
	__u8	api_version_min;
	__u8	api_version_maj;
	__u8	jump_slots;
	__u8	reserved0;
	__u32	virtual_top;
	__u16	reserved1;
	__u16	license_offs;
	__u16	pci_header_offs;
	__u16	pnp_header_offs;
	__u8	code_length;
	__u8	pad1[3];
	__u8	reserved2[96];
	__u8	vmi_init[8];
	__u8	get_reloc[8];
} __attribute__((__packed__));

/**
 * struct vmi_reloc - what get_reloc answers for one operation
 * @eip: linear address of the routine, where the ROM was called (EAX)
 * @type: VMI_RELOC_* (DL)
 */
struct vmi_reloc {
	__u32	eip;
	__u8	type;
};

/*
 * struct vmi_ap_state - registers with which an application processor starts
 *
 * Argument of SetInitialAPState; protected mode, paging on.
 */
struct vmi_ap_state {
	__u32	cr0;
	__u32	cr2;
	__u32	cr3;
	__u32	cr4;
	__u64	efer;
	__u32	eip;
	__u32	eflags;
	__u32	eax;
	__u32	ebx;
	__u32	ecx;
	__u32	edx;
	__u32	esp;
	__u32	ebp;
	__u32	esi;
	__u32	edi;
	__u16	cs;
	__u16	ss;
	__u16	ds;
	__u16	es;
	__u16	fs;
	__u16	gs;
	__u16	ldtr;
	__u16	gdtr_limit;
	__u32	gdtr_base;
	__u32	idtr_base;
	__u16	idtr_limit;
} __attribute__((__packed__));

#endif /* !__ASSEMBLY__ */
#endif /* _ASM_X86_VMI_ABI_H */
