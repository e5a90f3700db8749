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
 * tdp_entry - the entry of a guest's page
 *
 * Return: with the frame of just that 4 KB page; rights are 0 if there is none.
 */
u64 tdp_entry(struct vcpu_vmi *vmi, u64 gpa)
{
	u64 *table, entry, size;
	int level;

	if (!VALID_PAGE(vmi->root))
		return 0;
	table = __va(vmi->root & PFN_MASK);
	for (level = vmi->root_level; level > 0; level--) {
		entry = READ_ONCE(table[gpa >> (3 + 9 * level) & 511]);
		/* Write and execute without read marks a device's page. */
		if (!(entry & TDP_READ))
			return entry & TDP_RIGHTS;
		if (level == 1 || (entry & TDP_LARGE)) {
			size = 1ULL << (3 + 9 * level);
			return (entry & ~PFN_MASK) | (entry & PFN_MASK & ~(size - 1)) |
			       (gpa & (size - 1) & PFN_MASK);
		}
		table = __va(entry & PFN_MASK);
	}
	return 0;
}

/**
 * tdp_is_ram - may we, too, read and write that frame?
 *
 * A device's memory that was mapped for a guest is not in the direct map.
 */
bool tdp_is_ram(u64 entry)
{
	unsigned long pfn = (entry & PFN_MASK) >> PAGE_SHIFT;

	return pfn_valid(pfn) && (!PageReserved(pfn_to_page(pfn)) || is_zero_pfn(pfn));
}

/**
 * tdp_translate - the machine's page behind a guest's
 * @access: ACC_WRITE, ACC_FETCH; reading is always asked for
 * @kind: of KVM's error code: a table of the guest's, or what it accesses
 *
 * Return: false if KVM has to act first; vmi->nested says how.
 */
bool tdp_translate(struct vcpu_vmi *vmi, u64 gpa, u32 access, u64 kind, u64 *hpa)
{
	u64 entry = tdp_entry(vmi, gpa), need = TDP_READ;

	if (access & ACC_WRITE)
		need |= TDP_WRITE;
	if (access & ACC_FETCH)
		need |= TDP_EXEC;
	if ((entry & need) == need && tdp_is_ram(entry)) {
		*hpa = entry & PFN_MASK;
		return true;
	}
	vmi->nested.pending = true;
	vmi->nested.gpa = gpa;
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
