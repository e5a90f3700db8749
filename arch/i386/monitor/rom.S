/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ROM of the monitor: the part of it that runs in the guest, in ring 1.
 *
 * The monitor shows these pages, read-only, in the guest's option-ROM window
 * and right behind them a page that differs per CPU (struct shared).  At
 * vmi_init the monitor adds the linear address at which the guest called to
 * every word that mentions rom_base or rom_data, so that code may address the
 * shared page directly.  Before that, only init and get_reloc run.
 *
 * Stack addressing (%ss) is used throughout: it is the one data segment known
 * to be flat at every call site.
 */
#include <asm/vmi/abi.h>
#include "layout.h"

#define ROM_CODE	0x1000		/* a page of code, then the shared ones */
#define ROM_SIZE	(ROM_CODE + SH_PAGES * 0x1000)

	.set	rom_data, rom_base + ROM_CODE
#define SH(off)	%ss:(rom_data + off)

	/* The numbers of the operations, from the one table. */
#define OP_NUMBER(nr, id, name, type, group, in, out, native) \
	.set	VMI_OP_##id, nr;
VMI_OPS(OP_NUMBER)

	.text
	.globl	rom_base
rom_base:
	.word	VMI_ROM_SIGNATURE
	.byte	ROM_SIZE / VMI_ROM_BLOCK
	.byte	0xcb, 0, 0, 0		/* BIOS entry: far return */
	.byte	0			/* the monitor makes the sum zero here */
	.long	VMI_SIGNATURE
	.byte	VMI_API_MINOR, VMI_API_MAJOR
	.byte	2			/* jump slots */
	.byte	0
	.long	0			/* virtual_top: all 4 GiB are the guest's */
	.word	0
	.word	license - rom_base
	.word	pci_header - rom_base
	.word	pnp_header - rom_base
	.long	0
	.org	rom_base + VMI_HEADER_INIT
	jmp	rom_init
	.org	rom_base + VMI_HEADER_GET_RELOC
	jmp	get_reloc
	.org	rom_base + VMI_HEADER_SIZE

license:
	.asciz	"GPL v2"
	.balign 4
pci_header:
	.ascii	"PCIR"
	.word	VMI_PCI_VENDOR, VMI_PCI_DEVICE
	.word	0, 24
	.byte	0, 0, 0, 0xff
	.word	ROM_SIZE / VMI_ROM_BLOCK
	.word	0
	.byte	0xff, 0x80
	.word	0
	.balign 16
pnp_header:
	.ascii	"$PnP"
	.byte	1, 2
	.word	0
	.byte	0, 0
	.long	0
	.word	manufacturer - rom_base
	.word	product - rom_base
	.fill	3, 1, 0
	.fill	12, 1, 0
manufacturer:
	.asciz	"vmi386"
product:
	.asciz	"monitor"

/*
 * Hypercalls.  The number is the place: slot N is the code at slots + SLOT * N.
 * Arguments stay in the registers and on the stack where the caller put them.
 * vmi_init may make a far call of the INT, where that is faster.
 */
	.balign 64
	.globl	slots
slots:
	.rept	HC_SLOTS
	int	$HYPERCALL_VECTOR
	ret
	.balign SLOT
	.endr
	.set	slot_init, slots + SLOT * HC_INIT
	.set	slot_enable, slots + SLOT * HC_ENABLE
	.set	slot_iret, slots + SLOT * HC_IRET
	.set	slot_apic_write, slots + SLOT * VMI_OP_APIC_WRITE
	.set	slot_update_pxe, slots + SLOT * VMI_OP_UPDATE_PXE
	.set	slot_write_gdt, slots + SLOT * VMI_OP_WRITE_GDT_ENTRY

	.text
/* vmi_init() -> EAX: 0 for success */
rom_init:
	call	slot_init
	testl	%eax, %eax
	jnz	1f
	pushl	%ebx
	pushl	%esi
	movl	$slots + SLOT * HC_BY_CALL, %ebx
	call	time_slot
	pushl	%esi
	movl	$slots + SLOT * HC_BY_INT, %ebx
	call	time_slot
	popl	%edx
	movl	%esi, %eax
	call	slots + SLOT * HC_CHOOSE
	popl	%esi
	popl	%ebx
