/* SPDX-License-Identifier: MIT */
/*
 * The VFS itself: which files are ours, how they open, its registration.  A
 * file that is not ours goes to the lower VFS in the caller's own buffer
 * (I14); nothing later must ask.
 */
#include "vfs/shim.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/ship/config.h"
#include "replica/store/client.h"
#include "vfs/ask.h"
#include "vfs/capture.h"
#include "vfs/configure.h"
#include "vfs/db.h"
#include "vfs/file.h"
#include "vfs/force_wal.h"
#include "vfs/lower.h"
#include "vfs/own.h"
#include "vfs/status_table.h"
#include "vfs/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static sqlite3_vfs ours;
static sqlite3_vfs *copy_vfs; /* of another copy of us that was first */
static bool has_threads;

static int pass(const char *name, sqlite3_file *f, int flags, int *out)
{
	return lsv_lower_vfs()->xOpen(lsv_lower_vfs(), name, f, flags, out);
}

static bool uri_is_set(const char *name, const char *key)
{
	return sqlite3_uri_boolean(name, key, 0) != 0;
}

/* A worker inside a SQLite without threads would be a second thread there. */
static bool may_work(const char *name)
{
	static _Atomic(int) is_told;

	if (!has_threads && !atomic_exchange(&is_told, 1))
		log_error(0,
		          "cannot replicate %s and others of this process: its "
		          "SQLite is without threads; run 'lsvfs "
		          "replicate' beside it",
		          name);
	return has_threads;
}

/* One replica is not for two databases. */
static bool has_rival(const char *name, const struct lsv_config *config)
{
	for (size_t i = 0; i < config->n_replicas; i++) {
		const char *rival = lsv_db_rival(name, &config->replicas[i]);

		if (!rival)
			continue;
		log_error(0,
		          "cannot replicate %s: replica %s is that of %s; use "
		          "%%f or %%p in the URL",
		          name, config->replicas[i].url, rival);
		return true;
	}
	return false;
}

/* *db NULL: this database is not replicated; it is the lower VFS's own. */
static int db_for(const char *name, int flags, struct lsv_db **db)
{
	struct lsv_config config = {0};
	int r;

	*db = NULL;

	if (!name || !*name || !(flags & SQLITE_OPEN_MAIN_DB) ||
	    !(flags & SQLITE_OPEN_READWRITE) || uri_is_set(name, "immutable") ||
	    uri_is_set(name, "nolock"))
		return SQLITE_OK;
	if (lsv_own_here()) {
		*db = lsv_db_find(name);
		return SQLITE_OK;
	}
	r = lsv_configure(name, &config);
	if (r == 0 && config.n_replicas > 0 && may_work(name) &&
	    !has_rival(name, &config))
		*db = lsv_db_open(name, &config);
	lsv_config_free(&config);
	return r == -EPERM ? SQLITE_CANTOPEN : SQLITE_OK;
}

static int open_main(struct lsv_file *file, const char *name, int flags,
                     int *out_flags, struct lsv_db *db)
{
	int seen = flags, rc;

	memset(file, 0, sizeof *file);
	rc = lsv_lower_vfs()->xOpen(lsv_lower_vfs(), name, lsv_lower(file),
	                            flags, &seen);
	if (out_flags)
		*out_flags = seen;
	if (rc != SQLITE_OK || lsv_lower(file)->pMethods->iVersion < 2) {
		lsv_db_release(db);
		if (rc != SQLITE_OK)
			return rc;
		db = NULL;
	}
	file->kind = LSV_FILE_MAIN;
	file->family = lsv_family();
	file->is_ours = lsv_own_here();
	if (db && seen & SQLITE_OPEN_READONLY) {
		lsv_db_release(db);
		db = NULL;
	}
	file->db = db;
	lsv_file_set_methods(file);
	if (!db)
		return rc;
	lsv_db_add_file(db, file);
	lsv_worker_init();
	lsv_own_open(ours.zName);
	lsv_force_wal_opened(file);
	return rc;
}

static int open_wal(struct lsv_file *file, struct lsv_file *main,
                    const char *name, int flags, int *out_flags)
{
	int rc;

	memset(file, 0, sizeof *file);
	rc = lsv_lower_vfs()->xOpen(lsv_lower_vfs(), name, lsv_lower(file),
	                            flags, out_flags);
	if (rc != SQLITE_OK)
		return rc;
	file->kind = LSV_FILE_WAL;
	file->family = main->family;
	file->is_ours = main->is_ours;
	file->db = main->db;
	file->main = main;
	file->gathers = lsv_coalesce_serves(lsv_lower_vfs());
	main->wal = file;
	lsv_file_set_methods(file);
	return rc;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *f,
                     int flags, int *out_flags)
{
	struct lsv_file *main;
	struct lsv_db *db;
	int rc;

	(void)vfs;
	f->pMethods = NULL;
	if (name && flags & SQLITE_OPEN_WAL) {
		main = lsv_file_of(sqlite3_database_file_object(name));
		if (main && main->db)
			return open_wal((struct lsv_file *)f, main, name, flags,
			                out_flags);
		return pass(name, f, flags, out_flags);
	}
	rc = db_for(name, flags, &db);
	if (rc != SQLITE_OK)
		return rc;
	if (!db) {
		if (flags & SQLITE_OPEN_MAIN_DB)
			lsv_force_wal_stranger();
		return pass(name, f, flags, out_flags);
	}
	return open_main((struct lsv_file *)f, name, flags, out_flags, db);
}

