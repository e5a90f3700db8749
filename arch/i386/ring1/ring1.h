/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RING1_H
#define RING1_H

/*
 * What runs a guest's kernel in ring 1, whoever is below.  That host gives two
 * headers by its include path: host-types.h, with types and its own fields of struct
 * vcpu, and host.h, with what is asked of it on each fault.  The rest that is asked
 * of it stands at the end.
 */

#include "host-types.h"
#include <asm/vmi/abi.h>
#include "layout.h"
#include "x86.h"

/* What a host saves when the guest traps; no guest has R8. */
struct regs {
	u64 di, si, bp, bx, dx, cx, ax;
	u64 vec, err;
	u64 ip, cs, flags, sp, ss;
};

/* The page that a virtual CPU shares with the ROM; layout.h has the offsets. */
struct shared {
	int iret_user, iret_kernel;
	u32 vif, ss0;
	u32 cr0, cr2, cr3, cr4;
	u32 head, eoi_held, depth;
	u32 direct, direct_end;
	u32 pending, esp0;
	u32 service[16];
	u32 known, fill;
	u8  pad[SH_RING - SH_FILL - 4];
	u32 ring[];
} __packed __attribute__((aligned(4)));

struct table_reg {
	u16 limit;
	u32 base;
} __packed;

/* What to count, beside the hypercalls: X(ID, name). */
#define COUNTERS(X) \
	X(SYSCALL, "system calls by the short way") \
	X(SHADOW_FILL, "shadow fills") \
	X(FILL_AT_IRET, "shadow fills at the IRET of the guest's fault") \
	X(SHADOW_RESET, "shadow resets") \
	X(SHADOW_TRIM, "shadow pages all in use") \
	X(SHADOW_PAGES, "shadow pages in use, now") \
	X(PF_GUEST, "page faults for the guest") \
	X(EXCEPTION, "exceptions and interrupts delivered") \
	X(SOFT_INT, "software interrupts") \
	X(IRQ, "interrupts") \
	X(IRQ_HELD, "interrupts held back") \
	X(IRET_FINISHED, "IRETs finished") \
	X(EMUL_FLAGS, "emulated CLI, STI") \
	X(EMUL_CR, "emulated control registers") \
	X(EMUL_DT, "emulated descriptor tables") \
	X(EMUL_MSR, "emulated MSRs") \
	X(EMUL_SEG, "emulated SS loads") \
	X(EMUL_FAR, "emulated far transfers") \
	X(EMUL_IRET, "emulated IRETs") \
	X(EMUL_HLT, "emulated HLTs") \
	X(EMUL_IO, "emulated port accesses") \
	X(EMUL_TLB, "emulated INVLPGs") \
	X(EMUL_APIC, "emulated APIC stores") \
	X(EMUL_OTHER, "emulated, other") \
	X(REFUSED_FRAME, "frames refused")

#define COUNTER(id, name) C_##id,
enum counter { COUNTERS(COUNTER) C_NR };

#define TRACE_LEN	32	/* last hypercalls, for the dump */

/* A page of shadows. */
struct spage {
	u64 *table;
	u64 key;		/* role, part, frame number; 0: free */
	u64 *guest;		/* PAE: the guest's table */
	u64 pde;		/* a page table: LINK of the entries that lead here, or 0 */
	struct spage *next;	/* in its hash chain */
	struct spage *list;	/* of those in use, or free */
	u32 loaded;		/* R_ROOT: when */
	u8 links;		/* R_PT: entries of directories that lead here; 2: perhaps more */
	bool kept;		/* while shadow_trim() looks */
	u8 filled;		/* since it was cleared: a bit for each 64 entries */
	u64 pdpte[4];		/* R_ROOT: what the guest's table said */
};

/* The ROM as a guest sees it. */
struct rom {
	u32 phys, linear;	/* 0 until they are known */
	u32 code_pages;
	u32 shared;		/* the shared pages' physical address */
	u8 *copy;		/* of the code, with addresses for @linear */
	u32 direct, direct_end;	/* SH_DIRECT and SH_DIRECT_END of each CPU */
};

/*
 * What became of a trap, or of a step in handling it.  The core decides no more than
 * that; what then happens is its host's to say.
 */
enum outcome {
	DONE,		/* the guest goes on with its registers as they are now */
	FAULT,		/* the guest's own fault, not yet delivered */
	STOP,		/* the guest cannot go on: vcpu->stop says why */
	RAISED,		/* as DONE, but the instruction is not: a fault of its is delivered */
};

