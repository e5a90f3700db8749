// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-vmi's rules as assertions: what "make CHECK=1" in arch/x86_64/kvm-vmi builds into
 * build/kvm-vmi-check/kvm-vmi.ko.  The linker puts __wrap_window_enter() before each
 * window; the module's own sources know nothing of this.  A breach is a warning in the
 * host's log.  Whatever the guest, QEMU or KVM do, besides the rules of ../check/rules.h:
 *
 *	the guest runs in ring 1 or 3, with IOPL 0, interrupts open and no flag of ours
 *	its page tables are the pool's, the host's half and the alias; a page they show
 *	is the ROM's copy, read-only, a shared page of this virtual CPU, or one that KVM
 *	grants; one that KVM took back is gone before long
 *	SYSCALL, SYSENTER, ports and breakpoints lead nowhere into the host
 *	behind the window all is as it was before
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include "ring1.h"
#include "kvm/x86.h"

#define EVERY_TABLES	16	/* windows: all descriptors, and the frames */
#define FEW		64	/* descriptors, for each window */
#define LAST_PFN	(__pa(high_memory) >> PAGE_SHIFT)
#define PATIENCE	(2 * HZ)	/* for what KVM took back; it waits for us */

void __real_window_enter(struct window *w, struct window_cpu *cpu);
void __wrap_window_enter(struct window *w, struct window_cpu *cpu);

static atomic64_t windows, tables, frames, late, breaches;
static struct dentry *file;

/* Frames that KVM grants to the guest whose turn it is. */
static DEFINE_RAW_SPINLOCK(lock);
static unsigned long *granted, *writable;

/* An entry that KVM no longer grants: when that was first seen. */
static struct suspect {
	u64 *slot;
	u64 entry;
	unsigned long since;
} suspects[64];

static void breach(const char *rule, u64 a, u64 b)
{
	atomic64_inc(&breaches);
	pr_err_ratelimited("kvm-vmi: a rule is broken: %s: %llx %llx\n", rule, a, b);
	WARN_ONCE(1, "kvm-vmi: a rule is broken: %s: %llx %llx\n", rule, a, b);
}

static void check_regs(struct regs *regs)
{
	u64 flags = X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |
		    X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF |
		    X86_EFLAGS_OF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC |
		    X86_EFLAGS_ID | X86_EFLAGS_FIXED;

	/* Ring 1 gets at these in QEMU, by IRET; and its POPF and IRET then leave them. */
	flags |= X86_EFLAGS_VIF | X86_EFLAGS_VIP;

	if (((regs->cs & 3) != 1 && (regs->cs & 3) != 3) || (regs->cs & 3) != (regs->ss & 3))
		breach("neither ring 1 nor ring 3", regs->cs, regs->ss);
	if ((regs->flags & ~flags) || !(regs->flags & X86_EFLAGS_IF))
		breach("flags", regs->flags, regs->ip);
	if (regs->ip >> 32 || regs->sp >> 32)
		breach("beyond 4 GiB", regs->ip, regs->sp);
}

static void check_crs(struct window *w, struct vcpu *v)
{
	u64 off = X86_CR4_PVI | X86_CR4_VME | X86_CR4_PCE | X86_CR4_VMXE | X86_CR4_SMAP |
		  X86_CR4_PKE | X86_CR4_CET | X86_CR4_FSGSBASE;
	u64 on = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP | X86_CR0_NE;

	if ((w->guest_cr0 & on) != on || (w->guest_cr0 & (X86_CR0_CD | X86_CR0_NW)))
		breach("CR0", w->guest_cr0, v->cr0);
	if ((w->guest_cr4 & off) || !(w->guest_cr4 & X86_CR4_PAE))
		breach("CR4", w->guest_cr4, v->cr4);
	if ((w->guest_cr3 & PFN_MASK) != __pa(v->pml4))
		breach("CR3", w->guest_cr3, __pa(v->pml4));
}

