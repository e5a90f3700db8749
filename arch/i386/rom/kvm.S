/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm.rom: takes over what KVM offers to do better, everything else stays
 * native.  What that is, rom_init16 asks KVM, and writes the answers of
 * get_reloc into the image as long as the BIOS lets it.  Without KVM, and
 * before rom_init16, it is a null.rom.  Where KVM has neither VT-x nor SVM below it,
 * kernels run in ring 1, and a ROM in here for that serves them: ../ring1/rom.S.
 *
 * Read on in the parts: kvm-init.inc asks, kvm-slot.inc has a processor's
 * memory that KVM writes to, kvm-apic.inc, kvm-time.inc, kvm-alarm.inc and
 * kvm-wait.inc are the calls.
 */
#include "header.inc"
#include "iret.inc"
#include "kvm.h"
#include "../ring1/layout.h"

	.set keep_IRET, 1
	.set keep_SYSEXIT, 1

.if DATA_SLOTS + (SLOTS << SLOT_SHIFT) != 1024 * DATA_KB
	.error	"the slots do not fill the data"
.endif

	vmi_rom	"KVM ROM", ring1=ring1
	vmi_rom_partial

	.balign	4
rom_features:				/* bits of KVM that are used */
	.long	0
rom_to_data:				/* physical data minus physical ROM */
	.long	0

/* data reg, at: the linear address of the data. */
.macro data reg, at
	here	\reg, \at
	add	rom_to_data - \at\()b(\reg), \reg
	lea	rom_start - \at\()b(\reg), \reg
.endm

#include "kvm-init.inc"
#include "kvm-slot.inc"
#include "kvm-apic.inc"
#include "kvm-time.inc"
#include "kvm-alarm.inc"
#include "kvm-wait.inc"
#include "apic.inc"

op_IRET:
	iret_checked

op_SYSEXIT:
	sti
	sysexit

/* Nobody is to find it but through us: without the beginning that option ROMs have. */
	.balign	64
ring1:
	.fill	8
	.incbin	"ring1/rom.bin", 8
