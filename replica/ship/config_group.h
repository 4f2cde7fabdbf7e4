/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_GROUP_H
#define LSV_CONFIG_GROUP_H

/*
 * What stands in a configuration file, held against the schema: every key is
 * known, has the right type, and its place in the file.
 *
 *	group (the file)
 *	  value dbs ----> group, group, ...   (one an entry)
 *	                    value path "/data/app.db" at 2:11
 *	                    value replicas ----> group, ...
 */

#include "replica/ship/config_schema.h"

#include <stdbool.h>
#include <stdint.h>

struct lsv_mark {
	int line, column; /* from 1; 0: nowhere */
};

#define LSV_PROBLEM_SIZE 512

struct lsv_problem {
	struct lsv_mark mark;
	char text[LSV_PROBLEM_SIZE];
};

struct lsv_group;

/* A key that is there and not null. */
struct lsv_value {
	const struct lsv_key *key;
	struct lsv_mark mark; /* of what stands behind the key */
	char *text;           /* of a scalar; NULL: it is none */
	struct lsv_group *groups;
	size_t n_groups;
};

struct lsv_group {
	const struct lsv_section *section;
	struct lsv_mark mark;
	struct lsv_value *values;
	size_t n_values;
};

void lsv_group_free(struct lsv_group *group);

/* NULL: it is not there.  The name is one of its section. */
const struct lsv_value *lsv_group_find(const struct lsv_group *group,
                                       const char *name);
/* Its text, or NULL. */
const char *lsv_group_text(const struct lsv_group *group, const char *name);
bool lsv_group_bool(const struct lsv_group *group, const char *name,
                    bool otherwise);
/* The keys below it, or NULL. */
const struct lsv_group *lsv_group_below(const struct lsv_group *group,
                                        const char *name);

/* As YAML 1.1 and Litestream have it: 0 or 1; -EINVAL: neither. */
int lsv_group_parse_bool(const char *text);

/* Says what is wrong, and where; -EINVAL. */
int lsv_problem_set(struct lsv_problem *problem, struct lsv_mark mark,
                    const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
