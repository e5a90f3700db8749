// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls to KVM, from several threads of several machines at once:
 *
 *	fuzz [-s SEED] [-n CALLS] [-m MACHINES] [-r ROUND] ROM
 *	fuzz -c|-w ROM
 *
 * A machine lives for a round; -r does that one alone.  ROM is the guests'.  -c: no random
 * calls, but those of cases.c; -w: NMIs, nmi.c.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "fuzz.h"

#define ROUND		2000	/* calls */
#define PATIENCE	60	/* seconds that a call may take */
#define TICK		1000	/* microseconds until a guest that runs on is interrupted */

struct shared *shared;
struct kvm_cpuid2 *supported;
u8 rom[ROM_SIZE];
int kvm;
static u32 total_weight;

static void nothing(int sig)
{
	(void)sig;
}

static void make_irqchip(struct vm *vm, bool in_kernel)
{
	struct kvm_pit_config pit = { };

	if (!in_kernel) {
		struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };

		ioctl(vm->fd, KVM_ENABLE_CAP, &split);
		return;
	}
	ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
	ioctl(vm->fd, KVM_CREATE_PIT2, &pit);
}

/* With @want virtual CPUs, and all interrupt controllers @in_kernel, or not. */
void make_machine(struct vm *vm, u32 want, bool in_kernel)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), fd;

	memset(vm, 0, sizeof(*vm));
	vm->memory_fd = memfd_create("guest", 0);
	if (vm->memory_fd < 0 || ftruncate(vm->memory_fd, MEMORY))
		err(1, "memory");
	vm->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, vm->memory_fd, 0);
	vm->shown = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, vm->memory_fd, 0);
	vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0 || vm->memory == MAP_FAILED || vm->shown == MAP_FAILED)
		err(1, "a machine");
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	make_irqchip(vm, in_kernel);
	while (vm->vcpus < want) {
		fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)vm->vcpus);
		if (fd < 0)
			break;
		vm->vcpu[vm->vcpus] = fd;
		vm->run[vm->vcpus] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (vm->run[vm->vcpus] == MAP_FAILED)
			err(1, "struct kvm_run");
		vm->vcpus++;
	}
	if (!vm->vcpus)
		err(1, "a virtual CPU");
	if (ioctl(vm->vcpu[0], KVM_SET_CPUID2, supported))
		err(1, "KVM_SET_CPUID2");
}

/* The guest's first steps; all else is then more interesting. */
static void boot(struct thread *t)
{
	struct kvm_run *run = t->vm->run[0];
	u32 n, result;

	if (back_to_base(t, 0))
		return;
	for (n = 0; n < 100 && !run_it(t, 0); n++)
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == DONE_PORT)
			break;
	memcpy(&result, t->vm->memory + RESULT, 4);
	if (n < 100 && !result)
		__atomic_fetch_add(&shared->inits, 1, __ATOMIC_RELAXED);
}

static u32 choose(struct thread *t)
{
	u32 at = pick(t, total_weight), i;

	for (i = 0; at >= calls[i].weight; i++)
		at -= calls[i].weight;
	return i;
}

static pthread_barrier_t booted;

