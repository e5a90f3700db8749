// SPDX-License-Identifier: GPL-2.0-only
/* The other processors: found in the ACPI tables, started, parked for the guest. */
#include "mon.h"

#define AP_PAGE		0x8000		/* real-mode page; free again afterwards */

extern u32 ap_cr3, ap_efer, ap_far;
extern char ap_gdt[], ap_gdt_ptr[], ap_long[];
extern u64 ap_stack;

static u32 ap_ids[MAX_CPUS], nr_aps, left_out;
static struct vcpu *stopper;	/* who ends the machine */

/* Entries of the MADT: a processor's, by the number of its local APIC. */
struct madt_apic {
	u8 type, length, uid, id;
	u32 flags;
} __packed;

struct madt_x2apic {
	u8 type, length;
	u16 reserved;
	u32 id, flags;
} __packed;

enum { MADT_APIC, MADT_X2APIC = 9, MADT_RESERVED = 0x7f };
#define MADT_ENABLED	BIT(0)

/* Is there a processor in this entry?  Its local APIC; all ones if it is switched off. */
static bool madt_processor(u8 *entry, u32 *id)
{
	struct madt_x2apic *x2 = (void *)entry;
	struct madt_apic *apic = (void *)entry;

	if (apic->type == MADT_APIC)
		*id = apic->flags & MADT_ENABLED ? apic->id : ~0u;
	else if (apic->type == MADT_X2APIC)
		*id = x2->flags & MADT_ENABLED ? x2->id : ~0u;
	else
		return false;
	return true;
}

/**
 * smp_find - find the other processors
 * @max: how many there may be at all
 *
 * The guest's table keeps only those: it would wait for the rest in vain, ten seconds
 * for each.  What is an entry of an unknown type is none to it.
 *
 * Return: how many there will be.
 */
u32 smp_find(u32 max)
{
	struct acpi_header *madt = find_table("APIC");
	u32 id, self = apic_id();
	u8 *p, *end;

	if (!madt)
		return 1;
	max = max < MAX_CPUS ? max : MAX_CPUS;
	p = (u8 *)(madt + 1) + 8;
	end = (u8 *)madt + madt->length;
	for (; p + 2 <= end && p[1]; p += p[1]) {
		if (!madt_processor(p, &id) || id == self)
			continue;
		if (id < 0xff && nr_aps + 1 < max) {
			ap_ids[nr_aps++] = id;
			continue;
		}
		left_out += id != ~0u;
		madt->checksum += *p - MADT_RESERVED;
		*p = MADT_RESERVED;
	}
	return nr_aps + 1;
}

static void delay_us(u32 us)
{
	/* The firmware's delay port takes about a microsecond. */
	while (us--)
		outb(0x80, 0);
}

/* First C function of an application processor, on its own stack. */
void ap_main(void)
{
	struct vcpu *vcpu = this_vcpu();

	cpu_load_tables(vcpu);
	vcpu->apic_id = apic_id();
	vcpu_idle(vcpu);
}

/*
 * A command of the local APIC's to one other.  The guest finds the register idle, and
 * ICR2 as it has it.
 */
static void send(u32 apic, u32 command)
{
	u32 icr2 = apic_read(APIC_ICR2);

	apic_command_sent();
	apic_write(APIC_ICR2, apic << 24);
	apic_write(APIC_ICR, ICR_ASSERT | command);
	apic_command_sent();
	apic_write(APIC_ICR2, icr2);
}

static void start_ap(struct vcpu *vcpu, u32 id)
{
	u32 tries = 1000000;		/* 100 s: the machine may be a busy emulator */
	char *base = phys_ptr(AP_PAGE);

	vcpu->mp_state = MP_INIT_RECEIVED;
	memcpy(base, ap_start, ap_end - ap_start);
#define AP(sym)	(base + ((char *)(sym) - ap_start))
	*(u32 *)AP(&ap_cr3) = mon_phys(monitor_pml4());
	*(u32 *)(AP(ap_gdt_ptr) + 2) = AP_PAGE + (ap_gdt - ap_start);
	*(u32 *)AP(&ap_efer) = rdmsr(MSR_EFER) & (EFER_LME | EFER_NX);
	*(u32 *)AP(&ap_far) = AP_PAGE + (ap_long - ap_start);
	*(u64 *)AP(&ap_stack) = (u64)vcpu->stack_top;
	while (!__atomic_load_n(&vcpu->parked, __ATOMIC_ACQUIRE) && tries--) {
		if (tries % 10000 == 9999)
			send(id, MODE_STARTUP << 8 | AP_PAGE >> 12);
		delay_us(100);
	}
	if (!vcpu->parked)
		refuse("the processor with local APIC %u does not start", id);
}

