// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every vector from every kind of device, wherever the processor is.  With matrix=1
 * on the command line a few vectors, with matrix=2 all, and no other cases.
 */
#include "hostile.h"

#define FAST		30000		/* of the APIC's clock, in QEMU nanoseconds */
#define SLOW		1000000
#define SPINS		5000000		/* the host may be busy */
#define ROUNDS		100
#define HYPERCALL	0x1f
#define BY_INT		115		/* and by far call: calls that do nothing */

#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define EDU_ID		0x11e81234u	/* a device that interrupts when it is told to */
#define EDU_RAISE	0x60
#define EDU_ACK		0x64
#define PIRQ_ROUTES	0x80000860u	/* of the chipset's bridge, 00:01.0 */

enum source { PIC, IPI, LVT, NMI, SOURCES };
enum place { RING1, RING3, HALTED, PARKED, AT_GATE, IN_DUMP, VMI_INIT, PLACES };
static const char *const source_names[] = { "pic", "ipi", "lvt", "nmi" };
static const char *const place_names[] = {
	"ring1", "ring3", "halted", "parked", "call_gate", "dump", "vmi_init",
};

/* What there is no way for: a device's interrupts while nothing can tell it. */
static const u8 places_of[SOURCES] = {
	[PIC] = 1 << RING1 | 1 << RING3,
	[IPI] = 1 << RING1 | 1 << RING3 | 1 << PARKED,
	[LVT] = 1 << RING1 | 1 << RING3 | 1 << HALTED | 1 << AT_GATE | 1 << IN_DUMP |
		1 << VMI_INIT,
	[NMI] = 0x7f,
};

/* The quick ones: NMI, machine check, the hypercall's, a system call, Linux's error. */
static const u8 few[] = { 2, 18, 31, 128, 254 };

static enum source source;
static enum place place;
static u32 vector;

/* Gates that count what comes; those with an error code end the case: on_trap(). */
static u64 vector_idt[256];
static volatile u32 count[256];
extern char vector_gates[], ring3_spin[];
asm(".pushsection .text; .balign 16; vector_gates:\n\t"
	".set n, 0; .rept 256; .balign 16; incl %ss:count + 4 * n; iret; .set n, n + 1; .endr\n\t"
	"ring3_spin: cmpl $0, %ss:(%eax); jne 1f; dec %ecx; jnz ring3_spin; 1: int $0x2f\n\t"
	".popsection");

/* Of an exception with an error code, which no device pushes; or of a machine check. */
static bool must_stop(u32 v)
{
	return v == 8 || (v >= 10 && v <= 14) || v == 17 || v == 18 || v == 21 || v == 29 ||
	       v == 30;
}

static enum ending expected(void)
{
	/* Hypercalls that are none end the case before. */
	if (place == IN_DUMP)
		return vector == HYPERCALL ? EITHER : STOPS;
	if (place == PARKED)
		return LIVES;
	if (must_stop(vector))
		return STOPS;
	return vector == 2 || vector >= 32 ? LIVES : EITHER;
}

static void outl(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a" (value), "Nd" (port));
}

static u32 pci_read(u32 address)
{
	u32 value;

	outl(PCI_ADDRESS, address);
	asm volatile("inl %1, %0" : "=a" (value) : "Nd" ((u16)PCI_DATA));
	return value;
}

static u32 find_edu(void)
{
	u32 slot;

	for (slot = 0; slot < 32; slot++)
		if (pci_read(0x80000000 | slot << 11) == EDU_ID)
			return pci_read(0x80000010 | slot << 11) & ~0xfu;
	return 0;
}

static void init_8259(u16 port, u8 base, u8 mode)
{
	outb(port, 0x11);
	outb(port + 1, base);
	outb(port + 1, port == 0x20 ? 4 : 2);
	outb(port + 1, mode);
	outb(port + 1, 0xff);
}

/* Whatever becomes of the vector, this ends a HLT: the PIT, with no EOI to be lost. */
static void wake_now_and_then(void)
{
	init_8259(0x20, 0x20, 3);
	outb(0x21, 0xfe);
	outb(0x43, 0x34);
	outb(0x40, 0);
	outb(0x40, 0);
}

/* One interrupt from a device that an 8259 makes this vector of. */
static void fire_pic(void)
{
	static const u8 irqs[] = { 0, 9, 10, 11, 12, 5, 14, 15 };
	u32 irq = irqs[vector & 7], edu = find_edu();
	u8 base = vector & 0xf8, other = base == 0x70 ? 0x78 : 0x70;

	init_8259(0x20, irq < 8 ? base : other, 1);
	init_8259(0xa0, irq < 8 ? other : base, 1);
	outb(0x21, (u8)~(1 << (irq < 8 ? irq : 2)));
	outb(0xa1, irq < 8 ? 0xff : (u8)~(1 << (irq - 8)));
	if (!irq) {
		pit_oneshot(100);
		return;
	}
	outl(PCI_ADDRESS, PIRQ_ROUTES);
	outl(PCI_DATA, irq * 0x01010101);
	if (edu)
		write32(edu + EDU_RAISE, 1);
}

static void prepare(void)
{
	u32 i, gate;

	for (i = 0; i < ARRAY_SIZE(vector_idt); i++) {
		gate = (u32)vector_gates + 16 * i;
		vector_idt[i] = must_stop(i) || i == LANDING_VECTOR ? idt[i] :
			(u64)((gate & 0xffff0000) | 0x8f00) << 32 | KERNEL_CS << 16 |
			(gate & 0xffff);
		count[i] = 0;
	}
	lidt(sizeof(vector_idt) - 1, (u32)vector_idt);
	apic_on();
}

