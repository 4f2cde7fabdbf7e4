/* SPDX-License-Identifier: MIT */
#include "tools/listing.h"

#include "replica/base/log.h"
#include "tools/exits.h"
#include "tools/human.h"
#include "tools/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct list_args {
	const char *word; /* a database or a URL */
	struct target_options target;
	uint64_t generation; /* 0: all */
	bool json;
	bool help;
};

static int bad_usage(const struct listing *listing, const char *why)
{
	fprintf(stderr, "error: %s\n%s", why, listing->usage);
	return -EINVAL;
}

static int set_option(const struct listing *listing, int c,
                      struct list_args *args)
{
	if (configuration_option(c, optarg, &args->target.configuration))
		return 0;
	switch (c) {
	case 'j':
		args->json = true;
		return 0;
	case 'h':
		args->help = true;
		return 0;
	case 'r':
		args->target.replica = optarg;
		return 0;
	case 'g':
		if (lsv_generation_parse(optarg, strlen(optarg),
		                         &args->generation) == 0 &&
		    args->generation != 0)
			return 0;
		return bad_usage(listing, "-generation takes 16 hexadecimal "
		                          "digits, lower case");
	default:
		return -EINVAL;
	}
}

static int parse(const struct listing *listing, int argc, char **argv,
                 struct list_args *args)
{
	const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		CONFIGURATION_CONFIG,
		CONFIGURATION_NO_EXPAND_ENV,
		{"replica", required_argument, NULL, 'r'},
		OPTION_HELP,
		{listing->takes_generation ? "generation" : NULL,
	         required_argument, NULL, 'g'},
		{0},
	};
	int c, r = 0;

	*args = (struct list_args){0};
	while (r == 0 && (c = option_next(argc, argv, options, NULL)) != -1)
		r = set_option(listing, c, args);
	if (r < 0 || args->help)
		return r;
	if (optind + 1 != argc || !*argv[optind])
		return bad_usage(listing,
		                 optind < argc && *argv[optind]
		                         ? "one database or URL, not more"
		                         : "a database or the URL of a "
		                           "replica is needed");
	args->word = argv[optind];
	return 0;
}

static int list_replica(const struct listing *listing,
                        const struct list_args *args,
                        const struct target *target, size_t i,
                        struct columns *columns, struct json *json)
{
	const struct target_replica *replica = &target->replicas[i];
	struct lsv_catalog catalog;
	int r = lsv_catalog_read(replica->client, &catalog);

	if (r < 0)
		return r;
	if (catalog.has_ltx)
		(void)log_warn(0,
		               "%s holds LTX files of Litestream 0.5, which "
		               "are not listed",
		               replica->url);
	else if (catalog.generations.n == 0)
		(void)log_warn(0, "%s holds no backup", replica->url);
	for (size_t k = 0; k < catalog.generations.n; k++) {
		const struct lsv_generation *g = &catalog.generations.at[k];

		if (args->generation == 0 || args->generation == g->id)
			listing->rows(target, replica->name, g, columns, json);
	}
	lsv_catalog_free(&catalog);
	return 0;
}

/* The others are listed, too, when one cannot be read. */
static int list(const struct listing *listing, const struct list_args *args,
                const struct target *target)
{
	struct columns *columns = args->json ? NULL
	                                     : columns_open(listing->head);
	struct json *json = args->json ? json_open() : NULL;
	int r = 0, print_r;

	json_begin_array(json, listing->array);
	for (size_t i = 0; i < target->n_replicas; i++) {
		int list_r = list_replica(listing, args, target, i, columns,
		                          json);

		if (list_r < 0)
			r = -EIO;
	}
	json_end(json);
	print_r = args->json ? json_print(json) : columns_print(columns);
	return r < 0 ? r : print_r;
}

static void add_member(struct json *json, const char *replica,
                       const struct lsv_item *item, bool has_offset)
{
	json_begin_object(json, NULL);
	json_text(json, "replica", replica);
	json_hex64(json, "generation", item->pos.generation);
	json_int(json, "index", item->pos.index);
	if (has_offset)
		json_int(json, "offset", (int64_t)item->pos.offset);
	json_int(json, "size", (int64_t)item->size);
	json_time(json, "created", item->time_ns);
	json_text(json, "object", item->name);
	json_end(json);
}

static void add_row(struct columns *columns, const char *replica,
                    const struct lsv_item *item, bool has_offset)
{
	char generation[LSV_GENERATION_SIZE], size[HUMAN_SIZE_TEXT];
	char time[HUMAN_TIME_TEXT];

	lsv_generation_format(item->pos.generation, generation);
	human_size(item->size, size);
	human_time(item->time_ns, time);
	columns_cell(columns, "%s", replica);
	columns_cell(columns, "%s", generation);
	columns_cell(columns, "%u", (unsigned)item->pos.index);
	if (has_offset)
		columns_cell(columns, "%" PRIu64, item->pos.offset);
	columns_cell(columns, "%s", size);
	columns_cell(columns, "%s", time);
}

void listing_items(const struct lsv_items *items, const char *replica,
                   bool has_offset, struct columns *columns, struct json *json)
{
	for (size_t i = 0; i < items->n; i++) {
		if (json)
			add_member(json, replica, &items->at[i], has_offset);
		add_row(columns, replica, &items->at[i], has_offset);
	}
}

int listing_run(const struct listing *listing, int argc, char **argv)
{
	struct list_args args;
	auto_target struct target target = {0};
	int r = parse(listing, argc, argv, &args);

	if (r == 0 && args.help)
		return fputs(listing->usage, stdout) < 0 ? EXITS_FAILED
		                                         : EXITS_DONE;
	if (r == 0)
		r = target_open(args.word, &args.target, &target);
	if (r == 0)
		r = list(listing, &args, &target);
	return exits_of(r);
}
