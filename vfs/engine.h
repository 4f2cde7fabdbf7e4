/* SPDX-License-Identifier: MIT */
#ifndef LSV_ENGINE_H
#define LSV_ENGINE_H

/*
 * Everything behind the doors, as one table.  liblsvfs.so is a thin door that
 * may be preloaded into any process: it depends on libc only and opens the
 * engine, a private library beside it, when there is work (design.md section
 * 10).  liblsvfs.a has the engine inside.
 *
 *	liblsvfs.so   register.c preload.c extension.c
 *	                   \        |        /
 *	                 door.c: find SQLite, open the engine
 *	                            |  one symbol: lsv_engine
 *	lsvfs-engine.so  engine.c: options -> shim.c ...
 */

#include "vfs/export.h"
#include "vfs/lsvfs.h"

#include <stdbool.h>

struct sqlite3_api_routines;

struct lsv_engine {
	/* lsvfs_version(): both files are of one build, or they don't meet. */
	const char *version;

	/* Before all else; again for every way in.  -EBUSY: it works for
	 * another SQLite already; -ENOSYS: that one is too old (said). */
	int (*start)(const struct sqlite3_api_routines *api);

	/* Registers by 'options' (NULL: defaults) and the environment.
	 * SQLITE_*; what is wrong has been said on stderr. */
	int (*install)(const struct lsvfs_options *options);

	/* Registers as default VFS by the environment, or registers again
	 * when sqlite3_shutdown() has forgotten us.  SQLITE_*; a failure is
	 * said once. */
	int (*keep_default)(void);

	int (*sync)(const char *db_path, int timeout_ms);
	int (*txid)(const char *db_path, uint64_t *txid);
	int (*checkpoint)(const char *db_path);
	int (*snapshot)(const char *db_path);
	char *(*status)(const char *db_path);
	char *(*replica)(const char *db_path);
	void (*free)(void *p);
};

extern LSV_EXPORT const struct lsv_engine lsv_engine;

#define LSV_ENGINE_SYMBOL "lsv_engine"

#endif
