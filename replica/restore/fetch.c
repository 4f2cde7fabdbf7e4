/* SPDX-License-Identifier: MIT */
#include "replica/restore/fetch.h"

#include "replica/restore/backwards.h"
#include "replica/restore/ranges.h"
#include "replica/restore/say.h"
#include "replica/restore/tail.h"
#include "replica/wal/shm.h"

#include <errno.h>
#include <string.h>

/* Compressed bytes on their way into the decompressor. */
struct counter {
	struct lsv_writer base;
	const struct lsv_fetch *fetch;
	struct lsv_writer *into;
	int error; /* of those behind us; what is not damage, they have said */
};

static int count_bytes(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct counter *c = (struct counter *)writer;

	c->error = c->fetch->fetched ? c->fetch->fetched(c->fetch->arg, n) : 0;
	if (c->error == 0)
		c->error = c->into->write(c->into, buf, n);
	return c->error;
}

static int complain(const struct lsv_item *item)
{
	return say(-EBADMSG, "damaged %s: its bytes do not verify", item->name);
}

static int get_bytes(const struct lsv_fetch *fetch, struct lsv_client *client,
                     const struct lsv_item *item, struct lsv_writer *into)
{
	unsigned n = item == fetch->plan->snapshot ? fetch->n_snapshot_pieces
	                                           : fetch->n_segment_pieces;

	if (n > 1 && item->size > LSV_RANGES_PIECE)
		return lsv_ranges_get(client, item->name, item->size, n, into);
	return client->ops->get(client, item->name, NULL, into);
}

/* The whole object through the decompressor; the table's bytes to 'tail'. */
static int get_object(const struct lsv_fetch *fetch, struct lsv_client *client,
                      const struct lsv_item *item, struct lsv_writer *plain,
                      struct lsv_buf *tail)
{
	auto_writer struct lsv_writer *decompress = NULL;
	struct counter counter = {.base = {count_bytes, NULL}, .fetch = fetch};
	int r = lsv_decompress_open(item->codec, plain, tail, &decompress);

	if (r < 0)
		return r;
	counter.into = decompress;
	r = get_bytes(fetch, client, item, &counter.base);
	if (r == 0)
		counter.error = r = lsv_decompress_end(decompress);
	if (r == -EBADMSG)
		return complain(item);
	if (r == 0 || counter.error)
		return r;
	return lsv_tail_complain(client, item, lsv_tail_get_error(r));
}

static int complain_mixed(const struct lsv_plan *plan,
                          const struct lsv_item *item)
{
	return say(-EBADMSG,
	           "damaged %s: it has no commit table, but %s has one",
	           plan->snapshot->name, item->name);
}

/* The object's table, which must be there or not as the plan has it. */
static int take_table(const struct lsv_plan *plan,
                      const struct lsv_client *client,
                      const struct lsv_item *item, const struct lsv_buf *tail,
                      struct lsv_table *table)
{
	int r = lsv_tail_decode(item, tail->data, tail->n, table);

	if (!plan->is_ours) {
		if (r == -ENOENT)
			return 0;
		if (r == 0)
			lsv_table_free(table);
		return complain_mixed(plan, item);
	}
	if (r < 0)
		return lsv_tail_complain(client, item, r);
	if (memcmp(table->lineage, plan->lineage, LSV_LINEAGE_SIZE) == 0)
		return 0;
	lsv_table_free(table);
	return say(-EBADMSG,
	           "damaged %s: it belongs to another lineage than %s",
	           item->name, plan->snapshot->name);
}

int lsv_fetch_snapshot(const struct lsv_fetch *fetch, struct lsv_client *client,
                       struct lsv_writer *plain)
{
	const struct lsv_item *item = fetch->plan->snapshot;
	auto_buf struct lsv_buf tail = {0};
	struct lsv_table table = {0};
	int r = get_object(fetch, client, item, plain, &tail);

	if (r == 0)
		r = take_table(fetch->plan, client, item, &tail, &table);
	if (r == 0)
		lsv_table_free(&table);
	return r;
}

/* Its first bytes are enough. */
struct peek {
	struct lsv_writer base;
	size_t n;
	uint8_t header[LSV_WAL_HEADER_SIZE];
};

static int peek_write(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct peek *p = (struct peek *)writer;

	if (n > sizeof p->header - p->n)
		n = sizeof p->header - p->n;
	memcpy(p->header + p->n, buf, n);
	p->n += n;
	return p->n == sizeof p->header ? -ECANCELED : 0;
}

int lsv_fetch_shape(struct lsv_fetch *fetch, struct lsv_client *client)
{
	const struct lsv_fetch silent = {.plan = fetch->plan};
	const struct lsv_item *item = &fetch->plan->segments[0];
	struct peek peek = {.base = {peek_write, NULL}};
	struct lsv_wal_header header;
	int r = get_object(&silent, client, item, &peek.base, NULL);

	if (r < 0 && r != -ECANCELED)
		return r;
	if (peek.n < sizeof peek.header ||
	    lsv_wal_header_decode(peek.header, &header) < 0)
		return complain(item);
	fetch->page_size = header.page_size;
	fetch->big_endian = header.big_endian;
	return 0;
}

/*
 * The plain bytes of one segment.  One that begins within its index continues
 * a chain that we have not seen: its beginning is computed from its first
 * frame, and must later be where the segment before it ends.
 */
struct intake {
	struct lsv_writer base;
	const struct lsv_fetch *fetch;
	struct lsv_pages *pages;
	struct lsv_link *link;
	struct lsv_writer *decoder;
	struct lsv_buf first;       /* its first frame, until it is whole */
	struct lsv_commits commits; /* as the frames have them */
};

