/* SPDX-License-Identifier: MIT */
/* The methods with a thought in them; forward.c has the others. */
#include "vfs/file.h"

#include "replica/base/clock.h"
#include "vfs/bell.h"
#include "vfs/capture.h"
#include "vfs/checkpoint.h"
#include "vfs/force_wal.h"
#include "vfs/gate.h"
#include "vfs/lower.h"
#include "vfs/plain.h"
#include "vfs/pragma.h"

#include <limits.h>
#include <sys/stat.h>

#define SHM_WRITE 0
#define SHM_CKPT 1
#define SHM_READ0 3
#define SHM_READ1 4
#define N_READERS 4
/* As long as a sync may take; nobody waits so long for more. */
#define OURS_MAX_NS (10 * LSV_NS_PER_S)
#define OURS_SLICE_NS (10 * LSV_NS_PER_MS)

static const sqlite3_io_methods *lower_methods(struct lsv_file *file)
{
	return lsv_lower(file)->pMethods;
}

/* Whether events of this file mean anything to us: not after a fork (the
 * parent's handles have no duties here). */
static bool has_duties(const struct lsv_file *file)
{
	return file->db && file->family == lsv_family();
}

static int main_close(sqlite3_file *f)
{
	struct lsv_file *file = (struct lsv_file *)f;
	struct lsv_db *db = file->db;
	bool is_last;
	int rc;

	if (!has_duties(file))
		return lower_methods(file)->xClose(lsv_lower(file));
	lsv_plain_closing(file);
	lsv_gate_closing(file);
	lsv_capture_checkpoint_ends(file);
	/* No handle of ours outlives the application's last one. */
	is_last = lsv_db_remove_file(db, file) == 0 && !file->is_ours;
	if (is_last)
		lsv_db_exclude(db);
	rc = lower_methods(file)->xClose(lsv_lower(file));
	if (is_last)
		lsv_db_readmit(db);
	if (lsv_db_coord(db) && !file->is_ours)
		lsv_bell_poke(db);
	lsv_db_release(db);
	return rc;
}

static int main_sync(sqlite3_file *f, int flags)
{
	struct lsv_file *file = (struct lsv_file *)f;
	int rc = lower_methods(file)->xSync(lsv_lower(file), flags);

	if (rc == SQLITE_OK && has_duties(file) && file->in_checkpoint)
		atomic_store(&file->db->saw_db_sync, 1);
	return rc;
}

static int main_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	struct lsv_file *file = (struct lsv_file *)f;

	if (file->is_ours && atomic_load(&file->db->interrupt))
		return SQLITE_INTERRUPT;
	return lower_methods(file)->xRead(lsv_lower(file), buf, n, at);
}

static int main_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	struct lsv_file *file = (struct lsv_file *)f;

	/* Not a backfill: a transaction of another journal mode, or what ends
	 * WAL mode.  What a close left captured is no longer what is there. */
	if (!file->in_checkpoint) {
		file->caught_up = false;
		lsv_plain_write(file);
	}
	if (file->is_ours && atomic_load(&file->db->interrupt))
		return SQLITE_INTERRUPT;
	return lower_methods(file)->xWrite(lsv_lower(file), buf, n, at);
}

static int lock_exclusively(struct lsv_file *file)
{
	struct lsv_db *db = file->db;
	/* A last close asks for it before anything else: it waits until ours
	 * is detached, then finds itself the last.  One that is not the last
	 * does not end a snapshot that is being read. */
	bool excludes = !file->is_ours && !lsv_db_has_other_shared(db, file);
	int rc;

	if (excludes)
		lsv_db_exclude(db);
	rc = lower_methods(file)->xLock(lsv_lower(file), SQLITE_LOCK_EXCLUSIVE);
	if (rc == SQLITE_OK) {
		lsv_db_set_exclusive(db, file, true);
		lsv_gate_exclusive(file);
	}
	if (excludes)
		lsv_db_readmit(db);
	return rc;
}

