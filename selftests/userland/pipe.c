// SPDX-License-Identifier: GPL-2.0-only
/* Processes that hand a word to each other, on one CPU and on all. */
#include "ktap.h"

#define ROUNDS		1000
#define PAIRS		4

/* The child adds one to each word and sends it back. */
static pid_t start_echo(int there[2], int back[2], int cpu)
{
	unsigned int word;
	pid_t pid = fork();

	if (pid)
		return pid;
	if (cpu >= 0)
		sys_pin_to_cpu(cpu);
	close(there[1]);
	while (!sys_read_full(there[0], &word, sizeof(word))) {
		word++;
		if (sys_write_full(back[1], &word, sizeof(word)))
			exit(1);
	}
	exit(0);
}

static int ping_pong(int cpu_a, int cpu_b)
{
	int there[2], back[2];
	unsigned int i, word = 0;
	pid_t pid;

	CHECK_EQ(pipe(there), 0);
	CHECK_EQ(pipe(back), 0);
	pid = start_echo(there, back, cpu_b);
	CHECK_REL(pid, >, 0);
	if (cpu_a >= 0)
		CHECK_EQ(sys_pin_to_cpu(cpu_a), 0);
	for (i = 0; i < ROUNDS; i++) {
		CHECK_EQ(sys_write_full(there[1], &word, sizeof(word)), 0);
		CHECK_EQ(sys_read_full(back[0], &word, sizeof(word)), 0);
		CHECK_EQ(word, i + 1);
	}
	close(there[1]);
	CHECK_EQ(sys_wait(pid), 0);
	return KSFT_PASS;
}

static int one_cpu(void)
{
	return ping_pong(0, 0);
}

static int two_cpus(void)
{
	if (sys_cpu_count() < 2)
		SKIP("one CPU");
	return ping_pong(0, 1);
}

static int several_pairs(void)
{
	unsigned int cpus = sys_cpu_count();
	pid_t pids[PAIRS];
	int i;

	for (i = 0; i < PAIRS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			exit(ping_pong(i % cpus, (i + 1) % cpus));
	}
	for (i = 0; i < PAIRS; i++)
		CHECK_EQ(sys_wait(pids[i]), 0);
	return KSFT_PASS;
}

static int bulk(void)
{
	static unsigned char buf[10000];
	unsigned int i, k, seed = 1, sent = FNV_START, got = FNV_START;
	int fds[2], hash[2];
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(pipe(hash), 0);
	pid = fork();
	if (pid == 0) {
		int n;

		close(fds[1]);
		while ((n = read(fds[0], buf, sizeof(buf))) > 0)
			got = fnv(got, buf, n);
		write(hash[1], &got, sizeof(got));
		exit(0);
	}
	close(fds[0]);
	for (i = 0; i < 100; i++) {
		for (k = 0; k < sizeof(buf); k++)
			buf[k] = prng(&seed);
		sent = fnv(sent, buf, sizeof(buf));
		CHECK_EQ(sys_write_full(fds[1], buf, sizeof(buf)), 0);
	}
	close(fds[1]);
	CHECK_EQ(sys_read_full(hash[0], &got, sizeof(got)), 0);
	CHECK_EQ(got, sent);
	CHECK_EQ(sys_wait(pid), 0);
	return KSFT_PASS;
}

static int broken_pipe(void)
{
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	close(fds[0]);
	sys_signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(write(fds[1], "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(one_cpu),
	TEST(two_cpus),
	TEST(several_pairs),
	TEST(bulk),
	TEST(broken_pipe),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
