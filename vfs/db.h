/* SPDX-License-Identifier: MIT */
#ifndef LSV_DB_H
#define LSV_DB_H

/*
 * One replicated database in this process: its connections, its shadow, its
 * replicas.  It begins with the first open and outlives the last close until
 * what it has is on them.
 *
 *	PASSIVE ---first commit---> FOLLOWING <---lock lost---+
 *	                               | lock granted         |
 *	                               v                      |
 *	   +-------------------- ADRIFT (leads; the shadow is not connected to
 *	   |  continuity proven     ^  |  a live WAL: none is open, or unproven)
 *	   v                        |  | snapshot done
 *	 LIVE (leads; every commit -+  |
 *	   ^   goes into the shadow)   |
 *	   +---------------------------+
 *
 * Locks, in the order in which they may nest: SQLite's, then 'shadow', then
 * 'mutex'.  None is held across a call into SQLite, a lock method of the
 * lower VFS or a replica (design.md section 6).
 */

#include "replica/base/cleanup.h"
#include "replica/ship/config.h"
#include "replica/ship/upload.h"
#include "replica/spool/coord.h"
#include "replica/spool/pagemap.h"
#include "replica/spool/shadow.h"
#include "replica/spool/state.h"
#include "vfs/file.h"
#include "vfs/replica.h"
#include "vfs/source.h"

#include <pthread.h>

struct lsv_ear;

enum lsv_role { LSV_PASSIVE, LSV_FOLLOWING, LSV_ADRIFT, LSV_LIVE };

struct lsv_db {
	LIST_ENTRY(lsv_db) link; /* of the process's databases */
	uint32_t family;
	int n_refs; /* under the registry's mutex */

	/* Fixed from the start. */
	char *path;
	char *wal_path;
	char *shm_path;
	char *dir;
	struct lsv_config config;
	mode_t file_mode;

	pthread_mutex_t mutex;
	pthread_cond_t changed; /* with mutex: ours_open, jobs */
	LIST_HEAD(lsv_files, lsv_file)
	files;                  /* connections, our own visits too */
	int n_files;            /* the application's */
	int n_ours;             /* handles of ours on the database */
	int n_exclusive_wanted; /* no new handle of ours while not 0 */
	uint64_t dev;           /* of the database file */
	uint64_t ino;
	bool is_foreign;         /* cannot be replicated: that was said */
	int64_t activate_due_ns; /* when that is tried again */
	bool is_over_limit;      /* of local space: no generation until a put */
	bool is_fork_excluded;

	/* Atomics that any thread may look at. */
	_Atomic(struct lsv_coord_page *) coord; /* NULL: not active yet */
	_Atomic(int) role;                      /* enum lsv_role */
	/* The worker looks at it by itself; how often something happened to it
	 * since.  0: whatever happens to it wakes the worker. */
	_Atomic(uint32_t) hot;
	_Atomic(int) interrupt;   /* our handles give up */
	_Atomic(int) saw_db_sync; /* a checkpoint synced this incarnation */
	_Atomic(int) n_failing;   /* replicas whose last put failed */
	_Atomic(int) n_refused;   /* replicas that are another database's */
	/* What the others have all of; UINT64_MAX: there are none. */
	_Atomic(uint64_t) answering_ticket;
	_Atomic(int)
		waits_in_vain;     /* durability timed out, and this was said */
	_Atomic(int) is_sync_full; /* commits sync the WAL themselves */
	_Atomic(int) native;       /* no checkpoints of ours */
	_Atomic(int) n_waiting;    /* in PHASETWO, for the replica */
	_Atomic(int) n_ours_writing; /* handles of ours that ask for WRITE, or
	                                have it */
	_Atomic(uint32_t) n_ours_written; /* that had it, or were refused */
	_Atomic(uint64_t) dirty; /* stamps of this process not known shipped */
	_Atomic(int) is_snapshot_wished; /* by the program */
	_Atomic(int) wants_guard; /* programs without us write it (guard.h) */
	struct lsv_guard *guard;  /* who has entered; NULL: not held */

	/* Under 'shadow'. */
	pthread_mutex_t shadow;
	struct lsv_source source;
	struct lsv_shadow *wal;
	struct lsv_pagemap *pages;
	/* Of the file "state"; the rest is the replicas'. */
	bool has_state; /* it was read: else never led */
	uint8_t lineage[LSV_LINEAGE_BYTES];
	struct lsv_tuple tuple;
	uint64_t generation;
	char *gen_dir;
	int lock_fd;
	uint64_t epoch;
	int64_t claim_since_ns; /* monotonic: another one claims; 0: none */
	int64_t claim_seen_ns;  /* monotonic: when it last did */
	uint64_t claim_epoch;   /* as it was then */
	int64_t undecided_ns;   /* monotonic: since a reset is not explained */
	int n_unverified; /* copies in a row that met bytes that do not verify
	                   */
	uint32_t n_segments;      /* of the current index */
	bool is_new_boot;         /* since the last leader */
	bool is_map_lost;         /* the page map does not fit the shadow */
	bool is_begun;            /* the generation has a shadow */
	bool is_snapshot_pending; /* an index began, its snapshot is not here */
	uint32_t snapshot_index;  /* the newest snapshot of the generation */
	char *reason;             /* why a new generation is due (sentence.h) */
	char *origin;             /* why this one began */
	struct lsv_pos parent;
	int64_t captured_ns; /* UTC time of the last commit captured */
	/* What the shared page said of the last generation that ended here. */
	struct lsv_captured ended;
	ino_t coord_ino;       /* of the shared page's file; 0: it has none */
	int64_t lost_since_ns; /* monotonic: the folder is gone; 0: it is not */
	bool is_cut_off;       /* it cannot be made again: that was said */

