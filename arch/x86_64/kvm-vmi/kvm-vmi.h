/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VMI_H
#define KVM_VMI_H

/*
 * One guest and its virtual CPUs, as KVM and as the ring-1 core see them.  In this
 * directory vcpu is KVM's, vmi ours and v the core's; in the core's own vcpu is that.
 */

#include <linux/kvm_host.h>
#include "window.h"

struct kvm_vmi {
	struct kvm kvm;
	struct mutex rom_lock;	/* of who changes it; who reads may see it half done */
	struct rom rom;
	u8 *rom_pages;		/* where rom.copy is: whole pages of the guest's */
	bool has_debugfs;	/* pool_debugfs() */
	bool tsc_brought;	/* QEMU has set it: write_tsc_offset() */
	struct vcpu *vcpus[MAX_CPUS];	/* as in KVM's array, those that have run */
};

#define ROM_PAGES	2

/* saved.c: of a virtual CPU, in the guest's RAM. */
struct saved {
	u32 vmi;		/* 1: after vmi_init */
	u32 linear;		/* of the ROM */
	u32 direct_end, ss0, esp0, known;
	/* Another CPU writes this: SetInitialAPState. */
	u32 ap_valid;		/* 1: it waits to be started so */
	struct vmi_ap_state ap;
	u64 stolen;		/* ns */
};

/* Why the guest was left. */
enum exit {
	EXIT_NONE,		/* nothing to be done: KVM looks at its requests */
	EXIT_EMULATE,		/* it cannot run in ring 1 now */
	EXIT_TRAP,		/* window.regs.vec says which */
	EXIT_PAGE_FAULT,	/* the guest's own */
	EXIT_NESTED,		/* a page that KVM has to bring, or a device's */
	EXIT_IRQ,		/* of the host's */
	EXIT_BAD,		/* its segments could not be loaded */
	EXIT_LOST,		/* a machine check came when its registers were nowhere */
	EXIT_STOP,		/* it was started with registers that cannot be */
	EXIT_HOST_WAITS,	/* a page of the host's own is not there, says its host */
};

/* 2 MB of the guest's memory, as KVM has it. */
struct region {
	u64 tag;		/* its number, and 1; 0: none */
	u64 *table;		/* of its pages */
	u64 entry;		/* or NULL: that of just this size */
	unsigned long ram[8];	/* pages of which tdp_is_ram() has been seen */
};

#define TDP_REGIONS	128	/* to remember; emptied as shadows are */

struct vcpu_vmi {
	struct kvm_vcpu vcpu;
	struct vcpu ring1;	/* the core's; its registers are kept in step */
	struct window *window;
	u64 *alias;		/* tables of WINDOW_ALIAS */
	unsigned long dr7;	/* that KVM wants in force */

	/* What KVM's emulator and QEMU see; selectors have the guest's own RPL. */
	struct kvm_segment seg[8];
	unsigned long rflags;
	u32 shadow;		/* the instruction before was STI or a load of SS */
	bool tables_dirty;	/* GDT or LDT: to be copied anew */
	struct table_reg idt_was[2];	/* that and the one before, see note_idt() */
	bool irq_window, nmi_window;
	bool registers_set;	/* by QEMU: see follow_registers() */
	struct saved saved;	/* what is in the guest's RAM */
	u64 ap_states;		/* SetInitialAPState: calls that are in there, too */
	bool halt;		/* the guest's HLT, still to be done */
	const char *refused;	/* why it cannot go on */
	bool spinning;		/* in SpinWait: SpinKick has to wake it */
	bool bad_start;		/* ring1.stop says why */
	u64 star, tsc_aux;

	/* Stolen time, in ns, and whose waiting for a processor was counted how far. */
	u64 stolen, waited;
	u64 waiter;		/* when that thread was started, which none has in common */

	/* The paging that the shadows were made for. */
	u32 paging_cr0, paging_cr3, paging_cr4;

