// SPDX-License-Identifier: GPL-2.0-only
/* Registers, interrupts and exceptions. */
#include "hostile.h"

#define EFER		0xc0000080u
#define EFER_LONG	0x1500u		/* LME, LMA, SVME */
#define START_PAGE	0x8000u

static void do_rdmsr(u32 msr, u32 unused)
{
	u32 low, high;

	(void)unused;
	asm volatile("rdmsr" : "=a" (low), "=d" (high) : "c" (msr));
}

static void do_wrmsr(u32 msr, u32 low)
{
	asm volatile("wrmsr" : : "c" (msr), "a" (low), "d" (random32() & 1 ? ~0u : 0));
}

static bool efer_ok(void)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a" (low), "=d" (high) : "c" (EFER));
	return !(low & EFER_LONG);
}

/* Every register in the ranges that processors use, with three values. */
static bool msrs(void)
{
	static const u32 ranges[][2] = {
		{ 0, 0x1000 }, { 0x1900, 0x1910 }, { 0x40000000, 0x40000010 },
		{ 0x4b564d00, 0x4b564d08 }, { 0xc0000080, 0xc0000110 },
		{ 0xc0010000, 0xc0010140 }, { 0xc0011000, 0xc0011040 },
		{ 0xfffffff0, 0xffffffff },
	};
	static const u32 values[] = { 0, ~0u, 0x11223344 };
	u32 i, j, msr;

	random_seed(3);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (msr = ranges[i][0]; msr < ranges[i][1]; msr++) {
			traps(do_rdmsr, msr, 0);
			for (j = 0; j < ARRAY_SIZE(values); j++)
				traps(do_wrmsr, msr, values[j]);
		}
	}
	asm volatile("wrmsr" : : "c" (EFER), "a" (0), "d" (0));
	return efer_ok();
}

