/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/wal/frame.h"
#include "replica/wal/shm.h"
#include "test/lib/live.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

static const uint32_t page_sizes[] = {512,  1024,  2048,  4096,
                                      8192, 16384, 32768, 65536};
#define N_PAGE_SIZES (sizeof page_sizes / sizeof *page_sizes)

/* The live -shm.  Its descriptor stays open: to close it would drop SQLite's
 * locks of this process (I8). */
static void *map_shm(void)
{
	int fd = open("app.db-shm", O_RDWR | O_CLOEXEC);
	void *head;

	ck_assert_int_ge(fd, 0);
	head = mmap(NULL, LSV_SHM_HEAD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
	            fd, 0);
	ck_assert_ptr_ne(head, MAP_FAILED);
	return head;
}

static void assert_agrees(const struct lsv_shm *shm)
{
	auto_free char *wal = NULL;
	struct lsv_wal_header header;
	struct lsv_frame last;
	size_t n = 0;

	ck_assert_int_eq(lsv_file_read("app.db-wal", 16 << 20, &wal, &n), 0);
	ck_assert_int_eq(lsv_wal_header_decode((uint8_t *)wal, &header), 0);
	ck_assert_uint_eq(shm->page_size, header.page_size);
	ck_assert_int_eq(shm->big_endian, header.big_endian);
	ck_assert(lsv_salt_equal(shm->salt, header.salt));
	ck_assert(lsv_frame_offset(shm->mx_frame + 1, shm->page_size) <= n);
	lsv_frame_decode((uint8_t *)wal + lsv_frame_offset(shm->mx_frame,
	                                                   shm->page_size),
	                 &last);
	ck_assert_mem_eq(shm->frame_checksum, last.checksum, 8);
	ck_assert_uint_eq(shm->db_pages, last.db_pages);
}

START_TEST(the_live_head_agrees_with_the_wal_beside_it)
{
	for (size_t i = 0; i < N_PAGE_SIZES; i++) {
		auto_scratch char *dir = scratch_enter();
		auto_live sqlite3 *db = live_create(page_sizes[i]);
		const void *head = map_shm();
		struct lsv_shm shm;

		for (int round = 0; round < 5; round++) {
			live_insert(db, 3);
			ck_assert_int_eq(lsv_shm_read(head, &shm), 0);
			assert_agrees(&shm);
			ck_assert_int_eq(live_number(db, "PRAGMA page_count"),
			                 shm.db_pages);
			ck_assert_uint_eq(shm.n_backfill, 0);
		}
	}
}
END_TEST

START_TEST(what_a_checkpoint_wrote_back_is_seen)
{
	auto_scratch char *dir = scratch_enter();
	auto_live sqlite3 *db = live_create(4096);
	const void *head = map_shm();
	struct lsv_shm before, after;

	live_insert(db, 3);
	ck_assert_int_eq(lsv_shm_read(head, &before), 0);
	live_exec(db, "PRAGMA wal_checkpoint(PASSIVE)");
	ck_assert_int_eq(lsv_shm_read(head, &after), 0);
	ck_assert_uint_eq(after.n_backfill, before.mx_frame);
	ck_assert(lsv_salt_equal(before.salt, after.salt));
}
END_TEST

START_TEST(a_reset_changes_the_salts_and_begins_again)
{
	auto_scratch char *dir = scratch_enter();
	auto_live sqlite3 *db = live_create(4096);
	const void *head = map_shm();
	struct lsv_shm before, after;

	live_insert(db, 10);
	ck_assert_int_eq(lsv_shm_read(head, &before), 0);
	live_exec(db, "PRAGMA wal_checkpoint(RESTART)");
	live_insert(db, 1);
	ck_assert_int_eq(lsv_shm_read(head, &after), 0);
	ck_assert(!lsv_salt_equal(before.salt, after.salt));
	ck_assert_uint_lt(after.mx_frame, before.mx_frame);
	assert_agrees(&after);
}
END_TEST

START_TEST(a_torn_head_is_no_news_whatever_byte_differs)
{
	auto_scratch char *dir = scratch_enter();
	auto_live sqlite3 *db = live_create(4096);
	uint32_t words[LSV_SHM_HEAD_SIZE / 4];
	uint8_t *copy = (uint8_t *)words;
	struct lsv_shm shm = {.mx_frame = 42};

	live_insert(db, 3);
	memcpy(copy, map_shm(), LSV_SHM_HEAD_SIZE);
	for (size_t i = 0; i < 96; i++) {
		copy[i] ^= 0x10;
		ck_assert_msg(lsv_shm_read(copy, &shm) == -EAGAIN, "byte %zu",
		              i);
		copy[i] ^= 0x10;
	}
	ck_assert_uint_eq(shm.mx_frame, 42);
	ck_assert_int_eq(lsv_shm_read(copy, &shm), 0);
	ck_assert_uint_ne(shm.mx_frame, 42);
}
END_TEST

START_TEST(two_equal_copies_must_still_verify)
{
	auto_scratch char *dir = scratch_enter();
	auto_live sqlite3 *db = live_create(4096);
	uint32_t words[LSV_SHM_HEAD_SIZE / 4];
	uint8_t *copy = (uint8_t *)words;
	struct lsv_shm shm;

	live_insert(db, 3);
	memcpy(copy, map_shm(), LSV_SHM_HEAD_SIZE);
	for (size_t i = 0; i < 48; i++) {
		copy[i] ^= 0x10;
		copy[48 + i] ^= 0x10;
		ck_assert_msg(lsv_shm_read(copy, &shm) == -EAGAIN, "byte %zu",
		              i);
		copy[i] ^= 0x10;
		copy[48 + i] ^= 0x10;
	}
}
END_TEST

START_TEST(a_head_never_written_is_no_news)
{
	static const uint32_t zeros[LSV_SHM_HEAD_SIZE / 4];
	struct lsv_shm shm;

	ck_assert_int_eq(lsv_shm_read(zeros, &shm), -EAGAIN);
}
END_TEST

UNIT(shm, the_live_head_agrees_with_the_wal_beside_it,
     what_a_checkpoint_wrote_back_is_seen,
     a_reset_changes_the_salts_and_begins_again,
     a_torn_head_is_no_news_whatever_byte_differs,
     two_equal_copies_must_still_verify, a_head_never_written_is_no_news)
