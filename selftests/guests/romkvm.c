// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests kvm.rom where KVM is: what it answers, and what its routines do.
 * Boots with qemu -kernel under KVM, all of KVM's features on, two processors.
 */
#include <asm/vmi/abi.h>

#include "guest.h"

#define IPI_VECTOR	0x90
#define LAPIC		0xfee00000
#define LAPIC_EOI	0xb0
#define LAPIC_SVR	0xf0
#define LAPIC_ISR	0x100
#define LAPIC_ICR	0x300
#define SVR_ENABLE	0x1ff
#define ICR_SELF	0x40000
#define EFLAGS_IF	0x200
#define NS_PER_SEC	1000000000u
#define PIT_HZ		1193182u
#define PATIENCE	20000000	/* rounds of a loop that waits */

static const struct vmi_rom_header *rom;
static struct vmi_reloc relocs[VMI_NR_OPS];

static void result(const char *name)
{
	if (*why)
		print("# %s\n", why);
	ktap_result(!*why, name);
	why = "";
}

/* One of the ROM's routines, by the table's registers. */
static u64 call(u32 op, u32 eax, u32 edx, u32 ecx, u32 stack)
{
	asm volatile("push %4; call *%3; add $4, %%esp"
		     : "+a" (eax), "+d" (edx), "+c" (ecx)
		     : "r" (relocs[op].eip), "r" (stack)
		     : "cc", "memory");
	return (u64)edx << 32 | eax;
}

static u64 cycles(u32 which)
{
	return call(VMI_OP_GET_CYCLE_COUNTER, which, 0, 0, 0);
}

static u32 flags(void)
{
	u32 value;

	asm volatile("pushf; pop %0" : "=r" (value));
	return value;
}

/* The interrupt: counts by APIC id, ends through the ROM. */
static volatile u32 ipis[2];
static volatile u32 in_service;

static void __attribute__((__used__)) on_ipi(void)
{
	u32 id = read32(LAPIC + 0x20) >> 24;

	ipis[id & 1]++;
	call(VMI_OP_APIC_WRITE, LAPIC + LAPIC_EOI, 0, 0, 0);
	in_service |= read32(LAPIC + LAPIC_ISR + IPI_VECTOR / 32 * 16);
}

asm("ipi_entry: pushal; cld; call on_ipi; popal; iret");
extern char ipi_entry[];

static struct descriptor_pointer idt_pointer;

static void take_ipis(void)
{
	u32 addr = (u32)ipi_entry;
	u32 *gate;

	asm volatile("sidt %0" : "=m" (idt_pointer));
	gate = (u32 *)(idt_pointer.base + 8 * IPI_VECTOR);
	gate[0] = KERNEL_CS << 16 | (addr & 0xffff);
	gate[1] = (addr & 0xffff0000) | 0x8e00;
	write32(LAPIC + LAPIC_SVR, SVR_ENABLE);
}

/* The other processor does what it is told, in order. */
enum { AP_NOTHING, AP_CLOCK, AP_WAKE, AP_HALT };
static volatile u32 ap_job, ap_done;
static u64 ap_clock;
static volatile u8 lock_byte;
static u64 ap_gdt[GDT_SIZE / 8] __aligned(4096);

static void wake_boot_cpu(void)
{
	u32 i;

	/* Long enough to be asleep by then; a sleeper spends no time. */
	for (i = 0; i < 200000; i++)
		asm volatile("pause");
	lock_byte = 0;
	call(VMI_OP_SPIN_KICK, 0, 0, 0, 0);
}

void ap_main(unsigned int cpu)
{
	struct descriptor_pointer pointer = { GDT_SIZE - 1, (u32)ap_gdt };
	u32 job = 0;

	(void)cpu;
	/* The ROM tells processors apart by this. */
	memcpy(ap_gdt, gdt, GDT_SIZE);
	asm volatile("lgdt %0" : : "m" (pointer));
	asm volatile("lidt %0" : : "m" (idt_pointer));
	write32(LAPIC + LAPIC_SVR, SVR_ENABLE);
	call(VMI_OP_GET_CYCLE_COUNTER, 0, 0, 0, 0);
	for (;;) {
		ap_done = job;
		while (ap_job == job)
			asm volatile("pause");
		job = ap_job;
		if ((job & 0xff) == AP_CLOCK)
			ap_clock = cycles(VMI_CYCLES_REAL);
		else if ((job & 0xff) == AP_WAKE)
			wake_boot_cpu();
		else if ((job & 0xff) == AP_HALT)
			asm volatile("sti; hlt; cli");
	}
}

