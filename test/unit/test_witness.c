/* SPDX-License-Identifier: MIT */
#include "replica/spool/witness.h"
#include "test/lib/unit.h"

static const uint32_t none[2];
static const uint32_t a[2] = {1, 10}, b[2] = {2, 20}, c[2] = {3, 30};

static struct lsv_coord_page page;

static bool follows(const uint32_t salt[2], uint32_t frame,
                    const uint32_t now[2], uint32_t mx_frame)
{
	const struct lsv_shm live = {.salt = {now[0], now[1]},
	                             .mx_frame = mx_frame};
	bool is_new;

	return lsv_witness_follows(&page, salt, frame, &live, &is_new);
}

START_TEST(only_the_end_of_what_was_reset_is_followed)
{
	lsv_witness_reset(&page, a, 7, b);
	ck_assert(follows(a, 7, b, 0));
	ck_assert(follows(a, 7, b, 3));
	ck_assert(!follows(a, 6, b, 3));
	ck_assert(!follows(a, 7, c, 3));
	ck_assert(!follows(c, 7, b, 3));
}
END_TEST

START_TEST(the_same_incarnation_goes_on_and_never_back)
{
	ck_assert(follows(a, 7, a, 7));
	ck_assert(follows(a, 7, a, 8));
	ck_assert(!follows(a, 7, a, 6));
}
END_TEST

START_TEST(a_chain_of_empty_incarnations_is_one_reset)
{
	lsv_witness_reset(&page, a, 7, b);
	lsv_witness_reset(&page, b, 0, c);
	ck_assert(follows(a, 7, c, 5));
	ck_assert(follows(b, 0, c, 5));
	ck_assert(!follows(b, 1, c, 5));
	/* What was rolled back leaves the shm where it was. */
	ck_assert(follows(a, 7, b, 0));
	ck_assert(!follows(a, 7, b, 1));
	ck_assert(!follows(a, 6, b, 0));
}
END_TEST

/* Each transaction that spills and is rolled back leaves a header behind that
 * the next one writes anew; the shm says b all the time. */
START_TEST(headers_of_what_was_rolled_back_count_for_nothing)
{
	uint32_t header[2] = {100, 0};

	lsv_witness_reset(&page, a, 7, b);
	for (int i = 0; i < 3 * LSV_RESET_MIDS; i++) {
		header[1]++;
		lsv_witness_reset(&page, b, 0, header);
	}
	ck_assert(follows(a, 7, header, 5));
	ck_assert(follows(b, 0, header, 5));
	header[1]--;
	ck_assert(!follows(a, 7, header, 5));
	/* Another connection writes the salts of the shm itself. */
	lsv_witness_reset(&page, b, 0, b);
	ck_assert(follows(a, 7, b, 5));
	ck_assert(follows(b, 0, b, 5));
	lsv_witness_reset(&page, b, 5, c);
	ck_assert(follows(b, 5, c, 1));
	ck_assert(!follows(a, 7, c, 1));
}
END_TEST

/* An empty WAL that SQLite recovered has salts of zero, as every other. */
START_TEST(no_salts_identify_nothing)
{
	lsv_witness_reset(&page, a, 7, b);
	lsv_witness_reset(&page, none, 0, c);
	ck_assert(!follows(a, 7, c, 5));
	ck_assert(!follows(b, 0, c, 5));
	lsv_witness_reset(&page, a, 7, none);
	lsv_witness_reset(&page, none, 0, c);
	ck_assert(follows(a, 7, c, 5));
	ck_assert(!follows(a, 7, none, 0));
}
END_TEST

UNIT(witness, only_the_end_of_what_was_reset_is_followed,
     the_same_incarnation_goes_on_and_never_back,
     a_chain_of_empty_incarnations_is_one_reset,
     headers_of_what_was_rolled_back_count_for_nothing,
     no_salts_identify_nothing)
