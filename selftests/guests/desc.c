// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptor tables: loading them, reading them back, writing their entries,
 * and what segments, gates, stacks and ports then are.
 */
#include "../../arch/i386/ring1/layout.h"
#include "layer.h"
#include "paging.h"

#define SEG_USER_DATA	0x00c0f300
#define SEG_USER_CODE	0x00c0fb00
#define LDT_DATA	0x04		/* selectors: the LDT's first */
#define LDT_CODE	0x0f		/* and second, for a user */
#define NP		11
#define GP		13
#define PF		14
#define TEST_PORT	0x64

static u32 data[2] = { 0x11111111, 0x22222222 };
static u64 ldt[4];
static u32 stack[256] __aligned(16);

static u64 descriptor(u32 base, u32 limit, u32 type)
{
	u32 high = (base & 0xff000000) | (base >> 16 & 0xff) | (limit & 0xf0000) | type;

	return (u64)high << 32 | (base << 16 | (limit & 0xffff));
}

static void write_gdt(u32 selector, u64 desc)
{
	WRITE_DESC(WRITE_GDT_ENTRY, gdt, selector / 8, desc);
}

/* Load FS, in a context of its own, and read a word through it. */
static u32 through_fs(u32 selector, bool user)
{
	struct trap_frame frame = context(user ? user_stub(stub_fs) : stub_fs, user);

	frame.eax = selector;
	launch(&frame);
	return landed.ebx;
}

static void expect_loaded(u32 selector, u32 value)
{
	EXPECT_EQ(through_fs(selector, false), value);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
}

static void expect_refused(u32 selector, bool user, u32 vector)
{
	through_fs(selector, user);
	EXPECT_EQ(landed.vector, vector);
	EXPECT_EQ(landed.error, selector & ~3);
}

static void t_gdt(void)
{
	static u64 copy[GDT_SIZE / 8];
	struct descriptor_pointer other = { GDT_SIZE - 1, (u32)copy }, now;

	get_gdt(&now);
	EXPECT(!memcmp(&now, &gdt_pointer, sizeof(now)));
	memcpy(copy, gdt, GDT_SIZE);
	copy[SPARE_SEL / 8] = descriptor((u32)&data[1], 3, SEG_USER_DATA);
	write_gdt(SPARE_SEL, descriptor((u32)&data[0], 3, SEG_USER_DATA));
	set_gdt(&other);
	get_gdt(&now);
	EXPECT(!memcmp(&now, &other, sizeof(now)));
	expect_loaded(SPARE_SEL, data[1]);
	set_gdt(&gdt_pointer);
	expect_loaded(SPARE_SEL, data[0]);
	/* A table that ends earlier. */
	other.limit = SPARE_SEL - 1;
	set_gdt(&other);
	expect_refused(SPARE_SEL, false, GP);
	set_gdt(&gdt_pointer);
}

/* Both halves, one of them, and none. */
static void t_gdt_entry(void)
{
	u64 first = descriptor((u32)&data[0], 3, SEG_USER_DATA);
	u64 second = descriptor((u32)&data[1], 3, SEG_USER_DATA);

	write_gdt(SPARE_SEL, first);
	EXPECT(gdt[SPARE_SEL / 8] == first);
	expect_loaded(SPARE_SEL, data[0]);
	write_gdt(SPARE_SEL, second);
	expect_loaded(SPARE_SEL, data[1]);
	write_gdt(SPARE_SEL, second);
	expect_loaded(SPARE_SEL, data[1]);
	write_gdt(SPARE_SEL, (second & ~(1ull << 47)));
	expect_refused(SPARE_SEL, false, NP);
	write_gdt(SPARE_SEL, second);
	expect_loaded(SPARE_SEL, data[1]);
	write_gdt(SPARE_SEL, 0);
	expect_refused(SPARE_SEL, false, GP);
}

/* What is the kernel's is not its user's. */
static void t_privilege(void)
{
	write_gdt(SPARE_SEL, descriptor((u32)&data[0], 3, SEG_DATA32));
	expect_loaded(SPARE_SEL, data[0]);
	expect_refused(SPARE_SEL, true, GP);
	expect_refused(KERNEL_CS, true, GP);
	expect_refused(TSS_SEL, false, GP);
	write_gdt(SPARE_SEL, descriptor(USER_CODE, 3, SEG_USER_DATA));
	EXPECT_EQ(through_fs(SPARE_SEL | 3, true), *(const u32 *)stubs);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
}

