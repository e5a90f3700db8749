// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of the ROM checks and of the patcher, on data of their own. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <kunit/test.h>

#include <asm/vmi/patch.h>
#include <asm/vmi/site.h>

/*
 * A good image: one block that does not end in a NUL, and the byte that makes
 * the sum right in the padding.  A byte too far behind for them, it has headers
 * that nothing points to yet.
 */
#define ROM_SIZE	VMI_ROM_BLOCK
#define ROM_SUM		offsetof(struct vmi_rom_header, pad1)
#define ROM_CODE	144
#define ROM_LICENSE	160
#define ROM_PCI		176
#define ROM_PNP		208
#define ROM_PRODUCT	240
#define ROM_LATE_PCI	(ROM_SIZE - 23)
#define ROM_LATE_PNP	(ROM_SIZE - 31)
#define ROM_FILL	0xcc

static u8 byte_sum(const u8 *image)
{
	u8 sum = 0;
	size_t i;

	for (i = 0; i < ROM_SIZE; i++)
		sum += image[i];
	return sum;
}

static void fix_sum(u8 *image)
{
	image[ROM_SUM] -= byte_sum(image);
}

static void put_pnp(u8 *pnp)
{
	const __le16 product = cpu_to_le16(ROM_PRODUCT);

	memcpy(pnp, "$PnP", 4);
	memcpy(pnp + 16, &product, sizeof(product));
}

static u8 *good_rom(struct kunit *test)
{
	u8 *image = kunit_kzalloc(test, ROM_SIZE, GFP_KERNEL);
	struct vmi_rom_header *header = (void *)image;

	KUNIT_ASSERT_NOT_NULL(test, image);
	memset(image + sizeof(*header), ROM_FILL, ROM_SIZE - sizeof(*header));
	header->rom_signature = VMI_ROM_SIGNATURE;
	header->rom_length = ROM_SIZE / VMI_ROM_BLOCK;
	header->vrom_signature = VMI_SIGNATURE;
	header->api_version_maj = VMI_API_MAJOR;
	header->license_offs = ROM_LICENSE;
	header->pci_header_offs = ROM_PCI;
	header->pnp_header_offs = ROM_PNP;
	memcpy(header->vmi_init, "\xe9\x0b\x00\x00\x00", 5);	/* ROM_CODE */
	memcpy(header->get_reloc, "\xeb\x07", 2);		/* ROM_CODE + 1 */
	memcpy(image + ROM_LICENSE, "GPL", sizeof("GPL"));
	memcpy(image + ROM_PCI, "PCIR", 4);
	put_pnp(image + ROM_PNP);
	put_pnp(image + ROM_LATE_PNP);
	memcpy(image + ROM_LATE_PCI, "PCIR", 4);
	memcpy(image + ROM_PRODUCT, "test ROM", sizeof("test ROM"));
	fix_sum(image);
	return image;
}

static void vmi_rom_good(struct kunit *test)
{
	char why[VMI_WHY_LEN] = "untouched";
	u8 *image = good_rom(test);
	struct vmi_rom rom;

	KUNIT_ASSERT_EQ(test, vmi_rom_check(&rom, image, ROM_SIZE, why), 0);
	KUNIT_EXPECT_STREQ(test, why, "untouched");
	KUNIT_EXPECT_PTR_EQ(test, (const u8 *)rom.image, image);
	KUNIT_EXPECT_EQ(test, rom.len, ROM_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, (const u8 *)rom.license, image + ROM_LICENSE);
	KUNIT_EXPECT_PTR_EQ(test, (const u8 *)rom.product, image + ROM_PRODUCT);
	KUNIT_EXPECT_EQ(test, vmi_rom_check(&rom, image, ROM_SIZE + 1, why), 0);
}

/* One field of a good image changed: @why it is refused, NULL if it is not. */
struct rom_case {
	const char *name;
	u16 offset;
	u8 size;
	u32 value;
	const char *why;
	bool wrong_sum;
};

#define FIELD(field)	offsetof(struct vmi_rom_header, field)

