/* SPDX-License-Identifier: GPL-2.0-only */
/* The ROM's image, carried inside the monitor. */
	.section .rodata
	.balign 16
	.globl	rom_image, rom_image_end
rom_image:
	.incbin "rom.bin"
rom_image_end:
	.balign 4
	.globl	rom_relocs, rom_relocs_end
rom_relocs:
	.include "romreloc.inc"
rom_relocs_end:
