/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tables in debugfs: vmi/ops and vmi/sites. */
#ifndef VMI_TEST_VMI_H
#define VMI_TEST_VMI_H

#include "ktap.h"

#define VMI_OPS		"/sys/kernel/debug/vmi/ops"
#define VMI_SITES	"/sys/kernel/debug/vmi/sites"

struct vmi_row {
	unsigned int number;
	unsigned int sites;
	char patched[8];
	int counted;			/* the ROM counts */
	unsigned long long count;
};

static inline int vmi_exists(void)
{
	int fd = open(VMI_OPS, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Start of the next line, or the end of the text. */
static inline const char *vmi_next_line(const char *p)
{
	while (*p && *p != '\n')
		p++;
	return *p ? p + 1 : p;
}

/* Copies the next word of a line; returns what follows it. */
static inline const char *vmi_word(const char *p, char *word, unsigned int size)
{
	unsigned int len = 0;

	while (*p == ' ')
		p++;
	for (; *p && *p != ' ' && *p != '\n'; p++)
		if (len < size - 1)
			word[len++] = *p;
	word[len] = 0;
	return p;
}

/* "number name sites patched count" of the operation @name in @ops. */
static inline int vmi_find_row(const char *ops, const char *name, struct vmi_row *row)
{
	char word[32];

	for (ops = vmi_next_line(ops); *ops; ops = vmi_next_line(ops)) {
		const char *p = vmi_word(ops, word, sizeof(word));

		row->number = atol(word);
		p = vmi_word(p, word, sizeof(word));
		if (strcmp(word, name))
			continue;
		p = vmi_word(p, word, sizeof(word));
		row->sites = atol(word);
		p = vmi_word(p, row->patched, sizeof(row->patched));
		vmi_word(p, word, sizeof(word));
		row->counted = word[0] >= '0' && word[0] <= '9';
		row->count = row->counted ? strtoull(word, NULL, 10) : 0;
		return 0;
	}
	return -1;
}

/*
 * The ROM's count of @name, or -1.  It opens the file anew: what a reader
 * gets is made when it reads.
 */
static inline long long vmi_count(const char *name)
{
	static char ops[8192];
	struct vmi_row row;

	if (sys_read_file(VMI_OPS, ops, sizeof(ops)) < 0 ||
	    vmi_find_row(ops, name, &row) || !row.counted)
		return -1;
	return row.count;
}

/* trace.rom counts every call; the monitor only those that reach it. */
static inline int vmi_counts_all(void)
{
	char type[32] = "";

	sys_read_file("/sys/hypervisor/type", type, sizeof(type));
	return !strcmp(type, "trace ROM\n");
}

#define NEED_COUNTS() do {						\
	if (!vmi_counts_all())						\
		SKIP("no ROM that counts every call");			\
} while (0)

#endif /* VMI_TEST_VMI_H */
