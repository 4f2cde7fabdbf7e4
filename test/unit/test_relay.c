/* SPDX-License-Identifier: MIT */
#include "replica/restore/relay.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <string.h>

#define N_BYTES (10 * LSV_RELAY_SLOT + 1000)

static uint8_t bytes[N_BYTES];

/* Where they go, until it fails. */
struct sink {
	struct lsv_writer base;
	uint64_t n;
	uint64_t fail_at;
	bool is_closed;
};

static int sink_write(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct sink *sink = (struct sink *)writer;

	ck_assert(!sink->is_closed);
	if (sink->n + n > sink->fail_at)
		return -ENOSPC;
	ck_assert_mem_eq(buf, bytes + sink->n, n);
	sink->n += n;
	return 0;
}

static void *taker(void *arg)
{
	lsv_relay_take(arg);
	return NULL;
}

/* All bytes in writes of n_write, into a sink that fails at 'fail_at', with so
 * many threads that would take them; what was said to the giver. */
static int give(size_t n_write, uint64_t fail_at, unsigned n_takers,
                struct sink *sink)
{
	struct lsv_relay relay;
	pthread_t threads[2];
	int r, ended;

	for (size_t i = 0; i < N_BYTES; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 4096);
	*sink = (struct sink){{sink_write, NULL}, .fail_at = fail_at};
	lsv_relay_init(&relay);
	for (unsigned i = 0; i < n_takers; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, taker, &relay), 0);
	r = lsv_relay_begin(&relay, &sink->base);
	for (size_t at = 0; r == 0 && at < N_BYTES; at += n_write)
		r = relay.base.write(&relay.base, bytes + at,
		                     N_BYTES - at < n_write ? N_BYTES - at
		                                            : n_write);
	ended = lsv_relay_end(&relay);
	sink->is_closed = true;
	for (unsigned i = 0; i < n_takers; i++)
		pthread_join(threads[i], NULL);
	lsv_relay_free(&relay);
	return r < 0 ? r : ended;
}

START_TEST(all_bytes_arrive_in_order)
{
	const size_t sizes[] = {1000, LSV_RELAY_SLOT, 3 * LSV_RELAY_SLOT + 1};
	struct sink sink;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (unsigned n_takers = 0; n_takers <= 2; n_takers++) {
			ck_assert_int_eq(
				give(sizes[i], UINT64_MAX, n_takers, &sink), 0);
			ck_assert_uint_eq(sink.n, N_BYTES);
		}
	}
}
END_TEST

START_TEST(an_error_behind_it_reaches_the_giver)
{
	/* At once, in the middle, in the last write. */
	const uint64_t where[] = {0, 5 * LSV_RELAY_SLOT, N_BYTES - 1};
	struct sink sink;

	for (size_t i = 0; i < sizeof where / sizeof *where; i++)
		for (unsigned n_takers = 0; n_takers <= 2; n_takers++)
			ck_assert_int_eq(
				give(100000, where[i], n_takers, &sink),
				-ENOSPC);
}
END_TEST

START_TEST(a_failure_elsewhere_ends_it_for_all)
{
	struct sink sink = {{sink_write, NULL}, .fail_at = UINT64_MAX};
	struct lsv_relay relay;
	pthread_t thread;

	lsv_relay_init(&relay);
	ck_assert_int_eq(pthread_create(&thread, NULL, taker, &relay), 0);
	lsv_relay_fail(&relay, -ECANCELED);
	pthread_join(thread, NULL);
	ck_assert_int_eq(lsv_relay_begin(&relay, &sink.base), 0);
	ck_assert_int_eq(relay.base.write(&relay.base, bytes, 1), -ECANCELED);
	ck_assert_int_eq(lsv_relay_end(&relay), -ECANCELED);
	ck_assert_uint_eq(sink.n, 0);
	lsv_relay_free(&relay);
}
END_TEST

UNIT(relay, all_bytes_arrive_in_order, an_error_behind_it_reaches_the_giver,
     a_failure_elsewhere_ends_it_for_all)
