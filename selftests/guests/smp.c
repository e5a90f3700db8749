// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other processors: how they start, how they sleep and are woken, and what
 * they see of page tables that another one changed.  Boots with any number.
 * With "bad=N" the second one gets a state that cannot be, which ends the guest.
 */
#include "layer.h"
#include "paging.h"

#define CPUS_MAX	64
#define AP_STACK	4096
#define ROUNDS		2000
#define PATIENCE	20000000

#define APIC_TPR	0x80
#define APIC_EOI	0xb0
#define APIC_SVR	0xf0
#define APIC_ICR	0x300
#define APIC_ICR2	0x310
#define ICR_OTHERS	0xc0000
#define NMI_VECTOR	2
#define GP_VECTOR	13
#define ICR_NMI		0x4400
#define ICR_INIT	0x4500
#define SVR_ON		0x1ff
#define JOB		0x41
#define LEVEL		0x61

#define IOAPIC		0xfec00000
#define IOAPIC_PIT	(0x10 + 2 * 2)	/* redirection: PIT is at pin 2 */
#define IOAPIC_LEVEL	0x8000
#define IOAPIC_MASKED	0x10000

#define WINDOW		0x50000000

struct pushed {
	u32	edi, esi, ebp, esp, ebx, edx, ecx, eax;
};

static struct cpu {
	struct vmi_ap_state state;
	struct pushed arrived;
	void (*volatile job)(u32 cpu);
	volatile u32 up, done, irqs, result;
	u8 stack[AP_STACK] __aligned(16);
} cpus[CPUS_MAX];

/* Where the state sends a processor: all its registers are an argument. */
asm("ap_entry: pushal; push %esp; call ap_arrived");
extern char ap_entry[];
void __noreturn ap_arrived(const struct pushed *regs);

static u32 frame[2];

static u32 this_cpu(void)
{
	return native_apic_mem_read(0x20) >> 24;
}

static volatile u32 levels;

static void ioapic_write(u32 reg, u32 value)
{
	write32(IOAPIC, reg);
	write32(IOAPIC + 0x10, value);
}

/* Interrupts open, and in their handler until INIT. */
static void job_open(u32 cpu)
{
	(void)cpu;
	for (;;)
		vmi_safe_halt();
}

static bool take_irq(struct trap_frame *trap)
{
	if (trap->vector == NMI_VECTOR)
		return true;
	if (trap->vector == LEVEL) {
		levels++;
		for (;;)
			asm volatile("pause");
	}
	if (trap->vector != JOB)
		return false;
	cpus[this_cpu()].irqs++;
	native_apic_mem_write(APIC_EOI, 0);
	return true;
}

/* A processor's life: sleep, work, sleep. */
static void __noreturn serve(u32 cpu)
{
	struct cpu *c = &cpus[cpu];

	native_apic_mem_write(APIC_SVR, SVR_ON);
	c->up = 1;
	for (;;) {
		while (!c->job) {
			vmi_safe_halt();
			arch_local_irq_disable();
		}
		c->job(cpu);
		c->job = NULL;
		c->done++;
	}
}

void ap_arrived(const struct pushed *regs)
{
	struct cpu *c = &cpus[this_cpu()];

	c->arrived = *regs;
	serve(c - cpus);
}

/* Natively a processor comes from real mode and has to find its way. */
void ap_main(unsigned int number)
{
	struct cpu *c = &cpus[this_cpu()];

	(void)number;
	__write_cr4(c->state.cr4);
	write_cr3(c->state.cr3);
	write_cr0(c->state.cr0);
	set_idt(&(struct descriptor_pointer) { c->state.idtr_limit, c->state.idtr_base });
	serve(c - cpus);
}

static void send(u32 cpu, u32 vector)
{
	native_apic_mem_write(APIC_ICR2, cpu << 24);
	native_apic_mem_write(APIC_ICR, vector);
}

static bool wait_for(const volatile u32 *word, u32 value)
{
	u32 i;

	for (i = 0; i < PATIENCE && *word != value; i++)
		asm volatile("pause");
	return *word == value;
}

