/* SPDX-License-Identifier: MIT */
#include "replica/restore/relay.h"

#include <errno.h>
#include <string.h>

void lsv_relay_init(struct lsv_relay *relay)
{
	*relay = (struct lsv_relay){
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
}

void lsv_relay_free(struct lsv_relay *relay)
{
	free(relay->bytes);
}

static uint8_t *slot_of(const struct lsv_relay *relay, uint64_t i)
{
	return relay->bytes + i % LSV_RELAY_SLOTS * LSV_RELAY_SLOT;
}

/* Waits for a free slot; false: there is no taker. */
static bool wait_free(struct lsv_relay *relay, uint64_t *i, int *error)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&relay->mutex);

	while (relay->n_put - relay->n_taken == LSV_RELAY_SLOTS &&
	       relay->error == 0)
		pthread_cond_wait(&relay->changed, &relay->mutex);
	*i = relay->n_put;
	*error = relay->error;
	return relay->has_taker;
}

static void put(struct lsv_relay *relay, uint64_t i, size_t n)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&relay->mutex);

	relay->n[i % LSV_RELAY_SLOTS] = n;
	relay->n_put++;
	pthread_cond_broadcast(&relay->changed);
}

static int relay_write(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct lsv_relay *relay = (struct lsv_relay *)writer;
	const uint8_t *bytes = buf;

	while (n > 0) {
		size_t n_slot = n < LSV_RELAY_SLOT ? n : LSV_RELAY_SLOT;
		uint64_t i;
		int error;
		bool has_taker = wait_free(relay, &i, &error);

		if (error == 0 && !has_taker)
			error = relay->into->write(relay->into, bytes, n_slot);
		if (error < 0)
			return error;
		if (has_taker) {
			memcpy(slot_of(relay, i), bytes, n_slot);
			put(relay, i, n_slot);
		}
		bytes += n_slot;
		n -= n_slot;
	}
	return 0;
}

int lsv_relay_begin(struct lsv_relay *relay, struct lsv_writer *into)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&relay->mutex);

	relay->bytes = malloc(LSV_RELAY_SLOTS * LSV_RELAY_SLOT);
	if (!relay->bytes)
		return -ENOMEM;
	relay->base.write = relay_write;
	relay->into = into;
	return 0;
}

int lsv_relay_end(struct lsv_relay *relay)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&relay->mutex);

	relay->has_ended = true;
	pthread_cond_broadcast(&relay->changed);
	while (relay->is_writing ||
	       (relay->n_taken < relay->n_put && relay->error == 0))
		pthread_cond_wait(&relay->changed, &relay->mutex);
	return relay->error;
}

void lsv_relay_fail(struct lsv_relay *relay, int error)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&relay->mutex);

	if (relay->error == 0)
		relay->error = error;
	pthread_cond_broadcast(&relay->changed);
}

static bool become_taker(struct lsv_relay *relay)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&relay->mutex);

	if (relay->has_taker)
		return false;
	relay->has_taker = true;
	return true;
}

/* Waits for a full slot; false: there will be none. */
static bool wait_full(struct lsv_relay *relay, uint64_t *i)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&relay->mutex);

	while (relay->n_taken == relay->n_put && !relay->has_ended &&
	       relay->error == 0)
		pthread_cond_wait(&relay->changed, &relay->mutex);
	*i = relay->n_taken;
	relay->is_writing = relay->error == 0 && relay->n_taken < relay->n_put;
	return relay->is_writing;
}

static void pass_slot(struct lsv_relay *relay, int r)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&relay->mutex);

	relay->is_writing = false;
	relay->n_taken++;
	if (relay->error == 0)
		relay->error = r;
	pthread_cond_broadcast(&relay->changed);
}

void lsv_relay_take(struct lsv_relay *relay)
{
	uint64_t i;

	if (!become_taker(relay))
		return;
	while (wait_full(relay, &i))
		pass_slot(relay,
		          relay->into->write(relay->into, slot_of(relay, i),
		                             relay->n[i % LSV_RELAY_SLOTS]));
}
