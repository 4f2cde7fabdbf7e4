/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_YAML_H
#define LSV_CONFIG_YAML_H

/*
 * A configuration file as YAML.  By libyaml, not libcyaml: the latter names
 * the place of a wrong key, but not that of a wrong duration or of the second
 * of two paths.  Anchors, aliases and "<<" work as in Litestream's YAML; a
 * tree that they blow up is refused.
 */

#include "replica/ship/config_group.h"

#define LSV_CONFIG_SIZE_MAX ((size_t)1 << 20)

/* -EINVAL, with 'problem' filled in: not YAML, an unknown key, a wrong type, a
 * key that is refused; the group has what could be read until then.  -ENOMEM.
 * The caller frees the group, however it went. */
int lsv_yaml_read(const char *text, size_t n, struct lsv_group *file,
                  struct lsv_problem *problem);

#endif
