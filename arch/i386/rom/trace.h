/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VMI_ROM_TRACE_H
#define _VMI_ROM_TRACE_H

/*
 * What trace.rom keeps in conventional memory.  Shared with the test that
 * pokes into it; guests read the counts through GetOpCount.
 */
#define TRACE_KB	1		/* taken from the BIOS's memory size */
#define TRACE_FLAT	0		/* u32: the guest's flat data selector */
#define TRACE_KNOWN	4		/* u32: 1: the guest asked for an extension */
#define TRACE_PHYS	8		/* u32: physical address of these */
#define TRACE_APIC	12		/* u32: linear address of the local APIC, or 0 */
#define TRACE_COUNTS	16		/* u64 per call number */

#endif /* _VMI_ROM_TRACE_H */
