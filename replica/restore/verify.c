/* SPDX-License-Identifier: MIT */
#include "replica/restore/verify.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/restore/say.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The file is ours alone, so no locks; not through a VFS that somebody made
 * the default. */
#define PLAIN_VFS "unix-none"
#define LOCKING_VFS "unix"
#define MAX_COMPLAINTS 5

static void close_db(sqlite3 **db)
{
	sqlite3_close(*db);
}

static void finalize(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}

/* "file:" + path with what a URI cannot have escaped. */
static char *uri_of(const char *path)
{
	static const char hex[] = "0123456789abcdef";
	char *uri = malloc(3 * strlen(path) + 64), *p = uri;

	if (!uri)
		return NULL;
	p = stpcpy(p, "file:");
	for (; *path; path++) {
		if (strchr("%?#", *path)) {
			*p++ = '%';
			*p++ = hex[(unsigned char)*path >> 4];
			*p++ = hex[*path & 15];
		} else {
			*p++ = *path;
		}
	}
	/* A WAL database, but whoever reads it leaves no -wal or -shm. */
	stpcpy(p, "?immutable=1");
	return uri;
}

/* An index can be walked without its collation's order being known here. */
static int compare_bytes(void *arg, int n, const void *a, int m, const void *b)
{
	int order = memcmp(a, b, (size_t)(n < m ? n : m));

	(void)arg;
	return order ? order : n - m;
}

static void any_collation(void *arg, sqlite3 *db, int encoding,
                          const char *name)
{
	(void)encoding;
	*(bool *)arg = true;
	sqlite3_create_collation(db, name, SQLITE_UTF8, NULL, compare_bytes);
}

static int complain(int rc, const char *text)
{
	if (rc == SQLITE_NOMEM)
		return -ENOMEM;
	(void)log_error(0, "check of the restored database: %s", text);
	return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_ROW
	               ? -EBADMSG
	               : -EIO;
}

/* One row "ok", or up to MAX_COMPLAINTS rows of complaints. */
static int run_check(sqlite3 *db, enum lsv_check check)
{
	const char *sql = check == LSV_CHECK_FULL ? "PRAGMA integrity_check"
	                                          : "PRAGMA quick_check";
	__attribute__((cleanup(finalize))) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	int r = 0;

	if (rc != SQLITE_OK)
		return complain(rc, sqlite3_errmsg(db));
	for (int i = 0; i < MAX_COMPLAINTS; i++) {
		const char *text;

		rc = sqlite3_step(stmt);
		if (rc == SQLITE_DONE)
			return r;
		if (rc != SQLITE_ROW)
			return complain(rc, sqlite3_errmsg(db));
		text = (const char *)sqlite3_column_text(stmt, 0);
		if (!text)
			return -ENOMEM;
		if (strcmp(text, "ok") != 0)
			r = complain(SQLITE_ROW, text);
	}
	return r;
}

int lsv_verify_database(const char *path, enum lsv_check check)
{
	__attribute__((cleanup(close_db))) sqlite3 *db = NULL;
	auto_free char *uri = uri_of(path);
	bool is_guessed = false;
	int rc, r;

	if (check == LSV_CHECK_NONE)
		return 0;
	if (!uri)
		return -ENOMEM;
	rc = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
	                     PLAIN_VFS);
	if (rc != SQLITE_OK)
		return complain(rc, sqlite3_errstr(rc));
	sqlite3_collation_needed(db, &is_guessed, any_collation);
	/* Constraints may call functions that only the application has. */
	sqlite3_exec(db, "PRAGMA ignore_check_constraints=1", NULL, NULL, NULL);
	r = run_check(db, check);
	if (r < 0 && is_guessed)
		(void)log_error(0,
		                "the database has a collation of its own, "
		                "which this check does not know; leave it out "
		                "with -integrity-check none");
	return r;
}

struct lsv_db_lock {
	const char *name; /* sqlite3_create_filename() */
	sqlite3_file *file;
};

void lsv_verify_unlock(struct lsv_db_lock *lock)
{
	if (!lock)
		return;
	if (lock->file && lock->file->pMethods) {
		lock->file->pMethods->xUnlock(lock->file, SQLITE_LOCK_NONE);
		lock->file->pMethods->xClose(lock->file);
	}
	free(lock->file);
	sqlite3_free_filename((char *)lock->name);
	free(lock);
}

static int open_file(sqlite3_vfs *vfs, struct lsv_db_lock *lock)
{
	int rc;

	lock->file = calloc(1, (size_t)vfs->szOsFile);
	if (!lock->file || !lock->name)
		return SQLITE_NOMEM;
	rc = vfs->xOpen(vfs, lock->name, lock->file,
	                SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE, NULL);
	if (rc != SQLITE_OK)
		return rc;
	/* As SQLite goes: by way of SHARED and RESERVED. */
	for (int level = SQLITE_LOCK_SHARED;
	     rc == SQLITE_OK && level <= SQLITE_LOCK_EXCLUSIVE; level++)
		if (level != SQLITE_LOCK_PENDING)
			rc = lock->file->pMethods->xLock(lock->file, level);
	return rc;
}

int lsv_verify_lock(const char *path, struct lsv_db_lock **out)
{
	struct lsv_db_lock *lock;
	sqlite3_vfs *vfs;
	int rc;

	if (sqlite3_initialize() != SQLITE_OK)
		return -ENOMEM;
	vfs = sqlite3_vfs_find(LOCKING_VFS);
	lock = calloc(1, sizeof *lock);
	if (!lock || !vfs) {
		free(lock);
		return -ENOMEM;
	}
	lock->name = sqlite3_create_filename(path, "", "", 0, NULL);
	rc = open_file(vfs, lock);
	if (rc == SQLITE_OK) {
		*out = lock;
		return 0;
	}
	lsv_verify_unlock(lock);
	if ((rc & 0xff) == SQLITE_BUSY)
		return say(-EBUSY,
		           "cannot replace %s: it is in use, close the "
		           "programs that have it open",
		           path);
	return say(-EACCES, "cannot lock %s: %s", path, sqlite3_errstr(rc));
}
