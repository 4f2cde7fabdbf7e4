/* SPDX-License-Identifier: MIT */
#include "replica/wal/pagehash.h"

/* Inlined, so that the shim needs no library for it, and as this compiler makes
 * it: -O3, by which Debian builds it and liblz4, puts the four lanes of XXH32
 * into one vector, and that takes twice as long. */
#define XXH_INLINE_ALL
#include <stdlib.h>
#include <xxhash.h>

struct lsv_xxh32 {
	XXH32_state_t state;
};

uint64_t lsv_page_hash(uint32_t page_no, const void *page, size_t page_size)
{
	if (page_no == lsv_lock_page((uint32_t)page_size))
		return 0;
	return XXH3_64bits_withSeed(page, page_size, page_no);
}

uint64_t lsv_xxh64(const void *data, size_t n)
{
	return XXH64(data, n, 0);
}

struct lsv_xxh32 *lsv_xxh32_open(void)
{
	struct lsv_xxh32 *hash = calloc(1, sizeof *hash);

	if (hash)
		XXH32_reset(&hash->state, 0);
	return hash;
}

void lsv_xxh32_add(struct lsv_xxh32 *hash, const void *data, size_t n)
{
	XXH32_update(&hash->state, data, n);
}

uint32_t lsv_xxh32_value(const struct lsv_xxh32 *hash)
{
	return XXH32_digest(&hash->state);
}

void lsv_xxh32_close(struct lsv_xxh32 *hash)
{
	free(hash);
}
