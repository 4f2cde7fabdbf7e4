/* SPDX-License-Identifier: MIT */
#include "vfs/deliver.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/ship/owner.h"
#include "replica/spool/catalogue.h"
#include "replica/spool/folder.h"
#include "vfs/bell.h"
#include "vfs/haul.h"
#include "vfs/lead.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_NS (20 * LSV_NS_PER_MS)
#define OWNER_CHECK_NS (60 * LSV_NS_PER_S)

/* Before its time it gets whole indexes only: one put each, as later. */
static bool is_early(const struct lsv_haul *haul)
{
	const struct lsv_replica *replica = haul->replica;
	auto_unlock pthread_mutex_t *held = lsv_lock(&haul->db->mutex);

	return lsv_replica_wants_whole(replica, &haul->end) &&
	       lsv_replica_due_ns(replica, lsv_bell_is_awaited(haul->db)) >
	               lsv_clock_mono_ns();
}

static int set_goal(struct lsv_haul *haul)
{
	struct lsv_db *db = haul->db;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	/* The snapshot belongs before the first segment of its index. */
	if (!lsv_lead_holds(db) || db->is_snapshot_pending)
		return -EAGAIN;
	if (!db->wal)
		return -ENODATA;
	haul->gen_dir = strdup(db->gen_dir);
	haul->catalogue = lsv_catalogue_path(
		db->dir, lsv_replica_hash(haul->replica->config));
	if (!haul->gen_dir || !haul->catalogue)
		return -ENOMEM;
	haul->end = (struct lsv_pos){db->generation, lsv_shadow_index(db->wal),
	                             lsv_shadow_end(db->wal)->commit.end};
	haul->page_size = lsv_shadow_page_size(db->wal);
	haul->ticket = atomic_load(&db->captured_ticket);
	if (is_early(haul)) {
		haul->end.offset = 0;
		haul->ticket = 0;
	}
	haul->upload = (struct lsv_upload){
		.gen_dir = haul->gen_dir,
		.generation = db->generation,
		.codec = db->config.compression,
	};
	memcpy(haul->upload.lineage, db->lineage, sizeof haul->upload.lineage);
	return 0;
}

/* ---- Whose it is ---- */

/* With the client's own words. */
static int failed(struct lsv_replica *replica, int r,
                  char why[LSV_OWNER_WHY_SIZE])
{
	snprintf(why, LSV_OWNER_WHY_SIZE, "%s",
	         lsv_client_why(replica->client, r));
	return r;
}

static int check_owner(struct lsv_replica *replica,
                       char why[LSV_OWNER_WHY_SIZE])
{
	struct lsv_db *db = replica->db;
	struct lsv_owner_self self = {
		.lineage = db->lineage,
		.generation = db->generation,
		.parent = db->parent.generation,
		.db_path = db->path,
	};
	struct lsv_pos origin = {0};
	int r;

	lsv_folder_parent(db->dir, &origin);
	self.origin = origin.generation;
	replica->owner_check_ns = lsv_clock_mono_ns();
	r = lsv_owner_check(replica->client, &self, why);
	return r < 0 && r != -EPERM ? failed(replica, r, why) : r;
}

static int put_owner(struct lsv_replica *replica, char why[LSV_OWNER_WHY_SIZE])
{
	struct lsv_db *db = replica->db;
	int r = lsv_owner_put(replica->client, db->lineage, db->generation,
	                      db->path);

	return r < 0 ? failed(replica, r, why) : 0;
}

static int remember(struct lsv_replica *replica,
                    const char why[LSV_OWNER_WHY_SIZE])
{
	free(replica->rival);
	replica->rival = strdup(why);
	return replica->rival ? 0 : -ENOMEM;
}

static int set_contested(struct lsv_replica *replica,
                         const char why[LSV_OWNER_WHY_SIZE])
{
	int r = remember(replica, why);

	replica->is_contested = true;
	return r < 0 ? r : -EPERM;
}

