/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.rom: every operation becomes a call (or a jump) into the ROM, which
 * counts it and does what the processor would have done.
 *
 * The ROM is write-protected when the guest runs, so the counts are in a
 * kilobyte of conventional memory.  rom_init16 takes it from the top, the way
 * BIOS extensions do, and notes its distance from the ROM in the image.  The
 * guest maps the first megabyte in one piece, so that the distance holds for
 * linear addresses too.
 */
#include "header.inc"
#include "iret.inc"
#include "trace.h"

#define BDA_MEMORY_KB	0x413		/* u16: conventional memory in KB */
#define CR4_PGE		0x80
#define EFLAGS_IOPL	0x3000
#define DELAY_PORT	0x80		/* a write to it takes about 1 us */

.if TRACE_COUNTS + 8 * VMI_NR_OPS > 1024 * TRACE_KB
	.error	"the counts need more memory"
.endif

#define DATA_PHYS	TRACE_PHYS
#define DATA_APIC	TRACE_APIC

	vmi_rom	"trace ROM", asked=note_extension

/* Physical address of the data minus that of the ROM; 0 before rom_init16. */
	.balign	4
rom_to_data:
	.long	0

	.code16
rom_init16:
	pushal
	push	%ds
	push	%es
	cmpl	$0, %cs:rom_to_data
	jne	2f

	xor	%ax, %ax
	mov	%ax, %ds
	mov	BDA_MEMORY_KB, %ax
	sub	$TRACE_KB, %ax
	mov	%ax, BDA_MEMORY_KB
	shl	$6, %ax				/* KB to paragraphs */
	mov	%ax, %es
	movzwl	%ax, %edx
	xor	%eax, %eax
	mov	%cs, %ax
	sub	%eax, %edx
	shl	$4, %edx
	mov	%edx, %cs:rom_to_data

	/* The guest wants a sum of 0: take out what was put in. */
1:	sub	%dl, %cs:rom_end - 1
	shr	$8, %edx
	jnz	1b

	xor	%eax, %eax
	xor	%di, %di
	mov	$TRACE_KB * 1024 / 4, %cx
	cld
	rep stosl
	mov	%es, %ax
	shl	$4, %eax
	mov	%eax, %es:TRACE_PHYS
2:	pop	%es
	pop	%ds
	popal
	lret

	.code32
/* data reg, at: the linear address of the data. */
.macro data reg, at
	here	\reg, \at
	add	%cs:rom_to_data - \at\()b(\reg), \reg
	lea	rom_start - \at\()b(\reg), \reg
.endm

rom_vmi_init:
	here	%ecx, 1
	mov	$1, %eax			/* no BIOS has called rom_init16 */
	cmpl	$0, rom_to_data - 1b(%ecx)
	je	2f
	data	%ecx, 1
	mov	%ss, TRACE_FLAT(%ecx)
	xor	%eax, %eax
	mov	%eax, TRACE_KNOWN(%ecx)
	mov	%eax, TRACE_APIC(%ecx)
2:	ret

/* The guest is none of VMI's time: it knows where IRET may fault. */
note_extension:
	data	%edx, 1
	movl	$1, TRACE_KNOWN(%edx)
	ret

/*
 * One more for \id.  Keeps every register and flag, uses the stack by push and pop
 * only.  With \segment the guest's DS need not be flat, nor SS.  The high half moves
 * when the low one wraps: no count is lost or made up, by whatever number of
 * processors, interrupts and NMIs.
 *
 * The flags that it changes are kept by LAHF and SETO.  Not by PUSHF and POPF: QEMU
 * before 8.0 forgets, when it emulates CMPXCHG8B, which instruction set them last,
 * and PUSHF would then find anything in them, TF and DF as well.
 */
.macro count id, segment
	push	%eax
	push	%ecx
	lahf
	seto	%al
	data	%ecx, 7
.ifnb \segment
	push	%ds
	mov	%cs:TRACE_FLAT(%ecx), %ds
.endif
	lock incl TRACE_COUNTS + 8 * OP_NR_\id(%ecx)
	jnz	8f
	lock incl TRACE_COUNTS + 8 * OP_NR_\id + 4(%ecx)
