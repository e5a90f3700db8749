// SPDX-License-Identifier: GPL-2.0-only
/*
 * The screen, as long as it shows text.  The guest has it as well and may have set any
 * mode: what it looks like is read from its registers each time, and where they say
 * nothing of use, nothing is written.
 */
#include "mon.h"

#define MISC_OUTPUT	0x3cc
#define MISC_COLOR	BIT(0)		/* CRTC at 0x3d4, not 0x3b4 */
#define GRAPHICS	0x3ce
#define GRAPHICS_MISC	6
#define GRAPHICS_MODE	BIT(0)
#define CRTC_COLUMNS	0x01
#define CRTC_OVERFLOW	0x07
#define CRTC_SCAN_LINES	0x09		/* of a row */
#define CRTC_START	0x0c
#define CRTC_CURSOR	0x0e
#define CRTC_LINES	0x12		/* of the screen; bits 8 and 9 in the overflow */
#define CRTC_OFFSET	0x13

#define COLOR_TEXT	0xb8000
#define MONO_TEXT	0xb0000
#define CELLS		0x4000		/* the memory has so many; indices wrap around */
#define BLANK		0x0720		/* grey on black */

static u16 crtc;			/* its port; 0: no text to be seen */
static u8 crtc_index;			/* as the guest had it */
static u32 columns, rows, height, pitch, start, cursor;

/* A register of one of the VGA's units, by its index. */
static u8 read_reg(u16 unit, u8 index)
{
	outb(unit, index);
	return inb(unit + 1);
}

static u32 read_pair(u8 index)
{
	return read_reg(crtc, index) << 8 | read_reg(crtc, index + 1);
}

static u16 *cell(u32 n)
{
	u16 *cells = phys_ptr(crtc == 0x3d4 ? COLOR_TEXT : MONO_TEXT);

	return &cells[(start + n) & (CELLS - 1)];
}

/**
 * vga_begin - look at the screen before something is put there
 *
 * Return: false if it is not there, or shows no text.
 */
bool vga_begin(void)
{
	u8 misc = inb(MISC_OUTPUT), index, overflow;
	bool graphics;

	crtc = 0;
	if (misc == 0xff)
		return false;
	index = inb(GRAPHICS);
	graphics = read_reg(GRAPHICS, GRAPHICS_MISC) & GRAPHICS_MODE;
	outb(GRAPHICS, index);
	if (graphics)
		return false;
	crtc = misc & MISC_COLOR ? 0x3d4 : 0x3b4;
	crtc_index = inb(crtc);
	columns = read_reg(crtc, CRTC_COLUMNS) + 1;
	overflow = read_reg(crtc, CRTC_OVERFLOW);
	height = (read_reg(crtc, CRTC_SCAN_LINES) & 31) + 1;
	rows = (read_reg(crtc, CRTC_LINES) | (overflow & 2) << 7 | (overflow & 64) << 3) + 1;
	rows /= height;
	pitch = read_reg(crtc, CRTC_OFFSET) * 2;
	start = read_pair(CRTC_START);
	cursor = (read_pair(CRTC_CURSOR) - start) & (CELLS - 1);
	if (pitch < columns || !rows || rows * pitch > CELLS) {
		outb(crtc, crtc_index);
		crtc = 0;
	} else if (cursor >= rows * pitch) {
		cursor = (rows - 1) * pitch;
	}
	return crtc;
}

static void scroll(void)
{
	u32 i;

	for (i = 0; i < (rows - 1) * pitch; i++)
		*cell(i) = *cell(i + pitch);
	for (; i < rows * pitch; i++)
		*cell(i) = BLANK;
	cursor -= pitch;
}

/* Between vga_begin(), when that said yes, and vga_end(). */
void vga_put(char c)
{
	if (c == '\r') {
		cursor -= cursor % pitch;
	} else if (c == '\n') {
		cursor += pitch;
	} else {
		*cell(cursor) = (BLANK & 0xff00) | (u8)c;
		cursor++;
		if (cursor % pitch == columns % pitch)	/* the next row */
			cursor += (pitch - cursor % pitch) % pitch;
	}
	if (cursor >= rows * pitch)
		scroll();
}

void vga_end(void)
{
	u32 at = (start + cursor) & (CELLS - 1);

	outb(crtc, CRTC_CURSOR);
	outb(crtc + 1, at >> 8);
	outb(crtc, CRTC_CURSOR + 1);
	outb(crtc + 1, at);
	outb(crtc, crtc_index);
}

/* Offsets in Linux's struct screen_info, the first of the boot parameters. */
#define SI_X		0x00
#define SI_Y		0x01
#define SI_MODE		0x06
#define SI_COLUMNS	0x07
#define SI_EGA_BX	0x0a
#define SI_ROWS		0x0e
#define SI_IS_VGA	0x0f
#define SI_POINTS	0x10

#define MODE_COLOR	3
#define MODE_MONO	7
#define EGA_256K	3

/**
 * vga_screen_info - tell Linux what a boot from the BIOS would have
 * @si: its struct screen_info, all zero: no screen
 */
void vga_screen_info(u8 *si)
{
	if (!vga_begin())
		return;
	si[SI_X] = cursor % pitch;
	si[SI_Y] = cursor / pitch;
	si[SI_MODE] = crtc == 0x3d4 ? MODE_COLOR : MODE_MONO;
	si[SI_COLUMNS] = columns;
	si[SI_ROWS] = rows;
	si[SI_EGA_BX] = EGA_256K;
	si[SI_IS_VGA] = 1;
	si[SI_POINTS] = height;
	vga_end();
}
