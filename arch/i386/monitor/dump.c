// SPDX-License-Identifier: GPL-2.0-only
/* The end: dumps worth reading, counters, and leaving the machine. */
#include "mon.h"
#include "exit.h"

/* Names of what is counted, by the numbers of GetOpCount. */
static const char * const names[VMI_HOST_COUNTERS + C_NR + HC_OWN] = {
#define NAME(nr, id, name, type, group, in, out, native) [nr] = name,
	VMI_OPS(NAME)
#define KIND(id, name) [VMI_HOST_COUNTERS + C_##id] = name,
	COUNTERS(KIND)
#define OWN(hc) [VMI_HOST_COUNTERS + C_NR + HC_##hc - HC_INIT]
	OWN(INIT) = "calls: vmi_init",
	OWN(ENABLE) = "calls: held interrupts to deliver",
	OWN(IRET) = "calls: IRET with a held interrupt, open ports, or to an LDT's stack",
	OWN(BY_INT) = "calls: timing INT", OWN(BY_CALL) = "calls: timing far calls",
	OWN(CHOOSE) = "calls: INT or far call", OWN(FILL) = "calls: IRET behind a page fault",
};

const char *counter_name(u32 nr)
{
	return nr < ARRAY_SIZE(names) && names[nr] ? names[nr] : "";
}

/**
 * counter - hypercalls by number, and from VMI_HOST_COUNTERS on all else
 *
 * Return: how often, on all CPUs; 0 for a number that is not counted.
 */
u64 counter(struct vcpu *vcpu, u32 nr)
{
	u32 call = nr < VMI_HOST_COUNTERS ? nr : nr - VMI_HOST_COUNTERS - C_NR + HC_INIT, c;
	u64 n = 0;

	for (c = 0; c < vcpu_count(vcpu); c++) {
		if (nr - VMI_HOST_COUNTERS < C_NR)
			n += vcpu_nr(vcpu, c)->count[nr - VMI_HOST_COUNTERS];
		else if (call < HC_SLOTS)
			n += vcpu_nr(vcpu, c)->hypercalls[call];
	}
	return n;
}

void machine_exit(u32 code)
{
	outl(EXIT_PORT, code);
	mprintf("monitor: end, status %x\n", code);
	for (;;)
		asm volatile("cli\n\thlt");
}

void dump_counters(void)
{
	struct vcpu *vcpu = this_vcpu();
	u32 nr;

	console_screen = false;	/* too long for it: what matters would scroll away */
	mprintf("monitor: counts\n");
	for (nr = 0; nr < ARRAY_SIZE(names); nr++)
		if (names[nr] && counter(vcpu, nr))
			mprintf("%12lu %s\n", counter(vcpu, nr), names[nr]);
	console_screen = true;
}

static void dump_banks(void)
{
	u64 n, status, address;
	u32 i;

	/* A device may have the vector, on a processor without any. */
	if (!read_msr_safe(MSR_MCG_CAP, &n))
		return;
	for (i = 0; i < (n & 0xff); i++) {
		if (!read_msr_safe(MSR_MC_STATUS(i), &status) || !(status >> 63))
			continue;
		if (!read_msr_safe(MSR_MC_STATUS(i) + 1, &address))
			address = 0;
		mprintf("bank %u status %016lx address %016lx\n", i, status, address);
	}
}

static void dump_regs(struct regs *regs)
{
	struct vcpu *vcpu = this_vcpu();

	if (regs->vec == X_MC)
		dump_banks();
	mprintf("vector %lu error %lx\n", regs->vec, regs->err);
	mprintf("eip %08lx cs %04lx eflags %08lx esp %08lx ss %04lx\n",
		regs->ip, regs->cs, regs->flags, regs->sp, regs->ss);
	mprintf("eax %08lx ebx %08lx ecx %08lx edx %08lx\n", regs->ax, regs->bx, regs->cx,
		regs->dx);
	mprintf("esi %08lx edi %08lx ebp %08lx\n", regs->si, regs->di, regs->bp);
	mprintf("ds %04x es %04x fs %04x gs %04x cr2 %016lx\n", get_sreg(vcpu, regs, 3),
		get_sreg(vcpu, regs, 0), get_sreg(vcpu, regs, 4), get_sreg(vcpu, regs, 5),
		read_cr2());
}

