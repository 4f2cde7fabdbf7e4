/* SPDX-License-Identifier: MIT */
#include "replica/format/codec.h"

#include "replica/base/bytes.h"
#include "replica/format/coder.h"
#include "replica/format/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Shared by both codecs: the low four bits are free. */
#define SKIPPABLE UINT32_C(0x184d2a50)
#define SKIPPABLE_MASK UINT32_C(0xfffffff0)
#define SKIPPABLE_HEADER_SIZE 8

static const struct lsv_coder *coder_of(enum lsv_codec codec)
{
	return codec == LSV_ZSTD ? &lsv_coder_zstd : &lsv_coder_lz4;
}

/*
 * Compressing is pulled:  DATA ──► TAIL ──► END,  one refill of 'out' at a
 * time.
 */
enum compress_state { COMPRESS_DATA, COMPRESS_TAIL, COMPRESS_END };

struct compress {
	struct lsv_reader base;
	const struct lsv_coder *coder;
	struct lsv_encoder *encoder;
	struct lsv_reader *plain;
	lsv_tail_fn *tail;
	void *arg;
	uint8_t *block;
	struct lsv_buf out;
	size_t at; /* in out */
	enum compress_state state;
};

static int compress_block(struct compress *c)
{
	ssize_t got = lsv_read_full(c->plain, c->block, LSV_BLOCK_SIZE);
	bool is_last = got < (ssize_t)LSV_BLOCK_SIZE;

	if (got < 0)
		return (int)got;
	if (is_last)
		c->state = c->tail ? COMPRESS_TAIL : COMPRESS_END;
	return c->coder->encode(c->encoder, c->block, (size_t)got, is_last,
	                        &c->out);
}

static int append_tail(struct compress *c)
{
	static const uint8_t room[SKIPPABLE_HEADER_SIZE];
	int r = lsv_buf_append(&c->out, room, sizeof room);

	if (r == 0)
		r = c->tail(c->arg, &c->out);
	if (r < 0)
		return r;
	if (c->out.n - sizeof room > UINT32_MAX)
		return -EFBIG;
	put_le32(c->out.data, SKIPPABLE);
	put_le32(c->out.data + 4, (uint32_t)(c->out.n - sizeof room));
	c->state = COMPRESS_END;
	return 0;
}

static int refill(struct compress *c)
{
	c->out.n = c->at = 0;
	switch (c->state) {
	case COMPRESS_DATA:
		return compress_block(c);
	case COMPRESS_TAIL:
		return append_tail(c);
	case COMPRESS_END:
		return 0;
	}
	abort();
}

static ssize_t compress_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct compress *c = (struct compress *)reader;

	/* A block may leave nothing in 'out' while the library collects. */
	while (c->at == c->out.n && c->state != COMPRESS_END) {
		int r = refill(c);

		if (r < 0)
			return r;
	}
	if (n > c->out.n - c->at)
		n = c->out.n - c->at;
	if (n)
		memcpy(buf, c->out.data + c->at, n);
	c->at += n;
	return (ssize_t)n;
}

static void compress_close(struct lsv_reader *reader)
{
	struct compress *c = (struct compress *)reader;

	if (c->encoder)
		c->coder->encoder_close(c->encoder);
	lsv_buf_free(&c->out);
	free(c->block);
	free(c);
}

static int compress_rewind(struct lsv_reader *reader)
{
	struct compress *c = (struct compress *)reader;
	struct lsv_encoder *fresh;
	int r = c->plain->rewind(c->plain);

	if (r == 0)
		r = c->coder->encoder_open(c->plain->size, &fresh);
	if (r < 0)
		return r;
	c->coder->encoder_close(c->encoder);
	c->encoder = fresh;
	c->out.n = c->at = 0;
	c->state = COMPRESS_DATA;
	return 0;
}

int lsv_compress_open(enum lsv_codec codec, struct lsv_reader *plain,
                      lsv_tail_fn *tail, void *arg, struct lsv_reader **out)
{
	auto_reader struct lsv_reader *reader = NULL;
	struct compress *c = calloc(1, sizeof *c);
	int r;

	if (!c)
		return -ENOMEM;
	reader = &c->base;
	c->base = (struct lsv_reader){
		.read = compress_read,
		.rewind = plain->rewind ? compress_rewind : NULL,
		.close = compress_close,
		.size = -1,
	};
	c->coder = coder_of(codec);
	c->plain = plain;
	c->tail = tail;
	c->arg = arg;
	c->block = malloc(LSV_BLOCK_SIZE);
	if (!c->block)
		return -ENOMEM;
	r = c->coder->encoder_open(plain->size, &c->encoder);
	if (r < 0)
		return r;
	*out = take(reader);
	return 0;
}

/*
 * Decompressing is pushed.  Frames are told apart by their magic:
 *
 *	        ┌───────────────────────────────┐
 *	        ▼                 skippable     │
 *	      MAGIC ──► LENGTH ──► CONTENT ─────┤
 *	        └─────► DATA (once) ────────────┘
 */
enum decompress_state { MAGIC, LENGTH, CONTENT, DATA };

