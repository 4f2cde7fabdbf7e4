/* SPDX-License-Identifier: MIT */
#include "test/lib/codec_fixture.h"

#include <malloc.h>

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

UNIT(codec, an_lz4_object_begins_with_the_seven_bytes_of_the_design,
     every_size_comes_back_with_its_tail, bytes_may_come_one_by_one,
     an_object_rewinds_with_its_plain_bytes,
     what_cannot_be_read_twice_does_not_rewind, a_cut_at_any_byte_is_seen,
     a_flipped_bit_is_seen_or_harmless,
     what_stands_around_the_data_frame_is_judged)
