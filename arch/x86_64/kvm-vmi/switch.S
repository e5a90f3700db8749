/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch.  In: the host's descriptors and our CS (the "bridge"), our IDT,
 * our CS, no SS, then the guest's GDT, control registers and segments, IRETQ.  Out:
 * the reverse.  An NMI may come after each instruction, so that each has to find a
 * GDT with the CS and SS that are loaded.
 */
#include <linux/linkage.h>
#include <asm/apicdef.h>
#include <asm/asm.h>
#include <asm/irq_vectors.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>
#include "layout.h"
#include "window.h"

#define WINDOW_CS	MON_CS

	/* A load that may fault: it is done again then, with a null selector. */
	.macro load_seg offset, seg
771:	movw	\offset(%rdi), \seg
	.pushsection .rodata.window_fixups, "a"
	.quad	771b - window_enter, \offset
	.popsection
	.endm

	/*
	 * Ring 1 is supervisor to the predictors, too: the processor does not keep apart what
	 * it and the host taught them, as it does with a guest of VT-x's or SVM's, or with a
	 * program.  So where that is what Linux relies on, it is done all the same.  Before
	 * any RET, and before an NMI can go to the host's handler.
	 */
	.macro clear_predictors
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
	CALL_UNTRAIN_RET
	ALTERNATIVE_2 "", "call entry_ibpb", X86_FEATURE_USE_IBPB, \
			  "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
	ALTERNATIVE_2 "", "call clear_bhb_loop", X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT, \
			  "call clear_bhb_loop", X86_FEATURE_CLEAR_BHB_HW
#ifdef CONFIG_MITIGATION_CALL_DEPTH_TRACKING
	ALTERNATIVE "", __stringify(RESET_CALL_DEPTH), X86_FEATURE_CALL_DEPTH
#endif
	.endm

	/* CLEAR_CPU_BUFFERS; TSA may want it for guests alone. */
	.macro clear_cpu_buffers
#ifdef VM_CLEAR_CPU_BUFFERS
	ALTERNATIVE_2 "", "verw x86_verw_sel(%rip)", X86_FEATURE_CLEAR_CPU_BUF, \
			  "verw x86_verw_sel(%rip)", X86_FEATURE_CLEAR_CPU_BUF_VM
#else
	CLEAR_CPU_BUFFERS
#endif
	.endm

	.pushsection .rodata.window_fixups, "a"
	.balign 8
window_fixups:
	.popsection

	.pushsection .noinstr.text, "ax"

/* window_enter(struct window *, struct window_cpu *): interrupts are off */
SYM_CODE_START(window_enter)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, W_HOST_SP(%rdi)
	mov	%rdi, P_WINDOW(%rsi)
	lgdt	W_BRIDGE_GDT(%rdi)
	lidt	W_GUEST_IDT(%rdi)
	pushq	$WINDOW_CS
	leaq	1f(%rip), %rax
	push	%rax
	lretq
1:	UNWIND_HINT_END_OF_STACK
	ANNOTATE_NOENDBR
	xorl	%eax, %eax
	mov	%eax, %ss
	lgdt	W_GUEST_GDT(%rdi)
	mov	W_GUEST_CR4(%rdi), %rax
	cmp	W_HOST_CR4(%rdi), %rax
	je	2f
	mov	%rax, %cr4
2:	mov	W_GUEST_CR0(%rdi), %rax
	cmp	W_HOST_CR0(%rdi), %rax
	je	3f
	mov	%rax, %cr0
3:	mov	W_GUEST_CR3(%rdi), %rax
	mov	%rax, %cr3
	lldt	W_GUEST_SEGS + 8(%rdi)
	load_seg W_GUEST_SEGS+0, %ds
	load_seg W_GUEST_SEGS+2, %es
	load_seg W_GUEST_SEGS+4, %fs
	load_seg W_GUEST_SEGS+6, %gs
	/* Nothing of the host's is left in registers. */
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	mov	W_GUEST_DR7(%rdi), %rax
	test	%rax, %rax
	jz	4f
	mov	%rax, %dr7
