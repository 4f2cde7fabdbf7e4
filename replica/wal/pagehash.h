/* SPDX-License-Identifier: MIT */
#ifndef LSV_PAGEHASH_H
#define LSV_PAGEHASH_H

/*
 * The page-hash checksum of a database: XOR over its pages 1..n of
 * XXH3-64(page, seed = page number), without the lock-byte page.  XOR, so
 * that a commit updates it by the pages it wrote.
 */

#include <stddef.h>
#include <stdint.h>

/* 0 for the lock-byte page. */
uint64_t lsv_page_hash(uint32_t page_no, const void *page, size_t page_size)
	__attribute__((nonnull));

/* XXH64, seed 0: the checksum that ends a commit table. */
uint64_t lsv_xxh64(const void *data, size_t n) __attribute__((nonnull));

/* XXH32, seed 0, of bytes that come in pieces: what ends an LZ4 frame. */
struct lsv_xxh32;
struct lsv_xxh32 *lsv_xxh32_open(void); /* NULL: out of memory */
void lsv_xxh32_add(struct lsv_xxh32 *hash, const void *data, size_t n);
uint32_t lsv_xxh32_value(const struct lsv_xxh32 *hash);
void lsv_xxh32_close(struct lsv_xxh32 *hash); /* NULL is fine */

/* The page that holds the byte at 1 GiB; SQLite never stores content there. */
static inline uint32_t lsv_lock_page(uint32_t page_size)
{
	return UINT32_C(0x40000000) / page_size + 1;
}

#endif
