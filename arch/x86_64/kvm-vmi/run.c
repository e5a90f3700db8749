// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running the guest: into the window and out of it.  Shadows are filled here, with
 * interrupts off; for all else KVM goes its way to vmi_handle_exit().
 */
#include <linux/context_tracking.h>
#include <linux/entry-kvm.h>
#include <linux/kvm_para.h>
#include <asm/apic.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/hypervisor.h>
#include <asm/mce.h>
#include <asm/tlbflush.h>
#include "ring1.h"
#include "kvm/x86.h"
#include "kvm/trace.h"
#include "romlabels.h"

/* Entries of the TSS's table of stacks that Linux leaves alone. */
#define IST_DB		4	/* in a guest of SEV-ES it has a use: host_can() */
#define IST_TRAPS	5
#define IST_NMI		6

/* A PCID that no address space of Linux has: it numbers them from 1. */
#define GUEST_PCID	0x7f0

static DEFINE_PER_CPU(struct window_cpu *, window_cpu);
static bool faults_stay;	/* C code in the window needs predictors that ring 1 cannot teach */
static gate_desc *guest_idt;
static gate_desc *host_idt;

#define OFFSET(field, number)	static_assert(offsetof(struct window, field) == (number))
OFFSET(regs.di, W_DI);
OFFSET(regs.ax, W_AX);
OFFSET(regs.vec, W_VEC);
OFFSET(regs.err, W_ERR);
OFFSET(regs.ip, W_IP);
OFFSET(regs.sp, W_SP);
OFFSET(host_sp, W_HOST_SP);
OFFSET(guest_cr0, W_GUEST_CR0);
OFFSET(host_cr4, W_HOST_CR4);
OFFSET(gs_base, W_GS_BASE);
OFFSET(fs_base, W_FS_BASE);
OFFSET(guest_seg, W_GUEST_SEGS);
OFFSET(host_seg, W_HOST_SEGS);
OFFSET(bridge_gdt, W_BRIDGE_GDT);
OFFSET(guest_gdt, W_GUEST_GDT);
OFFSET(guest_idt, W_GUEST_IDT);
OFFSET(host_gdt, W_HOST_GDT);
OFFSET(host_idt, W_HOST_IDT);
OFFSET(guest_dr7, W_GUEST_DR7);
OFFSET(vcpu, W_VCPU);
OFFSET(faults, W_FAULTS);
static_assert(offsetof(struct vcpu, vmi_page) == V_PAGE);
static_assert(offsetof(struct vcpu, fast_ip) == V_FAST_IP);
static_assert(offsetof(struct vcpu, fast_cs) == V_FAST_CS);
static_assert(offsetof(struct vcpu, fast_vif) == V_FAST_VIF);
static_assert(offsetof(struct vcpu, fast_ss) == V_FAST_SS);
static_assert(offsetof(struct vcpu, fast_pf) == V_FAST_PF);
static_assert(offsetof(struct vcpu, count) == V_COUNT);
static_assert(offsetof(struct shared, vif) == SH_VIF);
static_assert(offsetof(struct shared, cr2) == SH_CR2);
static_assert(offsetof(struct shared, ss0) == SH_SS0);
static_assert(offsetof(struct shared, esp0) == SH_ESP0);
static_assert(offsetof(struct window_cpu, nmi) == P_NMI);
static_assert(offsetof(struct window_cpu, icr) == P_ICR);
static_assert(sizeof(struct window_cpu) == PAGE_SIZE);

static void set_window_gate(u32 vec, void *handler, u32 dpl, u32 ist)
{
	pack_gate(&guest_idt[vec], GATE_INTERRUPT, (unsigned long)handler, dpl, ist + 1, 0);
	guest_idt[vec].segment = MON_CS;	/* of which pack_gate() has an idea of its own */
}

/**
 * window_init - the IDT of the window, and a page for each CPU
 *
 * Context: may sleep.
 */