static const struct rom_case rom_cases[] = {
	{ "length 0", FIELD(rom_length), 1, 0, "length 0" },
	{ "length 2 blocks", FIELD(rom_length), 1, 2, "longer than the window" },
	{ "length 255 blocks", FIELD(rom_length), 1, 255, "longer than the window" },
	{ "checksum", ROM_CODE, 1, ROM_FILL + 1, "bad checksum", true },
	{ "checksum, last byte", ROM_SIZE - 1, 1, 0, "bad checksum", true },
	{ "version 2", FIELD(api_version_maj), 1, 2, "API version 2.0" },
	{ "version 4", FIELD(api_version_maj), 1, 4, "API version 4.0" },
	{ "version 3.255", FIELD(api_version_min), 1, 255, NULL },
	{ "code of one block", FIELD(code_length), 1, 1, NULL },
	{ "code longer than the image", FIELD(code_length), 1, 255, NULL },
	{ "virtual_top", FIELD(virtual_top), 4, 0xfc000000, NULL },
	{ "licence behind the end", FIELD(license_offs), 2, ROM_SIZE, "licence outside" },
	{ "licence far away", FIELD(license_offs), 2, 0xffff, "licence outside" },
	{ "licence without NUL", FIELD(license_offs), 2, ROM_SIZE - 4, "licence outside" },
	{ "licence is another text", FIELD(license_offs), 2, ROM_PRODUCT, NULL },
	{ "no PCI signature", ROM_PCI, 4, 0, "PCI header outside" },
	{ "PCI header at 0", FIELD(pci_header_offs), 2, 0, "PCI header outside" },
	{ "PCI header over the end", FIELD(pci_header_offs), 2, ROM_LATE_PCI,
	  "PCI header outside" },
	{ "PCI header far away", FIELD(pci_header_offs), 2, 0xffff, "PCI header outside" },
	{ "no PnP signature", ROM_PNP, 4, 0, "PnP header outside" },
	{ "PnP header over the end", FIELD(pnp_header_offs), 2, ROM_LATE_PNP,
	  "PnP header outside" },
	{ "PnP header far away", FIELD(pnp_header_offs), 2, 0xffff, "PnP header outside" },
	{ "product behind the end", ROM_PNP + 16, 2, ROM_SIZE, "PnP header outside" },
	{ "product without NUL", ROM_PNP + 16, 2, ROM_SIZE - 1, "PnP header outside" },
	{ "vmi_init empty", FIELD(vmi_init), 1, 0, "vmi_init is no jump" },
	{ "vmi_init calls", FIELD(vmi_init), 1, 0xe8, "vmi_init is no jump" },
	{ "vmi_init jumps to last of header", FIELD(vmi_init) + 1, 4, 10,
	  "vmi_init jumps outside" },
	{ "vmi_init jumps to first byte", FIELD(vmi_init) + 1, 4, -133,
	  "vmi_init jumps outside" },
	{ "vmi_init jumps before the image", FIELD(vmi_init) + 1, 4, -134,
	  "vmi_init jumps outside" },
	{ "vmi_init jumps behind the image", FIELD(vmi_init) + 1, 4, ROM_SIZE - 133,
	  "vmi_init jumps outside" },
	{ "vmi_init jumps around the address space", FIELD(vmi_init) + 1, 4, 0x7fffffff,
	  "vmi_init jumps outside" },
	{ "vmi_init jumps to last byte", FIELD(vmi_init) + 1, 4, ROM_SIZE - 134, NULL },
	{ "get_reloc returns", FIELD(get_reloc), 1, 0xc3, "get_reloc is no jump" },
	{ "get_reloc jumps to last of header", FIELD(get_reloc) + 1, 1, 5,
	  "get_reloc jumps outside" },
	{ "get_reloc jumps to itself", FIELD(get_reloc) + 1, 1, 0xfe,
	  "get_reloc jumps outside" },
	{ "get_reloc jumps 127 bytes", FIELD(get_reloc) + 1, 1, 127, NULL },
};

KUNIT_ARRAY_PARAM_DESC(rom, rom_cases, name);

static void vmi_rom_damaged(struct kunit *test)
{
	const struct rom_case *c = test->param_value;
	char why[VMI_WHY_LEN] = "";
	u8 *image = good_rom(test);
	struct vmi_rom rom;

	memcpy(image + c->offset, &c->value, c->size);
	if (!c->wrong_sum)
		fix_sum(image);
	KUNIT_EXPECT_EQ(test, vmi_rom_check(&rom, image, ROM_SIZE, why),
			c->why ? -EINVAL : 0);
	KUNIT_EXPECT_STREQ(test, why, c->why ?: "");
}

