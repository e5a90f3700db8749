// SPDX-License-Identifier: GPL-2.0-only
/* The processor's own tables: GDT, IDT, TSS; and what the processor can do. */
#include "mon.h"

struct idt_gate {
	u16 off0, sel;
	u8 ist, type;
	u16 off1;
	u32 off2, zero;
} __packed;

static struct idt_gate idt[256];
bool cpu_has_nx;
u32 cr4_own = CR4_PAE | CR4_PGE;
u32 cr4_missing = CR4_SMEP | CR4_UMIP;
u64 reserved_bits;

void cpu_features(void)
{
	u32 a, b, c, d, max;

	cpuid(0, 0, &max, &b, &c, &d);
	/* Asked, not tried: QEMU before 8.0 hangs where the processor faults. */
	cpuid(1, 0, &a, &b, &c, &d);
	cr4_missing |= c >> 26 & 1 ? 0 : CR4_OSXSAVE;
	if (d & 1 << 7)
		cr4_own |= CR4_MCE;	/* or a machine check would be a reset */
	cpuid(0x80000001, 0, &a, &b, &c, &d);
	cpu_has_nx = d >> 20 & 1;
	cpuid(0x80000008, 0, &a, &b, &c, &d);
	reserved_bits = ~PTE_NX & ~((1UL << (a & 0xff)) - 1);
	if (max >= 7) {
		cpuid(7, 0, &a, &b, &c, &d);
		if (c & 1 << 2) {
			cr4_own |= CR4_UMIP;
			cr4_missing &= ~CR4_UMIP;
		}
		cr4_missing &= b >> 7 & 1 ? ~CR4_SMEP : ~0u;
	}
}

static void set_gate(u32 vec, u32 dpl, u32 ist)
{
	u64 addr = (u64)vector_stubs + 16 * vec;

	idt[vec] = (struct idt_gate){
		.off0 = addr, .sel = MON_CS, .ist = ist, .type = 0x8e | dpl << 5,
		.off1 = addr >> 16, .off2 = addr >> 32,
	};
}

/* INT n of programs: what is not of DPL 3 here raises #GP and is sorted out there. */
void idt_init(void)
{
	u32 i;

	for (i = 0; i < 256; i++)
		set_gate(i, 0, 0);
	/*
	 * A stack of its own for what may come of a stack that is full; all else uses
	 * the one that is there, as below that nothing can be overwritten.
	 */
	set_gate(X_DF, 0, 1);
	set_gate(X_BP, 3, 0);
	set_gate(X_OF, 3, 0);
	set_gate(0x80, 3, 0);
	set_gate(HYPERCALL_VECTOR, 1, 0);
	idt[0x80].off0 = (u64)syscall_stub;
	idt[0x80].off1 = (u64)syscall_stub >> 16;
}

_Static_assert(offsetof(struct vcpu, vmi_page) == V_PAGE &&
	       offsetof(struct vcpu, fast_ip) == V_FAST_IP &&
	       offsetof(struct vcpu, fast_cs) == V_FAST_CS &&
	       offsetof(struct vcpu, fast_vif) == V_FAST_VIF &&
	       offsetof(struct vcpu, fast_ss) == V_FAST_SS &&
	       offsetof(struct vcpu, events) == V_EVENTS &&
	       offsetof(struct vcpu, count) == V_COUNT, "layout.h, V_*");
_Static_assert(offsetof(struct shared, vif) == SH_VIF &&
	       offsetof(struct shared, ss0) == SH_SS0 &&
	       offsetof(struct shared, service) == SH_SERVICE &&
	       offsetof(struct shared, ring) == SH_RING &&
	       sizeof(struct shared) == PAGE, "layout.h, SH_*");

static void set_system_desc(u64 *d, u64 type_limit, u64 base)
{
	d[0] = type_limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	d[1] = base >> 32;
}

/* A call gate of long mode, for ring 1. */
static void set_call_gate(u64 *d, u64 to)
{
	d[0] = (to & 0xffff) | (u64)MON_CS << 16 | 0xac00UL << 32 | (to >> 16 & 0xffff) << 48;
	d[1] = to >> 32;
}

