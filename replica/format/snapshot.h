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

/*
 * The object as a reader: 'pages' gives the database's bytes.  The page hash
 * of what went by is put into the table's record (commits.at[0].page_hash)
 * before the table is written; 'each' (may be NULL) is told each page's hash,
 * in order.  All are borrowed until the reader's close.
 * -EBADMSG while reading: the bytes are not commits.at[0].db_pages pages.
 */
typedef void lsv_page_hash_fn(void *arg, uint32_t page_no, uint64_t hash);

int lsv_snapshot_encode(enum lsv_codec codec, struct lsv_reader *pages,
                        uint32_t page_size, struct lsv_table *table,
                        lsv_page_hash_fn *each, void *arg,
                        struct lsv_reader **out);

#endif
