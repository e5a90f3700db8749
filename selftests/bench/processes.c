// SPDX-License-Identifier: GPL-2.0-only
/* Operations of several processes: fork, exec, context switches, sockets. */
#include "probe.h"
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/in.h>

#define AF_INET		2
#define SOCK_STREAM	1

static void op_fork_exit(unsigned int count)
{
	while (count--) {
		pid_t pid = fork();

		check(pid, "fork");
		if (!pid)
			exit(0);
		wait_for(pid);
	}
}

static void run_and_wait(unsigned int count, char **argv)
{
	static char *envp[] = { NULL };

	while (count--) {
		pid_t pid = fork();

		check(pid, "fork");
		if (!pid) {
			execve(argv[0], argv, envp);
			exit(127);
		}
		wait_for(pid);
	}
}

static void op_fork_exec(unsigned int count)
{
	static char *argv[] = { "/proc/self/exe", "exit", NULL };

	run_and_wait(count, argv);
}

static void op_shell(unsigned int count)
{
	static char *argv[] = { "/bin/sh", "-c", "true", NULL };

	run_and_wait(count, argv);
}

/* Fork of a process that has memory, all of it touched. */
static bool have_memory(unsigned long megabytes)
{
	unsigned long pages = megabytes << 8;
	volatile char *p = map_pages(pages);

	for (unsigned long i = 0; i < pages; i++)
		p[i * PAGE_SIZE] = 1;
	return true;
}

static bool have_1(void) { return have_memory(1); }
static bool have_8(void) { return have_memory(8); }
static bool have_64(void) { return have_memory(64); }
static bool have_512(void) { return have_memory(512); }

const struct op process_ops[] = {
	{ "fork_exit", NULL, op_fork_exit, 12, 1 },
	{ "fork_exec", NULL, op_fork_exec, 6, 1 },
	{ "shell", NULL, op_shell, 4, 1 },
	{ "fork.1MB", have_1, op_fork_exit, 2, 1 },
	{ "fork.8MB", have_8, op_fork_exit, 2, 1 },
	{ "fork.64MB", have_64, op_fork_exit, 2, 1 },
	{ "fork.512MB", have_512, op_fork_exit, 1, 1 },
	{ }
};

/* A thread that is a child to wait for. */
#define CLONE_FLAGS	(CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD)

static pid_t thread(void (*func)(void))
{
	char *stack = map_pages(4) + 4 * PAGE_SIZE - 64;
	pid_t pid;

	*(void **)stack = func;
	pid = start_thread(CLONE_FLAGS, stack);
	check(pid, "clone");
	return pid;
}

/* One byte there, one byte back. */
static int there[2], back[2];
static unsigned int hops;

static void echo(void)
{
	char c;

	for (unsigned int i = 0; i < hops; i++) {
		if (my_syscall3(__NR_read, there[0], &c, 1) != 1 ||
		    my_syscall3(__NR_write, back[1], &c, 1) != 1)
			exit(1);
	}
}

static bool make_pipes(void)
{
	return !pipe(there) && !pipe(back);
}

static void trip(int out, int in)
{
	char c = 0;

	if (my_syscall3(__NR_write, out, &c, 1) != 1 ||
	    my_syscall3(__NR_read, in, &c, 1) != 1)
		die("a round trip");
}

static void ping(unsigned int count, int out, int in)
{
	begin();
	while (count--)
		trip(out, in);
	end();
}

static void op_pipe_processes(unsigned int count)
{
	pid_t pid;

	hops = count + 1;
	pid = fork();
	check(pid, "fork");
	if (!pid) {
		echo();
		exit(0);
	}
	trip(there[1], back[0]);	/* it runs */
	ping(count, there[1], back[0]);
	wait_for(pid);
}

static void op_pipe_threads(unsigned int count)
{
	pid_t pid;

	hops = count + 1;
	pid = thread(echo);
	trip(there[1], back[0]);
	ping(count, there[1], back[0]);
	wait_for(pid);
}

/* A token passed on @count times around a ring of processes, we are one. */
static unsigned int ring_size;

static bool ring_2(void) { ring_size = 2; return true; }
static bool ring_10(void) { ring_size = 10; return true; }
static bool ring_100(void) { ring_size = 100; return true; }
static bool ring_1000(void) { ring_size = 1000; return true; }

