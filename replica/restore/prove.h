/* SPDX-License-Identifier: MIT */
#ifndef LSV_PROVE_H
#define LSV_PROVE_H

/* The page-hash checksum of a file, read back as it lies there. */

#include <stdint.h>

/* Of its first pages, which nobody writes any more. */
struct lsv_proof {
	int fd;
	uint32_t page_size; /* 0: not known yet, none of them */
	uint64_t end;       /* of what was read */
	uint64_t hash;
};

/* Goes on to 'to', or to the whole page before it. */
int lsv_prove_some(struct lsv_proof *proof, uint64_t to);

/* All of it, what is left by as many threads as may read. */
int lsv_prove_page_hash(const struct lsv_proof *begun, uint32_t page_size,
                        uint32_t db_pages, uint64_t *page_hash);

/* Starts to write the file to disk, and waits for it.  Runs beside the
 * reading. */
struct lsv_flush;
int lsv_flush_begin(int fd, struct lsv_flush **out);
int lsv_flush_end(struct lsv_flush *flush);

#endif
