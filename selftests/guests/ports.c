// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: strings of them, the way from the kernel's to a user's, and what a single
 * step sees of an instruction that a host does by itself.
 */
#include "layer.h"
#include "paging.h"

#define SCRATCH		0x3ff		/* a byte of the serial port's that it keeps */
#define PCI_ADDRESS	0xcf8		/* 32 bits likewise, where bits 24 to 30 and 0, 1 are 0 */
#define EFLAGS_TF	0x100
#define EFLAGS_DF	0x400
#define EFLAGS_VM	0x20000
#define DR6_BS		0x4000
#define MSR_SYSENTER_CS	0x174
#define DB		1
#define GP		13
#define PF		14
#define LOCAL_APIC_TPR	0xfee00080
#define VM86_CS		0x703		/* 0x7030, a multiple of 4 and 3: as a selector of ring 3 */
#define VM86_IP		0x10
#define USER_BUFFER	(USER_STACK + 0x100)
#define USER_BOUNDARY	(USER_STACK + PAGE_SIZE)	/* no page is there */

static u8 bytes[8];
static u32 words[4];

static struct {
	struct tss tss;
	u8 map[PCI_ADDRESS / 8 + 2];
} user_ports;

/* A string instruction in a context of its own. */
static void strings(const char *stub, bool user, u16 port, u32 buffer, u32 count, u32 eflags)
{
	struct trap_frame frame = context(user ? user_stub(stub) : stub, user);

	frame.edx = port;
	frame.esi = buffer;
	frame.edi = buffer;
	frame.ecx = count;
	frame.eflags |= eflags;
	launch(&frame);
}

static void expect_done(u32 esi_or_edi, u32 wanted)
{
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.ecx, 0);
	EXPECT_EQ(esi_or_edi, wanted);
}

static void t_kernel_bytes(void)
{
	memcpy(bytes, "abcdefgh", 8);
	strings(stub_outsb, false, SCRATCH, (u32)bytes, 3, 0);
	expect_done(landed.esi, (u32)bytes + 3);
	EXPECT_EQ(inb(SCRATCH), 'c');
	strings(stub_insb, false, SCRATCH, (u32)bytes + 7, 2, EFLAGS_DF);
	expect_done(landed.edi, (u32)bytes + 5);
	EXPECT(!memcmp(bytes, "abcdefcc", 8));
	strings(stub_insb, false, SCRATCH, (u32)bytes, 0, 0);
	expect_done(landed.edi, (u32)bytes);
	EXPECT_EQ(bytes[0], 'a');
}

static void t_kernel_words(void)
{
	words[0] = 0x00111100;
	words[1] = 0x80222200;
	strings(stub_outsl, false, PCI_ADDRESS, (u32)words, 2, 0);
	expect_done(landed.esi, (u32)&words[2]);
	strings(stub_insl, false, PCI_ADDRESS, (u32)&words[2], 2, 0);
	expect_done(landed.edi, (u32)&words[4]);
	EXPECT_EQ(words[2], words[1]);
	EXPECT_EQ(words[3], words[1]);
}

/* A return to a user that faults leaves the kernel its ports. */
static void t_after_fault(void)
{
	struct trap_frame frame = context(user_stub(stub_end), true);

	frame.cs = KERNEL_DS | 3;
	launch(&frame);
	EXPECT_EQ(landed.vector, GP);
	t_kernel_bytes();
	launch(&frame);
	EXPECT_EQ(landed.vector, GP);
	t_kernel_words();
}

static void user_may(u16 port, u32 n)
{
	struct descriptor_pointer pointer = gdt_pointer;
	u64 base = (u32)&user_ports, limit = sizeof(user_ports) - 1;

	user_ports.tss = tss;
	user_ports.tss.iomap = offsetof(typeof(user_ports), map) << 16;
	memset(user_ports.map, 0xff, sizeof(user_ports.map));
	for (; n; n--, port++)
		user_ports.map[port / 8] &= ~(1 << port % 8);
	WRITE_DESC(WRITE_GDT_ENTRY, pointer.base, SPARE_SEL / 8,
		   (u64)((base & 0xff000000) | (base >> 16 & 0xff) | SEG_TSS) << 32 |
		   (base & 0xffff) << 16 | limit);
	set_tr(SPARE_SEL);
}

