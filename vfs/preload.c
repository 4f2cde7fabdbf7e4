/* SPDX-License-Identifier: MIT */

/*
 * The way in by LD_PRELOAD: SQLite's three ways to open a database come here
 * first.  The first open that something is configured for brings in the
 * engine; until then, and in a process that has us without preloading us, we
 * are not in the way.
 *
 * Nothing is done when the program starts: a constructor that registers makes
 * the sqlite3 shell print warnings, and costs programs that never open a
 * database.
 */

#include "replica/base/log.h"
#include "vfs/door.h"
#include "vfs/export.h"
#include "vfs/library.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Enough of a URI to find our parameters in. */
#define NARROW_SIZE 1024

typedef int open_fn(const char *filename, sqlite3 **db);
typedef int open16_fn(const void *filename, sqlite3 **db);
typedef int open_v2_fn(const char *filename, sqlite3 **db, int flags,
                       const char *vfs);

static bool names_us(const char *vfs)
{
	return vfs &&
	       (strcmp(vfs, "litestream") == 0 || strcmp(vfs, "lsvfs") == 0);
}

/* A URI that asks for us.  One that only looks so costs a look. */
static bool is_uri_for_us(const char *filename)
{
	return filename && strncmp(filename, "file:", 5) == 0 &&
	       (strstr(filename, "replica=") ||
	        strstr(filename, "vfs=litestream") ||
	        strstr(filename, "vfs=lsvfs"));
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* By the environment as it is now: programs set it while they run. */
static bool is_configured(void)
{
	const char *options = getenv("LSVFS_OPTIONS");

	return is_set("LSVFS_REPLICA_URL") || is_set("LSVFS_CONFIG") ||
	       is_set("LITESTREAM_CONFIG") ||
	       (options && (strstr(options, "replica=") ||
	                    strstr(options, "require-config="))) ||
	       access("/etc/litestream.yml", F_OK) == 0;
}

static void before_open(const char *filename, const char *vfs,
                        const void *caller)
{
	const struct lsv_engine *engine;

	if (!lsv_library_is_preloaded())
		return;
	if (!lsv_door_engine() && !is_configured() && !names_us(vfs) &&
	    !is_uri_for_us(filename))
		return;
	engine = lsv_door_open(caller);
	if (engine)
		engine->keep_default();
}

/* The function behind ours, or NULL with the error that the caller gets. */
static void *next(const char *name, sqlite3 **db, const void *caller)
{
	void *function = lsv_library_next(name, caller);

	if (function)
		return function;
	log_error(0, "cannot pass %s() on: no SQLite is loaded", name);
	*db = NULL;
	return NULL;
}

/* The ASCII of a UTF-16 name, '?' for what is not, cut at the end. */
static void narrow(const void *filename, char text[NARROW_SIZE])
{
	const char *p = filename;
	size_t n = 0;

	for (; p && n < NARROW_SIZE - 1; p += 2, n++) {
		unsigned short c;

		memcpy(&c, p, sizeof c);
		if (!c)
			break;
		text[n] = c < 128 ? (char)c : '?';
	}
	text[n] = 0;
}

LSV_EXPORT int sqlite3_open(const char *filename, sqlite3 **db)
{
	const void *caller = __builtin_return_address(0);
	open_fn *open = next("sqlite3_open", db, caller);

	if (!open)
		return SQLITE_CANTOPEN;
	before_open(filename, NULL, caller);
	return open(filename, db);
}

LSV_EXPORT int sqlite3_open16(const void *filename, sqlite3 **db)
{
	const void *caller = __builtin_return_address(0);
	open16_fn *open = next("sqlite3_open16", db, caller);
	char text[NARROW_SIZE];

	if (!open)
		return SQLITE_CANTOPEN;
	narrow(filename, text);
	before_open(text, NULL, caller);
	return open(filename, db);
}

LSV_EXPORT int sqlite3_open_v2(const char *filename, sqlite3 **db, int flags,
                               const char *vfs)
{
	const void *caller = __builtin_return_address(0);
	open_v2_fn *open = next("sqlite3_open_v2", db, caller);

	if (!open)
		return SQLITE_CANTOPEN;
	before_open(filename, vfs, caller);
	return open(filename, db, flags, vfs);
}
