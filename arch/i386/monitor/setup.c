// SPDX-License-Identifier: GPL-2.0-only
/*
 * The story of a boot.  The stub (multiboot.S) has put us at MON_BASE, with the
 * first 4 GiB one to one and the loader's information still in low memory.
 *
 *	read the loader's information: memory map, kernel, initial ramdisk
 *	choose our memory at the top of the RAM below 4 GiB and move there
 *	descriptor tables, virtual CPUs, shadow pools, the other processors
 *	put the kernel into place and enter it in ring 1
 */
#include "mon.h"

#define MULTIBOOT_MAGIC	0x2badb002

struct mb_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline;
	u32 mods_count, mods_addr;
	u32 syms[4];
	u32 mmap_length, mmap_addr;
} __packed;

struct mb_mod {
	u32 start, end, string, pad;
} __packed;

struct mb_mmap {
	u32 size;
	u64 addr, len;
	u32 type;
} __packed;

struct boot_info boot = { .refused_msr = -1u };
struct vcpu *vcpus[MAX_CPUS];
u32 nr_cpus;

#define MAP_FROM_LOADER	60	/* ranges; others get split in reserve_memory() */

static void read_memory_map(struct mb_info *mb)
{
	u64 p = mb->mmap_addr, end = p + mb->mmap_length, left_out = 0;
	struct mb_mmap *e;
	struct range *r;

	if (!(mb->flags & 0x40))
		refuse("the loader gives no memory map");
	for (; p < end; p += e->size + 4) {
		e = (void *)p;
		if (boot.nr_map == MAP_FROM_LOADER) {
			left_out += e->type == 1 ? e->len : 0;
			continue;
		}
		r = &boot.map[boot.nr_map++];
		r->start = e->addr;
		r->end = e->addr + e->len;
		r->type = e->type;
		if (r->type == 1 && r->end > boot.ram_top)
			boot.ram_top = r->end;
	}
	if (left_out)
		mprintf("monitor: memory map of more than %u ranges, %u MB are left out\n",
			MAP_FROM_LOADER, (u32)(left_out >> 20));
}

static void read_modules(struct mb_info *mb)
{
	struct mb_mod *m = (void *)(u64)mb->mods_addr;
	const char *s;
	u32 n = 0;

	if (!(mb->flags & 8) || !mb->mods_count)
		refuse("no kernel: the first multiboot module must be a bzImage");
	boot.kernel = m->start;
	boot.kernel_size = m->end - m->start;
	/* The first word of the module's string is the file's name. */
	for (s = (char *)(u64)m->string; *s && *s != ' '; s++)
		;
	while (*s == ' ')
		s++;
	while (*s && n < sizeof(boot.cmdline) - 1)
		boot.cmdline[n++] = *s++;
	if (*s)
		refuse("the kernel's command line is longer than %u bytes", n);
	if (mb->mods_count > 2)
		refuse("%u modules: there may be a kernel and a ramdisk", mb->mods_count);
	if (mb->mods_count > 1) {
		boot.initrd = m[1].start;
		boot.initrd_size = m[1].end - m[1].start;
	}
}

static u32 hex_number(const char *s)
{
	u32 n = 0, digit;

	for (;; s++) {
		if (*s >= '0' && *s <= '9')
			digit = *s - '0';
		else if (*s >= 'a' && *s <= 'f')
			digit = *s - 'a' + 10;
		else
			return n;
		n = n << 4 | digit;
	}
}

/* Our own command line; docs/monitor.md has the words. */
static void read_words(const char *s)
{
	for (; *s; s++) {
		boot.only_int |= !memcmp(s, "hypercalls=int", 14);
		if (!memcmp(s, "refuse-msr=0x", 13))
			boot.refused_msr = hex_number(s + 13);
	}
}

static bool overlaps_module(u64 start, u64 end)
{
	return overlaps(start, end, boot.kernel, boot.kernel_size) ||
	       overlaps(start, end, boot.initrd, boot.initrd_size);
}

static u64 min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static u64 max(u64 a, u64 b)
{
	return a > b ? a : b;
}

#define PER_CPU		0x100000UL	/* at least, for tables, stacks and shadows */

