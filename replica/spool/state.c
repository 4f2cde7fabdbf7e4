/* SPDX-License-Identifier: MIT */
#include "replica/spool/state.h"

#include "replica/base/bytes.h"
#include "replica/base/cleanup.h"
#include "replica/base/crc32c.h"
#include "replica/base/fileio.h"
#include "replica/spool/spoolfile.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/*
 * The file, little-endian:
 *
 *	  0 "LSVFSST1"   8 u32 version 1   12 u32 size of all
 *	 16 u64 epoch   24 u64 generation  32 lineage, 16 bytes
 *	 48 the tuple: u64 dev, u64 ino, u64 size, i64 mtime, i64 ctime,
 *	    boot id (16 bytes), a position
 *	128 eight replicas of 296 bytes: u64 name hash, a position, u64 txid,
 *	    i64 time, u64 snapshot bytes, u64 since the snapshot, i64 snapshot
 *	    time, u32 snapshot index, u32 1 if there is one, error text (200
 *	    bytes, zeros behind it), u32 segments of the index, 12 zeros
 *	    u32 CRC-32C of all before
 *
 * A position is u64 generation, u64 offset, u32 index, u32 zero.
 */
#define MAGIC "LSVFSST1"
#define FILE_VERSION 1
#define HEADER_SIZE 16
#define REPLICA_SIZE 296
#define REPLICAS_AT 128
#define CRC_AT (REPLICAS_AT + LSV_REPLICAS_MAX * REPLICA_SIZE)
#define FILE_SIZE (CRC_AT + 4)

/*
 * One list of the fields serves both ways: a cursor over the bytes puts each
 * value or gets it.
 */
struct cursor {
	uint8_t *at;
	bool is_put;
};

static void u64(struct cursor *c, uint64_t *value)
{
	if (c->is_put)
		put_le64(c->at, *value);
	else
		*value = get_le64(c->at);
	c->at += 8;
}

static void i64(struct cursor *c, int64_t *value)
{
	uint64_t bits = (uint64_t)*value;

	u64(c, &bits);
	*value = (int64_t)bits;
}

static void u32(struct cursor *c, uint32_t *value)
{
	if (c->is_put)
		put_le32(c->at, *value);
	else
		*value = get_le32(c->at);
	c->at += 4;
}

static void bytes(struct cursor *c, void *value, size_t n)
{
	if (c->is_put)
		memcpy(c->at, value, n);
	else
		memcpy(value, c->at, n);
	c->at += n;
}

static void position(struct cursor *c, struct lsv_pos *pos)
{
	u64(c, &pos->generation);
	u64(c, &pos->offset);
	u32(c, &pos->index);
	c->at += 4;
}

static void tuple(struct cursor *c, struct lsv_tuple *t)
{
	u64(c, &t->dev);
	u64(c, &t->ino);
	u64(c, &t->size);
	i64(c, &t->mtime_ns);
	i64(c, &t->ctime_ns);
	bytes(c, t->boot, sizeof t->boot);
	position(c, &t->pos);
}

static void replica(struct cursor *c, struct lsv_replica_record *r)
{
	uint32_t has_snapshot = r->has_snapshot;
	uint8_t *end = c->at + REPLICA_SIZE;

	u64(c, &r->name_hash);
	position(c, &r->shipped);
	u64(c, &r->txid);
	i64(c, &r->time_ns);
	u64(c, &r->snapshot_bytes);
	u64(c, &r->since_snapshot);
	i64(c, &r->snapshot_ns);
	u32(c, &r->snapshot_index);
	u32(c, &has_snapshot);
	r->has_snapshot = has_snapshot;
	bytes(c, r->error, sizeof r->error);
	u32(c, &r->n_segments);
	c->at = end;
}

static void fields(struct cursor *c, struct lsv_state *s)
{
	u64(c, &s->epoch);
	u64(c, &s->generation);
	bytes(c, s->lineage, sizeof s->lineage);
	tuple(c, &s->tuple);
	for (int i = 0; i < LSV_REPLICAS_MAX; i++)
		replica(c, &s->replicas[i]);
}

/* What is behind a text's end is not for the file. */
static void clear_tails(struct lsv_state *state)
{
	for (int i = 0; i < LSV_REPLICAS_MAX; i++) {
		char *error = state->replicas[i].error;
		size_t n = strnlen(error, LSV_ERROR_TEXT_SIZE - 1);

		memset(error + n, 0, LSV_ERROR_TEXT_SIZE - n);
	}
}

static void encode(const struct lsv_state *state, uint8_t file[FILE_SIZE])
{
	struct lsv_state copy = *state;
	struct cursor c = {file + HEADER_SIZE, true};

	clear_tails(&copy);
	memset(file, 0, FILE_SIZE);
	memcpy(file, MAGIC, 8);
	put_le32(file + 8, FILE_VERSION);
	put_le32(file + 12, FILE_SIZE);
	fields(&c, &copy);
	assert(c.at == file + CRC_AT);
	put_le32(file + CRC_AT, lsv_crc32c(file, CRC_AT));
}

static int decode(uint8_t *file, size_t n, struct lsv_state *state)
{
	struct cursor c = {file + HEADER_SIZE, false};

	if (n != FILE_SIZE || memcmp(file, MAGIC, 8) != 0 ||
	    get_le32(file + 8) != FILE_VERSION ||
	    get_le32(file + 12) != FILE_SIZE ||
	    get_le32(file + CRC_AT) != lsv_crc32c(file, CRC_AT))
		return -EBADMSG;
	fields(&c, state);
	clear_tails(state);
	return 0;
}

int lsv_state_load(const char *dir, struct lsv_state *state)
{
	auto_free char *path = lsv_path_join(dir, "state");
	auto_free char *file = NULL;
	size_t n;
	int r;

	memset(state, 0, sizeof *state);
	if (!path)
		return -ENOMEM;
	r = lsv_file_read(path, FILE_SIZE, &file, &n);
	if (r < 0)
		return r == -EFBIG ? -EBADMSG : r;
	return decode((uint8_t *)file, n, state);
}

int lsv_state_store(const char *dir, const struct lsv_state *state, mode_t mode)
{
	auto_free char *path = lsv_path_join(dir, "state");
	uint8_t file[FILE_SIZE];

	if (!path)
		return -ENOMEM;
	encode(state, file);
	return lsv_spool_replace(path, file, sizeof file, mode, false);
}
