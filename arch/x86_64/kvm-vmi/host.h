/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VMI_HOST_H
#define KVM_VMI_HOST_H

/*
 * What the ring-1 core asks of KVM, its host: frame numbers are the guest's, KVM's
 * tables (as for a processor with two-dimensional paging) say what they are.
 */

#include "kvm-vmi.h"

/* Calls that only some hosts have: smp.c, state.c.  The ROM is told of them in adapt(). */
#define HOST_OPS(X) X(SEND_IPI_MASK) X(CPU_PREEMPTED) X(YIELD_TO) X(GET_TSC_FREQUENCY) \
	X(GET_CYCLE_COUNTER)
#define DECLARE_OP(id) enum outcome hc_##id(struct vcpu *v, struct regs *regs);
HOST_OPS(DECLARE_OP)

/* Those in KVM's array, as long as the guest lives: pre_run(). */
static inline u32 vcpu_count(struct vcpu *v)
{
	return atomic_read(&to_vmi(v)->vcpu.kvm->online_vcpus);
}

static inline struct vcpu *vcpu_nr(struct vcpu *v, u32 n)
{
	return &vcpu_to_vmi(kvm_get_vcpu(to_vmi(v)->vcpu.kvm, n))->ring1;
}

static __always_inline struct rom *rom_of(struct vcpu *v)
{
	return &to_kvm_vmi(v)->rom;
}

/* Tables of the guest's, for walk.c. */

/* By the guest's CPUID; where there is NX. */
static inline u64 pte_reserved(struct vcpu *v)
{
	return to_vmi(v)->vcpu.arch.reserved_gpa_bits & ~PTE_NX;
}

static inline void *guest_table(struct vcpu *v, u64 gpa)
{
	u64 hpa;

	return tdp_translate(to_vmi(v), gpa, 0, PFERR_GUEST_PAGE_MASK, &hpa) ? __va(hpa) : NULL;
}

static inline bool may_mark(struct vcpu *v, u64 gpa)
{
	u64 hpa;

	return tdp_translate(to_vmi(v), gpa, ACC_WRITE, PFERR_GUEST_PAGE_MASK, &hpa);
}

/* Bring a page, tell a device. */
static inline bool host_must_act(struct vcpu *v)
{
	return to_vmi(v)->nested.pending;
}

static inline void read_pdptes(struct vcpu *v, u64 pdpte[4])
{
	memcpy(pdpte, to_vmi(v)->vcpu.arch.walk_mmu->pdptrs, 4 * sizeof(u64));
}

/* Shadow tables, for shadow.c.  The TLB is empty each time that the guest is entered. */

static inline u64 table_phys(void *table)
{
	return __pa(table);
}

static inline u64 *table_virt(u64 pa)
{
	return __va(pa);
}

/* What describes the table that an entry names. */
static __always_inline struct spage *spage_of(struct vcpu *v, u64 entry)
{
	return (struct spage *)page_private(pfn_to_page((entry & PFN_MASK) >> PAGE_SHIFT));
}

struct spage *new_spage(struct vcpu *v);

static inline void flush_tlb(struct vcpu *v)
{
}

static inline void flush_tlb_page(struct vcpu *v, u32 gva)
{
}

static __always_inline u64 rom_base(struct rom *rom)
{
	return READ_ONCE(rom->phys) & ~(PAGE - 1);
}

/* Which of its pages; another CPU may move the ROM at the same time. */
static __always_inline bool in_rom(struct rom *rom, u64 gpa, u64 *offset)
{
	*offset = gpa - rom_base(rom);
	return rom->copy && *offset < READ_ONCE(rom->code_pages) * PAGE;
}

/* Which of the shared pages, if it is one. */
static __always_inline bool in_shared(struct rom *rom, u64 gpa, u64 *offset)
{
	*offset = gpa - rom->shared;
	return rom->copy && *offset < SH_PAGES * PAGE;
}

/*
 * A frame with what is left of the leaf's rights.  Always write-back: memory of one
 * type under two names is not for a guest to make.
 */
