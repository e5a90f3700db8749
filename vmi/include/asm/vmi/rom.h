/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_ROM_H
#define _ASM_X86_VMI_ROM_H

/* What of the ABI concerns ROMs and those who ask them, but no site. */

#include <asm/vmi/abi.h>

/* Flag of get_reloc's answer, in DH: the native instruction does as well. */
#define VMI_RELOC_KEEP		1

/* Calls from here on are not in VMI 3.0. */
#define VMI_FIRST_EXTENSION	96

/* APICRead, APICWrite: what is below is an offset in the local APIC's page. */
#define VMI_APIC_OFFSETS	0x1000

#endif /* _ASM_X86_VMI_ROM_H */
