/* SPDX-License-Identifier: MIT */
#include "replica/format/segment.h"
#include "test/lib/fakewal.h"
#include "test/lib/unit.h"

#include <malloc.h>

#define GEN UINT64_C(0xfedcba9876543210)
#define INDEX 5

/* What a decoding saw. */
struct seen {
	struct lsv_buf frames; /* headers and pages as they came in */
	uint64_t end;
	size_t n_commits;
	int stop_after; /* frames; 0: never */
	int n_frames;
};

static int see(void *arg, const struct lsv_frame *frame, const void *page,
               uint64_t end)
{
	struct seen *seen = arg;
	size_t page_size = (size_t)(end - seen->end) - LSV_FRAME_HEADER_SIZE;

	if (seen->stop_after && seen->n_frames == seen->stop_after)
		return -ECANCELED;
	seen->n_frames++;
	seen->n_commits += frame->db_pages != 0;
	seen->end = end;
	return lsv_buf_append(&seen->frames, page, page_size);
}

static struct lsv_wal_header shadow_header(uint32_t page_size)
{
	struct lsv_wal_header header;

	lsv_shadow_header(GEN, INDEX, page_size, &header);
	return header;
}

/* The commits [from, to) of a WAL as an object. */
static struct lsv_buf object_of(const struct fakewal *wal, size_t from,
                                size_t to, enum lsv_codec codec)
{
	const struct lsv_commit *at = wal->commits.at;
	uint64_t begin = from ? at[from - 1].end : 0;
	struct lsv_table table = {
		.first = {GEN, INDEX, begin},
		.first_txid = at[from].txid,
		.commits = {wal->commits.at + from, to - from, to - from},
	};
	struct lsv_reader *bytes = lsv_reader_memory(wal->bytes.data + begin,
	                                             at[to - 1].end - begin);
	struct lsv_buf object = {0};
	struct lsv_writer *into = lsv_writer_buf(&object);
	struct lsv_reader *reader;

	ck_assert_int_eq(lsv_segment_encode(codec, bytes, &table, &reader), 0);
	ck_assert_int_eq(lsv_copy(reader, into), 0);
	lsv_reader_close(reader);
	lsv_reader_close(bytes);
	lsv_writer_close(into);
	return object;
}

/* All that a restore asks of one object: its data, its chain, its table. */
static int read_object(const struct lsv_buf *object, enum lsv_codec codec,
                       size_t step, struct lsv_chain *chain, struct seen *seen,
                       struct lsv_table *table)
{
	struct lsv_writer *decoder, *decompress;
	struct lsv_buf tail = {0};
	int r = lsv_segment_decode(chain, see, seen, &decoder);

	ck_assert_int_eq(r, 0);
	r = lsv_decompress_open(codec, decoder, &tail, &decompress);
	ck_assert_int_eq(r, 0);
	for (size_t at = 0; at < object->n && r == 0; at += step)
		r = decompress->write(decompress, object->data + at,
		                      step < object->n - at ? step
		                                            : object->n - at);
	if (r == 0)
		r = lsv_decompress_end(decompress);
	if (r == 0)
		r = lsv_segment_decode_end(decoder);
	if (r == 0)
		r = lsv_table_decode(tail.data, tail.n, table);
	lsv_writer_close(decompress);
	lsv_writer_close(decoder);
	lsv_buf_free(&tail);
	return r;
}

static void check_pages(const struct fakewal *wal, const struct seen *seen)
{
	size_t page_size = wal->header.page_size;
	size_t frame_size = page_size + LSV_FRAME_HEADER_SIZE;
	const uint8_t *frame = wal->bytes.data + LSV_WAL_HEADER_SIZE;

	ck_assert(seen->end == wal->bytes.n);
	ck_assert_uint_eq(seen->frames.n / page_size,
	                  (wal->bytes.n - LSV_WAL_HEADER_SIZE) / frame_size);
	for (size_t at = 0; at < seen->frames.n; at += page_size) {
		ck_assert(memcmp(seen->frames.data + at,
		                 frame + LSV_FRAME_HEADER_SIZE,
		                 page_size) == 0);
		frame += frame_size;
	}
}

/* Three segments of one index, read in order through one chain. */
static void check_round_trip(const struct lsv_wal_header *header,
                             enum lsv_codec codec, size_t step)
{
	static const size_t cuts[] = {0, 1, 6, 9};
	struct lsv_chain chain = {0};
	struct seen seen = {.end = LSV_WAL_HEADER_SIZE};
	struct fakewal *wal = malloc(sizeof *wal);

