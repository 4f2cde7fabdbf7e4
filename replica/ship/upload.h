/* SPDX-License-Identifier: MIT */
#ifndef LSV_UPLOAD_H
#define LSV_UPLOAD_H

/*
 * One object at a time onto one replica: what a generation needs there, in
 * the order of I9.  Knows the local folder and a client, no SQLite: the
 * caller syncs the WAL first (I4) and holds the leader's lock.
 *
 * An object's bytes are a function of the generation, its commits and the
 * codec, so that a put whose outcome is not known can be tried again; its
 * time is its last commit's.  That times never decrease along the chain is
 * the caller's duty.  Nothing is put that did not verify on the way out:
 * -EBADMSG then means that the local folder is damaged, and the generation
 * has to end.
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

/* Encodes the commits (from, to] of an index and puts them as one segment;
 * both are ends of commits, or from is 0.  *n_bytes: size of the object put.
 * What has more than 8 MiB of WAL is encoded while it is put, so memory is
 * bounded but for the commits' records. */
int lsv_upload_segment(const struct lsv_upload *upload,
                       struct lsv_client *client, uint32_t index, uint64_t from,
                       uint64_t to, uint64_t *n_bytes);

/*
 * A snapshot in two steps, since the pages must be read quickly and the
 * upload may be slow.  Spools the pages of 'source' into
 * the generation's folder, compressed, with the table for 'at' (whose end is
 * set to 0, and whose page hash is filled in).  Nothing is synced: the put
 * proves the file.  -ENOSPC, and nothing is left of it, before half of what is
 * free there is used up.
 */
int lsv_upload_spool_snapshot(const struct lsv_upload *upload, uint32_t index,
                              const struct lsv_snapshot_source *source,
                              struct lsv_commit *at);
/* Puts the spooled snapshot; the spool file stays until it is dropped.
 * -ENOENT: there is none. */
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
/* -EEXIST: another lineage has this generation there. */
int lsv_upload_lineage(const struct lsv_upload *upload,
                       struct lsv_client *client,
                       const struct lsv_lineage *lineage);

#endif
