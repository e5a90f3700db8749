// SPDX-License-Identifier: GPL-2.0-only
/* Linux's 32-bit boot protocol: kernel, command line, ramdisk, memory map. */
#include "mon.h"

#define BOOT_PARAMS	0x90000
#define BOOT_GDT	0x91000
#define CMDLINE		0x92000
#define BOOT_CS		0x10
#define BOOT_DS		0x18
#define FLAT_CODE	0x00cf9b000000ffff
#define FLAT_DATA	0x00cf93000000ffff

/* Offsets in the boot parameters ("zero page"). */
#define BP_E820_ENTRIES	0x1e8
#define BP_HDR		0x1f1
#define BP_MAGIC	0x202
#define BP_VERSION	0x206
#define BP_LOADER	0x210
#define BP_LOADFLAGS	0x211
#define BP_CODE32	0x214
#define BP_RAMDISK	0x218
#define BP_RAMDISK_SIZE	0x21c
#define BP_CMDLINE	0x228
#define BP_INITRD_MAX	0x22c
#define BP_XLOADFLAGS	0x236
#define BP_PREF_ADDRESS	0x258
#define BP_INIT_SIZE	0x260
#define BP_E820		0x2d0

#define HDR_MAGIC	0x53726448	/* "HdrS" */
#define LOADED_HIGH	BIT(0)		/* loadflags */
#define KERNEL_64	BIT(0)		/* xloadflags */

/* Of a kernel whose header does not say. */
#define OLD_ADDRESS	LOW_MEMORY
#define OLD_INITRD_MAX	0x37ffffff

/* Copy that minds overlap. */
static void move_bytes(u64 dst, u64 src, u64 n)
{
	u8 *d = phys_ptr(dst), *s = phys_ptr(src);

	if (d <= s) {
		memcpy(d, s, n);
		return;
	}
	d += n - 1;
	s += n - 1;
	asm volatile("std\n\trep movsb\n\tcld" : "+D" (d), "+S" (s), "+c" (n) : : "memory");
}

/* A field of the boot parameters. */
#define BP(type, params, offset)	(*(type *)((params) + (offset)))

static void put_e820(u8 *bp)
{
	u32 i;

	for (i = 0; i < boot.nr_map; i++) {
		u8 *e = bp + BP_E820 + i * 20;

		BP(u64, e, 0) = boot.map[i].start;
		BP(u64, e, 8) = boot.map[i].end - boot.map[i].start;
		BP(u32, e, 16) = boot.map[i].type;
	}
	bp[BP_E820_ENTRIES] = boot.nr_map;
}

/* The ramdisk, as high as the kernel allows. */
static u64 place_initrd(u8 *hdr)
{
	u64 limit = 1UL + (BP(u16, hdr, BP_VERSION) < 0x203 ? OLD_INITRD_MAX :
			   BP(u32, hdr, BP_INITRD_MAX)), dst;

	if (!boot.initrd_size)
		return 0;
	/* Not where the kernel lies until it is moved. */
	while ((dst = find_room(limit, boot.initrd_size, PAGE)) &&
	       overlaps(dst, dst + boot.initrd_size, boot.kernel, boot.kernel_size))
		limit = boot.kernel;
	if (!dst || !guest_ram(boot.initrd, boot.initrd_size))
		refuse("not enough memory for a kernel of %lu KB and a ramdisk of %lu KB",
		       boot.kernel_size >> 10, boot.initrd_size >> 10);
	move_bytes(dst, boot.initrd, boot.initrd_size);
	return dst;
}

/* Is it a kernel that can run here? */
static void check_kernel(u8 *k)
{
	u32 version;

	if (boot.kernel_size < 0x1000 || !guest_ram(boot.kernel, boot.kernel_size) ||
	    BP(u32, k, BP_MAGIC) != HDR_MAGIC)
		refuse("the first module is no bzImage");
	version = BP(u16, k, BP_VERSION);
	if (version < 0x202 || !(k[BP_LOADFLAGS] & LOADED_HIGH))
		refuse("the first module is no bzImage of boot protocol 2.02 or later");
	if (version >= 0x20c && (BP(u16, k, BP_XLOADFLAGS) & KERNEL_64))
		refuse("the first module is a 64-bit kernel, it must be one for i386");
}

/* Put the kernel itself where it wants to be; the ramdisk is already in its place. */
static u64 place_kernel(u8 *bp, u64 initrd)
{
	u32 setup = ((bp[BP_HDR] ? bp[BP_HDR] : 4) + 1) * 512;
	u64 load = OLD_ADDRESS, size = 0, total;

	if (setup >= boot.kernel_size)
		refuse("the kernel is shorter than its setup code");
	if (BP(u16, bp, BP_VERSION) >= 0x20a) {
		load = BP(u64, bp, BP_PREF_ADDRESS);
		size = BP(u32, bp, BP_INIT_SIZE);
	}
	if (size < boot.kernel_size - setup)
		size = boot.kernel_size - setup;
	total = load + size + boot.initrd_size + boot.mon_end - boot.mon_start;
	if (load < LOW_MEMORY || load + size < load || !guest_ram(load, size) ||
	    overlaps(load, load + size, initrd, boot.initrd_size))
		refuse("no memory where the kernel wants to be, %lx to %lx; all in all %lu MB",
		       load, load + size, (total >> 20) + 1);
	move_bytes(load, boot.kernel + setup, boot.kernel_size - setup);
	return load;
}

/* The boot protocol's segments, in the guest's own memory: it may load SS again. */
static void place_gdt(struct vcpu *vcpu, struct regs *regs)
{
	u64 *gdt = phys_ptr(BOOT_GDT);

	memset(gdt, 0, PAGE);
	gdt[BOOT_CS / 8] = FLAT_CODE;
	gdt[BOOT_DS / 8] = FLAT_DATA;
	if (!load_guest_gdt(vcpu, regs, BOOT_GDT, BOOT_DS + 7))
		refuse("no memory at %x", BOOT_GDT);
	asm volatile("movl %0, %%ds\n\tmovl %0, %%es" : : "r" (BOOT_DS | 1));
	regs->cs = BOOT_CS | 1;
	regs->ss = BOOT_DS | 1;
}

/**
 * load_guest - put the kernel into place
 * @regs: the registers with which to enter it
 */
void load_guest(struct regs *regs)
{
	u8 *k = phys_ptr(boot.kernel), *bp = phys_ptr(BOOT_PARAMS);
	struct vcpu *vcpu = this_vcpu();
	u64 initrd, load;

	check_kernel(k);
	initrd = place_initrd(k);
	memset(bp, 0, PAGE);
	memcpy(bp + BP_HDR, k + BP_HDR, 0x202 + k[0x201] - BP_HDR);
	load = place_kernel(bp, initrd);
	memcpy(phys_ptr(CMDLINE), boot.cmdline, sizeof(boot.cmdline));
	bp[BP_LOADER] = 0xff;
	BP(u32, bp, BP_CODE32) = load;
	BP(u32, bp, BP_CMDLINE) = CMDLINE;
	BP(u32, bp, BP_RAMDISK) = initrd;
	BP(u32, bp, BP_RAMDISK_SIZE) = boot.initrd_size;
	put_e820(bp);
	mprintf("monitor: kernel at %lx, ramdisk at %lx, command line: %s\n",
		load, initrd, boot.cmdline);
	vga_screen_info(bp);
	place_gdt(vcpu, regs);
	regs->ip = load;
	regs->sp = BOOT_PARAMS;
	regs->si = BOOT_PARAMS;
	regs->flags = FLAG_IF | 2;
	vcpu->sh->cr0 = vcpu->cr0;
}
