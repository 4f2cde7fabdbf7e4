/* SPDX-License-Identifier: MIT */
#ifndef LSV_SNAPSHOT_H
#define LSV_SNAPSHOT_H

/*
 * A snapshot: the database at the commit where an index begins, page 1 to the
 * last, compressed as one object.  Its commit table has one record: offset 0,
 * the txid of that commit, the page-hash checksum of all pages.
 */

#include "replica/format/codec.h"
#include "replica/format/table.h"

typedef void lsv_page_hash_fn(void *arg, uint32_t page_no, uint64_t hash);

/* The database's bytes, and who is told each page's hash, in order. */
struct lsv_snapshot_source {
	struct lsv_reader *pages;
	uint32_t page_size;
	lsv_page_hash_fn *each; /* may be NULL */
	void *arg;
};

/*
 * The object as a reader over 'source' (its fields and the table are borrowed
 * until the reader's close).  The page-hash checksum of what went by is put
 * into the table's record (commits.at[0].page_hash) before the table is
 * written.  It rewinds when source->pages does; 'each' is then told again.
 * -EBADMSG while reading: the bytes are not commits.at[0].db_pages pages.
 */
int lsv_snapshot_encode(enum lsv_codec codec,
                        const struct lsv_snapshot_source *source,
                        struct lsv_table *table, struct lsv_reader **out);

#endif
