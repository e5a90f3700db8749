// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's tables, guest-physical to machine, walked as a processor with EPT would: with
 * interrupts off and in IN_GUEST_MODE, so that KVM waits for us before it frees
 * what it took away.
 */
#include "ring1.h"
#include "kvm/mmu.h"

#define TDP_RIGHTS	(TDP_READ | TDP_WRITE | TDP_EXEC)
#define TDP_LARGE	BIT_ULL(7)

/**
 * tdp_forget - KVM flushes: what it takes back may be among what we remember
 * @vmi: the virtual CPU
 *
 * Context: interrupts off, or KVM flushes for this virtual CPU.
 */
void tdp_forget(struct vcpu_vmi *vmi)
{
	int i;

	for (i = 0; i < TDP_REGIONS; i++)
		vmi->regions[i].tag = 0;
}

/*
 * May we, too, read and write that frame?
 * A device's memory that was mapped for a guest is not in the direct map.
 */
static bool tdp_is_ram(u64 entry)
{
	unsigned long pfn = (entry & PFN_MASK) >> PAGE_SHIFT;

	return pfn_valid(pfn) && (!PageReserved(pfn_to_page(pfn)) || is_zero_pfn(pfn));
}

/* With TDP_RAM: all of it is. */
static u64 large_entry(u64 entry)
{
	struct page *page = pfn_to_page((entry & PFN_MASK) >> PAGE_SHIFT);

	if (!tdp_is_ram(entry) || compound_order(compound_head(page)) < HPAGE_PMD_ORDER)
		return entry & ~TDP_RAM;
	return entry | TDP_RAM;
}

/* Where KVM has the 2 MB around @gpa.  Otherwise @rights are those that there are. */
static noinline bool find_region(struct vcpu_vmi *vmi, u64 gpa, struct region *r, u64 *rights)
{
	u64 *table, entry;
	int level;

	*rights = 0;
	if (!VALID_PAGE(vmi->root) || gpa >> TDP_BITS)
		return false;
	table = __va(vmi->root & PFN_MASK);
	for (level = vmi->root_level; level > 1; level--) {
		entry = READ_ONCE(table[gpa >> (3 + 9 * level) & 511]);
		/* Write and execute without read marks a device's page. */
		if (!(entry & TDP_READ)) {
			*rights = entry & TDP_RIGHTS;
			return false;
		}
		table = __va(entry & PFN_MASK);
		if (entry & TDP_LARGE) {
			table = NULL;
			entry += gpa & PFN_MASK & ((1ULL << (3 + 9 * level)) - 1) & ~(LARGE - 1);
			entry = large_entry(entry);
			break;
		}
	}
	r->tag = TDP_TAG(gpa);
	r->table = table;
	r->entry = entry;
	memset(r->ram, 0, sizeof(r->ram));
	return true;
}

/**
 * tdp_large - KVM's entry, if it is of 2 MB, all of it RAM; else 0
 * @vmi: the virtual CPU
 * @gpa: guest-physical address
 *
 * Context: interrupts off, in IN_GUEST_MODE.
 */
u64 tdp_large(struct vcpu_vmi *vmi, u64 gpa)
{
	struct region *r = region_of(vmi, gpa);
	u64 rights;

	if (r->tag != TDP_TAG(gpa) && !find_region(vmi, gpa, r, &rights))
		return 0;
	return !r->table && (r->entry & TDP_RAM) ? r->entry : 0;
}

/**
 * tdp_entry - the entry of a guest's page
 * @vmi: the virtual CPU
 * @gpa: guest-physical address
 *
 * Context: interrupts off, in IN_GUEST_MODE.
 * Return: with the frame of just that 4 KB page, and TDP_RAM if that is to be read and
 * written by us; rights are 0 if there is none.
 */
u64 tdp_entry(struct vcpu_vmi *vmi, u64 gpa)
{
	struct region *r = region_of(vmi, gpa);
	u32 i = gpa >> 12 & 511;
	u64 entry = tdp_at_hand(vmi, gpa);

	if (likely(entry))
		return entry;
	if (r->tag != TDP_TAG(gpa) && !find_region(vmi, gpa, r, &entry))
		return entry;
	entry = r->table ? READ_ONCE(r->table[i]) : r->entry + i * PAGE;
	if (!r->table && (entry & TDP_RAM))
		return entry;
	if (!(entry & TDP_READ))
		return entry & TDP_RIGHTS;
	if (!tdp_is_ram(entry))
		return entry & ~TDP_RAM;
	r->ram[i / 64] |= 1UL << i % 64;
	return entry | TDP_RAM;
}

/**
 * tdp_translate - the machine's page behind a guest's
 * @vmi: the virtual CPU
 * @gpa: guest-physical address
 * @access: ACC_WRITE, ACC_FETCH; reading is always asked for
 * @kind: of KVM's error code: a table of the guest's, or what it accesses
 * @hpa: where it is
 *
 * Context: interrupts off, in IN_GUEST_MODE.
 * Return: false if KVM has to act first; vmi->nested says how.
 */
bool tdp_translate(struct vcpu_vmi *vmi, u64 gpa, u32 access, u64 kind, u64 *hpa)
{
	u64 entry = tdp_entry(vmi, gpa), need = TDP_RAM;

	if (access & ACC_WRITE)
		need |= TDP_WRITE;
	if (access & ACC_FETCH)
		need |= TDP_EXEC;
	/* To give rights KVM need not flush: a processor looks again when it faults. */
	if ((entry & need) != need) {
		region_of(vmi, gpa)->tag = 0;
		entry = tdp_entry(vmi, gpa);
	}
	if ((entry & need) == need) {
		*hpa = entry & PFN_MASK;
		return true;
	}
	vmi->nested.pending = true;
	vmi->nested.gpa = gpa;
	/* KVM grants it, and would again and again. */
	vmi->nested.no_ram = (entry & TDP_READ) && !(need & ~TDP_RAM & ~entry);
	if ((entry & TDP_RIGHTS) == (TDP_WRITE | TDP_EXEC)) {
		vmi->nested.error = PFERR_RSVD_MASK;
		return false;
	}
	vmi->nested.error = kind | PFERR_USER_MASK;
	if (entry & TDP_READ)
		vmi->nested.error |= PFERR_PRESENT_MASK;
	if (access & ACC_WRITE)
		vmi->nested.error |= PFERR_WRITE_MASK;
	if (access & ACC_FETCH)
		vmi->nested.error |= PFERR_FETCH_MASK;
	return false;
}
