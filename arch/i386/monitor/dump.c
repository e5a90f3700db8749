// SPDX-License-Identifier: GPL-2.0-only
/* The end: dumps worth reading, counters, and leaving the machine. */
#include "mon.h"

#define EXIT_PORT	0xf4	/* QEMU's isa-debug-exit, where there is one */
#define EXIT_STOPPED	0x20
#define EXIT_PANIC	0x21

static const char * const counter_names[C_NR] = {
	[C_SHADOW_FILL] = "shadow fills",
	[C_SHADOW_RESET] = "shadow resets",
	[C_PF_GUEST] = "page faults for the guest",
	[C_EXCEPTION] = "exceptions and interrupts delivered",
	[C_SOFT_INT] = "software interrupts",
	[C_IRQ] = "interrupts",
	[C_IRQ_HELD] = "interrupts held back",
	[C_IRET_FINISHED] = "IRETs finished",
	[C_EMUL_FLAGS] = "emulated CLI, STI",
	[C_EMUL_CR] = "emulated control registers",
	[C_EMUL_DT] = "emulated descriptor tables",
	[C_EMUL_MSR] = "emulated MSRs",
	[C_EMUL_SEG] = "emulated SS loads",
	[C_EMUL_FAR] = "emulated far transfers",
	[C_EMUL_IRET] = "emulated IRETs",
	[C_EMUL_HLT] = "emulated HLTs",
	[C_EMUL_IO] = "emulated port accesses",
	[C_EMUL_TLB] = "emulated INVLPGs",
	[C_EMUL_APIC] = "emulated APIC stores",
	[C_EMUL_OTHER] = "emulated, other",
	[C_REFUSED_FRAME] = "frames refused",
};

static const char * const call_names[HC_SLOTS] = {
#define NAME(nr, id, name, type, group, in, out, native) [nr] = name,
	VMI_OPS(NAME)
	[HC_INIT] = "vmi_init",
	[HC_ENABLE] = "EnableInterrupts",
	[HC_IRET] = "IRET",
	[HC_BY_INT] = "timed INT",
	[HC_BY_CALL] = "timed far call",
	[HC_CHOOSE] = "vmi_init, INT or far call",
};

void machine_exit(u32 code)
{
	outl(EXIT_PORT, code);
	for (;;)
		asm volatile("cli\n\thlt");
}

void dump_counters(void)
{
	u32 i, c;
	u64 n;

	mprintf("monitor: counts\n");
	for (i = 0; i < C_NR; i++) {
		for (n = c = 0; c < nr_cpus; c++)
			n += vcpus[c]->count[i];
		if (n)
			mprintf("%12lu %s\n", n, counter_names[i]);
	}
	for (i = 0; i < HC_SLOTS; i++) {
		for (n = c = 0; c < nr_cpus; c++)
			n += vcpus[c]->hypercalls[i];
		if (n)
			mprintf("%12lu call %u %s\n", n, i,
				call_names[i] ? call_names[i] : "?");
	}
}

static void dump_regs(struct regs *r)
{
	mprintf("vector %lu error %lx\n", r->vec, r->err);
	mprintf("eip %08lx cs %04lx eflags %08lx esp %08lx ss %04lx\n",
		r->ip, r->cs, r->flags, r->sp, r->ss);
	mprintf("eax %08lx ebx %08lx ecx %08lx edx %08lx\n", r->ax, r->bx, r->cx, r->dx);
	mprintf("esi %08lx edi %08lx ebp %08lx\n", r->si, r->di, r->bp);
	mprintf("ds %04x es %04x fs %04x gs %04x cr2 %016lx\n", get_sreg(r, 3),
		get_sreg(r, 0), get_sreg(r, 4), get_sreg(r, 5), read_cr2());
}

static void dump_words(struct vcpu *v, const char *what, u32 lin, u32 n, u32 size)
{
	u32 i, w = 0;

	mprintf("%s", what);
	for (i = 0; i < n && guest_read(v, lin + i * size, &w, size); i++) {
		if (size == 1)
			mprintf(" %02x", w);
		else
			mprintf("%s%08x", i % 8 ? " " : "\n  ", w);
	}
	mprintf("\n");
}

/**
 * stop_guest - the guest cannot go on: say why, and with what in its registers
 */
void stop_guest(struct vcpu *v, struct regs *r, const char *why)
{
	u32 i, ip = seg_base(v, r->cs) + r->ip;

	mprintf("\n*** guest stopped: %s\n", why);
	mprintf("cpu %u, ring %lu, %s\n", v->id, r->cs & 3, v->vmi ? "after vmi_init" :
		"before vmi_init");
	dump_regs(r);
	mprintf("guest: cr0 %08x cr2 %08x cr3 %08x cr4 %08x efer %lx if %u\n",
		v->cr0, v->sh->cr2, v->cr3, v->cr4, v->efer, v->sh->vif >> 9);
	mprintf("guest: gdt %08x/%04x idt %08x/%04x ldt %04x tr %04x kernel stack %04x:%08x\n",
		v->gdt.base, v->gdt.limit, v->idt.base, v->idt.limit, v->ldt, v->tr,
		v->sh->ss0, v->sh->esp0);
	dump_words(v, "code:", ip, 16, 1);
	dump_words(v, "stack:", stack_lin(v, r->ss, r->sp), 32, 4);
	mprintf("last calls, the latest first:\n");
	for (i = 0; i < TRACE_LEN && i < v->trace_pos; i++) {
		u32 n = (v->trace_pos - 1 - i) % TRACE_LEN, nr = v->trace[n].nr;

		mprintf("  %3u %s %08x %08x %08x\n", nr, call_names[nr] ? call_names[nr] : "?",
			v->trace[n].ax, v->trace[n].dx, v->trace[n].cx);
	}
	dump_counters();
	machine_exit(EXIT_STOPPED);
}

/* The monitor cannot go on. */
void panic(struct regs *r, const char *why)
{
	u32 i;

	mprintf("\n*** monitor stopped: %s\n", why);
	if (r) {
		dump_regs(r);
		mprintf("stack:");
		if (!(r->cs & 3))
			for (i = 0; i < 24; i++)
				mprintf("%s%016lx", i % 4 ? " " : "\n  ", ((u64 *)r->sp)[i]);
		mprintf("\n");
	}
	machine_exit(EXIT_PANIC);
}
