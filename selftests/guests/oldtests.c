// SPDX-License-Identifier: GPL-2.0-only
/* What oldkernel tests, one function each; oldkernel.h describes it. */
#include "oldkernel.h"

#define APIC_ID		0x20
#define APIC_VERSION	0x30
#define APIC_TPR	0x80
#define APIC_EOI	0xb0
#define APIC_SVR	0xf0
#define APIC_ISR	0x100
#define APIC_ICR	0x300
#define APIC_ICR2	0x310
#define APIC_LVTT	0x320
#define APIC_TMICT	0x380
#define SVR_ON		0x1ff
#define ICR_SELF	0x40000
#define ICR_INIT_ON	0xc500
#define ICR_INIT_OFF	0x8500
#define ICR_STARTUP	0x600

#define PIC_TIMER	0x20	/* vectors */
#define IPI		0x29
#define ALARM		0x2a
#define PIC_ALL_BUT_0	0xfffe

#define EFLAGS_FIXED	0x002
#define EFLAGS_TF	0x100
#define EFLAGS_IF	0x200
#define PTE_GLOBAL	0x163	/* present, writable, accessed, dirty, global */
#define FRAME_A		0x800000u
#define FRAME_B		0x801000u
#define X_DB		1
#define X_NP		11
#define X_GP		13
#define SEG_CODE32	0x0040fb00	/* ring 3, limit in bytes */
#define SEG_P		0x8000
#define MSR_SYSENTER_CS	0x174

/* Traps: those of a context that was launched end it. */
static bool launched;
static struct trap_frame landed;
static volatile u32 irqs[OTHER_VECTOR];
static u64 irq_at;
static u32 cr4_loads, cr3_loads;

/* EAX and ECX of what is launched by IRET. */
const u32 old_marks[2] = { 0x0a0b0c0d, 0xc0c1c2c3 };

static void step(const struct trap_frame *frame)
{
	const u8 *insn = (const u8 *)frame->eip;

	if (insn[0] != 0x0f || insn[1] != 0x22)		/* MOV to CR */
		return;
	cr4_loads += (insn[2] >> 3 & 7) == 4;
	cr3_loads += (insn[2] >> 3 & 7) == 3;
}

bool old_trap(const struct trap_frame *frame)
{
	if (frame->vector == X_DB && !launched) {
		step(frame);
		return true;
	}
	if (frame->vector >= PIC_TIMER && frame->vector < OTHER_VECTOR) {
		irqs[frame->vector]++;
		if (ops.get_cycle_counter)
			irq_at = ops.get_cycle_counter(VMI_CYCLES_REAL);
		if (frame->vector == PIC_TIMER)
			pic_eoi();
		else
			apic_write(APIC_EOI, 0);
		return true;
	}
	if (!launched)
		return false;
	launched = false;
	landed = *frame;
	old_land();
}

static void count_irqs(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(irqs); i++)
		irqs[i] = 0;
}

/* The local APIC */

static void t_apic(const char *cmdline)
{
	u32 i;

	(void)cmdline;
	EXPECT_EQ(apic_read(APIC_VERSION), read32(FIX_APIC + APIC_VERSION));
	EXPECT(apic_read(APIC_VERSION));
	EXPECT_EQ(apic_read(APIC_ID), read32(FIX_APIC + APIC_ID));
	apic_write(APIC_TPR, 0x20);
	EXPECT_EQ(read32(FIX_APIC + APIC_TPR), 0x20);
	EXPECT_EQ(apic_read(APIC_TPR), 0x20);
	apic_write(APIC_TPR, 0);
	EXPECT_EQ(read32(FIX_APIC + APIC_TPR), 0);

	/* The same by linear addresses, as kernels of today say it. */
	if (ops.apic_read)
		EXPECT_EQ(ops.apic_read(FIX_APIC + APIC_VERSION), apic_read(APIC_VERSION));
	if (ops.apic_write) {
		ops.apic_write(FIX_APIC + APIC_TPR, 0x10);
		EXPECT_EQ(apic_read(APIC_TPR), 0x10);
		ops.apic_write(FIX_APIC + APIC_TPR, 0);
	}

	apic_write(APIC_SVR, SVR_ON);
	count_irqs();
	for (i = 1; i <= 10; i++) {
		apic_write(APIC_ICR, ICR_SELF | IPI);
		irq_enable();
		delay_us(20);
		irq_disable();
		EXPECT_EQ(irqs[IPI], i);
	}
	EXPECT(!(apic_read(APIC_ISR + IPI / 32 * 16) & 1 << IPI % 32));
}

