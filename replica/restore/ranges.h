/* SPDX-License-Identifier: MIT */
#ifndef LSV_RANGES_H
#define LSV_RANGES_H

/* A large object, fetched in pieces, several at a time: one connection rarely
 * fills a link. */

#include "replica/store/client.h"

/* So large is a piece, and the memory that each thread needs. */
#define LSV_RANGES_PIECE ((uint64_t)8 << 20)

/* 'size' bytes of an object into 'into', in their order, though by any of
 * n_threads threads, each over a clone of 'client'.  An object that is shorter
 * than that ends early; that is for the reader of 'into' to notice.  An error
 * of 'into' is passed on. */
int lsv_ranges_get(struct lsv_client *client, const char *name, uint64_t size,
                   unsigned n_threads, struct lsv_writer *into);

#endif
