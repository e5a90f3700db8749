// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ROM: in an option ROM that QEMU loaded, kvm.rom, in the guest's RAM.  What runs is a
 * copy of its pages, with its addresses filled in, which can be made again from there.
 */
#include "ring1.h"
#include <asm/vmi/rom.h>
#include "romlabels.h"

extern u8 rom_image[], rom_image_end[];

#define LOW_MEMORY_END	0xa0000

/* Is it ours, by its code?  kvm.rom wrote into its header. */
static bool same_code(const u8 *code)
{
	return !memcmp(code + ROM_slots, rom_image + ROM_slots,
		       rom_image_end - rom_image - ROM_slots);
}

bool rom_is_at(struct vcpu *v, u32 gva)
{
	u32 size = rom_image_end - rom_image;
	u8 *code = kmalloc(size, GFP_KERNEL_ACCOUNT);
	bool same;

	same = code && guest_read(v, gva, code, size) && same_code(code);
	kfree(code);
	return same;
}

/**
 * find_rom - the option ROM that has one for ring 1 inside
 * @vcpu: the virtual CPU
 *
 * Return: where that is, 0 if there is none.  It may be of another version.
 */
u32 find_rom(struct kvm_vcpu *vcpu)
{
	u16 begin, offset;
	u32 gpa, sign;

	for (gpa = VMI_ROM_START; gpa < VMI_ROM_END; gpa += VMI_ROM_STEP) {
		if (!kvm_vcpu_read_guest(vcpu, gpa, &begin, 2) && begin == VMI_ROM_SIGNATURE &&
		    !kvm_vcpu_read_guest(vcpu, gpa + 8, &sign, 4) && sign == VMI_SIGNATURE &&
		    !kvm_vcpu_read_guest(vcpu, gpa + ROM_RING1, &offset, 2) && offset)
			return gpa + offset;
	}
	return 0;
}

/**
 * rom_is_foreign - is @gva in a kvm.rom that goes with another version of ours?
 * @v: the virtual CPU
 * @gva: linear address
 *
 * Its vmi_init is then not where we look for it.
 */
bool rom_is_foreign(struct vcpu *v, u32 gva)
{
	u32 size = rom_image_end - rom_image, phys;
	struct kvm_vcpu *vcpu = &to_vmi(v)->vcpu;
	bool foreign;
	u8 *code;
	u64 gpa;

	if (!guest_virt_to_phys(v, gva, &gpa) || gpa < VMI_ROM_START || gpa >= VMI_ROM_END)
		return false;
	phys = find_rom(vcpu);
	if (!phys || gpa - phys >= ROM_PAGES * PAGE)
		return false;
	code = kmalloc(size, GFP_KERNEL_ACCOUNT);
	foreign = code && !kvm_vcpu_read_guest(vcpu, phys, code, size) && !same_code(code);
	kfree(code);
	return foreign;
}

/* get_reloc's answer for a call that is our own. */
static void offer(u8 *copy, enum vmi_op op)
{
	u8 *row = copy + ROM_rom_relocs + 4 * op;
	u16 at = ROM_slots + SLOT * op;

	memcpy(row, &at, 2);
	row[2] = VMI_RELOC_CALL;
}

static void leave_out(u8 *copy, enum vmi_op op)
{
	memset(copy + ROM_rom_relocs + 4 * op, 0, 4);
}

/* CPUID asks KVM; there is no port whose slowness anything waits for. */
static void adapt(struct vcpu *v, u8 *copy)
{
	s32 to = ROM_slots + SLOT * VMI_OP_CPUID - (ROM_op_CPUID + 5);

	copy[ROM_op_CPUID] = 0xe9;		/* jmp */
	memcpy(copy + ROM_op_CPUID + 1, &to, 4);
	copy[ROM_op_IO_DELAY] = 0xc3;		/* ret */
#define OFFER(id) offer(copy, VMI_OP_##id);
	HOST_OPS(OFFER)
	/* Nobody to wait for: Linux then unlocks without asking whether one sleeps. */
	if (vcpu_count(v) == 1) {
		leave_out(copy, VMI_OP_SPIN_WAIT);
		leave_out(copy, VMI_OP_SPIN_KICK);
	}
}

