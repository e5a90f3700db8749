/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the processor enters the monitor: saved as struct regs, decided in C. */
#include "layout.h"

	.section .start, "ax"
	.globl	start
start:
	leaq	boot_stack_end(%rip), %rsp
	call	monitor_main		/* magic, information, image's address */
1:	hlt
	jmp	1b

	.text
/* One stub of 16 bytes per vector: make all frames alike, note the vector. */
	.balign 16
	.globl	vector_stubs
vector_stubs:
	vector = 0
	.rept	256
	.balign 16
	.if	(vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) \
		|| (vector == 21) || (vector == 29) || (vector == 30)
	pushq	$vector
	jmp	error_entry
	.else
	pushq	$0
	pushq	$vector
	jmp	trap_entry
	.endif
	vector = vector + 1
	.endr

	/*
	 * A device may be told to use the vector of an exception, and pushes no
	 * error code.  The processor aligns the stack first, so it shows.
	 */
	.balign 16
error_entry:
	testb	$8, %spl
	jnz	trap_entry
	pushq	(%rsp)
	movq	$0, 8(%rsp)
	orl	$NOT_EXCEPTION, (%rsp)
trap_entry:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	cld
	movq	%rsp, %rdi
	testb	$3, 10 * 8(%rsp)	/* CS */
	jnz	from_guest
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	call	trap_from_monitor
	jmp	to_monitor

	/* Of the same length: the end of a way out, or a trap in its stead. */
	.macro	leave_or_trap again
	.ifb \again
	iretq
	.skip	10, 0xcc
	.else
	pushq	$0
	pushq	$EVENTS_VECTOR
	.byte	0xe9			/* jmp trap_entry, never short */
	.long	trap_entry - . - 4
	.endif
	.endm

	.macro	store reg, off
772:	movl	\reg, \off(%r11)
	.pushsection .extable, "a"
	.quad	772b, 774f
	.popsection
	.endm

	.macro	global name
	.globl	\name
\name:
	.endm

/*
 * The ways out.  An NMI may come behind the last look at what it is for; so all of
 * this is there twice, and such an NMI goes on at the same place of the second copy,
 * which ends in a trap instead of IRETQ: go_round().  Jumps stay inside a copy.
 */
	.macro	ways_out again
	.balign 16
	global	ways_out\again
/* INT 0x80 of a program: to the guest's kernel right here, if nothing is unusual. */
	global	syscall_stub\again
	movq	%rsp, %r8
	andq	$-STACK_SIZE, %r8
	movq	(%r8), %r8
	testb	$2, 8(%rsp)		/* CS */
	jz	774f
	movq	V_PAGE(%r8), %r9
	movl	SH_SS0(%r9), %r10d
	orl	$1, %r10d
	cmpl	%r10d, V_FAST_SS(%r8)
	jne	774f
	movl	SH_ESP0(%r9), %r11d
	subl	$20, %r11d
	movl	(%rsp), %r10d		/* EIP, CS, EFLAGS, ESP, SS */
	store	%r10d, 0
	movl	8(%rsp), %r10d
	store	%r10d, 4
	movl	16(%rsp), %r10d
	andl	$~0x200, %r10d
	orl	SH_VIF(%r9), %r10d
	store	%r10d, 8
	movl	24(%rsp), %r10d
	store	%r10d, 12
	movl	32(%rsp), %r10d
	store	%r10d, 16
	movl	$0, SH_VIF(%r9)
	movq	V_FAST_IP(%r8), %r10
	movq	%r10, (%rsp)
	movl	V_FAST_CS(%r8), %r10d
	movl	%r10d, 8(%rsp)
	andl	$~0x54100, 16(%rsp)	/* not TF, NT, RF, AC */
	movq	%r11, 24(%rsp)
	movl	V_FAST_SS(%r8), %r10d
	movl	%r10d, 32(%rsp)
	xorl	%r11d, %r11d		/* nothing of the guest's is left in R8 to R11 */
	incq	V_COUNT(%r8)
	global	syscall_iretq\again
	leave_or_trap \again

/*
 * The ROM's IRET behind a page fault, by a call gate: what the guest mapped is filled.
 * If there is anything else to do it goes on as a call that does nothing.
 */
	global	fill_gate\again
	cli
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	cld
	movq	%rsp, %rdi
	call	fill_from_rom
	testq	%rax, %rax
	jz	776f
	cmpb	$0, V_EVENTS(%rax)
	jne	776f
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	sti
	.ifb \again
	lretq
	.skip	3, 0xcc
	.else
	.byte	0xe9
	.long	call_gate - . - 4
	.endif