#define WRITE(n) \
static void write_cr##n(u32 val, u32 unused) \
{ (void)unused; asm volatile("mov %0, %%cr" #n : : "r" (val)); }
WRITE(4)
static void write_cr0_bits(u32 val, u32 unused)
{
	(void)unused;
	WRITE_CR(0, val);
}

/* Single bits and their complements, paging and protection left alone. */
static bool control_registers(void)
{
	u32 bit;

	for (bit = 0; bit < 32; bit++) {
		traps(write_cr4, 1u << bit, 0);
		WRITE_CR(4, 0);
		if (bit && bit != 31)
			traps(write_cr0_bits, READ_CR(0) ^ 1u << bit, 0);
		WRITE_CR(0, 0x10011);
		asm volatile("lmsw %w0" : : "r" (1u << bit));
		asm volatile("clts");
	}
	traps(write_cr4, ~0u, 0);
	return READ_CR(0) & 1;
}

static void do_xsetbv(u32 index, u32 low)
{
	asm volatile("xsetbv" : : "c" (index), "a" (low), "d" (0));
}

static bool xcr(void)
{
	u32 i;

	for (i = 0; i < 33; i++) {
		traps(do_xsetbv, 0, i < 32 ? 1u << i | 1 : ~0u);
		traps(do_xsetbv, i, ~0u);
	}
	return true;
}

#define READ_DR(n) ({ u32 _dr; asm volatile("mov %%db" #n ", %0" : "=r" (_dr)); _dr; })
#define WRITE_DR(n, val) asm volatile("mov %0, %%db" #n : : "r" (val))

static void use_tables(u32 dr7, u32 unused)
{
	(void)unused;
	WRITE_DR(7, dr7);
	asm volatile("lgdt %0" : : "m" (gdt_pointer));
	asm volatile("int $0x2f");
}

/* Watch what the monitor reads and writes for us, and try to own the registers. */
static bool debug_registers(void)
{
	u32 i;

	for (i = 0; i < 64; i++) {
		WRITE_DR(0, (u32)&gdt_pointer);
		WRITE_DR(1, (u32)gdt + 8);
		WRITE_DR(7, 0);
		WRITE_DR(2, i & 1 ? (u32)&tss + 4 : (u32)__builtin_frame_address(0) - 64);
		WRITE_DR(3, i & 2 ? 0x3f8 : (u32)landing);
		WRITE_CR(4, i & 4 ? CR4_DE : 0);
		/* GD, and bits that the processor wants otherwise */
		WRITE_DR(7, 0xffffff00);
		if (READ_DR(7) & 0x2000)
			return false;
		traps(use_tables, 0x333300ff | i << 26, 0);
		WRITE_DR(7, 0);
		WRITE_DR(6, ~0u);
		WRITE_DR(6, 0);
	}
	return true;
}

static u16 ss_in_memory = KERNEL_DS | 1;

/* A trap kept back by the load of SS arrives at the monitor's first instruction. */
static void ss_then_int(u32 vector, u32 unused)
{
	(void)unused;
	if (vector == 0x80)
		asm volatile("mov %0, %%ss; int $0x80" : : "m" (ss_in_memory));
	else if (vector == 3)
		asm volatile("mov %0, %%ss; int3" : : "m" (ss_in_memory));
	else if (vector == 1)
		asm volatile("mov %0, %%ss; .byte 0xf1" : : "m" (ss_in_memory));
	else
		asm volatile("mov %0, %%ss; int $0x1f" : : "m" (ss_in_memory));
}

static bool debug_at_entry(void)
{
	static const u32 vectors[] = { 1, 3, 0x1f, 0x80 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		WRITE_DR(0, (u32)&ss_in_memory);
		WRITE_DR(7, 0x000f0003);
		traps(ss_then_int, vectors[i], 0);
		WRITE_DR(7, 0);
	}
	return true;
}

static void step_calls(u32 unused, u32 unused2)
{
	(void)unused;
	(void)unused2;
	asm volatile("pushf; orl $0x100, (%%esp); popf\n\t"
		     "cli; mov %%cr0, %%eax; lgdt %0; sti; int $0x80"
		     : : "m" (gdt_pointer) : "eax");
}

static bool single_step(void)
{
	u32 i;

	for (i = 0; i < 50; i++)
		traps(step_calls, 0, 0);
	return true;
}

/* What a processor would execute in real mode, once it got STARTUP. */
static volatile u32 *start_page(void)
{
	static const u8 code[] = {	/* movl $POISON, %cs:0x80; hlt */
		0x2e, 0x66, 0xc7, 0x06, 0x80, 0x00,
		POISON & 0xff, POISON >> 8 & 0xff, POISON >> 16 & 0xff, POISON >> 24, 0xf4,
	};

	memcpy((void *)START_PAGE, code, sizeof(code));
	write32(START_PAGE + 0x80, 0);
	return (u32 *)(START_PAGE + 0x80);
}

/* INIT, STARTUP, NMI, SMI by the command register, to all and to self. */
static bool icr(void)
{
	volatile u32 *started = start_page();
	u32 mode, to;

	for (mode = 2; mode < 7; mode++) {
		for (to = 0; mode != 3 && to < 4; to++) {
			/* INIT makes whoever gets it wait for startup. */
			if (mode == 5 && to != 3)
				continue;
			write32(LAPIC + 0x310, 0);
			write32(LAPIC + 0x300, to << 18 | 0x4000 | mode << 8 | START_PAGE >> 12);
			write32(LAPIC + 0x300, to << 18 | mode << 8 | 0x9000 | START_PAGE >> 12);
			if (rom_slots)
				hypercall(63, LAPIC + 0x300,
					  to << 18 | 0x4000 | mode << 8 | START_PAGE >> 12, 0);
			delay_us(20);
		}
	}
	/* The other processor may have to wait for a busy host. */
	for (mode = 0; mode < 300 && !*started; mode++)
		delay_us(1000);
	return !*started;
}

/* Every register of the local APIC, and those that are none. */
static bool apic_registers(void)
{
	static const u32 values[] = { 0x4500, 0x0400, 0x0200, 0x10000, 0 };
	u32 reg, i;

	for (reg = 0; reg < 0x1000; reg += 0x10) {
		if (reg == 0xb0 || reg == 0x300)
			continue;
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			write32(LAPIC + reg, values[i]);
			if (rom_slots)
				hypercall(63, reg, values[i], 0);
			else
				write32(LAPIC + reg + 4, values[i]);
		}
	}
	delay_us(1000);
	return true;
}

/* Interrupts from the local APIC with the vectors of exceptions. */
static void send_ipi(u32 command, u32 to)
{
	write32(LAPIC + 0xf0, 0x1ff);
	write32(LAPIC + 0x310, to << 24);
	write32(LAPIC + 0x300, command);
	delay_us(10000);
}

static bool self_ipi(u32 vector)
{
	traps(send_ipi, 0x44000 | vector, 0);
	return true;
}

#define SELF_IPI(n) static bool ipi_##n(void) { return self_ipi(n); }
SELF_IPI(16)
SELF_IPI(17)
SELF_IPI(18)
SELF_IPI(31)

/* To processors that wait to be started, maybe for a busy host, too. */
static bool parked_ipi(u32 vector)
{
	send_ipi(0x4000 | vector, 1);
	delay_us(100000);
	return true;
}

#define PARKED_IPI(n) static bool parked_##n(void) { return parked_ipi(n); }
PARKED_IPI(16)
PARKED_IPI(17)
PARKED_IPI(31)
PARKED_IPI(128)
PARKED_IPI(254)

/* The 8259 with the vectors of exceptions; one interrupt from the timer. */
static bool pic_vectors(void)
{
	outb(0x20, 0x11);
	outb(0x21, 8);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0x21, 0xfe);
	pit_oneshot(100);
	delay_us(10000);
	outb(0x21, 0xff);		/* on a busy host it may still be to come */
	return true;
}

/* No IDT, or one in a bad place, then an exception. */
static void exception_now(u32 unused, u32 unused2)
{
	(void)unused;
	(void)unused2;
	asm volatile("ud2");
}

static bool no_idt(void)
{
	lidt(0, 0);
	exception_now(0, 0);
	return true;
}

static bool idt_at_top(void)
{
	lidt(0xffff, 0xfffffff8);
	exception_now(0, 0);
	return true;
}

static bool idt_in_monitor(void)
{
	lidt(0xffff, mon_start);
	exception_now(0, 0);
	return true;
}

/* A table of gates of each odd kind; the exception is #UD. */
static u64 gates_odd[256];

static bool odd_gate(u64 gate)
{
	gates_odd[6] = gate;
	gates_odd[13] = gate;
	lidt(sizeof(gates_odd) - 1, (u32)gates_odd);
	exception_now(0, 0);
	return true;
}

static bool gate_task(void)
{
	return odd_gate((u64)0x8500 << 32 | TSS_SEL << 16);
}

static bool gate_monitor(void)
{
	return odd_gate((u64)0x8e00 << 32 | 0xffc00000u);
}

static bool gate_data(void)
{
	return odd_gate((u64)0x8e00 << 32 | KERNEL_DS << 16);
}

/* A gate that cannot be taken is #GP; if that cannot either, it is a double fault. */
static bool double_fault(void)
{
	bool ok;

	memcpy(gates_odd, idt, sizeof(gates_odd));
	gates_odd[6] = 0;
	lidt(sizeof(gates_odd) - 1, (u32)gates_odd);
	ok = traps(exception_now, 0, 0) && seen.vector == 13 && seen.error == 6 * 8 + 3;
	gates_odd[13] = (u64)0x8e00 << 32 | KERNEL_DS << 16;
	return ok && traps(exception_now, 0, 0) && seen.vector == 8 && !seen.error;
}

static void int_n(u32 unused, u32 unused2)
{
	(void)unused;
	(void)unused2;
	asm volatile("int $0xf3");
}

/* INT through a gate of no type, or behind the table: #GP; not present: #NP. */
static bool int_beyond(void)
{
	static u64 idt[0xf4];
	struct table_pointer now;
	bool ok;

	if (!traps(int_n, 0, 0) || seen.vector != 13)
		return false;
	if (!rom_slots)
		return true;
	hypercall(9, (u32)&now, 0, 0);
	memcpy(idt, (void *)now.base, sizeof(idt));
	lidt(sizeof(idt) - 9, (u32)idt);
	ok = traps(int_n, 0, 0) && seen.vector == 13;
	idt[0xf3] = (u64)0x0e00 << 32 | KERNEL_CS << 16;
	lidt(sizeof(idt) - 1, (u32)idt);
	ok = ok && traps(int_n, 0, 0) && seen.vector == 11;
	lidt(now.limit, now.base);
	return ok;
}

static void ud2_on_stack(u32 sp, u32 unused)
{
	(void)unused;
	asm volatile("mov %0, %%esp; ud2" : : "r" (sp));
}

static void ud2_on_segment(u32 ss, u32 unused)
{
	(void)unused;
	asm volatile("mov %0, %%ss; ud2" : : "r" (ss));
}

/* No offset is in it.  Emulation does not look at limits, processors do. */
static bool stack_expand_down(void)
{
	set_segment(SPARE_SEL, 0, 0xfffff, SEG_DATA32 | 0x400);
	return traps(ud2_on_segment, SPARE_SEL | 1, 0);
}

static bool stack_limit(void)
{
	set_segment(SPARE_SEL, 0, 0xff, SEG_DATA32 & ~0x800000);
	return traps(ud2_on_segment, SPARE_SEL | 1, 0);
}