1:	ret

/* EBX: a slot -> ESI: cycles that it takes, the least of some */
time_slot:
	movl	$-1, %esi
	movl	$64, %ecx
1:	rdtsc
	pushl	%eax
	call	*%ebx
	rdtsc
	popl	%edx
	subl	%edx, %eax
	cmpl	%esi, %eax
	cmovb	%eax, %esi
	loop	1b
	ret

/* get_reloc(EAX: number) -> EAX: address, EDX: type */
get_reloc:
	cmpl	$VMI_NR_OPS, %eax
	jae	1f
	call	2f
2:	popl	%ecx
	movzwl	reloc_table + 2 - 2b(%ecx, %eax, 4), %edx
	movzwl	reloc_table - 2b(%ecx, %eax, 4), %eax
	testl	%edx, %edx
	jz	1f
	lea	rom_base - 2b(%ecx, %eax), %eax
	ret
1:	xorl	%eax, %eax
	xorl	%edx, %edx
	ret

/* 29 .. 32: the guest's interrupt flag.  Only EAX and the flags may change. */
rom_enable:
	movl	$0x200, SH(SH_VIF)
	cmpl	$0, SH(SH_PENDING)
	jne	slot_enable
	ret
rom_disable:
	movl	$0, SH(SH_VIF)
	ret
rom_get_mask:
	movl	SH(SH_VIF), %eax
	ret
rom_set_mask:
	andl	$0x200, %eax
	movl	%eax, SH(SH_VIF)
	jz	1f
	cmpl	$0, SH(SH_PENDING)
	jne	slot_enable
1:	ret

/*
 * 33: IRET, with the stack as the instruction wants it.
 *
 * The processor leaves the real interrupt flag alone (CPL > IOPL), so all there
 * is to do is the guest's flag, and closing the I/O ports on the way to ring 3.
 * From iret_begin on, when the guest's flag is set, the monitor finishes the
 * IRET itself before it delivers an interrupt, see rom_in_iret() there.
 */
rom_iret:
	pushl	%eax
	movl	12(%esp), %eax
	andl	$0x200, %eax
	movl	%eax, SH(SH_VIF)
	.globl	iret_begin, iret_insn, iret_slow, iret_slow_insn
iret_begin:
	cmpl	$0, SH(SH_PENDING)
	jne	iret_slow
	testb	$2, 8(%esp)
	jz	2f
	testb	$4, 20(%esp)
	jnz	iret_slow		/* an LDT's stack: perhaps of 16 bits */
	movw	$SH_IOMAP_CLOSED, SH(SH_IOMAP)
2:	popl	%eax
iret_insn:
	iret
iret_slow:
	popl	%eax
iret_slow_insn:
	jmp	slot_iret

/* 0: CPUID, less what ring 1 or long mode cannot give. */
rom_cpuid:
	pushl	%esi
	pushl	%edi
	movl	%eax, %esi
	movl	%ecx, %edi
	cpuid
	cmpl	$1, %esi
	je	cpuid_1
	cmpl	$7, %esi
	je	cpuid_7
	cmpl	$0xd, %esi
	je	cpuid_xsave
	cmpl	$0x80000001, %esi
	je	cpuid_ext
	shrl	$8, %esi
	cmpl	$0x400000, %esi
	je	cpuid_other
cpuid_done:
	popl	%edi
	popl	%esi
	ret
cpuid_1:
	/* not MONITOR, DTES64, VMX, SMX, EST, TM2, PCID, DCA, x2APIC */
	andl	$~(1 << 3 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | \
		   1 << 17 | 1 << 18 | 1 << 21), %ecx
	orl	$1 << 31, %ecx		/* a hypervisor */
	/* not VME, MCE, SEP, MCA */
	andl	$~(1 << 1 | 1 << 7 | 1 << 11 | 1 << 14), %edx
	jmp	cpuid_done
