// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to the guest's memory.  Linear addresses go through the shadow that is
 * loaded, so the monitor sees what the guest's kernel would see and no more; a
 * fault ends in the exception table.
 */
#include "mon.h"

struct extable_entry {
	u64 insn, fixup;
};

extern struct extable_entry _extable_start[], _extable_end[];
bool raw_copy(void *to, const void *from, u64 len);

/* A fault of the monitor's own: continue at the access's failure path, if any. */
bool extable_fixup(struct regs *r)
{
	struct extable_entry *e;

	for (e = _extable_start; e < _extable_end; e++) {
		if (e->insn == r->ip) {
			r->ip = e->fixup;
			return true;
		}
	}
	return false;
}

bool guest_read(struct vcpu *v, u32 lin, void *buf, u32 len)
{
	return (u64)lin + len <= 1UL << 32 && raw_copy(buf, (void *)(u64)lin, len);
}

bool guest_write(struct vcpu *v, u32 lin, const void *buf, u32 len)
{
	return (u64)lin + len <= 1UL << 32 && raw_copy((void *)(u64)lin, buf, len);
}

/**
 * guest_ram - the guest's RAM at a physical address
 *
 * Return: NULL if any of it is not RAM or not the guest's.
 */
u8 *guest_ram(u64 pa, u32 len)
{
	static u32 last;	/* mostly it is the same range again */
	u32 i, n = last;

	for (i = 0; i < boot.nr_map; i++, n = (n + 1) % boot.nr_map) {
		struct range *r = &boot.map[n];

		if (pa >= r->start && pa + len <= r->end && r->type == 1) {
			last = n;
			return phys_ptr(pa);
		}
	}
	return NULL;
}
