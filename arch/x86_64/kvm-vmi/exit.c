// SPDX-License-Identifier: GPL-2.0-only
/* What ended the run: the core's business, KVM's, or the end of the guest. */
#include <linux/entry-kvm.h>
#include "ring1.h"
#include "kvm/x86.h"
#include "kvm/mmu.h"
#include "kvm/cpuid.h"
#include "kvm/kvm_cache_regs.h"
#include "romlabels.h"

#define EMULATE_AT_ONCE	128	/* instructions, before KVM looks around */

/* To QEMU's debugger. */
static int debug_exit(struct vcpu_vmi *vmi, u32 vec, u64 dr6)
{
	struct kvm_run *run = vmi->vcpu.run;

	run->exit_reason = KVM_EXIT_DEBUG;
	run->debug.arch.exception = vec;
	run->debug.arch.pc = kvm_get_linear_rip(&vmi->vcpu);
	run->debug.arch.dr6 = dr6 | DR6_ACTIVE_LOW;
	run->debug.arch.dr7 = vmi->dr7;
	return 0;
}

/* KVM's emulator has done an instruction.  0: to QEMU. */
static int emulated(struct vcpu_vmi *vmi, int ret)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;

	if (!ret) {
		if (vcpu->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
			return vmi_stop(vmi, "an instruction that KVM cannot emulate");
		return 0;
	}
	if (vmi->refused)
		return vmi_stop(vmi, vmi->refused);
	if (vcpu->arch.halt_request) {
		vcpu->arch.halt_request = 0;
		if (vmi_gave_up(vmi))
			return vmi_stop(vmi, vmi->refused);
		return kvm_emulate_halt_noskip(vcpu);
	}
	return 1;
}

/* TR and LDTR as the core has them. */
void system_segments_to_kvm(struct vcpu_vmi *vmi)
{
	struct kvm_segment *tr = &vmi->seg[VCPU_SREG_TR], *ldt = &vmi->seg[VCPU_SREG_LDTR];
	struct vcpu *v = &vmi->ring1;
	u64 d = 0;

	if (v->tr != tr->selector) {
		guest_read(v, v->gdt.base + (v->tr & ~7), &d, 8);
		*tr = (struct kvm_segment){ .selector = v->tr, .base = desc_base(d),
			.limit = desc_limit(d), .type = 11, .present = 1 };
	}
	*ldt = (struct kvm_segment){ .selector = v->ldt, .base = v->ldt_base,
		.limit = v->ldt_copied ? v->ldt_copied * 8 - 1 : 0, .type = 2,
		.present = v->ldt != 0, .unusable = !v->ldt };
}

/* The core did something: what became of it.  To a debugger it was a step. */
static int finish(struct vcpu_vmi *vmi, enum outcome done)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;
	struct vcpu *v = &vmi->ring1;
	int ret = 1;

	if (done == STOP)
		return vmi_stop(vmi, v->stop);
	regs_to_kvm(vmi);
	system_segments_to_kvm(vmi);
	note_idt(vmi);
	vmi->irq_window = false;
	vmi->nmi_window = false;
	kvm_make_request(KVM_REQ_EVENT, vcpu);
	if (vmi->halt) {
		vmi->halt = false;
		if (vmi_gave_up(vmi))
			return vmi_stop(vmi, vmi->refused);
		vcpu_rests(v);
		ret = kvm_emulate_halt_noskip(vcpu);
	}
	return stepping(vmi) ? debug_exit(vmi, X_DB, DR6_BS) : ret;
}

static int deliver_now(struct vcpu_vmi *vmi, u32 vec, bool has_err, u32 err, bool soft)
{
	struct regs *regs = regs_for_event(vmi);

	return finish(vmi, deliver(&vmi->ring1, regs, vec, has_err, err, soft));
}

/* INT, IRET, loads of SS: ring 1's own; else KVM's emulator has it. */
static int emulate_one(struct vcpu_vmi *vmi)
{
	struct regs *regs = regs_for_event(vmi);
	enum outcome done = general_protection(&vmi->ring1, regs);

	if (done != FAULT)
		return finish(vmi, done);
	return emulated(vmi, kvm_emulate_instruction(&vmi->vcpu, 0));
}

static int call(struct vcpu_vmi *vmi);

static int software_interrupt(struct vcpu_vmi *vmi, u32 vec, u32 len)
{
	kvm_rip_write(&vmi->vcpu, kvm_rip_read(&vmi->vcpu) + len);
	/* The ROM's, while a segment register has what the tables no longer say. */
	if (vec == HYPERCALL_VECTOR && vmi_get_cpl(&vmi->vcpu) == 0)
		return call(vmi);
	return deliver_now(vmi, vec, false, 0, true);
}

