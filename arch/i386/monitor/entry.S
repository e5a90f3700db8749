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
	jz	from_monitor
	call	trap_from_guest
restore:
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp		/* vector, error code */
	.globl	iretq_insn
iretq_insn:
	iretq

/* INT 0x80 of a program: to the guest's kernel right here, if nothing is unusual. */
	.macro	store reg, off
772:	movl	\reg, \off(%r11)
	.pushsection .extable, "a"
	.quad	772b, syscall_slow
	.popsection
	.endm

	.balign 16
	.globl	syscall_stub
syscall_stub:
	movq	%rsp, %r8
	andq	$-STACK_SIZE, %r8
	movq	(%r8), %r8
	testb	$2, 8(%rsp)		/* CS */
	jz	syscall_slow
	movq	V_PAGE(%r8), %r9
	movl	SH_SS0(%r9), %r10d
	orl	$1, %r10d
	cmpl	%r10d, V_FAST_SS(%r8)
	jne	syscall_slow
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
	incq	V_COUNT(%r8)
	.globl	syscall_iretq
syscall_iretq:
	iretq
syscall_slow:
	pushq	$0
	pushq	$0x80
	jmp	trap_entry

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
	pushq	$CALL_LEN
	pushq	$HYPERCALL_VECTOR
	jmp	trap_entry

from_monitor:
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	call	trap_from_monitor
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	jmp	restore

/* enter_guest(regs): leave for good; the next trap starts at the stack's top. */
	.globl	enter_guest
enter_guest:
	movq	%rdi, %rsp
	jmp	restore

/* run_on_stack(stack, function) */
	.globl	run_on_stack
run_on_stack:
	movq	%rdi, %rsp
	xorl	%ebp, %ebp
	call	*%rsi
	ud2

/*
 * halt_unless(bool *a, bool *b): HLT with interrupts open, unless one is set.
 * An NMI on its way there that sets one goes to the end, see nmi_arrived().
 */
	.globl	halt_unless, halt_begin, halt_end
halt_unless:
halt_begin:
	cmpb	$0, (%rdi)
	jne	halt_end
	cmpb	$0, (%rsi)
	jne	halt_end
	sti
	hlt
halt_end:
	cli
	ret

/* Start of a processor, copied below 1 MB: to long mode; smp.c fills in the words. */
	.balign 16
	.code16
	.globl	ap_start, ap_end, ap_cr3, ap_stack
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
	orl	$0x100, %eax
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
