/* SPDX-License-Identifier: MIT */
#ifndef LSV_VECTOR_H
#define LSV_VECTOR_H

/*
 * A growing array as three public fields, after nbdkit's idea: no accessors.
 *
 *	LSV_VECTOR(lsv_objects, struct lsv_object);
 *	struct lsv_objects list = {0};
 *	r = lsv_objects_append(&list, object);
 *	for (size_t i = 0; i < list.n; i++) ... list.at[i]
 *	free(list.at);
 */

#include <errno.h>
#include <stdlib.h>

#define LSV_VECTOR(name, type)                                                 \
	struct name {                                                          \
		type *at;                                                      \
		size_t n;                                                      \
		size_t cap;                                                    \
	};                                                                     \
	static inline int name##_append(struct name *v, type item)             \
	{                                                                      \
		if (v->n == v->cap) {                                          \
			size_t cap = v->cap ? v->cap * 2 : 16;                 \
			type *at = reallocarray(v->at, cap, sizeof *at);       \
                                                                               \
			if (!at)                                               \
				return -ENOMEM;                                \
			v->at = at;                                            \
			v->cap = cap;                                          \
		}                                                              \
		v->at[v->n++] = item;                                          \
		return 0;                                                      \
	}

#endif
