// SPDX-License-Identifier: GPL-2.0-only
/* What a stand-alone guest stands on; guest.h describes it. */
#include <stdarg.h>

#include "guest.h"

#define COM1		0x3f8
#define COM_DLL		(COM1 + 0)
#define COM_LCR		(COM1 + 3)
#define COM_LSR		(COM1 + 5)
#define LCR_8N1		0x03
#define LCR_DLAB	0x80
#define LSR_EMPTY	0x20
#define DEBUG_EXIT	0xf4

#define PIC1		0x20
#define PIC2		0xa0
#define PIC_VECTOR	0x20
#define PIT_CHANNEL0	0x40
#define PIT_CONTROL	0x43
#define PIT_ONESHOT	0x30
#define PIT_LATCH	0x00
#define DELAY_PORT	0x80	/* an access takes about 1 us */

#define LAPIC_ICR	0xfee00300
#define ICR_ALL_BUT_ME	0x000c0000
#define ICR_INIT	0x00004500
#define ICR_STARTUP	0x00004600
#define AP_PAGE		0x8000

#define BOOT_CMDLINE	0x228	/* offset in the boot parameters */

struct tss tss;
u32 boot_params;
u32 page_dir[1024] __aligned(4096);
const char *why = "", *skipped;
bool (*trap_hook)(const struct trap_frame *frame);

extern struct trap_frame trap_frame;
extern char gates[], gate_trap[], ring0_stack_top[];
extern char ap_trampoline[], ap_trampoline_end[];
void trap_enter(u32 esp, u32 ss);
void __noreturn guest_start(u32 params);

u64 idt[256];
static unsigned int ktap_number, ktap_failures;

void *memset(void *to, int value, size_t len)
{
	u8 *byte = to;

	while (len--)
		*byte++ = value;
	return to;
}

void *memcpy(void *to, const void *from, size_t len)
{
	const u8 *source = from;
	u8 *byte = to;

	while (len--)
		*byte++ = *source++;
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;

	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

size_t strnlen(const char *s, size_t max)
{
	size_t len = 0;

	while (len < max && s[len])
		len++;
	return len;
}

int strcmp(const char *a, const char *b)
{
	return memcmp(a, b, strlen(a) + 1);
}

const char *cmdline_word(const char *cmdline, const char *name)
{
	size_t len = strlen(name);

	for (; *cmdline; cmdline++)
		if (!memcmp(cmdline, name, len) && cmdline[len] == '=')
			return cmdline + len + 1;
	return "";
}

u32 cmdline_number(const char *cmdline, const char *name, u32 other)
{
	const char *digit = cmdline_word(cmdline, name);
	u32 value = 0;

	if (!*digit)
		return other;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		value = 10 * value + *digit - '0';
	return value;
}

/* Where formatted text goes: a buffer, or the console if there is none. */
struct sink {
	char *buffer;
	size_t size, len;
};

static void put_serial(char c)
{
	if (c == '\n')
		put_serial('\r');
	while (!(inb(COM_LSR) & LSR_EMPTY))
		;
	outb(COM1, c);
}

static void put(struct sink *sink, char c)
{
	if (!sink->buffer)
		put_serial(c);
	else if (sink->len + 1 < sink->size)
		sink->buffer[sink->len] = c;
	sink->len++;
}

static void put_number(struct sink *sink, u32 value, u32 base, int width, char pad)
{
	char digits[11];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (width-- > n)
		put(sink, pad);
	while (n)
		put(sink, digits[--n]);
}

static void put_signed(struct sink *sink, int value, int width, char pad)
{
	if (value < 0)
		put(sink, '-');
	put_number(sink, value < 0 ? -(u32)value : (u32)value, 10, width, pad);
}

static void format_all(struct sink *sink, const char *format, va_list args)
{
	const char *s;
	int width;
	char pad;

	for (; *format; format++) {
		if (*format != '%') {
			put(sink, *format);
			continue;
		}
		format++;
		pad = *format == '0' ? '0' : ' ';
		for (width = 0; *format >= '0' && *format <= '9'; format++)
			width = 10 * width + *format - '0';
		switch (*format) {
		case 'c':
			put(sink, va_arg(args, int));
			break;
		case 's':
			for (s = va_arg(args, const char *); *s; s++)
				put(sink, *s);
			break;
		case 'd':
			put_signed(sink, va_arg(args, int), width, pad);
			break;
		case 'u':
			put_number(sink, va_arg(args, u32), 10, width, pad);
			break;
		case 'x':
			put_number(sink, va_arg(args, u32), 16, width, pad);
			break;
		default:
			put(sink, *format);
		}
	}
}

void print(const char *format, ...)
{
	struct sink sink = { NULL, 0, 0 };
	va_list args;

	va_start(args, format);
	format_all(&sink, format, args);
	va_end(args);
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
	struct sink sink = { buffer, size, 0 };
	va_list args;

	va_start(args, format);
	format_all(&sink, format, args);
	va_end(args);
	if (size)
		buffer[sink.len < size ? sink.len : size - 1] = 0;
	return sink.len;
}

void guest_exit(unsigned int status)
{
	outb(DEBUG_EXIT, status);
	print("# exit status %x\n", status);	/* for who watches the console */
	for (;;)
		asm volatile("cli; hlt");
}

void ktap_start(unsigned int plan)
{
	print("KTAP version 1\n1..%u\n", plan);
}

void ktap_begin(bool ok)
{
	ktap_failures += !ok;
	print("%sok %u ", ok ? "" : "not ", ++ktap_number);
}

void ktap_result(bool ok, const char *name)
{
	ktap_begin(ok);
	print("%s\n", name);
}

void expect_eq(u32 a, u32 b, const char *reason)
{
	if (a == b)
		return;
	if (!*why)
		print("# 0x%x is not 0x%x\n", a, b);
	FAIL(reason);
}

void ktap_end(const char *group, const char *name)
{
	if (*why)
		print("# %s\n", why);
	ktap_begin(!*why);
	print("%s: %s", group, name);
	if (skipped)
		print(" # SKIP %s", skipped);
	print("\n");
	why = "";
	skipped = NULL;
}

unsigned int ktap_failed(void)
{
	return ktap_failures;
}

void pic_mask(u16 mask)
{
	outb(PIC1 + 1, mask);
	outb(PIC2 + 1, mask >> 8);
}

void pic_eoi(void)
{
	outb(PIC1, 0x20);
}

static void pic_setup(void)
{
	outb(PIC1, 0x11);
	outb(PIC2, 0x11);
	outb(PIC1 + 1, PIC_VECTOR);
	outb(PIC2 + 1, PIC_VECTOR + 8);
	outb(PIC1 + 1, 4);
	outb(PIC2 + 1, 2);
	outb(PIC1 + 1, 1);
	outb(PIC2 + 1, 1);
	pic_mask(0xffff);
}

void pit_oneshot(u16 ticks)
{
	outb(PIT_CONTROL, PIT_ONESHOT);
	outb(PIT_CHANNEL0, ticks);
	outb(PIT_CHANNEL0, ticks >> 8);
}

u16 pit_count(void)
{
	u16 low;

	outb(PIT_CONTROL, PIT_LATCH);
	low = inb(PIT_CHANNEL0);
	return low | inb(PIT_CHANNEL0) << 8;
}

void delay_us(u32 us)
{
	while (us--)
		outb(DELAY_PORT, 0);
}

void ap_start_all(void)
{
	memcpy((void *)AP_PAGE, ap_trampoline, ap_trampoline_end - ap_trampoline);
	write32(LAPIC_ICR, ICR_ALL_BUT_ME | ICR_INIT);
	delay_us(100);
	write32(LAPIC_ICR, ICR_ALL_BUT_ME | ICR_STARTUP | AP_PAGE >> 12);
	delay_us(200);
}

void page_dir_fill(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(page_dir); i++)
		page_dir[i] = i << LARGE_SHIFT | PDE_LARGE;
}

