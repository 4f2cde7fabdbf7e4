/* SPDX-License-Identifier: MIT */
#include "replica/base/bytes.h"
#include "replica/format/table.h"
#include "replica/wal/pagehash.h"
#include "test/lib/unit.h"

#include <string.h>

#define FIRST 4128

/* Three commits, each different in every field. */
static struct lsv_commit commits[] = {
	{FIRST + 4120, 7, 1000, 0x1111111122222222, {1, 2}, 5},
	{FIRST + 8240, 8, 1001, 0x3333333344444444, {3, 4}, 6},
	{FIRST + 16480, 9, 1001, 0x5555555566666666, {5, 6}, 4},
};

static struct lsv_table segment_table(void)
{
	struct lsv_table table = {
		.first = {UINT64_C(0xfedcba9876543210), 3, FIRST},
		.first_txid = 7,
		.commits = {commits, 3, 3},
	};

	memcpy(table.lineage, "0123456789abcdef", LSV_LINEAGE_SIZE);
	return table;
}

static struct lsv_buf encoded(const struct lsv_table *table)
{
	struct lsv_buf buf = {0};

	ck_assert_int_eq(lsv_table_encode(table, &buf), 0);
	return buf;
}

/* Rewrites the checksum, so that what is tested lies behind it. */
static void seal(uint8_t *bytes, size_t n)
{
	put_le64(bytes + n - 16, lsv_xxh64(bytes, n - 16));
}

static void check_equal(const struct lsv_table *a, const struct lsv_table *b)
{
	ck_assert(a->first.generation == b->first.generation);
	ck_assert(lsv_pos_compare(&a->first, &b->first) == 0);
	ck_assert(a->first_txid == b->first_txid);
	ck_assert_mem_eq(a->lineage, b->lineage, LSV_LINEAGE_SIZE);
	ck_assert(a->commits.n == b->commits.n);
	for (size_t i = 0; i < a->commits.n; i++) {
		uint8_t x[LSV_COMMIT_SIZE], y[LSV_COMMIT_SIZE];

		lsv_commit_encode(&a->commits.at[i], x);
		lsv_commit_encode(&b->commits.at[i], y);
		ck_assert_mem_eq(x, y, LSV_COMMIT_SIZE);
	}
}

START_TEST(a_table_reads_back_as_it_was_written)
{
	struct lsv_table table = segment_table(), got;
	struct lsv_buf buf = encoded(&table);

	ck_assert_uint_eq(buf.n, 72 + 3 * 48 + 16);
	ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got), 0);
	check_equal(&table, &got);
	ck_assert(!lsv_table_is_snapshot(&got));
	lsv_table_free(&got);
	lsv_buf_free(&buf);
}
END_TEST

START_TEST(a_snapshot_has_one_record_that_ends_at_0)
{
	struct lsv_commit at = {0, 12, 99, 0xabc, {0, 0}, 30};
	struct lsv_table table = {
		.first = {1, 4, 0}, .first_txid = 12, .commits = {&at, 1, 1}};
	struct lsv_buf buf = encoded(&table);
	struct lsv_table got;

	ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got), 0);
	check_equal(&table, &got);
	ck_assert(lsv_table_is_snapshot(&got));
	lsv_table_free(&got);
	lsv_buf_free(&buf);
}
END_TEST

START_TEST(every_byte_is_where_the_manual_says)
{
	static const uint8_t trailer_magic[] = "LSVE";
	struct lsv_table table = segment_table();
	struct lsv_buf buf = encoded(&table);
	const uint8_t *p = buf.data, *record = p + 72 + 48;

	ck_assert_mem_eq(p, "LSVFSCT1", 8);
	ck_assert_uint_eq(get_le32(p + 8), 1);
	ck_assert_uint_eq(get_le32(p + 12), 72);
	ck_assert_uint_eq(get_le32(p + 16), 48);
	ck_assert_uint_eq(get_le32(p + 20), 3);
	ck_assert(get_le64(p + 24) == UINT64_C(0xfedcba9876543210));
	ck_assert_uint_eq(get_le32(p + 32), 3);
	ck_assert_uint_eq(get_le32(p + 36), 0);
	ck_assert(get_le64(p + 40) == FIRST);
	ck_assert(get_le64(p + 48) == 7);
	ck_assert_mem_eq(p + 56, "0123456789abcdef", 16);
	ck_assert(get_le64(record) == FIRST + 8240);
	ck_assert(get_le64(record + 8) == 8);
	ck_assert(get_le64(record + 16) == 1001);
	ck_assert(get_le64(record + 24) == 0x3333333344444444);
	ck_assert_uint_eq(get_le32(record + 32), 3);
	ck_assert_uint_eq(get_le32(record + 36), 4);
	ck_assert_uint_eq(get_le32(record + 40), 6);
	ck_assert_uint_eq(get_le32(record + 44), 0);
	ck_assert(get_le64(p + buf.n - 16) == lsv_xxh64(p, buf.n - 16));
	ck_assert_uint_eq(get_le32(p + buf.n - 8), buf.n);
	ck_assert_mem_eq(p + buf.n - 4, trailer_magic, 4);
	lsv_buf_free(&buf);
}
END_TEST

