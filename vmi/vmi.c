// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding a ROM, asking it about every operation, rewriting the kernel.
 *
 * It happens once, in vmi_init(), before start_kernel().  What came of it is
 * said in one line of the log, later, when the clock's rate is known, if ever.
 */
#define pr_fmt(fmt) "vmi: " fmt

#include <linux/cpumask.h>
#include <linux/crc32.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/license.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/sysfs.h>
#include <kunit/visibility.h>

#include <asm/cmdline.h>
#include <asm/msr.h>
#include <asm/setup.h>
#include <asm/tsc.h>
#include <asm/vmi/rom.h>
#include <asm/vmi/setup.h>

#include "vmi.h"

#define PRODUCT_LEN	40	/* of the ROM's name, in the log */

struct vmi_state vmi_state __ro_after_init;

static char refused[VMI_WHY_LEN + 32] __initdata;
static u64 patch_cycles __initdata;

static u32 __init rom_phys(const void *image)
{
	return (unsigned long)image - PAGE_OFFSET;
}

/* Ask for every operation's routine; all answers must make sense. */
static int __init ask_rom(const struct vmi_rom *rom, char why[VMI_WHY_LEN])
{
	struct vmi_reloc *reloc;
	unsigned int op;
	u64 answer;

	for (op = 0; op < VMI_NR_OPS; op++) {
		if (!vmi_op_info[op].name)
			continue;
		if (vmi_rom_call(rom->image->get_reloc, op, &answer)) {
			snprintf(why, VMI_WHY_LEN, "fault in get_reloc");
			return -EFAULT;
		}
		reloc = &vmi_state.relocs[op];
		reloc->eip = answer;
		reloc->type = answer >> 32;
		if (vmi_reloc_check(rom, op, reloc, why))
			return -EINVAL;
		if (answer >> 40 & VMI_RELOC_KEEP)
			reloc->type = VMI_RELOC_NONE;
	}

	/* Who sleeps until he is kicked needs somebody who kicks. */
	if (vmi_state.relocs[VMI_OP_SPIN_WAIT].type != VMI_RELOC_CALL ||
	    vmi_state.relocs[VMI_OP_SPIN_KICK].type != VMI_RELOC_CALL) {
		vmi_state.relocs[VMI_OP_SPIN_WAIT].type = VMI_RELOC_NONE;
		vmi_state.relocs[VMI_OP_SPIN_KICK].type = VMI_RELOC_NONE;
	}
	return 0;
}

static int __init start_rom(const struct vmi_rom *rom, char why[VMI_WHY_LEN])
{
	u64 answer;

	if (!vmi_give_up_top(rom->image->virtual_top)) {
		snprintf(why, VMI_WHY_LEN, "keeps linear addresses from 0x%x",
			 rom->image->virtual_top);
		return -ENOSPC;
	}
	if (vmi_rom_call(rom->image->vmi_init, 0, &answer)) {
		snprintf(why, VMI_WHY_LEN, "fault in vmi_init");
		return -EFAULT;
	}
	if ((u32)answer) {
		snprintf(why, VMI_WHY_LEN, "vmi_init failed (%d)", (int)answer);
		return -EIO;
	}
	return ask_rom(rom, why);
}

/* The one ROM in the window; more than one is the host's mistake. */
static const void __init *find_rom(void)
{
	const void *window = __va(VMI_ROM_START);
	const size_t size = VMI_ROM_END - VMI_ROM_START;
	const void *image, *second;

	image = vmi_rom_find(window, size, 0);
	if (!image)
		return NULL;

	second = vmi_rom_find(window, size, image - window + VMI_ROM_STEP);
	if (second) {
		snprintf(refused, sizeof(refused), "2 ROMs, at 0x%x and 0x%x, refused",
			 rom_phys(image), rom_phys(second));
		return NULL;
	}
	return image;
}

static void __init use_rom(void)
{
	const void *image = find_rom();
	char why[VMI_WHY_LEN] = "";
	struct vmi_rom rom;
	char arg[8];
	u64 start;

	if (!image)
		return;

	if (cmdline_find_option(boot_command_line, "vmi", arg, sizeof(arg)) > 0 &&
	    !strcmp(arg, "off"))
		snprintf(why, sizeof(why), "vmi=off");
	else if (!vmi_rom_check(&rom, image, __va(VMI_ROM_END) - image, why))
		start_rom(&rom, why);

	if (why[0]) {
		vmi_take_back_top();
		memset(vmi_state.relocs, 0, sizeof(vmi_state.relocs));
		snprintf(refused, sizeof(refused), "ROM at 0x%x refused: %s",
			 rom_phys(image), why);
		return;
	}

	vmi_state.rom = rom;
	vmi_state.active = true;
	start = rdtsc();
	vmi_patch_sites(__vmi_sites, __vmi_sites_end, vmi_state.relocs,
			&vmi_state.counts);
	patch_cycles = rdtsc() - start;
	vmi_hook_early();
}

/*
 * The interrupt flag stays off, for code that is not meant to know.  What PUSHF and
 * POPF do with it in ring 1 is not what that code expects.
 */
static void __init forbid_interrupts(void)
{
	struct vmi_reloc *relocs = vmi_state.relocs;
	struct vmi_counts counts = {};

	relocs[VMI_OP_ENABLE_INTERRUPTS].type = VMI_RELOC_NOP;
	relocs[VMI_OP_DISABLE_INTERRUPTS].type = VMI_RELOC_NOP;
	relocs[VMI_OP_GET_INTERRUPT_MASK].type = VMI_RELOC_CALL;
	relocs[VMI_OP_GET_INTERRUPT_MASK].eip = (unsigned long)vmi_return_0;
	vmi_patch_sites(__vmi_sites, __vmi_sites_end, relocs, &counts);
}