cpuid_7:
	/* not FSGSBASE, SMAP, MPX, INVPCID, PT */
	andl	$~(1 << 0 | 1 << 10 | 1 << 14 | 1 << 20 | 1 << 25), %ebx
	/* not UMIP, PKU, LA57, WAITPKG, shadow stacks */
	andl	$~(1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 16), %ecx
	andl	$~(1 << 20), %edx	/* not IBT */
	jmp	cpuid_done
cpuid_xsave:
	decl	%edi
	jnz	cpuid_done
	andl	$7, %eax		/* not XSAVES, XFD */
	jmp	cpuid_done
cpuid_ext:
	/* not VME, SYSCALL, 1 GB pages, LM */
	andl	$~(1 << 1 | 1 << 11 | 1 << 26 | 1 << 29), %edx
	andl	$~(1 << 2 | 1 << 10), %ecx	/* not SVM, IBS */
	jmp	cpuid_done
cpuid_other:
	/* a hypervisor below us, with offers that are not for our guest */
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	jmp	cpuid_done

/* Control registers: the guest's values, from the shared page. */
rom_get_cr0:
	movl	SH(SH_CR0), %eax
	ret
rom_get_cr2:
	movl	SH(SH_CR2), %eax
	ret
rom_get_cr3:
	movl	SH(SH_CR3), %eax
	ret
rom_get_cr4:
	movl	SH(SH_CR4), %eax
	ret
rom_set_cr2:
	movl	%eax, SH(SH_CR2)
	ret
rom_update_kernel_stack:
	movl	%eax, SH(SH_SS0)
	movl	%edx, SH(SH_ESP0)
	ret
rom_nothing:
	ret
rom_apic_read:
	movl	(%eax), %eax
	ret
/* 63: EOI, when the monitor has already done it, see apic.c there. */
rom_apic_write:
	movl	%eax, %ecx
	andl	$0xff0, %ecx
	cmpl	$0xb0, %ecx
	jne	slot_apic_write
	movl	SH(SH_DEPTH), %ecx
	jecxz	1f
	testl	$SERVICE_REAL, %ss:rom_data + SH_SERVICE - 4(, %ecx, 4)
	jnz	1f
	decl	SH(SH_DEPTH)
	cmpl	$0, SH(SH_EOI_HELD)
	jne	slot_enable
	ret
1:	jmp	slot_apic_write

rom_io_delay:
	outb	%al, $0x80
	ret
rom_rdtsc:
	rdtsc
	ret

/*
 * Page tables.  The guest's tables are plain memory; a present entry that
 * changes is noted in the ring, which the monitor reads before the flush that
 * must follow.  An entry that was not present needs no note: nothing of it can
 * be in a shadow.
 *
 * note_change: EAX: linear address of the entry.  Interrupted between
 * note_begin and note_commit, the monitor restarts it at note_begin.
 */
rom_set_pxe:
	xchgl	%eax, (%edx)
	testb	$1, %al
	movl	%edx, %eax
	jnz	rom_update_pxe
	ret

rom_set_pxe_long:
	testb	$1, %al
	jz	2f
	movl	%edx, 4(%ecx)
	movl	(%ecx), %edx
	movl	%eax, (%ecx)
1:	movl	%ecx, %eax
	testb	$1, %dl
	jnz	rom_update_pxe
	ret
2:	pushl	(%ecx)			/* never present with half an address */
	movl	%eax, (%ecx)
	movl	%edx, 4(%ecx)
	popl	%edx
	jmp	1b

rom_update_pxe:
	movl	%eax, %ecx
	subl	SH(SH_DIRECT), %ecx
	cmpl	SH(SH_DIRECT_END), %ecx
	jae	slot_update_pxe
	movl	%ecx, %eax
	.globl	note_begin, note_commit
note_begin:
	movl	SH(SH_HEAD), %ecx
	andl	$RING_SIZE - 1, %ecx
	movl	%eax, %ss:rom_data + SH_RING(, %ecx, 4)
note_commit:
	incl	SH(SH_HEAD)
	ret

/* 45: a page was a page table (44, will be one, is a NOP): forget it. */
rom_page:
	shll	$12, %eax
	orl	$1, %eax
	jmp	note_begin

