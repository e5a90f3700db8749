/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traps of a guest on the layer, its way to other contexts and back, and the
 * native code that the layer's headers call.
 */
#include <asm/vmi/site.h>

#include "segments.h"

#define LAUNCH_STACK	8192
#define FRAME_SIZE	(4 * 19)	/* struct trap_frame */

.macro layer_gate vector
	.balign	16
.if \vector != 8 && (\vector < 10 || \vector > 14) && \vector != 17
	push	$0
.endif
	pushl	$\vector
	jmp	layer_entry
.endm

	.text
	.globl	layer_gates
	.balign	16
layer_gates:
.set vector, 0
.rept LAYER_VECTORS
	layer_gate vector
	.set	vector, vector + 1
.endr

layer_entry:
	push	%gs
	push	%fs
	push	%es
	push	%ds
	pushal
	cld
	mov	$KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	push	%esp
	call	layer_trap			/* (frame) */
	pop	%eax
leave:
	popal
	pop	%ds
	pop	%es
	pop	%fs
	pop	%gs
	add	$8, %esp
	VMI_SITE IRET, "iret", 4

/*
 * launch_frame(frame): the context in the frame, entered by IRET.  Returns when
 * C calls land(), from the trap that ended it; interrupts are off.
 */
	.globl	launch_frame, launch_sysexit, land
launch_frame:
	mov	4(%esp), %eax
	push	%ebx
	push	%esi
	push	%edi
	push	%ebp
	mov	%esp, home
	lea	launched_segments - FRAME_SIZE, %esp
	mov	%eax, %esi
	mov	%esp, %edi
	mov	$FRAME_SIZE / 4, %ecx
	rep movsl
	jmp	leave

/* launch_sysexit(eip, esp): likewise, by SYSEXIT. */
launch_sysexit:
	mov	4(%esp), %edx
	mov	8(%esp), %ecx
	push	%ebx
	push	%esi
	push	%edi
	push	%ebp
	mov	%esp, home
	VMI_SITE SYSEXIT, "sti; sysexit", 2

land:
	mov	home, %esp
	pop	%ebp
	pop	%edi
	pop	%esi
	pop	%ebx
	ret

/* What the headers' native code calls: EAX as regparm has it. */
	.globl	native_io_delay
native_io_delay:
	outb	%al, $0x80
	ret

/*
 * Code for a launch, in the kernel's memory and copied to a page of the user's.
 * It ends with a trap.
 */
	.balign	16
	.globl	stubs, stubs_end, stub_read, stub_write, stub_call, stub_end
stubs:
stub_read:
	mov	(%eax), %ebx
	int	$TRAP_VECTOR
stub_write:
	mov	%edx, (%eax)
	int	$TRAP_VECTOR
stub_call:
	call	*%eax
stub_end:
	int	$TRAP_VECTOR
	.globl	stub_bare_iret
	.globl	stub_in, stub_step, stub_int, stub_int3, stub_rdtsc, stub_spin, stub_fs
stub_fs:
	mov	%eax, %fs
	mov	%fs:(%edx), %ebx
	int	$TRAP_VECTOR
stub_in:
	in	%dx, %al
	int	$TRAP_VECTOR
stub_step:
	nop
	nop
	int	$TRAP_VECTOR
stub_bare_iret:			/* the processor's own, with a word that is written before */
	mov	%ecx, %esp
	mov	%eax, (%ebx)
	iret
stub_int:
	int	$OTHER_VECTOR
	int	$TRAP_VECTOR
stub_int3:
	int3
	int	$TRAP_VECTOR
stub_rdtsc:
	rdtsc
	int	$TRAP_VECTOR
stub_spin:
	decl	%ecx
	jnz	stub_spin
	int	$TRAP_VECTOR
	.globl	stub_insb, stub_outsb, stub_insl, stub_outsl
stub_insb:
	rep insb
	int	$TRAP_VECTOR
stub_outsb:
	rep outsb
	int	$TRAP_VECTOR
stub_insl:
	rep insl
	int	$TRAP_VECTOR
stub_outsl:
	rep outsl
	int	$TRAP_VECTOR
	.globl	stub_tables
stub_tables:
	sgdtl	(%eax)
	sidtl	8(%eax)
	smsw	16(%eax)
	sldt	%ecx
	str	%edx
	smsw	%esi
	int	$TRAP_VECTOR
	.globl	stub_cpuid, stub_smsw, stub_cr0, stub_far
stub_cpuid:
	cpuid
	int	$TRAP_VECTOR
stub_smsw:
	smsw	%eax
	int	$TRAP_VECTOR
stub_cr0:
	mov	%cr0, %eax
	int	$TRAP_VECTOR
stub_far:
	ljmp	$KERNEL_CS, $1f
1:	int	$TRAP_VECTOR
	.globl	stub_fpu, stub_cli, stub_stac
stub_fpu:
	fninit
	int	$TRAP_VECTOR
stub_cli:
	cli
	int	$TRAP_VECTOR
stub_stac:
	.byte	0x0f, 0x01, 0xcb
	int	$TRAP_VECTOR

/* The same with sites, for the kernel alone. */
	.globl	stub_rdmsr, stub_wrmsr, stub_rdpmc, stub_set_cr4
stub_rdmsr:
	VMI_SITE RDMSR, "rdmsr", 3
	int	$TRAP_VECTOR
stub_wrmsr:
	VMI_SITE WRMSR, "wrmsr", 3
	int	$TRAP_VECTOR
stub_rdpmc:
	VMI_SITE RDPMC, "rdpmc", 3
	int	$TRAP_VECTOR
stub_set_cr4:
	VMI_SITE SET_CR4, "mov %eax, %cr4", 2
	int	$TRAP_VECTOR
	.globl	stub_set_ldt, stub_set_tr
stub_set_ldt:
	VMI_SITE SET_LDT, "lldt %ax", 2
	int	$TRAP_VECTOR
stub_set_tr:
	VMI_SITE SET_TR, "ltr %ax", 2
	int	$TRAP_VECTOR
stubs_end:

	.bss
	.balign	16
launch_stack:
	.skip	LAUNCH_STACK - 16
	.globl	launched_segments
launched_segments:
	.skip	16
home:
	.skip	4