8:
.ifnb \segment
	pop	%ds
.endif
	add	$0x7f, %al			/* 1 overflows */
	sahf
	pop	%ecx
	pop	%eax
.endm

.macro op id
op_\id:
	count	\id
.endm

/*
 * An operation that the guest reaches with the segments of its user, on the way
 * out.  What DS held was loaded a moment ago with interrupts off, so loading it
 * again cannot fault.
 */
.macro op_return id
op_\id:
	count	\id, %ds
.endm

.macro op_none id
	.set	op_\id, 0
.endm

/*
 * RDMSR, WRMSR, RDPMC and others may fault: then the registers and the stack
 * must be as the site left them, for the guest to handle it as the site's
 * fault.  "count" leaves nothing behind, so the bare instruction is right.
 */
op CPUID
	cpuid
	ret

op WRMSR
	wrmsr
	ret

op RDMSR
	rdmsr
	ret

op RDPMC
	rdpmc
	ret

op RDTSC
	rdtsc
	ret

/* Descriptor tables */

op SET_GDT
	lgdt	(%eax)
	ret

op SET_LDT
	lldt	%ax
	ret

op SET_IDT
	lidt	(%eax)
	ret

op SET_TR
	ltr	%ax
	ret

op GET_GDT
	sgdt	(%eax)
	ret

op GET_LDT
	sldt	%eax
	ret

op GET_IDT
	sidt	(%eax)
	ret

op GET_TR
	str	%eax
	ret

op WRITE_GDT_ENTRY
	jmp	write_entry

op WRITE_LDT_ENTRY
	jmp	write_entry

op WRITE_IDT_ENTRY

/* EAX table, EDX index, ECX low word, on the stack the high word. */
write_entry:
	lea	(%eax, %edx, 8), %eax
	xchg	%eax, %ecx			/* low word, address */
	mov	4(%esp), %edx

/*
 * Store EDX:EAX at ECX, all eight bytes at once: neither the processor nor
 * another one may ever see half of a descriptor or of a page-table entry.
 */
store8:
	push	%ebx
	push	%esi
	mov	%ecx, %esi
	mov	%eax, %ebx
	mov	%edx, %ecx
	mov	(%esi), %eax
	mov	4(%esi), %edx
1:	lock cmpxchg8b (%esi)
	jnz	1b
	pop	%esi
	pop	%ebx
	ret

/* EAX ss0, EDX esp0.  The TSS is where TR's descriptor says. */
op UPDATE_KERNEL_STACK
	push	%ebx
	xor	%ebx, %ebx
	str	%bx
	and	$~7, %ebx
	jz	1f
	sub	$8, %esp
	sgdt	(%esp)
	add	2(%esp), %ebx
	add	$8, %esp
	mov	2(%ebx), %ecx			/* base, bits 0 to 23 */
	shl	$8, %ecx
	mov	7(%ebx), %cl			/* bits 24 to 31 */
	ror	$8, %ecx
	mov	%edx, 4(%ecx)
	mov	%ax, 8(%ecx)
1:	pop	%ebx
	ret

/* Control and debug registers */

.irp n, 0, 2, 3, 4
op SET_CR\n
	mov	%eax, %cr\n
	ret

op GET_CR\n
	mov	%cr\n, %eax
	ret
.endr

op CLTS
	clts
	ret

op SET_DR
.irp n, 0, 1, 2, 3, 6, 7
	cmp	$\n, %eax
	jne	1f
	mov	%edx, %db\n
	ret
1:
.endr
	ret

op GET_DR
.irp n, 0, 1, 2, 3, 6, 7
	cmp	$\n, %eax
	jne	1f
	mov	%db\n, %eax
	ret
1:
.endr
	xor	%eax, %eax
	ret

/* Interrupts: only EAX and the flags may change. */

op ENABLE_INTERRUPTS
	sti
	ret

op DISABLE_INTERRUPTS
	cli
	ret

op GET_INTERRUPT_MASK
	pushf
	pop	%eax
	ret

op SET_INTERRUPT_MASK
	push	%eax
	popf
	ret

