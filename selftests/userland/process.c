// SPDX-License-Identifier: GPL-2.0-only
/* fork, exec, exit, wait. */
#include "ktap.h"

#define MANY_FORKS	200
#define EXEC_LOOPS	50

static char **self_argv;

static int fork_exit_wait(void)
{
	int i;

	for (i = 0; i < 256; i += 17) {
		pid_t pid = fork();

		if (pid == 0)
			exit(i);
		CHECK_REL(pid, >, 0);
		CHECK_EQ(sys_wait(pid), i << 8);
	}
	CHECK_EQ(waitpid(-1, NULL, 0), -1);
	CHECK_EQ(errno, ECHILD);
	return KSFT_PASS;
}

static int killed_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			sys_sleep_ms(100);
	}
	CHECK_REL(pid, >, 0);
	CHECK_EQ(kill(pid, SIGTERM), 0);
	CHECK_EQ(sys_wait(pid), SIGTERM);
	return KSFT_PASS;
}

/* Many at once, all alive before the first is reaped. */
static int many_forks(void)
{
	static pid_t pids[MANY_FORKS];
	int gate[2], i;
	char c;

	CHECK_EQ(pipe(gate), 0);
	for (i = 0; i < MANY_FORKS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(gate[1]);
			/* Waits until the parent closes its end. */
			read(gate[0], &c, 1);
			exit(i & 0x7f);
		}
		CHECK_REL(pids[i], >, 0);
	}
	close(gate[1]);
	for (i = 0; i < MANY_FORKS; i++)
		CHECK_EQ(sys_wait(pids[i]), (i & 0x7f) << 8);
	return KSFT_PASS;
}

/* Runs this program again; it exits with @value, see main(). */
static int exec_self(const char *value)
{
	char *argv[] = { self_argv[0], "--exit", (char *)value, NULL };
	char *envp[] = { "VMI_EXEC=yes", NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		exit(99);
	}
	return sys_wait(pid);
}

static int exec_status(void)
{
	CHECK_EQ(exec_self("0"), 0);
	CHECK_EQ(exec_self("42"), 42 << 8);
	return KSFT_PASS;
}

static int exec_loop(void)
{
	int i;

	for (i = 0; i < EXEC_LOOPS; i++)
		CHECK_EQ(exec_self("7"), 7 << 8);
	return KSFT_PASS;
}

static int exec_missing(void)
{
	char *argv[] = { "x", NULL };

	CHECK_EQ(execve("/no/such/file", argv, argv + 1), -1);
	CHECK_EQ(errno, ENOENT);
	return KSFT_PASS;
}

static int grandchildren(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pid_t inner = fork();

		if (inner == 0)
			exit(getppid() == 1 ? 1 : 5);
		exit(sys_wait(inner) == 5 << 8 ? 6 : 1);
	}
	CHECK_EQ(sys_wait(pid), 6 << 8);
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(fork_exit_wait),
	TEST(killed_child),
	TEST(many_forks),
	TEST(exec_status),
	TEST(exec_loop),
	TEST(exec_missing),
	TEST(grandchildren),
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--exit"))
		return getenv("VMI_EXEC") ? atoi(argv[2]) : 98;
	self_argv = argv;
	return KTAP_MAIN(tests);
}
