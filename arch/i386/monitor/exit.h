/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MON_EXIT_H
#define MON_EXIT_H

/* How the machine ends, for C and for multiboot.S. */
#define EXIT_PORT	0xf4	/* QEMU's isa-debug-exit, where there is one */
#define EXIT_STOPPED	0x20
#define EXIT_PANIC	0x21
#define EXIT_REFUSED	0x22	/* what the loader brought cannot be started */
#define EXIT_HALTED	0x23	/* the guest's kernel halted */

#endif
