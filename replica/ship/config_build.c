/* SPDX-License-Identifier: MIT */
#include "replica/ship/config_build.h"

#include "replica/base/cleanup.h"
#include "replica/ship/config_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static struct lsv_mark mark_of(const struct lsv_group *group, const char *name)
{
	const struct lsv_value *value = lsv_group_find(group, name);

	return value ? value->mark : group->mark;
}

/* A key of the file into an option of another name, perhaps. */
static int apply(const struct lsv_group *group, const char *key,
                 const char *option, struct lsv_config *config,
                 struct lsv_problem *problem)
{
	const struct lsv_value *value = lsv_group_find(group, key);
	const char *text = value ? value->text : NULL;
	int r;

	if (!text)
		return 0;
	if (value->key->type == LSV_KEY_BOOL)
		text = lsv_group_parse_bool(text) == 1 ? "1" : "0";
	r = lsv_config_set(config, option, text);
	if (r == -EINVAL)
		lsv_problem_set(problem, value->mark,
		                "%s: '%.80s' is not a value of it: %s", key,
		                text, value->key->why);
	return r;
}

/* What a database and the file may say under the same names. */
static int apply_habits(const struct lsv_group *group,
                        struct lsv_config *config, struct lsv_problem *problem)
{
	static const char *const names[] = {
		"durability",  "durability-timeout", "durability-on-timeout",
		"compression", "checkpoint",         "max-local-bytes",
		"force-wal",
	};
	const struct lsv_group *snapshot = lsv_group_below(group, "snapshot");
	int r = 0;

	for (size_t i = 0; r == 0 && i < LENGTH(names); i++)
		r = apply(group, names[i], names[i], config, problem);
	if (r == 0 && snapshot)
		r = apply(snapshot, "interval", "snapshot-interval", config,
		          problem);
	if (r == 0 && snapshot)
		r = apply(snapshot, "retention", "retention", config, problem);
	return r;
}

static bool keeps_all(const struct lsv_group *top)
{
	const struct lsv_group *retention = lsv_group_below(top, "retention");

	return retention && !lsv_group_bool(retention, "enabled", true);
}

static int path_into(const struct lsv_group *group, const char *key,
                     char **path, char **real, struct lsv_problem *problem)
{
	const char *text = lsv_group_text(group, key);

	*path = lsv_path_expand(text);
	if (!*path)
		return lsv_problem_set(problem, mark_of(group, key),
		                       "%s: cannot make '%.80s' absolute: "
		                       "there is no home or no working "
		                       "directory",
		                       key, text);
	*real = lsv_path_real(*path);
	return 0;
}

/* Which databases an entry is about. */
static int build_place(const struct lsv_group *group, struct lsv_config_db *db,
                       struct lsv_problem *problem)
{
	const char *path = lsv_group_text(group, "path");
	const char *dir = lsv_group_text(group, "dir");
	const char *pattern = lsv_group_text(group, "pattern");

	path = path && *path ? path : NULL;
	dir = dir && *dir ? dir : NULL;
	if (path && dir)
		return lsv_problem_set(problem, mark_of(group, "dir"),
		                       "dir: there is a path, too: an entry "
		                       "has one of them");
	if (!path && !dir)
		return lsv_problem_set(problem, group->mark,
		                       "this database has no path (and no "
		                       "dir)");
	if (path && (lsv_group_bool(group, "watch", false) ||
	             lsv_group_find(group, "meta-dir")))
		return lsv_problem_set(
			problem, group->mark,
			"watch and meta-dir are for an entry with 'dir'");
	if (path)
		return path_into(group, "path", &db->path, &db->real, problem);
	if (!pattern || !*pattern)
		return lsv_problem_set(problem, mark_of(group, "dir"),
		                       "dir: a pattern is needed, too, such as "
		                       "\"*.db\"");
	db->is_recursive = lsv_group_bool(group, "recursive", false);
	db->pattern = strdup(pattern);
	return db->pattern ? path_into(group, "dir", &db->dir, &db->real_dir,
	                               problem)
	                   : -ENOMEM;
}

