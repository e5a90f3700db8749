// SPDX-License-Identifier: GPL-2.0-only
/* What the guest does to the machine under the monitor: ports, caches, processors. */
#include <asm/vmi/abi.h>

#include "hostile.h"

#define LINT0		0x350
#define EXTINT		0x700
#define MSR_PAT		0x277
#define CPUID_PAT	0x10000
#define ICW1		0x11u

/* OUT of each size, and OUTS. */
static void out(u16 port, u32 size, u32 val)
{
	if (size == 1)
		asm volatile("outb %b0, %1" : : "a" (val), "d" (port));
	else if (size == 2)
		asm volatile("outw %w0, %1" : : "a" (val), "d" (port));
	else
		asm volatile("outl %0, %1" : : "a" (val), "d" (port));
}

static void outs(u16 port, u32 size, u32 val)
{
	u32 *from = &val, n = 1;

	if (size == 1)
		asm volatile("rep outsb" : "+S" (from), "+c" (n) : "d" (port), "m" (val));
	else if (size == 2)
		asm volatile("rep outsw" : "+S" (from), "+c" (n) : "d" (port), "m" (val));
	else
		asm volatile("rep outsl" : "+S" (from), "+c" (n) : "d" (port), "m" (val));
}

/* @val to one port, as part of an access of @size that begins @before it. */
static void out_to(u16 port, u8 val, u32 size, u32 before, bool string)
{
	(string ? outs : out)(port - before, size, (u32)val << 8 * before);
}

/* The monitor masks LINT0 while an 8259 is being initialized, if it notices. */
static bool notices_8259(u32 size, u32 before, bool string)
{
	bool noticed;

	write32(LAPIC + LINT0, EXTINT);
	out_to(0x20, ICW1, size, before, string);
	noticed = read32(LAPIC + LINT0) & LVT_MASKED;
	outb(0x21, 0x20);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0x21, 0xff);
	return noticed;
}

static bool pic_sizes(void)
{
	u32 size, before;

	write32(LAPIC + 0xf0, 0x1ff);
	for (size = 1; size <= 4; size *= 2)
		for (before = 0; before < size; before++)
			if (!notices_8259(size, before, false) ||
			    !notices_8259(size, before, true))
				return false;
	return true;
}

/* Whatever the page that is shared with the monitor says. */
static bool pic_shared_page(void)
{
	static u16 page[2048], odd[2048];
	u32 pattern, i;
	bool ok = true;

	if (!rom_slots)
		return true;
	write32(LAPIC + 0xf0, 0x1ff);
	memcpy(page, (void *)rom_shared, sizeof(page));
	for (pattern = 0; pattern < 0x10000 && ok; pattern += 0x80) {
		for (i = 0; i < ARRAY_SIZE(odd); i++)
			odd[i] = pattern;
		memcpy((void *)rom_shared, odd, sizeof(odd));
		ok = notices_8259(1, 0, false) && notices_8259(1, 0, true);
		/* An interrupt takes the flags that it returns with from there. */
		asm volatile("push $0; popf");
		memcpy((void *)rom_shared, page, sizeof(page));
	}
	return ok;
}

/* Without address line 20 the second megabyte is the first. */
static bool a20_is_on(void)
{
	u32 low = 0x500, high = ARENA + 0x100500, i;

	for (i = 1; i < 3; i++) {
		write32(ARENA + low, i);
		write32(high, ~i);
		if (read32(ARENA + low) != i)
			return false;
	}
	return true;
}

/* Every width of access and every order of commands that could switch it off. */
static bool a20(void)
{
	u32 size, before, string;

	for (size = 1; size <= 4; size *= 2) {
		for (before = 0; before < size; before++) {
			for (string = 0; string < 2; string++) {
				out_to(0x92, 0, size, before, string);
				if (!a20_is_on())
					return false;
				out_to(0x64, 0xdd, size, before, string);
				if (!a20_is_on())
					return false;
				outb(0x64, 0xd1);
				out_to(0x60, 0xdd, size, before, string);
				if (!a20_is_on())
					return false;
			}
		}
	}
	outb(0x64, 0xd1);
	outb(0x64, 0xaa);	/* of no bytes: the first command still waits */
	outb(0x60, 0xdd);
	outb(0x64, 0xfd);	/* a pulse of that line alone */
	return a20_is_on();
}

/* Types of memory: those with which the monitor maps its own are not to change. */
static void write_pat(u32 low, u32 high)
{
	asm volatile("wrmsr" : : "c" (MSR_PAT), "a" (low), "d" (high));
}

