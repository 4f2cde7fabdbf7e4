/* SPDX-License-Identifier: MIT */
#include "test/lib/shadow_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

START_TEST(a_new_index_stands_at_its_base)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(4096);
	const struct lsv_record *end = lsv_shadow_end(shadow);
	struct lsv_shadow *second;

	for (int i = 0; i < 2; i++) {
		end = lsv_shadow_end(shadow);
		ck_assert_uint_eq(end->commit.end, 0);
		ck_assert_uint_eq(end->commit.txid, 41);
		ck_assert_uint_eq(end->commit.db_pages, 3);
		ck_assert_uint_eq(end->real.frame, 9);
		ck_assert_mem_eq(end->real.header, base.real.header, 24);
		shadow = reopen(shadow);
	}
	ck_assert_uint_eq(lsv_shadow_index(shadow), INDEX);
	ck_assert_int_eq(lsv_shadow_create(".", GENERATION, INDEX, 4096, &base,
	                                   MODE, &second),
	                 -EEXIST);
}
END_TEST

START_TEST(every_page_size_comes_back)
{
	auto_scratch char *dir = scratch_enter();
	static const uint32_t sizes[] = {512,  1024,  2048,  4096,
	                                 8192, 16384, 32768, 65536};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct lsv_shadow *shadow = create(sizes[i]);
		struct seen seen = {0, sizes[i], 1, 3};
		auto_free char *folder = lsv_path_join(".", "wal");

		for (uint32_t n = 1; n <= 5; n++)
			commit(shadow, n, 3);
		shadow = reopen(shadow);
		ck_assert_uint_eq(lsv_shadow_page_size(shadow), sizes[i]);
		ck_assert_uint_eq(end_of(shadow),
		                  32 + 15 * (24 + (uint64_t)sizes[i]));
		ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid, 46);
		ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.db_pages, 13);
		ck_assert_int_eq(lsv_shadow_end(shadow)->commit.time_ns, 50);
		ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.page_hash,
		                  500);
		ck_assert_uint_eq(lsv_shadow_end(shadow)->real.frame, 105);
		ck_assert_int_eq(replay(0, end_of(shadow), expect_frame, &seen),
		                 0);
		ck_assert_uint_eq(seen.n, 15);
		lsv_shadow_close(shadow);
		ck_assert_int_eq(lsv_remove_tree(folder), 0);
	}
}
END_TEST

START_TEST(two_writers_of_one_history_write_the_same_bytes)
{
	auto_scratch char *dir = scratch_enter();
	char *wal[2], *commits[2];
	size_t n_wal[2], n_commits[2];

	for (int i = 0; i < 2; i++) {
		struct lsv_shadow *shadow = create(1024);
		auto_free char *folder = lsv_path_join(".", "wal");

		for (uint32_t n = 1; n <= 20; n++) {
			/* One of them is interrupted at each commit. */
			if (i)
				shadow = reopen(shadow);
			commit(shadow, n, n % 3 + 1);
		}
		lsv_shadow_close(shadow);
		file_load("wal", &wal[i], &n_wal[i]);
		file_load("commits", &commits[i], &n_commits[i]);
		ck_assert_int_eq(lsv_remove_tree(folder), 0);
	}
	ck_assert_uint_eq(n_wal[0], n_wal[1]);
	ck_assert_mem_eq(wal[0], wal[1], n_wal[0]);
	ck_assert_uint_eq(n_commits[0], n_commits[1]);
	ck_assert_mem_eq(commits[0], commits[1], n_commits[0]);
	for (int i = 0; i < 2; i++) {
		free(wal[i]);
		free(commits[i]);
	}
}
END_TEST

