/* SPDX-License-Identifier: MIT */
#include "replica/ship/config_group.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

int lsv_problem_set(struct lsv_problem *problem, struct lsv_mark mark,
                    const char *format, ...)
{
	va_list args;

	problem->mark = mark;
	va_start(args, format);
	vsnprintf(problem->text, sizeof problem->text, format, args);
	va_end(args);
	return -EINVAL;
}

int lsv_group_parse_bool(const char *text)
{
	static const char *const words[] = {"false", "true", "no", "yes",
	                                    "off",   "on",   "n",  "y"};

	for (size_t i = 0; i < LENGTH(words); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return i % 2;
	}
	return -EINVAL;
}

void lsv_group_free(struct lsv_group *group)
{
	for (size_t i = 0; i < group->n_values; i++) {
		struct lsv_value *value = &group->values[i];

		for (size_t k = 0; k < value->n_groups; k++)
			lsv_group_free(&value->groups[k]);
		free(value->groups);
		if (value->text && value->key->type == LSV_KEY_SECRET)
			explicit_bzero(value->text, strlen(value->text));
		free(value->text);
	}
	free(group->values);
	*group = (struct lsv_group){0};
}

const struct lsv_value *lsv_group_find(const struct lsv_group *group,
                                       const char *name)
{
	const struct lsv_key *key = lsv_schema_find(group->section, name);

	if (!key)
		abort(); /* not a key of that section: ours is the mistake */
	for (size_t i = 0; i < group->n_values; i++) {
		if (group->values[i].key == key)
			return &group->values[i];
	}
	return NULL;
}

const char *lsv_group_text(const struct lsv_group *group, const char *name)
{
	const struct lsv_value *value = lsv_group_find(group, name);

	return value ? value->text : NULL;
}

bool lsv_group_bool(const struct lsv_group *group, const char *name,
                    bool otherwise)
{
	const char *text = lsv_group_text(group, name);

	return text ? lsv_group_parse_bool(text) == 1 : otherwise;
}

const struct lsv_group *lsv_group_below(const struct lsv_group *group,
                                        const char *name)
{
	const struct lsv_value *value = lsv_group_find(group, name);

	return value && value->n_groups > 0 ? value->groups : NULL;
}
