/* SPDX-License-Identifier: MIT */
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/store/client.h"
#include "replica/store/file_list.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[128], sandbox[] = "client_file-XXXXXX";
static struct lsv_client *client;

static void setup(void)
{
	strcpy(sandbox + sizeof sandbox - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(sandbox));
	snprintf(root, sizeof root, "%s/deep/replica", sandbox);
	ck_assert_int_eq(lsv_client_open(root, NULL, &client), 0);
}

static void teardown(void)
{
	lsv_client_close(client);
	lsv_remove_tree(sandbox);
}

static int put(const char *name, const char *text, int64_t time_ns,
               enum lsv_put_mode mode)
{
	auto_reader struct lsv_reader *body = lsv_reader_memory(text,
	                                                        strlen(text));

	return client->ops->put(client, name, body, time_ns, mode);
}

static int get(const char *name, const struct lsv_range *range, char text[64])
{
	auto_buf struct lsv_buf buf = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&buf);
	int r = client->ops->get(client, name, range, into);

	ck_assert_uint_lt(buf.n, 64);
	if (buf.n)
		memcpy(text, buf.data, buf.n);
	text[buf.n] = 0;
	return r;
}

static int append_line(void *arg, const struct lsv_object *object)
{
	char *lines = arg;

	sprintf(lines + strlen(lines), "%s %d\n", object->name,
	        (int)object->size);
	return 0;
}

static const char *list(const char *prefix)
{
	static char lines[4096];

	lines[0] = 0;
	ck_assert_int_eq(client->ops->list(client, prefix, append_line, lines),
	                 0);
	return lines;
}

static char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

START_TEST(the_first_put_makes_the_root_and_get_reads_it_back)
{
	char text[64];

	setup();
	ck_assert_int_ne(access(root, F_OK), 0);
	ck_assert_str_eq(list(""), "");
	ck_assert_int_eq(get("a/b/c", NULL, text), -ENOENT);
	ck_assert_int_eq(put("a/b/c", "hello", 1, LSV_PUT_NEW), 0);
	ck_assert_int_eq(get("a/b/c", NULL, text), 0);
	ck_assert_str_eq(text, "hello");
	teardown();
}
END_TEST

START_TEST(a_put_never_overwrites_but_accepts_its_own_bytes)
{
	char text[64];

	setup();
	ck_assert_int_eq(put("x", "one", 5, LSV_PUT_NEW), 0);
	ck_assert_int_eq(put("x", "one", 5, LSV_PUT_NEW), 0);
	ck_assert_int_eq(put("x", "two", 5, LSV_PUT_NEW), -EEXIST);
	ck_assert_int_eq(put("x", "one more", 5, LSV_PUT_NEW), -EEXIST);
	ck_assert_int_eq(get("x", NULL, text), 0);
	ck_assert_str_eq(text, "one");
	ck_assert_int_eq(put("x", "two", 5, LSV_PUT_REPLACE), 0);
	ck_assert_int_eq(get("x", NULL, text), 0);
	ck_assert_str_eq(text, "two");
	ck_assert_str_eq(list(""), "x 3\n");
	teardown();
}
END_TEST

START_TEST(a_range_is_cut_to_the_object)
{
	static const struct {
		struct lsv_range range;
		const char *bytes;
	} table[] = {
		{{0, 0, 0}, "0123456789"},  {{3, 0, 0}, "3456789"},
		{{3, 2, 0}, "34"},          {{8, 5, 0}, "89"},
		{{12, 5, 0}, ""},           {{0, 4, 1}, "6789"},
		{{0, 40, 1}, "0123456789"},
	};

	setup();
	ck_assert_int_eq(put("x", "0123456789", 1, LSV_PUT_NEW), 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[64];

		ck_assert_int_eq(get("x", &table[i].range, text), 0);
		ck_assert_str_eq(text, table[i].bytes);
	}
	teardown();
}
END_TEST

