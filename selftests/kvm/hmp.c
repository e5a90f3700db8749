// SPDX-License-Identifier: GPL-2.0-only
/*
 * hmp SOCKET COMMAND [TIMES]: one command for the monitor of QEMU at a unix socket, whose
 * answer comes to standard output; perhaps many times, one after the other.  Status 1:
 * nobody is there, or it does not answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PROMPT "(qemu) "

static char answer[1 << 20];

/* Until the prompt; or until QEMU ends, which some commands are for. */
static int until_prompt(int fd)
{
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, answer + have, sizeof(answer) - 1 - have)) > 0) {
		have += n;
		answer[have] = 0;
		if (have >= strlen(PROMPT) && !strcmp(answer + have - strlen(PROMPT), PROMPT)) {
			answer[have - strlen(PROMPT)] = 0;
			return 0;
		}
	}
	answer[have] = 0;
	return n < 0 ? -1 : 0;
}

static int reach(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 120 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	for (int i = 0; i < 100; i++) {		/* QEMU may just have been started */
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return fd;
		usleep(100000);
	}
	return -1;
}

int main(int argc, char **argv)
{
	int times = argc == 4 ? atoi(argv[3]) : 1;
	char *text;
	int fd;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: hmp SOCKET COMMAND [TIMES]\n");
		return 1;
	}
	fd = reach(argv[1]);
	if (fd < 0 || until_prompt(fd)) {
		perror(argv[1]);
		return 1;
	}
	for (; times > 0; times--) {
		dprintf(fd, "%s\n", argv[2]);
		if (until_prompt(fd)) {
			perror(argv[2]);
			return 1;
		}
		/* The first line is the echo of what was typed. */
		text = strchr(answer, '\n');
		for (text = text ? text + 1 : answer; *text; text++)
			if (*text != '\r')
				putchar(*text);
	}
	return 0;
}