enum halting { NOT_HALTING, HALTING, HALTING_FLUSH };

/* One virtual CPU; each is pinned to a processor of the machine. */
struct vcpu {
	/* INT 0x80 from a program: where it leads, see entry.S; fast_ss 0: to be found. */
	struct shared *vmi_page;
	u64 fast_ip;
	u32 fast_cs;
	u32 fast_pf;		/* a program's page fault: EIP, or 0 */
	u32 fast_vif, fast_ss;	/* what the shared page has then: FLAG_IF, ss0 */
	bool events;		/* to be looked at before the guest runs on: an NMI, ... */
	u64 count[C_NR];	/* from C_SYSCALL, which entry.S counts */

	HOST_VCPU		/* the host's own */

	u32 id, apic_id;
	const char *stop;	/* with STOP: why */
	enum ending {		/* and how it is to be taken */
		END_STOPPED,	/* an error: worth a dump */
		END_REFUSED,	/* a kernel that cannot run here */
		END_HALTED,	/* what the guest wanted */
	} ending;
	bool vmi;
	bool nmi, nmi_blocked;		/* pending; until the guest's IRET */
	bool ports_open;		/* for ring 1, until the way to ring 3 */
	u32 halting;			/* enum halting: cpus.c */
	bool kicked;			/* SpinKick */
	struct shared *sh;	/* shared page; private until vmi_init */

	/* The guest's registers as the guest set them. */
	u32 cr0, cr3, cr4;
	u64 efer, sysenter[3];
	u64 reserved;		/* bits that a PAE entry must not have */
	struct table_reg gdt, idt;
	u16 ldt, tr;
	u32 iopl;		/* of its programs */
	u32 gdt_copied, ldt_copied, ldt_base;

	/* Vectors held back while the guest's interrupt flag was clear. */
	u64 held[4];

	/* The tables that the processor sees: segment.c writes them. */
	u64 *real_gdt, *real_ldt;

	/* Shadows: shadow.c alone. */
	struct spage *used_pages, *used_last, *free_pages;
	u32 nr_pages;		/* that its host gave */
	u32 loads;		/* of roots */
	struct spage *hash[1024];
	struct spage *root;
	struct spage *awaited;	/* the table that lacked an entry at the last fault, */
	u32 awaited_index;	/* which one; until the next flush */
	u32 lost;		/* entries that the processor may know longer than they do */
	u64 *pml4;
	u64 pdpte[4];		/* PAE: the entries that CR3's load read */
	u32 ring_seen[MAX_CPUS];

	/* Statistics. */
	u64 hypercalls[HC_SLOTS];
	struct call_trace { u32 nr, ip, ax, dx, cx; } trace[TRACE_LEN];
	u32 trace_pos;
	u64 fault_lin;		/* of the last failed access to guest memory */
	u32 fault_err;
	struct vmi_ap_state ap;	/* SetInitialAPState */
	bool ap_valid;
};

static inline enum outcome stop(struct vcpu *vcpu, const char *why)
{
	vcpu->stop = why;
	return STOP;
}

/* An end that is no error. */
static inline enum outcome end(struct vcpu *vcpu, enum ending how, const char *why)
{
	vcpu->ending = how;
	return stop(vcpu, why);
}

/* Of a step that works, or is the guest's own fault. */
static inline enum outcome done_if(bool ok)
{
	return ok ? DONE : FAULT;
}

/* Of a fault that was delivered. */
static inline enum outcome raised(enum outcome done)
{
	return done == DONE ? RAISED : done;
}

/* IRET to ring 3: ports are to be closed; a stack of the LDT's may be one of 16 bits. */
static inline void note_iret_user(struct vcpu *vcpu)
{
	vcpu->sh->iret_user = vcpu->ports_open || vcpu->ldt ? -1 : vcpu->sh->iret_kernel;
}

/* A call of the ROM's, for the counts and the dump. */
static __always_inline void note_call(struct vcpu *vcpu, u32 nr, u32 ip, u32 ax, u32 dx, u32 cx)
{
	struct call_trace *trace = &vcpu->trace[vcpu->trace_pos++ % TRACE_LEN];

	vcpu->hypercalls[nr]++;
	trace->nr = nr;
	trace->ip = ip;
	trace->ax = ax;
	trace->dx = dx;
	trace->cx = cx;
}