static void *fuzz(void *arg)
{
	struct thread *t = arg;
	u32 i;

	if (t->first)
		boot(t);
	pthread_barrier_wait(&booted);
	while (t->calls--) {
		i = choose(t);
		__atomic_fetch_add(calls[i].call(t, pick(t, t->vm->vcpus)) < 0 ?
				   &shared->refused[i] : &shared->done[i], 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&shared->calls, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&shared->progress[t->slot], 1, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&t->ended, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* A guest in an endless loop ends by a signal, so that its thread goes on. */
static void interrupt_runs(struct thread *threads, u32 nr)
{
	u32 seen[THREADS] = { 0 }, i, alive = nr, runs;

	while (alive) {
		usleep(TICK);
		for (i = 0, alive = 0; i < nr; i++) {
			runs = __atomic_load_n(&threads[i].runs, __ATOMIC_SEQ_CST);
			if (__atomic_load_n(&threads[i].ended, __ATOMIC_SEQ_CST))
				continue;
			alive++;
			if (runs == seen[i] &&
			    __atomic_load_n(&threads[i].in_run, __ATOMIC_SEQ_CST))
				pthread_kill(threads[i].id, SIGUSR1);
			seen[i] = runs;
		}
	}
}

/* A machine, in a process of its own; it does not clean up. */
static void round_of(u64 seed, u64 round, u32 slot)
{
	struct thread threads[THREADS] = { 0 };
	struct vm vm;
	u32 nr, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < THREADS; i++) {
		threads[i].vm = &vm;
		threads[i].slot = slot;
		threads[i].random = (seed << 32 | round << 4 | i) * 0x9e3779b97f4a7c15 + 1;
	}
	make_machine(&vm, 1 + pick(&threads[0], VCPUS), !one_in(&threads[0], 4));
	vm.pae = one_in(&threads[0], 2);
	vm.paging = !one_in(&threads[0], 8);
	nr = 1 + pick(&threads[0], THREADS);
	pthread_barrier_init(&booted, NULL, nr);
	threads[0].first = true;
	for (i = 0; i < nr; i++) {
		threads[i].calls = ROUND / nr;
		if (pthread_create(&threads[i].id, NULL, fuzz, &threads[i]))
			err(1, "a thread");
	}
	interrupt_runs(threads, nr);
	_exit(0);
}

static pid_t start(u64 seed, u64 round, u32 slot)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		round_of(seed, round, slot);
	shared->machines++;
	return pid;
}

/* Let @nr machines live at a time, until there were @calls calls.  false: one hangs. */
static bool fuzz_all(u64 seed, u64 calls, u32 nr)
{
	struct { pid_t pid; u64 round, seen; time_t since; } m[MACHINES] = { { 0 } };
	u64 round = 0, told = 0, now;
	int status;
	u32 i;

	while (__atomic_load_n(&shared->calls, __ATOMIC_RELAXED) < calls) {
		for (i = 0; i < nr; i++) {
			if (m[i].pid && waitpid(m[i].pid, &status, WNOHANG) == m[i].pid) {
				if (!WIFEXITED(status) || WEXITSTATUS(status)) {
					printf("# round %lu ended with %x\n", m[i].round, status);
					shared->killed++;
				}
				m[i].pid = 0;
			}
			if (!m[i].pid) {
				m[i].round = round++;
				m[i].pid = start(seed, m[i].round, i);
				m[i].since = time(NULL);
			}
			now = __atomic_load_n(&shared->progress[i], __ATOMIC_RELAXED);
			if (now != m[i].seen) {
				m[i].seen = now;
				m[i].since = time(NULL);
			}
			if (time(NULL) - m[i].since > PATIENCE) {
				printf("not ok round %lu of seed %lu hangs\n", m[i].round, seed);
				return false;
			}
		}
		usleep(20000);
		if (shared->calls - told > calls / 10) {
			told = shared->calls;
			printf("# %lu calls, %lu machines\n", told, shared->machines);
			fflush(stdout);
		}
	}
	/* In the middle of whatever they do. */
	for (i = 0; i < nr; i++) {
		kill(m[i].pid, SIGKILL);
		waitpid(m[i].pid, &status, 0);
	}
	return true;
}

static bool report(void)
{
	static const u32 wanted[] = { KVM_EXIT_IO, KVM_EXIT_MMIO, KVM_EXIT_SHUTDOWN,
				      KVM_EXIT_IRQ_WINDOW_OPEN, KVM_EXIT_SYSTEM_EVENT,
				      KVM_EXIT_DEBUG };
	bool all = true;
	u32 i;

	for (i = 0; i < calls_nr; i++) {
		printf("# %-22s %8lu done %8lu refused\n", calls[i].name, shared->done[i],
		       shared->refused[i]);
		if (!shared->done[i] && !calls[i].often_refused) {
			printf("not ok %s never works\n", calls[i].name);
			all = false;
		}
	}
	for (i = 0; i < EXITS; i++)
		if (shared->exits[i])
			printf("# exit %-2u %8lu\n", i, shared->exits[i]);
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		if (!shared->exits[wanted[i]]) {
			printf("not ok exit %u is never seen\n", wanted[i]);
			all = false;
		}
	}
	printf("# %lu machines, vmi_init done by %lu\n", shared->machines, shared->inits);
	return all && shared->inits * 2 > shared->machines;
}