START_TEST(a_huge_transaction_does_not_stay_in_memory)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(65536);
	auto_free char *path = file_path("wal");
	struct stat st;

	for (uint32_t i = 1; i <= 40; i++)
		append(shadow, i, 0, 1000 + i - 1);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_ge(st.st_size, 30 * 65536);
	/* ... and nobody else sees any of it. */
	ck_assert_uint_eq(end_of(shadow), 0);
	shadow = reopen(shadow);
	ck_assert_uint_eq(end_of(shadow), 0);
	commit(shadow, 1, 50);
	ck_assert_uint_eq(end_of(shadow), 32 + 50 * (24 + 65536));
}
END_TEST

START_TEST(what_is_rolled_back_leaves_no_trace)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	struct seen seen = {0, 512, 1, 2};

	append(shadow, 5, 0, 77);
	lsv_shadow_rollback(shadow);
	commit(shadow, 1, 2);
	for (uint32_t i = 1; i < 4000; i++) /* beyond a flush */
		append(shadow, i, 0, i);
	lsv_shadow_rollback(shadow);
	commit(shadow, 2, 2);
	shadow = reopen(shadow);
	ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid, 43);
	ck_assert_int_eq(replay(0, end_of(shadow), expect_frame, &seen), 0);
	ck_assert_uint_eq(seen.n, 4);
}
END_TEST

/* Many commits, some beyond a write of their frames, and a half one behind. */
START_TEST(commits_are_written_together)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	struct seen seen = {0, 512, 1, 30};

	for (uint32_t i = 1; i <= 100; i++) {
		collect(shadow, i, 30);
		append(shadow, 1, 0, i);
		if (i % 7 == 0)
			ck_assert_int_eq(lsv_shadow_write(shadow), 0);
		lsv_shadow_rollback(shadow);
	}
	ck_assert_uint_gt(lsv_shadow_unwritten(shadow), 2 * 30 * 536);
	ck_assert_int_eq(lsv_shadow_write(shadow), 0);
	ck_assert_uint_eq(lsv_shadow_unwritten(shadow), 0);
	shadow = reopen(shadow);
	ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid, 141);
	ck_assert_int_eq(replay(0, end_of(shadow), expect_frame, &seen), 0);
	ck_assert_uint_eq(seen.n, 3000);
}
END_TEST

START_TEST(what_is_dropped_leaves_no_trace)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	struct seen seen = {0, 512, 1, 30};

	lsv_shadow_drop(shadow);
	ck_assert_uint_eq(end_of(shadow), 0);
	commit(shadow, 1, 30);
	for (uint32_t i = 0; i < 100; i++) /* beyond a write of frames */
		collect(shadow, 77, 30);
	lsv_shadow_drop(shadow);
	ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid, 42);
	commit(shadow, 2, 30);
	shadow = reopen(shadow);
	ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid, 43);
	ck_assert_int_eq(replay(0, end_of(shadow), expect_frame, &seen), 0);
	ck_assert_uint_eq(seen.n, 60);
}
END_TEST

/* A full disk: the end stays what is there, and it goes on from there. */
START_TEST(what_cannot_be_written_is_not_the_end)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	struct rlimit before, limit;
	struct seen seen = {0, 512, 1, 30};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 80 * 536;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	commit(shadow, 1, 30);
	commit(shadow, 2, 30);
	collect(shadow, 3, 30);
	collect(shadow, 4, 30);
	ck_assert_int_eq(lsv_shadow_write(shadow), -EFBIG);
	ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid, 43);
	ck_assert_uint_eq(lsv_shadow_unwritten(shadow), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	commit(shadow, 3, 30);
	shadow = reopen(shadow);
	ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid, 44);
	ck_assert_int_eq(replay(0, end_of(shadow), expect_frame, &seen), 0);
	ck_assert_uint_eq(seen.n, 90);
}
END_TEST

START_TEST(half_commits_are_refused)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	struct lsv_real real = {0};
	uint8_t page[512] = {0};

	ck_assert_int_eq(lsv_shadow_commit(shadow, 0, 0, &real), -EINVAL);
	ck_assert_int_eq(lsv_shadow_append(shadow, 0, 0, page), -EINVAL);
	append(shadow, 1, 0, 1);
	ck_assert_int_eq(lsv_shadow_commit(shadow, 0, 0, &real), -EINVAL);
	append(shadow, 1, 2, 1);
	ck_assert_int_eq(lsv_shadow_append(shadow, 1, 2, page), -EINVAL);
	ck_assert_int_eq(lsv_shadow_commit(shadow, 0, 0, &real), 0);
}
END_TEST