4:	movl	W_SP(%rdi), %eax
	andl	$0xffff0000, %eax
	movabs	$WINDOW_ALIAS + W_IP, %rsp
	add	%rax, %rsp
	mov	W_AX(%rdi), %rax
	mov	W_CX(%rdi), %rcx
	mov	W_DX(%rdi), %rdx
	mov	W_BX(%rdi), %rbx
	mov	W_BP(%rdi), %rbp
	mov	W_SI(%rdi), %rsi
	mov	W_DI(%rdi), %rdi
	clear_cpu_buffers
SYM_INNER_LABEL(window_iretq, SYM_L_LOCAL)
	ANNOTATE_NOENDBR
	iretq

/* A trap; on its stack: vector, error code and the processor's frame. */
SYM_INNER_LABEL(window_trap, SYM_L_LOCAL)
	UNWIND_HINT_END_OF_STACK
	ANNOTATE_NOENDBR
	cld
	push	%rax
	push	%rdi
	testb	$3, 32 + 8(%rsp)		/* CS */
	jz	window_fault
	mov	%rsp, %rdi
	and	$-0x1000, %rdi
	mov	P_WINDOW(%rdi), %rdi
	mov	%rcx, W_CX(%rdi)
	mov	%rdx, W_DX(%rdi)
	mov	%rbx, W_BX(%rdi)
	mov	%rbp, W_BP(%rdi)
	mov	%rsi, W_SI(%rdi)
	pop	W_DI(%rdi)
	pop	W_AX(%rdi)
	pop	W_VEC(%rdi)
	pop	W_ERR(%rdi)
	pop	W_IP + 0x00(%rdi)
	pop	W_IP + 0x08(%rdi)
	pop	W_IP + 0x10(%rdi)
	pop	W_IP + 0x18(%rdi)
	pop	W_IP + 0x20(%rdi)
	movw	%ds, W_GUEST_SEGS + 0(%rdi)
	movw	%es, W_GUEST_SEGS + 2(%rdi)
	movw	%fs, W_GUEST_SEGS + 4(%rdi)
	movw	%gs, W_GUEST_SEGS + 6(%rdi)

/* Back to the host, from whatever state between the two. */
SYM_INNER_LABEL(window_leave, SYM_L_LOCAL)
	cmpq	$0, W_GUEST_DR7(%rdi)
	je	4f
	movl	$0x400, %eax		/* DR7_FIXED_1: none */
	mov	%rax, %dr7
4:	mov	W_HOST_CR3(%rdi), %rax
	mov	%rax, %cr3
	mov	W_HOST_CR0(%rdi), %rax
	cmp	W_GUEST_CR0(%rdi), %rax
	je	1f
	mov	%rax, %cr0
1:	mov	W_HOST_CR4(%rdi), %rax
	cmp	W_GUEST_CR4(%rdi), %rax
	je	2f
	mov	%rax, %cr4
2:	mov	W_HOST_SP(%rdi), %rsp
	lgdt	W_BRIDGE_GDT(%rdi)
	pushq	$__KERNEL_CS
	leaq	3f(%rip), %rax
	push	%rax
	lretq
3:	UNWIND_HINT_END_OF_STACK
	ANNOTATE_NOENDBR
	mov	$__KERNEL_DS, %eax
	mov	%eax, %ss
	lldt	W_HOST_SEGS + 8(%rdi)
	load_seg W_HOST_SEGS+0, %ds
	load_seg W_HOST_SEGS+2, %es
	load_seg W_HOST_SEGS+4, %fs
	load_seg W_HOST_SEGS+6, %gs
	mov	$MSR_GS_BASE, %ecx
	mov	W_GS_BASE(%rdi), %eax
	mov	W_GS_BASE + 4(%rdi), %edx
	wrmsr
	mov	$MSR_FS_BASE, %ecx
	mov	W_FS_BASE(%rdi), %eax
	mov	W_FS_BASE + 4(%rdi), %edx
	wrmsr
	clear_predictors
	/* Not the other way round: our gates name a CS that the host's GDT lacks. */
	lidt	W_HOST_IDT(%rdi)
	lgdt	W_HOST_GDT(%rdi)
	pushq	$2
	popfq
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%esi, %esi
	xorl	%ebp, %ebp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_CODE_END(window_enter)

