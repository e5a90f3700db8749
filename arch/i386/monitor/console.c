// SPDX-License-Identifier: GPL-2.0-only
/* The first serial port and the screen, a printf of few formats, memory functions. */
#include "mon.h"

#define COM1	0x3f8

static u32 console_lock;
static bool on_screen;		/* what is said now */
bool console_screen = true;	/* the screen gets it, too */

void console_init(void)
{
	outb(COM1 + 1, 0);		/* no interrupts */
	outb(COM1 + 3, 0x80);		/* divisor */
	outb(COM1 + 0, 1);		/* 115200 */
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 3);		/* 8n1 */
	outb(COM1 + 2, 7);		/* FIFOs on and empty */
	outb(COM1 + 4, 3);		/* DTR, RTS */
}

/* A port that is not there reads as all ones; one that never sends slows us once. */
static void put_serial(char c)
{
	static u32 patience = 100000;
	u32 tries = patience;

	while (!(inb(COM1 + 5) & 0x20) && tries)
		if (!--tries)
			patience = 100;
	outb(COM1, c);
}

static void put_char(char c)
{
	if (c == '\n')
		put_char('\r');
	put_serial(c);
	if (on_screen)
		vga_put(c);
}

static void put_string(const char *s)
{
	while (*s)
		put_char(*s++);
}

static void put_number(u64 val, u32 base, int width, char fill)
{
	char buf[24], *p = buf + sizeof(buf) - 1;

	*p = 0;
	do {
		*--p = "0123456789abcdef"[val % base];
		val /= base;
		width--;
	} while (val);
	while (width-- > 0 && p > buf)
		*--p = fill;
	put_string(p);
}

/**
 * vmprintf - print on the console
 * @fmt: understands %s %d %u %x %lu %lx with a width, zero filled or not
 */
void vmprintf(const char *fmt, va_list ap)
{
	u32 tries = 1 << 24;

	/* Who holds it may have been stopped. */
	while (__atomic_exchange_n(&console_lock, 1, __ATOMIC_ACQUIRE) && --tries)
		pause();
	on_screen = console_screen && vga_begin();
	for (; *fmt; fmt++) {
		bool is_long = false;
		char fill = ' ';
		int width = 0;
		u64 val;

		if (*fmt != '%') {
			put_char(*fmt);
			continue;
		}
		if (*++fmt == '0')
			fill = '0';
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + *fmt++ - '0';
		if (*fmt == 'l') {
			is_long = true;
			fmt++;
		}
		switch (*fmt) {
		case 's':
			put_string(va_arg(ap, const char *));
			break;
		case 'd':
		case 'u':
		case 'x':
			val = is_long ? va_arg(ap, u64) : va_arg(ap, u32);
			put_number(val, *fmt == 'x' ? 16 : 10, width, fill);
			break;
		default:
			put_char(*fmt);
		}
	}
	if (on_screen)
		vga_end();
	__atomic_store_n(&console_lock, 0, __ATOMIC_RELEASE);
}

void mprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmprintf(fmt, ap);
	va_end(ap);
}

void *memcpy(void *d, const void *s, size_t n)
{
	void *ret = d;

	asm volatile("rep movsb" : "+D" (d), "+S" (s), "+c" (n) : : "memory");
	return ret;
}

void *memset(void *d, int c, size_t n)
{
	void *ret = d;

	/* Pages of tables are most of what is cleared. */
	if (!c && !(n & 7)) {
		n /= 8;
		asm volatile("rep stosq" : "+D" (d), "+c" (n) : "a" (0UL) : "memory");
		return ret;
	}
	asm volatile("rep stosb" : "+D" (d), "+c" (n) : "a" (c) : "memory");
	return ret;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
