/* SPDX-License-Identifier: MIT */
#include "replica/restore/ranges.h"
#include "test/lib/client_memory.h"
#include "test/lib/unit.h"

#include <errno.h>

/* Three pieces and a bit. */
#define SIZE (3 * LSV_RANGES_PIECE + 1000)
#define N_TRIES 4
#define MAX_THREADS 5

static struct memory_store objects;
static struct lsv_client *replica;

/* Takes bytes, as long as they are those of the object. */
struct reader_behind {
	struct lsv_writer base;
	uint64_t n;
	uint64_t fails_at;
};

static int check(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct reader_behind *behind = (struct reader_behind *)writer;
	const struct lsv_buf *bytes = &objects.objects.at[0].bytes;

	ck_assert_uint_le(behind->n + n, bytes->n);
	ck_assert_int_eq(memcmp(bytes->data + behind->n, buf, n), 0);
	behind->n += n;
	return behind->n >= behind->fails_at ? -ECANCELED : 0;
}

/* An object of that size. */
static void setup(size_t n)
{
	static const struct lsv_retry policy = {
		.n_tries = N_TRIES,
		.first_ns = 1000,
		.max_ns = 5000,
	};
	auto_free uint8_t *bytes = malloc(n);
	auto_reader struct lsv_reader *body = NULL;
	struct lsv_client *inner = NULL;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 4099);
	memory_init(&objects);
	memory_client(&objects, &inner);
	ck_assert_int_eq(lsv_client_retry(inner, &policy, &replica), 0);
	body = lsv_reader_memory(bytes, n);
	ck_assert_int_eq(replica->ops->put(replica, "x", body, 1, LSV_PUT_NEW),
	                 0);
}

static void teardown(void)
{
	lsv_client_close(replica);
	memory_free(&objects);
}

/* Gets 'size' bytes; how many came before fails_at or the end. */
static int get(uint64_t size, unsigned n_threads, uint64_t fails_at,
               uint64_t *n)
{
	struct reader_behind behind = {
		.base = {.write = check},
		.fails_at = fails_at,
	};
	int r = lsv_ranges_get(replica, "x", size, n_threads, &behind.base);

	*n = behind.n;
	return r;
}

START_TEST(pieces_come_in_their_order_by_any_number_of_threads)
{
	uint64_t n;

	setup(SIZE);
	for (unsigned k = 1; k <= MAX_THREADS; k++) {
		int calls = objects.n_calls;

		ck_assert_int_eq(get(SIZE, k, UINT64_MAX, &n), 0);
		ck_assert_uint_eq(n, SIZE);
		ck_assert_int_eq(objects.n_calls - calls, 4);
	}
	teardown();
}
END_TEST

START_TEST(a_piece_that_is_cut_goes_on_where_it_was)
{
	uint64_t n;

	setup(SIZE);
	for (unsigned k = 1; k <= MAX_THREADS; k++) {
		objects.fail_at = objects.n_calls;
		objects.n_failing = N_TRIES - 1;
		objects.error = -EAGAIN;
		ck_assert_int_eq(get(SIZE, k, UINT64_MAX, &n), 0);
		ck_assert_uint_eq(n, SIZE);
	}
	teardown();
}
END_TEST

START_TEST(a_piece_that_is_refused_ends_it)
{
	uint64_t n;

	setup(SIZE);
	for (int i = 0; i < 4; i++) {
		for (unsigned k = 1; k <= MAX_THREADS; k++) {
			objects.fail_at = objects.n_calls + i;
			objects.n_failing = 1;
			objects.error = -EACCES;
			ck_assert_int_eq(get(SIZE, k, UINT64_MAX, &n), -EACCES);
			ck_assert_uint_lt(n, SIZE);
		}
	}
	teardown();
}
END_TEST

START_TEST(who_reads_it_can_end_it)
{
	uint64_t n;

	setup(SIZE);
	for (unsigned k = 1; k <= MAX_THREADS; k++) {
		ck_assert_int_eq(get(SIZE, k, LSV_RANGES_PIECE + 1, &n),
		                 -ECANCELED);
		ck_assert_uint_eq(n, 2 * LSV_RANGES_PIECE);
	}
	teardown();
}
END_TEST

START_TEST(an_object_that_is_shorter_ends_early)
{
	static const uint64_t sizes[] = {1, LSV_RANGES_PIECE,
	                                 LSV_RANGES_PIECE + 77};
	uint64_t n;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		setup((size_t)sizes[i]);
		for (unsigned k = 1; k <= MAX_THREADS; k++) {
			ck_assert_int_eq(get(SIZE, k, UINT64_MAX, &n), 0);
			ck_assert_uint_eq(n, sizes[i]);
		}
		teardown();
	}
}
END_TEST

UNIT(ranges, pieces_come_in_their_order_by_any_number_of_threads,
     a_piece_that_is_cut_goes_on_where_it_was, a_piece_that_is_refused_ends_it,
     who_reads_it_can_end_it, an_object_that_is_shorter_ends_early)
