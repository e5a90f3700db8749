/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_FUZZ_H
#define KVM_FUZZ_H

/*
 * A guest's physical memory, as guest.c fills it and guest.S expects it.  All of it
 * is mapped one to one by two sets of page tables.
 */
#define MEMORY		0x800000
#define GDT		0x1000
#define IDT		0x2000
#define TSS		0x3000
#define LDT		0x4000
#define TABLES		0x5000	/* 2-level: directory, 2 tables; PAE: 4, 4 directories, 4 tables */
#define PD2		TABLES
#define PT2		0x6000
#define PDPT		0x8000
#define PDPAE		0x9000
#define PTPAE		0xd000
#define TABLES_END	0x11000
#define BOOT		0x12000	/* guest.S */
#define HANDLER		0x12800	/* a handler of each exception: IRET */
#define PROGRAM		0x13000	/* random instructions */
#define PROGRAM_SIZE	0x800
#define STACK		0x20000	/* its top, of the kernel */
#define USER_STACK	0x22000
#define DATA		0x24000
#define RESULT		0x24000	/* of vmi_init */
#define OPS		0x24100	/* what get_reloc says: address, type */
#define OPS_NR		112
#define SHARED		0x80000	/* pages that the ROM shares with the host; behind them */
#define SAVED		0x81000	/* what it saves of each virtual CPU, 256 bytes */
#define ROM		0xc8000		/* kvm.rom */
#define ROM_RING1	0x20		/* in its header, see asm/vmi/rom.h */
#define ROM_SHARED	0x24
#define ROM_SIZE	0x8000
#define DONE_PORT	0xf4

#define SEL_CODE	0x08
#define SEL_DATA	0x10
#define SEL_USER_CODE	0x1b
#define SEL_USER_DATA	0x23
#define SEL_TSS		0x28
#define SEL_LDT		0x30
#define GDT_NR		24	/* entries, 7 and up of odd kinds */
#define LDT_NR		16

#ifndef __ASSEMBLER__
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define VCPUS	4		/* at most; as many as there may be */
#define THREADS	4
#define SLOTS	6
#define CALLS	64		/* at least as many as there are kinds */
#define EXITS	48		/* kinds of KVM's exits */
#define MACHINES 16		/* at a time, at most */

/* One virtual machine, in a process of its own. */
struct vm {
	int fd, memory_fd;
	u32 vcpus;
	int vcpu[VCPUS];
	struct kvm_run *run[VCPUS];
	u8 *memory;		/* for us */
	u8 *shown;		/* for the guest: the same pages, other mappings */
	bool pae, paging;
	u64 moved_to;		/* where the last slot is */
};

/* What all processes have in common. */
struct shared {
	u64 calls, done[CALLS], refused[CALLS], exits[EXITS], inits, ops_called;
	u64 machines, killed;
	u64 progress[MACHINES];	/* calls, of whichever machine it is */
};

struct thread {
	struct vm *vm;
	u64 random;
	u64 calls;		/* left */
	u32 slot;		/* of shared->progress */
	pthread_t id;
	bool first, in_run, ended;
	u32 runs;
};

extern struct shared *shared;
extern struct kvm_cpuid2 *supported;
extern u8 rom[ROM_SIZE];
extern int kvm;
void make_machine(struct vm *vm, u32 want, bool in_kernel);

/* cases.c */
int cases(void);

/* nmi.c */
int late_nmis(void);

/* guest.c */
u64 rnd(struct thread *t);
u32 pick(struct thread *t, u32 n);
bool one_in(struct thread *t, u32 n);
u64 value(struct thread *t);
void fill_memory(struct vm *vm, bool all);
void write_program(struct thread *t);
void poke(struct thread *t);
void base_sregs(struct vm *vm, struct kvm_sregs *s);
void base_regs(struct kvm_regs *r, u32 eip);
void segment_of(struct vm *vm, struct kvm_segment *s, u16 sel);
u16 selector(struct thread *t);
u32 op_address(struct thread *t);

/* calls.c */
extern const struct call {
	const char *name;
	u32 weight;
	bool often_refused;	/* as on most machines: not to be reached */
	int (*call)(struct thread *t, u32 vcpu);
} calls[];
extern const u32 calls_nr;
bool set_slot(struct vm *vm, u32 slot, u64 gpa, u64 size, u64 offset, u32 flags);
void all_slots(struct vm *vm);
int back_to_base(struct thread *t, u32 vcpu);
int run_it(struct thread *t, u32 vcpu);
#endif
#endif
