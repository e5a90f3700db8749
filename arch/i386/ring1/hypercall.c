// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of the ABI that trap, and the ROM's place in the guest's memory.  A
 * call's number is the slot of the ROM that it comes from; arguments are in EAX,
 * EDX, ECX, then on the stack above the return address.
 */
#include "ring1.h"
#include "romlabels.h"	/* ROM_x: offset of label x in rom.S */

extern u32 rom_relocs[], rom_relocs_end[];

/* Did an interrupt hit the ROM's IRET after it set the guest's flag? */
bool rom_in_iret(struct vcpu *v, u32 ip, u32 *skip)
{
	u32 off = ip - rom_of(v)->linear;

	if (off < ROM_iret_begin || off > ROM_iret_slow_insn) {
		*skip = 0;
		return off == ROM_slots + SLOT * HC_IRET;
	}
	*skip = off == ROM_iret_insn || off == ROM_iret_slow_insn ? 0 : 4;
	return true;
}

/*
 * If the IRET at @ip faults there, does the guest's exception table know?  Not if
 * it is the ROM's, and the kernel one of 2.6.21 to 2.6.36: it would oops.
 */
bool rom_knows_iret(struct vcpu *v, u32 ip)
{
	u32 skip;

	return vcpu_nr(v, 0)->sh->known || !rom_in_iret(v, ip, &skip);
}

/* An interrupted note starts over, see rom.S. */
void rom_restart_note(struct vcpu *v, struct regs *r)
{
	u32 off = r->ip - rom_of(v)->linear;

	if (off >= ROM_note_begin && off <= ROM_note_commit)
		r->ip = rom_of(v)->linear + ROM_note_begin;
}

/* The stack arguments of a call, from 0 on. */
u32 stack_arg(struct vcpu *v, struct regs *r, u32 n)
{
	u32 val = 0;

	guest_read(v, stack_lin(v, r->ss, r->sp + 4 + 4 * n), &val, 4);
	return val;
}

/* Raise the guest's #GP at the call site, as if the instruction were there. */
enum outcome fault_at_site(struct vcpu *v, struct regs *r)
{
	u32 ret;

	if (!guest_read(v, stack_lin(v, r->ss, r->sp), &ret, 4))
		return stop(v, "a hypercall without a stack");
	r->ip = ret - 5;
	r->sp = (u32)(r->sp + 4);
	return deliver(v, r, X_GP, true, 0, false);
}

/**
 * rom_relocate - finish the ROM's code for the linear address where it is now
 * @rom: the ROM
 * @lin: linear address
 */
void rom_relocate(struct rom *rom, u32 lin)
{
	u32 i, *word;

	for (i = 0; &rom_relocs[i] < rom_relocs_end; i++) {
		word = (u32 *)(rom->copy + rom_relocs[i]);
		/* Linked as if the shared pages were right behind the code. */
		if (!rom->linear && *word >= ROM_CODE)
			*word += rom->shared - rom->phys - ROM_CODE;
		*word += lin - rom->linear;
	}
	rom->linear = lin;
}

/* The INT or far call that brought us here. */
static u32 insn_of(struct regs *r)
{
	return r->ip - (r->err ? CALL_LEN : 2);
}

/*
 * vmi_init: the guest maps the ROM where it called; finish it for that place.  That
 * was a far call if a kernel before this one had chosen it.
 */
static enum outcome hc_init(struct vcpu *v, struct regs *r)
{
	u32 lin = insn_of(r) - ROM_slots - SLOT * HC_INIT, i;

	r->ax = -1u;
	if (v->vmi || !rom_place(v, lin))
		return DONE;
	/* Of a kernel before this one. */
	for (i = 0; i < vcpu_count(v); i++)
		vcpu_nr(v, i)->ap_valid = false;
	rom_of(v)->direct = lin - rom_of(v)->phys;
	/* How far that mapping goes the guest says later, SetLinearMapping. */
	rom_of(v)->direct_end = 0;
	share_page(v);
	v->vmi = true;
	r->ax = 0;
	return DONE;
}

/* The ROM has timed both ways on this processor. */
static enum outcome hc_choose(struct vcpu *v, struct regs *r)
{
	rom_choose(v, r->ax, r->dx);
	r->ax = 0;
	return DONE;
}

static enum outcome hc_RDMSR(struct vcpu *v, struct regs *r)
{
	u64 val;

	if (!guest_rdmsr(v, r->cx, &val))
		return FAULT;
	set_edx_eax(r, val);
	return DONE;
}

/* A guest may write a table elsewhere than where the processor reads it. */
static bool same_place(struct vcpu *v, u32 a, u32 b)
{
	u64 pa, pb;

	return a == b || (guest_virt_to_phys(v, a, &pa) && guest_virt_to_phys(v, b, &pb) &&
			  pa == pb);
}

