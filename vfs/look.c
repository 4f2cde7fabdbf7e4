/* SPDX-License-Identifier: MIT */
#include "vfs/look.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "vfs/begin.h"
#include "vfs/bell.h"
#include "vfs/checkpoint.h"
#include "vfs/copy.h"
#include "vfs/deliver.h"
#include "vfs/follow.h"
#include "vfs/guard.h"
#include "vfs/lead.h"
#include "vfs/plain.h"
#include "vfs/space.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUIET_LOOKS 2
/* A small database is not snapshot again for every few commits. */
#define SNAPSHOT_SLACK (UINT64_C(16) << 20)
#define AGAIN_NS (20 * LSV_NS_PER_MS)
#define HANGING_NS (5 * LSV_NS_PER_S)

/* What a look found out under the shadow's mutex. */
struct view {
	struct lsv_pos end; /* of the shadow; generation 0: none */
	bool is_complete;   /* it has all that was committed before the look */
	bool wants_begin;   /* a new generation is due */
	bool wants_visit;   /* no connection shows what the last one left */
	uint64_t txid;
	uint64_t ticket;
	uint64_t dirty;          /* before the look */
	uint32_t wake;           /* before the look, of a page that we lead */
	uint32_t snapshot_index; /* the newest of the generation */
};

static void due(struct lsv_db *db, int64_t at_ns)
{
	if (at_ns < db->due_ns)
		db->due_ns = at_ns;
}

static int n_files(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	return db->n_files;
}

/* A connection of this process shows what is committed: one that has not read
 * yet, or not again, is open and does not. */
static bool is_shown(struct lsv_db *db)
{
	struct lsv_shm live;

	return lsv_db_live(db, &live) != -ENODATA;
}

static void view_end(struct lsv_db *db, struct view *view)
{
	if (!db->wal)
		return;
	view->end = (struct lsv_pos){db->generation, lsv_shadow_index(db->wal),
	                             lsv_shadow_end(db->wal)->commit.end};
	view->txid = lsv_shadow_end(db->wal)->commit.txid;
	view->snapshot_index = db->snapshot_index;
}

/* After a copy: no commit is missing.  Where no connection has read yet there
 * is no head to ask, but then there is no WAL either. */
static bool has_all(struct lsv_db *db, int r)
{
	struct stat st;

	if (r == -ENODATA)
		return stat(db->wal_path, &st) < 0 || st.st_size == 0;
	return r == 0;
}

/* Without a live head.  Where no connection of this process shows it, somebody
 * else may have it open, who left the WAL of a last close here where it was. */
static void view_adrift(struct lsv_db *db, struct view *view, bool shown)
{
	bool is_gone = !shown && access(db->path, F_OK) < 0 && errno == ENOENT;

	view->wants_begin = db->reason && !is_gone;
	view->is_complete = is_gone || (!db->reason && lsv_lead_is_at_rest(db));
	view->wants_visit = !shown && !view->wants_begin && !view->is_complete;
}

/* Under the shadow's mutex. */
static int look_at_shadow(struct lsv_db *db, struct view *view)
{
	bool shown;
	int r = 0;

	if (atomic_load(&db->role) < LSV_ADRIFT) {
		r = lsv_lead_take(db);
		atomic_store(&db->is_parked, 0);
		/* Until now our own commits called whoever leads, too. */
		view->wake = atomic_load(&lsv_db_coord(db)->wake);
	}
	if (r < 0 || !lsv_lead_holds(db))
		return -EAGAIN;
	shown = is_shown(db);
	if (atomic_load(&db->role) == LSV_LIVE && !shown)
		lsv_lead_detach(db);
	if (atomic_load(&db->role) == LSV_ADRIFT && !db->reason && shown)
		lsv_lead_attach(db);
	if (atomic_load(&db->role) == LSV_LIVE)
		view->is_complete = has_all(db,
		                            lsv_copy_commits(db, UINT64_MAX));
	if (atomic_load(&db->role) == LSV_ADRIFT)
		view_adrift(db, view, shown);
	view_end(db, view);
	if (view->is_complete)
		atomic_store(&db->captured_ticket, view->ticket);
	return 0;
}