/* Moved here, or a copy: who knows?  If somebody still writes at the other
 * place, one of us finds the other one's segment in the way.  It becomes ours
 * with the first object of ours: before, nothing tells who is the copy. */
static int go_on_here(struct lsv_replica *replica, char why[LSV_OWNER_WHY_SIZE])
{
	int r = check_owner(replica, why);

	if (r == -EPERM)
		return set_contested(replica, why);
	if (r < 0)
		return r;
	why[0] = 0;
	if (r == 1) {
		log_info("%s: goes on with what was written to replica %s "
		         "elsewhere",
		         replica->db->path, replica->config->url);
		r = put_owner(replica, why);
	}
	if (r == 0)
		free(take(replica->rival));
	return r;
}

static int own_as_db(struct lsv_client *client, const struct lsv_db *db)
{
	return client->ops->own_as ? client->ops->own_as(client, db->path) : 0;
}

static int open_client(struct lsv_replica *replica,
                       char why[LSV_OWNER_WHY_SIZE])
{
	int r;

	if (replica->client)
		return 0;
	r = lsv_client_open(replica->config->url, &replica->config->options,
	                    &replica->client);
	if (r < 0)
		return r;
	r = own_as_db(replica->client, replica->db);
	if (r == 0)
		r = replica->db->config.takeover ? put_owner(replica, why)
		                                 : check_owner(replica, why);
	if (r == 1) {
		r = remember(replica, why);
		why[0] = 0;
	}
	if (r < 0)
		lsv_client_close(take(replica->client));
	return r;
}

/* Objects that are not ours in a generation that is: a copy of the database
 * writes there, too, and was first.  -EPERM: so it is, and this one puts
 * nothing any more.  -EEXIST: the local folder is older than the replica. */
static int contest(struct lsv_replica *replica, char why[LSV_OWNER_WHY_SIZE])
{
	int r = replica->db->config.takeover ? 0 : check_owner(replica, why);

	if (r == 0)
		return -EEXIST;
	if (r == 1 || r == -EPERM)
		return set_contested(replica, why);
	return r;
}

/* Now and then while there is work: has a copy been told to take over? */
static int look_at_owner(struct lsv_haul *haul, char why[LSV_OWNER_WHY_SIZE])
{
	struct lsv_replica *replica = haul->replica;
	int64_t age_ns = lsv_clock_mono_ns() - replica->owner_check_ns;
	int r;

	if (replica->is_contested) {
		snprintf(why, LSV_OWNER_WHY_SIZE, "%s",
		         replica->rival ? replica->rival : "");
		return -EPERM;
	}
	if (replica->db->config.takeover ||
	    (age_ns < OWNER_CHECK_NS &&
	     replica->owner_index == haul->end.index))
		return 0;
	r = check_owner(replica, why);
	if (r == -EPERM)
		return set_contested(replica, why);
	if (r < 0)
		return r;
	replica->owner_index = haul->end.index;
	why[0] = 0;
	return 0;
}

/* ---- The job ---- */

/* Where it is in the generation; whether it was given up in it. */
static bool set_out(struct lsv_haul *haul)
{
	struct lsv_replica *replica = haul->replica;
	auto_unlock pthread_mutex_t *held = lsv_lock(&haul->db->mutex);

	if (replica->shipped.generation != haul->end.generation) {
		replica->shipped = (struct lsv_pos){haul->end.generation, 0, 0};
		replica->has_snapshot = replica->has_owner = false;
		replica->snapshot_index = 0;
		replica->n_segments = 0;
	}
	haul->at = replica->shipped;
	return replica->is_broken;
}

static int step(struct lsv_haul *haul, char why[LSV_OWNER_WHY_SIZE])
{
	struct lsv_replica *replica = haul->replica;
	struct lsv_pos before = haul->at;
	int r = lsv_haul_step(haul), owned = 0;

	if (r >= 0 && replica->rival && haul->at.offset > 0 &&
	    lsv_pos_compare(&before, &haul->at) != 0)
		owned = go_on_here(replica, why);
	return owned < 0 ? owned : r;
}

