/* SPDX-License-Identifier: MIT */
#include "replica/format/coder.h"

#include "replica/base/bytes.h"
#include "replica/wal/pagehash.h"

#include <errno.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

/*
 * Header bytes 04 22 4d 18 64 70 b9.  Independent blocks, since stock's
 * library decodes those in parallel; a content checksum, since nothing else
 * in a replica of stock's proves a snapshot.  A block is handed over whole
 * and compressed where it lies (autoFlush).
 */
static const LZ4F_preferences_t preferences = {
	.frameInfo = {.blockSizeID = LZ4F_max4MB,
                      .blockMode = LZ4F_blockIndependent,
                      .contentChecksumFlag = LZ4F_contentChecksumEnabled},
	.autoFlush = 1,
};

struct encoder {
	LZ4F_cctx *context;
	bool has_begun;
};

/* Behind the magic: what the frame has. */
#define FLAGS_AT 4
#define HAS_CONTENT_CHECKSUM 0x04
#define HAS_BLOCK_CHECKSUMS 0x10
#define CHECKSUM_SIZE 4

struct decoder {
	LZ4F_dctx *context;
	uint8_t *plain; /* LSV_BLOCK_SIZE: blocks decode right into it */
	size_t n_eaten; /* of the frame */
	bool checks;    /* its content checksum is ours to check, not the
	                   library's, which is slow at it (pagehash.c) */
	struct lsv_xxh32 *hash;
	uint8_t last[CHECKSUM_SIZE]; /* bytes it ate */
};

static int to_errno(size_t code)
{
	/* The codes themselves are not in the library's stable interface. */
	return strcmp(LZ4F_getErrorName(code), "ERROR_allocation_failed") == 0
	               ? -ENOMEM
	               : -EBADMSG;
}

static void encoder_close(struct lsv_encoder *opaque)
{
	struct encoder *encoder = (struct encoder *)opaque;

	LZ4F_freeCompressionContext(encoder->context);
	free(encoder);
}

static int encoder_open(int64_t size, struct lsv_encoder **out)
{
	struct encoder *encoder = calloc(1, sizeof *encoder);

	/* A content size in the header would make its bytes others. */
	(void)size;
	if (!encoder)
		return -ENOMEM;
	if (LZ4F_isError(LZ4F_createCompressionContext(&encoder->context,
	                                               LZ4F_VERSION))) {
		free(encoder);
		return -ENOMEM;
	}
	*out = (struct lsv_encoder *)encoder;
	return 0;
}

/* One library call's result as bytes appended to 'out'. */
static int appended(struct lsv_buf *out, size_t n)
{
	if (LZ4F_isError(n))
		return to_errno(n);
	out->n += n;
	return 0;
}

static int encode(struct lsv_encoder *opaque, const void *block, size_t n,
                  bool is_last, struct lsv_buf *out)
{
	struct encoder *encoder = (struct encoder *)opaque;
	LZ4F_cctx *context = encoder->context;
	/* The bound has the frame's end in it, not its header. */
	int r = lsv_buf_reserve(out,
	                        LZ4F_HEADER_SIZE_MAX +
	                                LZ4F_compressBound(n, &preferences));

	if (r == 0 && !encoder->has_begun)
		r = appended(out, LZ4F_compressBegin(
					  context, out->data + out->n,
					  out->cap - out->n, &preferences));
	encoder->has_begun = true;
	if (r == 0 && n)
		r = appended(out, LZ4F_compressUpdate(
					  context, out->data + out->n,
					  out->cap - out->n, block, n, NULL));
	if (r == 0 && is_last)
		r = appended(out, LZ4F_compressEnd(context, out->data + out->n,
		                                   out->cap - out->n, NULL));
	return r;
}

static void decoder_close(struct lsv_decoder *opaque)
{
	struct decoder *decoder = (struct decoder *)opaque;

	LZ4F_freeDecompressionContext(decoder->context); /* NULL is fine */
	lsv_xxh32_close(decoder->hash);
	free(decoder->plain);
	free(decoder);
}

