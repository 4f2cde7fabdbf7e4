/* SPDX-License-Identifier: MIT */
#include "replica/base/bytes.h"
#include "replica/spool/shadow.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define GENERATION UINT64_C(0x0123456789abcdef)
#define INDEX 7
#define MODE 0600

static const struct lsv_record base = {
	.commit = {.end = 4711,
                   .txid = 41,
                   .time_ns = 5,
                   .page_hash = 6,
                   .checksum = {1, 2},
                   .db_pages = 3},
	.real = {.frame = 9, .header = "twenty-four bytes of it"},
};

/* ---- Helpers ---- */

static void fill_page(uint8_t *page, uint32_t page_size, uint32_t seed)
{
	for (uint32_t i = 0; i < page_size; i++)
		page[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

static void append(struct lsv_shadow *shadow, uint32_t page_no,
                   uint32_t db_pages, uint32_t seed)
{
	static uint8_t page[LSV_PAGE_SIZE_MAX];

	fill_page(page, lsv_shadow_page_size(shadow), seed);
	ck_assert_int_eq(lsv_shadow_append(shadow, page_no, db_pages, page), 0);
}

/* A commit of n frames; its number says what is in them. */
static void commit(struct lsv_shadow *shadow, uint32_t number, uint32_t n)
{
	struct lsv_real real = {.frame = number + 100};

	put_be32(real.header, number);
	for (uint32_t i = 0; i < n; i++)
		append(shadow, i + 1, i + 1 == n ? n + 10 : 0,
		       number * 1000 + i);
	ck_assert_int_eq(
		lsv_shadow_commit(shadow, number * 10, number * 100, &real), 0);
}

static struct lsv_shadow *create(uint32_t page_size)
{
	struct lsv_shadow *shadow = NULL;

	ck_assert_int_eq(lsv_shadow_create(".", GENERATION, INDEX, page_size,
	                                   &base, MODE, &shadow),
	                 0);
	return shadow;
}

static struct lsv_shadow *reopen(struct lsv_shadow *shadow)
{
	lsv_shadow_close(shadow);
	ck_assert_int_eq(lsv_shadow_open(".", GENERATION, INDEX, &shadow), 0);
	return shadow;
}

static uint64_t end_of(const struct lsv_shadow *shadow)
{
	return lsv_shadow_end(shadow)->commit.end;
}

static char *file_path(const char *suffix)
{
	return lsv_sprintf("%s/wal/%08x.%s", ".", INDEX, suffix);
}

static void file_load(const char *suffix, char **bytes, size_t *n)
{
	auto_free char *path = file_path(suffix);

	ck_assert_int_eq(lsv_file_read(path, SIZE_MAX, bytes, n), 0);
}

static void file_store(const char *suffix, const char *bytes, size_t n)
{
	auto_free char *path = file_path(suffix);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, MODE);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lsv_write(fd, bytes, n), 0);
}

struct seen {
	uint32_t n;
	uint32_t page_size;
	uint32_t first_number; /* of the first commit replayed */
	uint32_t n_each;
};

/* Expects commits of 'n_each' frames as commit() makes them. */
static int expect_frame(void *arg, const struct lsv_frame *frame,
                        const void *page)
{
	static uint8_t wanted[LSV_PAGE_SIZE_MAX];
	struct seen *seen = arg;
	uint32_t i = seen->n % seen->n_each;
	uint32_t number = seen->first_number + seen->n / seen->n_each;

	fill_page(wanted, seen->page_size, number * 1000 + i);
	ck_assert_mem_eq(page, wanted, seen->page_size);
	ck_assert_uint_eq(frame->page_no, i + 1);
	ck_assert_uint_eq(frame->db_pages,
	                  i + 1 == seen->n_each ? seen->n_each + 10 : 0);
	seen->n++;
	return 0;
}

static int replay(uint64_t from, uint64_t to, lsv_replay_fn *each, void *arg)
{
	return lsv_shadow_replay(".", GENERATION, INDEX, from, to, each, arg);
}

/* ---- Tests ---- */

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

START_TEST(a_cut_goes_back_to_any_commit_and_on_from_there)
{
	auto_scratch char *dir = scratch_enter();
	auto_shadow struct lsv_shadow *shadow = create(1024);

	for (uint32_t keep = 0; keep <= 6; keep++) {
		uint64_t at = keep ? 32 + (uint64_t)keep * 2 * 1048 : 0;
		struct seen seen = {0, 1024, 1, 2};

		for (uint32_t i = (uint32_t)lsv_shadow_end(shadow)->commit.txid;
		     i < 41 + 6; i++)
			commit(shadow, i - 40, 2);
		append(shadow, 1, 0, 99); /* pending: goes, too */
		ck_assert_int_eq(lsv_shadow_cut(shadow, at + 1), -ENOENT);
		ck_assert_int_eq(lsv_shadow_cut(shadow, at), 0);
		ck_assert_uint_eq(end_of(shadow), at);
		ck_assert_uint_eq(lsv_shadow_end(shadow)->commit.txid,
		                  41 + keep);
		if (keep % 2)
			shadow = reopen(shadow);
		ck_assert_uint_eq(end_of(shadow), at);
		commit(shadow, keep + 1, 2);
		ck_assert_int_eq(replay(0, end_of(shadow), expect_frame, &seen),
		                 0);
		ck_assert_uint_eq(seen.n, (keep + 1) * 2);
	}
}
END_TEST

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
     what_is_rolled_back_leaves_no_trace, half_commits_are_refused,
     a_torn_record_is_cut_at_every_byte, a_record_without_all_its_frames_is_cut,
     a_flipped_bit_in_the_last_record_or_frame_header_is_cut,
     another_generations_or_indexs_files_are_refused,
     a_cut_goes_back_to_any_commit_and_on_from_there,
     records_are_given_by_their_ends, a_record_being_written_is_not_seen,
     bytes_are_read_as_they_stand,
     a_replay_begins_at_commits_and_ends_at_frames,
     a_replay_refuses_what_does_not_verify,
     a_hole_is_found_by_verifying_and_cut, a_half_made_index_is_made_again)
