// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP over virtio-net to a server of the host (host/net.py), both ways, each
 * with a checksum that the other end computes.
 */
#include "inet.h"

#define HOST		IPV4(10, 0, 2, 2)	/* in QEMU's user network */
#define CHUNK		65536

static unsigned char buf[CHUNK];
static unsigned int crc_table[256];
static unsigned short port;
static unsigned int megabytes;

static void make_crc_table(void)
{
	unsigned int i, k, crc;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
		crc_table[i] = crc;
	}
}

/* Continues @crc, which starts as 0. */
static unsigned int crc32(unsigned int crc, const unsigned char *p, unsigned int len)
{
	crc = ~crc;
	while (len--)
		crc = crc >> 8 ^ crc_table[(crc ^ *p++) & 255];
	return ~crc;
}

/* "vmi.net=PORT,MEGABYTES" on the command line: whether the host serves. */
static int find_host(void)
{
	static char text[4096];
	const char *p;
	unsigned int number;

	sys_read_file("/proc/cmdline", text, sizeof(text));
	p = text_find(text, "vmi.net=");
	if (!p)
		return 0;
	number = atol(p + 8);
	port = number << 8 | number >> 8;
	while (*p && *p != ',')
		p++;
	megabytes = atol(p + 1);
	make_crc_table();
	return 1;
}

#define NEED_HOST() do {						\
	if (!find_host())						\
		SKIP("the host gave no network");			\
} while (0)

/* Connects, and asks for a transfer of @len bytes. */
static int ask(char letter, unsigned int len)
{
	int fd = inet_connect(HOST, port);

	if (fd < 0 || write(fd, &letter, 1) != 1 || sys_write_full(fd, &len, 4))
		return -1;
	return fd;
}

static int upload(unsigned int seed, unsigned int mb)
{
	unsigned int i, k, answer, crc = 0;
	int fd = ask('u', mb << 20);

	CHECK_REL(fd, >=, 0);
	for (i = 0; i < (mb << 20) / CHUNK; i++) {
		for (k = 0; k < CHUNK / 4; k++)
			((unsigned int *)buf)[k] = prng(&seed);
		crc = crc32(crc, buf, CHUNK);
		CHECK_EQ(sys_write_full(fd, buf, CHUNK), 0);
	}
	CHECK_EQ(sys_read_full(fd, &answer, 4), 0);
	CHECK_EQ(answer, crc);
	close(fd);
	return KSFT_PASS;
}

static int download(unsigned int mb)
{
	unsigned int left = mb << 20, answer, crc = 0;
	int n, fd = ask('d', left);

	CHECK_REL(fd, >=, 0);
	for (; left; left -= n) {
		n = read(fd, buf, left < CHUNK ? left : CHUNK);
		CHECK_REL(n, >, 0);
		crc = crc32(crc, buf, n);
	}
	CHECK_EQ(sys_read_full(fd, &answer, 4), 0);
	CHECK_EQ(answer, crc);
	close(fd);
	return KSFT_PASS;
}

static int send(void)
{
	NEED_HOST();
	return upload(1, megabytes);
}

static int receive(void)
{
	NEED_HOST();
	return download(megabytes);
}

static int both_ways_at_once(void)
{
	pid_t pids[4];
	int i;

	NEED_HOST();
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			exit(i < 2 ? upload(i + 2, 1) : download(1));
	}
	for (i = 0; i < 4; i++)
		CHECK_EQ(sys_wait(pids[i]), 0);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(send),
	TEST(receive),
	TEST(both_ways_at_once),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
