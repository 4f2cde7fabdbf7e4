/* SPDX-License-Identifier: MIT */
#include "vfs/db.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/spool/folder.h"
#include "replica/spool/spoolfile.h"
#include "replica/store/client.h"
#include "vfs/sentence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define LOCAL_MAX (UINT64_C(1) << 30)
#define ACTIVATE_AGAIN_NS LSV_NS_PER_S

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(lsv_dbs, lsv_db) registry = LIST_HEAD_INITIALIZER(registry);
static _Atomic(uint32_t) family = 1;

uint32_t lsv_family(void)
{
	return atomic_load_explicit(&family, memory_order_relaxed);
}

void lsv_db_fork_prepare(void)
{
	pthread_mutex_lock(&registry_mutex);
}

void lsv_db_fork_parent(void)
{
	pthread_mutex_unlock(&registry_mutex);
}

void lsv_db_fork_child(void)
{
	/* What the parent had is left where it is: its mutexes may be locked
	 * by threads that do not exist here. */
	pthread_mutex_init(&registry_mutex, NULL);
	LIST_INIT(&registry);
	atomic_fetch_add(&family, 1);
}

static struct lsv_db *find(const char *path)
{
	struct lsv_db *db;

	LIST_FOREACH(db, &registry, link)
	{
		if (strcmp(db->path, path) == 0) {
			db->n_refs++;
			return db;
		}
	}
	return NULL;
}

void lsv_db_keep(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&registry_mutex);

	db->n_refs++;
}

struct lsv_db *lsv_db_find(const char *path)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&registry_mutex);

	return find(path);
}

static bool has_replica(const struct lsv_db *db,
                        const struct lsv_replica_config *replica)
{
	for (size_t i = 0; i < db->config.n_replicas; i++)
		if (lsv_replica_config_is_same(&db->config.replicas[i],
		                               replica))
			return true;
	return false;
}

const char *lsv_db_rival(const char *path,
                         const struct lsv_replica_config *replica)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&registry_mutex);
	struct lsv_db *db;

	LIST_FOREACH(db, &registry, link)
	if (strcmp(db->path, path) != 0 && has_replica(db, replica))
		return db->path;
	return NULL;
}

static void destroy(struct lsv_db *db)
{
	free(db->path);
	free(db->wal_path);
	free(db->shm_path);
	free(db->dir);
	free(db->gen_dir);
	lsv_replicas_close(db);
	lsv_config_free(&db->config);
	lsv_source_close(&db->source);
	lsv_shadow_close(db->wal);
	lsv_pagemap_close(db->pages);
	lsv_sentence_clear(&db->reason);
	lsv_sentence_clear(&db->origin);
	free(db->guard);
	if (db->lock_fd >= 0)
		close(db->lock_fd);
	lsv_coord_unmap(lsv_db_coord(db));
	pthread_cond_destroy(&db->changed);
	pthread_mutex_destroy(&db->mutex);
	pthread_mutex_destroy(&db->shadow);
	free(db);
}

static struct lsv_db *create(const char *path, const struct lsv_config *config)
{
	struct lsv_db *db = calloc(1, sizeof *db);

	if (!db)
		return NULL;
	pthread_mutex_init(&db->mutex, NULL);
	pthread_mutex_init(&db->shadow, NULL);
	pthread_cond_init(&db->changed, NULL);
	LIST_INIT(&db->files);
	lsv_source_init(&db->source);
	db->lock_fd = -1;
	db->family = lsv_family();
	db->path = strdup(path);
	db->wal_path = lsv_sprintf("%s-wal", path);
	db->shm_path = lsv_sprintf("%s-shm", path);
	db->dir = lsv_folder_path(path);
	if (!db->path || !db->wal_path || !db->shm_path || !db->dir ||
	    lsv_config_copy(config, &db->config) < 0 ||
	    lsv_replicas_open(db) < 0) {
		destroy(db);
		return NULL;
	}
	atomic_store(&db->native, config->checkpoint == LSV_CHECKPOINT_NATIVE);
	db->n_refs = 1;
	return db;
}

