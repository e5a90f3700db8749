// SPDX-License-Identifier: GPL-2.0-only
/*
 * gdb SOCKET SYSTEM_MAP: a debugger for our kernel, at the unix socket of a QEMU that was
 * started with -S: its first instructions, breakpoints and steps in the kernel, in a
 * program and through a system call, watchpoints.  Then the guest runs on, with a
 * breakpoint that it never meets.  Each check is a line of KTAP.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSCALL_STEPS	5000	/* at most, from INT 0x80 to behind it */

/* Registers of a "g" packet, of 64 bits each in front of EFLAGS. */
enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, RIP = 16 };

static int fd, checks, failed;
static char reply[16384];
static const char *map;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static char next(void)
{
	static char buf[4096];
	static ssize_t have, at;

	if (at == have) {
		at = 0;
		have = read(fd, buf, sizeof(buf));
		if (have <= 0)
			die("gdb: no answer");
	}
	return buf[at++];
}

/* Sends a packet, leaves its answer in reply. */
static const char *ask(const char *format, ...)
{
	char text[256], packet[300];
	unsigned char sum = 0;
	size_t n = 0;
	va_list ap;
	char c;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	for (c = 0; text[n]; n++)
		sum += text[n];
	snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
	if (write(fd, packet, strlen(packet)) < 0)
		die("gdb: write");
	while (next() != '$')
		;
	for (n = 0; (c = next()) != '#' && n < sizeof(reply) - 1; n++)
		reply[n] = c;
	reply[n] = 0;
	next();
	next();
	send(fd, "+", 1, MSG_NOSIGNAL);		/* with the guest QEMU ends, too */
	return reply;
}

static void check(int good, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	printf("%sok %d %s\n", good ? "" : "not ", ++checks, text);
	if (!good) {
		printf("# last answer: %.100s\n", reply);
		failed++;
	}
	fflush(stdout);
}

static uint64_t little(const char *hex, int bytes)
{
	uint64_t val = 0;
	unsigned int byte;

	for (int i = 0; i < bytes; i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			die("gdb: no number");
		val |= (uint64_t)byte << 8 * i;
	}
	return val;
}

static uint32_t reg(int n)
{
	return little(ask("g") + 16 * n, 8);
}

/* Privilege, from CS behind RIP and EFLAGS. */
static int ring(void)
{
	return little(ask("g") + 16 * 17 + 8, 4) & 3;
}

static uint32_t word(uint32_t addr)
{
	return little(ask("m%x,4", addr), 4);
}

static uint32_t symbol(const char *name)
{
	char line[256], found[200];
	FILE *f = fopen(map, "r");
	unsigned int addr;
	char type;

	if (!f)
		die(map);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%x %c %199s", &addr, &type, found) == 3 &&
		    !strcmp(found, name)) {
			fclose(f);
			return addr;
		}
	fprintf(stderr, "gdb: %s has no %s\n", map, name);
	exit(1);
}

/* Runs to a breakpoint (0: software, 1: hardware) and takes it away. */
static void run_to(int type, uint32_t addr, const char *where)
{
	ask("Z%d,%x,1", type, addr);
	ask("c");
	check(reg(RIP) == addr, "%s breakpoint: %s at %x, is at %x",
	      type ? "hardware" : "software", where, addr, reg(RIP));
	ask("z%d,%x,1", type, addr);
}

static uint32_t step(void)
{
	ask("s");
	return reg(RIP);
}

/* Each step goes somewhere, and a few are enough to leave where it began. */
static void step_some(int n, const char *where)
{
	uint32_t from = reg(RIP), pc = from, last;
	int moved = 0;

	for (int i = 0; i < n; i++) {
		last = pc;
		pc = step();
		moved += pc != last;
	}
	check(moved > n / 2, "%s: %d of %d steps lead elsewhere, %x to %x", where, moved, n,
	      from, pc);
}

static void watch(uint32_t addr, int want_ring, const char *what)
{
	uint32_t old = word(addr), hit = 0;
	char *found;

	ask("Z2,%x,4", addr);
	found = strstr(ask("c"), "watch:");
	if (found)
		hit = strtoul(found + strlen("watch:"), NULL, 16);
	check(hit == addr && ring() == want_ring,
	      "watchpoint: %s at %x, %x becomes %x in ring %d", what, addr, old, word(addr),
	      ring());
	ask("z2,%x,4", addr);
}

/* From INT 0x80 of a program through the kernel, and our ROM, to behind it. */
static void step_system_call(void)
{
	uint32_t entry = symbol("entry_INT80_32"), pc, behind, steps, rom = 0;

	run_to(1, entry, "a system call");
	behind = word(reg(RSP));
	run_to(1, behind - 2, "the next one, in the program");
	pc = step();
	check(pc == entry && ring() == 0, "INT 0x80 leads into the kernel");
	for (steps = 0; pc != behind && steps < SYSCALL_STEPS; steps++) {
		pc = step();
		rom += pc - 0xc00c0000 < 0x30000;
	}
	check(pc == behind && ring() == 3, "%u steps later it is done", steps);
	check(rom > 0, "%u of them are in the ROM", rom);
}

static void reach(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 280 };

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	for (int i = 0; i < 100; i++) {		/* QEMU may just have been started */
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return;
		usleep(100000);
	}
	die(path);
}

int main(int argc, char **argv)
{
	uint32_t sp;

	if (argc != 3) {
		fprintf(stderr, "usage: gdb SOCKET SYSTEM_MAP\n");
		return 1;
	}
	map = argv[2];
	reach(argv[1]);
	ask("?");
	ask("qSupported");
	step_some(10, "real mode");
	run_to(1, symbol("start_kernel"), "start_kernel");
	step_some(50, "the kernel");
	run_to(0, symbol("kernel_init"), "kernel_init");
	step_some(50, "the kernel, patched");
	watch(symbol("jiffies_64"), 0, "jiffies");
	run_to(0, symbol("start_thread"), "start_thread");
	run_to(1, reg(RDX), "a program");
	check(ring() == 3, "it is in ring %d", ring());
	sp = reg(RSP);
	step_some(2, "a program");
	/* What _start pushes first, to an aligned stack. */
	watch(((sp + 4) & ~15u) - 4, 3, "its stack");
	run_to(0, reg(RIP), "a program");
	step_system_call();
	/* The guest meets its own INT3s, and none of ours. */
	ask("Z0,%x,1", symbol("panic"));
	if (!failed)
		check(*ask("c") == 'W', "it is not met, and the guest ends");
	printf("1..%d\n", checks);
	return failed > 0;
}
