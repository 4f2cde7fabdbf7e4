/* SPDX-License-Identifier: MIT */

/*
 * The way in by .load and sqlite3_load_extension(): for a SQLite that is
 * linked statically (Node's better-sqlite3, Go's go-sqlite3), where nothing
 * can be interposed.  The connection that loads us stays as it is; those that
 * are opened later are served (design.md section 10).
 */

#define SQLITE_CORE 1 /* the table's type without the macros over it */

#include "vfs/door.h"
#include "vfs/export.h"

#include <sqlite3ext.h>

LSV_EXPORT int sqlite3_lsvfs_init(sqlite3 *db, char **error,
                                  const sqlite3_api_routines *api);

int sqlite3_lsvfs_init(sqlite3 *db, char **error,
                       const sqlite3_api_routines *api)
{
	const struct lsvfs_options options = {
		.size = sizeof options,
		.make_default = 1,
	};
	const struct lsv_engine *engine = lsv_door_open_api(api);
	int rc = engine ? engine->install(&options) : SQLITE_ERROR;

	(void)db;
	if (rc == SQLITE_OK)
		return SQLITE_OK_LOAD_PERMANENTLY;
	if (error)
		*error = api->mprintf("lsvfs cannot be loaded: see stderr");
	return rc;
}