/* 11: most descriptors written on a context switch are the same as before. */
rom_write_gdt:
	cmpl	%ecx, (%eax, %edx, 8)
	jne	slot_write_gdt
	pushl	%ebx
	movl	8(%esp), %ebx
	cmpl	%ebx, 4(%eax, %edx, 8)
	popl	%ebx
	jne	slot_write_gdt
	ret

/* What get_reloc answers: 16 bits of offset, 16 bits of type. */
#define ROW(nr, type, place) \
	.org	reloc_table + 4 * nr; \
	.word	place - rom_base, VMI_RELOC_##type
#define TRAP(nr)	ROW(nr, CALL, slots + SLOT * nr)

	.balign 4
reloc_table:
	ROW(VMI_OP_CPUID, CALL, rom_cpuid)
	.irp	nr, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
	TRAP(\nr)
	.endr
	ROW(VMI_OP_WRITE_GDT_ENTRY, CALL, rom_write_gdt)
	TRAP(12)
	TRAP(13)
	ROW(VMI_OP_UPDATE_KERNEL_STACK, CALL, rom_update_kernel_stack)
	TRAP(15)
	ROW(VMI_OP_SET_CR2, CALL, rom_set_cr2)
	TRAP(17)
	TRAP(18)
	ROW(VMI_OP_GET_CR0, CALL, rom_get_cr0)
	ROW(VMI_OP_GET_CR2, CALL, rom_get_cr2)
	ROW(VMI_OP_GET_CR3, CALL, rom_get_cr3)
	ROW(VMI_OP_GET_CR4, CALL, rom_get_cr4)
	.irp	nr, 23, 24, 25, 26
	TRAP(\nr)
	.endr
	ROW(VMI_OP_RDTSC, CALL, rom_rdtsc)
	TRAP(28)
	ROW(VMI_OP_ENABLE_INTERRUPTS, CALL, rom_enable)
	ROW(VMI_OP_DISABLE_INTERRUPTS, CALL, rom_disable)
	ROW(VMI_OP_GET_INTERRUPT_MASK, CALL, rom_get_mask)
	ROW(VMI_OP_SET_INTERRUPT_MASK, CALL, rom_set_mask)
	ROW(VMI_OP_IRET, JUMP, rom_iret)
	ROW(VMI_OP_SYSEXIT, JUMP, slots + SLOT * VMI_OP_SYSEXIT)
	.irp	nr, 35, 36, 37
	TRAP(\nr)
	.endr
	ROW(VMI_OP_SET_PXE, CALL, rom_set_pxe)
	ROW(VMI_OP_SET_PXE_LONG, CALL, rom_set_pxe_long)
	ROW(VMI_OP_UPDATE_PXE, CALL, rom_update_pxe)
	ROW(VMI_OP_UPDATE_PXE_LONG, CALL, rom_update_pxe)
	ROW(VMI_OP_MACHINE_TO_PHYSICAL, CALL, rom_nothing)
	ROW(VMI_OP_PHYSICAL_TO_MACHINE, CALL, rom_nothing)
	ROW(VMI_OP_ALLOCATE_PAGE, NOP, rom_base)
	ROW(VMI_OP_RELEASE_PAGE, CALL, rom_page)
	.irp	nr, 46, 47, 48, 61, 62
	TRAP(\nr)
	.endr
	ROW(VMI_OP_APIC_WRITE, CALL, rom_apic_write)
	ROW(VMI_OP_APIC_READ, CALL, rom_apic_read)
	ROW(VMI_OP_IO_DELAY, CALL, rom_io_delay)
	ROW(VMI_OP_SET_LAZY_MODE, NOP, rom_base)
	TRAP(96)
	TRAP(97)
	TRAP(98)
	TRAP(100)
	TRAP(105)
	.org	reloc_table + 4 * VMI_NR_OPS
	.balign 4

/* For the monitor, which finds this at the end of the image. */
rom_places:
	.long	slots - rom_base
	.long	iret_begin - rom_base
	.long	iret_insn - rom_base
	.long	iret_slow - rom_base
	.long	iret_slow_insn - rom_base
	.long	note_begin - rom_base
	.long	note_commit - rom_base
