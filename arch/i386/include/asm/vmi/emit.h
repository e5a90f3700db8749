/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_EMIT_H
#define _ASM_X86_VMI_EMIT_H

/*
 * Writing i386 instructions.  Inline, since the patcher does it thousands of
 * times before the first line of a boot's log.
 */
#include <linux/string.h>

#include <asm/vmi/patch.h>

#define VMI_OPCODE_CALL	0xe8
#define VMI_OPCODE_JMP	0xe9
#define VMI_OPCODE_NOP	0x90
#define VMI_PREFIX_DS	0x3e

/**
 * vmi_emit_branch() - write CALL rel32 or JMP rel32
 * @insn: where, 5 bytes
 * @opcode: VMI_OPCODE_CALL or VMI_OPCODE_JMP
 * @target: where it goes
 */
static inline void vmi_emit_branch(void *insn, unsigned char opcode, const void *target)
{
	__u32 rel32 = (unsigned long)target - (unsigned long)(insn + VMI_SITE_MIN);

	*(unsigned char *)insn = opcode;
	memcpy(insn + 1, &rel32, sizeof(rel32));
}

/**
 * vmi_emit_nops() - fill with as few NOPs as prefixes allow
 * @insn: where
 * @len: number of bytes, may be 0
 *
 * NOP with DS prefixes is one instruction on every i386 processor, where the
 * multi-byte NOP (0F 1F) is unknown to some.
 */
static inline void vmi_emit_nops(void *insn, unsigned int len)
{
	unsigned char *byte = insn;
	unsigned int n;

	for (; len; len -= n) {
		for (n = 1; n < len && n < VMI_SITE_MIN; n++)
			*byte++ = VMI_PREFIX_DS;
		*byte++ = VMI_OPCODE_NOP;
	}
}

#endif /* _ASM_X86_VMI_EMIT_H */
