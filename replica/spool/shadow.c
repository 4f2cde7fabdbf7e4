/* SPDX-License-Identifier: MIT */
#include "replica/spool/shadow.h"

#include "replica/base/fileio.h"
#include "replica/spool/spoolfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Collected frames are written when they are this many bytes, so that a
 * transaction larger than memory passes through. */
#define FLUSH_SIZE (1U << 20)

struct lsv_shadow {
	char *folder; /* .../wal */
	int wal_fd;
	int commits_fd;
	uint32_t index;
	bool folder_synced;
	uint64_t n_records;
	struct lsv_record end;
	struct lsv_walk first; /* before the first frame */
	/* What was appended since 'end': */
	uint32_t checksum[2]; /* of its last frame */
	uint32_t db_pages; /* which that frame carries; 0: none, more to come */
	uint64_t at;       /* where the next frame goes */
	/* What is collected, of commits and behind them: */
	uint64_t buf_at; /* where it goes */
	struct lsv_buf buf;
	struct lsv_buf records;    /* of commits that are not on disk */
	struct lsv_record written; /* the last one that is */
};

void lsv_shadow_close(struct lsv_shadow *shadow)
{
	if (!shadow)
		return;
	if (shadow->wal_fd >= 0)
		close(shadow->wal_fd);
	if (shadow->commits_fd >= 0)
		close(shadow->commits_fd);
	lsv_buf_free(&shadow->buf);
	lsv_buf_free(&shadow->records);
	free(shadow->folder);
	free(shadow);
}

static struct lsv_shadow *new_shadow(const char *gen_dir, uint32_t index)
{
	struct lsv_shadow *shadow = calloc(1, sizeof *shadow);

	if (!shadow)
		return NULL;
	shadow->wal_fd = shadow->commits_fd = -1;
	shadow->index = index;
	shadow->folder = lsv_path_join(gen_dir, "wal");
	if (!shadow->folder) {
		lsv_shadow_close(shadow);
		return NULL;
	}
	return shadow;
}

void lsv_shadow_rollback(struct lsv_shadow *shadow)
{
	uint64_t end = shadow->end.commit.end;

	memcpy(shadow->checksum,
	       end ? shadow->end.commit.checksum : shadow->first.checksum,
	       sizeof shadow->checksum);
	shadow->at = end ? end : LSV_WAL_HEADER_SIZE;
	shadow->db_pages = 0;
	/* What was written already is overwritten. */
	if (shadow->buf_at > shadow->at || shadow->buf.n == 0)
		shadow->buf_at = shadow->at;
	shadow->buf.n = shadow->at - shadow->buf_at;
	if (shadow->buf.n == 0)
		lsv_buf_free(&shadow->buf);
}

/* All that is said of the end is on disk. */
static void set_end(struct lsv_shadow *shadow, uint64_t n_records,
                    const struct lsv_record *end)
{
	shadow->n_records = n_records;
	shadow->end = shadow->written = *end;
	lsv_buf_free(&shadow->buf);
	lsv_buf_free(&shadow->records);
	lsv_shadow_rollback(shadow);
}

/* A path of one of the index's two files in the folder. */
static char *path_of(const struct lsv_shadow *shadow, const char *suffix)
{
	return lsv_sprintf("%s/%08x.%s", shadow->folder,
	                   (unsigned)shadow->index, suffix);
}

static int write_header(struct lsv_shadow *shadow, uint64_t generation,
                        uint32_t page_size, mode_t mode)
{
	auto_free char *path = path_of(shadow, "wal");
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header;
	int r;

	if (!path)
		return -ENOMEM;
	shadow->wal_fd = lsv_spool_open(path, O_RDWR | O_CREAT | O_TRUNC, mode);
	if (shadow->wal_fd < 0)
		return shadow->wal_fd;
	lsv_shadow_header(generation, shadow->index, page_size, &header);
	lsv_wal_header_encode(&header, bytes);
	r = lsv_pwrite(shadow->wal_fd, bytes, sizeof bytes, 0);
	if (r < 0)
		return r;
	return lsv_walk_begin(shadow->wal_fd, generation, shadow->index,
	                      &shadow->first);
}

