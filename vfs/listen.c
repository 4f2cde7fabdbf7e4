/* SPDX-License-Identifier: MIT */
#include "vfs/listen.h"

#include "replica/base/cleanup.h"
#include "replica/base/thread.h"
#include "replica/spool/coord.h"
#include "vfs/bell.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LISTENERS_MAX 128

struct listener {
	_Atomic(uint32_t) turn; /* how often it was armed */
	/* Under 'mutex'. */
	pthread_mutex_t mutex;
	struct futex_waitv words[LSV_LISTEN_MAX + 1]; /* the first: the turn */
	unsigned n;
	bool has_fired;
};

/* The worker's. */
static struct listener *listeners[LISTENERS_MAX];

/* What it waits on now; how many. */
static unsigned take_words(struct listener *listener,
                           struct futex_waitv words[LSV_LISTEN_MAX + 1])
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&listener->mutex);

	memcpy(words, listener->words, sizeof listener->words);
	return listener->has_fired ? 1 : listener->n + 1;
}

/* False: it was armed anew meanwhile. */
static bool fire(struct listener *listener, uint32_t turn)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&listener->mutex);

	if (listener->has_fired || atomic_load(&listener->turn) != turn)
		return false;
	listener->has_fired = true;
	return true;
}

/* A page that is mapped no more (EFAULT) is one that we lead no more: that is
 * the worker's to see. */
static bool is_over(int r)
{
	return r >= 0 || errno == EAGAIN || errno == EINTR || errno == EFAULT;
}

static void *attend(void *arg)
{
	struct listener *listener = arg;

	for (;;) {
		struct futex_waitv words[LSV_LISTEN_MAX + 1];
		unsigned n = take_words(listener, words);
		uint32_t turn = (uint32_t)words[0].val;
		int r = (int)syscall(SYS_futex_waitv, words, n, 0, NULL,
		                     CLOCK_MONOTONIC);

		if (!is_over(r)) /* the worker has a timer then */
			lsv_futex_wait(&listener->turn, turn, -1);
		else if (fire(listener, turn))
			lsv_bell_ring();
	}
	return NULL;
}

static struct listener *start(void)
{
	auto_free struct listener *listener = calloc(1, sizeof *listener);

	if (!listener)
		return NULL;
	pthread_mutex_init(&listener->mutex, NULL);
	listener->words[0] = (struct futex_waitv){
		.uaddr = (uintptr_t)&listener->turn,
		.flags = FUTEX_32,
	};
	return lsv_thread_start(attend, listener) == 0 ? take(listener) : NULL;
}

/* False: it is as it should be. */
static bool arm(struct listener *listener, const struct futex_waitv *words,
                unsigned n)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&listener->mutex);

	if (!listener->has_fired && listener->n == n &&
	    memcmp(listener->words + 1, words + 1, n * sizeof *words) == 0)
		return false;
	memcpy(listener->words + 1, words + 1, n * sizeof *words);
	listener->n = n;
	listener->has_fired = false;
	listener->words[0].val = atomic_fetch_add(&listener->turn, 1) + 1;
	return true;
}

bool lsv_listen_has(size_t i)
{
	return i < LISTENERS_MAX && listeners[i];
}

bool lsv_listen(size_t i, const struct futex_waitv words[LSV_LISTEN_MAX + 1],
                unsigned n)
{
	if (i < LISTENERS_MAX && !listeners[i])
		listeners[i] = start();
	if (!lsv_listen_has(i))
		return false;
	if (arm(listeners[i], words, n))
		lsv_futex_wake(&listeners[i]->turn, 1);
	return true;
}

void lsv_listen_fork_child(void)
{
	for (size_t i = 0; i < LISTENERS_MAX; i++)
		free(take(listeners[i]));
}
