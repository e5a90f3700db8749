// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of the ABI that trap, and the ROM's place in the guest's memory.
 *
 * A call's number is the slot of the ROM in which its INT instruction stands;
 * arguments are where the calling convention has them: EAX, EDX, ECX, then the
 * stack above the return address.
 */
#include "mon.h"

extern u8 rom_image[], rom_image_end[];
extern u32 rom_relocs[], rom_relocs_end[];

/* The last words of the image, see the end of rom.S. */
struct rom_places {
	u32 slots, iret_begin, iret_insn, iret_slow, iret_slow_insn;
	u32 note_begin, note_commit;
};

u32 rom_phys, rom_linear, rom_code_pages;
static u8 *rom_copy;
static struct rom_places *places;

void *rom_code_page(u32 n)
{
	return rom_copy + n * PAGE;
}

/* Is there an option ROM at this physical address?  Its length if so. */
static u32 rom_at(u32 pa)
{
	u8 *p = phys_ptr(pa);

	return p[0] == 0x55 && p[1] == 0xaa ? p[2] * 512 : 0;
}

/**
 * rom_install - put our ROM behind those of the firmware
 *
 * Only the guest's shadows show it there; the machine's memory is unchanged.
 */
u32 rom_install(void)
{
	u32 pa = VMI_ROM_START, len, i;
	u8 sum = 0;

	rom_code_pages = 1;
	rom_copy = alloc_pages(rom_code_pages);
	memcpy(rom_copy, rom_image, rom_image_end - rom_image);
	places = (void *)(rom_copy + (rom_image_end - rom_image) - sizeof(*places));
	while (pa < VMI_ROM_END) {
		len = rom_at(pa);
		pa += len ? (len + VMI_ROM_STEP - 1) & ~(VMI_ROM_STEP - 1) : VMI_ROM_STEP;
		if (!len && !(pa & (PAGE - 1)))
			break;
	}
	if (pa + (rom_code_pages + SH_PAGES) * PAGE > VMI_ROM_END)
		refuse("no room for the ROM");
	for (i = 0; i < rom_code_pages * PAGE; i++)
		sum += rom_copy[i];
	for (i = 0; i < PAGE; i++)
		sum += ((u8 *)vcpus[0]->vmi_page)[i];
	rom_copy[7] -= sum;
	rom_phys = pa;
	mprintf("monitor: ROM at %05x\n", pa);
	return pa;
}

/* Did an interrupt hit the ROM's IRET after it set the guest's flag? */
bool rom_in_iret(u32 ip, u32 *skip)
{
	u32 off = ip - rom_linear;

	if (off < places->iret_begin || off > places->iret_slow_insn) {
		*skip = 0;
		return off == places->slots + SLOT * HC_IRET;
	}
	*skip = off == places->iret_insn || off == places->iret_slow_insn ? 0 : 4;
	return true;
}

/* An interrupted note starts over, see rom.S. */
void rom_restart_note(struct regs *r)
{
	u32 off = r->ip - rom_linear;

	if (off >= places->note_begin && off <= places->note_commit)
		r->ip = rom_linear + places->note_begin;
}

static u32 stack_arg(struct vcpu *v, struct regs *r, u32 n)
{
	u32 val = 0;

	guest_get32(stack_lin(v, r->ss, r->sp + 4 + 4 * n), &val);
	return val;
}

/* Raise the guest's #GP at the call site, as if the instruction were there. */
static void fault_at_site(struct vcpu *v, struct regs *r)
{
	u32 ret;

	if (!guest_get32(stack_lin(v, r->ss, r->sp), &ret))
		stop_guest(v, r, "a hypercall without a stack");
	r->ip = ret - 5;
	r->sp = (u32)(r->sp + 4);
	deliver(v, r, X_GP, true, 0, false);
}

