// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests VMI ROMs without a kernel: the header, vmi_init, get_reloc for every
 * number, every operation it answers.  Boots with qemu -kernel; on the command
 * line roms=N says how many ROMs there must be, cpus=N how many processors.
 */
#include "romtest.h"

#define PCI_DATA_SIZE	24
#define PNP_SIZE	32
#define PNP_PRODUCT	16
#define PNP_BOOT	22	/* three vectors: BCV, disconnect, BEV */
#define ROMS_MAX	4
#define CALLS_ASKED	128

static struct rom roms[ROMS_MAX];

static bool on_trap(const struct trap_frame *frame)
{
	if (timer_trap(frame))
		return true;
	probe_out = (struct probe_regs) {
		.eax = frame->eax, .ecx = frame->ecx, .edx = frame->edx,
		.ebx = frame->ebx, .esi = frame->esi, .edi = frame->edi,
		.ebp = frame->ebp, .esp = frame->esp, .ss = frame->ss,
		.eflags = frame->eflags, .eip = frame->eip, .cs = frame->cs,
		.ds = frame->ds & 0xffff, .es = frame->es & 0xffff,
		.fs = frame->fs & 0xffff, .gs = frame->gs & 0xffff,
		.vector = frame->vector,
	};
	probe_home();
	return false;
}

static void print_title(const struct rom *rom, const char *what, const char *name)
{
	print("%s at 0x%x: %s %s", rom->product, (u32)rom->header, what, name);
}

void rom_result(const struct rom *rom, const char *what, const char *name)
{
	if (*why)
		print("# %s\n", why);
	ktap_begin(!*why);
	print_title(rom, what, name);
	print("\n");
	why = "";
}

void rom_skip(const struct rom *rom, const char *what, const char *name,
	      const char *reason)
{
	ktap_begin(true);
	print_title(rom, what, name);
	print(" # SKIP %s\n", reason);
}

static struct vmi_reloc ask(const struct rom *rom, u32 call, u32 *flags)
{
	struct vmi_reloc reloc;
	u32 edx, ecx;

	asm volatile("call *%4"
		     : "=a" (reloc.eip), "=d" (edx), "=c" (ecx)
		     : "a" (call), "r" (rom->header->get_reloc)
		     : "cc", "memory");
	reloc.type = edx;
	*flags = edx >> 8;
	return reloc;
}

static u32 vmi_init(const struct rom *rom)
{
	u32 result;

	asm volatile("call *%1" : "=a" (result) : "r" (rom->header->vmi_init)
		     : "edx", "ecx", "cc", "memory");
	return result;
}

/* A text whose NUL is inside the image, too. */
static bool text_inside(const struct rom *rom, u32 offs)
{
	const char *image = (const char *)rom->header;

	while (offs && offs < rom->len)
		if (!image[offs++])
			return true;
	return false;
}

static bool is_jump_inside(const struct rom *rom, const u8 *insn)
{
	u32 target = (u32)insn + 5 + *(const u32 *)(insn + 1);

	return *insn == 0xe9 && target - (u32)rom->header >= VMI_HEADER_SIZE &&
	       target - (u32)rom->header < rom->len;
}

static u8 byte_sum(const u8 *bytes, u32 len)
{
	u8 sum = 0;

	while (len--)
		sum += *bytes++;
	return sum;
}

static void check_signatures(const struct rom *rom)
{
	const struct vmi_rom_header *header = rom->header;

	EXPECT(header->rom_signature == VMI_ROM_SIGNATURE);
	EXPECT(header->api_version_maj == VMI_API_MAJOR);
	EXPECT(header->api_version_min == VMI_API_MINOR);
	EXPECT(rom->len && rom->len % VMI_ROM_STEP == 0);
	EXPECT((u32)header + rom->len <= VMI_ROM_END);
	EXPECT(byte_sum((const u8 *)header, rom->len) == 0);
	EXPECT(header->virtual_top == 0);
	EXPECT(!header->pad0 && !header->reserved0 && !header->reserved1);
	EXPECT(header->code_length <= header->rom_length);
	EXPECT(byte_sum(header->pad1, sizeof(header->pad1)) == 0);
	/* In front of that is what a ROM and its host have for each other. */
	EXPECT(byte_sum(header->reserved2 + 8, sizeof(header->reserved2) - 8) == 0);
	rom_result(rom, "header", "fixed fields");
}