static void run_on(u32 cpu, void (*job)(u32 cpu))
{
	struct cpu *c = &cpus[cpu];
	u32 before = c->done;

	c->job = job;
	send(cpu, JOB);
	EXPECT(wait_for(&c->done, before + 1));
}

static void expect_seen(u32 cpu, void (*job)(u32 cpu), u32 value)
{
	run_on(cpu, job);
	EXPECT_EQ(cpus[cpu].result, value);
}

static u32 nr_cpus(void)
{
	u32 n = 1;

	while (n < CPUS_MAX && cpus[n].up)
		n++;
	return n;
}

static void spoil(struct vmi_ap_state *state, u32 how)
{
	switch (how) {
	case 1:
		state->cr0 &= ~CR0_PG;
		break;
	case 2:
		state->cr0 &= ~1u;
		break;
	case 3:
		state->cr4 |= 1u << 31;
		break;
	case 4:
		state->efer = ~0ull;
		break;
	case 5:
		state->gdtr_base = WINDOW;	/* nothing is there */
		break;
	case 6:
		state->cs = 0;
		break;
	case 7:
		state->ss = USER_DS;
		break;
	case 8:
		state->cr3 = 0xfffff000;	/* nor there */
		break;
	}
}

static void prepare_ap(u32 cpu)
{
	struct vmi_ap_state *state = &cpus[cpu].state;
	struct descriptor_pointer idt;

	get_idt(&idt);
	*state = (struct vmi_ap_state) {
		.cr0 = read_cr0(), .cr3 = __read_cr3(), .cr4 = __read_cr4(),
		.eip = (u32)ap_entry, .eflags = 2,
		.eax = 0xa0 + cpu, .ebx = 0xb0 + cpu, .ecx = 0xc0 + cpu, .edx = 0xd0 + cpu,
		.esi = 0x50 + cpu, .edi = 0x60 + cpu, .ebp = 0x70 + cpu,
		.esp = (u32)cpus[cpu].stack + AP_STACK,
		.cs = KERNEL_CS, .ss = KERNEL_DS, .ds = KERNEL_DS, .es = KERNEL_DS,
		.gdtr_limit = gdt_pointer.limit, .gdtr_base = gdt_pointer.base,
		.idtr_limit = idt.limit, .idtr_base = idt.base,
	};
	if (cpu == 1)
		spoil(state, cmdline_number(guest_cmdline, "bad", 0));
	if (vmi_patched(VMI_OP_SET_INITIAL_AP_STATE))
		vmi_call2(SET_INITIAL_AP_STATE, (u32)state, cpu);
}

static void t_start(void)
{
	u32 cpu, want = cmdline_number(guest_cmdline, "cpus", 1);

	on_trap = take_irq;
	native_apic_mem_write(APIC_SVR, SVR_ON);
	for (cpu = 1; cpu < CPUS_MAX; cpu++)
		prepare_ap(cpu);
	ap_start_all();
	for (cpu = 1; cpu < want && cpu < CPUS_MAX; cpu++)
		EXPECT(wait_for(&cpus[cpu].up, 1));
	EXPECT_EQ(nr_cpus(), want);
}

/* The state is the host's promise; natively there is none. */
static void t_state(void)
{
	u32 cpu;

	if (!ring) {
		SKIP("processors start in real mode");
		return;
	}
	for (cpu = 1; cpu < nr_cpus(); cpu++) {
		const struct vmi_ap_state *state = &cpus[cpu].state;
		const struct pushed *regs = &cpus[cpu].arrived;

		EXPECT(regs->eax == state->eax && regs->ebx == state->ebx);
		EXPECT(regs->ecx == state->ecx && regs->edx == state->edx);
		EXPECT(regs->esi == state->esi && regs->edi == state->edi);
		EXPECT(regs->ebp == state->ebp && regs->esp == state->esp);
	}
}

