/* SPDX-License-Identifier: MIT */
#ifndef LSV_OWN_H
#define LSV_OWN_H

/*
 * Our one SQLite connection: ":memory:", opened in an application's thread at
 * the first replicated open (auto-extensions run there), kept while any
 * database is.  To checkpoint, a database is attached through our VFS, read,
 * checkpointed and detached; nothing of it is open across a fork (I16).
 */

#include "vfs/api.h"

#include <stdbool.h>

struct lsv_db;

/* In an application's thread; idempotent. */
void lsv_own_open(const char *vfs_name);
/* True while this thread's opens are ours. */
bool lsv_own_here(void);
void lsv_own_fork_child(void);

/* Attaches and reads; the caller has entered the database (lsv_db_enter).
 * SQLITE_OK, or why not; SQLITE_NOTADB: page 1 cannot be read. */
int lsv_own_attach(struct lsv_db *db);
/* Detaches; the WAL is left alone. */
void lsv_own_detach(struct lsv_db *db);

/* For what may take long: attaches without keeping the lock, which must not be
 * held.  The seat, to be given back; -EAGAIN: not now. */
int lsv_own_sit(struct lsv_db *db);
/* Detaches as an application's last close does, if it is the last. */
void lsv_own_rise(int seat);

/* Switches the database to WAL mode, without waiting for anybody.  SQLITE_*;
 * the caller has entered it. */
int lsv_own_force_wal(struct lsv_db *db);

/* One checkpoint without waiting for anybody.  mode: SQLITE_CHECKPOINT_*. */
int lsv_own_checkpoint(struct lsv_db *db, int mode);

/* From now on CKPT is kept when a checkpoint lets it go; false: it is let go.
 * Detach does that, too. */
void lsv_own_keep_ckpt(struct lsv_db *db, bool keeps);

/* Held around attach...detach, and by the functions from attach on: one user at
 * a time. */
void lsv_own_lock(void);
void lsv_own_unlock(void);

#endif
