/* SPDX-License-Identifier: MIT */

/*
 *	thread 1   get 0 │write│ get 3 ....│write│
 *	thread 2   get 1 ......│write│ get 4 ....
 *	thread 3   get 2 ............│write│ get 5
 *
 * A thread holds one piece until its turn has come, so memory is bounded by
 * their number, however slow one of them is.  A piece that is cut on its way is
 * the client's to resume.
 */

#include "replica/restore/ranges.h"

#include "replica/restore/parallel.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ranges {
	struct lsv_client *client;
	const char *name;
	uint64_t size;
	struct lsv_writer *into;

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t next;  /* piece to get */
	uint64_t turn;  /* piece that may be written */
	bool has_ended; /* the object is shorter */
	int error;      /* the first one stays */
};

struct piece {
	struct lsv_writer base;
	struct ranges *ranges;
	uint8_t *bytes;
	size_t n;
	size_t wanted;
};

/* Under the mutex. */
static bool is_over(const struct ranges *ranges)
{
	return ranges->error || ranges->has_ended;
}

/* 'from': whose words say why; NULL: nobody's. */
static void set_error(struct ranges *ranges, int error,
                      const struct lsv_client *from)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&ranges->mutex);

	if (is_over(ranges))
		return;
	ranges->error = error;
	if (from && from->why && ranges->client->why)
		memcpy(ranges->client->why, from->why, LSV_CLIENT_WHY_SIZE);
	pthread_cond_broadcast(&ranges->changed);
}

/* False when there is none left to get. */
static bool take_piece(struct ranges *ranges, uint64_t *i)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&ranges->mutex);

	if (is_over(ranges) || ranges->next * LSV_RANGES_PIECE >= ranges->size)
		return false;
	*i = ranges->next++;
	return true;
}

/* False: it is over before that. */
static bool wait_turn(struct ranges *ranges, uint64_t i)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&ranges->mutex);

	while (ranges->turn != i && !is_over(ranges))
		pthread_cond_wait(&ranges->changed, &ranges->mutex);
	return !is_over(ranges);
}

static void pass_turn(struct ranges *ranges, bool is_short)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&ranges->mutex);

	ranges->turn++;
	ranges->has_ended |= is_short;
	pthread_cond_broadcast(&ranges->changed);
}

static bool is_in_vain(struct ranges *ranges)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&ranges->mutex);

	return is_over(ranges);
}

static int keep(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct piece *piece = (struct piece *)writer;

	if (is_in_vain(piece->ranges))
		return -ECANCELED;
	if (n > piece->wanted - piece->n)
		return -EPROTO;
	memcpy(piece->bytes + piece->n, buf, n);
	piece->n += n;
	return 0;
}

static int get_piece(struct ranges *ranges, struct lsv_client *client,
                     uint64_t i, struct piece *piece)
{
	uint64_t offset = i * LSV_RANGES_PIECE;
	uint64_t left = ranges->size - offset;
	const struct lsv_range range = {
		.offset = offset,
		.n = left < LSV_RANGES_PIECE ? left : LSV_RANGES_PIECE,
	};

	piece->n = 0;
	piece->wanted = (size_t)range.n;
	return client->ops->get(client, ranges->name, &range, &piece->base);
}

static int write_piece(struct ranges *ranges, uint64_t i,
                       const struct piece *piece)
{
	int r = 0;

	if (!wait_turn(ranges, i))
		return -ECANCELED;
	if (piece->n)
		r = ranges->into->write(ranges->into, piece->bytes, piece->n);
	if (r == 0)
		pass_turn(ranges, piece->n < piece->wanted);
	return r;
}

static void work(void *arg)
{
	struct ranges *ranges = arg;
	auto_client struct lsv_client *client = NULL;
	auto_free uint8_t *bytes = malloc((size_t)LSV_RANGES_PIECE);
	struct piece piece = {
		.base = {.write = keep},
		.ranges = ranges,
		.bytes = bytes,
	};
	int r = bytes ? ranges->client->ops->clone(ranges->client, &client)
	              : -ENOMEM;
	uint64_t i;

	if (r < 0)
		set_error(ranges, r, NULL);
	while (r == 0 && take_piece(ranges, &i)) {
		r = get_piece(ranges, client, i, &piece);
		if (r < 0)
			set_error(ranges, r, client);
		else
			r = write_piece(ranges, i, &piece);
		if (r < 0)
			set_error(ranges, r, NULL);
	}
}

int lsv_ranges_get(struct lsv_client *client, const char *name, uint64_t size,
                   unsigned n_threads, struct lsv_writer *into)
{
	uint64_t n = (size + LSV_RANGES_PIECE - 1) / LSV_RANGES_PIECE;
	struct ranges ranges = {
		.client = client,
		.name = name,
		.size = size,
		.into = into,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};

	lsv_parallel(n < n_threads ? (unsigned)n : n_threads, work, &ranges);
	return ranges.error;
}
