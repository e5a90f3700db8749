/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the monitor that runs in the guest, in ring 1: read-only pages in the
 * option-ROM window, and below 1 MB pages that differ per CPU (struct shared first).
 * vmi_init adds the linear address at which the guest called to every word that
 * mentions rom_start or rom_data, so that code may name the shared page; before,
 * only init and get_reloc run.  SS is the one data segment that is flat at every site.
 */
#include "../rom/header.inc"
#include "layout.h"

/*
 * A page of code, then the shared ones: these are not of the image, since its sum would
 * change.  That is so on the monitor; kvm.rom, which has this one inside, has them elsewhere.
 */
	.set	rom_blocks, ROM_CODE / VMI_ROM_BLOCK
	.set	rom_code_blocks, ROM_CODE / VMI_ROM_BLOCK
	.set	rom_data, rom_start + ROM_CODE
#define SH(off)	%ss:(rom_data + off)

	/* Nothing to do: their sites are erased. */
	.set	nop_ALLOCATE_PAGE, 1
	.set	nop_SET_LAZY_MODE, 1

	vmi_rom	"monitor", asked=note_extension, shared=ROM_CODE
	vmi_rom_partial

	.code16
rom_init16:
	lret

	.code32
/*
 * Hypercalls.  The number is the place: slot N is the code at slots + SLOT * N.
 * Arguments stay in the registers and on the stack where the caller put them.
 * vmi_init may make a far call of the INT, where that is faster.
 */
	.balign 64
slots:
	.rept	HC_SLOTS
	int	$HYPERCALL_VECTOR
	ret
	.balign SLOT
	.endr

#define SLOT_OF(id)	.set slot_##id, slots + SLOT * OP_NR_##id;
	TRAPPING_OPS(SLOT_OF)
	.set	slot_enable, slots + SLOT * HC_ENABLE
	.set	slot_iret, slots + SLOT * HC_IRET

/* vmi_init() -> EAX: 0 for success */
rom_vmi_init:
	call	slots + SLOT * HC_INIT
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

/* 29 .. 32: the guest's interrupt flag.  Only EAX and the flags may change. */
op_ENABLE_INTERRUPTS:
	movl	$0x200, SH(SH_VIF)
	cmpl	$0, SH(SH_PENDING)
	jne	slot_enable
	ret
op_DISABLE_INTERRUPTS:
	movl	$0, SH(SH_VIF)
	ret
op_GET_INTERRUPT_MASK:
	movl	SH(SH_VIF), %eax
	ret
op_SET_INTERRUPT_MASK:
	andl	$0x200, %eax
	movl	%eax, SH(SH_VIF)
	jz	1f
	cmpl	$0, SH(SH_PENDING)
	jne	slot_enable
1:	ret

/*
 * 33: IRET.  The processor leaves the real interrupt flag alone (CPL > IOPL), so all
 * there is to do is the guest's flag.  What else there may be is the monitor's: held
 * interrupts, ports that are open, an LDT, virtual 8086 mode.
 * From iret_begin on, with the guest's flag set, the monitor finishes the IRET
 * itself before it delivers an interrupt: rom_in_iret().
 */
op_IRET:
	pushl	%eax
	movl	12(%esp), %eax
	andl	$0x20200, %eax		/* VM, IF */
	movl	%eax, SH(SH_VIF)
iret_begin:
	testb	$2, 8(%esp)
	jz	iret_kernel
	cmpl	SH(SH_IRET_USER), %eax
	jg	iret_slow
iret_fast:
	popl	%eax
iret_insn:
	iret
iret_kernel:
	cmpl	SH(SH_IRET_KERNEL), %eax
	jle	iret_fast
iret_slow:
	cmpl	$0, SH(SH_FILL)
	je	1f
	movl	$0, SH(SH_VIF)		/* as if it had not begun */
	jmp	iret_fill
1:	popl	%eax
iret_slow_insn:
	jmp	slot_iret
iret_fill:
	popl	%eax
	call	slots + SLOT * HC_FILL
	jmp	op_IRET

/* 0: CPUID, less what ring 1 or long mode cannot give. */
op_CPUID:
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
	cmpl	$CPUID_HYPERVISOR >> 8, %esi
	je	cpuid_other
cpuid_done:
	popl	%edi
	popl	%esi
	ret
cpuid_1:
	andl	$~CPUID_1_ECX_HIDDEN, %ecx
	orl	$CPUID_1_ECX_SHOWN, %ecx
	andl	$~CPUID_1_EDX_HIDDEN, %edx
	jmp	cpuid_done
cpuid_7:
	andl	$~CPUID_7_EBX_HIDDEN, %ebx
	andl	$~CPUID_7_ECX_HIDDEN, %ecx
	andl	$~CPUID_7_EDX_HIDDEN, %edx
	jmp	cpuid_done
