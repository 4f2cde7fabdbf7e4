/* SPDX-License-Identifier: MIT */
#ifndef LSV_SHADOW_H
#define LSV_SHADOW_H

/*
 * The shadow WAL of one index: generations/<gen>/wal/<index>.wal, a WAL in
 * SQLite's format with salts and a checksum chain of ours and committed
 * frames only, and <index>.commits beside it, an 80-byte record a commit
 * (record.h).
 *
 * The first record is the base: offset 0, the commit where the index begins.
 * A torn tail is cut when it is opened; the last whole record whose frames
 * are there is where we are.  Nothing is synced here but by
 * lsv_shadow_sync().  Not thread-safe: the shadow's mutex is the caller's.
 */

#include "replica/base/stream.h"
#include "replica/spool/record.h"
#include "replica/spool/walk.h"
#include "replica/wal/pos.h"

#include <stdbool.h>
#include <sys/types.h>

struct lsv_shadow;

/* Begins an index; 'base' is the commit where it begins (its end is set to 0).
 * 'gen_dir' is generations/<gen>, whose wal/ is made when missing.
 * -EEXIST: the index is there already. */
int lsv_shadow_create(const char *gen_dir, uint64_t generation, uint32_t index,
                      uint32_t page_size, const struct lsv_record *base,
                      mode_t mode, struct lsv_shadow **out);

/* Opens an index for appending, its end read from disk.  -EBADMSG: no whole
 * record, or not this generation's and index's header. */
int lsv_shadow_open(const char *gen_dir, uint64_t generation, uint32_t index,
                    struct lsv_shadow **out);
void lsv_shadow_close(struct lsv_shadow *shadow); /* NULL is fine */

/* The last commit; borrowed until the next call. */
const struct lsv_record *lsv_shadow_end(const struct lsv_shadow *shadow);
uint32_t lsv_shadow_page_size(const struct lsv_shadow *shadow);
uint32_t lsv_shadow_index(const struct lsv_shadow *shadow);

/* Appends a frame in our chain.  db_pages is not 0 on a commit's last one
 * (-EINVAL: one more after it).  Frames are collected, 1 MiB of them at most;
 * nothing counts before lsv_shadow_commit().  After an error: roll back. */
int lsv_shadow_append(struct lsv_shadow *shadow, uint32_t page_no,
                      uint32_t db_pages, const void *page);

/* Ends the commit: its record's end, txid, checksum and pages are filled in
 * from the frames; time, page hash and the real frame are the caller's.  It is
 * collected, too.  -EINVAL: the last frame does not commit. */
int lsv_shadow_commit(struct lsv_shadow *shadow, int64_t time_ns,
                      uint64_t page_hash, const struct lsv_real *real);

/* How many bytes of whole commits are collected. */
size_t lsv_shadow_unwritten(const struct lsv_shadow *shadow);

/* Writes the commits collected, frames before records: before anybody is told
 * of them, or reads them.  After an error the end is the last one written. */
int lsv_shadow_write(struct lsv_shadow *shadow);
/* Forgets them instead, and what was appended since. */
void lsv_shadow_drop(struct lsv_shadow *shadow);

/* Forgets the frames appended since the last commit. */
void lsv_shadow_rollback(struct lsv_shadow *shadow);

/* After a power loss any part of what was not synced may be missing, not only
 * the tail: verifies what is beyond 'from' (a commit's end), frame by frame,
 * and cuts where it is no longer whole.  *cut: something was. */
int lsv_shadow_verify(struct lsv_shadow *shadow, uint64_t from, bool *cut);

/* Descriptors of what is to be synced, to be closed by the caller: so that it
 * need not be done under the mutex.  How many. */
#define LSV_SHADOW_FDS 3
int lsv_shadow_dup(struct lsv_shadow *shadow, int fds[LSV_SHADOW_FDS]);

/* fdatasync of both files (and, the first time, of the folder's names). */
int lsv_shadow_sync(struct lsv_shadow *shadow);

/*
 * Reading, from any thread or process, without the writer's lock: what is
 * below a committed end never changes.
 */

/* The WAL's bytes [from, to). */
int lsv_shadow_read(const char *gen_dir, uint32_t index, uint64_t from,
                    uint64_t to, struct lsv_reader **out);
/* The records with from < end <= to, and the base when 'from' is 0 and it is
 * asked for by 'with_base'. */
int lsv_shadow_records(const char *gen_dir, uint32_t index, uint64_t from,
                       uint64_t to, bool with_base, struct lsv_records *out);

/* The last record of an index; -EBADMSG: it has none. */
int lsv_shadow_last(const char *gen_dir, uint32_t index,
                    struct lsv_record *last);

/* Replays the frames (from, to] of an index: each frame's page, in order,
 * verified.  -ENOENT: no commit ends at 'from'. */
int lsv_shadow_replay(const char *gen_dir, uint64_t generation, uint32_t index,
                      uint64_t from, uint64_t to, lsv_replay_fn *each,
                      void *arg);

LSV_AUTO(shadow, struct lsv_shadow, lsv_shadow_close)
#define auto_shadow __attribute__((cleanup(lsv_auto_shadow)))

#endif