	/* KVM's table, guest-physical to machine. */
	hpa_t root;
	int root_level;
	struct region regions[TDP_REGIONS];
	struct nested {
		bool pending;
		bool no_ram;	/* KVM has the page, and it is none for us: tdp_is_ram() */
		u64 gpa, error;
	} nested;

	/* Pages of shadows: pool.c. */
	struct list_head pool;	/* of all that have some */
	bool pages_asked;	/* the host wants some back */
	bool pages_short;	/* there was none, with interrupts off */

	bool irqs_off;		/* in the loop: guest_read() and _write() must not sleep */
	enum exit exit;
	u32 exit_cr2, exit_pfec;
};

static __always_inline struct vcpu_vmi *to_vmi(struct vcpu *v)
{
	return container_of(v, struct vcpu_vmi, ring1);
}

static inline struct vcpu_vmi *vcpu_to_vmi(struct kvm_vcpu *vcpu)
{
	return container_of(vcpu, struct vcpu_vmi, vcpu);
}

static __always_inline struct kvm_vmi *to_kvm_vmi(struct vcpu *v)
{
	return container_of(to_vmi(v)->vcpu.kvm, struct kvm_vmi, kvm);
}

/* QEMU's debugger steps: TF is not the guest's. */
static inline bool stepping(struct vcpu_vmi *vmi)
{
	return vmi->vcpu.guest_debug & KVM_GUESTDBG_SINGLESTEP;
}

/* tdp.c */
#define TDP_LEVELS	4
#define TDP_BITS	48		/* of an address that they are enough for */
#define TDP_READ	BIT_ULL(0)
#define TDP_WRITE	BIT_ULL(1)
#define TDP_EXEC	BIT_ULL(2)
#define TDP_RAM		BIT_ULL(3)	/* not KVM's: what tdp_entry() found */
#define TDP_TAG(gpa)	((gpa) >> 21 << 1 | 1)

static __always_inline struct region *region_of(struct vcpu_vmi *vmi, u64 gpa)
{
	return &vmi->regions[gpa >> 21 & (TDP_REGIONS - 1)];
}

/* tdp_entry(), where all of it is remembered; else 0. */
static __always_inline u64 tdp_at_hand(struct vcpu_vmi *vmi, u64 gpa)
{
	struct region *r = region_of(vmi, gpa);
	u32 i = gpa >> 12 & 511;
	u64 entry;

	if (r->tag != TDP_TAG(gpa))
		return 0;
	if (!r->table)
		return r->entry & TDP_RAM ? r->entry + i * PAGE_SIZE : 0;
	entry = READ_ONCE(r->table[i]);
	return (entry & TDP_READ) && (r->ram[i / 64] >> i % 64 & 1) ? entry | TDP_RAM : 0;
}

u64 tdp_entry(struct vcpu_vmi *vmi, u64 gpa);
u64 tdp_large(struct vcpu_vmi *vmi, u64 gpa);
void tdp_forget(struct vcpu_vmi *vmi);
bool tdp_translate(struct vcpu_vmi *vmi, u64 gpa, u32 access, u64 kind, u64 *hpa);

/* rom.c */
#define OTHER_VERSION	"its ROM is of another version of kvm-vmi"
u32 find_rom(struct kvm_vcpu *vcpu);
bool rom_is_foreign(struct vcpu *v, u32 gva);
bool rom_shares(struct vcpu *v, u32 phys, u32 *shared);
bool rom_finish(struct vcpu *v, u32 phys, u32 gva);

/* saved.c */
void save_state(struct vcpu_vmi *vmi);
int follow_registers(struct vcpu_vmi *vmi);

