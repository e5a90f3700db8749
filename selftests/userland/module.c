// SPDX-License-Identifier: GPL-2.0-only
/* The module vmi_selftest: loads, works, is patched, and leaves no trace. */
#include "vmi.h"

#define NAME		"vmi_selftest"
#define DEBUGFS		"/sys/kernel/debug/" NAME "/"
#define LOOPS		100	/* SELFTEST_LOOPS of the module */
#define RELOADS		20

static char text[1 << 20], ops[8192];

/* A module is built for a kernel; init knows which one we run. */
static const char module_path[] = "/modules/running/" NAME ".ko";

static int module_missing(void)
{
	int fd = open(module_path, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

#define NEED_MODULE() do {						\
	if (module_missing())						\
		SKIP("no module was built for this kernel");		\
} while (0)

static int load(void)
{
	int ret, fd = open(module_path, O_RDONLY);

	if (fd < 0)
		return -ENOENT;
	ret = my_syscall3(__NR_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

static int unload(void)
{
	return my_syscall2(__NR_delete_module, NAME, 0);
}

static int sites_listed(void)
{
	const char *p = text;
	int count = 0;

	if (sys_read_file(VMI_SITES, text, sizeof(text)) < 0)
		return -1;
	while ((p = text_find(p, "[" NAME "]"))) {
		count++;
		p++;
	}
	return count;
}

static int load_and_unload(void)
{
	char number[16];
	int i;

	NEED_MODULE();
	for (i = 0; i < RELOADS; i++) {
		CHECK_EQ(load(), 0);
		CHECK_REL(sys_read_file(DEBUGFS "checks", number, sizeof(number)), >, 0);
		CHECK_REL(atol(number), >=, 25);
		CHECK_EQ(load(), -EEXIST);
		CHECK_EQ(unload(), 0);
	}
	CHECK_EQ(unload(), -ENOENT);
	return KSFT_PASS;
}

static int sites_come_and_go(void)
{
	int i;

	NEED_MODULE();
	if (!vmi_exists())
		SKIP("the kernel has no VMI");
	for (i = 0; i < 3; i++) {
		CHECK_EQ(sites_listed(), 0);
		CHECK_EQ(load(), 0);
		CHECK_REL(sites_listed(), >=, 20);
		CHECK_EQ(unload(), 0);
	}
	CHECK_EQ(sites_listed(), 0);
	return KSFT_PASS;
}

static unsigned long number_of(const char *path)
{
	char number[16] = "";

	sys_read_file(path, number, sizeof(number));
	return strtoul(number, NULL, 10);
}

/* The module's code as it runs, and where. */
static unsigned char code[65536];
static unsigned long base, size;

/* Where the routine of each operation is, by its number in vmi/ops. */
static unsigned long routine[256];

static unsigned long rel32_target(unsigned long offset)
{
	unsigned int rel32;

	memcpy(&rel32, code + offset + 1, 4);
	return base + offset + 5 + rel32;
}

/*
 * What the bytes at @offset call: directly, or by a jump to a thunk of the
 * module, which puts the arguments in place and calls.  0: nothing.
 */
static unsigned long called_from(unsigned long offset)
{
	unsigned long end;

	if (code[offset] == 0xe8)
		return rel32_target(offset);
	if (code[offset] != 0xe9)
		return 0;
	offset = rel32_target(offset) - base;
	for (end = offset + 40; offset < end && offset + 5 <= size; offset++)
		if (code[offset] == 0xe8 && rel32_target(offset) - base >= size)
			return rel32_target(offset);
	return 0;
}

/* Whether the bytes of a site are what vmi/ops says of its operation. */
static int site_is_as_told(const char *line)
{
	unsigned long address = strtoul(line, NULL, 16), target;
	char word[64], op[32];
	struct vmi_row row;

	/* The operation is the last word of the line. */
	while (*line && *line != '\n') {
		line = vmi_word(line, word, sizeof(word));
		strlcpy(op, word, sizeof(op));
	}
	if (vmi_find_row(ops, op, &row) || row.number >= ARRAY_SIZE(routine)) {
		ktap_print("# operation %s is not in vmi/ops", op);
		return 0;
	}
	if (address - base > size - 5) {
		ktap_print("# site 0x%lx is not in the module's code", address);
		return 0;
	}
	target = called_from(address - base);
	if (!strcmp(row.patched, "call")) {
		/* Outside of the module, and the same for all. */
		if (!routine[row.number])
			routine[row.number] = target;
		if (target - base >= size && target && target == routine[row.number])
			return 1;
	} else if (!target) {
		return 1;
	}
	ktap_print("# %s is to be %s, its first byte is 0x%x, it calls 0x%lx",
		   op, row.patched, code[address - base], target);
	return 0;
}

static int patched_as_told(void)
{
	const char *line;
	int bad = 0, seen = 0;

	NEED_MODULE();
	if (!vmi_exists())
		SKIP("the kernel has no VMI");
	CHECK_EQ(load(), 0);
	base = number_of(DEBUGFS "address");
	size = sys_read_file(DEBUGFS "code", (char *)code, sizeof(code));
	CHECK_REL(sys_read_file(VMI_OPS, ops, sizeof(ops)), >, 0);
	CHECK_REL(sys_read_file(VMI_SITES, text, sizeof(text)), >, 0);
	CHECK_EQ(unload(), 0);
	for (line = text; (line = text_find(line, "[" NAME "]")); line = vmi_next_line(line)) {
		while (line > text && line[-1] != '\n')
			line--;
		seen++;
		bad += !site_is_as_told(line);
	}
	CHECK_REL(seen, >=, 20);
	CHECK_EQ(bad, 0);
	return KSFT_PASS;
}

/* The ROM sees what the module executes. */
static int sites_are_counted(void)
{
	long long tsc, cpuid;

	NEED_MODULE();
	NEED_COUNTS();
	tsc = vmi_count("RDTSC");
	cpuid = vmi_count("CPUID");
	CHECK_EQ(load(), 0);
	CHECK_REL(vmi_count("RDTSC") - tsc, >=, LOOPS);
	CHECK_REL(vmi_count("CPUID") - cpuid, >=, LOOPS);
	CHECK_EQ(unload(), 0);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(load_and_unload),
	TEST(sites_come_and_go),
	TEST(patched_as_told),
	TEST(sites_are_counted),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
