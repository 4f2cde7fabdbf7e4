/* SPDX-License-Identifier: MIT */
#include "replica/wal/pagehash.h"

/* Inlined, so that the shim needs no library for it. */
#define XXH_INLINE_ALL
#include <xxhash.h>

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