/* Start all processors; they wait in vcpu_idle(). */
void smp_start(void)
{
	u64 *pml4 = monitor_pml4();
	u8 saved[512];
	u32 i;

	hide_suspend();
	for (i = 0; i < nr_aps; i++) {
		vcpu_create(nr_cpus);
		send(ap_ids[i], MODE_INIT << 8);
	}
	delay_us(10000);
	memcpy(saved, phys_ptr(AP_PAGE), sizeof(saved));
	/* The first instructions run one to one. */
	map_low_page(AP_PAGE);
	for (i = 0; i < nr_aps; i++)
		start_ap(vcpus[i + 1], ap_ids[i]);
	pml4[0] = 0;
	memcpy(phys_ptr(AP_PAGE), saved, sizeof(saved));
	if (left_out)
		mprintf("monitor: %u processors, %u more are left out\n", nr_cpus, left_out);
	else if (nr_aps)
		mprintf("monitor: %u processors\n", nr_cpus);
}

static void stay_stopped(void)
{
	for (;;)
		asm volatile("cli\n\thlt");
}

/*
 * Whatever is wanted of another CPU, it hears of by an NMI: nothing of the guest's,
 * neither TPR nor a disabled local APIC, keeps one away.
 */
static void send_nmi(struct vcpu *c)
{
	__atomic_add_fetch(&c->nmi_sent, 1, __ATOMIC_SEQ_CST);
	send(c->apic_id, MODE_NMI << 8);
}

/* SpinKick: from any SpinWait, and from no later one. */
void smp_kick(struct vcpu *vcpu, u32 apic)
{
	struct vcpu *c = vcpu_by_apic(vcpu, apic);

	if (!c)
		return;
	__atomic_store_n(&c->kicked, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->halting, __ATOMIC_SEQ_CST) != NOT_HALTING)
		send_nmi(c);
}

/**
 * smp_message - the guest sends a CPU what is no plain interrupt
 * @mode: INIT: wait for startup; STARTUP: go on with the state of
 *	SetInitialAPState; or NMI
 */
