// SPDX-License-Identifier: GPL-2.0-only
/* The sites of modules, and the list of all tables of sites. */
#define pr_fmt(fmt) "vmi: " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <asm/vmi/setup.h>

#include "vmi.h"

static struct vmi_table kernel_table = {
	.list = LIST_HEAD_INIT(vmi_tables),
	.start = __vmi_sites,
	.end = __vmi_sites_end,
};

struct list_head vmi_tables = LIST_HEAD_INIT(kernel_table.list);
DEFINE_MUTEX(vmi_tables_lock);	/* guards vmi_tables */

/**
 * vmi_module_finalize() - rewrite the sites of a module that is being loaded
 * @mod: the module
 * @sites: its section .vmi_sites
 * @size: length of the section in bytes
 *
 * Context: process, may sleep; the module is relocated, its code is writable
 * and not running yet.
 */
void vmi_module_finalize(struct module *mod, void *sites, size_t size)
{
	struct vmi_counts counts = {};
	struct vmi_table *table;

	size -= size % sizeof(struct vmi_site);
	if (vmi_state.active)
		vmi_patch_sites(sites, sites + size, vmi_state.relocs, &counts);

	/* Without this memory its sites are not listed, but they work. */
	table = kmalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return;
	table->mod = mod;
	table->start = sites;
	table->end = sites + size;
	mutex_lock(&vmi_tables_lock);
	list_add_tail(&table->list, &vmi_tables);
	mutex_unlock(&vmi_tables_lock);
}

/**
 * vmi_module_cleanup() - forget the sites of a module
 * @mod: the module, about to be freed
 *
 * Context: process, may sleep.
 */
void vmi_module_cleanup(struct module *mod)
{
	struct vmi_table *table, *next;

	mutex_lock(&vmi_tables_lock);
	list_for_each_entry_safe(table, next, &vmi_tables, list) {
		if (table->mod == mod) {
			list_del(&table->list);
			kfree(table);
		}
	}
	mutex_unlock(&vmi_tables_lock);
}
