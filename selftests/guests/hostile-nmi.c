// SPDX-License-Identifier: GPL-2.0-only
/* NMIs, INIT, and devices that use the vectors of exceptions. */
#include "hostile.h"

#define STORM		3000
#define PATIENCE	100000000
#define PERIOD		30000		/* of the APIC's clock, in QEMU nanoseconds */
#define LONG		10000000

/*
 * Gates that count what comes, and go back by an IRET that nobody has patched: that
 * would leave the interrupt flag clear, so they are trap gates.
 */
static u64 counting_idt[256];
static volatile u32 came[256];
extern char counting_gates[];
asm(".pushsection .text; .balign 16; counting_gates:\n\t"
	".set n, 0; .rept 256; .balign 16; incl %ss:came + 4 * n; iret; .set n, n + 1; .endr\n\t"
	".popsection");
#define nmis	came[2]

static void prepare(void)
{
	u32 i, gate;

	for (i = 0; i < ARRAY_SIZE(counting_idt); i++) {
		gate = (u32)counting_gates + 16 * i;
		counting_idt[i] = (u64)((gate & 0xffff0000) | 0x8f00) << 32 |
				  KERNEL_CS << 16 | (gate & 0xffff);
		came[i] = 0;
	}
	lidt(sizeof(counting_idt) - 1, (u32)counting_idt);
	apic_on();
}

/* As the timer of QEMU's APIC does; a processor's delivers no NMI and no vector below 16. */
static bool timer_nmi(void)
{
	return option("timer_nmi", 1);
}

static void timer_off(void)
{
	timer(LVT_MASKED, 0);
	delay_us(100);
}

static void self(u32 command)
{
	apic(APIC_ICR, ICR_SELF | command);
	delay_us(20);
}

/* One after the other; the handler returns by an IRET that nobody has patched. */
static bool nmi_again(void)
{
	u32 i;

	prepare();
	for (i = 0; i < 5; i++)
		self(DELIVER_NMI);
	return nmis == 5;
}

/* An NMI is above any priority. */
static bool nmi_tpr(void)
{
	u32 i;

	if (!timer_nmi())
		return true;
	prepare();
	apic(APIC_TPR, 0xff);
	timer(DELIVER_NMI, PERIOD);
	/* Nothing here traps, or the monitor would have another look at it. */
	for (i = 0; i < PATIENCE && !nmis; i++)
		asm volatile("pause");
	i = nmis;
	apic(APIC_TPR, 0);
	return i == 1;
}

/* No vector is the monitor's own. */
static bool vector_254(void)
{
	prepare();
	asm volatile("sti");
	self(0xfe);
	asm volatile("cli");
	apic(APIC_EOI, 0);
	return came[0xfe] == 1;
}

/* Vector 2 from a device again and again, NMIs from the timer in between. */
static bool nmi_storm(void)
{
	u32 i, from_timer;

	if (!timer_nmi())
		return true;
	prepare();
	timer(LVT_PERIODIC | DELIVER_NMI, PERIOD);
	for (i = 0; i < STORM; i++) {
		apic(APIC_ICR, ICR_SELF | 2);
		asm volatile("sti; nop; cli" : : : "memory");
	}
	timer_off();
	from_timer = nmis;
	self(DELIVER_NMI);
	return from_timer > STORM / 2 && nmis == from_timer + 1;
}

/* NMIs at every place of what runs most: calls, faults, system calls of ring 3. */
static bool nmi_everywhere(void)
{
	u32 i, seen_nmis;

	prepare();
	timer(LVT_PERIODIC | DELIVER_NMI, PERIOD);
	for (i = 0; i < STORM; i++) {
		lgdt(gdt_pointer.limit, gdt_pointer.base);
		if (rom_slots)
			hypercall(115 + (i & 1), 0, 0, 0);
	}
	timer_off();
	seen_nmis = nmis;
	self(DELIVER_NMI);
	return nmis == seen_nmis + 1;
}

/* Some of them will find the processor halted. */
static void halt_with(u32 lvt)
{
	u32 i;

	prepare();
	timer(LVT_PERIODIC | lvt, LONG);
	for (i = 0; i < 5; i++)
		asm volatile("sti; hlt; cli");
	timer_off();
}

static bool halted_2(void)
{
	if (!timer_nmi())
		return true;
	halt_with(2);
	return nmis >= 5;
}

static bool halted_17(void)
{
	halt_with(17);
	return true;
}

static bool halted_18(void)
{
	halt_with(18);
	return true;
}

static bool halted_nmi(void)
{
	if (!timer_nmi())
		return true;
	halt_with(DELIVER_NMI);
	return nmis >= 5;
}

/* NMIs while the monitor says why it stops the guest. */
static bool nmi_in_dump(void)
{
	prepare();
	/* Neither #UD nor what comes of it can be delivered. */
	counting_idt[6] = 0;
	counting_idt[8] = 0;
	counting_idt[13] = 0;
	timer(LVT_PERIODIC | DELIVER_NMI, PERIOD);
	asm volatile("ud2");
	return true;
}

/* Nobody is left. */
static bool init_self(void)
{
	apic(APIC_ICR, ICR_SELF | DELIVER_INIT);
	delay_us(1000);
	return true;
}

const struct hostile nmi_cases[] = {
	{ "nmi_again", nmi_again, LIVES },
	{ "nmi_tpr", nmi_tpr, LIVES },
	{ "vector_254", vector_254, LIVES },
	{ "nmi_storm", nmi_storm, LIVES },
	{ "nmi_everywhere", nmi_everywhere, LIVES },
	{ "halted_2", halted_2, LIVES },
	{ "halted_nmi", halted_nmi, LIVES },
	{ "halted_17", halted_17, STOPS },
	{ "halted_18", halted_18, STOPS },
	{ "nmi_in_dump", nmi_in_dump, STOPS },
	{ "init_self", init_self, STOPS },
	{ NULL, NULL, LIVES }
};
