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
#include <sys/stat.h>
#include <time.h>

#define FIRST_PAUSE_NS (2 * LSV_NS_PER_MS)
#define LAST_PAUSE_NS LSV_NS_PER_S
/* What still changes is not waited for. */
#define LOOKS_AT_END 8
/* Longer than any transaction that should be. */
#define LOCKED_NS (10 * LSV_NS_PER_S)
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

/* The end of a process that led, long after its last write, is seen by what it
 * had mapped.  (Without room for that page there is no other process.) */
static int watch_page(struct watch *watch, struct watched *it)
{
	auto_free char *page = lsv_keeper_page(it->keeper);

	if (!page)
		return -ENOMEM;
	it->page_wd = inotify_add_watch(watch->fd, page, IN_CLOSE_WRITE);
	return it->page_wd < 0 && errno != ENOENT
	               ? log_error(-errno, "cannot watch %s", page)
	               : 0;
}

/* Of those in a folder, which may come back: then it is found again. */
static bool is_gone(const struct watched *it)
{
	return it->is_found && !it->keeper && access(it->path, F_OK) < 0;
}

/* A lock is no error, unless it stays: nothing is replicated meanwhile. */
static void wait_for_lock(struct watched *it)
{
	int64_t now_ns = lsv_clock_mono_ns();

	if (it->locked_ns == 0)
		it->locked_ns = now_ns;
	if (!it->is_told && now_ns - it->locked_ns >= LOCKED_NS) {
		(void)log_error(0,
		                "%s is locked, and has been for long: it is "
		                "not replicated until it is let go",
		                it->path);
		it->is_told = true;
	}
	it->pause_ns = it->pause_ns < FIRST_PAUSE_NS      ? FIRST_PAUSE_NS
	               : it->pause_ns < LAST_PAUSE_NS / 2 ? it->pause_ns * 2
	                                                  : LAST_PAUSE_NS;
	it->look_ns = now_ns + it->pause_ns;
}

static void end_of_lock(struct watched *it)
{
	if (it->is_told)
		log_info("%s is not locked any more", it->path);
	it->is_told = false;
	it->locked_ns = 0;
}

/* A database of which nothing is there is no error: its program comes later.
 * While it is waited for, its growth is looked at, too. */
static int open_database(struct watch *watch, struct watched *it)
{
	int r;

	fresh_note(&it->fresh, it->path);
	r = lsv_keeper_open(it->path, &it->keeper);
	if (r == -EBUSY)
		wait_for_lock(it);
	else
		end_of_lock(it);
	if (r == 0)
		r = watch_wal(watch, it);
	if (r == 0)
		return watch_page(watch, it);
	if (is_gone(it))
		return 0;
	if (r == -ENOENT &&
	    inotify_add_watch(watch->fd, it->dir,
	                      DIR_EVENTS | IN_MODIFY | IN_MASK_ADD) < 0)
		return log_error(-errno, "cannot watch %s", it->dir);
	return r == -ENOENT || r == -EBUSY ? 0 : r;
}

/* What is found in a folder may still be on its way there. */
static bool is_fit(struct watched *it, int64_t now_ns)
{
	if (!fresh_is_settled(&it->fresh, it->path, now_ns)) {
		it->look_ns = now_ns + FRESH_QUIET_NS;
		return false;
	}
	/* Else it is closed again by whoever copies it. */
	return fresh_is_whole(it->path);
}

static void free_watched(struct watched *it)
{
	lsv_keeper_close(it->keeper);
	free(it->path);
	free(it->dir);
}

static int append(struct watch *watch, const char *path)
{
	struct watched it = {.wal_wd = -1,
	                     .page_wd = -1,
	                     .dir_wd = -1,
	                     .look_ns = INT64_MAX};
	auto_free char *copy = strdup(path);
	const char *slash;

	it.path = strdup(path);
	it.dir = copy ? strdup(dirname(copy)) : NULL;
	if (!it.path || !it.dir || watched_list_append(&watch->list, it) < 0) {
		free_watched(&it);
		return -ENOMEM;
	}
	slash = strrchr(it.path, '/');
	watch->list.at[watch->list.n - 1].base = slash ? slash + 1 : it.path;
	return 0;
}

static int start(struct watch *watch, struct watched *it)
{
	int r;

	/* Before the database is looked for, so that nothing is missed. */
	it->dir_wd = inotify_add_watch(watch->fd, it->dir,
	                               DIR_EVENTS | IN_MASK_ADD);
	if (it->dir_wd < 0)
		return log_error(-errno, "cannot watch %s", it->dir);
	if (it->is_found && !is_fit(it, lsv_clock_mono_ns()))
		return 0;
	r = open_database(watch, it);
	if (r == 0 && !it->keeper && !it->is_found)
		log_info("%s: waits for the database to be %s", it->path,
		         it->locked_ns ? "unlocked" : "there");
	return r;
}

int watch_add(struct watch *watch, const char *path)
{
	int r = append(watch, path);

	return r < 0 ? r : start(watch, &watch->list.at[watch->list.n - 1]);
}

static bool is_same_file(const char *path, const struct stat *st)
{
	struct stat of_path;

	return stat(path, &of_path) == 0 && of_path.st_dev == st->st_dev &&
	       of_path.st_ino == st->st_ino;
}

