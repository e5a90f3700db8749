// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: vmi/ops, a row per operation; vmi/sites, a row per site; vmi/host,
 * a row per counter of the host's own.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include <asm/sections.h>
#include <asm/vmi/site.h>

#include "vmi.h"

static const char * const how_patched[] = {
	[VMI_RELOC_NONE] = "native",
	[VMI_RELOC_CALL] = "call",
	[VMI_RELOC_JUMP] = "jump",
	[VMI_RELOC_NOP] = "nop",
};

typedef void (*site_fn)(void *data, const struct vmi_site *site);

/* Sites in memory that was freed after initialization are passed over. */
static bool site_is_freed(const struct vmi_table *table, void *addr)
{
	if (table->mod)
		return within_module_init((unsigned long)addr, table->mod);
	return init_section_contains(addr, 1);
}

static void walk_sites(site_fn fn, void *data)
{
	const struct vmi_table *table;
	const struct vmi_site *site;

	mutex_lock(&vmi_tables_lock);
	list_for_each_entry(table, &vmi_tables, list) {
		for (site = table->start; site < table->end; site++)
			if (!(site->flags & VMI_SITE_INNER) &&
			    !site_is_freed(table, vmi_site_addr(site)))
				fn(data, site);
	}
	mutex_unlock(&vmi_tables_lock);
}

static void show_site(void *m, const struct vmi_site *site)
{
	seq_printf(m, "%08lx %pS %s\n", (unsigned long)vmi_site_addr(site),
		   vmi_site_addr(site), vmi_op_info[site->op].name);
}

static int sites_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "address symbol operation\n");
	walk_sites(show_site, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sites);

static void count_site(void *data, const struct vmi_site *site)
{
	unsigned int *n = data;

	n[site->op]++;
}

static int ops_show(struct seq_file *m, void *unused)
{
	unsigned int n[VMI_NR_OPS] = {};
	unsigned int op;

	walk_sites(count_site, n);
	seq_puts(m, "number name sites patched count\n");
	for (op = 0; op < VMI_NR_OPS; op++) {
		if (!vmi_op_info[op].name)
			continue;
		seq_printf(m, "%u %s %u %s ", op, vmi_op_info[op].name, n[op],
			   how_patched[vmi_state.relocs[op].type]);
		if (vmi_patched(VMI_OP_GET_OP_COUNT))
			seq_printf(m, "%llu\n", vmi_call1(GET_OP_COUNT, op));
		else
			seq_puts(m, "-\n");
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ops);

#define NAME_PARTS	8	/* of eight characters; GetOpCount */

static int host_show(struct seq_file *m, void *unused)
{
	union {
		u64 part[NAME_PARTS];
		char text[NAME_PARTS * 8];
	} name;
	unsigned int nr, i;

	seq_puts(m, "count name\n");
	if (!vmi_patched(VMI_OP_GET_OP_COUNT))
		return 0;
	for (nr = VMI_HOST_COUNTERS; nr < 2 * VMI_HOST_COUNTERS; nr++) {
		for (i = 0; i < NAME_PARTS; i++)
			name.part[i] = vmi_call1(GET_OP_COUNT, (i + 1) << 16 | nr);
		if (!name.text[0])
			break;
		seq_printf(m, "%llu %.*s\n", vmi_call1(GET_OP_COUNT, nr),
			   (int)sizeof(name.text), name.text);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(host);

static int __init vmi_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("vmi", NULL);

	debugfs_create_file("ops", 0400, dir, NULL, &ops_fops);
	debugfs_create_file("sites", 0400, dir, NULL, &sites_fops);
	debugfs_create_file("host", 0400, dir, NULL, &host_fops);
	return 0;
}
late_initcall(vmi_debugfs_init);
