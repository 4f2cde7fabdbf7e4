/* SPDX-License-Identifier: MIT */
#include "replica/restore/backwards.h"

#include "replica/base/bytes.h"
#include "replica/wal/frame.h"

#include <stddef.h>

static uint32_t word(bool big_endian, const uint8_t *p)
{
	return big_endian ? get_be32(p) : get_le32(p);
}

static void undo(bool big_endian, const uint8_t *bytes, size_t n, uint32_t s[2])
{
	while (n >= 8) {
		n -= 8;
		s[1] -= word(big_endian, bytes + n + 4) + s[0];
		s[0] -= word(big_endian, bytes + n) + s[1];
	}
}

void lsv_frame_backwards(bool big_endian, const uint8_t *frame,
                         uint32_t page_size, uint32_t s[2])
{
	undo(big_endian, frame + LSV_FRAME_HEADER_SIZE, page_size, s);
	undo(big_endian, frame, 8, s);
}
