// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-vmi: KVM for processors without VT-x and SVM.  A vendor module of kvm.ko, which
 * sees a processor with two-dimensional paging; guests' kernels run in ring 1.
 */
#include <linux/cc_platform.h>
#include <linux/module.h>
#include "ring1.h"
#include "kvm/x86.h"
#include "kvm/mmu.h"
#include "kvm/lapic.h"
#include "kvm/cpuid.h"
#include "kvm/pmu.h"
#include "kvm/irq.h"

static int efer_slot, sysenter_slot, aux_slot;

static bool allow_meltdown;
module_param(allow_meltdown, bool, 0444);
MODULE_PARM_DESC(allow_meltdown, "run guests, which can then read the host's memory, on a processor with Meltdown");

static int check_processor(void)
{
	return 0;
}

static void nothing(void)
{
}

static void vcpu_nothing(struct kvm_vcpu *vcpu)
{
}

static bool has_emulated_msr(struct kvm *kvm, u32 index)
{
	switch (index) {
	case MSR_IA32_SMBASE:
	case KVM_FIRST_EMULATED_VMX_MSR ... KVM_LAST_EMULATED_VMX_MSR:
	case MSR_AMD64_VIRT_SPEC_CTRL:
	case MSR_AMD64_TSC_RATIO:
		return false;
	}
	return true;
}

static int vm_init(struct kvm *kvm)
{
	struct kvm_vmi *vm = container_of(kvm, struct kvm_vmi, kvm);

	mutex_init(&vm->rom_lock);
	vm->rom_pages = (u8 *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO,
					       get_order(ROM_PAGES * PAGE));
	if (!vm->rom_pages)
		return -ENOMEM;
	/* An open file of its debugfs keeps the guest, and KVM would let us go. */
	__module_get(THIS_MODULE);
	return 0;
}

static void vm_destroy(struct kvm *kvm)
{
	struct kvm_vmi *vm = container_of(kvm, struct kvm_vmi, kvm);

	free_pages((unsigned long)vm->rom_pages, get_order(ROM_PAGES * PAGE));
	module_put(THIS_MODULE);
}

static int vcpu_precreate(struct kvm *kvm)
{
	if (kvm->created_vcpus >= MAX_CPUS) {
		pr_err_ratelimited("kvm-vmi: process %d: a guest has %d virtual CPUs at most\n",
				   current->tgid, MAX_CPUS);
		return -EINVAL;
	}
	if (!irqchip_in_kernel(kvm)) {
		pr_err_once("kvm-vmi: a local APIC in the kernel is needed\n");
		return -EINVAL;
	}
	return 0;
}

static int vcpu_create(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	vmi->root = INVALID_PAGE;
	vmi->ring1.apic_id = vcpu->vcpu_id;
	pool_debugfs(vcpu->kvm);
	return window_create(vmi);
}

static void vcpu_free(struct kvm_vcpu *vcpu)
{
	window_free(vcpu_to_vmi(vcpu));
}

/* SYSCALL and SYSENTER do not lead into the host until its user runs again. */
static void prepare_switch(struct kvm_vcpu *vcpu)
{
	kvm_set_user_return_msr(efer_slot, 0, EFER_SCE);
	kvm_set_user_return_msr(sysenter_slot, 0, -1ull);
	/* RDTSCP and RDPID do not trap. */
	if (aux_slot >= 0 && (guest_cpuid_has(vcpu, X86_FEATURE_RDTSCP) ||
			      guest_cpuid_has(vcpu, X86_FEATURE_RDPID)))
		kvm_set_user_return_msr(aux_slot, vcpu_to_vmi(vcpu)->tsc_aux, -1ull);
}

/* Its place in KVM's array is not yet known when it is created. */
static DEFINE_PER_CPU(u64, host_misc_features);

/*
 * Where the processor can, CPUID of ring 1 and 3 faults, and KVM answers: firmware and
 * programs are told what the kernel is.
 */
static void catch_cpuid(void)
{
	u64 features;

	if (!boot_cpu_has(X86_FEATURE_CPUID_FAULT))
		return;
	rdmsrl(MSR_MISC_FEATURES_ENABLES, features);
	this_cpu_write(host_misc_features, features);
	wrmsrl(MSR_MISC_FEATURES_ENABLES, features | MSR_MISC_FEATURES_ENABLES_CPUID_FAULT);
}

