// SPDX-License-Identifier: GPL-2.0-only
/* Threads by clone(), futexes, and thread-local storage through %gs. */
#include "ktap.h"
#include "thread.h"
#include <asm/ldt.h>

#define THREADS		8

struct thread {
	int tid;		/* cleared and woken by the kernel at the exit */
	unsigned int number;
	unsigned int result;
	unsigned int tls[4];
};

static struct thread threads[THREADS];

static int start_plain(unsigned int nr, void (*func)(void *))
{
	struct thread *t = &threads[nr];

	t->number = nr;
	return start_thread(CLONE_THREAD_FLAGS | CLONE_PARENT_SETTID |
			    CLONE_CHILD_CLEARTID, func, t, &t->tid, NULL);
}

static void join(struct thread *t)
{
	int tid;

	while ((tid = *(volatile int *)&t->tid) != 0)
		sys_futex(&t->tid, FUTEX_WAIT, tid);
}

static void note_ids(void *arg)
{
	struct thread *t = arg;

	t->result = gettid();
	t->tls[0] = getpid();
}

static int clone_and_join(void)
{
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		CHECK_REL(start_plain(i, note_ids), >, 0);
	for (i = 0; i < THREADS; i++) {
		join(&threads[i]);
		CHECK_EQ(threads[i].tls[0], getpid());
		CHECK(threads[i].result != getpid());
		CHECK(!i || threads[i].result != threads[i - 1].result);
	}
	return KSFT_PASS;
}

/* A mutex of a futex: 0 free, 1 taken, 2 taken and somebody waits. */
static int mutex;
static volatile unsigned int counter;

static void lock(int *m)
{
	int old = __sync_val_compare_and_swap(m, 0, 1);

	while (old) {
		if (old == 2 || __sync_val_compare_and_swap(m, 1, 2))
			sys_futex(m, FUTEX_WAIT, 2);
		old = __sync_val_compare_and_swap(m, 0, 2);
	}
}

static void unlock(int *m)
{
	if (__sync_lock_test_and_set(m, 0) == 2)
		sys_futex(m, FUTEX_WAKE, 1);
}

static void count_up(void *arg)
{
	unsigned int i, seen;

	for (i = 0; i < 500; i++) {
		lock(&mutex);
		seen = counter;
		if (i % 32 == 0)
			sched_yield();
		counter = seen + 1;
		unlock(&mutex);
	}
}

static int futex_mutex(void)
{
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		CHECK_REL(start_plain(i, count_up), >, 0);
	for (i = 0; i < THREADS; i++)
		join(&threads[i]);
	CHECK_EQ(counter, THREADS * 500);
	return KSFT_PASS;
}

static unsigned int read_gs(unsigned int offset)
{
	unsigned int value;

	asm volatile("movl %%gs:(%1), %0" : "=r" (value) : "r" (offset));
	return value;
}

static void write_gs(unsigned int offset, unsigned int value)
{
	asm volatile("movl %0, %%gs:(%1)" :: "r" (value), "r" (offset) : "memory");
}

static struct user_desc tls_desc(struct thread *t, int entry)
{
	return (struct user_desc){
		.entry_number = entry,
		.base_addr = (unsigned long)t->tls,
		.limit = 0xfffff,
		.limit_in_pages = 1,
		.seg_32bit = 1,
		.useable = 1,
	};
}

static int load_own_tls(struct thread *t, int *entry)
{
	struct user_desc desc = tls_desc(t, *entry);

	if (my_syscall1(__NR_set_thread_area, &desc))
		return -1;
	*entry = desc.entry_number;
	asm volatile("movw %w0, %%gs" :: "r" (desc.entry_number * 8 + 3));
	return 0;
}

/* Every thread has its own base behind the same selector. */
static void use_tls(void *arg)
{
	struct thread *t = arg;
	unsigned int i, bad = 0;

	for (i = 0; i < 300; i++) {
		if (read_gs(0) != 0x7150000 + t->number)
			bad++;
		write_gs(4, i ^ t->number);
		sched_yield();
		if (t->tls[1] != (i ^ t->number))
			bad++;
		if (read_gs(4) != (i ^ t->number))
			bad++;
	}
	t->result = bad;
}

