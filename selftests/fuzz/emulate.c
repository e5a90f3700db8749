// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzer of the monitor's instruction emulator (decode.c, emulate.c, segment.c).
 *
 * An input is the guest's registers, its descriptors, 64 bytes that repeat all
 * over its memory, and the bytes of one instruction.  What the instruction is
 * says a disassembler; what it does is said here again, and compared: every
 * register, every write, every call of the rest of the monitor.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "insn.h"

#define KERNEL_CS	(2 * 8 | 1)
#define USER_CS		(4 * 8 | 3)

struct vcpu *vcpus[MAX_CPUS];
u32 nr_cpus = 1;

/* The guest. */
struct vcpu vcpu;
struct shared *shared;
u64 guest_gdt[GDT_LEN];
u8 code[INSN_MAX];
u32 code_lin;
bool agree;
static u64 real_gdt[8192], real_ldt[8192];
static u8 tile[64];
static u32 hole;		/* one page of eight is missing */
static u32 fault_cs;		/* where deliver() would have pushed CS */

struct effect got, want;

struct tally tallies[] = {
	[SEEN_DONE] = { "instructions emulated", 0 },
	[SEEN_REFUSED] = { "instructions refused", 0 },
	[SEEN_LOAD] = { "operands read", 0 },
	[SEEN_STORE] = { "operands written", 0 },
	[SEEN_FAR] = { "far transfers", 0 },
	[SEEN_IRET] = { "IRETs", 0 },
	[SEEN_USER_IO] = { "ports used by programs", 0 },
	[SEEN_STACK] = { "loads of SS", 0 },
	[SEEN_CUT] = { "instructions that end in a missing page", 0 },
	[SEEN_APIC] = { "stores to the local APIC", 0 },
	[SEEN_STRING] = { "INS, OUTS", 0 },
	[SEEN_USER_TABLE] = { "tables shown to programs", 0 },
	[SEEN_STEP] = { "single steps", 0 },
	[SEEN_VM86] = { "IRETs to virtual 8086 mode", 0 },
};

static void happened(enum event event, u64 a, u64 b)
{
	EXPECT(!got.event);
	got.event = event;
	got.a = a;
	got.b = b;
}

/* The guest's memory. */
bool there(u32 lin, u32 len)
{
	u32 i;

	if ((u64)lin + len > 1UL << 32)
		return false;
	for (i = 0; i < len; i++)
		if (((lin + i) >> 12 & 7) == hole)
			return false;
	return true;
}

static u8 byte_at(u32 lin)
{
	if (lin - code_lin < sizeof(code))
		return code[lin - code_lin];
	if (lin - GDT_LIN < sizeof(guest_gdt))
		return ((u8 *)guest_gdt)[lin - GDT_LIN];
	return tile[lin % sizeof(tile)];
}

u64 value_at(u32 lin, u32 len)
{
	u64 value = 0;

	while (len--)
		value = value << 8 | byte_at(lin + len);
	return value;
}

bool guest_read(struct vcpu *v, u32 lin, void *buf, u32 len)
{
	u32 i;

	if (!there(lin, len))
		return false;
	for (i = 0; i < len; i++)
		((u8 *)buf)[i] = byte_at(lin + i);
	return true;
}

bool guest_write(struct vcpu *v, u32 lin, const void *buf, u32 len)
{
	if (!there(lin, len))
		return false;
	/* IRET to virtual 8086 mode: four segments, and CS over what deliver() pushed. */
	if (len == 16 || got.event == EV_FAULT) {
		EXPECT(len == 16 || (len == 4 && lin == fault_cs));
		got.vm86 = true;
		return true;
	}
	EXPECT(!got.written && len <= sizeof(got.bytes));
	got.written = len;
	got.to = lin;
	memcpy(got.bytes, buf, len);
	return true;
}

