/* SPDX-License-Identifier: MIT */
#ifndef LSV_BARE_H
#define LSV_BARE_H

/*
 * A handle of the lower VFS on a database that one of our connections has
 * open, without a connection of its own: no key, no auto-extension, no
 * descriptor of ours on the file (I8).
 */

#include "vfs/db.h"

struct lsv_bare {
	sqlite3_filename name;
	sqlite3_file *file;    /* NULL: not open */
	volatile uint8_t *shm; /* its first region; NULL: not mapped */
};

/* The caller has entered the database.  -EAGAIN: not now, or the path names
 * another file by now. */
int lsv_bare_open(struct lsv_db *db, struct lsv_bare *bare);
/* -EAGAIN: there is no shm: mapping it would leave one behind. */
int lsv_bare_map(struct lsv_db *db, struct lsv_bare *bare);
/* Locks of the shm that are still held are the caller's to give back. */
void lsv_bare_unmap(struct lsv_bare *bare);
/* Unmaps, too. */
void lsv_bare_close(struct lsv_bare *bare);

/* xShmLock; 'flags' are SQLITE_SHM_...  An SQLITE_... code. */
int lsv_bare_lock(struct lsv_bare *bare, int offset, int flags);

#endif
