/* SPDX-License-Identifier: MIT */

/*
 * lsvfs sync [-timeout D] DB: opens the database as any program of ours would,
 * reads it (so that SQLite recovers what a crash left), and waits.
 */

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "tools/command.h"
#include "tools/configuration.h"
#include "tools/exits.h"
#include "tools/option.h"
#include "vfs/conf_cache.h"
#include "vfs/lsvfs.h"
#include "vfs/outside.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: lsvfs sync [OPTION]... DB\n"
	"\n"
	"Waits until every commit made before it was called is on the\n"
	"replica, whether or not a program has the database open.\n"
	"\n"
	"  -timeout D       give up after D (\"10s\", \"5m\"; default: never)\n"
	"  -replica-url URL where the replica is (default: "
	"$LSVFS_REPLICA_URL)\n"
	"  -config F        the configuration file, which then comes before\n"
	"                   $LSVFS_REPLICA_URL\n"
	"  -no-expand-env   leave $NAME in it as it is\n"
	"  -takeover        make this database the replica's owner\n"
	"  -help            print this\n"
	"\n"
	"Exit status: 0 everything is there; 1 it is not; 2 usage.\n";

struct sync_args {
	const char *db;
	const char *url;
	struct configuration configuration;
	int timeout_ms; /* -1: none */
	int takeover;
	int help;
};

static int bad_usage(void)
{
	fputs(usage, stderr);
	return -EINVAL;
}

static int parse_timeout(const char *text, struct sync_args *args)
{
	int64_t ns;

	if (lsv_duration_parse(text, &ns) < 0 || ns / LSV_NS_PER_MS > INT_MAX) {
		fprintf(stderr,
		        "error: '%s' is not a duration such as 10s or 5m\n",
		        text);
		return bad_usage();
	}
	args->timeout_ms = (int)(ns / LSV_NS_PER_MS);
	return 0;
}

static int parse(int argc, char **argv, struct sync_args *args)
{
	static const struct option options[] = {
		{"timeout", required_argument, NULL, 't'},
		{"replica-url", required_argument, NULL, 'r'},
		CONFIGURATION_CONFIG,
		CONFIGURATION_NO_EXPAND_ENV,
		{"takeover", no_argument, NULL, 'o'},
		OPTION_HELP,
		{0},
	};
	int c;

	*args = (struct sync_args){.timeout_ms = -1};
	while ((c = option_next(argc, argv, options, NULL)) != -1) {
		if (c == 't' && parse_timeout(optarg, args) < 0)
			return -EINVAL;
		if (c == 'r')
			args->url = optarg;
		(void)configuration_option(c, optarg, &args->configuration);
		if (c == 'o')
			args->takeover = 1;
		if (c == 'h')
			args->help = 1;
		if (c == '?')
			return -EINVAL;
	}
	if (args->help)
		return 0;
	if (optind + 1 != argc) {
		fputs("error: one database is needed\n", stderr);
		return bad_usage();
	}
	args->db = argv[optind];
	return 0;
}

/* A replica is configured: why it is none was said when it was opened. */
static bool has_replica(const struct sync_args *args)
{
	const char *url = getenv("LSVFS_REPLICA_URL");
	const char *options = getenv("LSVFS_OPTIONS");

	return args->url || (url && *url) ||
	       (options && strstr(options, "replica="));
}

static int explain(const struct sync_args *args, int r)
{
	switch (r) {
	case 0:
		return EXITS_DONE;
	case -EINVAL:
		fprintf(stderr,
		        "error: %s is not in WAL mode: run PRAGMA "
		        "journal_mode=wal once\n",
		        args->db);
		break;
	case -ENOENT:
		if (!has_replica(args))
			fprintf(stderr,
			        "error: %s has no replica: give -replica-url, "
			        "set LSVFS_REPLICA_URL, or name it in a "
			        "configuration file (lsvfs.yml(5))\n",
			        args->db);
		return EXITS_USAGE;
	case -EPERM:
		fprintf(stderr,
		        "error: nothing was put: the replica is another "
		        "database's; lsvfs sync -takeover makes it this "
		        "one's\n");
		break;
	case -ETIMEDOUT:
		fprintf(stderr,
		        "error: not every commit of %s is on its replica: "
		        "timed out; lsvfs status %s says more\n",
		        args->db, args->db);
		break;
	}
	return EXITS_FAILED;
}

/* What -config names comes before the environment. */
static void use_configuration(const struct configuration *which)
{
	const char *path = lsv_config_file_where(which->path);

	if (which->path)
		unsetenv("LSVFS_REPLICA_URL");
	if (path && (which->path || which->no_expand_env))
		lsv_conf_cache_set(path, !which->no_expand_env);
}

int cmd_sync(int argc, char **argv)
{
	struct lsvfs_options options = {.size = sizeof options};
	struct sync_args args;

	if (parse(argc, argv, &args) < 0)
		return EXITS_USAGE;
	if (args.help) {
		fputs(usage, stdout);
		return EXITS_DONE;
	}
	use_configuration(&args.configuration);
	options.replica = args.url;
	if (args.takeover)
		options.options = "takeover=1";
	if (lsvfs_register(&options) != 0)
		return EXITS_USAGE;
	return explain(&args, lsv_outside_sync(args.db, args.timeout_ms));
}
