/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata
	.globl	rom_image, rom_image_end, rom_relocs, rom_relocs_end
	.balign 16
rom_image:
	.incbin "rom.bin"
rom_image_end:
	.balign 16
rom_relocs:
	.include "romreloc.inc"
rom_relocs_end:
	.section .note.GNU-stack, "", @progbits
