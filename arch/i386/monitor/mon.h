/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MON_H
#define MON_H

/* Types, structures and prototypes of the whole monitor. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <asm/vmi/abi.h>
#include "layout.h"
#include "x86.h"

/* What the processor and entry.S leave on the stack of a trap; no guest has R8. */
struct regs {
	u64 di, si, bp, bx, dx, cx, ax;
	u64 vec, err;
	u64 ip, cs, flags, sp, ss;
};

/* The page that a virtual CPU shares with the ROM; layout.h has the offsets. */
struct shared {
	u8  tss_tail[6];
	u16 iomap;
	u32 vif, pending;
	u32 cr0, cr2, cr3, cr4;
	u32 head, eoi_held, depth;
	u32 direct, direct_end;
	u32 ss0, esp0;
	u32 service[16];
	u8  pad[SH_RING - SH_SERVICE - 64];
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
	X(SHADOW_RESET, "shadow resets") \
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

struct spage;

/*
 * What became of a trap, or of a step in handling it.  The core decides no more than
 * that; what then happens is its host's to say.
 */
enum outcome {
	DONE,		/* the guest goes on with its registers as they are now */
	FAULT,		/* the guest's own fault, not yet delivered */
	STOP,		/* the guest cannot go on: vcpu->stop says why */
};

/* One virtual CPU; each is pinned to a processor of the machine. */
struct vcpu {
	/* INT 0x80 from a program: where it leads, see entry.S; fast_ss 0: to be found. */
	struct shared *vmi_page;
	u64 fast_ip;
	u32 fast_cs, fast_ss;
	u64 count[C_NR];	/* from C_SYSCALL, which entry.S counts */

	u32 id, apic_id;
	const char *stop;	/* with STOP: why */
	enum ending {		/* and how it is to be taken */
		END_STOPPED,	/* an error: worth a dump */
		END_REFUSED,	/* a kernel that cannot run here */
		END_HALTED,	/* what the guest wanted */
	} ending;
	bool online, vmi;
	bool parked, init, wake;	/* SMP: waits for startup; must; need not */
	bool nmi, nmi_blocked;		/* pending; until the guest's IRET */
	enum halting { NOT_HALTING, HALTING, HALTING_FLUSH } halting;
	u32 ldr;			/* logical destination, local APIC */
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
	u8 irq_kind[256];	/* of the last with this vector, apic.c */

	/* Real tables. */
	u64 *real_gdt, *real_ldt;
	u8 *tss_page, *stack_top;

	/* Shadow pool, shadow.c. */
	struct spage *pool;
	u8 *pool_mem;
	u64 pool_phys;
	u32 pool_size, pool_used;
	u32 hash[1024];
	struct spage *root;
	u64 *pml4;
	u64 pdpte[4];		/* PAE: the entries that CR3's load read */
	u32 ring_seen[MAX_CPUS];