static int add_replica(const struct lsv_group *top,
                       const struct lsv_group *group, struct lsv_config *config,
                       struct lsv_problem *problem)
{
	struct lsv_replica_config replica;
	int r;

	lsv_replica_config_init(&replica);
	r = lsv_config_build_replica(top, group, &replica, problem);
	if (r == 0 && keeps_all(top))
		replica.retention_ns = 0;
	if (r == 0)
		r = lsv_config_add(config, &replica);
	if (r == 0)
		return 0;
	lsv_replica_config_free(&replica);
	if (r == -E2BIG)
		return lsv_problem_set(problem, group->mark,
		                       "too many replicas: a database has at "
		                       "most %d",
		                       LSV_REPLICAS_MAX);
	return r;
}

/* Names and places of a database's replicas are unique; which names they will
 * have depends on what else is set, so this is tried on a copy. */
static int check_twins(const struct lsv_value *replicas,
                       const struct lsv_config *config,
                       struct lsv_problem *problem)
{
	struct lsv_config copy;
	size_t twin = 0;
	int r = lsv_config_copy(config, &copy);

	if (r < 0)
		return r;
	r = lsv_config_settle(&copy, &twin);
	if (r == -EEXIST)
		r = lsv_problem_set(
			problem, replicas->groups[twin].mark,
			"another replica of this database has the name '%.40s' "
			"or the same place: give it a 'name' and a place of "
			"its own",
			copy.replicas[twin].name);
	lsv_config_free(&copy);
	return r;
}

static int build_replicas(const struct lsv_group *top,
                          const struct lsv_group *group,
                          struct lsv_config *config,
                          struct lsv_problem *problem)
{
	const struct lsv_value *one = lsv_group_find(group, "replica");
	const struct lsv_value *several = lsv_group_find(group, "replicas");
	const struct lsv_value *all = one ? one : several;
	int r = 0;

	if (one && several && several->n_groups > 0)
		return lsv_problem_set(problem, several->mark,
		                       "replicas: there is a 'replica', too: "
		                       "list it here");
	if (!all || all->n_groups == 0)
		return lsv_problem_set(problem, group->mark,
		                       "this database has no replica");
	for (size_t i = 0; r == 0 && i < all->n_groups; i++)
		r = add_replica(top, &all->groups[i], config, problem);
	return r < 0 ? r : check_twins(all, config, problem);
}

static int build_db(const struct lsv_group *top, const struct lsv_group *group,
                    const struct lsv_config *common, struct lsv_config_db *db,
                    struct lsv_problem *problem)
{
	int r = lsv_config_copy(common, &db->config);

	db->mark = group->mark;
	if (r == 0)
		r = build_place(group, db, problem);
	if (r == 0)
		r = apply_habits(group, &db->config, problem);
	if (r == 0 && keeps_all(top))
		db->config.retention_ns = 0;
	return r < 0 ? r : build_replicas(top, group, &db->config, problem);
}

static int build_logging(const struct lsv_group *top,
                         struct lsv_logging *logging,
                         struct lsv_problem *problem)
{
	static const struct {
		const char *word, *level;
	} words[] = {{"warning", "warn"}, {"trace", "debug"}};
	const struct lsv_group *group = lsv_group_below(top, "logging");
	const char *level = group ? lsv_group_text(group, "level") : NULL;
	const char *type = group ? lsv_group_text(group, "type") : NULL;
	const char *file = group ? lsv_group_text(group, "file") : NULL;
	char lower[16] = "";

