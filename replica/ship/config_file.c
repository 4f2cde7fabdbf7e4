/* SPDX-License-Identifier: MIT */
#include "replica/ship/config_file.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/ship/config_build.h"
#include "replica/ship/config_path.h"
#include "replica/ship/config_yaml.h"
#include "replica/ship/expand_env.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

const char lsv_config_default_path[] = "/etc/litestream.yml";

static int add_note(struct lsv_config_file *file, char *note)
{
	int r = note ? lsv_notes_append(&file->notes, note) : -ENOMEM;

	if (r < 0)
		free(note);
	return r;
}

/* A variable that is not set stands for nothing, as in Litestream; that it is
 * not set is worth a line. */
static const char *environment(void *arg, const char *name, size_t n)
{
	static _Thread_local char pid[16];
	struct lsv_config_file *file = arg;
	auto_free char *text = strndup(name, n);
	const char *value = text ? getenv(text) : NULL;

	if (text && strcmp(text, "PID") == 0) {
		snprintf(pid, sizeof pid, "%d", (int)getpid());
		return pid;
	}
	if (!value && text && (isalpha((unsigned char)*text) || *text == '_'))
		add_note(file, lsv_sprintf("%s: $%s is not set: it stands for "
		                           "nothing",
		                           file->path, text));
	return value;
}

/* Once a key: the line where it comes first. */
static int note_group(struct lsv_config_file *file,
                      const struct lsv_group *group,
                      const struct lsv_key **seen, size_t *n_seen)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < group->n_values; i++) {
		const struct lsv_value *value = &group->values[i];
		bool is_new = value->key->verdict == LSV_KEY_ACCEPTED;

		for (size_t k = 0; is_new && k < *n_seen; k++)
			is_new = seen[k] != value->key;
		if (is_new) {
			seen[(*n_seen)++] = value->key;
			r = add_note(file,
			             lsv_sprintf("%s:%d: %s: %s", file->path,
			                         value->mark.line,
			                         value->key->name,
			                         value->key->why));
			continue;
		}
		for (size_t k = 0; r == 0 && k < value->n_groups; k++)
			r = note_group(file, &value->groups[k], seen, n_seen);
	}
	return r;
}

static int note_all(struct lsv_config_file *file, const struct lsv_group *top)
{
	const struct lsv_key *seen[256]; /* more than the schema has keys */
	size_t n_seen = 0;

	return note_group(file, top, seen, &n_seen);
}

static char *explain(const char *path, const struct lsv_problem *problem)
{
	if (problem->mark.line == 0)
		return lsv_sprintf("%s: %s", path, problem->text);
	return lsv_sprintf("%s:%d:%d: %s", path, problem->mark.line,
	                   problem->mark.column, problem->text);
}

static void look_required(const struct lsv_group *top, bool *is_required)
{
	*is_required = lsv_group_bool(top, "require-config", *is_required);
}

static int parse(struct lsv_config_file *file, const char *text, size_t n,
                 struct lsv_problem *problem)
{
	struct lsv_group top;
	int r = lsv_yaml_read(text, n, &top, problem);

	look_required(&top, &file->is_required);
	if (r == 0)
		r = lsv_config_build(&top, file, problem);
	if (r == 0)
		r = note_all(file, &top);
	lsv_group_free(&top);
	return r;
}

static int too_large(struct lsv_problem *problem)
{
	return lsv_problem_set(problem, (struct lsv_mark){0},
	                       "too large: a configuration has at most %zu "
	                       "bytes",
	                       LSV_CONFIG_SIZE_MAX);
}

static int load(struct lsv_config_file *file, bool expand_env,
                struct lsv_problem *problem)
{
	auto_buf struct lsv_buf expanded = {0};
	auto_free char *text = NULL;
	size_t n = 0;
	int r = lsv_file_read(file->path, LSV_CONFIG_SIZE_MAX, &text, &n);

