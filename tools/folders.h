/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_FOLDERS_H
#define LSVFS_FOLDERS_H

/*
 * The folders that a configuration file names instead of databases, and those
 * below them: inotify tells when a database appears there.
 *
 * A file that is only just being written is nobody's database yet.  So it is
 * not its creation that counts, but that whoever wrote it has closed it, that
 * it was moved there, or that SQLite has a journal or a WAL beside it.  Whether
 * it is complete then is another matter (fresh.h).
 */

#include "replica/base/vector.h"
#include "replica/ship/config_file.h"

struct inotify_event;

/* A regular file that the configuration takes for a database by its name.
 * 'is_begun': it may be empty, SQLite is about to write it. */
typedef void folders_found_fn(void *arg, const char *path, bool is_begun);

struct folder {
	int wd;
	char *path;
	bool is_recursive;
};

LSV_VECTOR(folder_list, struct folder)

struct folders {
	const struct lsv_config_file *file; /* borrowed */
	int fd;                             /* of inotify, borrowed */
	struct folder_list list;
	folders_found_fn *found;
	void *arg;
};

/* Watches all of them; what is in them by now is not reported.  An error was
 * said. */
int folders_open(struct folders *folders);
void folders_close(struct folders *folders);

/* An event of any of the files that 'fd' watches.  true: folders went away;
 * the databases in them must be looked for. */
bool folders_take(struct folders *folders, const struct inotify_event *event);

#endif
