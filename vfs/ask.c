/* SPDX-License-Identifier: MIT */
#include "vfs/ask.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/store/url.h"
#include "vfs/bell.h"
#include "vfs/checkpoint.h"
#include "vfs/lead.h"
#include "vfs/plain.h"
#include "vfs/replica.h"
#include "vfs/served.h"

#include <errno.h>
#include <string.h>

#define LEADER_WAIT_NS LSV_NS_PER_S
#define LOOK_NS (10 * LSV_NS_PER_MS)

/* Whatever the last look at it found. */
static bool activate(struct lsv_db *db)
{
	atomic_store(&db->is_parked, 0);
	return lsv_db_activate(db);
}

/* Who leads from now on may ship to fewer replicas than who leads then: of a
 * ticket that the one drew and the other answered nothing is known. */
static int wait_under_one(struct lsv_db *db, int64_t timeout_ns)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int64_t until_ns = lsv_clock_mono_ns() + timeout_ns;
	uint64_t epoch;
	int r;

	do {
		int64_t left_ns = until_ns - lsv_clock_mono_ns();

		epoch = atomic_load(&coord->epoch);
		r = lsv_bell_wait(db, lsv_bell_ticket(db),
		                  timeout_ns < 0 ? -1
		                  : left_ns < 0  ? 0
		                                 : left_ns,
		                  false);
	} while (r == 0 && atomic_load(&coord->epoch) != epoch);
	return r;
}

int lsv_ask_sync(struct lsv_db *db, int64_t timeout_ns)
{
	int r;

	/* What never comes is not waited for, nor at the process's end. */
	if (lsv_plain_look(db) != LSV_JOURNAL_WAL)
		return -EINVAL;
	if (!activate(db))
		return -EIO;
	r = wait_under_one(db, timeout_ns);
	if (r == 0 && !lsv_served_all(db)) {
		lsv_served_tell(db);
		r = -EIO;
	}
	return r == 0 || r == -ETIMEDOUT || r == -EPERM ? r : -EIO;
}

/* The shared page has all of the live head, whoever put it there.  Where no
 * connection has read yet there is no head to ask, and none of them has
 * committed either. */
static bool is_captured(struct lsv_db *db, struct lsv_captured *captured)
{
	struct lsv_shm live;
	int r;

	if (!lsv_coord_captured(lsv_db_coord(db), captured) ||
	    captured->generation == 0)
		return false;
	r = lsv_db_live(db, &live);
	return r == -ENODATA ||
	       (r == 0 && (live.mx_frame == 0 ||
	                   (live.mx_frame == captured->frame &&
	                    lsv_salt_equal(live.salt, captured->salt))));
}

/* We lead, and nobody has touched the database since it was captured, in
 * another process or another boot. */
static bool is_at_rest(struct lsv_db *db, uint64_t *txid)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (!lsv_lead_holds(db) || !db->wal || !lsv_lead_is_at_rest(db))
		return false;
	*txid = lsv_shadow_end(db->wal)->commit.txid;
	return true;
}

int lsv_ask_txid(struct lsv_db *db, uint64_t *txid)
{
	int64_t until_ns = lsv_clock_mono_ns() + LEADER_WAIT_NS;
	struct lsv_captured captured = {0};
	int r;

	if (!activate(db))
		return -ENODATA;
	/* Another process leads, or is about to, or the generation is only
	 * just beginning: whoever does that is woken, and waited for as long
	 * as a checkpointer would. */
	while ((r = lsv_lead_settle(db, UINT64_MAX)) < 0 &&
	       !is_captured(db, &captured)) {
		uint32_t done = atomic_load(&lsv_db_coord(db)->done);

		if (is_at_rest(db, txid))
			return 0;
		if (lsv_clock_mono_ns() >= until_ns)
			return r == -EAGAIN ? r : -ENODATA;
		lsv_bell_hurry(db);
		lsv_futex_wait(&lsv_db_coord(db)->done, done, LOOK_NS);
	}
	if (!lsv_coord_captured(lsv_db_coord(db), &captured) ||
	    captured.generation == 0)
		return -ENODATA;
	*txid = captured.txid;
	return 0;
}

int lsv_ask_checkpoint(struct lsv_db *db, uint32_t *n_done, uint32_t *n_all)
{
	struct lsv_shm after;
	int r = lsv_checkpoint_now(db);

	if (r == 0)
		r = lsv_db_live(db, &after);
	if (r < 0)
		return r == -EBUSY ? r : -EIO;
	*n_all = after.mx_frame;
	*n_done = after.n_backfill < after.mx_frame ? after.n_backfill
	                                            : after.mx_frame;
	return 0;
}

int lsv_ask_snapshot(struct lsv_db *db)
{
	if (!activate(db) || (lsv_lead_settle(db, UINT64_MAX) == -EAGAIN &&
	                      atomic_load(&db->role) < LSV_ADRIFT))
		return -EBUSY;
	atomic_store(&db->is_snapshot_wished, 1);
	lsv_bell_hurry(db);
	return 0;
}

void lsv_ask_status_of(struct lsv_db *db, struct lsv_status *status)
{
	struct lsv_shm live = {0};

	if (lsv_db_live(db, &live) < 0)
		live.mx_frame = 0;
	lsv_status_read(db->path, &live,
	                lsv_plain_look(db) == LSV_JOURNAL_PLAIN, status);
}

char *lsv_ask_replicas(struct lsv_db *db)
{
	char *all = strdup("");

	for (size_t i = 0; all && i < db->config.n_replicas; i++) {
		char place[LSV_URL_SHOWN_SIZE];
		char *more;

		lsv_url_show(db->config.replicas[i].url, place, sizeof place);
		more = lsv_sprintf("%s%s%s", all, i ? "\n" : "", place);
		free(all);
		all = more;
	}
	return all;
}

char *lsv_ask_status(struct lsv_db *db)
{
	struct lsv_status *status = malloc(sizeof *status);
	char *json = NULL;

	if (!status)
		return NULL;
	lsv_ask_status_of(db, status);
	json = lsv_status_json(status);
	free(status);
	return json;
}
