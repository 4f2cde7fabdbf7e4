/* SPDX-License-Identifier: MIT */
#ifndef LSV_CODER_H
#define LSV_CODER_H

/*
 * A compression library as a table of functions: one data frame in blocks,
 * and back.  Each library has one file that knows it: coder_lz4.c,
 * coder_zstd.c.  What is around the frame is codec.c's.
 */

#include "replica/base/stream.h"

#include <stdbool.h>

/* Each call of encode() but the last brings as many plain bytes, so that the
 * frame is a function of its content alone. */
#define LSV_BLOCK_SIZE ((size_t)4 << 20)

/* Opaque, and each coder's own. */
struct lsv_encoder;
struct lsv_decoder;

struct lsv_coder {
	/* A frame of 'size' bytes; -1: not known. */
	int (*encoder_open)(int64_t size, struct lsv_encoder **out);
	/* Appends the next block's compressed bytes; the first call brings the
	 * frame's header, the last its end. */
	int (*encode)(struct lsv_encoder *encoder, const void *block, size_t n,
	              bool is_last, struct lsv_buf *out);
	void (*encoder_close)(struct lsv_encoder *encoder);

	int (*decoder_open)(struct lsv_decoder **out);
	/* How many bytes of the frame it ate (all of them, unless the frame is
	 * complete: then *is_done), or -EBADMSG, or the error of 'plain'. */
	ssize_t (*decode)(struct lsv_decoder *decoder, const uint8_t *bytes,
	                  size_t n, struct lsv_writer *plain, bool *is_done);
	void (*decoder_close)(struct lsv_decoder *decoder);
};

extern const struct lsv_coder lsv_coder_lz4;
extern const struct lsv_coder lsv_coder_zstd;

#endif
