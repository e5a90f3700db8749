// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's ports.  They are the guest's, but a few are looked at: the 8259s,
 * and what switches address line 20 off, for then every odd megabyte is another one.
 */
#include "mon.h"

#define KBC_DATA	0x60
#define KBC_COMMAND	0x64
#define PORT_92		0x92
#define A20		BIT(1)	/* of port 0x92, of the keyboard controller's output port */

/* Commands of the keyboard controller. */
#define WRITE_OUTPUT	0xd1	/* the next byte of data is the output port */
#define A20_OFF		0xdd
#define A20_ON		0xdf
#define PULSE		0xf0	/* to 0xff: lines of the output port whose bit is 0 */

static const u16 filtered[] = {
	PIC_MASTER, PIC_MASTER + 1, PIC_SLAVE, PIC_SLAVE + 1, KBC_DATA, KBC_COMMAND, PORT_92,
};

/* Close these ports in an I/O bitmap. */
void filter_ports(u8 *bitmap)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(filtered); i++)
		bitmap[filtered[i] / 8] |= 1 << filtered[i] % 8;
}

/* One at a time: the controllers remember what was written before. */
static void filtered_out(u16 port, u8 val)
{
	static bool busy, output_next;

	while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE))
		pause();
	if (port == PORT_92 || (port == KBC_DATA && output_next))
		val |= A20;
	if (port == KBC_DATA)
		output_next = false;
	if (port == KBC_COMMAND) {
		output_next |= val == WRITE_OUTPUT;
		if (val >= PULSE)
			val |= A20;
		else if (val == A20_OFF)
			val = A20_ON;
	}
	if ((port & ~1) == PIC_MASTER || (port & ~1) == PIC_SLAVE)
		pic_write(port, val);
	else
		outb(port, val);
	__atomic_clear(&busy, __ATOMIC_RELEASE);
}

static bool is_filtered(u16 port)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(filtered); i++)
		if (filtered[i] == port)
			return true;
	return false;
}

u32 port_in(u16 port, u32 size)
{
	u32 val = 0;

	if (size == 1)
		val = inb(port);
	else if (size == 2)
		asm volatile("inw %1, %w0" : "+a" (val) : "d" (port));
	else
		asm volatile("inl %1, %0" : "=a" (val) : "d" (port));
	return val;
}

/* An access of several bytes to one of these is that many of one, as on the bus. */
void port_out(u16 port, u32 size, u32 val)
{
	bool any = false;
	u32 i;

	for (i = 0; i < size; i++)
		any |= is_filtered(port + i);
	if (any) {
		for (i = 0; i < size; i++, val >>= 8)
			if (is_filtered(port + i))
				filtered_out(port + i, val);
			else
				outb(port + i, val);
	} else if (size == 1) {
		outb(port, val);
	} else if (size == 2) {
		asm volatile("outw %w0, %1" : : "a" (val), "d" (port));
	} else {
		outl(port, val);
	}
}

static void set_iomap(struct vcpu *vcpu, bool open)
{
	*(u16 *)(vcpu->tss_page + PAGE - TSS_SIZE + TSS_IOMAP) = open ? IOMAP_OPEN : IOMAP_CLOSED;
	vcpu->ports_open = open;
	note_held(vcpu);
}

/**
 * open_ports - ring 1 uses ports: no more traps
 *
 * The TSS is for ring 1 and ring 3 alike, so the ROM's IRET to ring 3 traps from now
 * on, until close_ports().
 */
void open_ports(struct vcpu *vcpu)
{
	if (!vcpu->ports_open)
		set_iomap(vcpu, true);
}

/**
 * close_ports - the guest goes to ring 3, where its own bitmap counts
 */
void close_ports(struct vcpu *vcpu)
{
	if (vcpu->ports_open)
		set_iomap(vcpu, false);
}
