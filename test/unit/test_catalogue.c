/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/spool/catalogue.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static void note(enum lsv_catalogue_event event, const char *name, int64_t ns)
{
	ck_assert_int_eq(lsv_catalogue_note("c", event, name, ns), 0);
}

/* "name@time" of each, '?' before what is doubtful. */
static void check_holds(const char *expected)
{
	struct lsv_stored_list there;
	char text[512] = "";
	size_t n = 0;

	ck_assert_int_eq(lsv_catalogue_read("c", &there), 0);
	for (size_t i = 0; i < there.n; i++)
		n += (size_t)snprintf(
			text + n, sizeof text - n, "%s%s%s@%d", i ? " " : "",
			there.at[i].is_doubtful ? "?" : "", there.at[i].name,
			(int)there.at[i].time_ns);
	ck_assert_str_eq(text, expected);
	lsv_stored_free(&there);
}

static void make_empty(void)
{
	const struct lsv_stored_list none = {0};

	ck_assert_int_eq(lsv_catalogue_write("c", &none, 0640), 0);
}

START_TEST(a_line_without_a_catalogue_makes_none)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_stored_list there;

	note(LSV_CATALOGUE_PUT, "a", 1);
	ck_assert_int_eq(lsv_catalogue_read("c", &there), -ENOENT);
	ck_assert_int_eq(scratch_count("."), 0);
}
END_TEST

START_TEST(the_last_event_of_a_name_counts)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_stored_list there;
	struct stat st;

	make_empty();
	check_holds("");
	note(LSV_CATALOGUE_PUTTING, "b", 1);
	note(LSV_CATALOGUE_PUT, "a", 2);
	check_holds("a@2 ?b@1");
	note(LSV_CATALOGUE_PUT, "b", 3);
	note(LSV_CATALOGUE_PUTTING, "c d", -4);
	check_holds("a@2 b@3 ?c d@-4");
	note(LSV_CATALOGUE_REMOVED, "a", 0);
	note(LSV_CATALOGUE_REMOVED, "b", 0);
	note(LSV_CATALOGUE_PUT, "b", 5);
	check_holds("b@5 ?c d@-4");
	/* Written anew it says the same. */
	ck_assert_int_eq(lsv_catalogue_read("c", &there), 0);
	ck_assert_int_eq(lsv_catalogue_write("c", &there, 0640), 0);
	lsv_stored_free(&there);
	check_holds("b@5 ?c d@-4");
	ck_assert_int_eq(stat("c", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
}
END_TEST

START_TEST(a_torn_or_altered_line_is_none)
{
	auto_scratch char *dir = scratch_enter();
	auto_free char *text = NULL;
	size_t n, end;

	make_empty();
	note(LSV_CATALOGUE_PUT, "first", 1);
	note(LSV_CATALOGUE_PUT, "second", 2);
	ck_assert_int_eq(lsv_file_read("c", 4096, &text, &n), 0);
	/* Cut anywhere in the second line, and gone on with. */
	for (size_t cut = n / 2; cut + 1 < n; cut++) {
		ck_assert_int_eq(lsv_file_replace("c", text, cut, 0600), 0);
		check_holds("first@1");
		note(LSV_CATALOGUE_PUT, "third", 3);
		note(LSV_CATALOGUE_PUT, "fourth", 4);
		if (cut == (size_t)(strchr(text, '\n') + 1 - text))
			check_holds("first@1 fourth@4 third@3");
		else
			check_holds("first@1 fourth@4");
	}
	end = (size_t)(strchr(text, '\n') - text);
	for (size_t i = 0; i + 1 < n; i++) {
		text[i] ^= 1;
		ck_assert_int_eq(lsv_file_replace("c", text, n, 0600), 0);
		check_holds(i < end ? "second@2" : i == end ? "" : "first@1");
		text[i] ^= 1;
	}
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused)
{
	auto_scratch char *dir = scratch_enter();
	char name[600];

	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = 0;
	make_empty();
	ck_assert_int_eq(lsv_catalogue_note("c", LSV_CATALOGUE_PUT, name, 1),
	                 -ENAMETOOLONG);
	check_holds("");
}
END_TEST

UNIT(catalogue, a_line_without_a_catalogue_makes_none,
     the_last_event_of_a_name_counts, a_torn_or_altered_line_is_none,
     a_name_that_is_too_long_is_refused)
