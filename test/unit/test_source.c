/* SPDX-License-Identifier: MIT */
#include "vfs/source.h"

#include "replica/base/cleanup.h"
#include "test/lib/fakewal.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <stdio.h>

#define PAGE 512
#define FRAME (LSV_FRAME_HEADER_SIZE + PAGE)
#define N_COMMITS 6
#define N_FRAMES 12 /* of transactions of 2, 3, 1, 2, 3, 1 */
#define WAL "a.db-wal"

static struct fakewal wal;
static struct lsv_shm live;
static struct lsv_source source;

/* What was handed on: it must be the frames of 'wal', in their order. */
static uint32_t n_handed;
static int still_answer;

static int hand(void *arg, const struct lsv_frame *frame, const void *page)
{
	const uint8_t *bytes = wal.bytes.data +
	                       lsv_frame_offset(++n_handed, PAGE);
	struct lsv_frame made;

	(void)arg;
	lsv_frame_decode(bytes, &made);
	ck_assert_uint_eq(frame->page_no, made.page_no);
	ck_assert_uint_eq(frame->db_pages, made.db_pages);
	ck_assert_mem_eq(page, bytes + LSV_FRAME_HEADER_SIZE, PAGE);
	return 0;
}

static int still(void *arg)
{
	(void)arg;
	return still_answer;
}

static void write_wal(size_t n)
{
	auto_close int fd = open(WAL, O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lsv_pwrite(fd, wal.bytes.data, n, 0), 0);
}

static void make_wal(bool big_endian)
{
	struct lsv_wal_header header = {.big_endian = big_endian,
	                                .page_size = PAGE,
	                                .salt = {0x12345678, 0x9abcdef0}};

	fakewal_make(&wal, &header, 1, N_COMMITS);
	ck_assert_uint_eq(wal.bytes.n, lsv_frame_offset(N_FRAMES + 1, PAGE));
	live = (struct lsv_shm){.big_endian = big_endian,
	                        .page_size = PAGE,
	                        .mx_frame = N_FRAMES,
	                        .salt = {0x12345678, 0x9abcdef0}};
	write_wal(wal.bytes.n);
	lsv_source_init(&source);
}

static int read_to(uint32_t last)
{
	return lsv_source_read(&source, last, still, hand, NULL);
}

/* From the first frame to the last. */
static int read_all(void)
{
	n_handed = 0;
	ck_assert_int_eq(lsv_source_begin(&source, WAL, &live), 0);
	return read_to(N_FRAMES);
}

static void leave(void)
{
	lsv_source_close(&source);
	fakewal_free(&wal);
}

START_TEST(frames_are_handed_on_in_order)
{
	auto_scratch char *dir = scratch_enter();

	for (int big_endian = 0; big_endian < 2; big_endian++) {
		make_wal(big_endian);
		ck_assert_int_eq(read_all(), 0);
		ck_assert_uint_eq(n_handed, N_FRAMES);
		ck_assert_int_eq(read_to(N_FRAMES), 0);
		ck_assert_uint_eq(n_handed, N_FRAMES);
		n_handed = 0;
		ck_assert_int_eq(lsv_source_begin(&source, WAL, &live), 0);
		for (uint32_t i = 1; i <= N_FRAMES; i++) {
			ck_assert_int_eq(read_to(i), 0);
			ck_assert_uint_eq(n_handed, i);
		}
		leave();
	}
}
END_TEST

/* I1: also one that SQLite itself, which verifies nothing but when it
 * recovers, would take. */
START_TEST(no_frame_is_handed_on_from_a_flipped_bit_on)
{
	auto_scratch char *dir = scratch_enter();
	size_t at = LSV_WAL_HEADER_SIZE;

	make_wal(false);
	for (unsigned bit = 0; at < wal.bytes.n; at += 5, bit++) {
		uint8_t mask = (uint8_t)(1U << bit % 8);

		wal.bytes.data[at] ^= mask;
		write_wal(wal.bytes.n);
		wal.bytes.data[at] ^= mask;
		ck_assert_int_eq(read_all(), -EBADMSG);
		ck_assert_uint_eq(n_handed, (at - LSV_WAL_HEADER_SIZE) / FRAME);
	}
	leave();
}
END_TEST

START_TEST(a_frame_in_another_ones_place_is_refused)
{
	auto_scratch char *dir = scratch_enter();
	uint8_t *third;

	make_wal(false);
	third = wal.bytes.data + lsv_frame_offset(3, PAGE);
	memcpy(third, third + FRAME, FRAME);
	write_wal(wal.bytes.n);
	ck_assert_int_eq(read_all(), -EBADMSG);
	ck_assert_uint_eq(n_handed, 2);
	leave();
}
END_TEST

