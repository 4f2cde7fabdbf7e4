/* SPDX-License-Identifier: MIT */
#include "replica/restore/claims.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <string.h>

/* A segment as text: "3 4 5/9" are frames of pages 3, 4, 5, the last one
 * commits a database of 9 pages. */
static void parse(const char *text, struct lsv_page_refs *refs)
{
	char *end = NULL;

	refs->n = 0;
	for (; *text; text = end) {
		struct lsv_page_ref ref = {0};

		ref.page_no = (uint32_t)strtoul(text, &end, 10);
		if (*end == '/')
			ref.db_pages = (uint32_t)strtoul(end + 1, &end, 10);
		ck_assert_int_eq(lsv_page_refs_append(refs, ref), 0);
	}
}

/* "page@frame" of each claim. */
static const char *take_claims(struct lsv_claims *claims, const char *segment,
                               bool begins_index)
{
	static char text[256];
	struct lsv_page_refs refs = {0};
	struct lsv_claim_list list = {0};
	size_t n = 0;

	parse(segment, &refs);
	ck_assert_int_eq(
		lsv_claims_take(claims, &refs, refs.n, begins_index, &list), 0);
	text[0] = 0;
	for (size_t i = 0; i < list.n; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%u@%u",
		                      i ? " " : "", list.at[i].page_no,
		                      list.at[i].frame);
	free(refs.at);
	free(list.at);
	return text;
}

START_TEST(the_newest_version_of_a_page_is_claimed_once)
{
	struct lsv_claims claims;

	ck_assert_int_eq(lsv_claims_init(&claims, 9), 0);
	ck_assert_str_eq(take_claims(&claims, "1 2 3/9 2 4/9", false),
	                 "4@4 2@3 3@2 1@0");
	ck_assert_str_eq(take_claims(&claims, "1 5 9/9 5/9", true), "5@3 9@2");
	ck_assert(lsv_claims_has(&claims, 5));
	ck_assert(!lsv_claims_has(&claims, 6));
	ck_assert(!lsv_claims_has(&claims, 1000));
	lsv_claims_free(&claims);
}
END_TEST

START_TEST(pages_behind_the_end_are_nobodys)
{
	struct lsv_claims claims;

	ck_assert_int_eq(lsv_claims_init(&claims, 3), 0);
	ck_assert_str_eq(take_claims(&claims, "4 3/3", false), "3@1");
	ck_assert_str_eq(take_claims(&claims, "2 5 4000000000/8", true), "2@0");
	lsv_claims_free(&claims);
}
END_TEST

START_TEST(without_a_table_the_newest_commit_tells_the_size)
{
	struct lsv_claims claims;

	ck_assert_int_eq(lsv_claims_init(&claims, 0), 0);
	ck_assert_str_eq(take_claims(&claims, "7 8", true), "");
	ck_assert_uint_eq(claims.db_pages, 0);
	ck_assert_str_eq(take_claims(&claims, "1/5 2/4 9", true), "2@1 1@0");
	ck_assert_uint_eq(claims.db_pages, 4);
	lsv_claims_free(&claims);
}
END_TEST

START_TEST(what_a_segment_leaves_open_counts_when_the_next_one_commits_it)
{
	struct lsv_claims claims;

	ck_assert_int_eq(lsv_claims_init(&claims, 9), 0);
	/* Newest first: it ends open, and nothing commits that. */
	ck_assert_str_eq(take_claims(&claims, "2/9 3", false), "2@0");
	/* These are committed by 2/9. */
	ck_assert_str_eq(take_claims(&claims, "4 5", false), "5@1 4@0");
	ck_assert_str_eq(take_claims(&claims, "1/9 6", true), "6@1 1@0");
	/* The end of another index: a crash cut it. */
	ck_assert_str_eq(take_claims(&claims, "7/9 8", true), "7@0");
	lsv_claims_free(&claims);
}
END_TEST

UNIT(claims, the_newest_version_of_a_page_is_claimed_once,
     pages_behind_the_end_are_nobodys,
     without_a_table_the_newest_commit_tells_the_size,
     what_a_segment_leaves_open_counts_when_the_next_one_commits_it)
