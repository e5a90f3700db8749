/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MON_LAYOUT_H
#define MON_LAYOUT_H

/*
 * Numbers that C and assembly share.  Linear 0 .. 4 GiB belongs to the guest.  Above:
 *	DIRECT_BASE	all physical memory, for the monitor's own use
 *	MON_BASE	the monitor's memory, image first
 *	TSS_BASE	a window of four pages per CPU, see cpu.c
 *	STACK_BASE	two stacks per CPU, below each as much that is not there
 *	ALIAS_BASE	4 GiB per CPU, all of them one page, see paging.c
 */
#define DIRECT_BASE	0xffff800000000000
#define MON_BASE	0xffffffff80000000
#define TSS_BASE	0xffffffffc0000000
#define STACK_BASE	0xffffffffd0000000
#define ALIAS_BASE	0xffffff0000000000
#define TSS_WINDOW	0x4000

#define MAX_CPUS	64		/* their TSS windows are 2 MB */
#define STACK_SIZE	0x4000

/* The real GDT: a copy of the guest's, at the end the monitor's own descriptors. */
#define GUEST_GDT_MAX	8160
#define MON_CS		(8180 * 8)
#define MON_SHORT_GATE	(8182 * 8 + 1)	/* the calls that short_call() knows */
#define MON_FILL_GATE	(8184 * 8 + 1)	/* HC_FILL by far call */
#define MON_TR		(8186 * 8)
#define MON_LDT		(8188 * 8)
#define MON_GATE	(8190 * 8 + 1)	/* hypercalls by far call */
#define STALE_CS	(8176 * 8)	/* what CS was before the guest's LGDT */
#define STALE_SS	(8177 * 8)

#define HYPERCALL_VECTOR	0x1f
#define CALL_LEN		7	/* error code then, if by far call: its length */
#define NOT_EXCEPTION		0x100	/* with a vector below 32: from a device */
#define EVENTS_VECTOR		0x200	/* no trap: an NMI came on the way out */
#define IRETQ_FAULTED		0x201	/* nor this: to a CS or SS that is gone */

/* The TSS ends a page, the I/O bitmap is in the next ones; where it is, in the last word. */
#define TSS_SIZE	0x68
#define TSS_IOMAP	0x66	/* u16: I/O bitmap's offset; behind the limit: no ports */
#define IOMAP_OPEN	TSS_SIZE
#define IOMAP_CLOSED	0xffff

#define ROM_CODE	0x1000	/* of offsets in the ROM, more are into the shared pages */

/* Offsets in the shared page. */
#define SH_IRET_USER	0x00	/* s32: greatest IF and VM for which IRET to ring 3 need */
#define SH_IRET_KERNEL	0x04	/* s32: not call, and IRET to ring 1: IRET_FREE or -1 */
#define IRET_FREE	0x200
#define SH_VIF		0x08	/* u32: 0x200 or 0, the guest's interrupt flag */
#define SH_SS0		0x0c	/* u32: kernel stack: selector, with RPL 1; behind SH_VIF */
#define SH_CR0		0x10
#define SH_CR2		0x14
#define SH_CR3		0x18
#define SH_CR4		0x1c
#define SH_HEAD		0x20	/* u32: entries written to the ring so far */
#define SH_EOI_HELD	0x24	/* u32: nonzero: call EnableInterrupts after EOI */
#define SH_DEPTH	0x28	/* u32: interrupts in service */
#define SH_DIRECT	0x2c	/* u32: linear minus physical, guest's direct map */
#define SH_DIRECT_END	0x30	/* u32: end of physical memory mapped so, or 0 */
#define SH_PENDING	0x34	/* u32: nonzero: call EnableInterrupts */
#define SH_ESP0		0x38	/* u32: kernel stack: pointer */
#define SH_SERVICE	0x3c	/* u32[16]: their vectors, the latest last */
#define SERVICE_REAL	0x100	/* ... whose EOI must reach the local APIC */
#define SH_KNOWN	0x7c	/* u32: 1: the guest asked for an extension */
#define SH_FILL		0x80	/* u32: nonzero: IRET to ring 3 calls HC_FILL first */
#define SH_RING		0x1000	/* u32[]: entries of page tables that changed */
#define RING_SIZE	4096
#define SH_PAGES	5	/* the shared page and the ring */