static void t_halt(const char *cmdline)
{
	(void)cmdline;
	count_irqs();
	apic_write(APIC_LVTT, ALARM);
	apic_write(APIC_TMICT, 100000);
	if (ops.halt)
		ops.halt();
	else
		asm volatile("sti; hlt");
	irq_disable();
	EXPECT_EQ(irqs[ALARM], 1);
}

/* Memory */

static void flush(u32 what)
{
	u32 cr4;

	if (ops.flush_tlb) {
		ops.flush_tlb(what);
	} else {
		cr4 = READ_CR(4);
		WRITE_CR(4, cr4 ^ CR4_PGE);
		WRITE_CR(4, cr4);
	}
}

static void t_flush(const char *cmdline)
{
	static const u32 what[] = {
		VMI_FLUSH_TLB, VMI_FLUSH_GLOBAL, VMI_FLUSH_TLB | VMI_FLUSH_GLOBAL,
	};
	u32 i, bits, *entry = victim_entry();

	(void)cmdline;
	write32(FRAME_A, 'A');
	write32(FRAME_B, 'B');
	for (i = 0; i < ARRAY_SIZE(what); i++) {
		bits = what[i] & VMI_FLUSH_GLOBAL ? PTE_GLOBAL : PTE_GLOBAL & ~0x100u;
		set_entry(entry, FRAME_A | bits, VMI_PAGE_PT);
		flush(what[i]);
		EXPECT_EQ(read32(VICTIM), 'A');
		set_entry(entry, FRAME_B | bits, VMI_PAGE_PT);
		flush(what[i]);
		EXPECT_EQ(read32(VICTIM), 'B');
		set_entry(entry, 0, VMI_PAGE_PT);
		flush(what[i]);
	}
	release_victim();
	flush(VMI_FLUSH_TLB | VMI_FLUSH_GLOBAL);
}

/*
 * Emulation has no TLB in which a global entry could stay.  So look what the
 * routine does, step by step, where it does it itself: CR4 for global ones.
 */
static void t_flush_insns(const char *cmdline)
{
	u32 what;

	(void)cmdline;
	if (ring || !ops.flush_tlb) {
		SKIP(ring ? "not in this ring" : "the kernel's own instruction");
		return;
	}
	for (what = 1; what <= 3; what++) {
		cr3_loads = 0;
		cr4_loads = 0;
		asm volatile("pushf; orl %2, (%%esp); popf; call *%1; "
			     "pushf; andl %3, (%%esp); popf"
			     : "+a" ((u32){ what })
			     : "S" (ops.flush_tlb), "i" (EFLAGS_TF), "i" (~EFLAGS_TF)
			     : "ecx", "edx", "cc", "memory");
		EXPECT_EQ(cr4_loads, what & VMI_FLUSH_GLOBAL ? 2 : 0);
		EXPECT_EQ(cr3_loads, what & VMI_FLUSH_GLOBAL ? 0 : 1);
	}
}

/* The ways back to a program */

static void iret_to(u32 eip, u32 cs, u32 eflags, u32 esp, u32 ss)
{
	const u32 frame[5] = { eip, cs, eflags, esp, ss };

	launched = true;
	old_launch(frame, (const void *)old_relocs[VMI_OP_IRET].eip);
}

