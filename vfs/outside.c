/* SPDX-License-Identifier: MIT */
#include "vfs/outside.h"

#include "replica/base/log.h"
#include "replica/ship/present.h"
#include "replica/spool/catalogue.h"
#include "vfs/api.h"
#include "vfs/db.h"
#include "vfs/shim.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
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

/* What is noted of a replica now, by whoever leads; false: nothing. */
static bool read_record(const struct lsv_db *db, uint64_t hash,
                        struct lsv_replica_record *record)
{
	auto_free struct lsv_state *state = calloc(1, sizeof *state);

	if (!state || lsv_state_load(db->dir, state) < 0)
		return false;
	for (size_t i = 0; i < LSV_REPLICAS_MAX; i++)
		if (state->replicas[i].name_hash == hash) {
			*record = state->replicas[i];
			return record->has_snapshot;
		}
	return false;
}

/* What is missing may have been removed because newer was put meanwhile. */
static int ask_replica(const struct lsv_db *db, struct lsv_client *client,
                       uint64_t hash, char **name)
{
	auto_free char *catalogue = lsv_catalogue_path(db->dir, hash);
	struct lsv_replica_record before = {0}, record;
	int r = catalogue ? -ENOENT : -ENOMEM;

	while (r == -ENOENT) {
		if (!read_record(db, hash, &record))
			return 0;
		if (record.shipped.generation == before.shipped.generation &&
		    record.snapshot_index == before.snapshot_index &&
		    lsv_pos_compare(&record.shipped, &before.shipped) == 0)
			break;
		before = record;
		free(take(*name));
		r = lsv_present(client, &record, catalogue, name);
	}
	return r;
}

static int look_at(const struct lsv_db *db,
                   const struct lsv_replica_config *config)
{
	auto_client struct lsv_client *client = NULL;
	auto_free char *name = NULL;
	int r = lsv_client_open(config->url, &config->options, &client);

	if (r < 0)
		return -EIO;
	r = ask_replica(db, client, lsv_replica_hash(config), &name);
	if (r == -ENOENT)
		log_error(0,
		          "%s: replica %s lacks %s, which was put there: give "
		          "it back what it had, or remove %s while no program "
		          "runs, and a new generation begins",
		          db->path, client->url, name, db->dir);
	else if (r < 0)
		log_error(0, "%s: cannot look at replica %s: %s", db->path,
		          client->url, lsv_client_why(client, r));
	return r < 0 ? -EIO : 0;
}

/* Where nothing was left to send no replica has been asked. */
static int look_at_all(const char *db_path)
{
	auto_free char *path = realpath(db_path, NULL);
	struct lsv_db *db = path ? lsv_db_find(path) : NULL;
	int r = 0;

	if (!db)
		return log_error(0, "%s is not there any more", db_path), -EIO;
	for (size_t i = 0; i < db->config.n_replicas; i++)
		if (look_at(db, &db->config.replicas[i]) < 0)
			r = -EIO;
	lsv_db_release(db);
	return r;
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
	if (r == 0)
		r = look_at_all(db_path);
	sqlite3_close(db);
	return r;
}