	if (r == 0 && !expand_env)
		return parse(file, text, n, problem);
	if (r == 0)
		r = lsv_expand_env(text, n, LSV_CONFIG_SIZE_MAX, environment,
		                   file, &expanded);
	if (r == -EFBIG)
		return too_large(problem);
	if (r < 0) {
		lsv_problem_set(
			problem, (struct lsv_mark){0}, "cannot read it: %s",
			r == -EINVAL ? "it is no regular file" : strerror(-r));
		return r;
	}
	return parse(file, expanded.n ? (const char *)expanded.data : "",
	             expanded.n, problem);
}

int lsv_config_file_read(const char *path, bool expand_env,
                         struct lsv_config_file **out, char **why,
                         bool *is_required)
{
	struct lsv_config_file *file = calloc(1, sizeof *file);
	struct lsv_problem problem = {.text = "out of memory"};
	int r = -ENOMEM;

	*why = NULL;
	if (!file)
		return r;
	file->is_required = *is_required;
	file->path = lsv_path_expand(path);
	if (file->path)
		r = load(file, expand_env, &problem);
	*is_required = file->is_required;
	if (r == 0) {
		*out = file;
		return 0;
	}
	*why = explain(file->path ? file->path : path, &problem);
	lsv_config_file_free(file);
	return r;
}

void lsv_config_file_free(struct lsv_config_file *file)
{
	if (!file)
		return;
	for (size_t i = 0; i < file->n_dbs; i++) {
		struct lsv_config_db *db = &file->dbs[i];

		free(db->path);
		free(db->real);
		free(db->dir);
		free(db->real_dir);
		free(db->pattern);
		lsv_config_free(&db->config);
	}
	for (size_t i = 0; i < file->notes.n; i++)
		free(file->notes.at[i]);
	free(file->notes.at);
	free(file->dbs);
	free(file->logging.file);
	free(file->exec);
	free(file->path);
	free(file);
}

/* What stands behind the folder in the path of one of its databases. */
static const char *below(const struct lsv_config_db *db, const char *path)
{
	const char *rest = lsv_path_below(db->dir, path);
	const char *base = strrchr(path, '/') + 1;

	if (!rest && db->real_dir)
		rest = lsv_path_below(db->real_dir, path);
	if (!rest || fnmatch(db->pattern, base, 0) != 0)
		return NULL;
	return db->is_recursive || rest == base ? rest : NULL;
}

static int in_folder(const struct lsv_config_db *db, const char *rest,
                     struct lsv_config *config)
{
	int r = lsv_config_copy(&db->config, config);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < config->n_replicas; i++)
		r = lsv_config_append_path(&config->replicas[i], rest);
	if (r < 0)
		lsv_config_free(config);
	return r;
}

static bool is_path(const struct lsv_config_db *db, const char *path)
{
	return db->path && (strcmp(db->path, path) == 0 ||
	                    (db->real && strcmp(db->real, path) == 0));
}

int lsv_config_file_find(const struct lsv_config_file *file,
                         const char *db_path, struct lsv_config *config)
{
	if (*db_path != '/')
		return -ENOENT;
	for (size_t i = 0; i < file->n_dbs; i++) {
		if (is_path(&file->dbs[i], db_path))
			return lsv_config_copy(&file->dbs[i].config, config);
	}
	for (size_t i = 0; i < file->n_dbs; i++) {
		const char *rest = file->dbs[i].dir
		                           ? below(&file->dbs[i], db_path)
		                           : NULL;

		if (rest)
			return in_folder(&file->dbs[i], rest, config);
	}
	return -ENOENT;
}

const char *lsv_config_file_where(const char *path)
{
	static const char *const names[] = {"LSVFS_CONFIG",
	                                    "LITESTREAM_CONFIG"};

	if (path && *path)
		return path;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		path = getenv(names[i]);
		if (path && *path)
			return path;
	}
	return access(lsv_config_default_path, F_OK) == 0
	               ? lsv_config_default_path
	               : NULL;
}