/*
 * A host put us into a ring where nothing works but its own way.  No console is up:
 * say it where the command line has one, and on the screen.
 */
static void __init __noreturn stop(void)
{
	static char option[48] __initdata = "earlyprintk=vga,";
	char *serial = option + strlen(option);

	if (cmdline_find_option(boot_command_line, "console", serial,
				option + sizeof(option) - serial) <= 0 ||
	    strncmp(serial, "ttyS", 4))
		serial[0] = '\0';
	forbid_interrupts();
	set_cpu_online(0, true);	/* or the console is silent */
	parse_early_options(option);
	pr_emerg("%s: no native boot in another ring than 0, stopped\n",
		 refused[0] ? refused : "no ROM");
	/* To the host, interrupts without vmi_init are the end of this boot. */
	for (;;)
		native_safe_halt();
}

/**
 * vmi_init() - find a ROM and rewrite the kernel's sites as it says
 *
 * If a ROM fails a check, or there is none, the kernel runs natively.
 *
 * Context: boot processor, alone, interrupts off, before start_kernel(): the
 * kernel's code is writable, the first megabyte is mapped executable, and the
 * early exception handlers are in place.
 */
void __init vmi_init(void)
{
	use_rom();
	if (!vmi_state.active && !vmi_ring0())
		stop();
}

/* vmi_init() has looked at it, before parameters are parsed. */
static int __init vmi_option(char *arg)
{
	return arg && !strcmp(arg, "off") ? 0 : -EINVAL;
}
early_param("vmi", vmi_option);

/**
 * vmi_rom_page() - is this the direct map of an accepted ROM's code?
 * @vaddr: kernel virtual address of a page
 *
 * Context: any, after vmi_init().
 *
 * Return: true if the page must be executable and, as all such, read-only.
 */
bool vmi_rom_page(unsigned long vaddr)
{
	unsigned long start = (unsigned long)vmi_state.rom.image;

	return vmi_state.active && vaddr + PAGE_SIZE > start &&
	       vaddr < start + vmi_state.rom.code;
}

/**
 * vmi_takes_iret() - does the ROM have a part in returning to user mode?
 *
 * If so, it must be mapped there, and page-table isolation cannot be used.
 *
 * Context: any, after vmi_init().
 */
bool __init vmi_takes_iret(void)
{
	return vmi_state.relocs[VMI_OP_IRET].type != VMI_RELOC_NONE ||
	       vmi_state.relocs[VMI_OP_SYSEXIT].type != VMI_RELOC_NONE;
}

#ifdef CONFIG_HIBERNATION

/**
 * vmi_crc32() - add the ROM's answers to a checksum
 * @crc: the checksum so far
 *
 * A kernel goes on from a hibernation image as the host rewrote it, so it needs
 * the same routines at the same addresses: all that the sites depend on.
 *
 * Context: any, after vmi_init().
 *
 * Return: the checksum, @crc if there is no ROM.
 */
u32 vmi_crc32(u32 crc)
{
	if (!vmi_state.active)
		return crc;
	return crc32_le(crc, (const u8 *)vmi_state.relocs, sizeof(vmi_state.relocs));
}

#endif

static ssize_t type_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", vmi_state.rom.product);
}

static struct kobj_attribute type_attr = __ATTR_RO(type);

static unsigned int __init count_sites(void)
{
	const struct vmi_site *site;
	unsigned int n = 0;

	for (site = __vmi_sites; site < __vmi_sites_end; site++)
		n += !(site->flags & VMI_SITE_INNER);
	return n;
}

/* The one line of the log, then what needs a running kernel. */
static int __init vmi_report(void)
{
	const struct vmi_counts *c = &vmi_state.counts;
	const struct vmi_rom *rom = &vmi_state.rom;

	if (!vmi_state.active) {
		if (refused[0])
			pr_warn("%s, %u sites native\n", refused, count_sites());
		else
			pr_info("no ROM, %u sites native\n", count_sites());
		return 0;
	}

	pr_info("%*pE, API %u.%u, at 0x%x: %u sites, %u calls, %u jumps, %u nops, %u native, %llu %s\n",
		(int)strnlen(rom->product, PRODUCT_LEN), rom->product, rom->image->api_version_maj,
		rom->image->api_version_min, rom_phys(rom->image), c->sites,
		c->calls, c->jumps, c->nops,
		c->sites - c->calls - c->jumps - c->nops,
		tsc_khz ? div_u64(patch_cycles * 1000, tsc_khz) : patch_cycles,
		tsc_khz ? "us" : "cycles");
	if (!license_is_gpl_compatible(rom->license))
		add_taint(TAINT_PROPRIETARY_MODULE, LOCKDEP_STILL_OK);
	vmi_hook_cpu();
	return 0;
}
early_initcall(vmi_report);

static int __init vmi_sysfs_init(void)
{
	if (!vmi_state.active)
		return 0;
	return sysfs_create_file(hypervisor_kobj, &type_attr.attr);
}
core_initcall(vmi_sysfs_init);

EXPORT_SYMBOL_IF_KUNIT(vmi_op_info);
EXPORT_SYMBOL_IF_KUNIT(vmi_rom_find);
EXPORT_SYMBOL_IF_KUNIT(vmi_rom_check);
EXPORT_SYMBOL_IF_KUNIT(vmi_reloc_check);
EXPORT_SYMBOL_IF_KUNIT(vmi_patch_sites);