/* Enter the monitor from a slot through its call gate: lcall $MON_GATE, $0; ret */
static void use_far_call(u32 nr)
{
	static const u8 code[SLOT] = { 0x9a, 0, 0, 0, 0, MON_GATE & 0xff, MON_GATE >> 8, 0xc3 };

	memcpy(rom_copy + places->slots + SLOT * nr, code, SLOT);
}

/* vmi_init: the guest maps the ROM at linear @r->ip; finish it for that place. */
static void hc_init(struct vcpu *v, struct regs *r)
{
	u32 lin = r->ip - 2 - places->slots - SLOT * HC_INIT, i;
	u64 pa;

	if (v->vmi || !guest_virt_to_phys(v, lin, &pa) || pa != rom_phys) {
		r->ax = -1u;
		return;
	}
	rom_linear = lin;
	for (i = 0; &rom_relocs[i] < rom_relocs_end; i++)
		*(u32 *)(rom_copy + rom_relocs[i]) += lin;
	use_far_call(HC_BY_CALL);
	for (i = 0; i < nr_cpus; i++) {
		struct vcpu *c = vcpus[i];

		c->sh->iomap = c->vmi_page->iomap;
		c->sh->direct = lin - rom_phys;
		/* How far that mapping goes the guest says later, SetLinearMapping. */
		c->sh->direct_end = 0;
		memcpy(c->vmi_page, c->sh, PAGE);
		c->sh = c->vmi_page;
	}
	v->vmi = true;
	r->ax = 0;
}

/* The ROM has timed both ways on this processor. */
static void hc_choose(struct vcpu *v, struct regs *r)
{
	u32 i, by_int = r->ax, by_call = r->dx;
	bool far = by_call < by_int && !boot.only_int;

	for (i = 0; far && i < HC_BY_INT; i++)
		use_far_call(i);
	mprintf("monitor: hypercalls by %s (INT %u cycles, far call %u)\n",
		far ? "far call" : "INT", by_int, by_call);
	r->ax = 0;
}

static void hc_rdmsr(struct vcpu *v, struct regs *r)
{
	u64 val;

	if (!guest_rdmsr(v, r->cx, &val)) {
		fault_at_site(v, r);
		return;
	}
	r->ax = (u32)val;
	r->dx = val >> 32;
}

static bool read_table(struct vcpu *v, u32 lin, struct table_reg *t)
{
	u8 buf[6];

	if (!guest_read(v, lin, buf, 6))
		return false;
	memcpy(&t->limit, buf, 2);
	memcpy(&t->base, buf + 2, 4);
	return true;
}

static void hc_set_gdt(struct vcpu *v, struct regs *r)
{
	struct table_reg t;

	if (!read_table(v, r->ax, &t) || !load_guest_gdt(v, r, t.base, t.limit))
		fault_at_site(v, r);
}

static void hc_set_idt(struct vcpu *v, struct regs *r)
{
	v->fast_valid = false;
	if (!read_table(v, r->ax, &v->idt))
		fault_at_site(v, r);
}

static void get_table(struct vcpu *v, struct regs *r, struct table_reg *t)
{
	u8 buf[6];

	memcpy(buf, &t->limit, 2);
	memcpy(buf + 2, &t->base, 4);
	if (!guest_write(v, r->ax, buf, 6))
		fault_at_site(v, r);
}

/* Write an entry of a descriptor table in the guest's memory. */
static bool write_entry(struct vcpu *v, struct regs *r, u64 *d)
{
	u32 table = r->ax, index = r->dx;

	*d = (u32)r->cx | (u64)stack_arg(v, r, 0) << 32;
	return index < 8192 && guest_write(v, table + index * 8, d, 8);
}

/* A guest may write a table elsewhere than where the processor reads it. */
static bool same_place(struct vcpu *v, u32 a, u32 b)
{
	u64 pa, pb;

	return a == b || (guest_virt_to_phys(v, a, &pa) && guest_virt_to_phys(v, b, &pb) &&
			  pa == pb);
}