776:	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	sti
	.byte	0xe9
	.long	call_gate - . - 4

from_guest\again:
	call	trap_from_guest
way_out\again:				/* RAX: the vcpu */
	cmpb	$0, V_EVENTS(%rax)
	jne	773f
restore\again:
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp		/* vector, error code */
	global	iretq_insn\again
	leave_or_trap \again
773:	movq	%rsp, %rdi
	call	guest_events
	jmp	way_out\again

to_monitor\again:
	cmpb	$0, V_EVENTS(%rax)
	je	773f
	leaq	4 * 8(%rsp), %rdi
	call	go_round
773:	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	jmp	restore\again
774:	xorl	%r10d, %r10d		/* the system call's long way */
	xorl	%r11d, %r11d
	pushq	$0
	pushq	$0x80
	.byte	0xe9
	.long	trap_entry - . - 4
	.endm

	ways_out
	ways_out _again
	.balign 16
	global	ways_out_end

/*
 * A hypercall by far call.  The processor has left SS, RSP, CS and RIP here, but
 * the flags as they were: interrupts are still open.
 */
	.balign 16
	.globl	call_gate
call_gate:
	pushfq
	pushq	$2
	popfq
	popq	%r8
	popq	%r9
	popq	%r10
	pushq	%r8			/* EFLAGS, CS, EIP */
	pushq	%r10
	pushq	%r9
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	pushq	$CALL_LEN
	pushq	$HYPERCALL_VECTOR
	jmp	trap_entry

/* enter_guest(regs): leave for good; the next trap starts at the stack's top. */
	.globl	enter_guest
enter_guest:
	movq	%rdi, %rsp
	movq	%rsp, %rax
	andq	$-STACK_SIZE, %rax
	movq	(%rax), %rax
	jmp	way_out

/* trap_again(regs): as if a trap had left them, above which the stack is free */
	.globl	trap_again
trap_again:
	movq	%rdi, %rsp
	jmp	from_guest

/* run_on_stack(stack, function, argument) */
	.globl	run_on_stack
run_on_stack:
	movq	%rdi, %rsp
	movq	%rdx, %rdi
	xorl	%ebp, %ebp
	call	*%rsi
	ud2

/*
 * halt_unless(bool *a, bool *b): HLT with interrupts open, unless one is set;
 * park_unless(bool *a): with interrupts closed, until an NMI.
 * An NMI on its way there that sets one goes to the end, see nmi_arrived().
 */
	.globl	halt_unless, park_unless, halt_begin, halt_end
halt_unless:
halt_begin:
	cmpb	$0, (%rdi)
	jne	halt_end
	cmpb	$0, (%rsi)
	jne	halt_end
	sti
	hlt
	jmp	halt_end
park_unless:
	cmpb	$0, (%rdi)
	jne	halt_end
	hlt
halt_end:
	cli
	ret

/* Start of a processor, copied below 1 MB: to long mode; smp.c fills in the words. */
	.balign 16
	.code16
	.globl	ap_start, ap_end, ap_cr3, ap_efer, ap_stack
ap_start:
	cli
	movw	%cs, %ax
	movw	%ax, %ds
	movl	$0xa0, %eax		/* PAE, PGE */
	movl	%eax, %cr4
	movl	ap_cr3 - ap_start, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	ap_efer - ap_start, %eax
	wrmsr
	movl	$0x80010033, %eax
	movl	%eax, %cr0
	lgdtl	ap_gdt_ptr - ap_start
	ljmpl	*(ap_far - ap_start)
	.balign 8
	.globl	ap_gdt_ptr, ap_far
ap_gdt:	.quad	0
	.quad	0x00209b0000000000
ap_gdt_ptr:
	.word	15
	.long	0			/* linear address of ap_gdt */
ap_far:	.long	0			/* linear address of ap_long */
	.word	8
ap_cr3:	.long	0
ap_efer: .long	0
	.balign 8
ap_stack: .quad	0
	.code64
	.globl	ap_long, ap_gdt
ap_long:
	xorl	%eax, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	movq	ap_stack(%rip), %rsp
	movq	$ap_main, %rax
	call	*%rax
	ud2
ap_end:

	.section .rodata
	.balign 16
	.globl	rom_image, rom_image_end
rom_image:
	.incbin "rom.bin"
rom_image_end:
	.balign 4
	.globl	rom_relocs, rom_relocs_end
rom_relocs:
	.include "romreloc.inc"
rom_relocs_end:

	.section .bss
	.balign 16
	.skip	8192
boot_stack_end:
