/* SPDX-License-Identifier: GPL-2.0-only */
/* What C cannot say: return from a signal, clone() onto another stack. */

	.section .note.GNU-stack, "", @progbits
	.text
	.globl	restorer, start_thread

/*
 * long start_thread(unsigned long flags, void *stack)
 *
 * The child runs the function that lies on top of its stack, and exits.
 */
#ifdef __i386__

restorer:
	mov	$173, %eax		/* rt_sigreturn */
	int	$0x80

start_thread:
	push	%ebx
	push	%esi
	push	%edi
	mov	$120, %eax		/* clone */
	mov	16(%esp), %ebx
	mov	20(%esp), %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	int	$0x80
	test	%eax, %eax
	jz	1f
	pop	%edi
	pop	%esi
	pop	%ebx
	ret
1:	xor	%ebp, %ebp
	pop	%eax
	call	*%eax
	mov	$1, %eax		/* exit */
	xor	%ebx, %ebx
	int	$0x80

#else

restorer:
	mov	$15, %eax		/* rt_sigreturn */
	syscall

start_thread:
	mov	$56, %eax		/* clone */
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	syscall
	test	%eax, %eax
	jz	1f
	ret
1:	xor	%ebp, %ebp
	pop	%rax
	call	*%rax
	mov	$60, %eax		/* exit */
	xor	%edi, %edi
	syscall

#endif
