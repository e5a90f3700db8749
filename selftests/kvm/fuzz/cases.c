// SPDX-License-Identifier: GPL-2.0-only
/*
 * What chance does not find: a machine for each case, that does just that ("fuzz -c").
 * Prints KTAP.
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
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "fuzz.h"

#define COM1		0x3f8
#define LINEAR		0x700000	/* where a case has its page */
#define DEVICE		0x10000000	/* guest-physical: a slot of its own */
#define SECONDS		5
#define PIN		5		/* of the I/O APIC */
#define VECTOR		0x51
#define PTE		(LINEAR >> 12)	/* of PTPAE, whose tables follow each other */

extern u8 guest_level[], guest_level_end[], guest_stolen[], guest_stolen_end[];
extern u8 guest_watch[], guest_watch_end[];

static struct vm vm;
static volatile sig_atomic_t alarms;

static void alarmed(int sig)
{
	(void)sig;
	alarms++;
}

/* CPUID's word of @function: a pointer into what all machines get. */
static u32 *cpuid(u32 function, bool edx)
{
	u32 i;

	for (i = 0; i < supported->nent; i++)
		if (supported->entries[i].function == function)
			return edx ? &supported->entries[i].edx : &supported->entries[i].eax;
	errx(1, "no CPUID %x", function);
}

/* One virtual CPU, PAE, paging, everything in the kernel. */
static void make(void)
{
	struct thread t = { .vm = &vm, .random = 1 };

	make_machine(&vm, 1, true);
	vm.pae = true;
	vm.paging = true;
	if (back_to_base(&t, 0))
		err(1, "a machine's state");
}

static void unmake(void)
{
	munmap(vm.run[0], ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	munmap(vm.memory, MEMORY);
	munmap(vm.shown, MEMORY);
	close(vm.vcpu[0]);
	close(vm.fd);
	close(vm.memory_fd);
}

/*
 * Runs it until it has said something: "" at DONE_PORT, else what kvm-vmi lets the serial
 * port say, or how KVM_RUN failed.
 */
static const char *outcome(void)
{
	static char said[256];
	struct itimerval limit = { .it_value = { SECONDS, 0 }, .it_interval = { 0, 100000 } };
	struct itimerval none = { { 0, 0 }, { 0, 0 } };
	struct kvm_run *run = vm.run[0];
	u32 n;

	alarms = 0;
	setitimer(ITIMER_REAL, &limit, NULL);
	snprintf(said, sizeof(said), "hangs");
	while (!alarms) {
		if (ioctl(vm.vcpu[0], KVM_RUN, 0)) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			snprintf(said, sizeof(said), "KVM_RUN: %s", strerror(errno));
			break;
		}
		if (run->exit_reason != KVM_EXIT_IO) {
			snprintf(said, sizeof(said), "exit %u", run->exit_reason);
			break;
		}
		if (run->io.port == DONE_PORT) {
			*said = 0;
			break;
		}
		if (run->io.port == COM1) {
			n = run->io.count < 255 ? run->io.count : 255;
			memcpy(said, (u8 *)run + run->io.data_offset, n);
			said[n] = 0;
			break;
		}
	}
	setitimer(ITIMER_REAL, &none, NULL);
	return said;
}

static u32 number, bad;

static void result(bool good, const char *name, const char *was)
{
	printf("%sok %u %s%s%.*s\n", good ? "" : "not ", ++number, name, *was ? " # " : "",
	       (int)strcspn(was + strspn(was, "\r\n"), "\r\n"), was + strspn(was, "\r\n"));
	fflush(stdout);
	bad += !good;
}

static void expect(const char *name, const char *wanted)
{
	const char *was = outcome();

	result(*wanted ? !!strstr(was, wanted) : !*was, name, was);
	unmake();
}

/* A load from LINEAR, whose page is at @gpa. */
static void load_from(u64 gpa)
{
	static const u8 code[] = { 0xa1, 0, 0, LINEAR >> 16, 0, 0xe6, DONE_PORT, 0xeb, 0xfe };
	u64 entry = gpa | 7;
	struct kvm_regs r;

	memcpy(vm.memory + PROGRAM, code, sizeof(code));
	memcpy(vm.memory + PTPAE + PTE * 8, &entry, 8);
	base_regs(&r, PROGRAM);
	if (ioctl(vm.vcpu[0], KVM_SET_REGS, &r))
		err(1, "KVM_SET_REGS");
}