	/* The worker's. */
	STAILQ_ENTRY(lsv_db) poked_link;
	bool is_poked; /* under the bell's mutex, as its link */
	LIST_ENTRY(lsv_db) watched_link;
	LIST_ENTRY(lsv_db) led_link;
	bool is_watched;
	bool is_led;
	bool naps;                 /* look again in a moment */
	int64_t due_ns;            /* monotonic: look again then */
	int64_t space_due_ns;      /* monotonic: local space is counted then */
	int n_quiet;               /* looks in a row that found nothing */
	int64_t stuck_since_ns;    /* monotonic: the leader does not advance */
	int64_t stuck_advanced_ns; /* when it had, as seen then */
	uint64_t followed_dirty;   /* at the last look at another's work ... */
	uint64_t followed_ticket;  /* ... and what asks for it; 0: none yet */
	uint64_t unserved_epoch;   /* whose leader did not name our replicas */
	uint32_t wake_seen;        /* of coord->wake */
	struct lsv_ear *ear;       /* it is led; NULL: by its word */
	bool is_called;         /* by other processes, and it is closed here */
	_Atomic(int) is_unseen; /* since it is led, while it is closed here */
	/* As coord->wake was when the shadow last had all. */
	_Atomic(uint32_t) wake_done;
	_Atomic(int) owes; /* let go, and what it was called for is not done */
	_Atomic(int) is_leaving; /* the process ends */
	uint64_t seen_txid;
	int64_t round_due_ns; /* monotonic: no PASSIVE round before */
	int64_t round_backoff_ns;
	int64_t drain_due_ns;
	uint32_t drain_step;    /* frames; 0: the last one could be done */
	uint32_t drain_from;    /* none before so many frames of ... */
	uint32_t drain_salt[2]; /* ... this incarnation */
	_Atomic(uint32_t) drain_mark;  /* where the WAL was at the last one */
	_Atomic(int) is_visited;       /* by the worker's rounds */
	_Atomic(int64_t) begin_due_ns; /* not before: a snapshot that failed */
	int begin_failures;
	bool has_begin_failed; /* and this was said */
	/* It has left WAL mode, and none begins before that is back. */
	_Atomic(int) is_parked;
	int n_cancelled;    /* since one was taken */
	bool is_job_queued; /* under mutex */

	struct lsv_replica *replicas; /* config.n_replicas of them */
	_Atomic(uint64_t) captured_ticket;
	_Atomic(uint64_t) synced_resets;
};

/* The database of a path, made when new; one reference more.  The config is
 * copied.  NULL: out of memory. */
struct lsv_db *lsv_db_open(const char *path, const struct lsv_config *config);
/* One reference more. */
void lsv_db_keep(struct lsv_db *db);
/* The one that is there, or NULL; one reference more. */
struct lsv_db *lsv_db_find(const char *path);
/* Another database that was given the same replica, or NULL; borrowed. */
const char *lsv_db_rival(const char *path,
                         const struct lsv_replica_config *replica);
void lsv_db_release(struct lsv_db *db);
/* Handles of ours on the database: in only while no application connection
 * wants EXCLUSIVE (-EBUSY), counted, out again. */
int lsv_db_enter(struct lsv_db *db);
/* The same, in its turn: after those that want EXCLUSIVE now. */
void lsv_db_enter_next(struct lsv_db *db);
void lsv_db_leave(struct lsv_db *db);
/* A connection of this process has EXCLUSIVE on the database file; NULL: none
 * has.  Its WAL's resets and checkpoints come without any lock of the shm. */
void lsv_db_set_exclusive(struct lsv_db *db, struct lsv_file *file,
                          bool is_exclusive);
bool lsv_db_is_exclusive(struct lsv_db *db);
/* An application connection wants EXCLUSIVE: ours give up, none comes back
 * before the other call. */
void lsv_db_exclude(struct lsv_db *db);
void lsv_db_readmit(struct lsv_db *db);

/* Calls each() for every database, holding a reference. */
void lsv_db_each(void (*each)(struct lsv_db *db, void *arg), void *arg);

void lsv_db_add_file(struct lsv_db *db, struct lsv_file *file);
/* How many of the application's are left. */
int lsv_db_remove_file(struct lsv_db *db, struct lsv_file *file);
/* Another connection of the application has SHARED on the database file, so
 * this one cannot get EXCLUSIVE, with ours or without. */
bool lsv_db_has_other_shared(struct lsv_db *db, const struct lsv_file *file);

/* A job of it, or of a replica of it, waits or runs. */
bool lsv_db_is_busy(struct lsv_db *db);

/* Makes the local folder and the shared page; idempotent.  False: cannot be,
 * and this was said; the database is then not replicated. */
bool lsv_db_activate(struct lsv_db *db);

/* The live head of SQLite's shm, by one of our connections' mappings.
 * -ENODATA: no connection has one; -ENOMSG: an exclusive one has, and has not
 * committed in it yet: then 'live' has the salts that its first frame began
 * with, which are others after each transaction that spilled and was rolled
 * back. */
int lsv_db_live(struct lsv_db *db, struct lsv_shm *live);

static inline struct lsv_coord_page *lsv_db_coord(struct lsv_db *db)
{
	return atomic_load_explicit(&db->coord, memory_order_acquire);
}

/* A new process family begins in a forked child: what was is left alone. */
uint32_t lsv_family(void);
void lsv_db_fork_child(void);
void lsv_db_fork_prepare(void);
void lsv_db_fork_parent(void);

#endif
