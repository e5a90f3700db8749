// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's registers.  KVM's emulator and QEMU see a processor whose kernel is in
 * ring 0; the core sees ring 1, and the tables that the processor has.
 */
#include "ring1.h"
#include "kvm/x86.h"
#include "kvm/kvm_cache_regs.h"
#include "kvm/mmu.h"
#include "kvm/smm.h"

bool cpu_has_nx = true;		/* without it we are not loaded */

#define D_DPL(d)	((d) >> 45 & 3)

static u32 rpl_of(struct vcpu_vmi *vmi)
{
	return vmi->seg[VCPU_SREG_SS].dpl == 3 ? 3 : 1;
}

/* Does the processor's descriptor say what KVM has of the segment? */
static bool segment_loaded(struct vcpu_vmi *vmi, int seg)
{
	struct kvm_segment *s = &vmi->seg[seg];
	u64 *d;

	if (s->selector < 4)
		return seg != VCPU_SREG_CS && seg != VCPU_SREG_SS &&
		       (s->unusable || !s->present);
	d = real_desc(&vmi->ring1, s->selector);
	return d && s->present && !s->unusable && s->s && (*d >> 44 & 1) && (*d >> 47 & 1) &&
	       desc_base(*d) == (u32)s->base && desc_limit(*d) == s->limit &&
	       ((*d >> 40 ^ s->type) & 14) == 0 && (*d >> 54 & 1) == s->db;
}

/* The segment that a load of @sel in ring 1 or 3 made. */
static void segment_from_real(struct vcpu_vmi *vmi, int seg, u16 sel)
{
	struct kvm_segment *s = &vmi->seg[seg];
	u64 *d = sel < 4 ? NULL : real_desc(&vmi->ring1, sel);

	memset(s, 0, sizeof(*s));
	s->selector = sel;
	if (!d) {
		s->unusable = 1;
		return;
	}
	s->base = desc_base(*d);
	s->limit = desc_limit(*d);
	s->type = *d >> 40 & 15;
	s->s = 1;
	s->dpl = D_DPL(*d) == 1 ? 0 : D_DPL(*d);
	s->present = *d >> 47 & 1;
	s->db = *d >> 54 & 1;
	s->g = *d >> 55 & 1;
}

/**
 * can_run - can the guest run as it is, in ring 1 or 3?
 * @vmi: the virtual CPU
 *
 * Not a kernel with 16-bit code or stack, or a segment that no descriptor gives.
 *
 * Context: any.
 */
bool can_run(struct vcpu_vmi *vmi)
{
	bool user = rpl_of(vmi) == 3;
	int seg;

	if (!is_protmode(&vmi->vcpu) || (vmi->rflags & X86_EFLAGS_VM) || vmi->shadow ||
	    vmi->tables_dirty ||
	    (!user && !(vmi->seg[VCPU_SREG_SS].db && vmi->seg[VCPU_SREG_CS].db)))
		return false;
	for (seg = VCPU_SREG_ES; seg <= VCPU_SREG_GS; seg++)
		if (!segment_loaded(vmi, seg))
			return false;
	return true;
}

/**
 * unfit - can the guest go on at all, with the registers that QEMU set?
 * @vmi: the virtual CPU
 *
 * What KVM takes though ring 1 cannot be so; to run it would be to run something else.
 * EFER's bits but SCE and NX KVM itself refuses, since it was told of no others.
 *
 * Context: any.
 * Return: NULL, or why not.
 */
const char *unfit(struct vcpu_vmi *vmi)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;

	if (vcpu->arch.cr3 >> 32)
		return "CR3 is above 4 GiB";
	if (vcpu->arch.regs[VCPU_REGS_RIP] >> 32)
		return "EIP is above 4 GiB";
	if (is_smm(vcpu))
		return "it is in system management mode";
	return NULL;
}

/**
 * sync_tables - copy the guest's GDT and LDT for the processor
 * @vmi: the virtual CPU
 *
 * Context: may sleep.
 */
