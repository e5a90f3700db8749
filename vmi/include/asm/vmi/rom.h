/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_ROM_H
#define _ASM_X86_VMI_ROM_H

/* What of the ABI concerns ROMs and those who ask them, but no site. */

#include <asm/vmi/abi.h>

/* In the header, for hosts of kernels in ring 1; guests see reserved fields. */
#define ROM_RING1		0x20	/* u16: offset of the ROM for them in this one, or 0 */
#define ROM_SHARED		0x24	/* u32: from that to the pages it shares with its host */

/* Flag of get_reloc's answer, in DH: the native instruction does as well. */
#define VMI_RELOC_KEEP		1

/* Calls from here on are not in VMI 3.0. */
#define VMI_FIRST_EXTENSION	96

/* APICRead, APICWrite: what is below is an offset in the local APIC's page. */
#define VMI_APIC_OFFSETS	0x1000

#endif /* _ASM_X86_VMI_ROM_H */
