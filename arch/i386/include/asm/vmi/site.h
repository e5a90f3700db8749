/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_SITE_H
#define _ASM_X86_VMI_SITE_H

/*
 * A site is native code, at least VMI_SITE_MIN bytes of it, that a ROM may
 * have replaced, and a row in section .vmi_sites that says where it is.
 *
 * Some sites pass their arguments in registers of the compiler's choice and
 * promise it that nothing but the result changes: they cost a native kernel
 * nothing.  Such a site has a thunk, out of line, that moves the arguments to
 * where the ABI wants them and keeps all other registers.  The patcher makes
 * the site jump to its thunk; the call in there is a site too, an inner one,
 * that no native kernel ever reaches.
 */
#ifdef __ASSEMBLY__

#ifdef CONFIG_VMI
#include <asm/vmi/ops.h>

#define VMI_OP_SYMBOL(nr, id, name, type, group, in, out, native) \
	.LVMI_OP_##id = nr;
VMI_OPS(VMI_OP_SYMBOL)

/*
 * Native instructions, behind @pad DS prefixes, in the ABI's registers; @label
 * becomes a global symbol for them.
 */
.macro VMI_SITE op:req insns:req pad=0 label
	.ifnb	\label
	.globl	\label
\label:
	.endif
771:	.fill	\pad, 1, 0x3e
	\insns
773:
#ifdef CONFIG_AS_IS_GNU
	.if	773b - 771b < 5
	.error	"VMI site too short"
	.endif
#endif
	.pushsection .vmi_sites, "a"
	.balign	4
	.long	771b - ., 0
	.byte	.LVMI_OP_\op, 773b - 771b
	.short	0
	.popsection
.endm
#else
.macro VMI_SITE op:req insns:req pad=0 label
	\insns
.endm
#endif

#else /* !__ASSEMBLY__ */

#include <linux/compiler.h>
#include <asm/vmi/abi.h>

/* An instruction that does nothing, as long as the patcher needs. */
#define VMI_NOP5	".byte 0x3e,0x3e,0x3e,0x3e,0x90"

/*
 * Redundant DS prefixes make an instruction longer without adding another one
 * to execute, as a nop would.  Not before one that uses a stack segment.
 */
#define VMI_PAD1	".byte 0x3e; "
#define VMI_PAD2	".byte 0x3e,0x3e; "
#define VMI_PAD3	".byte 0x3e,0x3e,0x3e; "
#define VMI_PAD4	".byte 0x3e,0x3e,0x3e,0x3e; "

/* All asm statements below take the operation as operand [op]. */
#define VMI_OPERAND(id)	[op] "i" (VMI_OP_##id)

#define VMI_SITE_ROW(start, end, thunk, flags)				\
	".pushsection .vmi_sites,\"a\"\n\t"				\
	".balign 4\n\t"							\
	".long " start " - ., " thunk "\n\t"				\
	".byte %c[op], " end " - " start "\n\t"				\
	".short " flags "\n\t"						\
	".popsection\n"

/* LLVM's assembler does not know a length so soon; vmi_site_check() looks, too. */
#ifdef CONFIG_AS_IS_GNU
#define VMI_SITE_LONG_ENOUGH						\
	"\t.if 773b - 771b < 5\n\t"					\
	".error \"VMI site too short\"\n\t.endif\n"
#else
#define VMI_SITE_LONG_ENOUGH
#endif

#define VMI_SITE_CODE(native)						\
	"771:\t" native "\n"						\
	"773:\n" VMI_SITE_LONG_ENOUGH

/* Native code in the ABI's registers: patched to call the ROM itself. */
#define VMI_DIRECT(native)						\
	VMI_SITE_CODE(native) VMI_SITE_ROW("771b", "773b", "0", "0")

/*
 * Native code in any registers.  @args moves the arguments, with EAX, EDX and
 * ECX saved below them on the stack; @drop takes stack arguments off again;
 * @restore ends with all registers as before but for the result.
 */
#define VMI_THUNK(native, args, drop, restore)				\
	VMI_SITE_CODE(native)						\
	".subsection 1\n"						\
	"774:\tpush %%eax; push %%edx; push %%ecx\n\t"			\
	args "\n"							\
	"775:\t" VMI_NOP5 "\n"						\
	"776:\t" drop "\n\t"						\
	restore "\n\t"							\
	"jmp 773b\n\t"							\
	".subsection 0\n"						\
	VMI_SITE_ROW("771b", "773b", "774b - .", "0")			\
	VMI_SITE_ROW("775b", "776b", "0", "1")

#define VMI_RESTORE	"pop %%ecx; pop %%edx; pop %%eax"
#define VMI_RESULT(reg)	"pop %%ecx; pop %%edx; xchg %%eax,(%%esp); pop " reg