/* To what the thread's own programs, QEMU, have. */
static void release_cpuid(void)
{
	if (boot_cpu_has(X86_FEATURE_CPUID_FAULT))
		wrmsrl(MSR_MISC_FEATURES_ENABLES, this_cpu_read(host_misc_features));
}

static void load_vcpu(struct kvm_vcpu *vcpu, int cpu)
{
	catch_cpuid();
	vcpu_to_vmi(vcpu)->ring1.id = vcpu->vcpu_idx;
	/*
	 * An instruction that got to a device, and then failed, waits for no answer.  KVM
	 * forgets that, and would warn; while it emulates, we come here by the scheduler.
	 */
	if (!vcpu->scheduled_out && !vcpu->arch.complete_userspace_io) {
		vcpu->mmio_needed = 0;
		vcpu->arch.pio.count = 0;
	}
}

/* Another thread has the processor, or QEMU runs: flushes can wait. */
static void put_vcpu(struct kvm_vcpu *vcpu)
{
	vcpu_rests(&vcpu_to_vmi(vcpu)->ring1);
	release_cpuid();
}

static int get_feature_msr(u32 msr, u64 *data)
{
	return KVM_MSR_RET_UNSUPPORTED;
}

static void get_cs_db_l(struct kvm_vcpu *vcpu, int *db, int *l)
{
	*db = vcpu_to_vmi(vcpu)->seg[VCPU_SREG_CS].db;
	*l = 0;
}

static bool valid_cr(struct kvm_vcpu *vcpu, unsigned long cr)
{
	return true;
}

static void set_dr7(struct kvm_vcpu *vcpu, unsigned long dr7)
{
	vcpu_to_vmi(vcpu)->dr7 = dr7;
}

static void cache_reg(struct kvm_vcpu *vcpu, enum kvm_reg reg)
{
	kvm_register_mark_available(vcpu, reg);
}

static bool get_if_flag(struct kvm_vcpu *vcpu)
{
	return vcpu_to_vmi(vcpu)->rflags & X86_EFLAGS_IF;
}

static void flush_shadows(struct kvm_vcpu *vcpu)
{
	struct vcpu *v = &vcpu_to_vmi(vcpu)->ring1;

	tdp_forget(vcpu_to_vmi(vcpu));
	if (v->root)
		shadow_reset(v);
}

static void flush_shadow_page(struct kvm_vcpu *vcpu, gva_t addr)
{
	struct vcpu *v = &vcpu_to_vmi(vcpu)->ring1;

	if (v->root)
		shadow_inval(v, addr);
}

static int pre_run(struct kvm_vcpu *vcpu)
{
	const char *why = unfit(vcpu_to_vmi(vcpu));

	if (vcpu->arch.tsc_always_catchup) {
		pr_err_ratelimited("kvm-vmi: guest of process %d stopped: the TSC has %u kHz, %u cannot be\n",
				   current->tgid, tsc_khz, vcpu->arch.virtual_tsc_khz);
		return -EINVAL;
	}
	/* KVM gives its descriptor away before it is in the array. */
	if (kvm_get_vcpu(vcpu->kvm, vcpu->vcpu_idx) != vcpu)
		return -EAGAIN;
	if (why)
		return vmi_stop(vcpu_to_vmi(vcpu), why);
	WRITE_ONCE(to_kvm_vmi(&vcpu_to_vmi(vcpu)->ring1)->vcpus[vcpu->vcpu_idx],
		   &vcpu_to_vmi(vcpu)->ring1);
	return follow_registers(vcpu_to_vmi(vcpu));
}

static int skip_instruction(struct kvm_vcpu *vcpu)
{
	return kvm_emulate_instruction(vcpu, EMULTYPE_SKIP);
}

static void set_interrupt_shadow(struct kvm_vcpu *vcpu, int mask)
{
	vcpu_to_vmi(vcpu)->shadow = mask;
}

static u32 get_interrupt_shadow(struct kvm_vcpu *vcpu)
{
	return vcpu_to_vmi(vcpu)->shadow;
}

static void patch_hypercall(struct kvm_vcpu *vcpu, unsigned char *code)
{
	memcpy(code, "\x0f\x01\xc1", 3);	/* VMCALL; it raises #UD */
}

static void deliver_interrupt(struct kvm_lapic *apic, int mode, int trig, int vector)
{
	kvm_lapic_set_irr(vector, apic);
	kvm_make_request(KVM_REQ_EVENT, apic->vcpu);
	kvm_vcpu_kick(apic->vcpu);
}

