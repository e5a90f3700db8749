/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * top.rom, for tests: keeps the top of the linear address space, and looks whether
 * the guest does.  What is mapped there makes vmi_init fail; at the end, Reboot and
 * Shutdown say on the first serial port how many pages are.  Page tables are PAE.
 */
#include "header.inc"

#define TOP		0xfc000000
#define FIRST_ENTRY	(TOP >> 21 & 511)	/* of the last directory */
#define COM1		0x3f8
#define PRESENT		1
#define LARGE		0x80
#define PAGE_MASK	0xfffff000

	vmi_rom	"top ROM", top=TOP
	vmi_rom_partial

rom_phys:				/* our physical address */
	.long	0

	.code16
rom_init16:
	pushal
	cmpl	$0, %cs:rom_phys
	jne	2f
	xor	%edx, %edx
	mov	%cs, %dx
	shl	$4, %edx
	mov	%edx, %cs:rom_phys
	/* The guest wants a sum of 0: take out what was put in. */
1:	sub	%dl, %cs:rom_end - 1
	shr	$8, %edx
	jnz	1b
2:	popal
	lret

	.code32
rom_vmi_init:
	jmp	count_mapped

/* EAX: how many pages are mapped from TOP on, a large one as one */
count_mapped:
	push	%ebx
	push	%esi
	push	%edi
	here	%ebx, 1
	lea	rom_start - 1b(%ebx), %esi
	sub	rom_phys - 1b(%ebx), %esi	/* linear minus physical */
	mov	%cr3, %edx
	and	$~0x1f, %edx
	mov	8 * 3(%esi, %edx), %edi
	and	$PAGE_MASK, %edi
	add	%esi, %edi			/* the last directory */
	xor	%eax, %eax
	mov	$FIRST_ENTRY, %ecx
2:	mov	(%edi, %ecx, 8), %ebx
	test	$PRESENT, %bl
	jz	5f
	inc	%eax
	test	$LARGE, %bl
	jnz	5f
	dec	%eax
	and	$PAGE_MASK, %ebx
	add	%esi, %ebx
	xor	%edx, %edx
3:	testb	$PRESENT, (%ebx, %edx, 8)
	jz	4f
	inc	%eax
4:	inc	%edx
	cmp	$512, %edx
	jb	3b
5:	inc	%ecx
	cmp	$512, %ecx
	jb	2b
	pop	%edi
	pop	%esi
	pop	%ebx
	ret

op_REBOOT:
op_SHUTDOWN:
	call	count_mapped
	here	%ecx, 1
	lea	text - 1b(%ecx), %ecx
	cmp	$9, %eax
	jbe	3f
	mov	$9, %eax			/* or more */
3:	add	$'0', %al
	mov	%eax, %edx
	jmp	2f
1:	call	put
2:	mov	(%ecx), %al
	inc	%ecx
	test	%al, %al
	jnz	1b
	mov	%edx, %eax
	call	put
	mov	$'\n', %al
/* AL to the console, EDX is kept */
put:
	push	%edx
	push	%eax
	mov	$COM1 + 5, %dx
1:	in	%dx, %al
	test	$0x20, %al
	jz	1b
	pop	%eax
	mov	$COM1, %dx
	out	%al, %dx
	pop	%edx
	ret

text:	.asciz	"\ntop ROM: pages mapped: "