static void vmi_rom_unnamed(struct kunit *test)
{
	char why[VMI_WHY_LEN] = "";
	u8 *image = good_rom(test);
	struct vmi_rom rom;

	memset(image + ROM_PNP + 16, 0, 2);
	fix_sum(image);
	KUNIT_EXPECT_EQ(test, vmi_rom_check(&rom, image, ROM_SIZE, why), 0);
	KUNIT_EXPECT_STREQ(test, rom.product, "unnamed");

	memset(image + ROM_PNP, 0, 4);
	memset(image + offsetof(struct vmi_rom_header, pnp_header_offs), 0, 2);
	fix_sum(image);
	KUNIT_EXPECT_EQ(test, vmi_rom_check(&rom, image, ROM_SIZE, why), 0);
	KUNIT_EXPECT_STREQ(test, rom.product, "unnamed");
}

static void vmi_rom_search(struct kunit *test)
{
	const size_t size = 4 * VMI_ROM_STEP;
	u8 *window = kunit_kzalloc(test, size, GFP_KERNEL);
	u8 *last = window + size - VMI_ROM_STEP;
	struct vmi_rom_header header = { .rom_signature = VMI_ROM_SIGNATURE };

	KUNIT_ASSERT_NOT_NULL(test, window);
	KUNIT_EXPECT_NULL(test, vmi_rom_find(window, size, 0));

	memcpy(window, &header, sizeof(header));
	KUNIT_EXPECT_NULL(test, vmi_rom_find(window, size, 0));

	header.vrom_signature = VMI_SIGNATURE;
	memcpy(window + VMI_ROM_STEP / 2, &header, sizeof(header));
	KUNIT_EXPECT_NULL(test, vmi_rom_find(window, size, 0));

	memcpy(last, &header, sizeof(header));
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)vmi_rom_find(window, size, 0), last);
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)vmi_rom_find(last, sizeof(header), 0), last);
	KUNIT_EXPECT_NULL(test, vmi_rom_find(last, sizeof(header) - 1, 0));
	KUNIT_EXPECT_NULL(test, vmi_rom_find(last, 0, 0));

	memcpy(window, &header, sizeof(header));
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)vmi_rom_find(window, size, 0), window);
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)vmi_rom_find(window, size, VMI_ROM_STEP), last);
	KUNIT_EXPECT_NULL(test, vmi_rom_find(window, size, size));

	header.rom_signature = 0;
	memcpy(last, &header, sizeof(header));
	KUNIT_EXPECT_NULL(test, vmi_rom_find(window, size, VMI_ROM_STEP));
}

/* Answers of get_reloc; @offset counts from the image. */
struct reloc_case {
	const char *name;
	u8 op;
	u8 type;
	u32 offset;
	const char *why;
};

