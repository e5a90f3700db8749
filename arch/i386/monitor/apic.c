// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt controllers.  They are the guest's, but its stores to the local APIC
 * come here: one could start a processor in real mode, in ring 0.
 */
#include "mon.h"

u32 apic_read(u32 reg)
{
	return *(volatile u32 *)phys_ptr(LAPIC_PAGE + reg);
}

void apic_write(u32 reg, u32 val)
{
	*(volatile u32 *)phys_ptr(LAPIC_PAGE + reg) = val;
}

/* Wait until the last command is on its way, but not for ever. */
void apic_command_sent(void)
{
	u32 tries = 100000;

	while ((apic_read(APIC_ICR) & ICR_PENDING) && --tries)
		pause();
}

/*
 * EOI costs no trap: for an edge-triggered vector it is done here, when it comes,
 * and noted in the shared page as in service; the guest's EOI takes the note away
 * (rom.S).  Nothing of the same priority is delivered until then.  A level-triggered
 * one would come again at once: its EOI waits for the guest's, which traps.
 * Vectors from the 8259s have no EOI here at all.
 */
enum irq_kind { K_EDGE, K_LEVEL, K_PIC };

static bool apic_bit(u32 reg, u32 vec)
{
	return apic_read(reg + vec / 32 * 16) >> vec % 32 & 1;
}

void irq_arrived(struct vcpu *vcpu, u32 vec)
{
	vcpu->count[C_IRQ]++;
	vcpu->irq_kind[vec] = !apic_bit(APIC_ISR, vec) ? K_PIC :
			   apic_bit(APIC_TMR, vec) ? K_LEVEL : K_EDGE;
	if (vcpu->irq_kind[vec] == K_EDGE)
		apic_eoi();
}

/* Does an interrupt in service keep this one waiting? */
bool irq_blocked(struct vcpu *vcpu, u32 vec)
{
	u32 n = vcpu->sh->depth & 15;

	return n && (vcpu->sh->service[n - 1] & 0xff) >> 4 >= vec >> 4 &&
	       vcpu->irq_kind[vec] != K_PIC;
}

void irq_service(struct vcpu *vcpu, u32 vec)
{
	u32 n = vcpu->sh->depth & 15;

	if (vcpu->irq_kind[vec] == K_PIC)
		return;
	vcpu->sh->service[n] = vec | (vcpu->irq_kind[vec] == K_LEVEL ? SERVICE_REAL : 0);
	vcpu->sh->depth = (n + 1) & 15;
}

/* The handlers of what is in service will not return. */
void irq_forget(struct vcpu *vcpu)
{
	u32 n = vcpu->sh->depth & 15;

	while (n--)
		if (vcpu->sh->service[n] & SERVICE_REAL)
			apic_eoi();
	vcpu->sh->depth = 0;
	note_held(vcpu);
}

/* The guest's EOI, when the ROM could not do it. */
static void guest_eoi(struct vcpu *vcpu)
{
	u32 n = vcpu->sh->depth & 15;

	if (n)
		vcpu->sh->depth = n - 1;
	if (!n || (vcpu->sh->service[n - 1] & SERVICE_REAL))
		apic_eoi();
	note_held(vcpu);
}

/* The firmware's 8259s are silenced: their vectors would be exceptions. */
void apic_init(void)
{
	outb(PIC_MASTER + 1, 0xff);
	outb(PIC_SLAVE + 1, 0xff);
	if (!(rdmsr(MSR_APIC_BASE) & 0x800))
		refuse("no local APIC");
}

/**
 * pic_write - the guest writes to an 8259
 *
 * Between the words of its initialization an 8259 answers with vector 0, and the real
 * interrupt flag is set: the local APIC keeps them away until both are complete.
 */
void pic_write(u16 port, u8 val)
{
	static u32 missing[2], lvt;
	u32 *n = &missing[port >> 7];
	bool was = missing[0] || missing[1];

	if (!(port & 1) && (val & 0x10))	/* the first says how many follow */
		*n = 1 + !(val & 2) + (val & 1);
	else if ((port & 1) && *n)
		--*n;
	if (!was && *n) {
		lvt = apic_read(APIC_LVT_LINT0);
		apic_write(APIC_LVT_LINT0, lvt | LVT_MASKED);
	}
	outb(port, val);
	if (was && !missing[0] && !missing[1])
		apic_write(APIC_LVT_LINT0, lvt);
}

/* Is @c among the destinations of an interrupt command that @vcpu gives? */
static bool icr_names(struct vcpu *vcpu, struct vcpu *c, u32 icr)
{
	u8 dest = apic_read(APIC_ICR2) >> 24;

	switch (icr >> 18 & 3) {
	case ICR_SELF:
		return c == vcpu;
	case ICR_ALL:
		return true;
	case ICR_OTHERS:
		return c != vcpu;
	}
	if (icr & ICR_LOGICAL)
		return c->ldr & dest;
	return c->apic_id == dest || dest == 0xff;
}

/* INIT, STARTUP and NMI are for the guest's CPUs only: those that run it. */
static void write_icr(struct vcpu *vcpu, u32 val)
{
	u32 i, mode = MODE(val);

	if (mode < MODE_SMI) {
		apic_command_sent();
		apic_write(APIC_ICR, val & ~ICR_PENDING);
	}
	if (mode < MODE_NMI || mode > MODE_STARTUP ||
	    (mode == MODE_INIT && (val & (ICR_ASSERT | ICR_LEVEL)) == ICR_LEVEL))
		return;
	for (i = 0; i < nr_cpus; i++)
		if (icr_names(vcpu, vcpus[i], val))
			smp_message(vcpus[i], mode);
}

/* For a guest that does not say where it has mapped it; others read themselves. */
u32 guest_apic_read(struct vcpu *vcpu, u32 reg)
{
	return apic_read(reg);
}

void guest_apic_write(struct vcpu *vcpu, u32 reg, u32 val)
{
	if (reg == APIC_EOI) {
		guest_eoi(vcpu);
		return;
	}
	if (reg == APIC_ICR) {
		write_icr(vcpu, val);
		return;
	}
	/* Others are read-only, or none: what QEMU finds at 0 sends messages. */
	if (reg < APIC_TPR || reg > APIC_TDCR)
		return;
	if (reg == APIC_LDR)
		vcpu->ldr = val >> 24;
	/* A local interrupt must not be an INIT or an SMI. */
	if ((reg == APIC_CMCI || (reg >= APIC_LVT_FIRST && reg <= APIC_LVT_LAST)) &&
	    (MODE(val) == MODE_INIT || MODE(val) == MODE_SMI))
		val |= LVT_MASKED;
	apic_write(reg, val);
}
