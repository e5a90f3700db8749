/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_PATCH_H
#define _ASM_X86_VMI_PATCH_H

/*
 * Checking a ROM and rewriting sites: no kernel services are needed, so that
 * tests and fuzzers on the host build the same files.
 */

#include <linux/errno.h>

#include <asm/vmi/abi.h>

#define VMI_SITE_MIN	5		/* length of a call or jump */

#define VMI_SITE_INNER	1		/* flag: the call in a thunk */

/**
 * struct vmi_site - a row of section .vmi_sites
 * @addr: first byte of the site, relative to this field
 * @thunk: its thunk, relative to this field; 0 if it has none
 * @op: enum vmi_op
 * @len: length of the site in bytes
 * @flags: VMI_SITE_INNER or 0
 */
struct vmi_site {
	__s32	addr;
	__s32	thunk;
	__u8	op;
	__u8	len;
	__u16	flags;
};

/**
 * struct vmi_op_info - a row of the table of operations
 * @name: name in the wire ABI, NULL if the number is not used
 * @jump: the routine does not return to the site
 * @result: the routine leaves something in registers
 */
struct vmi_op_info {
	const char *name;
	unsigned char jump;
	unsigned char result;
};

extern const struct vmi_op_info vmi_op_info[VMI_NR_OPS];

/* Longest text that says why a ROM was refused, with its NUL. */
#define VMI_WHY_LEN	80

/**
 * struct vmi_rom - a ROM that was found, and what its header says
 * @image: its first byte
 * @len: its length in bytes
 * @code: bytes of it that are executed; what follows is the ROM's data
 * @license: NUL-terminated, inside the image
 * @product: NUL-terminated, inside the image; "unnamed" without a PnP header
 */
struct vmi_rom {
	const struct vmi_rom_header *image;
	size_t len;
	size_t code;
	const char *license;
	const char *product;
};

/**
 * struct vmi_counts - what became of the sites
 * @sites: all of them, inner ones not counted
 * @calls: rewritten to call the ROM, directly or by way of a thunk
 * @jumps: rewritten to jump to the ROM
 * @nops: erased
 */
struct vmi_counts {
	unsigned int sites;
	unsigned int calls;
	unsigned int jumps;
	unsigned int nops;
};

const void *vmi_rom_find(const void *window, size_t size, size_t from);
int vmi_rom_check(struct vmi_rom *rom, const void *image, size_t room,
		  char why[VMI_WHY_LEN]);
int vmi_reloc_check(const struct vmi_rom *rom, unsigned int op,
		    const struct vmi_reloc *reloc, char why[VMI_WHY_LEN]);

void vmi_patch_sites(const struct vmi_site *start, const struct vmi_site *end,
		     const struct vmi_reloc *relocs, struct vmi_counts *counts);

/**
 * vmi_site_addr() - where a site is
 * @site: row of .vmi_sites
 *
 * An integer in between: memcpy() of CONFIG_FORTIFY_SOURCE must not take the
 * field for what is written to.
 *
 * Return: its first byte.
 */
static inline void *vmi_site_addr(const struct vmi_site *site)
{
	return (void *)((unsigned long)&site->addr + site->addr);
}

/**
 * vmi_site_check() - is this row one that the patcher can work on?
 * @site: row of .vmi_sites
 *
 * Return: 0, or -EINVAL for an unknown operation or a site too short.
 */
static inline int vmi_site_check(const struct vmi_site *site)
{
	if (site->op >= VMI_NR_OPS || !vmi_op_info[site->op].name ||
	    site->len < VMI_SITE_MIN)
		return -EINVAL;
	return 0;
}

#endif /* _ASM_X86_VMI_PATCH_H */