static const struct reloc_case reloc_cases[] = {
	{ "NONE anywhere", VMI_OP_CLTS, VMI_RELOC_NONE, -1, NULL },
	{ "NONE for IRET", VMI_OP_IRET, VMI_RELOC_NONE, -1, NULL },
	{ "CALL", VMI_OP_CLTS, VMI_RELOC_CALL, ROM_CODE, NULL },
	{ "CALL of the last byte", VMI_OP_GET_CR3, VMI_RELOC_CALL, ROM_SIZE - 1, NULL },
	{ "JUMP", VMI_OP_IRET, VMI_RELOC_JUMP, ROM_CODE, NULL },
	{ "NOP anywhere", VMI_OP_CLTS, VMI_RELOC_NOP, -1, NULL },
	{ "CALL for IRET", VMI_OP_IRET, VMI_RELOC_CALL, ROM_CODE, "CALL answered for IRET" },
	{ "CALL for SYSEXIT", VMI_OP_SYSEXIT, VMI_RELOC_CALL, ROM_CODE,
	  "CALL answered for SYSEXIT" },
	{ "JUMP for CLTS", VMI_OP_CLTS, VMI_RELOC_JUMP, ROM_CODE, "JUMP answered for CLTS" },
	{ "NOP for IRET", VMI_OP_IRET, VMI_RELOC_NOP, ROM_CODE, "NOP answered for IRET" },
	{ "NOP for GetCR3", VMI_OP_GET_CR3, VMI_RELOC_NOP, ROM_CODE,
	  "NOP answered for GetCR3" },
	{ "type 4", VMI_OP_CLTS, 4, ROM_CODE, "get_reloc type 4 for CLTS" },
	{ "type 255", VMI_OP_GET_OP_COUNT, 255, ROM_CODE, "get_reloc type 255 for GetOpCount" },
	{ "CALL of the header", VMI_OP_CLTS, VMI_RELOC_CALL, ROM_CODE - 1, "" },
	{ "CALL of the first byte", VMI_OP_CLTS, VMI_RELOC_CALL, 0, "" },
	{ "CALL before the image", VMI_OP_CLTS, VMI_RELOC_CALL, -1, "" },
	{ "CALL behind the image", VMI_OP_CLTS, VMI_RELOC_CALL, ROM_SIZE, "" },
	{ "CALL far away", VMI_OP_CLTS, VMI_RELOC_CALL, 0x80000000, "" },
	{ "JUMP behind the image", VMI_OP_SYSEXIT, VMI_RELOC_JUMP, ROM_SIZE, "" },
};

KUNIT_ARRAY_PARAM_DESC(reloc, reloc_cases, name);

/* A reason of "" stands for that about addresses, which are not constant. */
static void vmi_reloc_answers(struct kunit *test)
{
	const struct reloc_case *c = test->param_value;
	const struct vmi_rom rom = {
		.image = (void *)good_rom(test),
		.len = ROM_SIZE,
		.code = ROM_SIZE,
	};
	const struct vmi_reloc reloc = {
		.eip = (unsigned long)rom.image + c->offset,
		.type = c->type,
	};
	char why[VMI_WHY_LEN] = "", want[VMI_WHY_LEN] = "";

	if (c->why && c->why[0])
		strscpy(want, c->why);
	else if (c->why)
		snprintf(want, sizeof(want), "get_reloc address 0x%x outside for %s",
			 reloc.eip, vmi_op_info[c->op].name);
	KUNIT_EXPECT_EQ(test, vmi_reloc_check(&rom, c->op, &reloc, why),
			c->why ? -EINVAL : 0);
	KUNIT_EXPECT_STREQ(test, why, want);
}

/* Sites, between bytes that nobody may change. */
#define MAX_ROWS	8
#define GAP		3
#define CODE_FILL	0xf4

struct patch_data {
	struct vmi_site rows[MAX_ROWS];
	unsigned int nr_rows;
	u8 code[MAX_ROWS * (GAP + 255) + GAP];
	u8 want[MAX_ROWS * (GAP + 255) + GAP];
	unsigned int used;
	struct vmi_reloc relocs[VMI_NR_OPS];
	struct vmi_counts counts;
	u8 routine[16];
	u8 thunk[16];
};

static struct patch_data *patch_data(struct kunit *test)
{
	struct patch_data *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	memset(d->code, CODE_FILL, sizeof(d->code));
	memset(d->want, CODE_FILL, sizeof(d->want));
	return d;
}

static void set_reloc(struct patch_data *d, unsigned int op, unsigned int type)
{
	d->relocs[op].eip = (unsigned long)d->routine;
	d->relocs[op].type = type;
}

/* Another row; where its site is, in d->code and as an offset. */
static unsigned int add_site(struct patch_data *d, unsigned int op, unsigned int len,
			     unsigned int flags)
{
	struct vmi_site *row = &d->rows[d->nr_rows++];
	unsigned int at = d->used + GAP;

	row->addr = (char *)&d->code[at] - (char *)&row->addr;
	row->op = op;
	row->len = len;
	row->flags = flags;
	d->used = at + len;
	return at;
}

static void add_thunk(struct patch_data *d)
{
	struct vmi_site *row = &d->rows[d->nr_rows - 1];

	row->thunk = (char *)d->thunk - (char *)&row->thunk;
}

