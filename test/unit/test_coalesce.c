/* SPDX-License-Identifier: MIT */
#include "vfs/coalesce.h"

#include "replica/base/bytes.h"
#include "replica/wal/frame.h"
#include "test/lib/unit.h"

#include <string.h>

#define PAGE 512
#define FRAME (LSV_FRAME_HEADER_SIZE + PAGE)
#define FILE_MAX (4 << 20)
#define WRITE_MAX 131071

/* A file in memory that counts what reaches it, and fails when told to. */
struct memory {
	sqlite3_file base;
	uint8_t bytes[FILE_MAX];
	int64_t size;
	int n_writes;
	int largest;
	int fails_in; /* the so-many-th write from now; 0: none */
};

static int memory_write(sqlite3_file *f, const void *buf, int n,
                        sqlite3_int64 at)
{
	struct memory *m = (struct memory *)f;

	if (m->fails_in > 0 && --m->fails_in == 0)
		return SQLITE_FULL;
	ck_assert_int_le(at + n, FILE_MAX);
	memcpy(m->bytes + at, buf, (size_t)n);
	if (at + n > m->size)
		m->size = at + n;
	if (n > m->largest)
		m->largest = n;
	m->n_writes++;
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {.iVersion = 3,
                                           .xWrite = memory_write};
static struct memory file;
static uint8_t expected[FILE_MAX];
static struct lsv_coalesce c;

static int64_t frame_at(uint32_t frame)
{
	return (int64_t)lsv_frame_offset(frame, PAGE);
}

static void begin(uint32_t frame)
{
	file.base.pMethods = &methods;
	lsv_coalesce_begin(&c, PAGE, frame);
}

static int write_at(const void *buf, int n, int64_t at)
{
	memcpy(expected + at, buf, (size_t)n);
	return lsv_coalesce_write(&c, &file.base, buf, n, at);
}

/* As SQLite: a header, then a page. */
static int write_frame(uint32_t frame, uint32_t db_pages)
{
	uint8_t header[LSV_FRAME_HEADER_SIZE] = {0}, page[PAGE];
	int rc;

	put_be32(header, frame + 100);
	put_be32(header + 4, db_pages);
	memset(page, (int)(frame % 251) + 1, sizeof page);
	rc = write_at(header, sizeof header, frame_at(frame));
	return rc != SQLITE_OK
	               ? rc
	               : write_at(page, sizeof page, frame_at(frame) + 24);
}

static void is_all_there(uint32_t n_frames)
{
	int64_t size = frame_at(n_frames + 1);

	ck_assert_int_eq(file.size, size);
	ck_assert_mem_eq(file.bytes + LSV_WAL_HEADER_SIZE,
	                 expected + LSV_WAL_HEADER_SIZE,
	                 (size_t)size - LSV_WAL_HEADER_SIZE);
}

START_TEST(a_commit_is_one_write)
{
	begin(0);
	for (uint32_t i = 1; i <= 7; i++) {
		ck_assert_int_eq(file.n_writes, 0);
		ck_assert_int_eq(write_frame(i, i == 7 ? 3 : 0), SQLITE_OK);
	}
	ck_assert_int_eq(file.n_writes, 1);
	is_all_there(7);
	lsv_coalesce_end(&c);
	begin(7);
	ck_assert_int_eq(write_frame(8, 4), SQLITE_OK);
	ck_assert_int_eq(file.n_writes, 2);
	is_all_there(8);
}
END_TEST

START_TEST(after_the_commit_every_write_passes_until_write_is_let_go)
{
	uint8_t header[24] = {9};

	begin(0);
	write_frame(1, 1);
	ck_assert_int_eq(file.n_writes, 1);
	/* Padding, and rewritten checksums. */
	write_frame(2, 1);
	ck_assert_int_eq(file.n_writes, 3);
	write_at(header, sizeof header, frame_at(1));
	ck_assert_int_eq(file.n_writes, 4);
	is_all_there(2);
}
END_TEST

START_TEST(a_transaction_rolled_back_reaches_nothing)
{
	begin(0);
	write_frame(1, 0);
	write_frame(2, 0);
	lsv_coalesce_end(&c);
	ck_assert_int_eq(file.n_writes, 0);
	ck_assert_int_eq(lsv_coalesce_flush(&c, &file.base), SQLITE_OK);
	ck_assert_int_eq(file.n_writes, 0);
}
END_TEST

START_TEST(who_looks_sees_all)
{
	begin(0);
	write_frame(1, 0);
	write_frame(2, 0);
	ck_assert_int_eq(lsv_coalesce_flush(&c, &file.base), SQLITE_OK);
	ck_assert_int_eq(file.n_writes, 1);
	is_all_there(2);
	/* And what comes then is held again. */
	write_frame(3, 0);
	ck_assert_int_eq(file.n_writes, 1);
	write_frame(4, 9);
	ck_assert_int_eq(file.n_writes, 2);
	is_all_there(4);
}
END_TEST

START_TEST(a_write_elsewhere_comes_after_what_is_held)
{
	uint8_t page[PAGE];

	begin(0);
	write_frame(1, 0);
	write_frame(2, 0);
	/* A spilled page that changed again. */
	memset(page, 0xee, sizeof page);
	write_at(page, sizeof page, frame_at(1) + 24);
	ck_assert_int_eq(file.n_writes, 2);
	is_all_there(2);
	/* Back at the end: not where the last write ended, so the first of its
	 * writes passes, and the rest is held. */
	write_frame(3, 0);
	ck_assert_int_eq(file.n_writes, 3);
	write_frame(4, 2);
	ck_assert_int_eq(file.n_writes, 4);
	is_all_there(4);
}
END_TEST

START_TEST(a_commit_is_known_though_its_header_passed)
{
	begin(5);
	/* Not where it was expected. */
	ck_assert_int_eq(write_frame(3, 8), SQLITE_OK);
	ck_assert_int_eq(file.n_writes, 2);
	write_frame(4, 0);
	ck_assert_int_eq(file.n_writes, 4);
}
END_TEST

START_TEST(the_header_of_the_wal_is_never_held)
{
	uint8_t header[LSV_WAL_HEADER_SIZE] = {0};

	put_be32(header + 8, PAGE);
	file.base.pMethods = &methods;
	lsv_coalesce_begin(&c, 0, 0);
	write_at(header, sizeof header, 0);
	ck_assert_int_eq(file.n_writes, 1);
	ck_assert_mem_eq(file.bytes, expected, sizeof header);
	/* It tells the page size. */
	write_frame(1, 0);
	write_frame(2, 2);
	ck_assert_int_eq(file.n_writes, 2);
	is_all_there(2);
}
END_TEST

START_TEST(what_has_not_the_shape_of_frames_passes)
{
	static const struct {
		int within;
		int n;
	} writes[] = {{0, 23}, {0, 32}, {0, FRAME}, {8, 16}, {24, PAGE + 1}};
	uint8_t bytes[2 * FRAME] = {7};

	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
		begin(0);
		write_frame(1, 0);
		file.n_writes = 0;
		write_at(bytes, writes[i].n, frame_at(2) + writes[i].within);
		ck_assert_int_eq(file.n_writes, 2);
		/* Nor is anything held until the next transaction. */
		write_frame(3, 0);
		ck_assert_int_eq(file.n_writes, 4);
		lsv_coalesce_end(&c);
	}
	file.base.pMethods = &methods;
	lsv_coalesce_begin(&c, 0, 0);
	file.n_writes = 0;
	write_frame(1, 0);
	ck_assert_int_eq(file.n_writes, 2);
}
END_TEST

