/* SPDX-License-Identifier: MIT */
#include "replica/ship/put.h"

#include <errno.h>

/* Counts what the last pass over a reader gave. */
struct counted {
	struct lsv_reader base;
	struct lsv_reader *from;
	uint64_t n;
};

static ssize_t counted_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct counted *counted = (struct counted *)reader;
	ssize_t got = counted->from->read(counted->from, buf, n);

	if (got > 0)
		counted->n += (uint64_t)got;
	return got;
}

static int counted_rewind(struct lsv_reader *reader)
{
	struct counted *counted = (struct counted *)reader;

	counted->n = 0;
	return counted->from->rewind(counted->from);
}

int lsv_put(struct lsv_client *client, const char *name,
            struct lsv_reader *object, int64_t time_ns, enum lsv_put_mode mode,
            uint64_t *n_bytes)
{
	struct counted counted = {
		.base = {.read = counted_read,
	                 .rewind = object->rewind ? counted_rewind : NULL,
	                 .size = object->size},
		.from = object,
	};
	int r = client->ops->put(client, name, &counted.base, time_ns, mode);

	if (r == 0)
		*n_bytes = counted.n;
	return r;
}

int lsv_put_from_memory(struct lsv_client *client, const char *name,
                        struct lsv_reader *object, int64_t time_ns,
                        enum lsv_put_mode mode, uint64_t *n_bytes)
{
	auto_buf struct lsv_buf bytes = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&bytes);
	auto_reader struct lsv_reader *encoded = NULL;
	int r = into ? lsv_copy(object, into) : -ENOMEM;

	if (r < 0)
		return r;
	encoded = lsv_reader_memory(bytes.data, bytes.n);
	if (!encoded)
		return -ENOMEM;
	return lsv_put(client, name, encoded, time_ns, mode, n_bytes);
}
