/* SPDX-License-Identifier: MIT */
#include "test/lib/client_memory.h"
#include "test/lib/unit.h"

#define N_TRIES 4

static struct memory_store objects;
static struct lsv_client *replica;

/* Calls from the next one on fail, n of them. */
static void fail_next(int n, int error)
{
	objects.fail_at = objects.n_calls;
	objects.n_failing = n;
	objects.error = error;
}

static void setup(void)
{
	static const struct lsv_retry policy = {
		.n_tries = N_TRIES,
		.first_ns = 1000,
		.max_ns = 5000,
	};
	struct lsv_client *inner = NULL;

	memory_init(&objects);
	memory_client(&objects, &inner);
	ck_assert_int_eq(lsv_client_retry(inner, &policy, &replica), 0);
	ck_assert_str_eq(replica->ops->scheme, "memory");
	ck_assert_str_eq(replica->url, "memory");
}

static void teardown(void)
{
	lsv_client_close(replica);
	memory_free(&objects);
}

static int put(const char *name, const char *text)
{
	auto_reader struct lsv_reader *body = lsv_reader_memory(text,
	                                                        strlen(text));

	return replica->ops->put(replica, name, body, 1, LSV_PUT_NEW);
}

static int get(const struct lsv_range *range, char text[64])
{
	auto_buf struct lsv_buf buf = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&buf);
	int r = replica->ops->get(replica, "x", range, into);

	ck_assert_uint_lt(buf.n, 64);
	if (buf.n)
		memcpy(text, buf.data, buf.n);
	text[buf.n] = 0;
	return r;
}

static int append(void *arg, const struct lsv_object *object)
{
	struct lsv_buf *names = arg;

	return lsv_buf_append(names, object->name, strlen(object->name));
}

START_TEST(what_is_worth_it_is_tried_again_and_given_up_in_the_end)
{
	setup();
	for (int n = 0; n <= N_TRIES; n++) {
		char name[2] = {(char)('a' + n), 0};
		int calls = objects.n_calls;

		fail_next(n, -EAGAIN);
		ck_assert_int_eq(put(name, "1"), n < N_TRIES ? 0 : -EHOSTDOWN);
		ck_assert_int_eq(objects.n_calls - calls,
		                 n < N_TRIES ? n + 1 : N_TRIES);
	}
	fail_next(N_TRIES - 1, -EAGAIN);
	ck_assert_int_eq(replica->ops->remove(replica, "a"), 0);
	ck_assert_ptr_null(memory_find(&objects, "a"));
	teardown();
}
END_TEST

START_TEST(another_error_is_not_tried_again)
{
	int calls;

	setup();
	calls = objects.n_calls;
	fail_next(1, -EACCES);
	ck_assert_int_eq(put("a", "1"), -EACCES);
	ck_assert_int_eq(objects.n_calls - calls, 1);
	teardown();
}
END_TEST

START_TEST(a_get_goes_on_where_it_was_cut)
{
	static const struct lsv_range middle = {.offset = 2, .n = 6};
	char text[64];

	setup();
	ck_assert_int_eq(put("x", "0123456789"), 0);
	for (int n = 0; n < N_TRIES; n++) {
		fail_next(n, -EAGAIN);
		ck_assert_int_eq(get(NULL, text), 0);
		ck_assert_str_eq(text, "0123456789");
		fail_next(n, -EAGAIN);
		ck_assert_int_eq(get(&middle, text), 0);
		ck_assert_str_eq(text, "234567");
	}
	teardown();
}
END_TEST

START_TEST(what_goes_on_is_not_given_up)
{
	char text[64];

	setup();
	ck_assert_int_eq(put("x", "0123456789"), 0);
	/* 5, 2, 1 and 1 bytes come, then none, twice. */
	fail_next(4 + N_TRIES - 2, -EAGAIN);
	ck_assert_int_eq(get(NULL, text), 0);
	ck_assert_str_eq(text, "0123456789");
	teardown();
}
END_TEST

START_TEST(a_tail_that_was_cut_is_an_error_and_no_mixture)
{
	static const struct lsv_range tail = {.n = 4, .from_end = 1};
	char text[64];

	setup();
	ck_assert_int_eq(put("x", "0123456789"), 0);
	fail_next(1, -EAGAIN);
	ck_assert_int_eq(get(&tail, text), -EHOSTDOWN);
	ck_assert_int_eq(get(&tail, text), 0);
	ck_assert_str_eq(text, "6789");
	teardown();
}
END_TEST