static void job_look(u32 cpu)
{
	const struct vmi_ap_state *state = &cpus[cpu].state;
	struct descriptor_pointer pointer;
	u32 cs;

	asm("mov %%cs, %0" : "=r" (cs));
	get_idt(&pointer);
	cpus[cpu].result = (cs & 3) == ring && read_cr0() == state->cr0 &&
		__read_cr3() == state->cr3 && __read_cr4() == state->cr4 &&
		pointer.base == state->idtr_base && pointer.limit == state->idtr_limit &&
		!(arch_local_save_flags() & 0x200);
}

static void t_registers(void)
{
	u32 cpu;

	for (cpu = 1; cpu < nr_cpus(); cpu++) {
		run_on(cpu, job_look);
		EXPECT_EQ(cpus[cpu].result, 1);
	}
}

static void job_nothing(u32 cpu)
{
	(void)cpu;
}

/* Each sleeps, is woken, and sleeps again: none is lost. */
static void t_wake(void)
{
	u32 cpu, round, before;

	for (cpu = 1; cpu < nr_cpus(); cpu++) {
		before = cpus[cpu].irqs;
		for (round = 0; round < 100; round++)
			run_on(cpu, job_nothing);
		wait_for(&cpus[cpu].irqs, before + round);
		EXPECT(cpus[cpu].irqs - before <= 100 && cpus[cpu].irqs != before);
	}
}

static void t_broadcast(void)
{
	u32 cpu, before[CPUS_MAX];

	for (cpu = 0; cpu < CPUS_MAX; cpu++)
		before[cpu] = cpus[cpu].irqs;
	native_apic_mem_write(APIC_ICR, ICR_OTHERS | JOB);
	for (cpu = 1; cpu < nr_cpus(); cpu++)
		EXPECT(wait_for(&cpus[cpu].irqs, before[cpu] + 1));
	EXPECT_EQ(cpus[0].irqs, before[0]);
}

/* Those of the mask get it, and no other. */
static void t_mask(void)
{
	u32 cpu, before[CPUS_MAX], n = nr_cpus();
	u64 mask = 0xaaaaaaaaaaaaaaaa;

	if (!ring || !vmi_patched(VMI_OP_SEND_IPI_MASK)) {
		SKIP("no SendIPIMask of a host");
		return;
	}
	for (cpu = 0; cpu < n; cpu++)
		before[cpu] = cpus[cpu].irqs;
	if (n < CPUS_MAX)
		mask &= (1ull << n) - 1;
	EXPECT_EQ((u32)vmi_call4(SEND_IPI_MASK, 0, (u32)mask, mask >> 32, JOB), 0);
	for (cpu = 1; cpu < n; cpu += 2)
		EXPECT(wait_for(&cpus[cpu].irqs, before[cpu] + 1));
	for (cpu = 0; cpu < n; cpu += 2)
		EXPECT_EQ(cpus[cpu].irqs, before[cpu]);
	/* The APIC is to send what starts a processor, or what has a destination of its own. */
	EXPECT((u32)vmi_call4(SEND_IPI_MASK, 0, 2, 0, ICR_INIT));
	EXPECT((u32)vmi_call4(SEND_IPI_MASK, 0, 2, 0, ICR_OTHERS | JOB));
	EXPECT_EQ(nr_cpus(), n);
}

static volatile u32 busy, enough;

static void job_count(u32 cpu)
{
	(void)cpu;
	while (!enough)
		busy++;
}

/*
 * With "preempted=1" there is one processor below: while this one runs another one
 * does not.  Whether that runs next is a scheduler's to say: its host has counters.
 */