static int main_lock(sqlite3_file *f, int level)
{
	struct lsv_file *file = (struct lsv_file *)f;
	int rc;

	if (!has_duties(file))
		return lower_methods(file)->xLock(lsv_lower(file), level);
	rc = level == SQLITE_LOCK_EXCLUSIVE
	             ? lock_exclusively(file)
	             : lower_methods(file)->xLock(lsv_lower(file), level);
	if (rc == SQLITE_OK)
		atomic_store(&file->lock_level, level);
	return rc;
}

static int main_unlock(sqlite3_file *f, int level)
{
	struct lsv_file *file = (struct lsv_file *)f;
	int rc;

	/* A last close unlocks before it closes. */
	if (has_duties(file))
		lsv_gate_closing(file);
	rc = lower_methods(file)->xUnlock(lsv_lower(file), level);
	if (!has_duties(file))
		return rc;
	lsv_db_set_exclusive(file->db, file, false);
	atomic_store(&file->lock_level, level);
	if (rc == SQLITE_OK && level == SQLITE_LOCK_NONE)
		lsv_force_wal_unlocked(file);
	return rc;
}

static int name_us(struct lsv_file *file, char **name)
{
	sqlite3_file *lower = lsv_lower(file);
	int rc = lower->pMethods->xFileControl(lower, SQLITE_FCNTL_VFSNAME,
	                                       name);

	if (rc == SQLITE_OK)
		*name = sqlite3_mprintf("%s/%z", lsv_vfs_name(), *name);
	return rc;
}

static int main_file_control(sqlite3_file *f, int op, void *arg)
{
	struct lsv_file *file = (struct lsv_file *)f;
	sqlite3_file *lower = lsv_lower(file);
	int rc;

	if (op == SQLITE_FCNTL_VFSNAME)
		return name_us(file, arg);
	if (op == LSV_FCNTL_DB && has_duties(file) && !file->is_ours) {
		*(struct lsv_db **)arg = file->db;
		return SQLITE_OK;
	}
	if (op == SQLITE_FCNTL_PRAGMA && has_duties(file) &&
	    lsv_force_wal_keeps(file, arg))
		return SQLITE_OK;
	if (op == SQLITE_FCNTL_PRAGMA && has_duties(file)) {
		rc = lsv_pragma(file, arg);
		if (rc != SQLITE_NOTFOUND)
			return rc;
	}
	if (has_duties(file) && op == SQLITE_FCNTL_CKPT_START)
		lsv_capture_checkpoint_begins(file);
	if (has_duties(file) && op == SQLITE_FCNTL_PERSIST_WAL)
		lsv_capture_finalise(file);
	rc = lower->pMethods->xFileControl(lower, op, arg);
	if (has_duties(file) && op == SQLITE_FCNTL_CKPT_DONE)
		lsv_capture_checkpoint_ends(file);
	if (has_duties(file) && op == SQLITE_FCNTL_COMMIT_PHASETWO &&
	    (rc == SQLITE_OK || rc == SQLITE_NOTFOUND)) {
		int wait_rc = lsv_capture_phase_two(file);

		if (wait_rc != SQLITE_OK)
			return wait_rc;
	}
	return rc;
}

/* At the first read: what an earlier process left unshipped goes on, what a
 * stranger did since is noticed. */
static void resume(struct lsv_db *db)
{
	auto_free struct lsv_state *state = calloc(1, sizeof *state);
	struct lsv_tuple now;

	if (!state || lsv_db_coord(db) || lsv_state_load(db->dir, state) < 0)
		return;
	if (lsv_replicas_have(db, state, &state->tuple.pos) &&
	    lsv_tuple_of(db->path, &now) == 0 &&
	    lsv_tuple_equal(&state->tuple, &now))
		return;
	if (lsv_db_activate(db))
		lsv_bell_poke(db);
}

static int main_shm_map(sqlite3_file *f, int region, int size, int extend,
                        void volatile **out)
{
	struct lsv_file *file = (struct lsv_file *)f;
	int rc = lower_methods(file)->xShmMap(lsv_lower(file), region, size,
	                                      extend, out);

	if (rc != SQLITE_OK || region != 0 || !*out || !has_duties(file) ||
	    file->shm == *out)
		return rc;
	pthread_mutex_lock(&file->db->mutex);
	file->shm = *out;
	file->is_heap = false;
	pthread_mutex_unlock(&file->db->mutex);
	if (file->is_ours)
		return rc;
	resume(file->db);
	if (atomic_exchange(&file->db->is_parked, 0))
		lsv_bell_poke(file->db);
	return rc;
}