START_TEST(any_flipped_bit_is_seen)
{
	struct lsv_table table = segment_table(), got;
	struct lsv_buf buf = encoded(&table);

	for (size_t bit = 0; bit < buf.n * 8; bit++) {
		buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got),
		                 bit < 64 ? -ENOENT : -EBADMSG);
		buf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got), 0);
	lsv_table_free(&got);
	lsv_buf_free(&buf);
}
END_TEST

START_TEST(any_cut_is_seen)
{
	struct lsv_table table = segment_table(), got;
	struct lsv_buf buf = encoded(&table);

	for (size_t n = 0; n < buf.n; n++) {
		/* The exact size, so that a sanitizer sees a read beyond. */
		uint8_t *cut = malloc(n + !n);

		memcpy(cut, buf.data, n);
		ck_assert_int_eq(lsv_table_decode(cut, n, &got),
		                 n < 8 ? -ENOENT : -EBADMSG);
		free(cut);
	}
	lsv_buf_free(&buf);
}
END_TEST

/* The same table with 'more_header' and 'more_record' bytes added to each. */
static struct lsv_buf grown(const struct lsv_table *table, size_t more_header,
                            size_t more_record)
{
	struct lsv_buf old = encoded(table), buf = {0};
	uint8_t filler[64];

	memset(filler, 0xa5, sizeof filler);
	lsv_buf_append(&buf, old.data, 72);
	lsv_buf_append(&buf, filler, more_header);
	for (size_t i = 0; i < table->commits.n; i++) {
		lsv_buf_append(&buf, old.data + 72 + i * 48, 48);
		lsv_buf_append(&buf, filler, more_record);
	}
	lsv_buf_append(&buf, old.data + old.n - 16, 16);
	put_le32(buf.data + 12, (uint32_t)(72 + more_header));
	put_le32(buf.data + 16, (uint32_t)(48 + more_record));
	put_le32(buf.data + buf.n - 8, (uint32_t)buf.n);
	seal(buf.data, buf.n);
	lsv_buf_free(&old);
	return buf;
}

START_TEST(what_larger_sizes_add_is_skipped)
{
	static const struct {
		size_t header, record;
	} more[] = {{0, 8}, {8, 0}, {1, 1}, {56, 16}};
	struct lsv_table table = segment_table();

	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		struct lsv_buf buf = grown(&table, more[i].header,
		                           more[i].record);
		struct lsv_table got;

		ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got), 0);
		check_equal(&table, &got);
		lsv_table_free(&got);
		lsv_buf_free(&buf);
	}
}
END_TEST

START_TEST(a_later_version_is_told_from_damage)
{
	struct lsv_table table = segment_table(), got;
	struct lsv_buf buf = encoded(&table);

	put_le32(buf.data + 8, 2);
	ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got), -EBADMSG);
	seal(buf.data, buf.n);
	ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got), -EPROTO);
	lsv_buf_free(&buf);
}
END_TEST

START_TEST(sizes_that_lie_are_refused_although_the_checksum_holds)
{
	static const struct {
		size_t at;
		uint32_t value;
	} lies[] = {
		{12, 71}, {12, 0},          {12, UINT32_MAX}, {16, 47},
		{16, 0},  {16, 0x55555566}, {20, 0},          {20, 2},
		{20, 4},  {20, UINT32_MAX},
	};
	struct lsv_table table = segment_table();

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct lsv_buf buf = encoded(&table);
		struct lsv_table got;

		put_le32(buf.data + lies[i].at, lies[i].value);
		seal(buf.data, buf.n);
		ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got),
		                 -EBADMSG);
		lsv_buf_free(&buf);
	}
}
END_TEST

START_TEST(commits_out_of_order_are_refused)
{
	static const struct {
		size_t record, at;
		uint64_t value;
	} lies[] = {
		{0, 0, FIRST},        /* ends where it begins */
		{0, 0, 0},            /* a snapshot's end among others */
		{1, 0, FIRST + 4120}, /* twice the same end */
		{2, 0, FIRST + 1},    /* back */
		{0, 8, 8},            /* not the first txid */
		{1, 8, 9},            /* a hole */
		{2, 8, 8},            /* twice */
		{1, 40, 0},           /* a database without pages */
	};
	struct lsv_table table = segment_table();

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct lsv_buf buf = encoded(&table);
		struct lsv_table got;

		put_le64(buf.data + 72 + 48 * lies[i].record + lies[i].at,
		         lies[i].value);
		seal(buf.data, buf.n);
		ck_assert_int_eq(lsv_table_decode(buf.data, buf.n, &got),
		                 -EBADMSG);
		lsv_buf_free(&buf);
	}
}
END_TEST

START_TEST(the_checksum_is_xxh64)
{
	/* Known answers of XXH64 with seed 0. */
	ck_assert(lsv_xxh64("", 0) == UINT64_C(0xef46db3751d8e999));
	ck_assert(lsv_xxh64("abc", 3) == UINT64_C(0x44bc2cf5ad770999));
}
END_TEST

UNIT(table, a_table_reads_back_as_it_was_written,
     a_snapshot_has_one_record_that_ends_at_0,
     every_byte_is_where_the_manual_says, any_flipped_bit_is_seen,
     any_cut_is_seen, what_larger_sizes_add_is_skipped,
     a_later_version_is_told_from_damage,
     sizes_that_lie_are_refused_although_the_checksum_holds,
     commits_out_of_order_are_refused, the_checksum_is_xxh64)
