// SPDX-License-Identifier: GPL-2.0-only
/* Rewriting sites the way a ROM wants them. */

#include <asm/vmi/emit.h>

/*
 * NOPs behind a jump as well, though nobody gets there: who decodes a function
 * from its start, as kprobes do, must not find half an instruction.
 */
static void patch_site(const struct vmi_site *site, const struct vmi_reloc *reloc)
{
	const void *target = (const void *)(unsigned long)reloc->eip;
	void *insn = vmi_site_addr(site);

	if (reloc->type == VMI_RELOC_NOP) {
		vmi_emit_nops(insn, site->len);
		return;
	}
	if (site->thunk)
		vmi_emit_branch(insn, VMI_OPCODE_JMP,
				(const char *)&site->thunk + site->thunk);
	else if (reloc->type == VMI_RELOC_JUMP)
		vmi_emit_branch(insn, VMI_OPCODE_JMP, target);
	else
		vmi_emit_branch(insn, VMI_OPCODE_CALL, target);
	vmi_emit_nops(insn + VMI_SITE_MIN, site->len - VMI_SITE_MIN);
}

/**
 * vmi_patch_sites() - rewrite sites
 * @start: first row of .vmi_sites
 * @end: behind the last
 * @relocs: what the ROM answered, by operation; checked by vmi_reloc_check()
 * @counts: what was done is added to it
 *
 * Rows that vmi_site_check() refuses are left alone.
 *
 * Context: the code is writable and nobody executes it, but for the processor
 * that runs this, which must not be interrupted.
 */
void vmi_patch_sites(const struct vmi_site *start, const struct vmi_site *end,
		     const struct vmi_reloc *relocs, struct vmi_counts *counts)
{
	unsigned int done[VMI_RELOC_NOP + 1] = {};
	const struct vmi_reloc *reloc;
	const struct vmi_site *site;

	for (site = start; site < end; site++) {
		if (vmi_site_check(site))
			continue;
		reloc = &relocs[site->op];
		if (reloc->type != VMI_RELOC_NONE)
			patch_site(site, reloc);
		done[reloc->type] += !(site->flags & VMI_SITE_INNER);
	}

	counts->sites += done[VMI_RELOC_NONE] + done[VMI_RELOC_CALL] +
			 done[VMI_RELOC_JUMP] + done[VMI_RELOC_NOP];
	counts->calls += done[VMI_RELOC_CALL];
	counts->jumps += done[VMI_RELOC_JUMP];
	counts->nops += done[VMI_RELOC_NOP];
}