/*
 * A fault in the window itself.  At a load of a segment: that becomes a null one.  In
 * the short way of a system call: it goes the long one.  Else,
 * most likely at IRETQ, back to the host, which is told.  Still on the stack: RDI, RAX.
 */
SYM_CODE_START_LOCAL(window_fault)
	UNWIND_HINT_END_OF_STACK
	push	%rdx
	mov	8 + 32(%rsp), %rdx		/* RIP */
	mov	%rsp, %rdi
	and	$-0x1000, %rdi
	mov	P_WINDOW(%rdi), %rdi
	leaq	window_enter(%rip), %rax
	sub	%rax, %rdx
	leaq	window_fixups(%rip), %rax
1:	cmp	%rdx, (%rax)
	je	2f
	add	$16, %rax
	cmpq	$0, (%rax)
	jne	1b
	mov	8 + 16(%rsp), %rax
	or	$WINDOW_FAULT, %rax
	cmp	$(window_iretq - window_enter), %rdx
	jbe	4f
	or	$WINDOW_LOST, %rax		/* the guest had been left */
4:	mov	%rax, W_VEC(%rdi)
	mov	8 + 24(%rsp), %rax
	mov	%rax, W_ERR(%rdi)
	jmp	window_leave
2:	mov	8(%rax), %rax
	cmp	$FIX_LAST, %rax
	jbe	3f
	movw	$0, (%rdi, %rax)
	pop	%rdx
	pop	%rdi
	pop	%rax
	add	$16, %rsp			/* vector, error code */
	iretq
	/* A short way: that of all traps after all, with the frame as it was. */
3:	mov	$0x80, %r8d
	xorl	%r9d, %r9d
	cmp	$FIX_RETURN, %al
	je	5f
	cmp	$FIX_CALL, %al
	je	4f
	mov	W_VCPU(%rdi), %rdx
	mov	V_PAGE(%rdx), %rdx
	movl	$0x200, SH_VIF(%rdx)
	cmp	$FIX_SYSCALL, %al
	je	6f
	mov	SH_CR2(%rdx), %r15d
	mov	%r15, %cr2
5:	mov	$14, %r8d
	mov	W_ERR(%rdi), %r9
	jmp	6f
4:	mov	$HYPERCALL_VECTOR, %r8d
6:	pop	%rdx
	pop	%rdi
	pop	%rax
	add	$56, %rsp			/* all: a fault's frame is at the top */
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	jmp	window_trap
SYM_CODE_END(window_fault)

	/* What may fault in a short way, which is gone on with in window_fault. */
	.set	FIX_SYSCALL, 0
	.set	FIX_DELIVER, 1		/* a page fault to the guest */
	.set	FIX_RETURN, 2		/* back from a page fault */
	.set	FIX_CALL, 3		/* back from a call of the ROM's */
	.set	FIX_LAST, 3

	.macro fixup_short_way label, kind
	.pushsection .rodata.window_fixups, "a"
	.quad	\label - window_enter, \kind
	.popsection
	.endm

	.macro store reg, offset, kind
772:	movl	\reg, \offset(%r15)
	fixup_short_way 772b, \kind
	.endm

	/*
	 * R10 to R14, the frame, to the kernel's stack, which may not be there; R9: shared
	 * page, R8: the error code, if @size is with one.
	 */
	.macro store_frame size, kind
	mov	SH_ESP0(%r9), %r15d
	sub	$\size, %r15d
	.if	\size == 24
	store	%r8d, 0, \kind
	.endif
	store	%r10d, (\size - 20), \kind
	store	%r11d, (\size - 16), \kind
	store	%r12d, (\size - 12), \kind
	store	%r13d, (\size - 8), \kind
	store	%r14d, (\size - 4), \kind
	movl	$0, SH_VIF(%r9)
	.endm

	/* IRETQ's frame, all but EIP: the kernel, at the stack R15; R8: vcpu */
	.macro push_kernel
	pushq	V_FAST_SS(%r8)
	push	%r15
	mov	%r12d, %r15d
	and	$~0x77100, %r15d		/* as handler_flags() */
	push	%r15
	pushq	V_FAST_CS(%r8)
	.endm

