/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_LIVE_H
#define LSV_TEST_LIVE_H

/*
 * A database that SQLite itself writes, open in WAL mode in the current
 * folder as app.db, so that our reading of its files is held against the
 * original.  Links SQLITE_LIBS.
 */

#include "replica/base/fileio.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static inline void live_exec(sqlite3 *db, const char *sql)
{
	char *message = NULL;
	int rc = sqlite3_exec(db, sql, NULL, NULL, &message);

	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, message);
}

/* The first column of the first row. */
static inline int64_t live_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t value;

	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL),
	                 SQLITE_OK);
	ck_assert_msg(sqlite3_step(stmt) == SQLITE_ROW, "%s", sql);
	value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static inline sqlite3 *live_open(const char *path)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

/* A new database of that page size; nothing is checkpointed by itself. */
static inline sqlite3 *live_create(uint32_t page_size)
{
	sqlite3 *db = live_open("app.db");
	char sql[64];

	snprintf(sql, sizeof sql, "PRAGMA page_size=%u", (unsigned)page_size);
	live_exec(db, sql);
	live_exec(db, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
	              "CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)");
	return db;
}

/* n transactions of one row of 1500 bytes. */
static inline void live_insert(sqlite3 *db, int n)
{
	for (int i = 0; i < n; i++)
		live_exec(db, "INSERT INTO t(body) VALUES(randomblob(1500))");
}

static inline void live_close(sqlite3 **db)
{
	ck_assert_int_eq(sqlite3_close(*db), SQLITE_OK);
}

#define auto_live __attribute__((cleanup(live_close)))

#endif
