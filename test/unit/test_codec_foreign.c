/* SPDX-License-Identifier: MIT */
#include "test/lib/codec_fixture.h"

#include <lz4frame.h>

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

UNIT(codec_foreign, every_lz4_frame_that_others_write_is_read,
     a_second_whole_object_behind_it_is_refused,
     one_codec_s_object_is_not_the_other_s,
     the_plain_writer_s_error_comes_through,
     errors_of_plain_bytes_and_tail_come_through,
     the_tail_is_found_from_the_end, an_end_without_a_tail_has_none)