int window_init(void)
{
	struct desc_ptr idt;
	int vec, cpu;

	/* Its only indirect branch is a RET, behind a CALL. */
	faults_stay = !boot_cpu_has_bug(X86_BUG_RETBLEED) && !boot_cpu_has_bug(X86_BUG_SRSO) &&
		      !boot_cpu_has(X86_FEATURE_CALL_DEPTH);
	store_idt(&idt);
	host_idt = (gate_desc *)idt.address;
	guest_idt = (gate_desc *)get_zeroed_page(GFP_KERNEL);
	if (!guest_idt)
		return -ENOMEM;
	for (vec = 0; vec < 256; vec++)
		set_window_gate(vec, window_vectors + 32 * vec, 0, IST_TRAPS);
	set_window_gate(X_DB, window_db, 0, IST_DB);
	set_window_gate(X_NMI, window_nmi, 0, IST_NMI);
	set_window_gate(X_MC, window_vectors + 32 * X_MC, 0, IST_NMI);
	set_window_gate(X_DF, window_vectors + 32 * X_DF, 0, IST_NMI);
	set_window_gate(X_BP, window_vectors + 32 * X_BP, 3, IST_TRAPS);
	set_window_gate(X_OF, window_vectors + 32 * X_OF, 3, IST_TRAPS);
	set_window_gate(X_PF, window_pf, 0, IST_TRAPS);
	set_window_gate(0x80, window_syscall, 3, IST_TRAPS);
	set_window_gate(HYPERCALL_VECTOR, window_call, 1, IST_TRAPS);
	for_each_possible_cpu(cpu) {
		per_cpu(window_cpu, cpu) = (void *)get_zeroed_page(GFP_KERNEL);
		if (!per_cpu(window_cpu, cpu)) {
			window_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

void window_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_page((unsigned long)per_cpu(window_cpu, cpu));
	free_page((unsigned long)guest_idt);
}

/* This CPU comes up, or the module does. */
int window_enable_cpu(void)
{
	struct window_cpu *cpu = this_cpu_read(window_cpu);
	u8 *page = (u8 *)cpu;

	cpu->apf_known = false;
	if (!boot_cpu_has(X86_FEATURE_APIC))
		cpu->icr = &cpu->no_icr;
	else
		cpu->icr = x2apic_mode ? NULL : (u32 *)(APIC_BASE + APIC_ICR);
	this_cpu_write(cpu_tss_rw.x86_tss.ist[IST_DB], (u64)page + P_DB_STACK);
	this_cpu_write(cpu_tss_rw.x86_tss.ist[IST_TRAPS], (u64)page + P_STACK);
	this_cpu_write(cpu_tss_rw.x86_tss.ist[IST_NMI], (u64)page + P_NMI_STACK);
	return 0;
}

/* A system descriptor of long mode. */
static void set_system_desc(u64 *d, u64 type_limit, u64 base)
{
	d[0] = type_limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	d[1] = base >> 32;
}

/* WINDOW_ALIAS: a table of each level is enough for all of it. */
static void map_alias(struct vcpu_vmi *vmi)
{
	u64 *pud = vmi->alias, *pmd = pud + 512, *pte = pmd + 512;
	int i;

	for (i = 0; i < 512; i++) {
		pud[i] = __pa(pmd) | PTE_P | PTE_W;
		pmd[i] = __pa(pte) | PTE_P | PTE_W;
		pte[i] = __pa(vmi->window) | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;
	}
	vmi->ring1.pml4[ALIAS_ENTRY] = __pa(pud) | PTE_P | PTE_W;
}

/**
 * window_create - what a virtual CPU needs to run
 * @vmi: the virtual CPU
 *
 * Context: may sleep.
 */
int window_create(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;
	struct window *w = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	vmi->window = w;
	vmi->alias = (u64 *)__get_free_pages(GFP_KERNEL_ACCOUNT, 2);
	v->pml4 = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	v->real_gdt = (u64 *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, 4);
	v->real_ldt = (u64 *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, 4);
	v->vmi_page = (struct shared *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, 3);
	if (w)
		w->bridge = (u64 *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, 4);
	if (!w || !vmi->alias || !v->pml4 || !v->real_gdt || !v->real_ldt || !v->vmi_page ||
	    !w->bridge || pool_create(vmi)) {
		window_free(vmi);
		return -ENOMEM;
	}
	map_alias(vmi);
	v->sh = (struct shared *)((u8 *)v->vmi_page + SH_PAGES * PAGE);
	v->real_gdt[MON_CS / 8] = 0x00af9b000000ffff;
	w->bridge[MON_CS / 8] = v->real_gdt[MON_CS / 8];
	set_system_desc(&v->real_gdt[MON_LDT / 8], 0x000082000000ffff, (u64)v->real_ldt);
	w->guest_gdt = (struct desc_ptr){ 0xffff, (unsigned long)v->real_gdt };
	w->bridge_gdt = (struct desc_ptr){ 0xffff, (unsigned long)w->bridge };
	w->guest_idt = (struct desc_ptr){ PAGE_SIZE - 1, (unsigned long)guest_idt };
	return 0;
}

void window_free(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;

	pool_free(vmi);
	free_page((unsigned long)v->pml4);
	free_pages((unsigned long)vmi->alias, 2);
	free_pages((unsigned long)v->real_gdt, 4);
	free_pages((unsigned long)v->real_ldt, 4);
	free_pages((unsigned long)v->vmi_page, 3);
	if (vmi->window)
		free_pages((unsigned long)vmi->window->bridge, 4);
	free_page((unsigned long)vmi->window);
}

/*
 * Where the host is a guest of KVM's, that tells it there that a page of its own is not at
 * hand, and means the program that runs: vmi_vcpu_run() goes to sleep then.
 */
static void find_apf(struct window_cpu *cpu)
{
	u64 apf;

	if (hypervisor_is_type(X86_HYPER_KVM) &&
	    !rdmsrl_safe(MSR_KVM_ASYNC_PF_EN, &apf) && (apf & KVM_ASYNC_PF_ENABLED))
		cpu->apf = __va(apf & ~63ULL);
	else
		cpu->apf = NULL;
	cpu->apf_known = true;
}

/* What the host has on this CPU, to come back to. */
static void save_host(struct vcpu_vmi *vmi)
{
	struct window *w = vmi->window;
	struct vcpu *v = &vmi->ring1;
	u64 *pgd = __va(read_cr3_pa());

	/* The host's half of the address space; the other has the guest's 4 GiB alone. */
	memcpy(v->pml4 + 256, pgd + 256, 256 * sizeof(u64));
	savesegment(ds, w->host_seg[0]);
	savesegment(es, w->host_seg[1]);
	savesegment(fs, w->host_seg[2]);
	savesegment(gs, w->host_seg[3]);
	store_ldt(w->host_seg[4]);
	rdmsrl(MSR_GS_BASE, w->gs_base);
	rdmsrl(MSR_FS_BASE, w->fs_base);
	native_store_gdt(&w->host_gdt);
	store_idt(&w->host_idt);
	memcpy(w->bridge, (void *)w->host_gdt.address, w->host_gdt.size + 1);
	w->host_cr0 = read_cr0();
	w->host_cr4 = native_read_cr4();
	w->host_cr3 = __read_cr3();
	w->guest_cr3 = __pa(v->pml4);
	if (w->host_cr4 & X86_CR4_PCIDE) {
		w->host_cr3 |= X86_CR3_PCID_NOFLUSH;
		w->guest_cr3 |= GUEST_PCID;
	}
}

/* What of the guest's control registers the processor gets. */
static void set_guest_crs(struct vcpu_vmi *vmi)
{
	struct window *w = vmi->window;
	struct vcpu *v = &vmi->ring1;

	w->guest_cr0 = (w->host_cr0 & ~(u64)(CR0_MP | CR0_EM | CR0_TS | CR0_AM)) | CR0_WP |
		       (v->cr0 & (CR0_MP | CR0_EM | CR0_TS | CR0_AM));
	w->guest_cr4 = w->host_cr4 & ~(u64)(X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE |
					    X86_CR4_CET | X86_CR4_PCE | X86_CR4_TSD |
					    X86_CR4_DE | X86_CR4_FSGSBASE | X86_CR4_VMXE |
					    X86_CR4_OSXSAVE);
	/* Without OSXSAVE a program's own CPUID does not lead it to AVX. */
	w->guest_cr4 |= v->cr4 & w->host_cr4 & X86_CR4_OSXSAVE;
	w->guest_cr4 |= v->cr4 & (X86_CR4_TSD | X86_CR4_DE);
	if (vmi->vcpu.arch.tsc_offset)
		w->guest_cr4 |= X86_CR4_TSD;
	if (boot_cpu_has(X86_FEATURE_SMEP))
		w->guest_cr4 |= v->cr4 & X86_CR4_SMEP;
	/* SGDT and the like would show the host's addresses. */
	if (boot_cpu_has(X86_FEATURE_UMIP))
		w->guest_cr4 |= X86_CR4_UMIP;
}

/* Breakpoints: KVM has loaded their addresses.  None at the host's, nor for access to DR7. */
static u64 breakpoints(struct vcpu_vmi *vmi)
{
	u64 dr7 = vmi->dr7 & ~(u64)DR7_GD;
	int i;

	for (i = 0; i < KVM_NR_DB_REGS; i++)
		if (vmi->vcpu.arch.eff_db[i] >> 32)
			dr7 &= ~(3ULL << 2 * i);
	return dr7 & DR7_BP_EN_MASK ? dr7 : 0;
}

/* The host leaves its DR6 empty. */
static __always_inline u64 take_dr6(void)
{
	u64 dr6;

	asm volatile("mov %%db6, %0" : "=r" (dr6) : : "memory");
	native_set_debugreg(6, DR6_RESERVED);
	return (dr6 ^ DR6_RESERVED) & (DR_TRAP_BITS | DR_STEP);
}

/*
 * As guest_state_enter_irqoff() and guest_state_exit_irqoff() do, but without a word to
 * RCU for each window: vmi_vcpu_run() has it.
 */
static __always_inline void enter_guest_state(void)
{
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();
	context_tracking_guest_enter();
	lockdep_hardirqs_on(CALLER_ADDR0);
}

static __always_inline void exit_guest_state(void)
{
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();
	instrumentation_begin();
	trace_hardirqs_off_finish();
	instrumentation_end();
}

static noinstr void run_window(struct window *w, struct window_cpu *cpu)
{
	bool nmi;

	enter_guest_state();
	window_enter(w, cpu);
	if (w->guest_dr7 || w->regs.vec == X_DB)
		w->dr6 = take_dr6();
	/* From the guest it blocks others until its handler's IRET; in the window not. */
	nmi = cpu->nmi || w->regs.vec == X_NMI;
	cpu->nmi = 0;
	if (nmi)
		window_do_nmi();
	exit_guest_state();
}

/* The paging that the shadows were made for is no longer the guest's. */
static void follow_paging(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;
	u32 cr0 = v->cr0 & (CR0_PG | CR0_WP);
	u32 cr4 = v->cr4 & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP);

	v->cr3 = vmi->vcpu.arch.cr3;
	if (!v->root || cr0 != vmi->paging_cr0 || cr4 != vmi->paging_cr4)
		shadow_reset(v);
	else if (v->cr3 != vmi->paging_cr3)
		shadow_flush(v, false);
	vmi->paging_cr0 = cr0;
	vmi->paging_cr4 = cr4;
	vmi->paging_cr3 = v->cr3;
}

/* The core works with interrupts off; what it was, if it wants a page that KVM has to bring. */
struct attempt {
	struct regs regs;
	u32 vif;
};

static void begin_attempt(struct vcpu_vmi *vmi, struct attempt *was)
{
	was->regs = vmi->window->regs;
	was->vif = vmi->ring1.sh->vif;
	vmi->nested.pending = false;
	vmi->irqs_off = true;
}

static bool end_attempt(struct vcpu_vmi *vmi, struct attempt *was, enum outcome done)
{
	vmi->irqs_off = false;
	if (done == DONE && !vmi->nested.pending)
		return true;
	vmi->window->regs = was->regs;
	vmi->ring1.sh->vif = was->vif;
	return false;
}

/*
 * An exception to the guest.  false: by KVM's way; so before vmi_init, which tells the
 * kernel's stack, and for a debugger.
 */
static bool deliver_at_once(struct vcpu_vmi *vmi, u32 vec, bool has_err, u32 err, bool soft)
{
	struct attempt was;

	if (!vmi->ring1.vmi || stepping(vmi))
		return false;
	begin_attempt(vmi, &was);
	return end_attempt(vmi, &was, deliver(&vmi->ring1, &vmi->window->regs, vec, has_err,
					      err, soft));
}

/* The number of the ROM's slot that a call came from. */
static u32 slot_of(struct vcpu_vmi *vmi)
{
	u32 off = (u32)vmi->window->regs.ip - 2 - rom_of(&vmi->ring1)->linear - ROM_slots;

	return off % SLOT ? ~0u : off / SLOT;
}

/**
 * vmi_exit_reason - for the tracepoint: enum exit, a trap's vector, a call's number
 * @vmi: the virtual CPU
 */
u32 vmi_exit_reason(struct vcpu_vmi *vmi)
{
	u32 vec = vmi->window->regs.vec;

	if (vmi->exit != EXIT_TRAP && vmi->exit != EXIT_IRQ)
		return vmi->exit << 16;
	return vmi->exit << 16 | (vec & 0xff) << 8 |
	       (vec == HYPERCALL_VECTOR ? slot_of(vmi) & 0xff : 0);
}

/* A call of the ROM's that KVM has no part in, and no event waits for its end. */
static bool call_at_once(struct vcpu_vmi *vmi)
{
	struct regs *regs = &vmi->window->regs;
	struct vcpu *v = &vmi->ring1;
	u32 nr = slot_of(vmi);
	struct attempt was;

	/* With the flag open, what waits for it is KVM's to deliver. */
	if (!v->vmi || stepping(vmi) || (v->sh->pending && v->sh->vif) || (regs->cs & 3) != 1)
		return false;
	switch (nr) {
	case VMI_OP_APIC_WRITE:
	case VMI_OP_CLTS:
	case VMI_OP_SET_CR0:
	case VMI_OP_SET_CR3:
	case VMI_OP_UPDATE_PXE:
	case VMI_OP_INVAL_PAGE:
	case VMI_OP_FLUSH_TLB:
	case VMI_OP_FLUSH_RANGE:
	case VMI_OP_WRITE_GDT_ENTRY:
	case VMI_OP_WRITE_LDT_ENTRY:
	case VMI_OP_WRITE_IDT_ENTRY:
	case VMI_OP_CPU_PREEMPTED:
	case VMI_OP_GET_CYCLE_COUNTER:
	case VMI_OP_SEND_IPI_MASK:
	case VMI_OP_SPIN_KICK:
	case VMI_OP_FLUSH_LATER:
		break;
	default:
		return false;
	}
	begin_attempt(vmi, &was);
	regs->err = 0;
	if (end_attempt(vmi, &was, hypercall(v, regs))) {
		if (nr == VMI_OP_CLTS || nr == VMI_OP_SET_CR0)
			set_guest_crs(vmi);
		return true;
	}
	v->hypercalls[nr]--;		/* it is done again */
	return false;
}

/* EXIT_NONE: the shadow is filled, or the guest has its fault; go on. */
static enum exit page_fault(struct vcpu_vmi *vmi)
{
	struct window *w = vmi->window;
	u64 cr2 = native_read_cr2();

	vmi->exit_cr2 = cr2;
	/* Where the host itself is a guest of KVM's, it may be told so to wait for a page. */
	vmi->vcpu.arch.apf.host_apf_flags = kvm_read_and_reset_apf_flags();
	if (unlikely(vmi->vcpu.arch.apf.host_apf_flags))
		return EXIT_HOST_WAITS;
	if (cr2 >> 32)
		return EXIT_TRAP;
	vmi->nested.pending = false;
	switch (shadow_fault(&vmi->ring1, cr2, w->regs.err & (PFEC_W | PFEC_U | PFEC_I),
			     &vmi->exit_pfec)) {
	case FILL_DONE:
		return EXIT_NONE;
	case FILL_HOST:
		return EXIT_NESTED;
	default:
		vmi->ring1.sh->cr2 = cr2;
		return deliver_at_once(vmi, X_PF, true, vmi->exit_pfec, false) ?
		       EXIT_NONE : EXIT_PAGE_FAULT;
	}
}

/*
 * RDTSC or RDTSCP of a guest whose TSC is not the host's: write_tsc_offset().  EXIT_TRAP: it
 * is something else, or a single step ends with it.
 */
static enum exit rdtsc_at_once(struct vcpu_vmi *vmi)
{
	struct regs *regs = &vmi->window->regs;
	struct vcpu *v = &vmi->ring1;
	struct attempt was;
	u8 code[3] = { };
	bool there;
	u32 at;

	if (!vmi->vcpu.arch.tsc_offset || regs->err || (v->cr4 & CR4_TSD && (regs->cs & 3) == 3))
		return EXIT_TRAP;
	at = seg_base(v, regs->cs) + (u32)regs->ip;
	begin_attempt(vmi, &was);
	there = guest_read(v, at, code, 2) && (code[1] != 1 || guest_read(v, at + 2, code + 2, 1));
	end_attempt(vmi, &was, done_if(there));
	if (!there || code[0] != 0x0f || (code[1] != 0x31 && (code[1] != 1 || code[2] != 0xf9)))
		return EXIT_TRAP;
	set_edx_eax(regs, kvm_read_l1_tsc(&vmi->vcpu, rdtsc()));
	if (code[1] == 1)
		regs->cx = (u32)vmi->tsc_aux;
	regs->ip = (u32)(regs->ip + (code[1] == 1 ? 3 : 2));
	regs->flags &= ~(u64)FLAG_RF;
	if (!(regs->flags & FLAG_TF))
		return EXIT_NONE;
	regs->vec = X_DB;
	vmi->window->dr6 = DR_STEP;
	return EXIT_TRAP;
}

/* Has KVM, or the host, something to do? */
static bool must_leave(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->mode) == EXITING_GUEST_MODE || kvm_request_pending(vcpu) ||
	       xfer_to_guest_mode_work_pending();
}