static void quiet(void)
{
	u32 edu = source == PIC ? find_edu() : 0, i;

	timer(LVT_MASKED, 0);
	if (edu)
		write32(edu + EDU_ACK, ~0u);
	init_8259(0x20, 0x20, 1);
	init_8259(0xa0, 0x28, 1);
	delay_us(50);
	/* What is in service ends, and what that held back comes and ends, too. */
	asm volatile("sti");
	for (i = 0; i < 8; i++)
		apic(APIC_EOI, 0);
	asm volatile("cli");
}

/* Makes it come: now, or from now on again and again. */
static void fire(void)
{
	/* Once where the guest's own gate ends the case. */
	u32 again = vector == HYPERCALL || vector == LANDING_VECTOR ? 0 : LVT_PERIODIC;

	if (source == PIC)
		fire_pic();
	else if (source == LVT)
		timer(again | vector, place == HALTED ? SLOW : FAST);
	if (source == NMI)
		timer(LVT_PERIODIC | DELIVER_NMI, place == HALTED ? SLOW : FAST);
	if (source == IPI || source == NMI)
		apic(APIC_ICR, (place == PARKED ? ICR_TO_ONE : ICR_SELF) | vector);
}

static void call_by_gate(void)
{
	u32 i;

	for (i = 0; i < ROUNDS || (i < SPINS / 100 && !count[vector]); i++) {
		hypercall(BY_INT + (i & 1), 0, 0, 0);
		if (source == NMI)
			apic(APIC_ICR, ICR_SELF | vector);
		apic(APIC_EOI, 0);
	}
}

static void enter_ring3(void)
{
	asm volatile("push %0; push %1; push $0x202; push %2; push %3; iret"
		     : : "i" (USER_DS), "r" (ARENA + 0x8000), "i" (USER_CS), "r" (ring3_spin),
		     "a" (&count[vector]), "c" (SPINS));
}

static void be_there(u32 unused, u32 unused2)
{
	u32 i;

	(void)unused;
	(void)unused2;
	if (place == HALTED)
		wake_now_and_then();
	asm volatile("sti");
	fire();
	if (place == RING3)
		enter_ring3();
	for (i = 0; place == HALTED && i < 4; i++) {
		asm volatile("sti; hlt");
		apic(APIC_EOI, 0);
	}
	for (i = 0; place == PARKED && i < 10; i++) {
		fire();
		apic(APIC_ICR, ICR_TO_ONE | DELIVER_NMI);
		delay_us(20);
	}
	if (place == AT_GATE)
		call_by_gate();
	if (place == VMI_INIT)
		open_rom();
	/* Where the host is busy it may come late. */
	for (i = 0; (place == RING1 || place == VMI_INIT) && i < SPINS && !count[vector]; i++)
		asm volatile("pause");
	if (place == IN_DUMP) {
		vector_idt[6] = 0;
		vector_idt[8] = 0;
		vector_idt[13] = 0;
		asm volatile("ud2");
	}
}

/* The case may have left an NMI's handler by its own gate: the IRET that is missing. */
static void return_from_nmi(void)
{
	asm volatile("pushf; orl $0x4000, (%%esp); popf\n\t"
		     "push $2; push %0; push $1f; iret; 1:" : : "i" (KERNEL_CS | 1) : "memory");
}

static bool run_cell(void)
{
	bool ok;
	u32 came;

	prepare();
	if (place == PARKED)
		apic(APIC_ICR2, 1 << 24);
	traps(be_there, 0, 0);
	asm volatile("cli");
	quiet();
	ok = place == PARKED || (vector != 2 && vector < 32) || vector == LANDING_VECTOR ||
	     vector == 0x80 || count[vector];
	came = count[vector];
	/* Afterwards an NMI comes as ever. */
	return_from_nmi();
	count[2] = 0;
	apic(APIC_ICR, ICR_SELF | DELIVER_NMI);
	delay_us(20);
	ok = ok && count[2] == 1;
	if (!ok)
		print("# came %u times, then %u NMIs of one\n", came, count[2]);
	return ok;
}

static char *append(char *to, const char *s)
{
	while (*s)
		*to++ = *s++;
	return to;
}

static const char *cell_name(void)
{
	static char name[40];
	char *p = append(append(append(name, source_names[source]), "_"), place_names[place]);

	*p++ = '_';
	*p++ = '0' + vector / 100;
	*p++ = '0' + vector / 10 % 10;
	*p++ = '0' + vector % 10;
	*p = 0;
	return name;
}

static bool wanted(void)
{
	u32 i, by_gate = place == AT_GATE;

	if (!(places_of[source] >> place & 1) || by_gate != option("vmi", 0))
		return false;
	/* Each of these is a boot; in a dump only NMIs are of interest. */
	if (option("matrix", 0) > 1)
		return place != IN_DUMP || vector < 33;
	for (i = 0; i < ARRAY_SIZE(few); i++)
		if (vector == few[i])
			return place < IN_DUMP || vector < 31;
	return false;
}

bool run_matrix(u32 first, u32 only)
{
	u32 number = 0;
	struct hostile cell = { .run = run_cell };

	for (source = 0; source < SOURCES; source++) {
		for (place = 0; place < PLACES; place++) {
			for (vector = 0; vector < 256; vector++) {
				if (!wanted() || number++ < first ||
				    (only != ~0u && number - 1 != only))
					continue;
				cell.name = cell_name();
				cell.ends = expected();
				run_case(&cell, number - 1);
				if (place != VMI_INIT || option("list", 0))
					continue;
				print("# again\n");
				return false;
			}
		}
	}
	return true;
}