static inline void set_edx_eax(struct regs *regs, u64 val)
{
	regs->ax = (u32)val;
	regs->dx = val >> 32;
}

/* segment.c */
bool load_guest_gdt(struct vcpu *vcpu, struct regs *regs, u32 base, u16 limit);
bool load_table(struct vcpu *vcpu, struct regs *regs, u32 gva, bool idt, bool op16);
void guest_gdt_write(struct vcpu *vcpu, struct regs *regs, u32 index, u64 d);
bool stack_ok(struct vcpu *vcpu, u16 sel, u32 cpl);
bool load_guest_ldt(struct vcpu *vcpu, u16 sel);
void guest_ldt_write(struct vcpu *vcpu, u32 base, u32 index, u64 d);
u64 *real_desc(struct vcpu *vcpu, u16 sel);
u32 desc_base(u64 d);
u32 desc_limit(u64 d);
bool kernel_code_ok(struct vcpu *vcpu, u16 sel);
u32 seg_base(struct vcpu *vcpu, u16 sel);
u32 stack_lin(struct vcpu *vcpu, u16 ss, u32 sp);
bool stack_room(struct vcpu *vcpu, u16 ss, u32 sp, u32 bytes);

/* shadow.c, walk.c */
enum access { ACC_WRITE = 2, ACC_USER = 4, ACC_FETCH = 16 };
enum fill {
	FILL_DONE,
	FILL_FAULT,	/* the guest's own, and its error code */
	FILL_HOST,	/* its host has to do something about the page */
	FILL_WALK,	/* shadow.c's own: not all tables are there */
};

struct leaf {
	u64 frame;		/* guest-physical address of the 4 KB page */
	u64 rights;		/* P, RW, US, NX, PWT, PCD, PAT of a 4 KB entry */
	u64 pte;		/* linked.h: the entry that these are of */
	u64 *pt, *pd;		/* PAE: the guest's tables; no page table if @large */
	u64 pt_gfn;
	u64 pde_rights;
	u64 pd_gfn;
	bool large;		/* the guest maps it with one large page */
};

#define WALK_TRIES	16	/* with interrupts closed, of entries that do not stand still */
int guest_walk(struct vcpu *vcpu, u32 gva, u32 access, struct leaf *l, u32 *pfec);
void shadow_trim(struct vcpu *vcpu);
void shadow_set_root(struct vcpu *vcpu);
void shadow_reset(struct vcpu *vcpu);
enum fill shadow_fault(struct vcpu *vcpu, u32 gva, u32 access, u32 *pfec);
void shadow_fill_awaited(struct vcpu *vcpu);
void shadow_inval(struct vcpu *vcpu, u32 gva);
void shadow_flush(struct vcpu *vcpu, bool global);
void shadow_flush_range(struct vcpu *vcpu, u32 gva, u32 pages);

/* deliver.c */
bool set_tr(struct vcpu *vcpu, u16 sel);
enum outcome deliver(struct vcpu *vcpu, struct regs *regs, u32 vec, bool has_err, u32 err,
		     bool soft);
enum outcome deliver_held(struct vcpu *vcpu, struct regs *regs);
enum outcome deliver_nmi(struct vcpu *vcpu, struct regs *regs);
void nmi_unblock(struct vcpu *vcpu);
enum outcome leave_rom(struct vcpu *vcpu, struct regs *regs);
void hold_vector(struct vcpu *vcpu, u32 vec);
void note_held(struct vcpu *vcpu);
bool held_any(struct vcpu *vcpu);

/*
 * EFLAGS of a handler.  IOPL is never ring 1's, whatever the program's was:
 * fault_in_vm86().
 */
static inline u32 handler_flags(u32 flags)
{
	return (flags & ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_VM | FLAG_IOPL)) | FLAG_IF;
}

/* emulate.c, decode.c */
struct insn {
	bool op16, ad16, two, rep;
	u8 op, modrm, len, sreg;
	u32 imm, ea, ea_off;
	u16 imm_sel;
};

enum outcome emulate(struct vcpu *vcpu, struct regs *regs);
enum outcome check_access(struct vcpu *vcpu, struct regs *regs, struct insn *i, u32 gva, u32 len,
			  u32 access);
enum outcome retire(struct vcpu *vcpu, struct regs *regs, bool step);
enum outcome general_protection(struct vcpu *vcpu, struct regs *regs);
bool decode(struct vcpu *vcpu, struct regs *regs, struct insn *i);
u32 get_reg(struct regs *regs, u32 n);
void set_reg(struct regs *regs, u32 n, u32 val);
enum outcome do_iret(struct vcpu *vcpu, struct regs *regs, u32 skip);