bool sync_tables(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;
	struct regs none = { };

	vmi->tables_dirty = false;
	if (!load_guest_gdt(v, &none, v->gdt.base, v->gdt.limit))
		return false;
	return load_guest_ldt(v, vmi->seg[VCPU_SREG_LDTR].unusable ? 0 :
			      vmi->seg[VCPU_SREG_LDTR].selector);
}

/**
 * regs_from_kvm - the registers as the core wants them
 * @vmi: the virtual CPU
 *
 * Context: any.
 */
struct regs *regs_from_kvm(struct vcpu_vmi *vmi)
{
	struct regs *regs = &vmi->window->regs;
	struct vcpu *v = &vmi->ring1;
	unsigned long *k = vmi->vcpu.arch.regs;
	u32 rpl = rpl_of(vmi);

	regs->ax = (u32)k[VCPU_REGS_RAX];
	regs->bx = (u32)k[VCPU_REGS_RBX];
	regs->cx = (u32)k[VCPU_REGS_RCX];
	regs->dx = (u32)k[VCPU_REGS_RDX];
	regs->si = (u32)k[VCPU_REGS_RSI];
	regs->di = (u32)k[VCPU_REGS_RDI];
	regs->bp = (u32)k[VCPU_REGS_RBP];
	regs->sp = (u32)k[VCPU_REGS_RSP];
	regs->ip = (u32)k[VCPU_REGS_RIP];
	regs->cs = (vmi->seg[VCPU_SREG_CS].selector & ~3) | rpl;
	regs->ss = (vmi->seg[VCPU_SREG_SS].selector & ~3) | rpl;
	regs->flags = (vmi->rflags & (0xcd5 | FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | BIT(21))) |
		   FLAG_IF | 2;
	v->sh->vif = vmi->rflags & FLAG_IF;
	v->iopl = vmi->rflags & FLAG_IOPL;
	v->sh->cr0 = v->cr0;
	v->sh->cr2 = vmi->vcpu.arch.cr2;
	v->cr3 = vmi->vcpu.arch.cr3;
	v->sh->cr3 = v->cr3;
	v->sh->cr4 = v->cr4;
	v->tr = vmi->seg[VCPU_SREG_TR].selector;
	return regs;
}

/**
 * regs_for_event - the same, for what may end in deliver(): KVM may sleep
 * @vmi: the virtual CPU
 *
 * Before vmi_init the kernel's stack is what the guest's TSS says at the time.  Frames
 * that are pushed do not show a debugger's TF.
 *
 * Context: may sleep.
 */
struct regs *regs_for_event(struct vcpu_vmi *vmi)
{
	struct regs *regs = regs_from_kvm(vmi);
	struct vcpu *v = &vmi->ring1;
	u32 sp_ss[2];

	if (stepping(vmi))
		regs->flags &= ~(u64)FLAG_TF;
	if (!v->vmi && (regs->cs & 3) == 3 &&
	    guest_read(v, (u32)vmi->seg[VCPU_SREG_TR].base + 4, sp_ss, 8)) {
		v->sh->esp0 = sp_ss[0];
		v->sh->ss0 = (sp_ss[1] & 0xffff) | 1;
	}
	return regs;
}

