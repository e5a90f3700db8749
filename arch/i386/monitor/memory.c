// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory.  Linear addresses go through the shadow that is loaded, so we
 * see what the guest's kernel would; a fault ends in the exception table.
 */
#include "mon.h"

struct extable_entry {
	u64 insn, fixup;
};

extern struct extable_entry _extable_start[], _extable_end[];

/* A fault of the monitor's own: continue at the access's failure path, if any. */
bool extable_fixup(struct regs *regs)
{
	struct extable_entry *e;

	for (e = _extable_start; e < _extable_end; e++) {
		if (e->insn == regs->ip) {
			regs->ip = e->fixup;
			return true;
		}
	}
	return false;
}

static bool copy(void *to, const void *from, u64 len)
{
	bool ok;

	if (len % 4)
		MAY_FAULT(ok, "rep movsb", , "+D" (to), "+S" (from), "+c" (len) : : "memory");
	else
		MAY_FAULT(ok, "rep movsl", , "+D" (to), "+S" (from), "=c" (len)
			  : "3" (len / 4) : "memory");
	return ok;
}

bool guest_read(struct vcpu *vcpu, u32 gva, void *buf, u32 len)
{
	return (u64)gva + len <= 1UL << 32 && copy(buf, (void *)(u64)gva, len);
}

bool guest_write(struct vcpu *vcpu, u32 gva, const void *buf, u32 len)
{
	return (u64)gva + len <= 1UL << 32 && copy((void *)(u64)gva, buf, len);
}

bool read_msr_safe(u32 msr, u64 *val)
{
	u32 lo, hi;
	bool ok;

	MAY_FAULT(ok, "rdmsr", , "=a" (lo), "=d" (hi) : "c" (msr));
	*val = lo | (u64)hi << 32;
	return ok;
}

bool write_msr_safe(u32 msr, u64 val)
{
	bool ok;

	MAY_FAULT(ok, "wrmsr", : "a" (val), "d" (val >> 32), "c" (msr) : "memory");
	return ok;
}

bool write_xcr_safe(u32 nr, u64 val)
{
	bool ok;

	MAY_FAULT(ok, "xsetbv", : "a" (val), "d" (val >> 32), "c" (nr));
	return ok;
}

u8 scratch[PAGE] __attribute__((aligned(4096)));

static struct range none;
struct range *last_ram = &none;

/* RAM, but not where is_guest_ram() found some the last time? */
bool find_guest_ram(u64 gpa, u32 len)
{
	struct range *r;

	for (r = boot.map; r < boot.map + boot.nr_map; r++) {
		if (gpa >= r->start && gpa + len <= r->end && r->type == 1) {
			__atomic_store_n(&last_ram, r, __ATOMIC_RELAXED);
			return true;
		}
	}
	return false;
}

/* Through the guest's tables, until they stand still. */
static bool walk(struct vcpu *vcpu, u32 gva, u32 access, struct leaf *l, u32 *pfec)
{
	int ret;

	do
		ret = guest_walk(vcpu, gva, access, l, pfec);
	while (ret > 0);
	return !ret;
}

/* Where a linear address of the guest's kernel is, without side effects. */
bool guest_virt_to_phys(struct vcpu *vcpu, u32 gva, u64 *gpa)
{
	struct leaf l;
	u32 pfec;
	bool there = walk(vcpu, gva, 0, &l, &pfec);

	*gpa = l.frame + (gva & 0xfff);
	return there;
}

bool guest_access(struct vcpu *vcpu, u32 gva, u32 access, u32 *pfec)
{
	struct leaf l;

	return walk(vcpu, gva, access, &l, pfec);
}
