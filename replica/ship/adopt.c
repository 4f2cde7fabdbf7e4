/* SPDX-License-Identifier: MIT */
#include "replica/ship/adopt.h"

#include <errno.h>
#include <string.h>

/* Enough for the tables of most segments; more is asked for. */
#define TAIL_GUESS 4096

static int get_tail(struct lsv_client *client, const char *name, size_t n,
                    struct lsv_buf *bytes)
{
	const struct lsv_range range = {.n = n, .from_end = 1};
	auto_writer struct lsv_writer *into = lsv_writer_buf(bytes);

	if (!into)
		return -ENOMEM;
	bytes->n = 0;
	return client->ops->get(client, name, &range, into);
}

static int get_table(struct lsv_client *client, const char *name,
                     struct lsv_table *table)
{
	auto_buf struct lsv_buf bytes = {0};
	const uint8_t *tail = NULL;
	size_t n_tail = 0, needed = 0;
	int r = get_tail(client, name, TAIL_GUESS, &bytes);

	if (r == 0)
		r = lsv_codec_tail(bytes.data, bytes.n, &tail, &n_tail,
		                   &needed);
	if (r == -ENOENT && needed > 0 && needed < SIZE_MAX / 2) {
		r = get_tail(client, name, bytes.n + needed, &bytes);
		if (r == 0)
			r = lsv_codec_tail(bytes.data, bytes.n, &tail, &n_tail,
			                   &needed);
	}
	return r < 0 ? r : lsv_table_decode(tail, n_tail, table);
}

static bool is_same_commit(const struct lsv_commit *a,
                           const struct lsv_commit *b)
{
	return a->end == b->end && a->txid == b->txid &&
	       a->page_hash == b->page_hash && a->db_pages == b->db_pages &&
	       memcmp(a->checksum, b->checksum, sizeof a->checksum) == 0;
}

/* Every commit of the table is the shadow's. */
static int compare(const struct lsv_upload *upload, uint32_t index,
                   uint64_t from, const struct lsv_table *table,
                   struct lsv_commit *last)
{
	const struct lsv_commits *commits = &table->commits;
	struct lsv_records records = {0};
	bool is_same;
	int r;

	if (commits->n == 0 || table->first.generation != upload->generation ||
	    table->first.index != index || table->first.offset != from ||
	    memcmp(table->lineage, upload->lineage, LSV_LINEAGE_SIZE) != 0)
		return -EEXIST;
	r = lsv_shadow_records(upload->gen_dir, index, from,
	                       commits->at[commits->n - 1].end, false,
	                       &records);
	is_same = r == 0 && records.n == commits->n;
	for (size_t i = 0; is_same && i < commits->n; i++)
		is_same = is_same_commit(&records.at[i].commit,
		                         &commits->at[i]);
	free(records.at);
	if (r < 0)
		return r;
	if (!is_same)
		return -EEXIST;
	*last = commits->at[commits->n - 1];
	return 0;
}

int lsv_adopt_segment(const struct lsv_upload *upload,
                      struct lsv_client *client, uint32_t index, uint64_t from,
                      struct lsv_commit *last)
{
	const struct lsv_pos pos = {upload->generation, index, from};
	auto_free char *name = lsv_layout_segment(&pos, upload->codec);
	struct lsv_table table;
	int r;

	if (!name)
		return -ENOMEM;
	r = get_table(client, name, &table);
	if (r == -ENOENT || r == -EBADMSG)
		return -EEXIST;
	if (r < 0)
		return r;
	r = compare(upload, index, from, &table, last);
	lsv_table_free(&table);
	return r;
}
