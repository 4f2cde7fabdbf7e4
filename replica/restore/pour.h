/* SPDX-License-Identifier: MIT */
#ifndef LSV_POUR_H
#define LSV_POUR_H

/* Pages into their places in the output. */

#include "replica/base/stream.h"
#include "replica/restore/claims.h"

/* Writes the claimed frames of a segment; sorts 'list'. */
int lsv_pour_claims(int fd, const struct lsv_pages *pages,
                    struct lsv_claim_list *list);

/* A writer for the snapshot's bytes, which leaves out the pages that are
 * claimed and those behind the end; *n counts all of them.  page_size 0:
 * nothing is claimed.  Borrows all. */
int lsv_pour_open(int fd, uint32_t page_size, const struct lsv_claims *claims,
                  uint64_t *n, struct lsv_writer **out);

#endif