/* Write{GDT,LDT,IDT}Entry: in the guest's memory, and what the processor has of it. */
static bool write_entry(struct vcpu *v, struct regs *r, enum vmi_op op)
{
	u32 table = r->ax, index = r->dx;
	u64 d = (u32)r->cx | (u64)stack_arg(v, r, 0) << 32;

	/* With half of it not at hand nothing is written: the call comes again. */
	if (host_must_act(v) || index >= 8192 || !guest_write(v, table + index * 8, &d, 8))
		return false;
	if (op == VMI_OP_WRITE_LDT_ENTRY)
		guest_ldt_write(v, table, index, d);
	else if (op == VMI_OP_WRITE_IDT_ENTRY)
		forget_gates(v);
	else if (same_place(v, table + index * 8, v->gdt.base + index * 8))
		guest_gdt_write(v, r, index, d);
	return true;
}

static enum outcome hc_iret(struct vcpu *v, struct regs *r)
{
	/* A fault of it appears where the ROM's own would. */
	r->ip = rom_of(v)->linear + ROM_iret_insn;
	switch (do_iret(v, r, 0)) {
	case FAULT:
		return stop(v, "IRET's stack is not there");
	case STOP:
		return STOP;
	default:
		return deliver_held(v, r);
	}
}

static enum outcome hc_SYSEXIT(struct vcpu *v, struct regs *r)
{
	u16 sel = (v->sysenter[0] & 0xfffc) + 16;

	r->cs = sel | 3;
	r->ss = (sel + 8) | 3;
	if (!stack_ok(v, r->ss, 3) || !real_desc(v, sel) ||
	    (*real_desc(v, sel) >> 43 & 0x1f) != 0x1f)
		return stop(v, "SYSEXIT without its segments");
	r->ip = (u32)r->dx;
	r->sp = (u32)r->cx;
	v->sh->vif = FLAG_IF;
	close_ports(v);
	return deliver_held(v, r);
}

/* An entry of a page table whose place the ROM could not tell. */
static void note_entry(struct vcpu *v, u32 lin)
{
	u64 pa;

	if (!guest_virt_to_phys(v, lin, &pa))
		return;
	/* Above 4 GiB there is no room for it: the whole table. */
	v->vmi_page->ring[v->sh->head % RING_SIZE] = pa >> 32 ? pa >> 12 << 1 | 1 : pa & ~3u;
	__atomic_store_n(&v->sh->head, v->sh->head + 1, __ATOMIC_RELEASE);
}

static enum outcome hc_SET_LINEAR_MAPPING(struct vcpu *v, struct regs *r)
{
	u32 i, pages = r->cx, pfn = stack_arg(v, r, 0);

	/* Only what vmi_init's call already implied is of use. */
	if (r->ax || (u32)r->dx - (pfn << 12) != v->sh->direct || pages > 1 << 20)
		return DONE;
	/* Those that are still to be started have it from the ROM: share_page(). */
	rom_of(v)->direct_end = (pfn + pages) << 12;
	for (i = 0; i < vcpu_count(v); i++)
		if (vcpu_nr(v, i)->vmi)
			vcpu_nr(v, i)->sh->direct_end = rom_of(v)->direct_end;
	return DONE;
}

/* GetOpCount: a count, or eight bytes of what it is called. */
static enum outcome hc_GET_OP_COUNT(struct vcpu *v, struct regs *r)
{
	u32 nr = r->ax & 0xffff, end = ((u32)r->ax >> 16) * 8, i;
	const char *name = counter_name(nr);
	u64 n = end ? 0 : counter(v, nr);

	for (i = 0; i < end && name[i]; i++)
		n |= i < end - 8 ? 0 : (u64)name[i] << i % 8 * 8;
	set_edx_eax(r, n);
	return DONE;
}

/* SpinWait: until any interrupt; SpinKick comes after the change of the byte. */
static enum outcome hc_SPIN_WAIT(struct vcpu *v, struct regs *r)
{
	u8 byte;

	__atomic_store_n(&v->kicked, false, __ATOMIC_SEQ_CST);
	if (!guest_read(v, r->ax, &byte, 1) || byte != (u8)r->dx)
		return DONE;
	return spin_wait(v, r);
}

