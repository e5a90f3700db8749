/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP sockets over IPv4. */
#ifndef VMI_TEST_INET_H
#define VMI_TEST_INET_H

#include "ktap.h"
#include <linux/in.h>
#include <linux/socket.h>

#define SOCK_STREAM	1
#define IPV4(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (unsigned int)(d) << 24)

/* @port in network order. */
static inline struct sockaddr_in inet_address(unsigned int host, unsigned short port)
{
	return (struct sockaddr_in){
		.sin_family = 2 /* AF_INET */,
		.sin_port = port,
		.sin_addr.s_addr = host,
	};
}

static inline int inet_socket(void)
{
	return my_syscall3(__NR_socket, 2, SOCK_STREAM, 0);
}

static inline int inet_connect(unsigned int host, unsigned short port)
{
	struct sockaddr_in addr = inet_address(host, port);
	int fd = inet_socket();

	if (fd < 0 || my_syscall3(__NR_connect, fd, &addr, sizeof(addr)))
		return -1;
	return fd;
}

#endif /* VMI_TEST_INET_H */
