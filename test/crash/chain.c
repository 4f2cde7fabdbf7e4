/* SPDX-License-Identifier: MIT */
#include "test/crash/chain.h"

#include "test/crash/dice.h"
#include "test/crash/errand.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define RING 50
#define MAX_BODY 40000

static uint64_t next_hash(uint64_t hash, int64_t n)
{
	return dice_mix(hash + (uint64_t)n);
}

/* Mostly less than a page; one in sixty-four is many. */
static int body_of(uint64_t hash, unsigned char body[MAX_BODY])
{
	int max = hash % 64 == 0 ? MAX_BODY : 1500;
	int size = (int)((hash >> 8) % (uint64_t)max);

	for (int i = 0; i < size; i++)
		body[i] = (unsigned char)(hash >> (i % 8 * 8));
	return size;
}

static int last_of(sqlite3 *db, int64_t *n, uint64_t *hash)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(
		db, "SELECT n, hash FROM chain ORDER BY n DESC LIMIT 1", -1,
		&stmt, NULL);

	*n = 0;
	*hash = 0;
	if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
		*n = sqlite3_column_int64(stmt, 0);
		*hash = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	return sqlite3_finalize(stmt);
}

static int put(sqlite3 *db, const char *sql, int64_t first, int64_t second,
               uint64_t hash)
{
	static _Thread_local unsigned char body[MAX_BODY];
	int size = body_of(hash, body);
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, first);
	sqlite3_bind_int64(stmt, 2, second);
	if (sqlite3_bind_parameter_count(stmt) == 3) {
		sqlite3_bind_blob(stmt, 3, body, size, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, (int64_t)hash);
	}
	sqlite3_step(stmt);
	return sqlite3_finalize(stmt);
}

int chain_add(sqlite3 *db, int64_t *n)
{
	uint64_t hash;
	int rc = last_of(db, n, &hash);

	if (rc != SQLITE_OK)
		return rc;
	hash = next_hash(hash, ++*n);
	rc = put(db, "INSERT INTO chain(n, hash, body) VALUES(?, ?, ?)", *n, 0,
	         hash);
	if (rc == SQLITE_OK)
		rc = put(db,
		         "REPLACE INTO ring(k, n, hash) SELECT ?1, ?2, hash "
		         "FROM chain WHERE n=?2",
		         *n % RING, *n, 0);
	return rc;
}

static sqlite3_stmt *query(sqlite3 *db, const char *sql, const char *what)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		die("%s: %s", what, sqlite3_errmsg(db));
	return stmt;
}

static void check_row(sqlite3_stmt *stmt, int64_t n, uint64_t hash,
                      const char *what)
{
	static unsigned char body[MAX_BODY];
	int size = body_of(hash, body);

	if (sqlite3_column_int64(stmt, 0) != n ||
	    (uint64_t)sqlite3_column_int64(stmt, 1) != hash ||
	    sqlite3_column_bytes(stmt, 2) != size ||
	    (size > 0 &&
	     memcmp(sqlite3_column_blob(stmt, 2), body, (size_t)size) != 0))
		die("%s: row %" PRId64 " is not what commit %" PRId64 " wrote",
		    what, (int64_t)sqlite3_column_int64(stmt, 0), n);
}

static int64_t check_chain(sqlite3 *db, const char *what,
                           uint64_t ring[RING][2])
{
	sqlite3_stmt *stmt = query(
		db, "SELECT n, hash, body FROM chain ORDER BY n", what);
	uint64_t hash = 0;
	int64_t n = 0;
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		hash = next_hash(hash, ++n);
		check_row(stmt, n, hash, what);
		ring[n % RING][0] = (uint64_t)n;
		ring[n % RING][1] = hash;
	}
	if (rc != SQLITE_DONE || sqlite3_finalize(stmt) != SQLITE_OK)
		die("%s: %s", what, sqlite3_errmsg(db));
	return n;
}

static void check_ring(sqlite3 *db, const char *what, uint64_t ring[RING][2],
                       int64_t n)
{
	sqlite3_stmt *stmt = query(db, "SELECT k, n, hash FROM ring ORDER BY k",
	                           what);
	int64_t count = 0;

	for (; sqlite3_step(stmt) == SQLITE_ROW; count++) {
		int64_t k = sqlite3_column_int64(stmt, 0);

		if (k < 0 || k >= RING ||
		    (uint64_t)sqlite3_column_int64(stmt, 1) != ring[k][0] ||
		    (uint64_t)sqlite3_column_int64(stmt, 2) != ring[k][1])
			die("%s: of %" PRId64 " commits, ring %" PRId64
			    " is of another",
			    what, n, k);
	}
	if (sqlite3_finalize(stmt) != SQLITE_OK ||
	    count != (n < RING ? n : RING))
		die("%s: the ring has %" PRId64 " rows after %" PRId64
		    " commits",
		    what, count, n);
}

static void check_integrity(sqlite3 *db, const char *what)
{
	sqlite3_stmt *stmt = query(db, "PRAGMA integrity_check", what);

	if (sqlite3_step(stmt) != SQLITE_ROW ||
	    strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
		die("%s: %s", what, sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

static bool has_chain(sqlite3 *db, const char *what)
{
	sqlite3_stmt *stmt = query(db,
	                           "SELECT count(*) FROM sqlite_schema WHERE "
	                           "name IN ('chain', 'ring')",
	                           what);
	int count = sqlite3_step(stmt) == SQLITE_ROW
	                    ? sqlite3_column_int(stmt, 0)
	                    : -1;

	sqlite3_finalize(stmt);
	if (count < 0)
		die("%s: %s", what, sqlite3_errmsg(db));
	return count == 2;
}

int64_t chain_judge(const char *path, const char *what)
{
	uint64_t ring[RING][2] = {{0}};
	sqlite3 *db = NULL;
	int64_t n = 0;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix") !=
	    SQLITE_OK)
		die("cannot open %s: %s", path, sqlite3_errmsg(db));
	check_integrity(db, what);
	if (has_chain(db, what)) {
		n = check_chain(db, what, ring);
		check_ring(db, what, ring, n);
	}
	if (sqlite3_close(db) != SQLITE_OK)
		die("cannot close %s", path);
	return n;
}