static void t_ldt(void)
{
	ldt[0] = descriptor((u32)&data[0], 3, SEG_USER_DATA);
	write_gdt(LDT_SEL, descriptor((u32)ldt, sizeof(ldt) - 1, SEG_LDT));
	EXPECT_EQ(get_ldt() & 0xffff, 0);
	set_ldt(LDT_SEL);
	EXPECT_EQ(get_ldt() & 0xffff, LDT_SEL);
	expect_loaded(LDT_DATA, data[0]);
	WRITE_DESC(WRITE_LDT_ENTRY, ldt, 0, descriptor((u32)&data[1], 3, SEG_USER_DATA));
	expect_loaded(LDT_DATA, data[1]);
	WRITE_DESC(WRITE_LDT_ENTRY, ldt, 0, 0);
	EXPECT(ldt[0] == 0);
	expect_refused(LDT_DATA, false, GP);
	WRITE_DESC(WRITE_LDT_ENTRY, ldt, 0, descriptor((u32)&data[0], 3, SEG_USER_DATA));
	expect_loaded(LDT_DATA, data[0]);
	set_ldt(0);
	EXPECT_EQ(get_ldt() & 0xffff, 0);
	expect_refused(LDT_DATA, false, GP);
}

/* A user's code segment that does not begin at 0. */
static void t_ldt_code(void)
{
	struct trap_frame frame = context((const void *)(stub_end - stubs), true);

	WRITE_DESC(WRITE_LDT_ENTRY, ldt, 1, descriptor(USER_CODE, 0, SEG_USER_CODE));
	set_ldt(LDT_SEL);
	frame.cs = LDT_CODE;
	launch(&frame);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.cs, LDT_CODE);
	EXPECT_EQ(landed.eip, stub_end - stubs + 2);
	set_ldt(0);
}

static void expect_fault_at(const char *stub, u32 eax, u32 error)
{
	struct trap_frame frame = context(stub, false);

	frame.eax = eax;
	launch(&frame);
	EXPECT(fault_at(stub, GP));
	EXPECT_EQ(landed.eax, eax);
	if (!ring)
		EXPECT_EQ(landed.error, error);
}

static void t_refused(void)
{
	expect_fault_at(stub_set_ldt, KERNEL_DS, KERNEL_DS);
	expect_fault_at(stub_set_ldt, GDT_SIZE + 8, GDT_SIZE + 8);
	expect_fault_at(stub_set_tr, KERNEL_DS, KERNEL_DS);
	if (ring)			/* emulation takes it */
		expect_fault_at(stub_set_tr, 0, 0);
}

/* What SGDT, SIDT, SLDT, STR and SMSW show, of which only UMIP keeps a user. */

#define SHOWN		(USER_STACK + 0x100)
#define CPUID_UMIP	4		/* leaf 7, ECX */
#define CR4_UMIP	0x800

static void show_tables(bool user, u32 at)
{
	struct trap_frame frame = context(user ? user_stub(stub_tables) : stub_tables, user);

	memset((void *)SHOWN, 0xaa, 20);
	frame.eax = at;
	launch(&frame);
}

static void expect_shown(bool user)
{
	struct descriptor_pointer idt;

	get_idt(&idt);
	show_tables(user, SHOWN);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT(!memcmp((void *)SHOWN, &gdt_pointer, sizeof(gdt_pointer)));
	EXPECT(!memcmp((void *)(SHOWN + 8), &idt, sizeof(idt)));
	EXPECT_EQ(read32(SHOWN + 16), 0xaaaa0000 | (read_cr0() & 0xffff));
	EXPECT_EQ(landed.ecx, get_ldt() & 0xffff);
	EXPECT_EQ(landed.edx, get_tr() & 0xffff);
	EXPECT_EQ(landed.esi, read_cr0());
}

static void expect_shown_fault(u32 at, u32 error)
{
	show_tables(true, at);
	EXPECT_EQ(landed.vector, PF);
	EXPECT_EQ(landed.error, error);
	EXPECT_EQ(landed.eip, (u32)user_stub(stub_tables));
}

static bool has_umip(void)
{
	u32 eax = 7, ebx, ecx = 0, edx;

	__cpuid(&eax, &ebx, &ecx, &edx);
	return ecx & CPUID_UMIP;
}