static void load_mmu_pgd(struct kvm_vcpu *vcpu, hpa_t root, int level)
{
	struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);

	vmi->root = root;
	vmi->root_level = level;
	tdp_forget(vmi);
}

#define TSC_PAUSE	60	/* seconds: for less no guest's TSC stands still */

/*
 * RDTSC is the processor's own in ring 1 and 3.  So the offset is 0, whatever KVM would
 * like, and all that KVM takes the guest's TSC for comes out right.  A guest that QEMU
 * brings from another host has an offset, lest its clocks jump or go back, and RDTSC traps:
 * rdtsc_at_once().
 */
static void write_tsc_offset(struct kvm_vcpu *vcpu)
{
	u64 behind = -vcpu->arch.l1_tsc_offset;

	if (!container_of(vcpu->kvm, struct kvm_vmi, kvm)->tsc_brought ||
	    behind < TSC_PAUSE * 1000ULL * tsc_khz) {
		vcpu->arch.l1_tsc_offset = 0;
		vcpu->arch.tsc_offset = 0;
	}
	/* By an offset it would make good for a TSC that stood still. */
	if (vcpu->arch.tsc_catchup) {
		vcpu->arch.tsc_catchup = 0;
		kvm_make_request(KVM_REQ_CLOCK_UPDATE, vcpu);
	}
}

static bool has_wbinvd_exit(void)
{
	return true;
}

static u64 l2_tsc_offset(struct kvm_vcpu *vcpu)
{
	return 0;
}

static u64 l2_tsc_multiplier(struct kvm_vcpu *vcpu)
{
	return kvm_caps.default_tsc_scaling_ratio;
}

static void get_exit_info(struct kvm_vcpu *vcpu, u32 *reason, u64 *info1, u64 *info2,
			  u32 *intr_info, u32 *error_code)
{
	*reason = vmi_exit_reason(vcpu_to_vmi(vcpu));
	*info1 = vcpu_to_vmi(vcpu)->window->regs.vec;
	*info2 = vcpu_to_vmi(vcpu)->nested.gpa;
	*intr_info = 0;
	*error_code = vcpu_to_vmi(vcpu)->window->regs.err;
}

static int check_intercept(struct kvm_vcpu *vcpu, struct x86_instruction_info *info,
			   enum x86_intercept_stage stage, struct x86_exception *e)
{
	return X86EMUL_CONTINUE;
}

static int check_emulate(struct kvm_vcpu *vcpu, int type, void *insn, int len)
{
	return X86EMUL_CONTINUE;
}

static bool init_blocked(struct kvm_vcpu *vcpu)
{
	return false;
}

#ifdef CONFIG_KVM_SMM
static int smi_allowed(struct kvm_vcpu *vcpu, bool for_injection)
{
	return 0;
}

static int no_enter_smm(struct kvm_vcpu *vcpu, union kvm_smram *smram)
{
	return 1;
}

static int no_leave_smm(struct kvm_vcpu *vcpu, const union kvm_smram *smram)
{
	return 1;
}
#endif

/* KVM asks for this one without a look at it. */
static struct kvm_x86_nested_ops no_nested = { .leave_nested = vcpu_nothing };

