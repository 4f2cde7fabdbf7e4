/* SPDX-License-Identifier: MIT */
#include "replica/spool/witness.h"

/* A writer is done within nanoseconds or is gone. */
#define TRIES 100

struct reset {
	uint32_t frame;
	uint32_t from[2];
	uint32_t to[2];
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
	}
	atomic_store(&page->reset_seq, odd + 1);
}

void lsv_witness_reset(struct lsv_coord_page *page, const uint32_t from[2],
                       uint32_t frame, const uint32_t to[2])
{
	struct reset reset;

	if (lsv_salt_equal(from, to))
		return;
	if (!(frame == 0 && load(page, &reset) &&
	      lsv_salt_equal(reset.to, from)))
		reset = (struct reset){frame, {from[0], from[1]}, {0}};
	reset.to[0] = to[0];
	reset.to[1] = to[1];
	store(page, &reset);
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
	return load(page, &reset) && reset.frame == frame &&
	       lsv_salt_equal(reset.from, salt) &&
	       lsv_salt_equal(reset.to, live->salt);
}