/*
 * INT 0x80 of a program: to the guest's kernel right here, if nothing is unusual;
 * deliver() has found out where to.  The frame is in R10 to R14: a fault's comes to
 * the place where it was.
 */
SYM_CODE_START(window_syscall)
	UNWIND_HINT_END_OF_STACK
	ENDBR
	mov	%rsp, %r8
	and	$-0x1000, %r8
	mov	P_WINDOW(%r8), %r8
	mov	W_VCPU(%r8), %r8
	pop	%r10				/* EIP */
	pop	%r11				/* CS */
	pop	%r12				/* EFLAGS */
	pop	%r13				/* ESP */
	pop	%r14				/* SS */
	test	%r8, %r8
	jz	window_syscall_trap
	test	$2, %r11b
	jz	window_syscall_trap
	mov	V_PAGE(%r8), %r9
	mov	SH_VIF(%r9), %r15		/* and SH_SS0 */
	cmp	%r15, V_FAST_VIF(%r8)
	jne	window_syscall_trap
	store_frame 20, FIX_SYSCALL
	push_kernel
	pushq	V_FAST_IP(%r8)
	incq	V_COUNT(%r8)
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	clear_cpu_buffers
SYM_INNER_LABEL(window_syscall_iretq, SYM_L_LOCAL)
	ANNOTATE_NOENDBR
	fixup_short_way window_syscall_iretq, FIX_SYSCALL
	iretq
SYM_INNER_LABEL(window_syscall_trap, SYM_L_LOCAL)
	ANNOTATE_NOENDBR
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	pushq	$0
	pushq	$0x80
	jmp	window_trap
SYM_CODE_END(window_syscall)

	/* A routine of window.c; to @slow if it leaves all as it was.  Flags: of its result. */
	.macro call_c function, slow
	cld
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	mov	%rsp, %rsi
	mov	%rsp, %rdi
	and	$-0x1000, %rdi
	mov	P_WINDOW(%rdi), %r8
	cmpq	$0, W_FAULTS(%r8)
	je	\slow
	call	\function
	mov	%eax, %r8d
	test	%eax, %eax
	js	\slow
	pop_regs
	.endm

	.macro pop_regs
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	.endm

	.macro load_frame
	mov	8(%rsp), %r10
	mov	16(%rsp), %r11
	mov	24(%rsp), %r12
	mov	32(%rsp), %r13
	mov	40(%rsp), %r14
	.endm

	.macro before_iretq
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	clear_cpu_buffers
	.endm

/*
 * A page fault: window_page_fault() has filled the shadow, or it is the guest's own and a
 * program's, which goes the way of a system call.  If neither, it is a trap like others.
 * As there, what may fault comes when the frame is in R10 to R14, and no register of the
 * guest's is on this stack any more.
 */
SYM_CODE_START(window_pf)
	UNWIND_HINT_END_OF_STACK
	ENDBR
	testb	$3, 16(%rsp)			/* CS */
	jz	window_pf_trap
	call_c	window_page_fault, 1f
	load_frame
	jnz	window_pf_deliver
	add	$8, %rsp
	before_iretq
SYM_INNER_LABEL(window_pf_return, SYM_L_LOCAL)
	ANNOTATE_NOENDBR
	fixup_short_way window_pf_return, FIX_RETURN
	iretq
SYM_INNER_LABEL(window_pf_deliver, SYM_L_LOCAL)
	ANNOTATE_NOENDBR
	add	$48, %rsp
	mov	%rsp, %r9
	mov	P_WINDOW - P_STACK(%r9), %r9
	mov	W_VCPU(%r9), %r9
	mov	V_PAGE(%r9), %r9
	store_frame 24, FIX_DELIVER
	mov	P_WINDOW - P_STACK(%rsp), %r8
	mov	W_VCPU(%r8), %r8
	push_kernel
	mov	V_FAST_PF(%r8), %r15d
	push	%r15
	before_iretq