static void t_iret(const char *cmdline)
{
	(void)cmdline;
	iret_to((u32)old_user, USER_CS, EFLAGS_FIXED | EFLAGS_IF, 0x123450, USER_DS);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.eip, (u32)old_user + 2);
	EXPECT_EQ(landed.cs, USER_CS);
	EXPECT_EQ(landed.esp, 0x123450);
	EXPECT(landed.eflags & EFLAGS_IF);
	EXPECT_EQ(landed.eax, old_marks[0]);
	EXPECT_EQ(landed.ecx, old_marks[1]);

	/* An interrupt waits until then, and goes back the same way. */
	count_irqs();
	apic_write(APIC_ICR, ICR_SELF | IPI);
	iret_to((u32)old_user, USER_CS, EFLAGS_FIXED | EFLAGS_IF, 0x123450, USER_DS);
	EXPECT_EQ(irqs[IPI], 1);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT(landed.eflags & EFLAGS_IF);

	/* To the kernel; the two words more are the stack then. */
	iret_to((u32)old_user, KERNEL_CS | ring, EFLAGS_FIXED, 0, 0);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.cs, KERNEL_CS | ring);
	EXPECT_EQ(landed.eax, old_marks[0]);
}

/* A program's context that there cannot be: its own fault, not the kernel's. */
static void bad_iret(u32 eip, u32 cs, u32 esp, u32 ss)
{
	iret_to(eip, cs, EFLAGS_FIXED | EFLAGS_IF, esp, ss);
	EXPECT_EQ(landed.vector, X_GP);
	EXPECT_EQ(landed.cs, cs);
	EXPECT_EQ(landed.eip, eip);
	EXPECT_EQ(landed.ss, ss);
	EXPECT_EQ(landed.esp, esp);
	EXPECT(landed.eflags & EFLAGS_IF);
	EXPECT_EQ(landed.eax, old_marks[0]);
	EXPECT_EQ(landed.ecx, old_marks[1]);
}

static void write_gdt(u32 selector, u32 low, u32 high)
{
	if (ops.write_gdt_entry) {
		ops.write_gdt_entry(gdt, selector / 8, low, high);
	} else {
		((u32 *)gdt)[selector / 4] = low;
		((u32 *)gdt)[selector / 4 + 1] = high;
	}
}

static void t_bad_iret(const char *cmdline)
{
	const u32 eip = (u32)old_user, esp = 0x345678;

	(void)cmdline;
	bad_iret(eip, 0xfff3, esp, USER_DS);
	bad_iret(eip, 3, esp, USER_DS);
	bad_iret(eip, USER_DS, esp, USER_DS);
	bad_iret(eip, KERNEL_CS | 3, esp, USER_DS);
	bad_iret(eip, USER_CS, esp, 0xfff3);
	bad_iret(eip, USER_CS, esp, 3);
	bad_iret(eip, USER_CS, esp, USER_CS);
	bad_iret(eip, USER_CS, esp, KERNEL_DS);
	bad_iret(eip, USER_CS, esp, USER_DS & ~3u);

	/* In ring 1 it is the processor that looks, and an emulated one does not. */
	write_gdt(SPARE_SEL, 0x0fff, SEG_CODE32);
	if (!ring)
		bad_iret(0x1000, SPARE_SEL | 3, esp, USER_DS);
	write_gdt(SPARE_SEL, 0x0fff, SEG_CODE32 & ~SEG_P);
	bad_iret(0x10, SPARE_SEL | 3, esp, USER_DS);
	write_gdt(SPARE_SEL, 0, 0);
	t_iret(cmdline);
}

static void t_sysexit(const char *cmdline)
{
	(void)cmdline;
	asm volatile("wrmsr" : : "a" (KERNEL_CS), "d" (0), "c" (MSR_SYSENTER_CS));
	launched = true;
	old_launch_sysexit((u32)old_user, 0x123450,
			   (const void *)old_relocs[VMI_OP_SYSEXIT].eip);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.cs, USER_CS);
	EXPECT_EQ(landed.eip, (u32)old_user + 2);
	EXPECT_EQ(landed.esp, 0x123450);
	EXPECT(landed.eflags & EFLAGS_IF);
}

/* The timer */

static u64 now(u32 which)
{
	return ops.get_cycle_counter(which);
}

static u32 hz;