/* state.c */
struct regs *regs_from_kvm(struct vcpu_vmi *vmi);
struct regs *regs_for_event(struct vcpu_vmi *vmi);
void regs_to_kvm(struct vcpu_vmi *vmi);
bool sync_tables(struct vcpu_vmi *vmi);
void note_idt(struct vcpu_vmi *vmi);
void data_segments_to_kvm(struct vcpu_vmi *vmi);
bool can_run(struct vcpu_vmi *vmi);
const char *unfit(struct vcpu_vmi *vmi);
void vmi_get_segment(struct kvm_vcpu *vcpu, struct kvm_segment *s, int seg);
void vmi_set_segment(struct kvm_vcpu *vcpu, struct kvm_segment *s, int seg);
u64 vmi_get_segment_base(struct kvm_vcpu *vcpu, int seg);
int vmi_get_cpl(struct kvm_vcpu *vcpu);
void vmi_get_idt(struct kvm_vcpu *vcpu, struct desc_ptr *d);
void vmi_set_idt(struct kvm_vcpu *vcpu, struct desc_ptr *d);
void vmi_get_gdt(struct kvm_vcpu *vcpu, struct desc_ptr *d);
void vmi_set_gdt(struct kvm_vcpu *vcpu, struct desc_ptr *d);
unsigned long vmi_get_rflags(struct kvm_vcpu *vcpu);
void vmi_set_rflags(struct kvm_vcpu *vcpu, unsigned long rflags);
void vmi_set_cr0(struct kvm_vcpu *vcpu, unsigned long cr0);
void vmi_set_cr4(struct kvm_vcpu *vcpu, unsigned long cr4);
int vmi_set_efer(struct kvm_vcpu *vcpu, u64 efer);
void vmi_after_set_cpuid(struct kvm_vcpu *vcpu);
int vmi_get_msr(struct kvm_vcpu *vcpu, struct msr_data *msr);
int vmi_set_msr(struct kvm_vcpu *vcpu, struct msr_data *msr);
void vmi_vcpu_reset(struct kvm_vcpu *vcpu, bool init_event);

/* run.c */
int window_init(void);
void window_exit(void);
int window_enable_cpu(void);
int window_create(struct vcpu_vmi *vmi);
void window_free(struct vcpu_vmi *vmi);
u32 vmi_exit_reason(struct vcpu_vmi *vmi);
fastpath_t vmi_vcpu_run(struct kvm_vcpu *vcpu, u64 run_flags);
void vmi_handle_exit_irqoff(struct kvm_vcpu *vcpu);

/* pool.c */
int pool_init(void);
void pool_exit(void);
int pool_create(struct vcpu_vmi *vmi);
void pool_free(struct vcpu_vmi *vmi);
void pool_balance(struct vcpu_vmi *vmi);
void pool_unblocking(struct kvm_vcpu *vcpu);
void pool_debugfs(struct kvm *kvm);

/* exit.c */
int vmi_handle_exit(struct kvm_vcpu *vcpu, fastpath_t fastpath);
bool at_int3(struct vcpu_vmi *vmi);
int vmi_complete_msr(struct kvm_vcpu *vcpu, int err);
void system_segments_to_kvm(struct vcpu_vmi *vmi);

/* smp.c */
bool speaks_vmi(struct vcpu *v);
void vmi_deliver_sipi(struct kvm_vcpu *vcpu, u8 vector);

/* stop.c */
int vmi_stop(struct vcpu_vmi *vmi, const char *why);
bool vmi_gave_up(struct vcpu_vmi *vmi);

/* event.c */
void vmi_inject_irq(struct kvm_vcpu *vcpu, bool reinjected);
void vmi_inject_nmi(struct kvm_vcpu *vcpu);
void vmi_inject_exception(struct kvm_vcpu *vcpu);
void vmi_cancel_injection(struct kvm_vcpu *vcpu);
int vmi_interrupt_allowed(struct kvm_vcpu *vcpu, bool for_injection);
int vmi_nmi_allowed(struct kvm_vcpu *vcpu, bool for_injection);
bool vmi_get_nmi_mask(struct kvm_vcpu *vcpu);
void vmi_set_nmi_mask(struct kvm_vcpu *vcpu, bool masked);
void vmi_enable_nmi_window(struct kvm_vcpu *vcpu);
void vmi_enable_irq_window(struct kvm_vcpu *vcpu);
void events_to_rom(struct vcpu_vmi *vmi);

#endif
