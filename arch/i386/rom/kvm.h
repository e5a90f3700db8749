/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kvm.rom knows of KVM, by the names of Linux's asm/kvm_para.h, and how
 * its own data is laid out.
 */

#define BIT(n)			(1 << (n))

#define KVM_CPUID_SIGNATURE	0x40000000	/* here, or some steps higher */
#define KVM_CPUID_STEP		0x100
#define KVM_CPUID_END		0x40010000
#define KVM_SIGNATURE_EBX	0x4b4d564b	/* "KVMK" */
#define KVM_SIGNATURE_ECX	0x564b4d56	/* "VMKV" */
#define KVM_SIGNATURE_EDX	0x0000004d	/* "M" */

/* Bits of the leaf behind the signature, EAX */
#define KVM_FEATURE_NOP_IO_DELAY	BIT(1)
#define KVM_FEATURE_CLOCKSOURCE2	BIT(3)
#define KVM_FEATURE_STEAL_TIME		BIT(5)
#define KVM_FEATURE_PV_EOI		BIT(6)
#define KVM_FEATURE_PV_UNHALT		BIT(7)
#define KVM_FEATURE_PV_TLB_FLUSH	BIT(9)
#define KVM_FEATURE_PV_SEND_IPI		BIT(11)
#define KVM_FEATURE_POLL_CONTROL	BIT(12)
#define KVM_FEATURE_PV_SCHED_YIELD	BIT(13)

#define MSR_KVM_WALL_CLOCK_NEW	0x4b564d00
#define MSR_KVM_SYSTEM_TIME_NEW	0x4b564d01
#define MSR_KVM_STEAL_TIME	0x4b564d03
#define MSR_KVM_PV_EOI_EN	0x4b564d04
#define MSR_KVM_POLL_CONTROL	0x4b564d05
#define KVM_MSR_ENABLED		1		/* beside the address */

#define KVM_HC_KICK_CPU		5
#define KVM_HC_SEND_IPI		10
#define KVM_HC_SCHED_YIELD	11

/* struct pvclock_vcpu_time_info */
#define CLOCK_VERSION		0		/* u32: odd while KVM writes */
#define CLOCK_TSC		8		/* u64: when KVM wrote */
#define CLOCK_NS		16		/* u64: since the machine started, then */
#define CLOCK_MUL		24		/* u32: ns in 2^32 shifted cycles */
#define CLOCK_SHIFT		28		/* s8: cycles to the left */
#define CLOCK_FLAGS		29
#define CLOCK_TSC_STABLE	1		/* the same on all processors */

/* struct pvclock_wall_clock: when the machine started */
#define WALL_VERSION		0
#define WALL_SEC		4
#define WALL_NSEC		8

/* struct kvm_steal_time, 64 bytes */
#define STEAL_NS		0		/* u64 */
#define STEAL_VERSION		8		/* u32: odd while KVM writes */
#define STEAL_PREEMPTED		16		/* u8 */
#define KVM_VCPU_PREEMPTED	1
#define KVM_VCPU_FLUSH_TLB	2		/* before it runs again */

/*
 * Data, in conventional memory.  A processor's slot is at its APIC id.  To ask
 * for that id is an exit, so a processor is told by where its GDT is: the map
 * has the offset of the slot, by a hash of that address, and the slot has the
 * address.  Offset 0 is no slot: where its address would be there is a 0.
 *
 * Only a processor itself writes into its slot, with interrupts off; the one
 * exception is STEAL_PREEMPTED.  So what it finds there stays right, however
 * many processors share an entry of the map.
 */
#define DATA_PHYS		0	/* u32: physical address of the data */
#define DATA_APIC		4	/* u32: linear address of the local APIC, or 0 */
#define DATA_LAST_NS		8	/* u64: no clock went further */
#define DATA_WALL		16	/* what KVM says of the wall clock */
#define DATA_TO_NS		32	/* u32, s8: as CLOCK_MUL and CLOCK_SHIFT, at the start */
#define DATA_TO_CYCLES		40	/* u32, s8: the same, from ns to cycles */
#define DATA_NOBODY		128	/* a slot that KVM never writes to */
#define DATA_MAP		1024	/* u32 for each hash */
#define MAP_SIZE		256
#define DATA_SLOTS		2048
#define DATA_KB			34	/* more than the pages that ring 1 needs */
#define SLOT_STEAL		0	/* aligned to 64 */
#define SLOT_CLOCK		64
#define SLOT_EOI		96	/* u32: bit 0 set: no need to tell KVM */
#define SLOT_GDT		100	/* u32: linear address; 0: KVM does not know */
#define SLOT_LVTT		104	/* u32: 0 or LVTT_TAKEN, and bits of the APIC's LVTT */
#define SLOT_ALARM		108	/* u32: what an alarm is set on: ALARM_* */
#define SLOT_SHIFT		7
#define SLOTS			256
#define GDT_HASH_SHIFT		12	/* then the low 8 bits */