static void t_shown(void)
{
	if (ring && !has_umip()) {
		SKIP("without UMIP a host cannot hide its own");
		return;
	}
	expect_shown(true);
	expect_shown(false);
	expect_shown_fault((u32)ldt, PF_P | PF_W | PF_U);
	expect_shown_fault(USER_STACK + PAGE_SIZE - 4, PF_W | PF_U);
	EXPECT_EQ(read_cr2(), USER_STACK + PAGE_SIZE);
}

static void t_umip(void)
{
	if (!has_umip()) {
		SKIP("no UMIP");
		return;
	}
	__write_cr4(__read_cr4() | CR4_UMIP);
	show_tables(true, SHOWN);
	EXPECT_EQ(landed.vector, GP);
	EXPECT_EQ(landed.error, 0);
	EXPECT_EQ(landed.eip, (u32)user_stub(stub_tables));
	expect_shown(false);
	__write_cr4(__read_cr4() & ~CR4_UMIP);
	expect_shown(true);
}

/* Gates */

static void expect_int(u32 vector, u32 error, bool user)
{
	launch(&(struct trap_frame) {
		.ds = USER_DS, .es = USER_DS, .cs = user ? USER_CS : KERNEL_CS | ring,
		.eip = (u32)(user ? user_stub(stub_int) : stub_int), .eflags = 2,
		.esp = USER_STACK + 0x800, .ss = USER_DS,
	});
	EXPECT_EQ(landed.vector, vector);
	EXPECT_EQ(landed.error, error);
	EXPECT_EQ(landed.eip - (u32)(user ? user_stub(stub_int) : stub_int),
		  vector == OTHER_VECTOR ? 2 : 0);
}

static void t_gates(void)
{
	const u32 error = OTHER_VECTOR * 8 + 2;

	set_idt_gate(OTHER_VECTOR, GATE_USER);
	expect_int(OTHER_VECTOR, 0, true);
	expect_int(OTHER_VECTOR, 0, false);
	set_idt_gate(OTHER_VECTOR, GATE_KERNEL);
	expect_int(GP, error, true);
	expect_int(OTHER_VECTOR, 0, false);
	set_idt_gate(OTHER_VECTOR, GATE_USER & ~0x80);
	expect_int(NP, error, true);
	expect_int(NP, error, false);
	set_idt_gate(OTHER_VECTOR, 0x80);		/* no such type */
	expect_int(GP, error, true);
	expect_int(GP, error, false);
	set_idt_gate(OTHER_VECTOR, GATE_KERNEL);
}

static void t_idt(void)
{
	static u64 copy[256];
	struct descriptor_pointer other = { sizeof(copy) - 1, (u32)copy }, old, now;

	get_idt(&old);
	EXPECT_EQ(old.limit, sizeof(copy) - 1);
	memcpy(copy, (void *)old.base, sizeof(copy));
	copy[OTHER_VECTOR] = copy[OTHER_VECTOR - 1];
	set_idt(&other);
	get_idt(&now);
	EXPECT(!memcmp(&now, &other, sizeof(now)));
	launch(&(struct trap_frame) {
		.ds = KERNEL_DS, .es = KERNEL_DS, .cs = KERNEL_CS | ring,
		.eip = (u32)stub_int, .eflags = 2,
	});
	EXPECT_EQ(landed.vector, OTHER_VECTOR - 1);
	/* One that ends before the vector. */
	other.limit = 8 * 33 - 1;
	memcpy(&copy[32], &copy[TRAP_VECTOR], 8);
	set_idt(&other);
	expect_int(GP, OTHER_VECTOR * 8 + 2, false);
	set_idt(&old);
}

/* Stacks */

static u32 frame_at;

static bool note_frame(struct trap_frame *frame)
{
	frame_at = (u32)frame + sizeof(*frame);
	return false;
}

static void expect_stack(u32 top)
{
	struct trap_frame frame = context(user_stub(stub_end), true);

	on_trap = note_frame;
	launch(&frame);
	on_trap = NULL;
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(frame_at, top);
}

static void t_kernel_stack(void)
{
	expect_stack(TRAP_STACK_TOP);
	update_kernel_stack(KERNEL_DS, (u32)&stack[200]);
	expect_stack((u32)&stack[200]);
	update_kernel_stack(KERNEL_DS, TRAP_STACK_TOP);
	expect_stack(TRAP_STACK_TOP);
}