static void ap_start_job(u32 job)
{
	static u32 number;

	ap_job = ++number << 8 | job;
}

static bool ap_finished(void)
{
	u32 i;

	for (i = 0; i < PATIENCE && ap_done != ap_job; i++)
		asm volatile("pause");
	return ap_done == ap_job;
}

static void test_answers(void)
{
	static const u32 calls[] = {
		VMI_OP_SET_INITIAL_AP_STATE, VMI_OP_APIC_WRITE,
		VMI_OP_GET_CYCLE_FREQUENCY, VMI_OP_GET_CYCLE_COUNTER,
		VMI_OP_SET_ALARM, VMI_OP_CANCEL_ALARM, VMI_OP_WALLCLOCK_UPDATED,
		VMI_OP_GET_WALLCLOCK_TIME, VMI_OP_SPIN_WAIT, VMI_OP_SPIN_KICK,
		VMI_OP_SEND_IPI_MASK, VMI_OP_FLUSH_LATER, VMI_OP_CPU_PREEMPTED,
		VMI_OP_YIELD_TO, VMI_OP_HALT_POLL, VMI_OP_GET_TSC_FREQUENCY,
	};
	static const u32 nops[] = { VMI_OP_IO_DELAY, VMI_OP_WBINVD };
	static const u32 jumps[] = { VMI_OP_IRET, VMI_OP_SYSEXIT };
	u8 want[VMI_NR_OPS] = { 0 };
	u32 i, edx, ecx, eax;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		want[calls[i]] = VMI_RELOC_CALL;
	for (i = 0; i < ARRAY_SIZE(nops); i++)
		want[nops[i]] = VMI_RELOC_NOP;
	for (i = 0; i < ARRAY_SIZE(jumps); i++)
		want[jumps[i]] = VMI_RELOC_JUMP;
	for (i = 0; i < VMI_NR_OPS; i++) {
		eax = i;
		asm volatile("call *%3" : "+a" (eax), "=d" (edx), "=c" (ecx)
			     : "r" (rom->get_reloc) : "cc", "memory");
		relocs[i].eip = eax;
		relocs[i].type = edx;
		if (relocs[i].type == want[i])
			continue;
		print("# call %u: type %u, not %u\n", i, relocs[i].type, want[i]);
		FAIL("get_reloc's type");
	}
	result("get_reloc for every number");
}

static void pit_wait(u32 ticks)
{
	u32 last, now, gone = 0;

	outb(0x43, 0x34);	/* channel 0, counts down again and again */
	outb(0x40, 0);
	outb(0x40, 0);
	for (last = 0x10000; gone < ticks; last = now) {
		outb(0x43, 0);
		now = inb(0x40);
		now |= inb(0x40) << 8;
		gone += (last - now) & 0xffff;
	}
}

/* The quotient must fit. */
static u32 quotient(u64 n, u32 by)
{
	u32 high = n >> 32, low = n, rest;

	asm("divl %4" : "=a" (low), "=d" (rest) : "0" (low), "1" (high), "r" (by));
	return low;
}

static u32 cycles_khz(void)
{
	return quotient(call(VMI_OP_GET_CYCLE_FREQUENCY, 0, 0, 0, 0), 1000);
}

static u32 microseconds(u64 cycles)
{
	return quotient(cycles * 1000, cycles_khz());
}

static u64 tsc(void)
{
	u64 value;

	asm volatile("rdtsc" : "=A" (value));
	return value;
}

/* The clock right before and after the TSC: a busy host may come between them. */
struct both {
	u64 tsc, before, after;
};

static struct both both_clocks(void)
{
	struct both now;

	now.before = cycles(VMI_CYCLES_REAL);
	now.tsc = tsc();
	now.after = cycles(VMI_CYCLES_REAL);
	return now;
}

static void test_tsc(void)
{
	u32 khz = quotient(call(VMI_OP_GET_TSC_FREQUENCY, 0, 0, 0, 0), 1000);
	struct both start = both_clocks(), end;
	u32 us, least, most;

	EXPECT(khz == cycles_khz());

	pit_wait(PIT_HZ / 4);
	end = both_clocks();
	EXPECT(khz);
	us = quotient((end.tsc - start.tsc) * 1000, khz | !khz);
	least = microseconds(end.before - start.after);
	most = microseconds(end.after - start.before);
	print("# the TSC has %u kHz: %u us, and %u to %u us by the clock\n", khz, us,
	      least, most);
	EXPECT(us >= least - least / 100 && us <= most + most / 100);
	EXPECT(!(flags() & EFLAGS_IF));
	result("the TSC has the rate that the ROM says");
}

