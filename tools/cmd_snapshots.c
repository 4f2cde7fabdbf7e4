/* SPDX-License-Identifier: MIT */

/* lsvfs snapshots: whole databases on a replica. */

#include "tools/command.h"
#include "tools/human.h"
#include "tools/listing.h"

static const char usage[] =
	"usage: lsvfs snapshots [OPTION]... DB|URL\n"
	"\n"
	"Lists the snapshots of a replica.\n"
	"\n"
	"  -config F        the configuration file\n"
	"  -no-expand-env   leave $NAME in it as it is\n"
	"  -replica NAME    only this one of the database's replicas\n"
	"  -json            one JSON object\n"
	"  -help            print this\n"
	"\n"
	"Exit status: 0 listed; 1 a replica cannot be read; 2 usage.\n";

static void row(const char *replica, const struct lsv_item *item,
                struct columns *columns)
{
	char generation[LSV_GENERATION_SIZE], size[HUMAN_SIZE_TEXT];
	char time[HUMAN_TIME_TEXT];

	lsv_generation_format(item->pos.generation, generation);
	human_size(item->size, size);
	human_time(item->time_ns, time);
	columns_cell(columns, "%s", replica);
	columns_cell(columns, "%s", generation);
	columns_cell(columns, "%u", (unsigned)item->pos.index);
	columns_cell(columns, "%s", size);
	columns_cell(columns, "%s", time);
}

static void rows(const struct target *target, const char *replica,
                 const struct lsv_generation *generation,
                 struct columns *columns, struct json *json)
{
	(void)target;
	for (size_t i = 0; i < generation->snapshots.n; i++) {
		const struct lsv_item *item = &generation->snapshots.at[i];

		if (json)
			listing_item(json, replica, item, false);
		row(replica, item, columns);
	}
}

int cmd_snapshots(int argc, char **argv)
{
	static const char *const head[] = {"replica", "generation", "index",
	                                   "size",    "created",    NULL};
	static const struct listing listing = {
		.usage = usage,
		.array = "snapshots",
		.head = head,
		.rows = rows,
	};

	return listing_run(&listing, argc, argv);
}
