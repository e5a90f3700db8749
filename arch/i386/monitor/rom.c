// SPDX-License-Identifier: GPL-2.0-only
/* The ROM's place in the guest's memory, and the two ways from it into the monitor. */
#include "mon.h"
#include "romlabels.h"	/* ROM_x: offset of label x in rom.S */

extern u8 rom_image[], rom_image_end[];

struct rom rom;
bool fill_at_iret;
static const u32 short_calls[] = {
	VMI_OP_SET_CR3, VMI_OP_INVAL_PAGE, VMI_OP_FLUSH_TLB, VMI_OP_FLUSH_RANGE,
};

/* Is there an option ROM at this physical address?  Its length if so. */
static u32 rom_at(u32 gpa)
{
	u8 *p = phys_ptr(gpa);

	return p[0] == 0x55 && p[1] == 0xaa ? p[2] * 512 : 0;
}

/* The image that a kernel looks for has a sum of 0, also when one ran before it. */
static void seal(void)
{
	u8 sum = 0;
	u32 i;

	for (i = 0; i < rom.code_pages * PAGE; i++)
		sum += rom.copy[i];
	rom.copy[7] -= sum;
}

/* get_reloc answers NONE for this operation. */
static void leave_out(enum vmi_op op)
{
	*(u32 *)(rom.copy + ROM_rom_relocs + 4 * op) = 0;
}

/**
 * rom_install - put our ROM behind those of the firmware
 *
 * Only the guest's shadows show it there; the machine's memory is unchanged.
 */
void rom_install(void)
{
	u32 gpa = VMI_ROM_START, len;

	rom.code_pages = 1;
	rom.copy = alloc_pages(rom.code_pages);
	memcpy(rom.copy, rom_image, rom_image_end - rom_image);
	/* Nobody to wait for: Linux then unlocks without asking whether one sleeps. */
	if (nr_cpus == 1) {
		leave_out(VMI_OP_SPIN_WAIT);
		leave_out(VMI_OP_SPIN_KICK);
	}
	while (gpa < VMI_ROM_END) {
		len = rom_at(gpa);
		gpa += len ? (len + VMI_ROM_STEP - 1) & ~(VMI_ROM_STEP - 1) : VMI_ROM_STEP;
		if (!len && !(gpa & (PAGE - 1)))
			break;
	}
	if (gpa + (rom.code_pages + SH_PAGES) * PAGE > VMI_ROM_END)
		refuse("no room for the ROM");
	seal();
	rom.phys = gpa;
	rom.shared = gpa + rom.code_pages * PAGE;
	mprintf("monitor: ROM at %05x\n", gpa);
}

/* Is the ROM at this linear address of the guest's? */
bool rom_is_at(struct vcpu *vcpu, u32 gva)
{
	u64 gpa;

	return guest_virt_to_phys(vcpu, gva, &gpa) && gpa == rom.phys;
}

/* Enter the monitor from a slot through a call gate: lcall $@gate, $0; ret */
static void use_far_call(u32 nr, u16 gate)
{
	u8 code[SLOT] = { 0x9a, 0, 0, 0, 0, gate & 0xff, gate >> 8, 0xc3 };

	memcpy(rom.copy + ROM_slots + SLOT * nr, code, SLOT);
}

/**
 * rom_place - vmi_init: the guest maps the ROM at @gva
 *
 * A kernel that another one started by kexec finds nothing of what that one left.
 */
bool rom_place(struct vcpu *vcpu, u32 gva)
{
	if (!rom_is_at(vcpu, gva))
		return false;
	rom_relocate(&rom, gva);
	use_far_call(HC_BY_CALL, MON_GATE);
	seal();
	irq_forget(vcpu);
	return true;
}

/**
 * rom_choose - the ROM has measured the two ways: take the faster
 */
void rom_choose(struct vcpu *vcpu, u32 by_int, u32 by_call)
{
	bool far = by_call < by_int && !boot.only_int;
	u32 i;

	for (i = 0; far && i < HC_BY_INT; i++)
		use_far_call(i, MON_GATE);
	/* In the place of a page fault, which is slower than either; and what spares more. */
	fill_at_iret = !boot.only_int;
	if (fill_at_iret)
		use_far_call(HC_FILL, MON_FILL_GATE);
	for (i = 0; fill_at_iret && i < ARRAY_SIZE(short_calls); i++)
		use_far_call(short_calls[i], MON_SHORT_GATE);
	seal();
	mprintf("monitor: hypercalls by %s (INT %u cycles, far call %u)\n",
		far ? "far call" : "INT", by_int, by_call);
}
