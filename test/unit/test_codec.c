/* SPDX-License-Identifier: MIT */
#include "replica/base/bytes.h"
#include "replica/format/codec.h"
#include "replica/format/table.h"
#include "test/lib/unit.h"

#include <lz4frame.h>
#include <malloc.h>
#include <string.h>

static const enum lsv_codec codecs[] = {LSV_LZ4, LSV_ZSTD};

/* A tail that lsv_codec_tail() can find: text, length, magic. */
static const char tail_text[] = "sixteen bytes or more of tail ";

static int put_tail(void *arg, struct lsv_buf *tail)
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
static struct lsv_buf plain_bytes(size_t n, unsigned seed)
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

static struct lsv_buf compressed(enum lsv_codec codec,
                                 const struct lsv_buf *plain, lsv_tail_fn *tail,
                                 size_t read_size)
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
static int decompress(enum lsv_codec codec, const void *bytes, size_t n,
                      size_t step, struct lsv_buf *plain, struct lsv_buf *tail)
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

static void check_bytes(const struct lsv_buf *a, const struct lsv_buf *b)
{
	ck_assert_uint_eq(a->n, b->n);
	ck_assert(a->n == 0 || memcmp(a->data, b->data, a->n) == 0);
}

START_TEST(an_lz4_object_begins_with_the_seven_bytes_of_the_design)
{
	static const uint8_t head[] = {0x04, 0x22, 0x4d, 0x18,
	                               0x64, 0x70, 0xb9};
	struct lsv_buf plain = plain_bytes(1000, 1);
	struct lsv_buf object = compressed(LSV_LZ4, &plain, put_tail, 4096);
	const uint8_t *frame = object.data + object.n - N_TAIL - 8;

	ck_assert_mem_eq(object.data, head, sizeof head);
	ck_assert_uint_eq(get_le32(frame), 0x184d2a50);
	ck_assert_uint_eq(get_le32(frame + 4), N_TAIL);
	lsv_buf_free(&object);
	lsv_buf_free(&plain);
}
END_TEST

START_TEST(every_size_comes_back_with_its_tail)
{
	static const size_t sizes[] = {0,       1,       65535,   65536,
	                               65537,   4194303, 4194304, 4194305,
	                               8388608, 9000001};

	for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
		enum lsv_codec codec = codecs[i % 2];
		struct lsv_buf plain = plain_bytes(sizes[i / 2], 7);
		struct lsv_buf object = compressed(codec, &plain, put_tail,
		                                   70000);
		struct lsv_buf again = compressed(codec, &plain, put_tail,
		                                  1000003);
		struct lsv_buf back = {0}, tail = {0};

		/* However it is read: the same bytes (a put tried again). */
		check_bytes(&object, &again);
		ck_assert_int_eq(decompress(codec, object.data, object.n, 12345,
		                            &back, &tail),
		                 0);
		check_bytes(&plain, &back);
		ck_assert_uint_eq(tail.n, N_TAIL);
		ck_assert_mem_eq(tail.data, tail_text, sizeof tail_text);
		lsv_buf_free(&plain);
		lsv_buf_free(&object);
		lsv_buf_free(&again);
		lsv_buf_free(&back);
		lsv_buf_free(&tail);
	}
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
	for (size_t i = 0; i < 2; i++) {
		struct lsv_buf plain = plain_bytes(100000, 3);
		struct lsv_buf object = compressed(codecs[i], &plain, put_tail,
		                                   1);
		struct lsv_buf back = {0}, tail = {0};

		ck_assert_int_eq(decompress(codecs[i], object.data, object.n, 1,
		                            &back, &tail),
		                 0);
		check_bytes(&plain, &back);
		ck_assert_uint_eq(tail.n, N_TAIL);
		lsv_buf_free(&plain);
		lsv_buf_free(&object);
		lsv_buf_free(&back);
		lsv_buf_free(&tail);
	}
}
END_TEST