static bool pat(void)
{
	u32 eax = 1, ebx, ecx, edx, type;

	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "=c" (ecx), "=d" (edx));
	if (!(edx & CPUID_PAT))
		return true;
	for (type = 0; type < 8; type++) {
		if (type != 6 && !traps(write_pat, 0x00070400 | type, 0x00070406))
			return false;
		if (type && !traps(write_pat, 0x00070406 | type << 24, 0x00070406))
			return false;
	}
	/* The other six are its own. */
	return !traps(write_pat, 0x00010506, 0x04050601) &&
	       !traps(write_pat, 0x00070406, 0x00070406);
}

/*
 * A processor whose start state has EFER.NX, with its descriptors in a page that must
 * not be executed.  Where there is no NX that is a reserved bit.
 */
static volatile u32 ap_runs;
asm(".pushsection .text; ap_nx_start: incl ap_runs; 1: cli; hlt; jmp 1b; .popsection");
extern char ap_nx_start[];

static void icr_to_1(u32 command)
{
	hypercall(VMI_OP_APIC_WRITE, LAPIC + 0x310, 1 << 24, 0);
	hypercall(VMI_OP_APIC_WRITE, LAPIC + 0x300, command, 0);
}

static bool ap_efer(void)
{
	static struct vmi_ap_state state;
	u64 *root = (u64 *)ARENA, *pd = (u64 *)(ARENA + 0x1000);
	u32 table = ARENA + 0x200000, i;

	if (!rom_slots || option("smp", 1) < 2)
		return true;
	memset(root, 0, 0x2000);
	root[0] = (u32)pd | PTE_P;
	for (i = 0; i < 16; i++)
		pd[i] = i << 21 | PTE_PS | PTE_P | PTE_W | PTE_AD;
	pd[table >> 21] |= 1ull << 63;
	memcpy((void *)table, gdt, GDT_SIZE);
	state = (struct vmi_ap_state) {
		.cr0 = 0x80010011, .cr3 = (u32)root, .cr4 = CR4_PAE, .efer = 0x800,
		.gdtr_limit = GDT_SIZE - 1, .gdtr_base = table, .eip = (u32)ap_nx_start,
		.eflags = 2, .esp = ARENA + ARENA_SIZE, .cs = KERNEL_CS, .ss = KERNEL_DS,
		.ds = KERNEL_DS, .es = KERNEL_DS,
	};
	ap_runs = 0;
	hypercall(VMI_OP_SET_INITIAL_AP_STATE, (u32)&state, 1, 0);
	icr_to_1(0x4500);
	icr_to_1(0x4600 | 8);
	for (i = 0; i < 1000 && !ap_runs; i++)
		delay_us(1000);
	icr_to_1(0x4500);
	return ap_runs;
}

/* The status of a command is not to be written: QEMU would believe it for ever. */
static bool icr_status(void)
{
	write32(LAPIC + 0x300, 0xc5000 | 0xf0);		/* to the others, maybe none */
	return !(read32(LAPIC + 0x300) & 0x1000);
}

/* IRET to virtual 8086 mode, by the instruction itself. */
static void iret_vm86(u32 cs, u32 unused)
{
	(void)unused;
	asm volatile("push $0; push $0; push $0; push $0; push $0x700; push $0xf00\n\t"
		     "push $0x20002; push %0; push $0x10; iret" : : "r" (cs));
}

static bool vm86(void)
{
	u32 cs;

	for (cs = 0x700; cs < 0x704; cs++) {
		memset((void *)(cs * 16 + 0x10), 0xf4, 1);	/* HLT */
		traps(iret_vm86, cs, 0);
	}
	return true;
}

/* The same by the ROM, with all ports for the program.  Its kernel must not have them. */
static void rom_iret_vm86(u32 flags, u32 unused)
{
	(void)unused;
	asm volatile("push $0; push $0; push $0; push $0; push $0x700; push $0xf00\n\t"
		     "push %0; push $0x703; push $0x10; jmp *%1"
		     : : "r" (flags), "r" (ROM_SLOT(HC_IRET)));
}

static bool vm86_iopl(void)
{
	u32 flags;

	if (!rom_slots)
		return true;
	traps(rom_iret_vm86, 0x23002, 0);
	asm volatile("pushf; pop %0" : "=r" (flags));
	return seen.vector == 13 && (seen.eflags & 0x23000) == 0x23000 && !(flags & 0x23000);
}

const struct hostile machine_cases[] = {
	{ "pic_sizes", pic_sizes, LIVES },
	{ "pic_shared_page", pic_shared_page, LIVES },
	{ "a20", a20, LIVES },
	{ "pat", pat, LIVES },
	{ "ap_efer", ap_efer, EITHER },
	{ "icr_status", icr_status, LIVES },
	{ "vm86", vm86, EITHER },
	{ "vm86_iopl", vm86_iopl, LIVES },
	{ NULL, NULL, LIVES }
};
