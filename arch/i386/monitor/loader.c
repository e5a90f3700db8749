// SPDX-License-Identifier: GPL-2.0-only
/* Linux's 32-bit boot protocol: kernel, command line, ramdisk, memory map. */
#include "mon.h"

#define BOOT_PARAMS	0x90000
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
#define BP_CODE32	0x214
#define BP_RAMDISK	0x218
#define BP_RAMDISK_SIZE	0x21c
#define BP_CMDLINE	0x228
#define BP_INITRD_MAX	0x22c
#define BP_PREF_ADDRESS	0x258
#define BP_INIT_SIZE	0x260
#define BP_E820		0x2d0

#define HDR_MAGIC	0x53726448	/* "HdrS" */

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
	u64 end = BP(u32, hdr, BP_INITRD_MAX) + 1UL, dst;

	if (!boot.initrd_size)
		return 0;
	if (end > boot.mon_start)
		end = boot.mon_start;
	dst = (end - boot.initrd_size) & ~(PAGE - 1);
	if (boot.initrd_size > end || dst < LOW_MEMORY ||
	    !guest_ram(boot.initrd, boot.initrd_size) || !guest_ram(dst, boot.initrd_size) ||
	    (dst < boot.kernel + boot.kernel_size && dst + boot.initrd_size > boot.kernel))
		refuse("not enough memory for kernel and ramdisk");
	move_bytes(dst, boot.initrd, boot.initrd_size);
	return dst;
}

/**
 * load_guest - put the kernel into place
 * @r: the registers with which to enter it
 */
void load_guest(struct regs *r)
{
	u8 *k = phys_ptr(boot.kernel), *bp = phys_ptr(BOOT_PARAMS);
	struct vcpu *v = this_vcpu();
	u64 initrd, load, size;
	u32 setup;

	if (boot.kernel_size < 0x1000 || !guest_ram(boot.kernel, boot.kernel_size) ||
	    BP(u32, k, BP_MAGIC) != HDR_MAGIC || BP(u16, k, BP_VERSION) < 0x20a)
		refuse("the first module is no bzImage of boot protocol 2.10 or later");
	initrd = place_initrd(k);
	memset(bp, 0, PAGE);
	memcpy(bp + BP_HDR, k + BP_HDR, 0x202 + k[0x201] - BP_HDR);
	setup = ((bp[BP_HDR] ? bp[BP_HDR] : 4) + 1) * 512;
	if (setup >= boot.kernel_size)
		refuse("the kernel is shorter than its setup code");
	load = BP(u64, bp, BP_PREF_ADDRESS);
	size = BP(u32, bp, BP_INIT_SIZE);
	if (size < boot.kernel_size - setup)
		size = boot.kernel_size - setup;
	if (load < LOW_MEMORY || load + size < load || load + size > (initrd ?: boot.mon_start) ||
	    !guest_ram(load, size))
		refuse("no memory where the kernel wants to be");
	move_bytes(load, boot.kernel + setup, boot.kernel_size - setup);
	memcpy(phys_ptr(CMDLINE), boot.cmdline, sizeof(boot.cmdline));
	bp[BP_LOADER] = 0xff;
	BP(u32, bp, BP_CODE32) = load;
	BP(u32, bp, BP_CMDLINE) = CMDLINE;
	BP(u32, bp, BP_RAMDISK) = initrd;
	BP(u32, bp, BP_RAMDISK_SIZE) = boot.initrd_size;
	put_e820(bp);
	mprintf("monitor: kernel at %lx, ramdisk at %lx, command line: %s\n",
		load, initrd, boot.cmdline);

	v->real_gdt[BOOT_CS / 8] = (FLAT_CODE) | 1UL << 45;
	v->real_gdt[BOOT_DS / 8] = (FLAT_DATA) | 1UL << 45;
	v->gdt_copied = 4;
	asm volatile("movl %0, %%ds\n\tmovl %0, %%es" : : "r" (BOOT_DS | 1));
	r->ip = load;
	r->cs = BOOT_CS | 1;
	r->ss = BOOT_DS | 1;
	r->sp = BOOT_PARAMS;
	r->si = BOOT_PARAMS;
	r->flags = FLAG_IF | 2;
	v->sh->cr0 = v->cr0;
}