/* A slot of one page at @gpa, of this process's memory at @p. */
static bool slot_at(u64 gpa, void *p)
{
	struct kvm_userspace_memory_region r = {
		.slot = SLOTS, .guest_phys_addr = gpa, .memory_size = 0x1000,
		.userspace_addr = (unsigned long)p,
	};

	return !ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
}

/* Physical memory that is no RAM, as a program gets a device's. */
static void *device(void)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	void *p = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xd0000000);

	if (fd < 0 || p == MAP_FAILED)
		err(1, "/dev/mem");
	return p;
}

static void memory_cases(void)
{
	static u8 page[0x1000] __attribute__((aligned(4096)));
	u64 high = 1ULL << ((*cpuid(0x80000008, false) & 0xff) - 1), entry = DEVICE | 7;
	void *d = device();

	make();
	load_from(DEVICE);
	if (!slot_at(DEVICE, page))
		err(1, "a slot");
	expect("a slot of its own", "");

	make();
	load_from(DEVICE);
	if (!slot_at(DEVICE, d))
		err(1, "a device's slot");
	expect("memory that is no RAM", "no RAM");

	make();
	load_from(DEVICE);
	slot_at(DEVICE, d);
	memcpy(vm.memory + PDPAE + (LINEAR >> 21) * 8, &entry, 8);
	expect("a page table in memory that is no RAM", "no RAM");

	make();
	load_from(high);
	result(slot_at(high, page), "a slot as high as there are", "");
	expect("what is there is read", "");

	/* More bits than KVM's tables have, which QEMU may say. */
	*cpuid(0x80000008, false) |= 0xff;
	*cpuid(0x80000008, false) -= 0xff - 52;
	make();
	load_from(1ULL << 48);
	result(!slot_at(1ULL << 48, page), "no slot of 49 bits", "");
	expect("an address of 49 bits", "more than 48 bits");
}

static void state_cases(void)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry entry; } m = {
		{ .nmsrs = 1 }, { .index = 0xc0000080, .data = 0x100 } };
	struct kvm_vcpu_events e;
	struct kvm_sregs s;
	struct kvm_regs r;

	make();
	expect("a kernel calls the ROM", "");

	/* Which QEMU may say, though KVM offers none. */
	*cpuid(0x80000001, true) |= 1u << 29;
	make();
	if (ioctl(vm.vcpu[0], KVM_GET_SREGS, &s))
		err(1, "KVM_GET_SREGS");
	s.efer = 0x500;
	result(ioctl(vm.vcpu[0], KVM_SET_SREGS, &s) < 0, "EFER.LME and LMA are refused", "");
	s.efer = 0x1000;
	result(ioctl(vm.vcpu[0], KVM_SET_SREGS, &s) < 0, "EFER.SVME is refused", "");
	result(ioctl(vm.vcpu[0], KVM_SET_MSRS, &m) != 1, "EFER.LME by its MSR is refused", "");
	expect("as if nothing had been", "");

	make();
	if (ioctl(vm.vcpu[0], KVM_GET_SREGS, &s))
		err(1, "KVM_GET_SREGS");
	s.cr3 |= 1ULL << 32;
	if (ioctl(vm.vcpu[0], KVM_SET_SREGS, &s))
		err(1, "KVM_SET_SREGS");
	expect("CR3 above 4 GiB", "CR3");

	make();
	base_regs(&r, BOOT);
	r.rip |= 1ULL << 32;
	if (ioctl(vm.vcpu[0], KVM_SET_REGS, &r))
		err(1, "KVM_SET_REGS");
	expect("EIP above 4 GiB", "EIP");

	make();
	if (ioctl(vm.vcpu[0], KVM_GET_VCPU_EVENTS, &e))
		err(1, "KVM_GET_VCPU_EVENTS");
	e.flags = KVM_VCPUEVENT_VALID_SMM;
	e.smi.smm = 1;
	if (ioctl(vm.vcpu[0], KVM_SET_VCPU_EVENTS, &e)) {
		result(true, "system management mode is refused", "");
		unmake();
	} else {
		expect("system management mode", "management");
	}
}

/* It gets a level-triggered interrupt again and again, and says EOI by the ROM. */
static void *run_on(void *arg)
{
	volatile bool *end = arg;

	while (!*end)
		ioctl(vm.vcpu[0], KVM_RUN, 0);
	return NULL;
}

