/* SPDX-License-Identifier: MIT */

/* lsvfs wal: the segments on a replica. */

#include "tools/command.h"
#include "tools/human.h"
#include "tools/listing.h"

#include <inttypes.h>

static const char usage[] =
	"usage: lsvfs wal [OPTION]... DB|URL\n"
	"\n"
	"Lists the WAL segments of a replica.\n"
	"\n"
	"  -generation NAME  only those of that generation\n"
	"  -config F         the configuration file\n"
	"  -no-expand-env    leave $NAME in it as it is\n"
	"  -replica NAME     only this one of the database's replicas\n"
	"  -json             one JSON object\n"
	"  -help             print this\n"
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
	columns_cell(columns, "%" PRIu64, item->pos.offset);
	columns_cell(columns, "%s", size);
	columns_cell(columns, "%s", time);
}

static void rows(const struct target *target, const char *replica,
                 const struct lsv_generation *generation,
                 struct columns *columns, struct json *json)
{
	(void)target;
	for (size_t i = 0; i < generation->segments.n; i++) {
		const struct lsv_item *item = &generation->segments.at[i];

		if (json)
			listing_item(json, replica, item, true);
		row(replica, item, columns);
	}
}

int cmd_wal(int argc, char **argv)
{
	static const char *const head[] = {"replica", "generation", "index",
	                                   "offset",  "size",       "created",
	                                   NULL};
	static const struct listing listing = {
		.usage = usage,
		.array = "segments",
		.head = head,
		.rows = rows,
		.takes_generation = true,
	};

	return listing_run(&listing, argc, argv);
}