/* How much we take, of all memory and for each processor: most of it is for shadows. */
static u64 monitor_size(u64 ram)
{
	u64 small = min(ram / 16, 4 * LARGE), large = min(ram / 32, 32 * LARGE);
	u32 cpus = smp_find(max(ram / (4 * PER_CPU), 1));

	return (max(max(small, large), cpus * PER_CPU) + LARGE - 1) & ~(LARGE - 1);
}

/**
 * find_room - the highest place in RAM for something
 * @limit: it is to end there or below
 * @align: a power of two
 *
 * Real machines have holes in their RAM.
 *
 * Return: its address, 0 if there is none.
 */
u64 find_room(u64 limit, u64 size, u64 align)
{
	u64 best = 0, start;
	struct range *r;

	for (r = boot.map; r < boot.map + boot.nr_map; r++) {
		start = min(r->end, limit);
		if (r->type != 1 || start < size)
			continue;
		start = (start - size) & ~(align - 1);
		if (start >= max(r->start, LOW_MEMORY))
			best = max(best, start);
	}
	return best;
}

/* Our memory: the top of RAM below 4 GiB, in whole large pages, none half ours. */
static void choose_memory(u64 image_end)
{
	u64 size, start, limit = 1UL << 32, ram = 0;
	u32 i;

	for (i = 0; i < boot.nr_map; i++)
		if (boot.map[i].type == 1)
			ram += boot.map[i].end - boot.map[i].start;
	size = monitor_size(ram);
	while ((start = find_room(limit, size, LARGE)) && overlaps_module(start, start + size))
		limit = start + size - LARGE;
	if (start < image_end)
		refuse("not enough memory: %lu KB for the monitor's %lu KB, kernel and ramdisk",
		       ram >> 10, size >> 10);
	boot.mon_start = start;
	boot.mon_end = start + size;
	mprintf("vmi386 monitor: %lu MB of RAM, monitor at %08lx-%08lx\n",
		ram >> 20, boot.mon_start, boot.mon_end);
}

/* Cut our memory out of the map, which becomes the guest's. */
static void reserve_memory(void)
{
	u32 i;

	for (i = 0; i < boot.nr_map; i++) {
		struct range *r = &boot.map[i];

		if (r->type != 1 || boot.mon_start < r->start || boot.mon_end > r->end)
			continue;
		boot.map[boot.nr_map++] = (struct range){
			boot.mon_start, boot.mon_end, 2 };
		if (boot.mon_end < r->end)
			boot.map[boot.nr_map++] = (struct range){
				boot.mon_end, r->end, 1 };
		r->end = boot.mon_start;
		return;
	}
}

/* On the first CPU's own stack, in our own memory: start the guest. */
static void run_guest(struct vcpu *vcpu)
{
	struct regs r;

	cpu_load_tables(vcpu);
	apic_init();
	vcpu->apic_id = apic_id();
	smp_start();
	for (u32 i = 0; i < nr_cpus; i++)
		shadow_setup(vcpus[i], pages_left() / (nr_cpus - i));
	vcpu->online = true;
	rom_install();
	memset(&r, 0, sizeof(r));
	shadow_set_root(vcpu);
	load_guest(&r);
	enter_guest(&r);
}

/**
 * monitor_main - first C function of the monitor
 * @magic: what the loader left in EAX
 * @info: address of its information
 * @image: physical address of our image
 */
void monitor_main(u32 magic, u32 info, u32 image)
{
	struct mb_info *mb = (void *)(u64)info;
	struct vcpu *vcpu;

	console_init();
	boot.mon_start = image;		/* until we move */
	if (magic != MULTIBOOT_MAGIC)
		refuse("not started by a multiboot loader");
	read_memory_map(mb);
	read_modules(mb);
	if (mb->flags & 4)
		read_words((char *)(u64)mb->cmdline);
	/* Behind the image stand the tables that the stub made. */
	choose_memory(image + (_image_end - _image_start) + 16 * PAGE);
	reserve_memory();
	cpu_features();
	paging_init();			/* moves us */
	idt_init();
	vcpu = vcpu_create(0);
	run_on_stack(vcpu->stack_top, run_guest, vcpu);
}
