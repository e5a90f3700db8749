/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs a routine with every register set.  romtest.h has the layout. */
#include "segments.h"

#define IN(word)	probe_in + 4 * (word)
#define IN_ESP		IN(7)			/* and SS behind it */
#define IN_SS		IN(8)
#define IN_EFLAGS	IN(9)
#define IN_EIP		IN(10)
#define IN_CS		IN(11)
#define IN_DS		IN(12)

/* All but the stack, DS last: nothing flat is left then but CS. */
.macro load_regs
	mov	IN(0), %eax
	mov	IN(1), %ecx
	mov	IN(2), %edx
	mov	IN(3), %ebx
	mov	IN(4), %esi
	mov	IN(5), %edi
	mov	IN(6), %ebp
	mov	IN(13), %es
	mov	IN(14), %fs
	mov	IN(15), %gs
	mov	IN_DS, %ds
.endm

	.text
	.globl	probe_run
probe_run:
	push	%ebx
	push	%esi
	push	%edi
	push	%ebp
	mov	%esp, home
	testb	$3, IN_CS
	jnz	1f

	lss	IN_ESP, %esp
	push	IN_EFLAGS
	popf
	load_regs
	jmp	*%cs:IN_EIP

1:	push	IN_SS
	push	IN_ESP
	push	IN_EFLAGS
	push	IN_CS
	push	IN_EIP
	load_regs
	iret

/* C's way out of the trap that ended the probe: returns from probe_run(). */
	.globl	probe_home
probe_home:
	mov	home, %esp
	pop	%ebp
	pop	%edi
	pop	%esi
	pop	%ebx
	ret

	.globl	probe_done
probe_done:
	int	$TRAP_VECTOR

	.bss
	.balign	4
	.globl	probe_in, probe_out
probe_in:
	.skip	4 * 17
probe_out:
	.skip	4 * 17
home:
	.skip	4