/* hypercall.c */
enum outcome hypercall(struct vcpu *vcpu, struct regs *regs);
u32 stack_arg(struct vcpu *vcpu, struct regs *regs, u32 n);
enum outcome fault_at_site(struct vcpu *vcpu, struct regs *regs);
bool rom_in_iret(struct vcpu *vcpu, u32 ip, u32 *skip);
bool rom_knows_iret(struct vcpu *vcpu, u32 ip);
void rom_restart_note(struct vcpu *vcpu, struct regs *regs);
void rom_relocate(struct rom *rom, u32 gva);

/* cpus.c */
struct vcpu *vcpu_by_apic(struct vcpu *vcpu, u32 apic);
void share_page(struct vcpu *vcpu);
void set_ap_state(struct vcpu *vcpu, u32 gva, u32 apic);
void forget_gates(struct vcpu *vcpu);
enum outcome vcpu_start(struct vcpu *vcpu, struct regs *regs, struct vmi_ap_state *s);
void vcpu_rests(struct vcpu *vcpu);
void vcpu_resumes(struct vcpu *vcpu);
bool flush_later(struct vcpu *vcpu, u32 apic);

/*
 * What a host has to have.
 */

/* The guest's linear memory, as its kernel sees it; false: it faults. */
bool guest_read(struct vcpu *vcpu, u32 gva, void *buf, u32 len);
bool guest_write(struct vcpu *vcpu, u32 gva, const void *buf, u32 len);
bool guest_virt_to_phys(struct vcpu *vcpu, u32 gva, u64 *gpa);
/* May an instruction access it so (ACC_*)?  false: its page fault's error code. */
bool guest_access(struct vcpu *vcpu, u32 gva, u32 access, u32 *pfec);

/* The guest's registers: for itself, and what of it the processor gets. */
enum outcome set_cr0(struct vcpu *vcpu, u32 val);
bool set_cr3(struct vcpu *vcpu, u32 val);
bool set_cr4(struct vcpu *vcpu, u32 val);
bool load_efer(struct vcpu *vcpu, u64 val);
void set_dr(struct vcpu *vcpu, u32 n, u32 val);
u32 get_dr(struct vcpu *vcpu, u32 n);
void raise_dr6(struct vcpu *vcpu, u32 bits);
bool guest_cpuid(struct vcpu *vcpu, struct regs *regs);
bool guest_rdmsr(struct vcpu *vcpu, u32 msr, u64 *val);
bool guest_wrmsr(struct vcpu *vcpu, u32 msr, u64 val);
bool write_xcr_safe(u32 nr, u64 val);
u16 get_sreg(struct vcpu *vcpu, struct regs *regs, u32 n);
extern bool cpu_has_nx;

/* Interrupts, ports, and waiting for an interrupt. */
bool irq_blocked(struct vcpu *vcpu, u32 vec);
void irq_service(struct vcpu *vcpu, u32 vec);
void guest_apic_write(struct vcpu *vcpu, u32 reg, u32 val);
u32 guest_apic_read(struct vcpu *vcpu, u32 reg);
enum outcome emulate_io(struct vcpu *vcpu, struct regs *regs, struct insn *i);
void close_ports(struct vcpu *vcpu);	/* on the way to ring 3 */
enum outcome guest_halt(struct vcpu *vcpu, struct regs *regs);
enum outcome halt_closed(struct vcpu *vcpu, struct regs *regs);
enum outcome spin_wait(struct vcpu *vcpu, struct regs *regs);
void smp_kick(struct vcpu *vcpu, u32 apic);

/* The ROM: may this be its vmi_init; put it there; which way in is faster. */
bool rom_is_at(struct vcpu *vcpu, u32 gva);
bool rom_place(struct vcpu *vcpu, u32 gva);
void rom_choose(struct vcpu *vcpu, u32 by_int, u32 by_call);

/* What was counted, for GetOpCount and for the end. */
const char *counter_name(u32 nr);
u64 counter(struct vcpu *vcpu, u32 nr);
void dump_counters(void);

#include "host.h"

static inline void set_efer(struct vcpu *vcpu, u64 val)
{
	vcpu->efer = val;
	vcpu->reserved = pte_reserved(vcpu) | (val & EFER_NX ? 0 : PTE_NX);
}

#endif