static void test_clock(void)
{
	u32 i, took, ms = ~0u, ticks = PIT_HZ / 4;
	u64 before, now, last = cycles(VMI_CYCLES_REAL);

	for (i = 0; i < 100000; i++) {
		now = cycles(VMI_CYCLES_REAL);
		EXPECT(now >= last);
		last = now;
	}
	EXPECT(!(flags() & EFLAGS_IF));
	result("the clock does not go backwards");

	/* A busy host makes it longer, never shorter: the best of some. */
	for (i = 0; i < 8 && ms > 300; i++) {
		before = cycles(VMI_CYCLES_REAL);
		pit_wait(ticks);
		took = microseconds(cycles(VMI_CYCLES_REAL) - before) / 1000;
		ms = took < ms ? took : ms;
	}
	if (ms < 240 || ms > 300)
		print("# %u ms, not 250\n", ms);
	EXPECT(ms >= 240 && ms <= 300);
	result("the clock goes as the PIT does");

	for (i = 0; i < 100; i++) {
		before = cycles(VMI_CYCLES_REAL);
		ap_start_job(AP_CLOCK);
		EXPECT(ap_finished());
		now = cycles(VMI_CYCLES_REAL);
		EXPECT(before <= ap_clock && ap_clock <= now);
	}
	result("both processors have the same time");
}

static void test_stolen(void)
{
	u64 stolen = cycles(VMI_CYCLES_STOLEN);
	u64 real = cycles(VMI_CYCLES_REAL);
	u64 available = cycles(VMI_CYCLES_AVAILABLE);

	EXPECT(stolen <= cycles(VMI_CYCLES_STOLEN));
	EXPECT(available <= cycles(VMI_CYCLES_REAL) - stolen);
	EXPECT(available + cycles(VMI_CYCLES_STOLEN) >= real);
	print("# stolen: %u us of %u us\n", microseconds(stolen), microseconds(real));
	result("stolen and available make real");
}

static u32 cmos(u8 reg)
{
	u8 value;

	outb(0x70, reg);
	value = inb(0x71);
	return (value >> 4) * 10 + (value & 15);
}

static void test_wallclock(void)
{
	u32 rtc, sec, off;
	u64 ns;

	do {
		off = cmos(0);
		rtc = (cmos(4) * 60 + cmos(2)) * 60 + off;
	} while (cmos(0) != off);
	ns = call(VMI_OP_GET_WALLCLOCK_TIME, 0, 0, 0, 0);
	sec = quotient(ns, NS_PER_SEC);
	off = (sec % 86400 + 86400 - rtc) % 86400;
	if (off > 2 && off < 86398)
		print("# %u s since 1970, RTC has second %u of the day\n", sec, rtc);
	EXPECT(off <= 2 || off >= 86398);
	result("the wall clock agrees with the RTC");
}

static void test_eoi(void)
{
	u32 i, round;

	asm volatile("sti");
	for (round = 0; round < 100; round++) {
		write32(LAPIC + LAPIC_ICR, ICR_SELF | IPI_VECTOR);
		for (i = 0; i < PATIENCE && ipis[0] <= round; i++)
			asm volatile("pause");
	}
	asm volatile("cli");
	EXPECT(ipis[0] == 100);
	result("interrupts end");
}

static void test_send_ipi_mask(void)
{
	u32 i, before = ipis[0];

	EXPECT(!(u32)call(VMI_OP_SEND_IPI_MASK, 0, 1, 0, IPI_VECTOR));
	asm volatile("sti; nop; cli" : : : "memory");
	EXPECT(ipis[0] == before + 1);

	/* Both, and the other halts until it comes. */
	ap_start_job(AP_HALT);
	for (i = 0; i < 1000; i++)
		asm volatile("pause");
	EXPECT(!(u32)call(VMI_OP_SEND_IPI_MASK, 0, 3, 0, IPI_VECTOR));
	asm volatile("sti; nop; cli" : : : "memory");
	EXPECT(ap_finished());
	EXPECT(ipis[0] == before + 2 && ipis[1] == 1);

	/* Bit 0 need not be processor 0. */
	ap_start_job(AP_HALT);
	EXPECT(!(u32)call(VMI_OP_SEND_IPI_MASK, 1, 1, 0, IPI_VECTOR));
	EXPECT(ap_finished());
	EXPECT(ipis[0] == before + 2 && ipis[1] == 2);
	result("interrupts go to a mask");
}