/*
 * The VFS of another copy of us in this process: a static program that is
 * preloaded as well, or two files of one library.  Two of us on one database
 * would not see each other's POSIX locks, so the first one does all the work.
 */
static sqlite3_vfs *find_copy(void)
{
	static const char *const names[] = {"litestream", "lsvfs"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		sqlite3_vfs *vfs = sqlite3_vfs_find(names[i]);

		if (vfs && vfs != &ours && vfs->iVersion >= 3 &&
		    vfs->xGetSystemCall &&
		    vfs->xGetSystemCall(vfs, LSV_COPY_MARK))
			return vfs;
	}
	return NULL;
}

static int create_vfs(const struct lsv_settings *settings)
{
	sqlite3_vfs *lower = sqlite3_vfs_find(NULL);

	if (!lower)
		return SQLITE_ERROR;
	if (lsv_configure_init(settings) < 0)
		return SQLITE_NOMEM;
	ours.zName = sqlite3_vfs_find("litestream") ? "lsvfs" : "litestream";
	lsv_lower_set_vfs(lower, ours.zName);
	if (strcmp(ours.zName, "lsvfs") == 0)
		log_warn(0, "another VFS named litestream is registered: ours "
		            "is named lsvfs");
	ours.szOsFile = (int)sizeof(struct lsv_file) + lower->szOsFile;
	lsv_forward_vfs(&ours, lower);
	ours.xOpen = open_file;
	return SQLITE_OK;
}

int lsv_shim_register(const struct lsv_settings *settings, int make_default)
{
	int rc = SQLITE_OK;

	if (!lsv_lower_vfs() && !copy_vfs) {
		copy_vfs = find_copy();
		if (copy_vfs)
			log_warn(0, "another copy of lsvfs serves this process "
			            "already: its options are in force");
	}
	if (copy_vfs)
		return sqlite3_vfs_register(copy_vfs, make_default);
	if (!lsv_lower_vfs())
		rc = create_vfs(settings);
	has_threads = lsv_api_has_threads();
	if (rc == SQLITE_OK)
		rc = sqlite3_vfs_register(&ours, make_default);
	if (rc == SQLITE_OK)
		lsv_status_table_offer();
	return rc;
}

int lsv_shim_is_default(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	return vfs == &ours || (vfs && vfs == copy_vfs);
}

/* The database of a path, with a reference; NULL: not replicated here. */
static struct lsv_db *db_at(const char *db_path)
{
	auto_free char *path = realpath(db_path, NULL);

	return path ? lsv_db_find(path) : NULL;
}

/* Gives the reference back. */
static int answer(struct lsv_db *db, int r)
{
	lsv_db_release(db);
	switch (r) {
	case 0:
		return SQLITE_OK;
	case -ETIMEDOUT:
	case -EAGAIN:
	case -EBUSY:
		return SQLITE_BUSY;
	case -EPERM:
		return SQLITE_PERM;
	case -EINVAL:
		return SQLITE_ERROR;
	case -ENODATA:
		return SQLITE_EMPTY;
	default:
		return SQLITE_IOERR;
	}
}

int lsv_shim_sync(const char *db_path, int timeout_ms)
{
	struct lsv_db *db = db_at(db_path);

	return db ? answer(db,
	                   lsv_ask_sync(db,
	                                timeout_ms < 0
	                                        ? -1
	                                        : timeout_ms * LSV_NS_PER_MS))
	          : SQLITE_NOTFOUND;
}

int lsv_shim_txid(const char *db_path, uint64_t *txid)
{
	struct lsv_db *db = db_at(db_path);

	return db ? answer(db, lsv_ask_txid(db, txid)) : SQLITE_NOTFOUND;
}

int lsv_shim_checkpoint(const char *db_path)
{
	struct lsv_db *db = db_at(db_path);
	uint32_t n_done, n_all;

	return db ? answer(db, lsv_ask_checkpoint(db, &n_done, &n_all))
	          : SQLITE_NOTFOUND;
}

int lsv_shim_snapshot(const char *db_path)
{
	struct lsv_db *db = db_at(db_path);

	return db ? answer(db, lsv_ask_snapshot(db)) : SQLITE_NOTFOUND;
}

static char *text_of(const char *db_path, char *(*ask)(struct lsv_db *db))
{
	struct lsv_db *db = db_at(db_path);
	char *text = db ? ask(db) : NULL;

	if (db)
		lsv_db_release(db);
	return text;
}

char *lsv_shim_status(const char *db_path)
{
	return text_of(db_path, lsv_ask_status);
}

char *lsv_shim_replica(const char *db_path)
{
	return text_of(db_path, lsv_ask_replicas);
}
