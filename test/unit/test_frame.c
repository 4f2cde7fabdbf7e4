/* SPDX-License-Identifier: MIT */
#include "replica/base/bytes.h"
#include "replica/base/cleanup.h"
#include "replica/wal/frame.h"
#include "test/lib/live.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>

#define WAL_MAX (16 << 20)
#define N_ROWS 20

static const uint32_t page_sizes[] = {512,  1024,  2048,  4096,
                                      8192, 16384, 32768, 65536};
#define N_PAGE_SIZES (sizeof page_sizes / sizeof *page_sizes)

/* A WAL in memory and where we stand in it. */
struct wal {
	uint8_t *bytes;
	size_t n;
	struct lsv_wal_header header;
};

static void wal_free(struct wal *wal)
{
	free(wal->bytes);
}

#define auto_wal __attribute__((cleanup(wal_free)))

/* The WAL that SQLite wrote beside a fresh app.db. */
static struct wal sqlite_wal(uint32_t page_size)
{
	auto_live sqlite3 *db = live_create(page_size);
	struct wal wal = {0};

	live_insert(db, N_ROWS);
	ck_assert_int_eq(lsv_file_read("app.db-wal", WAL_MAX,
	                               (char **)&wal.bytes, &wal.n),
	                 0);
	ck_assert_uint_ge(wal.n, LSV_WAL_HEADER_SIZE);
	ck_assert_int_eq(lsv_wal_header_decode(wal.bytes, &wal.header), 0);
	/* As a crash leaves it: nothing of the WAL in the database. */
	ck_assert_int_eq(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
	                                   1, NULL),
	                 SQLITE_OK);
	return wal;
}

static uint32_t n_frames(const struct wal *wal)
{
	return (uint32_t)((wal->n - LSV_WAL_HEADER_SIZE) /
	                  (LSV_FRAME_HEADER_SIZE + wal->header.page_size));
}

static uint8_t *frame_at(const struct wal *wal, uint32_t frame_no)
{
	return wal->bytes + lsv_frame_offset(frame_no, wal->header.page_size);
}

/* How many frames verify, one after the other. */
static uint32_t n_verified(const struct wal *wal)
{
	uint32_t s[2] = {wal->header.checksum[0], wal->header.checksum[1]};
	uint32_t n = 0;

	for (; n < n_frames(wal); n++) {
		const uint8_t *frame = frame_at(wal, n + 1);

		if (!lsv_frame_verify(frame, frame + LSV_FRAME_HEADER_SIZE,
		                      wal->header.page_size,
		                      wal->header.big_endian, wal->header.salt,
		                      s))
			break;
	}
	return n;
}

/* Writes all of the WAL anew by our own encoder. */
static void encode_anew(struct wal *wal, bool big_endian)
{
	uint32_t s[2];

	wal->header.big_endian = big_endian;
	lsv_wal_header_encode(&wal->header, wal->bytes);
	memcpy(s, wal->header.checksum, sizeof s);
	for (uint32_t i = 1; i <= n_frames(wal); i++) {
		uint8_t *bytes = frame_at(wal, i);
		struct lsv_frame frame;

		lsv_frame_decode(bytes, &frame);
		lsv_frame_encode(&frame, big_endian,
		                 bytes + LSV_FRAME_HEADER_SIZE,
		                 wal->header.page_size, s, bytes);
		ck_assert_mem_eq(frame.checksum, s, sizeof s);
	}
}

START_TEST(every_frame_that_sqlite_wrote_verifies)
{
	for (size_t i = 0; i < N_PAGE_SIZES; i++) {
		auto_scratch char *dir = scratch_enter();
		auto_wal struct wal wal = sqlite_wal(page_sizes[i]);

		ck_assert_uint_eq(wal.header.page_size, page_sizes[i]);
		ck_assert_uint_gt(n_frames(&wal), N_ROWS);
		ck_assert_uint_eq(n_verified(&wal), n_frames(&wal));
	}
}
END_TEST

