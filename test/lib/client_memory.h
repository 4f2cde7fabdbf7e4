/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_CLIENT_MEMORY_H
#define LSV_TEST_CLIENT_MEMORY_H

/*
 * A replica in memory, which fails when it is told to: call number 'fail_at'
 * (from 0; clones count together) and those behind it, n_failing in all, end
 * with 'error'; a get after half of its bytes, a list after half of its
 * names.
 */

#include "replica/base/vector.h"
#include "replica/store/client.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

struct memory_object {
	char *name;
	struct lsv_buf bytes;
	int64_t time_ns;
};

LSV_VECTOR(memory_objects, struct memory_object)

struct memory_store {
	struct memory_objects objects; /* in the order of their names */
	pthread_mutex_t mutex;
	int n_calls;
	int fail_at; /* -1: never */
	int n_failing;
	int error;
};

struct memory_client {
	struct lsv_client base;
	struct memory_store *store;
};

static inline void memory_init(struct memory_store *store)
{
	*store = (struct memory_store){.mutex = PTHREAD_MUTEX_INITIALIZER,
	                               .fail_at = -1,
	                               .n_failing = 1};
}

static inline void memory_free(struct memory_store *store)
{
	for (size_t i = 0; i < store->objects.n; i++) {
		free(store->objects.at[i].name);
		lsv_buf_free(&store->objects.at[i].bytes);
	}
	free(store->objects.at);
}

static inline struct memory_store *memory_of(struct lsv_client *client)
{
	return ((struct memory_client *)client)->store;
}

static inline bool memory_fails(struct memory_store *store)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&store->mutex);
	int n = store->n_calls++ - store->fail_at;

	return store->fail_at >= 0 && n >= 0 && n < store->n_failing;
}

static inline struct memory_object *memory_find(struct memory_store *store,
                                                const char *name)
{
	for (size_t i = 0; i < store->objects.n; i++)
		if (strcmp(store->objects.at[i].name, name) == 0)
			return &store->objects.at[i];
	return NULL;
}

static inline int memory_order(const void *a, const void *b)
{
	const struct memory_object *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static inline int memory_put(struct lsv_client *client, const char *name,
                             struct lsv_reader *body, int64_t time_ns,
                             enum lsv_put_mode mode)
{
	struct memory_store *store = memory_of(client);
	struct memory_object object = {.time_ns = time_ns};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&object.bytes);

	if (memory_fails(store))
		return store->error;
	ck_assert_int_eq(mode, LSV_PUT_NEW);
	if (memory_find(store, name))
		return -EEXIST;
	ck_assert_int_eq(lsv_copy(body, into), 0);
	object.name = strdup(name);
	ck_assert_int_eq(memory_objects_append(&store->objects, object), 0);
	qsort(store->objects.at, store->objects.n, sizeof object, memory_order);
	return 0;
}

static inline int memory_get(struct lsv_client *client, const char *name,
                             const struct lsv_range *range,
                             struct lsv_writer *into)
{
	struct memory_store *store = memory_of(client);
	bool fails = memory_fails(store);
	const struct memory_object *object = memory_find(store, name);
	size_t from = 0, to;
	int r;

	if (!object)
		return -ENOENT;
	to = object->bytes.n;
	if (range && range->from_end && range->n < to)
		from = to - range->n;
	if (range && !range->from_end)
		from = range->offset < to ? range->offset : to;
	if (range && !range->from_end && range->n && range->n < to - from)
		to = from + range->n;
	if (fails)
		to = from + (to - from) / 2;
	r = into->write(into, object->bytes.data + from, to - from);
	return r == 0 && fails ? store->error : r;
}

static inline int memory_list(struct lsv_client *client, const char *prefix,
                              lsv_list_fn *each, void *arg)
{
	struct memory_store *store = memory_of(client);
	bool fails = memory_fails(store);
	size_t n = fails ? store->objects.n / 2 : store->objects.n;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct memory_object *o = &store->objects.at[i];

		if (strncmp(o->name, prefix, strlen(prefix)) == 0)
			r = each(arg, &(struct lsv_object){o->name, o->bytes.n,
			                                   o->time_ns});
	}
	return r == 0 && fails ? store->error : r;
}

static inline int memory_remove(struct lsv_client *client, const char *name)
{
	struct memory_store *store = memory_of(client);
	bool fails = memory_fails(store);
	struct memory_object *object = memory_find(store, name);
	struct memory_object *end = store->objects.at + store->objects.n;

	if (fails)
		return store->error;
	if (!object)
		return 0;
	free(object->name);
	lsv_buf_free(&object->bytes);
	memmove(object, object + 1,
	        (size_t)(end - object - 1) * sizeof *object);
	store->objects.n--;
	return 0;
}

static inline int memory_client(struct memory_store *store,
                                struct lsv_client **out);

static inline int memory_clone(struct lsv_client *client,
                               struct lsv_client **out)
{
	return memory_client(memory_of(client), out);
}

static inline void memory_close(struct lsv_client *client)
{
	free(client->url);
	free(client);
}

static inline int memory_client(struct memory_store *store,
                                struct lsv_client **out)
{
	static const struct lsv_client_ops ops = {
		.scheme = "memory",
		.put = memory_put,
		.get = memory_get,
		.list = memory_list,
		.remove = memory_remove,
		.clone = memory_clone,
		.close = memory_close,
	};
	struct memory_client *client = calloc(1, sizeof *client);

	ck_assert_ptr_nonnull(client);
	client->base.ops = &ops;
	client->base.url = strdup("memory");
	client->store = store;
	*out = &client->base;
	return 0;
}

#endif