bool at_int3(struct vcpu_vmi *vmi)
{
	u8 code = 0;

	return guest_read(&vmi->ring1, kvm_get_linear_rip(&vmi->vcpu), &code, 1) &&
	       code == INT3_INSN_OPCODE;
}

static bool debugger_wants_int3(struct vcpu_vmi *vmi)
{
	return (vmi->vcpu.guest_debug & KVM_GUESTDBG_USE_SW_BP) && at_int3(vmi);
}

/* INT3; QEMU gives it back if it is the guest's own: vmi_inject_exception(). */
static int breakpoint(struct vcpu_vmi *vmi)
{
	if (debugger_wants_int3(vmi))
		return debug_exit(vmi, X_BP, 0);
	return software_interrupt(vmi, X_BP, 1);
}

/* Where it does not run: KVM's emulator has no INT and IRET of protected mode. */
static int emulate_next(struct vcpu_vmi *vmi)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;
	u8 code[2] = { 0, 0 };

	if (is_protmode(vcpu))
		guest_read(&vmi->ring1, kvm_get_linear_rip(vcpu), code, 2);
	else if (debugger_wants_int3(vmi))
		return breakpoint(vmi);
	if (code[0] == INT3_INSN_OPCODE)
		return breakpoint(vmi);
	if (code[0] == 0xcd)
		return software_interrupt(vmi, code[1], 2);
	if (code[0] == 0xcf && vmi->seg[VCPU_SREG_CS].db)
		return emulate_one(vmi);
	return emulated(vmi, kvm_emulate_instruction(vcpu, 0));
}

/* Real mode and what else ring 1 cannot run, until it can. */
static int emulate_many(struct vcpu_vmi *vmi)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;
	int n, ret;

	for (n = 0; n < EMULATE_AT_ONCE; n++) {
		vmi->shadow = 0;
		ret = emulate_next(vmi);
		if (ret <= 0 || vcpu->arch.mp_state != KVM_MP_STATE_RUNNABLE)
			return ret;
		if (vmi->irq_window && vmi_interrupt_allowed(vcpu, false)) {
			vmi->irq_window = false;
			kvm_make_request(KVM_REQ_EVENT, vcpu);
		}
		if (kvm_test_request(KVM_REQ_EVENT, vcpu) || __xfer_to_guest_mode_work_pending())
			return 1;
		if (!is_protmode(vcpu))
			continue;
		if (vmi->tables_dirty)
			sync_tables(vmi);
		if (can_run(vmi))
			return 1;
	}
	return 1;
}

/* The guest wrote a descriptor, and loads it: copy the table first. */
static int cannot_run(struct vcpu_vmi *vmi)
{
	if (vmi->vcpu.arch.efer & EFER_LME)
		return vmi_stop(vmi, "a 64-bit kernel");
	if (is_protmode(&vmi->vcpu)) {
		sync_tables(vmi);
		if (can_run(vmi))
			return 1;
	}
	return emulate_many(vmi);
}

static bool is_call(struct vcpu *v, struct regs *regs, enum vmi_op op)
{
	return v->vmi && (regs->cs & 3) == 1 &&
	       (u32)regs->ip == rom_of(v)->linear + ROM_slots + SLOT * op + 2;
}

static int call(struct vcpu_vmi *vmi)
{
	struct regs *regs = regs_for_event(vmi);
	struct vcpu *v = &vmi->ring1;

	/* rom.c led it here. */
	if (is_call(v, regs, VMI_OP_CPUID))
		return finish(vmi, done_if(guest_cpuid(v, regs)));
	/* KVM asks its filter, and perhaps QEMU; then comes vmi_complete_msr(). */
	if (is_call(v, regs, VMI_OP_RDMSR)) {
		v->hypercalls[VMI_OP_RDMSR]++;
		return kvm_emulate_rdmsr(&vmi->vcpu);
	}
	if (is_call(v, regs, VMI_OP_WRMSR)) {
		v->hypercalls[VMI_OP_WRMSR]++;
		return kvm_emulate_wrmsr(&vmi->vcpu);
	}
	if (!v->vmi && rom_is_foreign(v, regs->ip))
		return vmi_stop(vmi, OTHER_VERSION);
	regs->err = 0;
	vmi->nested.pending = false;		/* of an attempt before */
	return finish(vmi, hypercall(v, regs));
}

/* RDMSR or WRMSR by a call, whose site faults if there is no such register. */
int vmi_complete_msr(struct kvm_vcpu *vcpu, int err)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	return err ? finish(vmi, fault_at_site(&vmi->ring1, regs_for_event(vmi))) : 1;
}

