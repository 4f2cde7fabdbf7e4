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
 *	  0 "LSVFSST1"   8 u32 version 2   12 u32 size of all
 *	 16 u64 epoch   24 u64 generation  32 lineage, 16 bytes
 *	 48 the tuple: u64 dev, u64 ino, u64 size, i64 mtime, i64 ctime,
 *	    boot id (16 bytes), a position
 *	128 1024 bytes for each replica: u64 hash of its URL, a position, u64
 *	    txid, i64 time, u64 snapshot bytes, u64 since the snapshot, i64
 *	    snapshot time, u32 snapshot index, u32 1 if there is one, u32
 *	    segments of the index, u32 1 if it was given up, then texts with
 *	    zeros behind them: name (32 bytes), URL (256), error (600); u32 1
 *	    if the generation's lineage and owner are there
 *	    u32 CRC-32C of all before
 *
 * A position is u64 generation, u64 offset, u32 index, u32 zero.
 */
#define MAGIC "LSVFSST1"
#define FILE_VERSION 2
#define HEADER_SIZE 16
#define REPLICA_SIZE 1024
#define REPLICAS_AT 128
#define CRC_SIZE 4
#define FILE_SIZE_MAX (REPLICAS_AT + LSV_REPLICAS_MAX * REPLICA_SIZE + CRC_SIZE)

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

/* What is behind a text's end is not for the file. */
static void text(struct cursor *c, char *value, size_t size)
{
	size_t n;

	bytes(c, value, size);
	if (c->is_put) {
		n = strnlen((char *)c->at - size, size - 1);
		memset(c->at - size + n, 0, size - n);
	} else {
		value[size - 1] = 0;
	}
}

static void flag(struct cursor *c, bool *value)
{
	uint32_t bits = *value;

	u32(c, &bits);
	*value = bits != 0;
}

static void replica(struct cursor *c, struct lsv_replica_record *r)
{
	uint8_t *end = c->at + REPLICA_SIZE;

	u64(c, &r->name_hash);
	position(c, &r->shipped);
	u64(c, &r->txid);
	i64(c, &r->time_ns);
	u64(c, &r->snapshot_bytes);
	u64(c, &r->since_snapshot);
	i64(c, &r->snapshot_ns);
	u32(c, &r->snapshot_index);
	flag(c, &r->has_snapshot);
	u32(c, &r->n_segments);
	flag(c, &r->is_broken);
	text(c, r->name, sizeof r->name);
	text(c, r->url, sizeof r->url);
	text(c, r->error, sizeof r->error);
	flag(c, &r->has_owner);
	assert(c->at <= end);
	c->at = end;
}

static void fields(struct cursor *c, struct lsv_state *s, int n_replicas)
{
	u64(c, &s->epoch);
	u64(c, &s->generation);
	bytes(c, s->lineage, sizeof s->lineage);
	tuple(c, &s->tuple);
	for (int i = 0; i < n_replicas; i++)
		replica(c, &s->replicas[i]);
}

static int count_replicas(const struct lsv_state *state)
{
	int n = LSV_REPLICAS_MAX;

	while (n > 0 && state->replicas[n - 1].name_hash == 0)
		n--;
	return n;
}

/* The size of the file. */
static size_t encode(const struct lsv_state *state, uint8_t file[FILE_SIZE_MAX])
{
	struct lsv_state copy = *state;
	struct cursor c = {file + HEADER_SIZE, true};
	int n_replicas = count_replicas(state);
	size_t crc_at = REPLICAS_AT + (size_t)n_replicas * REPLICA_SIZE;

	memset(file, 0, FILE_SIZE_MAX);
	memcpy(file, MAGIC, 8);
	put_le32(file + 8, FILE_VERSION);
	put_le32(file + 12, (uint32_t)(crc_at + CRC_SIZE));
	fields(&c, &copy, n_replicas);
	assert(c.at == file + crc_at);
	put_le32(file + crc_at, lsv_crc32c(file, crc_at));
	return crc_at + CRC_SIZE;
}

static int decode(uint8_t *file, size_t n, struct lsv_state *state)
{
	struct cursor c = {file + HEADER_SIZE, false};
	size_t crc_at = n - CRC_SIZE;

	if (n < REPLICAS_AT + CRC_SIZE ||
	    (crc_at - REPLICAS_AT) % REPLICA_SIZE != 0 ||
	    memcmp(file, MAGIC, 8) != 0 || get_le32(file + 8) != FILE_VERSION ||
	    get_le32(file + 12) != n ||
	    get_le32(file + crc_at) != lsv_crc32c(file, crc_at))
		return -EBADMSG;
	fields(&c, state, (int)((crc_at - REPLICAS_AT) / REPLICA_SIZE));
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
	r = lsv_file_read(path, FILE_SIZE_MAX, &file, &n);
	if (r < 0)
		return r == -EFBIG ? -EBADMSG : r;
	return decode((uint8_t *)file, n, state);
}

int lsv_state_store(const char *dir, const struct lsv_state *state, mode_t mode)
{
	auto_free char *path = lsv_path_join(dir, "state");
	uint8_t file[FILE_SIZE_MAX];

	if (!path)
		return -ENOMEM;
	return lsv_spool_replace(path, file, encode(state, file), mode, false);
}