/* What the core, or the guest itself, did to them. */
void regs_to_kvm(struct vcpu_vmi *vmi)
{
	struct regs *regs = &vmi->window->regs;
	struct vcpu *v = &vmi->ring1;
	unsigned long *k = vmi->vcpu.arch.regs;
	u32 user = (regs->cs & 3) == 3;
	u16 cs = user ? regs->cs : regs->cs & ~3, ss = user ? regs->ss : regs->ss & ~3;

	k[VCPU_REGS_RAX] = (u32)regs->ax;
	k[VCPU_REGS_RBX] = (u32)regs->bx;
	k[VCPU_REGS_RCX] = (u32)regs->cx;
	k[VCPU_REGS_RDX] = (u32)regs->dx;
	k[VCPU_REGS_RSI] = (u32)regs->si;
	k[VCPU_REGS_RDI] = (u32)regs->di;
	k[VCPU_REGS_RBP] = (u32)regs->bp;
	k[VCPU_REGS_RSP] = (u32)regs->sp;
	k[VCPU_REGS_RIP] = (u32)regs->ip;
	vmi->rflags = (regs->flags & ~(FLAG_IF | FLAG_IOPL)) | (v->sh->vif & FLAG_IF) |
		      (v->iopl & FLAG_IOPL);
	vmi->vcpu.arch.cr2 = v->sh->cr2;
	if (vmi->seg[VCPU_SREG_CS].selector != cs)
		segment_from_real(vmi, VCPU_SREG_CS, cs);
	if (vmi->seg[VCPU_SREG_SS].selector != ss || rpl_of(vmi) != (regs->cs & 3))
		segment_from_real(vmi, VCPU_SREG_SS, ss);
	vmi->seg[VCPU_SREG_SS].dpl = user ? 3 : 0;
}

/* The data segments, which the guest loads without a trap. */
u16 get_sreg(struct vcpu *v, struct regs *regs, u32 n)
{
	struct vcpu_vmi *vmi = to_vmi(v);

	if (n == VCPU_SREG_CS)
		return regs->cs;
	return n == VCPU_SREG_SS ? regs->ss : vmi->seg[n & 7].selector;
}

/* Each entry loads them anew: the tables may have changed since KVM saw them. */
void data_segments_to_kvm(struct vcpu_vmi *vmi)
{
	static const int segs[] = { VCPU_SREG_DS, VCPU_SREG_ES, VCPU_SREG_FS, VCPU_SREG_GS };
	int i;

	for (i = 0; i < ARRAY_SIZE(segs); i++)
		segment_from_real(vmi, segs[i], vmi->window->guest_seg[i]);
}

/* KVM's operations. */

static void init_segment(struct kvm_segment *s, u16 sel, u64 base, u8 type, u8 code_or_data)
{
	*s = (struct kvm_segment){ .base = base, .limit = 0xffff, .selector = sel,
		.type = type, .present = 1, .s = code_or_data };
}

void vmi_vcpu_reset(struct kvm_vcpu *vcpu, bool init_event)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);
	struct vcpu *v = &vmi->ring1;
	int seg;

	for (seg = VCPU_SREG_ES; seg <= VCPU_SREG_GS; seg++)
		init_segment(&vmi->seg[seg], 0, 0, 3, 1);
	init_segment(&vmi->seg[VCPU_SREG_CS], 0xf000, 0xffff0000, 11, 1);
	init_segment(&vmi->seg[VCPU_SREG_TR], 0, 0, 11, 0);
	init_segment(&vmi->seg[VCPU_SREG_LDTR], 0, 0, 2, 0);
	v->idt = (struct table_reg){ 0xffff, 0 };
	v->gdt = v->idt;
	v->tr = 0;
	v->nmi_blocked = false;
	v->vmi = false;
	v->sh = (struct shared *)((u8 *)v->vmi_page + SH_PAGES * PAGE);
	memset(v->sh, 0, PAGE);
	v->sh->ss0 = 1;			/* never what fast_ss is when nothing is known */
	vmi->registers_set |= !init_event;
	vmi->rflags = 2;
	if (!boot_cpu_has(X86_FEATURE_CPUID_FAULT))
		vcpu->arch.msr_platform_info &= ~MSR_PLATFORM_INFO_CPUID_FAULT;
	vmi->shadow = 0;
	vmi->irq_window = false;
	vmi->nmi_window = false;
	vmi->halt = false;
	vmi->refused = NULL;
	vmi->spinning = false;
	vmi->bad_start = false;
	vmi->tables_dirty = true;
	vcpu->arch.regs_avail = ~0;
	vcpu->arch.regs_dirty = 0;
	vcpu->arch.cr0_guest_owned_bits = 0;
	vcpu->arch.cr4_guest_owned_bits = 0;
}

