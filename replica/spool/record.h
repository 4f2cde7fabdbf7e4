/* SPDX-License-Identifier: MIT */
#ifndef LSV_RECORD_H
#define LSV_RECORD_H

/*
 * A shadow's record of one commit, 80 bytes in <index>.commits, little-
 * endian:
 *
 *	 0  the 48 bytes of replica/wal/commit.h
 *	48  u32 frame: the commit's last in SQLite's own WAL; 0: none
 *	52  that frame's 24-byte header there
 *	76  u32 CRC-32C of all before
 *
 * Records stand in the order of their ends, each above the one before, so a
 * position is found by bisection.
 */

#include "replica/base/vector.h"
#include "replica/wal/commit.h"
#include "replica/wal/frame.h"

#include <stdint.h>

#define LSV_RECORD_SIZE 80

/* Where a commit stands in SQLite's own WAL. */
struct lsv_real {
	uint32_t frame; /* 0: nowhere (a snapshot's base without a WAL) */
	uint8_t header[LSV_FRAME_HEADER_SIZE];
};

struct lsv_record {
	struct lsv_commit commit;
	struct lsv_real real;
};

LSV_VECTOR(lsv_records, struct lsv_record)

void lsv_record_encode(const struct lsv_record *record,
                       uint8_t bytes[LSV_RECORD_SIZE]);
/* -EBADMSG: the CRC is another. */
int lsv_record_decode(const uint8_t bytes[LSV_RECORD_SIZE],
                      struct lsv_record *record);

/* How many whole records a file has room for. */
int lsv_record_count(int fd, uint64_t *n);
/* The same, but without a last one that somebody is just writing. */
int lsv_record_count_valid(int fd, uint64_t *n);
/* -EBADMSG: it is not there or not whole. */
int lsv_record_at(int fd, uint64_t place, struct lsv_record *record);
/* The place of the first of n records that ends at or beyond 'end'; n when
 * none does. */
int lsv_record_search(int fd, uint64_t n, uint64_t end, uint64_t *place);

#endif
