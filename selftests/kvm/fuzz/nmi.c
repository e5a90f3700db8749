// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs to a processor that has no tick, while a guest there makes calls and page faults
 * that do not leave the window ("fuzz -w"): none may wait for what ends the guest's turn by
 * chance.  Linux sends them when it is asked for all processors' backtraces, and waits for
 * up to ten seconds.  Prints KTAP.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "fuzz.h"

#define TIMES		40
#define LATE		0.2	/* seconds, in the mean: Linux has a tick each second */
#define CPU		1	/* where the guest runs */

extern u8 guest_window[], guest_window_end[];

static struct vm vm;
static volatile bool end;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void run_on(u32 cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "no processor %u", cpu);
}

static void *run(void *arg)
{
	(void)arg;
	run_on(CPU);
	while (!end)
		ioctl(vm.vcpu[0], KVM_RUN, 0);
	return NULL;
}

/* How often @row of /proc/interrupts came on the guest's processor. */
static unsigned long interrupts(const char *row)
{
	FILE *f = fopen("/proc/interrupts", "r");
	unsigned long first, second = 0;
	char line[512], name[32];

	if (!f)
		err(1, "/proc/interrupts");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %31[^:]: %lu %lu", name, &first, &second) == 3 &&
		    !strcmp(name, row))
			break;
	fclose(f);
	return second;
}

static void make(void)
{
	struct thread t = { .vm = &vm, .random = 1 };
	struct kvm_regs r;

	make_machine(&vm, 1, true);
	vm.pae = true;
	vm.paging = true;
	if (back_to_base(&t, 0) || ioctl(vm.vcpu[0], KVM_RUN, 0) ||
	    vm.run[0]->exit_reason != KVM_EXIT_IO || vm.run[0]->io.port != DONE_PORT)
		errx(1, "no vmi_init");
	memcpy(vm.memory + PROGRAM, guest_window, guest_window_end - guest_window);
	base_regs(&r, PROGRAM);
	if (ioctl(vm.vcpu[0], KVM_SET_REGS, &r))
		err(1, "KVM_SET_REGS");
}

/* In how many rounds the guest goes on, while nothing else happens there for a second. */
static u32 rounds(void)
{
	u32 was, is;

	memcpy(&was, vm.memory + RESULT, 4);
	sleep(1);
	memcpy(&is, vm.memory + RESULT, 4);
	return is - was;
}

static void nothing(int sig)
{
	(void)sig;
}

int late_nmis(void)
{
	unsigned long nmis = interrupts("NMI"), kicks = interrupts("PIN"), ticks;
	int fd = open("/proc/sysrq-trigger", O_WRONLY), i;
	double begun, took, all = 0, most = 0;
	pthread_t thread;
	bool good;
	u32 n;

	if (fd < 0)
		err(1, "/proc/sysrq-trigger");
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = nothing }, NULL);
	run_on(0);
	make();
	pthread_create(&thread, NULL, run, NULL);
	sleep(1);
	ticks = interrupts("LOC");
	n = rounds();
	printf("# a second: %u rounds of the guest, %lu ticks\n", n, interrupts("LOC") - ticks);
	for (i = 0; i < TIMES; i++) {
		begun = now();
		if (write(fd, "l", 1) != 1)
			err(1, "/proc/sysrq-trigger");
		took = now() - begun;
		all += took;
		if (took > most)
			most = took;
		usleep(1000 + 137 * i);
	}
	nmis = interrupts("NMI") - nmis;
	kicks = interrupts("PIN") - kicks;
	good = n && nmis >= TIMES && kicks && all / TIMES < LATE && rounds();
	end = true;
	pthread_kill(thread, SIGALRM);
	pthread_join(thread, NULL);
	printf("# %lu NMIs, %lu in the window; %.3f s in the mean, %.3f at most\n", nmis, kicks,
	       all / TIMES, most);
	printf("%sok 1 NMIs in the window are not late\n1..1\n", good ? "" : "not ");
	return !good;
}