/* As the ROM's 16-bit init does, which no BIOS calls here. */
static void place_shared(void)
{
	u16 ring1;
	u32 distance;

	memcpy(&ring1, rom + ROM_RING1, sizeof(ring1));
	distance = SHARED - ROM - ring1;
	if (ring1 > ROM_SIZE - 0x1000)
		errx(1, "the ROM has none for ring 1");
	memcpy(rom + ring1 + ROM_SHARED, &distance, sizeof(distance));
}

/*
 * While no local APIC is off, KVM's code does not ask; when one is, that code is patched.
 * QEMU 7.2 now and then runs what is half patched, so here two are always off: one by
 * its base, one by its own switch.
 */
static void keep_apics_off(void)
{
	struct kvm_msrs *base = calloc(1, sizeof(*base) + sizeof(*base->entries));
	struct vm vm = { .fd = ioctl(kvm, KVM_CREATE_VM, 0) };
	int vcpu;

	make_irqchip(&vm, true);
	vcpu = ioctl(vm.fd, KVM_CREATE_VCPU, 0UL);
	if (!base || vcpu < 0 || ioctl(vm.fd, KVM_CREATE_VCPU, 1UL) < 0)
		err(1, "virtual CPUs without a local APIC");
	base->nmsrs = 1;
	base->entries[0] = (struct kvm_msr_entry){ .index = 0x1b, .data = 0xfee00000 };
	if (ioctl(vcpu, KVM_SET_MSRS, base) != 1)
		err(1, "IA32_APIC_BASE");
}

int main(int argc, char **argv)
{
	u64 seed = 1, calls_wanted = 20000;
	int (*instead)(void) = NULL;
	bool good;
	long round = -1;
	u32 machines = 2, i;
	int c;

	while ((c = getopt(argc, argv, "cws:n:m:r:")) > 0) {
		if (c == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (c == 'n')
			calls_wanted = strtoul(optarg, NULL, 0);
		else if (c == 'm')
			machines = strtoul(optarg, NULL, 0);
		else if (c == 'r')
			round = strtol(optarg, NULL, 0);
		else if (c == 'c')
			instead = cases;
		else if (c == 'w')
			instead = late_nmis;
		else
			return 2;
	}
	if (optind + 1 != argc || !machines || machines > MACHINES)
		errx(2, "usage: fuzz [-s SEED] [-n CALLS] [-m MACHINES] [-r ROUND] | -c | -w ROM");
	c = open(argv[optind], O_RDONLY);
	if (c < 0 || read(c, rom, sizeof(rom)) < 0x1000)
		err(1, "%s", argv[optind]);
	place_shared();
	kvm = open("/dev/kvm", O_RDWR);
	if (kvm < 0)
		err(1, "/dev/kvm");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	supported = calloc(1, sizeof(*supported) + 128 * sizeof(struct kvm_cpuid_entry2));
	if (shared == MAP_FAILED || !supported)
		err(1, "memory");
	supported->nent = 128;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, supported))
		err(1, "KVM_GET_SUPPORTED_CPUID");
	if (instead)
		return instead();
	keep_apics_off();
	for (i = 0; i < calls_nr; i++)
		total_weight += calls[i].weight;
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = nothing }, NULL);
	if (round >= 0) {
		waitpid(start(seed, round, 0), &c, 0);
		return 0;
	}
	good = fuzz_all(seed, calls_wanted, machines) && report();
	printf("%s %lu calls of seed %lu\n", good ? "ok" : "not ok", shared->calls, seed);
	return !good;
}