static __always_inline u64 map_as(struct leaf *l, u64 entry)
{
	u64 rights = l->rights & ~(PTE_PWT | PTE_PCD | PTE_PAT);

	if (!(entry & TDP_WRITE))
		rights &= ~PTE_W;
	if (!(entry & TDP_EXEC))
		rights |= PTE_NX;
	return (entry & PFN_MASK) | rights;
}

/* Of a 4 KB page: its entry, 0 if KVM has none. */
static inline u64 map_frame(struct vcpu *v, struct leaf *l)
{
	struct rom *rom = rom_of(v);
	u64 offset, entry;

	if (in_rom(rom, l->frame, &offset))
		return map_as(l, __pa(to_kvm_vmi(v)->rom_pages + offset) | TDP_EXEC);
	if (in_shared(rom, l->frame, &offset))
		return map_as(l, __pa((u8 *)v->vmi_page + offset) | TDP_WRITE | TDP_EXEC);
	entry = tdp_entry(to_vmi(v), l->frame);
	return entry & TDP_RAM ? map_as(l, entry) : 0;
}

static __always_inline u64 map_plain(struct vcpu *v, struct leaf *l)
{
	return map_frame(v, l);
}

/* Of a 2 MB page, where KVM has one, too, and we no other behind part of it. */
static inline u64 map_large_frame(struct vcpu *v, struct leaf *l)
{
	u64 gpa = l->frame & ~(LARGE - 1), entry = tdp_large(to_vmi(v), gpa);
	struct rom *rom = rom_of(v);

	if (!entry || (rom->copy && gpa == (rom_base(rom) & ~(LARGE - 1))))
		return 0;
	return map_as(l, entry);
}

static inline enum fill check_frame_access(struct vcpu *v, struct leaf *l, u32 access,
					   u32 *pfec)
{
	struct rom *rom = rom_of(v);
	u64 offset, hpa;

	if (in_shared(rom, l->frame, &offset))
		return FILL_DONE;
	if (!in_rom(rom, l->frame, &offset))
		return tdp_translate(to_vmi(v), l->frame, access, PFERR_GUEST_FINAL_MASK,
				     &hpa) ? FILL_DONE : FILL_HOST;
	if (!(access & ACC_WRITE))
		return FILL_DONE;
	*pfec = PFEC_P | (access & (PFEC_W | PFEC_U));
	return FILL_FAULT;
}

/*
 * Where the shadows lead, as for the processor itself; of its rights as a kernel only
 * what the entries give.  NULL: nowhere, or not yet.
 */
static inline void *page_in_shadow(struct vcpu *v, u32 gva, u32 access)
{
	u64 need = access & ACC_WRITE ? PTE_P | PTE_W : PTE_P, entry;

	entry = v->root->table[gva >> 30];
	if (!(entry & PTE_P))
		return NULL;
	entry = table_virt(entry & PFN_MASK)[gva >> 21 & 511];
	if ((entry & need) != need)
		return NULL;
	if (entry & PTE_PS)
		return __va(entry & PFN_MASK & ~(LARGE - 1)) + (gva & (LARGE - 1));
	entry = table_virt(entry & PFN_MASK)[gva >> 12 & 511];
	if ((entry & need) != need)
		return NULL;
	return __va(entry & PFN_MASK) + (gva & (PAGE - 1));
}

static inline bool read_gate_desc(struct vcpu *v, u32 gva, u64 *d)
{
	u64 *at = NULL;

	/* Before the first entry there are no shadows. */
	if (to_vmi(v)->irqs_off && (gva & (PAGE - 1)) <= PAGE - 8)
		at = page_in_shadow(v, gva, 0);
	if (!at)
		return guest_read(v, gva, d, 8);
	*d = READ_ONCE(*at);
	return true;
}

/* The window loads it, see switch.S. */
static inline void load_ldt(struct vcpu *v, u16 sel)
{
}

/* The guest has no device that would not see what is in the caches. */
static inline void host_wbinvd(void)
{
}

#endif