START_TEST(a_list_tells_each_name_once)
{
	setup();
	ck_assert_int_eq(put("a", "1"), 0);
	ck_assert_int_eq(put("b", "1"), 0);
	ck_assert_int_eq(put("c", "1"), 0);
	for (int n = 0; n < N_TRIES; n++) {
		auto_buf struct lsv_buf names = {0};

		fail_next(n, -EAGAIN);
		ck_assert_int_eq(
			replica->ops->list(replica, "", append, &names), 0);
		ck_assert_uint_eq(names.n, 3);
		ck_assert_int_eq(memcmp(names.data, "abc", 3), 0);
	}
	teardown();
}
END_TEST

static int end_again(void *arg, const struct lsv_object *object)
{
	(void)object;
	++*(int *)arg;
	return -EAGAIN;
}

START_TEST(who_ends_a_list_is_not_asked_again)
{
	int n = 0;

	setup();
	ck_assert_int_eq(put("a", "1"), 0);
	ck_assert_int_eq(replica->ops->list(replica, "", end_again, &n),
	                 -EAGAIN);
	ck_assert_int_eq(n, 1);
	teardown();
}
END_TEST

START_TEST(a_clone_is_as_patient)
{
	struct lsv_client *clone = NULL;

	setup();
	ck_assert_int_eq(replica->ops->clone(replica, &clone), 0);
	lsv_client_close(replica);
	replica = clone;
	fail_next(2, -EAGAIN);
	ck_assert_int_eq(put("a", "1"), 0);
	teardown();
}
END_TEST

START_TEST(a_second_layer_is_none)
{
	static const struct lsv_retry other = {
		.n_tries = N_TRIES + 3,
		.first_ns = 1000,
		.max_ns = 5000,
	};
	int calls;

	setup();
	ck_assert_int_eq(lsv_client_retry(replica, &other, &replica), 0);
	calls = objects.n_calls;
	fail_next(1000, -EAGAIN);
	ck_assert_int_eq(put("a", "1"), -EHOSTDOWN);
	ck_assert_int_eq(objects.n_calls - calls, N_TRIES + 3);
	teardown();
}
END_TEST

START_TEST(what_takes_too_long_is_tried_twice)
{
	static const struct lsv_retry hasty = {
		.n_tries = 1000,
		.first_ns = 1000,
		.max_ns = 5000,
		.patience_ns = 1,
	};
	int calls;

	setup();
	ck_assert_int_eq(lsv_client_retry(replica, &hasty, &replica), 0);
	calls = objects.n_calls;
	fail_next(1000, -EAGAIN);
	ck_assert_int_eq(put("a", "1"), -EHOSTDOWN);
	ck_assert_int_eq(objects.n_calls - calls, 2);
	teardown();
}
END_TEST

START_TEST(what_is_down_is_asked_once_until_it_is_back)
{
	static const struct lsv_retry once = {
		.n_tries = N_TRIES,
		.first_ns = 1000,
		.max_ns = 5000,
		.once_while_down = true,
	};
	struct lsv_client *inner = NULL;
	int n;

	lsv_client_close(replica);
	memory_client(&objects, &inner);
	ck_assert_int_eq(lsv_client_retry(inner, &once, &replica), 0);
	fail_next(N_TRIES + 2, -EAGAIN);
	ck_assert_int_eq(put("a", "1"), -EHOSTDOWN);
	n = objects.n_calls;
	ck_assert_int_eq(put("a", "1"), -EHOSTDOWN);
	ck_assert_int_eq(put("a", "1"), -EHOSTDOWN);
	ck_assert_int_eq(objects.n_calls, n + 2);
	ck_assert_int_eq(put("a", "1"), 0);
	fail_next(N_TRIES - 1, -EAGAIN);
	ck_assert_int_eq(put("b", "1"), 0);
}
END_TEST

UNIT(client_retry, what_is_down_is_asked_once_until_it_is_back,
     what_is_worth_it_is_tried_again_and_given_up_in_the_end,
     another_error_is_not_tried_again, a_get_goes_on_where_it_was_cut,
     a_tail_that_was_cut_is_an_error_and_no_mixture,
     a_list_tells_each_name_once, who_ends_a_list_is_not_asked_again,
     a_clone_is_as_patient, what_goes_on_is_not_given_up,
     a_second_layer_is_none, what_takes_too_long_is_tried_twice)
