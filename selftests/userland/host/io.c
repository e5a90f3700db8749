// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast are virtio-blk and virtio-net?  /dev/vda is a disk that keeps nothing, a
 * server of the host's (host/net.py) takes and gives bytes without looking at them.
 * A line "# io NAME FIGURE UNIT" each.
 */
#include "inet.h"

#define HOST		IPV4(10, 0, 2, 2)	/* in QEMU's user network */
#define CHUNK		65536
#define NS		2000000000ULL		/* to measure */
#define DIRECT		040000			/* O_DIRECT */

static unsigned char buf[CHUNK] __attribute__((aligned(4096)));
static char text[4096];

/* @step(fd) until the time is over; returns ns per step, 0: it failed. */
static unsigned int ns_per_step(int (*step)(int fd, unsigned int n), int fd)
{
	unsigned long long start, now;
	unsigned int n = 0;

	/* The first may be slow. */
	if (step(fd, n))
		return 0;
	start = sys_clock_ns(CLOCK_MONOTONIC);
	do {
		if (step(fd, ++n))
			return 0;
		now = sys_clock_ns(CLOCK_MONOTONIC);
	} while (now - start < NS);
	/* A machine that stood still for so long was not measured. */
	if (now - start > 0xffffffff)
		return 0;
	return (unsigned int)(now - start) / n;
}

static int report_rate(const char *name, unsigned int ns)
{
	CHECK_REL(ns, >, 0);
	/* CHUNK bytes: KB a second. */
	ktap_print("# io %s %u KB/s", name, (CHUNK / 1024) * (1000000000 / 64) / ns * 64);
	return KSFT_PASS;
}

static int report_latency(const char *name, unsigned int ns)
{
	CHECK_REL(ns, >, 0);
	ktap_print("# io %s %u ns", name, ns);
	return KSFT_PASS;
}

static int read_chunk(int fd, unsigned int n)
{
	return my_syscall5(__NR_pread64, fd, buf, CHUNK, n % 512 * CHUNK, 0) != CHUNK;
}

static int write_chunk(int fd, unsigned int n)
{
	return my_syscall5(__NR_pwrite64, fd, buf, CHUNK, n % 512 * CHUNK, 0) != CHUNK;
}

static int read_page(int fd, unsigned int n)
{
	return my_syscall5(__NR_pread64, fd, buf, 4096, n * 257 % 8192 * 4096, 0) != 4096;
}

static int disk_read(void)
{
	int fd = open("/dev/vda", O_RDONLY | DIRECT);

	CHECK_REL(fd, >=, 0);
	return report_rate("disk_read", ns_per_step(read_chunk, fd));
}

static int disk_write(void)
{
	int fd = open("/dev/vda", O_WRONLY | DIRECT);

	CHECK_REL(fd, >=, 0);
	return report_rate("disk_write", ns_per_step(write_chunk, fd));
}

static int disk_latency(void)
{
	int fd = open("/dev/vda", O_RDONLY | DIRECT);

	CHECK_REL(fd, >=, 0);
	return report_latency("disk_latency", ns_per_step(read_page, fd));
}

/* Asks the server of "vmi.net=PORT,..." for what @letter stands for. */
static int ask(char letter)
{
	unsigned int number, len = ~0u;
	int fd;

	sys_read_file("/proc/cmdline", text, sizeof(text));
	number = text_number(text, "vmi.net");
	fd = inet_connect(HOST, (unsigned short)(number << 8 | number >> 8));
	if (fd < 0 || write(fd, &letter, 1) != 1 || sys_write_full(fd, &len, 4))
		return -1;
	return fd;
}

static int send_chunk(int fd, unsigned int n)
{
	return sys_write_full(fd, buf, CHUNK);
}

static int receive_chunk(int fd, unsigned int n)
{
	return sys_read_full(fd, buf, CHUNK);
}

static int there_and_back(int fd, unsigned int n)
{
	return write(fd, buf, 1) != 1 || read(fd, buf, 1) != 1;
}

static int net_send(void)
{
	int fd = ask('s');

	CHECK_REL(fd, >=, 0);
	return report_rate("net_send", ns_per_step(send_chunk, fd));
}

static int net_receive(void)
{
	int fd = ask('r');

	CHECK_REL(fd, >=, 0);
	return report_rate("net_receive", ns_per_step(receive_chunk, fd));
}

static int net_latency(void)
{
	int fd = ask('e');

	CHECK_REL(fd, >=, 0);
	return report_latency("net_latency", ns_per_step(there_and_back, fd));
}

static const struct test tests[] = {
	TEST(disk_read),
	TEST(disk_write),
	TEST(disk_latency),
	TEST(net_send),
	TEST(net_receive),
	TEST(net_latency),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