void smp_message(struct vcpu *c, u32 mode)
{
	enum mp_state was = MP_INIT_RECEIVED;

	if (mode == MODE_INIT)
		__atomic_store_n(&c->mp_state, MP_INIT_RECEIVED, __ATOMIC_SEQ_CST);
	else if (mode == MODE_NMI)
		__atomic_store_n(&c->nmi_asked, true, __ATOMIC_SEQ_CST);
	else if (!c->ap_valid ||
		 !__atomic_compare_exchange_n(&c->mp_state, &was, MP_SIPI_RECEIVED, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	send_nmi(c);
}

/* Runs @c, or will it, since an NMI or startup is under way that it has not yet seen? */
static bool alive(struct vcpu *c)
{
	enum mp_state state = __atomic_load_n(&c->mp_state, __ATOMIC_SEQ_CST);

	return state == MP_SIPI_RECEIVED || __atomic_load_n(&c->online, __ATOMIC_SEQ_CST) ||
	       (state == MP_RUNNABLE && (__atomic_load_n(&c->nmi_asked, __ATOMIC_SEQ_CST) ||
					 __atomic_load_n(&c->events, __ATOMIC_SEQ_CST)));
}

/* Is there a CPU that the guest's code can still be expected to run on? */
bool smp_alive(void)
{
	u32 i;

	for (i = 0; i < nr_cpus; i++)
		if (alive(vcpus[i]))
			return true;
	return false;
}

/**
 * nmi_arrived - an NMI, or a device with its vector, wherever this CPU was
 *
 * It comes on the stack that is in use; in ring 0 there is one at each instruction.
 * So a second one is below the first, and nothing runs over.  What it is for is done
 * on the way out to the guest.  One that nobody here has sent is a device's.
 */
void nmi_arrived(struct vcpu *vcpu)
{
	u32 sent = __atomic_load_n(&vcpu->nmi_sent, __ATOMIC_SEQ_CST);
	u32 ours = sent - vcpu->nmi_seen;
	bool nmi;

	if (stopper == vcpu)
		return;
	if (stopper)
		stay_stopped();
	nmi = !ours && !vcpu->nmi_echo;
	/* Two that were sent may come as one, or the second is still to come. */
	vcpu->nmi_echo = ours > 1;
	vcpu->nmi_seen = sent;
	vcpu->events = true;	/* before it is no longer asked for: alive() */
	if (__atomic_exchange_n(&vcpu->nmi_asked, false, __ATOMIC_SEQ_CST) || nmi)
		vcpu->nmi = !vcpu->parked;
}

/**
 * smp_stop_others - the machine comes to its end: this CPU says why, alone
 */
void smp_stop_others(void)
{
	struct vcpu *vcpu = this_vcpu(), *first = NULL;
	u32 i;

	if (!__atomic_compare_exchange_n(&stopper, &first, vcpu, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST) && first != vcpu)
		stay_stopped();
	for (i = 0; i < nr_cpus; i++)
		if (vcpus[i] != vcpu)
			send(vcpus[i]->apic_id, MODE_NMI << 8);
}

static void load_segment_regs(struct vmi_ap_state *s)
{
	bool ok;

	/* A selector that cannot be loaded leaves its register as it is. */
#define LOAD(reg) \
	MAY_FAULT(ok, "movl %1, %%" #reg, : "r" (s->reg & ~3u ? s->reg | 1 : 0))
	LOAD(ds);
	LOAD(es);
	LOAD(fs);
	LOAD(gs);
}

static void vcpu_reset(struct vcpu *vcpu)
{
	memset(vcpu->held, 0, sizeof(vcpu->held));
	vcpu->sh->depth = 0;
	vcpu->nmi = false;
	vcpu->nmi_blocked = false;
	note_held(vcpu);
	set_dr(vcpu, 7, 0);
}

/*
 * What INIT does to a local APIC, as far as stores can: no interrupt is expected,
 * pending or in service.  A level-triggered one without an EOI would never come again.
 */
static void reset_apic(struct vcpu *vcpu)
{
	u32 reg, i;

	for (reg = APIC_LVT_FIRST; reg <= APIC_LVT_LAST; reg += 0x10)
		apic_write(reg, LVT_MASKED);
	apic_write(APIC_TMICT, 0);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SVR, SVR_RESET | SVR_ENABLED);
	for (i = 0; i < 256; i++)
		if (apic_read(APIC_ISR + i / 32 * 16) >> i % 32 & 1)
			apic_eoi();
	/* What is pending comes now and is dropped, trap_from_monitor() sees that. */
	asm volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
	apic_write(APIC_SVR, SVR_RESET);
	apic_write(APIC_LDR, 0);
	apic_write(APIC_DFR, ~0u);
	vcpu->ldr = 0;
}

/* An INIT that came in ring 1 was an NMI, and the next one waits for an IRETQ. */
static void unblock_nmi(void)
{
	u64 sp;

	asm volatile("movq %%rsp, %0\n\t"
		     "pushq $0\n\t"
		     "pushq %0\n\t"
		     "pushfq\n\t"
		     "pushq %1\n\t"
		     "pushq $1f\n\t"
		     "iretq\n1:"
		     : "=&r" (sp) : "i" ((u64)MON_CS) : "memory");
}

static void wait_for_startup(struct vcpu *vcpu)
{
	enum mp_state sipi;

	do {
		vcpu->online = false;
		while (__atomic_load_n(&vcpu->mp_state, __ATOMIC_SEQ_CST) != MP_SIPI_RECEIVED) {
			vcpu->events = false;
			if (vcpu->mp_state != MP_SIPI_RECEIVED)
				park_unless(&vcpu->events);
		}
		/* Before it is taken: one at least is to be seen by smp_alive(). */
		__atomic_store_n(&vcpu->online, true, __ATOMIC_SEQ_CST);
		sipi = MP_SIPI_RECEIVED;
	} while (!__atomic_compare_exchange_n(&vcpu->mp_state, &sipi, MP_RUNNABLE, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

/* Wait for the guest to start this CPU, then do. */
void vcpu_idle(struct vcpu *vcpu)
{
	struct vmi_ap_state state;
	struct regs r = { };

	__atomic_store_n(&vcpu->parked, true, __ATOMIC_RELEASE);
	reset_apic(vcpu);
	unblock_nmi();
	wait_for_startup(vcpu);
	state = vcpu->ap;
	vcpu_reset(vcpu);
	if (vcpu_start(vcpu, &r, &state) == STOP)
		stop_guest(vcpu, &r, vcpu->stop);
	vcpu->parked = false;
	load_segment_regs(&state);
	enter_guest(&r);
}
