/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_CODEC_FIXTURE_H
#define LSV_TEST_CODEC_FIXTURE_H

/* Objects to compress, and what comes of them again. */

#include "replica/base/bytes.h"
#include "replica/format/codec.h"
#include "replica/format/table.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <string.h>

static const enum lsv_codec codecs[] = {LSV_LZ4, LSV_ZSTD};

/* A tail that lsv_codec_tail() can find: text, length, magic. */
static const char tail_text[] = "sixteen bytes or more of tail ";

static inline int put_tail(void *arg, struct lsv_buf *tail)
{
	size_t *n_calls = arg;
	uint8_t trailer[8];
	int r = lsv_buf_append(tail, tail_text, sizeof tail_text);

	if (n_calls)
		++*n_calls;
	put_le32(trailer, sizeof tail_text + sizeof trailer);
	put_le32(trailer + 4, LSV_TABLE_END_MAGIC);
	return r ? r : lsv_buf_append(tail, trailer, sizeof trailer);
}

#define N_TAIL (sizeof tail_text + 8)

/* Bytes that compress somewhat, as databases do. */
static inline struct lsv_buf plain_bytes(size_t n, unsigned seed)
{
	struct lsv_buf buf = {0};
	uint64_t state = seed * UINT64_C(2654435761) + 1;

	ck_assert_int_eq(lsv_buf_reserve(&buf, n), 0);
	for (; buf.n < n; buf.n++) {
		state = state * UINT64_C(6364136223846793005) + 1;
		buf.data[buf.n] = (uint8_t)(state >> 62 ? 'a' : state >> 40);
	}
	return buf;
}

static inline struct lsv_buf compressed(enum lsv_codec codec,
                                        const struct lsv_buf *plain,
                                        lsv_tail_fn *tail, size_t read_size)
{
	struct lsv_reader *reader = lsv_reader_memory(plain->data, plain->n);
	struct lsv_reader *object;
	struct lsv_buf buf = {0};
	ssize_t got;

	ck_assert_int_eq(lsv_compress_open(codec, reader, tail, NULL, &object),
	                 0);
	do {
		ck_assert_int_eq(lsv_buf_reserve(&buf, read_size), 0);
		got = object->read(object, buf.data + buf.n, read_size);
		ck_assert(got >= 0);
		buf.n += (size_t)got;
	} while (got > 0);
	lsv_reader_close(object);
	lsv_reader_close(reader);
	return buf;
}

/* Writes in pieces of 'step'; the result of the first that fails, or of the
 * end. */
static inline int decompress(enum lsv_codec codec, const void *bytes, size_t n,
                             size_t step, struct lsv_buf *plain,
                             struct lsv_buf *tail)
{
	struct lsv_writer *writer = lsv_writer_buf(plain), *decoder;
	int r = 0;

	ck_assert_int_eq(lsv_decompress_open(codec, writer, tail, &decoder), 0);
	for (size_t at = 0; at < n && r == 0; at += step)
		r = decoder->write(decoder, (const uint8_t *)bytes + at,
		                   step < n - at ? step : n - at);
	ck_assert(r == 0 || lsv_decompress_end(decoder) == r);
	r = lsv_decompress_end(decoder);
	lsv_writer_close(decoder);
	lsv_writer_close(writer);
	return r;
}

static inline void check_bytes(const struct lsv_buf *a, const struct lsv_buf *b)
{
	ck_assert_uint_eq(a->n, b->n);
	ck_assert(a->n == 0 || memcmp(a->data, b->data, a->n) == 0);
}

/* One object with something put before or behind it. */
static inline int with(enum lsv_codec codec, const char *before,
                       size_t n_before, const char *after, size_t n_after,
                       size_t *n_tail)
{
	struct lsv_buf plain = plain_bytes(500, 17);
	struct lsv_buf data = compressed(codec, &plain, NULL, 4096);
	struct lsv_buf object = {0}, back = {0}, tail = {0};
	int r;

	lsv_buf_append(&object, before, n_before);
	lsv_buf_append(&object, data.data, data.n);
	lsv_buf_append(&object, after, n_after);
	r = decompress(codec, object.data, object.n, 3, &back, &tail);
	if (r == 0)
		check_bytes(&plain, &back);
	*n_tail = tail.n;
	lsv_buf_free(&plain);
	lsv_buf_free(&data);
	lsv_buf_free(&object);
	lsv_buf_free(&back);
	lsv_buf_free(&tail);
	return r;
}

#endif