START_TEST(an_object_rewinds_with_its_plain_bytes)
{
	for (size_t i = 0; i < 2; i++) {
		struct lsv_buf plain = plain_bytes(5000000, 5);
		struct lsv_buf once = compressed(codecs[i], &plain, put_tail,
		                                 65536);
		struct lsv_buf twice = {0};
		struct lsv_reader *reader = lsv_reader_memory(plain.data,
		                                              plain.n);
		struct lsv_writer *writer = lsv_writer_buf(&twice);
		struct lsv_reader *object;
		size_t n_tails = 0;
		uint8_t head[1000];

		ck_assert_int_eq(lsv_compress_open(codecs[i], reader, put_tail,
		                                   &n_tails, &object),
		                 0);
		ck_assert_int_eq(lsv_read_full(object, head, sizeof head),
		                 sizeof head);
		ck_assert_int_eq(object->rewind(object), 0);
		ck_assert_int_eq(lsv_copy(object, writer), 0);
		check_bytes(&once, &twice);
		ck_assert_uint_eq(n_tails, 1);
		twice.n = 0;
		ck_assert_int_eq(object->rewind(object), 0);
		ck_assert_int_eq(lsv_copy(object, writer), 0);
		check_bytes(&once, &twice);
		ck_assert_uint_eq(n_tails, 2);
		lsv_reader_close(object);
		lsv_reader_close(reader);
		lsv_writer_close(writer);
		lsv_buf_free(&plain);
		lsv_buf_free(&once);
		lsv_buf_free(&twice);
	}
}
END_TEST

START_TEST(what_cannot_be_read_twice_does_not_rewind)
{
	struct lsv_reader *plain = lsv_reader_memory("x", 1), *object;

	plain->rewind = NULL;
	ck_assert_int_eq(lsv_compress_open(LSV_LZ4, plain, NULL, NULL, &object),
	                 0);
	ck_assert_ptr_null(object->rewind);
	lsv_reader_close(object);
	lsv_reader_close(plain);
}
END_TEST

START_TEST(a_cut_at_any_byte_is_seen)
{
	for (size_t i = 0; i < 2; i++) {
		struct lsv_buf plain = plain_bytes(300, 11);
		struct lsv_buf object = compressed(codecs[i], &plain, put_tail,
		                                   4096);
		size_t n_data = object.n - N_TAIL - 8;
		struct lsv_buf back = {0}, tail = {0};
		struct lsv_writer *writer = lsv_writer_buf(&back), *decoder;

		ck_assert_int_eq(
			lsv_decompress_open(codecs[i], writer, &tail, &decoder),
			0);
		for (size_t n = 0; n < object.n; n++) {
			/* Whole data without a tail is for the table's reader
			 * to judge. */
			ck_assert_int_eq(lsv_decompress_end(decoder),
			                 n == n_data ? 0 : -EBADMSG);
			ck_assert_int_eq(
				decoder->write(decoder, object.data + n, 1), 0);
		}
		ck_assert_int_eq(lsv_decompress_end(decoder), 0);
		lsv_writer_close(decoder);
		lsv_writer_close(writer);
		lsv_buf_free(&plain);
		lsv_buf_free(&object);
		lsv_buf_free(&back);
		lsv_buf_free(&tail);
	}
}
END_TEST

/* Some bits mean nothing (a match that may as well be found elsewhere): the
 * plain bytes are then the same.  The tail has a checksum of its own
 * (test_table.c), once it is found. */
static bool is_harmless(enum lsv_codec codec, const struct lsv_buf *object,
                        const struct lsv_buf *plain, bool in_tail_s_header)
{
	struct lsv_buf back = {0}, tail = {0};
	int r = decompress(codec, object->data, object->n, object->n, &back,
	                   &tail);
	bool same = back.n == plain->n &&
	            memcmp(back.data, plain->data, back.n) == 0;
	bool has_tail = tail.n == N_TAIL;

	lsv_buf_free(&back);
	lsv_buf_free(&tail);
	return r == -EBADMSG ||
	       (r == 0 && same && has_tail != in_tail_s_header);
}

