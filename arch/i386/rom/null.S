/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * null.rom: the smallest ROM.  Kernels from 2.6.21 to 2.6.36 need a routine
 * for IRET and SYSEXIT; everything else stays native.
 */
#include "header.inc"

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
	iret

op_SYSEXIT:
	sti
	sysexit