	fakewal_make(wal, header, 10, 9);
	for (size_t i = 0; i < 3; i++) {
		struct lsv_buf object = object_of(wal, cuts[i], cuts[i + 1],
		                                  codec);
		struct lsv_table table;

		ck_assert_int_eq(read_object(&object, codec, step, &chain,
		                             &seen, &table),
		                 0);
		ck_assert_uint_eq(table.commits.n, cuts[i + 1] - cuts[i]);
		ck_assert_uint_eq(seen.n_commits, cuts[i + 1]);
		ck_assert(table.commits.at[table.commits.n - 1].end ==
		          chain.offset);
		ck_assert_mem_eq(table.commits.at[table.commits.n - 1].checksum,
		                 chain.checksum, 8);
		lsv_table_free(&table);
		lsv_buf_free(&object);
	}
	check_pages(wal, &seen);
	ck_assert_mem_eq(chain.salt, header->salt, sizeof chain.salt);
	lsv_buf_free(&seen.frames);
	fakewal_free(wal);
	free(wal);
}

START_TEST(every_page_size_comes_back)
{
	for (uint32_t size = 512; size <= 65536; size *= 2) {
		struct lsv_wal_header header = shadow_header(size);

		check_round_trip(&header, LSV_LZ4, 1 << 20);
		check_round_trip(&header, LSV_LZ4, 1009);
		check_round_trip(&header, LSV_ZSTD, 65536);
	}
}
END_TEST

START_TEST(either_byte_order_and_any_salt_comes_back)
{
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct lsv_wal_header header = {
			.big_endian = big_endian,
			.page_size = 4096,
			.sequence = 12345,
			.salt = {0xdeadbeef, 0x00c0ffee},
		};

		check_round_trip(&header, LSV_LZ4, 4099);
	}
}
END_TEST

START_TEST(an_object_is_a_function_of_its_commits)
{
	struct lsv_wal_header header = shadow_header(512);
	struct fakewal *wal = malloc(sizeof *wal);

	fakewal_make(wal, &header, 1, 9);
	for (int i = 0; i < 2; i++) {
		enum lsv_codec codec = i ? LSV_ZSTD : LSV_LZ4;
		struct lsv_buf a = object_of(wal, 2, 7, codec);
		struct lsv_buf b = object_of(wal, 2, 7, codec);

		ck_assert_uint_eq(a.n, b.n);
		ck_assert_mem_eq(a.data, b.data, a.n);
		lsv_buf_free(&a);
		lsv_buf_free(&b);
	}
	fakewal_free(wal);
	free(wal);
}
END_TEST

/* Reads plain bytes alone, from the index's begin. */
static int read_plain(const uint8_t *bytes, size_t n, struct seen *seen,
                      struct lsv_chain *chain)
{
	struct lsv_writer *decoder;
	int r;

	ck_assert_int_eq(lsv_segment_decode(chain, see, seen, &decoder), 0);
	r = decoder->write(decoder, bytes, n);
	ck_assert(r == 0 || lsv_segment_decode_end(decoder) == r);
	r = lsv_segment_decode_end(decoder);
	lsv_writer_close(decoder);
	return r;
}

START_TEST(a_flipped_bit_of_the_plain_bytes_breaks_the_chain)
{
	struct lsv_wal_header header = shadow_header(512);
	struct fakewal *wal = malloc(sizeof *wal);
	uint64_t first_byte_s_end = LSV_WAL_HEADER_SIZE;

	fakewal_make(wal, &header, 1, 3);
	for (size_t bit = 0; bit < wal->bytes.n * 8; bit++) {
		size_t frame_size = LSV_FRAME_HEADER_SIZE + 512;
		struct seen seen = {.end = LSV_WAL_HEADER_SIZE};
		struct lsv_chain chain = {0};

		if (bit / 8 >= first_byte_s_end + frame_size)
			first_byte_s_end += frame_size;
		wal->bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(read_plain(wal->bytes.data, wal->bytes.n, &seen,
		                         &chain) == -EBADMSG,
		              "byte %zu, bit %zu", bit / 8, bit % 8);
		/* Everything before it was handed out, nothing from there. */
		ck_assert(seen.end == first_byte_s_end);
		wal->bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		lsv_buf_free(&seen.frames);
	}
	fakewal_free(wal);
	free(wal);
}
END_TEST

