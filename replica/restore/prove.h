/* SPDX-License-Identifier: MIT */
#ifndef LSV_PROVE_H
#define LSV_PROVE_H

/* The page-hash checksum of a file, read back as it lies there. */

#include <stdint.h>

int lsv_prove_page_hash(int fd, uint32_t page_size, uint32_t db_pages,
                        uint64_t *page_hash);

/* Starts to write the file to disk, and waits for it.  Runs beside the
 * reading. */
struct lsv_flush;
int lsv_flush_begin(int fd, struct lsv_flush **out);
int lsv_flush_end(struct lsv_flush *flush);

#endif