u64 vmi_get_segment_base(struct kvm_vcpu *vcpu, int seg)
{
	return vcpu_to_vmi(vcpu)->seg[seg].base;
}

void vmi_get_segment(struct kvm_vcpu *vcpu, struct kvm_segment *s, int seg)
{
	*s = vcpu_to_vmi(vcpu)->seg[seg];
}

void vmi_set_segment(struct kvm_vcpu *vcpu, struct kvm_segment *s, int seg)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	if (seg == VCPU_SREG_LDTR && vmi->seg[seg].selector != s->selector)
		vmi->tables_dirty = true;
	vmi->seg[seg] = *s;
}

int vmi_get_cpl(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	if (!is_protmode(vcpu))
		return 0;
	return vmi->rflags & X86_EFLAGS_VM ? 3 : vmi->seg[VCPU_SREG_SS].dpl;
}

static void get_table(struct table_reg *t, struct desc_ptr *d)
{
	d->size = t->limit;
	d->address = t->base;
}

void vmi_get_idt(struct kvm_vcpu *vcpu, struct desc_ptr *d)
{
	get_table(&vcpu_to_vmi(vcpu)->ring1.idt, d);
}

void vmi_get_gdt(struct kvm_vcpu *vcpu, struct desc_ptr *d)
{
	get_table(&vcpu_to_vmi(vcpu)->ring1.gdt, d);
}

/**
 * note_idt - the guest has loaded an IDT
 * @vmi: the virtual CPU
 *
 * Without UMIP, SIDT shows it the window's.  If it loads that one it wants back what it
 * had before: so does GRUB whenever it goes to real mode and comes from there.
 *
 * Context: any.
 */
void note_idt(struct vcpu_vmi *vmi)
{
	struct table_reg *idt = &vmi->ring1.idt, *was = vmi->idt_was;
	struct desc_ptr *own = &vmi->window->guest_idt;

	if (idt->base == (u32)own->address && idt->limit == own->size)
		*idt = was[1];
	if (idt->base == was[0].base && idt->limit == was[0].limit)
		return;
	was[1] = was[0];
	was[0] = *idt;
}

void vmi_set_idt(struct kvm_vcpu *vcpu, struct desc_ptr *d)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	vmi->ring1.idt = (struct table_reg){ d->size, d->address };
	vmi->ring1.fast_ss = 0;
	note_idt(vmi);
	/* KVM_SET_SREGS: not the guest, which runs. */
	if (!vcpu->wants_to_run)
		vmi->registers_set = true;
}

void vmi_set_gdt(struct kvm_vcpu *vcpu, struct desc_ptr *d)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	vmi->ring1.gdt = (struct table_reg){ d->size, d->address };
	vmi->tables_dirty = true;
}

unsigned long vmi_get_rflags(struct kvm_vcpu *vcpu)
{
	return vcpu_to_vmi(vcpu)->rflags;
}

void vmi_set_rflags(struct kvm_vcpu *vcpu, unsigned long rflags)
{
	vcpu_to_vmi(vcpu)->rflags = rflags;
}

void vmi_set_cr0(struct kvm_vcpu *vcpu, unsigned long cr0)
{
	struct vcpu *v = &vcpu_to_vmi(vcpu)->ring1;

	vcpu->arch.cr0 = cr0;
	v->cr0 = cr0 | CR0_ET;
	/* kexec, reset: the next kernel is not patched, and says nothing of its page tables. */
	if (!(cr0 & CR0_PG))
		v->vmi = false;
}

void vmi_set_cr4(struct kvm_vcpu *vcpu, unsigned long cr4)
{
	vcpu->arch.cr4 = cr4;
	vcpu_to_vmi(vcpu)->ring1.cr4 = cr4;
}

