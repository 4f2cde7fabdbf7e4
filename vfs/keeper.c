/* SPDX-License-Identifier: MIT */
#include "vfs/keeper.h"

#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "vfs/bell.h"
#include "vfs/force_wal.h"
#include "vfs/guard.h"
#include "vfs/lower.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Where the unix VFS has the lock WRITE in the -shm file. */
#define SHM_WRITE_BYTE 120
#define BUSY_MS 1000

struct lsv_keeper {
	sqlite3 *connection;
	struct lsv_db *db;
	/* To ask who has WRITE.  Open as long as the connection is: closing it
	 * would drop all locks that we have there (I8). */
	int shm_fd;
};

/* The first column of the first row as text, into 'text'. */
static int ask(sqlite3 *connection, const char *sql, char *text, int size)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);

	*text = 0;
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW) {
		sqlite3_snprintf(size, text, "%s",
		                 sqlite3_column_text(statement, 0));
		rc = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int said(const char *db_path, sqlite3 *connection, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	default:
		return log_error(0, "cannot open %s: %s", db_path,
		                 sqlite3_errmsg(connection)),
		       -EIO;
	}
}

/* Reads, so that SQLite recovers what a crash left and maps the shm.  Whoever
 * has it replicated from outside wants WAL mode; of 0 pages it would lose what
 * its program is about to choose. */
static int settle_mode(const char *db_path, sqlite3 *connection)
{
	char text[16];
	int rc = ask(connection, "PRAGMA page_count", text, sizeof text);

	if (rc != SQLITE_OK)
		return said(db_path, connection, rc);
	if (strcmp(text, "0") == 0)
		return -ENOENT;
	rc = ask(connection, "PRAGMA journal_mode", text, sizeof text);
	if (rc == SQLITE_OK && sqlite3_stricmp(text, "wal") != 0) {
		rc = ask(connection, "PRAGMA journal_mode=wal", text,
		         sizeof text);
		if (rc == SQLITE_OK && sqlite3_stricmp(text, "wal") == 0)
			log_info("%s: switched to WAL mode", db_path);
	}
	if (rc == SQLITE_OK && sqlite3_stricmp(text, "wal") != 0)
		return log_error(0, "cannot replicate %s: it stays in %s mode",
		                 db_path, text),
		       -EINVAL;
	if (rc == SQLITE_OK)
		rc = ask(connection, "SELECT 1 FROM sqlite_master LIMIT 1",
		         text, sizeof text);
	return said(db_path, connection, rc);
}

static int find_db(const char *db_path, struct lsv_keeper *keeper)
{
	auto_free char *path = realpath(db_path, NULL);

	keeper->db = path ? lsv_db_find(path) : NULL;
	if (!keeper->db)
		return log_error(0, "%s is not replicated", db_path), -ENOTSUP;
	if (!lsv_db_activate(keeper->db))
		return -ENOTSUP;
	keeper->shm_fd = open(keeper->db->shm_path, O_RDWR | O_CLOEXEC);
	return keeper->shm_fd < 0 ? log_error(-errno, "cannot open %s",
	                                      keeper->db->shm_path)
	                          : 0;
}

static int open_connection(const char *db_path, struct lsv_keeper *keeper)
{
	int rc;

	if (access(db_path, F_OK) < 0)
		return -ENOENT;
	rc = sqlite3_open_v2(db_path, &keeper->connection,
	                     SQLITE_OPEN_READWRITE, lsv_vfs_name());
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(keeper->connection, BUSY_MS);
	return said(db_path, keeper->connection, rc);
}

static void begin(struct lsv_db *db)
{
	atomic_store(&db->wants_guard, 1);
	lsv_bell_hurry(db);
}

int lsv_keeper_open(const char *db_path, struct lsv_keeper **out)
{
	struct lsv_keeper *keeper = calloc(1, sizeof *keeper);
	int r;

	if (!keeper)
		return -ENOMEM;
	keeper->shm_fd = -1;
	lsv_force_wal_stand_back();
	r = open_connection(db_path, keeper);
	if (r == 0)
		r = settle_mode(db_path, keeper->connection);
	if (r == 0)
		r = find_db(db_path, keeper);
	if (r < 0) {
		lsv_keeper_close(keeper);
		return r;
	}
	begin(keeper->db);
	*out = keeper;
	return 0;
}

char *lsv_keeper_page(const struct lsv_keeper *keeper)
{
	return lsv_path_join(keeper->db->dir, "coord");
}

void lsv_keeper_poke(struct lsv_keeper *keeper, bool surely)
{
	if (surely)
		lsv_bell_hurry(keeper->db);
	else
		lsv_bell_poke(keeper->db);
}

bool lsv_keeper_is_written(const struct lsv_keeper *keeper)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = SHM_WRITE_BYTE,
		.l_len = 1,
	};

	return fcntl(keeper->shm_fd, F_GETLK, &lock) == 0 &&
	       lock.l_type != F_UNLCK;
}

bool lsv_keeper_leads(const struct lsv_keeper *keeper)
{
	return atomic_load(&keeper->db->role) >= LSV_ADRIFT;
}

bool lsv_keeper_is_lost(const struct lsv_keeper *keeper)
{
	struct stat st;

	return stat(keeper->db->path, &st) < 0 ||
	       st.st_dev != keeper->db->dev || st.st_ino != keeper->db->ino;
}

int lsv_keeper_flush(struct lsv_keeper *keeper)
{
	struct lsv_db *db = keeper->db;

	return lsv_bell_wait(db, lsv_bell_ticket(db),
	                     db->config.shutdown_timeout_ns, true);
}

/* Nobody else of us goes in to it meanwhile: the guard is ours to drop then,
 * and no lock of ours is there to be lost with the descriptor (I8). */
static void close_excluded(struct lsv_keeper *keeper)
{
	struct lsv_db *db = keeper->db;

	atomic_store(&db->wants_guard, 0);
	lsv_db_exclude(db);
	lsv_guard_drop(db);
	sqlite3_close(keeper->connection);
	if (keeper->shm_fd >= 0)
		close(keeper->shm_fd);
	lsv_db_readmit(db);
	lsv_db_release(db);
}

void lsv_keeper_close(struct lsv_keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->db)
		close_excluded(keeper);
	else
		sqlite3_close(keeper->connection);
	free(keeper);
}
