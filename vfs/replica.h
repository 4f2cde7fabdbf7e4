/* SPDX-License-Identifier: MIT */
#ifndef LSV_REPLICA_H
#define LSV_REPLICA_H

/*
 * One replica of a database, as the leader knows it: what is there, whether
 * it answers.  Replicas of one database know nothing of each other: each has
 * its client, its job, its back-off.
 *
 *	FINE ---a put failed---> FAILING ---too far behind---> BROKEN
 *	 ^                          |                             |
 *	 +--------a put succeeded---+      it answers: a new generation
 *
 * One that is broken gets nothing more of the generation, and nothing is
 * kept for it in the local folder (I7).
 */

#include "replica/ship/config_replica.h"
#include "replica/spool/state.h"
#include "replica/wal/commit.h"

struct lsv_db;

struct lsv_replica {
	struct lsv_db *db;                       /* fixed, as the next two */
	const struct lsv_replica_config *config; /* borrowed from the db's */
	uint32_t slot;                           /* in coord and state */

	_Atomic(int) is_unserved; /* whoever leads has it not: that was said */

	/* Only the job's thread. */
	struct lsv_client *client;
	bool wants_retention;
	bool has_retain_failed; /* and this was said */
	bool is_contested;      /* a copy of the database writes there */
	char *rival;            /* the sentence about it; NULL: none known */
	int64_t owner_check_ns; /* monotonic: when it was last looked at */
	uint32_t owner_index;   /* and at the beginning of which index */

	/* Under the database's mutex; 'shipped' and the snapshot's are written
	 * only by the job. */
	struct lsv_pos shipped; /* generation 0: nothing yet */
	bool has_snapshot;      /* of the generation */
	bool has_owner;         /* owner.json and lineage.json are there */
	bool is_broken;         /* given up for the generation */
	bool is_refused;        /* it is another database's */
	bool is_job_queued;
	uint64_t txid;
	int64_t time_ns;
	uint64_t ticket; /* every commit made before it was drawn is there */
	uint32_t n_failures; /* in a row */
	uint32_t n_given_up; /* times, since its last snapshot */
	int64_t failing_since_ns;
	int64_t retry_ns;        /* monotonic: not before */
	int64_t last_put_ns;     /* monotonic */
	int64_t job_since_ns;    /* monotonic */
	uint32_t snapshot_index; /* the newest there */
	uint64_t since_snapshot; /* WAL bytes shipped since */
	uint64_t snapshot_bytes; /* database bytes in it */
	int64_t snapshot_ns;     /* UTC */
	uint32_t n_segments;     /* of shipped.index */
	char *error;             /* sentence.h */
};

/* A replica is where it is, whatever it is called. */
uint64_t lsv_replica_hash(const struct lsv_replica_config *config);

/* All that the configuration names; 0 or -ENOMEM. */
int lsv_replicas_open(struct lsv_db *db);
void lsv_replicas_close(struct lsv_db *db);

/* What an earlier leader knew of them, under the shadow's mutex. */
void lsv_replicas_load(struct lsv_db *db, const struct lsv_state *state);
/* By what an earlier leader left: every replica has all up to there. */
bool lsv_replicas_have(const struct lsv_db *db, const struct lsv_state *state,
                       const struct lsv_pos *pos);
/* How much of an index of the generation one of them has at most: its end
 * there, and in how many segments. */
void lsv_replicas_in(struct lsv_db *db, uint32_t index, uint64_t *offset,
                     uint32_t *n_segments);
/* A new generation is for all of them, also for those that were given up. */
void lsv_replicas_begin(struct lsv_db *db);
/* Leading: into the shared page, and into the file.  Takes both mutexes. */
void lsv_replicas_store(struct lsv_db *db);
/* The same, under the shadow's mutex. */
void lsv_replicas_store_held(struct lsv_db *db);

/* How a job ended.  'ticket': all that was asked for until then is there; 0:
 * nothing new.  Both take both mutexes. */
void lsv_replica_succeeded(struct lsv_replica *replica, uint64_t ticket);
/* 'why': the sentence; "": what the client or 'r' says. */
void lsv_replica_failed(struct lsv_replica *replica, int r, const char *why);
/* A snapshot of the commit where an index begins is there. */
void lsv_replica_has_snapshot(struct lsv_replica *replica, uint32_t index,
                              const struct lsv_commit *base,
                              uint32_t page_size);
/* Too far behind: said once.  Under the shadow's mutex. */
void lsv_replica_give_up(struct lsv_replica *replica, uint64_t bytes);

/* Under db->mutex: does it lack anything of what ends there, that it can still
 * get? */
bool lsv_replica_wants(const struct lsv_replica *replica,
                       const struct lsv_pos *end);
/* Under db->mutex: does it lack an index to which nothing is added any more? */
bool lsv_replica_wants_whole(const struct lsv_replica *replica,
                             const struct lsv_pos *end);
/* Under db->mutex: when it may be tried next (monotonic).  'now': somebody
 * waits. */
int64_t lsv_replica_due_ns(const struct lsv_replica *replica, bool now);

/* Under db->mutex: the tickets of all, or of those that answer, settle what
 * waits for them. */
void lsv_replicas_settle(struct lsv_db *db);

#endif
