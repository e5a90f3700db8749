// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module outside of the kernel's tree that uses sensitive instructions by
 * the kernel's own wrappers, and checks what they do.  Where the kernel has
 * VMI, each use is a site that is patched when the module loads.
 *
 * Loading fails with EIO when a check does.  debugfs vmi_selftest/ has the
 * number of checks, the address of the module's code and a copy of it as it
 * runs, in which userland/module.c looks at the sites.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <asm/cpuid.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/i8259.h>
#include <asm/irq_vectors.h>
#include <asm/msr.h>
#include <asm/pgtable.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

/* Repetitions that a test in userland can find in the ROM's counters. */
#define SELFTEST_LOOPS	100

static u32 checks, failures;

static bool pic;
module_param(pic, bool, 0);
MODULE_PARM_DESC(pic, "set up the 8259s anew; the timer must be periodic");
static bool crash;
module_param(crash, bool, 0);
MODULE_PARM_DESC(crash, "panic in an interrupt, on the last processor");
static bool pinning;
module_param(pinning, bool, 0);
MODULE_PARM_DESC(pinning, "take CR0.WP away; the kernel warns and keeps it");

static void check(bool ok, const char *what)
{
	checks++;
	if (ok)
		return;
	failures++;
	pr_err("%s: wrong\n", what);
}

static noinline void selftest_irq(void)
{
	unsigned long outer, inner;

	check(!irqs_disabled(), "interrupts are on");
	local_irq_save(outer);
	check(irqs_disabled(), "local_irq_save");
	local_irq_save(inner);
	local_irq_restore(inner);
	check(irqs_disabled(), "local_irq_restore, inner");
	local_irq_restore(outer);
	check(!irqs_disabled(), "local_irq_restore, outer");
	local_irq_disable();
	check(irqs_disabled(), "local_irq_disable");
	local_irq_enable();
	check(!irqs_disabled(), "local_irq_enable");
}

/* HLT ends with an interrupt: the timer ticks while a process runs. */
static noinline void selftest_halt(void)
{
	local_irq_disable();
	raw_safe_halt();
	check(!raw_irqs_disabled(), "safe_halt");
}

static noinline void selftest_tsc(void)
{
	u64 last = rdtsc(), now;
	unsigned int i;
	bool forward = true;

	preempt_disable();
	for (i = 0; i < SELFTEST_LOOPS; i++) {
		now = rdtsc();
		forward &= now >= last;
		last = now;
	}
	preempt_enable();
	check(forward, "rdtsc");
	check(last, "rdtsc is not zero");
}

static noinline void selftest_cpuid(void)
{
	u32 eax, ebx, ecx, edx;
	char vendor[12];
	unsigned int i;
	bool same = true;

	for (i = 0; i < SELFTEST_LOOPS; i++) {
		cpuid(0, &eax, &ebx, &ecx, &edx);
		memcpy(vendor, &ebx, 4);
		memcpy(vendor + 4, &edx, 4);
		memcpy(vendor + 8, &ecx, 4);
		same &= !memcmp(vendor, boot_cpu_data.x86_vendor_id, 12);
	}
	check(same, "vendor of cpuid 0");
	check(cpuid_edx(1) & 1, "FPU of cpuid 1");
}

static noinline void selftest_control_registers(void)
{
	unsigned long cr0 = read_cr0(), cr4 = __read_cr4();
	unsigned long pgd;

	check((cr0 & (X86_CR0_PE | X86_CR0_WP | X86_CR0_PG)) ==
	      (X86_CR0_PE | X86_CR0_WP | X86_CR0_PG), "CR0");
	check(!!(cr4 & X86_CR4_PAE) == IS_ENABLED(CONFIG_X86_PAE), "CR4");
	preempt_disable();
	pgd = read_cr3_pa();
	check(pgd == __pa(current->active_mm->pgd), "CR3");
	preempt_enable();
	/* Nobody uses it between a fault and the end of its handler. */
	local_irq_disable();
	write_cr2(0x12345678);
	check(read_cr2() == 0x12345678, "CR2");
	local_irq_enable();
}

/* An address that DR7 does not turn on is harmless, and nobody's. */
static noinline void selftest_debug_registers(void)
{
	unsigned long value;

	preempt_disable();
	get_debugreg(value, 7);
	if (!(value & 0xff)) {
		set_debugreg(0x55667788, 0);
		get_debugreg(value, 0);
		check(value == 0x55667788, "DR0");
		set_debugreg(0, 0);
	}
	preempt_enable();
}

static noinline void selftest_msr(void)
{
	bool nx;
	u64 efer;

	rdmsrl(MSR_EFER, efer);
	/* Page tables of two levels have no such bit. */
	nx = IS_ENABLED(CONFIG_X86_PAE) && boot_cpu_has(X86_FEATURE_NX);
	check(!!(efer & EFER_NX) == nx, "EFER");
	check(!rdmsrl_safe(MSR_EFER, &efer), "rdmsrl_safe");
	/* Reserved bits where the CPU has SVM, no such register where not. */
	check(wrmsrl_safe(MSR_VM_HSAVE_PA, 0xfff) == -EIO, "wrmsrl_safe that faults");
}

