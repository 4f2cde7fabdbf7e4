/* SPDX-License-Identifier: MIT */
#include "replica/format/snapshot.h"

#include "replica/wal/frame.h"
#include "replica/wal/pagehash.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* The database's bytes on their way into the codec, hashed page by page. */
struct pages {
	struct lsv_reader base;
	struct lsv_reader *from;
	uint32_t page_size;
	uint32_t n_pages; /* gone by */
	uint64_t sum;
	struct lsv_table *table;
	lsv_page_hash_fn *each;
	void *arg;
};

static ssize_t pages_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct pages *p = (struct pages *)reader;
	ssize_t got;

	/* The codec reads by LSV_BLOCK_SIZE, a multiple of every page size. */
	n -= n % p->page_size;
	assert(n > 0);
	got = lsv_read_full(p->from, buf, n);
	if (got < 0)
		return got;
	if ((size_t)got % p->page_size != 0)
		return -EBADMSG;
	for (ssize_t at = 0; at < got; at += p->page_size) {
		uint64_t hash = lsv_page_hash(
			++p->n_pages, (const uint8_t *)buf + at, p->page_size);

		p->sum ^= hash;
		if (p->each)
			p->each(p->arg, p->n_pages, hash);
	}
	return got;
}

static int pages_rewind(struct lsv_reader *reader)
{
	struct pages *p = (struct pages *)reader;

	p->n_pages = 0;
	p->sum = 0;
	return p->from->rewind(p->from);
}

static int snapshot_tail(void *arg, struct lsv_buf *tail)
{
	struct pages *p = arg;

	/* A database that is cut short must not become a snapshot. */
	if (p->n_pages != p->table->commits.at[0].db_pages)
		return -EBADMSG;
	p->table->commits.at[0].page_hash = p->sum;
	return lsv_table_encode(p->table, tail);
}

/* The codec's reader with the pages' reader that it borrows. */
struct snapshot {
	struct lsv_reader base;
	struct lsv_reader *object;
	struct pages pages;
};

static ssize_t snapshot_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct lsv_reader *object = ((struct snapshot *)reader)->object;

	return object->read(object, buf, n);
}

static int snapshot_rewind(struct lsv_reader *reader)
{
	struct lsv_reader *object = ((struct snapshot *)reader)->object;

	return object->rewind(object);
}

static void snapshot_close(struct lsv_reader *reader)
{
	lsv_reader_close(((struct snapshot *)reader)->object);
	free(reader);
}

/* NOLINTNEXTLINE(readability-function-size): a callback and its argument */
int lsv_snapshot_encode(enum lsv_codec codec, struct lsv_reader *pages,
                        uint32_t page_size, struct lsv_table *table,
                        lsv_page_hash_fn *each, void *arg,
                        struct lsv_reader **out)
{
	auto_reader struct lsv_reader *reader = NULL;
	struct snapshot *s;
	int r;

	if (!lsv_page_size_valid(page_size) || !lsv_table_is_snapshot(table))
		return -EINVAL;
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	reader = &s->base;
	s->base = (struct lsv_reader){
		.read = snapshot_read,
		.rewind = pages->rewind ? snapshot_rewind : NULL,
		.close = snapshot_close,
		.size = -1,
	};
	s->pages = (struct pages){
		.base = {.read = pages_read,
	                 .rewind = pages->rewind ? pages_rewind : NULL,
	                 .size = pages->size},
		.from = pages,
		.page_size = page_size,
		.table = table,
		.each = each,
		.arg = arg,
	};
	r = lsv_compress_open(codec, &s->pages.base, snapshot_tail, &s->pages,
	                      &s->object);
	if (r < 0)
		return r;
	*out = take(reader);
	return 0;
}
