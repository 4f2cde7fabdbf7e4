/* SPDX-License-Identifier: MIT */

/* lsvfs wal: the segments on a replica. */

#include "tools/command.h"
#include "tools/listing.h"

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

static void rows(const struct target *target, const char *replica,
                 const struct lsv_generation *generation,
                 struct columns *columns, struct json *json)
{
	(void)target;
	listing_items(&generation->segments, replica, true, columns, json);
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
