/* SPDX-License-Identifier: MIT */
#ifndef LSV_STREAM_H
#define LSV_STREAM_H

/*
 * Bytes on the move.  A reader is pulled, a writer is pushed; a layer embeds
 * the struct as its first member and fills in the functions.
 */

#include "replica/base/cleanup.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where bytes come from. */
struct lsv_reader {
	/* Up to n bytes into buf; fewer than n only before the end; 0 is the
	 * end; or -errno. */
	ssize_t (*read)(struct lsv_reader *reader, void *buf, size_t n);
	/* Back to the first byte, so that a put can be tried again; NULL:
	 * this reader can be read once. */
	int (*rewind)(struct lsv_reader *reader);
	/* Frees the reader and what it owns.  NULL: nothing to free. */
	void (*close)(struct lsv_reader *reader);
	/* How many bytes it gives in all; -1: not known beforehand. */
	int64_t size;
};

/* Where bytes go. */
struct lsv_writer {
	int (*write)(struct lsv_writer *writer, const void *buf, size_t n);
	void (*close)(struct lsv_writer *writer);
};

/* Reads until n bytes or the end. */
ssize_t lsv_read_full(struct lsv_reader *reader, void *buf, size_t n);
void lsv_reader_close(struct lsv_reader *reader); /* NULL is fine */
void lsv_writer_close(struct lsv_writer *writer); /* NULL is fine */

/* All of 'from' into 'to'. */
int lsv_copy(struct lsv_reader *from, struct lsv_writer *to);

/* Borrowed memory as a reader. */
struct lsv_reader *lsv_reader_memory(const void *buf, size_t n);

/* The bytes [from, to) of an open file; -EBADMSG when it ends earlier.
 * Borrows fd unless 'owns_fd'. */
struct lsv_reader *lsv_reader_file(int fd, uint64_t from, uint64_t to,
                                   int owns_fd);

/* Writes at the descriptor's offset; borrows fd. */
struct lsv_writer *lsv_writer_fd(int fd);

/* Bytes that grow. */
struct lsv_buf {
	uint8_t *data;
	size_t n;   /* used */
	size_t cap; /* allocated */
};

int lsv_buf_append(struct lsv_buf *buf, const void *data, size_t n);
int lsv_buf_reserve(struct lsv_buf *buf, size_t n_more);
void lsv_buf_free(struct lsv_buf *buf);

/* A writer that appends to a borrowed buffer. */
struct lsv_writer *lsv_writer_buf(struct lsv_buf *buf);

LSV_AUTO(reader, struct lsv_reader, lsv_reader_close)
LSV_AUTO(writer, struct lsv_writer, lsv_writer_close)
#define auto_reader __attribute__((cleanup(lsv_auto_reader)))
#define auto_writer __attribute__((cleanup(lsv_auto_writer)))
#define auto_buf __attribute__((cleanup(lsv_buf_free)))

#endif