START_TEST(a_list_is_in_byte_order_of_whole_names)
{
	static const char *const names[] = {"a/c",   "a.b",   "a0",
	                                    "b/x/y", "a/b/z", "a-"};

	setup();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ck_assert_int_eq(put(names[i], "1", 1, LSV_PUT_NEW), 0);
	ck_assert_str_eq(list(""),
	                 "a- 1\na.b 1\na/b/z 1\na/c 1\na0 1\nb/x/y 1\n");
	ck_assert_str_eq(list("a/"), "a/b/z 1\na/c 1\n");
	ck_assert_str_eq(list("a/b"), "a/b/z 1\n");
	ck_assert_str_eq(list("a"), "a- 1\na.b 1\na/b/z 1\na/c 1\na0 1\n");
	ck_assert_str_eq(list("b/x/y"), "b/x/y 1\n");
	ck_assert_str_eq(list("b/x/yy"), "");
	ck_assert_str_eq(list("c/"), "");
	ck_assert_str_eq(list("a0/"), "");
	teardown();
}
END_TEST

START_TEST(an_object_has_the_time_of_its_commit)
{
	const int64_t ns = 1700000000 * LSV_NS_PER_S + 123456789;
	struct stat st;

	setup();
	ck_assert_int_eq(put("x", "1", ns, LSV_PUT_NEW), 0);
	ck_assert_int_eq(stat(path_of("x"), &st), 0);
	ck_assert(st.st_mtim.tv_sec * LSV_NS_PER_S + st.st_mtim.tv_nsec == ns);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	teardown();
}
END_TEST

START_TEST(what_is_removed_is_gone_with_its_empty_directories)
{
	setup();
	ck_assert_int_eq(put("a/b/c", "1", 1, LSV_PUT_NEW), 0);
	ck_assert_int_eq(put("a/d", "1", 1, LSV_PUT_NEW), 0);
	ck_assert_int_eq(client->ops->remove(client, "a/b/c"), 0);
	ck_assert_int_eq(client->ops->remove(client, "a/b/c"), 0);
	ck_assert_int_ne(access(path_of("a/b"), F_OK), 0);
	ck_assert_int_eq(access(path_of("a"), F_OK), 0);
	ck_assert_int_eq(client->ops->remove(client, "a/d"), 0);
	ck_assert_int_eq(access(root, F_OK), 0);
	ck_assert_int_eq(put("a/b/c", "1", 1, LSV_PUT_NEW), 0);
	teardown();
}
END_TEST

static ssize_t fail_late(struct lsv_reader *reader, void *buf, size_t n)
{
	if (reader->size-- <= 0)
		return -EIO;
	memset(buf, 'x', n);
	return (ssize_t)n;
}

START_TEST(a_body_that_fails_leaves_nothing)
{
	struct lsv_reader body = {.read = fail_late, .size = 3};

	setup();
	ck_assert_int_eq(client->ops->put(client, "d/x", &body, 1, LSV_PUT_NEW),
	                 -EIO);
	ck_assert_str_eq(list(""), "");
	/* Nor a directory: stock tools would take it for a generation. */
	ck_assert_int_ne(access(path_of("d"), F_OK), 0);
	teardown();
}
END_TEST

START_TEST(a_name_cannot_leave_the_root)
{
	static const char *const table[] = {"",     "/a",   "a/",  "a//b",
	                                    "../a", "a/..", "./a", "a/./b"};

	setup();
	lsv_log_set_level(LSV_LOG_OFF);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		ck_assert_int_eq(put(table[i], "1", 1, LSV_PUT_NEW), -EINVAL);
	teardown();
}
END_TEST

