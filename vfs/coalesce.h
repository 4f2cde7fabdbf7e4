/* SPDX-License-Identifier: MIT */
#ifndef LSV_COALESCE_H
#define LSV_COALESCE_H

/*
 * The frame writes of one transaction, gathered into one (design.md section
 * 14).  SQLite writes each frame in two calls; most of what a small commit
 * costs is these calls.
 *
 *	WRITE granted      begin   the writes at the end of the WAL are held
 *	the write that ends the commit frame's page
 *	                           all of it is written, by that write: its
 *	                           error is a clean rollback
 *	until WRITE is let go      writes pass straight through
 *	WRITE let go       end     what is still held belongs to a transaction
 *	                           that was rolled back, and is dropped
 *
 * Before anybody could see the difference (a read, a size, a sync, a
 * truncation, a file control, a write elsewhere) all is written.  Nothing is
 * held that is not, byte by byte, in the shape of frames: what is not
 * understood passes through.
 */

#include "vfs/api.h"

#include <stdbool.h>
#include <stdint.h>

struct lsv_coalesce {
	uint8_t *buf; /* borrowed from all handles' shelf; NULL: nothing held */
	uint32_t n;
	int64_t at;  /* in the file, of buf[0] */
	int64_t end; /* behind the last write: where the next one is expected */
	uint32_t page_size; /* 0: not known yet */
	bool is_on;         /* WRITE is held, and nothing committed yet */
	bool commits;       /* the frame of the last header seen does */
};

/* Whether writes to files of this VFS may be gathered: other layers know
 * SQLite's writes by their sizes. */
bool lsv_coalesce_serves(const sqlite3_vfs *lower);

/* WRITE was granted over a WAL of 'frame' frames.  page_size 0: its header is
 * not written yet. */
void lsv_coalesce_begin(struct lsv_coalesce *c, uint32_t page_size,
                        uint32_t frame);
/* WRITE is about to be let go, or the file to be closed. */
void lsv_coalesce_end(struct lsv_coalesce *c);

/* As xWrite of 'lower'. */
int lsv_coalesce_write(struct lsv_coalesce *c, sqlite3_file *lower,
                       const void *buf, int n, sqlite3_int64 at);
/* Before any other method of 'lower' but xClose.  What could not be written
 * is still held. */
int lsv_coalesce_flush(struct lsv_coalesce *c, sqlite3_file *lower);

#endif
