/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls into a ROM that is not trusted yet; where processors start. */
#include <linux/errno.h>
#include <linux/linkage.h>
#include <asm/nospec-branch.h>

	.text

/**
 * vmi_rom_call() - call one of the ROM's two entries
 * EAX: the entry
 * EDX: argument, handed over in EAX
 * ECX: where the 64-bit result goes
 *
 * Ring 0 (or what vmi_init makes of it), interrupts off, early exception
 * handlers in place: vmi_fault_in_rom() makes an exception in there return to
 * vmi_rom_call_fault.
 *
 * Return: EAX 0, or -EFAULT after an exception.
 */
SYM_FUNC_START(vmi_rom_call)
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushl	%ecx
	movl	%esp, vmi_rom_call_esp
	movl	%eax, %ecx
	movl	%edx, %eax
	ANNOTATE_RETPOLINE_SAFE
	call	*%ecx
	movl	(%esp), %ecx
	movl	%eax, (%ecx)
	movl	%edx, 4(%ecx)
	xorl	%eax, %eax
.Lout:
	cld
	movl	$0, vmi_rom_call_esp
	popl	%ecx
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	RET
SYM_INNER_LABEL(vmi_rom_call_fault, SYM_L_GLOBAL)
	movl	vmi_rom_call_esp, %esp
	movl	$-EFAULT, %eax
	jmp	.Lout
SYM_FUNC_END(vmi_rom_call)

/* A bare return, for vmi_fault_in_rom(). */
SYM_FUNC_START(vmi_return)
	RET
SYM_FUNC_END(vmi_return)

SYM_FUNC_START(vmi_return_0)
	xorl	%eax, %eax
	RET
SYM_FUNC_END(vmi_return_0)

#ifdef CONFIG_SMP
/*
 * First instructions of an application processor that the host starts with
 * the state of vmi_ap_state(): paging on, stack and segments set.
 */
SYM_CODE_START(vmi_ap_start)
	xorl	%eax, %eax
	call	*initial_code
1:	jmp	1b
SYM_CODE_END(vmi_ap_start)
#endif

#if defined(CONFIG_PARAVIRT_SPINLOCKS) && !defined(CONFIG_PARAVIRT)
	.section .spinlock.text, "ax"

/*
 * pv_queued_spin_unlock() calls this.  On the stack, behind the return address,
 * and in EAX is the lock's address: right, or too low by N there and by 2 * N
 * in EAX.  Keeps all registers but EAX.
 */
SYM_FUNC_START(vmi_spin_unlock)
	subl	4(%esp), %eax
	negl	%eax
	addl	4(%esp), %eax
	pushl	%edx
	pushl	%ecx
	call	__pv_queued_spin_unlock
	popl	%ecx
	popl	%edx
	RET
SYM_FUNC_END(vmi_spin_unlock)
#endif

	.data

/* Stack pointer inside vmi_rom_call(), 0 outside of it. */
SYM_DATA(vmi_rom_call_esp, .long 0)