START_TEST(a_flipped_bit_is_seen_or_harmless)
{
	/* The libraries' buffers are megabytes; filling them is not the
	 * point here. */
	mallopt(M_PERTURB, 0);
	for (size_t i = 0; i < 2; i++) {
		struct lsv_buf plain = plain_bytes(60, 13);
		struct lsv_buf object = compressed(codecs[i], &plain, put_tail,
		                                   4096);
		size_t n_bits = object.n * 8;
		size_t header = (object.n - N_TAIL - 8) * 8;

		/* Each byte, in one bit or two. */
		for (size_t bit = 0; bit < n_bits; bit += 5) {
			object.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			ck_assert_msg(
				is_harmless(codecs[i], &object, &plain,
			                    bit >= header && bit < header + 64),
				"codec %zu, byte %zu, bit %zu", i, bit / 8,
				bit % 8);
			object.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		lsv_buf_free(&plain);
		lsv_buf_free(&object);
	}
}
END_TEST

/* One object with something put before or behind it. */
static int with(enum lsv_codec codec, const char *before, size_t n_before,
                const char *after, size_t n_after, size_t *n_tail)
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

START_TEST(what_stands_around_the_data_frame_is_judged)
{
#define BYTES(s) (s), sizeof(s) - 1
	static const struct {
		const char *before;
		size_t n_before;
		const char *after;
		size_t n_after;
		int r;
		size_t n_tail;
	} table[] = {
		{BYTES(""), BYTES(""), 0, 0},
		/* Skippable frames before the data are passed over. */
		{BYTES("P*M\x18\3\0\0\0abc"), BYTES(""), 0, 0},
		{BYTES("X*M\x18\0\0\0\0P*M\x18\1\0\0\0z"), BYTES(""), 0, 0},
		/* Behind it: ours is collected, others are passed over. */
		{BYTES(""), BYTES("P*M\x18\3\0\0\0abc"), 0, 3},
		{BYTES(""), BYTES("P*M\x18\0\0\0\0"), 0, 0},
		{BYTES(""), BYTES("Q*M\x18\3\0\0\0abc"), 0, 0},
		{BYTES(""), BYTES("_*M\x18\1\0\0\0aP*M\x18\2\0\0\0bc"), 0, 2},
		/* Cut. */
		{BYTES(""), BYTES("P*M\x18\3\0\0\0ab"), -EBADMSG, 2},
		{BYTES(""), BYTES("P*M\x18\3\0"), -EBADMSG, 0},
		{BYTES(""), BYTES("P"), -EBADMSG, 0},
		/* Garbage. */
		{BYTES(""), BYTES("garbage"), -EBADMSG, 0},
		{BYTES(""), BYTES("`*M\x18\0\0\0\0"), -EBADMSG, 0},
		{BYTES("garbage"), BYTES(""), -EBADMSG, 0},
		/* A second data frame, LZ4's and zstd's. */
		{BYTES(""), BYTES("\x04\x22\x4d\x18\x64\x70\xb9"), -EBADMSG, 0},
		{BYTES(""), BYTES("\x28\xb5\x2f\xfd"), -EBADMSG, 0},
	};
#undef BYTES
	for (size_t i = 0; i < 2 * sizeof table / sizeof *table; i++) {
		size_t k = i / 2, n_tail;

		ck_assert_msg(with(codecs[i % 2], table[k].before,
		                   table[k].n_before, table[k].after,
		                   table[k].n_after, &n_tail) == table[k].r,
		              "row %zu", k);
		ck_assert_uint_eq(n_tail, table[k].n_tail);
	}
}
END_TEST

/* A frame as another program writes it. */
static struct lsv_buf foreign(const struct lsv_buf *plain,
                              const LZ4F_preferences_t *preferences)
{
	struct lsv_buf object = {0};
	size_t n = LZ4F_compressFrameBound(plain->n, preferences);

	ck_assert_int_eq(lsv_buf_reserve(&object, n), 0);
	object.n = LZ4F_compressFrame(object.data, n, plain->data, plain->n,
	                              preferences);
	ck_assert(!LZ4F_isError(object.n));
	return object;
}

static void check_foreign(const LZ4F_preferences_t *preferences)
{
	size_t block = (size_t)65536
	               << 2 * (preferences->frameInfo.blockSizeID -
	                       LZ4F_max64KB);
	/* No block, one that is not full, several. */
	const size_t sizes[] = {0, 100, 2 * block + 1000};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct lsv_buf plain = plain_bytes(sizes[i], 37);
		struct lsv_buf object = foreign(&plain, preferences);
		struct lsv_buf back = {0};

		ck_assert_int_eq(decompress(LSV_LZ4, object.data, object.n,
		                            65536, &back, NULL),
		                 0);
		check_bytes(&plain, &back);
		/* One byte less is seen, whatever the checksums. */
		back.n = 0;
		ck_assert_int_eq(decompress(LSV_LZ4, object.data, object.n - 1,
		                            65536, &back, NULL),
		                 -EBADMSG);
		lsv_buf_free(&plain);
		lsv_buf_free(&object);
		lsv_buf_free(&back);
	}
}