static void t_yield(void)
{
	u32 round, before = cpus[1].done;

	if (!vmi_patched(VMI_OP_YIELD_TO) || nr_cpus() < 2) {
		SKIP("no YieldTo");
		return;
	}
	EXPECT_EQ((u32)vmi_call1(CPU_PREEMPTED, 0), 0);
	busy = 0;
	enough = 0;
	cpus[1].job = job_count;
	send(1, JOB);
	while (!busy)
		asm volatile("pause");
	for (round = 0; round < 100; round++) {
		if (cmdline_number(guest_cmdline, "preempted", 0))
			EXPECT_EQ((u32)vmi_call1(CPU_PREEMPTED, 1), 1);
		vmi_call1(YIELD_TO, 1);
	}
	enough = 1;
	EXPECT(wait_for(&cpus[1].done, before + 1));
}

static void job_syscall(u32 cpu)
{
	struct trap_frame user = context(user_stub(stub_end), true);

	update_kernel_stack(KERNEL_DS, TRAP_STACK_TOP);
	launch(&user);
	cpus[cpu].result = landed.vector;
}

/* A gate that one changes is changed for all, however they know where it leads. */
static void t_gate(void)
{
	if (!ring || nr_cpus() < 2) {
		SKIP("the task state is one processor's");
		return;
	}
	expect_seen(1, job_syscall, TRAP_VECTOR);
	expect_seen(1, job_syscall, TRAP_VECTOR);
	set_idt_gate(TRAP_VECTOR, GATE_KERNEL);
	expect_seen(1, job_syscall, GP_VECTOR);
	set_idt_gate(TRAP_VECTOR, GATE_USER);
	expect_seen(1, job_syscall, TRAP_VECTOR);
}

/* INIT and startup once more: whatever a processor did to its local APIC. */
static void job_deaf(u32 cpu)
{
	(void)cpu;
	native_apic_mem_write(APIC_TPR, 0xff);
}

static void job_priority(u32 cpu)
{
	cpus[cpu].result = native_apic_mem_read(APIC_TPR);
}

static void t_again(void)
{
	u32 cpu, n = nr_cpus();

	for (cpu = 1; cpu < n; cpu++) {
		run_on(cpu, job_deaf);
		cpus[cpu].up = 0;
	}
	ap_start_all();
	for (cpu = 1; cpu < n; cpu++) {
		EXPECT(wait_for(&cpus[cpu].up, 1));
		cpus[cpu].result = 1;
		run_on(cpu, job_priority);
		EXPECT_EQ(cpus[cpu].result, 0);
	}
}

/* An interrupt in service at INIT keeps none of lower priority away afterwards. */
static void t_in_service(void)
{
	if (nr_cpus() < 2)
		return;
	ioapic_write(IOAPIC_PIT + 1, 1 << 24);
	ioapic_write(IOAPIC_PIT, LEVEL | IOAPIC_LEVEL);
	levels = 0;
	cpus[1].job = job_open;
	pit_oneshot(100);
	EXPECT(wait_for(&levels, 1));
	ioapic_write(IOAPIC_PIT, LEVEL | IOAPIC_MASKED);	/* before it fires again */
	cpus[1].job = NULL;
	cpus[1].up = 0;
	ap_start_all();
	EXPECT(wait_for(&cpus[1].up, 1));
	run_on(1, job_nothing);
}

/* INIT finds a processor at work, and startup finds it parked. */
static void job_spin(u32 cpu)
{
	for (cpus[cpu].result = 1;;)
		asm volatile("pause");
}

static void t_at_work(void)
{
	u32 i;

	if (nr_cpus() < 2)
		return;
	cpus[1].result = 0;
	cpus[1].job = job_spin;
	send(1, JOB);
	EXPECT(wait_for(&cpus[1].result, 1));
	native_apic_mem_write(APIC_ICR2, 1 << 24);
	native_apic_mem_write(APIC_ICR, ICR_INIT);
	for (i = 0; i < 20000; i++)		/* some milliseconds */
		vmi_io_delay();
	cpus[1].job = NULL;
	cpus[1].up = 0;
	ap_start_all();
	EXPECT(wait_for(&cpus[1].up, 1));
	run_on(1, job_nothing);
}

/* HLT with interrupts off, which an NMI ends. */
static void halt_closed(void)
{
	arch_local_irq_disable();
	asm volatile("hlt" : : : "memory");
}