/* Present pages are anybody's. */
bool guest_access(struct vcpu *v, u32 lin, u32 access, u32 *pfec)
{
	*pfec = access;
	return there(lin, 1);
}

/* The rest of the monitor. */
enum outcome deliver(struct vcpu *v, struct regs *r, u32 vec, bool has_err, u32 err,
		     bool soft)
{
	if (vec == X_DB) {
		EXPECT(got.step && !has_err && !soft && !got.held);
		return DONE;
	}
	EXPECT((vec == X_GP || vec == X_PF) && has_err && !soft);
	fault_cs = stack_lin(v, r->ss, r->sp + 8);
	happened(EV_FAULT, vec, err);
	return DONE;
}

enum outcome deliver_held(struct vcpu *v, struct regs *r)
{
	EXPECT(!got.held);
	got.held = true;
	v->sh->pending = 0;
	return DONE;
}

bool rom_knows_iret(struct vcpu *v, u32 ip)
{
	return true;
}

u16 get_sreg(struct vcpu *v, struct regs *r, u32 n)
{
	u32 es, ds, fs, gs;

	asm volatile("movl %%es, %0\n\tmovl %%ds, %1\n\tmovl %%fs, %2\n\tmovl %%gs, %3"
		     : "=r" (es), "=r" (ds), "=r" (fs), "=r" (gs));
	return ((u16[]){ es, r->cs, r->ss, ds, fs, gs, 0, 0 })[n & 7];
}

void note_held(struct vcpu *v)
{
}

/* The guest halts: with interrupts open an interrupt comes at once. */
enum outcome guest_halt(struct vcpu *v, struct regs *r)
{
	v->sh->vif = FLAG_IF;
	return deliver_held(v, r);
}

enum outcome halt_closed(struct vcpu *v, struct regs *r)
{
	return stop(v, "halted with interrupts off");
}

void nmi_unblock(struct vcpu *v)
{
	got.iret = true;
}

void open_ports(struct vcpu *v)
{
}

void close_ports(struct vcpu *v)
{
}

void raise_dr6(struct vcpu *v, u32 bits)
{
	EXPECT(bits == DR6_BS && !got.step);
	got.step = true;
}

u32 port_in(u16 port, u32 size)
{
	happened(EV_IN, port, size);
	return port_value(port);
}

void port_out(u16 port, u32 size, u32 val)
{
	happened(EV_OUT, port | size << 16, val);
}

enum outcome set_cr0(struct vcpu *v, u32 val)
{
	happened(EV_CR0, val, 0);
	return DONE;
}

bool set_cr3(struct vcpu *v, u32 val)
{
	happened(EV_CR3, val, 0);
	return true;
}

bool set_cr4(struct vcpu *v, u32 val)
{
	happened(EV_CR4, val, 0);
	return agree;
}

bool set_tr(struct vcpu *v, u16 sel)
{
	happened(EV_TR, sel, 0);
	return agree;
}

void set_dr(struct vcpu *v, u32 n, u32 val)
{
	happened(EV_SET_DR, n, val);
}

u32 get_dr(struct vcpu *v, u32 n)
{
	happened(EV_GET_DR, n, 0);
	return 0xd0000000 + n;
}

bool guest_cpuid(struct vcpu *v, struct regs *r)
{
	return false;		/* so that it faults, as the reference has it */
}

bool guest_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	happened(EV_RDMSR, msr, 0);
	*val = 0x1234567800000000 + msr;
	return agree;
}

bool guest_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	happened(EV_WRMSR, msr, val);
	return agree;
}

bool write_xcr_safe(u32 nr, u64 val)
{
	happened(EV_XCR, nr, val);
	return agree;
}

void shadow_inval(struct vcpu *v, u32 lin)
{
	happened(EV_INVLPG, lin, 0);
}

u32 apic_read(u32 reg)
{
	return 0xa0000000 + reg;
}