cpuid_xsave:
	decl	%edi
	jnz	cpuid_done
	andl	$CPUID_D_1_EAX_SHOWN, %eax
	jmp	cpuid_done
cpuid_ext:
	andl	$~CPUID_EXT_EDX_HIDDEN, %edx
	andl	$~CPUID_EXT_ECX_HIDDEN, %ecx
	jmp	cpuid_done
cpuid_other:
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	jmp	cpuid_done

/* Control registers: the guest's values, from the shared page. */
#define GET_CR(n) op_GET_CR##n: movl SH(SH_CR##n), %eax; ret;
	GET_CR(0) GET_CR(2) GET_CR(3) GET_CR(4)
op_SET_CR2:
	movl	%eax, SH(SH_CR2)
	ret
op_UPDATE_KERNEL_STACK:
	orl	$1, %eax
	movl	%eax, SH(SH_SS0)
	movl	%edx, SH(SH_ESP0)
	ret
op_MACHINE_TO_PHYSICAL:
op_PHYSICAL_TO_MACHINE:
op_ALLOCATE_PAGE:
op_SET_LAZY_MODE:
	ret
op_APIC_READ:
	cmpl	$VMI_APIC_OFFSETS, %eax
	jb	slot_APIC_READ
	movl	(%eax), %eax
	ret
/* 63: EOI, when the monitor has already done it, see apic.c there. */
op_APIC_WRITE:
	movl	%eax, %ecx
	andl	$0xff0, %ecx
	cmpl	$0xb0, %ecx
	jne	slot_APIC_WRITE
	movl	SH(SH_DEPTH), %ecx
	jecxz	1f
	testl	$SERVICE_REAL, %ss:rom_data + SH_SERVICE - 4(, %ecx, 4)
	jnz	1f
	decl	SH(SH_DEPTH)
	cmpl	$0, SH(SH_EOI_HELD)
	jne	slot_enable
	ret
1:	jmp	slot_APIC_WRITE

op_IO_DELAY:
	outb	%al, $0x80
	ret
op_RDTSC:
	rdtsc
	ret

/*
 * Page tables are plain memory; a present entry that changes is noted in the ring,
 * which the monitor reads before the flush that must follow.  One that was not
 * present is in no shadow.  A note that is interrupted starts over at note_begin.
 */
op_SET_PXE:
	xchgl	%eax, (%edx)
	testb	$1, %al
	movl	%edx, %eax
	jnz	op_UPDATE_PXE
	ret

op_SET_PXE_LONG:
	testb	$1, (%ecx)
	jnz	1f
	movl	%edx, 4(%ecx)
	movl	%eax, (%ecx)
	ret
1:	testb	$1, %al
	jz	2f
	movl	%edx, 4(%ecx)
2:	movl	%eax, (%ecx)		/* never present with half an address */
	movl	%edx, 4(%ecx)
	movl	%ecx, %eax

op_UPDATE_PXE:
op_UPDATE_PXE_LONG:
	movl	%eax, %ecx
	subl	SH(SH_DIRECT), %ecx
	cmpl	SH(SH_DIRECT_END), %ecx
	jae	slot_UPDATE_PXE
	movl	%ecx, %eax
note_begin:
	movl	SH(SH_HEAD), %ecx
	andl	$RING_SIZE - 1, %ecx
	movl	%eax, %ss:rom_data + SH_RING(, %ecx, 4)
note_commit:
	incl	SH(SH_HEAD)
	ret

/* 45: a page was a page table (44, will be one, is a NOP): forget it.  Frame and a 1. */
op_RELEASE_PAGE:
	leal	1(, %eax, 2), %eax
	jmp	note_begin

/* 11: most descriptors written on a context switch are the same as before. */
op_WRITE_GDT_ENTRY:
	cmpl	%ecx, (%eax, %edx, 8)
	jne	slot_WRITE_GDT_ENTRY
	movl	4(%esp), %ecx
	cmpl	%ecx, 4(%eax, %edx, 8)
	movl	(%eax, %edx, 8), %ecx
	jne	slot_WRITE_GDT_ENTRY
	ret

/* The guest is none of VMI's time, see rom_knows_iret().  Perhaps before vmi_init. */
note_extension:
	here	%edx, 1
	addl	rom_start + ROM_SHARED - 1b(%edx), %edx
	movl	$1, rom_start + SH_KNOWN - 1b(%edx)
	ret

	/* What has no routine above is its slot. */
#define TRAP(id)	.ifndef op_##id; .set op_##id, slot_##id; .endif;
	TRAPPING_OPS(TRAP)
