// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs vmi_counts: what the monitor counted, a line "number count" for each
 * number that GetOpCount (call 96) knows: its calls, and from 256 on its traps.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <asm/vmi/site.h>

#define NR_CALLS	128
#define FIRST_TRAP	256
#define NR_TRAPS	64

static struct dentry *file;

static void show(struct seq_file *m, unsigned int nr)
{
	seq_printf(m, "%u %llu\n", nr, vmi_call1(GET_OP_COUNT, nr));
}

static int counts_show(struct seq_file *m, void *unused)
{
	unsigned int nr;

	for (nr = 0; nr < NR_CALLS; nr++)
		show(m, nr);
	for (nr = FIRST_TRAP; nr < FIRST_TRAP + NR_TRAPS; nr++)
		show(m, nr);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static int __init counts_init(void)
{
	file = debugfs_create_file("vmi_counts", 0400, NULL, NULL, &counts_fops);
	return 0;
}

static void __exit counts_exit(void)
{
	debugfs_remove(file);
}

module_init(counts_init);
module_exit(counts_exit);
MODULE_DESCRIPTION("the monitor's counters");
MODULE_LICENSE("GPL");
