/* SPDX-License-Identifier: MIT */
#include "vfs/source.h"

#include "replica/base/bytes.h"
#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_SIZE ((size_t)256 * 1024)

void lsv_source_init(struct lsv_source *source)
{
	*source = (struct lsv_source){.fd = -1};
}

void lsv_source_close(struct lsv_source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	lsv_source_init(source);
}

int lsv_source_is_path(const struct lsv_source *source, const char *wal_path)
{
	struct stat st;

	if (source->fd < 0)
		return -EBADF;
	if (stat(wal_path, &st) < 0)
		return -errno;
	return st.st_dev == source->dev && st.st_ino == source->ino ? 0
	                                                            : -ESTALE;
}

static int open_path(struct lsv_source *source, const char *wal_path)
{
	struct stat st;
	int fd;

	if (lsv_source_is_path(source, wal_path) == 0)
		return 0;
	fd = lsv_open(wal_path, O_RDONLY, 0);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return -EIO;
	}
	if (source->fd >= 0)
		close(source->fd);
	source->fd = fd;
	source->dev = st.st_dev;
	source->ino = st.st_ino;
	return 0;
}

int lsv_source_begin(struct lsv_source *source, const char *wal_path,
                     const struct lsv_shm *live)
{
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header = {.page_size = live->page_size,
	                                .big_endian = live->big_endian};
	int r = open_path(source, wal_path);

	if (r < 0)
		return r == -ENOENT ? -EAGAIN : r;
	/* Of an incarnation without a frame the header may not be written
	 * yet; its checksum is then found with its first frame. */
	if (live->mx_frame > 0 && (lsv_pread(source->fd, bytes, sizeof bytes,
	                                     0) != (ssize_t)sizeof bytes ||
	                           lsv_wal_header_decode(bytes, &header) < 0 ||
	                           !lsv_salt_equal(header.salt, live->salt) ||
	                           header.page_size != live->page_size))
		return -EAGAIN;
	source->big_endian = header.big_endian;
	source->page_size = live->page_size;
	source->n_zero = 0;
	source->at = (struct lsv_stand){
		.checksum = {header.checksum[0], header.checksum[1]}};
	memcpy(source->salt, live->salt, sizeof source->salt);
	return 0;
}

int lsv_source_seek(struct lsv_source *source, const struct lsv_real *real)
{
	uint8_t bytes[LSV_FRAME_HEADER_SIZE];
	struct lsv_frame frame;

	if (real->frame == 0)
		return 0;
	lsv_frame_decode(real->header, &frame);
	if (!lsv_salt_equal(frame.salt, source->salt) ||
	    lsv_pread(source->fd, bytes, sizeof bytes,
	              lsv_frame_offset(real->frame, source->page_size)) !=
	            (ssize_t)sizeof bytes ||
	    memcmp(bytes, real->header, sizeof bytes) != 0)
		return -ESTALE;
	source->at.real = *real;
	memcpy(source->at.checksum, frame.checksum, sizeof source->at.checksum);
	return 0;
}

/* SQLite before 3.50.2 commits frames without salts and checksum after a
 * savepoint rollback (design.md section 4). */
static bool is_zero_frame(const struct lsv_frame *frame)
{
	return frame->page_no && !frame->salt[0] && !frame->salt[1] &&
	       !frame->checksum[0] && !frame->checksum[1];
}

/* Accepts the frame in 'bytes' as the next one of the chain. */
static bool accept(struct lsv_source *source, const uint8_t *bytes,
                   struct lsv_frame *frame)
{
	lsv_frame_decode(bytes, frame);
	if (is_zero_frame(frame)) {
		source->at.is_loose = true;
		source->n_zero++;
		return true;
	}
	if (source->at.is_loose && lsv_salt_equal(frame->salt, source->salt)) {
		source->at.is_loose = false;
		memcpy(source->at.checksum, frame->checksum,
		       sizeof source->at.checksum);
		return true;
	}
	return lsv_frame_verify(bytes, bytes + LSV_FRAME_HEADER_SIZE,
	                        source->page_size, source->big_endian,
	                        source->salt, source->at.checksum);
}

/* Frames that were read: n bytes of them. */
struct frames {
	uint8_t *buf;
	size_t n;
};

static int hand_on(struct lsv_source *source, const struct frames *frames,
                   lsv_source_fn *each, void *arg)
{
	size_t size = LSV_FRAME_HEADER_SIZE + source->page_size;
	struct lsv_frame frame;
	int r;

	for (const uint8_t *p = frames->buf; p < frames->buf + frames->n;
	     p += size) {
		if (!accept(source, p, &frame))
			return -EBADMSG;
		source->at.real.frame++;
		memcpy(source->at.real.header, p, LSV_FRAME_HEADER_SIZE);
		r = each(arg, &frame, p + LSV_FRAME_HEADER_SIZE);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The header's checksum begins the chain; it may have been written after we
 * stood before frame 1. */
static int read_header(struct lsv_source *source)
{
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header;

	if (source->at.real.frame > 0)
		return 0;
	if (lsv_pread(source->fd, bytes, sizeof bytes, 0) !=
	            (ssize_t)sizeof bytes ||
	    lsv_wal_header_decode(bytes, &header) < 0)
		return -EBADMSG;
	if (!lsv_salt_equal(header.salt, source->salt) ||
	    (source->page_size && header.page_size != source->page_size))
		return -ESTALE;
	/* SQLite's recovery of an empty WAL leaves a head without one. */
	source->page_size = header.page_size;
	source->big_endian = header.big_endian;
	memcpy(source->at.checksum, header.checksum,
	       sizeof source->at.checksum);
	return 0;
}

/* Reads up to frame 'last', at most what the buffer takes. */
static int read_frames(const struct lsv_source *source, uint32_t last,
                       size_t buf_size, struct frames *frames)
{
	size_t size = LSV_FRAME_HEADER_SIZE + source->page_size;
	ssize_t got;

	frames->n = (size_t)(last - source->at.real.frame) * size;
	if (frames->n > buf_size)
		frames->n = buf_size / size * size;
	got = lsv_pread(
		source->fd, frames->buf, frames->n,
		lsv_frame_offset(source->at.real.frame + 1, source->page_size));
	if (got < 0)
		return (int)got;
	return (size_t)got < frames->n ? -EBADMSG : 0;
}

int lsv_source_read(struct lsv_source *source, uint32_t last,
                    lsv_still_fn *still, lsv_source_fn *each, void *arg)
{
	int r = source->at.real.frame < last ? read_header(source) : 0;
	size_t size = LSV_FRAME_HEADER_SIZE + source->page_size;
	auto_free uint8_t *buf = NULL;
	struct frames frames;

	if (r < 0 || source->at.real.frame >= last)
		return r;
	/* Not kept: there may be thousands of databases (I13). */
	size *= last - source->at.real.frame;
	if (size > CHUNK_SIZE)
		size = CHUNK_SIZE;
	buf = malloc(size);
	if (!buf)
		return -ENOMEM;
	frames.buf = buf;
	while (r == 0 && source->at.real.frame < last) {
		int read_r = read_frames(source, last, size, &frames);

		if (read_r < 0 && read_r != -EBADMSG)
			return read_r;
		/* Only now is it known that what was read could not have been
		 * overwritten meanwhile. */
		r = still(arg);
		if (r == 0)
			r = read_r < 0 ? read_r
			               : hand_on(source, &frames, each, arg);
	}
	return r;
}
