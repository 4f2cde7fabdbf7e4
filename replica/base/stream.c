/* SPDX-License-Identifier: MIT */
#include "replica/base/stream.h"

#include "replica/base/fileio.h"

#include <errno.h>
#include <string.h>

#define COPY_SIZE 65536

ssize_t lsv_read_full(struct lsv_reader *reader, void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = reader->read(reader, (char *)buf + done,
		                           n - done);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

void lsv_reader_close(struct lsv_reader *reader)
{
	if (reader && reader->close)
		reader->close(reader);
}

void lsv_writer_close(struct lsv_writer *writer)
{
	if (writer && writer->close)
		writer->close(writer);
}

int lsv_copy(struct lsv_reader *from, struct lsv_writer *to)
{
	auto_free char *buf = malloc(COPY_SIZE);
	ssize_t got;
	int r;

	if (!buf)
		return -ENOMEM;
	while ((got = from->read(from, buf, COPY_SIZE)) > 0) {
		r = to->write(to, buf, (size_t)got);
		if (r < 0)
			return r;
	}
	return (int)got;
}

struct memory_reader {
	struct lsv_reader base;
	const uint8_t *buf;
	size_t n;
	size_t at;
};

static ssize_t memory_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct memory_reader *m = (struct memory_reader *)reader;

	if (n > m->n - m->at)
		n = m->n - m->at;
	if (n)
		memcpy(buf, m->buf + m->at, n);
	m->at += n;
	return (ssize_t)n;
}

static int memory_rewind(struct lsv_reader *reader)
{
	((struct memory_reader *)reader)->at = 0;
	return 0;
}

static void free_reader(struct lsv_reader *reader)
{
	free(reader);
}

struct lsv_reader *lsv_reader_memory(const void *buf, size_t n)
{
	struct memory_reader *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->base = (struct lsv_reader){memory_read, memory_rewind, free_reader,
	                              (int64_t)n};
	m->buf = buf;
	m->n = n;
	return &m->base;
}

struct file_reader {
	struct lsv_reader base;
	int fd;
	int owns_fd;
	uint64_t from;
	uint64_t at;
	uint64_t to;
};

static ssize_t file_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct file_reader *f = (struct file_reader *)reader;
	ssize_t got;

	if (n > f->to - f->at)
		n = f->to - f->at;
	got = lsv_pread(f->fd, buf, n, f->at);
	if (got < 0)
		return got;
	if ((size_t)got < n)
		return -EBADMSG;
	f->at += (uint64_t)got;
	return got;
}

static int file_rewind(struct lsv_reader *reader)
{
	struct file_reader *f = (struct file_reader *)reader;

	f->at = f->from;
	return 0;
}

static void file_close(struct lsv_reader *reader)
{
	struct file_reader *f = (struct file_reader *)reader;

	if (f->owns_fd)
		close(f->fd);
	free(f);
}

struct lsv_reader *lsv_reader_file(int fd, uint64_t from, uint64_t to,
                                   int owns_fd)
{
	struct file_reader *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->base = (struct lsv_reader){file_read, file_rewind, file_close,
	                              (int64_t)(to - from)};
	f->fd = fd;
	f->owns_fd = owns_fd;
	f->from = f->at = from;
	f->to = to;
	return &f->base;
}

struct fd_writer {
	struct lsv_writer base;
	int fd;
};

static int fd_write(struct lsv_writer *writer, const void *buf, size_t n)
{
	return lsv_write(((struct fd_writer *)writer)->fd, buf, n);
}

static void free_writer(struct lsv_writer *writer)
{
	free(writer);
}

struct lsv_writer *lsv_writer_fd(int fd)
{
	struct fd_writer *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->base = (struct lsv_writer){fd_write, free_writer};
	w->fd = fd;
	return &w->base;
}

int lsv_buf_reserve(struct lsv_buf *buf, size_t n_more)
{
	size_t cap = buf->cap ? buf->cap : 4096;
	uint8_t *data;

	if (n_more > SIZE_MAX / 4 - buf->n)
		return -ENOMEM;
	if (buf->n + n_more <= buf->cap)
		return 0;
	while (cap < buf->n + n_more)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (!data)
		return -ENOMEM;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

int lsv_buf_append(struct lsv_buf *buf, const void *data, size_t n)
{
	int r = lsv_buf_reserve(buf, n);

	if (r < 0)
		return r;
	if (n)
		memcpy(buf->data + buf->n, data, n);
	buf->n += n;
	return 0;
}

void lsv_buf_free(struct lsv_buf *buf)
{
	free(buf->data);
	*buf = (struct lsv_buf){0};
}

struct buf_writer {
	struct lsv_writer base;
	struct lsv_buf *buf;
};

static int buf_write(struct lsv_writer *writer, const void *data, size_t n)
{
	return lsv_buf_append(((struct buf_writer *)writer)->buf, data, n);
}

struct lsv_writer *lsv_writer_buf(struct lsv_buf *buf)
{
	struct buf_writer *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->base = (struct lsv_writer){buf_write, free_writer};
	w->buf = buf;
	return &w->base;
}
