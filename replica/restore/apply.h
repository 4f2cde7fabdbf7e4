/* SPDX-License-Identifier: MIT */
#ifndef LSV_APPLY_H
#define LSV_APPLY_H

/*
 * A plan becomes a file: its segments, the newest first and several at a
 * time, then the snapshot around what they wrote, and what is done of the file
 * is read back.
 */

#include "replica/restore/fetch.h"
#include "replica/restore/prove.h"

struct lsv_applied {
	uint32_t page_size; /* 0: no segment told, and no table */
	uint32_t db_pages;
	uint64_t size;
	struct lsv_proof proof; /* begun while there was time */
};

/* Writes into fd, an empty file in directory 'dir', with n clients at a time.
 * All links are checked; -EBADMSG: damaged, said. */
int lsv_apply(struct lsv_fetch *fetch, struct lsv_client *client, unsigned n,
              int fd, const char *dir, struct lsv_applied *applied);

#endif