/* Offsets in struct vcpu, for the system call's short way in entry.S. */
#define V_PAGE		0
#define V_FAST_IP	8
#define V_FAST_CS	16
#define V_FAST_PF	20
#define V_FAST_VIF	24	/* as SH_VIF, and behind it SH_SS0 */
#define V_FAST_SS	28
#define V_EVENTS	32
#define V_COUNT		40

/*
 * What CPUID hides of the processor: what ring 1 or long mode cannot give.  The last
 * leaves are a hypervisor's below us, with offers that are not for our guest.
 */
#define CPUID_1_ECX_SHOWN	0x80000000	/* a hypervisor */
/* MONITOR, DTES64, VMX, SMX, EST, TM2, PCID, DCA, x2APIC */
#define CPUID_1_ECX_HIDDEN	(1 << 3 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | \
				 1 << 17 | 1 << 18 | 1 << 21)
/* VME, MCE, SEP, MCA */
#define CPUID_1_EDX_HIDDEN	(1 << 1 | 1 << 7 | 1 << 11 | 1 << 14)
/* FSGSBASE, SMAP, MPX, INVPCID, PT */
#define CPUID_7_EBX_HIDDEN	(1 << 0 | 1 << 10 | 1 << 14 | 1 << 20 | 1 << 25)
/* PKU, LA57, WAITPKG, shadow stacks */
#define CPUID_7_ECX_HIDDEN	(1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 16)
#define CPUID_7_EDX_HIDDEN	(1 << 20)	/* IBT */
#define CPUID_D_1_EAX_SHOWN	7		/* not XSAVES, XFD */
#define CPUID_EXT_ECX_HIDDEN	(1 << 2 | 1 << 10)	/* SVM, IBS */
/* VME, SYSCALL, 1 GB pages, LM */
#define CPUID_EXT_EDX_HIDDEN	(1 << 1 | 1 << 11 | 1 << 26 | 1 << 29)
#define CPUID_HYPERVISOR	0x40000000	/* .. 0x400000ff */

/* The operations that trap, in a slot of the ROM each: X(ID). */
#define TRAPPING_OPS(X) \
	X(WRMSR) X(RDMSR) X(SET_GDT) X(SET_LDT) X(SET_IDT) X(SET_TR) X(GET_GDT) \
	X(GET_LDT) X(GET_IDT) X(GET_TR) X(WRITE_GDT_ENTRY) X(WRITE_LDT_ENTRY) \
	X(WRITE_IDT_ENTRY) X(SET_CR0) X(SET_CR3) X(SET_CR4) X(WBINVD) X(SET_DR) \
	X(GET_DR) X(RDPMC) X(CLTS) X(SYSEXIT) X(HALT) X(REBOOT) X(SHUTDOWN) \
	X(UPDATE_PXE) X(INVAL_PAGE) X(FLUSH_TLB) X(SET_LINEAR_MAPPING) \
	X(SET_IOPL_MASK) X(SET_INITIAL_AP_STATE) X(APIC_WRITE) X(APIC_READ) \
	X(GET_OP_COUNT) X(SPIN_WAIT) X(SPIN_KICK) X(FLUSH_LATER) X(FLUSH_RANGE)

/* Extra hypercalls, beside the numbers of the ABI. */
#define HC_INIT		112
#define HC_ENABLE	113
#define HC_IRET		114
#define HC_BY_INT	115		/* nothing, one always by INT, */
#define HC_BY_CALL	116		/* one by far call */
#define HC_CHOOSE	117		/* how long the two took */
#define HC_FILL		118		/* an IRET behind a page fault: fill the shadow */
#define HC_OWN		7		/* these */
#define HC_SLOTS	119
#define SLOT		8		/* bytes of one in the ROM */

#endif
