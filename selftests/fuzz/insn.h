/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FUZZ_INSN_H
#define _FUZZ_INSN_H

/* Between emulate.c, which is the guest, and insn.c, which knows instructions. */
#include "fuzz.h"

#define GDT_LIN		0xc0300000u
#define GDT_LEN		16
#define INSN_MAX	15

/* What happened, and what shall. */
enum event {
	EV_NONE, EV_CR0, EV_CR3, EV_CR4, EV_SET_DR, EV_GET_DR, EV_RDMSR, EV_WRMSR, EV_XCR,
	EV_TR, EV_INVLPG, EV_IN, EV_OUT, EV_WBINVD, EV_LLDT, EV_FAULT, EV_STOP, EV_APIC,
};

struct effect {
	bool ok, held, step;	/* held: deliver_held(); step: #DB for it */
	bool vm86;		/* what IRET to that mode writes */
	bool iret;		/* NMIs may come again */
	enum event event;
	u64 a, b;
	u32 written, to;	/* bytes, where */
	u8 bytes[8];
	struct regs r;
	u32 vif, cr2, idt_base, idt_limit, ldt;
};

enum {
	SEEN_DONE, SEEN_REFUSED, SEEN_LOAD, SEEN_STORE, SEEN_FAR, SEEN_IRET, SEEN_USER_IO,
	SEEN_STACK, SEEN_CUT, SEEN_APIC, SEEN_STRING, SEEN_STEP, SEEN_VM86,
	SEEN_USER_TABLE,
};

/* emulate.c: the guest */
extern struct tally tallies[];
extern struct vcpu vcpu;
extern struct shared *shared;
extern u64 guest_gdt[GDT_LEN];
extern u8 code[INSN_MAX];
extern u32 code_lin;
extern bool agree;		/* what the rest of the monitor answers */
extern struct effect got, want;

bool there(u32 lin, u32 len);
u64 value_at(u32 lin, u32 len);
u32 port_value(u32 port);

/* insn.c */
u64 ref_desc(u32 sel);
u32 ref_base(u64 d);
bool ref_kernel_code(u32 sel);
bool ref_program_code(u32 sel);
bool ref_stack(u32 sel, u32 ring);
bool expected(struct regs *r, bool apic, u32 lin);

#endif /* _FUZZ_INSN_H */