/* What is to become of a site, in d->want. */
static void want_rel32(struct patch_data *d, unsigned int at, u8 opcode, const void *target)
{
	s32 rel32 = (const u8 *)target - &d->code[at + 5];

	d->want[at] = opcode;
	memcpy(&d->want[at + 1], &rel32, sizeof(rel32));
}

#define NOP5	"\x3e\x3e\x3e\x3e\x90"

static void want_bytes(struct patch_data *d, unsigned int at, const char *bytes)
{
	memcpy(&d->want[at], bytes, strlen(bytes));
}

static void patch_and_expect(struct kunit *test, struct patch_data *d,
			     unsigned int sites, unsigned int calls,
			     unsigned int jumps, unsigned int nops)
{
	static const u8 untouched[sizeof(d->routine)];

	vmi_patch_sites(d->rows, d->rows + d->nr_rows, d->relocs, &d->counts);
	KUNIT_EXPECT_MEMEQ(test, d->code, d->want, d->used + GAP);
	KUNIT_EXPECT_MEMEQ(test, d->routine, untouched, sizeof(untouched));
	KUNIT_EXPECT_MEMEQ(test, d->thunk, untouched, sizeof(untouched));
	KUNIT_EXPECT_EQ(test, d->counts.sites, sites);
	KUNIT_EXPECT_EQ(test, d->counts.calls, calls);
	KUNIT_EXPECT_EQ(test, d->counts.jumps, jumps);
	KUNIT_EXPECT_EQ(test, d->counts.nops, nops);
}

static void vmi_patch_call(struct kunit *test)
{
	struct patch_data *d = patch_data(test);
	unsigned int at;

	set_reloc(d, VMI_OP_CLTS, VMI_RELOC_CALL);
	at = add_site(d, VMI_OP_CLTS, 5, 0);
	want_rel32(d, at, 0xe8, d->routine);
	at = add_site(d, VMI_OP_CLTS, 7, 0);
	want_rel32(d, at, 0xe8, d->routine);
	want_bytes(d, at + 5, "\x3e\x90");
	patch_and_expect(test, d, 2, 2, 0, 0);
}

/* Behind the jump, too, whole instructions. */
static void vmi_patch_jump(struct kunit *test)
{
	struct patch_data *d = patch_data(test);
	unsigned int at;

	set_reloc(d, VMI_OP_IRET, VMI_RELOC_JUMP);
	at = add_site(d, VMI_OP_IRET, 7, 0);
	want_rel32(d, at, 0xe9, d->routine);
	want_bytes(d, at + 5, "\x3e\x90");
	patch_and_expect(test, d, 1, 0, 1, 0);
}

static void vmi_patch_nop(struct kunit *test)
{
	struct patch_data *d = patch_data(test);

	set_reloc(d, VMI_OP_CLTS, VMI_RELOC_NOP);
	want_bytes(d, add_site(d, VMI_OP_CLTS, 5, 0), NOP5);
	want_bytes(d, add_site(d, VMI_OP_CLTS, 6, 0), NOP5 "\x90");
	want_bytes(d, add_site(d, VMI_OP_CLTS, 14, 0), NOP5 NOP5 "\x3e\x3e\x3e\x90");
	patch_and_expect(test, d, 3, 0, 0, 3);
}

/* The site jumps to its thunk; the ROM is called by the inner site there. */
static void vmi_patch_thunk(struct kunit *test)
{
	struct patch_data *d = patch_data(test);
	unsigned int at;

	set_reloc(d, VMI_OP_GET_CR3, VMI_RELOC_CALL);
	at = add_site(d, VMI_OP_GET_CR3, 8, 0);
	add_thunk(d);
	want_rel32(d, at, 0xe9, d->thunk);
	want_bytes(d, at + 5, "\x3e\x3e\x90");
	at = add_site(d, VMI_OP_GET_CR3, 5, VMI_SITE_INNER);
	want_rel32(d, at, 0xe8, d->routine);
	patch_and_expect(test, d, 1, 1, 0, 0);
}

/* Nobody comes to an erased site's thunk; its call is erased all the same. */
static void vmi_patch_thunk_nop(struct kunit *test)
{
	struct patch_data *d = patch_data(test);
	unsigned int at;

	set_reloc(d, VMI_OP_SET_CR3, VMI_RELOC_NOP);
	at = add_site(d, VMI_OP_SET_CR3, 5, 0);
	add_thunk(d);
	want_bytes(d, at, NOP5);
	at = add_site(d, VMI_OP_SET_CR3, 5, VMI_SITE_INNER);
	want_bytes(d, at, NOP5);
	patch_and_expect(test, d, 1, 0, 0, 1);
}

