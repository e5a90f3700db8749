// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations where a call from flat ring 0 does not reach: the returns to user
 * mode with a user's segments, faults inside the ROM, translation buffers, and
 * the counts when interrupts and other processors count too.
 */
#include "romtest.h"
#include "trace.h"

#define MSR_SYSENTER_CS		0x174
#define VICTIM			0x40000000
#define FRAME_A			0x00800000
#define FRAME_B			0x00c00000

#define PIC1			0x20
#define PIC_READ_IRR		0x0a
#define PIT_CONTROL		0x43
#define PIT_PERIODIC		0x34
#define TIMER_VECTOR		0x20
#define TIMER_TICKS		12000	/* of 838 ns */
#define BDA_EBDA		0x40e	/* u16: segment */
#define BDA_MEMORY_KB		0x413	/* u16 */

#define ROUNDS			1000000

volatile u32 timer_irqs, timer_first_eip;
static void (*timer_work)(void);
static volatile u32 aps_up, aps_done, aps_go;
static u32 odd_stack[1024] __aligned(16);
static u32 user_stack[64];

/* Timer */

void timer_start(void (*work)(void))
{
	timer_irqs = 0;
	timer_work = work;
	outb(PIT_CONTROL, PIT_PERIODIC);
	outb(PIT_CONTROL - 3, TIMER_TICKS & 0xff);
	outb(PIT_CONTROL - 3, TIMER_TICKS >> 8);
	pic_mask(0xfffe);
}

void timer_wait_pending(void)
{
	do
		outb(PIC1, PIC_READ_IRR);
	while (!(inb(PIC1) & 1));
}

void timer_stop(void)
{
	pic_mask(0xffff);
}

/* romtest's trap_hook has only this to do for interrupts. */
bool timer_trap(const struct trap_frame *frame)
{
	if (frame->vector != TIMER_VECTOR)
		return false;
	if (!timer_irqs++)
		timer_first_eip = frame->eip;
	pic_eoi();
	if (timer_work)
		timer_work();
	return true;
}

/* Returns to user mode */

static void expect_registers_kept(void)
{
	const struct probe_regs *in = &probe_in, *out = &probe_out;

	EXPECT(out->eax == in->eax && out->ebx == in->ebx && out->ebp == in->ebp);
	EXPECT(out->esi == in->esi && out->edi == in->edi);
	EXPECT(out->ecx == in->ecx && out->edx == in->edx);
	EXPECT(out->ds == in->ds && out->es == in->es);
	EXPECT(out->fs == in->fs && out->gs == in->gs);
}

/* Before a return the kernel has loaded its user's segments. */
static void prepare_return(u32 nr)
{
	call_prepare(nr, 0xa1a2a3a4, 0xd5d6d7d8, 0xc5c6c7c8);
	probe_in.ds = FAR_SEL;
	probe_in.es = 0;
	probe_in.fs = FAR_SEL;
	probe_in.gs = 0;
}

static void run_counted(u32 nr)
{
	u64 before = rom_counts ? op_count(nr) : 0;

	probe_run();
	if (rom_counts)
		EXPECT(op_count(nr) == before + 1);
}

/* One IRET from a stack segment with the given selector and base. */
static void iret_from(u32 ss, u32 base, u32 cs)
{
	u32 *frame = odd_stack + ARRAY_SIZE(odd_stack) - 8;
	u32 flags = EFLAGS_FIXED | EFLAGS_ARITHMETIC | EFLAGS_DF;

	prepare_return(VMI_OP_IRET);
	frame[0] = (u32)probe_done;
	frame[1] = cs;
	frame[2] = flags;
	frame[3] = (u32)(user_stack + 32);
	frame[4] = USER_DS;
	probe_in.ss = ss;
	probe_in.esp = (u32)frame - base;
	run_counted(VMI_OP_IRET);
	expect_registers_kept();

	if (!(cs & ~3)) {		/* a selector that IRET refuses */
		EXPECT(probe_out.vector == 13);
		EXPECT(probe_out.cs == KERNEL_CS);
		EXPECT(probe_out.eip - (u32)rom->header < rom->len);
		EXPECT(*(u8 *)probe_out.eip == INSN_IRET);
		EXPECT(probe_out.ss == ss && probe_out.esp == probe_in.esp);
		EXPECT(frame[0] == (u32)probe_done && frame[1] == cs);
		EXPECT(frame[2] == flags && frame[4] == USER_DS);
		return;
	}
	EXPECT(probe_out.vector == TRAP_VECTOR);
	EXPECT(probe_out.eip == (u32)probe_done + 2 && probe_out.cs == cs);
	EXPECT(probe_out.eflags == flags);
	if (cs & 3)
		EXPECT(probe_out.ss == USER_DS && probe_out.esp == frame[3]);
	else
		EXPECT(probe_out.ss == ss && probe_out.esp == probe_in.esp + 12);
}