/* The pages of a CPU. */
struct vcpu *vcpu_create(u32 id)
{
	struct vcpu *vcpu = alloc_pages((sizeof(*vcpu) + PAGE - 1) / PAGE);
	u64 tss, gva = TSS_BASE + (u64)id * TSS_WINDOW;

	vcpu->id = id;
	set_efer(vcpu, 0);
	vcpu->real_gdt = alloc_pages(16);
	vcpu->real_ldt = alloc_pages(16);
	vcpu->tss_page = alloc_pages(1);
	vcpu->vmi_page = alloc_pages(SH_PAGES);
	vcpu->sh = alloc_pages(1);
	/* Never what fast_ss is when nothing is known; entry.S looks at the page that is to be. */
	vcpu->vmi_page->ss0 = 1;
	vcpu->sh->ss0 = 1;
	map_tss_window(vcpu);
	map_alias(vcpu, alloc_pages(1));

	tss = (u64)vcpu->tss_page + PAGE - TSS_SIZE;
	vcpu->stack_top = map_stack(vcpu, 2 * id);
	*(u64 *)(tss + 0x04) = (u64)vcpu->stack_top;
	*(u64 *)(tss + 0x24) = (u64)map_stack(vcpu, 2 * id + 1);
	*(u16 *)(tss + TSS_IOMAP) = IOMAP_CLOSED;

	vcpu->real_gdt[MON_CS / 8] = 0x00209b0000000000;
	set_system_desc(&vcpu->real_gdt[MON_TR / 8], 0x0000890000000000 | (TSS_SIZE + 2 * PAGE),
			gva + PAGE - TSS_SIZE);
	set_system_desc(&vcpu->real_gdt[MON_LDT / 8], 0x000082000000ffff, (u64)vcpu->real_ldt);
	set_call_gate(&vcpu->real_gdt[MON_GATE / 8], (u64)call_gate);
	set_call_gate(&vcpu->real_gdt[MON_FILL_GATE / 8], (u64)fill_gate);
	set_call_gate(&vcpu->real_gdt[MON_SHORT_GATE / 8], (u64)short_gate);
	vcpu->cr0 = CR0_PE | CR0_ET;
	vcpus[id] = vcpu;
	nr_cpus = id + 1;
	return vcpu;
}

/* Make this processor @vcpu's. */
void cpu_load_tables(struct vcpu *vcpu)
{
	struct desc_ptr gdtr = { 0xffff, (u64)vcpu->real_gdt };
	struct desc_ptr idtr = { sizeof(idt) - 1, (u64)idt };

	vcpu->real_gdt[MON_TR / 8] &= ~(2UL << 40);	/* not busy */
	asm volatile("lgdt %0\n\tlidt %1" : : "m" (gdtr), "m" (idtr));
	asm volatile("pushq %0\n\tpushq $1f\n\tlretq\n1:" : : "i" ((u64)MON_CS) : "memory");
	asm volatile("ltr %w0\n\tlldt %w1" : : "r" (MON_TR), "r" (0));
	asm volatile("movl %0, %%ss\n\tmovl %0, %%ds\n\tmovl %0, %%es" : : "r" (0));
	/* What ran before us may have left a way into ring 0. */
	wrmsr(MSR_SYSENTER_CS, 0);
	write_msr_safe(MSR_PAT, PAT_RESET);
	wrmsr(MSR_EFER, (rdmsr(MSR_EFER) & ~(u64)EFER_SCE) | (cpu_has_nx ? EFER_NX : 0));
	write_cr0(CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_ET | CR0_MP);
	write_cr4(cr4_own);
	trap_cpuid();
}

/* Selector of the segment register with this number. */
u16 get_sreg(struct vcpu *vcpu, struct regs *regs, u32 n)
{
	u32 es, ds, fs, gs;

	asm volatile("movl %%es, %0\n\tmovl %%ds, %1\n\tmovl %%fs, %2\n\tmovl %%gs, %3"
		     : "=r" (es), "=r" (ds), "=r" (fs), "=r" (gs));
	return ((u16[]){ es, regs->cs, regs->ss, ds, fs, gs, 0, 0 })[n & 7];
}