/* Interrupts on until @count of them came, or for @ms. */
static void wait_irqs(u32 vector, u32 count, u32 ms)
{
	u64 end = now(VMI_CYCLES_REAL) + (u64)(hz / 1000) * ms;

	irq_enable();
	while (irqs[vector] < count && now(VMI_CYCLES_REAL) < end)
		asm volatile("pause");
	irq_disable();
}

static void quiet(u32 vector)
{
	u32 before = irqs[vector];

	wait_irqs(vector, -1, 30);
	EXPECT_EQ(irqs[vector], before);
}

static void one_alarm(u32 flags, u32 vector)
{
	u64 start, wait = hz / 100;

	count_irqs();
	start = now(VMI_CYCLES_REAL);
	ops.set_alarm(flags, now(flags & VMI_ALARM_COUNTER_MASK) + wait, 0);
	wait_irqs(vector, 1, 2000);
	EXPECT_EQ(irqs[vector], 1);
	print("# 10 ms, flags %x: %u us\n", flags, (u32)(irq_at - start) / (hz / 1000000));
	EXPECT(irq_at - start >= wait);
	quiet(vector);
	EXPECT_EQ(ops.cancel_alarm(flags), 0);
}

static void periodic_alarm(u32 flags, u32 vector)
{
	u64 start, wait = hz / 200;

	count_irqs();
	flags |= VMI_ALARM_PERIODIC;
	start = now(flags & VMI_ALARM_COUNTER_MASK);
	ops.set_alarm(flags, start, wait);
	/* As a secondary processor does: first the alarm, then the vector. */
	if (flags & VMI_ALARM_LVTT)
		apic_write(APIC_LVTT, ALARM);
	start = now(VMI_CYCLES_REAL);
	wait_irqs(vector, 10, 5000);
	EXPECT_EQ(irqs[vector], 10);
	EXPECT(irq_at - start >= 9 * wait);
	EXPECT_EQ(ops.cancel_alarm(flags), 1);
	wait_irqs(vector, 11, 10);			/* what was on its way */
	quiet(vector);
}

static void cancelled_alarm(u32 flags, u32 vector)
{
	count_irqs();
	ops.set_alarm(flags, now(VMI_CYCLES_REAL) + hz / 50, 0);
	EXPECT_EQ(ops.cancel_alarm(flags), 1);
	EXPECT_EQ(ops.cancel_alarm(flags), 0);
	quiet(vector);
	ops.set_alarm(flags, now(VMI_CYCLES_REAL) - 1, 0);
	wait_irqs(vector, 1, 1000);
	EXPECT_EQ(irqs[vector], 1);
	quiet(vector);
}

static bool no_timer(void)
{
	if (ops.get_cycle_frequency)
		return false;
	SKIP("the ROM leaves the timer to the kernel");
	return true;
}

static void t_frequency(const char *cmdline)
{
	u64 start, end, tsc;
	u32 cycles;

	(void)cmdline;
	if (no_timer())
		return;
	EXPECT(!(ops.get_cycle_frequency() >> 32));
	hz = ops.get_cycle_frequency();
	print("# %u MHz\n", hz / 1000000);
	EXPECT(hz > 100000000);
	EXPECT(ops.get_wallclock());
	EXPECT_EQ(ops.wallclock_updated(), 0);

	/* It is what the kernel's delays by the TSC go by. */
	asm volatile("rdtsc" : "=A" (tsc));
	start = now(VMI_CYCLES_REAL);
	do {
		end = now(VMI_CYCLES_REAL);
	} while (end - start < hz / 10);
	cycles = end - start;
	asm volatile("rdtsc" : "=A" (end));
	print("# %u cycles, %u of the TSC\n", cycles, (u32)(end - tsc));
	EXPECT((u32)(end - tsc) >= cycles - cycles / 100);
	EXPECT((u32)(end - tsc) <= cycles + cycles / 10);
}

