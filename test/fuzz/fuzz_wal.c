/* SPDX-License-Identifier: MIT */

/* SQLite's own bytes: a WAL header and frames; the head of a -shm. */

#include "replica/wal/frame.h"
#include "replica/wal/shm.h"
#include "test/fuzz/fuzz.h"

#include <string.h>

static void read_shm(const uint8_t *bytes, size_t n)
{
	uint32_t head[LSV_SHM_HEAD_SIZE / 4] = {0};
	struct lsv_shm shm;

	memcpy(head, bytes, n < sizeof head ? n : sizeof head);
	(void)lsv_shm_read(head, &shm);
}

static void read_wal(const uint8_t *bytes, size_t n)
{
	struct lsv_wal_header header;
	uint8_t again[LSV_WAL_HEADER_SIZE];
	size_t at = LSV_WAL_HEADER_SIZE;
	uint32_t s[2];

	if (n < at || lsv_wal_header_decode(bytes, &header) < 0)
		return;
	must(lsv_page_size_valid(header.page_size));
	memcpy(s, header.checksum, sizeof s);
	lsv_wal_header_encode(&header, again);
	must(memcmp(bytes, again, sizeof again) == 0);
	while (n - at >= LSV_FRAME_HEADER_SIZE + (size_t)header.page_size &&
	       lsv_frame_verify(bytes + at, bytes + at + LSV_FRAME_HEADER_SIZE,
	                        header.page_size, header.big_endian,
	                        header.salt, s))
		at += LSV_FRAME_HEADER_SIZE + header.page_size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	read_shm(bytes, n);
	read_wal(bytes, n);
	return 0;
}