START_TEST(a_cut_within_the_header_or_a_frame_is_seen)
{
	struct lsv_wal_header header = shadow_header(512);
	struct fakewal *wal = malloc(sizeof *wal);
	struct seen seen = {.end = LSV_WAL_HEADER_SIZE};
	struct lsv_chain chain = {0};
	struct lsv_writer *decoder;

	fakewal_make(wal, &header, 1, 3);
	ck_assert_int_eq(lsv_segment_decode(&chain, see, &seen, &decoder), 0);
	for (size_t n = 0; n <= wal->bytes.n; n++) {
		bool whole = n >= 32 && (n - 32) % (24 + 512) == 0;

		ck_assert_int_eq(lsv_segment_decode_end(decoder),
		                 whole ? 0 : -EBADMSG);
		if (n < wal->bytes.n)
			ck_assert_int_eq(
				decoder->write(decoder, wal->bytes.data + n, 1),
				0);
	}
	check_pages(wal, &seen);
	lsv_writer_close(decoder);
	lsv_buf_free(&seen.frames);
	fakewal_free(wal);
	free(wal);
}
END_TEST

START_TEST(a_flipped_bit_of_an_object_is_seen_or_harmless)
{
	struct lsv_wal_header header = shadow_header(512);
	struct fakewal *wal = malloc(sizeof *wal);

	mallopt(M_PERTURB, 0); /* the libraries' buffers are megabytes */
	fakewal_make(wal, &header, 1, 1);
	for (int i = 0; i < 2; i++) {
		enum lsv_codec codec = i ? LSV_ZSTD : LSV_LZ4;
		struct lsv_buf object = object_of(wal, 0, 1, codec);

		/* Each byte, in one bit after the other. */
		for (size_t bit = 0; bit < object.n * 8; bit += 9) {
			struct seen seen = {.end = LSV_WAL_HEADER_SIZE};
			struct lsv_chain chain = {0};
			struct lsv_table table = {0};
			int r;

			object.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			r = read_object(&object, codec, object.n, &chain, &seen,
			                &table);
			object.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			ck_assert_msg(r == 0 || r == -EBADMSG || r == -ENOENT,
			              "byte %zu, bit %zu", bit / 8, bit % 8);
			if (r == 0) {
				check_pages(wal, &seen);
				ck_assert_uint_eq(table.commits.n, 1);
			}
			lsv_table_free(&table);
			lsv_buf_free(&seen.frames);
		}
		lsv_buf_free(&object);
	}
	fakewal_free(wal);
	free(wal);
}
END_TEST

START_TEST(a_segment_of_another_place_breaks_the_chain)
{
	struct lsv_wal_header header = shadow_header(512);
	struct fakewal *wal = malloc(sizeof *wal);
	struct lsv_buf objects[3];
	struct lsv_table table;

	fakewal_make(wal, &header, 1, 9);
	for (size_t i = 0; i < 3; i++)
		objects[i] = object_of(wal, i * 3, i * 3 + 3, LSV_LZ4);
	/* A gap, a repetition, a middle taken for the begin. */
	for (size_t i = 0; i < 3; i++) {
		struct seen seen = {.end = LSV_WAL_HEADER_SIZE};
		struct lsv_chain chain = {0};

		if (i < 2) {
			ck_assert_int_eq(read_object(&objects[0], LSV_LZ4, 4096,
			                             &chain, &seen, &table),
			                 0);
			lsv_table_free(&table);
		}
		ck_assert_int_eq(read_object(&objects[i == 1 ? 0 : 2], LSV_LZ4,
		                             4096, &chain, &seen, &table),
		                 -EBADMSG);
		lsv_buf_free(&seen.frames);
	}
	for (size_t i = 0; i < 3; i++)
		lsv_buf_free(&objects[i]);
	fakewal_free(wal);
	free(wal);
}
END_TEST

START_TEST(the_caller_can_end_the_decoding)
{
	struct lsv_wal_header header = shadow_header(1024);
	struct fakewal *wal = malloc(sizeof *wal);
	struct seen seen = {.end = LSV_WAL_HEADER_SIZE, .stop_after = 4};
	struct lsv_chain chain = {0};

	fakewal_make(wal, &header, 1, 9);
	ck_assert_int_eq(
		read_plain(wal->bytes.data, wal->bytes.n, &seen, &chain),
		-ECANCELED);
	ck_assert_int_eq(seen.n_frames, 4);
	lsv_buf_free(&seen.frames);
	fakewal_free(wal);
	free(wal);
}
END_TEST

UNIT(segment, every_page_size_comes_back,
     either_byte_order_and_any_salt_comes_back,
     an_object_is_a_function_of_its_commits,
     a_flipped_bit_of_the_plain_bytes_breaks_the_chain,
     a_cut_within_the_header_or_a_frame_is_seen,
     a_flipped_bit_of_an_object_is_seen_or_harmless,
     a_segment_of_another_place_breaks_the_chain,
     the_caller_can_end_the_decoding)