/* Arguments are registers or constants: a push must not move them. */
#define VMI_ARGS1(a)	"push " a "; pop %%eax"
#define VMI_ARGS2(a, b)	"push " b "; push " a "; pop %%eax; pop %%edx"
#define VMI_ARGS3(a, b, c)						\
	"push " c "; push " b "; push " a "; pop %%eax; pop %%edx; pop %%ecx"
#define VMI_ARGS4(a, b, c, d)						\
	"push " d "; " VMI_ARGS3(a, b, c)
#define VMI_ARGS5(a, b, c, d, e)					\
	"push " e "; push " d "; " VMI_ARGS3(a, b, c)
#define VMI_DROP1	"add $4,%%esp"
#define VMI_DROP2	"add $8,%%esp"

/* The ways that most sites are written. */
#define VMI_DO0(id, native)						\
	asm_inline volatile(VMI_THUNK(native, "", "", VMI_RESTORE)	\
			    : : VMI_OPERAND(id) : "memory")
#define VMI_DO1(id, native, a0)						\
	asm_inline volatile(VMI_THUNK(native, VMI_ARGS1("%[a]"), "",	\
				      VMI_RESTORE)			\
			    : : VMI_OPERAND(id), [a] "r" (a0) : "memory")
#define VMI_DO2(id, native, a0, b0)					\
	asm_inline volatile(VMI_THUNK(native, VMI_ARGS2("%[a]", "%[b]"), \
				      "", VMI_RESTORE)			\
			    : : VMI_OPERAND(id), [a] "ri" (a0),		\
				[b] "ri" (b0) : "memory")
/* The second argument is an address: native code names it as (%[b]). */
#define VMI_DO3(id, native, a0, b0, c0)					\
	asm_inline volatile(VMI_THUNK(native, VMI_ARGS3("%[a]", "%[b]", "%[c]"), \
				      "", VMI_RESTORE)			\
			    : : VMI_OPERAND(id), [a] "ri" (a0), [b] "r" (b0), \
				[c] "ri" (c0) : "memory")
/* The third argument is an address: native code names it as (%[c]). */
#define VMI_DO4(id, native, a0, b0, c0, d0)				\
	asm_inline volatile(VMI_THUNK(native,				\
				      VMI_ARGS4("%[a]", "%[b]", "%[c]", "%[d]"), \
				      VMI_DROP1, VMI_RESTORE)		\
			    : : VMI_OPERAND(id), [a] "ri" (a0), [b] "ri" (b0), \
				[c] "r" (c0), [d] "ri" (d0) : "memory")
#define VMI_GET(id, native)						\
({									\
	unsigned long __val;						\
									\
	asm_inline volatile(VMI_THUNK(native, "", "", VMI_RESULT("%[val]")) \
			    : [val] "=r" (__val)			\
			    : VMI_OPERAND(id) : "memory");		\
	__val;								\
})

/**
 * vmi_patched() - does the ROM take an operation over?
 * @op: the operation
 *
 * For operations that have no instruction of their own: costs a native kernel
 * one nop.  Any context.
 *
 * Return: true if the site was patched, so that vmi_call*() is to be used.
 */
static __always_inline bool vmi_patched(enum vmi_op op)
{
	asm goto(VMI_SITE_CODE(VMI_NOP5)
		 VMI_SITE_ROW("771b", "773b", "%l[yes] - .", "0")
		 : : [op] "i" (op) : : yes);
	return false;
yes:
	return true;
}

/* The call behind vmi_patched(); not to be reached otherwise. */
#define VMI_CALL(args, drop)						\
	args "\n775:\t" VMI_NOP5 "\n776:\t" drop "\n"			\
	VMI_SITE_ROW("775b", "776b", "0", "1")

#define vmi_call5(id, a0, b0, c0, d0, e0)				\
({									\
	unsigned long long __val;					\
	unsigned long __ecx = c0;					\
									\
	asm_inline volatile(VMI_CALL("push %[e]; push %[d]", VMI_DROP2)	\
			    : "=A" (__val), "+c" (__ecx)		\
			    : VMI_OPERAND(id), "a" (a0), "d" (b0),	\
			      [d] "ri" (d0), [e] "ri" (e0) : "memory");	\
	__val;								\
})
#define vmi_call4(id, a0, b0, c0, d0)	vmi_call5(id, a0, b0, c0, d0, 0)
#define vmi_call2(id, a0, b0)						\
({									\
	unsigned long long __val;					\
									\
	asm_inline volatile(VMI_CALL("", "")				\
			    : "=A" (__val)				\
			    : VMI_OPERAND(id), "a" (a0), "d" (b0)	\
			    : "ecx", "memory");				\
	__val;								\
})
#define vmi_call1(id, a0)	vmi_call2(id, a0, 0)
#define vmi_call0(id)		vmi_call2(id, 0, 0)

#endif /* !__ASSEMBLY__ */
#endif /* _ASM_X86_VMI_SITE_H */
