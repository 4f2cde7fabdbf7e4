/* SPDX-License-Identifier: MIT */

/* lsvfs generations: each unbroken history on a replica. */

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "tools/command.h"
#include "tools/human.h"
#include "tools/listing.h"

#include <sys/stat.h>

static const char usage[] =
	"usage: lsvfs generations [OPTION]... DB|URL\n"
	"\n"
	"Lists the generations of a replica: how far each lags behind the\n"
	"database, and the time that it covers.\n"
	"\n"
	"  -config F        the configuration file\n"
	"  -no-expand-env   leave $NAME in it as it is\n"
	"  -replica NAME    only this one of the database's replicas\n"
	"  -json            one JSON object\n"
	"  -help            print this\n"
	"\n"
	"Exit status: 0 listed; 1 a replica cannot be read; 2 usage.\n";

/* What a generation holds, in sum. */
struct extent {
	int64_t first_ns, last_ns;
	uint64_t n_bytes;
};

static void extend(struct extent *extent, const struct lsv_items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		int64_t ns = items->at[i].time_ns;

		if (extent->first_ns == 0 || ns < extent->first_ns)
			extent->first_ns = ns;
		if (ns > extent->last_ns)
			extent->last_ns = ns;
		extent->n_bytes += items->at[i].size;
	}
}

static int64_t modified_ns(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return 0;
	return st.st_mtim.tv_sec * LSV_NS_PER_S + st.st_mtim.tv_nsec;
}

/* When the database was last written; of a URL's nobody knows: now. */
static int64_t updated_ns(const struct target *target)
{
	auto_free char *wal = NULL;
	int64_t db_ns = 0, wal_ns = 0;

	if (target->db_path) {
		wal = lsv_sprintf("%s-wal", target->db_path);
		db_ns = modified_ns(target->db_path);
		wal_ns = modified_ns(wal);
	}
	if (db_ns == 0)
		return lsv_clock_ns();
	return wal_ns > db_ns ? wal_ns : db_ns;
}

static void put_json(struct json *json, const char *replica,
                     const struct lsv_generation *generation,
                     const struct extent *extent, int64_t lag_ns)
{
	json_begin_object(json, NULL);
	json_text(json, "replica", replica);
	json_hex64(json, "generation", generation->id);
	json_int(json, "lag_ms", lag_ns / LSV_NS_PER_MS);
	json_time(json, "start", extent->first_ns);
	json_time(json, "end", extent->last_ns);
	json_int(json, "snapshots", (int64_t)generation->snapshots.n);
	json_int(json, "segments", (int64_t)generation->segments.n);
	json_int(json, "size", (int64_t)extent->n_bytes);
	json_end(json);
}

static void rows(const struct target *target, const char *replica,
                 const struct lsv_generation *generation,
                 struct columns *columns, struct json *json)
{
	char name[LSV_GENERATION_SIZE], lag[HUMAN_SPAN_TEXT];
	char first[HUMAN_TIME_TEXT], last[HUMAN_TIME_TEXT];
	struct extent extent = {0};
	int64_t lag_ns;

	extend(&extent, &generation->snapshots);
	extend(&extent, &generation->segments);
	lag_ns = updated_ns(target) - extent.last_ns;
	if (json)
		put_json(json, replica, generation, &extent, lag_ns);
	lsv_generation_format(generation->id, name);
	human_span(lag_ns, lag);
	human_time(extent.first_ns, first);
	human_time(extent.last_ns, last);
	columns_cell(columns, "%s", replica);
	columns_cell(columns, "%s", name);
	columns_cell(columns, "%s", lag);
	columns_cell(columns, "%s", first);
	columns_cell(columns, "%s", last);
}

int cmd_generations(int argc, char **argv)
{
	static const char *const head[] = {"name",  "generation", "lag",
	                                   "start", "end",        NULL};
	static const struct listing listing = {
		.usage = usage,
		.array = "generations",
		.head = head,
		.rows = rows,
	};

	return listing_run(&listing, argc, argv);
}
