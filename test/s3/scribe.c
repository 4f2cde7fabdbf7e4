/* SPDX-License-Identifier: MIT */

/*
 * Writes a database whose every state is known beforehand: what transaction n
 * does is a function of the seed and n alone.
 *
 *	scribe [-plain] [-pause US] [-linger] DB SEED UNTIL
 *
 * goes on behind the last transaction that is in DB, to the one numbered
 * UNTIL.  -plain: without our VFS, to make the database that a restored one
 * must be.  -linger: keeps DB open until stdin ends.  The environment says
 *where the replica is.  Exit 1: a statement failed, which no replica may bring
 *about (I5).
 */

#include "test/crash/dice.h"
#include "vfs/lsvfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOB_MAX 6000
#define ROWS_MAX 12
#define KEYS 200

struct scribe {
	sqlite3 *db;
	uint64_t seed;
	bool is_plain;
	bool is_lingering;
	int64_t n; /* the transaction */
	useconds_t pause_us;
};

static int complain(const struct scribe *scribe, const char *what)
{
	fprintf(stderr, "scribe: transaction %lld: %s: %s (%d)\n",
	        (long long)scribe->n, what, sqlite3_errmsg(scribe->db),
	        sqlite3_extended_errcode(scribe->db));
	return -1;
}

static int run(const struct scribe *scribe, const char *sql)
{
	return sqlite3_exec(scribe->db, sql, NULL, NULL, NULL) == SQLITE_OK
	               ? 0
	               : complain(scribe, sql);
}

/* One row, by dice. */
static int put(struct scribe *scribe, struct dice *dice)
{
	static const char sql[] =
		"INSERT OR REPLACE INTO t (key, n, body) VALUES (?, ?, ?)";
	unsigned char body[BLOB_MAX];
	int size = (int)dice_below(dice, BLOB_MAX);
	sqlite3_stmt *stmt;
	int rc;

	for (int i = 0; i < size; i++)
		body[i] = (unsigned char)dice_below(dice, 256);
	if (sqlite3_prepare_v2(scribe->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return complain(scribe, "prepare");
	sqlite3_bind_int64(stmt, 1, dice_below(dice, KEYS));
	sqlite3_bind_int64(stmt, 2, scribe->n);
	sqlite3_bind_blob(stmt, 3, body, size, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? 0 : complain(scribe, "insert");
}

static int transact(struct scribe *scribe)
{
	struct dice dice = {scribe->seed * 1000003 + (uint64_t)scribe->n};
	char sql[128];
	int r = run(scribe, "BEGIN IMMEDIATE");

	for (int i = 1 + (int)dice_below(&dice, ROWS_MAX); r == 0 && i; i--)
		r = put(scribe, &dice);
	if (r == 0 && dice_below(&dice, 8) == 0) {
		snprintf(sql, sizeof sql, "DELETE FROM t WHERE key %% 7 = %d",
		         (int)dice_below(&dice, 7));
		r = run(scribe, sql);
	}
	snprintf(sql, sizeof sql, "INSERT INTO log VALUES (%lld)",
	         (long long)scribe->n);
	if (r == 0)
		r = run(scribe, sql);
	return r == 0 ? run(scribe, "COMMIT") : r;
}

static int begin(struct scribe *scribe, const char *path)
{
	const char *vfs = scribe->is_plain ? NULL : "litestream";
	sqlite3_stmt *stmt;

	if (!scribe->is_plain && lsvfs_register(NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_open_v2(path, &scribe->db,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	                    vfs) != SQLITE_OK)
		return complain(scribe, "open");
	sqlite3_busy_timeout(scribe->db, 20000);
	if (run(scribe, "PRAGMA journal_mode=wal") < 0 ||
	    run(scribe, "BEGIN IMMEDIATE;"
	                "CREATE TABLE IF NOT EXISTS log (n INTEGER PRIMARY "
	                "KEY);"
	                "CREATE TABLE IF NOT EXISTS t (key INTEGER PRIMARY "
	                "KEY, n, body);"
	                "COMMIT") < 0)
		return -1;
	if (sqlite3_prepare_v2(scribe->db, "SELECT max(n) FROM log", -1, &stmt,
	                       NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		return complain(scribe, "max");
	scribe->n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return 0;
}

static int write_until(struct scribe *scribe, int64_t until)
{
	while (scribe->n < until) {
		scribe->n++;
		if (transact(scribe) < 0)
			return -1;
		/* Whoever kills us knows by this what was committed. */
		if (!scribe->is_plain)
			printf("%lld\n", (long long)scribe->n);
		fflush(stdout);
		if (scribe->pause_us)
			usleep(scribe->pause_us);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct scribe scribe = {0};
	int i = 1;
	int r;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-plain") == 0)
			scribe.is_plain = true;
		else if (strcmp(argv[i], "-linger") == 0)
			scribe.is_lingering = true;
		else if (strcmp(argv[i], "-pause") == 0 && i + 1 < argc)
			scribe.pause_us = (useconds_t)atoi(argv[++i]);
	}
	if (argc - i != 3) {
		fputs("usage: scribe [-plain] [-pause US] [-linger] DB SEED "
		      "UNTIL\n",
		      stderr);
		return 2;
	}
	scribe.seed = strtoull(argv[i + 1], NULL, 10);
	r = begin(&scribe, argv[i]);
	if (r == 0)
		r = write_until(&scribe, strtoll(argv[i + 2], NULL, 10));
	while (r == 0 && scribe.is_lingering && getchar() != EOF)
		;
	sqlite3_close(scribe.db);
	return r == 0 ? 0 : 1;
}