/* The base appears whole, and with it the index: by renaming. */
static int write_base(struct lsv_shadow *shadow, mode_t mode)
{
	auto_free char *path = path_of(shadow, "commits");
	auto_free char *temp = path_of(shadow, "commits.tmp");
	uint8_t bytes[LSV_RECORD_SIZE];
	int r;

	if (!path || !temp)
		return -ENOMEM;
	shadow->commits_fd = lsv_spool_open(temp, O_RDWR | O_CREAT | O_TRUNC,
	                                    mode);
	if (shadow->commits_fd < 0)
		return shadow->commits_fd;
	lsv_record_encode(&shadow->end, bytes);
	r = lsv_pwrite(shadow->commits_fd, bytes, sizeof bytes, 0);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	return r;
}

static int check_absent(const struct lsv_shadow *shadow)
{
	auto_free char *path = path_of(shadow, "commits");
	struct stat st;

	if (!path)
		return -ENOMEM;
	if (stat(path, &st) == 0)
		return -EEXIST;
	return errno == ENOENT ? 0 : -errno;
}

/* NOLINTNEXTLINE(readability-function-size): three of seven say which file */
int lsv_shadow_create(const char *gen_dir, uint64_t generation, uint32_t index,
                      uint32_t page_size, const struct lsv_record *base,
                      mode_t mode, struct lsv_shadow **out)
{
	auto_shadow struct lsv_shadow *shadow = new_shadow(gen_dir, index);
	int r;

	if (!shadow)
		return -ENOMEM;
	if (!lsv_page_size_valid(page_size))
		return -EINVAL;
	r = lsv_spool_mkdir(shadow->folder, mode);
	if (r == 0)
		r = check_absent(shadow);
	if (r < 0)
		return r;
	shadow->end = *base;
	shadow->end.commit.end = 0;
	r = write_header(shadow, generation, page_size, mode);
	if (r == 0)
		r = write_base(shadow, mode);
	if (r < 0)
		return r;
	set_end(shadow, 1, &shadow->end);
	*out = take(shadow);
	return 0;
}

/* Whether a record's last frame is there: what was written before it then is,
 * too, unless the machine went down (lsv_shadow_verify()). */
static bool has_frames(const struct lsv_shadow *shadow, uint64_t wal_size,
                       const struct lsv_commit *commit)
{
	uint32_t page_size = shadow->first.page_size;
	uint8_t bytes[LSV_FRAME_HEADER_SIZE];
	struct lsv_frame frame;

	if (commit->end == 0)
		return true;
	if (commit->end > wal_size ||
	    commit->end < lsv_frame_offset(2, page_size))
		return false;
	if (lsv_pread(shadow->wal_fd, bytes, sizeof bytes,
	              commit->end - page_size - sizeof bytes) !=
	    (ssize_t)sizeof bytes)
		return false;
	lsv_frame_decode(bytes, &frame);
	return memcmp(frame.salt, shadow->first.salt, sizeof frame.salt) == 0 &&
	       memcmp(frame.checksum, commit->checksum,
	              sizeof frame.checksum) == 0 &&
	       frame.db_pages == commit->db_pages;
}

/* Makes the record at 'place' the last one, here and on disk. */
static int end_at(struct lsv_shadow *shadow, uint64_t place,
                  const struct lsv_record *record)
{
	if (ftruncate(shadow->commits_fd,
	              (off_t)((place + 1) * LSV_RECORD_SIZE)) < 0)
		return -errno;
	set_end(shadow, place + 1, record);
	return 0;
}

static int find_end(struct lsv_shadow *shadow)
{
	struct lsv_record record;
	struct stat st;
	uint64_t n;
	int r = lsv_record_count(shadow->commits_fd, &n);

	if (r < 0)
		return r;
	if (fstat(shadow->wal_fd, &st) < 0)
		return -errno;
	while (n-- > 0) {
		r = lsv_record_at(shadow->commits_fd, n, &record);
		if (r < 0 && r != -EBADMSG)
			return r;
		if (r == 0 &&
		    has_frames(shadow, (uint64_t)st.st_size, &record.commit))
			return end_at(shadow, n, &record);
	}
	return -EBADMSG;
}

