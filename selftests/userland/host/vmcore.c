// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the kernel that a crash started: /proc/vmcore has the registers of all
 * processors that crashed, and in its memory the host's name of that time.
 */
#include <linux/elf.h>

#include "ktap.h"

#define VMCORE		"/proc/vmcore"
#define PAGE_OFFSET	0xc0000000ul
#define NODENAME	65	/* offset in struct new_utsname */
#define ROUND(n)	(((n) + 3) & ~3ul)

static int fd;
static Elf64_Ehdr head;
static Elf64_Phdr segments[64];
static char notes[65536], cmdline[4096];

static long read_at(unsigned long long offset, void *buf, unsigned long n)
{
	if (offset >> 31 || lseek(fd, offset, SEEK_SET) < 0)
		return -1;
	return read(fd, buf, n);
}

/* What kexec makes for a processor without long mode, as if it were of 64 bits. */
static int read_headers32(void)
{
	static Elf32_Phdr segments32[ARRAY_SIZE(segments)];
	Elf32_Ehdr head32;
	int i;

	CHECK_EQ(read_at(0, &head32, sizeof(head32)), sizeof(head32));
	CHECK_EQ(head32.e_phentsize, sizeof(segments32[0]));
	head.e_type = head32.e_type;
	head.e_phnum = head32.e_phnum;
	CHECK_REL(head.e_phnum, <=, ARRAY_SIZE(segments));
	CHECK_EQ(read_at(head32.e_phoff, segments32, head.e_phnum * sizeof(segments32[0])),
		 head.e_phnum * sizeof(segments32[0]));
	for (i = 0; i < head.e_phnum; i++) {
		segments[i].p_type = segments32[i].p_type;
		segments[i].p_offset = segments32[i].p_offset;
		segments[i].p_paddr = segments32[i].p_paddr;
		segments[i].p_filesz = segments32[i].p_filesz;
	}
	return KSFT_PASS;
}

static int read_headers64(void)
{
	long size = head.e_phnum * sizeof(segments[0]);

	CHECK_EQ(head.e_phentsize, sizeof(segments[0]));
	CHECK_REL(size, <=, sizeof(segments));
	CHECK_EQ(read_at(head.e_phoff, segments, size), size);
	return KSFT_PASS;
}

static int read_headers(void)
{
	long size;

	CHECK_REL(sys_read_file("/proc/cmdline", cmdline, sizeof(cmdline)), >, 0);
	fd = open(VMCORE, O_RDONLY);
	CHECK_REL(fd, >=, 0);
	CHECK_EQ(read_at(0, &head, sizeof(head)), sizeof(head));
	CHECK(!memcmp(head.e_ident, ELFMAG, SELFMAG));
	if (head.e_ident[EI_CLASS] == ELFCLASS32) {
		CHECK_EQ(read_headers32(), KSFT_PASS);
	} else {
		CHECK_EQ(head.e_ident[EI_CLASS], ELFCLASS64);
		CHECK_EQ(read_headers64(), KSFT_PASS);
	}
	CHECK_EQ(head.e_type, ET_CORE);
	CHECK_REL(head.e_phnum, >, 1);
	CHECK_EQ(segments[0].p_type, PT_NOTE);
	size = segments[0].p_filesz;
	CHECK_REL(size, <, sizeof(notes));
	CHECK_EQ(read_at(segments[0].p_offset, notes, size), size);
	return KSFT_PASS;
}

/* The @nr-th note of a name and type, NULL if there are no more. */
static char *note(const char *name, unsigned int type, int nr)
{
	char *at = notes, *end = notes + segments[0].p_filesz, *desc;
	Elf64_Nhdr *n;

	for (; at + sizeof(*n) < end; at = desc + ROUND(n->n_descsz)) {
		n = (void *)at;
		desc = at + sizeof(*n) + ROUND(n->n_namesz);
		if (desc + n->n_descsz > end)
			break;
		if (n->n_type == type && !strcmp(at + sizeof(*n), name) && !nr--)
			return desc;
	}
	return NULL;
}

static unsigned long number_in(const char *text, const char *key, int base)
{
	const char *at = text_find(text, key);

	return at ? strtoul(at + strlen(key), NULL, base) : 0;
}

/* Where the file has the crashed kernel's memory at a linear address. */
static long long place_of(unsigned long address)
{
	unsigned long long pa = address - PAGE_OFFSET;
	int i;

	for (i = 1; i < head.e_phnum; i++) {
		Elf64_Phdr *s = &segments[i];

		if (s->p_type == PT_LOAD && pa >= s->p_paddr && pa - s->p_paddr < s->p_filesz)
			return s->p_offset + (pa - s->p_paddr);
	}
	return -1;
}

static int registers_of_all(void)
{
	int count = 0;

	CHECK_EQ(read_headers(), KSFT_PASS);
	while (note("CORE", NT_PRSTATUS, count))
		count++;
	CHECK_EQ(count, text_number(cmdline, "vmi.cpus"));
	return KSFT_PASS;
}

static int memory(void)
{
	char *info, *was, name[NODENAME] = "";
	unsigned long uts, names;
	long long place;

	CHECK_EQ(read_headers(), KSFT_PASS);
	info = note("VMCOREINFO", 0, 0);
	CHECK(info);
	uts = number_in(info, "SYMBOL(init_uts_ns)=", 16);
	names = number_in(info, "OFFSET(uts_namespace.name)=", 10);
	CHECK_REL(uts, >, PAGE_OFFSET);
	place = place_of(uts + names + NODENAME);
	CHECK_REL(place, >, 0);
	CHECK_EQ(read_at(place, name, sizeof(name) - 1), sizeof(name) - 1);
	was = text_find(cmdline, "vmi.was=");
	CHECK(was && text_find(was, ","));
	was = text_find(was, ",") + 1;
	CHECK_REL(strlen(name), >, 8);
	CHECK_EQ(strncmp(was, name, strlen(name)), 0);
	return KSFT_PASS;
}

/* All of it can be read, page by page where there is a page. */
static int to_the_end(void)
{
	unsigned long long done = 0;
	long n;

	CHECK_EQ(read_headers(), KSFT_PASS);
	CHECK_REL(lseek(fd, 0, SEEK_SET), ==, 0);
	while ((n = read(fd, notes, sizeof(notes))) > 0)
		done += n;
	CHECK_EQ(n, 0);
	CHECK_REL(done >> 20, >=, 100);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(registers_of_all),
	TEST(memory),
	TEST(to_the_end),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
