// SPDX-License-Identifier: GPL-2.0-only
/* The calls to KVM: each changes a state a little, or makes up one. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "fuzz.h"

#define VM_CALL(t, nr, arg)	ioctl((t)->vm->fd, nr, arg)
#define VCPU_CALL(t, v, nr, arg)	ioctl((t)->vm->vcpu[v], nr, arg)

/* Some bits or bytes of a structure. */
static void damage(struct thread *t, void *p, u32 size)
{
	u32 n = 1 + pick(t, 3), at;
	u64 v;

	while (n--) {
		at = pick(t, size) & ~7;
		v = value(t);
		if (one_in(t, 3))
			((u8 *)p)[pick(t, size)] ^= 1 << pick(t, 8);
		else if (at + 8 <= size)
			memcpy((u8 *)p + at, &v, one_in(t, 2) ? 8 : 4);
	}
}

int run_it(struct thread *t, u32 v)
{
	struct kvm_run *run = t->vm->run[v];
	u32 reason;
	int ret;

	t->runs++;
	__atomic_store_n(&t->in_run, true, __ATOMIC_SEQ_CST);
	ret = ioctl(t->vm->vcpu[v], KVM_RUN, 0);
	__atomic_store_n(&t->in_run, false, __ATOMIC_SEQ_CST);
	if (ret)
		return errno == EINTR || errno == EAGAIN ? 0 : ret;
	reason = run->exit_reason;
	shared->exits[reason < EXITS ? reason : 0]++;
	/* What a device answers. */
	if (reason == KVM_EXIT_MMIO)
		memset(run->mmio.data, rnd(t), 8);
	return 0;
}

static int run_with(struct thread *t, u32 v)
{
	struct kvm_run *run = t->vm->run[v];

	run->request_interrupt_window = one_in(t, 4);
	run->immediate_exit = one_in(t, 16);
	run->cr8 = one_in(t, 4) ? pick(t, 16) : 0;
	run->kvm_valid_regs = one_in(t, 4) ? pick(t, 8) : 0;
	run->kvm_dirty_regs = 0;
	if (one_in(t, 8)) {
		run->kvm_dirty_regs = pick(t, 8);
		damage(t, &run->s.regs, sizeof(run->s.regs));
	}
	return run_it(t, v);
}

static int set_regs(struct thread *t, u32 v)
{
	struct kvm_regs r;

	if (one_in(t, 2))
		base_regs(&r, PROGRAM);
	else if (VCPU_CALL(t, v, KVM_GET_REGS, &r))
		return -1;
	switch (pick(t, 4)) {
	case 0:
		r.rip = op_address(t);
		r.rax = value(t);
		r.rdx = value(t);
		r.rcx = value(t);
		break;
	case 1:
		damage(t, &r, sizeof(r));
		break;
	case 2:
		r.rflags ^= 1u << pick(t, 22);
		break;
	}
	return VCPU_CALL(t, v, KVM_SET_REGS, &r);
}

static void change_sregs(struct thread *t, struct kvm_sregs *s)
{
	struct kvm_segment *seg = &s->cs + pick(t, 8);

	switch (pick(t, 12)) {
	case 0:
	case 1:
	case 2:
		segment_of(t->vm, seg, selector(t));
		break;
	case 3:
		damage(t, seg, sizeof(*seg));
		break;
	case 4:
		s->cr0 ^= 1u << pick(t, 32);
		break;
	case 5:
		s->cr4 ^= 1u << pick(t, 32);
		break;
	case 6:
		s->cr3 = value(t);
		break;
	case 7:
		s->efer ^= 1u << pick(t, 16);
		break;
	case 8:
		damage(t, one_in(t, 2) ? &s->gdt : &s->idt, sizeof(s->gdt));
		break;
	case 9:		/* a program's */
		segment_of(t->vm, &s->cs, SEL_USER_CODE);
		segment_of(t->vm, &s->ss, SEL_USER_DATA);
		break;
	case 10:
		s->cr2 = value(t);
		s->cr8 = pick(t, 16);
		break;
	default:
		damage(t, s, sizeof(*s));
	}
}

