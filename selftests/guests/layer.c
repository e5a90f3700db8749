// SPDX-License-Identifier: GPL-2.0-only
/* A guest on the layer; layer.h describes it. */
#include <asm/vmi/rom.h>

#include "layer.h"
#include "paging.h"

#define LINEAR_PAGES	0x20000		/* of the direct map, paging.c */
#define USER_STACK_TOP	(USER_STACK + PAGE_SIZE - 16)

const char *guest_cmdline;
u32 ring;
bool patched;
struct vmi_reloc relocs[VMI_NR_OPS];
struct trap_frame landed;
bool (*on_trap)(struct trap_frame *frame);

extern const struct vmi_site __vmi_sites[], __vmi_sites_end[];
extern char layer_gates[];
void launch_frame(const struct trap_frame *frame);
void launch_sysexit(u32 eip, u32 esp);
void __noreturn land(void);
void layer_trap(struct trap_frame *frame);

static struct vmi_rom rom;
static u64 layer_idt[256];
static bool launched;

void native_write_cr0(unsigned long val)
{
	vmi_write_cr0(val);
}

void native_write_cr4(unsigned long val)
{
	vmi_write_cr4(val);
}

/* The header of these is for Linux's mm/tlb.c alone. */
void flush_tlb(void)
{
	if (vmi_patched(VMI_OP_FLUSH_TLB))
		vmi_call1(FLUSH_TLB, VMI_FLUSH_TLB);
	else
		asm volatile("mov %%cr3, %%eax; mov %%eax, %%cr3" : : : "eax", "memory");
}

void flush_global(void)
{
	u32 cr4;

	if (vmi_patched(VMI_OP_FLUSH_TLB)) {
		vmi_call1(FLUSH_TLB, VMI_FLUSH_GLOBAL);
		return;
	}
	cr4 = __read_cr4();
	__write_cr4(cr4 ^ CR4_PGE);
	__write_cr4(cr4);
}

void inval_page(u32 addr)
{
	if (vmi_patched(VMI_OP_INVAL_PAGE))
		vmi_call1(INVAL_PAGE, addr);
	else
		asm volatile("invlpg (%0)" : : "r" (addr) : "memory");
}

void flush_range(u32 addr, u32 pages)
{
	if (vmi_patched(VMI_OP_FLUSH_RANGE))
		vmi_call2(FLUSH_RANGE, addr, pages);
	else
		while (pages--)
			inval_page(addr + pages * PAGE_SIZE);
}

void update_kernel_stack(u32 ss, u32 esp)
{
	tss.ss0 = ss;
	tss.esp0 = esp;
	if (vmi_patched(VMI_OP_UPDATE_KERNEL_STACK))
		vmi_call2(UPDATE_KERNEL_STACK, ss, esp);
}

/* Contexts */

struct trap_frame context(const void *eip, bool user)
{
	u32 data = user ? USER_DS : KERNEL_DS;

	return (struct trap_frame) {
		.ds = data, .es = data, .eip = (u32)eip, .eflags = 2,
		.cs = user ? USER_CS : KERNEL_CS | ring,
		.esp = USER_STACK_TOP, .ss = data,
	};
}

void launch(const struct trap_frame *frame)
{
	arch_local_irq_disable();
	launched = true;
	launch_frame(frame);
}

void launch_by_sysexit(const void *eip, u32 esp)
{
	arch_local_irq_disable();
	launched = true;
	launch_sysexit((u32)eip, esp);
}

const void *user_stub(const char *stub)
{
	return (const void *)(USER_CODE + (stub - stubs));
}

bool fault_at(const char *site, u32 vector)
{
	if (landed.vector != vector)
		return false;
	return landed.eip == (u32)site ||
	       (patched && landed.eip - (u32)rom.image < rom.len);
}

u32 *shared_word(u32 offset)
{
	const char *image = (const char *)rom.image;

	if (*(const u16 *)(image + ROM_RING1))		/* kvm.rom: the other one, inside */
		image += *(const u16 *)(image + ROM_RING1);
	return (u32 *)(image + *(const u32 *)(image + ROM_SHARED) + offset);
}

/* From layer-entry.S. */
void layer_trap(struct trap_frame *frame)
{
	if (on_trap && on_trap(frame))
		return;
	if (launched) {
		launched = false;
		landed = *frame;
		if ((frame->cs & 3) != 3) {
			landed.esp = (u32)&frame->esp;
			landed.ss = KERNEL_DS | ring;
		}
		land();
	}
	print("# trap %u error %x at %x:%08x flags %x cr2 %08x\n", frame->vector,
	      frame->error, frame->cs, frame->eip, frame->eflags, (u32)read_cr2());
	print("Bail out! unexpected trap\n");
	guest_exit(1);
}