static enum exit run_guest(struct vcpu_vmi *vmi)
{
	struct window *w = vmi->window;
	struct window_cpu *cpu = this_cpu_read(window_cpu);
	enum exit exit;

	if (unlikely(!cpu->apf_known))
		find_apf(cpu);
	do {
		run_window(w, cpu);
		switch (w->regs.vec) {
		case X_PF:
			exit = page_fault(vmi);
			break;
		case X_GP:
			exit = rdtsc_at_once(vmi);
			break;
		case X_NMI:
			return EXIT_NONE;
		case X_MC:
		case X_MC | WINDOW_FAULT:
			kvm_machine_check();
			return w->regs.vec == X_MC ? EXIT_NONE : EXIT_BAD;
		case X_MC | WINDOW_FAULT | WINDOW_LOST:
			kvm_machine_check();
			return EXIT_LOST;
		case X_DF | WINDOW_FAULT:
		case X_DF | WINDOW_FAULT | WINDOW_LOST:
			panic("kvm-vmi: double fault in the window");
		case WINDOW_FAULT ... X_DF + WINDOW_FAULT - 1:
		case X_DF + WINDOW_FAULT + 1 ... X_MC + WINDOW_FAULT - 1:
			return EXIT_BAD;
		case WINDOW_FAULT | WINDOW_LOST ... X_DF + (WINDOW_FAULT | WINDOW_LOST) - 1:
		case X_DF + (WINDOW_FAULT | WINDOW_LOST) + 1 ...
		     X_MC + (WINDOW_FAULT | WINDOW_LOST) - 1:
			return EXIT_LOST;
		case 0x80:
			exit = deliver_at_once(vmi, 0x80, false, 0, true) ? EXIT_NONE : EXIT_TRAP;
			break;
		case HYPERCALL_VECTOR:
			exit = call_at_once(vmi) ? EXIT_NONE : EXIT_TRAP;
			break;
		case 32 ... 0x7f:
		case 0x81 ... 255:
			return EXIT_IRQ;
		default:
			return EXIT_TRAP;
		}
		/* An IRET of ring 1 can set VM in QEMU: KVM goes on, can_run() says. */
	} while (exit == EXIT_NONE && !(w->regs.flags & FLAG_VM) && !must_leave(&vmi->vcpu));
	return exit;
}