static int set_sregs(struct thread *t, u32 v)
{
	u32 n = 1 + pick(t, 3);
	struct kvm_sregs s;

	if (VCPU_CALL(t, v, KVM_GET_SREGS, &s))
		return -1;
	if (one_in(t, 3))
		base_sregs(t->vm, &s);
	while (n--)
		change_sregs(t, &s);
	return VCPU_CALL(t, v, KVM_SET_SREGS, &s);
}

static int set_sregs2(struct thread *t, u32 v)
{
	struct kvm_sregs2 s;

	if (VCPU_CALL(t, v, KVM_GET_SREGS2, &s))
		return -1;
	if (one_in(t, 2))
		change_sregs(t, (struct kvm_sregs *)&s);	/* the beginning is the same */
	s.flags = one_in(t, 2);
	damage(t, s.pdptrs, sizeof(s.pdptrs));
	return VCPU_CALL(t, v, KVM_SET_SREGS2, &s);
}

static const u32 msrs[] = {
	0x10, 0x11, 0x12, 0x1b, 0x3a, 0x3b, 0x8b, 0xc1, 0xfe, 0x10a, 0x122, 0x140, 0x174, 0x175,
	0x176, 0x179, 0x17a, 0x186, 0x1a0, 0x1d9, 0x200, 0x201, 0x250, 0x277, 0x2ff, 0x38f,
	0x400, 0x401, 0x48, 0x49, 0x6e0, 0x802, 0x80b, 0x830, 0xda0, 0xc0000080, 0xc0000081,
	0xc0000082, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0xc0000104,
	0xc0010015, 0xc001001f, 0xc0010117, 0xc0010058, 0x4b564d00, 0x4b564d01, 0x4b564d02,
	0x4b564d03, 0x4b564d04, 0x4b564d05, 0x4b564d06, 0x40000000, 0x40000001, 0x40000073,
};

struct some_msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry entry[4];
};

static void choose_msrs(struct thread *t, struct some_msrs *m)
{
	u32 i;

	memset(m, 0, sizeof(*m));
	m->head.nmsrs = 1 + pick(t, 4);
	for (i = 0; i < m->head.nmsrs; i++) {
		m->entry[i].index = one_in(t, 16) ? (u32)value(t) :
				    msrs[pick(t, sizeof(msrs) / sizeof(*msrs))];
		m->entry[i].data = value(t);
	}
}

static int set_msrs(struct thread *t, u32 v)
{
	struct some_msrs m;

	choose_msrs(t, &m);
	return VCPU_CALL(t, v, KVM_SET_MSRS, &m) > 0 ? 0 : -1;
}

static int get_msrs(struct thread *t, u32 v)
{
	struct some_msrs m;

	choose_msrs(t, &m);
	return VCPU_CALL(t, v, KVM_GET_MSRS, &m) > 0 ? 0 : -1;
}

static int set_cpuid(struct thread *t, u32 v)
{
	u8 buf[sizeof(*supported) + 256 * sizeof(struct kvm_cpuid_entry2)];
	struct kvm_cpuid2 *c = (struct kvm_cpuid2 *)buf;

	memcpy(c, supported, sizeof(*supported) + supported->nent * sizeof(*supported->entries));
	if (one_in(t, 4))
		c->nent = pick(t, c->nent + 1);
	if (c->nent && !one_in(t, 3))
		damage(t, &c->entries[pick(t, c->nent)], sizeof(c->entries[0]));
	return VCPU_CALL(t, v, KVM_SET_CPUID2, c);
}

/* What KVM says is read, changed, and written. */
static int change(struct thread *t, u32 v, void *x, u32 size, unsigned long get,
		  unsigned long set)
{
	memset(x, 0, size);
	if (VCPU_CALL(t, v, get, x))
		return -1;
	damage(t, x, size);
	return VCPU_CALL(t, v, set, x);
}

#define CHANGE(name, type, get, set) \
static int name(struct thread *t, u32 v) \
{ \
	type x; \
\
	return change(t, v, &x, sizeof(x), get, set); \
}

CHANGE(set_debugregs, struct kvm_debugregs, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS)
CHANGE(set_fpu, struct kvm_fpu, KVM_GET_FPU, KVM_SET_FPU)
CHANGE(set_xsave, struct kvm_xsave, KVM_GET_XSAVE, KVM_SET_XSAVE)
CHANGE(set_xcrs, struct kvm_xcrs, KVM_GET_XCRS, KVM_SET_XCRS)
CHANGE(set_lapic, struct kvm_lapic_state, KVM_GET_LAPIC, KVM_SET_LAPIC)

