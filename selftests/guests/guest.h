/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stand-alone guest stands on: console, KTAP, descriptor tables, traps,
 * further processors.  A guest is one C file with main(), linked with start.S
 * and guest.c.
 */
#ifndef _GUEST_H
#define _GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segments.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __aligned(n)	__attribute__((__aligned__(n)))
#define __noreturn	__attribute__((__noreturn__))
#define __packed	__attribute__((__packed__))
#define __printf(f, a)	__attribute__((__format__(__printf__, f, a)))
#define __weak		__attribute__((__weak__))

/* The guest.  What it returns ends the machine: 0 is success. */
int main(const char *cmdline);

/* Where Linux's boot parameters are. */
extern u32 boot_params;
#define BP_E820_ENTRIES	0x1e8		/* u8 */
#define BP_E820		0x2d0		/* start and size, u64; type, u32 */
#define E820_RAM	1
#define E820_RESERVED	2

/* Called on each further processor, number from 1, interrupts off. */
void ap_main(unsigned int cpu);

/* Console: the first serial port.  %c %s %d %u %x with width and 0; %% */
void print(const char *format, ...) __printf(1, 2);

/*
 * Ends QEMU through isa-debug-exit: its exit status is 2 * status + 1.  On a machine
 * without that the status is the console's last line.
 */
void __noreturn guest_exit(unsigned int status);

/* KTAP; ktap_begin() leaves the rest of the line to the caller. */
void ktap_start(unsigned int plan);
void ktap_begin(bool ok);
void ktap_result(bool ok, const char *name);
unsigned int ktap_failed(void);

/* The first reason why the current test failed; empty if it did not. */
extern const char *why;
#define FAIL(reason)	((void)(why = *why ? why : (reason)))
#define EXPECT(cond)	((cond) ? (void)0 : FAIL("not: " #cond))
#define EXPECT_EQ(a, b)	expect_eq(a, b, "not: " #a " == " #b)
void expect_eq(u32 a, u32 b, const char *reason);
extern const char *skipped;		/* the reason, if it was */
#define SKIP(reason)	((void)(skipped = (reason)))

/* The end of a test: its line, and a fresh start. */
void ktap_end(const char *group, const char *name);

/* What is behind "name=" on the command line; empty if it is not there. */
const char *cmdline_word(const char *cmdline, const char *name);

/* The same as a number. */
u32 cmdline_number(const char *cmdline, const char *name, u32 other);

int strcmp(const char *a, const char *b);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int snprintf(char *buffer, size_t size, const char *format, ...) __printf(3, 4);
void *memset(void *to, int value, size_t len);
void *memcpy(void *to, const void *from, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/* Ports and machine */
static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a" (value), "Nd" (port));
}

static inline u8 inb(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a" (value) : "Nd" (port));
	return value;
}

/* Memory that something else reads or writes too. */
static inline u32 read32(u32 addr)
{
	return *(volatile u32 *)addr;
}

static inline void write32(u32 addr, u32 value)
{
	*(volatile u32 *)addr = value;
}

static inline u16 read16(u32 addr)
{
	return *(volatile u16 *)addr;
}

#define READ_CR(n) \
	({ u32 _cr; asm volatile("mov %%cr" #n ", %0" : "=r" (_cr)); _cr; })
#define WRITE_CR(n, value) \
	asm volatile("mov %0, %%cr" #n : : "r" (value) : "memory")

#define CR0_TS		0x00000008
#define CR0_PG		0x80000000
#define CR4_DE		0x08
#define CR4_PSE		0x10
#define CR4_PGE		0x80

/* What a fault pushes has it on processors, in emulation not always. */
#define EFLAGS_RF	0x10000

/* A page directory that maps everything where it is, by large pages. */
#define PDE_LARGE	0x87	/* present, writable, user */
#define PDE_GLOBAL	0x100
#define LARGE_SHIFT	22
extern u32 page_dir[1024];
void page_dir_fill(void);

void pic_mask(u16 mask);
void pic_eoi(void);
void pit_oneshot(u16 ticks);	/* of 838 ns; ends in vector 0x20 */
u16 pit_count(void);		/* its ticks that are left; behind 0 comes 0xffff */
void delay_us(u32 us);

/* Starts all other processors of the machine. */
void ap_start_all(void);

/* Descriptors.  Access and flags as in the descriptor's upper word. */
struct descriptor_pointer {
	u16	limit;
	u32	base;
} __packed;

extern u64 gdt[], idt[256];
extern struct descriptor_pointer gdt_pointer;

struct tss {
	u32	link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	u32	eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32	es, cs, ss, ds, fs, gs, ldt, iomap;
};

extern struct tss tss;

#define SEG_TSS		0x00008900
#define SEG_LDT		0x00008200
#define SEG_DATA32	0x00c09300
#define SEG_DATA16	0x00009300
void set_segment(u32 selector, u32 base, u32 limit, u32 flags);

/* Traps */
struct trap_frame {
	u32	edi, esi, ebp, pad, ebx, edx, ecx, eax;
	u32	ds, es, fs, gs;
	u32	vector, error;
	u32	eip, cs, eflags;
	u32	esp, ss;
};

/*
 * Sees every trap first; true if it dealt with it, false ends the guest with
 * a dump.  @frame is a copy: changes have no effect.
 */
extern bool (*trap_hook)(const struct trap_frame *frame);

/* Where the IRET is that ends it then. */
extern u32 trap_return;

#endif /* _GUEST_H */
