// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ROM: an option ROM that QEMU loaded, in the guest's RAM.  What runs is a copy of
 * its pages, with its addresses filled in.
 */
#include "ring1.h"
#include "romlabels.h"

extern u8 rom_image[], rom_image_end[];

/* Is it ours, by its code?  Its header has checksums, which the image here lacks. */
bool rom_is_at(struct vcpu *v, u32 lin)
{
	u32 size = rom_image_end - rom_image;
	u8 *code = kmalloc(size, GFP_KERNEL_ACCOUNT);
	bool same;

	same = code && guest_read(v, lin, code, size) &&
	       !memcmp(code + ROM_slots, rom_image + ROM_slots, size - ROM_slots);
	kfree(code);
	return same;
}

/* get_reloc's answer for a call that is our own. */
static void offer(u8 *copy, enum vmi_op op)
{
	u8 *row = copy + ROM_rom_relocs + 4 * op;
	u16 at = ROM_slots + SLOT * op;

	memcpy(row, &at, 2);
	row[2] = VMI_RELOC_CALL;
}

/* CPUID asks KVM; there is no port whose slowness anything waits for. */
static void adapt(u8 *copy)
{
	s32 to = ROM_slots + SLOT * VMI_OP_CPUID - (ROM_op_CPUID + 5);

	copy[ROM_op_CPUID] = 0xe9;		/* jmp */
	memcpy(copy + ROM_op_CPUID + 1, &to, 4);
	copy[ROM_op_IO_DELAY] = 0xc3;		/* ret */
#define OFFER(id) offer(copy, VMI_OP_##id);
	HOST_OPS(OFFER)
}

/**
 * rom_place - vmi_init: the guest maps the ROM at @lin
 */
bool rom_place(struct vcpu *v, u32 lin)
{
	struct kvm_vmi *vm = to_kvm_vmi(v);
	struct rom *rom = &vm->rom;
	u32 offset = lin & (PAGE - 1);
	u64 gpa;

	if (!rom_is_at(v, lin) || !guest_virt_to_phys(v, lin, &gpa))
		return false;
	if (gpa < VMI_ROM_START || gpa >= VMI_ROM_END || offset % VMI_ROM_STEP)
		return false;
	rom->code_pages = offset ? 2 : 1;
	/* From the code's page to the shared ones, which are at a page boundary. */
	rom->pad = offset ? PAGE - offset : 0;
	rom->phys = gpa;
	if (kvm_vcpu_read_guest(&to_vmi(v)->vcpu, gpa - offset, vm->rom_pages,
				rom->code_pages * PAGE))
		return false;
	rom->copy = vm->rom_pages + offset;
	rom->linear = 0;		/* as the guest has it, also after a kexec */
	rom_relocate(rom, lin);
	adapt(rom->copy);
	/* The guest's shadows show the pages that were there until now. */
	shadow_reset(v);
	pr_info_ratelimited("kvm-vmi: guest of process %d has the ROM at %llx\n", current->tgid, gpa);
	return true;
}

void rom_choose(struct vcpu *v, u32 by_int, u32 by_call)
{
}
