/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_MEASURE_H
#define LSV_TEST_MEASURE_H

/*
 * What the measuring programs share: a database in a folder of its own, with
 * or without us, and what a sorted sample says.  A program that cannot measure
 * ends: half a table would be believed.
 */

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "vfs/lsvfs.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BARE "unix"
#define OURS "litestream"

__attribute__((noreturn, format(printf, 1, 2))) static inline void give_up(
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static inline void *need(void *p)
{
	if (!p)
		give_up("out of memory");
	return p;
}

static inline void do_sql(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		give_up("%s: %s", sql, why ? why : sqlite3_errmsg(db));
}

static inline sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		give_up("%s: %s", sql, sqlite3_errmsg(db));
	return statement;
}

static inline void step_once(sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE ||
	    sqlite3_reset(statement) != SQLITE_OK)
		give_up("%s: %s", sqlite3_sql(statement),
		        sqlite3_errmsg(sqlite3_db_handle(statement)));
}

/* A new database with table t, in WAL mode. */
static inline sqlite3 *create_db(const char *path, const char *vfs,
                                 const char *synchronous)
{
	char pragma[64];
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	                    vfs) != SQLITE_OK)
		give_up("%s: %s", path, sqlite3_errmsg(db));
	do_sql(db, "pragma journal_mode=wal");
	snprintf(pragma, sizeof pragma, "pragma synchronous=%s", synchronous);
	do_sql(db, pragma);
	do_sql(db, "create table t (a integer primary key, b)");
	return db;
}

/* The replica of every database is 'replica'/<file name>. */
static inline void use_replica(const char *replica, const char *options)
{
	char here[4096], url[8192];
	struct lsvfs_options o = {.size = sizeof o, .options = options};

	if (!getcwd(here, sizeof here))
		give_up("getcwd: %s", strerror(errno));
	snprintf(url, sizeof url, "%s/%s/%%f", here, replica);
	o.replica = strstr(replica, "://") ? replica : url;
	if (lsvfs_register(&o) != SQLITE_OK)
		give_up("lsvfs_register(%s)", options ? options : "");
}

static inline void sleep_ns(int64_t ns)
{
	struct timespec t = {ns / LSV_NS_PER_S, ns % LSV_NS_PER_S};

	nanosleep(&t, NULL);
}

static inline int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

/* The sample is sorted; 'part' of 1000. */
static inline double quantile(const double *sorted, size_t n, unsigned part)
{
	return sorted[(n - 1) * part / 1000];
}

static inline double median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

#endif
