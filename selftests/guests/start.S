/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first instructions of a stand-alone guest, its descriptor tables, the
 * way into traps and the way up for further processors.
 *
 * A guest is a bzImage, because that is what QEMU starts natively and our
 * monitor in ring 1: a boot sector that is not used, a sector of real-mode code
 * with Linux's setup header in it (QEMU begins there), and behind them what is
 * loaded to 1 MB (the monitor begins there).
 */
#include "segments.h"

#define SETUP_SECTORS	1
#define BOOT_PROTOCOL	0x20a
#define LOADED_HIGH	1		/* in loadflags */
#define LOAD_ADDRESS	0x100000
#define STACK_SIZE	16384
#define AP_STACK_SIZE	4096
#define AP_MAX		64
#define CR0_PE		1
#define BOOT_DS		0x18		/* the boot protocol's data segment */
#define TRAP_WORDS	19		/* struct trap_frame */

	.section .setup, "ax"
	.code16
	.org	0x1f1
	.byte	SETUP_SECTORS
	.word	0				/* root_flags */
	.long	0				/* syssize: nobody asks */
	.word	0, 0, 0				/* ram_size, vid_mode, root_dev */
	.word	0xaa55
	.org	0x200
	.byte	0xeb, setup16 - header		/* jmp; also the header's length */
header:
	.ascii	"HdrS"
	.word	BOOT_PROTOCOL
	.org	0x211
	.byte	LOADED_HIGH
	.word	0
	.long	LOAD_ADDRESS
	.org	0x22c
	.long	0x7fffffff			/* initrd_addr_max */
	.long	0x1000				/* kernel_alignment */
	.org	0x238
	.long	2047				/* cmdline_size */
	.org	0x258
	.quad	LOAD_ADDRESS			/* pref_address */
	.long	guest_end - LOAD_ADDRESS	/* init_size */
	.org	0x268
setup16:
	cli
	xor	%esi, %esi
	mov	%ds, %si
	shl	$4, %esi			/* this sector: boot parameters */
	lgdtl	%cs:setup_gdt_pointer - header + 2
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$KERNEL_CS, $start_flat
setup_gdt_pointer:
	.word	GDT_SIZE - 1
	.long	gdt
	.org	0x200 + 512 * SETUP_SECTORS

	.section .head, "ax"
	.code32
	.globl	start
start:
	/* As the decompressor of older kernels: these are the boot protocol's. */
	mov	$BOOT_DS, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	lgdt	gdt_pointer
	ljmp	$KERNEL_CS, $start_flat

	.text
start_flat:
	cld
	mov	$KERNEL_DS, %ax
	mov	%ax, %ss
	mov	$boot_stack + STACK_SIZE, %esp
	call	flat_segments
	mov	$bss_start, %edi
	mov	$guest_end, %ecx
	sub	%edi, %ecx
	xor	%eax, %eax
	rep stosb
	push	%esi				/* boot parameters */
	call	guest_start
	hlt

flat_segments:
	mov	$KERNEL_DS, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	ret

/*
 * Traps: every vector's stub leaves an error code and its number.  The stack
 * may be any, so the frame is copied to a place that C can reach.
 */
.macro gate vector
	.balign	16
.if \vector != 8 && (\vector < 10 || \vector > 14) && \vector != 17
	push	$0
.endif
	push	$\vector
	jmp	trap_common
.endm

	.balign	16
	.globl	gates
gates:
.set vector, 0
.rept GATE_VECTORS
	gate	vector
	.set	vector, vector + 1
.endr
	.globl	gate_trap
	.balign	16
gate_trap:
	push	$0
	push	$TRAP_VECTOR

trap_common:
	push	%gs
	push	%fs
	push	%es
	push	%ds
	pushal
	cld
	mov	$KERNEL_DS, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ss, %edx
	mov	%esp, %ebx
	xor	%eax, %eax
1:	mov	%ss:(%ebx, %eax, 4), %ecx
	mov	%ecx, trap_frame(, %eax, 4)
	inc	%eax
	cmp	$TRAP_WORDS, %eax
	jb	1b
	mov	$KERNEL_DS, %ax
	mov	%ax, %ss
	mov	$trap_stack + STACK_SIZE, %esp
	push	%edx
	push	%ebx
	call	trap_enter			/* (esp, ss) */
	lss	(%esp), %esp
	popal
	pop	%ds
	pop	%es
	pop	%fs
	pop	%gs
	add	$8, %esp
	jmp	*%cs:trap_return
native_iret:
	iret

/*
 * Further processors: this is copied to a page below 1 MB and started there
 * in real mode.  Each takes the next stack and calls ap_main(number).
 */
	.globl	ap_trampoline, ap_trampoline_end
	.code16
ap_trampoline:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	ap_gdt_pointer - ap_trampoline
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$KERNEL_CS, $ap_start32
ap_gdt_pointer:
	.word	GDT_SIZE - 1
	.long	gdt
ap_trampoline_end:

	.code32
ap_start32:
	mov	$KERNEL_DS, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	mov	$1, %eax
	lock xadd %eax, ap_next
	cmp	$AP_MAX, %eax
	jae	2f
	inc	%eax				/* 0 is the boot processor */
	imul	$AP_STACK_SIZE, %eax, %ecx
	lea	ap_stacks(%ecx), %esp
	push	%eax
	call	ap_main
2:	cli
	hlt
	jmp	2b

	.data
	.balign	8
	.globl	gdt
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff		/* KERNEL_CS */
	.quad	0x00cf93000000ffff		/* KERNEL_DS */
	.quad	0x00cffb000000ffff		/* USER_CS */
	.quad	0x00cff3000000ffff		/* USER_DS */
	.quad	0				/* TSS_SEL, by guest_start */
	.quad	0				/* ODD32_SEL, by who needs it */
	.quad	0				/* ODD16_SEL, the same */
	.quad	0xd040f30000000000		/* FAR_SEL */
	.quad	0				/* LDT_SEL, by who needs it */
	.quad	0				/* SPARE_SEL */
.if . - gdt != GDT_SIZE
	.error	"segments.h disagrees"
.endif
	.globl	gdt_pointer
gdt_pointer:
	.word	GDT_SIZE - 1
	.long	gdt
ap_next:
	.long	0
	.globl	trap_return
trap_return:
	.long	native_iret

	.bss
	.balign	16
boot_stack:
	.skip	STACK_SIZE
trap_stack:
	.skip	STACK_SIZE
	.globl	ring0_stack_top
	.skip	STACK_SIZE
ring0_stack_top:
ap_stacks:
	.skip	AP_STACK_SIZE * AP_MAX
	.globl	trap_frame
trap_frame:
	.skip	4 * TRAP_WORDS