START_TEST(our_encoder_writes_what_sqlite_wrote)
{
	for (size_t i = 0; i < N_PAGE_SIZES; i++) {
		auto_scratch char *dir = scratch_enter();
		auto_wal struct wal wal = sqlite_wal(page_sizes[i]);
		auto_free uint8_t *original = malloc(wal.n);

		memcpy(original, wal.bytes, wal.n);
		encode_anew(&wal, wal.header.big_endian);
		ck_assert(memcmp(original, wal.bytes, wal.n) == 0);
	}
}
END_TEST

/* SQLite reads both orders, so it is the judge of the one that this machine
 * does not write. */
static void sqlite_recovers(uint32_t page_size, bool big_endian)
{
	auto_scratch char *dir = scratch_enter();
	auto_wal struct wal wal = sqlite_wal(page_size);
	auto_live sqlite3 *db = NULL;

	encode_anew(&wal, big_endian);
	ck_assert_uint_eq(n_verified(&wal), n_frames(&wal));
	ck_assert_int_eq(lsv_file_replace("app.db-wal", wal.bytes, wal.n, 0644),
	                 0);
	unlink("app.db-shm");
	db = live_open("app.db");
	ck_assert_int_eq(live_number(db, "SELECT count(*) FROM t"), N_ROWS);
}

START_TEST(sqlite_recovers_what_we_encode_in_either_byte_order)
{
	for (size_t i = 0; i < N_PAGE_SIZES; i++) {
		sqlite_recovers(page_sizes[i], false);
		sqlite_recovers(page_sizes[i], true);
	}
}
END_TEST

START_TEST(a_header_reads_back_as_it_was_written)
{
	for (size_t i = 0; i < 2 * N_PAGE_SIZES; i++) {
		struct lsv_wal_header header = {
			.big_endian = i & 1,
			.page_size = page_sizes[i / 2],
			.sequence = 7,
			.salt = {0x81020304, 0x05060788},
		};
		uint8_t bytes[LSV_WAL_HEADER_SIZE];
		struct lsv_wal_header back;

		lsv_wal_header_encode(&header, bytes);
		ck_assert_int_eq(lsv_wal_header_decode(bytes, &back), 0);
		ck_assert_int_eq(back.big_endian, header.big_endian);
		ck_assert_uint_eq(back.page_size, header.page_size);
		ck_assert_uint_eq(back.sequence, 7);
		ck_assert_mem_eq(back.salt, header.salt, 8);
		ck_assert_mem_eq(back.checksum, header.checksum, 8);
	}
}
END_TEST

START_TEST(no_bit_of_a_header_may_flip)
{
	struct lsv_wal_header header, out;
	uint8_t bytes[LSV_WAL_HEADER_SIZE];

	lsv_shadow_header(1, 1, 4096, &header);
	lsv_wal_header_encode(&header, bytes);
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(lsv_wal_header_decode(bytes, &out) == -EBADMSG,
		              "bit %zu", bit);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

START_TEST(a_page_size_no_database_has_is_no_header)
{
	static const uint32_t table[] = {0, 256, 513, 1536, 131072};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_wal_header header = {.page_size = table[i]}, out;
		uint8_t bytes[LSV_WAL_HEADER_SIZE];

		lsv_wal_header_encode(&header, bytes);
		ck_assert_int_eq(lsv_wal_header_decode(bytes, &out), -EBADMSG);
	}
}
END_TEST