/* When may the replica be tried next?  To wait saves no put of an index that
 * is whole. */
static int64_t deliver_due(struct lsv_replica *replica, const struct view *view)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	return lsv_replica_due_ns(
		replica, lsv_bell_is_awaited(replica->db) ||
				 lsv_replica_wants_whole(replica, &view->end));
}

/* Its end hurries the worker. */
static void queue_when_due(struct lsv_replica *replica, lsv_job_fn *fn,
                           const struct view *view, int64_t now_ns)
{
	int64_t at_ns = deliver_due(replica, view);

	if (now_ns >= at_ns)
		lsv_job_queue(replica->db, replica, fn);
	else
		due(replica->db, at_ns);
}

/* What is left of a generation that ended can still be delivered.  One that
 * hangs is not waited for. */
static bool has_tail(const struct lsv_replica *replica, const struct view *view,
                     int64_t now_ns)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	return view->end.generation && replica->has_snapshot &&
	       replica->n_failures == 0 &&
	       lsv_replica_wants(replica, &view->end) &&
	       !(replica->is_job_queued &&
	         now_ns - replica->job_since_ns > HANGING_NS);
}

/* It stands where an index began with a snapshot, and nothing was committed
 * since. */
static bool lacks_snapshot(const struct lsv_replica *replica,
                           const struct view *view)
{
	return !replica->is_broken && replica->has_snapshot &&
	       view->end.offset == 0 &&
	       view->end.index == view->snapshot_index &&
	       replica->snapshot_index < view->snapshot_index;
}

static bool wants_delivery(const struct lsv_replica *replica,
                           const struct view *view)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	return view->end.generation &&
	       (lsv_replica_wants(replica, &view->end) ||
	        lacks_snapshot(replica, view));
}

static bool is_given_up(const struct lsv_replica *replica,
                        const struct view *view)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	return replica->is_broken &&
	       replica->shipped.generation == view->end.generation;
}

/* When the next snapshot is due by time, UTC; 0: never. */
static int64_t snapshot_due_ns(const struct lsv_replica *replica)
{
	int64_t interval_ns = replica->config->snapshot_interval_ns;

	/* Without newer snapshots nothing old could ever go. */
	if (interval_ns == 0)
		interval_ns = replica->config->retention_ns;
	return interval_ns ? replica->snapshot_ns + interval_ns : 0;
}

/* Not while it still waits for the one before. */
static bool wants_snapshot(struct lsv_replica *replica, const struct view *view,
                           int64_t now_ns)
{
	struct lsv_db *db = replica->db;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	int64_t at_ns = snapshot_due_ns(replica), left_ns;

	if (replica->shipped.generation != view->end.generation ||
	    !replica->has_snapshot ||
	    replica->snapshot_index < view->snapshot_index ||
	    replica->since_snapshot == 0 || replica->n_failures ||
	    replica->is_broken)
		return false;
	if (replica->since_snapshot >
	            replica->snapshot_bytes + SNAPSHOT_SLACK ||
	    atomic_load(&db->is_snapshot_wished))
		return true;
	if (at_ns == 0)
		return false;
	left_ns = at_ns - lsv_clock_ns();
	if (left_ns > 0)
		due(db, now_ns + left_ns);
	return left_ns <= 0;
}

/* One snapshot serves all replicas. */
static void snapshot_when_due(struct lsv_db *db, const struct view *view,
                              int64_t now_ns)
{
	int64_t begin_due_ns = atomic_load(&db->begin_due_ns);

	if (atomic_load(&db->role) != LSV_LIVE)
		return;
	if (now_ns < begin_due_ns) {
		due(db, begin_due_ns);
		return;
	}
	for (size_t i = 0; i < db->config.n_replicas; i++) {
		if (!wants_snapshot(&db->replicas[i], view, now_ns))
			continue;
		lsv_job_queue(db, NULL, lsv_begin_index);
		return;
	}
}