START_TEST(a_page_may_come_in_pieces)
{
	uint8_t header[24] = {0}, page[PAGE] = {5};

	begin(0);
	put_be32(header + 4, 1);
	write_at(header, sizeof header, frame_at(1));
	write_at(page, 100, frame_at(1) + 24);
	ck_assert_int_eq(file.n_writes, 0);
	write_at(page + 100, PAGE - 100, frame_at(1) + 124);
	ck_assert_int_eq(file.n_writes, 1);
	is_all_there(1);
}
END_TEST

START_TEST(at_most_a_mebibyte_is_held_and_no_write_is_too_long)
{
	uint32_t n = 3 * (1 << 20) / FRAME;

	begin(0);
	for (uint32_t i = 1; i <= n; i++) {
		write_frame(i, i == n ? n : 0);
		ck_assert_int_le(c.n, 1 << 20);
		ck_assert_int_le(frame_at(i + 1) - file.size,
		                 (1 << 20) + LSV_WAL_HEADER_SIZE);
	}
	ck_assert_int_eq(file.largest, WRITE_MAX);
	ck_assert_int_lt(file.n_writes, 40);
	is_all_there(n);
}
END_TEST

START_TEST(a_failed_commit_is_an_error_of_its_write_and_never_tried_again)
{
	begin(0);
	file.fails_in = 1;
	ck_assert_int_eq(write_frame(1, 0), SQLITE_OK);
	ck_assert_int_eq(write_frame(2, 2), SQLITE_FULL);
	/* The rollback reads: the commit must not appear by that. */
	ck_assert_int_eq(lsv_coalesce_flush(&c, &file.base), SQLITE_OK);
	ck_assert_int_eq(file.n_writes, 0);
	lsv_coalesce_end(&c);
	begin(0);
	ck_assert_int_eq(write_frame(1, 1), SQLITE_OK);
	is_all_there(1);
}
END_TEST

