/* SPDX-License-Identifier: MIT */
#include "tools/watch.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/log.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#define FIRST_PAUSE_NS (2 * LSV_NS_PER_MS)
#define LAST_PAUSE_NS LSV_NS_PER_S
/* Files of that name come, go, or are let go by a program. */
#define DIR_EVENTS                                                             \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE)

int watch_open(struct watch *watch)
{
	*watch = (struct watch){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
	return watch->fd < 0 ? log_error(-errno, "cannot watch files") : 0;
}

static void look_soon(struct watched *it, int64_t now_ns)
{
	it->pause_ns = FIRST_PAUSE_NS;
	it->look_ns = now_ns + it->pause_ns;
}

static int watch_wal(struct watch *watch, struct watched *it)
{
	auto_free char *wal = NULL;

	if (asprintf(&wal, "%s-wal", it->path) < 0)
		return -ENOMEM;
	it->wal_wd = inotify_add_watch(watch->fd, wal,
	                               IN_MODIFY | IN_CLOSE_WRITE);
	return it->wal_wd < 0 ? log_error(-errno, "cannot watch %s", wal) : 0;
}

/* A database of which nothing is there is no error: its program comes later.
 * While it is waited for, its growth is looked at, too. */
static int open_database(struct watch *watch, struct watched *it)
{
	int r = lsv_keeper_open(it->path, &it->keeper);

	if (r == 0)
		return watch_wal(watch, it);
	if (r == -EBUSY)
		look_soon(it, lsv_clock_mono_ns());
	if (r == -ENOENT &&
	    inotify_add_watch(watch->fd, it->dir,
	                      DIR_EVENTS | IN_MODIFY | IN_MASK_ADD) < 0)
		return log_error(-errno, "cannot watch %s", it->dir);
	return r == -ENOENT || r == -EBUSY ? 0 : r;
}

static void free_watched(struct watched *it)
{
	lsv_keeper_close(it->keeper);
	free(it->path);
	free(it->dir);
}

int watch_add(struct watch *watch, const char *path)
{
	struct watched it = {.wal_wd = -1, .look_ns = INT64_MAX};
	auto_free char *copy = strdup(path);
	const char *slash;
	int r;

	it.path = strdup(path);
	it.dir = copy ? strdup(dirname(copy)) : NULL;
	if (!it.path || !it.dir || watched_list_append(&watch->list, it) < 0) {
		free_watched(&it);
		return -ENOMEM;
	}
	slash = strrchr(it.path, '/');
	watch->list.at[watch->list.n - 1].base = slash ? slash + 1 : it.path;
	/* Before the database is looked for, so that nothing is missed. */
	r = inotify_add_watch(watch->fd, it.dir, DIR_EVENTS | IN_MASK_ADD);
	if (r < 0)
		return log_error(-errno, "cannot watch %s", it.dir);
	watch->list.at[watch->list.n - 1].dir_wd = r;
	r = open_database(watch, &watch->list.at[watch->list.n - 1]);
	if (r == 0 && !watch->list.at[watch->list.n - 1].keeper)
		log_info("%s: waits for the database to be there", path);
	return r;
}

static int flush_one(struct watch *watch, struct watched *it)
{
	/* It may have come at the last moment, or never. */
	if (!it->keeper)
		it->is_odd = open_database(watch, it) < 0;
	if (it->keeper && lsv_keeper_flush(it->keeper) < 0) {
		(void)log_error(0,
		                "not all of %s is on its replicas; lsvfs "
		                "status %s says more",
		                it->path, it->path);
		return -EIO;
	}
	return it->is_odd ? -EIO : 0;
}

int watch_flush(struct watch *watch)
{
	int result = 0;

	for (size_t i = 0; i < watch->list.n; i++) {
		int r = flush_one(watch, &watch->list.at[i]);

		if (r < 0)
			result = r;
	}
	return result;
}

void watch_close(struct watch *watch)
{
	for (size_t i = 0; i < watch->list.n; i++)
		free_watched(&watch->list.at[i]);
	free(watch->list.at);
	if (watch->fd >= 0)
		close(watch->fd);
	*watch = (struct watch){.fd = -1};
}

int64_t watch_due(const struct watch *watch)
{
	int64_t due_ns = INT64_MAX;

	for (size_t i = 0; i < watch->list.n; i++)
		if (watch->list.at[i].look_ns < due_ns)
			due_ns = watch->list.at[i].look_ns;
	return due_ns;
}

bool watch_is_near(const struct watch *watch, int64_t now_ns)
{
	return watch_due(watch) <= now_ns + FIRST_PAUSE_NS;
}

/* The files of that name are others by now, or none. */
static void reopen(struct watch *watch, struct watched *it)
{
	if (it->wal_wd >= 0)
		inotify_rm_watch(watch->fd, it->wal_wd);
	it->wal_wd = -1;
	if (it->keeper) {
		log_info("%s is gone, or another file has its name", it->path);
		/* What it had is on its replica, or will never be. */
		lsv_keeper_flush(it->keeper);
		lsv_keeper_close(take(it->keeper));
	}
	it->is_odd = open_database(watch, it) < 0;
}

static bool is_of(const struct watched *it, const struct inotify_event *event)
{
	if (event->wd == it->wal_wd)
		return true;
	return event->wd == it->dir_wd && event->len > 0 &&
	       strncmp(event->name, it->base, strlen(it->base)) == 0;
}

static void take_event(struct watch *watch, const struct inotify_event *event,
                       int64_t now_ns)
{
	for (size_t i = 0; i < watch->list.n; i++) {
		struct watched *it = &watch->list.at[i];

		if (event->mask & IN_Q_OVERFLOW || is_of(it, event))
			look_soon(it, now_ns);
	}
}

void watch_read(struct watch *watch, int64_t now_ns)
{
	char buf[4096] __attribute__((aligned(8)));
	const struct inotify_event *event;
	ssize_t n;

	while ((n = read(watch->fd, buf, sizeof buf)) > 0) {
		for (const char *p = buf; p < buf + n;
		     p += sizeof *event + event->len) {
			event = (const struct inotify_event *)p;
			take_event(watch, event, now_ns);
		}
	}
	for (size_t i = 0; i < watch->list.n; i++)
		if (watch->list.at[i].keeper &&
		    watch->list.at[i].look_ns != INT64_MAX)
			lsv_keeper_poke(watch->list.at[i].keeper, false);
}

/* Somebody may still be about to commit; or leads, and will perhaps let go:
 * it does so when it is woken. */
static bool may_go_on(const struct watched *it)
{
	return lsv_keeper_is_written(it->keeper) ||
	       (!lsv_keeper_leads(it->keeper) && it->pause_ns < LAST_PAUSE_NS);
}

static void look(struct watch *watch, struct watched *it, int64_t now_ns)
{
	it->look_ns = INT64_MAX;
	if (!it->keeper || lsv_keeper_is_lost(it->keeper)) {
		reopen(watch, it);
		return;
	}
	if (may_go_on(it)) {
		it->pause_ns = it->pause_ns < LAST_PAUSE_NS ? it->pause_ns * 2
		                                            : LAST_PAUSE_NS;
		it->look_ns = now_ns + it->pause_ns;
	}
	lsv_keeper_poke(it->keeper, true);
}

void watch_look(struct watch *watch, int64_t now_ns)
{
	for (size_t i = 0; i < watch->list.n; i++)
		if (watch->list.at[i].look_ns <= now_ns)
			look(watch, &watch->list.at[i], now_ns);
}