START_TEST(every_lz4_frame_that_others_write_is_read)
{
	/* Bits: linked blocks, no content checksum, block checksums, content
	 * size; then the block's size. */
	for (unsigned bits = 0; bits < 4 * 16; bits++) {
		LZ4F_preferences_t preferences = {0};
		LZ4F_frameInfo_t *info = &preferences.frameInfo;

		info->blockSizeID = LZ4F_max64KB + bits / 16;
		info->blockMode = bits & 1 ? LZ4F_blockLinked
		                           : LZ4F_blockIndependent;
		info->contentChecksumFlag =
			bits & 2 ? LZ4F_noContentChecksum
				 : LZ4F_contentChecksumEnabled;
		info->blockChecksumFlag = bits & 4 ? LZ4F_blockChecksumEnabled
		                                   : LZ4F_noBlockChecksum;
		info->contentSize = bits & 8; /* not 0: filled in */
		check_foreign(&preferences);
	}
}
END_TEST

START_TEST(a_second_whole_object_behind_it_is_refused)
{
	for (size_t i = 0; i < 2; i++) {
		struct lsv_buf plain = plain_bytes(500, 41), back = {0};
		struct lsv_buf object = compressed(codecs[i], &plain, NULL,
		                                   4096);
		struct lsv_buf two = {0};

		ck_assert_int_eq(lsv_buf_append(&two, object.data, object.n),
		                 0);
		ck_assert_int_eq(lsv_buf_append(&two, object.data, object.n),
		                 0);
		ck_assert_int_eq(decompress(codecs[i], two.data, two.n, 100,
		                            &back, NULL),
		                 -EBADMSG);
		ck_assert_uint_eq(back.n, plain.n);
		lsv_buf_free(&plain);
		lsv_buf_free(&object);
		lsv_buf_free(&two);
		lsv_buf_free(&back);
	}
}
END_TEST

START_TEST(one_codec_s_object_is_not_the_other_s)
{
	for (size_t i = 0; i < 2; i++) {
		struct lsv_buf plain = plain_bytes(500, 19), back = {0};
		struct lsv_buf object = compressed(codecs[i], &plain, put_tail,
		                                   4096);

		ck_assert_int_eq(decompress(codecs[1 - i], object.data,
		                            object.n, 100, &back, NULL),
		                 -EBADMSG);
		lsv_buf_free(&plain);
		lsv_buf_free(&object);
		lsv_buf_free(&back);
	}
}
END_TEST

struct full {
	struct lsv_writer base;
	size_t room;
};

static int write_while_room(struct lsv_writer *writer, const void *buf,
                            size_t n)
{
	struct full *full = (struct full *)writer;

	(void)buf;
	if (n > full->room)
		return -ENOSPC;
	full->room -= n;
	return 0;
}

START_TEST(the_plain_writer_s_error_comes_through)
{
	for (size_t i = 0; i < 2; i++) {
		struct lsv_buf plain = plain_bytes(9000000, 23);
		struct lsv_buf object = compressed(codecs[i], &plain, put_tail,
		                                   65536);
		struct full full = {{write_while_room, NULL}, 5000000};
		struct lsv_writer *decoder;

		ck_assert_int_eq(lsv_decompress_open(codecs[i], &full.base,
		                                     NULL, &decoder),
		                 0);
		ck_assert_int_eq(decoder->write(decoder, object.data, object.n),
		                 -ENOSPC);
		ck_assert_int_eq(lsv_decompress_end(decoder), -ENOSPC);
		lsv_writer_close(decoder);
		lsv_buf_free(&plain);
		lsv_buf_free(&object);
	}
}
END_TEST