/* An interrupt that waits must end the hlt: nothing between it and the sti. */
op HALT
	sti
	hlt
	ret

op_return IRET
	push	%eax
	data	%eax, 1
	cmpl	$0, %cs:TRACE_KNOWN(%eax)
	pop	%eax
	je	2f
	iret
2:	iret_checked

op_return SYSEXIT
	sti
	sysexit

/* Memory */

/* EAX entry, EDX address of it */
op SET_PXE
	mov	%eax, (%edx)
	ret

/* EDX:EAX entry, ECX address of it */
op SET_PXE_LONG
	jmp	store8

op INVAL_PAGE
	invlpg	(%eax)
	ret

/* EAX address of the first page, EDX number of pages */
op FLUSH_RANGE
	test	%edx, %edx
	jz	2f
1:	invlpg	(%eax)
	add	$0x1000, %eax
	dec	%edx
	jnz	1b
2:	ret

/* An interrupt could load another CR3 between the read and the write. */
op FLUSH_TLB
	pushf
	cli
	test	$VMI_FLUSH_GLOBAL, %eax
	jz	1f
	mov	%cr4, %eax
	test	$CR4_PGE, %eax
	jz	1f
	mov	%eax, %edx
	and	$~CR4_PGE, %edx
	mov	%edx, %cr4
	mov	%eax, %cr4
	popf
	ret
1:	mov	%cr3, %eax
	mov	%eax, %cr3
	popf
	ret

/* Machine and physical are the same, and nobody needs to know of page tables. */
.irp id, UPDATE_PXE, UPDATE_PXE_LONG, MACHINE_TO_PHYSICAL, PHYSICAL_TO_MACHINE, \
	 ALLOCATE_PAGE, RELEASE_PAGE, SET_LINEAR_MAPPING, SET_LAZY_MODE
op \id
	ret
.endr

/* Processor and platform */

op WBINVD
	wbinvd
	ret

op SET_IOPL_MASK
	pushf
	pop	%edx
	xor	%edx, %eax
	and	$EFLAGS_IOPL, %eax		/* the bits that change */
	xor	%edx, %eax
	push	%eax
	popf
	ret

op APIC_WRITE
	call	apic_register
	jc	2f
	mov	%edx, (%eax)
2:	ret

op APIC_READ
	call	apic_register
	jc	2f
	mov	(%eax), %eax
	ret
2:	xor	%eax, %eax
	ret

#include "apic.inc"

op IO_DELAY
	out	%al, $DELAY_PORT
	ret

/* Nobody is woken who does not sleep: a guest asks again, and so spins. */
op SPIN_WAIT
	pause
	ret

/* Not 0: the guest uses the APIC. */
op SEND_IPI_MASK
	mov	$1, %eax
	ret

/* No processor is ever taken away, so none is flushed later. */
.irp id, FLUSH_LATER, CPU_PREEMPTED
op \id
	xor	%eax, %eax
	ret
.endr

/* The guest goes on and does it the way it would without us. */
.irp id, REBOOT, SHUTDOWN, SET_INITIAL_AP_STATE, SPIN_KICK, YIELD_TO, \
	 PAGE_STATE, HALT_POLL
op \id
	ret
.endr

/* A host's clock has no native counterpart: the guest keeps its own. */
.irp id, GET_CYCLE_FREQUENCY, GET_CYCLE_COUNTER, SET_ALARM, CANCEL_ALARM, \
	 GET_WALLCLOCK_TIME, WALLCLOCK_UPDATED, GET_TSC_FREQUENCY
op_none \id
.endr

/* EAX call number -> EDX:EAX its count, 0 for a number that is none */
op GET_OP_COUNT
	xor	%edx, %edx
	cmp	$VMI_NR_OPS, %eax
	jae	3f
	data	%ecx, 1
	lea	TRACE_COUNTS(%ecx, %eax, 8), %ecx
2:	mov	4(%ecx), %edx
	mov	(%ecx), %eax
	cmp	4(%ecx), %edx			/* wrapped meanwhile */
	jne	2b
	ret
3:	xor	%eax, %eax
	ret
