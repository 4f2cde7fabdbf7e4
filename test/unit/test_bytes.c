/* SPDX-License-Identifier: MIT */
#include "replica/base/bytes.h"
#include "replica/base/cleanup.h"
#include "replica/base/vector.h"
#include "test/lib/unit.h"

#include <fcntl.h>
#include <string.h>

LSV_VECTOR(numbers, int)

START_TEST(a_number_lies_in_the_order_of_its_name)
{
	uint8_t p[8];

	put_be32(p, 0x01020384);
	ck_assert_mem_eq(p, "\x01\x02\x03\x84", 4);
	ck_assert_uint_eq(get_be32(p), 0x01020384);
	ck_assert_uint_eq(get_be16(p + 2), 0x0384);
	put_le32(p, 0x81020304);
	ck_assert_mem_eq(p, "\x04\x03\x02\x81", 4);
	ck_assert_uint_eq(get_le32(p), 0x81020304);
	put_le64(p, UINT64_C(0x8102030405060788));
	ck_assert_mem_eq(p, "\x88\x07\x06\x05\x04\x03\x02\x81", 8);
	ck_assert(get_le64(p) == UINT64_C(0x8102030405060788));
}
END_TEST

START_TEST(a_number_needs_no_alignment)
{
	uint8_t p[11] = {0};

	put_le64(p + 3, UINT64_MAX - 1);
	ck_assert(get_le64(p + 3) == UINT64_MAX - 1);
	put_be32(p + 1, UINT32_MAX - 1);
	ck_assert_uint_eq(get_be32(p + 1), UINT32_MAX - 1);
}
END_TEST

START_TEST(what_is_taken_is_not_given_back)
{
	char *kept = NULL;
	int kept_fd = -1;

	{
		auto_free char *owner = strdup("kept");
		auto_close int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		auto_close int none = -1;

		kept = take(owner);
		kept_fd = take_fd(fd);
		ck_assert_ptr_null(owner);
		ck_assert_int_eq(fd, -1);
		ck_assert_int_eq(none, -1);
	}
	ck_assert_str_eq(kept, "kept");
	ck_assert_int_ge(fcntl(kept_fd, F_GETFD), 0);
	free(kept);
	{
		auto_close int fd = kept_fd;

		ck_assert_int_ge(fd, 0);
	}
	ck_assert_int_lt(fcntl(kept_fd, F_GETFD), 0);
}
END_TEST

START_TEST(a_lock_is_held_to_the_closing_brace)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	{
		auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

		ck_assert_int_ne(pthread_mutex_trylock(&mutex), 0);
	}
	ck_assert_int_eq(pthread_mutex_trylock(&mutex), 0);
	ck_assert_int_eq(pthread_mutex_unlock(&mutex), 0);
}
END_TEST

START_TEST(a_vector_grows_and_keeps_its_order)
{
	struct numbers list = {0};

	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(numbers_append(&list, i), 0);
	ck_assert_uint_eq(list.n, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(list.at[i], i);
	free(list.at);
}
END_TEST

UNIT(bytes, a_number_lies_in_the_order_of_its_name, a_number_needs_no_alignment,
     what_is_taken_is_not_given_back, a_lock_is_held_to_the_closing_brace,
     a_vector_grows_and_keeps_its_order)