static struct kvm_x86_ops ops __initdata = {
	.name = KBUILD_MODNAME,
	.check_processor_compatibility = check_processor,
	.hardware_unsetup = window_exit,
	.enable_virtualization_cpu = window_enable_cpu,
	.disable_virtualization_cpu = nothing,
	.emergency_disable_virtualization_cpu = nothing,
	.has_emulated_msr = has_emulated_msr,
	.vcpu_after_set_cpuid = vmi_after_set_cpuid,
	.vm_size = sizeof(struct kvm_vmi),
	.vm_init = vm_init,
	.vm_destroy = vm_destroy,
	.vcpu_precreate = vcpu_precreate,
	.vcpu_create = vcpu_create,
	.vcpu_free = vcpu_free,
	.vcpu_reset = vmi_vcpu_reset,
	.prepare_switch_to_guest = prepare_switch,
	.vcpu_load = load_vcpu,
	.vcpu_put = put_vcpu,
	.vcpu_unblocking = pool_unblocking,
	.update_exception_bitmap = vcpu_nothing,
	.get_feature_msr = get_feature_msr,
	.get_msr = vmi_get_msr,
	.set_msr = vmi_set_msr,
	.get_segment_base = vmi_get_segment_base,
	.get_segment = vmi_get_segment,
	.set_segment = vmi_set_segment,
	.get_cpl = vmi_get_cpl,
	.get_cs_db_l_bits = get_cs_db_l,
	.is_valid_cr0 = valid_cr,
	.set_cr0 = vmi_set_cr0,
	.is_valid_cr4 = valid_cr,
	.set_cr4 = vmi_set_cr4,
	.set_efer = vmi_set_efer,
	.get_idt = vmi_get_idt,
	.set_idt = vmi_set_idt,
	.get_gdt = vmi_get_gdt,
	.set_gdt = vmi_set_gdt,
	.set_dr7 = set_dr7,
	.sync_dirty_debug_regs = vcpu_nothing,
	.cache_reg = cache_reg,
	.get_rflags = vmi_get_rflags,
	.set_rflags = vmi_set_rflags,
	.get_if_flag = get_if_flag,
	.flush_tlb_all = flush_shadows,
	.flush_tlb_current = flush_shadows,
	.flush_tlb_gva = flush_shadow_page,
	.flush_tlb_guest = flush_shadows,
	.vcpu_pre_run = pre_run,
	.vcpu_run = vmi_vcpu_run,
	.handle_exit = vmi_handle_exit,
	.handle_exit_irqoff = vmi_handle_exit_irqoff,
	.skip_emulated_instruction = skip_instruction,
	.set_interrupt_shadow = set_interrupt_shadow,
	.get_interrupt_shadow = get_interrupt_shadow,
	.patch_hypercall = patch_hypercall,
	.inject_irq = vmi_inject_irq,
	.inject_nmi = vmi_inject_nmi,
	.inject_exception = vmi_inject_exception,
	.cancel_injection = vmi_cancel_injection,
	.interrupt_allowed = vmi_interrupt_allowed,
	.nmi_allowed = vmi_nmi_allowed,
	.get_nmi_mask = vmi_get_nmi_mask,
	.set_nmi_mask = vmi_set_nmi_mask,
	.enable_nmi_window = vmi_enable_nmi_window,
	.enable_irq_window = vmi_enable_irq_window,
	.refresh_apicv_exec_ctrl = vcpu_nothing,
	.deliver_interrupt = deliver_interrupt,
	.load_mmu_pgd = load_mmu_pgd,
	.has_wbinvd_exit = has_wbinvd_exit,
	.get_l2_tsc_offset = l2_tsc_offset,
	.get_l2_tsc_multiplier = l2_tsc_multiplier,
	.write_tsc_offset = write_tsc_offset,
	.write_tsc_multiplier = vcpu_nothing,
	.get_exit_info = get_exit_info,
	.check_intercept = check_intercept,
	.nested_ops = &no_nested,
	.setup_mce = vcpu_nothing,
#ifdef CONFIG_KVM_SMM
	.smi_allowed = smi_allowed,
	.enter_smm = no_enter_smm,
	.leave_smm = no_leave_smm,
	.enable_smi_window = vcpu_nothing,
#endif
	.check_emulate_instruction = check_emulate,
	.apic_init_signal_blocked = init_blocked,
	.msr_filter_changed = vcpu_nothing,
	.complete_emulated_msr = vmi_complete_msr,
	.vcpu_deliver_sipi_vector = vmi_deliver_sipi,
};

/* There are no performance counters. */
static struct kvm_pmc *no_counter(struct kvm_vcpu *vcpu, unsigned int index, u64 *mask)
{
	return NULL;
}

static struct kvm_pmc *no_counter_msr(struct kvm_vcpu *vcpu, u32 msr)
{
	return NULL;
}

static bool no_pmu_msr(struct kvm_vcpu *vcpu, u32 msr)
{
	return false;
}

static int no_pmu_access(struct kvm_vcpu *vcpu, struct msr_data *msr)
{
	return 1;
}

static struct kvm_pmu_ops pmu_ops __initdata = {
	.rdpmc_ecx_to_pmc = no_counter,
	.msr_idx_to_pmc = no_counter_msr,
	.is_valid_msr = no_pmu_msr,
	.get_msr = no_pmu_access,
	.set_msr = no_pmu_access,
	.refresh = vcpu_nothing,
	.init = vcpu_nothing,
	.reset = vcpu_nothing,
	.EVENTSEL_EVENT = 0xff,
	.MAX_NR_GP_COUNTERS = 1,
	.MIN_NR_GP_COUNTERS = 1,
};