/**
 * vmi_vcpu_run - run the guest until KVM is needed
 * @vcpu: the virtual CPU
 * @run_flags: of KVM; nothing here heeds them
 *
 * Interrupts are off, and KVM waits for us before it frees a page of the guest.
 */
fastpath_t vmi_vcpu_run(struct kvm_vcpu *vcpu, u64 run_flags)
{
	static const int segs[] = { VCPU_SREG_DS, VCPU_SREG_ES, VCPU_SREG_FS, VCPU_SREG_GS };
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);
	struct vcpu *v = &vmi->ring1;
	int i;

	/* What was to be injected is in the guest's memory. */
	vcpu->arch.nmi_injected = false;
	kvm_clear_exception_queue(vcpu);
	kvm_clear_interrupt_queue(vcpu);
	WRITE_ONCE(vmi->spinning, false);
	if (vmi->bad_start) {
		vmi->exit = EXIT_STOP;
		return EXIT_FASTPATH_NONE;
	}
	if (!can_run(vmi)) {
		vmi->exit = EXIT_EMULATE;
		return EXIT_FASTPATH_NONE;
	}
	regs_from_kvm(vmi);
	events_to_rom(vmi);
	vcpu_resumes(v);
	follow_paging(vmi);
	save_host(vmi);
	set_guest_crs(vmi);
	for (i = 0; i < ARRAY_SIZE(segs); i++)
		vmi->window->guest_seg[i] = vmi->seg[segs[i]].selector;
	vmi->window->guest_seg[4] = v->ldt ? MON_LDT : 0;
	vmi->window->guest_dr7 = breakpoints(vmi);
	vmi->window->vcpu = v->vmi && !vcpu->guest_debug ? v : NULL;
	vmi->window->faults = faults_stay ? vmi->window->vcpu : NULL;
	/* QEMU's own ports, if it has any; they come back on its way to user mode. */
	this_cpu_write(cpu_tss_rw.x86_tss.io_bitmap_base, IO_BITMAP_OFFSET_INVALID);
	kvm_load_guest_xsave_state(vcpu);
	/* Like a program, the guest is none of RCU's readers. */
	rcu_virt_note_context_switch();
	vmi->exit = run_guest(vmi);
	rcu_virt_note_context_switch();
	kvm_load_host_xsave_state(vcpu);
	if (vmi->exit != EXIT_BAD && vmi->exit != EXIT_LOST) {
		data_segments_to_kvm(vmi);
		regs_to_kvm(vmi);
	}
	trace_kvm_exit(vcpu, 0);
	return EXIT_FASTPATH_NONE;
}

/* An interrupt of the host's ended the window: its handler, as if it came here. */
void vmi_handle_exit_irqoff(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	if (vmi->exit != EXIT_IRQ)
		return;
	kvm_before_interrupt(vcpu, KVM_HANDLING_IRQ);
	window_do_irq(gate_offset(&host_idt[vmi->window->regs.vec]));
	kvm_after_interrupt(vcpu);
	vcpu->arch.at_instruction_boundary = true;
}