static void t_alarm_lvtt(const char *cmdline)
{
	(void)cmdline;
	if (no_timer())
		return;
	apic_write(APIC_LVTT, ALARM);
	one_alarm(VMI_ALARM_LVTT, ALARM);
	periodic_alarm(VMI_ALARM_LVTT, ALARM);
	one_alarm(VMI_ALARM_LVTT | VMI_CYCLES_AVAILABLE, ALARM);
	periodic_alarm(VMI_ALARM_LVTT | VMI_CYCLES_AVAILABLE, ALARM);
	cancelled_alarm(VMI_ALARM_LVTT, ALARM);
}

static void t_alarm_irq0(const char *cmdline)
{
	(void)cmdline;
	if (no_timer())
		return;
	/* Mode 5, as they stop the firmware's.  An edge of that's may have waited. */
	outb(0x43, 0x3a);
	pic_mask(PIC_ALL_BUT_0);
	wait_irqs(PIC_TIMER, -1, 2);
	one_alarm(0, PIC_TIMER);
	periodic_alarm(0, PIC_TIMER);
	cancelled_alarm(0, PIC_TIMER);

	/* From one to the other, as they do when the APIC is set up. */
	count_irqs();
	ops.set_alarm(VMI_ALARM_PERIODIC, now(0), hz / 100);
	ops.set_alarm(VMI_ALARM_PERIODIC | VMI_ALARM_LVTT, now(0), hz / 100);
	wait_irqs(ALARM, 3, 1000);
	EXPECT_EQ(irqs[ALARM], 3);
	EXPECT(irqs[PIC_TIMER] <= 1);
	EXPECT_EQ(ops.cancel_alarm(0), 1);
	wait_irqs(ALARM, 4, 10);
	quiet(ALARM);
	quiet(PIC_TIMER);
	pic_mask(0xffff);
}

/* Another processor, by what 2.6.32 fills in */

static volatile u32 ap_id;
void old_ap(void)
{
	ap_id = apic_read(APIC_ID) >> 24 | 0x100;
}

static void icr(u32 value)
{
	apic_write(APIC_ICR2, 1 << 24);
	apic_write(APIC_ICR, value);
	while (apic_read(APIC_ICR) & 0x1000)
		asm volatile("pause");
	delay_us(200);
}

static void t_ap(const char *cmdline)
{
	static u32 stack[256];
	static struct vmi_ap_state ap;
	struct descriptor_pointer idt;
	u32 i;

	if (!ring || cmdline_number(cmdline, "cpus", 1) < 2) {
		SKIP(ring ? "one processor" : "it comes up in real mode");
		return;
	}
	asm volatile("sidt %0" : "=m" (idt));
	ap.gdtr_limit = GDT_SIZE - 1;
	ap.gdtr_base = (u32)gdt;
	ap.idtr_limit = idt.limit;
	ap.idtr_base = idt.base;
	ap.cs = KERNEL_CS;
	ap.ss = KERNEL_DS;
	ap.ds = USER_DS;
	ap.es = USER_DS;
	ap.fs = KERNEL_DS;
	ap.eip = (u32)old_ap_entry;
	ap.esp = (u32)(stack + ARRAY_SIZE(stack));
	ap.cr3 = old_root;
	ap.cr0 = 0x80050023;
	ap.cr4 = READ_CR(4);
	ops.set_initial_ap_state(&ap, 1);
	icr(ICR_INIT_ON);
	icr(ICR_INIT_OFF);
	icr(ICR_STARTUP | 0x10);
	for (i = 0; i < 10000 && !ap_id; i++)
		delay_us(100);
	EXPECT_EQ(ap_id, 0x101);
}

const struct old_test old_tests[] = {
	{ "APIC registers by their offset", t_apic },
	{ "halt", t_halt },
	{ "flushes", t_flush },
	{ "flushes, by their instructions", t_flush_insns },
	{ "IRET", t_iret },
	{ "IRET to what cannot be", t_bad_iret },
	{ "SYSEXIT", t_sysexit },
	{ "frequency", t_frequency },
	{ "alarms through the local APIC", t_alarm_lvtt },
	{ "alarms as IRQ 0", t_alarm_irq0 },
	{ "another processor", t_ap },
	{ NULL, NULL },
};
