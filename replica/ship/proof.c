/* SPDX-License-Identifier: MIT */
#include "replica/ship/proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct proof;

/* How one kind of bytes is proven: begin() opens 'into', end() judges. */
struct proof_kind {
	int (*begin)(struct proof *proof);
	int (*end)(struct proof *proof);
};

struct proof {
	struct lsv_reader base;
	const struct proof_kind *kind;
	struct lsv_reader *from;
	struct lsv_writer *into;
	/* of a shadow */
	struct lsv_chain begin;
	struct lsv_chain chain;
	struct lsv_commit last;
	/* of an object */
	enum lsv_codec codec;
	struct lsv_writer nowhere;
	struct lsv_buf tail;
	struct lsv_buf expected;
};

static ssize_t proof_read(struct lsv_reader *reader, void *buf, size_t n)
{
	struct proof *proof = (struct proof *)reader;
	ssize_t got = proof->from->read(proof->from, buf, n);
	int r = 0;

	if (got > 0)
		r = proof->into->write(proof->into, buf, (size_t)got);
	else if (got == 0 && n > 0)
		r = proof->kind->end(proof);
	return r < 0 ? r : got;
}

static int proof_rewind(struct lsv_reader *reader)
{
	struct proof *proof = (struct proof *)reader;
	int r = proof->from->rewind(proof->from);

	if (r < 0)
		return r;
	lsv_writer_close(take(proof->into));
	return proof->kind->begin(proof);
}

static void proof_close(struct lsv_reader *reader)
{
	struct proof *proof = (struct proof *)reader;

	lsv_writer_close(proof->into);
	lsv_buf_free(&proof->tail);
	lsv_buf_free(&proof->expected);
	free(proof);
}

static struct proof *proof_new(const struct proof_kind *kind,
                               struct lsv_reader *from)
{
	struct proof *proof = calloc(1, sizeof *proof);

	if (!proof)
		return NULL;
	proof->base = (struct lsv_reader){
		.read = proof_read,
		.rewind = from->rewind ? proof_rewind : NULL,
		.close = proof_close,
		.size = from->size,
	};
	proof->kind = kind;
	proof->from = from;
	return proof;
}

static int begin_wal(struct proof *proof)
{
	proof->chain = proof->begin;
	return lsv_segment_decode(&proof->chain, NULL, NULL, &proof->into);
}

static int end_wal(struct proof *proof)
{
	int r = lsv_segment_decode_end(proof->into);

	if (r < 0)
		return r;
	if (memcmp(proof->chain.checksum, proof->last.checksum,
	           sizeof proof->last.checksum) != 0)
		return -EBADMSG;
	return 0;
}

int lsv_proof_wal(struct lsv_reader *wal, const struct lsv_chain *from,
                  const struct lsv_commit *to, struct lsv_reader **out)
{
	static const struct proof_kind kind = {begin_wal, end_wal};
	struct proof *proof = proof_new(&kind, wal);
	auto_reader struct lsv_reader *reader = proof ? &proof->base : NULL;
	int r;

	if (!proof)
		return -ENOMEM;
	proof->begin = *from;
	proof->last = *to;
	r = begin_wal(proof);
	if (r == 0)
		*out = take(reader);
	return r;
}

static int write_nowhere(struct lsv_writer *writer, const void *buf, size_t n)
{
	(void)writer;
	(void)buf;
	(void)n;
	return 0;
}

static int begin_snapshot(struct proof *proof)
{
	proof->tail.n = 0;
	proof->nowhere = (struct lsv_writer){.write = write_nowhere};
	return lsv_decompress_open(proof->codec, &proof->nowhere, &proof->tail,
	                           &proof->into);
}

static int end_snapshot(struct proof *proof)
{
	int r = lsv_decompress_end(proof->into);

	if (r < 0)
		return r;
	if (proof->tail.n != proof->expected.n ||
	    memcmp(proof->tail.data, proof->expected.data, proof->tail.n) != 0)
		return -EBADMSG;
	return 0;
}

int lsv_proof_snapshot(enum lsv_codec codec, struct lsv_reader *object,
                       const struct lsv_table *table, struct lsv_reader **out)
{
	static const struct proof_kind kind = {begin_snapshot, end_snapshot};
	struct proof *proof = proof_new(&kind, object);
	auto_reader struct lsv_reader *reader = proof ? &proof->base : NULL;
	int r;

	if (!proof)
		return -ENOMEM;
	proof->codec = codec;
	r = lsv_table_encode(table, &proof->expected);
	if (r == 0)
		r = begin_snapshot(proof);
	if (r == 0)
		*out = take(reader);
	return r;
}
