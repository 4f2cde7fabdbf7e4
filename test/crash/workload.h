/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_WORKLOAD_H
#define LSV_TEST_WORKLOAD_H

/*
 * What an application might do to app.db in the current folder, drawn by
 * dice: schema changes, blobs, spills, savepoints, VACUUM, checkpoints,
 * several connections, exclusive mode, close and open again.
 */

#include "test/crash/beside.h"
#include "test/crash/bystander.h"
#include "test/crash/dice.h"
#include "test/crash/ledger.h"

#include <sqlite3.h>
#include <stdbool.h>

#define WORKLOAD_TABLES 4
#define WORKLOAD_CONNECTIONS 3

struct workload {
	struct dice dice;
	struct bystander bystander;
	/* Writes without us, and this process replicates; NULL: with us. */
	struct beside *beside;
	struct ledger ledger;
	unsigned n_images;
	bool is_verbose;
	bool likes_exclusive; /* is most of the time */

	sqlite3 *db[WORKLOAD_CONNECTIONS]; /* 0 is always open */
	bool is_reading[WORKLOAD_CONNECTIONS];
	bool is_exclusive;
	bool has_table[WORKLOAD_TABLES];
	uint32_t page_size;
	uint64_t n_zero_frames; /* commits after SQLite's zero-checksum bug */
	bool has_zero_frames;   /* the WAL, now */
	int64_t began_ns;       /* of the commit on its way */
};

/* Makes the database and its first commit. */
void workload_begin(struct workload *w);
/* One random step. */
void workload_step(struct workload *w);
/* Waits until the replica has everything, closes. */
void workload_end(struct workload *w);

/* What workload.c and workload_steps.c share. */

/* Runs SQL on connection i; false: busy or locked.  Anything else dies. */
bool workload_run(struct workload *w, int i, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what commits: the database is then recorded. */
bool workload_commit(struct workload *w, int i, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int64_t workload_number(struct workload *w, int i, const char *sql);
/* A connection that may write: one that does not read. */
int workload_writer(struct workload *w);
/* An insert into that table, within whatever transaction is open. */
bool workload_insert(struct workload *w, int i, int table, uint32_t size);
void workload_open(struct workload *w, int i);
void workload_close(struct workload *w, int i);
void workload_close_others(struct workload *w);
/* A size of a blob, in pages and crumbs. */
uint32_t workload_blob_size(struct workload *w);
/* lsvfs_sync(), or that command, which must succeed. */
void workload_sync(struct workload *w);
void workload_say(struct workload *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