static int main_shm_unmap(sqlite3_file *f, int delete_it)
{
	struct lsv_file *file = (struct lsv_file *)f;

	if (has_duties(file)) {
		/* The worker reads through this pointer under the mutex. */
		pthread_mutex_lock(&file->db->mutex);
		file->shm = NULL;
		pthread_mutex_unlock(&file->db->mutex);
	}
	return lower_methods(file)->xShmUnmap(lsv_lower(file), delete_it);
}

static void main_shm_barrier(sqlite3_file *f)
{
	struct lsv_file *file = (struct lsv_file *)f;

	lower_methods(file)->xShmBarrier(lsv_lower(file));
	if (has_duties(file) && file->has_ckpt)
		lsv_gate_barrier(file);
}

void lsv_file_keep_ckpt(struct lsv_file *file, bool keeps)
{
	file->keeps_ckpt = keeps;
	if (keeps || !file->has_kept_ckpt)
		return;
	file->has_kept_ckpt = false;
	if (!file->has_ckpt)
		lower_methods(file)->xShmLock(lsv_lower(file), SHM_CKPT, 1,
		                              SQLITE_SHM_UNLOCK |
		                                      SQLITE_SHM_EXCLUSIVE);
}

/* SQLite locks and unlocks, and we have it all the while; but not when the
 * next writer can reset. */
static bool is_kept_ckpt(struct lsv_file *file, int offset, int n, int flags)
{
	struct lsv_shm live;

	if (!file->keeps_ckpt || offset != SHM_CKPT || n != 1)
		return false;
	if (flags & SQLITE_SHM_LOCK) {
		file->has_ckpt = file->has_kept_ckpt;
		return file->has_kept_ckpt;
	}
	if (file->shm && lsv_shm_read(file->shm, &live) == 0 &&
	    live.n_backfill >= live.mx_frame)
		return false;
	file->has_ckpt = file->has_barrier_salt = false;
	file->has_kept_ckpt = true;
	return true;
}

/* From before ours asks for WRITE until after it has let it go. */
static void want_write(struct lsv_file *file, bool wants)
{
	struct lsv_db *db = file->db;

	if (!file->is_ours || file->wants_write == wants)
		return;
	file->wants_write = wants;
	if (wants) {
		atomic_fetch_add(&db->n_ours_writing, 1);
		return;
	}
	atomic_fetch_add(&db->n_ours_written, 1);
	atomic_fetch_sub(&db->n_ours_writing, 1);
	lsv_futex_wake(&db->n_ours_written, INT_MAX);
}

static int shm_unlock(struct lsv_file *file, int offset, int n, int flags)
{
	bool is_exclusive = flags & SQLITE_SHM_EXCLUSIVE;
	int rc;

	if (is_exclusive && offset == SHM_WRITE)
		lsv_capture_end(file);
	if (is_exclusive && offset == SHM_READ1 && n == N_READERS)
		lsv_gate_leaving(file);
	rc = lower_methods(file)->xShmLock(lsv_lower(file), offset, n, flags);
	if (is_exclusive && offset == SHM_WRITE)
		want_write(file, false);
	if (!is_exclusive)
		return rc;
	if (offset <= SHM_CKPT && SHM_CKPT < offset + n)
		file->has_ckpt = file->has_barrier_salt = file->has_kept_ckpt =
			false;
	if (offset == SHM_READ1 && n == N_READERS)
		lsv_gate_left(file);
	return rc;
}

/* A lock that was granted exclusively. */
static int shm_granted(struct lsv_file *file, int offset, int n)
{
	sqlite3_file *lower = lsv_lower(file);

	if (offset == SHM_WRITE)
		lsv_capture_begin(file);
	if (offset <= SHM_CKPT && SHM_CKPT < offset + n)
		file->has_ckpt = true;
	if (offset == SHM_READ0 && n == 1 && file->has_ckpt &&
	    !lsv_gate_may_backfill(file)) {
		lower->pMethods->xShmLock(lower, offset, n,
		                          SQLITE_SHM_UNLOCK |
		                                  SQLITE_SHM_EXCLUSIVE);
		return SQLITE_BUSY;
	}
	return SQLITE_OK;
}