/* What CPUID does not offer. */
static void __init clear_features(void)
{
	/* Ring 1, and compatibility mode, have none. */
	kvm_cpu_cap_clear(X86_FEATURE_LM);
	kvm_cpu_cap_clear(X86_FEATURE_SYSCALL);
	kvm_cpu_cap_clear(X86_FEATURE_SEP);
	kvm_cpu_cap_clear(X86_FEATURE_VME);
	kvm_cpu_cap_clear(X86_FEATURE_SMAP);
	kvm_cpu_cap_clear(X86_FEATURE_PKU);
	kvm_cpu_cap_clear(X86_FEATURE_PCID);
	kvm_cpu_cap_clear(X86_FEATURE_INVPCID);
	kvm_cpu_cap_clear(X86_FEATURE_FSGSBASE);
	kvm_cpu_cap_clear(X86_FEATURE_UMIP);
	kvm_cpu_cap_clear(X86_FEATURE_LA57);
	kvm_cpu_cap_clear(X86_FEATURE_LAM);
	kvm_cpu_cap_clear(X86_FEATURE_GBPAGES);
	kvm_cpu_cap_clear(X86_FEATURE_MWAIT);
	kvm_cpu_cap_clear(X86_FEATURE_SHSTK);
	kvm_cpu_cap_clear(X86_FEATURE_IBT);
	kvm_cpu_cap_clear(X86_FEATURE_XSAVES);
	/* Their MSRs would be ours to switch. */
	kvm_cpu_cap_clear(X86_FEATURE_SPEC_CTRL);
	kvm_cpu_cap_clear(X86_FEATURE_INTEL_STIBP);
	kvm_cpu_cap_clear(X86_FEATURE_SPEC_CTRL_SSBD);
	kvm_cpu_cap_clear(X86_FEATURE_INTEL_PSFD);
	kvm_cpu_cap_clear(X86_FEATURE_IPRED_CTRL);
	kvm_cpu_cap_clear(X86_FEATURE_RRSBA_CTRL);
	kvm_cpu_cap_clear(X86_FEATURE_DDPD_U);
	kvm_cpu_cap_clear(X86_FEATURE_BHI_CTRL);
	kvm_cpu_cap_clear(X86_FEATURE_AMD_IBRS);
	kvm_cpu_cap_clear(X86_FEATURE_AMD_STIBP);
	kvm_cpu_cap_clear(X86_FEATURE_AMD_STIBP_ALWAYS_ON);
	kvm_cpu_cap_clear(X86_FEATURE_AMD_SSBD);
	kvm_cpu_cap_clear(X86_FEATURE_AMD_PSFD);
	kvm_cpu_cap_clear(X86_FEATURE_VIRT_SSBD);
	kvm_cpu_cap_clear(X86_FEATURE_AUTOIBRS);
	kvm_cpu_cap_clear(X86_FEATURE_XFD);
	kvm_cpu_cap_clear(X86_FEATURE_AMX_TILE);
	kvm_cpu_cap_clear(X86_FEATURE_AMX_INT8);
	kvm_cpu_cap_clear(X86_FEATURE_AMX_BF16);
	kvm_cpu_cap_clear(X86_FEATURE_AMX_FP16);
	kvm_cpu_cap_clear(X86_FEATURE_AMX_COMPLEX);
	kvm_cpu_cap_clear(X86_FEATURE_SGX);
	kvm_cpu_cap_clear(X86_FEATURE_SGX_LC);
	kvm_cpu_cap_clear(X86_FEATURE_SGX1);
	kvm_cpu_cap_clear(X86_FEATURE_SGX2);
	kvm_cpu_cap_clear(X86_FEATURE_SGX_EDECCSSA);
	kvm_cpu_cap_clear(X86_FEATURE_BUS_LOCK_DETECT);
	kvm_cpu_cap_clear(X86_FEATURE_PDCM);
	kvm_cpu_cap_clear(X86_FEATURE_PERFMON_V2);
	/* The TSC is the host's: another one after a migration. */
	kvm_cpu_cap_clear(X86_FEATURE_TSC_ADJUST);
	kvm_cpu_cap_clear(X86_FEATURE_CONSTANT_TSC);
	kvm_caps.supported_xcr0 &= ~(XFEATURE_MASK_PKRU | XFEATURE_MASK_XTILE |
				     XFEATURE_MASK_BNDREGS | XFEATURE_MASK_BNDCSR);
	kvm_caps.supported_xss = 0;
	kvm_caps.supported_perf_cap = 0;
}

