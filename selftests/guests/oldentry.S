/* SPDX-License-Identifier: GPL-2.0-only */
/* oldkernel's ways to a program and back, and where its other processor starts. */

	.text
	.globl	old_launch, old_launch_sysexit, old_land, old_user, old_ap_entry

/* (EAX frame of IRET, EDX routine): old_land() returns from here */
old_launch:
	call	save
	push	16(%eax)
	push	12(%eax)
	push	8(%eax)
	push	4(%eax)
	push	(%eax)
	mov	%edx, target
	mov	old_marks, %eax
	mov	old_marks + 4, %ecx
	jmp	*target

/* (EAX EIP, EDX ESP, ECX routine): likewise */
old_launch_sysexit:
	call	save
	mov	%ecx, target
	mov	%edx, %ecx
	mov	%eax, %edx
	jmp	*target

/* What a function keeps goes to the stack, behind the return address. */
save:
	pop	target
	push	%ebp
	push	%ebx
	push	%esi
	push	%edi
	mov	%esp, saved_esp
	jmp	*target

old_land:
	mov	saved_esp, %esp
	pop	%edi
	pop	%esi
	pop	%ebx
	pop	%ebp
	ret

old_user:
	int	$0x80

old_ap_entry:
	call	old_ap
1:	cli
	hlt
	jmp	1b

	.bss
saved_esp:
	.skip	4
target:
	.skip	4
