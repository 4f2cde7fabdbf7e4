/* SPDX-License-Identifier: MIT */
#ifndef LSV_STATUS_H
#define LSV_STATUS_H

/*
 * What a person or a program asks first about a database: is it replicating,
 * how far behind, since when, why not.  Read from the local folder, whoever
 * leads: no server, no SQLite, no lock.
 */

#include "replica/spool/coord.h"
#include "replica/spool/state.h"

/* The worse, the further down; a database's is its worst replica's. */
enum lsv_health {
	LSV_HEALTH_FINE,    /* every commit is on the replica */
	LSV_HEALTH_BEHIND,  /* some are not yet */
	LSV_HEALTH_FAILING, /* and the last put failed */
	LSV_HEALTH_BROKEN,  /* too far behind: it waits for a new generation */
	LSV_HEALTH_NONE,    /* nothing to restore there yet: no snapshot */
	LSV_HEALTH_NOT_WAL, /* left WAL mode: nothing is replicated any more */
	LSV_HEALTH_UNKNOWN, /* no folder, or it cannot be read: see error */
};

struct lsv_replica_status {
	char name[LSV_NAME_TEXT_SIZE];
	char url[LSV_URL_TEXT_SIZE]; /* without its query */
	enum lsv_health health;
	struct lsv_pos shipped;
	uint64_t shipped_txid;
	int64_t shipped_ns; /* UTC time of the last commit there; 0: none */
	int64_t lag_ns;     /* age of the oldest commit not there; 0: none */
	int64_t failing_ns; /* since when, UTC; 0: the last put succeeded */
	uint64_t n_puts;    /* objects since the shared page was made */
	char error[LSV_ERROR_TEXT_SIZE];
};

struct lsv_status {
	char path[4096]; /* of the database, absolute */
	enum lsv_health health;
	uint64_t generation;
	struct lsv_pos captured;
	uint64_t captured_txid;
	uint32_t leader_pid; /* 0: none is known to live */
	int64_t lag_ns;      /* of the replica that is furthest behind */
	size_t n_replicas;
	struct lsv_replica_status replicas[LSV_REPLICAS_MAX];
	char error[LSV_ERROR_TEXT_SIZE]; /* why nothing can be told */
};

/* 'live': SQLite's shm header, as a process that has the database open maps
 * it (mx_frame 0: it does not know); 'is_plain': that process knows that it is
 * not in WAL mode.  NULL is for a process that has not: the file is opened,
 * which would drop another's locks on it (I8). */
void lsv_status_read(const char *db_path, const struct lsv_shm *live,
                     bool is_plain, struct lsv_status *status);

const char *lsv_health_text(enum lsv_health health);

/* One JSON object; the caller frees.  NULL: out of memory. */
char *lsv_status_json(const struct lsv_status *status);

#endif