static int run(struct lsv_haul *haul, char why[LSV_OWNER_WHY_SIZE])
{
	struct lsv_replica *replica = haul->replica;
	bool is_open = replica->client;
	int r = set_goal(haul);

	if (r == 0)
		r = open_client(replica, why);
	if (r == 0 && !is_open)
		replica->owner_index = haul->end.index;
	if (r == 0)
		r = look_at_owner(haul, why);
	if (r < 0)
		return r;
	if (set_out(haul)) {
		r = put_owner(replica, why);
		return r < 0 ? r : -ENXIO;
	}
	do {
		r = step(haul, why);
	} while (r > 0);
	return r == -EEXIST ? contest(replica, why) : r;
}

/* Where the generation has ended already, it was what was left of that. */
static void end_because(struct lsv_replica *replica, const char *why)
{
	struct lsv_db *db = replica->db;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	bool is_led = lsv_lead_holds(db);

	if (is_led && db->reason)
		log_warn(0,
		         "%s: replica %s %s: it gets nothing more of "
		         "generation %016" PRIx64 ", which ended",
		         db->path, replica->config->name, why, db->generation);
	else if (is_led && db->config.n_replicas == 1)
		lsv_lead_end(db, "the replica %s", why);
	else if (is_led)
		lsv_lead_end(db, "replica %s %s", replica->config->name, why);
	/* Nothing more of it can be delivered. */
	pthread_mutex_lock(&db->mutex);
	replica->has_snapshot = false;
	pthread_mutex_unlock(&db->mutex);
}

/* What is in the way passes by itself: a lock, another leader. */
static void again_soon(struct lsv_replica *replica)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	replica->retry_ns = lsv_clock_mono_ns() + AGAIN_NS;
}

/* What no later try of this generation could mend. */
static const struct {
	int r;
	const char *why;
} ends[] = {
	{-EEXIST, "has objects of this generation that are not ours"},
	{-ENOLINK, "lost what it had of it"},
	{-ENODATA, "lacks what is not here any more"},
	{-ENXIO, "answers again, and lacks what is not here any more"},
	{-EBADMSG, "waits for what does not verify in the local folder"},
	{-ESTALE, "waits for commits of a WAL that was replaced"},
};

/* Given up while it was at work: whatever came of that, it waits its time. */
static bool was_given_up(struct lsv_replica *replica)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	return replica->is_broken;
}

static void conclude(struct lsv_haul *haul, int r, const char *why)
{
	struct lsv_replica *replica = haul->replica;

	/* Of a generation that is not led any more nothing means anything. */
	if (r < 0 && haul->end.generation && !lsv_haul_is_current(haul))
		r = -EAGAIN;
	if (r == -ENODATA && was_given_up(replica))
		return;
	if (r == 0 || r == -ENXIO)
		lsv_replica_succeeded(replica, r == 0 ? haul->ticket : 0);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (ends[i].r != r)
			continue;
		end_because(replica, ends[i].why);
		return;
	}
	if (r == -EAGAIN)
		again_soon(replica);
	else if (r < 0)
		lsv_replica_failed(replica, r, why);
}

void lsv_deliver(struct lsv_db *db, struct lsv_replica *replica)
{
	struct lsv_haul haul = {.db = db, .replica = replica};
	struct lsv_coord_page *coord = lsv_db_coord(db);
	char why[LSV_OWNER_WHY_SIZE] = "";

	conclude(&haul, run(&haul, why), why);
	free(haul.gen_dir);
	free(haul.catalogue);
	atomic_fetch_add(&coord->done, 1);
	if (atomic_load(&coord->waiters))
		lsv_futex_wake(&coord->done, INT_MAX);
}

void lsv_deliver_probe(struct lsv_db *db, struct lsv_replica *replica)
{
	char why[LSV_OWNER_WHY_SIZE] = "";
	int r = open_client(replica, why);

	(void)db;
	if (r == 0)
		r = put_owner(replica, why);
	if (r < 0)
		lsv_replica_failed(replica, r, why);
	else
		lsv_replica_succeeded(replica, 0);
}
