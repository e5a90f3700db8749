// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations for which Linux has a hook of its own that a native kernel leaves
 * alone: the start of processors, restart, power off; the direct map, free
 * pages and polling.
 */
#include <linux/acpi.h>
#include <linux/apm_bios.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/page_reporting.h>
#include <linux/pgtable.h>
#include <linux/reboot.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/cmdline.h>
#include <asm/desc.h>
#include <asm/fixmap.h>
#include <asm/hypervisor.h>
#include <asm/msr.h>
#include <asm/paravirt.h>
#include <asm/reboot.h>
#include <asm/segment.h>
#include <asm/setup.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/vmi/io.h>
#include <asm/vmi/setup.h>
#include <asm/vmi/site.h>
#include <asm/x86_init.h>

#include "vmi.h"

/* Less directly mapped memory than that is not left to start with. */
#define MIN_LOWMEM	SZ_128M

/**
 * vmi_give_up_top() - leave the top of the linear address space to the host
 * @top: the ROM's virtual_top, 0 for nothing
 *
 * Context: vmi_init(), before the ROM's; nothing is mapped up there yet.
 *
 * Return: false if that cannot be given, as reservetop= has another opinion or
 * too little would be left.
 */
bool __init vmi_give_up_top(u32 top)
{
	char arg[2];

	if (!top)
		return true;
	if (-top > MAXMEM - MIN_LOWMEM ||
	    cmdline_find_option(boot_command_line, "reservetop", arg, sizeof(arg)) >= 0)
		return false;
	reserve_top_address(-top);
	return true;
}

/**
 * vmi_take_back_top() - the ROM is refused: all of the address space is ours
 *
 * Context: vmi_init(), as vmi_give_up_top().
 */
void __init vmi_take_back_top(void)
{
	__FIXADDR_TOP = -PAGE_SIZE;
}

#ifdef CONFIG_SMP

static int (*kick_ap)(unsigned int cpu, struct task_struct *idle);

/*
 * Where native_kick_ap() makes a processor arrive by way of the trampoline and
 * head_32.S, in the words of the ABI.  ABI call 62, SetInitialAPState.
 */
static void vmi_ap_state(struct vmi_ap_state *ap, unsigned int cpu,
			 struct task_struct *idle)
{
	u64 efer = 0;

	if (boot_cpu_has(X86_FEATURE_NX))
		rdmsrl(MSR_EFER, efer);

	*ap = (struct vmi_ap_state) {
		.cr0		= read_cr0() & ~X86_CR0_TS,
		.cr3		= __pa(swapper_pg_dir),
		.cr4		= mmu_cr4_features,
		.efer		= efer,
		.eip		= (unsigned long)vmi_ap_start,
		.eflags		= X86_EFLAGS_FIXED,
		.esp		= (unsigned long)task_pt_regs(idle),
		.cs		= __KERNEL_CS,
		.ss		= __KERNEL_DS,
		.ds		= __USER_DS,
		.es		= __USER_DS,
		.fs		= __KERNEL_PERCPU,
		.gdtr_limit	= GDT_SIZE - 1,
		.gdtr_base	= (unsigned long)get_cpu_gdt_rw(cpu),
	};
}

static int vmi_kick_ap(unsigned int cpu, struct task_struct *idle)
{
	struct vmi_ap_state ap;

	if (vmi_patched(VMI_OP_SET_INITIAL_AP_STATE)) {
		vmi_ap_state(&ap, cpu, idle);
		vmi_call2(SET_INITIAL_AP_STATE, (unsigned long)&ap,
			  apic->cpu_present_to_apicid(cpu));
	}
	return kick_ap(cpu, idle);
}

static void __init hook_smp(void)
{
	kick_ap = smp_ops.kick_ap_alive;
	smp_ops.kick_ap_alive = vmi_kick_ap;
	vmi_hook_ipi();
}

#else
static void __init hook_smp(void) {}
#endif

#ifdef CONFIG_PAGE_REPORTING

/* Large blocks that stay free for some seconds; see mm/page_reporting.c. */
static int vmi_report_pages(struct page_reporting_dev_info *dev,
			    struct scatterlist *sgl, unsigned int nents)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(sgl, sg, nents, i)
		vmi_call4(PAGE_STATE, page_to_pfn(sg_page(sg)),
			  sg->length >> PAGE_SHIFT, VMI_PAGES_FREE, 0);
	return 0;
}

