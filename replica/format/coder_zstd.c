/* SPDX-License-Identifier: MIT */
#include "replica/format/coder.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* zstd's own default: about a third smaller than LZ4 on databases. */
#define LEVEL 3

struct encoder {
	ZSTD_CCtx *context;
};

struct decoder {
	ZSTD_DCtx *context;
	uint8_t *plain; /* LSV_BLOCK_SIZE */
};

static int to_errno(size_t code)
{
	return ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation
	               ? -ENOMEM
	               : -EBADMSG;
}

static void encoder_close(struct lsv_encoder *opaque)
{
	struct encoder *encoder = (struct encoder *)opaque;

	ZSTD_freeCCtx(encoder->context);
	free(encoder);
}

static int set_parameters(ZSTD_CCtx *context, int64_t size)
{
	size_t r = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel,
	                                  LEVEL);

	if (!ZSTD_isError(r))
		r = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	/* Small objects then take a small window on both sides. */
	if (!ZSTD_isError(r) && size >= 0)
		r = ZSTD_CCtx_setPledgedSrcSize(context,
		                                (unsigned long long)size);
	return ZSTD_isError(r) ? to_errno(r) : 0;
}

static int encoder_open(int64_t size, struct lsv_encoder **out)
{
	struct encoder *encoder = calloc(1, sizeof *encoder);
	int r;

	if (!encoder)
		return -ENOMEM;
	encoder->context = ZSTD_createCCtx();
	r = encoder->context ? set_parameters(encoder->context, size) : -ENOMEM;
	if (r < 0) {
		encoder_close((struct lsv_encoder *)encoder);
		return r;
	}
	*out = (struct lsv_encoder *)encoder;
	return 0;
}

static int encode(struct lsv_encoder *opaque, const void *block, size_t n,
                  bool is_last, struct lsv_buf *out)
{
	struct encoder *encoder = (struct encoder *)opaque;
	ZSTD_EndDirective directive = is_last ? ZSTD_e_end : ZSTD_e_continue;
	ZSTD_inBuffer in = {block, n, 0};
	size_t more;

	do {
		ZSTD_outBuffer to = {0};
		int r = lsv_buf_reserve(out, ZSTD_CStreamOutSize());

		if (r < 0)
			return r;
		to.dst = out->data + out->n;
		to.size = out->cap - out->n;
		more = ZSTD_compressStream2(encoder->context, &to, &in,
		                            directive);
		if (ZSTD_isError(more))
			return to_errno(more);
		out->n += to.pos;
	} while (in.pos < n || (is_last && more > 0));
	return 0;
}

static void decoder_close(struct lsv_decoder *opaque)
{
	struct decoder *decoder = (struct decoder *)opaque;

	ZSTD_freeDCtx(decoder->context);
	free(decoder->plain);
	free(decoder);
}

static int decoder_open(struct lsv_decoder **out)
{
	struct decoder *decoder = calloc(1, sizeof *decoder);

	if (!decoder)
		return -ENOMEM;
	decoder->plain = malloc(LSV_BLOCK_SIZE);
	decoder->context = ZSTD_createDCtx();
	if (!decoder->plain || !decoder->context) {
		decoder_close((struct lsv_decoder *)decoder);
		return -ENOMEM;
	}
	*out = (struct lsv_decoder *)decoder;
	return 0;
}

static ssize_t decode(struct lsv_decoder *opaque, const uint8_t *bytes,
                      size_t n, struct lsv_writer *plain, bool *is_done)
{
	struct decoder *decoder = (struct decoder *)opaque;
	ZSTD_inBuffer in = {bytes, n, 0};
	ZSTD_outBuffer to;

	do {
		size_t more;
		int r;

		to = (ZSTD_outBuffer){decoder->plain, LSV_BLOCK_SIZE, 0};
		more = ZSTD_decompressStream(decoder->context, &to, &in);
		if (ZSTD_isError(more))
			return to_errno(more);
		r = to.pos ? plain->write(plain, to.dst, to.pos) : 0;
		if (r < 0)
			return r;
		*is_done = more == 0;
		/* A full buffer: there may be more of it inside. */
	} while (!*is_done && (in.pos < n || to.pos == to.size));
	return (ssize_t)in.pos;
}

const struct lsv_coder lsv_coder_zstd = {
	.encoder_open = encoder_open,
	.encode = encode,
	.encoder_close = encoder_close,
	.decoder_open = decoder_open,
	.decode = decode,
	.decoder_close = decoder_close,
};