static __init int hardware_setup(void)
{
	int ret = window_init();

	if (ret)
		return ret;
	kvm_enable_efer_bits(EFER_NX);
	efer_slot = kvm_add_user_return_msr(MSR_EFER);
	sysenter_slot = kvm_add_user_return_msr(MSR_IA32_SYSENTER_CS);
	if (efer_slot < 0 || sysenter_slot < 0) {
		pr_err("kvm-vmi: SYSCALL and SYSENTER cannot be closed to guests\n");
		window_exit();
		return -EOPNOTSUPP;
	}
	aux_slot = kvm_add_user_return_msr(MSR_TSC_AUX);
	kvm_caps.max_tsc_scaling_ratio = 1ULL << 32;
	kvm_caps.tsc_scaling_ratio_frac_bits = 32;
	enable_apicv = false;
	enable_pmu = false;
	allow_smaller_maxphyaddr = false;
	/* EPT's format, without accessed and dirty bits: nobody writes into KVM's tables. */
	kvm_mmu_set_ept_masks(false, true);
	kvm_configure_mmu(true, 0, TDP_LEVELS, PG_LEVEL_2M);
	kvm_set_cpu_caps();
	clear_features();
	return 0;
}

static struct kvm_x86_init_ops init_ops __initdata = {
	.hardware_setup = hardware_setup,
	.runtime_ops = &ops,
	.pmu_ops = &pmu_ops,
};

/* What switch.S has is in use as far as Linux uses it. */
static void __init warn_of_predictions(void)
{
	bool untrained = boot_cpu_has(X86_FEATURE_UNRET) || boot_cpu_has(X86_FEATURE_USE_IBPB) ||
			 boot_cpu_has(X86_FEATURE_IBPB_ON_VMEXIT);

	if ((boot_cpu_has_bug(X86_BUG_RETBLEED) || boot_cpu_has_bug(X86_BUG_SRSO)) && !untrained)
		pr_warn("kvm-vmi: this processor has retbleed or SRSO, and Linux does nothing about it, which ring 1 can use against the host: trusted guests only\n");
	if (cpu_smt_possible())
		pr_warn("kvm-vmi: a guest shares a core's predictors with what its sibling runs: nosmt, or trusted guests only\n");
}

/* false: this host cannot, and the log says why. */
static bool __init host_can(void)
{
	static const struct {
		u32 feature;
		const char *why;
	} refused[] = {
		{ X86_FEATURE_FRED, "events of the processor by FRED" },
		{ X86_FEATURE_LA57, "page tables of five levels" },
		{ X86_FEATURE_XENPV, "a paravirtual Xen guest as host" },
	};
	int i;

	if (!boot_cpu_has(X86_FEATURE_NX)) {
		pr_err("kvm-vmi: the processor has no NX bit\n");
		return false;
	}
	/* The host's half is there while the guest runs: its own PTI does not help. */
	if (boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN) && !allow_meltdown) {
		pr_err("kvm-vmi: guests could read the host's memory, this processor has Meltdown (allow_meltdown=1: for trusted ones)\n");
		return false;
	}
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT)) {
		pr_err("kvm-vmi: not supported: encrypted memory\n");
		return false;
	}
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		if (boot_cpu_has(refused[i].feature)) {
			pr_err("kvm-vmi: not supported: %s\n", refused[i].why);
			return false;
		}
	}
	if (boot_cpu_has(X86_FEATURE_VMX) || boot_cpu_has(X86_FEATURE_SVM))
		pr_notice("kvm-vmi: this processor has VT-x or SVM: kvm-intel or kvm-amd is the better choice\n");
	warn_of_predictions();
	return true;
}

static int __init kvm_vmi_init(void)
{
	int ret;

	if (!host_can())
		return -EOPNOTSUPP;
	ret = pool_init();
	if (ret)
		return ret;
	ret = kvm_x86_vendor_init(&init_ops);
	if (ret) {
		pool_exit();
		/* Of another vendor module; modprobe takes EEXIST for ours, and is silent. */
		return ret == -EEXIST ? -EBUSY : ret;
	}
	ret = kvm_init(sizeof(struct vcpu_vmi), __alignof__(struct vcpu_vmi), THIS_MODULE);
	if (ret) {
		kvm_x86_vendor_exit();
		pool_exit();
	}
	return ret;
}

static void __exit kvm_vmi_exit(void)
{
	kvm_exit();
	kvm_x86_vendor_exit();
	pool_exit();
}

module_init(kvm_vmi_init);
module_exit(kvm_vmi_exit);
MODULE_DESCRIPTION("KVM for i386 kernels that speak VMI, without VT-x or SVM");
MODULE_LICENSE("GPL");