/**
 * rom_shares - where the shared pages are of the ROM at @phys
 * @v: the virtual CPU
 * @phys: its place in the guest's memory
 * @shared: the place of the shared pages
 *
 * In conventional memory, which kvm.rom took when the BIOS called it.
 */
bool rom_shares(struct vcpu *v, u32 phys, u32 *shared)
{
	u32 distance;

	if (kvm_vcpu_read_guest(&to_vmi(v)->vcpu, phys + ROM_SHARED, &distance, 4))
		return false;
	*shared = phys + distance;
	return !(*shared % PAGE) && *shared < LOW_MEMORY_END - SH_PAGES * PAGE;
}

static u8 sum_of(const u8 *p, u32 len)
{
	u8 sum = 0;

	while (len--)
		sum += *p++;
	return sum;
}

/**
 * rom_finish - make the ROM at @phys what a kernel that has it at @gva is to see
 * @v: the virtual CPU
 * @phys: its place in the guest's memory
 * @gva: linear address
 *
 * Return: false if it is not the one that we know.
 */
bool rom_finish(struct vcpu *v, u32 phys, u32 gva)
{
	struct kvm_vmi *vm = to_kvm_vmi(v);
	u32 offset = phys & (PAGE - 1), len, shared;
	struct rom *rom = &vm->rom;
	u8 sum;

	len = PAGE_ALIGN(offset + (rom_image_end - rom_image));
	rom->copy = NULL;
	if (len > ROM_PAGES * PAGE || !rom_shares(v, phys, &shared) ||
	    kvm_vcpu_read_guest(&to_vmi(v)->vcpu, phys - offset, vm->rom_pages, len) ||
	    !same_code(vm->rom_pages + offset))
		return false;
	rom->phys = phys;
	rom->shared = shared;
	rom->code_pages = len / PAGE;
	rom->linear = 0;		/* as it is in the guest's RAM, also after a kexec */
	rom->copy = vm->rom_pages + offset;
	sum = sum_of(vm->rom_pages, len);
	rom_relocate(rom, gva);
	adapt(v, rom->copy);
	/* The next kernel, after a kexec, wants the sum that it had. */
	rom->copy[7] += sum - sum_of(vm->rom_pages, len);
	return true;
}

/**
 * rom_place - vmi_init: the guest maps the ROM at @gva
 * @v: the virtual CPU
 * @gva: linear address
 *
 * Context: may sleep.
 */
bool rom_place(struct vcpu *v, u32 gva)
{
	struct kvm_vmi *vm = to_kvm_vmi(v);
	u32 shared, i;
	bool good;
	u64 gpa;

	if (!rom_is_at(v, gva) || !guest_virt_to_phys(v, gva, &gpa) ||
	    gpa < VMI_ROM_START || gpa >= VMI_ROM_END)
		return false;
	if (!rom_shares(v, gpa, &shared)) {
		pr_err_ratelimited("kvm-vmi: guest of process %d: kvm.rom found no KVM (kvm=off?)\n",
				   current->tgid);
		return false;
	}
	mutex_lock(&vm->rom_lock);
	good = rom_finish(v, gpa, gva);
	mutex_unlock(&vm->rom_lock);
	/* What was stolen from a kernel before is not this one's loss. */
	for (i = 0; i < vcpu_count(v); i++) {
		to_vmi(vcpu_nr(v, i))->stolen = 0;
		to_vmi(vcpu_nr(v, i))->waiter = 0;
	}
	/* The guest's shadows show the pages that were there until now. */
	shadow_reset(v);
	if (good)
		pr_info_ratelimited("kvm-vmi: guest of process %d has the ROM at %llx\n",
				    current->tgid, gpa);
	return good;
}

void rom_choose(struct vcpu *v, u32 by_int, u32 by_call)
{
}