/* With the kernel's ports open and with them closed, only the user's own count. */
static void t_user(void)
{
	user_may(SCRATCH, 1);
	inb(0x80);
	strings(stub_in, true, SCRATCH - 1, 0, 0, 0);
	EXPECT_EQ(landed.vector, GP);
	inb(0x80);
	strings(stub_insb, true, SCRATCH - 1, USER_BUFFER, 1, 0);
	EXPECT_EQ(landed.vector, GP);
	EXPECT_EQ(landed.ecx, 1);
	if (vmi_patched(VMI_OP_SYSEXIT)) {
		wrmsr(MSR_SYSENTER_CS, KERNEL_CS);
		inb(0x80);
		launch_by_sysexit(user_stub(stub_in), USER_BUFFER);	/* DX: of its EIP */
		EXPECT_EQ(landed.vector, GP);
		EXPECT_EQ(landed.eip, (u32)user_stub(stub_in));
	}
	outb(SCRATCH, 'x');
	strings(stub_in, true, SCRATCH, 0, 0, 0);
	EXPECT_EQ(landed.vector, TRAP_VECTOR);
	EXPECT_EQ(landed.eax & 0xff, 'x');
}

static void t_user_strings(void)
{
	user_may(SCRATCH, 1);
	outb(SCRATCH, 'y');
	strings(stub_insb, true, SCRATCH, USER_BUFFER, 3, 0);
	expect_done(landed.edi, USER_BUFFER + 3);
	outb(SCRATCH, 'z');
	strings(stub_outsb, true, SCRATCH, USER_BUFFER, 3, 0);
	expect_done(landed.esi, USER_BUFFER + 3);
	EXPECT_EQ(inb(SCRATCH), 'y');
	/* The kernel's memory is not theirs, nor what is not there. */
	strings(stub_outsb, true, SCRATCH, (u32)bytes, 1, 0);
	EXPECT_EQ(landed.vector, PF);
	EXPECT_EQ(landed.error, PF_P | PF_U);
	strings(stub_insb, true, SCRATCH, (u32)bytes, 1, 0);
	EXPECT_EQ(landed.vector, PF);
	EXPECT_EQ(landed.error, PF_P | PF_W | PF_U);
	EXPECT_EQ(landed.eip, (u32)user_stub(stub_insb));
	strings(stub_insb, true, SCRATCH, USER_BOUNDARY - 2, 4, 0);
	EXPECT_EQ(landed.vector, PF);
	EXPECT_EQ(landed.error, PF_W | PF_U);
	EXPECT_EQ(read_cr2(), USER_BOUNDARY);
	EXPECT_EQ(landed.ecx, 2);
	EXPECT_EQ(landed.edi, USER_BOUNDARY);
	user_may(PCI_ADDRESS, 4);
	strings(stub_insl, true, PCI_ADDRESS, USER_BOUNDARY - 2, 1, 0);
	EXPECT_EQ(landed.vector, PF);
	EXPECT_EQ(read_cr2(), USER_BOUNDARY);
	EXPECT_EQ(landed.ecx, 1);
}

/* A single step: a trap behind the first instruction, whoever did that. */
static void step_frame(struct trap_frame frame, u32 len)
{
	u32 dr6;

	asm volatile("mov %0, %%db6" : : "r" (0));
	frame.eflags |= EFLAGS_TF;
	launch(&frame);
	EXPECT_EQ(landed.vector, DB);
	EXPECT_EQ(landed.eip - frame.eip, len);
	asm volatile("mov %%db6, %0" : "=r" (dr6));
	EXPECT(dr6 & DR6_BS);
}

