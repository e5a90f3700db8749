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
u64 counter(struct vcpu *v, u32 nr)
{
	u32 call = nr < VMI_HOST_COUNTERS ? nr : nr - VMI_HOST_COUNTERS - C_NR + HC_INIT, c;
	u64 n = 0;

	for (c = 0; c < vcpu_count(v); c++) {
		if (nr - VMI_HOST_COUNTERS < C_NR)
			n += vcpu_nr(v, c)->count[nr - VMI_HOST_COUNTERS];
		else if (call < HC_SLOTS)
			n += vcpu_nr(v, c)->hypercalls[call];
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
	struct vcpu *v = this_vcpu();
	u32 nr;

	console_screen = false;	/* too long for it: what matters would scroll away */
	mprintf("monitor: counts\n");
	for (nr = 0; nr < ARRAY_SIZE(names); nr++)
		if (names[nr] && counter(v, nr))
			mprintf("%12lu %s\n", counter(v, nr), names[nr]);
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

static void dump_regs(struct regs *r)
{
	struct vcpu *v = this_vcpu();

	if (r->vec == X_MC)
		dump_banks();
	mprintf("vector %lu error %lx\n", r->vec, r->err);
	mprintf("eip %08lx cs %04lx eflags %08lx esp %08lx ss %04lx\n",
		r->ip, r->cs, r->flags, r->sp, r->ss);
	mprintf("eax %08lx ebx %08lx ecx %08lx edx %08lx\n", r->ax, r->bx, r->cx, r->dx);
	mprintf("esi %08lx edi %08lx ebp %08lx\n", r->si, r->di, r->bp);
	mprintf("ds %04x es %04x fs %04x gs %04x cr2 %016lx\n", get_sreg(v, r, 3),
		get_sreg(v, r, 0), get_sreg(v, r, 4), get_sreg(v, r, 5), read_cr2());
}

static void dump_words(struct vcpu *v, const char *what, u32 lin, u32 n, u32 size)
{
	u32 i, w = 0;

	mprintf("%s", what);
	for (i = 0; i < n && guest_read(v, lin + i * size, &w, size); i++) {
		mprintf(size == 1 || i % 8 ? " " : "\n  ");
		mprintf(size == 1 ? "%02x" : "%08x", w);
	}
	mprintf("\n");
}

static void dump_guest(struct vcpu *v, struct regs *r)
{
	u32 i, ip = seg_base(v, r->cs) + r->ip;

	mprintf("cpu %u, ring %lu, %s\n", v->id, r->cs & 3, v->vmi ? "after vmi_init" :
		"before vmi_init (does this kernel know VMI?)");
	dump_regs(r);
	mprintf("guest: cr0 %08x cr2 %08x cr3 %08x cr4 %08x efer %lx if %u\n",
		v->cr0, v->sh->cr2, v->cr3, v->cr4, v->efer, v->sh->vif >> 9);
	mprintf("guest: gdt %08x/%04x idt %08x/%04x ldt %04x tr %04x esp0 %04x:%08x\n",
		v->gdt.base, v->gdt.limit, v->idt.base, v->idt.limit, v->ldt, v->tr,
		v->sh->ss0, v->sh->esp0);
	dump_words(v, "code:", ip, 16, 1);
	dump_words(v, "stack:", stack_lin(v, r->ss, r->sp), 32, 4);
	console_screen = false;
	mprintf("last calls, the latest first:\n");
	for (i = 0; i < TRACE_LEN && i < v->trace_pos; i++) {
		u32 n = (v->trace_pos - 1 - i) % TRACE_LEN, nr = v->trace[n].nr;

		if (nr >= HC_INIT)
			nr += VMI_HOST_COUNTERS + C_NR - HC_INIT;
		mprintf("  %3u %s %08x %08x %08x\n", nr, counter_name(nr),
			v->trace[n].ax, v->trace[n].dx, v->trace[n].cx);
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
void stop_guest(struct vcpu *v, struct regs *r, const char *why)
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
	end_once(endings[v->ending].status, why);
	mprintf("\n*** %s: %s\n", endings[v->ending].what, why);
	if (v->ending == END_STOPPED)
		dump_guest(v, r);
	machine_exit(endings[v->ending].status);
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

void panic(struct regs *r, const char *why)
{
	u64 word;
	u32 i;

	smp_stop_others();
	end_once(EXIT_PANIC, why);
	mprintf("\n*** monitor stopped: %s\n", why);
	dump_regs(r);
	mprintf("stack:");
	for (i = 0; i < 24 && !(r->cs & 3) && peek(r->sp + 8 * i, &word); i++)
		mprintf("%s%016lx", i % 4 ? " " : "\n  ", word);
	mprintf("\n");
	machine_exit(EXIT_PANIC);
}