/* While local space is used up, only a replica that answers lets a new
 * generation begin. */
static bool is_over_limit(struct lsv_db *db, const struct view *view,
                          int64_t now_ns)
{
	if (atomic_load(&db->n_failing) < (int)db->config.n_replicas)
		db->is_over_limit = false;
	for (size_t i = 0; db->is_over_limit && i < db->config.n_replicas; i++)
		queue_when_due(&db->replicas[i], lsv_deliver_probe, view,
		               now_ns);
	return db->is_over_limit;
}

static void begin_when_due(struct lsv_db *db, const struct view *view,
                           int64_t now_ns)
{
	int64_t begin_due_ns = atomic_load(&db->begin_due_ns);
	bool waits = false;

	for (size_t i = 0; i < db->config.n_replicas; i++) {
		if (!has_tail(&db->replicas[i], view, now_ns))
			continue;
		queue_when_due(&db->replicas[i], lsv_deliver, view, now_ns);
		waits = true;
	}
	if (waits) {
		due(db, now_ns + HANGING_NS);
		return;
	}
	if (is_over_limit(db, view, now_ns) ||
	    (atomic_load(&db->is_parked) && !is_shown(db)))
		return;
	if (now_ns >= begin_due_ns)
		lsv_job_queue(db, NULL, lsv_begin);
	else
		due(db, begin_due_ns);
}

static void deliver_when_due(struct lsv_db *db, const struct view *view,
                             int64_t now_ns)
{
	for (size_t i = 0; i < db->config.n_replicas; i++)
		if (wants_delivery(&db->replicas[i], view) ||
		    is_given_up(&db->replicas[i], view))
			queue_when_due(&db->replicas[i], lsv_deliver, view,
			               now_ns);
	snapshot_when_due(db, view, now_ns);
}

/* What is everywhere is known to be there: whoever waits may go. */
static void settle_tickets(struct lsv_db *db, const struct view *view)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	bool is_everywhere = true;

	for (size_t i = 0; i < db->config.n_replicas; i++) {
		struct lsv_replica *replica = &db->replicas[i];

		/* A job settles what it delivers, once that is on record. */
		if (replica->is_broken || replica->is_job_queued ||
		    (view->end.generation &&
		     lsv_replica_wants(replica, &view->end)))
			is_everywhere = false;
		else if (view->is_complete && view->ticket > replica->ticket)
			replica->ticket = view->ticket;
	}
	if (is_everywhere && view->is_complete)
		lsv_follow_forget(db, view->dirty);
	lsv_replicas_settle(db);
}

/* All that was committed before 'wake' was read is in the shadow. */
static void has_seen_all(struct lsv_db *db, uint32_t wake)
{
	atomic_store(&db->is_unseen, 0);
	atomic_store(&db->owes, 0);
	atomic_store(&db->wake_done, wake);
}

/* A job.  A last close that left the WAL to other processes' connections left
 * what it had not copied, too. */
static void visit(struct lsv_db *db, struct lsv_replica *none)
{
	struct view view = {
		.is_complete = true,
		.ticket = atomic_load(&lsv_db_coord(db)->request),
		.dirty = atomic_load(&db->dirty),
	};
	uint32_t wake = atomic_load(&lsv_db_coord(db)->wake);
	bool is_current;

	(void)none;
	if (lsv_begin_again(db) < 0)
		return;
	pthread_mutex_lock(&db->shadow);
	is_current = lsv_lead_holds(db) && !db->reason;
	view_end(db, &view);
	if (is_current && view.ticket > atomic_load(&db->captured_ticket))
		atomic_store(&db->captured_ticket, view.ticket);
	pthread_mutex_unlock(&db->shadow);
	if (!is_current)
		return;
	has_seen_all(db, wake);
	settle_tickets(db, &view);
}

