/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/spool/state.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

/* Every field another value. */
static void fill(struct lsv_state *state)
{
	uint64_t n = 1;

	memset(state, 0, sizeof *state);
	state->epoch = n++ << 40;
	state->generation = n++ << 50;
	memcpy(state->lineage, "sixteen bytes of", 16);
	state->tuple = (struct lsv_tuple){
		.dev = n++,
		.ino = n++,
		.size = n++,
		.mtime_ns = -(int64_t)n++,
		.ctime_ns = INT64_MAX,
		.boot = "another sixteen",
		.pos = {.generation = n++, .index = 77, .offset = n++ << 33},
	};
	for (int i = 0; i < LSV_REPLICAS_MAX; i++) {
		struct lsv_replica_record *r = &state->replicas[i];

		r->name_hash = n++;
		r->shipped.generation = n++;
		r->shipped.index = 0xffffffff - (uint32_t)i;
		r->shipped.offset = n++;
		r->txid = n++;
		r->time_ns = (int64_t)n++;
		r->snapshot_index = (uint32_t)n++;
		r->snapshot_bytes = n++;
		r->since_snapshot = n++;
		r->snapshot_ns = (int64_t)n++;
		r->n_segments = (uint32_t)n++;
		r->has_snapshot = i % 2;
		r->has_owner = i % 4 == 1;
		r->is_broken = i % 3;
		memset(r->name, 'k' + i, (size_t)i * 4);
		memset(r->url, 'p' + i, (size_t)i * 36);
		memset(r->error, 'a' + i, (size_t)i * 84);
	}
}

static void check_equal(const struct lsv_state *a, const struct lsv_state *b)
{
	ck_assert_uint_eq(a->epoch, b->epoch);
	ck_assert_uint_eq(a->generation, b->generation);
	ck_assert_mem_eq(a->lineage, b->lineage, sizeof a->lineage);
	ck_assert(lsv_tuple_equal(&a->tuple, &b->tuple));
	ck_assert_int_eq(lsv_pos_compare(&a->tuple.pos, &b->tuple.pos), 0);
	ck_assert_uint_eq(a->tuple.pos.generation, b->tuple.pos.generation);
	for (int i = 0; i < LSV_REPLICAS_MAX; i++) {
		const struct lsv_replica_record *x = &a->replicas[i];
		const struct lsv_replica_record *y = &b->replicas[i];

		ck_assert_uint_eq(x->name_hash, y->name_hash);
		ck_assert_int_eq(lsv_pos_compare(&x->shipped, &y->shipped), 0);
		ck_assert_uint_eq(x->shipped.generation, y->shipped.generation);
		ck_assert_uint_eq(x->txid, y->txid);
		ck_assert_int_eq(x->time_ns, y->time_ns);
		ck_assert_uint_eq(x->snapshot_index, y->snapshot_index);
		ck_assert_uint_eq(x->snapshot_bytes, y->snapshot_bytes);
		ck_assert_uint_eq(x->since_snapshot, y->since_snapshot);
		ck_assert_int_eq(x->snapshot_ns, y->snapshot_ns);
		ck_assert_uint_eq(x->n_segments, y->n_segments);
		ck_assert_int_eq(x->has_snapshot, y->has_snapshot);
		ck_assert_int_eq(x->has_owner, y->has_owner);
		ck_assert_int_eq(x->is_broken, y->is_broken);
		ck_assert_str_eq(x->name, y->name);
		ck_assert_str_eq(x->url, y->url);
		ck_assert_str_eq(x->error, y->error);
	}
}

START_TEST(a_state_comes_back)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_state state, loaded;
	struct stat st;

	fill(&state);
	for (int i = 0; i < 2; i++) { /* the second replaces */
		state.epoch++;
		ck_assert_int_eq(lsv_state_store(".", &state, 0640), 0);
		ck_assert_int_eq(lsv_state_load(".", &loaded), 0);
		check_equal(&state, &loaded);
	}
	ck_assert_int_eq(stat("state", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(scratch_count("."), 1);
}
END_TEST

static bool is_zero(const struct lsv_state *state)
{
	const uint8_t *bytes = (const uint8_t *)state;

	for (size_t i = 0; i < sizeof *state; i++)
		if (bytes[i])
			return false;
	return true;
}

START_TEST(no_state_is_all_zeros)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_state state;

	memset(&state, 7, sizeof state);
	ck_assert_int_eq(lsv_state_load(".", &state), -ENOENT);
	ck_assert(is_zero(&state));
	ck_assert_int_eq(lsv_state_store("nowhere", &state, 0600), -ENOENT);
}
END_TEST

START_TEST(any_flipped_bit_and_any_length_is_refused)
{
	auto_scratch char *dir = scratch_enter();
	auto_free char *bytes = NULL;
	struct lsv_state state;
	size_t n;

	fill(&state);
	for (int i = 2; i < LSV_REPLICAS_MAX; i++)
		state.replicas[i] = (struct lsv_replica_record){0};
	ck_assert_int_eq(lsv_state_store(".", &state, 0600), 0);
	ck_assert_int_eq(lsv_file_read("state", SIZE_MAX, &bytes, &n), 0);
	ck_assert_uint_eq(n, 128 + 2 * 1024 + 4); /* no more than there are */
	for (size_t i = 0; i < n; i++) {
		auto_close int fd = open("state", O_WRONLY);
		char flipped = (char)(bytes[i] ^ (1 << i % 8));

		ck_assert_int_eq(pwrite(fd, &flipped, 1, (off_t)i), 1);
		ck_assert_int_eq(lsv_state_load(".", &state), -EBADMSG);
		ck_assert(is_zero(&state));
		ck_assert_int_eq(pwrite(fd, bytes + i, 1, (off_t)i), 1);
	}
	ck_assert_int_eq(lsv_state_load(".", &state), 0);
	for (off_t i = (off_t)n + 9; i >= 0; i--) {
		if (i == (off_t)n)
			continue;
		ck_assert_int_eq(truncate("state", i), 0);
		ck_assert_int_eq(lsv_state_load(".", &state), -EBADMSG);
	}
}
END_TEST

START_TEST(a_text_without_an_end_is_cut)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_state state, loaded;

	fill(&state);
	memset(state.replicas[3].error, 'x', LSV_ERROR_TEXT_SIZE);
	ck_assert_int_eq(lsv_state_store(".", &state, 0600), 0);
	ck_assert_int_eq(lsv_state_load(".", &loaded), 0);
	ck_assert_uint_eq(strlen(loaded.replicas[3].error),
	                  LSV_ERROR_TEXT_SIZE - 1);
}
END_TEST

/* ---- Tuples ---- */

static void write_file(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(lsv_pwrite(fd, text, strlen(text), 0), 0);
}

START_TEST(a_settled_tuple_tells_any_change)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_tuple before = {.pos = {1, 2, 3}}, after = {0};

	ck_assert_int_eq(lsv_tuple_of("db", &before), -ENOENT);
	write_file("db", "content");
	for (int i = 0; i < 200; i++) {
		write_file("db", i % 2 ? "CONTENT" : "content");
		ck_assert_int_eq(lsv_tuple_of("db", &before), 0);
		ck_assert(lsv_tuple_settle(&before));
		ck_assert_int_eq(lsv_tuple_of("db", &after), 0);
		ck_assert(lsv_tuple_equal(&before, &after));
		write_file("db", "Content");
		ck_assert_int_eq(lsv_tuple_of("db", &after), 0);
		ck_assert(!lsv_tuple_equal(&before, &after));
	}
	ck_assert_uint_eq(before.pos.offset, 3); /* left alone */
}
END_TEST

START_TEST(another_boot_or_an_unknown_one_is_not_equal)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_tuple a, b;

	write_file("db", "content");
	ck_assert_int_eq(lsv_tuple_of("db", &a), 0);
	b = a;
	b.pos.generation = 9;
	ck_assert(lsv_tuple_equal(&a, &b));
	b.boot[3] ^= 1;
	ck_assert(!lsv_tuple_equal(&a, &b));
	memset(a.boot, 0, sizeof a.boot);
	b = a;
	ck_assert(!lsv_tuple_equal(&a, &b));
}
END_TEST

START_TEST(what_cannot_settle_says_so_at_once)
{
	int64_t now = lsv_clock_ns();
	struct lsv_tuple coarse = {
		.mtime_ns = now / LSV_NS_PER_S * LSV_NS_PER_S,
		.ctime_ns = now / LSV_NS_PER_S * LSV_NS_PER_S};
	struct lsv_tuple old = {.mtime_ns = coarse.mtime_ns - 5 * LSV_NS_PER_S,
	                        .ctime_ns = coarse.ctime_ns - 5 * LSV_NS_PER_S};
	struct lsv_tuple ahead = {.mtime_ns = now + 3600 * LSV_NS_PER_S,
	                          .ctime_ns = now};
	struct lsv_tuple soon = {.mtime_ns = now + 10 * LSV_NS_PER_MS + 1,
	                         .ctime_ns = now};

	ck_assert(!lsv_tuple_settle(&coarse));
	ck_assert(lsv_tuple_settle(&old));
	ck_assert(!lsv_tuple_settle(&ahead));
	ck_assert(lsv_tuple_settle(&soon));
	ck_assert_int_gt(lsv_clock_ns(), soon.mtime_ns);
}
END_TEST

UNIT(state, a_state_comes_back, no_state_is_all_zeros,
     any_flipped_bit_and_any_length_is_refused, a_text_without_an_end_is_cut,
     a_settled_tuple_tells_any_change,
     another_boot_or_an_unknown_one_is_not_equal,
     what_cannot_settle_says_so_at_once)