static int trap(struct vcpu_vmi *vmi)
{
	u32 vec = vmi->window->regs.vec, err = vmi->window->regs.err;
	struct kvm_vcpu *vcpu = &vmi->vcpu;

	switch (vec) {
	case HYPERCALL_VECTOR:
		return call(vmi);
	case X_BP:		/* or INT 3, of two bytes */
		kvm_rip_write(vcpu, kvm_rip_read(vcpu) - 1);
		return breakpoint(vmi);
	case 0x80:
	case X_OF:
		return deliver_now(vmi, vec, false, 0, true);
	case X_PF:		/* an operand across 4 GiB */
		return deliver_now(vmi, X_GP, true, 0, false);
	case X_DB:
		if (vcpu->guest_debug & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP))
			return debug_exit(vmi, X_DB, vmi->window->dr6);
		kvm_queue_exception_p(vcpu, X_DB, vmi->window->dr6);
		return 1;
	case X_GP:
		return emulate_one(vmi);
	case X_DF:
		return vmi_stop(vmi, "double fault");
	case X_TS:
	case X_NP:
	case X_SS:
		/* A descriptor that was written after LGDT. */
		vmi->tables_dirty = true;
		return emulate_one(vmi);
	case X_AC:
		return deliver_now(vmi, vec, true, err, false);
	default:
		return deliver_now(vmi, vec, false, 0, false);
	}
}

static int guest_page_fault(struct vcpu_vmi *vmi)
{
	vmi->vcpu.arch.cr2 = vmi->exit_cr2;
	return deliver_now(vmi, X_PF, true, vmi->exit_pfec, false);
}

static int handle_exit(struct vcpu_vmi *vmi)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;
	enum exit exit = vmi->exit;

	vmi->exit = EXIT_NONE;
	pool_balance(vmi);
	if (vmi->irq_window && vmi_interrupt_allowed(vcpu, false)) {
		vmi->irq_window = false;
		kvm_make_request(KVM_REQ_EVENT, vcpu);
	}
	switch (exit) {
	case EXIT_EMULATE:
		return cannot_run(vmi);
	case EXIT_TRAP:
		return trap(vmi);
	case EXIT_STOP:
		return vmi_stop(vmi, vmi->ring1.stop);
	case EXIT_PAGE_FAULT:
		return guest_page_fault(vmi);
	case EXIT_NESTED:
		/* KVM would put it where another page is. */
		if (vmi->nested.gpa >> TDP_BITS)
			return vmi_stop(vmi, "an address of more than 48 bits");
		if (vmi->nested.no_ram)
			return vmi_stop(vmi, "what is behind its memory is no RAM");
		return emulated(vmi, kvm_mmu_page_fault(vcpu, vmi->nested.gpa,
							vmi->nested.error, NULL, 0));
	case EXIT_BAD:
		/* Its tables changed behind its back: look again, once. */
		vmi->tables_dirty = true;
		return emulate_many(vmi);
	case EXIT_HOST_WAITS:
		return kvm_handle_page_fault(vcpu, 0, vmi->exit_cr2, NULL, 0);
	case EXIT_LOST:
		return vmi_stop(vmi, "a machine check or breakpoint on its way out");
	default:
		return 1;
	}
}

int vmi_handle_exit(struct kvm_vcpu *vcpu, fastpath_t fastpath)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);
	int ret = handle_exit(vmi);

	save_state(vmi);
	return ret;
}

/* For the core. */

/* KVM knows what the guest has. */
bool guest_cpuid(struct vcpu *v, struct regs *regs)
{
	u32 ax = regs->ax, bx, cx = regs->cx, dx;

	if (cpuid_fault_enabled(&to_vmi(v)->vcpu) && (regs->cs & 3) == 3)
		return false;
	kvm_cpuid(&to_vmi(v)->vcpu, &ax, &bx, &cx, &dx, false);
	regs->ax = ax;
	regs->bx = bx;
	regs->cx = cx;
	regs->dx = dx;
	return true;
}

enum outcome emulate_io(struct vcpu *v, struct regs *regs, struct insn *i)
{
	return FAULT;
}

void close_ports(struct vcpu *v)
{
}

enum outcome guest_halt(struct vcpu *v, struct regs *regs)
{
	v->sh->vif = FLAG_IF;
	to_vmi(v)->halt = true;
	return DONE;
}

enum outcome halt_closed(struct vcpu *v, struct regs *regs)
{
	to_vmi(v)->halt = true;
	return DONE;
}

bool irq_blocked(struct vcpu *v, u32 vec)
{
	return false;
}

void irq_service(struct vcpu *v, u32 vec)
{
}

const char *counter_name(u32 nr)
{
	return "";
}

u64 counter(struct vcpu *v, u32 nr)
{
	u64 n = 0;
	u32 i;

	for (i = 0; nr < HC_SLOTS && i < vcpu_count(v); i++)
		n += vcpu_nr(v, i)->hypercalls[nr];
	return n;
}

void dump_counters(void)
{
}