static void t_tr(void)
{
	static struct tss other;

	EXPECT_EQ(get_tr() & 0xffff, TSS_SEL);
	other = tss;
	other.esp0 = (u32)&stack[100];
	write_gdt(SPARE_SEL, descriptor((u32)&other, sizeof(other) - 1, SEG_TSS));
	set_tr(SPARE_SEL);
	EXPECT_EQ(get_tr() & 0xffff, SPARE_SEL);
	expect_stack((u32)&stack[100]);
	write_gdt(TSS_SEL, descriptor((u32)&tss, sizeof(tss) - 1, SEG_TSS));
	set_tr(TSS_SEL);
	expect_stack(TRAP_STACK_TOP);
}

/* Ports: the kernel has all, a user what bitmap and IOPL give. */
static struct {
	struct tss tss;
	u8 map[TEST_PORT / 8 + 2];
} ports;

static u32 user_in(u32 iopl)
{
	struct trap_frame frame = context(user_stub(stub_in), true);

	frame.edx = TEST_PORT;
	frame.eflags |= iopl;
	launch(&frame);
	return landed.vector;
}

static void set_iopl(u32 iopl)
{
	if (vmi_patched(VMI_OP_SET_IOPL_MASK))
		vmi_call1(SET_IOPL_MASK, iopl);
}

static void t_ports(void)
{
	EXPECT_EQ(user_in(0), GP);
	ports.tss = tss;
	ports.tss.iomap = offsetof(typeof(ports), map) << 16;
	memset(ports.map, 0xff, sizeof(ports.map));
	write_gdt(SPARE_SEL, descriptor((u32)&ports, sizeof(ports) - 1, SEG_TSS));
	set_tr(SPARE_SEL);
	EXPECT_EQ(user_in(0), GP);
	ports.map[TEST_PORT / 8] &= ~(1 << TEST_PORT % 8);
	EXPECT_EQ(user_in(0), TRAP_VECTOR);
	ports.map[TEST_PORT / 8] |= 1 << TEST_PORT % 8;
	EXPECT_EQ(user_in(0), GP);
	inb(TEST_PORT);
	write_gdt(TSS_SEL, descriptor((u32)&tss, sizeof(tss) - 1, SEG_TSS));
	set_tr(TSS_SEL);
}

static void t_iopl(void)
{
	set_iopl(0x3000);
	EXPECT_EQ(user_in(0x3000), TRAP_VECTOR);
	set_iopl(0);
	EXPECT_EQ(user_in(0), GP);
}

static u32 handlers_flags;

static bool note_flags(struct trap_frame *frame)
{
	u32 flags;

	(void)frame;
	asm volatile("pushf; pop %0" : "=r" (flags));
	handlers_flags |= flags;
	return false;
}

/* INT 0x80 while the ROM's word for the interrupt flag has others. */
static void t_wild_flag(void)
{
	struct trap_frame user = context(user_stub(stub_end), true), kernel;
	u32 frame[5] = { user.eip, user.cs, 2, user.esp, user.ss };

	if (!ring) {
		SKIP("no shared page");
		return;
	}
	launch(&user);
	kernel = context(stub_bare_iret, false);
	kernel.eax = 0x3200;
	kernel.ebx = (u32)shared_word(SH_VIF);
	kernel.ecx = (u32)frame;
	on_trap = note_flags;
	handlers_flags = 0;
	launch(&kernel);
	on_trap = NULL;
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.cs & 3, 3);
	EXPECT_EQ(handlers_flags & 0x3000, 0);
	*shared_word(SH_VIF) = 0;
}

static const struct test tests[] = {
	{ "SetGDT, GetGDT", t_gdt },
	{ "WriteGDTEntry", t_gdt_entry },
	{ "privilege", t_privilege },
	{ "SetLDT, GetLDT, WriteLDTEntry", t_ldt },
	{ "code segment in the LDT", t_ldt_code },
	{ "refused selectors", t_refused },
	{ "tables shown to a user", t_shown },
	{ "UMIP", t_umip },
	{ "WriteIDTEntry", t_gates },
	{ "SetIDT, GetIDT", t_idt },
	{ "UpdateKernelStack", t_kernel_stack },
	{ "SetTR, GetTR", t_tr },
	{ "ports by bitmap", t_ports },
	{ "SetIOPLMask", t_iopl },
	{ "system call with a wild flag", t_wild_flag },
	{ }
};

const struct suite suites[] = {
	{ "descriptors", NULL, tests },
	{ }
};
