// SPDX-License-Identifier: GPL-2.0-only
/* The firmware's ACPI tables. */
#include "mon.h"

/* Root pointer: where it is looked for, and what is in it. */
#define EBDA_SEGMENT	0x40e
#define EBDA_SEARCHED	1024
#define ROM_START	0xe0000
#define ROM_END		0x100000

struct rsdp {
	char sig[8];
	u8 checksum, oem[6], revision;
	u32 rsdt;
	u32 length;		/* this and more from revision 2 on */
	u64 xsdt;
} __packed;

#define RSDP_V1_SIZE	20	/* what the first checksum is of */

/* Offsets in the FADT. */
#define FADT_DSDT	40
#define FADT_X_DSDT	140

static struct rsdp *rsdp_in(u32 gpa, u32 end)
{
	u8 *p, sum, i;

	for (; gpa < end; gpa += 16) {
		p = phys_ptr(gpa);
		for (i = 0, sum = 0; i < RSDP_V1_SIZE; i++)
			sum += p[i];
		if (!memcmp(p, "RSD PTR ", 8) && !sum)
			return (struct rsdp *)p;
	}
	return NULL;
}

static struct rsdp *find_rsdp(void)
{
	u32 ebda = *(u16 *)phys_ptr(EBDA_SEGMENT) << 4;
	struct rsdp *rsdp = NULL;

	if (ebda && ebda + EBDA_SEARCHED <= LOW_MEMORY)
		rsdp = rsdp_in(ebda, ebda + EBDA_SEARCHED);
	return rsdp ? rsdp : rsdp_in(ROM_START, ROM_END);
}

static struct acpi_header *table_at(u64 gpa)
{
	if (gpa >> 32)
		refuse("an ACPI table above 4 GiB");
	return gpa ? phys_ptr(gpa) : NULL;
}

/* Table number @n of a root table whose entries have @size bytes; NULL: no more. */
static struct acpi_header *root_entry(u64 root, u32 n, u32 size)
{
	struct acpi_header *t = table_at(root);
	u8 *entry = (u8 *)(t + 1) + n * size;

	if (!t || entry + size > (u8 *)t + t->length)
		return NULL;
	return table_at(size == 8 ? *(u64 *)entry : *(u32 *)entry);
}

/**
 * acpi_table - table number @n of both roots: a guest may follow either
 *
 * Return: NULL if there are no more.
 */
static struct acpi_header *acpi_table(u32 n)
{
	struct rsdp *rsdp = find_rsdp();
	struct acpi_header *t;
	u32 i;

	if (!rsdp)
		return NULL;
	for (i = 0; (t = root_entry(rsdp->rsdt, i, 4)); i++)
		if (!n--)
			return t;
	return rsdp->revision >= 2 ? root_entry(rsdp->xsdt, n, 8) : NULL;
}

/**
 * find_table - the first one with this signature
 */
struct acpi_header *find_table(const char *sig)
{
	struct acpi_header *t;
	u32 n;

	for (n = 0; (t = acpi_table(n)); n++)
		if (!memcmp(t->sig, sig, 4))
			return t;
	return NULL;
}

/* AML names the object \_S3_ where it says how to go there. */
static void hide_s3(struct acpi_header *t)
{
	u8 *p, *end = (u8 *)t + (t ? t->length : 0);

	if (!t)
		return;
	for (p = (u8 *)(t + 1); p + 4 <= end; p++) {
		if (memcmp(p, "_S3_", 4))
			continue;
		p[0] = 'X';
		t->checksum += '_' - 'X';
	}
}

/**
 * hide_suspend - no table says how to suspend to RAM
 *
 * From there the firmware would go to the guest's code in real mode.
 */
void hide_suspend(void)
{
	struct acpi_header *t;
	u8 *fadt;
	u32 n;

	for (n = 0; (t = acpi_table(n)); n++) {
		if (!memcmp(t->sig, "SSDT", 4))
			hide_s3(t);
		if (memcmp(t->sig, "FACP", 4))
			continue;
		fadt = (u8 *)t;
		hide_s3(table_at(*(u32 *)(fadt + FADT_DSDT)));
		if (t->length >= FADT_X_DSDT + 8)
			hide_s3(table_at(*(u64 *)(fadt + FADT_X_DSDT)));
	}
}
