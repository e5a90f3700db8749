// SPDX-License-Identifier: GPL-2.0-only
/* The tables in debugfs, vmi/ops and vmi/sites, tell one story. */
#include "vmi.h"

#define MAX_OPS		256
#define MAX_SITES	16384

static char ops[16384], sites[2 << 20];

/* What vmi/ops says, and what vmi/sites has, by the row in vmi/ops. */
static struct {
	char name[32];
	unsigned int sites, listed;
} table[MAX_OPS];
static unsigned int rows;

static int read_tables(void)
{
	const char *p;
	char word[32];
	long last = -1;

	CHECK_REL(sys_read_file(VMI_OPS, ops, sizeof(ops)), >, 0);
	CHECK_REL(sys_read_file(VMI_SITES, sites, sizeof(sites)), >, 0);
	CHECK(!strncmp(ops, "number name sites patched count\n", 32));
	CHECK(!strncmp(sites, "address symbol operation\n", 25));
	for (p = vmi_next_line(ops); *p; p = vmi_next_line(p)) {
		CHECK_REL(rows, <, MAX_OPS);
		p = vmi_word(p, word, sizeof(word));
		CHECK_REL(atol(word), >, last);
		last = atol(word);
		p = vmi_word(p, table[rows].name, sizeof(table[rows].name));
		p = vmi_word(p, word, sizeof(word));
		table[rows++].sites = atol(word);
	}
	return KSFT_PASS;
}

#define NEED_TABLES() do {						\
	if (!vmi_exists())						\
		SKIP("the kernel has no VMI");				\
	CHECK_EQ(read_tables(), KSFT_PASS);				\
} while (0)

static int rows_are_well_formed(void)
{
	struct vmi_row row, first = { .counted = -1 };
	unsigned int i, used = 0;

	NEED_TABLES();
	CHECK_REL(rows, >=, 40);
	for (i = 0; i < rows; i++) {
		CHECK_EQ(vmi_find_row(ops, table[i].name, &row), 0);
		CHECK(!strcmp(row.patched, "native") || !strcmp(row.patched, "call") ||
		      !strcmp(row.patched, "jump") || !strcmp(row.patched, "nop"));
		/* A ROM counts all operations or none. */
		if (first.counted < 0)
			first = row;
		CHECK_EQ(row.counted, first.counted);
		used += row.sites > 0;
	}
	ktap_print("# %u operations, %u with sites", rows, used);
	CHECK_REL(used, >, 0);
	return KSFT_PASS;
}

/* Each row of sites belongs to an operation, which has that many. */
static int sites_add_up(void)
{
	static unsigned long addresses[MAX_SITES];
	unsigned int count = 0, i;
	const char *p;
	char word[64], op[64];

	NEED_TABLES();
	for (p = vmi_next_line(sites); *p; p = vmi_next_line(p)) {
		CHECK_REL(count, <, MAX_SITES);
		addresses[count++] = strtoul(p, NULL, 16);
		CHECK_REL(addresses[count - 1], !=, 0);
		while (*p && *p != '\n') {
			p = vmi_word(p, word, sizeof(word));
			strlcpy(op, word, sizeof(op));
		}
		for (i = 0; i < rows && strcmp(table[i].name, op); i++)
			;
		if (i == rows) {
			ktap_print("# operation %s is not in vmi/ops", op);
			return KSFT_FAIL;
		}
		table[i].listed++;
	}
	for (i = 0; i < rows; i++) {
		if (table[i].listed == table[i].sites)
			continue;
		ktap_print("# %s: %u sites in vmi/ops, %u in vmi/sites",
			   table[i].name, table[i].sites, table[i].listed);
		return KSFT_FAIL;
	}
	ktap_print("# %u sites", count);
	for (i = 1; i < count; i++)
		CHECK(addresses[i] != addresses[i - 1]);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(rows_are_well_formed),
	TEST(sites_add_up),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