	/* Statistics. */
	u64 hypercalls[HC_SLOTS];
	struct call_trace { u32 nr, ip, ax, dx, cx; } trace[TRACE_LEN];
	u32 trace_pos;
	u64 fault_lin;		/* of the last failed access to guest memory */
	u32 fault_err;
	struct vmi_ap_state ap;
	bool ap_valid;
};

/* A range of the machine's physical memory. */
struct range {
	u64 start, end;
	u32 type;
};

struct boot_info {
	struct range map[64];
	u32 nr_map;
	u64 ram_top;		/* end of the highest RAM */
	u64 mon_start, mon_end;	/* the monitor's own, taken out of the map */
	u64 kernel, kernel_size;
	u64 initrd, initrd_size;
	char cmdline[2048];
	/* The monitor's own command line. */
	bool only_int;		/* hypercalls=int */
	u32 refused_msr;	/* refuse-msr=, for tests; all ones: none */
};

extern struct boot_info boot;
extern struct vcpu *vcpus[MAX_CPUS];
extern u32 nr_cpus;
extern char _image_start[], _image_end[];

static inline struct vcpu *this_vcpu(void)
{
	u64 sp;

	asm volatile("movq %%rsp, %0" : "=r" (sp));
	return *(struct vcpu **)(sp & ~(u64)(STACK_SIZE - 1));
}

static inline enum outcome stop(struct vcpu *v, const char *why)
{
	v->stop = why;
	return STOP;
}

/* An end that is no error. */
static inline enum outcome end(struct vcpu *v, enum ending ending, const char *why)
{
	v->ending = ending;
	return stop(v, why);
}

/* Of a step that works or is the guest's fault. */
static inline enum outcome done_if(bool ok)
{
	return ok ? DONE : FAULT;
}

static inline void set_edx_eax(struct regs *r, u64 val)
{
	r->ax = (u32)val;
	r->dx = val >> 32;
}

static inline void *phys_ptr(u64 pa)
{
	return (void *)(DIRECT_BASE + pa);
}

static inline u64 mon_phys(const void *p)
{
	return (u64)p - MON_BASE + boot.mon_start;
}

static inline bool mon_owns(u64 pa)
{
	return pa >= boot.mon_start && pa < boot.mon_end;
}

/* console.c */
void console_init(void);
void mprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vmprintf(const char *fmt, va_list ap);
extern bool console_screen;
void *memcpy(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* vga.c */
bool vga_begin(void);
void vga_put(char c);
void vga_end(void);
void vga_screen_info(u8 *si);

/* dump.c */
__noreturn void stop_guest(struct vcpu *v, struct regs *r, const char *why);
__noreturn void panic(struct regs *r, const char *why);
__noreturn void refuse(const char *why, ...) __attribute__((format(printf, 1, 2)));
__noreturn void machine_exit(u32 code);
void dump_counters(void);
const char *counter_name(u32 nr);
u64 counter(u32 nr);

/* paging.c */
void *alloc_pages(u32 n);
u32 pages_left(void);
void paging_init(void);
u64 *monitor_pml4(void);
void map_tss_window(struct vcpu *v);
void map_alias(struct vcpu *v, void *page);

/* cpu.c */
void cpu_load_tables(struct vcpu *v);
struct vcpu *vcpu_create(u32 id);
void idt_init(void);
void cpu_features(void);
extern bool cpu_has_nx;
extern u32 cr4_own;		/* bits of CR4 that are set whatever the guest wants */
extern u32 cr4_missing;		/* bits of CR4 that the guest cannot have here */
extern u64 pte_reserved;	/* the same where there is NX */

static inline void set_efer(struct vcpu *v, u64 val)
{
	v->efer = val;
	v->reserved = pte_reserved | (val & EFER_NX ? 0 : PTE_NX);
}

/* segment.c */
bool load_guest_gdt(struct vcpu *v, struct regs *r, u32 base, u16 limit);
bool load_table(struct vcpu *v, struct regs *r, u32 lin, bool idt, bool op16);
void guest_gdt_write(struct vcpu *v, struct regs *r, u32 index, u64 d);
bool stack_ok(struct vcpu *v, u16 sel, u32 cpl);
bool load_guest_ldt(struct vcpu *v, u16 sel);
void guest_ldt_write(struct vcpu *v, u32 base, u32 index, u64 d);
u64 *real_desc(struct vcpu *v, u16 sel);
u32 desc_base(u64 d);
u32 desc_limit(u64 d);
bool kernel_code_ok(struct vcpu *v, u16 sel);
u32 seg_base(struct vcpu *v, u16 sel);
u32 stack_lin(struct vcpu *v, u16 ss, u32 sp);

/* memory.c: the guest's linear memory, through its shadow; false: it faults */
bool guest_read(struct vcpu *v, u32 lin, void *buf, u32 len);
bool guest_write(struct vcpu *v, u32 lin, const void *buf, u32 len);
bool read_msr_safe(u32 msr, u64 *val);
bool write_msr_safe(u32 msr, u64 val);
bool write_xcr_safe(u32 nr, u64 val);
bool extable_fixup(struct regs *r);
bool find_guest_ram(u64 pa, u32 len);
extern struct range *last_ram;	/* mostly it is the same range again */

static inline bool is_guest_ram(u64 pa, u32 len)
{
	struct range *r = __atomic_load_n(&last_ram, __ATOMIC_RELAXED);

	return (pa >= r->start && pa + len <= r->end) || find_guest_ram(pa, len);
}

/**
 * guest_ram - the guest's RAM at a physical address
 *
 * Return: NULL if any of it is not RAM or not the guest's.
 */
static inline u8 *guest_ram(u64 pa, u32 len)
{
	return is_guest_ram(pa, len) ? phys_ptr(pa) : NULL;
}

/* shadow.c, walk.c */
enum access { ACC_WRITE = 2, ACC_USER = 4, ACC_FETCH = 16 };
enum fill { FILL_DONE, FILL_FAULT };
struct leaf {
	u64 frame;		/* machine address of the 4 KB page */
	u64 rights;		/* P, RW, US, NX, PWT, PCD, PAT of a 4 KB entry */
	u64 *pt;		/* the guest's page table; not if @large */
	u64 pt_gfn;
	u64 pde_rights;
	u64 pd_gfn;
	bool large;		/* the guest maps it with one large page */
};

int guest_walk(struct vcpu *v, u32 lin, u32 access, struct leaf *l, u32 *pfec);
void set_leaf(struct vcpu *v, u64 pte, struct leaf *l);
void shadow_init(struct vcpu *v, u32 pages);
void shadow_set_root(struct vcpu *v);
void shadow_reset(struct vcpu *v);
enum fill shadow_fault(struct vcpu *v, u32 lin, u32 access, u32 *pfec);
void shadow_inval(struct vcpu *v, u32 lin);
void shadow_flush(struct vcpu *v, bool global);
bool guest_virt_to_phys(struct vcpu *v, u32 lin, u64 *pa);

/* traps.c, deliver.c */
void trap_from_guest(struct regs *r);
void trap_from_monitor(struct regs *r);
enum outcome deliver(struct vcpu *v, struct regs *r, u32 vec, bool has_err, u32 err,
		     bool soft);
enum outcome deliver_held(struct vcpu *v, struct regs *r);
enum outcome deliver_nmi(struct vcpu *v, struct regs *r);
void hold_vector(struct vcpu *v, u32 vec);
void note_held(struct vcpu *v);
bool held_any(struct vcpu *v);

/* emulate.c, decode.c */
enum outcome emulate(struct vcpu *v, struct regs *r);
enum outcome emulate_apic_store(struct vcpu *v, struct regs *r, u32 lin);
u16 get_sreg(struct regs *r, u32 n);
struct insn {
	bool op16, ad16, two;
	u8 op, modrm, len;
	u32 imm, ea, ea_off;
	u16 imm_sel;
};

bool decode(struct vcpu *v, struct regs *r, struct insn *i);
u32 get_reg(struct regs *r, u32 n);
void set_reg(struct regs *r, u32 n, u32 val);
enum outcome do_iret(struct vcpu *v, struct regs *r, u32 skip);
void vcpu_halt(struct vcpu *v);
enum outcome guest_halt(struct vcpu *v, struct regs *r);
enum outcome leave_rom(struct vcpu *v, struct regs *r);

/* hypercall.c, calls.c */
enum outcome hypercall(struct vcpu *v, struct regs *r);
extern u32 rom_linear;
enum outcome set_cr0(struct vcpu *v, u32 val);
void set_cr3(struct vcpu *v, u32 val);
bool set_cr4(struct vcpu *v, u32 val);
bool set_tr(struct vcpu *v, u16 sel);
void set_dr(struct vcpu *v, u32 n, u32 val);
u32 get_dr(struct vcpu *v, u32 n);
bool guest_rdmsr(struct vcpu *v, u32 msr, u64 *val);
bool guest_wrmsr(struct vcpu *v, u32 msr, u64 val);
void rom_install(void);
extern u32 rom_phys;		/* where the guest finds the ROM */
extern u32 rom_code_pages;
void *rom_code_page(u32 n);
bool rom_in_iret(u32 ip, u32 *skip);
void rom_restart_note(struct regs *r);

/* apic.c, smp.c */
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 val);
#define apic_id()	(apic_read(APIC_ID) >> 24)
#define apic_eoi()	apic_write(APIC_EOI, 0)
#define PIC_MASTER	0x20
#define PIC_SLAVE	0xa0
void apic_init(void);
void pic_write(u16 port, u8 val);
void irq_arrived(struct vcpu *v, u32 vec);
bool irq_blocked(struct vcpu *v, u32 vec);
void irq_service(struct vcpu *v, u32 vec);
enum outcome guest_apic_write(struct vcpu *v, struct regs *r, u32 reg, u32 val);
void smp_start(void);
void smp_wake(u32 apic);
void smp_message(struct vcpu *c, u32 mode);
void smp_stop_others(void);
void nmi_arrived(struct vcpu *v, struct regs *r);
__noreturn void vcpu_idle(struct vcpu *v);

/* loader.c */
void load_guest(struct regs *r);
__noreturn void enter_guest(struct regs *r);

/* entry.S */
extern char vector_stubs[], syscall_stub[], call_gate[], iretq_insn[];
extern char syscall_iretq[], ap_start[], ap_end[];
extern char halt_begin[], halt_end[];
void halt_unless(volatile bool *a, volatile bool *b);
__noreturn void run_on_stack(void *stack, void (*fn)(void));

#endif
