/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_DOCUMENT_H
#define LSV_CONFIG_DOCUMENT_H

/* The one YAML document of a configuration file, as libyaml has it. */

#include "replica/ship/config_group.h"

#include <yaml.h>

/* Refuses, before a tree is built, what no configuration has: thousands of
 * anchors, deep nesting, a second document.  -EINVAL, with 'problem' filled
 * in; -ENOMEM.  On success the caller calls yaml_document_delete(). */
int lsv_document_load(const char *text, size_t n, yaml_document_t *document,
                      struct lsv_problem *problem);

struct lsv_mark lsv_document_mark(const yaml_mark_t *mark);

#endif
