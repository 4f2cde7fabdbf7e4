/* SPDX-License-Identifier: MIT */
#ifndef LSV_PAGEMAP_H
#define LSV_PAGEMAP_H

/*
 * Eight bytes a page: the local file "pagehash", mapped, from which the
 * page-hash checksum of every commit comes (replica/wal/pagehash.h).
 *
 *	 0 "LSVFSPH1"  8 u32 version 1  12 u32 page size
 *	16 u32 index  20 u32 pages      24 u64 offset    32 u64 a page
 *
 * The header's position says from where the shadow must be replayed over the
 * map: setting a page's newest hash twice does no harm, so the map may run
 * ahead of its header, never behind it.  It never runs ahead of the shadow:
 * what a transaction sets is kept in memory until lsv_pagemap_commit(), which
 * belongs behind lsv_shadow_commit().  (One of more than 65536 pages is not:
 * killed in its middle, the map is rebuilt.)
 */

#include "replica/base/cleanup.h"
#include "replica/wal/pos.h"

#include <stdbool.h>
#include <sys/types.h>

struct lsv_pagemap;

/* Opens or makes it.  A file of another page size or a bad header is emptied;
 * then lsv_pagemap_position() is false. */
int lsv_pagemap_open(const char *dir, uint32_t page_size, mode_t mode,
                     struct lsv_pagemap **out);
void lsv_pagemap_close(struct lsv_pagemap *map); /* NULL is fine */

/* The generation is not in the file (it belongs to the folder's). */
bool lsv_pagemap_position(const struct lsv_pagemap *map, uint32_t *index,
                          uint64_t *offset);
/* Empties it and takes its position away.  Another file takes the path:
 * whoever has the old one mapped keeps it, and gets -ESTALE when it grows. */
int lsv_pagemap_clear(struct lsv_pagemap *map);
/* All pages up to this commit are in: commits, msync, then the header. */
int lsv_pagemap_mark(struct lsv_pagemap *map, uint32_t index, uint64_t offset);

/* A page's hash; grows the file as needed (-ENOSPC: it cannot). */
int lsv_pagemap_set(struct lsv_pagemap *map, uint32_t page_no, uint64_t hash);
/* Takes out the pages beyond n (a commit that shrinks the database). */
void lsv_pagemap_shrink(struct lsv_pagemap *map, uint32_t n_pages);
/* What was set and shrunk since the last one is in the shadow, too. */
void lsv_pagemap_commit(struct lsv_pagemap *map);
/* Forgets what was set and shrunk since the last commit. */
void lsv_pagemap_rollback(struct lsv_pagemap *map);

/* XOR of all, with what is not committed yet; kept, not computed. */
uint64_t lsv_pagemap_sum(const struct lsv_pagemap *map);
uint32_t lsv_pagemap_pages(const struct lsv_pagemap *map);
uint32_t lsv_pagemap_page_size(const struct lsv_pagemap *map);

LSV_AUTO(pagemap, struct lsv_pagemap, lsv_pagemap_close)
#define auto_pagemap __attribute__((cleanup(lsv_auto_pagemap)))

#endif