static void hc_write_gdt(struct vcpu *v, struct regs *r)
{
	u64 d;

	if (!write_entry(v, r, &d))
		fault_at_site(v, r);
	else if (same_place(v, r->ax + r->dx * 8, v->gdt.base + r->dx * 8))
		guest_gdt_write(v, r, r->dx, d);
}

static void hc_write_ldt(struct vcpu *v, struct regs *r)
{
	u64 d;

	if (!write_entry(v, r, &d))
		fault_at_site(v, r);
	else
		guest_ldt_write(v, r->ax, r->dx, d);
}

static void hc_write_idt(struct vcpu *v, struct regs *r)
{
	u64 d;

	v->fast_valid = false;
	if (!write_entry(v, r, &d))
		fault_at_site(v, r);
}

static void hc_iret(struct vcpu *v, struct regs *r)
{
	/* A fault of it appears where the ROM's own would. */
	r->ip = rom_linear + places->iret_insn;
	if (!do_iret(v, r, 0))
		stop_guest(v, r, "IRET's stack is not there");
	deliver_held(v, r);
}

static void hc_sysexit(struct vcpu *v, struct regs *r)
{
	u16 sel = (v->sysenter[0] & 0xfffc) + 16;

	r->cs = sel | 3;
	r->ss = (sel + 8) | 3;
	if (!stack_ok(v, r->ss, 3) || !real_desc(v, sel) ||
	    (*real_desc(v, sel) >> 43 & 0x1f) != 0x1f)
		stop_guest(v, r, "SYSEXIT without its segments");
	r->ip = (u32)r->dx;
	r->sp = (u32)r->cx;
	v->sh->vif = FLAG_IF;
	v->vmi_page->iomap = SH_IOMAP_CLOSED;
	deliver_held(v, r);
}

/* An entry of a page table whose place the ROM could not tell. */
static void note_entry(struct vcpu *v, u32 lin)
{
	u64 pa;

	if (!guest_virt_to_phys(v, lin, &pa))
		return;
	if (pa >> 32) {
		v->sh->head += RING_SIZE;	/* no room for it: all CPUs forget all */
		return;
	}
	v->vmi_page->ring[v->sh->head % RING_SIZE] = pa & ~3u;
	__atomic_store_n(&v->sh->head, v->sh->head + 1, __ATOMIC_RELEASE);
}

static void hc_linear_mapping(struct vcpu *v, struct regs *r)
{
	u32 i, pages = r->cx, pfn = stack_arg(v, r, 0);

	/* Only what vmi_init's call already implied is of use. */
	if (r->ax || (u32)r->dx - (pfn << 12) != v->sh->direct || pages > 1 << 20)
		return;
	for (i = 0; i < nr_cpus; i++)
		vcpus[i]->sh->direct_end = (pfn + pages) << 12;
}

static void hc_ap_state(struct vcpu *v, struct regs *r)
{
	u32 i;

	for (i = 0; i < nr_cpus; i++) {
		struct vcpu *c = vcpus[i];

		if (c != v && c->apic_id == (u32)r->dx)
			c->ap_valid = guest_read(v, r->ax, &c->ap, sizeof(c->ap));
	}
}

/* GetOpCount: a count, or eight bytes of what it is called. */
static void hc_op_count(struct vcpu *v, struct regs *r)
{
	u32 nr = r->ax & 0xffff, end = ((u32)r->ax >> 16) * 8, i;
	const char *name = counter_name(nr);
	u64 n = end ? 0 : counter(nr);

	for (i = end - 8; i < end && i < strlen(name); i++)
		n |= (u64)name[i] << i % 8 * 8;
	r->ax = (u32)n;
	r->dx = n >> 32;
}

/* SpinWait: until any interrupt; SpinKick is one that comes after the change. */
static void hc_spin_wait(struct vcpu *v, struct regs *r)
{
	u8 byte;

	if (!guest_read(v, r->ax, &byte, 1) || byte != (u8)r->dx)
		return;
	vcpu_halt(v);
	deliver_held(v, r);
}