static int open_files(struct lsv_shadow *shadow)
{
	auto_free char *wal = path_of(shadow, "wal");
	auto_free char *commits = path_of(shadow, "commits");

	if (!wal || !commits)
		return -ENOMEM;
	shadow->wal_fd = lsv_spool_open(wal, O_RDWR, 0);
	if (shadow->wal_fd < 0)
		return shadow->wal_fd;
	shadow->commits_fd = lsv_spool_open(commits, O_RDWR, 0);
	return shadow->commits_fd < 0 ? shadow->commits_fd : 0;
}

int lsv_shadow_open(const char *gen_dir, uint64_t generation, uint32_t index,
                    struct lsv_shadow **out)
{
	auto_shadow struct lsv_shadow *shadow = new_shadow(gen_dir, index);
	int r;

	if (!shadow)
		return -ENOMEM;
	r = open_files(shadow);
	if (r < 0)
		return r;
	r = lsv_walk_begin(shadow->wal_fd, generation, index, &shadow->first);
	if (r == 0)
		r = find_end(shadow);
	if (r < 0)
		return r;
	*out = take(shadow);
	return 0;
}

const struct lsv_record *lsv_shadow_end(const struct lsv_shadow *shadow)
{
	return &shadow->end;
}

uint32_t lsv_shadow_page_size(const struct lsv_shadow *shadow)
{
	return shadow->first.page_size;
}

uint32_t lsv_shadow_index(const struct lsv_shadow *shadow)
{
	return shadow->index;
}

static int write_frames(struct lsv_shadow *shadow)
{
	int r = lsv_pwrite(shadow->wal_fd, shadow->buf.data, shadow->buf.n,
	                   shadow->buf_at);

	if (r < 0)
		return r;
	shadow->buf_at += shadow->buf.n;
	shadow->buf.n = 0;
	return 0;
}

int lsv_shadow_append(struct lsv_shadow *shadow, uint32_t page_no,
                      uint32_t db_pages, const void *page)
{
	uint32_t page_size = shadow->first.page_size;
	struct lsv_frame frame = {
		.page_no = page_no,
		.db_pages = db_pages,
		.salt = {shadow->first.salt[0], shadow->first.salt[1]},
	};
	uint8_t *bytes;
	int r;

	if (page_no == 0 || shadow->db_pages != 0)
		return -EINVAL;
	r = lsv_buf_reserve(&shadow->buf, LSV_FRAME_HEADER_SIZE + page_size);
	if (r < 0)
		return r;
	bytes = shadow->buf.data + shadow->buf.n;
	lsv_frame_encode(&frame, false, page, page_size, shadow->checksum,
	                 bytes);
	memcpy(bytes + LSV_FRAME_HEADER_SIZE, page, page_size);
	shadow->buf.n += LSV_FRAME_HEADER_SIZE + page_size;
	shadow->at += LSV_FRAME_HEADER_SIZE + page_size;
	shadow->db_pages = db_pages;
	return shadow->buf.n >= FLUSH_SIZE ? write_frames(shadow) : 0;
}

int lsv_shadow_commit(struct lsv_shadow *shadow, int64_t time_ns,
                      uint64_t page_hash, const struct lsv_real *real)
{
	uint8_t bytes[LSV_RECORD_SIZE];
	struct lsv_record record = {
		.commit = {.end = shadow->at,
	                   .txid = shadow->end.commit.txid + 1,
	                   .time_ns = time_ns,
	                   .page_hash = page_hash,
	                   .checksum = {shadow->checksum[0],
	                                shadow->checksum[1]},
	                   .db_pages = shadow->db_pages},
		.real = *real,
	};
	int r;

	if (shadow->db_pages == 0)
		return -EINVAL;
	lsv_record_encode(&record, bytes);
	r = lsv_buf_append(&shadow->records, bytes, sizeof bytes);
	if (r < 0)
		return r;
	shadow->n_records++;
	shadow->end = record;
	shadow->db_pages = 0;
	return 0;
}