struct lsv_db *lsv_db_open(const char *path, const struct lsv_config *config)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&registry_mutex);
	struct lsv_db *db = find(path);

	if (db)
		return db;
	db = create(path, config);
	if (db)
		LIST_INSERT_HEAD(&registry, db, link);
	return db;
}

void lsv_db_release(struct lsv_db *db)
{
	bool is_last;

	if (db->family != lsv_family())
		return;
	pthread_mutex_lock(&registry_mutex);
	is_last = --db->n_refs == 0;
	if (is_last)
		LIST_REMOVE(db, link);
	pthread_mutex_unlock(&registry_mutex);
	if (is_last)
		destroy(db);
}

void lsv_db_each(void (*each)(struct lsv_db *db, void *arg), void *arg)
{
	struct lsv_db *all[64];
	struct lsv_db *db;
	size_t skip = 0, n;

	/* In batches, so that each() may take its time without the lock. */
	do {
		size_t i = 0;

		n = 0;
		pthread_mutex_lock(&registry_mutex);
		LIST_FOREACH(db, &registry, link)
		{
			if (i++ < skip)
				continue;
			db->n_refs++;
			all[n++] = db;
			if (n == sizeof all / sizeof *all)
				break;
		}
		pthread_mutex_unlock(&registry_mutex);
		skip += n;
		for (i = 0; i < n; i++) {
			each(all[i], arg);
			lsv_db_release(all[i]);
		}
	} while (n == sizeof all / sizeof *all);
}

void lsv_db_add_file(struct lsv_db *db, struct lsv_file *file)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	struct stat st;

	LIST_INSERT_HEAD(&db->files, file, link);
	if (file->is_ours)
		return;
	db->n_files++;
	if (stat(db->path, &st) == 0) {
		db->dev = st.st_dev;
		db->ino = st.st_ino;
	}
}

int lsv_db_remove_file(struct lsv_db *db, struct lsv_file *file)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	LIST_REMOVE(file, link);
	if (!file->is_ours)
		db->n_files--;
	return db->n_files;
}

bool lsv_db_has_other_shared(struct lsv_db *db, const struct lsv_file *file)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	struct lsv_file *other;

	LIST_FOREACH(other, &db->files, link)
	if (other != file && !other->is_ours &&
	    atomic_load(&other->lock_level) >= SQLITE_LOCK_SHARED)
		return true;
	return false;
}

int lsv_db_enter(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	if (db->n_exclusive_wanted > 0)
		return -EBUSY;
	db->n_ours++;
	return 0;
}

void lsv_db_enter_next(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	while (db->n_exclusive_wanted > 0)
		pthread_cond_wait(&db->changed, &db->mutex);
	db->n_ours++;
}

void lsv_db_leave(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	db->n_ours--;
	pthread_cond_broadcast(&db->changed);
}

void lsv_db_exclude(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	db->n_exclusive_wanted++;
	atomic_store(&db->interrupt, 1);
	while (db->n_ours > 0)
		pthread_cond_wait(&db->changed, &db->mutex);
}

void lsv_db_readmit(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	if (--db->n_exclusive_wanted > 0)
		return;
	atomic_store(&db->interrupt, 0);
	pthread_cond_broadcast(&db->changed);
}

void lsv_db_set_exclusive(struct lsv_db *db, struct lsv_file *file,
                          bool is_exclusive)
{
	auto_unlock pthread_mutex_t *held = NULL;

	if (file->is_exclusive == is_exclusive)
		return;
	held = lsv_lock(&db->mutex);
	file->is_exclusive = is_exclusive;
}

bool lsv_db_is_exclusive(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	struct lsv_file *file;

	LIST_FOREACH(file, &db->files, link)
	if (file->is_exclusive && !file->is_ours)
		return true;
	return false;
}

bool lsv_db_is_busy(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	bool busy = db->is_job_queued;

	for (size_t i = 0; i < db->config.n_replicas; i++)
		busy |= db->replicas[i].is_job_queued;
	return busy;
}

