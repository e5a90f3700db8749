/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FUZZ_MONITOR_H
#define _FUZZ_MONITOR_H

/*
 * Stands in front of every file of the monitor that is built for the host.
 * The files themselves are unchanged: what only a processor in ring 0 has is
 * put in its place here, before mon.h.
 *
 * The machine's memory is an array.  The monitor's own memory is the program's,
 * linked below 1 GB: linear address 0 is physical address MON_START.
 */
#define invlpg		insn_invlpg
#define write_cr3	insn_write_cr3
#define pause		insn_pause

#include "host-types.h"

#undef invlpg
#undef write_cr3
#undef pause

void invlpg(u64 gva);
void write_cr3(u64 val);

#include "layout.h"

#undef DIRECT_BASE
#undef MON_BASE
#define DIRECT_BASE	((u64)machine)
#define MON_BASE	0

extern unsigned char machine[];

#include "mon.h"

#endif /* _FUZZ_MONITOR_H */
