// SPDX-License-Identifier: GPL-2.0-only
/* The end of a guest that cannot go on, and how one is known that does not say so. */
#include "ring1.h"
#include "kvm/x86.h"
#include "kvm/kvm_cache_regs.h"

#define COM1	0x3f8

/* QEMU ends as if the guest had panicked. */
static int crash(struct kvm_vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	vcpu->run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
	vcpu->run->system_event.ndata = 0;
	return 0;
}

/**
 * vmi_stop - the guest cannot go on
 * @vmi: the virtual CPU
 * @why: the reason, for the log
 *
 * QEMU has no words for that.  So the guest's first serial port says why, as if firmware
 * wrote it, and the host's log; then QEMU ends.
 *
 * Context: any.
 */
int vmi_stop(struct vcpu_vmi *vmi, const char *why)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;
	struct kvm_run *run = vcpu->run;

	pr_err_ratelimited("kvm-vmi: guest of process %d stopped: %s (CS:EIP %x:%lx)\n",
			   current->tgid, why, vmi->seg[VCPU_SREG_CS].selector,
			   kvm_rip_read(vcpu));
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = 1;
	run->io.port = COM1;
	run->io.data_offset = KVM_PIO_PAGE_OFFSET * PAGE_SIZE;
	run->io.count = scnprintf(vcpu->arch.pio_data, PAGE_SIZE,
				  "\r\nkvm-vmi: guest stopped: %s\r\n", why);
	vcpu->arch.complete_userspace_io = crash;
	return 0;
}

/* The header of Linux's setup code, which has DS and CS at its beginning. */
#define SETUP_MAGIC	0x202
#define SETUP_XLOAD	0x236	/* xloadflags; bit 0: a 64-bit kernel */

static const char *setup_gave_up(struct vcpu_vmi *vmi)
{
	u32 base = vmi->seg[VCPU_SREG_CS].base;
	u8 magic[4], xload;

	if (!guest_read(&vmi->ring1, base + SETUP_MAGIC, magic, 4) || memcmp(magic, "HdrS", 4) ||
	    !guest_read(&vmi->ring1, base + SETUP_XLOAD, &xload, 1))
		return NULL;
	return xload & 1 ? "a 64-bit kernel" :
	       "the kernel's setup code cannot go on here, its screen says why";
}

/**
 * vmi_gave_up - does it halt for good, with a jump back to HLT behind that?
 * @vmi: the virtual CPU
 *
 * So does Linux's setup code on a processor that the kernel is not for, and what comes
 * before it knows of the ROM.  Some firmware waits in that way; it is not meant.
 *
 * Return: true, and vmi->refused says why.
 */
bool vmi_gave_up(struct vcpu_vmi *vmi)
{
	struct kvm_vcpu *vcpu = &vmi->vcpu;
	u8 jump[2];

	if (vmi->ring1.vmi || vcpu->vcpu_id != vcpu->kvm->arch.bsp_vcpu_id ||
	    !guest_read(&vmi->ring1, kvm_get_linear_rip(vcpu), jump, 2) ||
	    jump[0] != 0xeb || jump[1] != 0xfd)
		return false;
	if (!is_protmode(vcpu))
		vmi->refused = setup_gave_up(vmi);
	else if (!(vmi->rflags & X86_EFLAGS_IF))
		vmi->refused = "it halts for good, before it has called the ROM";
	return vmi->refused;
}
