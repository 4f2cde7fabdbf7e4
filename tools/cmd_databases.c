/* SPDX-License-Identifier: MIT */

/* lsvfs databases: what the configuration file names. */

#include "replica/base/cleanup.h"
#include "replica/base/log.h"
#include "replica/base/stream.h"
#include "replica/store/url.h"
#include "tools/columns.h"
#include "tools/command.h"
#include "tools/configuration.h"
#include "tools/exits.h"
#include "tools/json.h"
#include "tools/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: lsvfs databases [OPTION]...\n"
	"\n"
	"Lists the databases of the configuration file, and the names of\n"
	"their replicas; of a directory those that are there.\n"
	"\n"
	"  -config F        the configuration file\n"
	"  -no-expand-env   leave $NAME in it as it is\n"
	"  -json            one JSON object, with the URLs\n"
	"  -help            print this\n"
	"\n"
	"Exit status: 0 listed; 2 usage, or the file is wrong.\n";

struct list {
	struct columns *columns;
	struct json *json;
};

static int names_of(const struct lsv_config *config, struct lsv_buf *names)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->n_replicas; i++) {
		const char *name = config->replicas[i].name;

		r = lsv_buf_append(names, ",", i > 0 ? 1 : 0);
		if (r == 0)
			r = lsv_buf_append(names, name, strlen(name));
	}
	return r < 0 ? r : lsv_buf_append(names, "", 1);
}

static int print_row(struct list *list, const char *path,
                     const struct lsv_config *config)
{
	auto_buf struct lsv_buf names = {0};
	int r = names_of(config, &names);

	if (r < 0)
		return r;
	columns_cell(list->columns, "%s", path);
	columns_cell(list->columns, "%s", (const char *)names.data);
	return 0;
}

/* Its URL as it may be said, and all of that (I15). */
static int put_replica(struct json *json,
                       const struct lsv_replica_config *replica)
{
	size_t size = strlen(replica->url) + 1;
	auto_free char *shown = malloc(size);

	if (!shown)
		return -ENOMEM;
	lsv_url_show(replica->url, shown, size);
	json_begin_object(json, NULL);
	json_text(json, "name", replica->name);
	json_text(json, "url", shown);
	json_end(json);
	return 0;
}

static int put_json(struct json *json, const char *path,
                    const struct lsv_config *config)
{
	int r = 0;

	json_begin_object(json, NULL);
	json_text(json, "path", path);
	json_begin_array(json, "replicas");
	for (size_t i = 0; r == 0 && i < config->n_replicas; i++)
		r = put_replica(json, &config->replicas[i]);
	json_end(json);
	json_end(json);
	return r;
}

static int add_row(void *arg, const char *path, const struct lsv_config *found)
{
	struct list *list = arg;
	struct lsv_config config;
	int r = lsv_config_copy(found, &config);

	if (r == 0)
		r = lsv_config_expand_all(&config, path);
	if (r == 0)
		r = lsv_config_settle(&config, NULL);
	if (r == 0 && list->json)
		r = put_json(list->json, path, &config);
	else if (r == 0)
		r = print_row(list, path, &config);
	lsv_config_free(&config);
	return r < 0 ? log_error(r, "cannot list %s", path) : 0;
}

static int print(const struct lsv_config_file *file, bool is_json)
{
	static const char *const head[] = {"path", "replicas", NULL};
	struct list list = {.columns = is_json ? NULL : columns_open(head),
	                    .json = is_json ? json_open() : NULL};
	int r, print_r;

	json_begin_array(list.json, "databases");
	r = lsv_config_file_each(file, add_row, &list);
	json_end(list.json);
	print_r = is_json ? json_print(list.json) : columns_print(list.columns);
	return r < 0 ? r : print_r;
}

static int run(const struct configuration *which, bool is_json)
{
	auto_configuration struct lsv_config_file *file = NULL;
	int r = configuration_read(which, &file);

	if (r < 0)
		return r;
	if (!file)
		return log_error(0, "there is no configuration file: give "
		                    "-config FILE, or set LSVFS_CONFIG"),
		       -EINVAL;
	return print(file, is_json);
}

int cmd_databases(int argc, char **argv)
{
	struct configuration which = {0};
	bool is_json = false;
	int status = configuration_options(argc, argv, usage, &which, &is_json);

	if (status >= 0)
		return status;
	if (optind < argc)
		return command_takes_nothing(argv + optind - 1);
	return (int)exits_of(run(&which, is_json));
}