static int set_events(struct thread *t, u32 v)
{
	static const u8 vectors[] = { 0, 1, 2, 3, 4, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18 };
	struct kvm_vcpu_events e;

	if (VCPU_CALL(t, v, KVM_GET_VCPU_EVENTS, &e))
		return -1;
	switch (pick(t, 4)) {
	case 0:
		e.exception.injected = 1;
		e.exception.nr = vectors[pick(t, sizeof(vectors))];
		e.exception.has_error_code = one_in(t, 2);
		e.exception.error_code = value(t);
		break;
	case 1:
		e.interrupt.injected = 1;
		e.interrupt.nr = value(t);
		e.interrupt.soft = one_in(t, 2);
		break;
	case 2:
		e.nmi.injected = one_in(t, 2);
		e.nmi.pending = one_in(t, 2);
		e.nmi.masked = one_in(t, 2);
		e.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING;
		break;
	default:
		damage(t, &e, sizeof(e));
	}
	return VCPU_CALL(t, v, KVM_SET_VCPU_EVENTS, &e);
}

static int set_guest_debug(struct thread *t, u32 v)
{
	struct kvm_guest_debug d = { .control = one_in(t, 2) ? KVM_GUESTDBG_ENABLE : 0 };
	u32 i;

	d.control |= (rnd(t) & 0x3f0002);
	for (i = 0; i < 4; i++)
		d.arch.debugreg[i] = one_in(t, 4) ? value(t) : PROGRAM + pick(t, 64);
	d.arch.debugreg[7] = rnd(t) & 0xffff07ff;
	return VCPU_CALL(t, v, KVM_SET_GUEST_DEBUG, &d);
}

static int interrupt(struct thread *t, u32 v)
{
	struct kvm_interrupt i = { .irq = one_in(t, 16) ? (u32)value(t) : pick(t, 256) };

	return VCPU_CALL(t, v, KVM_INTERRUPT, &i);
}

static int nmi(struct thread *t, u32 v)
{
	return VCPU_CALL(t, v, KVM_NMI, 0);
}

static int smi(struct thread *t, u32 v)
{
	return VCPU_CALL(t, v, KVM_SMI, 0);
}

static int mp_state(struct thread *t, u32 v)
{
	struct kvm_mp_state m = { .mp_state = one_in(t, 3) ? pick(t, 8) : KVM_MP_STATE_RUNNABLE };

	return VCPU_CALL(t, v, KVM_SET_MP_STATE, &m);
}

static int translate(struct thread *t, u32 v)
{
	struct kvm_translation x = { .linear_address = value(t) };

	return VCPU_CALL(t, v, KVM_TRANSLATE, &x);
}

static int tsc_khz(struct thread *t, u32 v)
{
	/* A higher one than the processor's is for good. */
	return VCPU_CALL(t, v, KVM_SET_TSC_KHZ, one_in(t, 50) ? (unsigned long)(u32)value(t) : 0UL);
}

static int kvmclock_ctrl(struct thread *t, u32 v)
{
	return VCPU_CALL(t, v, KVM_KVMCLOCK_CTRL, 0);
}

static int set_mce(struct thread *t, u32 v)
{
	struct kvm_x86_mce m = { .status = value(t) | 1ULL << 63, .bank = pick(t, 40),
				 .mcg_status = value(t), .addr = value(t) };
	u64 cap = 0x1000000 | pick(t, 33);

	if (one_in(t, 2))
		return VCPU_CALL(t, v, KVM_X86_SETUP_MCE, &cap);
	return VCPU_CALL(t, v, KVM_X86_SET_MCE, &m);
}

static int vcpu_cap(struct thread *t, u32 v)
{
	struct kvm_enable_cap c = { .cap = pick(t, 260), .args = { value(t), value(t) } };

	return VCPU_CALL(t, v, KVM_ENABLE_CAP, &c);
}

