/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_WATCH_H
#define LSVFS_WATCH_H

/*
 * Databases that programs without us write, watched without looking at them
 * again and again: inotify tells when a WAL was written to, and when a
 * database appears, goes, or is another file.
 *
 * A commit is visible only after the last write to the WAL, and not to
 * inotify.  So after an event we look, and again as long as a program has
 * SQLite's WRITE, ever more slowly; then once more, and then not before the
 * next event.
 */

#include "replica/base/vector.h"
#include "tools/folders.h"
#include "tools/fresh.h"
#include "vfs/keeper.h"

#include <stdint.h>

struct watched {
	char *path;                /* of the database, as it was given */
	char *dir;                 /* where it is */
	const char *base;          /* its name there, within path */
	struct lsv_keeper *keeper; /* NULL: not there yet, or locked */
	int wal_wd;                /* -1: none */
	int page_wd;               /* -1: none */
	int dir_wd;
	int64_t look_ns; /* monotonic: look again then; INT64_MAX: no */
	int64_t pause_ns;
	int64_t locked_ns; /* monotonic: since then; 0: it is not */
	bool is_told;      /* that it is locked */
	struct fresh fresh;
	bool is_odd;   /* an error was said; only a change of the files helps */
	bool is_found; /* in a folder: let go when it is gone */
};

LSV_VECTOR(watched_list, struct watched)

struct watch {
	int fd;
	struct watched_list list;
	struct folders folders;
};

int watch_open(struct watch *watch);
/* Opens it, or waits for it when it is not there.  Fails when it never can. */
int watch_add(struct watch *watch, const char *path);
/* All that the file names, and what comes up in its folders from now on; the
 * file is borrowed until the watch is closed. */
int watch_add_all(struct watch *watch, const struct lsv_config_file *file);
/* All of it is on the replicas: 0; closes all. */
int watch_flush(struct watch *watch);
void watch_close(struct watch *watch);

/* When to call watch_look() at the latest, monotonic; INT64_MAX: an event
 * comes first. */
int64_t watch_due(const struct watch *watch);
/* Whether the next look is so near that events can wait for it, which then
 * takes all of them. */
bool watch_is_near(const struct watch *watch, int64_t now_ns);
void watch_read(struct watch *watch, int64_t now_ns);
void watch_look(struct watch *watch, int64_t now_ns);

#endif
