// SPDX-License-Identifier: GPL-2.0-only
/* Rewriting sites the way a ROM wants them. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include <asm/vmi/patch.h>

/**
 * vmi_site_check() - is this row one that the patcher can work on?
 * @site: row of .vmi_sites
 *
 * Return: 0, or -EINVAL for an unknown operation or a site too short.
 */
int vmi_site_check(const struct vmi_site *site)
{
	if (site->op >= VMI_NR_OPS || !vmi_op_info[site->op].name ||
	    site->len < VMI_SITE_MIN)
		return -EINVAL;
	return 0;
}

/* Bytes behind a jump are never reached and stay as they are. */
static void patch_site(const struct vmi_site *site, const struct vmi_reloc *reloc)
{
	const void *target = (const void *)(unsigned long)reloc->eip;
	void *insn = vmi_site_addr(site);

	if (reloc->type == VMI_RELOC_NOP) {
		vmi_emit_nops(insn, site->len);
	} else if (site->thunk) {
		vmi_emit_jump(insn, (const char *)&site->thunk + site->thunk);
	} else if (reloc->type == VMI_RELOC_JUMP) {
		vmi_emit_jump(insn, target);
	} else {
		vmi_emit_call(insn, target);
		if (site->len > VMI_SITE_MIN)
			vmi_emit_nops(insn + VMI_SITE_MIN,
				      site->len - VMI_SITE_MIN);
	}
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
	const struct vmi_reloc *reloc;
	const struct vmi_site *site;
	unsigned int one;

	for (site = start; site < end; site++) {
		if (vmi_site_check(site))
			continue;
		one = !(site->flags & VMI_SITE_INNER);
		reloc = &relocs[site->op];
		counts->sites += one;
		if (reloc->type == VMI_RELOC_NONE)
			continue;

		patch_site(site, reloc);
		counts->calls += one && reloc->type == VMI_RELOC_CALL;
		counts->jumps += one && reloc->type == VMI_RELOC_JUMP;
		counts->nops += one && reloc->type == VMI_RELOC_NOP;
	}
}