static int vm_cap(struct thread *t, u32 v)
{
	static const u32 caps[] = {
		KVM_CAP_DISABLE_QUIRKS, KVM_CAP_X2APIC_API, KVM_CAP_EXCEPTION_PAYLOAD,
		KVM_CAP_MSR_PLATFORM_INFO, KVM_CAP_X86_USER_SPACE_MSR, KVM_CAP_HALT_POLL,
		KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_CAP_VM_DISABLE_NX_HUGE_PAGES,
		KVM_CAP_X86_BUS_LOCK_EXIT, KVM_CAP_X86_DISABLE_EXITS,
	};
	struct kvm_enable_cap c = { .args = { pick(t, 16) } };

	(void)v;
	c.cap = one_in(t, 4) ? pick(t, 260) : caps[pick(t, sizeof(caps) / sizeof(*caps))];
	/* HLT and PAUSE by the guest itself would stop the machine's process. */
	return VM_CALL(t, KVM_ENABLE_CAP, &c);
}

/* Memory. */

struct slot {
	u64 gpa, size;
};

static const struct slot slots[SLOTS] = {
	{ 0, 0xa0000 }, { 0xc0000, 0x20000 }, { 0xe0000, 0x20000 }, { 0x100000, 0x300000 },
	{ 0x400000, MEMORY - 0x400000 }, { 0x800000, 0x200000 },
};

bool set_slot(struct vm *vm, u32 slot, u64 gpa, u64 size, u64 offset, u32 flags)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (unsigned long)vm->shown + offset,
	};

	return !ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r);
}

void all_slots(struct vm *vm)
{
	u32 i;

	for (i = 0; i < SLOTS; i++)
		set_slot(vm, i, slots[i].gpa, slots[i].size,
			 i == SLOTS - 1 ? 0x200000 : slots[i].gpa, 0);
}

static u64 somewhere(struct thread *t)
{
	static const u64 at[] = {
		0x800000, 0xa00000, 0x10000000, 0x7fe00000, 0xc0000000, 0xfec00000, 0xfee00000,
		0xffe00000, 0x100000000, 0xffffff0000000, 0xa0000,
	};

	return at[pick(t, sizeof(at) / sizeof(*at))] + (one_in(t, 4) ? pick(t, 512) << 12 : 0);
}

static int memory_slot(struct thread *t, u32 v)
{
	u32 i = one_in(t, 2) ? SLOTS - 1 : pick(t, SLOTS), flags = 0;
	u64 gpa = slots[i].gpa, offset = i == SLOTS - 1 ? 0x200000 : gpa, size = slots[i].size;
	bool done;

	(void)v;
	switch (pick(t, 8)) {
	case 0:
		flags = 1 + pick(t, 3);		/* dirty log, read-only */
		break;
	case 1:
		size = 0;			/* it goes */
		break;
	case 2:
		set_slot(t->vm, i, gpa, 0, offset, 0);
		offset = (u64)pick(t, 0x600) << 12;	/* another memory behind it */
		break;
	case 3:
		size >>= 1 + pick(t, 4);
		break;
	}
	if (i == SLOTS - 1 && size)
		gpa = somewhere(t);
	done = set_slot(t->vm, i, gpa, size, offset, flags);
	/* What the machine lives in comes back. */
	if (i != SLOTS - 1 && one_in(t, 2)) {
		set_slot(t->vm, i, gpa, 0, offset, 0);
		set_slot(t->vm, i, slots[i].gpa, slots[i].size, slots[i].gpa, 0);
	}
	return done ? 0 : -1;
}

static int dirty_log(struct thread *t, u32 v)
{
	static u8 bitmap[0x1000];
	u32 i = pick(t, SLOTS - 1);
	struct kvm_dirty_log d = { .slot = i, .dirty_bitmap = bitmap };
	struct kvm_clear_dirty_log c = { .slot = d.slot, .num_pages = 64 * pick(t, 4),
					 .first_page = 64 * pick(t, 4), .dirty_bitmap = bitmap };

	(void)v;
	if (one_in(t, 2))
		set_slot(t->vm, i, slots[i].gpa, slots[i].size, slots[i].gpa,
			 KVM_MEM_LOG_DIRTY_PAGES);
	return one_in(t, 3) ? VM_CALL(t, KVM_CLEAR_DIRTY_LOG, &c) :
			      VM_CALL(t, KVM_GET_DIRTY_LOG, &d);
}

