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
	struct lsv_snapshot_source source;
	struct lsv_table *table;
	uint32_t n_pages; /* gone by */
	uint64_t sum;
};

static ssize_t pages_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct pages *p = (struct pages *)reader;
	const struct lsv_snapshot_source *source = &p->source;
	uint32_t page_size = source->page_size;
	ssize_t got;

	/* The codec reads by LSV_BLOCK_SIZE, a multiple of every page size. */
	n -= n % page_size;
	assert(n > 0);
	got = lsv_read_full(source->pages, buf, n);
	if (got < 0)
		return got;
	if ((size_t)got % page_size != 0)
		return -EBADMSG;
	for (ssize_t at = 0; at < got; at += page_size) {
		uint64_t hash = lsv_page_hash(
			++p->n_pages, (const uint8_t *)buf + at, page_size);

		p->sum ^= hash;
		if (source->each)
			source->each(source->arg, p->n_pages, hash);
	}
	return got;
}

static int pages_rewind(struct lsv_reader *reader)
{
	struct pages *p = (struct pages *)reader;

	p->n_pages = 0;
	p->sum = 0;
	return p->source.pages->rewind(p->source.pages);
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

static void init(struct snapshot *s, const struct lsv_snapshot_source *source,
                 struct lsv_table *table)
{
	struct lsv_reader *from = source->pages;

	s->base = (struct lsv_reader){
		.read = snapshot_read,
		.rewind = from->rewind ? snapshot_rewind : NULL,
		.close = snapshot_close,
		.size = -1,
	};
	s->pages.base = (struct lsv_reader){
		.read = pages_read,
		.rewind = from->rewind ? pages_rewind : NULL,
		.size = from->size,
	};
	s->pages.source = *source;
	s->pages.table = table;
}

int lsv_snapshot_encode(enum lsv_codec codec,
                        const struct lsv_snapshot_source *source,
                        struct lsv_table *table, struct lsv_reader **out)
{
	auto_reader struct lsv_reader *reader = NULL;
	struct snapshot *s;
	int r;

	if (!lsv_page_size_valid(source->page_size) ||
	    !lsv_table_is_snapshot(table))
		return -EINVAL;
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	reader = &s->base;
	init(s, source, table);
	r = lsv_compress_open(codec, &s->pages.base, snapshot_tail, &s->pages,
	                      &s->object);
	if (r < 0)
		return r;
	*out = take(reader);
	return 0;
}
