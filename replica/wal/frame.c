/* SPDX-License-Identifier: MIT */
#include "replica/wal/frame.h"

#include "replica/base/bytes.h"

#include <errno.h>
#include <string.h>

#define MAGIC UINT32_C(0x377f0682)
#define FORMAT 3007000
#define N_LANES 4

static uint32_t word(bool big_endian, const uint8_t *p)
{
	return big_endian ? get_be32(p) : get_le32(p);
}

/* One step takes s to (s0 + s1, s0 + 2 s1) and adds the words: it is linear.
 * So a lane that began at zero is put behind another by as many steps, and
 * those are a power of the matrix ((1,1),(1,2)), which is symmetric. */
struct steps {
	uint32_t a, b, c; /* ((a,b),(b,c)) */
};

static struct steps steps_of(size_t n)
{
	struct steps power = {1, 1, 2}, all = {1, 0, 1};

	for (; n; n >>= 1) {
		struct steps p = power;

		if (n & 1)
			all = (struct steps){all.a * p.a + all.b * p.b,
			                     all.a * p.b + all.b * p.c,
			                     all.b * p.b + all.c * p.c};
		power = (struct steps){p.a * p.a + p.b * p.b,
		                       p.a * p.b + p.b * p.c,
		                       p.b * p.b + p.c * p.c};
	}
	return all;
}

static inline void put_behind(const struct steps *steps, uint32_t *s0,
                              uint32_t *s1, uint32_t lane0, uint32_t lane1)
{
	uint32_t before = *s0;

	*s0 = steps->a * before + steps->b * *s1 + lane0;
	*s1 = steps->b * before + steps->c * *s1 + lane1;
}

static inline void step(bool big_endian, const uint8_t *p, uint32_t *s0,
                        uint32_t *s1)
{
	*s0 += word(big_endian, p) + *s1;
	*s1 += word(big_endian, p + 4) + *s0;
}

/* Each word waits for the one before it, so four lanes take little longer than
 * one. */
static void checksum_in_lanes(bool big_endian, const uint8_t *p, size_t n,
                              uint32_t s[2])
{
	size_t lane = n / N_LANES;
	struct steps behind = steps_of(lane / 8);
	uint32_t a0 = s[0], b0 = 0, c0 = 0, d0 = 0;
	uint32_t a1 = s[1], b1 = 0, c1 = 0, d1 = 0;

	for (const uint8_t *end = p + lane; p < end; p += 8) {
		step(big_endian, p, &a0, &a1);
		step(big_endian, p + lane, &b0, &b1);
		step(big_endian, p + 2 * lane, &c0, &c1);
		step(big_endian, p + 3 * lane, &d0, &d1);
	}
	put_behind(&behind, &a0, &a1, b0, b1);
	put_behind(&behind, &a0, &a1, c0, c1);
	put_behind(&behind, &a0, &a1, d0, d1);
	s[0] = a0;
	s[1] = a1;
}

void lsv_wal_checksum(bool big_endian, const void *data, size_t n,
                      uint32_t s[2])
{
	const uint8_t *p = data;

	if (n >= LSV_PAGE_SIZE_MIN && n % ((size_t)8 * N_LANES) == 0) {
		if (big_endian)
			checksum_in_lanes(true, p, n, s);
		else
			checksum_in_lanes(false, p, n, s);
		return;
	}
	for (const uint8_t *end = p + n; p < end; p += 8)
		step(big_endian, p, &s[0], &s[1]);
}

bool lsv_page_size_valid(uint32_t page_size)
{
	return page_size >= LSV_PAGE_SIZE_MIN &&
	       page_size <= LSV_PAGE_SIZE_MAX &&
	       (page_size & (page_size - 1)) == 0;
}

int lsv_wal_header_decode(const uint8_t bytes[LSV_WAL_HEADER_SIZE],
                          struct lsv_wal_header *header)
{
	struct lsv_wal_header h = {
		.big_endian = bytes[3] & 1,
		.page_size = get_be32(bytes + 8),
		.sequence = get_be32(bytes + 12),
		.salt = {get_be32(bytes + 16), get_be32(bytes + 20)},
	};