static int take_frame(void *arg, const struct lsv_frame *frame,
                      const void *page, uint64_t end)
{
	struct intake *in = arg;
	const struct lsv_page_ref ref = {frame->page_no, frame->db_pages};
	struct lsv_commit commit = {
		.end = end,
		.checksum = {frame->checksum[0], frame->checksum[1]},
		.db_pages = frame->db_pages,
	};
	int r;

	/* Pages are kept by the size that the first header said. */
	if (in->link->end.page_size != in->fetch->page_size)
		return -EBADMSG;
	r = lsv_pages_add(in->pages, &ref, page);
	in->link->ends_open = !frame->db_pages;
	if (r < 0 || !frame->db_pages)
		return r;
	in->link->has_commit = true;
	return in->fetch->plan->is_ours
	               ? lsv_commits_append(&in->commits, commit)
	               : 0;
}

static int open_decoder(struct intake *in)
{
	in->link->end = in->link->begin;
	return lsv_segment_decode(&in->link->end, take_frame, in, &in->decoder);
}

static int open_within(struct intake *in)
{
	struct lsv_chain *begin = &in->link->begin;
	const uint8_t *frame = in->first.data;
	struct lsv_frame decoded;
	int r;

	lsv_frame_decode(frame, &decoded);
	begin->page_size = in->fetch->page_size;
	begin->big_endian = in->fetch->big_endian;
	memcpy(begin->salt, decoded.salt, sizeof begin->salt);
	memcpy(begin->checksum, decoded.checksum, sizeof begin->checksum);
	lsv_frame_backwards(begin->big_endian, frame, begin->page_size,
	                    begin->checksum);
	r = open_decoder(in);
	return r < 0 ? r : in->decoder->write(in->decoder, frame, in->first.n);
}

static int intake_write(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct intake *in = (struct intake *)writer;
	size_t want = LSV_FRAME_HEADER_SIZE + in->fetch->page_size;
	const uint8_t *bytes = buf;
	size_t n_first = 0;
	int r = 0;

	if (!in->decoder) {
		n_first = n < want - in->first.n ? n : want - in->first.n;
		r = lsv_buf_append(&in->first, bytes, n_first);
		if (r < 0 || in->first.n < want)
			return r;
		r = open_within(in);
	}
	return r < 0 ? r
	             : in->decoder->write(in->decoder, bytes + n_first,
	                                  n - n_first);
}

static void intake_free(struct intake *in)
{
	lsv_writer_close(in->decoder);
	lsv_buf_free(&in->first);
	free(in->commits.at);
}

/* The chain of ours is a function of generation and index. */
static bool is_our_chain(const struct lsv_chain *chain,
                         const struct lsv_pos *pos)
{
	struct lsv_wal_header header;

	lsv_shadow_header(pos->generation, pos->index, chain->page_size,
	                  &header);
	return chain->big_endian == header.big_endian &&
	       lsv_salt_equal(chain->salt, header.salt);
}

/* Each commit that the frames have is in the table, and no other. */
static bool same_commits(const struct lsv_commits *frames,
                         const struct lsv_commits *table)
{
	if (frames->n != table->n)
		return false;
	for (size_t i = 0; i < frames->n; i++) {
		const struct lsv_commit *a = &frames->at[i];
		const struct lsv_commit *b = &table->at[i];

		if (a->end != b->end || a->db_pages != b->db_pages ||
		    memcmp(a->checksum, b->checksum, sizeof a->checksum) != 0)
			return false;
	}
	return true;
}

static int check_ours(const struct intake *in, const struct lsv_item *item,
                      const struct lsv_table *table)
{
	const struct lsv_commits *commits = &table->commits;

	if (!is_our_chain(&in->link->end, &item->pos))
		return say(-EBADMSG,
		           "damaged %s: its frames belong to another "
		           "generation or index",
		           item->name);
	if (in->link->ends_open || !same_commits(&in->commits, commits))
		return say(-EBADMSG,
		           "damaged %s: its commits are not those of "
		           "its table",
		           item->name);
	in->link->first_txid = table->first_txid;
	in->link->last_txid = commits->at[commits->n - 1].txid;
	return 0;
}

static int take_in(struct intake *in, struct lsv_client *client,
                   const struct lsv_item *item, struct lsv_buf *tail)
{
	int r = item->pos.offset == 0 ? open_decoder(in) : 0;

	if (r == 0)
		r = get_object(in->fetch, client, item, &in->base, tail);
	if (r < 0)
		return r;
	if (!in->decoder || lsv_segment_decode_end(in->decoder) < 0)
		return complain(item);
	return 0;
}

int lsv_fetch_segment(const struct lsv_fetch *fetch, struct lsv_client *client,
                      const struct lsv_item *item, struct lsv_pages *pages,
                      struct lsv_link *link)
{
	__attribute__((cleanup(intake_free))) struct intake in = {
		.base = {intake_write, NULL},
		.fetch = fetch,
		.pages = pages,
		.link = link,
	};
	auto_buf struct lsv_buf tail = {0};
	struct lsv_table table = {0};
	int r;

	lsv_pages_reset(pages);
	*link = (struct lsv_link){.begin = {.offset = item->pos.offset}};
	r = take_in(&in, client, item, &tail);
	if (r == 0)
		r = take_table(fetch->plan, client, item, &tail, &table);
	if (r < 0 || !fetch->plan->is_ours)
		return r;
	r = check_ours(&in, item, &table);
	lsv_table_free(&table);
	return r;
}
