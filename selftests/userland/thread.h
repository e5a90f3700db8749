/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread by clone(), without a library. */
#ifndef VMI_TEST_THREAD_H
#define VMI_TEST_THREAD_H

#include "sys.h"
#include <asm/ldt.h>

#define STACK_SIZE	(4 * PAGE_SIZE)
#define CLONE_THREAD_FLAGS						\
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |		\
	 CLONE_THREAD | CLONE_SYSVSEM)

/*
 * Starts @func(@arg) on a stack of its own.  The new thread has no frame to return to,
 * so it finds function and argument on its own stack and exits.
 */
static int start_thread(unsigned long flags, void (*func)(void *), void *arg,
			int *tid, struct user_desc *tls)
{
	unsigned long *top = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ret;

	if (top == MAP_FAILED)
		return -1;
	top += STACK_SIZE / sizeof(*top);
	top -= 4;
	top[0] = (unsigned long)func;
	top[1] = (unsigned long)arg;
	asm volatile("pushl %%ebp\n\t"
		     "movl %[tid], %%edi\n\t"
		     "int $0x80\n\t"
		     "testl %%eax, %%eax\n\t"
		     "jnz 1f\n\t"
		     "xorl %%ebp, %%ebp\n\t"
		     "popl %%eax\n\t"
		     "call *%%eax\n\t"
		     "movl %[exit], %%eax\n\t"
		     "xorl %%ebx, %%ebx\n\t"
		     "int $0x80\n\t"
		     "hlt\n"
		     "1:\tpopl %%ebp"
		     : "=a" (ret)
		     : "0" (__NR_clone), "b" (flags), "c" (top), "d" (tid),
		       "S" (tls), [tid] "d" (tid), [exit] "i" (__NR_exit)
		     : "edi", "memory", "cc");
	return ret;
}

#endif /* VMI_TEST_THREAD_H */
