/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_SCHEMA_H
#define LSV_CONFIG_SCHEMA_H

/*
 * Every key of a configuration file: Litestream's, 0.3.13's and 0.5.18's, and
 * ours.  One table: what is parsed, what is said of a key, and lsvfs.yml(5).
 */

#include <stddef.h>

enum lsv_key_type {
	LSV_KEY_TEXT,
	LSV_KEY_SECRET, /* a text that no message shows (I15) */
	LSV_KEY_DURATION,
	LSV_KEY_BOOL,
	LSV_KEY_NUMBER,
	LSV_KEY_SIZE,
	LSV_KEY_TEXTS,    /* a list of texts */
	LSV_KEY_SECTION,  /* keys of its own */
	LSV_KEY_SECTIONS, /* a list of such */
};

enum lsv_key_verdict {
	LSV_KEY_WORKS,
	LSV_KEY_ACCEPTED, /* means nothing here; why: that */
	LSV_KEY_REFUSED,  /* why: what to do instead */
};

enum { LSV_KEY_03 = 1, LSV_KEY_05 = 2, LSV_KEY_OURS = 4 };

struct lsv_section;

struct lsv_key {
	const char *name;
	enum lsv_key_type type;
	unsigned versions;
	enum lsv_key_verdict verdict;
	const char *why; /* works: what it does */
	const struct lsv_section *section;
};

struct lsv_section {
	const char *name; /* as a message calls it */
	const struct lsv_key *keys;
	size_t n;
	const struct lsv_section *also[2]; /* their keys, too; NULL: no more */
};

/* The file itself; all others hang below it. */
extern const struct lsv_section lsv_schema;

/* NULL: no such key. */
const struct lsv_key *lsv_schema_find(const struct lsv_section *section,
                                      const char *name);

/* The one that 'name' was probably meant to be, or NULL. */
const char *lsv_schema_guess(const struct lsv_section *section,
                             const char *name);

#endif