/* What the program, or the machine, has too little of just now. */
static bool is_passing(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM ||
	       err == -ENOSPC || err == -EDQUOT;
}

/* Said once an episode; what passes is tried again at a commit. */
static bool refuse(struct lsv_db *db, int err, const char *what)
{
	if (!db->is_foreign)
		log_error(err, "cannot replicate %s: %s %s", db->path, what,
		          db->dir);
	db->is_foreign = true;
	db->activate_due_ns = is_passing(err)
	                              ? lsv_clock_mono_ns() + ACTIVATE_AGAIN_NS
	                              : INT64_MAX;
	return false;
}

/* Litestream's folder is left to it; ours is apart, within it. */
static int own_folder(struct lsv_db *db)
{
	bool is_stock = false;
	int r = lsv_folder_make(db->path, &is_stock);
	auto_free char *above = NULL;
	char *apart;

	if (r < 0 || !is_stock)
		return r;
	above = lsv_folder_path(db->path);
	apart = above ? lsv_path_join(above, "lsvfs") : NULL;
	if (!apart)
		return -ENOMEM;
	free(db->dir);
	db->dir = apart;
	log_info("%s was replicated by Litestream: its files are left as they "
	         "are, ours are in %s",
	         db->path, apart);
	return lsv_spool_mkdir(apart, lsv_folder_file_mode(db->path));
}

/* The smaller of 1 GiB and half of what is free (design.md section 12). */
static uint64_t default_limit(const char *dir)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (statvfs(dir, &fs) < 0)
		return LOCAL_MAX;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return free_bytes / 2 < LOCAL_MAX ? free_bytes / 2 : LOCAL_MAX;
}

static void say_begun(const struct lsv_db *db)
{
	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica_config *replica =
			&db->config.replicas[i];

		log_info("%s: replicates to %s (%s)", db->path, replica->url,
		         replica->name);
	}
}

static bool activate(struct lsv_db *db)
{
	struct lsv_coord_page *page = NULL;
	int r = own_folder(db);

	if (r < 0)
		return refuse(db, r, "cannot make");
	db->file_mode = lsv_folder_file_mode(db->path);
	if (db->config.max_local_bytes == 0)
		db->config.max_local_bytes = default_limit(db->dir);
	r = lsv_coord_map(db->dir, db->file_mode, &page, &db->coord_ino);
	if (r == -EPROTO)
		return refuse(db, r, "a newer lsvfs writes in");
	if (r == -ENOSPC || r == -EDQUOT)
		r = lsv_coord_alone(&page);
	if (r < 0)
		return refuse(db, r, "cannot share a page in");
	atomic_store(&db->captured_ticket, page->first_ticket);
	atomic_store(&db->role, LSV_FOLLOWING);
	atomic_store_explicit(&db->coord, page, memory_order_release);
	if (db->is_foreign)
		log_info("%s: can be replicated now", db->path);
	db->is_foreign = false;
	say_begun(db);
	return true;
}

bool lsv_db_activate(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = NULL;

	if (lsv_db_coord(db))
		return true;
	held = lsv_lock(&db->shadow);
	if (lsv_db_coord(db))
		return true;
	if (db->is_foreign && lsv_clock_mono_ns() < db->activate_due_ns)
		return false;
	return activate(db);
}

/* With locking_mode=EXCLUSIVE from the start SQLite keeps its shm in heap
 * memory that nobody else sees: what the WAL's writes told stands for it. */
static int heap_live(const struct lsv_file *file, struct lsv_shm *live)
{
	*live = (struct lsv_shm){
		.page_size = file->heap_page_size,
		.mx_frame = file->heap_commit,
		.salt = {file->heap_salt[0], file->heap_salt[1]},
	};
	return file->heap_commit ? 0 : -ENOMSG;
}

int lsv_db_live(struct lsv_db *db, struct lsv_shm *live)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	struct lsv_file *file;

	LIST_FOREACH(file, &db->files, link)
	{
		if (file->is_heap)
			return heap_live(file, live);
		if (file->shm)
			return lsv_shm_read(file->shm, live);
	}
	return -ENODATA;
}
