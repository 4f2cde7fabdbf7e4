/* SPDX-License-Identifier: MIT */

/* The door of liblsvfs.a: the engine is inside, and SQLite is the one that
 * the program is linked with. */

#define SQLITE_CORE 1 /* direct references, not the table's macros */

#include "vfs/door.h"

#include <sqlite3ext.h>

/* A program whose SQLite has them not is linked all the same. */
#define LSV_API_OPTIONAL(member, function)                                     \
	extern __typeof__(function) function __attribute__((weak));
#include "vfs/api_list.h"
#undef LSV_API
#undef LSV_API_OPTIONAL

static const struct sqlite3_api_routines api = {
#define LSV_API(member, function) .member = function,
#define LSV_API_OPTIONAL(member, function) .member = function,
#include "vfs/api_list.h"
#undef LSV_API
#undef LSV_API_OPTIONAL
};

const struct lsv_engine *lsv_door_open_api(
	const struct sqlite3_api_routines *of_sqlite)
{
	return lsv_engine.start(of_sqlite) < 0 ? NULL : &lsv_engine;
}

const struct lsv_engine *lsv_door_open(const void *caller)
{
	(void)caller;
	return lsv_door_open_api(&api);
}

const struct lsv_engine *lsv_door_engine(void)
{
	/* Calls before any lsvfs_register() find nothing replicated. */
	return lsv_door_open_api(&api);
}