void t_IRET(void)
{
	static const u32 targets[] = { USER_CS, KERNEL_CS, 0 };
	u32 base = (u32)odd_stack, i;

	set_segment(ODD32_SEL, base, 0xfffff, SEG_DATA32);
	set_segment(ODD16_SEL, base, 0xffff, SEG_DATA16);
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		iret_from(KERNEL_DS, 0, targets[i]);
		iret_from(ODD32_SEL, base, targets[i]);
		iret_from(ODD16_SEL, base, targets[i]);
	}
}

/* SYSEXIT must keep the user's flags, and let interrupts in only behind it. */
void t_SYSEXIT(void)
{
	u32 flags = EFLAGS_FIXED | EFLAGS_ARITHMETIC | EFLAGS_DF;

	asm volatile("wrmsr" : : "a" (KERNEL_CS), "d" (0), "c" (MSR_SYSENTER_CS));
	prepare_return(VMI_OP_SYSEXIT);
	probe_in.edx = (u32)probe_done;
	probe_in.ecx = (u32)(user_stack + 32);
	probe_in.eflags = flags;
	run_counted(VMI_OP_SYSEXIT);
	expect_registers_kept();
	EXPECT(probe_out.vector == TRAP_VECTOR);
	EXPECT(probe_out.eip == (u32)probe_done + 2 && probe_out.cs == USER_CS);
	EXPECT(probe_out.ss == USER_DS && probe_out.esp == probe_in.ecx);
	EXPECT(probe_out.eflags == (flags | EFLAGS_IF));
}

/* Faults */

void expect_fault_at_entry(void)
{
	EXPECT(probe_out.vector == 6 || probe_out.vector == 13);
	EXPECT(probe_out.eip - (u32)rom->header < rom->len);
	EXPECT(probe_out.esp == probe_in.esp && probe_out.ss == probe_in.ss);
	EXPECT(*(u32 *)probe_out.esp == (u32)probe_done);
	EXPECT((probe_out.eflags & ~EFLAGS_RF) == probe_in.eflags);
	expect_registers_kept();
}

/* What ring 3 may not do faults there, which ring 0 does for few operands. */
static const u8 faulting[] = {
	VMI_OP_WRMSR, VMI_OP_RDMSR, VMI_OP_RDPMC, VMI_OP_SET_GDT, VMI_OP_SET_LDT,
	VMI_OP_SET_IDT, VMI_OP_SET_TR, VMI_OP_SET_CR0, VMI_OP_SET_CR2,
	VMI_OP_SET_CR3, VMI_OP_SET_CR4, VMI_OP_GET_CR0, VMI_OP_GET_CR2,
	VMI_OP_GET_CR3, VMI_OP_GET_CR4, VMI_OP_WBINVD, VMI_OP_CLTS,
	VMI_OP_ENABLE_INTERRUPTS, VMI_OP_DISABLE_INTERRUPTS, VMI_OP_HALT,
	VMI_OP_INVAL_PAGE, VMI_OP_IO_DELAY,
};

static void fault_in(u32 nr)
{
	call_prepare(nr, 0xa1a2a3a4, 0xd5d6d7d8, 0xc5c6c7c8);
	probe_in.cs = USER_CS;
	probe_in.ss = USER_DS;
	probe_in.ds = USER_DS;
	probe_in.es = USER_DS;
	probe_in.fs = FAR_SEL;
	probe_in.gs = 0;
	probe_in.eflags = EFLAGS_FIXED | EFLAGS_ARITHMETIC | EFLAGS_IF;
	run_counted(nr);
	expect_fault_at_entry();
}

/* Translation buffers */