/* FlushLater: a CPU that is halted has its shadows synchronized by vcpu_halt(). */
static void hc_flush_later(struct vcpu *v, struct regs *r)
{
	u32 i, id = r->ax;

	r->ax = 0;
	for (i = 0; i < nr_cpus; i++) {
		enum halting was = HALTING;

		if (vcpus[i]->apic_id == id)
			r->ax = __atomic_compare_exchange_n(&vcpus[i]->halting, &was,
							    HALTING_FLUSH, false,
							    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
				was == HALTING_FLUSH;
	}
}

/* FlushRange.  The notes say what changed: only the TLB wants to know of pages. */
static void hc_flush_range(struct vcpu *v, struct regs *r)
{
	if ((u32)r->dx == 1)
		shadow_inval(v, r->ax);
	else
		shadow_flush(v, false);
}

/* The calls that are one statement. */
#define ONE_LINE(name, statement) \
static void name(struct vcpu *v, struct regs *r) { statement; }
ONE_LINE(hc_wrmsr, if (!guest_wrmsr(v, r->cx, (u32)r->ax | r->dx << 32)) fault_at_site(v, r))
ONE_LINE(hc_set_ldt, if (!load_guest_ldt(v, r->ax)) fault_at_site(v, r))
ONE_LINE(hc_set_tr, if (!set_tr(v, r->ax)) fault_at_site(v, r))
ONE_LINE(hc_get_gdt, get_table(v, r, &v->gdt))
ONE_LINE(hc_get_idt, get_table(v, r, &v->idt))
ONE_LINE(hc_get_ldt, r->ax = v->ldt)
ONE_LINE(hc_get_tr, r->ax = v->tr)
ONE_LINE(hc_set_cr0, set_cr0(v, r, r->ax))
ONE_LINE(hc_set_cr3, set_cr3(v, r->ax))
ONE_LINE(hc_set_cr4, if (!set_cr4(v, r, r->ax)) fault_at_site(v, r))
ONE_LINE(hc_clts, set_cr0(v, r, v->cr0 & ~CR0_TS))
ONE_LINE(hc_wbinvd, asm volatile("wbinvd" : : : "memory"))
ONE_LINE(hc_set_dr, set_dr(v, r->ax, r->dx))
ONE_LINE(hc_get_dr, r->ax = get_dr(v, r->ax))
ONE_LINE(hc_rdpmc, fault_at_site(v, r))
ONE_LINE(hc_enable, deliver_held(v, r))
ONE_LINE(hc_last_words, dump_counters())	/* the guest knows how to go on */
ONE_LINE(hc_update_pxe, note_entry(v, r->ax))
ONE_LINE(hc_inval_page, shadow_inval(v, r->ax))
ONE_LINE(hc_flush_tlb, shadow_flush(v, r->ax & VMI_FLUSH_GLOBAL))
ONE_LINE(hc_apic_write, guest_apic_write(v, r, r->ax & 0xff0, r->dx))
ONE_LINE(hc_spin_kick, smp_wake(r->ax))
ONE_LINE(hc_nothing, (void)0)
ONE_LINE(hc_set_iopl, v->iopl = r->ax & FLAG_IOPL)

typedef void (*call_fn)(struct vcpu *v, struct regs *r);

static const call_fn calls[HC_SLOTS] = {
	[VMI_OP_WRMSR] = hc_wrmsr,
	[VMI_OP_RDMSR] = hc_rdmsr,
	[VMI_OP_SET_GDT] = hc_set_gdt,
	[VMI_OP_SET_LDT] = hc_set_ldt,
	[VMI_OP_SET_IDT] = hc_set_idt,
	[VMI_OP_SET_TR] = hc_set_tr,
	[VMI_OP_GET_GDT] = hc_get_gdt,
	[VMI_OP_GET_LDT] = hc_get_ldt,
	[VMI_OP_GET_IDT] = hc_get_idt,
	[VMI_OP_GET_TR] = hc_get_tr,
	[VMI_OP_WRITE_GDT_ENTRY] = hc_write_gdt,
	[VMI_OP_WRITE_LDT_ENTRY] = hc_write_ldt,
	[VMI_OP_WRITE_IDT_ENTRY] = hc_write_idt,
	[VMI_OP_SET_CR0] = hc_set_cr0,
	[VMI_OP_SET_CR3] = hc_set_cr3,
	[VMI_OP_SET_CR4] = hc_set_cr4,
	[VMI_OP_WBINVD] = hc_wbinvd,
	[VMI_OP_SET_DR] = hc_set_dr,
	[VMI_OP_GET_DR] = hc_get_dr,
	[VMI_OP_RDPMC] = hc_rdpmc,
	[VMI_OP_CLTS] = hc_clts,
	[VMI_OP_SYSEXIT] = hc_sysexit,
	[VMI_OP_HALT] = guest_halt,
	[VMI_OP_REBOOT] = hc_last_words,
	[VMI_OP_SHUTDOWN] = hc_last_words,
	[VMI_OP_UPDATE_PXE] = hc_update_pxe,
	[VMI_OP_UPDATE_PXE_LONG] = hc_update_pxe,
	[VMI_OP_INVAL_PAGE] = hc_inval_page,
	[VMI_OP_FLUSH_TLB] = hc_flush_tlb,
	[VMI_OP_SET_LINEAR_MAPPING] = hc_linear_mapping,
	[VMI_OP_SET_IOPL_MASK] = hc_set_iopl,
	[VMI_OP_SET_INITIAL_AP_STATE] = hc_ap_state,
	[VMI_OP_APIC_WRITE] = hc_apic_write,
	[VMI_OP_GET_OP_COUNT] = hc_op_count,
	[VMI_OP_SPIN_WAIT] = hc_spin_wait,
	[VMI_OP_SPIN_KICK] = hc_spin_kick,
	[VMI_OP_FLUSH_LATER] = hc_flush_later,
	[VMI_OP_FLUSH_RANGE] = hc_flush_range,
	[HC_INIT] = hc_init,
	[HC_ENABLE] = hc_enable,
	[HC_IRET] = hc_iret,
	[HC_BY_INT] = hc_nothing,
	[HC_BY_CALL] = hc_nothing,
	[HC_CHOOSE] = hc_choose,
};

/**
 * hypercall - INT or far call from ring 1: only the ROM's slots are meant to have it
 */
void hypercall(struct vcpu *v, struct regs *r)
{
	u32 insn = r->ip - (r->err ? CALL_LEN : 2);
	u32 off = insn - rom_linear - places->slots, nr = off / SLOT;
	bool known = v->vmi && (r->cs & 3) == 1 && !(off % SLOT) && nr < HC_SLOTS && calls[nr];
	u64 pa;

	/* Before vmi_init the ROM's place is not known: by the physical address. */
	if (!v->vmi && guest_virt_to_phys(v, insn, &pa) &&
	    pa == rom_phys + places->slots + SLOT * HC_INIT) {
		nr = HC_INIT;
		known = true;
	}
	if (!known) {
		r->ip = insn;
		deliver(v, r, X_GP, true, r->err ? MON_GATE & ~7 : HYPERCALL_VECTOR * 8 + 2, false);
		return;
	}
	v->hypercalls[nr]++;
	v->trace[v->trace_pos++ % TRACE_LEN] =
		(struct call_trace){ nr, r->ip, r->ax, r->dx, r->cx };
	calls[nr](v, r);
	/* One that came at call_gate, before interrupts were closed. */
	if (v->sh->vif && v->sh->pending)
		deliver_held(v, r);
}