static void check_ways_in(struct window *w, struct window_cpu *cpu)
{
	struct x86_hw_tss *tss = &this_cpu_ptr(&cpu_tss_rw)->x86_tss;
	u64 val, at[4];
	int i;

	rdmsrl(MSR_EFER, val);
	if (val & EFER_SCE)
		breach("SYSCALL", val, 0);
	rdmsrl(MSR_IA32_SYSENTER_CS, val);
	if (val & 0xffff)
		breach("SYSENTER", val, 0);
	if (tss->io_bitmap_base != IO_BITMAP_OFFSET_INVALID)
		breach("ports", tss->io_bitmap_base, 0);
	for (i = 4; i < 7; i++)
		if (tss->ist[i] - (u64)cpu > PAGE)
			breach("a stack of the window's", i, tss->ist[i]);
	asm volatile("mov %%db0, %0; mov %%db1, %1; mov %%db2, %2; mov %%db3, %3" :
		     "=r" (at[0]), "=r" (at[1]), "=r" (at[2]), "=r" (at[3]));
	for (i = 0; i < 4; i++)
		if ((w->guest_dr7 >> 2 * i & 3) && at[i] >> 32)
			breach("a breakpoint at the host's", i, at[i]);
}

static void grant(u64 pfn, u64 n, bool write)
{
	for (; n--; pfn++) {
		if (pfn >= LAST_PFN)
			continue;
		__set_bit(pfn, granted);
		if (write)
			__set_bit(pfn, writable);
	}
}

static void grant_table(u64 *table, int level)
{
	u64 e, size = 1ULL << (9 * (level - 1));
	int i;

	for (i = 0; i < 512; i++) {
		e = READ_ONCE(table[i]);
		if (!(e & TDP_READ))
			continue;
		if (level == 1 || (e & BIT_ULL(7)))
			grant((e & PFN_MASK) >> PAGE_SHIFT & ~(size - 1), size, e & TDP_WRITE);
		else
			grant_table(__va(e & PFN_MASK), level - 1);
	}
}

/* KVM has just taken it back, and waits for us; or it has forgotten to tell us. */
static void suspect(u64 *slot, u64 entry)
{
	struct suspect *s = &suspects[(u64)slot / 8 % ARRAY_SIZE(suspects)];

	atomic64_inc(&late);
	if (s->slot != slot || s->entry != entry) {
		*s = (struct suspect){ slot, entry, jiffies };
		return;
	}
	if (time_after(jiffies, s->since + PATIENCE))
		breach("a page that KVM does not grant", entry, (u64)slot);
}

static void check_leaf(struct vcpu *v, u64 *slot, u64 entry, u64 n)
{
	struct suspect *s = &suspects[(u64)slot / 8 % ARRAY_SIZE(suspects)];
	u64 pfn = (entry & PFN_MASK) >> PAGE_SHIFT & ~(n - 1);
	u64 rom = __pa(to_kvm_vmi(v)->rom_pages) >> PAGE_SHIFT;
	u64 shared = __pa(v->vmi_page) >> PAGE_SHIFT;

	atomic64_inc(&frames);
	if (n == 1 && pfn - shared < SH_PAGES)
		return;
	if (n == 1 && pfn - rom < 2 && !(entry & PTE_W))
		return;
	for (; n--; pfn++) {
		if (!pfn_valid(pfn) || PageSlab(pfn_to_page(pfn)) ||
		    PageTable(pfn_to_page(pfn))) {
			breach("a page of the host's", pfn, entry);
			return;
		}
		if (pfn >= LAST_PFN || !test_bit(pfn, granted) ||
		    ((entry & PTE_W) && !test_bit(pfn, writable))) {
			suspect(slot, entry);
			return;
		}
	}
	if (s->slot == slot)
		s->slot = NULL;
}

static void check_table(struct vcpu *v, u64 e)
{
	struct spage *s = spage_of(v, e);

	if (!s || s->table != table_virt(e & PFN_MASK))
		breach("a table that is not the pool's", e, 0);
}

#include "rules.h"

static void check_tables(struct vcpu *v, u32 n)
{
	u32 ours = MON_CS / 8, ldt = MON_LDT / 8;

	check_descriptors(v->real_gdt, 0, min(n, ours));
	check_descriptors(v->real_ldt, 0, n);
	check_descriptors(v->real_gdt, ours + 1, ldt);
	check_descriptors(v->real_gdt, ldt + 2, 8192);
	if (v->real_gdt[ours] != 0x00af9b000000ffff)
		breach("our CS", v->real_gdt[ours], 0);
	if (desc_base(v->real_gdt[ldt]) != (u32)(u64)v->real_ldt ||
	    v->real_gdt[ldt + 1] != (u64)v->real_ldt >> 32 ||
	    (v->real_gdt[ldt] >> 40 & 0x9f) != 0x82)
		breach("the LDT", v->real_gdt[ldt], v->real_gdt[ldt + 1]);
}