static void visit_when_due(struct lsv_db *db, const struct view *view,
                           int64_t now_ns)
{
	int64_t at_ns = atomic_load(&db->begin_due_ns);

	if (!view->wants_visit ||
	    (atomic_load(&db->dirty) == 0 && !atomic_load(&db->is_unseen) &&
	     view->ticket <= atomic_load(&db->captured_ticket)))
		return;
	if (now_ns >= at_ns)
		lsv_job_queue(db, NULL, visit);
	else
		due(db, at_ns);
}

static bool has_job(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	return db->is_job_queued;
}

static void schedule(struct lsv_db *db, const struct view *view, int64_t now_ns)
{
	if (has_job(db))
		return;
	if (view->wants_begin) {
		begin_when_due(db, view, now_ns);
		return;
	}
	deliver_when_due(db, view, now_ns);
	visit_when_due(db, view, now_ns);
	settle_tickets(db, view);
}

/* Other processes commit and this one has no connection to see it by. */
static bool must_let_go(struct lsv_db *db, uint32_t wake)
{
	if (is_shown(db))
		db->is_called = false;
	else if (wake != db->wake_seen)
		db->is_called = true;
	return db->is_called && !lsv_db_is_busy(db);
}

/* Its file is gone, no connection is left, and the replicas have what there
 * was: then nobody will ever wake us for it. */
static bool has_vanished(struct lsv_db *db, const struct view *view)
{
	if (n_files(db) > 0 || lsv_db_is_busy(db) ||
	    atomic_load(&db->dirty) > 0)
		return false;
	for (size_t i = 0; i < db->config.n_replicas; i++)
		if (wants_delivery(&db->replicas[i], view))
			return false;
	return access(db->path, F_OK) < 0 && errno == ENOENT;
}

/* Whoever called may be gone before it leads: then we do again, in a while. */
static void let_go(struct lsv_db *db, int64_t now_ns)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	lsv_lead_drop(db);
	db->is_called = false;
	atomic_store(&db->owes, 1);
	due(db, now_ns + db->config.sync_interval_ns);
	atomic_fetch_add(&lsv_db_coord(db)->done, 1);
	lsv_futex_wake(&lsv_db_coord(db)->done, INT_MAX);
}

/* From before continuity is looked at until we do not lead any more.  Where no
 * checkpoint of ours is wanted the WAL would never be reset. */
static void guard(struct lsv_db *db, bool holds)
{
	if (!atomic_load(&db->wants_guard) || lsv_db_enter(db) < 0)
		return;
	/* Asked again: who ends this goes in after us. */
	if (holds && atomic_load(&db->wants_guard) && !atomic_load(&db->native))
		lsv_guard_hold(db);
	else
		lsv_guard_drop(db);
	lsv_db_leave(db);
}