START_TEST(what_a_look_could_not_write_is_still_held)
{
	begin(0);
	write_frame(1, 0);
	file.fails_in = 1;
	ck_assert_int_eq(lsv_coalesce_flush(&c, &file.base), SQLITE_FULL);
	write_frame(2, 2);
	is_all_there(2);
}
END_TEST

START_TEST(many_handles_hold_at_once)
{
	enum { N = 10 };
	static struct lsv_coalesce many[N];
	static struct memory files[2];
	uint8_t header[24] = {0};

	for (int i = 0; i < N; i++) {
		files[i % 2].base.pMethods = &methods;
		lsv_coalesce_begin(&many[i], PAGE, 0);
		header[0] = (uint8_t)i;
		lsv_coalesce_write(&many[i], &files[i % 2].base, header,
		                   sizeof header, frame_at(1));
	}
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(many[i].buf[0], i);
		lsv_coalesce_end(&many[i]);
		ck_assert_ptr_null(many[i].buf);
	}
}
END_TEST

START_TEST(only_over_the_unix_vfs)
{
	static const struct {
		const char *name;
		bool serves;
	} table[] = {{"unix", true},
	             {"unix-excl", true},
	             {"cksmvfs", false},
	             {"vfstrace", false}};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		ck_assert_int_eq(lsv_coalesce_serves(&(sqlite3_vfs){
					 .zName = table[i].name}),
		                 table[i].serves);
}
END_TEST

UNIT(coalesce, a_commit_is_one_write,
     after_the_commit_every_write_passes_until_write_is_let_go,
     a_transaction_rolled_back_reaches_nothing, who_looks_sees_all,
     a_write_elsewhere_comes_after_what_is_held,
     a_commit_is_known_though_its_header_passed,
     the_header_of_the_wal_is_never_held,
     what_has_not_the_shape_of_frames_passes, a_page_may_come_in_pieces,
     at_most_a_mebibyte_is_held_and_no_write_is_too_long,
     a_failed_commit_is_an_error_of_its_write_and_never_tried_again,
     what_a_look_could_not_write_is_still_held, many_handles_hold_at_once,
     only_over_the_unix_vfs)
