/* SPDX-License-Identifier: MIT */

/* lsvfs config check: whether the configuration file is right, and what of it
 * means nothing here. */

#include "replica/base/cleanup.h"
#include "replica/base/log.h"
#include "tools/command.h"
#include "tools/configuration.h"
#include "tools/exits.h"
#include "tools/json.h"
#include "tools/option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: lsvfs config check [OPTION]...\n"
	"\n"
	"Reads the configuration file as a program would, says what is wrong\n"
	"and where, and which keys mean nothing here.  Nothing is replicated.\n"
	"\n"
	"  -config F        the configuration file\n"
	"  -no-expand-env   leave $NAME in it as it is\n"
	"  -json            one JSON object\n"
	"  -help            print this\n"
	"\n"
	"Exit status: 0 it is right; 1 it is wrong; 2 usage.\n";

struct check {
	const char *path;
	struct lsv_config_file *file; /* NULL: it is wrong */
	char *why;
	size_t n_dbs;
};

/* Whether its replicas can be addressed; nothing is sent to them. */
static int check_db(void *arg, const char *path, const struct lsv_config *found)
{
	struct check *check = arg;
	struct lsv_config config;
	int r = lsv_config_copy(found, &config);

	check->n_dbs++;
	if (r == 0)
		r = lsv_config_expand_all(&config, path);
	for (size_t i = 0; r == 0 && i < config.n_replicas; i++)
		r = lsv_replica_config_check(&config.replicas[i], path);
	lsv_config_free(&config);
	return r;
}

static int print_json(const struct check *check, int r)
{
	struct json *json = json_open();

	json_text(json, "file", check->path);
	json_bool(json, "ok", r == 0);
	json_text(json, "error", check->why);
	json_int(json, "databases", (int64_t)check->n_dbs);
	json_begin_array(json, "notes");
	for (size_t i = 0; check->file && i < check->file->notes.n; i++)
		json_text(json, NULL, check->file->notes.at[i]);
	json_end(json);
	return json_print(json);
}

static void print_text(const struct check *check, int r)
{
	for (size_t i = 0; check->file && i < check->file->notes.n; i++)
		puts(check->file->notes.at[i]);
	if (check->why)
		log_error(0, "%s", check->why);
	if (r == 0)
		printf("%s is right: %zu database%s\n", check->path,
		       check->n_dbs, check->n_dbs == 1 ? "" : "s");
}

static enum exits run(const struct configuration *which, bool is_json)
{
	struct check check = {.path = lsv_config_file_where(which->path)};
	bool is_required = false;
	int r;

	if (!check.path) {
		log_error(0, "there is no configuration file: give -config "
		             "FILE, or set LSVFS_CONFIG");
		return EXITS_USAGE;
	}
	r = lsv_config_file_read(check.path, !which->no_expand_env, &check.file,
	                         &check.why, &is_required);
	if (r == 0)
		r = lsv_config_file_each(check.file, check_db, &check);
	if (!is_json)
		print_text(&check, r);
	else if (print_json(&check, r) < 0)
		r = -EIO;
	lsv_config_file_free(check.file);
	free(check.why);
	return r < 0 ? EXITS_FAILED : EXITS_DONE;
}

static enum exits bad_usage(const char *why)
{
	fprintf(stderr, "error: %s\n%s", why, usage);
	return EXITS_USAGE;
}

int cmd_config(int argc, char **argv)
{
	struct configuration which = {0};
	bool is_json = false;
	int status = configuration_options(argc, argv, usage, &which, &is_json);

	if (status >= 0)
		return status;
	if (optind == argc || strcmp(argv[optind], "check") != 0)
		return (int)bad_usage("lsvfs config does one thing: check");
	if (optind + 1 < argc)
		return (int)bad_usage("check takes no arguments");
	return (int)run(&which, is_json);
}
