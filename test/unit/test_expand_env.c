/* SPDX-License-Identifier: MIT */
#include "replica/ship/expand_env.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <string.h>

/* NAME is "value", EMPTY is set to nothing, $$ and $1 are what they are. */
static const char *env(void *arg, const char *name, size_t n)
{
	int *n_asked = arg;

	(*n_asked)++;
	if (n == 4 && memcmp(name, "NAME", 4) == 0)
		return "value";
	return n == 5 && memcmp(name, "EMPTY", 5) == 0 ? "" : NULL;
}

START_TEST(names_are_what_go_takes_for_names)
{
	static const struct {
		const char *text, *expanded;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"$NAME", "value"},
		{"a ${NAME} b", "a value b"},
		{"$NAME$NAME", "valuevalue"},
		{"$NAME/x", "value/x"},
		{"${NAME}x", "valuex"},
		{"$NAMEx", ""},
		{"$EMPTY.", "."},
		{"$UNSET.", "."},
		{"${}x", "x"},
		{"${NAME", "NAME"},
		{"$", "$"},
		{"a$ b", "a$ b"},
		{"$/", "$/"},
		{"$$", ""},
		{"$1x", "x"},
		{"${-}x", "x"},
		{"$\xc3\xa4", "$\xc3\xa4"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_buf struct lsv_buf out = {0};
		int n_asked = 0;

		ck_assert_int_eq(lsv_expand_env(cases[i].text,
		                                strlen(cases[i].text), 100, env,
		                                &n_asked, &out),
		                 0);
		ck_assert_int_eq(lsv_buf_append(&out, "", 1), 0);
		ck_assert_str_eq((const char *)out.data, cases[i].expanded);
	}
}
END_TEST

START_TEST(more_than_the_limit_is_refused)
{
	auto_buf struct lsv_buf out = {0};
	int n_asked = 0;

	ck_assert_int_eq(
		lsv_expand_env("$NAME$NAME", 10, 10, env, &n_asked, &out), 0);
	lsv_buf_free(&out);
	ck_assert_int_eq(
		lsv_expand_env("$NAME$NAME", 10, 9, env, &n_asked, &out),
		-EFBIG);
}
END_TEST

UNIT(expand_env, names_are_what_go_takes_for_names,
     more_than_the_limit_is_refused)
