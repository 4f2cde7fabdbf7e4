/* SPDX-License-Identifier: MIT */
#include "vfs/own.h"

#include "replica/base/log.h"
#include "vfs/db.h"

#include <string.h>

static pthread_mutex_t own_mutex = PTHREAD_MUTEX_INITIALIZER;
static sqlite3 *own;
static _Thread_local bool here;

void lsv_own_lock(void)
{
	pthread_mutex_lock(&own_mutex);
}

void lsv_own_unlock(void)
{
	pthread_mutex_unlock(&own_mutex);
}

bool lsv_own_here(void)
{
	return here;
}

void lsv_own_fork_child(void)
{
	/* The parent's connection is the parent's; it has no database open. */
	pthread_mutex_init(&own_mutex, NULL);
	own = NULL;
	here = false;
}

void lsv_own_open(const char *vfs_name)
{
	auto_unlock pthread_mutex_t *held = NULL;
	int rc;

	if (here)
		return;
	held = lsv_lock(&own_mutex);
	if (own)
		return;
	here = true;
	rc = sqlite3_open_v2(":memory:", &own,
	                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	                             SQLITE_OPEN_PRIVATECACHE |
	                             SQLITE_OPEN_FULLMUTEX,
	                     vfs_name);
	here = false;
	if (rc != SQLITE_OK) {
		log_error(0, "cannot open a connection for checkpoints: %s",
		          sqlite3_errstr(rc));
		sqlite3_close_v2(own);
		own = NULL;
	}
}

/* Runs one statement to its end. */
static int run(const char *sql)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(own, sql, -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return rc;
	do {
		rc = sqlite3_step(statement);
	} while (rc == SQLITE_ROW);
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int attach(const char *path)
{
	sqlite3_stmt *statement;
	/* A plain name, so that no character of it means anything. */
	int rc = sqlite3_prepare_v2(own, "ATTACH ? AS lsv", -1, &statement,
	                            NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	rc = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int lsv_own_attach(struct lsv_db *db)
{
	int rc;

	if (!own)
		return SQLITE_CANTOPEN;
	here = true;
	rc = attach(db->path);
	if (rc == SQLITE_OK) {
		/* PASSIVE does nothing on a connection that has not read. */
		rc = run("SELECT 1 FROM lsv.sqlite_master LIMIT 1");
		if (rc != SQLITE_OK)
			run("DETACH lsv");
	}
	here = false;
	return rc;
}

/* SQLite answers with the mode that it is in then. */
static int ask_for_wal(void)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(own, "PRAGMA lsv.journal_mode=wal", -1,
	                            &statement, NULL);
	const unsigned char *mode;

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(statement);
	mode = rc == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
	if (rc == SQLITE_ROW)
		rc = mode && sqlite3_stricmp((const char *)mode, "wal") == 0
		             ? SQLITE_OK
		             : SQLITE_BUSY;
	sqlite3_finalize(statement);
	return rc;
}

int lsv_own_force_wal(struct lsv_db *db)
{
	int rc = lsv_own_attach(db);

	if (rc != SQLITE_OK)
		return rc;
	here = true;
	rc = ask_for_wal();
	here = false;
	lsv_own_detach(db, true);
	return rc;
}

void lsv_own_detach(struct lsv_db *db, bool clean)
{
	lsv_own_keep_ckpt(db, false);
	here = true;
	sqlite3_db_config(own, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !clean, NULL);
	run("DETACH lsv");
	here = false;
}

void lsv_own_keep_ckpt(struct lsv_db *db, bool keeps)
{
	sqlite3_file *f = NULL;
	struct lsv_file *file;

	(void)db;
	sqlite3_file_control(own, "lsv", SQLITE_FCNTL_FILE_POINTER, &f);
	file = lsv_file_of(f);
	if (file)
		lsv_file_keep_ckpt(file, keeps);
}

int lsv_own_checkpoint(struct lsv_db *db, int mode)
{
	int rc, n_log, n_done;

	(void)db;
	here = true;
	rc = sqlite3_wal_checkpoint_v2(own, "lsv", mode, &n_log, &n_done);
	here = false;
	return rc;
}
