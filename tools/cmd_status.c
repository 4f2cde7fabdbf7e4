/* SPDX-License-Identifier: MIT */

/* lsvfs status: what monitoring asks, by its own exit statuses. */

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "tools/command.h"
#include "tools/configuration.h"
#include "tools/exits.h"
#include "vfs/status.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* As monitoring plugins have them. */
enum { FINE = 0, BEHIND = 1, BROKEN = 2, CANNOT_TELL = 3 };

static const char usage[] =
	"usage: lsvfs status [OPTION]... DB\n"
	"\n"
	"  -json            one JSON object\n"
	"  -max-lag D       behind by more than this is exit status 1 (10s)\n"
	"  -config F        the configuration file\n"
	"  -no-expand-env   leave $NAME in it as it is\n"
	"  -help            print this\n"
	"\n"
	"Exit status: 0 fine, 1 behind, 2 broken, 3 cannot tell.\n";

static void print_replica(const struct lsv_status *status,
                          const struct lsv_replica_status *replica)
{
	char position[LSV_POS_TEXT_SIZE] = "-", time[LSV_TIME_TEXT_SIZE] = "-";
	char since[LSV_TIME_TEXT_SIZE];

	if (replica->shipped.generation)
		lsv_pos_format(&replica->shipped, position);
	if (replica->shipped_ns)
		lsv_time_format(replica->shipped_ns, time);
	printf("replica   %s  %s\n", replica->name, replica->url);
	if (status->n_replicas > 1)
		printf("state     %s\n", lsv_health_text(replica->health));
	printf("position  %s  txid %" PRIu64 "  %s\n", position,
	       replica->shipped_txid, time);
	if (replica->lag_ns)
		printf("lag       %.3f s (txid %" PRIu64 " is here)\n",
		       (double)replica->lag_ns / 1e9, status->captured_txid);
	if (replica->failing_ns) {
		lsv_time_format(replica->failing_ns, since);
		printf("since     %s\n", since);
	}
	if (replica->error[0])
		printf("error     %s\n", replica->error);
}

static void print_table(const struct lsv_status *status)
{
	printf("database  %s\nstate     %s\n", status->path,
	       lsv_health_text(status->health));
	for (size_t i = 0; i < status->n_replicas; i++) {
		if (status->n_replicas > 1)
			putchar('\n');
		print_replica(status, &status->replicas[i]);
	}
	if (status->error[0])
		printf("error     %s\n", status->error);
}

static int exit_status(const struct lsv_status *status, int64_t max_lag_ns)
{
	switch (status->health) {
	case LSV_HEALTH_FINE:
		return FINE;
	case LSV_HEALTH_BEHIND:
		return status->lag_ns > max_lag_ns ? BEHIND : FINE;
	case LSV_HEALTH_FAILING:
	case LSV_HEALTH_BROKEN:
	case LSV_HEALTH_NONE:
	case LSV_HEALTH_NOT_WAL:
		return BROKEN;
	case LSV_HEALTH_UNKNOWN:
		return CANNOT_TELL;
	}
	abort();
}

static int print_json(const struct lsv_status *status)
{
	char *text = lsv_status_json(status);

	if (!text)
		return CANNOT_TELL;
	puts(text);
	free(text);
	return 0;
}

static int bad_usage(const char *why)
{
	fprintf(stderr, "error: %s\n%s", why, usage);
	return CANNOT_TELL;
}

/* A file that is wrong replicates nothing at the next open, however well it
 * goes until then. */
static void tell_configuration(const struct configuration *which,
                               struct lsv_status *status)
{
	const char *path = lsv_config_file_where(which->path);
	auto_configuration struct lsv_config_file *file = NULL;
	auto_free char *why = NULL;
	bool is_required = false;

	if (!path || lsv_config_file_read(path, !which->no_expand_env, &file,
	                                  &why, &is_required) == 0)
		return;
	status->health = LSV_HEALTH_FAILING;
	snprintf(status->error, sizeof status->error, "configuration: %s",
	         why ? why : "out of memory");
}

int cmd_status(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"max-lag", required_argument, NULL, 'm'},
		{"config", required_argument, NULL, 'c'},
		{"no-expand-env", no_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int64_t max_lag_ns = 10 * LSV_NS_PER_S;
	struct configuration which = {0};
	struct lsv_status status;
	int c, json = 0;

	opterr = 0;
	while ((c = getopt_long_only(argc, argv, ":h", options, NULL)) != -1) {
		if (c == 'h')
			return fputs(usage, stdout) < 0;
		if (c == 'm' && lsv_duration_parse(optarg, &max_lag_ns) < 0)
			return bad_usage("-max-lag takes a duration such as "
			                 "10s or 5m");
		if (c == '?' || c == ':') {
			tools_bad_option(c, argv);
			return CANNOT_TELL;
		}
		if (c == 'c')
			which.path = optarg;
		which.no_expand_env |= c == 'e';
		json |= c == 'j';
	}
	if (optind + 1 != argc)
		return bad_usage("one database is needed");
	lsv_status_read(argv[optind], NULL, &status);
	tell_configuration(&which, &status);
	if (json && print_json(&status) != 0)
		return CANNOT_TELL;
	if (!json)
		print_table(&status);
	return exit_status(&status, max_lag_ns);
}
