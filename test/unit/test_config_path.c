/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/ship/config_path.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <pwd.h>
#include <sys/stat.h>

START_TEST(a_path_is_folded_by_its_text)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{"/", "/"},           {"/a", "/a"},
		{"//a///b/", "/a/b"}, {"/a/./b/../c", "/a/c"},
		{"/../..", "/"},      {"/a/..", "/"},
		{"/a/...", "/a/..."}, {"/~/x", "/~/x"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_free char *path = lsv_path_expand(cases[i].text);

		ck_assert_ptr_nonnull(path);
		ck_assert_str_eq(path, cases[i].path);
	}
}
END_TEST

static void is_here(const char *dir, const char *text, const char *name)
{
	auto_free char *path = lsv_path_expand(text);
	auto_free char *real = realpath(dir, NULL);
	auto_free char *want = lsv_path_join(real, name);

	ck_assert_str_eq(path, want);
}

START_TEST(a_relative_path_is_meant_from_here)
{
	auto_scratch char *dir = scratch_enter();

	is_here(dir, "a.db", "a.db");
	is_here(dir, "./x/../a.db", "a.db");
	is_here(dir, "~a/b", "~a/b");
}
END_TEST

START_TEST(a_tilde_is_home)
{
	const struct passwd *me = getpwuid(getuid());
	auto_free char *home = lsv_path_expand("~");
	auto_free char *below = lsv_path_expand("~/data/../app.db");
	auto_free char *want = NULL;

	if (!me || !*me->pw_dir || strcmp(me->pw_dir, "/") == 0)
		return;
	want = lsv_path_join(me->pw_dir, "app.db");
	ck_assert_str_eq(home, me->pw_dir);
	ck_assert_str_eq(below, want);
}
END_TEST

START_TEST(links_are_followed_whether_or_not_the_file_is_there)
{
	auto_scratch char *dir = scratch_enter();
	auto_free char *real_dir = realpath(dir, NULL);
	auto_free char *want = lsv_path_join(real_dir, "real/a.db");
	auto_free char *link = lsv_path_join(real_dir, "link/a.db");
	auto_free char *nowhere = lsv_path_join(real_dir, "none/a.db");
	auto_free char *absent = NULL, *present = NULL;

	ck_assert_int_eq(mkdir("real", 0700), 0);
	ck_assert_int_eq(symlink("real", "link"), 0);
	absent = lsv_path_real(link);
	ck_assert_str_eq(absent, want);
	ck_assert_int_eq(lsv_file_replace("real/a.db", "", 0, 0600), 0);
	present = lsv_path_real(link);
	ck_assert_str_eq(present, want);
	ck_assert_ptr_null(lsv_path_real(nowhere));
}
END_TEST

START_TEST(below_is_a_folder_further_down)
{
	ck_assert_str_eq(lsv_path_below("/a", "/a/b"), "b");
	ck_assert_str_eq(lsv_path_below("/a", "/a/b/c"), "b/c");
	ck_assert_str_eq(lsv_path_below("/", "/a"), "a");
	ck_assert_ptr_null(lsv_path_below("/a", "/ab"));
	ck_assert_ptr_null(lsv_path_below("/a", "/a"));
	ck_assert_ptr_null(lsv_path_below("/a", "/a/"));
	ck_assert_ptr_null(lsv_path_below("/a/b", "/a"));
}
END_TEST

UNIT(config_path, a_path_is_folded_by_its_text,
     a_relative_path_is_meant_from_here, a_tilde_is_home,
     links_are_followed_whether_or_not_the_file_is_there,
     below_is_a_folder_further_down)
