// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures what operations of the kernel cost: probe [OPTIONS] [OPERATION ...]
 * or a program: probe [OPTIONS] -x NAME PROGRAM ARGS
 *
 *   -r N	rounds (9)
 *   -s N	percent of the usual operations in a round (100)
 *   -c		what the host counts, vmi/ops and vmi/host in debugfs: print
 *		what each operation adds
 *   -l		list the operations
 *
 * A line for each round: "bench,OPERATION,count,ticks of the TSC,nanoseconds";
 * "entries,OPERATION,count,n,KIND" for counters.  QEMU with -icount shift=0
 * counts an instruction as one nanosecond and one tick: the operation
 * "calibrate", of 1000 instructions, shows whether it does.
 */
#include "probe.h"

#define COUNTERS	"/sys/kernel/debug/vmi/"
#define MAX_COUNTERS	256

static const struct op * const tables[] = {
	cpu_ops, memory_ops, process_ops, ipc_ops,
};

static unsigned int rounds = 9, percent = 100;
static bool entries;
static unsigned long long ticks, nanoseconds, tick0, nano0;
static bool began;

void die(const char *what)
{
	printf("bench: %s: failed, errno %d\n", what, errno);
	exit(1);
}

static unsigned long long now(void)
{
#ifdef __i386__
	struct __kernel_timespec ts;

	my_syscall2(__NR_clock_gettime64, CLOCK_MONOTONIC, &ts);
#else
	struct __kernel_old_timespec ts;

	my_syscall2(__NR_clock_gettime, CLOCK_MONOTONIC, &ts);
#endif
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* What is between begin() and end() counts, several times in a round. */
void begin(void)
{
	began = true;
	nano0 = now();
	tick0 = rdtsc();
}

void end(void)
{
	ticks += rdtsc() - tick0;
	nanoseconds += now() - nano0;
}

/* Divides by ten without libgcc, which may lack for i386; the remainder. */
static unsigned int divide_by_10(unsigned long long *v)
{
	unsigned int hi = *v >> 32, lo = *v, rem = hi % 10, bit;

	hi /= 10;
	for (bit = 0; bit < 32; bit++) {
		rem = rem << 1 | lo >> 31;
		lo <<= 1;
		if (rem >= 10) {
			rem -= 10;
			lo |= 1;
		}
	}
	*v = (unsigned long long)hi << 32 | lo;
	return rem;
}

/* A line in one write; nolibc's printf has no 64-bit numbers on i386. */
static void print_line(const char *kind, const char *name, const unsigned long long *v,
		       unsigned int n, const char *tail)
{
	char line[256], digits[24];
	unsigned int len = 0, d;

	while (*kind)
		line[len++] = *kind++;
	line[len++] = ',';
	while (*name && len < 100)
		line[len++] = *name++;
	for (; n; n--, v++) {
		unsigned long long left = *v;

		line[len++] = ',';
		d = 0;
		do {
			digits[d++] = '0' + divide_by_10(&left);
		} while (left);
		while (d)
			line[len++] = digits[--d];
	}
	if (*tail)
		line[len++] = ',';
	while (*tail && len < sizeof(line) - 1)
		line[len++] = *tail++;
	line[len++] = '\n';
	write(1, line, len);
}

struct counter {
	char name[64];
	unsigned int count;
};

/* The lines of a file, without its heading; cut to what fits. */
static char *read_lines(const char *path)
{
	static char text[16384];
	int fd = open(path, O_RDONLY, 0), len = 0, got;
	char *start;

	check(fd, path);
	while (len < (int)sizeof(text) - 1) {
		got = read(fd, text + len, sizeof(text) - 1 - len);
		if (got <= 0)
			break;
		len += got;
	}
	close(fd);
	text[len] = 0;
	start = strchr(text, '\n');
	return start ? start + 1 : text;
}

static char *copy_name(char *to, char *from, char end)
{
	unsigned int i;

	for (i = 0; i < 63 && *from && *from != end && *from != '\n'; i++)
		to[i] = *from++;
	to[i] = 0;
	return from;
}

static unsigned int read_counters(struct counter *c)
{
	unsigned int n = 0;
	char *s;

	/* "number name sites patched count" */
	for (s = read_lines(COUNTERS "ops"); *s && n < MAX_COUNTERS; n++, s++) {
		s = copy_name(c[n].name, strchr(s, ' ') + 1, ' ');
		while (*s && *s != '\n')
			s++;
		while (s[-1] != ' ')
			s--;
		c[n].count = atoi(s);
		while (*s && *s != '\n')
			s++;
		if (!*s)
			break;
	}
	/* "count name" */
	for (s = read_lines(COUNTERS "host"); *s && n < MAX_COUNTERS; n++, s++) {
		c[n].count = atoi(s);
		s = copy_name(c[n].name, strchr(s, ' ') + 1, '\n');
		if (!*s)
			break;
	}
	return n;
}

static void one_round(const struct op *op, unsigned int count)
{
	ticks = 0;
	nanoseconds = 0;
	began = false;
	nano0 = now();
	tick0 = rdtsc();
	op->run(count);
	if (!began)
		end();
}

static void measure_entries(const struct op *op, unsigned int count)
{
	static struct counter before[MAX_COUNTERS], after[MAX_COUNTERS];
	unsigned int i, n;

	n = read_counters(before);
	one_round(op, count);
	read_counters(after);
	for (i = 0; i < n; i++) {
		unsigned long long v[] = { count, after[i].count - before[i].count };

		if (v[1])
			print_line("entries", op->name, v, ARRAY_SIZE(v), after[i].name);
	}
}

static void measure(const struct op *op)
{
	unsigned int count = op->count * percent / 100, r;

	if (!count)
		count = 1;
	if (op->prepare && !op->prepare()) {
		printf("bench: %s: not on this system\n", op->name);
		return;
	}
	one_round(op, count);	/* caches, page tables, the emulator's code */
	if (entries) {
		measure_entries(op, count);
		return;
	}
	for (r = 0; r < rounds; r++) {
		unsigned long long v[3] = { count };

		one_round(op, count);
		v[1] = ticks;
		v[2] = nanoseconds;
		print_line("bench", op->name, v, ARRAY_SIZE(v), "");
	}
}

/* Each operation in a process of its own, on the first processor. */
static void measure_apart(const struct op *op)
{
	pid_t pid = fork();
	int status;

	check(pid, "fork");
	if (!pid) {
		if (op->cpus == 1)
			sys_pin(0);
		measure(op);
		exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		printf("bench: %s: status %x\n", op->name, status);
}

static char **program, **environment;

static void run_program(unsigned int count)
{
	while (count--) {
		pid_t pid = fork();

		check(pid, "fork");
		if (!pid) {
			int fd = open("/dev/null", O_RDWR, 0);

			dup2(fd, 0);
			dup2(fd, 1);
			execve(program[0], program, environment);
			exit(127);
		}
		wait_for(pid);
	}
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		size_t len = strlen(*names);

		if (!strcmp(*names, name))
			return true;
		/* "fork_*" */
		if (len && (*names)[len - 1] == '*' && !strncmp(*names, name, len - 1))
			return true;
	}
	return false;
}

static void run_tables(char **names, bool list)
{
	const struct op *op;
	unsigned int t;

	for (t = 0; t < ARRAY_SIZE(tables); t++) {
		for (op = tables[t]; op->name; op++) {
			/* The long ones only when named. */
			if (!wanted(op->name, names) || (!*names && strchr(op->name, '.')))
				continue;
			if (list)
				puts(op->name);
			else
				measure_apart(op);
		}
	}
}

int main(int argc, char **argv, char **envp)
{
	struct op x = { NULL, NULL, run_program, 1, 1 };
	bool list = false;
	char **arg = argv + 1;

	environment = envp;
	if (argc == 2 && !strcmp(argv[1], "exit"))	/* what fork_exec runs */
		return 0;
	for (; *arg && **arg == '-'; arg++) {
		char option = (*arg)[1];

		if (option != 'l' && option != 'c' && !arg[1])
			die(*arg);
		switch (option) {
		case 'r':
			rounds = atoi(*++arg);
			break;
		case 's':
			percent = atoi(*++arg);
			break;
		case 'c':
			entries = true;
			break;
		case 'l':
			list = true;
			break;
		case 'x':
			x.name = *++arg;
			program = arg + 1;
			percent = 100;
			measure(&x);
			return 0;
		default:
			die(*arg);
		}
	}
	run_tables(arg, list);
	return 0;
}
