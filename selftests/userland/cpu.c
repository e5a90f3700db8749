// SPDX-License-Identifier: GPL-2.0-only
/* The processor as user mode sees it: CPUID, number of CPUs, MSRs. */
#include "ktap.h"

#define GDT_ENTRIES	32		/* as Linux has it */
#define GDT_ENTRY_TSS	16
#define UMIP_GDT	0xfffe0000
#define UMIP_IDT	0xffff0000

#define MSR_APIC_BASE	0x1b
#define MSR_EFER	0xc0000080
#define MSR_VM_HSAVE_PA	0xc0010117

static char text[32768];

static void cpuid(unsigned int leaf, unsigned int regs[4])
{
	asm volatile("cpuid"
		     : "=a" (regs[0]), "=b" (regs[1]), "=c" (regs[2]), "=d" (regs[3])
		     : "0" (leaf), "2" (0));
}

/* Number of lines of @text that start with @key. */
static unsigned int count_lines(const char *key)
{
	const char *p = text;
	unsigned int count = 0;

	while ((p = text_find(p, key))) {
		count += p == text || p[-1] == '\n';
		p++;
	}
	return count;
}

/* /proc/cpuinfo's value of @key on the first CPU starts with @value. */
static int cpuinfo_says(const char *key, const char *value)
{
	const char *p = text_find(text, key);

	if (!p)
		return 0;
	while (*p && *p != ':')
		p++;
	return !strncmp(p, ": ", 2) && !strncmp(p + 2, value, strlen(value));
}

static int vendor_and_model(void)
{
	unsigned int regs[4], family, model;
	char vendor[13] = { 0 };

	CHECK_REL(sys_read_file("/proc/cpuinfo", text, sizeof(text)), >, 0);
	cpuid(0, regs);
	CHECK_REL(regs[0], >=, 1);
	memcpy(vendor, &regs[1], 4);
	memcpy(vendor + 4, &regs[3], 4);
	memcpy(vendor + 8, &regs[2], 4);
	CHECK(cpuinfo_says("vendor_id", vendor));

	cpuid(1, regs);
	family = (regs[0] >> 8) & 15;
	model = (regs[0] >> 4) & 15;
	if (family == 6 || family == 15)
		model += (regs[0] >> 12) & 0xf0;
	if (family == 15)
		family += (regs[0] >> 20) & 0xff;
	CHECK_EQ(text_number(text, "cpu family"), family);
	CHECK_EQ(text_number(text, "model"), model);
	CHECK_EQ(text_number(text, "stepping"), regs[0] & 15);
	return KSFT_PASS;
}

/* What the kernel says it uses, the CPU must have. */
static int flags(void)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} known[] = {
		{ " fpu ", 0 }, { " tsc ", 4 }, { " msr ", 5 }, { " pae ", 6 },
		{ " cx8 ", 8 }, { " apic ", 9 }, { " cmov ", 15 }, { " fxsr ", 24 },
		{ " sse ", 25 }, { " sse2 ", 26 },
	};
	unsigned int regs[4], i;

	CHECK_REL(sys_read_file("/proc/cpuinfo", text, sizeof(text)), >, 0);
	cpuid(1, regs);
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (!text_find(text, known[i].name))
			continue;
		if (!(regs[3] >> known[i].bit & 1)) {
			ktap_print("# no%sin CPUID", known[i].name);
			return KSFT_FAIL;
		}
	}
	CHECK(text_find(text, " fpu "));
	CHECK(text_find(text, " pae "));
	CHECK(text_find(text, " cx8 "));
	return KSFT_PASS;
}

/* The host says on the command line how many CPUs it made. */
static int cpu_count(void)
{
	long want;

	CHECK_REL(sys_read_file("/proc/cmdline", text, sizeof(text)), >, 0);
	want = text_number(text, "vmi.cpus");
	if (want < 0)
		SKIP("no vmi.cpus on the command line");
	CHECK_EQ(sys_cpu_count(), want);
	CHECK_REL(sys_read_file("/proc/cpuinfo", text, sizeof(text)), >, 0);
	CHECK_EQ(count_lines("processor"), want);
	return KSFT_PASS;
}

/* Every CPU runs programs, and knows which one it is. */
static int every_cpu_runs(void)
{
	unsigned int cpu, cpus = sys_cpu_count(), where;

	for (cpu = 0; cpu < cpus; cpu++) {
		CHECK_EQ(sys_pin_to_cpu(cpu), 0);
		CHECK_EQ(my_syscall3(__NR_getcpu, &where, NULL, NULL), 0);
		CHECK_EQ(where, cpu);
	}
	return KSFT_PASS;
}

