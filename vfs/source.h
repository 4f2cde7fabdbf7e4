/* SPDX-License-Identifier: MIT */
#ifndef LSV_SOURCE_H
#define LSV_SOURCE_H

/*
 * SQLite's own -wal, read by position: (salts, frame).  The queue of what is
 * committed and not yet in the shadow (design.md section 5).  Opening and
 * closing the -wal by descriptor is safe: SQLite holds no lock on it (I8).
 */

#include "replica/spool/shadow.h"
#include "replica/wal/frame.h"
#include "replica/wal/shm.h"

/* Where a reader stands: behind which frame. */
struct lsv_stand {
	uint32_t checksum[2]; /* stored in it */
	struct lsv_real real;
	bool is_loose; /* it has no checksum */
};

struct lsv_source {
	int fd; /* -1: not open */
	uint64_t dev;
	uint64_t ino;
	bool big_endian;
	uint32_t page_size;
	uint32_t salt[2]; /* of the incarnation */
	uint32_t n_zero;  /* zero-checksum frames met in it */
	struct lsv_stand at;
};

void lsv_source_init(struct lsv_source *source);
void lsv_source_close(struct lsv_source *source);

/* Opens (again, when the path names another file) and stands before frame 1
 * of the incarnation that 'live' tells.  -EAGAIN: its header is not there or
 * not readable yet. */
int lsv_source_begin(struct lsv_source *source, const char *wal_path,
                     const struct lsv_shm *live);

/* Stands behind a frame read earlier: its header on disk must be the recorded
 * one (with 'live' salts), else -ESTALE. */
int lsv_source_seek(struct lsv_source *source, const struct lsv_real *real);

/* Asks, after bytes were read and before they are used, whether the
 * incarnation is still the same: 0; -EAGAIN: it is not, or that cannot be told
 * now. */
typedef int lsv_still_fn(void *arg);

/*
 * Hands on the frames behind the last one, up to and with frame 'last'.
 * Every frame is verified against SQLite's chain; a chain that does not verify
 * is -EBADMSG.  each() is called after the source stands behind the frame; who
 * wants to be elsewhere after an error sets source->at back.
 */
typedef int lsv_source_fn(void *arg, const struct lsv_frame *frame,
                          const void *page);
int lsv_source_read(struct lsv_source *source, uint32_t last,
                    lsv_still_fn *still, lsv_source_fn *each, void *arg);

/* 0: the open descriptor's file is still the path's. */
int lsv_source_is_path(const struct lsv_source *source, const char *wal_path);

#endif
