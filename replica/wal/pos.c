/* SPDX-License-Identifier: MIT */
#include "replica/wal/pos.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* In the text of a position. */
#define AT_INDEX 17
#define AT_OFFSET 26

void lsv_generation_format(uint64_t generation, char text[LSV_GENERATION_SIZE])
{
	snprintf(text, LSV_GENERATION_SIZE, "%016" PRIx64, generation);
}

static int parse_hex(const char *text, int n, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;

	for (int i = 0; i < n; i++) {
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit)
			return -EINVAL;
		v = v << 4 | (uint64_t)(digit - digits);
	}
	*value = v;
	return 0;
}

int lsv_generation_parse(const char *text, size_t n, uint64_t *generation)
{
	return n == 16 ? parse_hex(text, 16, generation) : -EINVAL;
}

int lsv_hex32_parse(const char *text, uint32_t *value)
{
	uint64_t wide;
	int r = parse_hex(text, 8, &wide);

	if (r == 0)
		*value = (uint32_t)wide;
	return r;
}

void lsv_pos_format(const struct lsv_pos *pos, char text[LSV_POS_TEXT_SIZE])
{
	snprintf(text, LSV_POS_TEXT_SIZE, "%016" PRIx64 "/%08x:%08" PRIx64,
	         pos->generation, (unsigned)pos->index, pos->offset);
}

int lsv_pos_parse(const char *text, struct lsv_pos *pos)
{
	struct lsv_pos p = {0};
	size_t n = strlen(text);
	int r;

	if (n < AT_OFFSET + 8 || n > AT_OFFSET + 16 ||
	    text[AT_INDEX - 1] != '/' || text[AT_OFFSET - 1] != ':')
		return -EINVAL;
	r = lsv_generation_parse(text, AT_INDEX - 1, &p.generation);
	if (r == 0)
		r = lsv_hex32_parse(text + AT_INDEX, &p.index);
	if (r == 0)
		r = parse_hex(text + AT_OFFSET, (int)n - AT_OFFSET, &p.offset);
	if (r == 0)
		*pos = p;
	return r;
}

int lsv_pos_compare(const struct lsv_pos *a, const struct lsv_pos *b)
{
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return 0;
}
