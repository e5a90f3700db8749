// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding and checking a ROM.  Everything that can be known without running
 * any of its code is checked here; the image may be arbitrary bytes.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include <asm/vmi/patch.h>

#define PCI_SIGNATURE		"PCIR"
#define PNP_SIGNATURE		"$PnP"
#define PNP_PRODUCT		16	/* offset of the product's offset */
#define PNP_SIZE		32u

#define OP_IS_CALL		0
#define OP_IS_JUMP		1
#define OP_INFO(nr, id, opname, optype, group, in, out, native) \
	[nr] = { .name = opname, .jump = OP_IS_##optype, .result = sizeof(out) > 1 },

const struct vmi_op_info vmi_op_info[VMI_NR_OPS] = {
	VMI_OPS(OP_INFO)
};

/**
 * vmi_rom_find() - look for a VMI ROM's two signatures
 * @window: the memory to scan
 * @size: its length in bytes
 * @from: where to start, a multiple of VMI_ROM_STEP
 *
 * Context: any; reads the window only.  vmi.rst, "Where the ROM is".
 *
 * Return: the first image at or behind @from, NULL if there is none.
 */
const void *vmi_rom_find(const void *window, size_t size, size_t from)
{
	const struct vmi_rom_header *header;
	size_t pos;

	for (pos = from; pos + sizeof(*header) <= size; pos += VMI_ROM_STEP) {
		header = window + pos;
		if (header->rom_signature == VMI_ROM_SIGNATURE &&
		    header->vrom_signature == VMI_SIGNATURE)
			return header;
	}
	return NULL;
}

/* The NUL-terminated text at an offset, NULL if it is not inside the image. */
static const char *rom_text(const struct vmi_rom *rom, size_t offs)
{
	const char *text = (const char *)rom->image + offs;

	if (offs >= rom->len || strnlen(text, rom->len - offs) == rom->len - offs)
		return NULL;
	return text;
}

static int check_pnp(struct vmi_rom *rom, char why[VMI_WHY_LEN])
{
	const char *pnp = (const char *)rom->image + rom->image->pnp_header_offs;
	__u16 product;

	rom->product = "unnamed";
	if (!rom->image->pnp_header_offs)
		return 0;

	if (rom->image->pnp_header_offs + PNP_SIZE <= rom->len &&
	    !memcmp(pnp, PNP_SIGNATURE, 4)) {
		memcpy(&product, pnp + PNP_PRODUCT, sizeof(product));
		if (!product)
			return 0;
		rom->product = rom_text(rom, product);
		if (rom->product)
			return 0;
	}
	snprintf(why, VMI_WHY_LEN, "PnP header outside");
	return -EINVAL;
}

/* Both entries are jumps, short or near, to code inside the image. */
static int check_entry(const struct vmi_rom *rom, size_t offs, const char *name,
		       char why[VMI_WHY_LEN])
{
	const __u8 *insn = (const __u8 *)rom->image + offs;
	__u32 target;
	__s32 rel32;

	switch (insn[0]) {
	case 0xeb:
		target = offs + 2 + (__s8)insn[1];
		break;
	case 0xe9:
		memcpy(&rel32, insn + 1, sizeof(rel32));
		target = offs + 5 + rel32;
		break;
	default:
		snprintf(why, VMI_WHY_LEN, "%s is no jump", name);
		return -EINVAL;
	}
	if (target < sizeof(*rom->image) || target >= rom->code) {
		snprintf(why, VMI_WHY_LEN, "%s jumps outside", name);
		return -EINVAL;
	}
	return 0;
}

/**
 * vmi_rom_check() - check a ROM before any of its code runs
 * @rom: filled in from the header
 * @image: what vmi_rom_find() returned
 * @room: bytes from @image to the end of the window
 * @why: on failure, the reason in words
 *
 * Context: any; reads the image only.  vmi.rst, "What a guest checks".
 *
 * Return: 0, or -EINVAL with @why written.
 */
int vmi_rom_check(struct vmi_rom *rom, const void *image, size_t room,
		  char why[VMI_WHY_LEN])
{
	const struct vmi_rom_header *header = image;
	const __u8 *byte = image;
	__u8 sum = 0;
	size_t i;

	rom->image = header;
	rom->len = header->rom_length * VMI_ROM_BLOCK;
	rom->code = rom->len;
	if (header->code_length && header->code_length < header->rom_length)
		rom->code = header->code_length * VMI_ROM_BLOCK;

	if (!rom->len) {
		snprintf(why, VMI_WHY_LEN, "length 0");
		return -EINVAL;
	}
	if (rom->len > room) {
		snprintf(why, VMI_WHY_LEN, "longer than the window");
		return -EINVAL;
	}
	for (i = 0; i < rom->len; i++)
		sum += byte[i];
	if (sum) {
		snprintf(why, VMI_WHY_LEN, "bad checksum");
		return -EINVAL;
	}
	if (header->api_version_maj != VMI_API_MAJOR) {
		snprintf(why, VMI_WHY_LEN, "API version %u.%u",
			 header->api_version_maj, header->api_version_min);
		return -EINVAL;
	}
	rom->license = rom_text(rom, header->license_offs);
	if (!rom->license) {
		snprintf(why, VMI_WHY_LEN, "licence outside");
		return -EINVAL;
	}
	if (header->pci_header_offs + 24u > rom->len ||
	    memcmp(byte + header->pci_header_offs, PCI_SIGNATURE, 4)) {
		snprintf(why, VMI_WHY_LEN, "PCI header outside");
		return -EINVAL;
	}
	if (check_pnp(rom, why))
		return -EINVAL;
	if (check_entry(rom, VMI_HEADER_INIT, "vmi_init", why))
		return -EINVAL;
	return check_entry(rom, VMI_HEADER_GET_RELOC, "get_reloc", why);
}

/**
 * vmi_reloc_check() - check what get_reloc answered for an operation
 * @rom: the ROM
 * @op: the operation, below VMI_NR_OPS and in the table
 * @reloc: the answer
 * @why: on failure, the reason in words
 *
 * Context: any.  vmi.rst, "get_reloc".
 *
 * Return: 0, or -EINVAL with @why written.
 */
int vmi_reloc_check(const struct vmi_rom *rom, unsigned int op,
		    const struct vmi_reloc *reloc, char why[VMI_WHY_LEN])
{
	static const char * const types[] = { "NONE", "CALL", "JUMP", "NOP" };
	const struct vmi_op_info *info = &vmi_op_info[op];
	__u32 start = (unsigned long)rom->image;
	int fits;

	switch (reloc->type) {
	case VMI_RELOC_NONE:
		return 0;
	case VMI_RELOC_CALL:
		fits = !info->jump;
		break;
	case VMI_RELOC_JUMP:
		fits = info->jump;
		break;
	case VMI_RELOC_NOP:
		if (!info->jump && !info->result)
			return 0;
		fits = 0;
		break;
	default:
		snprintf(why, VMI_WHY_LEN, "get_reloc type %u for %s",
			 reloc->type, info->name);
		return -EINVAL;
	}
	if (!fits) {
		snprintf(why, VMI_WHY_LEN, "%s answered for %s",
			 types[reloc->type], info->name);
		return -EINVAL;
	}
	if (reloc->eip - start < sizeof(*rom->image) ||
	    reloc->eip - start >= rom->code) {
		snprintf(why, VMI_WHY_LEN, "get_reloc address 0x%x outside for %s",
			 reloc->eip, info->name);
		return -EINVAL;
	}
	return 0;
}