static int tls_of_threads(void)
{
	unsigned int i, cpu, cpus = sys_cpu_count();
	static struct thread own = { .number = 99 };
	int entry = -1;

	CHECK_EQ(load_own_tls(&own, &entry), 0);
	own.tls[0] = 0x11223344;
	for (cpu = 0; cpu <= cpus; cpu++) {
		/* All on one CPU, each in turn; then wherever they like. */
		if (cpu < cpus)
			CHECK_EQ(sys_pin_to_cpu(cpu), 0);
		for (i = 0; i < THREADS; i++) {
			struct thread *t = &threads[i];
			struct user_desc desc = tls_desc(t, entry);

			t->number = i;
			t->result = -1;
			t->tls[0] = 0x7150000 + i;
			CHECK_REL(start_thread(CLONE_THREAD_FLAGS | CLONE_SETTLS |
					       CLONE_PARENT_SETTID |
					       CLONE_CHILD_CLEARTID,
					       use_tls, t, &t->tid, &desc), >, 0);
		}
		for (i = 0; i < THREADS; i++) {
			join(&threads[i]);
			CHECK_EQ(threads[i].result, 0);
		}
		CHECK_EQ(read_gs(0), 0x11223344);
	}
	return KSFT_PASS;
}

/* Three entries at once, changed and read back. */
static int thread_area_entries(void)
{
	static struct thread t[3];
	int entry[3] = { -1, -1, -1 };
	struct user_desc desc;
	int i, last = -1;

	for (i = 0; i < 3; i++) {
		t[i].tls[0] = 0xabc0 + i;
		if (load_own_tls(&t[i], &entry[i]))
			break;
		CHECK_EQ(read_gs(0), 0xabc0 + i);
		CHECK_REL(entry[i], >, last);
		last = entry[i];
		desc = (struct user_desc){ .entry_number = entry[i] };
		CHECK_EQ(my_syscall1(__NR_get_thread_area, &desc), 0);
		CHECK_EQ(desc.base_addr, (unsigned long)t[i].tls);
	}
	CHECK_REL(i, >, 0);
	/* No more than three; and only those three. */
	desc = tls_desc(&t[0], last + 1);
	CHECK_EQ(my_syscall1(__NR_set_thread_area, &desc), -EINVAL);
	/* Change the entry that %gs names, reload, see the new base. */
	entry[0] = last;
	CHECK_EQ(load_own_tls(&t[0], &entry[0]), 0);
	CHECK_EQ(read_gs(0), 0xabc0);
	return KSFT_PASS;
}

static void on_signal(int sig)
{
	counter++;
}

static void wait_killed(void *arg)
{
	struct thread *t = arg;

	t->result = 1;
	while (counter == 0)
		sys_sleep_ms(10);
	t->result = 2;
}

static int signal_to_thread(void)
{
	struct thread *t = &threads[0];
	pid_t pid = getpid();

	sys_signal(SIGUSR1, on_signal);
	CHECK_REL(start_plain(0, wait_killed), >, 0);
	CHECK_EQ(my_syscall3(__NR_tgkill, pid, t->tid, SIGUSR1), 0);
	join(t);
	CHECK_EQ(t->result, 2);
	CHECK_EQ(counter, 1);
	return KSFT_PASS;
}

/* Writes to one page from all CPUs, while others change its protection. */
static volatile unsigned int *hot;
static volatile int stop;

static void hammer(void *arg)
{
	struct thread *t = arg;

	while (!stop)
		hot[t->number * 16]++;
	t->result = 1;
}

static int unmap_while_running(void)
{
	unsigned int i, round;

	hot = sys_pages(1, PROT_READ | PROT_WRITE);
	for (i = 0; i < THREADS / 2; i++)
		CHECK_REL(start_plain(i, hammer), >, 0);
	/* Every unmap of a touched page interrupts the CPUs that run threads. */
	for (round = 0; round < 50; round++) {
		char *p = sys_pages(4, PROT_READ | PROT_WRITE);

		CHECK(p != MAP_FAILED);
		memset(p, round, 4 * PAGE_SIZE);
		CHECK_EQ(mprotect(p, 4 * PAGE_SIZE, PROT_READ), 0);
		CHECK_EQ(munmap(p, 4 * PAGE_SIZE), 0);
	}
	stop = 1;
	for (i = 0; i < THREADS / 2; i++) {
		join(&threads[i]);
		CHECK_EQ(threads[i].result, 1);
	}
	return KSFT_PASS;
}

static const struct test tests[] = {
	TEST(clone_and_join),
	TEST(futex_mutex),
	TEST(tls_of_threads),
	TEST(thread_area_entries),
	TEST(signal_to_thread),
	TEST(unmap_while_running),
};

int main(void)
{
	return KTAP_MAIN(tests);
}