START_TEST(a_torn_record_is_cut_at_every_byte)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	auto_free char *bytes = NULL;
	size_t n;

	for (uint32_t i = 1; i <= 3; i++)
		commit(shadow, i, 2);
	file_load("commits", &bytes, &n);
	ck_assert_uint_eq(n, 4 * LSV_RECORD_SIZE);
	for (size_t cut = 3 * LSV_RECORD_SIZE; cut <= n; cut++) {
		auto_free char *after = NULL;
		size_t whole = cut == n ? 4 : 3;
		size_t n_after;

		file_store("commits", bytes, cut);
		shadow = reopen(shadow);
		ck_assert_uint_eq(end_of(shadow), 32 + (whole - 1) * 2 * 536);
		file_load("commits", &after, &n_after);
		ck_assert_uint_eq(n_after, whole * LSV_RECORD_SIZE);
		/* And it goes on from there to the same bytes. */
		if (cut < n)
			commit(shadow, 3, 2);
		free(take(after));
		file_load("commits", &after, &n_after);
		ck_assert_uint_eq(n_after, n);
		ck_assert_mem_eq(after, bytes, n);
	}
}
END_TEST

START_TEST(a_record_without_all_its_frames_is_cut)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	auto_free char *bytes = NULL;
	size_t n;

	for (uint32_t i = 1; i <= 3; i++)
		commit(shadow, i, 2);
	file_load("wal", &bytes, &n);
	for (size_t cut = 32 + 4 * 536; cut <= n; cut++) {
		struct seen seen = {0, 512, 1, 2};

		file_store("wal", bytes, cut);
		shadow = reopen(shadow);
		ck_assert_uint_eq(end_of(shadow),
		                  32 + (cut == n ? 3 : 2) * 2 * 536);
		if (cut < n)
			commit(shadow, 3, 2);
		ck_assert_int_eq(replay(0, end_of(shadow), expect_frame, &seen),
		                 0);
		ck_assert_uint_eq(seen.n, 6);
	}
}
END_TEST

START_TEST(a_flipped_bit_in_the_last_record_or_frame_header_is_cut)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);

	commit(shadow, 1, 1);
	commit(shadow, 2, 1);
	for (size_t i = 0; i < LSV_RECORD_SIZE + 16; i++) {
		bool in_record = i < LSV_RECORD_SIZE;
		const char *suffix = in_record ? "commits" : "wal";
		size_t at = in_record ? 2 * LSV_RECORD_SIZE + i
		                      : 32 + 536 + 8 + (i - LSV_RECORD_SIZE);
		auto_free char *bytes = NULL;
		size_t n;

		file_load(suffix, &bytes, &n);
		bytes[at] ^= 0x10;
		file_store(suffix, bytes, n);
		shadow = reopen(shadow);
		ck_assert_uint_eq(end_of(shadow), 32 + 536);
		commit(shadow, 2, 1);
	}
}
END_TEST

START_TEST(another_generations_or_indexs_files_are_refused)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_shadow *shadow = create(512);
	struct lsv_shadow *other;
	auto_free char *bytes = NULL;
	size_t n;

	commit(shadow, 1, 1);
	lsv_shadow_close(shadow);
	ck_assert_int_eq(lsv_shadow_open(".", GENERATION + 1, INDEX, &other),
	                 -EBADMSG);
	ck_assert_int_eq(lsv_shadow_open(".", GENERATION, INDEX + 1, &other),
	                 -ENOENT);
	file_load("wal", &bytes, &n);
	for (size_t i = 0; i < 32; i++) {
		bytes[i] ^= 1;
		file_store("wal", bytes, n);
		ck_assert_int_eq(
			lsv_shadow_open(".", GENERATION, INDEX, &other),
			-EBADMSG);
		bytes[i] ^= 1;
	}
	file_store("wal", bytes, n);
	file_store("commits", bytes, 79);
	ck_assert_int_eq(lsv_shadow_open(".", GENERATION, INDEX, &other),
	                 -EBADMSG);
}
END_TEST