/* The pages behind the guest's go, change, or come back: KVM's notifiers. */
static int advise(struct thread *t, u32 v)
{
	static const int advices[] = { MADV_DONTNEED, MADV_REMOVE, MADV_MERGEABLE, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_PAGEOUT, MADV_COLD, MADV_UNMERGEABLE, MADV_WILLNEED };
	int advice = advices[pick(t, sizeof(advices) / sizeof(*advices))];
	u32 page = pick(t, MEMORY >> 12), n = 1 + pick(t, one_in(t, 4) ? 256 : 4);

	(void)v;
	if (page + n > MEMORY >> 12)
		n = (MEMORY >> 12) - page;
	return madvise(t->vm->shown + page * 4096, n * 4096, advice);
}

static int protect(struct thread *t, u32 v)
{
	u32 page = pick(t, MEMORY >> 12);
	u8 *at = t->vm->shown + page * 4096;
	int ret;

	(void)v;
	if (one_in(t, 2))
		return mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    t->vm->memory_fd, page * 4096) == MAP_FAILED ? -1 : 0;
	ret = mprotect(at, 4096, one_in(t, 2) ? PROT_READ : PROT_NONE);
	if (one_in(t, 2))
		mprotect(at, 4096, PROT_READ | PROT_WRITE);
	return ret;
}

static int poke_memory(struct thread *t, u32 v)
{
	(void)v;
	poke(t);
	return 0;
}

static int new_program(struct thread *t, u32 v)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	write_program(t);
	if (one_in(t, 3))
		fill_memory(t->vm, false);
	if (one_in(t, 2)) {
		if (VCPU_CALL(t, v, KVM_GET_SREGS, &s))
			return -1;
		base_sregs(t->vm, &s);
		VCPU_CALL(t, v, KVM_SET_SREGS, &s);
	}
	base_regs(&r, PROGRAM);
	r.rflags |= one_in(t, 2) ? 0x200 : 0;
	return VCPU_CALL(t, v, KVM_SET_REGS, &r);
}

/* As the machine was when it began, but for what it told KVM. */
int back_to_base(struct thread *t, u32 v)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_guest_debug none = { };
	struct kvm_vcpu_events e;
	struct kvm_sregs s;
	struct kvm_regs r;

	all_slots(t->vm);
	mmap(t->vm->shown, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
	     t->vm->memory_fd, 0);
	fill_memory(t->vm, true);
	if (VCPU_CALL(t, v, KVM_GET_SREGS, &s))
		return -1;
	base_sregs(t->vm, &s);
	base_regs(&r, BOOT);
	memset(&e, 0, sizeof(e));
	e.flags = KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_NMI_PENDING |
		  KVM_VCPUEVENT_VALID_SMM;
	VCPU_CALL(t, v, KVM_SET_VCPU_EVENTS, &e);
	VCPU_CALL(t, v, KVM_SET_GUEST_DEBUG, &none);
	VCPU_CALL(t, v, KVM_SET_MP_STATE, &runnable);
	if (VCPU_CALL(t, v, KVM_SET_SREGS, &s))
		return -1;
	return VCPU_CALL(t, v, KVM_SET_REGS, &r);
}

/* Interrupt controllers, and all else of the machine's. */

static int msi(struct thread *t, u32 v)
{
	struct kvm_msi m = { .address_lo = 0xfee00000 | (rnd(t) & 0xff00c),
			     .data = rnd(t) & 0xc7ff };

	(void)v;
	return VM_CALL(t, KVM_SIGNAL_MSI, &m) < 0 ? -1 : 0;
}

static int irq_line(struct thread *t, u32 v)
{
	struct kvm_irq_level l = { .irq = pick(t, 24), .level = one_in(t, 2) };

	(void)v;
	return VM_CALL(t, KVM_IRQ_LINE, &l);
}

static int irqchip(struct thread *t, u32 v)
{
	struct kvm_irqchip c = { .chip_id = pick(t, 3) };

	(void)v;
	if (VM_CALL(t, KVM_GET_IRQCHIP, &c))
		return -1;
	damage(t, &c.chip, sizeof(c.chip));
	return VM_CALL(t, KVM_SET_IRQCHIP, &c);
}

static int vm_clock(struct thread *t, u32 v)
{
	struct kvm_clock_data c = { .clock = value(t), .flags = one_in(t, 4) ? pick(t, 8) : 0 };

	(void)v;
	return VM_CALL(t, KVM_SET_CLOCK, &c);
}

