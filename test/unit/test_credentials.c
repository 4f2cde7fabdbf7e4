/* SPDX-License-Identifier: MIT */

/* When the chain asks, by a clock of ours (Makefile.am wraps it) and of a
 * source of ours in the container's place. */

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/store/credential_source.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOUR_NS (3600 * LSV_NS_PER_S)

/* In the place of those whose name they wear for the linker. */
int64_t our_clock_ns(void) __asm__("__wrap_lsv_clock_ns");
int64_t our_clock_mono_ns(void) __asm__("__wrap_lsv_clock_mono_ns");
lsv_credential_source from_our_container __asm__(
	"__wrap_lsv_credential_from_container");
lsv_credential_source from_our_instance __asm__(
	"__wrap_lsv_credential_from_instance");

static int64_t now_ns = 1000 * HOUR_NS;
static int64_t lifetime_ns = HOUR_NS;
static int answer; /* of the source */
static int n_asked;

int64_t our_clock_ns(void)
{
	return now_ns;
}

int64_t our_clock_mono_ns(void)
{
	return now_ns;
}

int from_our_container(struct lsv_credential_search *search,
                       struct lsv_credential *out)
{
	char name[16];
	struct lsv_credential found = {
		.key_id = name,
		.secret = name,
		.token = name,
		.expires_ns = lifetime_ns ? now_ns + lifetime_ns : 0,
	};

	snprintf(name, sizeof name, "key-%d", ++n_asked);
	if (answer < 0)
		return lsv_credential_fail(search, answer, "it is broken");
	return lsv_credential_copy(&found, out);
}

int from_our_instance(struct lsv_credential_search *search,
                      struct lsv_credential *out)
{
	(void)search;
	(void)out;
	return -ENOENT;
}

static struct lsv_credentials *begin(void)
{
	struct lsv_credentials *chain = NULL;

	clearenv();
	ck_assert_int_eq(lsv_credentials_open(NULL, &chain), 0);
	return chain;
}

/* The n-th answer of the source is given. */
static void expect(struct lsv_credentials *chain, bool renew, int n)
{
	auto_credential struct lsv_credential found = {0};
	char name[16];

	snprintf(name, sizeof name, "key-%d", n);
	ck_assert_int_eq(lsv_credentials_get(chain, renew, &found), 0);
	ck_assert_str_eq(found.key_id, name);
}

static void expect_failure(struct lsv_credentials *chain, bool renew, int r)
{
	auto_credential struct lsv_credential found = {0};
	char why[LSV_CREDENTIALS_WHY_SIZE];

	ck_assert_int_eq(lsv_credentials_get(chain, renew, &found), r);
	ck_assert_ptr_null(found.key_id);
	lsv_credentials_why(chain, why);
	ck_assert_str_eq(why, "it is broken");
}

START_TEST(it_is_kept_until_shortly_before_it_expires)
{
	auto_credentials struct lsv_credentials *chain = begin();

	expect(chain, false, 1);
	now_ns += HOUR_NS - 301 * LSV_NS_PER_S;
	expect(chain, false, 1);
	now_ns += 2 * LSV_NS_PER_S;
	expect(chain, false, 2);
	expect(chain, false, 2);
	/* Three quarters of a short life. */
	lifetime_ns = 40 * LSV_NS_PER_S;
	now_ns += HOUR_NS;
	expect(chain, false, 3);
	now_ns += 29 * LSV_NS_PER_S;
	expect(chain, false, 3);
	now_ns += 2 * LSV_NS_PER_S;
	expect(chain, false, 4);
}
END_TEST

START_TEST(what_lasts_is_asked_for_once)
{
	auto_credentials struct lsv_credentials *chain = begin();

	lifetime_ns = 0;
	expect(chain, false, 1);
	now_ns += 10000 * HOUR_NS;
	expect(chain, false, 1);
}
END_TEST

START_TEST(a_refusal_renews_once_for_all_who_heard_it)
{
	auto_credentials struct lsv_credentials *chain = begin();

	expect(chain, false, 1);
	now_ns += 2 * LSV_NS_PER_S;
	expect(chain, true, 2);
	expect(chain, true, 2);
	expect(chain, false, 2);
	now_ns += 2 * LSV_NS_PER_S;
	expect(chain, true, 3);
}
END_TEST

START_TEST(what_cannot_be_renewed_is_used_until_it_expires)
{
	auto_credentials struct lsv_credentials *chain = begin();

	lsv_log_set_level(LSV_LOG_OFF);
	expect(chain, false, 1);
	answer = -EAGAIN;
	now_ns += HOUR_NS - 200 * LSV_NS_PER_S;
	expect(chain, false, 1);
	ck_assert_int_eq(n_asked, 2);
	/* The source is left in peace for a while. */
	expect(chain, false, 1);
	ck_assert_int_eq(n_asked, 2);
	now_ns += 11 * LSV_NS_PER_S;
	expect(chain, false, 1);
	ck_assert_int_eq(n_asked, 3);
	now_ns += 200 * LSV_NS_PER_S;
	expect_failure(chain, false, -EAGAIN);
	ck_assert_int_eq(n_asked, 4);
	now_ns += 11 * LSV_NS_PER_S;
	answer = 0;
	expect(chain, false, 5);
}
END_TEST

START_TEST(what_comes_expired_is_used_and_not_asked_for_all_the_time)
{
	auto_credentials struct lsv_credentials *chain = begin();

	lifetime_ns = -HOUR_NS;
	expect(chain, false, 1);
	now_ns += 5 * LSV_NS_PER_S;
	expect(chain, false, 1);
	now_ns += 6 * LSV_NS_PER_S;
	expect(chain, false, 2);
}
END_TEST

START_TEST(a_failed_renewal_of_what_was_refused_is_said)
{
	auto_credentials struct lsv_credentials *chain = begin();

	lsv_log_set_level(LSV_LOG_OFF);
	expect(chain, false, 1);
	answer = -EACCES;
	now_ns += 2 * LSV_NS_PER_S;
	expect_failure(chain, true, -EACCES);
}
END_TEST

START_TEST(without_any_it_is_asked_each_time)
{
	auto_credentials struct lsv_credentials *chain = begin();

	answer = -EACCES;
	expect_failure(chain, false, -EACCES);
	expect_failure(chain, false, -EACCES);
	ck_assert_int_eq(n_asked, 2);
}
END_TEST

UNIT(credentials, it_is_kept_until_shortly_before_it_expires,
     what_lasts_is_asked_for_once, a_refusal_renews_once_for_all_who_heard_it,
     what_cannot_be_renewed_is_used_until_it_expires,
     what_comes_expired_is_used_and_not_asked_for_all_the_time,
     a_failed_renewal_of_what_was_refused_is_said,
     without_any_it_is_asked_each_time)
