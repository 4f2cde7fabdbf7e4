/* SPDX-License-Identifier: MIT */
#include "vfs/listen.h"

#include "replica/base/cleanup.h"
#include "replica/base/thread.h"
#include "replica/spool/coord.h"
#include "vfs/bell.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/queue.h>
#include <unistd.h>

TAILQ_HEAD(ears, lsv_ear);

struct lsv_ear {
	TAILQ_ENTRY(lsv_ear) link;
	struct ears *list; /* where it is */
	int wd;            /* -1: not heard */
	bool is_closed;
	char dir[];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* Under it: what the listener is asked for, and what came of it. */
static struct ears asked = TAILQ_HEAD_INITIALIZER(asked);
static struct ears heard = TAILQ_HEAD_INITIALIZER(heard);
static struct ears deaf = TAILQ_HEAD_INITIALIZER(deaf);
static size_t n_watches;
static size_t n_unheard; /* that are not closed */
static bool is_running;
static bool is_impossible; /* here there can be no listener */

static _Atomic(bool) was_called;

static void put(struct lsv_ear *ear, struct ears *list)
{
	if (ear->list)
		TAILQ_REMOVE(ear->list, ear, link);
	TAILQ_INSERT_TAIL(list, ear, link);
	ear->list = list;
}

static void stop_hearing(int fd, struct lsv_ear *ear)
{
	inotify_rm_watch(fd, ear->wd);
	n_watches--;
	TAILQ_REMOVE(&asked, ear, link);
	free(ear);
	/* There is room for another one. */
	if (!TAILQ_EMPTY(&deaf))
		put(TAILQ_FIRST(&deaf), &asked);
}

static void start_hearing(int fd, struct lsv_ear *ear)
{
	auto_free char *path = lsv_coord_path(ear->dir);

	if (path)
		ear->wd = inotify_add_watch(fd, path, IN_OPEN);
	n_watches += ear->wd >= 0;
	n_unheard -= ear->wd >= 0;
	put(ear, ear->wd < 0 ? &deaf : &heard);
}

/* False: nothing is left to be heard. */
static bool serve(int fd)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);
	struct lsv_ear *ear;

	while ((ear = TAILQ_FIRST(&asked))) {
		if (ear->is_closed)
			stop_hearing(fd, ear);
		else
			start_hearing(fd, ear);
	}
	is_running = n_watches > 0;
	return is_running;
}

static void give_up(void)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

	is_impossible = true;
}

/* What the program has open is not taken along: it would stay open here. */
static int open_apart(void)
{
	if (close_range(0, UINT_MAX, CLOSE_RANGE_UNSHARE) < 0)
		return -1;
	return inotify_init1(IN_CLOEXEC);
}

/* False: it cannot be. */
static bool hear(int fd)
{
	char events[4096];

	/* Also of who called before it was listened to. */
	atomic_store(&was_called, true);
	lsv_bell_ring();
	return read(fd, events, sizeof events) >= 0 || errno == EINTR;
}

static void *attend(void *none)
{
	auto_close int fd = open_apart();

	(void)none;
	if (fd < 0) {
		give_up();
		return NULL;
	}
	while (serve(fd)) {
		if (!hear(fd)) {
			give_up();
			return NULL;
		}
	}
	return NULL;
}

/* One that is closed is heard until that is served. */
static struct lsv_ear *any_heard(void)
{
	struct lsv_ear *ear = TAILQ_FIRST(&heard);

	if (ear)
		return ear;
	TAILQ_FOREACH(ear, &asked, link)
	if (ear->wd >= 0)
		return ear;
	return NULL;
}

/* Under the mutex.  It sleeps until it hears something, so it is called as
 * others call. */
static void call_listener(void)
{
	struct lsv_ear *ear = any_heard();

	if (!is_running && !is_impossible)
		is_running = lsv_thread_start(attend, NULL) == 0;
	if (!ear)
		return;
	lsv_coord_call(ear->dir);
	/* Another one the next time: this one's page may not be there. */
	if (ear->list == &heard)
		put(ear, &heard);
}

struct lsv_ear *lsv_ear_open(const char *dir)
{
	size_t n = strlen(dir) + 1;
	struct lsv_ear *ear = calloc(1, sizeof *ear + n);
	auto_unlock pthread_mutex_t *held = NULL;

	if (!ear)
		return NULL;
	memcpy(ear->dir, dir, n);
	ear->wd = -1;
	held = lsv_lock(&mutex);
	put(ear, &asked);
	n_unheard++;
	call_listener();
	return ear;
}

void lsv_ear_close(struct lsv_ear *ear)
{
	auto_unlock pthread_mutex_t *held = NULL;

	if (!ear)
		return;
	held = lsv_lock(&mutex);
	if (ear->wd < 0 || is_impossible) {
		TAILQ_REMOVE(ear->list, ear, link);
		n_unheard -= ear->wd < 0;
		free(ear);
		return;
	}
	ear->is_closed = true;
	put(ear, &asked);
	call_listener();
}

bool lsv_listen_has_heard(void)
{
	bool called = atomic_exchange(&was_called, false);

	return called || lsv_listen_is_deaf();
}

bool lsv_listen_is_deaf(void)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

	if (!TAILQ_EMPTY(&asked))
		call_listener();
	return n_unheard > 0 || is_impossible;
}

void lsv_listen_fork_child(void)
{
	pthread_mutex_init(&mutex, NULL);
	TAILQ_INIT(&asked);
	TAILQ_INIT(&heard);
	TAILQ_INIT(&deaf);
	n_watches = 0;
	n_unheard = 0;
	is_running = false;
	is_impossible = false;
	atomic_store(&was_called, false);
}