void lsv_look(struct lsv_db *db, int64_t now_ns)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	struct view view = {.wake = atomic_load(&coord->wake),
	                    .ticket = atomic_load(&coord->request),
	                    .dirty = atomic_load(&db->dirty)};
	int r;

	db->due_ns = INT64_MAX;
	db->naps = false;
	guard(db, true);
	pthread_mutex_lock(&db->shadow);
	r = atomic_load(&db->is_leaving) ? -ECANCELED
	                                 : look_at_shadow(db, &view);
	pthread_mutex_unlock(&db->shadow);
	if (r == -ECANCELED) {
		guard(db, false);
		return;
	}
	if (r < 0) {
		atomic_store(&db->owes, 0);
		guard(db, false);
		lsv_follow(db, view.ticket, view.dirty, now_ns);
		return;
	}
	db->followed_dirty = 0;
	if (has_vanished(db, &view)) {
		settle_tickets(db, &view);
		let_go(db, now_ns);
		atomic_store(&db->owes, 0);
		db->due_ns = INT64_MAX;
		return;
	}
	if (db->is_led && must_let_go(db, view.wake)) {
		let_go(db, now_ns);
		/* It may have been our own commit that woke us, before we led:
		 * what is not shipped yet must not be forgotten. */
		lsv_follow(db, view.ticket, view.dirty, now_ns);
		if (atomic_load(&db->dirty) > 0)
			due(db, now_ns + AGAIN_NS);
		return;
	}
	if (view.is_complete)
		has_seen_all(db, view.wake);
	else if (!db->is_led || db->is_called)
		atomic_store(&db->is_unseen, 1);
	db->wake_seen = view.wake;
	atomic_store(&coord->advanced_ns, now_ns);
	if (atomic_load(&db->role) == LSV_LIVE)
		lsv_checkpoint_look(db, now_ns);
	lsv_space_bound(db, now_ns);
	schedule(db, &view, now_ns);
	/* Somebody waits for what cannot be told yet. */
	if (!view.is_complete && !view.wants_begin &&
	    view.ticket > atomic_load(&db->captured_ticket))
		due(db, now_ns + AGAIN_NS);
	if (view.txid != db->seen_txid)
		db->n_quiet = 0;
	db->seen_txid = view.txid;
	db->naps = ++db->n_quiet <= QUIET_LOOKS;
}

bool lsv_look_has_news(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	struct lsv_captured captured;
	struct lsv_shm live;

	/* A follower watches over each commit of its own. */
	if (atomic_load(&db->role) == LSV_FOLLOWING)
		return atomic_load(&db->dirty) > 0;
	if (atomic_load(&db->role) < LSV_ADRIFT)
		return false;
	/* Who called before it was said that we sleep did not wake us. */
	if (atomic_load(&coord->wake) != db->wake_seen)
		return true;
	return atomic_load(&db->role) == LSV_LIVE &&
	       lsv_db_live(db, &live) == 0 &&
	       lsv_coord_captured(coord, &captured) &&
	       captured.generation != 0 && live.mx_frame != 0 &&
	       (live.mx_frame != captured.frame ||
	        !lsv_salt_equal(live.salt, captured.salt));
}

/* Other processes committed since all was in the shadow. */
static bool is_called(struct lsv_db *db)
{
	return atomic_load(&lsv_db_coord(db)->wake) !=
	       atomic_load(&db->wake_done);
}

bool lsv_look_leave(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (atomic_load(&db->role) < LSV_ADRIFT)
		return false;
	atomic_store(&db->is_leaving, 1);
	lsv_lead_drop(db);
	/* Who commits later finds nobody leading. */
	if (!is_called(db))
		return false;
	atomic_store(&db->owes, 1);
	atomic_store(&db->is_leaving, 0);
	return true;
}

/* Somebody's commit is not known to be in the shadow. */
static bool is_behind(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	/* Another process leads: it is its business. */
	if (atomic_load(&db->role) < LSV_ADRIFT)
		return (atomic_load(&db->dirty) > 0 ||
		        atomic_load(&db->owes)) &&
		       !lsv_lead_is_led(db);
	return atomic_load(&db->dirty) > 0 || is_called(db);
}

static bool has_to_deliver(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	struct view view = {0};

	if (atomic_load(&db->role) < LSV_ADRIFT)
		return false;
	view_end(db, &view);
	for (size_t i = 0; i < db->config.n_replicas; i++)
		if (wants_delivery(&db->replicas[i], &view))
			return true;
	return false;
}

bool lsv_look_is_pending(struct lsv_db *db)
{
	/* What left WAL mode has nothing more to be copied. */
	return has_to_deliver(db) ||
	       (is_behind(db) && lsv_plain_look(db) != LSV_JOURNAL_PLAIN);
}