static void step(const char *stub, bool user, u32 len)
{
	struct trap_frame frame = context(user ? user_stub(stub) : stub, user);

	frame.edx = SCRATCH;
	frame.esi = user ? USER_BUFFER : (u32)bytes;
	frame.edi = frame.esi;
	frame.ecx = 1;
	step_frame(frame, len);
}

static void t_step_ports(void)
{
	user_may(SCRATCH, 1);
	step(stub_in, true, 1);
	step(stub_insb, true, 2);
	step(stub_outsb, true, 2);
	step(stub_in, false, 1);	/* closed on the way back from there */
	step(stub_in, false, 1);	/* and open */
	step(stub_insb, false, 2);
}

static void t_step_system(void)
{
	struct trap_frame frame = context(stub_write, false);

	step(stub_cli, false, 1);
	step(stub_smsw, false, 3);
	step(stub_cr0, false, 3);
	step(stub_far, false, 7);
	frame.eax = LOCAL_APIC_TPR;
	frame.edx = 0;
	step_frame(frame, 2);
}

/* A breakpoint at the next instruction: the fault's RF is not for that one. */
static void t_breakpoint(void)
{
	struct trap_frame frame = context(user_stub(stub_in), true);
	u32 dr6;

	user_may(SCRATCH, 1);
	frame.edx = SCRATCH;
	asm volatile("mov %0, %%db0; mov %1, %%db6; mov %2, %%db7"
		     : : "r" (frame.eip + 1), "r" (0), "r" (1));
	launch(&frame);
	asm volatile("mov %%db6, %0; mov %1, %%db7" : "=&r" (dr6) : "r" (0));
	EXPECT_EQ(landed.vector, DB);
	EXPECT_EQ(landed.eip, frame.eip + 1);
	EXPECT_EQ(dr6 & (DR6_BS | 1), 1);
}

/*
 * Virtual 8086 mode, where there is one: HLT, which is the kernel's to emulate.  Where
 * there is none the first instruction faults alike, whatever it is.
 */
static void t_vm86(void)
{
	struct trap_frame frame = context((const void *)VM86_IP, true);
	void *pde = entry_of(space, 0, 1);
	u64 was = entry_read(space, pde);
	u32 i;

	memset((void *)(VM86_CS * 16 + VM86_IP), 0xf4, 1);
	entry_set(space, pde, was | PTE_U, VMI_PAGE_CURRENT_AS | VMI_PAGE_PD);
	flush_tlb();
	frame.cs = VM86_CS;
	frame.ss = 0x700;
	frame.esp = 0xf00;
	frame.eflags |= EFLAGS_VM;
	launch(&frame);
	EXPECT_EQ(landed.vector, GP);
	EXPECT_EQ(landed.error, 0);
	EXPECT_EQ(landed.eip, VM86_IP);
	EXPECT_EQ(landed.cs, VM86_CS);
	EXPECT_EQ(landed.eflags & ~EFLAGS_RF, EFLAGS_VM | 2);
	EXPECT_EQ(landed.esp, 0xf00);
	EXPECT_EQ(landed.ss, 0x700);
	for (i = 0; i < ARRAY_SIZE(launched_segments); i++)
		EXPECT_EQ(read32(TRAP_STACK_TOP - sizeof(launched_segments) + 4 * i),
			  launched_segments[i]);
	entry_set(space, pde, was, VMI_PAGE_CURRENT_AS | VMI_PAGE_PD);
	flush_tlb();
}

static const struct test tests[] = {
	{ "INS, OUTS of the kernel", t_kernel_bytes },
	{ "the same of 32 bits", t_kernel_words },
	{ "the same after a return that faulted", t_after_fault },
	{ "a user's ports by bitmap", t_user },
	{ "INS, OUTS of a user", t_user_strings },
	{ "single step over ports", t_step_ports },
	{ "single step over system instructions", t_step_system },
	{ "breakpoint behind a port's access", t_breakpoint },
	{ "return to virtual 8086 mode", t_vm86 },
	{ }
};

const struct suite suites[] = {
	{ "ports", NULL, tests },
	{ }
};