/* The calls that are one statement, one question, or what another routine does. */
#define CALL(id, statement) \
static enum outcome hc_##id(struct vcpu *v, struct regs *r) { statement; return DONE; }
#define TRY(id, good) \
static enum outcome hc_##id(struct vcpu *v, struct regs *r) { return done_if(good); }
#define PASS(id, routine) \
static enum outcome hc_##id(struct vcpu *v, struct regs *r) { return routine; }
TRY(WRMSR, guest_wrmsr(v, r->cx, (u32)r->ax | r->dx << 32))
TRY(SET_GDT, load_table(v, r, r->ax, false, false))
TRY(SET_IDT, load_table(v, r, r->ax, true, false))
TRY(SET_LDT, load_guest_ldt(v, r->ax))
TRY(SET_TR, set_tr(v, r->ax))
TRY(GET_GDT, guest_write(v, r->ax, &v->gdt, sizeof(v->gdt)))
TRY(GET_IDT, guest_write(v, r->ax, &v->idt, sizeof(v->idt)))
TRY(WRITE_GDT_ENTRY, write_entry(v, r, VMI_OP_WRITE_GDT_ENTRY))
TRY(WRITE_LDT_ENTRY, write_entry(v, r, VMI_OP_WRITE_LDT_ENTRY))
TRY(WRITE_IDT_ENTRY, write_entry(v, r, VMI_OP_WRITE_IDT_ENTRY))
CALL(GET_LDT, r->ax = v->ldt)
CALL(GET_TR, r->ax = v->tr)
PASS(SET_CR0, set_cr0(v, r->ax))
TRY(SET_CR3, set_cr3(v, r->ax))
TRY(SET_CR4, set_cr4(v, r->ax))
PASS(CLTS, set_cr0(v, v->cr0 & ~CR0_TS))
CALL(WBINVD, host_wbinvd())
CALL(SET_DR, set_dr(v, r->ax, r->dx))
CALL(GET_DR, r->ax = get_dr(v, r->ax))
TRY(RDPMC, false)
PASS(HALT, guest_halt(v, r))
CALL(REBOOT, dump_counters())		/* the guest knows how to go on */
CALL(SHUTDOWN, dump_counters())
CALL(UPDATE_PXE, note_entry(v, r->ax))
CALL(INVAL_PAGE, shadow_inval(v, r->ax))
CALL(FLUSH_TLB, shadow_flush(v, r->ax & VMI_FLUSH_GLOBAL))
/* The ring says what changed: only the TLB wants to know of pages. */
CALL(FLUSH_RANGE, (u32)r->dx == 1 ? shadow_inval(v, r->ax) : shadow_flush(v, false))
CALL(APIC_WRITE, guest_apic_write(v, r->ax & 0xff0, r->dx))
CALL(APIC_READ, r->ax = guest_apic_read(v, r->ax & 0xff0))
CALL(SET_INITIAL_AP_STATE, set_ap_state(v, r->ax, r->dx))
CALL(SPIN_KICK, smp_kick(v, r->ax))
CALL(FLUSH_LATER, r->ax = flush_later(v, r->ax))
CALL(SET_IOPL_MASK, v->iopl = r->ax & FLAG_IOPL)
PASS(enable, deliver_held(v, r))
CALL(nothing, (void)0)

/* FAULT: the site is to fault. */
static enum outcome (* const calls[HC_SLOTS])(struct vcpu *v, struct regs *r) = {
#define ROW(id)	[VMI_OP_##id] = hc_##id,
	TRAPPING_OPS(ROW)
	HOST_OPS(ROW)
	[HC_INIT] = hc_init,
	[HC_ENABLE] = hc_enable,
	[HC_IRET] = hc_iret,
	[HC_BY_INT] = hc_nothing,
	[HC_BY_CALL] = hc_nothing,
	[HC_CHOOSE] = hc_choose,
	[HC_FILL] = hc_nothing,		/* fill_gate of the monitor's does it */
};

/**
 * hypercall - INT or far call from ring 1: only the ROM's slots are meant to have it
 * @v: the virtual CPU
 * @r: its registers
 */
enum outcome hypercall(struct vcpu *v, struct regs *r)
{
	u32 insn = insn_of(r);
	u32 off = insn - rom_of(v)->linear - ROM_slots, nr = off / SLOT;
	bool known = (r->cs & 3) == 1 && !(off % SLOT) && nr < HC_SLOTS && calls[nr];
	enum outcome done;

	/*
	 * Before vmi_init the ROM's place is not known: by the physical address.  A
	 * kernel that had paging off for a while calls on as before.
	 */
	if (!v->vmi && rom_is_at(v, insn - ROM_slots - SLOT * HC_INIT)) {
		nr = HC_INIT;
		known = true;
	} else if (!v->vmi) {
		known = known && rom_of(v)->linear && rom_is_at(v, rom_of(v)->linear);
		v->vmi = known;
		if (known)
			share_page(v);
	}
	if (!known) {
		r->ip = insn;
		return deliver(v, r, X_GP, true,
			       r->err ? MON_GATE & ~7 : HYPERCALL_VECTOR * 8 + 2, false);
	}
	v->hypercalls[nr]++;
	v->trace[v->trace_pos++ % TRACE_LEN] =
		(struct call_trace){ nr, r->ip, r->ax, r->dx, r->cx };
	done = calls[nr](v, r);
	/* Where its host has to bring a page first, it is no fault: the call comes again. */
	if (done == FAULT && !host_must_act(v))
		done = fault_at_site(v, r);
	/* One that came at call_gate, before interrupts were closed. */
	if (done == DONE && v->sh->vif && v->sh->pending)
		return deliver_held(v, r);
	return done;
}