void guest_apic_write(struct vcpu *v, u32 reg, u32 val)
{
	happened(EV_APIC, reg, val);
}

u32 port_value(u32 port)
{
	return port * 0x9e3779b1;
}

/* Privileged instructions of the monitor's own: the host's processor faults. */
static void privileged(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	u8 *ip = (u8 *)g[REG_RIP];

	(void)sig;
	(void)info;
	if (ip[0] == 0x0f && ip[1] == 0x09) {
		happened(EV_WBINVD, 0, 0);
		g[REG_RIP] += 2;
	} else if (ip[0] == 0x0f && ip[1] == 0x00 && ip[2] >> 3 == 0xd0 >> 3) {
		happened(EV_LLDT, 0, 0);
		g[REG_RIP] += 3;
	} else {
		EXPECT(!"a fault of the monitor's own");
	}
}

static void note_state(struct effect *o)
{
	o->vif = shared->vif;
	o->cr2 = shared->cr2;
	o->idt_base = vcpu.idt.base;
	o->idt_limit = vcpu.idt.limit;
	o->ldt = vcpu.ldt;
}

static void describe(const char *who, const struct effect *o)
{
	const struct regs *r = &o->r;

	fprintf(stderr, "%s: ok %d event %d(%lx, %lx) held %d wrote %u at %x\n", who, o->ok,
		o->event, o->a, o->b, o->held, o->written, o->to);
	fprintf(stderr, "  %lx:%lx ss %lx:%lx flags %lx ax %lx cx %lx dx %lx bx %lx bp %lx\n",
		r->cs, r->ip, r->ss, r->sp, r->flags, r->ax, r->cx, r->dx, r->bx, r->bp);
}

/* For who looks at a finding. */
static void describe_both(void)
{
	u32 i;

	for (i = 0; i < sizeof(code); i++)
		fprintf(stderr, " %02x", code[i]);
	fprintf(stderr, " (page %x of 8 missing)\n", hole);
	describe("want", &want);
	describe("got", &got);
}

static void compare(void)
{
	if (got.ok != want.ok || got.event != want.event ||
	    memcmp(&got.r, &want.r, sizeof(got.r)) || got.written != want.written)
		describe_both();
	EXPECT(got.ok == want.ok);
	EXPECT(got.event == want.event && got.a == want.a && got.b == want.b);
	EXPECT(!memcmp(&got.r, &want.r, sizeof(got.r)));
	if (!want.ok) {
		EXPECT(!got.written && !got.held);
		tallies[SEEN_REFUSED].count++;
		return;
	}
	tallies[SEEN_DONE].count++;
	EXPECT(got.written == want.written && got.to == want.to);
	EXPECT(!memcmp(got.bytes, want.bytes, sizeof(got.bytes)));
	EXPECT(got.held == want.held && got.vif == want.vif && got.cr2 == want.cr2);
	EXPECT(got.step == want.step && got.vm86 == want.vm86 && got.iret == want.iret);
	EXPECT(got.idt_base == want.idt_base && got.idt_limit == want.idt_limit);
	EXPECT(got.ldt == want.ldt);
}

/* Descriptors: flat ones, and what an input makes of them. */
static void make_gdt(struct input *in)
{
	static const u64 flat[GDT_LEN] = {
		[2] = 0x00cf9b000000ffff, [3] = 0x00cf93000000ffff,
		[4] = 0x00cffb000000ffff, [5] = 0x00cff3000000ffff,
		[6] = 0x000089400000206b, [7] = 0x00009200ffff0000, [8] = 0xc0409312345001ff,
		[9] = 0x000082001000003f, [10] = 0x00cf9f000000ffff,
	};
	u32 i, n = take_u8(in) % 4, at;

	memcpy(guest_gdt, flat, sizeof(flat));
	for (i = 0; i < n; i++) {
		at = 2 + take_u8(in) % (GDT_LEN - 2);
		guest_gdt[at] ^= (u64)take_u8(in) << take_u8(in) % 57;
	}
}

