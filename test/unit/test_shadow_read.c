/* SPDX-License-Identifier: MIT */
#include "test/lib/shadow_fixture.h"

START_TEST(records_are_given_by_their_ends)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	static const struct {
		uint64_t from, to;
		bool with_base;
		uint64_t first, n;
	} cases[] = {
		{0, UINT64_MAX, true, 41, 11},
		{0, UINT64_MAX, false, 42, 10},
		{0, 0, true, 41, 1},
		{0, 0, false, 0, 0},
		{568, 568, true, 0, 0},
		{568, 1104, true, 43, 1},
		{567, 1103, true, 42, 1},
		{0, 568, false, 42, 1},
		{5392, UINT64_MAX, true, 0, 0},
		{4856, 5392, true, 51, 1},
	};

	for (uint32_t i = 1; i <= 10; i++)
		commit(shadow, i, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lsv_records list = {0};

		ck_assert_int_eq(lsv_shadow_records(".", INDEX, cases[i].from,
		                                    cases[i].to,
		                                    cases[i].with_base, &list),
		                 0);
		ck_assert_uint_eq(list.n, cases[i].n);
		for (size_t j = 0; j < list.n; j++)
			ck_assert_uint_eq(list.at[j].commit.txid,
			                  cases[i].first + j);
		free(list.at);
	}
}
END_TEST

START_TEST(a_record_being_written_is_not_seen)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	auto_free char *bytes = NULL;
	struct lsv_record last;
	size_t n;

	commit(shadow, 1, 1);
	commit(shadow, 2, 1);
	file_load("commits", &bytes, &n);
	bytes[n - 1] ^= 1;
	for (size_t cut = n - LSV_RECORD_SIZE; cut <= n; cut++) {
		struct lsv_records list = {0};

		file_store("commits", bytes, cut);
		ck_assert_int_eq(lsv_shadow_records(".", INDEX, 0, UINT64_MAX,
		                                    true, &list),
		                 0);
		ck_assert_uint_eq(list.n, 2);
		free(list.at);
		ck_assert_int_eq(lsv_shadow_last(".", INDEX, &last), 0);
		ck_assert_uint_eq(last.commit.txid, 42);
	}
}
END_TEST

START_TEST(bytes_are_read_as_they_stand)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	auto_reader struct lsv_reader *reader = NULL;
	auto_free char *bytes = NULL;
	char got[2000];
	size_t n;

	commit(shadow, 1, 3);
	file_load("wal", &bytes, &n);
	ck_assert_int_eq(lsv_shadow_read(".", INDEX, 9, 1500, &reader), 0);
	ck_assert_int_eq(reader->size, 1491);
	ck_assert_int_eq(lsv_read_full(reader, got, sizeof got), 1491);
	ck_assert_mem_eq(got, bytes + 9, 1491);
	ck_assert_int_eq(reader->rewind(reader), 0);
	ck_assert_int_eq(lsv_read_full(reader, got, 10), 10);
	ck_assert_mem_eq(got, bytes + 9, 10);
	lsv_reader_close(take(reader));
	/* Somebody cut what was asked for. */
	ck_assert_int_eq(lsv_shadow_read(".", INDEX, 0, n + 1, &reader), 0);
	ck_assert_int_eq(lsv_read_full(reader, got, sizeof got), -EBADMSG);
}
END_TEST

static int stop_at_third(void *arg, const struct lsv_frame *frame,
                         const void *page)
{
	int *n = arg;

	(void)page;
	ck_assert_uint_ne(frame->page_no, 0);
	return ++*n == 3 ? -ECANCELED : 0;
}

START_TEST(a_replay_begins_at_commits_and_ends_at_frames)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	struct seen seen = {0, 512, 3, 2};
	int n = 0;

	for (uint32_t i = 1; i <= 4; i++)
		commit(shadow, i, 2);
	ck_assert_int_eq(
		replay(32 + 4 * 536, end_of(shadow), expect_frame, &seen), 0);
	ck_assert_uint_eq(seen.n, 4);
	ck_assert_int_eq(replay(32 + 536, end_of(shadow), expect_frame, &seen),
	                 -ENOENT);
	ck_assert_int_eq(replay(end_of(shadow) + 1, end_of(shadow) + 2,
	                        expect_frame, &seen),
	                 -ENOENT);
	ck_assert_int_eq(replay(end_of(shadow), 0, expect_frame, &seen),
	                 -EBADMSG);
	ck_assert_int_eq(replay(0, 32 + 535, expect_frame, &seen), -EBADMSG);
	ck_assert_int_eq(replay(0, 0, expect_frame, &seen), 0);
	ck_assert_int_eq(replay(0, end_of(shadow), stop_at_third, &n),
	                 -ECANCELED);
	ck_assert_uint_eq(seen.n, 4);
}
END_TEST

START_TEST(a_replay_refuses_what_does_not_verify)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(512);
	auto_free char *bytes = NULL;
	size_t n;

	for (uint32_t i = 1; i <= 3; i++)
		commit(shadow, i, 1);
	file_load("wal", &bytes, &n);
	for (size_t i = 32 + 536; i < 32 + 2 * 536; i += 7) {
		struct seen seen = {0, 512, 1, 1};

		bytes[i] ^= 4;
		file_store("wal", bytes, n);
		ck_assert_int_eq(replay(0, n, expect_frame, &seen), -EBADMSG);
		ck_assert_uint_eq(seen.n, 1);
		bytes[i] ^= 4;
	}
	file_store("wal", bytes, n - 1);
	ck_assert_int_eq(replay(0, n, stop_at_third, &(int){0}), -EBADMSG);
}
END_TEST

UNIT(shadow_read, records_are_given_by_their_ends,
     a_record_being_written_is_not_seen, bytes_are_read_as_they_stand,
     a_replay_begins_at_commits_and_ends_at_frames,
     a_replay_refuses_what_does_not_verify)
