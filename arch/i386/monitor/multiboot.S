/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a multiboot loader starts: 32-bit code that maps the first 4 GiB one to
 * one and at DIRECT_BASE, the image at MON_BASE, enters long mode and jumps there.
 */
#include "exit.h"
#include "layout.h"

/* Entries of a table: @count from @first on, @step apart. */
	.macro	fill table, first, count, step
	movl	$\table, %edi
	movl	$\first, %eax
	movl	$\count, %ecx
1:	movl	%eax, (%edi)
	addl	$\step, %eax
	addl	$8, %edi
	loop	1b
	.endm

#define EFLAGS_ID	(1 << 21)
#define CPUID_LM	(1 << 29)
#define COM1		0x3f8
#define BOTTOM_ROW	(0xb8000 + 24 * 160)
#define GREY		0x07

	.section .multiboot, "ax"
	.balign 4
	.long	0x1badb002		/* magic */
	.long	0x3			/* modules page aligned, memory map */
	.long	-(0x1badb002 + 0x3)

	.text
	.code32
	.globl	start32
start32:
	cli
	cld
	movl	$stack_end, %esp
	movl	%eax, %ebp		/* loader's magic */
	movl	%ebx, %esi		/* its information */

	/* Without long mode what follows is a reset: see that CPUID is there, and ask it. */
	pushfl
	xorl	$EFLAGS_ID, (%esp)
	movl	(%esp), %edx
	popfl
	pushfl
	popl	%eax
	xorl	%edx, %eax
	testl	$EFLAGS_ID, %eax
	jnz	no_long_mode
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	no_long_mode
	movl	$0x80000001, %eax
	cpuid
	testl	$CPUID_LM, %edx
	jz	no_long_mode
	movl	%esi, %ebx

	/* 4 GiB one to one, in pages of 2 MB; the image, wherever it is, at -2 GB. */
	fill	pd_low, 0x83, 2048, 0x200000
	fill	pdpt_low, pd_low + 3, 4, 0x1000
	fill	pt_high, image + 3, 512, 0x1000
	movl	$pt_high + 3, pd_high
	movl	$pd_high + 3, pdpt_high + 510 * 8
	movl	$pdpt_low + 3, pml4
	movl	$pdpt_low + 3, pml4 + 256 * 8	/* DIRECT_BASE */
	movl	$pdpt_high + 3, pml4 + 511 * 8

	movl	$0xa0, %eax		/* PAE, PGE */
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER: LME */
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	$0x80010033, %eax	/* PG WP NE ET MP PE */
	movl	%eax, %cr0
	lgdt	gdt_ptr
	ljmp	$8, $start64

	/* One line, on the first serial port and at the bottom of the screen. */
no_long_mode:
	movw	$COM1 + 3, %dx		/* 115200 baud, 8 bits */
	movb	$0x80, %al
	outb	%al, %dx
	movw	$COM1, %dx
	movb	$1, %al
	outb	%al, %dx
	incl	%edx
	movb	$0, %al
	outb	%al, %dx
	movw	$COM1 + 3, %dx
	movb	$3, %al
	outb	%al, %dx
	movl	$BOTTOM_ROW, %edi
	movl	$80, %ecx
	movw	$GREY << 8 | ' ', %ax
	rep stosw
	movl	$BOTTOM_ROW, %edi
	movl	$refusal, %esi
1:	lodsb
	testb	%al, %al
	jz	4f
	movb	%al, %bl
	movl	$100000, %ecx		/* a port that never sends must not hang us */
	movw	$COM1 + 5, %dx
2:	inb	%dx, %al
	testb	$0x20, %al
	loopz	2b
	movw	$COM1, %dx
	movb	%bl, %al
	outb	%al, %dx
	cmpb	$' ', %al
	jb	1b
	movb	$GREY, %ah
	stosw
	jmp	1b
4:	movl	$EXIT_REFUSED, %eax
	outl	%eax, $EXIT_PORT
5:	cli
	hlt
	jmp	5b
refusal:
	.asciz	"\r\n*** cannot boot: this processor has no 64-bit mode (long mode)\r\n"

	.code64
start64:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%ebp, %edi		/* magic */
	movl	%ebx, %esi		/* multiboot information */
	movl	$image, %edx		/* where the image is now */
	movq	$MON_BASE, %rax
	jmp	*%rax

	.balign 8
gdt:	.quad	0
	.quad	0x00209b0000000000	/* 64-bit code */
gdt_ptr:
	.word	. - gdt - 1
	.long	gdt

	.section .image, "a"
	.balign 4096
image:	.incbin "image.bin"
	.balign 4096

	.bss
	.balign 4096
pml4:	.skip	4096
pdpt_low: .skip	4096
pd_low:	.skip	4 * 4096
pdpt_high: .skip 4096
pd_high: .skip	4096
pt_high: .skip	4096
	.skip	1024
stack_end:
