// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt flag, the ways back to where an interrupt came from, what waits
 * until it may come, and the local APIC.
 */
#include "layer.h"
#include "paging.h"

#define EFLAGS_IF	0x200
#define EFLAGS_TF	0x100
#define EFLAGS_ODD	0x8d5	/* CF PF AF ZF SF OF */
#define EFLAGS_DF	0x400

#define PIC1		0x20
#define READ_IRR	0x0a
#define READ_ISR	0x0b
#define TIMER		0x20	/* vector of the PIC's first */
#define HALT_TICKS	6000	/* of the PIT: 5 ms */

#define APIC_TPR	0x80
#define APIC_EOI	0xb0
#define APIC_SVR	0xf0
#define APIC_ICR	0x300
#define APIC_LVT_TIMER	0x320
#define APIC_COUNT	0x380
#define APIC_NOW	0x390
#define APIC_DIVIDE	0x3e0
#define SPURIOUS	0x7f
#define SVR_ON		(0x100 | SPURIOUS)
#define ICR_SELF	0x40000
#define LVT_MASKED	0x10000
#define LVT_PERIODIC	0x20000
#define DIVIDE_BY_1	0xb
#define APIC_TICKS	300000	/* QEMU's APIC has 1 GHz */

#define STORM_TICKS	100000
#define STORM		500

#define IOAPIC		0xfec00000
#define IOAPIC_PIT	(0x10 + 2 * 2)	/* redirection: PIT is at pin 2 */
#define IOAPIC_LEVEL	0x8000
#define IOAPIC_MASKED	0x10000

#define ROM_IRET	64		/* bytes, roughly, of the ROM's routine */

#define LOW		0x33	/* vectors: three classes, and one class twice */
#define MIDDLE		0x41
#define MIDDLE2		0x42
#define HIGH		0x52
#define LEVEL		0x61

static volatile u32 irqs, last_eip, last_cs, last_flags;
static u8 order[64];
static void (*handler)(u32 vector);

static void eoi(void)
{
	native_apic_mem_write(APIC_EOI, 0);
}

static bool take_irq(struct trap_frame *frame)
{
	if (frame->vector < TIMER || frame->vector == TRAP_VECTOR ||
	    frame->vector == OTHER_VECTOR)
		return false;
	if (frame->vector == SPURIOUS) {		/* wants no EOI */
		FAIL("the APIC has an interrupt and does not know which");
		return true;
	}
	order[irqs++ % ARRAY_SIZE(order)] = frame->vector;
	last_eip = frame->eip;
	last_cs = frame->cs;
	last_flags = frame->eflags;
	/* A return is done or not begun: nobody sees the inside of the ROM's. */
	EXPECT(frame->eip - relocs[VMI_OP_IRET].eip >= ROM_IRET);
	if (handler)
		handler(frame->vector);
	if (frame->vector == TIMER)
		pic_eoi();
	else
		eoi();
	return true;
}

static void send_self(u32 vector)
{
	native_apic_mem_write(APIC_ICR, ICR_SELF | vector);
}

static void prepare(void)
{
	on_trap = take_irq;
	native_apic_mem_write(APIC_SVR, SVR_ON);
	native_apic_mem_write(APIC_DIVIDE, DIVIDE_BY_1);
}

static bool enabled(void)
{
	return arch_local_save_flags() & EFLAGS_IF;
}

/* Emulation looks for interrupts now and then only. */
static void settle(void)
{
	delay_us(10);
}

/* The one that was pending, and time for another that must not come. */
static void settle_one(void)
{
	u32 i;

	for (i = 0; i < 100000 && !irqs; i++)
		delay_us(1);
	settle();
}

/* The flag */

static void t_flag(void)
{
	arch_local_irq_disable();
	EXPECT(!enabled());
	arch_local_irq_enable();
	EXPECT(enabled());
	EXPECT(arch_local_irq_save() & EFLAGS_IF);
	EXPECT(!enabled());
	set_interrupt_mask(EFLAGS_IF | 2);
	EXPECT(enabled());
	set_interrupt_mask(2);
	EXPECT(!enabled());
}

/* The same by instructions that nobody rewrote. */
static void t_flag_native(void)
{
	asm volatile("sti");
	EXPECT(enabled());
	asm volatile("cli");
	EXPECT(!enabled());
}

/* An interrupt that waits */

/* It has come, and could not be taken: in the APIC, or at a host already. */
static void make_pending(void)
{
	arch_local_irq_disable();
	irqs = 0;
	send_self(MIDDLE);
	settle();
	EXPECT_EQ(irqs, 0);
	EXPECT(!enabled());
}

static void pending_enable(void)
{
	arch_local_irq_enable();
	settle_one();
}

static void pending_mask(void)
{
	set_interrupt_mask(2);
	EXPECT_EQ(irqs, 0);
	set_interrupt_mask(EFLAGS_IF | 2);
	settle_one();
}

static void pending_sti(void)
{
	asm volatile("sti");
	settle_one();
}

static void pending_halt(void)
{
	vmi_safe_halt();
	EXPECT(enabled());
}

/* The target of a return is interrupted, not the return. */
static void return_to(const void *eip, bool user)
{
	struct trap_frame frame = context(eip, user);

	frame.eflags |= EFLAGS_IF;
	frame.ecx = 1000;
	launch(&frame);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.ecx, 0);
	EXPECT_EQ(last_eip, frame.eip);
	EXPECT_EQ(last_cs, frame.cs);
	EXPECT(last_flags & EFLAGS_IF);
	EXPECT(landed.eflags & EFLAGS_IF);
}

static void pending_iret_kernel(void)
{
	return_to(stub_spin, false);
}

static void pending_iret_user(void)
{
	return_to(user_stub(stub_spin), true);
}

static void pending_sysexit(void)
{
	wrmsr(0x174, KERNEL_CS);
	launch_by_sysexit(user_stub(stub_end), USER_STACK + 0x800);
	EXPECT_EQ(last_eip, (u32)user_stub(stub_end));
	EXPECT_EQ(last_cs, USER_CS);
}

static void t_pending(void)
{
	static void (* const ways[])(void) = {
		pending_enable, pending_mask, pending_sti, pending_halt,
		pending_iret_kernel, pending_iret_user, pending_sysexit,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		make_pending();
		ways[i]();
		if (irqs != 1)
			print("# way %u\n", i);
		EXPECT_EQ(irqs, 1);
		arch_local_irq_disable();
	}
}

/* The PIC's, after what the firmware's timer may have left in it. */
static void pic_only_timer(void)
{
	pit_oneshot(0);
	pic_mask(0xfffe);
	arch_local_irq_enable();
	settle();
	arch_local_irq_disable();
	irqs = 0;
}

static u8 pic_read(u8 what)
{
	outb(PIC1, what);
	return inb(PIC1);
}

static void t_pic(void)
{
	u32 i;

	pic_only_timer();
	pit_oneshot(100);
	for (i = 0; i < 1000000 && !((pic_read(READ_IRR) | pic_read(READ_ISR)) & 1); i++)
		;
	EXPECT_EQ(irqs, 0);
	arch_local_irq_enable();
	settle();
	arch_local_irq_disable();
	EXPECT(irqs >= 1);
	EXPECT_EQ(order[0], TIMER);
	pic_mask(0xffff);
}

/* Halt sleeps until something comes: the PIT's counter has gone through 0 then. */
static void t_halt(void)
{
	pic_only_timer();
	pit_oneshot(HALT_TICKS);
	vmi_safe_halt();
	EXPECT(irqs >= 1);
	EXPECT(pit_count() > HALT_TICKS);
	EXPECT(enabled());
	arch_local_irq_disable();
	pic_mask(0xffff);
}

/* Returns */

static void check_return(const void *eip, bool user, u32 flags)
{
	struct trap_frame frame = context(eip, user);

	frame.eax = 0xa1a2a3a4;
	frame.ebx = 0xb1b2b3b4;
	frame.ecx = 0xc1c2c3c4;
	frame.edx = 0xd1d2d3d4;
	frame.esi = 0x51525354;
	frame.edi = 0xd5d6d7d8;
	frame.ebp = 0xe1e2e3e4;
	frame.es = 0;
	frame.fs = USER_DS;
	frame.eflags = flags | 2;
	launch(&frame);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.eip, frame.eip + 2);
	EXPECT_EQ(landed.cs, frame.cs);
	EXPECT_EQ(landed.eflags, frame.eflags);
	EXPECT(landed.eax == frame.eax && landed.ebx == frame.ebx);
	EXPECT(landed.ecx == frame.ecx && landed.edx == frame.edx);
	EXPECT(landed.esi == frame.esi && landed.edi == frame.edi);
	EXPECT_EQ(landed.ebp, frame.ebp);
	EXPECT((u16)landed.fs == frame.fs && !(u16)landed.es && (u16)landed.ds == frame.ds);
	if (user)
		EXPECT(landed.esp == frame.esp && (u16)landed.ss == frame.ss);
}

static void t_iret(void)
{
	static const u32 flags[] = { 0, EFLAGS_IF, EFLAGS_ODD, EFLAGS_DF | EFLAGS_IF };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		check_return(stub_end, false, flags[i]);
		check_return(user_stub(stub_end), true, flags[i]);
	}
}

static void t_iret_refused(void)
{
	static const u32 bad[] = { 0, KERNEL_DS, KERNEL_CS | 3, TSS_SEL | 3 };
	struct trap_frame frame;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		frame = context(user_stub(stub_end), true);
		frame.cs = bad[i];
		launch(&frame);
		EXPECT_EQ(landed.vector, 13);
		EXPECT_EQ(landed.error, bad[i] & ~3);
		EXPECT_EQ(landed.cs, KERNEL_CS | ring);
		frame = context(user_stub(stub_end), true);
		frame.ss = bad[i];
		launch(&frame);
		EXPECT_EQ(landed.vector, 13);
		EXPECT_EQ(landed.error, bad[i] & ~3);
	}
}

static void t_sysexit(void)
{
	wrmsr(0x174, KERNEL_CS);
	launch_by_sysexit(user_stub(stub_end), USER_STACK + 0x800);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.eip, (u32)user_stub(stub_end) + 2);
	EXPECT_EQ(landed.cs, USER_CS);
	EXPECT_EQ(landed.esp, USER_STACK + 0x800);
	EXPECT_EQ((u16)landed.ss, USER_DS);
	EXPECT(landed.eflags & EFLAGS_IF);
}

/* Exceptions and gates */

static bool in_handler;

static bool see_flag(struct trap_frame *frame)
{
	if (frame->vector == OTHER_VECTOR)
		in_handler = enabled();
	return false;
}

static void t_gates(void)
{
	u32 type;

	for (type = GATE_USER; type <= TRAP_GATE_USER; type++) {
		struct trap_frame frame = context(user_stub(stub_int), true);

		set_idt_gate(OTHER_VECTOR, type);
		on_trap = see_flag;
		frame.eflags |= EFLAGS_IF;
		launch(&frame);
		on_trap = take_irq;
		EXPECT_EQ(landed.vector, OTHER_VECTOR);
		EXPECT_EQ(in_handler, type == TRAP_GATE_USER);
		arch_local_irq_disable();
	}
	set_idt_gate(OTHER_VECTOR, GATE_KERNEL);
}

static void expect_trap(const char *stub, bool user, u32 flags, u32 vector, u32 offset)
{
	struct trap_frame frame = context(user ? user_stub(stub) : stub, user);

	frame.eflags |= flags;
	launch(&frame);
	EXPECT_EQ(landed.vector, vector);
	EXPECT_EQ(landed.eip, frame.eip + offset);
}

static void t_exceptions(void)
{
	expect_trap(stub_int3, true, 0, 3, 1);
	expect_trap(stub_int3, false, 0, 3, 1);
	expect_trap(stub_step, true, EFLAGS_TF, 1, 1);
	expect_trap(stub_step, false, EFLAGS_TF, 1, 1);
	expect_trap(stub_cli, true, 0, 13, 0);
	expect_trap(stub_cli, false, 0, TRAP_VECTOR, 3);
}

/* The local APIC */

static void expect_order(const u8 *vectors, u32 n)
{
	u32 i;

	EXPECT_EQ(irqs, n);
	for (i = 0; i < n; i++)
		EXPECT_EQ(order[i], vectors[i]);
}

static void t_priority(void)
{
	static const u8 expected[] = { HIGH, MIDDLE2, MIDDLE, LOW };

	irqs = 0;
	send_self(LOW);
	send_self(MIDDLE);
	send_self(HIGH);
	send_self(MIDDLE2);
	send_self(LOW);
	EXPECT_EQ(irqs, 0);
	arch_local_irq_enable();
	settle();
	arch_local_irq_disable();
	expect_order(expected, ARRAY_SIZE(expected));
}

/* In the handler of one, others come: those of a higher class at once. */
static void nest(u32 vector)
{
	if (vector != MIDDLE)
		return;
	arch_local_irq_enable();
	send_self(LOW);
	send_self(MIDDLE2);
	settle();
	EXPECT_EQ(irqs, 1);
	send_self(HIGH);
	settle();
	EXPECT_EQ(irqs, 2);
	arch_local_irq_disable();
}

static void t_nested(void)
{
	static const u8 expected[] = { MIDDLE, HIGH, MIDDLE2, LOW };

	irqs = 0;
	handler = nest;
	arch_local_irq_enable();
	send_self(MIDDLE);
	settle();
	arch_local_irq_disable();
	handler = NULL;
	expect_order(expected, ARRAY_SIZE(expected));
}

static void t_registers(void)
{
	u32 version = native_apic_mem_read(0x30);

	EXPECT((version & 0xf0) == 0x10);
	EXPECT_EQ(read32(APIC_BASE + 0x30), version);
	EXPECT_EQ(native_apic_mem_read(APIC_SVR), SVR_ON);
	/* TPR holds back what is not above it; by plain stores, too. */
	irqs = 0;
	native_apic_mem_write(APIC_TPR, MIDDLE);
	EXPECT_EQ(native_apic_mem_read(APIC_TPR), MIDDLE);
	arch_local_irq_enable();
	send_self(MIDDLE2);
	send_self(HIGH);
	settle();
	EXPECT_EQ(irqs, 1);
	write32(APIC_BASE + APIC_TPR, 0);
	settle();
	EXPECT_EQ(irqs, 2);
	write32(APIC_BASE + APIC_ICR, ICR_SELF | LOW);
	settle();
	EXPECT_EQ(irqs, 3);
	arch_local_irq_disable();
	eoi();				/* nothing is in service: no harm */
}

static void wait_irqs(u32 n)
{
	u32 i;

	for (i = 0; i < 10000000 && irqs < n; i++)
		asm volatile("pause");
	EXPECT(irqs >= n);
}

static void t_timer(void)
{
	irqs = 0;
	arch_local_irq_enable();
	native_apic_mem_write(APIC_LVT_TIMER, MIDDLE);
	native_apic_mem_write(APIC_COUNT, APIC_TICKS);
	wait_irqs(1);
	EXPECT_EQ(native_apic_mem_read(APIC_NOW), 0);
	native_apic_mem_write(APIC_LVT_TIMER, MIDDLE | LVT_PERIODIC);
	native_apic_mem_write(APIC_COUNT, APIC_TICKS);
	wait_irqs(4);
	native_apic_mem_write(APIC_LVT_TIMER, MIDDLE | LVT_PERIODIC | LVT_MASKED);
	arch_local_irq_disable();
	irqs = 0;
	arch_local_irq_enable();
	delay_us(1000);
	EXPECT_EQ(irqs, 0);
	arch_local_irq_disable();
	native_apic_mem_write(APIC_COUNT, 0);
}

/* Interrupts all the time, while the flag goes up and down everywhere. */
static void t_storm(void)
{
	struct trap_frame user = context(user_stub(stub_spin), true);
	u32 i, before;

	irqs = 0;
	native_apic_mem_write(APIC_LVT_TIMER, MIDDLE | LVT_PERIODIC);
	native_apic_mem_write(APIC_COUNT, STORM_TICKS);
	user.eflags |= EFLAGS_IF;
	user.ecx = 200;
	for (i = 0; irqs < STORM && i < 10000000; i++) {
		before = irqs;
		EXPECT(!enabled());
		EXPECT_EQ(before, irqs);
		arch_local_irq_enable();
		set_interrupt_mask(EFLAGS_IF | 2);
		arch_local_irq_disable();
		launch(&user);
		EXPECT_EQ(landed.ecx, 0);
		EXPECT_EQ(landed.vector, TRAP_VECTOR);
	}
	EXPECT(irqs >= STORM);
	native_apic_mem_write(APIC_LVT_TIMER, LVT_MASKED);
	native_apic_mem_write(APIC_COUNT, 0);
	arch_local_irq_enable();
	arch_local_irq_disable();
}

/* The same with returns that fault, whenever the interrupt comes: as at the IRET. */
static void t_storm_of_faults(void)
{
	struct trap_frame bad = context(user_stub(stub_end), true);
	u32 i;

	irqs = 0;
	native_apic_mem_write(APIC_LVT_TIMER, MIDDLE | LVT_PERIODIC);
	native_apic_mem_write(APIC_COUNT, STORM_TICKS);
	bad.eflags |= EFLAGS_IF;
	bad.cs = KERNEL_DS | 3;
	for (i = 0; irqs < STORM && i < 1000000; i++) {
		launch(&bad);
		EXPECT_EQ(landed.vector, 13);
		EXPECT_EQ(landed.error, KERNEL_DS);
		EXPECT_EQ(landed.esp, (u32)launched_segments - 20);
		arch_local_irq_enable();
		asm volatile("nop; pause");
		arch_local_irq_disable();
	}
	EXPECT(irqs >= STORM);
	native_apic_mem_write(APIC_LVT_TIMER, LVT_MASKED);
	native_apic_mem_write(APIC_COUNT, 0);
	arch_local_irq_enable();
	arch_local_irq_disable();
}

static void ioapic_write(u32 reg, u32 value)
{
	write32(IOAPIC, reg);
	write32(IOAPIC + 0x10, value);
}

/* The line goes down before the EOI, or it would come again. */
static void lower_line(u32 vector)
{
	if (vector == LEVEL)
		pit_oneshot(0);
}

static void t_level(void)
{
	u32 round;

	handler = lower_line;
	irqs = 0;
	ioapic_write(IOAPIC_PIT + 1, native_apic_mem_read(0x20));
	ioapic_write(IOAPIC_PIT, LEVEL | IOAPIC_LEVEL);
	for (round = 1; round < 4; round++) {
		pit_oneshot(100);
		arch_local_irq_enable();
		wait_irqs(round);
		settle();
		arch_local_irq_disable();
		EXPECT_EQ(irqs, round);
	}
	ioapic_write(IOAPIC_PIT, LEVEL | IOAPIC_MASKED);
	handler = NULL;
}

/* A device that does not stop: each EOI brings the next one. */
static void lower_at_last(u32 vector)
{
	if (vector == LEVEL && irqs == STORM)
		pit_oneshot(0);
}

static void t_level_flood(void)
{
	handler = lower_at_last;
	irqs = 0;
	ioapic_write(IOAPIC_PIT + 1, native_apic_mem_read(0x20));
	ioapic_write(IOAPIC_PIT, LEVEL | IOAPIC_LEVEL);
	pit_oneshot(100);
	arch_local_irq_enable();
	wait_irqs(STORM);
	settle();
	arch_local_irq_disable();
	EXPECT_EQ(irqs, STORM);
	ioapic_write(IOAPIC_PIT, LEVEL | IOAPIC_MASKED);
	handler = NULL;
}

/*
 * No clock of ours: the ROM says so.  In ring 1 some of these are among the calls that
 * kvm-vmi adds, all of them or none.
 */
static void t_time_calls(void)
{
	u32 op, added = ring ? relocs[VMI_OP_SEND_IPI_MASK].type : VMI_RELOC_NONE;

	for (op = VMI_OP_GET_CYCLE_FREQUENCY; op <= VMI_OP_WALLCLOCK_UPDATED; op++)
		EXPECT_EQ(relocs[op].type,
			  op == VMI_OP_GET_CYCLE_COUNTER ? added : VMI_RELOC_NONE);
	EXPECT_EQ(relocs[VMI_OP_GET_TSC_FREQUENCY].type, added);
}

static const struct test tests[] = {
	{ "flag calls", t_flag },
	{ "CLI and STI", t_flag_native },
	{ "pending", t_pending },
	{ "PIC", t_pic },
	{ "Halt", t_halt },
	{ "IRET", t_iret },
	{ "IRET refused", t_iret_refused },
	{ "SYSEXIT", t_sysexit },
	{ "gates", t_gates },
	{ "exceptions", t_exceptions },
	{ "APIC registers", t_registers },
	{ "priority", t_priority },
	{ "nested", t_nested },
	{ "APIC timer", t_timer },
	{ "level-triggered", t_level },
	{ "level-triggered flood", t_level_flood },
	{ "many", t_storm },
	{ "storm of returns that fault", t_storm_of_faults },
	{ "timer calls", t_time_calls },
	{ }
};

const struct suite suites[] = {
	{ "interrupts", prepare, tests },
	{ }
};
