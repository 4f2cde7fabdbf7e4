/* SPDX-License-Identifier: MIT */
#include "replica/store/profile.h"

#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct lsv_profiles *parse(const char *text, enum lsv_profile_file file)
{
	struct lsv_profiles *profiles = NULL;
	unsigned bad_line = 0;

	ck_assert_int_eq(lsv_profiles_new(&profiles), 0);
	ck_assert_int_eq(lsv_profiles_parse(profiles, text, file, &bad_line),
	                 0);
	return profiles;
}

START_TEST(a_value_is_found_by_profile_and_key)
{
	static const struct {
		enum lsv_profile_file file;
		const char *text, *value;
	} cases[] = {
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey = v\n", "v"},
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey=v", "v"},
		{LSV_PROFILE_CREDENTIALS, "[ a ]\r\nKEY\t=\tv\r\n", "v"},
		{LSV_PROFILE_CREDENTIALS, "\xef\xbb\xbf[a]\nkey=v\n", "v"},
		{LSV_PROFILE_CREDENTIALS, "[b]\nkey=w\n[a]\nkey=v\n", "v"},
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey=w\nkey=v\n", "v"},
		{LSV_PROFILE_CREDENTIALS, "[a] # c\n# c\n;c\n\nkey=v # c\n",
	         "v"},
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey=v ;c\n", "v"},
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey=v#no;comment\n",
	         "v#no;comment"},
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey=a+b/c==\n", "a+b/c=="},
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey=#c\n", "#c"},
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey= #c\n", NULL},
		{LSV_PROFILE_CREDENTIALS, "[a]\ns3 =\n  key=v\n", NULL},
		{LSV_PROFILE_CREDENTIALS, "[a]\nkey=\n", NULL},
		{LSV_PROFILE_CREDENTIALS, "key=v\n", NULL},
		{LSV_PROFILE_CREDENTIALS, "[profile a]\nkey=v\n", NULL},
		{LSV_PROFILE_CONFIG, "[profile a]\nkey=v\n", "v"},
		{LSV_PROFILE_CONFIG, "[profile \"a\"]\nkey=v\n", "v"},
		{LSV_PROFILE_CONFIG, "[profile\ta]\nkey=v\n", "v"},
		{LSV_PROFILE_CONFIG, "[a]\nkey=v\n", NULL},
		{LSV_PROFILE_CONFIG, "[sso-session a]\nkey=v\n", NULL},
		{LSV_PROFILE_CONFIG, "[profile b]\n[services a]\nkey=v\n",
	         NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_profiles struct lsv_profiles *profiles = parse(
			cases[i].text, cases[i].file);

		ck_assert_pstr_eq(lsv_profiles_get(profiles, "a", "key"),
		                  cases[i].value);
	}
}
END_TEST

START_TEST(default_needs_no_word_before_it)
{
	auto_profiles struct lsv_profiles *profiles = parse(
		"[default]\nregion = here\n", LSV_PROFILE_CONFIG);

	ck_assert_str_eq(lsv_profiles_get(profiles, "default", "region"),
	                 "here");
	ck_assert(lsv_profiles_has(profiles, "default"));
	ck_assert(!lsv_profiles_has(profiles, "other"));
}
END_TEST

START_TEST(the_credentials_file_wins)
{
	auto_profiles struct lsv_profiles *profiles = parse(
		"[a]\nkey=1\nkey=2\n", LSV_PROFILE_CREDENTIALS);
	unsigned bad_line;

	ck_assert_int_eq(lsv_profiles_parse(profiles,
	                                    "[profile a]\nkey=3\nmore=4\n",
	                                    LSV_PROFILE_CONFIG, &bad_line),
	                 0);
	ck_assert_str_eq(lsv_profiles_get(profiles, "a", "key"), "2");
	ck_assert_str_eq(lsv_profiles_get(profiles, "a", "more"), "4");
}
END_TEST

START_TEST(a_session_token_may_be_long)
{
	static char text[5000] = "[a]\naws_session_token=";
	size_t n = strlen(text);

	memset(text + n, 'x', sizeof text - 1 - n);
	auto_profiles struct lsv_profiles *profiles = parse(
		text, LSV_PROFILE_CREDENTIALS);

	ck_assert_uint_eq(
		strlen(lsv_profiles_get(profiles, "a", "aws_session_token")),
		sizeof text - 1 - n);
}
END_TEST

