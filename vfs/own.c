/* SPDX-License-Identifier: MIT */
#include "vfs/own.h"

#include "replica/base/log.h"
#include "vfs/db.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Who holds the mutex works at "lsv"; the seats are "lsv1" and on.  SQLite
 * attaches at most ten databases by default. */
#define WORK "lsv"
#define SEATS 8
#define SCHEMA_SIZE 16

static pthread_mutex_t own_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(sqlite3 *) own;
static bool is_taken[SEATS];
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
	atomic_store(&own, NULL);
	memset(is_taken, 0, sizeof is_taken);
	here = false;
}

static sqlite3 *open_memory(const char *vfs_name)
{
	sqlite3 *opened = NULL;
	/* Not to create what it attaches: that may be gone by then. */
	int rc = sqlite3_open_v2(":memory:", &opened,
	                         SQLITE_OPEN_READWRITE |
	                                 SQLITE_OPEN_PRIVATECACHE |
	                                 SQLITE_OPEN_FULLMUTEX,
	                         vfs_name);

	if (rc == SQLITE_OK)
		return opened;
	log_error(0, "cannot open a connection for checkpoints: %s",
	          sqlite3_errstr(rc));
	sqlite3_close_v2(opened);
	return NULL;
}

void lsv_own_open(const char *vfs_name)
{
	auto_unlock pthread_mutex_t *held = NULL;

	/* An open does not wait for what our connection is at. */
	if (here || atomic_load(&own))
		return;
	held = lsv_lock(&own_mutex);
	if (atomic_load(&own))
		return;
	here = true;
	atomic_store(&own, open_memory(vfs_name));
	here = false;
}

/* Runs one statement to its end; %s in it is the schema. */
static int run(const char *format, const char *schema)
{
	char *sql = sqlite3_mprintf(format, schema);
	sqlite3_stmt *statement = NULL;
	int rc = sql ? sqlite3_prepare_v2(own, sql, -1, &statement, NULL)
	             : SQLITE_NOMEM;

	sqlite3_free(sql);
	if (rc != SQLITE_OK)
		return rc;
	do {
		rc = sqlite3_step(statement);
	} while (rc == SQLITE_ROW);
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int attach(const char *path, const char *schema)
{
	sqlite3_stmt *statement;
	/* A plain name, so that no character of it means anything. */
	int rc = sqlite3_prepare_v2(own, "ATTACH ? AS ?", -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, schema, -1, SQLITE_STATIC);
	rc = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int attach_and_read(struct lsv_db *db, const char *schema)
{
	int rc;

	if (!atomic_load(&own))
		return SQLITE_CANTOPEN;
	here = true;
	rc = attach(db->path, schema);
	if (rc == SQLITE_OK) {
		/* PASSIVE does nothing on a connection that has not read. */
		rc = run("SELECT 1 FROM %s.sqlite_master LIMIT 1", schema);
		if (rc != SQLITE_OK)
			run("DETACH %s", schema);
	}
	here = false;
	return rc;
}

/* 'clean': as an application's last close does, if it is the last. */
static void detach(const char *schema, bool clean)
{
	here = true;
	sqlite3_db_config(own, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !clean, NULL);
	run("DETACH %s", schema);
	here = false;
}

int lsv_own_attach(struct lsv_db *db)
{
	return attach_and_read(db, WORK);
}

void lsv_own_detach(struct lsv_db *db)
{
	lsv_own_keep_ckpt(db, false);
	detach(WORK, false);
}

static void name_seat(int seat, char schema[SCHEMA_SIZE])
{
	snprintf(schema, SCHEMA_SIZE, WORK "%d", seat + 1);
}

int lsv_own_sit(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&own_mutex);
	char schema[SCHEMA_SIZE];
	int seat = 0;

	while (seat < SEATS && is_taken[seat])
		seat++;
	if (seat == SEATS)
		return -EAGAIN;
	name_seat(seat, schema);
	if (attach_and_read(db, schema) != SQLITE_OK)
		return -EAGAIN;
	is_taken[seat] = true;
	return seat;
}

void lsv_own_rise(int seat)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&own_mutex);
	char schema[SCHEMA_SIZE];

	name_seat(seat, schema);
	detach(schema, true);
	is_taken[seat] = false;
}

/* SQLite answers with the mode that it is in then. */
static int ask_for_wal(void)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(own, "PRAGMA " WORK ".journal_mode=wal", -1,
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
	detach(WORK, true);
	return rc;
}

void lsv_own_keep_ckpt(struct lsv_db *db, bool keeps)
{
	sqlite3_file *f = NULL;
	struct lsv_file *file;

	(void)db;
	sqlite3_file_control(own, WORK, SQLITE_FCNTL_FILE_POINTER, &f);
	file = lsv_file_of(f);
	if (file)
		lsv_file_keep_ckpt(file, keeps);
}

int lsv_own_checkpoint(struct lsv_db *db, int mode)
{
	int rc, n_log, n_done;

	(void)db;
	here = true;
	rc = sqlite3_wal_checkpoint_v2(own, WORK, mode, &n_log, &n_done);
	here = false;
	return rc;
}
