// SPDX-License-Identifier: GPL-2.0-only
/* TCP over the loopback interface. */
#include "inet.h"

#define MEGABYTES	4
#define CHUNK		16384
#define LOOPBACK	IPV4(127, 0, 0, 1)

static unsigned char buf[CHUNK];

/* Listens on a port that the kernel chooses, in network order at @port. */
static int listen_any(unsigned short *port)
{
	struct sockaddr_in addr = inet_address(LOOPBACK, 0);
	unsigned int len = sizeof(addr);
	int fd = inet_socket();

	if (fd < 0 || my_syscall3(__NR_bind, fd, &addr, sizeof(addr)) ||
	    my_syscall2(__NR_listen, fd, 8) ||
	    my_syscall3(__NR_getsockname, fd, &addr, &len))
		return -1;
	*port = addr.sin_port;
	return fd;
}

/* Sends a stream, then receives the hash that the other side made of it. */
static int client(unsigned short port, unsigned int seed)
{
	unsigned int i, k, sent = FNV_START, answer;
	int fd = inet_connect(LOOPBACK, port);

	CHECK_REL(fd, >=, 0);
	for (i = 0; i < MEGABYTES * 1048576 / CHUNK; i++) {
		for (k = 0; k < CHUNK / 4; k++)
			((unsigned int *)buf)[k] = prng(&seed);
		sent = fnv(sent, buf, CHUNK);
		CHECK_EQ(sys_write_full(fd, buf, CHUNK), 0);
	}
	CHECK_EQ(my_syscall2(__NR_shutdown, fd, 1), 0);
	CHECK_EQ(sys_read_full(fd, &answer, sizeof(answer)), 0);
	CHECK_EQ(answer, sent);
	return KSFT_PASS;
}

static int serve_one(int listener)
{
	unsigned int hash = FNV_START, total = 0;
	int n, fd = my_syscall4(__NR_accept4, listener, NULL, NULL, 0);

	CHECK_REL(fd, >=, 0);
	while ((n = read(fd, buf, CHUNK)) > 0) {
		hash = fnv(hash, buf, n);
		total += n;
	}
	CHECK_EQ(total, MEGABYTES * 1048576);
	CHECK_EQ(sys_write_full(fd, &hash, sizeof(hash)), 0);
	close(fd);
	return KSFT_PASS;
}

static int transfer(void)
{
	unsigned short port;
	int listener = listen_any(&port);
	pid_t pid;

	CHECK_REL(listener, >=, 0);
	pid = fork();
	if (pid == 0)
		exit(client(port, 1));
	CHECK_EQ(serve_one(listener), KSFT_PASS);
	CHECK_EQ(sys_wait(pid), 0);
	return KSFT_PASS;
}

static int two_at_once(void)
{
	unsigned short port;
	int i, listener = listen_any(&port);
	pid_t pids[4];

	CHECK_REL(listener, >=, 0);
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			exit(i < 2 ? client(port, i + 2) : serve_one(listener));
	}
	for (i = 0; i < 4; i++)
		CHECK_EQ(sys_wait(pids[i]), 0);
	return KSFT_PASS;
}

static int refused(void)
{
	unsigned short port;
	int fd, listener = listen_any(&port);
	struct sockaddr_in addr = inet_address(LOOPBACK, port);

	CHECK_REL(listener, >=, 0);
	close(listener);
	fd = inet_socket();
	CHECK_EQ(my_syscall3(__NR_connect, fd, &addr, sizeof(addr)), -ECONNREFUSED);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(transfer),
	TEST(two_at_once),
	TEST(refused),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