static bool stack_at(u32 sp)
{
	return traps(ud2_on_stack, sp, 0);
}

static bool stack_0(void)
{
	return stack_at(0);
}

static bool stack_2(void)
{
	return stack_at(2);
}

static bool stack_unmapped(void)
{
	return stack_at(0xfee00100);
}

/* Calls and emulated instructions with the stack pointer at the edges. */
static void edge_call(u32 sp, u32 nr)
{
	if (rom_slots && nr < HC_SLOTS)
		asm volatile("mov %0, %%esp; jmp *%1" : : "r" (sp), "r" (ROM_SLOT(nr)),
			     "a" (ARENA), "c" (0x10), "d" (1));
	asm volatile("mov %0, %%esp; pop %%ss; iret" : : "r" (sp));
}

static bool halt_forever(void)
{
	asm volatile("cli; hlt");
	return true;
}

static bool stack_top_call(void)
{
	return traps(edge_call, 0xfffffffe, 11);
}

static bool stack_top_pop(void)
{
	return traps(edge_call, 0xfffffffe, ~0u);
}

static bool leave_protected_mode(void)
{
	WRITE_CR(0, READ_CR(0) & ~1u);
	return true;
}

/* Reads of all ports; a few that are written, none that resets. */
static bool ports(void)
{
	u32 port;

	for (port = 0; port < 0x10000; port++)
		inb(port);
	outb(0x70, 0x80);
	outb(0x61, 0x0c);
	outb(0x70, 0);
	return true;
}

static bool syscall_insns(void)
{
	extern const u16 odd_insns[], odd_insns_end[];
	u32 i;

	for (i = 0; &odd_insns[4 * i] < odd_insns_end; i++)
		traps((attempt_fn)&odd_insns[4 * i], 0, 0);
	return true;
}

/* Eight bytes each: what enters, leaves or speaks to ring 0 on some processor. */
asm(".pushsection .text; .balign 8; odd_insns:\n\t"
	".irp insn, sysenter, sysexit, syscall, vmcall, vmmcall, vmrun, "
		"vmlaunch, vmxoff, rsm, clgi, stgi, skinit, monitor, mwait, wbinvd, "
		"invd, rdpmc, getsec, rdtscp, xgetbv, ud2\n\t"
	".balign 8, 0x90; \\insn; ret\n\t"
	".endr; .balign 8; odd_insns_end: .popsection");

const struct hostile cpu_cases[] = {
	{ "msrs", msrs, LIVES },
	{ "control_registers", control_registers, LIVES },
	{ "xcr", xcr, LIVES },
	{ "debug_registers", debug_registers, LIVES },
	{ "debug_at_entry", debug_at_entry, LIVES },
	{ "single_step", single_step, LIVES },
	{ "icr", icr, LIVES },
	{ "apic_registers", apic_registers, EITHER },
	{ "ipi_17", ipi_17, STOPS },
	{ "ipi_18", ipi_18, STOPS },
	{ "ipi_16", ipi_16, EITHER },	/* keeps the others away: no EOI */
	{ "ipi_31", ipi_31, EITHER },
	{ "parked_16", parked_16, LIVES },
	{ "parked_17", parked_17, LIVES },
	{ "parked_31", parked_31, LIVES },
	{ "parked_128", parked_128, LIVES },
	{ "parked_254", parked_254, LIVES },
	{ "pic_vectors", pic_vectors, EITHER },
	{ "int_beyond", int_beyond, LIVES },
	{ "no_idt", no_idt, STOPS },
	{ "idt_at_top", idt_at_top, STOPS },
	{ "idt_in_monitor", idt_in_monitor, STOPS },
	{ "gate_task", gate_task, STOPS },
	{ "gate_monitor", gate_monitor, STOPS },
	{ "gate_data", gate_data, STOPS },
	{ "double_fault", double_fault, LIVES },
	{ "stack_expand_down", stack_expand_down, STOPS },
	{ "stack_limit", stack_limit, STOPS },
	{ "stack_0", stack_0, EITHER },
	{ "stack_2", stack_2, EITHER },
	{ "stack_unmapped", stack_unmapped, STOPS },
	{ "stack_top_call", stack_top_call, EITHER },	/* if limits are checked */
	{ "stack_top_pop", stack_top_pop, LIVES },
	{ "halt_forever", halt_forever, STOPS },
	{ "leave_protected_mode", leave_protected_mode, STOPS },
	{ "ports", ports, LIVES },
	{ "syscall_insns", syscall_insns, LIVES },
	{ NULL, NULL, LIVES }
};