static struct page_reporting_dev_info free_pages_dev = {
	.report = vmi_report_pages,
};

static int __init vmi_report_pages_init(void)
{
	if (!vmi_patched(VMI_OP_PAGE_STATE))
		return 0;
	return page_reporting_register(&free_pages_dev);
}
late_initcall(vmi_report_pages_init);

#endif

static void vmi_halt_poll(void *unused)
{
	vmi_call1(HALT_POLL, VMI_POLL_GUEST);
}

/* With idle=poll this kernel polls, and what still halts means it. */
static int __init vmi_halt_poll_init(void)
{
	if (vmi_patched(VMI_OP_HALT_POLL) && boot_option_idle_override == IDLE_POLL)
		on_each_cpu(vmi_halt_poll, NULL, 1);
	return 0;
}
late_initcall(vmi_halt_poll_init);

static void __init vmi_pagetable_init(void)
{
	native_pagetable_init();
#ifdef CONFIG_PARAVIRT_SPINLOCKS
	vmi_hook_spinlock();
#endif
	vmi_hook_wallclock();
}

/*
 * Whom the ROM belongs to says so by the ROM.  What else Linux knows of this host
 * would set up the same clocks and pages a second time: as with nopv, it does not.
 */
static void __init forget_other_hosts(void)
{
#ifdef CONFIG_HYPERVISOR_GUEST
	nopv = true;
#endif
#ifdef CONFIG_PARAVIRT
	pv_info.name = "VMI";
	pv_ops.cpu.io_delay = vmi_io_delay;
#endif
}

/**
 * vmi_hook_early() - take the hooks that are used before memory is set up
 *
 * From pagetable_init others can be taken: it is the first one with memory to be
 * had, and nobody else's.
 *
 * Context: vmi_init(); only if a ROM was accepted.
 */
void __init vmi_hook_early(void)
{
	forget_other_hosts();
	x86_init.paging.pagetable_init = vmi_pagetable_init;
	vmi_hook_tsc();
}

/**
 * vmi_ring0() - has this kernel the ring that it was written for?
 *
 * In another one, where a host may have put it, neither virtual 8086 mode nor calls
 * of the firmware are to be had.
 *
 * Return: false if a host runs it in ring 1 or 2.
 */
bool vmi_ring0(void)
{
	unsigned short cs;

	savesegment(cs, cs);
	return !(cs & SEGMENT_RPL_MASK);
}

/*
 * Firmware of 16 bits is called by way of descriptors that no site writes, and a
 * wake-up from suspend to RAM starts in real mode: not past a host.
 */
static void __init leave_firmware_alone(void)
{
	if (vmi_ring0())
		return;
	x86_platform.legacy.devices.pnpbios = 0;
	apm_info.bios.version = 0;
#ifdef CONFIG_ACPI
	acpi_suspend_lowlevel = NULL;
#endif
}

static void (*native_restart)(void);
static void (*native_power_off)(void);

/* ABI call 36; a host that has no better way returns. */
static void vmi_emergency_restart(void)
{
	if (vmi_patched(VMI_OP_REBOOT))
		vmi_call0(REBOOT);
	native_restart();
}

/* ABI call 37; likewise. */
static void vmi_power_off(void)
{
	if (vmi_patched(VMI_OP_SHUTDOWN))
		vmi_call0(SHUTDOWN);
	native_power_off();
}

/**
 * vmi_hook_cpu() - let the ROM see what has no instruction of its own
 *
 * Context: boot processor, memory is set up, the others are not started yet;
 * only if a ROM was accepted.
 */
void __init vmi_hook_cpu(void)
{
	if (vmi_patched(VMI_OP_SET_LINEAR_MAPPING))
		vmi_call4(SET_LINEAR_MAPPING, 0, PAGE_OFFSET, max_low_pfn, 0);

	hook_smp();
	vmi_hook_clock();
	leave_firmware_alone();
	native_restart = machine_ops.emergency_restart;
	machine_ops.emergency_restart = vmi_emergency_restart;
	native_power_off = machine_ops.power_off;
	machine_ops.power_off = vmi_power_off;
}
