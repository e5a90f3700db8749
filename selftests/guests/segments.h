/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _GUEST_SEGMENTS_H
#define _GUEST_SEGMENTS_H

/* Selectors of start.S's GDT; the first four in the order SYSEXIT wants. */
#define KERNEL_CS	0x08
#define KERNEL_DS	0x10
#define USER_CS		0x1b
#define USER_DS		0x23
#define TSS_SEL		0x28
#define ODD32_SEL	0x30	/* ring 0 stack, base not 0 */
#define ODD16_SEL	0x38	/* the same, 16-bit */
#define FAR_SEL		0x43	/* ring 3 data: one byte, where no memory is */
#define LDT_SEL		0x48
#define SPARE_SEL	0x50
#define GDT_SIZE	0x58

#define OTHER_VECTOR	0x2f	/* stub_int */
#define GATE_VECTORS	0x30	/* exceptions and PIC interrupts */
#define TRAP_VECTOR	0x80	/* "int" from any ring */
#define LAYER_VECTORS	0x90	/* gates of a guest on the layer, TRAP_VECTOR too */

#endif /* _GUEST_SEGMENTS_H */