	if (!group)
		return 0;
	for (size_t i = 0; level && level[i] && i < sizeof lower - 1; i++)
		lower[i] = (char)(level[i] | 0x20);
	for (size_t i = 0; i < LENGTH(words); i++)
		if (strcmp(lower, words[i].word) == 0)
			snprintf(lower, sizeof lower, "%s", words[i].level);
	if (*lower && lsv_log_parse_level(lower, &logging->level) < 0)
		return lsv_problem_set(problem, mark_of(group, "level"),
		                       "level: expected error, warn, info, "
		                       "debug or off, found '%.20s'",
		                       level);
	logging->has_level = *lower != 0;
	if (type && strcmp(type, "json") != 0 && strcmp(type, "text") != 0 &&
	    strcmp(type, "pretty") != 0 && *type)
		return lsv_problem_set(problem, mark_of(group, "type"),
		                       "type: expected text or json, found "
		                       "'%.20s'",
		                       type);
	logging->is_json = type && strcmp(type, "json") == 0;
	logging->is_syslog = lsv_group_bool(group, "syslog", false);
	if (!file || !*file)
		return 0;
	logging->file = lsv_path_expand(file);
	return logging->file ? 0 : -ENOMEM;
}

struct claim {
	const char *what;
	const struct lsv_config_db *db;
};

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcmp(x->what, y->what);

	if (order == 0)
		order = x->db->mark.line - y->db->mark.line;
	return order;
}

/* Two entries with one path, or with one replica, would write over each
 * other. */
static int check_claims(struct claim *claims, size_t n, const char *what,
                        struct lsv_problem *problem)
{
	qsort(claims, n, sizeof *claims, compare_claims);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(claims[i].what, claims[i - 1].what) != 0)
			continue;
		return lsv_problem_set(problem, claims[i].db->mark,
		                       "the %s %.200s is also that of the "
		                       "database at line %d",
		                       what, claims[i].what,
		                       claims[i - 1].db->mark.line);
	}
	return 0;
}

static int check_all(const struct lsv_config_file *file,
                     struct lsv_problem *problem)
{
	size_t room = file->n_dbs * LSV_REPLICAS_MAX + 1, n = 0;
	auto_free struct claim *claims = calloc(room, sizeof *claims);
	int r;

	if (!claims)
		return -ENOMEM;
	for (size_t i = 0; i < file->n_dbs; i++) {
		const struct lsv_config_db *db = &file->dbs[i];
		const char *path = db->real ? db->real : db->path;

		if (path)
			claims[n++] = (struct claim){path, db};
	}
	r = check_claims(claims, n, "path", problem);
	n = 0;
	for (size_t i = 0; i < file->n_dbs; i++) {
		const struct lsv_config *config = &file->dbs[i].config;

		for (size_t k = 0; k < config->n_replicas; k++) {
			const char *url = config->replicas[k].url;

			if (lsv_config_is_fixed(url))
				claims[n++] = (struct claim){url,
				                             &file->dbs[i]};
		}
	}
	return r < 0 ? r : check_claims(claims, n, "replica", problem);
}

static int build_common(const struct lsv_group *top, struct lsv_config *common,
                        struct lsv_problem *problem)
{
	int r;

	lsv_config_init(common);
	/* An entry of a file is a wish that its database be replicated
	 * (design.md section 10). */
	common->force_wal = true;
	r = apply_habits(top, common, problem);
	if (r == 0)
		r = apply(top, "sync-interval", "sync-interval", common,
		          problem);
	if (r == 0)
		r = apply(top, "shutdown-sync-timeout", "shutdown-sync-timeout",
		          common, problem);
	if (r == 0)
		r = apply(top, "require-config", "require-config", common,
		          problem);
	return r;
}

int lsv_config_build(const struct lsv_group *top, struct lsv_config_file *file,
                     struct lsv_problem *problem)
{
	const struct lsv_value *dbs = lsv_group_find(top, "dbs");
	const char *exec = lsv_group_text(top, "exec");
	size_t n = dbs ? dbs->n_groups : 0;
	struct lsv_config common;
	int r = build_common(top, &common, problem);

	if (r == 0)
		r = build_logging(top, &file->logging, problem);
	if (r == 0 && exec && *exec) {
		file->exec = strdup(exec);
		r = file->exec ? 0 : -ENOMEM;
	}
	file->dbs = calloc(n + 1, sizeof *file->dbs);
	if (!file->dbs)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++) {
		file->n_dbs++;
		r = build_db(top, &dbs->groups[i], &common, &file->dbs[i],
		             problem);
	}
	return r < 0 ? r : check_all(file, problem);
}
