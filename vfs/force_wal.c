/* SPDX-License-Identifier: MIT */
#include "vfs/force_wal.h"

#include "replica/base/log.h"
#include "vfs/bell.h"
#include "vfs/db.h"
#include "vfs/file.h"
#include "vfs/own.h"

#include <stdatomic.h>
#include <string.h>

/* The header's file format: write version, read version; 2 is WAL. */
#define HEADER_SIZE 20
#define WRITE_VERSION 18
#define READ_VERSION 19

enum mode { MODE_EMPTY, MODE_ROLLBACK, MODE_WAL, MODE_UNKNOWN };

static _Atomic(int) has_strangers, is_told, stands_back;

void lsv_force_wal_stranger(void)
{
	atomic_store_explicit(&has_strangers, 1, memory_order_relaxed);
}

void lsv_force_wal_stand_back(void)
{
	atomic_store_explicit(&stands_back, 1, memory_order_relaxed);
}

/* A look without a lock: a hint, which the switch itself makes sure of. */
static enum mode mode_of(struct lsv_file *file)
{
	sqlite3_file *lower = lsv_lower(file);
	unsigned char header[HEADER_SIZE];
	sqlite3_int64 size = 0;

	if (lower->pMethods->xFileSize(lower, &size) != SQLITE_OK)
		return MODE_UNKNOWN;
	if (size < (sqlite3_int64)sizeof header)
		return MODE_EMPTY;
	if (lower->pMethods->xRead(lower, header, sizeof header, 0) !=
	            SQLITE_OK ||
	    memcmp(header, "SQLite format 3", 16) != 0)
		return MODE_UNKNOWN;
	if (header[WRITE_VERSION] == 2 && header[READ_VERSION] == 2)
		return MODE_WAL;
	return MODE_ROLLBACK;
}

/* What it holds already was committed without us: the generation that begins
 * has it in its snapshot. */
static void replicate(struct lsv_db *db)
{
	if (!lsv_db_activate(db))
		return;
	/* As a commit: the end of the process waits for it. */
	atomic_fetch_add_explicit(&db->dirty, 1, memory_order_relaxed);
	lsv_bell_poke(db);
}

static int switch_it(struct lsv_db *db)
{
	int rc;

	if (lsv_db_enter(db) < 0)
		return SQLITE_BUSY;
	lsv_own_lock();
	rc = lsv_own_force_wal(db);
	lsv_own_unlock();
	lsv_db_leave(db);
	return rc;
}

static void force(struct lsv_file *file)
{
	struct lsv_db *db = file->db;
	enum mode mode = mode_of(file);
	int rc;

	file->wants_wal = mode == MODE_EMPTY;
	if (mode != MODE_ROLLBACK)
		return;
	rc = switch_it(db);
	if (rc == SQLITE_OK) {
		log_info("%s: switched to WAL mode (force-wal)", db->path);
		replicate(db);
		return;
	}
	if (atomic_exchange(&is_told, 1))
		return;
	log_error(0,
	          "%s: cannot be switched to WAL mode now (%s), it is not "
	          "replicated until a later open can",
	          db->path, sqlite3_errstr(rc));
}

static bool is_wished(const struct lsv_file *file)
{
	return file->db && file->db->config.force_wal && !file->is_ours &&
	       !atomic_load_explicit(&stands_back, memory_order_relaxed);
}

void lsv_force_wal_opened(struct lsv_file *file)
{
	if (is_wished(file))
		force(file);
}

void lsv_force_wal_unlocked(struct lsv_file *file)
{
	if (file->wants_wal && is_wished(file))
		force(file);
}

bool lsv_force_wal_keeps(struct lsv_file *file, char **pragma)
{
	if (!is_wished(file) || !pragma[2] ||
	    sqlite3_stricmp(pragma[1], "journal_mode") != 0 ||
	    atomic_load_explicit(&has_strangers, memory_order_relaxed) ||
	    mode_of(file) != MODE_WAL)
		return false;
	pragma[0] = sqlite3_mprintf("wal");
	return pragma[0] != NULL;
}