struct decompress {
	struct lsv_writer base;
	const struct lsv_coder *coder;
	struct lsv_decoder *decoder;
	struct lsv_writer *plain;
	struct lsv_buf *tail;
	enum decompress_state state;
	uint8_t word[4]; /* magic or length, as it comes in */
	size_t n_word;
	uint32_t magic;
	uint32_t n_content; /* still to come */
	bool has_data;      /* the data frame is complete */
	int error;          /* the first one stays */
};

static ssize_t take_data(struct decompress *d, const uint8_t *bytes, size_t n)
{
	bool is_done = false;
	ssize_t eaten = d->coder->decode(d->decoder, bytes, n, d->plain,
	                                 &is_done);

	if (eaten < 0)
		return eaten;
	if (is_done) {
		d->has_data = true;
		d->state = MAGIC;
	}
	return eaten;
}

static int begin_frame(struct decompress *d)
{
	ssize_t eaten;

	d->magic = get_le32(d->word);
	if ((d->magic & SKIPPABLE_MASK) == SKIPPABLE) {
		d->state = LENGTH;
		return 0;
	}
	if (d->has_data)
		return -EBADMSG;
	d->state = DATA;
	eaten = take_data(d, d->word, sizeof d->word);
	if (eaten < 0)
		return (int)eaten;
	return eaten == sizeof d->word ? 0 : -EBADMSG;
}

static int begin_content(struct decompress *d)
{
	d->n_content = get_le32(d->word);
	d->state = d->n_content ? CONTENT : MAGIC;
	return 0;
}

static ssize_t take_word(struct decompress *d, const uint8_t *bytes, size_t n)
{
	int r = 0;

	if (n > sizeof d->word - d->n_word)
		n = sizeof d->word - d->n_word;
	memcpy(d->word + d->n_word, bytes, n);
	d->n_word += n;
	if (d->n_word == sizeof d->word) {
		d->n_word = 0;
		r = d->state == MAGIC ? begin_frame(d) : begin_content(d);
	}
	return r < 0 ? r : (ssize_t)n;
}

static ssize_t take_content(struct decompress *d, const uint8_t *bytes,
                            size_t n)
{
	int r = 0;

	if (n > d->n_content)
		n = d->n_content;
	if (d->has_data && d->tail && d->magic == SKIPPABLE)
		r = lsv_buf_append(d->tail, bytes, n);
	d->n_content -= (uint32_t)n;
	if (d->n_content == 0)
		d->state = MAGIC;
	return r < 0 ? r : (ssize_t)n;
}

static ssize_t take_some(struct decompress *d, const uint8_t *bytes, size_t n)
{
	switch (d->state) {
	case MAGIC:
	case LENGTH:
		return take_word(d, bytes, n);
	case CONTENT:
		return take_content(d, bytes, n);
	case DATA:
		return take_data(d, bytes, n);
	}
	abort();
}

static int decompress_write(struct lsv_writer *writer, const void *buf,
                            size_t n)
{
	struct decompress *d = (struct decompress *)writer;
	const uint8_t *bytes = buf;

	while (n > 0 && d->error == 0) {
		ssize_t eaten = take_some(d, bytes, n);

		if (eaten < 0) {
			d->error = (int)eaten;
			break;
		}
		bytes += eaten;
		n -= (size_t)eaten;
	}
	return d->error;
}

static void decompress_close(struct lsv_writer *writer)
{
	struct decompress *d = (struct decompress *)writer;

	d->coder->decoder_close(d->decoder);
	free(d);
}

int lsv_decompress_open(enum lsv_codec codec, struct lsv_writer *plain,
                        struct lsv_buf *tail, struct lsv_writer **out)
{
	auto_free struct decompress *d = calloc(1, sizeof *d);
	int r;

	if (!d)
		return -ENOMEM;
	d->base = (struct lsv_writer){decompress_write, decompress_close};
	d->coder = coder_of(codec);
	d->plain = plain;
	d->tail = tail;
	r = d->coder->decoder_open(&d->decoder);
	if (r < 0)
		return r;
	*out = &take(d)->base;
	return 0;
}

int lsv_decompress_end(struct lsv_writer *decompress)
{
	struct decompress *d = (struct decompress *)decompress;

	if (d->error < 0)
		return d->error;
	if (!d->has_data || d->state != MAGIC || d->n_word > 0)
		return -EBADMSG;
	return 0;
}

int lsv_codec_tail(const uint8_t *bytes, size_t n, const uint8_t **tail,
                   size_t *n_tail, size_t *needed)
{
	size_t n_content, n_frame;

	*needed = 0;
	if (n < SKIPPABLE_HEADER_SIZE + LSV_TABLE_TRAILER_SIZE ||
	    get_le32(bytes + n - 4) != LSV_TABLE_END_MAGIC)
		return -ENOENT;
	n_content = get_le32(bytes + n - 8);
	n_frame = n_content + SKIPPABLE_HEADER_SIZE;
	if (n_content < LSV_TABLE_TRAILER_SIZE)
		return -ENOENT;
	if (n_frame > n) {
		*needed = n_frame - n;
		return -ENOENT;
	}
	if (get_le32(bytes + n - n_frame) != SKIPPABLE ||
	    get_le32(bytes + n - n_frame + 4) != n_content)
		return -ENOENT;
	*tail = bytes + n - n_content;
	*n_tail = n_content;
	return 0;
}