/* That ours has WRITE, at the end of a drain, is not the application's
 * business: it waits.  Whether it was ours that was in the way is told by what
 * was so before and after; of another process it is not known, and tried once
 * more. */
static int lock_write(struct lsv_file *file, int n, int flags)
{
	sqlite3_file *lower = lsv_lower(file);
	struct lsv_db *db = file->db;
	int64_t until_ns = 0;

	for (;;) {
		bool is_first = until_ns == 0;
		bool was_ours = atomic_load(&db->n_ours_writing) > 0;
		uint32_t n_written = atomic_load(&db->n_ours_written);
		int rc = lower->pMethods->xShmLock(lower, SHM_WRITE, n, flags);

		if (rc != SQLITE_BUSY)
			return rc;
		was_ours |= atomic_load(&db->n_ours_writing) > 0 ||
		            atomic_load(&db->n_ours_written) != n_written;
		was_ours |= is_first && atomic_load(&db->role) == LSV_FOLLOWING;
		if (is_first)
			until_ns = lsv_clock_mono_ns() + OURS_MAX_NS;
		if (!was_ours || lsv_clock_mono_ns() >= until_ns)
			return rc;
		lsv_checkpoint_yield(file);
		if (atomic_load(&db->n_ours_writing) > 0)
			lsv_futex_wait(&db->n_ours_written, n_written,
			               OURS_SLICE_NS);
	}
}

/* An application's, or one of ours. */
static int shm_lock(struct lsv_file *file, int offset, int n, int flags)
{
	sqlite3_file *lower = lsv_lower(file);
	int rc;

	if (offset != SHM_WRITE || !(flags & SQLITE_SHM_EXCLUSIVE))
		return lower->pMethods->xShmLock(lower, offset, n, flags);
	if (!file->is_ours)
		return lock_write(file, n, flags);
	want_write(file, true);
	rc = lower->pMethods->xShmLock(lower, offset, n, flags);
	if (rc != SQLITE_OK)
		want_write(file, false);
	return rc;
}

static int main_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	struct lsv_file *file = (struct lsv_file *)f;
	sqlite3_file *lower = lsv_lower(file);
	bool is_exclusive = flags & SQLITE_SHM_EXCLUSIVE;
	int rc;

	if (!has_duties(file))
		return lower->pMethods->xShmLock(lower, offset, n, flags);
	if (is_kept_ckpt(file, offset, n, flags))
		return SQLITE_OK;
	if (flags & SQLITE_SHM_UNLOCK)
		return shm_unlock(file, offset, n, flags);
	if (is_exclusive && offset == SHM_READ1 && n == N_READERS)
		return lsv_gate_enter(file);
	/* A new read waits for a drain, then is told to choose again: the mark
	 * that it chose before would keep the WAL from being reset, where
	 * READ0 does not.  (SQLite takes BUSY here for a mark that moved.)  Who
	 * reads already may go on to WRITE: held up there it would append after
	 * the drain. */
	if (!file->is_ours && !is_exclusive && offset >= SHM_READ1 &&
	    lsv_checkpoint_yield(file))
		return SQLITE_BUSY;
	rc = shm_lock(file, offset, n, flags);
	return rc == SQLITE_OK && is_exclusive ? shm_granted(file, offset, n)
	                                       : rc;
}

/* What is held of the transaction, before anybody could miss it.  A handle of
 * the process before a fork holds nothing of ours. */
static int flush(struct lsv_file *file)
{
	return has_duties(file)
	               ? lsv_coalesce_flush(&file->held, lsv_lower(file))
	               : SQLITE_OK;
}

static int wal_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	struct lsv_file *file = (struct lsv_file *)f;
	int rc = flush(file);

	return rc != SQLITE_OK ? rc
	                       : lower_methods(file)->xRead(lsv_lower(file),
	                                                    buf, n, at);
}

