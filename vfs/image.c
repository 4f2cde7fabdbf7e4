/* SPDX-License-Identifier: MIT */
#include "vfs/image.h"
#include "vfs/lower.h"

#include "replica/base/bytes.h"
#include "replica/base/log.h"
#include "replica/base/vector.h"
#include "replica/wal/pagehash.h"
#include "vfs/bare.h"

#include <errno.h>
#include <string.h>

#define SHM_CKPT 1

/* The newest frame of a page. */
struct overlay {
	uint32_t page_no;
	uint32_t frame;
};
LSV_VECTOR(lsv_overlays, struct overlay)

struct lsv_image {
	struct lsv_reader pages;
	struct lsv_db *db;
	struct lsv_bare bare;
	bool has_shared;
	bool has_ckpt;
	bool is_beside; /* an exclusive connection */
	struct lsv_shm head;
	struct lsv_source wal;
	struct lsv_overlays overlay; /* by page, after it was built */
	size_t next_overlay;
	uint32_t next_page;
	uint32_t file_pages;
	size_t in_page; /* bytes of next_page already given */
	uint8_t *page;
};

static const sqlite3_io_methods *methods(const struct lsv_image *image)
{
	return image->bare.file->pMethods;
}

/* Beside an exclusive connection of this process no lock can be had and none
 * is needed: whatever changes the file or resets the WAL is in this process
 * and sends us out first (capture.c).  Every frame is read from the WAL: it is
 * never older than what the file has. */
static int stand_beside_exclusive(struct lsv_image *image)
{
	int r = lsv_db_live(image->db, &image->head);

	image->head.n_backfill = 0;
	image->is_beside = true;
	if (r < 0 || image->head.mx_frame == 0)
		return -EAGAIN;
	return 0;
}

static int take_locks(struct lsv_image *image)
{
	int r;

	if (lsv_db_is_exclusive(image->db))
		return stand_beside_exclusive(image);
	/* CKPT alone does not freeze the file: last close, journal_mode=DELETE
	 * and exclusive connections checkpoint without it; SHARED keeps those
	 * out. */
	if (methods(image)->xLock(image->bare.file, SQLITE_LOCK_SHARED) !=
	    SQLITE_OK)
		return -EAGAIN;
	image->has_shared = true;
	r = lsv_bare_map(image->db, &image->bare);
	if (r < 0)
		return r;
	if (lsv_bare_lock(&image->bare, SHM_CKPT,
	                  SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) != SQLITE_OK)
		return -EAGAIN;
	image->has_ckpt = true;
	return lsv_shm_read(image->bare.shm, &image->head);
}

/* Of an empty WAL the shm knows neither page size nor pages. */
static int read_size(struct lsv_image *image)
{
	uint8_t header[100];
	sqlite3_int64 size;

	if (methods(image)->xFileSize(image->bare.file, &size) != SQLITE_OK)
		return -EIO;
	if (image->head.mx_frame == 0) {
		if (size < (sqlite3_int64)sizeof header)
			return -ENODATA;
		if (methods(image)->xRead(image->bare.file, header,
		                          sizeof header, 0) != SQLITE_OK)
			return -EIO;
		image->head.page_size = get_be16(header + 16);
		if (image->head.page_size == 1)
			image->head.page_size = 65536;
		if (!lsv_page_size_valid(image->head.page_size))
			return -ENODATA;
		image->head.db_pages = (uint32_t)(size / image->head.page_size);
	}
	image->file_pages = (uint32_t)(size / image->head.page_size);
	return image->head.db_pages || image->is_beside ? 0 : -ENODATA;
}

static int note_frame(void *arg, const struct lsv_frame *frame,
                      const void *page)
{
	struct lsv_image *image = arg;

	(void)page;
	if (atomic_load(&image->db->interrupt))
		return -ECANCELED;
	if (image->is_beside && frame->db_pages)
		image->head.db_pages = frame->db_pages;
	return lsv_overlays_append(
		&image->overlay,
		(struct overlay){frame->page_no, image->wal.at.real.frame});
}