static volatile u32 awake;

/* Woken, it wakes who has woken it and perhaps does not sleep yet: again and again. */
static void job_wake_back(u32 cpu)
{
	u32 i;

	cpus[cpu].result = 1;
	halt_closed();
	while (!awake) {
		send(0, ICR_NMI);
		for (i = 0; i < 200; i++)
			vmi_io_delay();
	}
}

/* One NMI under way is all that there is to wake any of two processors. */
static void t_both_halt(void)
{
	u32 round, i, before;

	for (round = 0; round < 20 && nr_cpus() > 1; round++) {
		awake = 0;
		before = cpus[1].done;
		cpus[1].result = 0;
		cpus[1].job = job_wake_back;
		send(1, JOB);
		EXPECT(wait_for(&cpus[1].result, 1));
		for (i = 0; i < 5000; i++)	/* until it halts */
			vmi_io_delay();
		send(1, ICR_NMI);
		halt_closed();
		awake = 1;
		EXPECT(wait_for(&cpus[1].done, before + 1));
	}
}

/* Page tables */

static void *entry(u32 cpu)
{
	return entry_of(space, WINDOW + cpu * PAGE_SIZE, 0);
}

static void job_read(u32 cpu)
{
	cpus[cpu].result = read32(WINDOW);
}

static void job_inval(u32 cpu)
{
	inval_page(WINDOW);
	job_read(cpu);
}

static void job_flush(u32 cpu)
{
	flush_tlb();
	job_read(cpu);
}

static void job_change(u32 cpu)
{
	entry_set(space, entry(0), frame[cpu & 1] | PTE_RIGHTS, VMI_PAGE_PT);
	flush_tlb();
}

/* Who flushes sees what another processor changed before. */
static void t_remote(void)
{
	u32 cpu, round;

	for (cpu = 1; cpu < nr_cpus(); cpu++) {
		entry_set(space, entry(0), frame[0] | PTE_RIGHTS, VMI_PAGE_PT);
		expect_seen(cpu, job_flush, 'A');
		for (round = 1; round < 20; round++) {
			entry_set(space, entry(0), frame[round & 1] | PTE_RIGHTS, VMI_PAGE_PT);
			expect_seen(cpu, round & 2 ? job_flush : job_inval, 'A' + (round & 1));
		}
		run_on(cpu, job_change);
		inval_page(WINDOW);
		EXPECT_EQ(read32(WINDOW), 'A' + (cpu & 1));
	}
}

/* All at once, in the same page table. */
static void job_toggle(u32 cpu)
{
	u32 at = WINDOW + cpu * PAGE_SIZE, round, wrong = 0;

	for (round = 0; round < ROUNDS; round++) {
		entry_set(space, entry(cpu), frame[round & 1] | PTE_RIGHTS, VMI_PAGE_PT);
		if (round & 2)
			inval_page(at);
		else
			flush_tlb();
		wrong += read32(at) != 'A' + (round & 1);
	}
	cpus[cpu].result = wrong;
}

static void t_together(void)
{
	u32 cpu, before[CPUS_MAX], n = nr_cpus();

	for (cpu = 1; cpu < n; cpu++) {
		before[cpu] = cpus[cpu].done;
		cpus[cpu].job = job_toggle;
		send(cpu, JOB);
	}
	job_toggle(0);
	EXPECT_EQ(cpus[0].result, 0);
	for (cpu = 1; cpu < n; cpu++) {
		EXPECT(wait_for(&cpus[cpu].done, before[cpu] + 1));
		EXPECT_EQ(cpus[cpu].result, 0);
	}
}