size_t lsv_shadow_unwritten(const struct lsv_shadow *shadow)
{
	return shadow->records.n ? shadow->buf.n + shadow->records.n : 0;
}

void lsv_shadow_drop(struct lsv_shadow *shadow)
{
	struct lsv_record written = shadow->written;

	set_end(shadow, shadow->n_records - shadow->records.n / LSV_RECORD_SIZE,
	        &written);
}

int lsv_shadow_write(struct lsv_shadow *shadow)
{
	uint64_t n = shadow->records.n / LSV_RECORD_SIZE;
	int r = 0;

	/* Frames before their records: whoever reads a record finds them. */
	if (n > 0)
		r = write_frames(shadow);
	if (r == 0 && n > 0)
		r = lsv_pwrite(shadow->commits_fd, shadow->records.data,
		               shadow->records.n,
		               (shadow->n_records - n) * LSV_RECORD_SIZE);
	if (r < 0) {
		lsv_shadow_drop(shadow);
		return r;
	}
	shadow->written = shadow->end;
	lsv_buf_free(&shadow->records);
	if (shadow->buf.n == 0)
		lsv_buf_free(&shadow->buf);
	return 0;
}

/* Reads record 'place' and its frames; *last becomes it when all is whole. */
static int verify_commit(struct lsv_shadow *shadow, uint64_t place,
                         struct lsv_walk *walk, struct lsv_record *last)
{
	struct lsv_record record;
	int r = lsv_record_at(shadow->commits_fd, place, &record);

	if (r < 0)
		return r;
	if (record.commit.txid != last->commit.txid + 1 ||
	    record.commit.end <= walk->at)
		return -EBADMSG;
	r = lsv_walk_to(walk, record.commit.end, NULL, NULL);
	if (r < 0)
		return r;
	if (memcmp(walk->checksum, record.commit.checksum,
	           sizeof walk->checksum) != 0)
		return -EBADMSG;
	*last = record;
	return 0;
}

int lsv_shadow_verify(struct lsv_shadow *shadow, uint64_t from, bool *cut)
{
	struct lsv_walk walk = shadow->first;
	struct lsv_record last;
	uint64_t place;
	int r = lsv_record_search(shadow->commits_fd, shadow->n_records, from,
	                          &place);

	if (r == 0)
		r = lsv_record_at(shadow->commits_fd, place, &last);
	if (r < 0)
		return r;
	if (last.commit.end != from)
		return -ENOENT;
	lsv_walk_resume(&walk, &last.commit);
	while (r == 0 && ++place < shadow->n_records)
		r = verify_commit(shadow, place, &walk, &last);
	if (r < 0 && r != -EBADMSG)
		return r;
	*cut = r < 0;
	return r < 0 ? end_at(shadow, place - 1, &last) : 0;
}

int lsv_shadow_dup(struct lsv_shadow *shadow, int fds[LSV_SHADOW_FDS])
{
	const int from[] = {shadow->wal_fd, shadow->commits_fd};
	int n = 0;

	for (int i = 0; i < 2; i++) {
		fds[n] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
		n += fds[n] >= 0;
	}
	if (shadow->folder_synced)
		return n;
	fds[n] = lsv_open(shadow->folder, O_RDONLY | O_DIRECTORY, 0);
	shadow->folder_synced = fds[n] >= 0;
	return fds[n] >= 0 ? n + 1 : n;
}

int lsv_shadow_sync(struct lsv_shadow *shadow)
{
	int r;

	if (fdatasync(shadow->wal_fd) < 0 || fdatasync(shadow->commits_fd) < 0)
		return -errno;
	if (shadow->folder_synced)
		return 0;
	r = lsv_dir_sync(shadow->folder);
	shadow->folder_synced = r == 0;
	return r;
}