static int wal_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct lsv_file *file = (struct lsv_file *)f;
	int rc = flush(file);

	return rc != SQLITE_OK
	               ? rc
	               : lower_methods(file)->xFileSize(lsv_lower(file), size);
}

static int wal_file_control(sqlite3_file *f, int op, void *arg)
{
	struct lsv_file *file = (struct lsv_file *)f;
	int rc = flush(file);

	return rc != SQLITE_OK ? rc
	                       : lower_methods(file)->xFileControl(
					 lsv_lower(file), op, arg);
}

static int wal_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	struct lsv_file *file = (struct lsv_file *)f;
	struct lsv_file *main = file->main;
	bool excludes = false;
	int rc;

	if (has_duties(file) && main) {
		if (at == 0) {
			main->syncs_header = true;
			excludes = lsv_capture_exclude(main);
		}
		lsv_capture_wal_write(file, buf, n, at);
	}
	rc = has_duties(file)
	             ? lsv_coalesce_write(&file->held, lsv_lower(file), buf, n,
	                                  at)
	             : lower_methods(file)->xWrite(lsv_lower(file), buf, n, at);
	if (excludes)
		lsv_capture_readmit(main);
	return rc;
}

static int wal_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct lsv_file *file = (struct lsv_file *)f;
	struct lsv_file *main = file->main;
	bool excludes = false;
	int rc = flush(file);

	if (rc != SQLITE_OK)
		return rc;
	if (has_duties(file) && main && size == 0) {
		excludes = lsv_capture_exclude(main);
		lsv_capture_wal_truncate(file);
	}
	rc = lower_methods(file)->xTruncate(lsv_lower(file), size);
	if (excludes)
		lsv_capture_readmit(main);
	return rc;
}

static int wal_sync(sqlite3_file *f, int flags)
{
	struct lsv_file *file = (struct lsv_file *)f;
	struct lsv_file *main = file->main;
	int rc = flush(file);

	if (rc != SQLITE_OK)
		return rc;
	if (has_duties(file) && main && !main->is_ours) {
		lsv_capture_finalise(main);
		/* NORMAL syncs a new header, FULL every commit. */
		if (!main->in_checkpoint && !main->syncs_header)
			atomic_store(&file->db->is_sync_full, 1);
		main->syncs_header = false;
	}
	if (has_duties(file) && main && main->is_ours && main->in_checkpoint)
		return lsv_checkpoint_sync_wal(file, flags);
	return lower_methods(file)->xSync(lsv_lower(file), flags);
}

static int wal_close(sqlite3_file *f)
{
	struct lsv_file *file = (struct lsv_file *)f;

	if (file->main) {
		if (has_duties(file))
			lsv_capture_finalise(file->main);
		file->main->wal = NULL;
	}
	lsv_coalesce_end(&file->held);
	return lower_methods(file)->xClose(lsv_lower(file));
}

void lsv_file_set_methods(struct lsv_file *file)
{
	sqlite3_io_methods *m = &file->methods;

	lsv_forward_methods(m);
	if (file->kind == LSV_FILE_MAIN) {
		m->xClose = main_close;
		m->xSync = main_sync;
		m->xRead = main_read;
		m->xWrite = main_write;
		m->xLock = main_lock;
		m->xUnlock = main_unlock;
		m->xFileControl = main_file_control;
		m->xShmMap = main_shm_map;
		m->xShmUnmap = main_shm_unmap;
		m->xShmBarrier = main_shm_barrier;
		m->xShmLock = main_shm_lock;
	} else {
		m->xClose = wal_close;
		m->xRead = wal_read;
		m->xFileSize = wal_file_size;
		m->xFileControl = wal_file_control;
		m->xWrite = wal_write;
		m->xTruncate = wal_truncate;
		m->xSync = wal_sync;
	}
	lsv_forward_limit(m, lower_methods(file));
	file->base.pMethods = m;
}

struct lsv_file *lsv_file_of(sqlite3_file *f)
{
	struct lsv_file *file = (struct lsv_file *)f;

	/* Each file of ours points into itself. */
	if (!f || f->pMethods != &file->methods ||
	    f->pMethods->xClose != main_close)
		return NULL;
	return file;
}