static int open_msr(unsigned int cpu)
{
	char path[] = "/dev/cpu/0/msr";

	path[9] += cpu;
	return open(path, O_RDONLY);
}

static int msr_read(void)
{
	unsigned int cpu, cpus = sys_cpu_count();
	unsigned long long efer, base;

	CHECK_REL(sys_read_file("/proc/cpuinfo", text, sizeof(text)), >, 0);
	for (cpu = 0; cpu < cpus; cpu++) {
		int fd = open_msr(cpu);

		if (fd < 0)
			SKIP("no /dev/cpu/0/msr");
		/* The local APIC is on; the bootstrap bit is the first CPU's. */
		CHECK_EQ(pread(fd, &base, 8, MSR_APIC_BASE), 8);
		CHECK(base & 0x800);
		CHECK_EQ((base >> 8) & 1, cpu == 0);
		/* 32-bit Linux uses the register for no-execute and no more. */
		if (text_find(text, " nx ") && sys_pae()) {
			CHECK_EQ(pread(fd, &efer, 8, MSR_EFER), 8);
			CHECK(efer & 0x800);
			CHECK(!(efer & 0x500));
		}
		close(fd);
	}
	return KSFT_PASS;
}

/* RDMSR faults, and the kernel's exception table makes EIO of it. */
static int rdmsr_that_faults(void)
{
	static const unsigned int missing[] = { 0x6e1, 0x12345, 0xc0ffee };
	unsigned int i, faulted = 0;
	unsigned long long value;
	int fd = open_msr(0);

	if (fd < 0)
		SKIP("no /dev/cpu/0/msr");
	for (i = 0; i < ARRAY_SIZE(missing); i++) {
		if (pread(fd, &value, 8, missing[i]) == 8)
			continue;
		CHECK_EQ(errno, EIO);
		faulted++;
	}
	if (!faulted)
		SKIP("the CPU answers for MSRs that do not exist");
	/* And it lives. */
	CHECK_EQ(pread(fd, &value, 8, MSR_APIC_BASE), 8);
	return KSFT_PASS;
}

/* The same for WRMSR, of bits that are reserved where the MSR exists. */
static int wrmsr_that_faults(void)
{
	unsigned long long value = 0xfff;
	int fd = open("/dev/cpu/0/msr", O_WRONLY);

	if (fd < 0)
		SKIP("no /dev/cpu/0/msr");
	CHECK_EQ(my_syscall5(__NR_pwrite64, fd, &value, 8, MSR_VM_HSAVE_PA, 0), -EIO);
	return KSFT_PASS;
}

struct table {
	unsigned short limit;
	unsigned long base;
} __attribute__((packed));

/*
 * SGDT, SIDT, SLDT, STR, SMSW fault nowhere; a kernel that uses UMIP makes bases up.
 * A host shows tables of its own where the processor has no UMIP.
 */
static int descriptor_tables(void)
{
	unsigned int regs[4], ldt, task, msw;
	struct table gdt, idt;

	asm volatile("sgdt %0; sidt %1; sldt %2; str %3; smsw %4"
		     : "=m" (gdt), "=m" (idt), "=r" (ldt), "=r" (task), "=r" (msw));
	ktap_print("# gdt %lx/%x idt %lx/%x ldt %x task %x msw %x", gdt.base, gdt.limit,
		   idt.base, idt.limit, ldt, task, msw);
	CHECK_EQ(msw & 0xffff & ~8, 0x33);	/* TS comes and goes */
	cpuid(7, regs);
	if (!(regs[2] & 1 << 2))
		return KSFT_PASS;
	CHECK_EQ(ldt, 0);
	CHECK_EQ(task & 0xffff, GDT_ENTRY_TSS * 8);
	if (gdt.base == UMIP_GDT) {
		CHECK_EQ(idt.base, UMIP_IDT);
		return KSFT_PASS;
	}
	CHECK_EQ(gdt.limit, GDT_ENTRIES * 8 - 1);
	CHECK_EQ(idt.limit, 256 * 8 - 1);
	CHECK_REL(gdt.base, >=, 0xc0000000);
	CHECK_REL(idt.base, >=, 0xc0000000);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(vendor_and_model),
	TEST(flags),
	TEST(cpu_count),
	TEST(every_cpu_runs),
	TEST(descriptor_tables),
	TEST(msr_read),
	TEST(rdmsr_that_faults),
	TEST(wrmsr_that_faults),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
