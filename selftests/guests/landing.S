/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the hostile guest's far transfers lead, whatever the code's width. */
	.text
	.balign	16
	.globl	landing
landing:
	xor	%eax, %eax
	.byte	0x40		/* INC EAX, in 64-bit code a prefix */
	nop
	mov	%cs, %ecx
	int	$0x2f
1:	jmp	1b
