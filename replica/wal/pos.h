/* SPDX-License-Identifier: MIT */
#ifndef LSV_POS_H
#define LSV_POS_H

/*
 * A position: generation / index : offset.  The offset counts uncompressed
 * bytes of the shadow WAL of that index, its 32-byte header included, and
 * stands after a commit (or at 0: where the index begins).
 */

#include <stddef.h>
#include <stdint.h>

#define LSV_GENERATION_SIZE 17 /* 16 lower-case hex digits and the zero */
#define LSV_POS_TEXT_SIZE 48   /* "0123456789abcdef/00000001:00001234" */

struct lsv_pos {
	uint64_t generation; /* 0: none */
	uint32_t index;
	uint64_t offset;
};

void lsv_generation_format(uint64_t generation, char text[LSV_GENERATION_SIZE]);
/* Exactly 16 lower-case hex digits, n of them; anything else is -EINVAL. */
int lsv_generation_parse(const char *text, size_t n, uint64_t *generation);

/* Exactly 8 lower-case hex digits. */
int lsv_hex32_parse(const char *text, uint32_t *value);

void lsv_pos_format(const struct lsv_pos *pos, char text[LSV_POS_TEXT_SIZE]);
/* The reverse; anything else is -EINVAL. */
int lsv_pos_parse(const char *text, struct lsv_pos *pos);

/* Order within one generation: <0, 0, >0 as strcmp(). */
int lsv_pos_compare(const struct lsv_pos *a, const struct lsv_pos *b);

#endif
