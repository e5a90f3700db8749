/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * null.rom: the smallest ROM.  Kernels from 2.6.21 to 2.6.36 need a routine
 * for IRET and SYSEXIT, others keep even these; everything else stays native.
 */
#include "header.inc"
#include "iret.inc"

	.set keep_IRET, 1
	.set keep_SYSEXIT, 1

	vmi_rom	"null ROM"
	vmi_rom_partial

	.code16
rom_init16:
	lret

	.code32
rom_vmi_init:
	xor	%eax, %eax
	ret

op_IRET:
	iret_checked

op_SYSEXIT:
	sti
	sysexit
