/* SPDX-License-Identifier: MIT */
#ifndef LSV_IMAGE_H
#define LSV_IMAGE_H

/*
 * The database at one commit, read without a reset, without WRITE and without
 * a finished backfill (design.md section 7): SHARED, then CKPT, then the shm
 * header; a page that has a frame comes from its newest frame, the rest from
 * the file.  Through a bare handle of the lower VFS: no connection, no key, no
 * descriptor of ours on the file (I8).
 */

#include "replica/base/stream.h"
#include "replica/wal/shm.h"
#include "vfs/db.h"

struct lsv_image;

/* Takes the locks and reads the head.  The caller has entered the database.
 * -EAGAIN: not now (a lock, no shm); -ENODATA: a database of 0 pages. */
int lsv_image_open(struct lsv_db *db, struct lsv_image **out);

/* Chooses the commit: frame mx_frame of the head's incarnation (not before the
 * head's own), after which the database has db_pages.  Only then can pages be
 * read.  -EAGAIN: somebody has just reset the WAL. */
int lsv_image_stand(struct lsv_image *image, uint32_t mx_frame,
                    uint32_t db_pages);
void lsv_image_close(struct lsv_image *image); /* NULL is fine */

/* Where it stands: the shm header as read under CKPT, with page size and
 * pages filled in. */
const struct lsv_shm *lsv_image_head(const struct lsv_image *image);
/* The real header of frame mx_frame. */
const struct lsv_real *lsv_image_real(const struct lsv_image *image);

/* All pages in order; -ECANCELED when the database's interrupt is raised.
 * Rewinds.  Owned by the image. */
struct lsv_reader *lsv_image_pages(struct lsv_image *image);

/* Syncs a database file through such a handle. */
int lsv_image_sync_file(struct lsv_db *db);

LSV_AUTO(image, struct lsv_image, lsv_image_close)
#define auto_image __attribute__((cleanup(lsv_auto_image)))

#endif
