/* SPDX-License-Identifier: MIT */
#include "replica/base/stream.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A file "file" of n bytes that count up, open. */
static int counting_file(size_t n)
{
	int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)i;

		ck_assert_int_eq(lsv_write(fd, &byte, 1), 0);
	}
	return fd;
}

START_TEST(memory_is_read_to_its_end_and_again)
{
	auto_reader struct lsv_reader *reader = lsv_reader_memory("abcdef", 6);
	char buf[8] = {0};

	ck_assert_int_eq(reader->size, 6);
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(reader->read(reader, buf, 4), 4);
		ck_assert_mem_eq(buf, "abcd", 4);
		ck_assert_int_eq(reader->read(reader, buf, 4), 2);
		ck_assert_mem_eq(buf, "ef", 2);
		ck_assert_int_eq(reader->read(reader, buf, 4), 0);
		ck_assert_int_eq(reader->rewind(reader), 0);
	}
}
END_TEST

START_TEST(nothing_is_a_reader_too)
{
	auto_reader struct lsv_reader *reader = lsv_reader_memory(NULL, 0);
	char buf[1];

	ck_assert_int_eq(reader->size, 0);
	ck_assert_int_eq(reader->read(reader, buf, 1), 0);
	lsv_reader_close(NULL);
	lsv_writer_close(NULL);
}
END_TEST

START_TEST(a_stretch_of_a_file_is_read_and_no_byte_beside)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int fd = counting_file(100);
	auto_reader struct lsv_reader *reader = lsv_reader_file(fd, 10, 15, 0);
	uint8_t buf[8] = {0};

	ck_assert_int_eq(reader->size, 5);
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(lsv_read_full(reader, buf, sizeof buf), 5);
		for (uint8_t i = 0; i < 5; i++)
			ck_assert_uint_eq(buf[i], 10 + i);
		ck_assert_int_eq(lsv_read_full(reader, buf, sizeof buf), 0);
		ck_assert_int_eq(reader->rewind(reader), 0);
	}
}
END_TEST

START_TEST(a_file_that_ends_early_is_damage)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int fd = counting_file(100);
	auto_reader struct lsv_reader *reader = lsv_reader_file(fd, 90, 101, 0);
	uint8_t buf[16];

	ck_assert_int_eq(lsv_read_full(reader, buf, sizeof buf), -EBADMSG);
}
END_TEST

START_TEST(a_borrowed_descriptor_stays_open_and_an_owned_one_does_not)
{
	auto_scratch char *dir = scratch_enter();
	int fd = counting_file(1);

	lsv_reader_close(lsv_reader_file(fd, 0, 1, 0));
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	lsv_reader_close(lsv_reader_file(fd, 0, 1, 1));
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
}
END_TEST

/* A reader that gives one byte at a time, and then 'end'. */
struct drip {
	struct lsv_reader base;
	int left;
	int end;
};

static ssize_t drip_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct drip *drip = (struct drip *)reader;

	if (drip->left == 0 || n == 0)
		return drip->end;
	drip->left--;
	*(char *)buf = 'x';
	return 1;
}

START_TEST(a_full_read_puts_short_ones_together)
{
	struct drip drip = {{.read = drip_read}, 10, 0};
	char buf[8];

	ck_assert_int_eq(lsv_read_full(&drip.base, buf, sizeof buf), 8);
	ck_assert_int_eq(lsv_read_full(&drip.base, buf, sizeof buf), 2);
	ck_assert_int_eq(lsv_read_full(&drip.base, buf, sizeof buf), 0);
}
END_TEST

START_TEST(an_error_of_the_source_comes_through)
{
	struct drip drip = {{.read = drip_read}, 3, -EIO};
	auto_buf struct lsv_buf buf = {0};
	auto_writer struct lsv_writer *writer = lsv_writer_buf(&buf);
	char bytes[8];

	ck_assert_int_eq(lsv_copy(&drip.base, writer), -EIO);
	ck_assert_uint_eq(buf.n, 3);
	ck_assert_int_eq(lsv_read_full(&drip.base, bytes, 8), -EIO);
}
END_TEST

START_TEST(a_copy_is_complete_whatever_its_size)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 300000};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = sizes[i];
		auto_free uint8_t *data = malloc(n + 1);
		auto_reader struct lsv_reader *from = NULL;
		auto_buf struct lsv_buf buf = {0};
		auto_writer struct lsv_writer *to = lsv_writer_buf(&buf);

		for (size_t j = 0; j < n; j++)
			data[j] = (uint8_t)(j * 31 >> 3);
		from = lsv_reader_memory(data, n);
		ck_assert_int_eq(lsv_copy(from, to), 0);
		ck_assert_uint_eq(buf.n, n);
		if (n)
			ck_assert_mem_eq(buf.data, data, n);
	}
}
END_TEST

START_TEST(a_descriptor_takes_all_or_says_why)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int fd = counting_file(0);
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	auto_writer struct lsv_writer *to = lsv_writer_fd(fd);
	auto_writer struct lsv_writer *to_full = lsv_writer_fd(full);
	auto_reader struct lsv_reader *from = lsv_reader_memory("abc", 3);
	char buf[4] = {0};

	ck_assert_int_eq(lsv_copy(from, to), 0);
	ck_assert_int_eq(to->write(to, "", 0), 0);
	ck_assert_int_eq(lsv_pread(fd, buf, 4, 0), 3);
	ck_assert_str_eq(buf, "abc");
	ck_assert_int_eq(from->rewind(from), 0);
	ck_assert_int_eq(lsv_copy(from, to_full), -ENOSPC);
}
END_TEST

START_TEST(a_buffer_grows_and_keeps_what_it_has)
{
	auto_buf struct lsv_buf buf = {0};

	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(lsv_buf_append(&buf, "abc", 3), 0);
	ck_assert_uint_eq(buf.n, 30000);
	ck_assert_mem_eq(buf.data + 29997, "abc", 3);
	ck_assert_int_eq(lsv_buf_append(&buf, NULL, 0), 0);
	ck_assert_int_eq(lsv_buf_reserve(&buf, SIZE_MAX - 10), -ENOMEM);
	ck_assert_uint_eq(buf.n, 30000);
	lsv_buf_free(&buf);
	ck_assert_uint_eq(buf.n, 0);
	ck_assert_int_eq(lsv_buf_append(&buf, "z", 1), 0);
	ck_assert_mem_eq(buf.data, "z", 1);
}
END_TEST

UNIT(stream, memory_is_read_to_its_end_and_again, nothing_is_a_reader_too,
     a_stretch_of_a_file_is_read_and_no_byte_beside,
     a_file_that_ends_early_is_damage,
     a_borrowed_descriptor_stays_open_and_an_owned_one_does_not,
     a_full_read_puts_short_ones_together, an_error_of_the_source_comes_through,
     a_copy_is_complete_whatever_its_size, a_descriptor_takes_all_or_says_why,
     a_buffer_grows_and_keeps_what_it_has)
