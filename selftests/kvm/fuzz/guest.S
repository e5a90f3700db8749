/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's first steps: it tells the ROM to begin, and asks for all its calls. */
#include "fuzz.h"

	.section .rodata
	.globl	guest_boot, guest_boot_end, guest_handler, guest_handler_end
	.code32
guest_boot:
	movl	$(ROM + 128), %eax
	call	*%eax			/* vmi_init */
	movl	%eax, RESULT
	xorl	%esi, %esi
1:	movl	%esi, %eax
	movl	$(ROM + 136), %ebx
	call	*%ebx			/* get_reloc */
	movl	%eax, OPS(, %esi, 8)
	movl	%edx, OPS + 4(, %esi, 8)
	incl	%esi
	cmpl	$OPS_NR, %esi
	jb	1b
2:	outb	%al, $DONE_PORT
	jmp	2b
guest_boot_end:

/* Of each exception and interrupt; an error code, if there is one, is not looked after. */
guest_handler:
	pushl	%eax
	movl	$0, 0xfee000b0		/* the local APIC's EOI */
	popl	%eax
	iret
guest_handler_end:

/* Of a level-triggered interrupt: RESULT is counted up, EOI and IRET are the ROM's. */
	.globl	guest_level, guest_level_end
guest_level:
	pusha
	incl	RESULT
	movl	$0xb0, %eax
	xorl	%edx, %edx
	call	*OPS + 8 * 63		/* APICWrite */
	popa
	jmp	*OPS + 8 * 33		/* IRET */
guest_level_end:

/* How much time was stolen. */
	.globl	guest_stolen, guest_stolen_end
guest_stolen:
	movl	$2, %eax		/* VMI_CYCLES_STOLEN */
	call	*OPS + 8 * 67		/* GetCycleCounter */
	outb	%al, $DONE_PORT
	jmp	guest_stolen
guest_stolen_end:

/* A call and a page fault, again and again, neither of which leaves the window. */
	.globl	guest_window, guest_window_end
guest_window:
	movl	$DATA + 0x1000, %eax
	call	*OPS + 8 * 46		/* InvalPage */
	movl	DATA + 0x1000, %eax
	incl	RESULT
	jmp	guest_window
guest_window_end:

/* It copies from address 0 to a page that it may write to, but first faults, 200 times. */
	.globl	guest_watch, guest_watch_end
guest_watch:
	movl	$200, RESULT
1:	movl	$DATA + 0x1000, %eax
	call	*OPS + 8 * 46		/* InvalPage */
	movl	DATA + 0x1000, %eax
	xorl	%esi, %esi
	movl	$DATA + 0x1000, %edi
	movsl
	decl	RESULT
	jnz	1b
2:	outb	%al, $DONE_PORT
	jmp	2b
guest_watch_end:

	.section .note.GNU-stack, "", @progbits
