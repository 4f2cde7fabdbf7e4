/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_file(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lsv_write(fd, text, strlen(text)), 0);
}

static void assert_content(const char *path, const char *text)
{
	auto_free char *content = NULL;
	size_t n = 0;

	ck_assert_int_eq(lsv_file_read(path, 1 << 20, &content, &n), 0);
	ck_assert_str_eq(content, text);
	ck_assert_uint_eq(n, strlen(text));
}

START_TEST(a_path_is_joined_by_one_slash)
{
	auto_free char *path = lsv_path_join("a", "b/c");

	ck_assert_str_eq(path, "a/b/c");
}
END_TEST

START_TEST(what_is_written_at_an_offset_is_read_there)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char buf[8] = {0};

	ck_assert_int_eq(lsv_pwrite(fd, "abcdef", 6, 10), 0);
	ck_assert_int_eq(lsv_pread(fd, buf, 3, 12), 3);
	ck_assert_str_eq(buf, "cde");
	/* the end of the file makes a read short, never an error */
	ck_assert_int_eq(lsv_pread(fd, buf, 8, 12), 4);
	ck_assert_int_eq(lsv_pread(fd, buf, 8, 16), 0);
	ck_assert_int_eq(lsv_pread(fd, buf, 8, 1000), 0);
}
END_TEST

START_TEST(a_descriptor_that_cannot_answers_why)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int only_read = open("file", O_RDONLY | O_CREAT | O_CLOEXEC,
	                                0600);
	char buf[1];

	ck_assert_int_eq(lsv_pwrite(only_read, "a", 1, 0), -EBADF);
	ck_assert_int_eq(lsv_write(only_read, "a", 1), -EBADF);
	ck_assert_int_eq(lsv_pread(-1, buf, 1, 0), -EBADF);
}
END_TEST