START_TEST(no_bit_of_a_frame_may_flip)
{
	auto_scratch char *dir = scratch_enter();
	auto_wal struct wal wal = sqlite_wal(512);
	uint8_t *frame = frame_at(&wal, 3);

	for (size_t bit = 0; bit < 8 * (LSV_FRAME_HEADER_SIZE + 512); bit++) {
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(n_verified(&wal) == 2, "bit %zu", bit);
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_uint_eq(n_verified(&wal), n_frames(&wal));
}
END_TEST

START_TEST(a_frame_out_of_its_place_does_not_verify)
{
	auto_scratch char *dir = scratch_enter();
	auto_wal struct wal wal = sqlite_wal(512);
	size_t n = LSV_FRAME_HEADER_SIZE + 512;

	memmove(frame_at(&wal, 3), frame_at(&wal, 4), n);
	ck_assert_uint_eq(n_verified(&wal), 2);
}
END_TEST

START_TEST(a_refused_frame_leaves_the_chain_where_it_was)
{
	auto_scratch char *dir = scratch_enter();
	auto_wal struct wal wal = sqlite_wal(512);
	uint32_t s[2] = {1, 2};
	const uint8_t *frame = frame_at(&wal, 1);

	ck_assert(!lsv_frame_verify(frame, frame + LSV_FRAME_HEADER_SIZE, 512,
	                            wal.header.big_endian, wal.header.salt, s));
	ck_assert_uint_eq(s[0], 1);
	ck_assert_uint_eq(s[1], 2);
}
END_TEST

START_TEST(a_frame_of_page_zero_is_none)
{
	struct lsv_frame frame = {.salt = {1, 2}};
	uint8_t bytes[LSV_FRAME_HEADER_SIZE], page[512] = {0};
	uint32_t s[2] = {0, 0}, before[2] = {0, 0};

	lsv_frame_encode(&frame, false, page, sizeof page, s, bytes);
	ck_assert(!lsv_frame_verify(bytes, page, sizeof page, false, frame.salt,
	                            before));
}
END_TEST

START_TEST(the_last_frame_of_a_commit_carries_the_size_of_the_database)
{
	auto_scratch char *dir = scratch_enter();
	auto_wal struct wal wal = sqlite_wal(1024);
	uint32_t n_commits = 0;
	struct lsv_frame frame = {0};

	for (uint32_t i = 1; i <= n_frames(&wal); i++) {
		lsv_frame_decode(frame_at(&wal, i), &frame);
		n_commits += frame.db_pages != 0;
	}
	ck_assert_uint_ne(frame.db_pages, 0);
	ck_assert_uint_eq(n_commits, N_ROWS + 1);
}
END_TEST

START_TEST(a_shadow_header_is_a_function_of_generation_and_index)
{
	struct lsv_wal_header header;

	lsv_shadow_header(UINT64_C(0x0123456789abcdef), 3, 4096, &header);
	ck_assert_uint_eq(header.salt[0], 0x01234567 + 3);
	ck_assert_uint_eq(header.salt[1], 0x89abcdef);
	ck_assert_uint_eq(header.page_size, 4096);
	ck_assert_uint_eq(header.sequence, 3);
	ck_assert(!header.big_endian);
	lsv_shadow_header(UINT64_MAX, 2, 512, &header);
	ck_assert_uint_eq(header.salt[0], 1);
}
END_TEST

START_TEST(a_frame_lies_beyond_four_gigabytes_where_it_should)
{
	ck_assert(lsv_frame_offset(1, 512) == 32);
	ck_assert(lsv_frame_offset(2, 4096) == 32 + 24 + 4096);
	ck_assert(lsv_frame_offset(UINT32_MAX, 65536) ==
	          32 + UINT64_C(0xfffffffe) * (24 + 65536));
}
END_TEST

UNIT(frame, every_frame_that_sqlite_wrote_verifies,
     our_encoder_writes_what_sqlite_wrote,
     sqlite_recovers_what_we_encode_in_either_byte_order,
     a_header_reads_back_as_it_was_written, no_bit_of_a_header_may_flip,
     a_page_size_no_database_has_is_no_header, no_bit_of_a_frame_may_flip,
     a_frame_out_of_its_place_does_not_verify,
     a_refused_frame_leaves_the_chain_where_it_was,
     a_frame_of_page_zero_is_none,
     the_last_frame_of_a_commit_carries_the_size_of_the_database,
     a_shadow_header_is_a_function_of_generation_and_index,
     a_frame_lies_beyond_four_gigabytes_where_it_should)
