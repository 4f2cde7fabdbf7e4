/* SPDX-License-Identifier: MIT */
#ifndef LSV_PAGES_H
#define LSV_PAGES_H

/*
 * The frames of one segment, until it is known which of them are wanted:
 * page numbers in memory; page bytes in memory as well while they are few,
 * else in an unlinked file beside the output.
 */

#include "replica/base/vector.h"

#include <stddef.h>
#include <stdint.h>

struct lsv_page_ref {
	uint32_t page_no;
	uint32_t db_pages; /* not 0: this frame commits */
};

LSV_VECTOR(lsv_page_refs, struct lsv_page_ref)

struct lsv_pages {
	const char *dir; /* of the unlinked file; borrowed */
	uint32_t page_size;
	struct lsv_page_refs refs;
	size_t n_spooled; /* frames in the file; the others are in memory */
	uint8_t *memory;
	int fd; /* -1: no file yet */
};

void lsv_pages_init(struct lsv_pages *pages, const char *dir,
                    uint32_t page_size);
void lsv_pages_free(struct lsv_pages *pages);

/* Forgets all frames, keeps the memory. */
void lsv_pages_reset(struct lsv_pages *pages);

int lsv_pages_add(struct lsv_pages *pages, const struct lsv_page_ref *ref,
                  const void *page);

/* The pages of n frames from frame i on, into 'buf'. */
int lsv_pages_copy(const struct lsv_pages *pages, size_t i, size_t n,
                   uint8_t *buf);

#define auto_pages __attribute__((cleanup(lsv_pages_free)))

#endif