	if ((get_be32(bytes) & ~1U) != MAGIC || get_be32(bytes + 4) != FORMAT ||
	    !lsv_page_size_valid(h.page_size))
		return -EBADMSG;
	lsv_wal_checksum(h.big_endian, bytes, 24, h.checksum);
	if (h.checksum[0] != get_be32(bytes + 24) ||
	    h.checksum[1] != get_be32(bytes + 28))
		return -EBADMSG;
	*header = h;
	return 0;
}

void lsv_wal_header_encode(struct lsv_wal_header *header,
                           uint8_t bytes[LSV_WAL_HEADER_SIZE])
{
	put_be32(bytes, MAGIC | (header->big_endian ? 1 : 0));
	put_be32(bytes + 4, FORMAT);
	put_be32(bytes + 8, header->page_size);
	put_be32(bytes + 12, header->sequence);
	put_be32(bytes + 16, header->salt[0]);
	put_be32(bytes + 20, header->salt[1]);
	header->checksum[0] = header->checksum[1] = 0;
	lsv_wal_checksum(header->big_endian, bytes, 24, header->checksum);
	put_be32(bytes + 24, header->checksum[0]);
	put_be32(bytes + 28, header->checksum[1]);
}

void lsv_frame_decode(const uint8_t bytes[LSV_FRAME_HEADER_SIZE],
                      struct lsv_frame *frame)
{
	frame->page_no = get_be32(bytes);
	frame->db_pages = get_be32(bytes + 4);
	frame->salt[0] = get_be32(bytes + 8);
	frame->salt[1] = get_be32(bytes + 12);
	frame->checksum[0] = get_be32(bytes + 16);
	frame->checksum[1] = get_be32(bytes + 20);
}

void lsv_frame_encode(struct lsv_frame *frame, bool big_endian,
                      const void *page, size_t page_size, uint32_t s[2],
                      uint8_t bytes[LSV_FRAME_HEADER_SIZE])
{
	put_be32(bytes, frame->page_no);
	put_be32(bytes + 4, frame->db_pages);
	put_be32(bytes + 8, frame->salt[0]);
	put_be32(bytes + 12, frame->salt[1]);
	lsv_wal_checksum(big_endian, bytes, 8, s);
	lsv_wal_checksum(big_endian, page, page_size, s);
	frame->checksum[0] = s[0];
	frame->checksum[1] = s[1];
	put_be32(bytes + 16, s[0]);
	put_be32(bytes + 20, s[1]);
}

bool lsv_frame_verify(const uint8_t bytes[LSV_FRAME_HEADER_SIZE],
                      const void *page, size_t page_size, bool big_endian,
                      const uint32_t salt[2], uint32_t s[2])
{
	uint32_t sum[2] = {s[0], s[1]};
	struct lsv_frame frame;

	lsv_frame_decode(bytes, &frame);
	if (frame.salt[0] != salt[0] || frame.salt[1] != salt[1] ||
	    frame.page_no == 0)
		return false;
	lsv_wal_checksum(big_endian, bytes, 8, sum);
	lsv_wal_checksum(big_endian, page, page_size, sum);
	if (frame.checksum[0] != sum[0] || frame.checksum[1] != sum[1])
		return false;
	memcpy(s, sum, sizeof sum);
	return true;
}

void lsv_shadow_header(uint64_t generation, uint32_t index, uint32_t page_size,
                       struct lsv_wal_header *header)
{
	*header = (struct lsv_wal_header){
		/* Little-endian words: the cheaper order where most of us
	         * live, and one order everywhere, so that the bytes are a
	         * function of the commits alone. */
		.big_endian = false,
		.page_size = page_size,
		.sequence = index,
		.salt = {(uint32_t)(generation >> 32) + index,
	                 (uint32_t)generation},
	};
}