static ssize_t fail_to_read(struct lsv_reader *reader, void *buf, size_t n)
{
	(void)reader;
	(void)buf;
	(void)n;
	return -EIO;
}

static int fail_to_tell(void *arg, struct lsv_buf *tail)
{
	(void)arg;
	(void)tail;
	return -EBADMSG;
}

START_TEST(errors_of_plain_bytes_and_tail_come_through)
{
	struct lsv_reader broken = {.read = fail_to_read, .size = -1};
	struct lsv_reader *whole = lsv_reader_memory("x", 1), *object;
	uint8_t buf[100];

	ck_assert_int_eq(
		lsv_compress_open(LSV_LZ4, &broken, NULL, NULL, &object), 0);
	ck_assert_int_eq(object->read(object, buf, sizeof buf), -EIO);
	lsv_reader_close(object);
	ck_assert_int_eq(
		lsv_compress_open(LSV_LZ4, whole, fail_to_tell, NULL, &object),
		0);
	ck_assert_int_eq(lsv_read_full(object, buf, sizeof buf), -EBADMSG);
	lsv_reader_close(object);
	lsv_reader_close(whole);
}
END_TEST

START_TEST(the_tail_is_found_from_the_end)
{
	struct lsv_buf plain = plain_bytes(500, 29);
	struct lsv_buf object = compressed(LSV_LZ4, &plain, put_tail, 4096);
	const uint8_t *end = object.data + object.n, *tail;
	size_t n_tail, needed, n_frame = N_TAIL + 8;

	for (size_t n = 0; n <= object.n; n++) {
		int r = lsv_codec_tail(end - n, n, &tail, &n_tail, &needed);

		ck_assert_int_eq(r, n < n_frame ? -ENOENT : 0);
		if (r == 0) {
			ck_assert_uint_eq(n_tail, N_TAIL);
			ck_assert_ptr_eq(tail, end - N_TAIL);
		} else if (n >= 24) {
			ck_assert_uint_eq(needed, n_frame - n);
		} else {
			ck_assert_uint_eq(needed, 0);
		}
	}
	lsv_buf_free(&plain);
	lsv_buf_free(&object);
}
END_TEST

START_TEST(an_end_without_a_tail_has_none)
{
	struct lsv_buf plain = plain_bytes(500, 31);
	struct lsv_buf object = compressed(LSV_LZ4, &plain, NULL, 4096);
	const uint8_t *tail;
	size_t n_tail, needed;

	ck_assert_int_eq(
		lsv_codec_tail(object.data, object.n, &tail, &n_tail, &needed),
		-ENOENT);
	ck_assert_uint_eq(needed, 0);
	/* The end's magic alone does not make a frame. */
	put_le32(object.data + object.n - 4, LSV_TABLE_END_MAGIC);
	put_le32(object.data + object.n - 8, 40);
	ck_assert_int_eq(
		lsv_codec_tail(object.data, object.n, &tail, &n_tail, &needed),
		-ENOENT);
	ck_assert_uint_eq(needed, 0);
	put_le32(object.data + object.n - 8, 3);
	ck_assert_int_eq(
		lsv_codec_tail(object.data, object.n, &tail, &n_tail, &needed),
		-ENOENT);
	ck_assert_uint_eq(needed, 0);
	lsv_buf_free(&plain);
	lsv_buf_free(&object);
}
END_TEST

UNIT(codec, an_lz4_object_begins_with_the_seven_bytes_of_the_design,
     every_size_comes_back_with_its_tail, bytes_may_come_one_by_one,
     an_object_rewinds_with_its_plain_bytes,
     what_cannot_be_read_twice_does_not_rewind, a_cut_at_any_byte_is_seen,
     a_flipped_bit_is_seen_or_harmless,
     what_stands_around_the_data_frame_is_judged,
     every_lz4_frame_that_others_write_is_read,
     a_second_whole_object_behind_it_is_refused,
     one_codec_s_object_is_not_the_other_s,
     the_plain_writer_s_error_comes_through,
     errors_of_plain_bytes_and_tail_come_through,
     the_tail_is_found_from_the_end, an_end_without_a_tail_has_none)