/* Waits until the other processor cleared lock_byte: how often it woke. */
static u32 wait_for_lock(void)
{
	u32 woken = 0;

	lock_byte = 1;
	ap_start_job(AP_WAKE);
	while (lock_byte && woken < PATIENCE) {
		call(VMI_OP_SPIN_WAIT, (u32)&lock_byte, 1, 0, 0);
		woken++;
	}
	EXPECT(!lock_byte);
	EXPECT(ap_finished());
	return woken;
}

static void test_spin(void)
{
	u32 woken;

	lock_byte = 2;
	call(VMI_OP_SPIN_WAIT, (u32)&lock_byte, 1, 0, 0);
	result("SpinWait returns if the byte is another");

	woken = wait_for_lock();
	EXPECT(woken <= 3);
	EXPECT(!(flags() & EFLAGS_IF));
	result("SpinWait sleeps until SpinKick, interrupts off");

	asm volatile("sti");
	woken = wait_for_lock();
	EXPECT(woken <= 3);
	EXPECT(flags() & EFLAGS_IF);
	asm volatile("cli");
	result("SpinWait sleeps until SpinKick, interrupts on");
}

static void test_preempted(void)
{
	u32 i, later = 0;

	EXPECT(!(u32)call(VMI_OP_CPU_PREEMPTED, 0, 0, 0, 0));
	EXPECT(!(u32)call(VMI_OP_CPU_PREEMPTED, 300, 0, 0, 0));
	EXPECT(!(u32)call(VMI_OP_FLUSH_LATER, 0, 0, 0, 0));
	EXPECT(!(u32)call(VMI_OP_FLUSH_LATER, -1, 0, 0, 0));
	result("a processor that runs is not preempted");

	ap_start_job(AP_HALT);
	for (i = 0; i < PATIENCE && !(u32)call(VMI_OP_CPU_PREEMPTED, 1, 0, 0, 0); i++)
		asm volatile("pause");
	EXPECT((u32)call(VMI_OP_CPU_PREEMPTED, 1, 0, 0, 0) == 1);
	/* A busy host wakes it now and then, for a moment. */
	for (i = 0; i < PATIENCE && !later; i++)
		later = call(VMI_OP_FLUSH_LATER, 1, 0, 0, 0);
	EXPECT(later == 1);
	call(VMI_OP_YIELD_TO, 1, 0, 0, 0);
	call(VMI_OP_SEND_IPI_MASK, 1, 1, 0, IPI_VECTOR);
	EXPECT(ap_finished());
	for (i = 0; i < 1000; i++)
		if (!(u32)call(VMI_OP_CPU_PREEMPTED, 1, 0, 0, 0))
			break;
	result("one that halts is, and flushes later");
}

static void test_halt_poll(void)
{
	call(VMI_OP_HALT_POLL, VMI_POLL_GUEST, 0, 0, 0);
	call(VMI_OP_HALT_POLL, VMI_POLL_HOST, 0, 0, 0);
	result("HaltPoll is taken");
}

static bool find_rom(void)
{
	u32 at, eax;

	for (at = VMI_ROM_START; at < VMI_ROM_END; at += VMI_ROM_STEP) {
		rom = (const void *)at;
		if (rom->vrom_signature != VMI_SIGNATURE)
			continue;
		asm volatile("call *%1" : "=a" (eax) : "r" (rom->vmi_init)
			     : "edx", "ecx", "cc", "memory");
		return !eax;
	}
	return false;
}

int main(const char *cmdline)
{
	u32 i;

	(void)cmdline;
	ktap_start(15);
	if (!find_rom()) {
		print("Bail out! no ROM that starts\n");
		return 1;
	}
	test_answers();
	if (ktap_failed())
		return 1;
	take_ipis();
	ap_start_all();
	for (i = 0; i < PATIENCE && !ap_gdt[1]; i++)
		asm volatile("pause");
	EXPECT(ap_finished());
	result("the other processor is up");
	test_clock();
	test_tsc();
	test_stolen();
	test_wallclock();
	test_eoi();
	test_send_ipi_mask();
	test_spin();
	test_preempted();
	test_halt_poll();
	EXPECT(!(in_service & 1 << IPI_VECTOR % 32));
	return ktap_failed() || *why;
}
