// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls every operation of a ROM the way a guest does, in ring 0 and with flat
 * segments, and checks what it did, what it left alone and what it counted.
 * romcontext.c has the cases that need more than that.
 */
#include "romtest.h"

#define MSR_SYSENTER_ESP	0x175
#define LAPIC_TPR		0xfee00080
#define LAPIC_VERSION		0xfee00030

#define PATTERN_EBX	0xb1b2b3b4
#define PATTERN_ESI	0x51525354
#define PATTERN_EDI	0xd1d2d3d4
#define PATTERN_EBP	0xe1e2e3e4
#define PATTERN_ECX	0xc1c2c3c4
#define PATTERN_EDX	0xda1234ad

const struct rom *rom;
bool rom_counts;
u32 flags_in = EFLAGS_FIXED;
static u32 call_stack[256];

#define OP_ROW(nr, id, opname, optype, opgroup, in, out, native) \
	[nr] = { opname, VMI_RELOC_##optype, GROUP_##opgroup },
const struct op_info op_info[VMI_NR_OPS] = { VMI_OPS(OP_ROW) };

/* The ROM's count, without the registers of a probe. */
u64 op_count(u32 nr)
{
	u64 count;

	asm volatile("call *%1" : "=A" (count)
		     : "r" (rom->relocs[VMI_OP_GET_OP_COUNT].eip), "a" (nr)
		     : "ecx", "cc", "memory");
	return count;
}

static u32 expected_if(u32 nr)
{
	switch (nr) {
	case VMI_OP_ENABLE_INTERRUPTS:
	case VMI_OP_HALT:
		return EFLAGS_IF;
	case VMI_OP_DISABLE_INTERRUPTS:
		return 0;
	case VMI_OP_SET_INTERRUPT_MASK:
		return probe_in.eax & EFLAGS_IF;
	default:
		return flags_in & EFLAGS_IF;
	}
}

static void check_kept(u32 nr)
{
	const struct probe_regs *in = &probe_in, *out = &probe_out;
	bool irq = op_info[nr].group == GROUP_IRQ;
	bool insn = nr == VMI_OP_WRMSR || nr == VMI_OP_RDMSR ||
		    nr == VMI_OP_RDPMC || nr == VMI_OP_RDTSC;

	EXPECT(out->esi == in->esi);
	EXPECT(out->edi == in->edi);
	EXPECT(out->ebp == in->ebp);
	EXPECT(out->ebx == in->ebx || nr == VMI_OP_CPUID);
	EXPECT(out->ecx == in->ecx || !(irq || insn));
	EXPECT(out->edx == in->edx || !(irq || nr == VMI_OP_WRMSR));
	EXPECT(out->eax == in->eax || nr != VMI_OP_WRMSR);
	EXPECT(out->cs == in->cs && out->ds == in->ds && out->es == in->es);
	EXPECT(out->fs == in->fs && out->gs == in->gs && out->ss == in->ss);
	EXPECT(!(out->eflags & EFLAGS_DF));
	EXPECT((out->eflags & EFLAGS_IF) == expected_if(nr));
}

/* probe_in for a call of an operation; the stack holds two more arguments. */
u32 *call_prepare(u32 nr, u32 eax, u32 edx, u32 ecx)
{
	u32 *stack = call_stack + ARRAY_SIZE(call_stack) - 8;

	probe_in = (struct probe_regs) {
		.eax = eax, .ecx = ecx, .edx = edx, .ebx = PATTERN_EBX,
		.esi = PATTERN_ESI, .edi = PATTERN_EDI, .ebp = PATTERN_EBP,
		.esp = (u32)stack, .ss = KERNEL_DS, .cs = KERNEL_CS,
		.eip = rom->relocs[nr].eip, .eflags = flags_in,
		.ds = KERNEL_DS, .es = KERNEL_DS, .fs = KERNEL_DS, .gs = KERNEL_DS,
	};
	stack[0] = (u32)probe_done;
	return stack;
}

/* Calls an operation; two words on the stack are enough for all of them. */
static void call_words(u32 nr, u32 eax, u32 edx, u32 ecx, u32 word0, u32 word1)
{
	u32 *stack = call_prepare(nr, eax, edx, ecx);
	u64 before = rom_counts ? op_count(nr) : 0;

	stack[1] = word0;
	stack[2] = word1;
	probe_run();
	if (rom_counts)
		EXPECT(op_count(nr) == before + 1 + (nr == VMI_OP_GET_OP_COUNT));
	EXPECT(probe_out.vector == TRAP_VECTOR);
	EXPECT(probe_out.eip == (u32)probe_done + 2);
	EXPECT(probe_out.esp == (u32)(stack + 1));
	EXPECT(stack[1] == word0 && stack[2] == word1);
	check_kept(nr);
}

static u32 call3(u32 nr, u32 eax, u32 edx, u32 ecx)
{
	call_words(nr, eax, edx, ecx, 0x11111111, 0x22222222);
	return probe_out.eax;
}

static u32 call2(u32 nr, u32 eax, u32 edx)
{
	return call3(nr, eax, edx, PATTERN_ECX);
}

static u32 call1(u32 nr, u32 eax)
{
	return call2(nr, eax, PATTERN_EDX);
}

static u32 call0(u32 nr)
{
	return call1(nr, 0xaa55aa55);
}

/* Processor's own instructions */

static void t_CPUID(void)
{
	u32 leaf, eax, ebx, ecx, edx;

	for (leaf = 0; leaf < 3; leaf++) {
		asm volatile("cpuid" : "=a" (eax), "=b" (ebx), "=c" (ecx), "=d" (edx)
			     : "a" (leaf), "c" (0));
		call3(VMI_OP_CPUID, leaf, PATTERN_EDX, 0);
		EXPECT(probe_out.eax == eax && probe_out.ebx == ebx);
		EXPECT(probe_out.ecx == ecx && probe_out.edx == edx);
	}
}

static void t_WRMSR(void)
{
	u32 eax, edx;

	call3(VMI_OP_WRMSR, 0x12345678, 0, MSR_SYSENTER_ESP);
	asm volatile("rdmsr" : "=a" (eax), "=d" (edx) : "c" (MSR_SYSENTER_ESP));
	EXPECT(eax == 0x12345678 && edx == 0);
}

static void t_RDMSR(void)
{
	asm volatile("wrmsr" : : "a" (0x87654321), "d" (0), "c" (MSR_SYSENTER_ESP));
	call3(VMI_OP_RDMSR, 0, PATTERN_EDX, MSR_SYSENTER_ESP);
	EXPECT(probe_out.eax == 0x87654321 && probe_out.edx == 0);
}

static void t_RDTSC(void)
{
	u64 before, after, value;

	asm volatile("rdtsc" : "=A" (before));
	call0(VMI_OP_RDTSC);
	asm volatile("rdtsc" : "=A" (after));
	value = (u64)probe_out.edx << 32 | probe_out.eax;
	EXPECT(before <= value && value <= after);
}

/* A counter that does not exist is a fault: the site's, not the ROM's. */
static void t_RDPMC(void)
{
	u64 before = rom_counts ? op_count(VMI_OP_RDPMC) : 0;

	call_prepare(VMI_OP_RDPMC, 0, PATTERN_EDX, 0);
	probe_run();
	if (rom_counts)
		EXPECT(op_count(VMI_OP_RDPMC) == before + 1);
	if (probe_out.vector != TRAP_VECTOR)
		expect_fault_at_entry();
	else
		check_kept(VMI_OP_RDPMC);
}

static void t_WBINVD(void)
{
	call0(VMI_OP_WBINVD);
}

static void t_IO_DELAY(void)
{
	call0(VMI_OP_IO_DELAY);
}

/* Descriptor tables */

static void t_SET_GDT(void)
{
	static u64 copy[GDT_SIZE / 8];
	struct descriptor_pointer pointer = { GDT_SIZE - 1, (u32)copy }, now;

	memcpy(copy, gdt, GDT_SIZE);
	call1(VMI_OP_SET_GDT, (u32)&pointer);
	asm volatile("sgdt %0" : "=m" (now));
	asm volatile("lgdt gdt_pointer");
	EXPECT(!memcmp(&now, &pointer, sizeof(now)));
}

static void t_SET_IDT(void)
{
	static u64 copy[256];
	struct descriptor_pointer pointer = { sizeof(copy) - 1, (u32)copy }, old, now;

	asm volatile("sidt %0" : "=m" (old));
	memcpy(copy, (void *)old.base, sizeof(copy));
	call1(VMI_OP_SET_IDT, (u32)&pointer);
	asm volatile("sidt %0" : "=m" (now));
	asm volatile("lidt %0" : : "m" (old));
	EXPECT(!memcmp(&now, &pointer, sizeof(now)));
}

static u16 selector_ldt(void)
{
	u16 ldt;

	asm volatile("sldt %w0" : "=r" (ldt));
	return ldt;
}

static void t_SET_LDT(void)
{
	static u64 ldt[2];

	set_segment(LDT_SEL, (u32)ldt, sizeof(ldt) - 1, SEG_LDT);
	call1(VMI_OP_SET_LDT, LDT_SEL);
	EXPECT(selector_ldt() == LDT_SEL);
	call1(VMI_OP_SET_LDT, 0);
	EXPECT(selector_ldt() == 0);
}

static void t_GET_LDT(void)
{
	static u64 ldt[2];

	set_segment(LDT_SEL, (u32)ldt, sizeof(ldt) - 1, SEG_LDT);
	asm volatile("lldt %w0" : : "r" (LDT_SEL));
	EXPECT(call0(VMI_OP_GET_LDT) == LDT_SEL);
	asm volatile("lldt %w0" : : "r" (0));
	EXPECT(call0(VMI_OP_GET_LDT) == 0);
}

static void t_SET_TR(void)
{
	u16 tr;

	set_segment(TSS_SEL, (u32)&tss, sizeof(tss) - 1, SEG_TSS);
	call1(VMI_OP_SET_TR, TSS_SEL);
	asm volatile("str %w0" : "=r" (tr));
	EXPECT(tr == TSS_SEL);
	EXPECT(gdt[TSS_SEL / 8] >> 41 & 1);	/* busy */
}

static void t_GET_TR(void)
{
	EXPECT(call0(VMI_OP_GET_TR) == TSS_SEL);
}

static void t_GET_GDT(void)
{
	struct descriptor_pointer pointer = { 0, 0 };

	call1(VMI_OP_GET_GDT, (u32)&pointer);
	EXPECT(!memcmp(&pointer, &gdt_pointer, sizeof(pointer)));
}

static void t_GET_IDT(void)
{
	struct descriptor_pointer pointer = { 0, 0 }, now;

	asm volatile("sidt %0" : "=m" (now));
	call1(VMI_OP_GET_IDT, (u32)&pointer);
	EXPECT(!memcmp(&pointer, &now, sizeof(pointer)));
}

static void write_entry(u32 nr)
{
	static u64 table[4];
	u32 i;

	for (i = 0; i < 4; i++)
		table[i] = i;
	call_words(nr, (u32)table, 2, 0x89abcdef, 0x01234567, 0);
	EXPECT(table[0] == 0 && table[1] == 1 && table[3] == 3);
	EXPECT(table[2] == 0x0123456789abcdefull);
}

static void t_WRITE_GDT_ENTRY(void)
{
	write_entry(VMI_OP_WRITE_GDT_ENTRY);
}

static void t_WRITE_LDT_ENTRY(void)
{
	write_entry(VMI_OP_WRITE_LDT_ENTRY);
}

static void t_WRITE_IDT_ENTRY(void)
{
	write_entry(VMI_OP_WRITE_IDT_ENTRY);
}

/* A TSS elsewhere, at an address with no two bytes alike. */
static void t_UPDATE_KERNEL_STACK(void)
{
	struct tss *other = (struct tss *)0x02345670, want = tss;

	*other = tss;
	set_segment(SPARE_SEL, (u32)other, sizeof(tss) - 1, SEG_TSS);
	asm volatile("ltr %w0" : : "r" (SPARE_SEL) : "memory");
	call2(VMI_OP_UPDATE_KERNEL_STACK, ODD32_SEL, 0x76543210);
	set_segment(TSS_SEL, (u32)&tss, sizeof(tss) - 1, SEG_TSS);
	asm volatile("ltr %w0" : : "r" (TSS_SEL) : "memory");

	want.ss0 = ODD32_SEL;
	want.esp0 = 0x76543210;
	EXPECT(!memcmp(other, &want, sizeof(want)));
}

/* Control and debug registers */

#define CR_TESTS(n, bits)						\
static void t_SET_CR##n(void)						\
{									\
	u32 old = READ_CR(n);						\
									\
	call1(VMI_OP_SET_CR##n, old ^ (bits));				\
	EXPECT(READ_CR(n) == (old ^ (bits)));				\
	WRITE_CR(n, old);						\
}									\
									\
static void t_GET_CR##n(void)						\
{									\
	u32 old = READ_CR(n);						\
									\
	EXPECT(call0(VMI_OP_GET_CR##n) == old);				\
	WRITE_CR(n, old ^ (bits));					\
	EXPECT(call0(VMI_OP_GET_CR##n) == (old ^ (bits)));		\
	WRITE_CR(n, old);						\
}

CR_TESTS(0, CR0_TS)
CR_TESTS(2, 0x12345678)
CR_TESTS(3, 0x7654000)
CR_TESTS(4, CR4_DE)

static void t_CLTS(void)
{
	WRITE_CR(0, READ_CR(0) | CR0_TS);
	call0(VMI_OP_CLTS);
	EXPECT(!(READ_CR(0) & CR0_TS));
}

static const u32 dr_values[8] = {
	0x1001, 0x2002, 0x3003, 0x4004, 0, 0, 0xffff0ff0, 0x00000400
};

#define READ_DR(n)	({ u32 _v; asm volatile("mov %%db" #n ", %0" : "=r" (_v)); _v; })

static void t_SET_DR(void)
{
	u32 n;

	for (n = 0; n < 8; n++)
		if (dr_values[n])
			call2(VMI_OP_SET_DR, n, dr_values[n]);
	call2(VMI_OP_SET_DR, 9, 0x9009);
	EXPECT(READ_DR(0) == dr_values[0] && READ_DR(1) == dr_values[1]);
	EXPECT(READ_DR(2) == dr_values[2] && READ_DR(3) == dr_values[3]);
	EXPECT(READ_DR(6) == dr_values[6] && READ_DR(7) == dr_values[7]);
}

static void t_GET_DR(void)
{
	u32 n;

	asm volatile("mov %0, %%db0; mov %1, %%db1; mov %2, %%db2; mov %3, %%db3"
		     : : "r" (dr_values[0]), "r" (dr_values[1]),
			 "r" (dr_values[2]), "r" (dr_values[3]));
	asm volatile("mov %0, %%db6; mov %1, %%db7"
		     : : "r" (dr_values[6]), "r" (dr_values[7]));
	for (n = 0; n < 8; n++)
		if (dr_values[n])
			EXPECT(call1(VMI_OP_GET_DR, n) == dr_values[n]);
	EXPECT(call1(VMI_OP_GET_DR, 9) == 0);
}

/* Interrupts; the PIC is masked, so that none arrives. */

static void t_ENABLE_INTERRUPTS(void)
{
	call0(VMI_OP_ENABLE_INTERRUPTS);
}

static void t_DISABLE_INTERRUPTS(void)
{
	flags_in |= EFLAGS_IF;
	call0(VMI_OP_DISABLE_INTERRUPTS);
}

static void t_GET_INTERRUPT_MASK(void)
{
	flags_in = EFLAGS_FIXED | EFLAGS_ARITHMETIC;
	EXPECT(call0(VMI_OP_GET_INTERRUPT_MASK) == flags_in);
	flags_in = EFLAGS_FIXED | EFLAGS_IF;
	EXPECT(call0(VMI_OP_GET_INTERRUPT_MASK) == flags_in);
}

static void t_SET_INTERRUPT_MASK(void)
{
	call1(VMI_OP_SET_INTERRUPT_MASK, EFLAGS_FIXED | EFLAGS_IF);
	flags_in |= EFLAGS_IF;
	call1(VMI_OP_SET_INTERRUPT_MASK, EFLAGS_FIXED | EFLAGS_ARITHMETIC);
	EXPECT(probe_out.eflags == (EFLAGS_FIXED | EFLAGS_ARITHMETIC));
}

/* The interrupt already waits: it must be taken behind the hlt. */
static void t_HALT(void)
{
	timer_start(NULL);
	timer_wait_pending();
	call0(VMI_OP_HALT);
	timer_stop();
	EXPECT(timer_irqs >= 1);
	EXPECT(timer_first_eip - rom->relocs[VMI_OP_HALT].eip < 256);
	EXPECT(*(u8 *)(timer_first_eip - 1) == INSN_HLT);
}

static void t_SET_IOPL_MASK(void)
{
	flags_in |= EFLAGS_IF;
	call1(VMI_OP_SET_IOPL_MASK, EFLAGS_IOPL);
	EXPECT((probe_out.eflags & EFLAGS_IOPL) == EFLAGS_IOPL);
	flags_in |= EFLAGS_IOPL;
	call1(VMI_OP_SET_IOPL_MASK, 0);
	EXPECT(!(probe_out.eflags & EFLAGS_IOPL));
}

/* Memory */

static void t_SET_PXE(void)
{
	static u32 table[3];

	table[0] = 0;
	table[2] = 0;
	call3(VMI_OP_SET_PXE, 0x1234567, (u32)&table[1], VMI_PAGE_PT);
	EXPECT(table[0] == 0 && table[1] == 0x1234567 && table[2] == 0);
}

static void t_SET_PXE_LONG(void)
{
	static u64 table[3];
	u32 present;

	for (present = 0; present < 2; present++) {
		call_words(VMI_OP_SET_PXE_LONG, 0x1234566 | present, 0x80000009,
			   (u32)&table[1], VMI_PAGE_PT, 0);
		EXPECT(table[0] == 0 && table[2] == 0);
		EXPECT(table[1] == (0x8000000901234566ull | present));
	}
}

static void t_UPDATE_PXE(void)
{
	static u32 entry = 0x7067;

	call2(VMI_OP_UPDATE_PXE, (u32)&entry, VMI_PAGE_PT);
	EXPECT(entry == 0x7067);
}

static void t_UPDATE_PXE_LONG(void)
{
	static u64 entry = 0x100007067;

	call2(VMI_OP_UPDATE_PXE_LONG, (u32)&entry, VMI_PAGE_PT);
	EXPECT(entry == 0x100007067);
}

static void t_MACHINE_TO_PHYSICAL(void)
{
	EXPECT(call1(VMI_OP_MACHINE_TO_PHYSICAL, 0x12345) == 0x12345);
}

static void t_PHYSICAL_TO_MACHINE(void)
{
	EXPECT(call1(VMI_OP_PHYSICAL_TO_MACHINE, 0x54321) == 0x54321);
}

static void t_ALLOCATE_PAGE(void)
{
	call_words(VMI_OP_ALLOCATE_PAGE, 0x900, VMI_PAGE_PT | VMI_PAGE_PAE, 0, 0, 512);
}

static void t_RELEASE_PAGE(void)
{
	call2(VMI_OP_RELEASE_PAGE, 0x900, VMI_PAGE_PT | VMI_PAGE_PAE);
}

static void t_SET_LINEAR_MAPPING(void)
{
	call_words(VMI_OP_SET_LINEAR_MAPPING, 0, 0xc0000000, 0x38000, 0, 0);
}

static void t_SET_LAZY_MODE(void)
{
	call1(VMI_OP_SET_LAZY_MODE, VMI_LAZY_MMU);
	call1(VMI_OP_SET_LAZY_MODE, VMI_LAZY_NONE);
}

static void inval_page(u32 addr)
{
	call1(VMI_OP_INVAL_PAGE, addr);
}

static void flush_tlb(u32 addr)
{
	(void)addr;
	call1(VMI_OP_FLUSH_TLB, VMI_FLUSH_TLB);
}

static void flush_global(u32 addr)
{
	(void)addr;
	call1(VMI_OP_FLUSH_TLB, VMI_FLUSH_GLOBAL);
}

static void t_INVAL_PAGE(void)
{
	expect_flushed(inval_page, false, false);
	expect_flushed(inval_page, true, true);
}

static void flush_two_pages(u32 addr)
{
	call2(VMI_OP_FLUSH_RANGE, addr - 4096, 2);
}

/* The last page of a range; no page at all. */
static void t_FLUSH_RANGE(void)
{
	expect_flushed(flush_two_pages, false, false);
	expect_flushed(flush_two_pages, true, true);
	call2(VMI_OP_FLUSH_RANGE, 0, 0);
}

static void t_FLUSH_TLB(void)
{
	flags_in |= EFLAGS_IF;
	expect_flushed(flush_tlb, false, false);
	expect_flushed(flush_tlb, true, false);
	expect_flushed(flush_global, false, false);
	expect_flushed(flush_global, true, true);
}

/* Platform */

static void t_APIC_READ(void)
{
	EXPECT(call1(VMI_OP_APIC_READ, LAPIC_VERSION) == read32(LAPIC_VERSION));
}

static void t_APIC_WRITE(void)
{
	u32 old = read32(LAPIC_TPR);

	call2(VMI_OP_APIC_WRITE, LAPIC_TPR, 0x20);
	EXPECT(read32(LAPIC_TPR) == 0x20);
	write32(LAPIC_TPR, old);
}

static void t_SET_INITIAL_AP_STATE(void)
{
	static struct vmi_ap_state state;

	call2(VMI_OP_SET_INITIAL_AP_STATE, (u32)&state, 1);
}

/* The guest goes on: a ROM on bare metal has no other way to do it. */
static void t_REBOOT(void)
{
	call0(VMI_OP_REBOOT);
}

static void t_SHUTDOWN(void)
{
	call0(VMI_OP_SHUTDOWN);
}

/* Processors: none is ever taken away here, and none sleeps. */

static void t_SPIN_WAIT(void)
{
	static u8 byte = 3;

	call2(VMI_OP_SPIN_WAIT, (u32)&byte, 1);
	call2(VMI_OP_SPIN_WAIT, (u32)&byte, 3);
	flags_in |= EFLAGS_IF;
	call2(VMI_OP_SPIN_WAIT, (u32)&byte, 3);
	EXPECT(byte == 3);
}

static void t_SPIN_KICK(void)
{
	call1(VMI_OP_SPIN_KICK, 1);
}

static void t_SEND_IPI_MASK(void)
{
	EXPECT(call3(VMI_OP_SEND_IPI_MASK, 0, 2, 0) != 0);
}

static void t_FLUSH_LATER(void)
{
	EXPECT(call1(VMI_OP_FLUSH_LATER, 1) == 0);
}

static void t_CPU_PREEMPTED(void)
{
	EXPECT(call1(VMI_OP_CPU_PREEMPTED, 1) == 0);
}

static void t_YIELD_TO(void)
{
	call1(VMI_OP_YIELD_TO, 1);
}

static void t_PAGE_STATE(void)
{
	call3(VMI_OP_PAGE_STATE, 0x900, 2, VMI_PAGES_FREE);
	call3(VMI_OP_PAGE_STATE, 0x900, 2, VMI_PAGES_USED);
}

static void t_HALT_POLL(void)
{
	call1(VMI_OP_HALT_POLL, VMI_POLL_GUEST);
	call1(VMI_OP_HALT_POLL, VMI_POLL_HOST);
}

static void t_GET_OP_COUNT(void)
{
	u64 count = op_count(VMI_OP_CLTS);

	call1(VMI_OP_GET_OP_COUNT, VMI_OP_CLTS);
	EXPECT(count && probe_out.eax == (u32)count && probe_out.edx == count >> 32);
	EXPECT(op_count(VMI_NR_OPS) == 0 && op_count(0xffffffff) == 0);
	EXPECT(op_count(0x20000000) == 0);
	count = op_count(VMI_OP_GET_OP_COUNT);
	EXPECT(op_count(VMI_OP_GET_OP_COUNT) == count + 1);
}

/* None of our ROMs has a clock; kvm.rom's tests come with it. */
static void t_time(void)
{
	FAIL("a call of group TIME is answered");
}

#define t_GET_CYCLE_FREQUENCY	t_time
#define t_GET_CYCLE_COUNTER	t_time
#define t_SET_ALARM		t_time
#define t_CANCEL_ALARM		t_time
#define t_GET_WALLCLOCK_TIME	t_time
#define t_WALLCLOCK_UPDATED	t_time
#define t_GET_TSC_FREQUENCY	t_time

#define OP_TEST(nr, id, ...)	{ nr, t_##id },
static const struct { u32 nr; void (*test)(void); } tests[] = { VMI_OPS(OP_TEST) };

/* trace.rom: it answers everything, and its counts can be read. */
bool counts_ops(const struct rom *rom)
{
	return !strcmp(rom->product, "trace ROM");
}

unsigned int calls_plan(const struct rom *planned)
{
	return ARRAY_SIZE(tests) + (counts_ops(planned) ? context_plan() : 0);
}

void calls_run(const struct rom *under_test, unsigned int cpus)
{
	u32 i, nr;

	rom = under_test;
	rom_counts = counts_ops(rom);
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		nr = tests[i].nr;
		flags_in = EFLAGS_FIXED;
		if (rom->relocs[nr].type == VMI_RELOC_NONE) {
			rom_skip(rom, "call", op_info[nr].name, "native");
			continue;
		}
		tests[i].test();
		rom_result(rom, "call", op_info[nr].name);
	}
	if (rom_counts)
		context_run(cpus);
}