static void check_offsets(const struct rom *rom)
{
	const struct vmi_rom_header *header = rom->header;
	const u8 *image = (const u8 *)header;
	const u8 *pci = image + header->pci_header_offs;
	const u8 *pnp = image + header->pnp_header_offs;

	EXPECT(text_inside(rom, header->license_offs));
	EXPECT(!strcmp((const char *)image + header->license_offs, "GPL"));
	rom_result(rom, "header", "licence");

	EXPECT(header->pci_header_offs % 4 == 0);
	EXPECT((u32)header->pci_header_offs + PCI_DATA_SIZE <= rom->len);
	EXPECT(!memcmp(pci, "PCIR", 4));
	EXPECT(*(const u16 *)(pci + 4) == VMI_PCI_VENDOR);
	EXPECT(*(const u16 *)(pci + 6) == VMI_PCI_DEVICE);
	EXPECT(*(const u16 *)(pci + 16) * (u32)VMI_ROM_BLOCK == rom->len);
	rom_result(rom, "header", "PCI data structure");

	EXPECT((u32)header->pnp_header_offs + PNP_SIZE <= rom->len);
	EXPECT(!memcmp(pnp, "$PnP", 4));
	EXPECT(byte_sum(pnp, PNP_SIZE) == 0);
	EXPECT(byte_sum(pnp + PNP_BOOT, 6) == 0);
	EXPECT(text_inside(rom, *(const u16 *)(pnp + PNP_PRODUCT - 2)));
	EXPECT(text_inside(rom, *(const u16 *)(pnp + PNP_PRODUCT)));
	rom_result(rom, "header", "PnP header");

	EXPECT(is_jump_inside(rom, header->vmi_init));
	EXPECT(is_jump_inside(rom, header->get_reloc));
	rom_result(rom, "header", "entries");
}

/* There is no KVM here. */
static bool is_null(const struct rom *rom)
{
	return !strcmp(rom->product, "null ROM") || !strcmp(rom->product, "KVM ROM");
}

/* What this ROM must answer for an operation; other ROMs may choose. */
static u8 expected_type(const struct rom *rom, u32 call)
{
	if (call >= VMI_NR_OPS || !op_info[call].name)
		return VMI_RELOC_NONE;
	if (op_info[call].group == GROUP_TIME)
		return VMI_RELOC_NONE;
	if (is_null(rom) && op_info[call].group != GROUP_RETURN)
		return VMI_RELOC_NONE;
	return op_info[call].type;
}

static void check_relocs(struct rom *rom)
{
	static const u32 beyond[] = { CALLS_ASKED, 0x4000, 0x10000, 0x40000000, 0x80000000, -1 };
	struct vmi_reloc *reloc;
	u32 i, flags;

	for (i = 0; i < CALLS_ASKED; i++) {
		reloc = &rom->relocs[i];
		*reloc = ask(rom, i, &flags);
		if (reloc->type != expected_type(rom, i)) {
			FAIL("get_reloc's type");
			print("# call %u: type %u, not %u\n", i, reloc->type,
			      expected_type(rom, i));
		}
		if (is_null(rom) && reloc->type == VMI_RELOC_JUMP)
			EXPECT_EQ(flags, VMI_RELOC_KEEP);
		else
			EXPECT_EQ(flags, 0);
		if (reloc->type == VMI_RELOC_NONE)
			continue;
		EXPECT(reloc->eip - (u32)rom->header >= VMI_HEADER_SIZE);
		EXPECT(reloc->eip - (u32)rom->header < rom->len);
	}
	for (i = 0; i < ARRAY_SIZE(beyond); i++)
		EXPECT(ask(rom, beyond[i], &flags).type == VMI_RELOC_NONE);
	rom_result(rom, "get_reloc", "for every number");
}

#define ROM_TESTS	7	/* results of test_rom() without the calls */

static void test_rom(struct rom *rom, unsigned int cpus)
{
	check_signatures(rom);
	check_offsets(rom);
	EXPECT(vmi_init(rom) == 0);
	rom_result(rom, "vmi_init", "succeeds");
	check_relocs(rom);
	calls_run(rom, cpus);
}

static u32 find_roms(void)
{
	const struct vmi_rom_header *header;
	u32 at, n = 0;

	for (at = VMI_ROM_START; at < VMI_ROM_END; at += VMI_ROM_STEP) {
		header = (const void *)at;
		if (header->vrom_signature != VMI_SIGNATURE || n == ROMS_MAX)
			continue;
		roms[n].header = header;
		roms[n].len = header->rom_length * VMI_ROM_BLOCK;
		roms[n].product = (const char *)at +
			*(const u16 *)(at + header->pnp_header_offs + PNP_PRODUCT);
		n++;
	}
	return n;
}

int main(const char *cmdline)
{
	unsigned int cpus = cmdline_number(cmdline, "cpus", 1);
	u32 i, found = find_roms(), plan = 1;

	trap_hook = on_trap;
	for (i = 0; i < found; i++)
		plan += ROM_TESTS + calls_plan(&roms[i]);
	ktap_start(plan);
	if (found != cmdline_number(cmdline, "roms", 1))
		print("# %u ROMs\n", found);
	ktap_result(found == cmdline_number(cmdline, "roms", 1), "number of ROMs");
	for (i = 0; i < found; i++)
		test_rom(&roms[i], cpus);
	return ktap_failed() != 0;
}
