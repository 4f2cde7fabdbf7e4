/* SPDX-License-Identifier: MIT */
#include "replica/restore/tail.h"

#include "replica/base/log.h"
#include "replica/format/codec.h"
#include "replica/restore/say.h"

#include <errno.h>
#include <string.h>

/* Room for about 300 commits; a longer table needs a second read. */
#define FIRST_READ 16384

static int read_tail(struct lsv_client *client, const struct lsv_item *item,
                     size_t n, struct lsv_buf *into)
{
	const struct lsv_range range = {.n = n, .from_end = 1};
	auto_writer struct lsv_writer *writer = lsv_writer_buf(into);

	into->n = 0;
	if (!writer)
		return -ENOMEM;
	return client->ops->get(client, item->name, &range, writer);
}

static bool belongs_to(const struct lsv_table *table,
                       const struct lsv_item *item, bool is_snapshot)
{
	return table->first.generation == item->pos.generation &&
	       lsv_pos_compare(&table->first, &item->pos) == 0 &&
	       lsv_table_is_snapshot(table) == is_snapshot;
}

int lsv_tail_decode(const struct lsv_item *item, const uint8_t *bytes, size_t n,
                    struct lsv_table *table)
{
	struct lsv_table t;
	int r = lsv_table_decode(bytes, n, &t);

	if (r < 0)
		return r;
	if (!belongs_to(&t, item, strstr(item->name, "/snapshots/") != NULL)) {
		lsv_table_free(&t);
		return -EBADMSG;
	}
	*table = t;
	return 0;
}

int lsv_tail_get_error(int err)
{
	switch (err) {
	case -ENOENT:
		return -ESTALE;
	case -EPROTO:
	case -EBADMSG:
		return -EIO;
	default:
		return err;
	}
}

int lsv_tail_read(struct lsv_client *client, const struct lsv_item *item,
                  struct lsv_table *table)
{
	auto_buf struct lsv_buf buf = {0};
	const uint8_t *bytes;
	size_t n, needed;
	int r = read_tail(client, item, FIRST_READ, &buf);

	if (r < 0)
		return lsv_tail_get_error(r);
	r = lsv_codec_tail(buf.data, buf.n, &bytes, &n, &needed);
	/* A length that the object does not have is no length. */
	if (r == -ENOENT && needed && needed + buf.n <= item->size) {
		r = read_tail(client, item, needed + buf.n, &buf);
		if (r < 0)
			return r == -ENOENT ? -ESTALE : r;
		r = lsv_codec_tail(buf.data, buf.n, &bytes, &n, &needed);
	}
	return r < 0 ? r : lsv_tail_decode(item, bytes, n, table);
}

int lsv_tail_complain(const struct lsv_client *client,
                      const struct lsv_item *item, int err)
{
	switch (err) {
	case -ENOENT:
		return say(-EBADMSG, "damaged %s: its commit table is missing",
		           item->name);
	case -EBADMSG:
		return say(-EBADMSG,
		           "damaged %s: its commit table is broken or "
		           "belongs to another object",
		           item->name);
	case -EPROTO:
		return say(-EPROTO, "cannot read %s: a newer lsvfs wrote it",
		           item->name);
	case -ESTALE:
		return say(-ESTALE,
		           "cannot get %s: it went away since the "
		           "replica was listed, try again",
		           item->name);
	default:
		return say(err, "cannot get %s: %s", item->name,
		           lsv_client_why(client, err));
	}
}

int lsv_tail_require(struct lsv_client *client, const struct lsv_item *item,
                     struct lsv_table *table)
{
	int r = lsv_tail_read(client, item, table);

	return r < 0 ? lsv_tail_complain(client, item, r) : 0;
}
