// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that uses a ROM as Linux 2.6.21 to 2.6.36 did: it maps all memory at
 * 3 GB and the local APIC near the top, names APIC registers by their offset,
 * calls routines through pointers, has nothing of its own for IRET and SYSEXIT,
 * and takes all of the timer if there is a cycle frequency.  It asks for no
 * extension.  On the command line, pae=1: page tables of three levels.
 */
#include "oldkernel.h"

#define PDE_SMALL	0x07	/* a table: present, writable, user */
#define PTE_KERNEL	0x63	/* present, writable, accessed, dirty */
#define PTE_UNCACHED	0x10
#define LINEAR_PAGES	0x38000	/* what 2.6.32 says, however much memory there is */
#define CR4_PAE		0x20

struct old_ops ops;
struct vmi_reloc old_relocs[96];
const struct vmi_rom_header *rom;
u32 ring, pae;
u32 old_root;

static u64 tables[8][512] __aligned(4096);
static u64 pointers[4] __aligned(32);

/* As the kernel has it when it comes to vmi_init: what is low, and at 3 GB. */
static void paging_on(void)
{
	u32 i, cr4 = READ_CR(4) | CR4_PSE | CR4_PGE;
	u32 *directory = (u32 *)tables[0];

	if (pae) {
		for (i = 0; i < 4; i++)
			pointers[i] = (u32)tables[i] | 1;
		for (i = 0; i < 256; i++) {
			tables[0][i] = i << 21 | PDE_LARGE;
			tables[PAGE_OFFSET >> 30][i] = i << 21 | (PDE_LARGE & ~4u);
		}
		tables[3][FIX_APIC >> 21 & 511] = (u32)tables[4] | PDE_SMALL;
		tables[4][FIX_APIC >> 12 & 511] = LAPIC | PTE_KERNEL | PTE_UNCACHED;
		cr4 |= CR4_PAE;
	} else {
		for (i = 0; i < 128; i++) {
			directory[i] = i << 22 | PDE_LARGE;
			directory[(PAGE_OFFSET >> 22) + i] = i << 22 | (PDE_LARGE & ~4u);
		}
		directory[FIX_APIC >> 22] = (u32)tables[4] | PDE_SMALL;
		((u32 *)tables[4])[FIX_APIC >> 12 & 1023] =
			LAPIC | PTE_KERNEL | PTE_UNCACHED;
	}
	old_root = pae ? (u32)pointers : (u32)directory;
	WRITE_CR(4, cr4);
	WRITE_CR(3, old_root);
	WRITE_CR(0, READ_CR(0) | CR0_PG | CR0_WP);
}

/* The entry of VICTIM, in a table made for it. */
void *victim_entry(void)
{
	u32 index = pae ? VICTIM >> 12 & 511 : VICTIM >> 12 & 1023;
	u32 *directory = (u32 *)tables[0];

	if (ops.allocate_page)
		ops.allocate_page((u32)tables[5] >> 12, VMI_PAGE_PT, 0, 0, 0);
	if (pae)
		set_entry(&tables[VICTIM >> 30][VICTIM >> 21 & 511],
			  (u32)tables[5] | PDE_SMALL, VMI_PAGE_PD);
	else
		set_entry(&directory[VICTIM >> 22], (u32)tables[5] | PDE_SMALL, VMI_PAGE_PD);
	return pae ? (void *)&tables[5][index] : (void *)((u32 *)tables[5] + index);
}

void release_victim(void)
{
	u32 *directory = (u32 *)tables[0];

	if (pae)
		set_entry(&tables[VICTIM >> 30][VICTIM >> 21 & 511], 0, VMI_PAGE_PD);
	else
		set_entry(&directory[VICTIM >> 22], 0, VMI_PAGE_PD);
	if (ops.release_page)
		ops.release_page((u32)tables[5] >> 12, VMI_PAGE_PT);
}

void set_entry(void *entry, u64 value, u32 flags)
{
	/* A table is where the kernel maps all memory. */
	entry = (char *)entry + PAGE_OFFSET;
	if (pae && ops.set_pte_long)
		ops.set_pte_long(value, entry, flags);
	else if (pae)
		*(volatile u64 *)entry = value;
	else if (ops.set_pte)
		ops.set_pte(value, entry, flags);
	else
		*(volatile u32 *)entry = value;
}