SYM_INNER_LABEL(window_pf_iretq, SYM_L_LOCAL)
	ANNOTATE_NOENDBR
	fixup_short_way window_pf_iretq, FIX_DELIVER
	iretq
1:	pop_regs
SYM_INNER_LABEL(window_pf_trap, SYM_L_LOCAL)
	ANNOTATE_NOENDBR
	pushq	$14
	jmp	window_trap
SYM_CODE_END(window_pf)

/* A call of the ROM's, from ring 1: window_hypercall() may have done it. */
SYM_CODE_START(window_call)
	UNWIND_HINT_END_OF_STACK
	ENDBR
	pushq	$0
	call_c	window_hypercall, 1f
	load_frame
	add	$8, %rsp
	before_iretq
SYM_INNER_LABEL(window_call_iretq, SYM_L_LOCAL)
	ANNOTATE_NOENDBR
	fixup_short_way window_call_iretq, FIX_CALL
	iretq
1:	pop_regs
	pushq	$HYPERCALL_VECTOR
	jmp	window_trap
SYM_CODE_END(window_call)

	.balign 32
SYM_CODE_START(window_vectors)
	vec = 0
	.rept	256
	.balign	32
	UNWIND_HINT_END_OF_STACK
	ENDBR
	.if !(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21)
	pushq	$0
	.endif
	pushq	$vec
	jmp	window_trap
	vec = vec + 1
	.endr
SYM_CODE_END(window_vectors)

/*
 * From the guest an NMI ends the window.  In it, it is counted, and taken behind it; which
 * is at once, for an interrupt of our own ends the guest's turn.
 */
SYM_CODE_START(window_nmi)
	UNWIND_HINT_END_OF_STACK
	ENDBR
	testb	$3, 8(%rsp)			/* CS */
	jz	1f
	pushq	$0
	pushq	$2
	jmp	window_trap
1:	push	%rax
	mov	%rsp, %rax
	and	$-0x1000, %rax
	incq	P_NMI(%rax)
	push	%rcx
	mov	P_ICR(%rax), %rcx
	movl	$NMI_KICK, %eax
	jrcxz	2f
	movl	%eax, (%rcx)
	jmp	3f
2:	push	%rdx
	movl	$(APIC_BASE_MSR + (APIC_ICR >> 4)), %ecx
	xorl	%edx, %edx
	wrmsr
	pop	%rdx
3:	pop	%rcx
	pop	%rax
	iretq
SYM_CODE_END(window_nmi)

/*
 * In the window it belongs to a load of SS with a breakpoint at its operand, and INT
 * behind: it came after that.  A stack of its own keeps the frame of the INT.  One more
 * before this has done anything, as QEMU has had it, takes the frame of the first: the guest
 * ends then, for there is nothing to go back to.
 */
SYM_CODE_START(window_db)
	UNWIND_HINT_END_OF_STACK
	ENDBR
	testb	$3, 8(%rsp)			/* CS */
	jz	1f
	pushq	$0
	pushq	$1
	jmp	window_trap
1:	push	%rax
	leaq	window_db(%rip), %rax
	cmp	%rax, 8(%rsp)			/* RIP */
	pop	%rax
	je	2f
	iretq
2:	mov	%rsp, %rdi
	and	$-0x1000, %rdi
	mov	P_WINDOW(%rdi), %rdi
	movq	$(WINDOW_FAULT | WINDOW_LOST | 1), W_VEC(%rdi)
	jmp	window_leave
SYM_CODE_END(window_db)

	.popsection

	.pushsection .rodata.window_fixups, "a"
	.balign 8
	.quad	0, 0
	.popsection

/* As if the event came here: what the handler's IRET goes back to. */
	.macro event_frame target:vararg
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
	\target
	mov	%rbp, %rsp
	pop	%rbp
	RET
	.endm

	.section .noinstr.text, "ax"
/* window_do_nmi() */
SYM_FUNC_START(window_do_nmi)
	event_frame call asm_exc_nmi_kvm_vmx
SYM_FUNC_END(window_do_nmi)

	.text
/* window_do_irq(handler) */
SYM_FUNC_START(window_do_irq)
	event_frame CALL_NOSPEC rdi
SYM_FUNC_END(window_do_irq)