static void vmi_patch_long(struct kunit *test)
{
	struct patch_data *d = patch_data(test);
	unsigned int at, i;

	set_reloc(d, VMI_OP_WBINVD, VMI_RELOC_CALL);
	at = add_site(d, VMI_OP_WBINVD, 255, 0);
	want_rel32(d, at, 0xe8, d->routine);
	for (i = 5; i < 255; i += 5)
		want_bytes(d, at + i, NOP5);
	patch_and_expect(test, d, 1, 1, 0, 0);
}

static void vmi_patch_none(struct kunit *test)
{
	struct patch_data *d = patch_data(test);

	set_reloc(d, VMI_OP_CLTS, VMI_RELOC_NONE);
	set_reloc(d, VMI_OP_WBINVD, VMI_RELOC_CALL);
	add_site(d, VMI_OP_CLTS, 5, 0);
	add_site(d, VMI_OP_CLTS, 9, 0);
	add_thunk(d);
	add_site(d, VMI_OP_CLTS, 5, VMI_SITE_INNER);
	patch_and_expect(test, d, 2, 0, 0, 0);
}

/* Rows that make no sense, and a good one behind them. */
static void vmi_patch_bad_rows(struct kunit *test)
{
	struct patch_data *d = patch_data(test);
	unsigned int op;

	for (op = 0; op < VMI_NR_OPS; op++)
		set_reloc(d, op, VMI_RELOC_NOP);
	KUNIT_ASSERT_NULL(test, vmi_op_info[72].name);

	add_site(d, VMI_OP_CLTS, 0, 0);
	add_site(d, VMI_OP_CLTS, VMI_SITE_MIN - 1, 0);
	add_site(d, VMI_OP_CLTS, VMI_SITE_MIN - 1, VMI_SITE_INNER);
	add_site(d, 72, 5, 0);
	add_site(d, VMI_NR_OPS, 5, 0);
	add_site(d, 255, 255, 0);
	want_bytes(d, add_site(d, VMI_OP_CLTS, VMI_SITE_MIN, 0), NOP5);
	patch_and_expect(test, d, 1, 0, 0, 1);
}

/* What the kernel's sites and a module's would be. */
static void vmi_patch_counts(struct kunit *test)
{
	struct patch_data *d = patch_data(test);

	set_reloc(d, VMI_OP_CLTS, VMI_RELOC_CALL);
	set_reloc(d, VMI_OP_SYSEXIT, VMI_RELOC_JUMP);
	set_reloc(d, VMI_OP_WBINVD, VMI_RELOC_NOP);
	want_rel32(d, add_site(d, VMI_OP_CLTS, 5, 0), 0xe8, d->routine);
	want_bytes(d, add_site(d, VMI_OP_WBINVD, 5, 0), NOP5);
	want_rel32(d, add_site(d, VMI_OP_SYSEXIT, 5, 0), 0xe9, d->routine);
	want_rel32(d, add_site(d, VMI_OP_CLTS, 5, VMI_SITE_INNER), 0xe8, d->routine);
	add_site(d, VMI_OP_CPUID, 5, 0);
	d->counts = (struct vmi_counts){ .sites = 100, .calls = 10, .jumps = 20, .nops = 30 };
	patch_and_expect(test, d, 104, 11, 21, 31);
}

static void vmi_patch_empty(struct kunit *test)
{
	patch_and_expect(test, patch_data(test), 0, 0, 0, 0);
}

/* Nobody calls it: it is enough that a constant address can be assembled. */
static void __used vmi_constant_address(void)
{
	set_pte((pte_t *)0xfff00000, __pte(0));
}

