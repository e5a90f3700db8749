/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame of a guest test: a table of functions, each run in a process of
 * its own, results printed as KTAP.
 *
 * A line leaves in one write(), so that a line to /dev/kmsg stays whole.
 */
#ifndef VMI_TEST_KTAP_H
#define VMI_TEST_KTAP_H

#include <stdarg.h>
#include "sys.h"

#define KSFT_PASS	0
#define KSFT_FAIL	1
#define KSFT_SKIP	4

/* A test that takes longer hangs; slow emulation needs the room. */
#define TEST_SECONDS	240

struct test {
	const char *name;
	int (*func)(void);
};

#define TEST(func)	{ #func, func }

static const char *ktap_indent = "";
/* Shared with the test's process: why it skipped. */
static char *ktap_reason;

struct ktap_buf {
	char text[256];
	unsigned int len;
};

static inline void ktap_putc(struct ktap_buf *b, char c)
{
	if (b->len < sizeof(b->text) - 1)
		b->text[b->len++] = c;
}

static inline void ktap_puts(struct ktap_buf *b, const char *s)
{
	while (*s)
		ktap_putc(b, *s++);
}

/* Formats %s, %c, %d, %u and %x, the last three with l or ll. */
static void ktap_format(struct ktap_buf *b, const char *fmt, va_list ap)
{
	char num[24];

	for (; *fmt; fmt++) {
		unsigned long long v;
		int l = 0;

		if (*fmt != '%') {
			ktap_putc(b, *fmt);
			continue;
		}
		while (*++fmt == 'l')
			l++;
		if (*fmt == 's') {
			ktap_puts(b, va_arg(ap, const char *));
			continue;
		}
		if (*fmt == 'c') {
			ktap_putc(b, va_arg(ap, int));
			continue;
		}
		if (l == 2)
			v = va_arg(ap, unsigned long long);
		else if (*fmt == 'd')
			v = va_arg(ap, int);
		else
			v = va_arg(ap, unsigned int);
		if (*fmt == 'd')
			i64toa_r(v, num);
		else if (*fmt == 'u')
			u64toa_r(v, num);
		else
			u64toh_r(v, num);
		ktap_puts(b, num);
	}
}

static __attribute__((format(printf, 1, 2)))
void ktap_print(const char *fmt, ...)
{
	struct ktap_buf b = { .len = 0 };
	va_list ap;

	ktap_puts(&b, ktap_indent);
	va_start(ap, fmt);
	ktap_format(&b, fmt, ap);
	va_end(ap);
	b.text[b.len++] = '\n';
	write(1, b.text, b.len);
}

#define SKIP(reason) do {						\
	strlcpy(ktap_reason, reason, 128);				\
	return KSFT_SKIP;						\
} while (0)

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		ktap_print("# %s:%d: %s is false, errno %d",		\
			   __FILE_NAME__, __LINE__, #cond, errno);	\
		return KSFT_FAIL;					\
	}								\
} while (0)

/* CHECK() of two numbers, which it prints when they break @rel. */
#define CHECK_NUMBERS(a, rel, b, text_a, text_b) do {			\
	long long _a = (a), _b = (b);					\
	if (!(_a rel _b)) {						\
		ktap_print("# %s:%d: %s %s %s: %lld, %lld (errno %d)",	\
			   __FILE_NAME__, __LINE__, text_a, #rel, text_b, \
			   _a, _b, errno);				\
		return KSFT_FAIL;					\
	}								\
} while (0)

#define CHECK_REL(a, rel, b)	CHECK_NUMBERS(a, rel, b, #a, #b)
#define CHECK_EQ(a, b)		CHECK_NUMBERS(a, ==, b, #a, #b)

static pid_t ktap_child;

static void ktap_timeout(int sig)
{
	kill(ktap_child, SIGKILL);
}

static int ktap_run_one(const struct test *t, unsigned int nr)
{
	int status;

	ktap_reason[0] = 0;
	ktap_child = fork();
	if (ktap_child == 0) {
		int ret = t->func();

		/* nolibc's exit() would leave threads behind. */
		my_syscall1(__NR_exit_group, ret);
	}
	if (ktap_child < 0) {
		ktap_print("not ok %u %s # fork: errno %d", nr, t->name, errno);
		return KSFT_FAIL;
	}

	sys_signal(SIGALRM, ktap_timeout);
	sys_alarm(TEST_SECONDS);
	while (waitpid(ktap_child, &status, 0) < 0 && errno == EINTR)
		;
	sys_alarm(0);

	if (status == KSFT_PASS << 8) {
		ktap_print("ok %u %s", nr, t->name);
		return KSFT_PASS;
	}
	if (status == KSFT_SKIP << 8) {
		ktap_print("ok %u %s # SKIP %s", nr, t->name, ktap_reason);
		return KSFT_SKIP;
	}
	if (status != KSFT_FAIL << 8)
		ktap_print("# wait status 0x%x", status);
	ktap_print("not ok %u %s", nr, t->name);
	return KSFT_FAIL;
}

static int ktap_main(const struct test *tests, unsigned int count)
{
	const char *indent = getenv("KTAP_INDENT");
	unsigned int i, failed = 0, skipped = 0;

	if (indent)
		ktap_indent = indent;
	ktap_reason = sys_shared_page();
	ktap_print("KTAP version 1");
	ktap_print("1..%u", count);
	for (i = 0; i < count; i++) {
		int ret = ktap_run_one(&tests[i], i + 1);

		failed += ret == KSFT_FAIL;
		skipped += ret == KSFT_SKIP;
	}
	if (failed)
		return KSFT_FAIL;
	return skipped == count ? KSFT_SKIP : KSFT_PASS;
}

/* For main(): KTAP_MAIN(tests) runs the table and is the exit status. */
#define KTAP_MAIN(tests)	ktap_main(tests, sizeof(tests) / sizeof((tests)[0]))

#endif /* VMI_TEST_KTAP_H */
