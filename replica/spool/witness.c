/* SPDX-License-Identifier: MIT */
#include "replica/spool/witness.h"

#include <string.h>

/* A writer is done within nanoseconds or is gone. */
#define TRIES 100

struct reset {
	uint32_t frame;
	uint32_t from[2];
	uint32_t to[2];
	uint32_t mid[LSV_RESET_MIDS][2];
};

static bool load(const struct lsv_coord_page *page, struct reset *reset)
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t seq = atomic_load(&page->reset_seq);

		if (seq & 1)
			continue;
		*reset = (struct reset){
			.frame = atomic_load(&page->reset_frame),
			.from = {atomic_load(&page->reset_from[0]),
		                 atomic_load(&page->reset_from[1])},
			.to = {atomic_load(&page->reset_to[0]),
		               atomic_load(&page->reset_to[1])},
		};
		for (int k = 0; k < LSV_RESET_MIDS; k++) {
			reset->mid[k][0] = atomic_load(&page->reset_mid[k][0]);
			reset->mid[k][1] = atomic_load(&page->reset_mid[k][1]);
		}
		if (atomic_load(&page->reset_seq) == seq)
			return true;
	}
	return false;
}

static void store(struct lsv_coord_page *page, const struct reset *reset)
{
	/* Odd already: a writer died here, and we go on in its place. */
	uint32_t odd = atomic_load(&page->reset_seq) | 1;

	atomic_store(&page->reset_seq, odd);
	atomic_store(&page->reset_frame, reset->frame);
	for (int i = 0; i < 2; i++) {
		atomic_store(&page->reset_from[i], reset->from[i]);
		atomic_store(&page->reset_to[i], reset->to[i]);
		for (int k = 0; k < LSV_RESET_MIDS; k++)
			atomic_store(&page->reset_mid[k][i], reset->mid[k][i]);
	}
	atomic_store(&page->reset_seq, odd + 1);
}

/* One more reset of an incarnation without a commit; false: not behind what
 * 'reset' says. */
static bool go_on(struct reset *reset, const uint32_t from[2])
{
	if (lsv_salt_equal(reset->to, from)) {
		/* The newest first: who stands there has not moved since. */
		memmove(reset->mid[1], reset->mid[0],
		        sizeof reset->mid - sizeof reset->mid[0]);
		memcpy(reset->mid[0], from, sizeof reset->mid[0]);
		return true;
	}
	/* A transaction that spilled was rolled back, the next frame writes
	 * the WAL's header anew: the shm never had the salts in between. */
	return (from[0] || from[1]) && lsv_salt_equal(reset->mid[0], from);
}

/* A header with the salts that the shm has: what one before it announced is
 * not to come. */
static void take_back(struct lsv_coord_page *page, const uint32_t salt[2])
{
	struct reset reset;

	if ((!salt[0] && !salt[1]) || !load(page, &reset) ||
	    !lsv_salt_equal(reset.mid[0], salt))
		return;
	memcpy(reset.to, salt, sizeof reset.to);
	store(page, &reset);
}

void lsv_witness_reset(struct lsv_coord_page *page, const uint32_t from[2],
                       uint32_t frame, const uint32_t to[2])
{
	struct reset reset;

	if (lsv_salt_equal(from, to)) {
		take_back(page, from);
		return;
	}
	if (frame > 0 || !load(page, &reset) || !go_on(&reset, from))
		reset = (struct reset){.frame = frame,
		                       .from = {from[0], from[1]}};
	reset.to[0] = to[0];
	reset.to[1] = to[1];
	store(page, &reset);
}

/* 'live' is what the reset led to, or an empty WAL on the way there: one whose
 * first frame, under new salts, was rolled back. */
static bool leads_to(const struct reset *reset, const struct lsv_shm *live)
{
	if (lsv_salt_equal(reset->to, live->salt))
		return true;
	for (int k = 0; live->mx_frame == 0 && k < LSV_RESET_MIDS; k++) {
		if ((live->salt[0] || live->salt[1]) &&
		    lsv_salt_equal(reset->mid[k], live->salt))
			return true;
	}
	return false;
}

bool lsv_witness_follows(const struct lsv_coord_page *page,
                         const uint32_t salt[2], uint32_t frame,
                         const struct lsv_shm *live, bool *is_new)
{
	struct reset reset;

	*is_new = false;
	if (lsv_salt_equal(salt, live->salt))
		return frame <= live->mx_frame;
	*is_new = true;
	if (!load(page, &reset) || !leads_to(&reset, live))
		return false;
	for (int k = 0; frame == 0 && k < LSV_RESET_MIDS; k++) {
		if ((salt[0] || salt[1]) && lsv_salt_equal(reset.mid[k], salt))
			return lsv_salt_equal(reset.to, live->salt);
	}
	return reset.frame == frame && lsv_salt_equal(reset.from, salt);
}