START_TEST(what_is_not_there_yet_is_not_handed_on)
{
	auto_scratch char *dir = scratch_enter();

	make_wal(false);
	write_wal(wal.bytes.n - 1);
	ck_assert_int_eq(read_all(), -EBADMSG);
	ck_assert_uint_eq(n_handed, 0);
	write_wal(wal.bytes.n);
	ck_assert_int_eq(read_to(N_FRAMES), 0);
	ck_assert_uint_eq(n_handed, N_FRAMES);
	leave();
}
END_TEST

START_TEST(what_was_overwritten_meanwhile_is_not_handed_on)
{
	auto_scratch char *dir = scratch_enter();

	make_wal(false);
	still_answer = -EAGAIN;
	ck_assert_int_eq(read_all(), -EAGAIN);
	ck_assert_uint_eq(n_handed, 0);
	still_answer = 0;
	leave();
}
END_TEST

/* SQLite before 3.50.2: the frames 4 and 5 have no salts and no checksum, the
 * one behind them chains to what nobody knows. */
START_TEST(frames_without_checksums_are_accepted_and_none_behind_a_wrong_one)
{
	auto_scratch char *dir = scratch_enter();
	uint8_t *sixth;

	make_wal(false);
	for (uint32_t i = 4; i <= 5; i++)
		memset(wal.bytes.data + lsv_frame_offset(i, PAGE) + 8, 0, 16);
	write_wal(wal.bytes.n);
	ck_assert_int_eq(read_all(), 0);
	ck_assert_uint_eq(n_handed, N_FRAMES);
	ck_assert_uint_eq(source.n_zero, 2);
	/* Only its salts can tell; the one behind it continues it again. */
	sixth = wal.bytes.data + lsv_frame_offset(6, PAGE);
	sixth[8] ^= 1;
	write_wal(wal.bytes.n);
	ck_assert_int_eq(read_all(), -EBADMSG);
	ck_assert_uint_eq(n_handed, 5);
	sixth[8] ^= 1;
	sixth[FRAME + LSV_FRAME_HEADER_SIZE] ^= 1;
	write_wal(wal.bytes.n);
	ck_assert_int_eq(read_all(), -EBADMSG);
	ck_assert_uint_eq(n_handed, 6);
	leave();
}
END_TEST

START_TEST(a_recorded_frame_is_found_again_and_no_other)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_real real;

	make_wal(false);
	n_handed = 0;
	ck_assert_int_eq(lsv_source_begin(&source, WAL, &live), 0);
	ck_assert_int_eq(read_to(5), 0);
	real = source.at.real;
	ck_assert_int_eq(lsv_source_begin(&source, WAL, &live), 0);
	ck_assert_int_eq(lsv_source_seek(&source, &real), 0);
	ck_assert_int_eq(read_to(N_FRAMES), 0);
	ck_assert_uint_eq(n_handed, N_FRAMES);
	real.frame = 4;
	ck_assert_int_eq(lsv_source_seek(&source, &real), -ESTALE);
	real.frame = 5;
	real.header[8] ^= 1;
	ck_assert_int_eq(lsv_source_seek(&source, &real), -ESTALE);
	leave();
}
END_TEST

START_TEST(a_path_that_names_another_file_is_noticed)
{
	auto_scratch char *dir = scratch_enter();

	make_wal(false);
	ck_assert_int_eq(lsv_source_is_path(&source, WAL), -EBADF);
	ck_assert_int_eq(read_all(), 0);
	ck_assert_int_eq(lsv_source_is_path(&source, WAL), 0);
	ck_assert_int_eq(rename(WAL, "old"), 0);
	ck_assert_int_eq(lsv_source_is_path(&source, WAL), -ENOENT);
	write_wal(wal.bytes.n);
	ck_assert_int_eq(lsv_source_is_path(&source, WAL), -ESTALE);
	ck_assert_int_eq(read_all(), 0);
	ck_assert_int_eq(lsv_source_is_path(&source, WAL), 0);
	leave();
}
END_TEST

UNIT(source, frames_are_handed_on_in_order,
     no_frame_is_handed_on_from_a_flipped_bit_on,
     a_frame_in_another_ones_place_is_refused,
     what_is_not_there_yet_is_not_handed_on,
     what_was_overwritten_meanwhile_is_not_handed_on,
     frames_without_checksums_are_accepted_and_none_behind_a_wrong_one,
     a_recorded_frame_is_found_again_and_no_other,
     a_path_that_names_another_file_is_noticed)
