/* SPDX-License-Identifier: MIT */
#ifndef LSV_LINKS_H
#define LSV_LINKS_H

/*
 * Segments are decoded side by side, so each is proven alone first; what it
 * begins with and ends with is kept, and in the end all must fit together.
 */

#include "replica/format/segment.h"
#include "replica/restore/plan.h"

struct lsv_link {
	struct lsv_chain begin; /* before its first frame */
	struct lsv_chain end;   /* behind its last frame */
	uint64_t first_txid;    /* ours */
	uint64_t last_txid;
	bool has_commit; /* some frame commits */
	bool ends_open;  /* frames behind the last commit */
};

/* -EBADMSG: what begins at 'due' is missing, although 'item' follows. */
int lsv_links_complain(const struct lsv_item *item, const struct lsv_pos *due);

/* 0: 'item' goes on from commit 'last_txid'; else -EBADMSG, said. */
int lsv_links_check_txid(const struct lsv_item *item, uint64_t last_txid,
                         uint64_t first_txid);

/* 0, or -EBADMSG after saying which object does not fit. */
int lsv_links_check(const struct lsv_plan *plan, const struct lsv_link *links);

#endif