/* What of the address space is not the guest's. */
static void check_host_half(struct vcpu *v)
{
	u64 *pgd = __va(read_cr3_pa());
	int i;

	if ((v->pml4[ALIAS_ENTRY] & PFN_MASK) != __pa(to_vmi(v)->alias) ||
	    (v->pml4[ALIAS_ENTRY] & PTE_U))
		breach("the alias", v->pml4[ALIAS_ENTRY], 0);
	for (i = 256; i < 512; i++)
		if ((v->pml4[i] ^ pgd[i]) & ~(PTE_A | PTE_D))
			breach("the host's half", i, v->pml4[i]);
}

static void check_frames(struct vcpu_vmi *vmi)
{
	if (!VALID_PAGE(vmi->root))
		return;
	raw_spin_lock(&lock);
	memset(granted, 0, BITS_TO_LONGS(LAST_PFN) * sizeof(long));
	memset(writable, 0, BITS_TO_LONGS(LAST_PFN) * sizeof(long));
	grant_table(__va(vmi->root & PFN_MASK), vmi->root_level);
	check_shadows(&vmi->ring1);
	raw_spin_unlock(&lock);
}

static void check_host(struct window *w)
{
	struct desc_ptr d;
	u64 val;

	if (read_cr0() != w->host_cr0)
		breach("the host's CR0", read_cr0(), w->host_cr0);
	if (native_read_cr4() != w->host_cr4)
		breach("the host's CR4", native_read_cr4(), w->host_cr4);
	if (__native_read_cr3() != (w->host_cr3 & ~X86_CR3_PCID_NOFLUSH))
		breach("the host's CR3", __native_read_cr3(), w->host_cr3);
	native_store_gdt(&d);
	if (d.address != w->host_gdt.address || d.size != w->host_gdt.size)
		breach("the host's GDT", d.address, d.size);
	store_idt(&d);
	if (d.address != w->host_idt.address || d.size != w->host_idt.size)
		breach("the host's IDT", d.address, d.size);
	rdmsrl(MSR_GS_BASE, val);
	if (val != w->gs_base)
		breach("the host's GS", val, w->gs_base);
	if (native_save_fl() & (X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC | X86_EFLAGS_NT |
				X86_EFLAGS_IOPL))
		breach("the host's flags", native_save_fl(), 0);
}

/* In place of window_enter(), with interrupts off, and RCU not watching. */
noinstr void __wrap_window_enter(struct window *w, struct window_cpu *cpu)
{
	struct vcpu_vmi *vmi;
	u64 n;

	instrumentation_begin();
	vmi = vcpu_to_vmi(kvm_get_running_vcpu());
	n = atomic64_inc_return(&windows);
	check_regs(&w->regs);
	check_crs(w, &vmi->ring1);
	check_root(&vmi->ring1, ALIAS_ENTRY + 1);
	check_host_half(&vmi->ring1);
	check_ways_in(w, cpu);
	check_tables(&vmi->ring1, n % EVERY_TABLES ? FEW : 8192);
	if (n % EVERY_TABLES == 0) {
		atomic64_inc(&tables);
		check_frames(vmi);
	}
	instrumentation_end();
	__real_window_enter(w, cpu);
	instrumentation_begin();
	check_host(w);
	instrumentation_end();
}

static int checks_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "checks: %lld windows, %lld with all tables, %lld frames, %lld of them late, %lld breaches\n",
		   atomic64_read(&windows), atomic64_read(&tables), atomic64_read(&frames),
		   atomic64_read(&late), atomic64_read(&breaches));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(checks);

int __real_window_init(void);
int __wrap_window_init(void);
void __real_window_exit(void);
void __wrap_window_exit(void);

int __wrap_window_init(void)
{
	granted = vcalloc(BITS_TO_LONGS(LAST_PFN), sizeof(long));
	writable = vcalloc(BITS_TO_LONGS(LAST_PFN), sizeof(long));
	if (!granted || !writable)
		return -ENOMEM;
	file = debugfs_create_file("kvm-vmi-checks", 0444, NULL, NULL, &checks_fops);
	return __real_window_init();
}

void __wrap_window_exit(void)
{
	__real_window_exit();
	debugfs_remove(file);
	vfree(granted);
	vfree(writable);
}