/* The start */

static u64 call_rom(const void *entry, u32 arg)
{
	u64 answer;

	asm volatile("call *%1" : "=A" (answer) : "r" (entry), "a" (arg)
		     : "ecx", "cc", "memory");
	return answer;
}

static void ask_rom(char why_not[VMI_WHY_LEN])
{
	u64 answer;
	u32 op;

	if ((u32)call_rom(rom.image->vmi_init, 0)) {
		snprintf(why_not, VMI_WHY_LEN, "vmi_init failed");
		return;
	}
	for (op = 0; op < VMI_NR_OPS; op++) {
		if (!vmi_op_info[op].name)
			continue;
		answer = call_rom(rom.image->get_reloc, op);
		relocs[op].eip = answer;
		relocs[op].type = answer >> 32;
		if (vmi_reloc_check(&rom, op, &relocs[op], why_not))
			return;
		if (answer >> 40 & VMI_RELOC_KEEP)
			relocs[op].type = VMI_RELOC_NONE;
	}
}

static void find_rom(const char *cmdline)
{
	const void *window = (const void *)VMI_ROM_START, *image;
	const char *host = cmdline_word(cmdline, "host");
	struct vmi_counts counts = { 0, 0, 0, 0 };
	char why_not[VMI_WHY_LEN] = "";

	image = vmi_rom_find(window, VMI_ROM_END - VMI_ROM_START, 0);
	if (!image) {
		print("# no ROM, %u sites native\n", __vmi_sites_end - __vmi_sites);
		EXPECT(!memcmp(host, "native", 6));
		return;
	}
	if (!vmi_rom_check(&rom, image, VMI_ROM_END - (u32)image, why_not))
		ask_rom(why_not);
	if (*why_not) {
		print("# ROM at 0x%x refused: %s\n", (u32)image, why_not);
		FAIL("the ROM is refused");
		return;
	}
	vmi_patch_sites(__vmi_sites, __vmi_sites_end, relocs, &counts);
	patched = true;
	print("# %s at 0x%x: %u sites, %u calls, %u jumps, %u nops\n", rom.product,
	      (u32)image, counts.sites, counts.calls, counts.jumps, counts.nops);
	/* kvm.rom, with a kernel in ring 1 */
	if (!memcmp(host, "ring1", 5))
		host = "KVM ROM";
	EXPECT(!memcmp(host, rom.product, strlen("null")));
}

void set_idt_gate(u32 vector, u32 type_dpl)
{
	u32 addr = (u32)layer_gates + 16 * vector;

	WRITE_DESC(WRITE_IDT_ENTRY, layer_idt, vector,
		   (u64)((addr & 0xffff0000) | type_dpl << 8) << 32 |
		   KERNEL_CS << 16 | (addr & 0xffff));
}

/* As a kernel has it: paging on before the ROM is called. */
static void layer_start(const char *cmdline)
{
	struct descriptor_pointer idt = { sizeof(layer_idt) - 1, (u32)layer_idt };
	static struct space base;
	u32 i, cs;

	space_init(&base, true);
	space_load(&base);
	find_rom(cmdline);
	asm("mov %%cs, %0" : "=r" (cs));
	ring = cs & 3;
	EXPECT(ring == (u32)(!memcmp(cmdline_word(cmdline, "host"), "monitor", 7) ||
			     !memcmp(cmdline_word(cmdline, "host"), "ring1", 5)));
	if (vmi_patched(VMI_OP_SET_LINEAR_MAPPING))
		vmi_call4(SET_LINEAR_MAPPING, 0, 0, LINEAR_PAGES, 0);

	for (i = 0; i < LAYER_VECTORS; i++)
		set_idt_gate(i, i == 3 || i == 4 || i == TRAP_VECTOR ? GATE_USER : GATE_KERNEL);
	set_idt(&idt);
	set_gdt(&gdt_pointer);
	update_kernel_stack(KERNEL_DS, TRAP_STACK_TOP);
}

static void run_suite(const struct suite *suite)
{
	const struct test *test;

	if (suite->prepare)
		suite->prepare();
	for (test = suite->tests; test->name; test++) {
		test->run();
		ktap_end(suite->name, test->name);
	}
}

int main(const char *cmdline)
{
	const struct suite *suite;
	const struct test *test;
	u32 plan = 1;

	guest_cmdline = cmdline;
	for (suite = suites; suite->name; suite++)
		for (test = suite->tests; test->name; test++)
			plan++;
	ktap_start(plan);
	layer_start(cmdline);
	ktap_end("layer", "started");
	for (suite = suites; suite->name; suite++)
		run_suite(suite);
	return ktap_failed() != 0;
}
