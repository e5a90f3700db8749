// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the monitor find what it hides in the ACPI tables?  Its acpi.c, on the host,
 * with tables in places that QEMU's firmware does not use.  Prints KTAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY		0x200000
#define EBDA		0x9fc00
#define ROM		0xf5000
#define RSDT		0x110000
#define XSDT		0x111000
#define FADT		0x112000
#define FADT2		0x113000
#define DSDT		0x114000
#define DSDT2		0x115000
#define SSDT		0x116000
#define SSDT2		0x117000
#define MADT		0x118000
#define FADT_SIZE	244

unsigned char machine[MEMORY];
static const unsigned char aml[] = { 8, '_', 'S', '3', '_', 0x12, 6, 4, 1, 1, 0, 0 };
static bool refused;

void refuse(const char *why, ...)
{
	printf("# refused: %s\n", why);
	refused = true;
	exit(1);
}

static void put(u32 at, u64 value, u32 size)
{
	memcpy(machine + at, &value, size);
}

static void set_sum(u32 table, u32 size, u32 sum_at)
{
	u8 sum = 0;
	u32 i;

	machine[table + sum_at] = 0;
	for (i = 0; i < size; i++)
		sum += machine[table + i];
	machine[table + sum_at] = -sum;
}

/* A table of the header and @n entries of @size bytes, or AML. */
static void table(u32 at, const char *sig, const u64 *entry, u32 n, u32 size)
{
	u32 len = sizeof(struct acpi_header), i;

	memcpy(machine + at, sig, 4);
	for (i = 0; i < n; i++, len += size)
		put(at + len, entry[i], size);
	if (!entry) {
		memcpy(machine + at + len, aml, sizeof(aml));
		len += sizeof(aml);
	}
	put(at + 4, len, 4);
	set_sum(at, len, 9);
}

static void fadt(u32 at, u32 dsdt, u64 x_dsdt, u32 size)
{
	table(at, "FACP", &(u64){ 0 }, 1, 4);
	put(at + 4, size, 4);
	put(at + 40, dsdt, 4);
	put(at + 140, x_dsdt, 8);
	set_sum(at, size, 9);
}

static void rsdp(u32 at, u32 revision, u64 rsdt, u64 xsdt)
{
	memcpy(machine + at, "RSD PTR ", 8);
	machine[at + 15] = revision;
	put(at + 16, rsdt, 4);
	put(at + 24, xsdt, 8);
	set_sum(at, 20, 8);
}

/* Hidden, and the table's sum is still right. */
static bool hidden(u32 at)
{
	u8 *p = machine + at + sizeof(struct acpi_header) + 1, sum = 0;
	u32 i;

	for (i = 0; i < sizeof(struct acpi_header) + sizeof(aml); i++)
		sum += machine[at + i];
	return !memcmp(p, "XS3_", 4) && !sum;
}

static void result(bool ok, const char *name)
{
	static u32 n;
	static bool bad;

	printf("%sok %u %s\n", ok ? "" : "not ", ++n, name);
	bad |= !ok;
	if (n == 5)
		exit(bad);
}

static void fresh(void)
{
	memset(machine, 0, sizeof(machine));
	table(DSDT, "DSDT", NULL, 0, 0);
	table(DSDT2, "DSDT", NULL, 0, 0);
	table(SSDT, "SSDT", NULL, 0, 0);
	table(SSDT2, "SSDT", NULL, 0, 0);
	table(MADT, "APIC", &(u64){ 0 }, 1, 8);
}

int main(void)
{
	printf("KTAP version 1\n1..5\n");

	fresh();
	fadt(FADT, DSDT, 0, 116);
	table(RSDT, "RSDT", (u64[]){ FADT, SSDT, MADT, SSDT2 }, 4, 4);
	rsdp(ROM, 0, RSDT, 0);
	hide_suspend();
	result(hidden(DSDT) && hidden(SSDT) && hidden(SSDT2), "RSDT: DSDT and SSDTs");
	result(find_table("APIC") == (void *)(machine + MADT), "RSDT: a table among them");

	/* From revision 2 on there may be no RSDT, and the DSDT has an address of 64 bits. */
	fresh();
	fadt(FADT, 0, DSDT, FADT_SIZE);
	table(XSDT, "XSDT", (u64[]){ SSDT, FADT, MADT }, 3, 8);
	rsdp(EBDA + 16, 2, 0, XSDT);
	put(0x40e, EBDA >> 4, 2);
	hide_suspend();
	result(hidden(DSDT) && hidden(SSDT) && find_table("APIC") == (void *)(machine + MADT),
	       "XSDT alone, by the EBDA");

	/* Two roots that lead to different tables; a signature without its sum before. */
	fresh();
	fadt(FADT, DSDT, 0, 116);
	fadt(FADT2, DSDT2, DSDT2, FADT_SIZE);
	table(RSDT, "RSDT", (u64[]){ FADT, SSDT }, 2, 4);
	table(XSDT, "XSDT", (u64[]){ FADT2, SSDT2 }, 2, 8);
	memcpy(machine + ROM - 16, "RSD PTR ", 8);
	rsdp(ROM, 2, RSDT, XSDT);
	hide_suspend();
	result(hidden(DSDT) && hidden(SSDT) && hidden(DSDT2) && hidden(SSDT2), "both roots");

	/* An old root pointer has no XSDT: what is there is something else. */
	fresh();
	table(RSDT, "RSDT", (u64[]){ SSDT }, 1, 4);
	rsdp(ROM, 0, RSDT, 0x123456789abcdef0);
	hide_suspend();
	result(hidden(SSDT) && !refused, "no XSDT of an old root pointer");
	return 1;
}
