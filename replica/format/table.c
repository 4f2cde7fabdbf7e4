/* SPDX-License-Identifier: MIT */
#include "replica/format/table.h"

#include "replica/base/bytes.h"
#include "replica/wal/pagehash.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "LSVFSCT1"
#define HEADER_SIZE 72

enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_HEADER_SIZE = 12,
	AT_RECORD_SIZE = 16,
	AT_COUNT = 20,
	AT_GENERATION = 24,
	AT_INDEX = 32,
	AT_ZERO = 36,
	AT_FIRST_OFFSET = 40,
	AT_FIRST_TXID = 48,
	AT_LINEAGE = 56,
};

/* What the trailer holds, from the end. */
enum {
	BEFORE_END_HASH = 16,
	BEFORE_END_LENGTH = 8,
	BEFORE_END_MAGIC = 4,
};

bool lsv_table_is_snapshot(const struct lsv_table *table)
{
	return table->first.offset == 0 && table->commits.n == 1 &&
	       table->commits.at[0].end == 0;
}

/* Ends rise, txids have no holes (I1). */
static bool is_in_order(const struct lsv_table *table)
{
	uint64_t end = table->first.offset;

	for (size_t i = 0; i < table->commits.n; i++) {
		const struct lsv_commit *commit = &table->commits.at[i];

		if (commit->txid != table->first_txid + i ||
		    commit->db_pages == 0 ||
		    (commit->end <= end && !lsv_table_is_snapshot(table)))
			return false;
		end = commit->end;
	}
	return true;
}

static void encode_header(const struct lsv_table *table, uint8_t *p)
{
	memcpy(p + AT_MAGIC, MAGIC, 8);
	put_le32(p + AT_VERSION, LSV_TABLE_VERSION);
	put_le32(p + AT_HEADER_SIZE, HEADER_SIZE);
	put_le32(p + AT_RECORD_SIZE, LSV_COMMIT_SIZE);
	put_le32(p + AT_COUNT, (uint32_t)table->commits.n);
	put_le64(p + AT_GENERATION, table->first.generation);
	put_le32(p + AT_INDEX, table->first.index);
	put_le32(p + AT_ZERO, 0);
	put_le64(p + AT_FIRST_OFFSET, table->first.offset);
	put_le64(p + AT_FIRST_TXID, table->first_txid);
	memcpy(p + AT_LINEAGE, table->lineage, LSV_LINEAGE_SIZE);
}

int lsv_table_encode(const struct lsv_table *table, struct lsv_buf *into)
{
	const struct lsv_commits *commits = &table->commits;
	size_t n;
	uint8_t *p;
	int r;

	/* What a reader would refuse must not get out. */
	if (commits->n == 0 || !is_in_order(table))
		return -EINVAL;
	if (commits->n > (UINT32_MAX - HEADER_SIZE - LSV_TABLE_TRAILER_SIZE) /
	                         LSV_COMMIT_SIZE)
		return -EFBIG;
	n = HEADER_SIZE + commits->n * LSV_COMMIT_SIZE + LSV_TABLE_TRAILER_SIZE;
	r = lsv_buf_reserve(into, n);
	if (r < 0)
		return r;
	p = into->data + into->n;
	encode_header(table, p);
	for (size_t i = 0; i < commits->n; i++)
		lsv_commit_encode(&commits->at[i],
		                  p + HEADER_SIZE + i * LSV_COMMIT_SIZE);
	put_le64(p + n - BEFORE_END_HASH, lsv_xxh64(p, n - BEFORE_END_HASH));
	put_le32(p + n - BEFORE_END_LENGTH, (uint32_t)n);
	put_le32(p + n - BEFORE_END_MAGIC, LSV_TABLE_END_MAGIC);
	into->n += n;
	return 0;
}

/* The sizes that the bytes claim, once they are known to be whole. */
struct shape {
	uint32_t header_size;
	uint32_t record_size;
	uint32_t count;
};

static int check_shape(const uint8_t *p, size_t n, struct shape *shape)
{
	struct shape s;

	if (n < 8 || memcmp(p, MAGIC, 8) != 0)
		return -ENOENT;
	if (n < HEADER_SIZE + LSV_TABLE_TRAILER_SIZE ||
	    get_le32(p + n - BEFORE_END_MAGIC) != LSV_TABLE_END_MAGIC ||
	    get_le32(p + n - BEFORE_END_LENGTH) != n ||
	    get_le64(p + n - BEFORE_END_HASH) !=
	            lsv_xxh64(p, n - BEFORE_END_HASH))
		return -EBADMSG;
	if (get_le32(p + AT_VERSION) != LSV_TABLE_VERSION)
		return -EPROTO;
	s.header_size = get_le32(p + AT_HEADER_SIZE);
	s.record_size = get_le32(p + AT_RECORD_SIZE);
	s.count = get_le32(p + AT_COUNT);
	if (s.header_size < HEADER_SIZE || s.record_size < LSV_COMMIT_SIZE ||
	    s.count == 0 ||
	    n != (uint64_t)s.header_size + (uint64_t)s.record_size * s.count +
	                    LSV_TABLE_TRAILER_SIZE)
		return -EBADMSG;
	*shape = s;
	return 0;
}

static void decode_header(const uint8_t *p, struct lsv_table *table)
{
	table->first = (struct lsv_pos){
		.generation = get_le64(p + AT_GENERATION),
		.index = get_le32(p + AT_INDEX),
		.offset = get_le64(p + AT_FIRST_OFFSET),
	};
	table->first_txid = get_le64(p + AT_FIRST_TXID);
	memcpy(table->lineage, p + AT_LINEAGE, LSV_LINEAGE_SIZE);
}

int lsv_table_decode(const uint8_t *bytes, size_t n, struct lsv_table *table)
{
	auto_free struct lsv_commit *at = NULL;
	struct lsv_table t = {0};
	struct shape shape;
	int r = check_shape(bytes, n, &shape);

	if (r < 0)
		return r;
	at = calloc(shape.count, sizeof *at);
	if (!at)
		return -ENOMEM;
	decode_header(bytes, &t);
	for (size_t i = 0; i < shape.count; i++)
		lsv_commit_decode(bytes + shape.header_size +
		                          i * shape.record_size,
		                  &at[i]);
	t.commits = (struct lsv_commits){at, shape.count, shape.count};
	if (!is_in_order(&t))
		return -EBADMSG;
	take(at);
	*table = t;
	return 0;
}

void lsv_table_free(struct lsv_table *table)
{
	free(table->commits.at);
	*table = (struct lsv_table){0};
}