START_TEST(folders_are_made_with_all_above_them)
{
	auto_scratch char *dir = scratch_enter();
	auto_free char *deep = lsv_path_join(dir, "x/y/z");
	struct stat st;

	ck_assert_int_eq(lsv_mkdirs("a/b/c", 0700), 0);
	ck_assert_int_eq(stat("a/b/c", &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(lsv_mkdirs("a/b/c", 0700), 0);
	ck_assert_int_eq(lsv_mkdirs("a/b/d/", 0700), 0);
	ck_assert_int_eq(stat("a/b/d", &st), 0);
	ck_assert_int_eq(lsv_mkdirs(deep, 0700), 0);
	ck_assert_int_eq(stat("x/y/z", &st), 0);
}
END_TEST

START_TEST(a_file_is_no_folder)
{
	auto_scratch char *dir = scratch_enter();

	write_file("file", "");
	ck_assert_int_eq(lsv_mkdirs("file", 0700), -ENOTDIR);
	ck_assert_int_eq(lsv_mkdirs("file/below", 0700), -ENOTDIR);
}
END_TEST

START_TEST(a_file_is_read_whole_with_a_zero_behind_it)
{
	auto_scratch char *dir = scratch_enter();
	auto_free char *content = NULL;

	write_file("file", "hello");
	assert_content("file", "hello");
	write_file("file", "");
	assert_content("file", "");
	assert_content("/dev/null", "");
	ck_assert_int_eq(lsv_file_read("file", 0, &content, NULL), 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_whole_is_refused)
{
	auto_scratch char *dir = scratch_enter();
	char *content = NULL;

	write_file("file", "hello");
	ck_assert_int_eq(lsv_file_read("file", 4, &content, NULL), -EFBIG);
	ck_assert_int_eq(lsv_file_read("no", 4, &content, NULL), -ENOENT);
	ck_assert_int_eq(lsv_file_read(".", 1 << 20, &content, NULL), -EINVAL);
	ck_assert_int_eq(lsv_file_read("/dev/zero", 9, &content, NULL),
	                 -EINVAL);
	ck_assert_ptr_null(content);
}
END_TEST

START_TEST(a_file_is_replaced_whole_or_not_at_all)
{
	auto_scratch char *dir = scratch_enter();
	struct stat st;

	ck_assert_int_eq(lsv_file_replace("file", "one", 3, 0640), 0);
	assert_content("file", "one");
	ck_assert_int_eq(stat("file", &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	ck_assert_int_eq(lsv_file_replace("file", "second", 6, 0640), 0);
	assert_content("file", "second");
	ck_assert_int_eq(lsv_file_replace("no/file", "a", 1, 0640), -ENOENT);
	/* a name that cannot be taken leaves no temporary file behind */
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	write_file("folder/inside", "");
	ck_assert_int_lt(lsv_file_replace("folder", "a", 1, 0640), 0);
	ck_assert_int_eq(scratch_count("."), 2);
}
END_TEST

START_TEST(a_tree_is_removed_with_all_in_it_and_no_more)
{
	auto_scratch char *dir = scratch_enter();

	ck_assert_int_eq(lsv_mkdirs("tree/a/b", 0700), 0);
	ck_assert_int_eq(lsv_mkdirs("outside", 0700), 0);
	write_file("outside/kept", "kept");
	write_file("tree/a/file", "");
	ck_assert_int_eq(symlink("../outside", "tree/link"), 0);
	ck_assert_int_eq(lsv_remove_tree("tree"), 0);
	ck_assert_int_lt(access("tree", F_OK), 0);
	assert_content("outside/kept", "kept");
	ck_assert_int_eq(lsv_remove_tree("tree"), 0);
}
END_TEST

START_TEST(a_folder_is_synced_and_what_is_none_is_refused)
{
	auto_scratch char *dir = scratch_enter();

	write_file("file", "");
	ck_assert_int_eq(lsv_dir_sync("."), 0);
	ck_assert_int_eq(lsv_dir_sync("file"), -ENOTDIR);
	ck_assert_int_eq(lsv_dir_sync("no"), -ENOENT);
}
END_TEST

START_TEST(random_bytes_do_not_repeat)
{
	unsigned char a[16] = {0}, b[16] = {0};

	ck_assert_int_eq(lsv_random(a, sizeof a), 0);
	ck_assert_int_eq(lsv_random(b, sizeof b), 0);
	ck_assert_mem_ne(a, b, sizeof a);
}
END_TEST

/* Who reads and writes these would read and write what the program meant for
 * its own. */
START_TEST(no_descriptor_is_where_a_standard_one_was)
{
	auto_scratch char *dir = scratch_enter();
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), fd, raised;
	DIR *list;

	write_file("file", "hello");
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	fd = lsv_open("file", O_RDONLY, 0);
	list = lsv_opendir(".");
	raised = lsv_fd_raise(open("file", O_RDONLY));
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	ck_assert_int_gt(fd, STDERR_FILENO);
	ck_assert_int_gt(raised, STDERR_FILENO);
	ck_assert_ptr_nonnull(list);
	ck_assert_int_gt(dirfd(list), STDERR_FILENO);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(raised, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(lsv_fd_raise(fd), fd);
	ck_assert_int_eq(lsv_open("none", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(lsv_opendir("file"));
	ck_assert_int_eq(errno, ENOTDIR);
	closedir(list);
	close(fd);
	close(raised);
	close(out);
	close(err);
}
END_TEST

/* The signal would end the program. */
START_TEST(a_file_beyond_the_limit_is_an_error_and_no_signal)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int fd = lsv_open("file", O_RDWR | O_CREAT, 0600);
	auto_close int log = lsv_open("log", O_WRONLY | O_CREAT | O_APPEND,
	                              0600);
	auto_close int more = lsv_open("more", O_RDWR | O_CREAT, 0600);
	struct rlimit before, limit;
	int within, beyond, said, too_much, given, too_many;

	signal(SIGXFSZ, SIG_DFL);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){.rlim_cur = 8, .rlim_max = before.rlim_max};
	/* An assertion is a write, too. */
	setrlimit(RLIMIT_FSIZE, &limit);
	within = lsv_pwrite(fd, "1234", 4, 4);
	beyond = lsv_pwrite(fd, "1234", 4, 5);
	said = lsv_write(log, "12345", 5);
	too_much = lsv_write(log, "6789", 4);
	given = lsv_allocate(more, 0, 8);
	too_many = lsv_allocate(more, 8, 9);
	setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(within, 0);
	ck_assert_int_eq(beyond, -EFBIG);
	ck_assert_int_eq(lsv_pwrite(fd, "1234", 4, 5), 0);
	ck_assert_int_eq(said, 0);
	ck_assert_int_eq(too_much, -EFBIG);
	ck_assert_int_eq(lsv_write(log, "6789", 4), 0);
	ck_assert_int_eq(given, 0);
	ck_assert_int_eq(too_many, -EFBIG);
}
END_TEST

UNIT(fileio, a_path_is_joined_by_one_slash,
     what_is_written_at_an_offset_is_read_there,
     a_descriptor_that_cannot_answers_why,
     no_descriptor_is_where_a_standard_one_was,
     a_file_beyond_the_limit_is_an_error_and_no_signal,
     folders_are_made_with_all_above_them, a_file_is_no_folder,
     a_file_is_read_whole_with_a_zero_behind_it,
     a_file_that_cannot_be_read_whole_is_refused,
     a_file_is_replaced_whole_or_not_at_all,
     a_tree_is_removed_with_all_in_it_and_no_more,
     a_folder_is_synced_and_what_is_none_is_refused, random_bytes_do_not_repeat)
