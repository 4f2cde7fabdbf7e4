/* SPDX-License-Identifier: MIT */
#include "replica/format/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int table_tail(void *arg, struct lsv_buf *tail)
{
	return lsv_table_encode(arg, tail);
}

int lsv_segment_encode(enum lsv_codec codec, struct lsv_reader *wal,
                       const struct lsv_table *table, struct lsv_reader **out)
{
	return lsv_compress_open(codec, wal, table_tail, (void *)table, out);
}

/* Whole frames are verified where they lie; one that is cut by the end of a
 * write waits in 'part'. */
struct decoder {
	struct lsv_writer base;
	struct lsv_chain *chain;
	lsv_frame_fn *each;
	void *arg;
	size_t n_part;
	int error; /* the first one stays */
	uint8_t part[LSV_FRAME_HEADER_SIZE + LSV_PAGE_SIZE_MAX];
};

static int take_header(struct lsv_chain *chain, const uint8_t *bytes)
{
	struct lsv_wal_header header;
	int r = lsv_wal_header_decode(bytes, &header);

	if (r < 0)
		return r;
	chain->page_size = header.page_size;
	chain->big_endian = header.big_endian;
	memcpy(chain->salt, header.salt, sizeof chain->salt);
	memcpy(chain->checksum, header.checksum, sizeof chain->checksum);
	chain->offset = LSV_WAL_HEADER_SIZE;
	return 0;
}

static int take_frame(struct decoder *d, const uint8_t *bytes)
{
	struct lsv_chain *chain = d->chain;
	const uint8_t *page = bytes + LSV_FRAME_HEADER_SIZE;
	struct lsv_frame frame;

	if (!lsv_frame_verify(bytes, page, chain->page_size, chain->big_endian,
	                      chain->salt, chain->checksum))
		return -EBADMSG;
	chain->offset += LSV_FRAME_HEADER_SIZE + chain->page_size;
	lsv_frame_decode(bytes, &frame);
	return d->each ? d->each(d->arg, &frame, page, chain->offset) : 0;
}

/* How many bytes the next step needs, and the step. */
static size_t wanted(const struct lsv_chain *chain)
{
	return chain->page_size ? LSV_FRAME_HEADER_SIZE + chain->page_size
	                        : LSV_WAL_HEADER_SIZE;
}

static int take_whole(struct decoder *d, const uint8_t *bytes)
{
	return d->chain->page_size ? take_frame(d, bytes)
	                           : take_header(d->chain, bytes);
}

/* Adds to what was cut before; how many bytes it used. */
static ssize_t take_part(struct decoder *d, const uint8_t *bytes, size_t n)
{
	size_t want = wanted(d->chain);
	int r = 0;

	if (n > want - d->n_part)
		n = want - d->n_part;
	memcpy(d->part + d->n_part, bytes, n);
	d->n_part += n;
	if (d->n_part == want) {
		d->n_part = 0;
		r = take_whole(d, d->part);
	}
	return r < 0 ? r : (ssize_t)n;
}

static int decoder_write(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct decoder *d = (struct decoder *)writer;
	const uint8_t *bytes = buf;

	while (n > 0 && d->error == 0) {
		size_t want = wanted(d->chain);
		ssize_t used = (ssize_t)want;

		if (d->n_part == 0 && n >= want)
			d->error = take_whole(d, bytes);
		else
			used = take_part(d, bytes, n);
		if (used < 0) {
			d->error = (int)used;
			break;
		}
		bytes += used;
		n -= (size_t)used;
	}
	return d->error;
}

static void decoder_close(struct lsv_writer *writer)
{
	free(writer);
}

int lsv_segment_decode(struct lsv_chain *chain, lsv_frame_fn *each, void *arg,
                       struct lsv_writer **out)
{
	struct decoder *d = malloc(sizeof *d);

	if (!d)
		return -ENOMEM;
	d->base = (struct lsv_writer){decoder_write, decoder_close};
	d->chain = chain;
	d->each = each;
	d->arg = arg;
	d->n_part = 0;
	d->error = 0;
	*out = &d->base;
	return 0;
}

int lsv_segment_decode_end(struct lsv_writer *decoder)
{
	const struct decoder *d = (const struct decoder *)decoder;

	if (d->error < 0)
		return d->error;
	return d->n_part > 0 || d->chain->page_size == 0 ? -EBADMSG : 0;
}