/* Under whatever name: opening a file that we have open would drop our locks
 * on it (I8). */
static bool is_watched(const struct watch *watch, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return true; /* there is nothing to watch */
	for (size_t i = 0; i < watch->list.n; i++) {
		if (strcmp(watch->list.at[i].path, path) == 0 ||
		    is_same_file(watch->list.at[i].path, &st))
			return true;
	}
	return false;
}

/* A database in a folder.  What is wrong with one is no reason not to replicate
 * the others. */
static void find(void *arg, const char *path, bool is_begun)
{
	struct watch *watch = arg;
	struct watched *it;
	struct stat st;

	if (is_watched(watch, path) || stat(path, &st) < 0)
		return;
	if (!(is_begun && st.st_size == 0) && !lsv_config_is_database(path))
		return;
	if (append(watch, path) < 0)
		return;
	it = &watch->list.at[watch->list.n - 1];
	it->is_found = true;
	it->is_odd = start(watch, it) < 0;
}

static int add_configured(void *arg, const char *db_path,
                          const struct lsv_config *config)
{
	struct watch *watch = arg;
	(void)config;
	if (lsv_config_file_names(watch->folders.file, db_path))
		return watch_add(watch, db_path);
	find(watch, db_path, false);
	return 0;
}

int watch_add_all(struct watch *watch, const struct lsv_config_file *file)
{
	int r;

	watch->folders = (struct folders){
		.file = file,
		.fd = watch->fd,
		.found = find,
		.arg = watch,
	};
	/* First, so that nothing is missed. */
	r = folders_open(&watch->folders);
	return r < 0 ? r : lsv_config_file_each(file, add_configured, watch);
}

/* At the end there is no next event. */
static bool await_fit(struct watched *it)
{
	struct timespec quiet = {FRESH_QUIET_NS / LSV_NS_PER_S, 0};
	int n = LOOKS_AT_END;

	while (!fresh_is_settled(&it->fresh, it->path, lsv_clock_mono_ns()) &&
	       n-- > 0)
		nanosleep(&quiet, NULL);
	return n >= 0 && fresh_is_whole(it->path);
}

static int flush_one(struct watch *watch, struct watched *it)
{
	/* It may have come at the last moment, or never. */
	if (!it->keeper && !is_gone(it)) {
		if (it->is_found && !await_fit(it))
			return log_error(0,
			                 "%s is not replicated: it is not "
			                 "complete",
			                 it->path),
			       -EIO;
		it->is_odd = open_database(watch, it) < 0;
	}
	if (!it->keeper && it->locked_ns != 0)
		return log_error(-EBUSY, "%s is not replicated", it->path);
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
	folders_close(&watch->folders);
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
static void reopen(struct watch *watch, struct watched *it, int64_t now_ns)
{
	if (it->wal_wd >= 0)
		inotify_rm_watch(watch->fd, it->wal_wd);
	if (it->page_wd >= 0)
		inotify_rm_watch(watch->fd, it->page_wd);
	it->wal_wd = it->page_wd = -1;
	if (it->keeper) {
		log_info("%s is gone, or another file has its name", it->path);
		/* What it had is on its replica, or will never be. */
		lsv_keeper_flush(it->keeper);
		lsv_keeper_close(take(it->keeper));
		it->fresh = (struct fresh){0};
	}
	/* Whoever is to mend it has not begun; our own close woke us. */
	if (it->is_odd && fresh_is_same(&it->fresh, it->path))
		return;
	it->is_odd = false;
	if (is_gone(it) || (it->is_found && !is_fit(it, now_ns)))
		return;
	it->is_odd = open_database(watch, it) < 0;
}

static bool is_of(const struct watched *it, const struct inotify_event *event)
{
	if (event->wd == it->wal_wd || event->wd == it->page_wd)
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

/* Folders have gone, with what was in them or without. */
static void look_at_found(struct watch *watch, int64_t now_ns)
{
	for (size_t i = 0; i < watch->list.n; i++)
		if (watch->list.at[i].is_found)
			look_soon(&watch->list.at[i], now_ns);
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
			if (folders_take(&watch->folders, event))
				look_at_found(watch, now_ns);
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
		reopen(watch, it, now_ns);
		return;
	}
	if (may_go_on(it)) {
		it->pause_ns = it->pause_ns < LAST_PAUSE_NS ? it->pause_ns * 2
		                                            : LAST_PAUSE_NS;
		it->look_ns = now_ns + it->pause_ns;
	}
	lsv_keeper_poke(it->keeper, true);
}

static void let_go(struct watch *watch, size_t i)
{
	struct watched_list *list = &watch->list;

	free_watched(&list->at[i]);
	list->n--;
	memmove(&list->at[i], &list->at[i + 1],
	        (list->n - i) * sizeof *list->at);
}

void watch_look(struct watch *watch, int64_t now_ns)
{
	for (size_t i = watch->list.n; i-- > 0;) {
		struct watched *it = &watch->list.at[i];

		if (it->look_ns > now_ns)
			continue;
		look(watch, it, now_ns);
		if (is_gone(it))
			let_go(watch, i);
	}
}