static void pass_on(int in, int out, unsigned int laps)
{
	char c;

	while (laps--)
		if (my_syscall3(__NR_read, in, &c, 1) != 1 ||
		    my_syscall3(__NR_write, out, &c, 1) != 1)
			exit(1);
	exit(0);
}

static void op_ring(unsigned int count)
{
	unsigned int laps = count / ring_size, i;
	int first[2], in, next[2];

	check(pipe(first), "pipe");
	in = first[0];
	for (i = 1; i < ring_size; i++) {
		pid_t pid;

		check(pipe(next), "pipe");
		pid = fork();
		check(pid, "fork");
		if (!pid)
			pass_on(in, next[1], laps + 1);
		close(in);
		close(next[1]);
		in = next[0];
	}
	trip(first[1], in);
	ping(laps, first[1], in);
	for (i = 1; i < ring_size; i++)
		waitpid(-1, NULL, 0);
	close(first[1]);
	close(in);
}

/* A byte there and back over a TCP connection. */
static int tcp_client, tcp_server;

static long sys_socket_call(long call, long a, long b, long c, long d, long e)
{
	return my_syscall6(call, a, b, c, d, e, 0);
}

static bool connect_tcp(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int size = sizeof(addr), one = 1;
	int listener = sys_socket_call(__NR_socket, AF_INET, SOCK_STREAM, 0, 0, 0);

	if (listener < 0)
		return false;
	addr.sin_addr.s_addr = 0x0100007f;
	tcp_client = sys_socket_call(__NR_socket, AF_INET, SOCK_STREAM, 0, 0, 0);
	check(tcp_client, "socket");
	check(sys_socket_call(__NR_bind, listener, (long)&addr, sizeof(addr), 0, 0), "bind");
	check(sys_socket_call(__NR_listen, listener, 1, 0, 0, 0), "listen");
	check(sys_socket_call(__NR_getsockname, listener, (long)&addr, (long)&size, 0, 0),
	      "getsockname");
	check(sys_socket_call(__NR_connect, tcp_client, (long)&addr, sizeof(addr), 0, 0),
	      "connect");
	tcp_server = sys_socket_call(__NR_accept4, listener, 0, 0, 0, 0);
	check(tcp_server, "accept");
	close(listener);
	/* TCP_NODELAY */
	sys_socket_call(__NR_setsockopt, tcp_client, 6, 1, (long)&one, sizeof(one));
	sys_socket_call(__NR_setsockopt, tcp_server, 6, 1, (long)&one, sizeof(one));
	return true;
}

static void op_tcp(unsigned int count)
{
	pid_t pid = fork();

	check(pid, "fork");
	if (!pid)
		pass_on(tcp_server, tcp_server, count + 1);
	trip(tcp_client, tcp_client);
	ping(count, tcp_client, tcp_client);
	wait_for(pid);
}

/* A mutex that two threads on two processors hand to each other. */
static volatile int turn;

static void hand_over(unsigned int me)
{
	for (unsigned int i = 0; i < hops; i++) {
		while (turn != (int)me)
			my_syscall6(__NR_futex, &turn, FUTEX_WAIT, !me, NULL, NULL, 0);
		turn = !me;
		my_syscall6(__NR_futex, &turn, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

static void hand_over_1(void)
{
	sys_pin(1);
	hand_over(1);
}

static bool two_cpus(void)
{
	return sys_pin(1) == 0 && sys_pin(0) == 0;
}

static void op_mutex(unsigned int count)
{
	pid_t pid;

	hops = count / 2;
	turn = 0;
	pid = thread(hand_over_1);
	hand_over(0);
	wait_for(pid);
}

const struct op ipc_ops[] = {
	{ "pipe_processes", make_pipes, op_pipe_processes, 200, 1 },
	{ "pipe_threads", make_pipes, op_pipe_threads, 200, 1 },
	{ "tcp", connect_tcp, op_tcp, 50, 1 },
	{ "mutex", two_cpus, op_mutex, 200, 2 },
	{ "ring.2", ring_2, op_ring, 1000, 1 },
	{ "ring.10", ring_10, op_ring, 1000, 1 },
	{ "ring.100", ring_100, op_ring, 1000, 1 },
	{ "ring.1000", ring_1000, op_ring, 1000, 1 },
	{ }
};
