/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_FRESH_H
#define LSVFS_FRESH_H

/*
 * A file that has come up in a folder: a database that SQLite is at work on,
 * or one that somebody still copies, with its WAL or without?  The latter must
 * be let alone: what is copied into files that SQLite has open is lost, or
 * spoils them.
 *
 * Where a program has its -shm file locked, it is SQLite's.  Else it must not
 * have changed for a second.
 */

#include "replica/base/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define FRESH_QUIET_NS LSV_NS_PER_S

struct fresh {
	struct stat db, wal;          /* as last seen; all 0: not there */
	int64_t found_ns, changed_ns; /* monotonic */
};

/* It may be opened.  Else ask again after FRESH_QUIET_NS.  (Opens and closes
 * the -shm: not for one that this process has open, I8.) */
bool fresh_is_settled(struct fresh *fresh, const char *path, int64_t now_ns);

/* As the last fresh_is_settled() or fresh_note() saw it. */
bool fresh_is_same(const struct fresh *fresh, const char *path);
void fresh_note(struct fresh *fresh, const char *path);

/* The file has all the pages that its header tells of.  One without a header
 * has, too, and one beside which a WAL or a journal may have them.  (Opens
 * and closes the file: as above.) */
bool fresh_is_whole(const char *path);

#endif
