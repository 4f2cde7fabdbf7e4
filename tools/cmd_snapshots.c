/* SPDX-License-Identifier: MIT */

/* lsvfs snapshots: whole databases on a replica. */

#include "tools/command.h"
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

static void rows(const struct target *target, const char *replica,
                 const struct lsv_generation *generation,
                 struct columns *columns, struct json *json)
{
	(void)target;
	listing_items(&generation->snapshots, replica, false, columns, json);
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
