/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RING1_X86_H
#define RING1_X86_H

/* The processor's bits. */

#define PAGE		4096UL
#define LARGE		0x200000UL
#define LOW_MEMORY	0x100000UL
#define PFN_MASK	0x000ffffffffff000UL

#define PTE_P		0x001UL
#define PTE_W		0x002UL
#define PTE_U		0x004UL
#define PTE_PWT		0x008UL
#define PTE_PCD		0x010UL
#define PTE_UC		(PTE_PCD | PTE_PWT)	/* whatever the MTRRs say */
#define PTE_A		0x020UL
#define PTE_D		0x040UL
#define PTE_PS		0x080UL
#define PTE_PAT		0x080UL
#define PTE_G		0x100UL
#define PTE_PAT_LARGE	0x1000UL
#define PTE_NX		BIT_ULL(63)

enum { PFEC_P = 1, PFEC_W = 2, PFEC_U = 4, PFEC_RSVD = 8, PFEC_I = 16 };

#define CR0_PE		BIT(0)
#define CR0_MP		BIT(1)
#define CR0_EM		BIT(2)
#define CR0_TS		BIT(3)
#define CR0_ET		BIT(4)
#define CR0_NE		BIT(5)
#define CR0_WP		BIT(16)
#define CR0_AM		BIT(18)
#define CR0_PG		BIT(31)

#define CR4_VME		BIT(0)
#define CR4_PVI		BIT(1)
#define CR4_TSD		BIT(2)
#define CR4_DE		BIT(3)
#define CR4_PSE		BIT(4)
#define CR4_PAE		BIT(5)
#define CR4_MCE		BIT(6)
#define CR4_PGE		BIT(7)
#define CR4_PCE		BIT(8)
#define CR4_OSFXSR	BIT(9)
#define CR4_OSXMMEXCPT	BIT(10)
#define CR4_UMIP	BIT(11)
#define CR4_OSXSAVE	BIT(18)
#define CR4_SMEP	BIT(20)

#define DR6_BS		BIT(14)

#define FLAG_TF		0x100u
#define FLAG_IF		0x200u
#define FLAG_DF		0x400u
#define FLAG_IOPL	0x3000u
#define FLAG_NT		0x4000u
#define FLAG_RF		0x10000u
#define FLAG_VM		0x20000u
#define FLAG_AC		0x40000u

#define MSR_APIC_BASE	0x1b
#define MSR_MISC_FEATURES	0x140
#define MISC_CPUID_FAULT	BIT(0)
#define MSR_SYSENTER_CS	0x174
#define MSR_MCG_CAP	0x179
#define MSR_MCG_STATUS	0x17a
#define MCG_STATUS_MCIP	BIT(2)	/* a machine check is in progress */
#define MSR_MC_STATUS(bank)	(0x401 + 4 * (bank))	/* the next is the address */
#define MSR_PAT		0x277
#define PAT_RESET	0x0007040600070406
#define PAT_OURS	0xff0000ffUL	/* 0: write-back; 3, PCD and PWT: uncached */
#define MSR_EFER	0xc0000080
#define EFER_SCE	BIT(0)
#define EFER_LME	BIT(8)
#define EFER_NX		BIT(11)

#define LAPIC_PAGE	0xfee00000u
#define LAPIC_LAST	0xfeefffffu	/* behind the page: interrupt messages */

/* Registers of the local APIC, and what is in them. */
#define APIC_ID		0x20
#define APIC_TPR	0x80
#define APIC_EOI	0xb0
#define APIC_LDR	0xd0
#define APIC_DFR	0xe0
#define APIC_SVR	0xf0
#define APIC_ISR	0x100
#define APIC_TMR	0x180
#define APIC_CMCI	0x2f0
#define APIC_ICR	0x300
#define APIC_ICR2	0x310
#define APIC_LVT_FIRST	0x320
#define APIC_LVT_LINT0	0x350
#define APIC_LVT_LAST	0x370
#define APIC_TMICT	0x380
#define APIC_TDCR	0x3e0

#define LVT_MASKED	BIT(16)
#define SVR_RESET	0xff
#define SVR_ENABLED	BIT(8)
#define MODE(icr)	((icr) >> 8 & 7)
enum { MODE_SMI = 2, MODE_NMI = 4, MODE_INIT, MODE_STARTUP };

enum { ICR_SELF = 1, ICR_ALL, ICR_OTHERS };	/* shorthands */
#define ICR_LOGICAL	BIT(11)
#define ICR_PENDING	BIT(12)	/* read-only: not yet sent */
#define ICR_ASSERT	BIT(14)
#define ICR_LEVEL	BIT(15)

enum {
	X_DE, X_DB, X_NMI, X_BP, X_OF, X_BR, X_UD, X_NM, X_DF, X_CSO, X_TS,
	X_NP, X_SS, X_GP, X_PF, X_MF = 16, X_AC, X_MC, X_XM,
};

#endif
