/* SPDX-License-Identifier: MIT */
#include "vfs/outside.h"

#include "replica/base/log.h"
#include "vfs/api.h"
#include "vfs/shim.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

static int open_and_read(const char *db_path, sqlite3 **db)
{
	int rc = sqlite3_open_v2(db_path, db, SQLITE_OPEN_READWRITE,
	                         "litestream");

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*db,
		                  "PRAGMA busy_timeout=10000;"
		                  "SELECT 1 FROM sqlite_master LIMIT 1",
		                  NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return log_error(0, "cannot open %s: %s", db_path,
		                 sqlite3_errmsg(*db)),
		       -EIO;
	return 0;
}

static int is_wal(sqlite3 *db)
{
	sqlite3_stmt *statement;
	int result = 0;

	if (sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &statement,
	                       NULL) != SQLITE_OK)
		return 0;
	if (sqlite3_step(statement) == SQLITE_ROW)
		result = sqlite3_stricmp((const char *)sqlite3_column_text(
						 statement, 0),
		                         "wal") == 0;
	sqlite3_finalize(statement);
	return result;
}

static int sync_open(sqlite3 *db, const char *db_path, int timeout_ms)
{
	if (!is_wal(db))
		return -EINVAL;
	switch (lsv_shim_sync(db_path, timeout_ms)) {
	case SQLITE_OK:
		return 0;
	case SQLITE_NOTFOUND:
		return -ENOENT;
	case SQLITE_PERM:
		return -EPERM;
	case SQLITE_ERROR:
		return -EINVAL;
	case SQLITE_BUSY:
		return -ETIMEDOUT;
	default:
		return -EIO;
	}
}

int lsv_outside_sync(const char *db_path, int timeout_ms)
{
	sqlite3 *db = NULL;
	int r;

	if (access(db_path, R_OK | W_OK) < 0)
		return log_error(-errno, "cannot open %s", db_path), -EIO;
	r = open_and_read(db_path, &db);

	if (r == 0)
		r = sync_open(db, db_path, timeout_ms);
	sqlite3_close(db);
	return r;
}