static int decoder_open(struct lsv_decoder **out)
{
	struct decoder *decoder = calloc(1, sizeof *decoder);

	if (!decoder)
		return -ENOMEM;
	decoder->plain = malloc(LSV_BLOCK_SIZE);
	decoder->hash = lsv_xxh32_open();
	if (!decoder->plain || !decoder->hash ||
	    LZ4F_isError(LZ4F_createDecompressionContext(&decoder->context,
	                                                 LZ4F_VERSION))) {
		decoder_close((struct lsv_decoder *)decoder);
		return -ENOMEM;
	}
	*out = (struct lsv_decoder *)decoder;
	return 0;
}

/* The library checks all checksums of a frame or none. */
static void look_at_flags(struct decoder *decoder, const uint8_t *bytes,
                          size_t n)
{
	uint8_t flags;

	if (decoder->n_eaten > FLAGS_AT || n <= FLAGS_AT - decoder->n_eaten)
		return;
	flags = bytes[FLAGS_AT - decoder->n_eaten];
	decoder->checks = flags & HAS_CONTENT_CHECKSUM &&
	                  !(flags & HAS_BLOCK_CHECKSUMS);
}

static void keep_last(struct decoder *decoder, const uint8_t *bytes, size_t n)
{
	size_t n_old = n < CHECKSUM_SIZE ? CHECKSUM_SIZE - n : 0;

	memmove(decoder->last, decoder->last + CHECKSUM_SIZE - n_old, n_old);
	memcpy(decoder->last + n_old, bytes + n - (CHECKSUM_SIZE - n_old),
	       CHECKSUM_SIZE - n_old);
}

/* Bytes of the frame in, up to a block of plain ones out; whether the frame
 * is complete. */
static int decode_some(struct decoder *decoder, const uint8_t *bytes,
                       size_t *n_bytes, size_t *n_plain, bool *is_done)
{
	const LZ4F_decompressOptions_t options = {
		.skipChecksums = decoder->checks,
	};
	size_t more;

	*n_plain = LSV_BLOCK_SIZE;
	more = LZ4F_decompress(decoder->context, decoder->plain, n_plain, bytes,
	                       n_bytes, &options);
	if (LZ4F_isError(more))
		return to_errno(more);
	*is_done = more == 0;
	if (!decoder->checks)
		return 0;
	keep_last(decoder, bytes, *n_bytes);
	lsv_xxh32_add(decoder->hash, decoder->plain, *n_plain);
	if (*is_done &&
	    lsv_xxh32_value(decoder->hash) != get_le32(decoder->last))
		return -EBADMSG;
	return 0;
}

static ssize_t decode(struct lsv_decoder *opaque, const uint8_t *bytes,
                      size_t n, struct lsv_writer *plain, bool *is_done)
{
	struct decoder *decoder = (struct decoder *)opaque;
	size_t eaten = 0, n_plain;

	look_at_flags(decoder, bytes, n);
	do {
		size_t n_bytes = n - eaten;
		int r = decode_some(decoder, bytes + eaten, &n_bytes, &n_plain,
		                    is_done);

		if (r < 0)
			return r;
		eaten += n_bytes;
		r = n_plain ? plain->write(plain, decoder->plain, n_plain) : 0;
		if (r < 0)
			return r;
		/* A full buffer: there may be more of it inside. */
	} while (!*is_done && (eaten < n || n_plain == LSV_BLOCK_SIZE));
	decoder->n_eaten += eaten;
	return (ssize_t)eaten;
}

const struct lsv_coder lsv_coder_lz4 = {
	.encoder_open = encoder_open,
	.encode = encode,
	.encoder_close = encoder_close,
	.decoder_open = decoder_open,
	.decode = decode,
	.decoder_close = decoder_close,
};