u32 apic_read(u32 reg)
{
	return ops.apic_read ? ops.apic_read(reg) : read32(FIX_APIC + reg);
}

void apic_write(u32 reg, u32 value)
{
	if (ops.apic_write)
		ops.apic_write(reg, value);
	else
		write32(FIX_APIC + reg, value);
}

void irq_enable(void)
{
	if (ops.irq_enable)
		ops.irq_enable();
	else
		asm volatile("sti" : : : "memory");
}

void irq_disable(void)
{
	if (ops.irq_disable)
		ops.irq_disable();
	else
		asm volatile("cli" : : : "memory");
}

/* Asking */

static struct vmi_reloc ask(u32 call)
{
	u64 (*get_reloc)(u32 call) REGPARM = (void *)rom->get_reloc;
	u64 answer = get_reloc(call);

	return (struct vmi_reloc){ answer, answer >> 32 };
}

/* In the order of 2.6.32; what it has no use for is not asked. */
static const u8 asked[] = {
	VMI_OP_CPUID, VMI_OP_CLTS, VMI_OP_GET_DR, VMI_OP_SET_DR, VMI_OP_GET_CR0,
	VMI_OP_GET_CR2, VMI_OP_GET_CR3, VMI_OP_GET_CR4, VMI_OP_SET_CR0, VMI_OP_SET_CR2,
	VMI_OP_SET_CR3, VMI_OP_SET_CR4, VMI_OP_GET_INTERRUPT_MASK,
	VMI_OP_SET_INTERRUPT_MASK, VMI_OP_DISABLE_INTERRUPTS, VMI_OP_ENABLE_INTERRUPTS,
	VMI_OP_WBINVD, VMI_OP_RDTSC, VMI_OP_SET_TR, VMI_OP_SET_LDT, VMI_OP_SET_GDT,
	VMI_OP_SET_IDT, VMI_OP_GET_GDT, VMI_OP_GET_IDT, VMI_OP_GET_TR,
	VMI_OP_WRITE_LDT_ENTRY, VMI_OP_WRITE_GDT_ENTRY, VMI_OP_WRITE_IDT_ENTRY,
	VMI_OP_UPDATE_KERNEL_STACK, VMI_OP_SET_IOPL_MASK, VMI_OP_IO_DELAY,
	VMI_OP_SET_LAZY_MODE, VMI_OP_FLUSH_TLB, VMI_OP_INVAL_PAGE, VMI_OP_SET_PXE,
	VMI_OP_SET_PXE_LONG, VMI_OP_UPDATE_PXE, VMI_OP_UPDATE_PXE_LONG,
	VMI_OP_ALLOCATE_PAGE, VMI_OP_RELEASE_PAGE, VMI_OP_SET_LINEAR_MAPPING,
	VMI_OP_SET_INITIAL_AP_STATE, VMI_OP_APIC_READ, VMI_OP_APIC_WRITE,
	VMI_OP_GET_CYCLE_FREQUENCY, VMI_OP_GET_CYCLE_COUNTER, VMI_OP_GET_WALLCLOCK_TIME,
	VMI_OP_WALLCLOCK_UPDATED, VMI_OP_SET_ALARM, VMI_OP_CANCEL_ALARM, VMI_OP_HALT,
	VMI_OP_IRET, VMI_OP_SYSEXIT,
};

static void *routine(u32 call)
{
	return old_relocs[call].type == VMI_RELOC_CALL ? (void *)old_relocs[call].eip : NULL;
}

