// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that nobody asked for, from QEMU's device "edu" in slot 12.  Its
 * level-triggered line is that of a virtio-rng in slot 8, whose driver has a
 * handler on it that finds nothing to do.
 */
#include <stdbool.h>

#include "ktap.h"

#define EDU		"/sys/bus/pci/devices/0000:00:0c.0/"
#define RNG		"/sys/bus/pci/devices/0000:00:08.0/"
#define EDU_RAISE	(0x60 / 4)
#define EDU_LOWER	(0x64 / 4)
#define WITHDRAWN	20000	/* Linux closes a line after 100,000 */

static char text[1 << 18];

static long attribute(const char *path)
{
	return sys_read_file(path, text, sizeof(text)) > 0 ? atol(text) : -1;
}

/* The device's registers, its line ready to be used. */
static volatile unsigned int *open_edu(void)
{
	int fd = open(EDU "enable", O_WRONLY);
	void *registers;

	if (fd < 0 || write(fd, "1", 1) != 1)
		return NULL;
	close(fd);
	fd = open(EDU "resource0", O_RDWR);
	if (fd < 0)
		return NULL;
	registers = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return registers == MAP_FAILED ? NULL : registers;
}

/* Interrupts on the line, handled or not, since it was last judged. */
static long line_count(void)
{
	char path[] = "/proc/irq/00/spurious";
	long irq = attribute(EDU "irq");

	path[10] += irq / 10;
	path[11] += irq % 10;
	if (irq < 10 || sys_read_file(path, text, sizeof(text)) <= 0)
		return -1;
	return text_number(text, "count");
}

/* Interrupts that the 8259s could not name any more. */
static long spurious_count(void)
{
	long n = sys_read_file("/proc/interrupts", text, sizeof(text));

	return n > 0 ? text_number(text, "ERR") : -1;
}

static bool logged(const char *what)
{
	long len = my_syscall3(__NR_syslog, 3, text, sizeof(text) - 1);

	if (len < 0)
		return false;
	text[len] = 0;
	return text_find(text, what);
}

static bool lives(void)
{
	pid_t pid = fork();

	if (!pid)
		exit(0);
	return pid > 0 && sys_wait(pid) == 0;
}

static void raise_and_lower(volatile unsigned int *edu)
{
	int i;

	for (i = 0; i < WITHDRAWN; i++) {
		edu[EDU_RAISE] = 1;
		edu[EDU_LOWER] = 1;
	}
}

/* By one processor, for another one if there is one, which may be too slow to see it. */
static int withdrawn(void)
{
	volatile unsigned int *edu = open_edu();
	long line, errors, delivered = 0, spurious = 0;
	int tries;

	CHECK(edu);
	CHECK_EQ(attribute(EDU "irq"), attribute(RNG "irq"));
	sys_pin_to_cpu(sys_cpu_count() - 1);
	line = line_count();
	errors = spurious_count();
	CHECK_REL(line, >=, 0);
	CHECK_REL(errors, >=, 0);
	for (tries = 1; tries <= 20 && !delivered && !spurious; tries++) {
		raise_and_lower(edu);
		delivered = line_count() - line;
		spurious = spurious_count() - errors;
	}
	ktap_print("# raised and lowered %d times: %ld delivered, %ld spurious",
		   (tries - 1) * WITHDRAWN, delivered, spurious);
	CHECK_REL(delivered + spurious, >, 0);
	CHECK(!logged("nobody cared"));
	CHECK(lives());
	return KSFT_PASS;
}

/* Raised and left so, until Linux closes the line. */
static int flood(void)
{
	volatile unsigned int *edu = open_edu();
	unsigned long long start = sys_clock_ns(CLOCK_MONOTONIC);

	CHECK(edu);
	edu[EDU_RAISE] = 1;
	while (!logged("nobody cared"))
		sys_sleep_ms(100);
	ktap_print("# the line was closed after %u ms",
		   (unsigned int)((sys_clock_ns(CLOCK_MONOTONIC) - start) >> 20));
	CHECK(lives());
	edu[EDU_LOWER] = 1;
	CHECK(lives());
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(withdrawn), TEST(flood),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
