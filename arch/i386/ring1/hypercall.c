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
bool rom_in_iret(struct vcpu *vcpu, u32 ip, u32 *skip)
{
	u32 off = ip - rom_of(vcpu)->linear;

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
bool rom_knows_iret(struct vcpu *vcpu, u32 ip)
{
	u32 skip;

	return vcpu_nr(vcpu, 0)->sh->known || !rom_in_iret(vcpu, ip, &skip);
}

/* An interrupted note starts over, see rom.S. */
void rom_restart_note(struct vcpu *vcpu, struct regs *regs)
{
	u32 off = regs->ip - rom_of(vcpu)->linear;

	if (off >= ROM_note_begin && off <= ROM_note_commit)
		regs->ip = rom_of(vcpu)->linear + ROM_note_begin;
}

/* The stack arguments of a call, from 0 on. */
u32 stack_arg(struct vcpu *vcpu, struct regs *regs, u32 n)
{
	u32 val = 0;

	guest_read(vcpu, stack_lin(vcpu, regs->ss, regs->sp + 4 + 4 * n), &val, 4);
	return val;
}

/* Raise the guest's #GP at the call site, as if the instruction were there. */
enum outcome fault_at_site(struct vcpu *vcpu, struct regs *regs)
{
	u32 ret;

	if (!guest_read(vcpu, stack_lin(vcpu, regs->ss, regs->sp), &ret, 4))
		return stop(vcpu, "a hypercall without a stack");
	regs->ip = ret - 5;
	regs->sp = (u32)(regs->sp + 4);
	return deliver(vcpu, regs, X_GP, true, 0, false);
}

/**
 * rom_relocate - finish the ROM's code for the linear address where it is now
 * @rom: the ROM
 * @gva: linear address
 */
void rom_relocate(struct rom *rom, u32 gva)
{
	u32 i, *word;

	for (i = 0; &rom_relocs[i] < rom_relocs_end; i++) {
		word = (u32 *)(rom->copy + rom_relocs[i]);
		/* Linked as if the shared pages were right behind the code. */
		if (!rom->linear && *word >= ROM_CODE)
			*word += rom->shared - rom->phys - ROM_CODE;
		*word += gva - rom->linear;
	}
	rom->linear = gva;
}

/* The INT or far call that brought us here. */
static u32 insn_of(struct regs *regs)
{
	return regs->ip - (regs->err ? CALL_LEN : 2);
}

/*
 * vmi_init: the guest maps the ROM where it called; finish it for that place.  That
 * was a far call if a kernel before this one had chosen it.
 */
static enum outcome hc_init(struct vcpu *vcpu, struct regs *regs)
{
	u32 gva = insn_of(regs) - ROM_slots - SLOT * HC_INIT, i;

	regs->ax = -1u;
	if (vcpu->vmi || !rom_place(vcpu, gva))
		return DONE;
	/* Of a kernel before this one. */
	for (i = 0; i < vcpu_count(vcpu); i++)
		vcpu_nr(vcpu, i)->ap_valid = false;
	rom_of(vcpu)->direct = gva - rom_of(vcpu)->phys;
	/* How far that mapping goes the guest says later, SetLinearMapping. */
	rom_of(vcpu)->direct_end = 0;
	share_page(vcpu);
	vcpu->vmi = true;
	regs->ax = 0;
	return DONE;
}

/* The ROM has timed both ways on this processor. */
static enum outcome hc_choose(struct vcpu *vcpu, struct regs *regs)
{
	rom_choose(vcpu, regs->ax, regs->dx);
	regs->ax = 0;
	return DONE;
}

static enum outcome hc_RDMSR(struct vcpu *vcpu, struct regs *regs)
{
	u64 val;

	if (!guest_rdmsr(vcpu, regs->cx, &val))
		return FAULT;
	set_edx_eax(regs, val);
	return DONE;
}

/* A guest may write a table elsewhere than where the processor reads it. */
static bool same_place(struct vcpu *vcpu, u32 a, u32 b)
{
	u64 gpa, pb;

	return a == b || (guest_virt_to_phys(vcpu, a, &gpa) && guest_virt_to_phys(vcpu, b, &pb) &&
			  gpa == pb);
}

/* Write{GDT,LDT,IDT}Entry: in the guest's memory, and what the processor has of it. */
static bool write_entry(struct vcpu *vcpu, struct regs *regs, enum vmi_op op)
{
	u32 table = regs->ax, index = regs->dx;
	u64 d = (u32)regs->cx | (u64)stack_arg(vcpu, regs, 0) << 32;

	/* With half of it not at hand nothing is written: the call comes again. */
	if (host_must_act(vcpu) || index >= 8192 || !guest_write(vcpu, table + index * 8, &d, 8))
		return false;
	if (op == VMI_OP_WRITE_LDT_ENTRY)
		guest_ldt_write(vcpu, table, index, d);
	else if (op == VMI_OP_WRITE_IDT_ENTRY)
		forget_gates(vcpu);
	else if (same_place(vcpu, table + index * 8, vcpu->gdt.base + index * 8))
		guest_gdt_write(vcpu, regs, index, d);
	return true;
}

/* fill_gate of the monitor's, when there is more to do: the next fault fills it then. */
static enum outcome hc_fill(struct vcpu *vcpu, struct regs *regs)
{
	vcpu->sh->fill = 0;
	note_iret_user(vcpu);
	return DONE;
}

static enum outcome hc_iret(struct vcpu *vcpu, struct regs *regs)
{
	/* A fault of it appears where the ROM's own would. */
	regs->ip = rom_of(vcpu)->linear + ROM_iret_insn;
	switch (do_iret(vcpu, regs, 0)) {
	case FAULT:
		return stop(vcpu, "IRET's stack is not there");
	case STOP:
		return STOP;
	default:
		return deliver_held(vcpu, regs);
	}
}

static enum outcome hc_SYSEXIT(struct vcpu *vcpu, struct regs *regs)
{
	u16 sel = (vcpu->sysenter[0] & 0xfffc) + 16;

	regs->cs = sel | 3;
	regs->ss = (sel + 8) | 3;
	if (!stack_ok(vcpu, regs->ss, 3) || !real_desc(vcpu, sel) ||
	    (*real_desc(vcpu, sel) >> 43 & 0x1f) != 0x1f)
		return stop(vcpu, "SYSEXIT without its segments");
	regs->ip = (u32)regs->dx;
	regs->sp = (u32)regs->cx;
	vcpu->sh->vif = FLAG_IF;
	close_ports(vcpu);
	return deliver_held(vcpu, regs);
}

/* An entry of a page table whose place the ROM could not tell. */
static void note_entry(struct vcpu *vcpu, u32 gva)
{
	u64 gpa;

	if (!guest_virt_to_phys(vcpu, gva, &gpa))
		return;
	/* Above 4 GiB there is no room for it: the whole table. */
	vcpu->vmi_page->ring[vcpu->sh->head % RING_SIZE] =
		gpa >> 32 ? gpa >> 12 << 1 | 1 : gpa & ~3u;
	__atomic_store_n(&vcpu->sh->head, vcpu->sh->head + 1, __ATOMIC_RELEASE);
}

static enum outcome hc_SET_LINEAR_MAPPING(struct vcpu *vcpu, struct regs *regs)
{
	u32 i, pages = regs->cx, pfn = stack_arg(vcpu, regs, 0);

	/* Only what vmi_init's call already implied is of use. */
	if (regs->ax || (u32)regs->dx - (pfn << 12) != vcpu->sh->direct || pages > 1 << 20)
		return DONE;
	/* Those that are still to be started have it from the ROM: share_page(). */
	rom_of(vcpu)->direct_end = (pfn + pages) << 12;
	for (i = 0; i < vcpu_count(vcpu); i++)
		if (vcpu_nr(vcpu, i)->vmi)
			vcpu_nr(vcpu, i)->sh->direct_end = rom_of(vcpu)->direct_end;
	return DONE;
}

/* GetOpCount: a count, or eight bytes of what it is called. */
static enum outcome hc_GET_OP_COUNT(struct vcpu *vcpu, struct regs *regs)
{
	u32 nr = regs->ax & 0xffff, end = ((u32)regs->ax >> 16) * 8, i;
	const char *name = counter_name(nr);
	u64 n = end ? 0 : counter(vcpu, nr);

	for (i = 0; i < end && name[i]; i++)
		n |= i < end - 8 ? 0 : (u64)name[i] << i % 8 * 8;
	set_edx_eax(regs, n);
	return DONE;
}

/* SpinWait: until any interrupt; SpinKick comes after the change of the byte. */
static enum outcome hc_SPIN_WAIT(struct vcpu *vcpu, struct regs *regs)
{
	u8 byte;

	__atomic_store_n(&vcpu->kicked, false, __ATOMIC_SEQ_CST);
	if (!guest_read(vcpu, regs->ax, &byte, 1) || byte != (u8)regs->dx)
		return DONE;
	return spin_wait(vcpu, regs);
}

/* The calls that are one statement, one question, or what another routine does. */
#define CALL(id, statement) \
static enum outcome hc_##id(struct vcpu *vcpu, struct regs *regs) { statement; return DONE; }
#define TRY(id, good) \
static enum outcome hc_##id(struct vcpu *vcpu, struct regs *regs) { return done_if(good); }
#define PASS(id, routine) \
static enum outcome hc_##id(struct vcpu *vcpu, struct regs *regs) { return routine; }
TRY(WRMSR, guest_wrmsr(vcpu, regs->cx, (u32)regs->ax | regs->dx << 32))
TRY(SET_GDT, load_table(vcpu, regs, regs->ax, false, false))
TRY(SET_IDT, load_table(vcpu, regs, regs->ax, true, false))
TRY(SET_LDT, load_guest_ldt(vcpu, regs->ax))
TRY(SET_TR, set_tr(vcpu, regs->ax))
TRY(GET_GDT, guest_write(vcpu, regs->ax, &vcpu->gdt, sizeof(vcpu->gdt)))
TRY(GET_IDT, guest_write(vcpu, regs->ax, &vcpu->idt, sizeof(vcpu->idt)))
TRY(WRITE_GDT_ENTRY, write_entry(vcpu, regs, VMI_OP_WRITE_GDT_ENTRY))
TRY(WRITE_LDT_ENTRY, write_entry(vcpu, regs, VMI_OP_WRITE_LDT_ENTRY))
TRY(WRITE_IDT_ENTRY, write_entry(vcpu, regs, VMI_OP_WRITE_IDT_ENTRY))
CALL(GET_LDT, regs->ax = vcpu->ldt)
CALL(GET_TR, regs->ax = vcpu->tr)
PASS(SET_CR0, set_cr0(vcpu, regs->ax))
TRY(SET_CR3, set_cr3(vcpu, regs->ax))
TRY(SET_CR4, set_cr4(vcpu, regs->ax))
PASS(CLTS, set_cr0(vcpu, vcpu->cr0 & ~CR0_TS))
CALL(WBINVD, host_wbinvd())
CALL(SET_DR, set_dr(vcpu, regs->ax, regs->dx))
CALL(GET_DR, regs->ax = get_dr(vcpu, regs->ax))
TRY(RDPMC, false)
PASS(HALT, guest_halt(vcpu, regs))
CALL(REBOOT, dump_counters())		/* the guest knows how to go on */
CALL(SHUTDOWN, dump_counters())
CALL(UPDATE_PXE, note_entry(vcpu, regs->ax))
CALL(INVAL_PAGE, shadow_inval(vcpu, regs->ax))
CALL(FLUSH_TLB, shadow_flush(vcpu, regs->ax & VMI_FLUSH_GLOBAL))
/* The ring says what changed: only the TLB wants to know of pages. */
CALL(FLUSH_RANGE, shadow_flush_range(vcpu, regs->ax, regs->dx))
CALL(APIC_WRITE, guest_apic_write(vcpu, regs->ax & 0xff0, regs->dx))
CALL(APIC_READ, regs->ax = guest_apic_read(vcpu, regs->ax & 0xff0))
CALL(SET_INITIAL_AP_STATE, set_ap_state(vcpu, regs->ax, regs->dx))
CALL(SPIN_KICK, smp_kick(vcpu, regs->ax))
CALL(FLUSH_LATER, regs->ax = flush_later(vcpu, regs->ax))
CALL(SET_IOPL_MASK, vcpu->iopl = regs->ax & FLAG_IOPL)
PASS(enable, deliver_held(vcpu, regs))
CALL(nothing, (void)0)

/* FAULT: the site is to fault. */
static enum outcome (* const calls[HC_SLOTS])(struct vcpu *vcpu, struct regs *regs) = {
#define ROW(id)	[VMI_OP_##id] = hc_##id,
	TRAPPING_OPS(ROW)
	HOST_OPS(ROW)
	[HC_INIT] = hc_init,
	[HC_ENABLE] = hc_enable,
	[HC_IRET] = hc_iret,
	[HC_BY_INT] = hc_nothing,
	[HC_BY_CALL] = hc_nothing,
	[HC_CHOOSE] = hc_choose,
	[HC_FILL] = hc_fill,
};

/**
 * hypercall - INT or far call from ring 1: only the ROM's slots are meant to have it
 * @vcpu: the virtual CPU
 * @regs: its registers
 */
enum outcome hypercall(struct vcpu *vcpu, struct regs *regs)
{
	u32 insn = insn_of(regs);
	u32 off = insn - rom_of(vcpu)->linear - ROM_slots, nr = off / SLOT;
	bool known = (regs->cs & 3) == 1 && !(off % SLOT) && nr < HC_SLOTS && calls[nr];
	enum outcome done;

	/*
	 * Before vmi_init the ROM's place is not known: by the physical address.  A
	 * kernel that had paging off for a while calls on as before.
	 */
	if (!vcpu->vmi && rom_is_at(vcpu, insn - ROM_slots - SLOT * HC_INIT)) {
		nr = HC_INIT;
		known = true;
	} else if (!vcpu->vmi) {
		known = known && rom_of(vcpu)->linear && rom_is_at(vcpu, rom_of(vcpu)->linear);
		vcpu->vmi = known;
		if (known)
			share_page(vcpu);
	}
	if (!known) {
		regs->ip = insn;
		return deliver(vcpu, regs, X_GP, true,
			       regs->err ? MON_GATE & ~7 : HYPERCALL_VECTOR * 8 + 2, false);
	}
	note_call(vcpu, nr, regs->ip, regs->ax, regs->dx, regs->cx);
	done = calls[nr](vcpu, regs);
	/* Where its host has to bring a page first, it is no fault: the call comes again. */
	if (done == FAULT && !host_must_act(vcpu))
		done = fault_at_site(vcpu, regs);
	/* One that came at call_gate, before interrupts were closed. */
	if (done == DONE && vcpu->sh->vif && vcpu->sh->pending)
		return deliver_held(vcpu, regs);
	return done;
}