int vmi_set_efer(struct kvm_vcpu *vcpu, u64 efer)
{
	struct vcpu *v = &vcpu_to_vmi(vcpu)->ring1;

	if ((vcpu->arch.efer ^ efer) & EFER_NX)
		kvm_make_request(KVM_REQ_TLB_FLUSH_GUEST, vcpu);
	vcpu->arch.efer = efer;
	set_efer(v, efer);
	return 0;
}

void vmi_after_set_cpuid(struct kvm_vcpu *vcpu)
{
	struct vcpu *v = &vcpu_to_vmi(vcpu)->ring1;

	set_efer(v, v->efer);		/* whose reserved bits depend on it */
}

int vmi_get_msr(struct kvm_vcpu *vcpu, struct msr_data *msr)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	switch (msr->index) {
	case MSR_IA32_SYSENTER_CS ... MSR_IA32_SYSENTER_EIP:
		msr->data = vmi->ring1.sysenter[msr->index - MSR_IA32_SYSENTER_CS];
		return 0;
	case MSR_STAR:
		msr->data = vmi->star;
		return 0;
	case MSR_TSC_AUX:
		msr->data = vmi->tsc_aux;
		return 0;
	case MSR_VM_HSAVE_PA:
		if (!msr->host_initiated)
			return 1;
		break;
	}
	return kvm_get_msr_common(vcpu, msr);
}

int vmi_set_msr(struct kvm_vcpu *vcpu, struct msr_data *msr)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	switch (msr->index) {
	case MSR_IA32_SYSENTER_CS ... MSR_IA32_SYSENTER_EIP:
		vmi->ring1.sysenter[msr->index - MSR_IA32_SYSENTER_CS] = msr->data;
		return 0;
	case MSR_STAR:
		vmi->star = msr->data;
		return 0;
	case MSR_TSC_AUX:
		vmi->tsc_aux = msr->data;
		return 0;
	case MSR_EFER:
		if (!msr->host_initiated && (msr->data & EFER_LME) && !is_paging(vcpu) &&
		    !vmi->ring1.vmi)
			vmi->refused = "a 64-bit kernel";
		break;
	case MSR_IA32_TSC:	/* as it is, but for who was elsewhere: write_tsc_offset() */
		if (!msr->host_initiated)
			return 0;
		if (msr->data)
			to_kvm_vmi(&vmi->ring1)->tsc_brought = true;
		break;
	case MSR_VM_HSAVE_PA:	/* QEMU has a value for it; the guest has no SVM */
		return !msr->host_initiated;
	case 0x200 ... 0x20f:
		/* Firmware took the width of addresses from the host's CPUID. */
		msr->data &= (1ULL << cpuid_maxphyaddr(vcpu)) - 1;
		break;
	}
	return kvm_set_msr_common(vcpu, msr);
}

/* The guest's own, by a call or by an instruction that the core emulates. */

enum outcome set_cr0(struct vcpu *v, u32 val)
{
	struct vcpu_vmi *vmi = to_vmi(v);

	if (vmi->irqs_off) {
		if ((val ^ v->cr0) & ~(u32)CR0_TS)
			vmi->nested.pending = true;	/* again, by KVM */
		else
			vmi_set_cr0(&vmi->vcpu, val);
		v->sh->cr0 = v->cr0;
		return DONE;
	}
	return done_if(!kvm_set_cr0(&to_vmi(v)->vcpu, val));
}

/* The pointers of a PAE table, which kvm_set_cr3() would read where it may sleep. */
static bool pdptes_at_hand(struct vcpu *v, u32 cr3)
{
	struct kvm_vcpu *vcpu = &to_vmi(v)->vcpu;
	u64 reserved = vcpu->arch.reserved_gpa_bits | 0x1e6, pdpte[4];
	u8 *table = guest_table(v, cr3 & ~0xfffu);
	int i;

	if (!table)
		return false;
	memcpy(pdpte, table + (cr3 & 0xfe0), sizeof(pdpte));
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & PTE_P) && (pdpte[i] & reserved))
			return false;
	memcpy(vcpu->arch.walk_mmu->pdptrs, pdpte, sizeof(pdpte));
	return true;
}

