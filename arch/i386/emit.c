// SPDX-License-Identifier: GPL-2.0-only
/* Writing i386 instructions. */
#include <linux/string.h>

#include <asm/vmi/patch.h>

#define OPCODE_CALL	0xe8
#define OPCODE_JMP	0xe9
#define OPCODE_NOP	0x90
#define PREFIX_DS	0x3e

#define NOP_MAX		5		/* bytes in one padded nop */

static void emit_rel32(unsigned char *insn, unsigned char opcode, const void *target)
{
	__u32 rel32 = (unsigned long)target - (unsigned long)(insn + VMI_SITE_MIN);

	insn[0] = opcode;
	memcpy(insn + 1, &rel32, sizeof(rel32));
}

/**
 * vmi_emit_call() - write CALL rel32
 * @insn: where, 5 bytes
 * @target: routine to call
 */
void vmi_emit_call(void *insn, const void *target)
{
	emit_rel32(insn, OPCODE_CALL, target);
}

/**
 * vmi_emit_jump() - write JMP rel32
 * @insn: where, 5 bytes
 * @target: where to jump
 */
void vmi_emit_jump(void *insn, const void *target)
{
	emit_rel32(insn, OPCODE_JMP, target);
}

/**
 * vmi_emit_nops() - fill with as few NOPs as prefixes allow
 * @insn: where
 * @len: number of bytes, may be 0
 *
 * NOP with DS prefixes is one instruction on every i386 processor, where the
 * multi-byte NOP (0F 1F) is unknown to some.
 */
void vmi_emit_nops(void *insn, unsigned int len)
{
	unsigned char *byte = insn;
	unsigned int n;

	for (; len; len -= n, byte += n) {
		n = len < NOP_MAX ? len : NOP_MAX;
		memset(byte, PREFIX_DS, n - 1);
		byte[n - 1] = OPCODE_NOP;
	}
}
