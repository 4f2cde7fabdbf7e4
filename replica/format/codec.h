/* SPDX-License-Identifier: MIT */
#ifndef LSV_CODEC_H
#define LSV_CODEC_H

/*
 * Compression of an object: one data frame, then one skippable frame with
 * bytes of ours (the commit table).  The libraries are behind coder.h.
 *
 *	LZ4:  04 22 4d 18 64 70 b9  blocks of 4 MiB, independent, content
 *	      checksum; then 50 2a 4d 18, u32 length, the tail
 *	zstd: one frame with content checksum; the same skippable frame
 */

#include "replica/base/stream.h"
#include "replica/format/layout.h"

/* What follows the data in the skippable frame.  Called once, after the last
 * byte of 'plain' was read, so that it may depend on what went by. */
typedef int lsv_tail_fn(void *arg, struct lsv_buf *tail);

/* The compressed object as a reader over 'plain' (borrowed).  It rewinds when
 * 'plain' does; then 'tail' is asked again.  tail NULL: no skippable frame.
 * Its bytes are a function of codec, plain bytes, plain->size and tail. */
int lsv_compress_open(enum lsv_codec codec, struct lsv_reader *plain,
                      lsv_tail_fn *tail, void *arg, struct lsv_reader **out);

/*
 * Push compressed bytes in, plain bytes come out into 'plain' (borrowed).
 * What follows the data frame: the content of skippable frames with the magic
 * 0x184d2a50 is appended to 'tail' (NULL: ignored), others (0x184d2a51..5f)
 * are passed over; anything else there is -EBADMSG.
 * Of LZ4, every frame that stock writes is accepted (linked or independent
 * blocks, with or without content size and checksums, any block size), and
 * skippable frames before the data frame are passed over.
 */
struct lsv_decompress;
int lsv_decompress_open(enum lsv_codec codec, struct lsv_writer *plain,
                        struct lsv_buf *tail, struct lsv_writer **out);

/* After the last write: -EBADMSG when the data frame is not complete, its
 * checksum did not match, or a skippable frame is cut. */
int lsv_decompress_end(struct lsv_writer *decompress);

/* Finds the content of the last skippable frame in the last bytes of an
 * object (the whole object, or its tail as got by a ranged read), by the
 * length and magic that end a commit table.  -ENOENT: none ends there, and
 * *needed says how many more bytes of tail are wanted, or 0; it is what the
 * bytes claim, so compare it with the object's size. */
int lsv_codec_tail(const uint8_t *bytes, size_t n, const uint8_t **tail,
                   size_t *n_tail, size_t *needed);

#endif
