// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions whose EIP lies in the ROM. */
#include <linux/bits.h>
#include <linux/extable.h>
#include <linux/kernel.h>
#include <linux/ptrace.h>

#include <asm/extable.h>
#include <asm/ptrace.h>
#include <asm/vmi/setup.h>

#include "vmi.h"

/* Set by FIXUP_FRAME in entry_32.S (CS_FROM_KERNEL) in the upper half of CS. */
#define CSH_FROM_KERNEL		BIT(13)

/* The operation whose routine starts closest below an address. */
static unsigned int routine_at(u32 eip)
{
	unsigned int op, best = VMI_NR_OPS;
	u32 start = 0;

	for (op = 0; op < VMI_NR_OPS; op++) {
		const struct vmi_reloc *reloc = &vmi_state.relocs[op];

		if (reloc->type != VMI_RELOC_CALL && reloc->type != VMI_RELOC_JUMP)
			continue;
		if (reloc->eip <= eip && reloc->eip >= start) {
			start = reloc->eip;
			best = op;
		}
	}
	return best;
}

/*
 * The early handler of head_32.S leaves the processor's own frame, in which
 * the interrupted stack begins where later frames have an SP.
 */
static unsigned long *stack_of(struct pt_regs *regs)
{
	if (regs->__csh & CSH_FROM_KERNEL)
		return (unsigned long *)regs->sp;
	return &regs->sp;
}

/*
 * RDMSR or WRMSR: the exception table knows the site.  Go on where it says,
 * but take the site's return address off the stack first.
 */
static bool fix_call(struct pt_regs *regs, int trapnr, unsigned long error_code)
{
	unsigned long *sp = stack_of(regs);
	unsigned long ip = regs->ip;

	regs->ip = *sp - VMI_SITE_MIN;
	if (!fixup_exception(regs, trapnr, error_code, 0)) {
		regs->ip = ip;
		return false;
	}
	*sp = regs->ip;
	regs->ip = (unsigned long)vmi_return;
	return true;
}

/* IRET: the stack is as the site left it. */
static bool fix_jump(struct pt_regs *regs, int trapnr, unsigned long error_code)
{
	unsigned long ip = regs->ip;

	regs->ip = (unsigned long)vmi_iret_site;
	if (fixup_exception(regs, trapnr, error_code, 0))
		return true;
	regs->ip = ip;
	return false;
}

/**
 * vmi_fault_in_rom() - treat an exception in the ROM as one at the site
 * @regs: registers at the exception, in kernel mode
 * @trapnr: its vector
 * @error_code: its error code
 *
 * While the ROM is being asked, any exception ends the call.  Later, those are
 * meant that the native instruction raises too: RDMSR, WRMSR and IRET.
 *
 * Context: exception.  vmi.rst, "Exceptions".
 *
 * Return: true if @regs say where to go on.
 */
bool vmi_fault_in_rom(struct pt_regs *regs, int trapnr, unsigned long error_code)
{
	unsigned long start = (unsigned long)vmi_state.rom.image;

	if (vmi_rom_call_esp) {
		regs->ip = (unsigned long)vmi_rom_call_fault;
		return true;
	}
	if (!vmi_state.active || regs->ip - start >= vmi_state.rom.len)
		return false;

	switch (routine_at(regs->ip)) {
	case VMI_OP_RDMSR:
	case VMI_OP_WRMSR:
		return fix_call(regs, trapnr, error_code);
	case VMI_OP_IRET:
	case VMI_OP_SYSEXIT:
		return fix_jump(regs, trapnr, error_code);
	}
	return false;
}