void set_segment(u32 selector, u32 base, u32 limit, u32 flags)
{
	u32 high = (base & 0xff000000) | (base >> 16 & 0xff) | (limit & 0xf0000) | flags;
	u32 low = base << 16 | (limit & 0xffff);

	gdt[selector / 8] = (u64)high << 32 | low;
}

static void set_gate(unsigned int vector, const char *target)
{
	u32 addr = (u32)target;

	idt[vector] = (u64)((addr & 0xffff0000) | 0xee00) << 32 |
		      KERNEL_CS << 16 | (addr & 0xffff);
}

static void traps_setup(void)
{
	struct descriptor_pointer pointer = { sizeof(idt) - 1, (u32)idt };
	unsigned int i;

	for (i = 0; i < GATE_VECTORS; i++)
		set_gate(i, gates + 16 * i);
	set_gate(TRAP_VECTOR, gate_trap);
	asm volatile("lidt %0" : : "m" (pointer));

	tss.esp0 = (u32)ring0_stack_top;
	tss.ss0 = KERNEL_DS;
	tss.iomap = sizeof(tss) << 16;
	set_segment(TSS_SEL, (u32)&tss, sizeof(tss) - 1, SEG_TSS);
	asm volatile("ltr %w0" : : "r" (TSS_SEL));
}

/* From start.S; @esp is where the frame was pushed. */
void trap_enter(u32 esp, u32 ss)
{
	struct trap_frame frame = trap_frame;

	if ((frame.cs & 3) != 3) {
		frame.esp = esp + offsetof(struct trap_frame, esp);
		frame.ss = ss;
	}
	if (trap_hook && trap_hook(&frame))
		return;

	print("# trap %u error %x at %x:%08x flags %x stack %x:%08x\n",
	      frame.vector, frame.error, frame.cs, frame.eip, frame.eflags,
	      frame.ss, frame.esp);
	print("# eax %08x ecx %08x edx %08x ebx %08x esi %08x edi %08x ebp %08x\n",
	      frame.eax, frame.ecx, frame.edx, frame.ebx, frame.esi, frame.edi,
	      frame.ebp);
	print("Bail out! unexpected trap\n");
	guest_exit(1);
}

/* A guest with one processor needs no ap_main(). */
void __weak ap_main(unsigned int cpu)
{
	(void)cpu;
}

void guest_start(u32 params)
{
	boot_params = params;
	outb(COM_LCR, LCR_DLAB);
	outb(COM_DLL, 1);
	outb(COM_DLL + 1, 0);
	outb(COM_LCR, LCR_8N1);
	pic_setup();
	traps_setup();
	guest_exit(main((const char *)read32(boot_params + BOOT_CMDLINE)));
}
