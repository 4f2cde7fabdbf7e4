/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_HTTP_SERVER_H
#define LSV_TEST_HTTP_SERVER_H

/*
 * A server on loopback that gives its answers one after another, whatever is
 * asked, and keeps what was asked.  An answer is sent as it stands; before it
 * may stand
 *	!	then the connection is closed
 *	~	nothing is sent until the other side closes
 */

#include "test/lib/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_MAX 32
#define SERVER_REQUEST_MAX 8192

struct http_server {
	int fd;
	unsigned port;
	pthread_t thread;
	const char *const *answers; /* up to NULL; then it closes */
	_Atomic(int) n_requests;
	_Atomic(int) n_connections;
	char requests[SERVER_MAX][SERVER_REQUEST_MAX];
};

/* Reads n bytes more; what does not fit into 'text' only goes by, but for its
 * end. */
static inline bool server_read_body(int fd, char *text, size_t at, size_t n)
{
	static char gone[1 << 16];

	while (n) {
		size_t room = SERVER_REQUEST_MAX - 1 - at;
		bool fits = n <= room;
		size_t some = n - (fits ? 0 : room);
		ssize_t got = read(fd, fits ? text + at : gone,
		                   fits                 ? n
		                   : some > sizeof gone ? sizeof gone
		                                        : some);

		if (got <= 0)
			return false;
		n -= (size_t)got;
		at += fits ? (size_t)got : 0;
		text[at] = 0;
	}
	return true;
}

/* All of one request: false, there is none. */
static inline bool server_read(int fd, char *text)
{
	const char *body = NULL, *length;
	size_t n = 0, n_body;

	while (!body && n < SERVER_REQUEST_MAX - 1) {
		ssize_t got = read(fd, text + n, 1);

		if (got <= 0)
			return false;
		text[++n] = 0;
		body = strstr(n < 4 ? "" : text + n - 4, "\r\n\r\n");
	}
	length = strstr(text, "Content-Length: ");
	n_body = length ? strtoul(length + 16, NULL, 10) : 0;
	return body && server_read_body(fd, text, n, n_body);
}

static inline void server_wait_closed(int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		;
}

/* Serves one connection; false: no answer is left. */
static inline bool server_serve(struct http_server *s, int fd)
{
	for (;;) {
		int i = atomic_load(&s->n_requests);
		const char *answer = s->answers[i];
		ssize_t n;

		if (!answer || !server_read(fd, s->requests[i]))
			return answer != NULL;
		atomic_store(&s->n_requests, i + 1);
		if (*answer == '~') {
			server_wait_closed(fd);
			return true;
		}
		n = (ssize_t)strlen(answer + (*answer == '!'));
		if (send(fd, answer + (*answer == '!'), (size_t)n,
		         MSG_NOSIGNAL) != n ||
		    *answer == '!')
			return true;
	}
}

static inline void *server_run(void *arg)
{
	struct http_server *s = arg;
	bool more = true;

	while (more) {
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			break;
		atomic_fetch_add(&s->n_connections, 1);
		more = server_serve(s, fd);
		close(fd);
	}
	return NULL;
}

static inline void server_start(struct http_server *s,
                                const char *const *answers)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof at;

	memset(s, 0, sizeof *s);
	s->answers = answers;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(s->fd, 0);
	ck_assert_int_eq(bind(s->fd, (struct sockaddr *)&at, size), 0);
	ck_assert_int_eq(listen(s->fd, 8), 0);
	ck_assert_int_eq(getsockname(s->fd, (struct sockaddr *)&at, &size), 0);
	s->port = ntohs(at.sin_port);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, server_run, s), 0);
}

/* Whoever was connected has to have closed. */
static inline void server_stop(struct http_server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

#endif