static int by_page(const void *a, const void *b)
{
	const struct overlay *x = a, *y = b;

	if (x->page_no != y->page_no)
		return x->page_no < y->page_no ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

static int always_still(void *arg)
{
	(void)arg; /* CKPT is held: nobody can reset what is not backfilled */
	return 0;
}

/* Reads the WAL to frame M: its chain is verified on the way, and the real
 * header of frame M is where the shadow will begin. */
static int read_wal(struct lsv_image *image)
{
	struct lsv_overlays *all = &image->overlay;
	size_t n = 0;
	int r;

	if (image->head.mx_frame == 0)
		return 0;
	r = lsv_source_begin(&image->wal, image->db->wal_path, &image->head);
	if (r == 0)
		r = lsv_source_read(&image->wal, image->head.mx_frame,
		                    always_still, note_frame, image);
	if (r < 0)
		return r;
	if (image->head.n_backfill >= image->head.mx_frame) {
		/* All from the file: somebody may have reset meanwhile. */
		all->n = 0;
		return 0;
	}
	qsort(all->at, all->n, sizeof *all->at, by_page);
	for (size_t i = 0; i < all->n; i++) {
		if (n > 0 && all->at[n - 1].page_no == all->at[i].page_no)
			n--;
		all->at[n++] = all->at[i];
	}
	all->n = n;
	return 0;
}

static int read_from_wal(struct lsv_image *image, uint32_t frame)
{
	uint64_t at = lsv_frame_offset(frame, image->head.page_size) +
	              LSV_FRAME_HEADER_SIZE;
	ssize_t n = pread(image->wal.fd, image->page, image->head.page_size,
	                  (off_t)at);

	return n == (ssize_t)image->head.page_size ? 0 : -EIO;
}

static int read_from_file(struct lsv_image *image, uint32_t page_no)
{
	int size = (int)image->head.page_size;

	if (page_no == lsv_lock_page(image->head.page_size) ||
	    page_no > image->file_pages) {
		memset(image->page, 0, image->head.page_size);
		return 0;
	}
	return methods(image)->xRead(image->bare.file, image->page, size,
	                             (sqlite3_int64)(page_no - 1) * size) ==
	                       SQLITE_OK
	               ? 0
	               : -EIO;
}

static int load_page(struct lsv_image *image)
{
	const struct lsv_overlays *all = &image->overlay;
	uint32_t page_no = image->next_page;

	if (atomic_load(&image->db->interrupt))
		return -ECANCELED;
	while (image->next_overlay < all->n &&
	       all->at[image->next_overlay].page_no < page_no)
		image->next_overlay++;
	if (image->next_overlay < all->n &&
	    all->at[image->next_overlay].page_no == page_no)
		return read_from_wal(image, all->at[image->next_overlay].frame);
	return read_from_file(image, page_no);
}

static ssize_t read_pages(struct lsv_reader *reader, void *buf, size_t n)
{
	struct lsv_image *image = (struct lsv_image *)reader;
	size_t page_size = image->head.page_size, done = 0;

	while (done < n && image->next_page <= image->head.db_pages) {
		size_t some = page_size - image->in_page;
		int r = image->in_page == 0 ? load_page(image) : 0;

		if (r < 0)
			return r;
		if (some > n - done)
			some = n - done;
		memcpy((char *)buf + done, image->page + image->in_page, some);
		done += some;
		image->in_page = (image->in_page + some) % page_size;
		if (image->in_page == 0)
			image->next_page++;
	}
	return (ssize_t)done;
}

static int rewind_pages(struct lsv_reader *reader)
{
	struct lsv_image *image = (struct lsv_image *)reader;

	image->next_page = 1;
	image->next_overlay = 0;
	image->in_page = 0;
	return 0;
}

static int open_image(struct lsv_image *image)
{
	int r = lsv_bare_open(image->db, &image->bare);

	if (r == 0)
		r = take_locks(image);
	if (r == 0)
		r = read_size(image);
	return r;
}

int lsv_image_stand(struct lsv_image *image, uint32_t mx_frame,
                    uint32_t db_pages)
{
	int r;

	image->head.mx_frame = mx_frame;
	image->head.db_pages = db_pages;
	r = read_wal(image);
	if (r < 0)
		return r == -ESTALE ? -EAGAIN : r;
	image->page = malloc(image->head.page_size);
	if (!image->page)
		return -ENOMEM;
	image->pages = (struct lsv_reader){
		.read = read_pages,
		.rewind = rewind_pages,
		.size = (int64_t)image->head.db_pages * image->head.page_size,
	};
	return rewind_pages(&image->pages);
}

int lsv_image_open(struct lsv_db *db, struct lsv_image **out)
{
	auto_image struct lsv_image *image = calloc(1, sizeof *image);
	int r;

	if (!image)
		return -ENOMEM;
	image->db = db;
	lsv_source_init(&image->wal);
	r = open_image(image);
	if (r == 0)
		*out = take(image);
	return r;
}

void lsv_image_close(struct lsv_image *image)
{
	if (!image)
		return;
	/* xShmUnmap would leave CKPT set in SQLite's books: checkpoints then
	 * answer BUSY for the process's life (design.md section 7). */
	if (image->has_ckpt)
		lsv_bare_lock(&image->bare, SHM_CKPT,
		              SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
	lsv_bare_unmap(&image->bare);
	if (image->has_shared)
		methods(image)->xUnlock(image->bare.file, SQLITE_LOCK_NONE);
	lsv_bare_close(&image->bare);
	lsv_source_close(&image->wal);
	free(image->overlay.at);
	free(image->page);
	free(image);
}

const struct lsv_shm *lsv_image_head(const struct lsv_image *image)
{
	return &image->head;
}

const struct lsv_real *lsv_image_real(const struct lsv_image *image)
{
	return &image->wal.at.real;
}

struct lsv_reader *lsv_image_pages(struct lsv_image *image)
{
	return &image->pages;
}

int lsv_image_sync_file(struct lsv_db *db)
{
	struct lsv_bare bare = {0};
	int r = lsv_bare_open(db, &bare);

	if (r == 0 && bare.file->pMethods->xSync(
			      bare.file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		r = -EIO;
	lsv_bare_close(&bare);
	return r;
}