static noinline void selftest_descriptors(void)
{
	struct desc_ptr idt;
	unsigned long tr;

	preempt_disable();
	store_idt(&idt);
	store_tr(tr);
	check(idt.size == IDT_ENTRIES * sizeof(gate_desc) - 1, "limit of the IDT");
	check((tr & 0xffff) >> 3 == GDT_ENTRY_TSS, "task register");
	preempt_enable();
}

static bool can_write(u32 *p, u32 value)
{
	__put_kernel_nofault(p, &value, u32, failed);
	return true;
failed:
	return false;
}

/* Takes the right to write from a page of its own, and gives it back. */
static noinline void selftest_page_table(void)
{
	u32 *p = vmalloc(PAGE_SIZE);
	unsigned int level;
	pte_t *ptep, old;

	if (!p)
		return;
	*p = 1;
	ptep = lookup_address((unsigned long)p, &level);
	check(ptep && level == PG_LEVEL_4K, "lookup_address");
	if (ptep && level == PG_LEVEL_4K) {
		preempt_disable();
		old = *ptep;
		set_pte(ptep, pte_wrprotect(old));
		__flush_tlb_all();
		check(!can_write(p, 2), "write to a read-only page");
		check(*p == 1, "read of a read-only page");
		set_pte(ptep, old);
		__flush_tlb_all();
		check(can_write(p, 3), "write to a writable page");
		check(*p == 3, "read of a writable page");
		preempt_enable();
	}
	vfree(p);
}

/*
 * Set up the 8259s as Linux did, but slowly: an interrupt that comes between the
 * words must wait until they are complete, and interrupts are on again.
 */
static noinline void selftest_8259(void)
{
	u8 master = inb(PIC_MASTER_IMR), slave = inb(PIC_SLAVE_IMR);
	unsigned long flags;

	local_irq_save(flags);
	outb(0x11, PIC_MASTER_CMD);
	mdelay(3 * MSEC_PER_SEC / HZ);
	outb(ISA_IRQ_VECTOR(0), PIC_MASTER_IMR);
	outb(BIT(PIC_CASCADE_IR), PIC_MASTER_IMR);
	outb(MASTER_ICW4_DEFAULT, PIC_MASTER_IMR);
	outb(0x11, PIC_SLAVE_CMD);
	outb(ISA_IRQ_VECTOR(8), PIC_SLAVE_IMR);
	outb(PIC_CASCADE_IR, PIC_SLAVE_IMR);
	outb(SLAVE_ICW4_DEFAULT, PIC_SLAVE_IMR);
	outb(master, PIC_MASTER_IMR);
	outb(slave, PIC_SLAVE_IMR);
	local_irq_restore(flags);
	check(inb(PIC_MASTER_IMR) == master, "8259: mask");
}

static void crash_now(void *unused)
{
	panic("crash in an interrupt");
}

/* Linux pins the bit, also where a host writes the register. */
static noinline void selftest_pinning(void)
{
	unsigned long cr0 = read_cr0();

	write_cr0(cr0 & ~X86_CR0_WP);
	check(read_cr0() & X86_CR0_WP, "CR0.WP, pinned");
	write_cr0(cr0);
}

static void __init selftest_in_init_section(void)
{
	unsigned long flags;

	local_irq_save(flags);
	check(irqs_disabled(), "local_irq_save in the init section");
	local_irq_restore(flags);
	check(!irqs_disabled(), "local_irq_restore in the init section");
}

static struct dentry *dir;
static struct debugfs_blob_wrapper code;
static u32 code_address;

static int __init selftest_init(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	const struct module_layout *text = &THIS_MODULE->core_layout;
	const u32 size = text->text_size;
#else
	const struct module_memory *text = &THIS_MODULE->mem[MOD_TEXT];
	const u32 size = text->size;
#endif

	selftest_irq();
	selftest_halt();
	selftest_tsc();
	selftest_cpuid();
	selftest_control_registers();
	selftest_debug_registers();
	selftest_msr();
	selftest_descriptors();
	selftest_page_table();
	selftest_in_init_section();
	if (pic)
		selftest_8259();
	if (pinning)
		selftest_pinning();
	if (crash)
		smp_call_function_single(cpumask_last(cpu_online_mask), crash_now, NULL, 1);
	if (failures)
		return -EIO;

	code.data = kmemdup(text->base, size, GFP_KERNEL);
	if (!code.data)
		return -ENOMEM;
	code.size = size;
	code_address = (unsigned long)text->base;
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_u32("checks", 0400, dir, &checks);
	debugfs_create_u32("address", 0400, dir, &code_address);
	debugfs_create_blob("code", 0400, dir, &code);
	return 0;
}

static void __exit selftest_exit(void)
{
	debugfs_remove(dir);
	kfree(code.data);
}

module_init(selftest_init);
module_exit(selftest_exit);
MODULE_DESCRIPTION("Checks of sensitive instructions from a module");
MODULE_LICENSE("GPL");
