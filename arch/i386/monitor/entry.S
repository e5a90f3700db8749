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

	.macro	short_gate function, again
	cli
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	cld
	movq	%rsp, %rdi
	movq	%r14, %rsi
	call	\function
	testb	%al, %al
	jz	776f
	cmpb	$0, V_EVENTS(%r14)
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
	testb	$2, 8(%rsp)		/* CS */
	jz	775f
	movq	SH_VIF(%r15), %r8	/* and SH_SS0 */
	cmpq	%r8, V_FAST_VIF(%r14)
	jne	775f
	movl	SH_ESP0(%r15), %r11d
	subl	$20, %r11d
	popq	%r8			/* EIP */
	popq	%r9			/* CS */
	popq	%r10			/* EFLAGS */
	popq	%r12			/* ESP */
	popq	%r13			/* SS */
	store	%r8d, 0
	store	%r9d, 4
	store	%r10d, 8
	store	%r12d, 12
	store	%r13d, 16
	movl	$0, SH_VIF(%r15)
	pushq	V_FAST_SS(%r14)
	pushq	%r11
	andl	$~0x54100, %r10d	/* not TF, NT, RF, AC */
	pushq	%r10
	pushq	V_FAST_CS(%r14)
	pushq	V_FAST_IP(%r14)
	incq	V_COUNT(%r14)
	global	syscall_iretq\again
	leave_or_trap \again

/*
 * By call gates of their own: the ROM's IRET behind a page fault, what the guest mapped is
 * filled; and the short calls.  Five registers are saved.  If there is anything else to
 * do it goes on as a call by the other gate.
 */
	global	fill_gate\again
	short_gate fill_from_rom, \again
	global	short_gate\again
	short_gate short_call, \again

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
774:	pushq	%r13			/* the system call's long way */
	pushq	%r12
	pushq	%r10
	pushq	%r9
	pushq	%r8
775:	pushq	$0
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

	/*
	 * R14, the vcpu, and R15, its shared page, are so whenever the guest runs: no 32-bit
	 * code gets at them, and C code gives them back.
	 */
	.macro	load_vcpu
	movq	%rsp, %r14
	andq	$-STACK_SIZE, %r14
	movq	(%r14), %r14
	movq	V_PAGE(%r14), %r15
	.endm

/* enter_guest(regs): leave for good; the next trap starts at the stack's top. */
	.globl	enter_guest
enter_guest:
	movq	%rdi, %rsp
	load_vcpu
	movq	%r14, %rax
	jmp	way_out

/* trap_again(regs): as if a trap had left them, above which the stack is free */
	.globl	trap_again
trap_again:
	movq	%rdi, %rsp
	load_vcpu
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