START_TEST(what_is_no_line_of_it_is_named_by_its_number)
{
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{"[a\n", 1},          {"[a]\nkey\n", 2}, {"[a]\n\n=v\n", 3},
		{"[]\nkey=v\n", 1},   {"key\n", 1},      {"[ ]\n", 1},
		{"[\"\"]\nk=v\n", 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_profiles struct lsv_profiles *profiles = NULL;
		unsigned line = 0;

		ck_assert_int_eq(lsv_profiles_new(&profiles), 0);
		ck_assert_int_eq(lsv_profiles_parse(profiles, cases[i].text,
		                                    LSV_PROFILE_CREDENTIALS,
		                                    &line),
		                 -EBADMSG);
		ck_assert_uint_eq(line, cases[i].line);
	}
}
END_TEST

static void write_text(const char *path, const char *text)
{
	ck_assert_int_eq(lsv_file_replace(path, text, strlen(text), 0600), 0);
}

START_TEST(the_files_are_where_the_environment_says)
{
	auto_scratch char *dir = scratch_enter();
	char why[LSV_PROFILE_WHY_SIZE] = "";

	ck_assert_int_eq(lsv_mkdirs(".aws", 0700), 0);
	write_text(".aws/credentials", "[a]\nkey=home\n");
	write_text(".aws/config", "[profile a]\nregion=home\n");
	write_text("elsewhere", "[a]\nkey=elsewhere\n");
	setenv("HOME", dir, 1);
	unsetenv("AWS_SHARED_CREDENTIALS_FILE");
	unsetenv("AWS_CONFIG_FILE");
	{
		auto_profiles struct lsv_profiles *profiles = NULL;

		ck_assert_int_eq(lsv_profiles_open(why, &profiles), 0);
		ck_assert_str_eq(lsv_profiles_get(profiles, "a", "key"),
		                 "home");
		ck_assert_str_eq(lsv_profiles_get(profiles, "a", "region"),
		                 "home");
	}
	setenv("AWS_SHARED_CREDENTIALS_FILE", "~/elsewhere", 1);
	setenv("AWS_CONFIG_FILE", "/nowhere/at/all", 1);
	{
		auto_profiles struct lsv_profiles *profiles = NULL;

		ck_assert_int_eq(lsv_profiles_open(why, &profiles), 0);
		ck_assert_str_eq(lsv_profiles_get(profiles, "a", "key"),
		                 "elsewhere");
		ck_assert_ptr_null(lsv_profiles_get(profiles, "a", "region"));
	}
}
END_TEST

START_TEST(a_line_that_is_wrong_is_not_repeated)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_profiles *profiles = NULL;
	char why[LSV_PROFILE_WHY_SIZE] = "";

	write_text("file", "[a]\naws_secret_access_key: SECRET\n");
	setenv("AWS_SHARED_CREDENTIALS_FILE", "file", 1);
	ck_assert_int_eq(lsv_profiles_open(why, &profiles), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(why, "'file' line 2"));
	ck_assert_ptr_null(strstr(why, "SECRET"));
}
END_TEST

START_TEST(the_profile_is_chosen_by_the_environment)
{
	bool is_chosen;

	unsetenv("AWS_PROFILE");
	unsetenv("AWS_DEFAULT_PROFILE");
	ck_assert_str_eq(lsv_profile_name(&is_chosen), "default");
	ck_assert(!is_chosen);
	setenv("AWS_PROFILE", "", 1);
	ck_assert_str_eq(lsv_profile_name(&is_chosen), "default");
	ck_assert(!is_chosen);
	setenv("AWS_DEFAULT_PROFILE", "b", 1);
	ck_assert_str_eq(lsv_profile_name(&is_chosen), "b");
	setenv("AWS_PROFILE", "a", 1);
	ck_assert_str_eq(lsv_profile_name(&is_chosen), "a");
	ck_assert(is_chosen);
}
END_TEST

UNIT(profile, a_value_is_found_by_profile_and_key,
     default_needs_no_word_before_it, the_credentials_file_wins,
     a_session_token_may_be_long, what_is_no_line_of_it_is_named_by_its_number,
     the_files_are_where_the_environment_says,
     a_line_that_is_wrong_is_not_repeated,
     the_profile_is_chosen_by_the_environment)