static int pit(struct thread *t, u32 v)
{
	struct kvm_pit_state2 p;

	(void)v;
	if (VM_CALL(t, KVM_GET_PIT2, &p))
		return -1;
	damage(t, &p, sizeof(p));
	return VM_CALL(t, KVM_SET_PIT2, &p);
}

static int addresses(struct thread *t, u32 v)
{
	u64 at = value(t) & ~0xfffULL;

	(void)v;
	if (one_in(t, 2))
		return VM_CALL(t, KVM_SET_TSS_ADDR, at);
	return VM_CALL(t, KVM_SET_IDENTITY_MAP_ADDR, &at);
}

static int coalesced(struct thread *t, u32 v)
{
	struct kvm_coalesced_mmio_zone z = { .addr = value(t), .size = 1 + pick(t, 0x2000) };

	(void)v;
	return VM_CALL(t, one_in(t, 2) ? KVM_REGISTER_COALESCED_MMIO :
					 KVM_UNREGISTER_COALESCED_MMIO, &z);
}

static int new_vcpu(struct thread *t, u32 v)
{
	(void)v;
	return VM_CALL(t, KVM_CREATE_VCPU, (unsigned long)(one_in(t, 4) ? rnd(t) : pick(t, 70))) <
	       0 ? -1 : 0;
}

/* Any number, any argument. */
static int any(struct thread *t, u32 v)
{
	u64 buf[64];
	u32 i, nr;

	for (i = 0; i < 64; i++)
		buf[i] = one_in(t, 2) ? 0 : value(t);
	nr = _IOC(pick(t, 4), KVMIO, pick(t, 0xd8), one_in(t, 4) ? pick(t, 512) : 8 * pick(t, 8));
	/* A copy of the vCPU's or machine's descriptor would not be for us to close. */
	return ioctl(one_in(t, 3) ? t->vm->fd : t->vm->vcpu[v], nr, buf);
}

const struct call calls[] = {
	{ "run", 60, false, run_with },
	{ "new program", 24, false, new_program },
	{ "poke memory", 16, false, poke_memory },
	{ "set_regs", 10, false, set_regs },
	{ "set_sregs", 12, false, set_sregs },
	{ "set_sregs2", 2, false, set_sregs2 },
	{ "set_msrs", 6, false, set_msrs },
	{ "get_msrs", 2, false, get_msrs },
	{ "set_cpuid2", 1, true, set_cpuid },
	{ "set_vcpu_events", 6, false, set_events },
	{ "set_debugregs", 3, false, set_debugregs },
	{ "set_guest_debug", 2, false, set_guest_debug },
	{ "set_fpu", 1, false, set_fpu },
	{ "set_xsave", 1, false, set_xsave },
	{ "set_xcrs", 1, true, set_xcrs },
	{ "set_lapic", 2, false, set_lapic },
	{ "interrupt", 2, true, interrupt },
	{ "nmi", 4, false, nmi },
	{ "smi", 1, true, smi },
	{ "set_mp_state", 1, false, mp_state },
	{ "translate", 2, false, translate },
	{ "set_tsc_khz", 1, true, tsc_khz },
	{ "kvmclock_ctrl", 1, true, kvmclock_ctrl },
	{ "set_mce", 1, true, set_mce },
	{ "enable_cap of a vcpu", 1, true, vcpu_cap },
	{ "enable_cap", 1, true, vm_cap },
	{ "memory slot", 5, false, memory_slot },
	{ "dirty log", 2, false, dirty_log },
	{ "madvise", 4, false, advise },
	{ "mprotect", 3, false, protect },
	{ "back to base", 8, false, back_to_base },
	{ "signal_msi", 4, false, msi },
	{ "irq_line", 3, false, irq_line },
	{ "set_irqchip", 1, false, irqchip },
	{ "set_clock", 1, false, vm_clock },
	{ "set_pit2", 1, false, pit },
	{ "set_tss_addr", 1, true, addresses },
	{ "coalesced mmio", 1, true, coalesced },
	{ "create_vcpu", 1, true, new_vcpu },
	{ "any", 3, true, any },
};

const u32 calls_nr = sizeof(calls) / sizeof(*calls);
