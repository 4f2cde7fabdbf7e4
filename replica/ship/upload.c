/* SPDX-License-Identifier: MIT */
#include "replica/ship/upload.h"

#include "replica/format/layout.h"
#include "replica/format/segment.h"
#include "replica/ship/proof.h"
#include "replica/ship/put.h"

#include <errno.h>
#include <string.h>

/* WAL bytes up to which an object is encoded in memory before it is put. */
#define IN_MEMORY ((uint64_t)8 << 20)

/* The chain behind the header of an index's shadow.  -EBADMSG: it is not this
 * generation's and index's. */
static int read_header(const struct lsv_upload *upload, uint32_t index,
                       struct lsv_chain *chain)
{
	auto_reader struct lsv_reader *reader = NULL;
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header, ours;
	ssize_t got;
	int r = lsv_shadow_read(upload->gen_dir, index, 0, sizeof bytes,
	                        &reader);

	if (r < 0)
		return r;
	got = lsv_read_full(reader, bytes, sizeof bytes);
	if (got < 0)
		return (int)got;
	r = lsv_wal_header_decode(bytes, &header);
	if (r < 0)
		return r;
	lsv_shadow_header(upload->generation, index, header.page_size, &ours);
	if (memcmp(header.salt, ours.salt, sizeof ours.salt) != 0)
		return -EBADMSG;
	chain->page_size = header.page_size;
	chain->big_endian = header.big_endian;
	memcpy(chain->salt, header.salt, sizeof chain->salt);
	return 0;
}

/* Where the chain of an index stands at 'from', the end of a commit. */
static int chain_at(const struct lsv_upload *upload, uint32_t index,
                    uint64_t from, struct lsv_chain *chain)
{
	struct lsv_records before = {0};
	struct lsv_chain behind_header;
	int r = read_header(upload, index, &behind_header);

	*chain = (struct lsv_chain){0};
	if (r < 0 || from == 0)
		return r;
	r = lsv_shadow_records(upload->gen_dir, index, from - 1, from, false,
	                       &before);
	if (r == 0 && before.n != 1)
		r = -EINVAL;
	if (r == 0) {
		*chain = behind_header;
		chain->offset = from;
		memcpy(chain->checksum, before.at[0].commit.checksum,
		       sizeof chain->checksum);
	}
	free(before.at);
	return r;
}

/* The commit table of (from, to]. */
static int table_of(const struct lsv_upload *upload, uint32_t index,
                    uint64_t from, uint64_t to, struct lsv_table *table)
{
	struct lsv_records records = {0};
	int r = lsv_shadow_records(upload->gen_dir, index, from, to, false,
	                           &records);

	for (size_t i = 0; i < records.n && r == 0; i++)
		r = lsv_commits_append(&table->commits, records.at[i].commit);
	if (r == 0 &&
	    (records.n == 0 || records.at[records.n - 1].commit.end != to))
		r = -EINVAL;
	if (r == 0)
		table->first_txid = records.at[0].commit.txid;
	free(records.at);
	return r;
}

static int put_segment(struct lsv_client *client, enum lsv_codec codec,
                       struct lsv_reader *wal, const struct lsv_table *table,
                       uint64_t *n_bytes)
{
	const struct lsv_commits *commits = &table->commits;
	const struct lsv_commit *last = &commits->at[commits->n - 1];
	bool is_small = last->end - table->first.offset <= IN_MEMORY;
	auto_free char *name = lsv_layout_segment(&table->first, codec);
	auto_reader struct lsv_reader *object = NULL;
	int r = name ? lsv_segment_encode(codec, wal, table, &object) : -ENOMEM;

	if (r < 0)
		return r;
	return (is_small ? lsv_put_from_memory : lsv_put)(
		client, name, object, last->time_ns, LSV_PUT_NEXT, n_bytes);
}

int lsv_upload_segment(const struct lsv_upload *upload,
                       struct lsv_client *client, uint32_t index, uint64_t from,
                       uint64_t to, uint64_t *n_bytes)
{
	auto_reader struct lsv_reader *bytes = NULL;
	auto_reader struct lsv_reader *proof = NULL;
	auto_table struct lsv_table table = {
		.first = {upload->generation, index, from},
	};
	struct lsv_chain chain;
	int r;

	memcpy(table.lineage, upload->lineage, LSV_LINEAGE_SIZE);
	if (from >= to)
		return -EINVAL;
	r = table_of(upload, index, from, to, &table);
	if (r == 0)
		r = chain_at(upload, index, from, &chain);
	if (r == 0)
		r = lsv_shadow_read(upload->gen_dir, index, from, to, &bytes);
	if (r == 0)
		r = lsv_proof_wal(bytes, &chain,
		                  &table.commits.at[table.commits.n - 1],
		                  &proof);
	if (r != 0)
		return r;
	return put_segment(client, upload->codec, proof, &table, n_bytes);
}
