/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MON_H
#define MON_H

/* The monitor around the ring-1 core. */

#include <stdarg.h>
#include "ring1.h"

extern char _image_start[], _text_end[], _rodata_end[], _image_end[];

static inline bool overlaps(u64 start, u64 end, u64 other, u64 size)
{
	return start < other + size && end > other;
}

static inline struct vcpu *this_vcpu(void)
{
	u64 sp;

	asm volatile("movq %%rsp, %0" : "=r" (sp));
	return *(struct vcpu **)(sp & ~(u64)(STACK_SIZE - 1));
}

/* console.c */
void console_init(void);
void mprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vmprintf(const char *fmt, va_list ap);
extern bool console_screen;

/* vga.c */
bool vga_begin(void);
void vga_put(char c);
void vga_end(void);
void vga_screen_info(u8 *si);

/* cpuid.c */
void trap_cpuid(void);
bool guest_cpuid_faults(struct vcpu *vcpu, u64 val);

/* dump.c */
__noreturn void stop_guest(struct vcpu *vcpu, struct regs *regs, const char *why);
__noreturn void panic(struct regs *regs, const char *why);
__noreturn void refuse(const char *why, ...) __attribute__((format(printf, 1, 2)));
__noreturn void machine_exit(u32 code);

/* paging.c */
void *alloc_pages(u32 n);
u32 pages_left(void);
void paging_init(void);
u64 *monitor_pml4(void);
void map_low_page(u64 gpa);
u8 *map_stack(struct vcpu *vcpu, u32 nr);
void map_tss_window(struct vcpu *vcpu);
void map_alias(struct vcpu *vcpu, void *page);
void shadow_setup(struct vcpu *vcpu, u32 pages);

/* cpu.c */
void cpu_load_tables(struct vcpu *vcpu);
struct vcpu *vcpu_create(u32 id);
void idt_init(void);
void cpu_features(void);
extern u32 cr4_own;		/* bits of CR4 that are set whatever the guest wants */
extern u32 cr4_missing;		/* bits of CR4 that the guest cannot have here */

/* memory.c */
bool read_msr_safe(u32 msr, u64 *val);
bool write_msr_safe(u32 msr, u64 val);
bool extable_fixup(struct regs *regs);

/* traps.c */
struct vcpu *trap_from_guest(struct regs *regs);
struct vcpu *trap_from_monitor(struct regs *regs);
struct vcpu *guest_events(struct regs *regs);
void go_round(struct regs *regs);
struct short_frame;
bool fill_from_rom(struct short_frame *f, struct vcpu *vcpu);
bool short_call(struct short_frame *f, struct vcpu *vcpu);

/* io.c */
enum outcome emulate_apic_store(struct vcpu *vcpu, struct regs *regs, u32 gva);

/* ports.c */
#define PIC_MASTER	0x20
#define PIC_SLAVE	0xa0
u32 port_in(u16 port, u32 size);
void port_out(u16 port, u32 size, u32 val);
void filter_ports(u8 *bitmap);
void open_ports(struct vcpu *vcpu);

/* halt.c */
void vcpu_halt(struct vcpu *vcpu);

/* rom.c */
void rom_install(void);
extern bool fill_at_iret;	/* by MON_FILL_GATE */

/* acpi.c */
struct acpi_header {
	char sig[4];
	u32 length;
	u8 revision, checksum, rest[26];
} __packed;

struct acpi_header *find_table(const char *sig);
void hide_suspend(void);

/* apic.c, smp.c */
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 val);
#define apic_id()	(apic_read(APIC_ID) >> 24)
#define apic_eoi()	apic_write(APIC_EOI, 0)
void apic_init(void);
void apic_command_sent(void);
void pic_write(u16 port, u8 val);
void irq_arrived(struct vcpu *vcpu, u32 vec);
void irq_forget(struct vcpu *vcpu);
u32 smp_find(u32 max);
void smp_start(void);
void smp_message(struct vcpu *c, u32 mode);
void smp_stop_others(void);
bool smp_alive(void);
void nmi_arrived(struct vcpu *vcpu);
__noreturn void vcpu_idle(struct vcpu *vcpu);

/* setup.c */
u64 find_room(u64 limit, u64 size, u64 align);

/* loader.c */
void load_guest(struct regs *regs);

/* entry.S */
extern char vector_stubs[], syscall_stub[], call_gate[], fill_gate[], short_gate[];
extern char iretq_insn[], syscall_iretq[], ap_start[], ap_end[];
extern char ways_out[], ways_out_again[];
extern char halt_begin[], halt_end[];
void halt_unless(volatile bool *a, volatile bool *b);
void park_unless(volatile bool *a);
__noreturn void enter_guest(struct regs *regs);
__noreturn void trap_again(struct regs *regs);
__noreturn void run_on_stack(void *stack, void (*fn)(struct vcpu *vcpu), struct vcpu *vcpu);

#endif
