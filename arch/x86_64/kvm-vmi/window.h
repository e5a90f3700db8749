/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VMI_WINDOW_H
#define KVM_VMI_WINDOW_H

/*
 * The window: from the moment when the processor has our IDT until it has the host's
 * again.  In it no C code runs but that of window.c, and nothing per CPU, no stack
 * protector and no interrupt of the host's is to be had.
 */

/* Offsets in struct window, for switch.S; run.c compares. */
#define W_DI		0x00
#define W_SI		0x08
#define W_BP		0x10
#define W_BX		0x18
#define W_DX		0x20
#define W_CX		0x28
#define W_AX		0x30
#define W_VEC		0x38
#define W_ERR		0x40
#define W_IP		0x48
#define W_SP		0x60
#define W_HOST_SP	0x70
#define W_GUEST_CR0	0x78
#define W_HOST_CR0	0x80
#define W_GUEST_CR3	0x88
#define W_HOST_CR3	0x90
#define W_GUEST_CR4	0x98
#define W_HOST_CR4	0xa0
#define W_GS_BASE	0xa8
#define W_FS_BASE	0xb0
#define W_GUEST_SEGS	0xb8	/* u16: DS, ES, FS, GS, LDT */
#define W_HOST_SEGS	0xc8
#define W_BRIDGE_GDT	0xd8	/* 10 bytes each */
#define W_GUEST_GDT	0xe8
#define W_GUEST_IDT	0xf8
#define W_HOST_GDT	0x108
#define W_HOST_IDT	0x118
#define W_GUEST_DR7	0x128
#define W_VCPU		0x130
#define W_FAULTS	0x138

/* With W_VEC: it was no trap of the guest's, but a fault in the window. */
#define WINDOW_FAULT	0x100
#define WINDOW_LOST	0x200	/* on the way out: what the guest's registers are is lost */

/* An interrupt of this CPU's for itself: of those that VT-x posts, which nobody awaits. */
#define NMI_KICK	(APIC_DEST_SELF | APIC_INT_ASSERT | POSTED_INTR_VECTOR)

/* In the page of a CPU that its three stacks of the window are in. */
#define P_WINDOW	0	/* struct window of who runs */
#define P_NMI		8	/* NMIs that came in the window */
#define P_ICR		16	/* the local APIC's command register; 0: an MSR */
#define P_DB_STACK	0x400	/* its top */
#define P_NMI_STACK	0x800	/* likewise */
#define P_STACK		0x1000	/* likewise, of all other traps */

/*
 * The page of struct window again, at each page of 512 GiB, where no guest gets to.  To
 * a 16-bit stack IRETQ leaves the upper half of our RSP: there it can be the guest's.
 */
#define ALIAS_ENTRY	1	/* of the PML4 */
#define WINDOW_ALIAS	(ALIAS_ENTRY << 39)

#ifndef __ASSEMBLY__
struct window {
	struct regs regs;
	u64 host_sp;
	u64 guest_cr0, host_cr0, guest_cr3, host_cr3, guest_cr4, host_cr4;
	u64 gs_base, fs_base;
	u16 guest_seg[5], pad0[3];
	u16 host_seg[5], pad1[3];
	struct desc_ptr bridge_gdt;
	u8 pad2[6];
	struct desc_ptr guest_gdt;
	u8 pad3[6];
	struct desc_ptr guest_idt;
	u8 pad4[6];
	struct desc_ptr host_gdt;
	u8 pad5[6];
	struct desc_ptr host_idt;
	u8 pad6[6];
	u64 guest_dr7;		/* 0: no breakpoints */
	struct vcpu *vcpu;	/* NULL: no short way for system calls */
	struct vcpu *faults;	/* nor, if that is NULL, for page faults and calls */
	u64 dr6;		/* of a #DB: what it was for */
	u64 *bridge;		/* the host's descriptors, and our CS */
};

/* What a CPU's window needs: found by the stack pointer of a trap. */
struct window_cpu {
	struct window *window;
	u64 nmi;
	u32 *icr;		/* the local APIC's command register; NULL: an MSR */
	u32 no_icr;		/* where there is no local APIC */
	u32 *apf;		/* nonzero there: the host's own host wants it to wait */
	bool apf_known;
	u8 stacks[0x1000 - 41];
};

/* What window_pf and window_call have pushed, and the processor's frame. */
struct fault_frame {
	u64 di, si, dx, cx, ax;
	u64 err, ip, cs, flags, sp, ss;
};

/* switch.S */
void window_enter(struct window *w, struct window_cpu *cpu);
void window_do_nmi(void);
void window_do_irq(unsigned long entry);
extern u8 window_vectors[], window_syscall[], window_pf[], window_call[];
extern u8 window_nmi[], window_db[];

/* window.c */
int window_page_fault(struct window_cpu *cpu, struct fault_frame *f);
int window_hypercall(struct window_cpu *cpu, struct fault_frame *f);
#endif

#endif
