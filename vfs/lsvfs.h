/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_H
#define LSVFS_H

/*
 * lsvfs: disaster recovery for SQLite that lives inside the application.
 * See lsvfs(3) and lsvfs-vfs(7).
 *
 *	lsvfs_register(NULL);
 *	sqlite3_open_v2("file:app.db?replica=/mnt/backup/app", &db,
 *	                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
 *	                SQLITE_OPEN_URI, "litestream");
 *
 * All functions may be called from any thread.  They return SQLITE_OK or
 * another result code of SQLite.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A zero field is its default.  Strings are borrowed for the call. */
struct lsvfs_options {
	size_t size;         /* sizeof(struct lsvfs_options) */
	int make_default;    /* 1: the VFS of every open that names none */
	const char *replica; /* URL for every database; %f its file name, %p
	                        its absolute path, %% a percent sign */
	const char *options; /* "name=value name=value": see lsvfs-vfs(7) */
};

/* Registers the VFS "litestream" on top of the default VFS.  Before any
 * connection is open; a second call changes nothing but make_default.  NULL:
 * defaults.  SQLITE_MISUSE: an option is wrong (said on stderr). */
int lsvfs_register(const struct lsvfs_options *options);

/* For -DSQLITE_EXTRA_INIT=lsvfs_extra_init: registers as the default VFS. */
int lsvfs_extra_init(const char *unused);

/* Waits until every commit made before the call is on every replica.
 * SQLITE_BUSY: not within timeout_ms (<0: no limit).  SQLITE_NOTFOUND: that
 * database is not replicated by this process.  SQLITE_ERROR: it is not in WAL
 * mode.  SQLITE_PERM: the replica is another database's.  SQLITE_IOERR: cannot
 * be. */
int lsvfs_sync(const char *db_path, int timeout_ms);

/* The number of the last commit in its generation, as lsvfs-restore takes it.
 * SQLITE_NOTFOUND, as above; SQLITE_EMPTY: there is no generation yet;
 * SQLITE_BUSY: the process that replicates it did not answer. */
int lsvfs_txid(const char *db_path, uint64_t *txid);

/* Writes into the database file what can be without waiting for anybody, as a
 * PASSIVE checkpoint.  SQLITE_NOTFOUND; SQLITE_BUSY: somebody else is at it;
 * SQLITE_IOERR. */
int lsvfs_checkpoint(const char *db_path);

/* Wishes for a snapshot, which is taken as soon as something that was committed
 * since the last one is on a replica.  SQLITE_NOTFOUND; SQLITE_BUSY: another
 * process replicates it. */
int lsvfs_snapshot(const char *db_path);

/* The URLs of its replicas, without their queries, one a line; free with
 * lsvfs_free().  NULL: as lsvfs_status(). */
char *lsvfs_replica(const char *db_path);

/* One JSON object as lsvfs-status in lsvfs(1); free with lsvfs_free().
 * NULL: out of memory or not replicated by this process. */
char *lsvfs_status(const char *db_path);
void lsvfs_free(void *p);

/* "0.1.0"; static. */
const char *lsvfs_version(void);

#ifdef __cplusplus
}
#endif

#endif
