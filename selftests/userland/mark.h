/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks for the host, on the second serial port: it notes its clock and its
 * counters, then answers.  selftests/kvm/init is the other end.
 */
#ifndef VMI_TEST_MARK_H
#define VMI_TEST_MARK_H

#include "sys.h"

/* 0 once the host has answered.  init made the port raw. */
static int mark_send(int port, const char *name)
{
	char c;

	if (sys_write_full(port, name, strlen(name)) || sys_write_full(port, "\n", 1))
		return -1;
	do {
		if (read(port, &c, 1) != 1)
			return -1;
	} while (c != '\n');
	return 0;
}

#endif /* VMI_TEST_MARK_H */