static void make_guest(struct input *in, struct regs *r)
{
	u32 bits = take_u8(in), i;
	u64 *reg = &r->di;

	make_gdt(in);
	agree = bits & 1;
	hole = 8;
	memset(&vcpu, 0, offsetof(struct vcpu, real_gdt));
	memset(real_gdt, 0, sizeof(real_gdt));
	memset(shared, 0, PAGE);
	vcpu.sh = vcpu.vmi_page = shared;
	vcpu.real_gdt = real_gdt;
	vcpu.real_ldt = real_ldt;
	vcpu.cr0 = 0x80010031 | (bits & 2 ? 8 : 0);
	vcpu.cr3 = 0x12345000;
	vcpu.cr4 = 0x6f0;
	vcpu.idt = (struct table_reg){ .base = 0xc0200000, .limit = 0x7ff };
	vcpu.tr = 6 * 8;
	vcpu.vmi = !(bits & 128);
	shared->cr2 = 0xdeadbee0;
	shared->vif = bits & 4 ? 0 : 0x200;
	memset(r, 0, sizeof(*r));
	code_lin = 0;
	EXPECT(load_guest_gdt(&vcpu, r, GDT_LIN, sizeof(guest_gdt) - 1));
	r->cs = bits & 8 && bits & 16 ? USER_CS : KERNEL_CS;
	r->ss = bits & 32 ? 7 * 8 | 1 : 3 * 8 | 1;
	shared->pending = 1;
	r->flags = 0x202 | (bits & 128 ? FLAG_TF : 0) | (bits & 1 ? FLAG_RF | FLAG_DF : 0);
	for (i = 0; i < 7; i++)
		reg[i] = take_u32(in);
	r->sp = take_u32(in);
	r->ip = take_u32(in);
	if (bits & 64)
		r->ip |= 0xff0;
	take(in, tile, sizeof(tile));
	take(in, code, sizeof(code));
	code_lin = ref_base(ref_desc(r->cs)) + r->ip;
	hole = take_u8(in) % 16;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static u8 page[PAGE * SH_PAGES] __aligned(4096);
	struct sigaction act = { .sa_sigaction = privileged, .sa_flags = SA_SIGINFO | SA_NODEFER };

	(void)argc;
	(void)argv;
	shared = (struct shared *)page;
	vcpus[0] = &vcpu;
	EXPECT(!sigaction(SIGSEGV, &act, NULL));
	tally_at_exit(tallies, ARRAY_SIZE(tallies));
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct regs r, before;
	enum outcome done;
	bool apic, comparable;
	u32 lin;

	make_guest(&in, &r);
	apic = take_u8(&in) % 4 == 3;
	lin = LAPIC_PAGE + take_u8(&in) * 16;
	before = r;
	memset(&got, 0, sizeof(got));
	memset(&want, 0, sizeof(want));
	note_state(&want);
	/* It runs, so it has a code segment and a stack. */
	if (!(r.cs == KERNEL_CS ? ref_kernel_code(r.cs) : ref_program_code(r.cs)) ||
	    !ref_stack(r.ss, 1))
		return 0;
	/* 16-bit code is refused, whatever it is. */
	if (!(ref_desc(r.cs) >> 54 & 1)) {
		EXPECT(emulate(&vcpu, &r) == FAULT && !memcmp(&r, &before, sizeof(r)));
		return 0;
	}
	done = apic ? emulate_apic_store(&vcpu, &r, lin) : emulate(&vcpu, &r);
	got.ok = done != FAULT;
	if (done == STOP)
		happened(EV_STOP, 0, 0);
	got.r = got.event == EV_STOP ? before : r;
	note_state(&got);
	comparable = expected(&before, apic, lin);
	if (want.event == EV_STOP)
		want.r = before;
	if (comparable)
		compare();
	return 0;
}