START_TEST(temporary_files_are_not_listed_and_old_ones_are_swept)
{
	char *temp;
	int fd;

	setup();
	ck_assert_int_eq(put("d/x", "1", 1, LSV_PUT_NEW), 0);
	temp = path_of("d/" LSV_FILE_TEMP_PREFIX "0123");
	fd = open(temp, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_str_eq(list(""), "d/x 1\n");
	lsv_file_sweep(path_of("d"), lsv_clock_ns() - 60 * LSV_NS_PER_S);
	temp = path_of("d/" LSV_FILE_TEMP_PREFIX "0123");
	ck_assert_int_eq(access(temp, F_OK), 0);
	lsv_file_sweep(path_of("d"), lsv_clock_ns() + 60 * LSV_NS_PER_S);
	temp = path_of("d/" LSV_FILE_TEMP_PREFIX "0123");
	ck_assert_int_ne(access(temp, F_OK), 0);
	ck_assert_str_eq(list(""), "d/x 1\n");
	teardown();
}
END_TEST

START_TEST(a_clone_sees_the_same_objects)
{
	struct lsv_client *first;
	char text[64];

	setup();
	ck_assert_int_eq(put("x", "1", 1, LSV_PUT_NEW), 0);
	first = client;
	ck_assert_int_eq(first->ops->clone(first, &client), 0);
	lsv_client_close(first);
	ck_assert_int_eq(get("x", NULL, text), 0);
	ck_assert_str_eq(text, "1");
	teardown();
}
END_TEST

START_TEST(a_root_that_is_a_file_is_an_error)
{
	int fd;

	setup();
	lsv_log_set_level(LSV_LOG_OFF);
	ck_assert_int_eq(lsv_mkdirs(root, 0700), 0);
	rmdir(root);
	fd = open(root, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(client->ops->list(client, "", append_line, NULL),
	                 -ENOTDIR);
	ck_assert_int_eq(put("x", "1", 1, LSV_PUT_NEW), -ENOTDIR);
	teardown();
}
END_TEST

START_TEST(a_url_says_which_client_and_where)
{
	static const struct {
		const char *url;
		int r;
		const char *path; /* what client->url says */
	} table[] = {
		{"/tmp/a b", 0, "/tmp/a b"},
		{"rel/dir//", 0, "rel/dir"},
		{"a%20b", 0, "a%20b"},
		{"/", 0, "/"},
		{"file:///tmp/a%20b%25", 0, "/tmp/a b%"},
		{"file://localhost/tmp/a", 0, "/tmp/a"},
		{"file://host/tmp/a", -EINVAL, NULL},
		{"file:///tmp/%00", -EINVAL, NULL},
		{"file:///tmp/%4", -EINVAL, NULL},
		{"file:///tmp/%zz", -EINVAL, NULL},
		{"file:///tmp/a?x=1", -EINVAL, NULL},
		{"s3://bucket/a?x", -EINVAL, NULL},
		{"gs://bucket/a", -EINVAL, NULL},
		{"s3:/bucket/a", -EINVAL, NULL},
		{"s3:bucket/a", -EINVAL, NULL},
		{"S3:bucket", -EINVAL, NULL},
		{"file:/tmp/a", -EINVAL, NULL},
		{"file:backup", -EINVAL, NULL},
		{"gs:/bucket/a", -EINVAL, NULL},
		{"./s3:bucket", 0, "./s3:bucket"},
		{"app:2", 0, "app:2"},
		{"a b:/c", 0, "a b:/c"},
		{"", -EINVAL, NULL},
	};

	lsv_log_set_level(LSV_LOG_OFF);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_client *c = NULL;

		ck_assert_int_eq(lsv_client_open(table[i].url, NULL, &c),
		                 table[i].r);
		if (table[i].path)
			ck_assert_str_eq(c->url, table[i].path);
		lsv_client_close(c);
	}
}
END_TEST

UNIT(client_file, the_first_put_makes_the_root_and_get_reads_it_back,
     a_put_never_overwrites_but_accepts_its_own_bytes,
     a_range_is_cut_to_the_object, a_list_is_in_byte_order_of_whole_names,
     an_object_has_the_time_of_its_commit,
     what_is_removed_is_gone_with_its_empty_directories,
     a_body_that_fails_leaves_nothing, a_name_cannot_leave_the_root,
     temporary_files_are_not_listed_and_old_ones_are_swept,
     a_clone_sees_the_same_objects, a_root_that_is_a_file_is_an_error,
     a_url_says_which_client_and_where)
