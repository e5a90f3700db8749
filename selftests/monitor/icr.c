// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a command wait until the local APIC has sent the last one?  The emulator's sends
 * at once, so that here is a slow one, for the monitor's own files.  Prints KTAP.
 */
#include <stdio.h>

static void *slow_apic(u64 pa);
#define phys_ptr slow_apic

static void pause(void)
{
}

#include "../../arch/i386/monitor/apic.c"
#include "../../arch/i386/monitor/smp.c"

#define BUSY_READS	50
#define VECTOR		0x41

struct vcpu *vcpus[MAX_CPUS];
u32 nr_cpus;

static u32 page[1024], last, busy, sent, lost;
static u32 to[8], what[8];

/* Every access to the APIC comes here first: what was written since the one before? */
static void *slow_apic(u64 pa)
{
	u32 *icr = &page[APIC_ICR / 4];

	if (*icr != last && busy)
		lost++;
	if (*icr != last) {
		to[sent % 8] = page[APIC_ICR2 / 4] >> 24;
		what[sent++ % 8] = *icr;
		busy = BUSY_READS;
	} else if (busy) {
		busy--;
	}
	*icr = (*icr & ~ICR_PENDING) | (busy ? ICR_PENDING : 0);
	last = *icr;
	return (u8 *)page + (pa & 0xfff);
}

static u32 n, bad;

static void result(bool ok, const char *name)
{
	printf("%sok %u %s\n", ok ? "" : "not ", ++n, name);
	bad += !ok;
}

int main(void)
{
	static struct vcpu v;

	printf("KTAP version 1\n1..4\n");
	guest_apic_write(&v, APIC_ICR2, 2 << 24);
	guest_apic_write(&v, APIC_ICR, ICR_ASSERT | VECTOR);
	guest_apic_write(&v, APIC_ICR2, 3 << 24);
	guest_apic_write(&v, APIC_ICR, ICR_ASSERT | (VECTOR + 1));
	apic_read(APIC_ID);
	result(!lost && sent == 2, "the guest's that do not wait");

	send(5, MODE_NMI << 8);
	result(!lost && sent == 3, "the monitor's behind one of the guest's");
	result(!(page[APIC_ICR / 4] & ICR_PENDING) && page[APIC_ICR2 / 4] >> 24 == 3,
	       "the guest finds the register idle");
	apic_read(APIC_ID);
	result(to[0] == 2 && to[1] == 3 && to[2] == 5 && (what[2] & 0x7ff) == MODE_NMI << 8,
	       "each to whom it is for");
	return bad;
}