/* What a power loss may do to files that were not synced. */
START_TEST(a_hole_is_found_by_verifying_and_cut)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	auto_free char *wal = NULL, *commits = NULL;
	size_t n_wal, n_commits;
	bool cut = true;

	for (uint32_t i = 1; i <= 6; i++)
		commit(shadow, i, 2);
	ck_assert_int_eq(lsv_shadow_verify(shadow, 0, &cut), 0);
	ck_assert(!cut);
	ck_assert_int_eq(lsv_shadow_verify(shadow, 33, &cut), -ENOENT);
	file_load("wal", &wal, &n_wal);
	file_load("commits", &commits, &n_commits);

	for (uint32_t hole = 1; hole <= 6; hole++) {
		uint64_t at = 32 + (uint64_t)(hole - 1) * 2 * 536;
		auto_free char *broken = malloc(n_wal);

		/* A frame in the middle of a commit. */
		memcpy(broken, wal, n_wal);
		memset(broken + at, 0, 536);
		file_store("wal", broken, n_wal);
		file_store("commits", commits, n_commits);
		shadow = reopen(shadow);
		ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid, 47);
		ck_assert_int_eq(lsv_shadow_verify(shadow, 0, &cut), 0);
		ck_assert(cut);
		ck_assert_uint_eq(end_of(shadow), hole == 1 ? 0 : at);
		commit(shadow, hole, 2);
	}
	/* A record. */
	file_store("wal", wal, n_wal);
	memset(commits + 4 * (size_t)LSV_RECORD_SIZE, 0, LSV_RECORD_SIZE);
	file_store("commits", commits, n_commits);
	shadow = reopen(shadow);
	ck_assert_int_eq(lsv_shadow_verify(shadow, 32 + 4 * 536, &cut), 0);
	ck_assert(cut);
	ck_assert_uint_eq(end_of(shadow), 32 + 6 * 536);
}
END_TEST

START_TEST(a_half_made_index_is_made_again)
{
	auto_scratch char *dir = scratch_enter();
	auto_free char *folder = lsv_path_join(".", "wal");
	auto_shadow struct lsv_shadow *shadow = NULL;

	/* Killed before the base was there: the index is not. */
	ck_assert_int_eq(lsv_mkdirs(folder, 0700), 0);
	file_store("wal", "garbage", 7);
	file_store("commits.tmp", "half a base", 11);
	ck_assert_int_eq(lsv_shadow_open(".", GENERATION, INDEX, &shadow),
	                 -ENOENT);
	shadow = create(512);
	commit(shadow, 1, 1);
	shadow = reopen(shadow);
	ck_assert_uint_eq(end_of(shadow), 568);
	ck_assert_int_eq(lsv_shadow_sync(shadow), 0);
}
END_TEST

UNIT(shadow, a_new_index_stands_at_its_base, every_page_size_comes_back,
     two_writers_of_one_history_write_the_same_bytes,
     a_huge_transaction_does_not_stay_in_memory,
     what_is_rolled_back_leaves_no_trace, commits_are_written_together,
     what_is_dropped_leaves_no_trace, what_cannot_be_written_is_not_the_end,
     half_commits_are_refused, a_torn_record_is_cut_at_every_byte,
     a_record_without_all_its_frames_is_cut,
     a_flipped_bit_in_the_last_record_or_frame_header_is_cut,
     another_generations_or_indexs_files_are_refused,
     a_hole_is_found_by_verifying_and_cut, a_half_made_index_is_made_again)