static void dump_words(struct vcpu *vcpu, const char *what, u32 gva, u32 n, u32 size)
{
	u32 i, w = 0;

	mprintf("%s", what);
	for (i = 0; i < n && guest_read(vcpu, gva + i * size, &w, size); i++) {
		mprintf(size == 1 || i % 8 ? " " : "\n  ");
		mprintf(size == 1 ? "%02x" : "%08x", w);
	}
	mprintf("\n");
}

static void dump_guest(struct vcpu *vcpu, struct regs *regs)
{
	u32 i, ip = seg_base(vcpu, regs->cs) + regs->ip;

	mprintf("cpu %u, ring %lu, %s\n", vcpu->id, regs->cs & 3, vcpu->vmi ? "after vmi_init" :
		"before vmi_init (does this kernel know VMI?)");
	dump_regs(regs);
	mprintf("guest: cr0 %08x cr2 %08x cr3 %08x cr4 %08x efer %lx if %u\n",
		vcpu->cr0, vcpu->sh->cr2, vcpu->cr3, vcpu->cr4, vcpu->efer, vcpu->sh->vif >> 9);
	mprintf("guest: gdt %08x/%04x idt %08x/%04x ldt %04x tr %04x esp0 %04x:%08x\n",
		vcpu->gdt.base, vcpu->gdt.limit, vcpu->idt.base, vcpu->idt.limit, vcpu->ldt,
		vcpu->tr, vcpu->sh->ss0, vcpu->sh->esp0);
	dump_words(vcpu, "code:", ip, 16, 1);
	dump_words(vcpu, "stack:", stack_lin(vcpu, regs->ss, regs->sp), 32, 4);
	console_screen = false;
	mprintf("last calls, the latest first:\n");
	for (i = 0; i < TRACE_LEN && i < vcpu->trace_pos; i++) {
		u32 n = (vcpu->trace_pos - 1 - i) % TRACE_LEN, nr = vcpu->trace[n].nr;

		if (nr >= HC_INIT)
			nr += VMI_HOST_COUNTERS + C_NR - HC_INIT;
		mprintf("  %3u %s %08x %08x %08x\n", nr, counter_name(nr),
			vcpu->trace[n].ax, vcpu->trace[n].dx, vcpu->trace[n].cx);
	}
	dump_counters();
}

/* A dump that faults ends there, with the status of what it is about. */
static void end_once(u32 status, const char *why)
{
	static u32 before;

	if (before) {
		mprintf("\n*** in the dump: %s\n", why);
		machine_exit(before);
	}
	before = status;
}

/* A word of the monitor's own stack, if there is one. */
static bool peek(u64 at, u64 *word)
{
	bool ok;

	MAY_FAULT(ok, "movq (%2), %1", , "=r" (*word) : "r" (at));
	return ok;
}

/**
 * stop_guest - the guest cannot go on: say why, and with what in its registers
 */
void stop_guest(struct vcpu *vcpu, struct regs *regs, const char *why)
{
	static const struct {
		const char *what;
		u32 status;
	} endings[] = {
		[END_STOPPED] = { "guest stopped", EXIT_STOPPED },
		[END_REFUSED] = { "cannot boot", EXIT_REFUSED },
		[END_HALTED] = { "guest halted", EXIT_HALTED },
	};

	smp_stop_others();
	end_once(endings[vcpu->ending].status, why);
	mprintf("\n*** %s: %s\n", endings[vcpu->ending].what, why);
	if (vcpu->ending == END_STOPPED)
		dump_guest(vcpu, regs);
	machine_exit(endings[vcpu->ending].status);
}

void refuse(const char *why, ...)
{
	va_list ap;

	mprintf("\n*** cannot boot: ");
	va_start(ap, why);
	vmprintf(why, ap);
	va_end(ap);
	mprintf("\n");
	machine_exit(EXIT_REFUSED);
}

void panic(struct regs *regs, const char *why)
{
	u64 word;
	u32 i;

	smp_stop_others();
	end_once(EXIT_PANIC, why);
	mprintf("\n*** monitor stopped: %s\n", why);
	dump_regs(regs);
	mprintf("stack:");
	for (i = 0; i < 24 && !(regs->cs & 3) && peek(regs->sp + 8 * i, &word); i++)
		mprintf("%s%016lx", i % 4 ? " " : "\n  ", word);
	mprintf("\n");
	machine_exit(EXIT_PANIC);
}
