// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest finds in the window that it scans for a ROM: for each start of
 * an image or VMI header its byte sum and all bytes in hex; then, through the
 * kernel's own checks, the line that the kernel would log.  selftests/roms/
 * compares both with what it meant to deliver.
 */
#include <asm/vmi/patch.h>

#include "guest.h"

#define HEX_MAX		8192

static char why_not[VMI_WHY_LEN];

static void dump(const u8 *rom)
{
	const struct vmi_rom_header *header = (const void *)rom;
	u32 len = header->rom_length * VMI_ROM_BLOCK;
	u32 room = VMI_ROM_END - (u32)rom, i;
	u8 sum = 0;

	for (i = 0; i < len && i < room; i++)
		sum += rom[i];
	print("rom 0x%05x length %u sum %02x version %u.%u\n", (u32)rom, len, sum,
	      header->api_version_maj, header->api_version_min);
	for (i = 0; i < HEX_MAX && i < room; i++)
		print("%s%02x", i % 32 ? "" : i ? "\nhex " : "hex ", rom[i]);
	print("\n");
}

static void dump_window(void)
{
	const struct vmi_rom_header *header;
	u32 at;

	for (at = VMI_ROM_START; at < VMI_ROM_END; at += VMI_ROM_STEP) {
		header = (const void *)at;
		if (header->vrom_signature == VMI_SIGNATURE)
			dump((const u8 *)at);
		else if (header->rom_signature == VMI_ROM_SIGNATURE)
			print("other 0x%05x length %u\n", at,
			      header->rom_length * VMI_ROM_BLOCK);
	}
}

static void finish(void)
{
	print(", 0 sites native\nend\n");
	guest_exit(0);
}

static void finish_rom(const void *image)
{
	print("vmi: ROM at 0x%x %s%s", (u32)image, why_not[0] ? "refused: " : "accepted", why_not);
	finish();
}

/* While the ROM is asked, every trap is its fault. */
static const void *asked;
static const char *asking;

static bool on_trap(const struct trap_frame *frame)
{
	(void)frame;
	if (!asking)
		return false;
	snprintf(why_not, sizeof(why_not), "fault in %s", asking);
	finish_rom(asked);
	return true;
}

static u64 call_rom(const void *routine, u32 eax, const char *name)
{
	u64 answer;

	asking = name;
	asm volatile("call *%1" : "=A" (answer) : "r" (routine), "a" (eax)
		     : "ecx", "cc", "memory");
	asking = NULL;
	return answer;
}

/* As the kernel has it: the end of the address space is not mapped. */
static void paging_on(void)
{
	page_dir_fill();
	page_dir[ARRAY_SIZE(page_dir) - 1] = 0;
	WRITE_CR(4, CR4_PSE);
	WRITE_CR(3, page_dir);
	WRITE_CR(0, READ_CR(0) | CR0_PG);
}

/* why is empty when the ROM is good. */
static void ask_rom(const struct vmi_rom *rom)
{
	struct vmi_reloc reloc;
	u64 answer;
	u32 op;

	answer = call_rom(rom->image->vmi_init, 0, "vmi_init");
	if ((u32)answer) {
		snprintf(why_not, sizeof(why_not), "vmi_init failed (%d)", (int)answer);
		return;
	}
	for (op = 0; op < VMI_NR_OPS; op++) {
		if (!vmi_op_info[op].name)
			continue;
		answer = call_rom(rom->image->get_reloc, op, "get_reloc");
		reloc.eip = answer;
		reloc.type = answer >> 32;
		if (vmi_reloc_check(rom, op, &reloc, why_not))
			return;
	}
}

int main(const char *cmdline)
{
	const void *window = (const void *)VMI_ROM_START, *image, *second;
	const size_t size = VMI_ROM_END - VMI_ROM_START;
	struct vmi_rom rom;

	(void)cmdline;
	trap_hook = on_trap;
	paging_on();
	dump_window();

	image = vmi_rom_find(window, size, 0);
	if (!image) {
		print("vmi: no ROM");
		finish();
	}
	second = vmi_rom_find(window, size, image - window + VMI_ROM_STEP);
	if (second) {
		print("vmi: 2 ROMs, at 0x%x and 0x%x, refused", (u32)image, (u32)second);
		finish();
	}
	asked = image;
	if (!vmi_rom_check(&rom, image, VMI_ROM_END - (u32)image, why_not))
		ask_rom(&rom);
	finish_rom(image);
	return 0;
}