/* A processor that halts is told nothing, and yet reads what was changed. */
static void t_flush_later(void)
{
	u32 cpu, round, i, later;

	if (!ring || !vmi_patched(VMI_OP_FLUSH_LATER)) {
		SKIP("no FlushLater of a host");
		return;
	}
	for (cpu = 1; cpu < nr_cpus(); cpu++) {
		entry_set(space, entry(0), frame[0] | PTE_RIGHTS, VMI_PAGE_PT);
		expect_seen(cpu, job_flush, 'A');
		for (round = 1; round < 20; round++) {
			entry_set(space, entry(0), frame[round & 1] | PTE_RIGHTS, VMI_PAGE_PT);
			for (i = 0, later = 0; i < PATIENCE / 1000 && !later; i++)
				later = vmi_call1(FLUSH_LATER, cpu);
			EXPECT_EQ(later, 1);
			expect_seen(cpu, job_read, 'A' + (round & 1));
		}
	}
	flush_tlb();
	EXPECT_EQ((u32)vmi_call1(FLUSH_LATER, 0), 0);		/* it runs */
}

/* Locks */

static volatile u8 lock_byte;

/* With interrupts off, as who waits for a lock has them. */
static void job_wait(u32 cpu)
{
	u32 waits = 0;

	arch_local_irq_disable();
	cpus[cpu].result = 1;
	while (lock_byte == cpu) {
		vmi_call2(SPIN_WAIT, (u32)&lock_byte, cpu);
		waits++;
	}
	cpus[cpu].result = waits;
}

/* Who waits does not run meanwhile. */
static void t_spin_wait(void)
{
	u32 cpu, i, before;

	if (!ring || !vmi_patched(VMI_OP_SPIN_WAIT)) {
		SKIP("no SpinWait of a host");
		return;
	}
	for (cpu = 1; cpu < nr_cpus(); cpu++) {
		lock_byte = cpu;
		before = cpus[cpu].done;
		cpus[cpu].result = 0;
		cpus[cpu].job = job_wait;
		send(cpu, JOB);
		EXPECT(wait_for(&cpus[cpu].result, 1));
		for (i = 0; i < 5000; i++)
			vmi_io_delay();
		lock_byte = 0;
		vmi_call1(SPIN_KICK, cpu);
		EXPECT(wait_for(&cpus[cpu].done, before + 1));
		EXPECT(cpus[cpu].result <= 2);		/* a kick may be seen twice */
	}
}

static void job_hand_over(u32 cpu)
{
	u32 round;

	arch_local_irq_disable();
	for (round = 0; round < ROUNDS; round++) {
		while (lock_byte != cpu)
			vmi_call2(SPIN_WAIT, (u32)&lock_byte, !cpu);
		lock_byte = !cpu;
		vmi_call1(SPIN_KICK, !cpu);
	}
}

/* Two take turns, and either may be about to wait when the other kicks: none is lost. */
static void t_spin_kick(void)
{
	u32 before = cpus[1].done;

	if (!vmi_patched(VMI_OP_SPIN_WAIT) || nr_cpus() < 2)
		return;
	lock_byte = 0;
	cpus[1].job = job_hand_over;
	send(1, JOB);
	job_hand_over(0);
	EXPECT(wait_for(&cpus[1].done, before + 1));
}

static void prepare(void)
{
	frame[0] = (u32)page_alloc();
	frame[1] = (u32)page_alloc();
	write32(frame[0], 'A');
	write32(frame[1], 'B');
	entry(0);
}

static const struct test tests[] = {
	{ "SetInitialAPState", t_start },
	{ "initial registers", t_state },
	{ "control registers", t_registers },
	{ "Halt and wake", t_wake },
	{ "broadcast", t_broadcast },
	{ "SendIPIMask", t_mask },
	{ "CpuPreempted, YieldTo", t_yield },
	{ "remote change", t_remote },
	{ "changes together", t_together },
	{ "FlushLater", t_flush_later },
	{ "SpinWait", t_spin_wait },
	{ "SpinKick", t_spin_kick },
	{ "a gate for all", t_gate },
	{ "INIT, startup again", t_again },
	{ "INIT while in service", t_in_service },
	{ "INIT while at work", t_at_work },
	{ "NMI to a halted one, then halt", t_both_halt },
	{ }
};

const struct suite suites[] = {
	{ "processors", prepare, tests },
	{ }
};
