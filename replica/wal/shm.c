/* SPDX-License-Identifier: MIT */
#include "replica/wal/shm.h"

#include "replica/base/bytes.h"
#include "replica/wal/frame.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define COPY_SIZE 48
#define SHM_VERSION 3007000

static void copy_words(const volatile void *from, void *to, size_t n)
{
	const volatile uint32_t *src = from;
	uint32_t *dst = to;

	for (size_t i = 0; i < n / 4; i++)
		dst[i] = src[i];
}

static uint32_t host32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* The shm's own checksum reads host words. */
static bool checksum_ok(const uint8_t copy[COPY_SIZE])
{
	uint32_t s[2] = {0, 0};

	lsv_wal_checksum(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, copy, 40, s);
	return s[0] == host32(copy + 40) && s[1] == host32(copy + 44);
}

int lsv_shm_read(const volatile void *head, struct lsv_shm *shm)
{
	const volatile uint8_t *p = head;
	uint8_t a[COPY_SIZE] __attribute__((aligned(4)));
	uint8_t b[COPY_SIZE] __attribute__((aligned(4)));
	uint16_t page_size;

	/* A writer stores copy 1 first, so 0 then 1 cannot both be new and
	 * old. */
	copy_words(p, a, COPY_SIZE);
	atomic_thread_fence(memory_order_seq_cst);
	copy_words(p + COPY_SIZE, b, COPY_SIZE);
	if (memcmp(a, b, COPY_SIZE) != 0 || !a[12] ||
	    host32(a) != SHM_VERSION || !checksum_ok(a))
		return -EAGAIN;
	memcpy(&page_size, a + 14, sizeof page_size);
	*shm = (struct lsv_shm){
		.big_endian = a[13],
		.page_size = (page_size & 0xfe00U) + ((page_size & 1U) << 16),
		.mx_frame = host32(a + 16),
		.db_pages = host32(a + 20),
		.frame_checksum = {host32(a + 24), host32(a + 28)},
		.salt = {get_be32(a + 32), get_be32(a + 36)},
	};
	copy_words(p + 96, &shm->n_backfill, 4);
	return 0;
}