static void take_ops(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(asked); i++)
		old_relocs[asked[i]] = ask(asked[i]);
	ops = (struct old_ops){
		.apic_read = routine(VMI_OP_APIC_READ),
		.apic_write = routine(VMI_OP_APIC_WRITE),
		.irq_enable = routine(VMI_OP_ENABLE_INTERRUPTS),
		.irq_disable = routine(VMI_OP_DISABLE_INTERRUPTS),
		.halt = routine(VMI_OP_HALT),
		.flush_tlb = routine(VMI_OP_FLUSH_TLB),
		.inval_page = routine(VMI_OP_INVAL_PAGE),
		.set_pte = routine(VMI_OP_SET_PXE),
		.set_pte_long = routine(VMI_OP_SET_PXE_LONG),
		.allocate_page = routine(VMI_OP_ALLOCATE_PAGE),
		.release_page = routine(VMI_OP_RELEASE_PAGE),
		.set_linear_mapping = routine(VMI_OP_SET_LINEAR_MAPPING),
		.set_kernel_stack = routine(VMI_OP_UPDATE_KERNEL_STACK),
		.write_gdt_entry = routine(VMI_OP_WRITE_GDT_ENTRY),
		.set_lazy_mode = routine(VMI_OP_SET_LAZY_MODE),
		.set_initial_ap_state = routine(VMI_OP_SET_INITIAL_AP_STATE),
		.get_cycle_frequency = routine(VMI_OP_GET_CYCLE_FREQUENCY),
		.get_cycle_counter = routine(VMI_OP_GET_CYCLE_COUNTER),
		.get_wallclock = routine(VMI_OP_GET_WALLCLOCK_TIME),
		.wallclock_updated = routine(VMI_OP_WALLCLOCK_UPDATED),
		.set_alarm = routine(VMI_OP_SET_ALARM),
		.cancel_alarm = routine(VMI_OP_CANCEL_ALARM),
	};
}

static bool start_rom(void)
{
	u32 (*vmi_init)(void);
	u32 at, cs;

	for (at = VMI_ROM_START; at < VMI_ROM_END; at += VMI_ROM_STEP) {
		rom = (const void *)(PAGE_OFFSET + at);
		if (rom->rom_signature == VMI_ROM_SIGNATURE &&
		    rom->vrom_signature == VMI_SIGNATURE)
			break;
	}
	if (at == VMI_ROM_END)
		return false;
	vmi_init = (void *)rom->vmi_init;
	if (vmi_init())
		return false;
	asm("mov %%cs, %0" : "=r" (cs));
	ring = cs & 3;
	take_ops();
	return true;
}

static void test_answers(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		u8 type = old_relocs[asked[i]].type;
		bool jumps = asked[i] == VMI_OP_IRET || asked[i] == VMI_OP_SYSEXIT;

		if (jumps ? type == VMI_RELOC_JUMP : type != VMI_RELOC_JUMP)
			continue;
		print("# call %u: type %u\n", asked[i], type);
		FAIL("an answer that stops such a kernel");
	}
	if (old_relocs[VMI_OP_GET_CYCLE_FREQUENCY].type != VMI_RELOC_NONE)
		EXPECT(ops.get_cycle_counter && ops.get_wallclock &&
		       ops.wallclock_updated && ops.set_alarm && ops.cancel_alarm);
	ktap_end("oldkernel", "answers");
}

static void bring_up(void)
{
	if (ops.set_linear_mapping)
		ops.set_linear_mapping(0, PAGE_OFFSET, LINEAR_PAGES, 0);
	if (ops.set_kernel_stack)
		ops.set_kernel_stack(KERNEL_DS, (u32)ring0_stack_top);
	if (ops.set_lazy_mode) {
		ops.set_lazy_mode(VMI_LAZY_MMU);
		ops.set_lazy_mode(VMI_LAZY_NONE);
	}
	ktap_end("oldkernel", "bring-up");
}

int main(const char *cmdline)
{
	const struct old_test *test;
	u32 plan = 3;

	pae = cmdline_number(cmdline, "pae", 0);
	for (test = old_tests; test->run; test++)
		plan++;
	ktap_start(plan);
	trap_hook = old_trap;
	paging_on();
	EXPECT(start_rom());
	ktap_end("oldkernel", "vmi_init");
	if (ktap_failed())
		return 1;
	test_answers();
	if (ktap_failed())
		return 1;
	trap_return = old_relocs[VMI_OP_IRET].eip;
	bring_up();
	/* Each needs those before it: without an interrupt HLT would not end. */
	for (test = old_tests; test->run && !ktap_failed(); test++) {
		test->run(cmdline);
		ktap_end("oldkernel", test->name);
	}
	return ktap_failed() != 0;
}
