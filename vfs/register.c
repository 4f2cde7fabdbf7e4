/* SPDX-License-Identifier: MIT */

/* lsvfs.h, as it is called in a program. */

#include "vfs/door.h"
#include "vfs/export.h"

#include <sqlite3.h>

LSV_EXPORT int lsvfs_register(const struct lsvfs_options *options)
{
	const struct lsv_engine *engine = lsv_door_open(
		__builtin_return_address(0));

	return engine ? engine->install(options) : SQLITE_ERROR;
}

/* Inside sqlite3_initialize(), each time: an error there would leave the
 * application without a database, so what is wrong is only said (I5). */
LSV_EXPORT int lsvfs_extra_init(const char *unused)
{
	const struct lsv_engine *engine = lsv_door_open(
		__builtin_return_address(0));

	(void)unused;
	if (engine)
		engine->keep_default();
	return SQLITE_OK;
}

LSV_EXPORT int lsvfs_sync(const char *db_path, int timeout_ms)
{
	const struct lsv_engine *engine = lsv_door_engine();

	return engine ? engine->sync(db_path, timeout_ms) : SQLITE_NOTFOUND;
}

LSV_EXPORT int lsvfs_txid(const char *db_path, uint64_t *txid)
{
	const struct lsv_engine *engine = lsv_door_engine();

	return engine ? engine->txid(db_path, txid) : SQLITE_NOTFOUND;
}

LSV_EXPORT int lsvfs_checkpoint(const char *db_path)
{
	const struct lsv_engine *engine = lsv_door_engine();

	return engine ? engine->checkpoint(db_path) : SQLITE_NOTFOUND;
}

LSV_EXPORT int lsvfs_snapshot(const char *db_path)
{
	const struct lsv_engine *engine = lsv_door_engine();

	return engine ? engine->snapshot(db_path) : SQLITE_NOTFOUND;
}

LSV_EXPORT char *lsvfs_replica(const char *db_path)
{
	const struct lsv_engine *engine = lsv_door_engine();

	return engine ? engine->replica(db_path) : NULL;
}

LSV_EXPORT char *lsvfs_status(const char *db_path)
{
	const struct lsv_engine *engine = lsv_door_engine();

	return engine ? engine->status(db_path) : NULL;
}

LSV_EXPORT void lsvfs_free(void *p)
{
	const struct lsv_engine *engine = lsv_door_engine();

	/* What the engine allocated: its malloc() need not be ours. */
	if (engine)
		engine->free(p);
}

LSV_EXPORT const char *lsvfs_version(void)
{
	return PACKAGE_VERSION;
}