/* The address of this one is relative to ESP, which the site's thunk moves. */
static void vmi_spin_on_stack(struct kunit *test)
{
	arch_spinlock_t locks[3];	/* the outer ones stay taken */
	unsigned int i;

	preempt_disable();
	for (i = 0; i < ARRAY_SIZE(locks); i++) {
		locks[i] = (arch_spinlock_t)__ARCH_SPIN_LOCK_UNLOCKED;
		arch_spin_lock(&locks[i]);
	}
	arch_spin_unlock(&locks[1]);
	KUNIT_EXPECT_FALSE(test, arch_spin_trylock(&locks[0]));
	KUNIT_EXPECT_TRUE(test, arch_spin_trylock(&locks[1]));
	KUNIT_EXPECT_FALSE(test, arch_spin_trylock(&locks[2]));
	for (i = 0; i < ARRAY_SIZE(locks); i++)
		arch_spin_unlock(&locks[i]);
	preempt_enable();
}

/* A lock that is held longer than anybody spins for it. */
#define HOLD_MS		300

struct lock_data {
	spinlock_t lock;	/* taken by both threads */
	struct completion done;
	bool waiting;
	bool released;
	bool seen;
};

static int lock_waiter(void *data)
{
	struct lock_data *d = data;

	WRITE_ONCE(d->waiting, true);
	spin_lock(&d->lock);
	d->seen = d->released;
	spin_unlock(&d->lock);
	complete(&d->done);
	return 0;
}

static u64 op_count(unsigned int op)
{
	return vmi_patched(VMI_OP_GET_OP_COUNT) ? vmi_call1(GET_OP_COUNT, op) : 0;
}

/* The waiter sleeps if the ROM has that, and wakes up, either way. */
static void vmi_spin_wait(struct kunit *test)
{
	struct lock_data *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	u64 waits = op_count(VMI_OP_SPIN_WAIT), kicks = op_count(VMI_OP_SPIN_KICK);
	struct task_struct *waiter;
	unsigned int cpu;

	KUNIT_ASSERT_NOT_NULL(test, d);
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");
	spin_lock_init(&d->lock);
	init_completion(&d->done);
	migrate_disable();
	cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
	waiter = kthread_create_on_cpu(lock_waiter, d, cpu, "vmi_test/%u");
	if (IS_ERR(waiter)) {
		migrate_enable();
		KUNIT_FAIL_AND_ABORT(test, "no thread");
	}

	spin_lock(&d->lock);
	wake_up_process(waiter);
	while (!READ_ONCE(d->waiting))
		cpu_relax();
	mdelay(HOLD_MS);
	d->released = true;
	spin_unlock(&d->lock);
	migrate_enable();

	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&d->done, 30 * HZ), 0);
	KUNIT_EXPECT_TRUE(test, d->seen);
	if (vmi_patched(VMI_OP_GET_OP_COUNT) && vmi_patched(VMI_OP_SPIN_WAIT)) {
		KUNIT_EXPECT_GT(test, op_count(VMI_OP_SPIN_WAIT), waits);
		KUNIT_EXPECT_GT(test, op_count(VMI_OP_SPIN_KICK), kicks);
	}
}

static struct kunit_case vmi_test_cases[] = {
	KUNIT_CASE(vmi_rom_search),
	KUNIT_CASE(vmi_rom_good),
	KUNIT_CASE_PARAM(vmi_rom_damaged, rom_gen_params),
	KUNIT_CASE(vmi_rom_unnamed),
	KUNIT_CASE_PARAM(vmi_reloc_answers, reloc_gen_params),
	KUNIT_CASE(vmi_patch_call),
	KUNIT_CASE(vmi_patch_jump),
	KUNIT_CASE(vmi_patch_nop),
	KUNIT_CASE(vmi_patch_thunk),
	KUNIT_CASE(vmi_patch_thunk_nop),
	KUNIT_CASE(vmi_patch_long),
	KUNIT_CASE(vmi_patch_none),
	KUNIT_CASE(vmi_patch_bad_rows),
	KUNIT_CASE(vmi_patch_counts),
	KUNIT_CASE(vmi_patch_empty),
	KUNIT_CASE(vmi_spin_on_stack),
	KUNIT_CASE(vmi_spin_wait),
	{}
};

static struct kunit_suite vmi_test_suite = {
	.name = "vmi",
	.test_cases = vmi_test_cases,
};

kunit_test_suite(vmi_test_suite);

MODULE_DESCRIPTION("KUnit tests of the VMI ROM checks and patcher");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