static void level_triggered(struct kvm_irqchip *c)
{
	struct kvm_lapic_state apic;
	u32 spiv = 0x1ff;

	if (ioctl(vm.vcpu[0], KVM_GET_LAPIC, &apic))
		err(1, "KVM_GET_LAPIC");
	memcpy(apic.regs + 0xf0, &spiv, 4);
	if (ioctl(vm.vcpu[0], KVM_SET_LAPIC, &apic))
		err(1, "KVM_SET_LAPIC");
	memset(c, 0, sizeof(*c));
	c->chip_id = KVM_IRQCHIP_IOAPIC;
	if (ioctl(vm.fd, KVM_GET_IRQCHIP, c))
		err(1, "KVM_GET_IRQCHIP");
	c->chip.ioapic.redirtbl[PIN].bits = VECTOR | 1 << 15;
}

/*
 * Who sets the I/O APIC holds its lock, and waits until no CPU is in the guest: nobody in
 * there may wait for that lock.
 */
static void eoi_case(void)
{
	struct kvm_irq_level line = { .irq = PIN, .level = 1 };
	volatile bool end = false;
	struct kvm_irqchip c;
	pthread_t thread;
	struct kvm_regs r;
	u32 eois = 0, n = 0;
	time_t begun;

	make();
	if (*outcome())			/* vmi_init, and the ROM's calls */
		errx(1, "no vmi_init");
	memcpy(vm.memory + HANDLER, guest_level, guest_level_end - guest_level);
	memcpy(vm.memory + PROGRAM, "\xeb\xfe", 2);
	base_regs(&r, PROGRAM);
	r.rflags |= 0x200;
	level_triggered(&c);
	if (ioctl(vm.vcpu[0], KVM_SET_REGS, &r) || ioctl(vm.fd, KVM_SET_IRQCHIP, &c) ||
	    ioctl(vm.fd, KVM_IRQ_LINE, &line))
		err(1, "an interrupt");
	pthread_create(&thread, NULL, run_on, (void *)&end);
	/* A host that is slow has its time. */
	for (begun = time(NULL); time(NULL) - begun < ((eois > 100 && n > 100) ? SECONDS : 60); n++) {
		c.chip.ioapic.irr = 1 << PIN;
		ioctl(vm.fd, KVM_SET_IRQCHIP, &c);
		memcpy(&eois, vm.memory + RESULT, 4);
	}
	end = true;
	alarms = 0;
	pthread_kill(thread, SIGALRM);
	pthread_join(thread, NULL);
	printf("# %u EOIs, the I/O APIC was set %u times\n", eois, n);
	result(eois > 100 && n > 100, "EOI of a level-triggered interrupt", "");
	unmake();
}

/* The time that was stolen is kept in the guest's RAM, where QEMU may write anything. */
static void stolen_case(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	make();
	if (*outcome())			/* vmi_init, and the ROM's calls */
		errx(1, "no vmi_init");
	memcpy(vm.memory + PROGRAM, guest_stolen, guest_stolen_end - guest_stolen);
	memset(vm.memory + SAVED + 24, 0xff, 256 - 24);	/* behind what vmi_init said */
	base_regs(&r, PROGRAM);
	if (ioctl(vm.vcpu[0], KVM_GET_SREGS, &s) || ioctl(vm.vcpu[0], KVM_SET_SREGS, &s) ||
	    ioctl(vm.vcpu[0], KVM_SET_REGS, &r))
		err(1, "KVM_SET_SREGS");
	expect("more stolen time than there is", "");
}

/*
 * A breakpoint at what an instruction reads before it faults.  QEMU can bring the #DB in the
 * window then, and one more; the guest may end by that, but no processor of the host's.
 */
static void watch_case(u32 flags, const char *name)
{
	struct kvm_debugregs d = { .dr6 = 0xffff0ff0, .dr7 = 0x000f0403 };
	const char *was;
	struct kvm_regs r;

	make();
	if (*outcome())			/* vmi_init, and the ROM's calls */
		errx(1, "no vmi_init");
	memcpy(vm.memory + PROGRAM, guest_watch, guest_watch_end - guest_watch);
	base_regs(&r, PROGRAM);
	r.rflags |= flags;
	if (ioctl(vm.vcpu[0], KVM_SET_DEBUGREGS, &d) || ioctl(vm.vcpu[0], KVM_SET_REGS, &r))
		err(1, "KVM_SET_DEBUGREGS");
	was = outcome();
	result(strcmp(was, "hangs"), name, was);
	unmake();
}

int cases(void)
{
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = alarmed }, NULL);
	printf("KTAP version 1\n");
	state_cases();
	memory_cases();
	stolen_case();
	watch_case(0, "a breakpoint, and a page fault");
	watch_case(0x100, "the same, step by step");
	eoi_case();
	printf("1..%u\n", number);
	return bad;
}