/* The ring of changes says what the shadows must forget: KVM need not flush all. */
/* false: an entry of a PAE table has a reserved bit. */
bool set_cr3(struct vcpu *v, u32 val)
{
	struct kvm_vcpu *vcpu = &to_vmi(v)->vcpu;
	bool flush = kvm_test_request(KVM_REQ_TLB_FLUSH_CURRENT, vcpu);

	if (!to_vmi(v)->irqs_off) {
		if (kvm_set_cr3(vcpu, val))
			return false;
		if (v->vmi && !flush)
			kvm_clear_request(KVM_REQ_TLB_FLUSH_CURRENT, vcpu);
	} else if (!is_pae_paging(vcpu) || pdptes_at_hand(v, val)) {
		vcpu->arch.cr3 = val;
	} else {
		to_vmi(v)->nested.pending = true;	/* again, by KVM */
		return true;
	}
	v->cr3 = vcpu->arch.cr3;
	v->sh->cr3 = v->cr3;
	to_vmi(v)->paging_cr3 = v->cr3;
	shadow_flush(v, false);
	return true;
}

bool set_cr4(struct vcpu *v, u32 val)
{
	return !kvm_set_cr4(&to_vmi(v)->vcpu, val);
}

enum outcome hc_GET_TSC_FREQUENCY(struct vcpu *v, struct regs *regs)
{
	set_edx_eax(regs, to_vmi(v)->vcpu.arch.virtual_tsc_khz * 1000ULL);
	return DONE;
}

/* ns that this CPU waited for a processor of the host's.  Each thread has its own account. */
static u64 stolen_ns(struct vcpu_vmi *vmi)
{
	u64 waited = current->sched_info.run_delay;

	if (vmi->waiter == current->start_time)
		vmi->stolen += waited - vmi->waited;
	vmi->waiter = current->start_time;
	vmi->waited = waited;
	return vmi->stolen;
}

/* In pieces: mul_u64_u32_div() faults where the result does not fit, and QEMU may say any. */
static u64 cycles_of(u64 ns, u64 khz)
{
	return ns / USEC_PER_SEC * khz + ns % USEC_PER_SEC * khz / USEC_PER_SEC;
}

/* GetCycleCounter: a cycle is one of the TSC's. */
enum outcome hc_GET_CYCLE_COUNTER(struct vcpu *v, struct regs *regs)
{
	struct vcpu_vmi *vmi = to_vmi(v);
	u64 stolen = cycles_of(stolen_ns(vmi), vmi->vcpu.arch.virtual_tsc_khz);

	switch ((u32)regs->ax) {
	case VMI_CYCLES_STOLEN:
		set_edx_eax(regs, stolen);
		break;
	case VMI_CYCLES_AVAILABLE:
		set_edx_eax(regs, kvm_read_l1_tsc(&vmi->vcpu, rdtsc()) - stolen);
		break;
	default:
		set_edx_eax(regs, kvm_read_l1_tsc(&vmi->vcpu, rdtsc()));
	}
	return DONE;
}

bool load_efer(struct vcpu *v, u64 val)
{
	return !kvm_set_msr(&to_vmi(v)->vcpu, MSR_EFER, val);
}

void set_dr(struct vcpu *v, u32 n, u32 val)
{
	kvm_set_dr(&to_vmi(v)->vcpu, n, val);
}

u32 get_dr(struct vcpu *v, u32 n)
{
	return kvm_get_dr(&to_vmi(v)->vcpu, n);
}

/* Calls are exit.c's; instructions KVM's emulator's, which asks its filter, and QEMU. */
bool guest_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	return false;
}

bool guest_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	return false;
}

/* The same. */
bool write_xcr_safe(u32 nr, u64 val)
{
	return false;
}

void raise_dr6(struct vcpu *v, u32 bits)
{
	to_vmi(v)->vcpu.arch.dr6 |= bits;
}
