// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's linear memory: by KVM's own walker where it may sleep, else by the core's,
 * which needs interrupts to be off, so that KVM frees nothing.
 */
#include "ring1.h"
#include "kvm/x86.h"

static gpa_t walk(struct vcpu_vmi *vmi, u32 gva, u64 access, struct x86_exception *e)
{
	struct kvm_mmu *mmu = vmi->vcpu.arch.walk_mmu;

	return mmu->gva_to_gpa(&vmi->vcpu, mmu, gva, access, e);
}

static gpa_t translate(struct vcpu_vmi *vmi, u32 gva, u64 access)
{
	struct x86_exception e;

	return walk(vmi, gva, access, &e);
}

/*
 * The core's buffers may be in struct vcpu, which lies where copies to and from user
 * memory are forbidden; but that is what the guest's memory is.
 */
#define PART	64

/* One part, inside a page of the guest's. */
static u32 part_of(u32 gva, u32 len)
{
	return min3(len, (u32)PART, (u32)(PAGE - (gva & (PAGE - 1))));
}

static bool gpa_at_hand(struct vcpu_vmi *vmi, u32 gva, u32 access, u64 *gpa)
{
	struct vcpu *v = &vmi->ring1;
	u32 tries = WALK_TRIES, pfec;
	struct leaf l;
	int ret;

	do
		ret = guest_walk(v, gva, access, &l, &pfec);
	while (ret > 0 && !host_must_act(v) && --tries);
	/* Another CPU keeps changing it: by KVM's own walker, with interrupts on. */
	if (ret > 0)
		vmi->nested.pending = true;
	*gpa = l.frame | (gva & (PAGE - 1));
	return !ret;
}

/* NULL: the guest has no such page, or KVM has to bring it: then host_must_act(). */
static void *page_at_hand(struct vcpu_vmi *vmi, u32 gva, u32 access)
{
	void *at = page_in_shadow(&vmi->ring1, gva, access);
	u64 gpa, hpa;
	u32 pfec;

	/* What the guest itself does not touch, such as its IDT, would be walked each time. */
	if (!at && shadow_fault(&vmi->ring1, gva, access, &pfec) == FILL_DONE)
		at = page_in_shadow(&vmi->ring1, gva, access);
	if (at)
		return at;
	if (!gpa_at_hand(vmi, gva, access, &gpa) ||
	    !tdp_translate(vmi, gpa, access, PFERR_GUEST_FINAL_MASK, &hpa))
		return NULL;
	return __va(hpa) + (gva & (PAGE - 1));
}

/* Most are a few words. */
static void copy_part(void *to, const void *from, u32 len)
{
	for (; len >= 4; len -= 4, to += 4, from += 4)
		*(u32 *)to = *(const u32 *)from;
	for (; len; len--)
		*(u8 *)to++ = *(const u8 *)from++;
}

static bool copy_at_hand(struct vcpu_vmi *vmi, u32 gva, void *buf, u32 len, u32 access)
{
	void *at;
	u32 part;

	for (; len; len -= part, gva += part, buf += part) {
		part = min(len, (u32)(PAGE - (gva & (PAGE - 1))));
		at = page_at_hand(vmi, gva, access);
		if (!at)
			return false;
		if (access & ACC_WRITE)
			copy_part(at, buf, part);
		else
			copy_part(buf, at, part);
	}
	return true;
}

bool guest_read(struct vcpu *v, u32 gva, void *buf, u32 len)
{
	struct vcpu_vmi *vmi = to_vmi(v);
	u8 bounce[PART];
	u32 part;
	gpa_t gpa;

	if ((u64)gva + len > BIT_ULL(32))
		return false;
	if (vmi->irqs_off)
		return copy_at_hand(vmi, gva, buf, len, 0);
	for (; len; len -= part, gva += part, buf += part) {
		part = part_of(gva, len);
		gpa = translate(vmi, gva, 0);
		if (gpa == INVALID_GPA || kvm_vcpu_read_guest(&vmi->vcpu, gpa, bounce, part))
			return false;
		memcpy(buf, bounce, part);
	}
	return true;
}

bool guest_write(struct vcpu *v, u32 gva, const void *buf, u32 len)
{
	struct vcpu_vmi *vmi = to_vmi(v);
	u8 bounce[PART];
	u32 part;
	gpa_t gpa;

	if ((u64)gva + len > BIT_ULL(32))
		return false;
	if (vmi->irqs_off)
		return copy_at_hand(vmi, gva, (void *)buf, len, ACC_WRITE);
	for (; len; len -= part, gva += part, buf += part) {
		part = part_of(gva, len);
		memcpy(bounce, buf, part);
		gpa = translate(vmi, gva, PFERR_WRITE_MASK);
		if (gpa == INVALID_GPA || kvm_vcpu_write_guest(&vmi->vcpu, gpa, bounce, part))
			return false;
	}
	return true;
}

/* Where a linear address of the guest's kernel is. */
bool guest_virt_to_phys(struct vcpu *v, u32 gva, u64 *gpa)
{
	struct vcpu_vmi *vmi = to_vmi(v);

	if (vmi->irqs_off)
		return gpa_at_hand(vmi, gva, 0, gpa);
	*gpa = translate(vmi, gva, 0);
	return *gpa != INVALID_GPA;
}

/* The core's own walker is for where interrupts are off: KVM frees nothing then. */
bool guest_access(struct vcpu *v, u32 gva, u32 access, u32 *pfec)
{
	struct x86_exception e = { };
	u64 kind = 0;

	if (access & ACC_WRITE)
		kind |= PFERR_WRITE_MASK;
	if (access & ACC_USER)
		kind |= PFERR_USER_MASK;
	if (walk(to_vmi(v), gva, kind, &e) != INVALID_GPA)
		return true;
	*pfec = e.error_code;
	return false;
}
