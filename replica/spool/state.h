/* SPDX-License-Identifier: MIT */
#ifndef LSV_STATE_H
#define LSV_STATE_H

/*
 * The file "state": what one database's last worker knew, replaced whole
 * (without fsync: what is lost costs a check or a snapshot, never data).
 * lsvfs-format(5) has its bytes; a CRC-32C ends it.
 */

#include "replica/spool/coord.h"

#define LSV_LINEAGE_BYTES 16
#define LSV_ERROR_TEXT_SIZE 600
#define LSV_NAME_TEXT_SIZE 32
#define LSV_URL_TEXT_SIZE 256

/* A file as stat() tells it, with the boot in which it was told. */
struct lsv_tuple {
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
	uint8_t boot[LSV_BOOT_ID_SIZE];
	struct lsv_pos pos; /* the end of the shadow then; generation 0: none */
};

struct lsv_replica_record {
	uint64_t name_hash; /* of its URL; 0: there is no replica here */
	struct lsv_pos shipped;
	uint64_t txid;
	int64_t time_ns;
	uint32_t snapshot_index; /* the newest snapshot there */
	uint64_t snapshot_bytes; /* what it held, uncompressed */
	uint64_t since_snapshot; /* WAL bytes shipped since */
	int64_t snapshot_ns;     /* when it was taken */
	uint32_t n_segments;     /* of shipped.index, put so far */
	bool has_snapshot;
	bool has_owner; /* and the generation's lineage */
	bool is_broken; /* too far behind: it gets no more of this
	                   generation */
	char name[LSV_NAME_TEXT_SIZE];
	char url[LSV_URL_TEXT_SIZE];     /* without its query */
	char error[LSV_ERROR_TEXT_SIZE]; /* "": none */
};

struct lsv_state {
	uint64_t epoch;
	uint64_t generation;
	uint8_t lineage[LSV_LINEAGE_BYTES]; /* of this folder, random */
	struct lsv_tuple tuple;
	struct lsv_replica_record replicas[LSV_REPLICAS_MAX];
};

/* -ENOENT: none; -EBADMSG: not one.  The state is then all zeros. */
int lsv_state_load(const char *dir, struct lsv_state *state);
int lsv_state_store(const char *dir, const struct lsv_state *state,
                    mode_t mode);

/* stat() of a path into the tuple, boot and all but its position. */
int lsv_tuple_of(const char *path, struct lsv_tuple *tuple);
/* Same file, unchanged since, same boot.  Positions do not count. */
bool lsv_tuple_equal(const struct lsv_tuple *a, const struct lsv_tuple *b);
/* Waits (at most 50 ms) until a change made from now on would give the file
 * another time than 'tuple' has.  False: it would not yet; then the tuple
 * proves nothing. */
bool lsv_tuple_settle(const struct lsv_tuple *tuple);

#endif
