/* SPDX-License-Identifier: MIT */
#ifndef LSV_UPLOAD_H
#define LSV_UPLOAD_H

/*
 * One object at a time onto one replica: what a generation needs there, in
 * the order of I9.  Knows the local folder and a client, no SQLite: the
 * caller syncs the WAL first (I4) and holds the leader's lock.
 */

#include "replica/format/snapshot.h"
#include "replica/format/table.h"
#include "replica/spool/shadow.h"
#include "replica/store/client.h"

struct lsv_upload {
	const char *gen_dir;
	uint64_t generation;
	enum lsv_codec codec;
	uint8_t lineage[LSV_LINEAGE_SIZE];
};

/* Encodes the commits (from, to] of an index and puts them as one segment.
 * *n_bytes: size of the object put. */
int lsv_upload_segment(const struct lsv_upload *upload,
                       struct lsv_client *client, uint32_t index, uint64_t from,
                       uint64_t to, uint64_t *n_bytes);

/*
 * A snapshot in two steps, since the pages must be read quickly and the
 * upload may be slow.  Spools 'pages' (n bytes of database, page 1 on) into
 * the generation's folder, compressed, with the table for 'at' (its record's
 * page hash is filled in and returned in at->page_hash); each page's hash is
 * told to 'each'.
 */
int lsv_upload_spool_snapshot(const struct lsv_upload *upload, uint32_t index,
                              struct lsv_reader *pages, uint32_t page_size,
                              struct lsv_commit *at, lsv_page_hash_fn *each,
                              void *arg);
/* Puts the spooled snapshot; the spool file stays until it is removed. */
int lsv_upload_snapshot(const struct lsv_upload *upload,
                        struct lsv_client *client, uint32_t index,
                        uint64_t *n_bytes);
void lsv_upload_drop_snapshot(const struct lsv_upload *upload, uint32_t index);
bool lsv_upload_has_spooled(const struct lsv_upload *upload, uint32_t index);

/* lineage.json: after the first snapshot, before the first segment. */
struct lsv_lineage {
	struct lsv_pos parent; /* generation 0: unknown or none */
	const char *db_path;
	const char *sqlite_version;
	const char *reason; /* why the generation began */
};
int lsv_upload_lineage(const struct lsv_upload *upload,
                       struct lsv_client *client,
                       const struct lsv_lineage *lineage);

#endif
