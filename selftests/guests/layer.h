/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest on the layer: it does at its start what a kernel does (find a ROM,
 * check it, ask it, rewrite the sites, all with vmi/'s own code) and then runs
 * its tests, on whatever the ROM made of them.  Natively the sites stay.
 */
#ifndef _LAYER_H
#define _LAYER_H

#include <linux/compiler.h>

#include "guest.h"

/* What the layer's headers want from a kernel. */
#define APIC_BASE	0xfee00000u
#define BUG()		__builtin_trap()
static inline void x86_idle_clear_cpu_buffers(void) {}
static inline void native_halt(void)
{
	asm volatile("hlt");
}

/* Where Linux pins some of the bits. */
void native_write_cr0(unsigned long val);
void native_write_cr4(unsigned long val);

#include <asm/vmi/patch.h>
#include <asm/vmi/apic.h>
#include <asm/vmi/cpuid.h>
#include <asm/vmi/debugreg.h>
#include <asm/vmi/io.h>
#include <asm/vmi/irqflags.h>
#include <asm/vmi/msr.h>
#include <asm/vmi/special_insns.h>

/* Tests: a guest has a list of suites; a row without a name ends a list. */
struct test {
	const char *name;
	void (*run)(void);
};

struct suite {
	const char *name;
	void (*prepare)(void);
	const struct test *tests;
};

extern const struct suite suites[];
extern const char *guest_cmdline;

/* Where we are: 1 on the monitor, 0 elsewhere; and what get_reloc answered. */
extern u32 ring;
extern bool patched;
extern struct vmi_reloc relocs[VMI_NR_OPS];

/* A frame for launch(): eip, and USER_CS or KERNEL_CS with flat segments. */
struct trap_frame context(const void *eip, bool user);

/* Enter a context; back with the frame of the trap that ended it. */
void launch(const struct trap_frame *frame);
extern const u32 launched_segments[4];	/* ES, DS, FS, GS behind it, with EFLAGS.VM */
void launch_by_sysexit(const void *eip, u32 esp);
extern struct trap_frame landed;

/* Sees every trap first, true if it dealt with it; may change the frame. */
extern bool (*on_trap)(struct trap_frame *frame);

/* Code to launch, layer-entry.S; a user sees it at its own address. */
extern const char stubs[], stubs_end[], stub_read[], stub_write[], stub_call[];
extern const char stub_end[], stub_in[], stub_step[], stub_int[], stub_int3[];
extern const char stub_rdtsc[], stub_spin[], stub_fpu[], stub_cli[], stub_stac[];
extern const char stub_rdmsr[], stub_wrmsr[], stub_rdpmc[], stub_set_cr4[];
extern const char stub_set_ldt[], stub_set_tr[], stub_fs[], stub_insb[], stub_outsb[];
extern const char stub_insl[], stub_outsl[], stub_tables[], stub_cpuid[], stub_smsw[];
extern const char stub_cr0[], stub_far[], stub_bare_iret[];
const void *user_stub(const char *stub);

/* A fault at a site, or in the ROM's routine for it: docs/abi.md, "Exceptions". */
bool fault_at(const char *site, u32 vector);

/* A word of the page that the ROM shares with its host, where that has a ring for us. */
u32 *shared_word(u32 offset);

void set_idt_gate(u32 vector, u32 type_dpl);	/* upper half's bits 15..8 */
#define GATE_KERNEL	0x8e
#define GATE_USER	0xee
#define TRAP_GATE_USER	0xef

/* Operations that Linux has no header of ours for. */
#define WRITE_DESC(id, table, index, desc)				\
	asm_inline volatile(VMI_THUNK("movl %[c],(%[a],%[b],8); "	\
				      "movl %[d],4(%[a],%[b],8)",	\
				      VMI_ARGS4("%[a]", "%[b]", "%[c]", "%[d]"), \
				      VMI_DROP1, VMI_RESTORE)		\
			    : : VMI_OPERAND(id), [a] "r" (table),	\
				[b] "r" (index), [c] "r" ((u32)(desc)),	\
				[d] "r" ((u32)((u64)(desc) >> 32)) : "memory")

static inline void set_gdt(const struct descriptor_pointer *pointer)
{
	VMI_DO1(SET_GDT, VMI_PAD2 "lgdt (%[a])", pointer);
}

static inline void get_gdt(struct descriptor_pointer *pointer)
{
	VMI_DO1(GET_GDT, VMI_PAD2 "sgdt (%[a])", pointer);
}

static inline void set_idt(const struct descriptor_pointer *pointer)
{
	VMI_DO1(SET_IDT, VMI_PAD2 "lidt (%[a])", pointer);
}

static inline void get_idt(struct descriptor_pointer *pointer)
{
	VMI_DO1(GET_IDT, VMI_PAD2 "sidt (%[a])", pointer);
}

static inline void set_ldt(u32 selector)
{
	VMI_DO1(SET_LDT, VMI_PAD2 "lldt %w[a]", selector);
}

static inline u32 get_ldt(void)
{
	return VMI_GET(GET_LDT, VMI_PAD2 "sldt %[val]");
}

static inline void set_tr(u32 selector)
{
	VMI_DO1(SET_TR, VMI_PAD2 "ltr %w[a]", selector);
}

static inline u32 get_tr(void)
{
	return VMI_GET(GET_TR, VMI_PAD2 "str %[val]");
}

static inline void clts(void)
{
	VMI_DO0(CLTS, VMI_PAD3 "clts");
}

static inline void set_interrupt_mask(u32 flags)
{
	asm_inline volatile(VMI_DIRECT(VMI_PAD3 "push %%eax; popf")
			    : "+a" (flags)
			    : VMI_OPERAND(SET_INTERRUPT_MASK) : "memory", "cc");
}

static inline u64 rdmsr(u32 msr)
{
	u64 value;

	asm volatile(VMI_INSN("rdmsr") : "=A" (value) : "c" (msr) VMI_ALSO(RDMSR));
	return value;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile(VMI_INSN("wrmsr") : : "A" (value), "c" (msr) VMI_ALSO(WRMSR)
		     : "memory");
}

static inline u64 rdtsc(void)
{
	u64 value;

	asm volatile(VMI_INSN("rdtsc") : "=A" (value) VMI_ONLY(RDTSC));
	return value;
}

void update_kernel_stack(u32 ss, u32 esp);
void flush_tlb(void);
void flush_global(void);
void inval_page(u32 addr);
void flush_range(u32 addr, u32 pages);

#define TRAP_STACK_TOP	((u32)ring0_stack_top)
extern char ring0_stack_top[];

#endif /* _LAYER_H */