/* TCG flushes global entries with all others: KVM tells more here. */
void expect_flushed(void (*flush)(u32 addr), bool pge, bool global)
{
	u32 bits = PDE_LARGE | (global ? PDE_GLOBAL : 0);
	u32 cr4 = CR4_PSE | (pge ? CR4_PGE : 0), before, after;

	write32(FRAME_A, 'A');
	write32(FRAME_B, 'B');
	page_dir_fill();
	page_dir[VICTIM >> LARGE_SHIFT] = FRAME_A | bits;

	WRITE_CR(4, cr4);
	WRITE_CR(3, page_dir);
	WRITE_CR(0, READ_CR(0) | CR0_PG);
	before = read32(VICTIM);
	write32((u32)&page_dir[VICTIM >> LARGE_SHIFT], FRAME_B | bits);
	flush(VICTIM);
	after = read32(VICTIM);
	EXPECT(READ_CR(3) == (u32)page_dir && READ_CR(4) == cr4);
	WRITE_CR(0, READ_CR(0) & ~CR0_PG);
	WRITE_CR(4, 0);

	EXPECT(before == 'A');
	EXPECT(after == 'B');
}

/* Counts */

static void count_one(void)
{
	asm volatile("call *%0"
		     : : "r" (rom->relocs[VMI_OP_IO_DELAY].eip)
		     : "eax", "edx", "ecx", "cc", "memory");
}

static void t_interrupts(void)
{
	u64 before = op_count(VMI_OP_IO_DELAY);
	u32 i;

	timer_start(count_one);
	asm volatile("sti");
	for (i = 0; timer_irqs < 10 && i < 100 * ROUNDS; i++)
		count_one();
	asm volatile("cli");
	timer_stop();
	EXPECT(timer_irqs >= 10);
	EXPECT(op_count(VMI_OP_IO_DELAY) == before + i + timer_irqs);
}

static void count_rounds(void)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++)
		asm volatile("call *%0"
			     : : "r" (rom->relocs[VMI_OP_UPDATE_PXE].eip)
			     : "eax", "edx", "ecx", "cc", "memory");
}

void ap_main(unsigned int cpu)
{
	u32 round = 0;

	(void)cpu;
	__atomic_add_fetch(&aps_up, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		while (aps_go == round)
			asm volatile("pause");
		round++;
		count_rounds();
		__atomic_add_fetch(&aps_done, 1, __ATOMIC_SEQ_CST);
	}
}

/* All processors count the same operation at once. */
static void t_processors(unsigned int cpus)
{
	u64 before = op_count(VMI_OP_UPDATE_PXE);
	u32 i;

	if (!aps_up)
		ap_start_all();
	for (i = 0; aps_up < cpus - 1 && i < 10000; i++)
		delay_us(1000);
	EXPECT(aps_up == cpus - 1);

	aps_done = 0;
	aps_go++;
	count_rounds();
	for (i = 0; aps_done < aps_up && i < 30000; i++)
		delay_us(1000);
	EXPECT(aps_done == cpus - 1);
	EXPECT(op_count(VMI_OP_UPDATE_PXE) == before + (u64)cpus * ROUNDS);
}

/* Where this ROM counts IODelay: between the BIOS's memory size and its data. */
static volatile u64 *find_count(void)
{
	u32 data = read16(BDA_MEMORY_KB) * 1024;
	u32 end = read16(BDA_EBDA) << 4;
	volatile u64 *count;
	u64 before;

	for (; data + TRACE_KB * 1024 <= end; data += TRACE_KB * 1024) {
		count = (volatile u64 *)(data + TRACE_COUNTS) + VMI_OP_IO_DELAY;
		before = *count;
		count_one();
		if (*count == before + 1)
			return count;
	}
	return NULL;
}

/* Nobody waits for the low half to wrap: set it to where it does. */
static void t_carry(void)
{
	volatile u64 *count = find_count();
	u64 before;

	if (!count) {
		FAIL("the counts are not in memory that the BIOS gave away");
		return;
	}
	before = *count;
	EXPECT(op_count(VMI_OP_IO_DELAY) == before);
	*count = 0xffffffff;
	count_one();
	EXPECT(op_count(VMI_OP_IO_DELAY) == 0x100000000ull);
	*count = before;
}

#define COUNT_TESTS	3

static void counts_run(unsigned int cpus)
{
	t_carry();
	rom_result(rom, "counts", "beyond 32 bits");
	t_interrupts();
	rom_result(rom, "counts", "in interrupts");
	if (cpus > 1) {
		t_processors(cpus);
		rom_result(rom, "counts", "on all processors");
	} else {
		rom_skip(rom, "counts", "on all processors", "one processor");
	}
}

unsigned int context_plan(void)
{
	return ARRAY_SIZE(faulting) + COUNT_TESTS;
}

void context_run(unsigned int cpus)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(faulting); i++) {
		fault_in(faulting[i]);
		rom_result(rom, "fault in", op_info[faulting[i]].name);
	}
	counts_run(cpus);
}
