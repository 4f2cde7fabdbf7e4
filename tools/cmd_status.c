/* SPDX-License-Identifier: MIT */

/* lsvfs status: what monitoring asks, by its own exit statuses. */

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/base/vector.h"
#include "tools/command.h"
#include "tools/configuration.h"
#include "tools/exits.h"
#include "tools/metrics.h"
#include "tools/option.h"
#include "tools/status_text.h"
#include "vfs/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As monitoring plugins have them: the worse, the higher, but for what cannot
 * be told. */
enum { FINE = 0, BEHIND = 1, BROKEN = 2, CANNOT_TELL = 3 };

static const char usage[] =
	"usage: lsvfs status [OPTION]... [DB]...\n"
	"\n"
	"Says whether databases are replicated; without one, all those that the\n"
	"configuration file names.\n"
	"\n"
	"  -json            one JSON object a database\n"
	"  -prometheus      metrics, for the node exporter's textfile collector\n"
	"  -watch           again each second, until it is interrupted\n"
	"  -max-lag D       behind by more than this is exit status 1 (10s)\n"
	"  -config F        the configuration file\n"
	"  -no-expand-env   leave $NAME in it as it is\n"
	"  -help            print this\n"
	"\n"
	"Exit status: 0 fine, 1 behind, 2 broken, 3 cannot tell; of several\n"
	"databases the worst.\n";

LSV_VECTOR(db_paths, char *)

struct status_args {
	struct configuration configuration;
	int64_t max_lag_ns;
	bool json;
	bool prometheus;
	bool watch;
	bool help;
};

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

static int bad_usage(const char *why)
{
	fprintf(stderr, "error: %s\n%s", why, usage);
	return -EINVAL;
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

static int set_option(int c, struct status_args *args)
{
	if (configuration_option(c, optarg, &args->configuration))
		return 0;
	switch (c) {
	case 'j':
		args->json = true;
		return 0;
	case 'p':
		args->prometheus = true;
		return 0;
	case 'w':
		args->watch = true;
		return 0;
	case 'm':
		if (lsv_duration_parse(optarg, &args->max_lag_ns) == 0)
			return 0;
		return bad_usage("-max-lag takes a duration such as 10s or 5m");
	case 'h':
		args->help = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse(int argc, char **argv, struct status_args *args)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"prometheus", no_argument, NULL, 'p'},
		{"watch", no_argument, NULL, 'w'},
		{"max-lag", required_argument, NULL, 'm'},
		CONFIGURATION_CONFIG,
		CONFIGURATION_NO_EXPAND_ENV,
		OPTION_HELP,
		{0},
	};
	int c, r = 0;

	*args = (struct status_args){.max_lag_ns = 10 * LSV_NS_PER_S};
	while (r == 0 && (c = option_next(argc, argv, options, NULL)) != -1)
		r = set_option(c, args);
	if (r == 0 && args->json && args->prometheus)
		return bad_usage("-json and -prometheus exclude each other");
	return r;
}

static int add_path(void *arg, const char *db_path,
                    const struct lsv_config *config)
{
	char *copy = strdup(db_path);
	int r = copy ? db_paths_append(arg, copy) : -ENOMEM;

	(void)config;
	if (r < 0)
		free(copy);
	return r;
}

/* Those of the command line, or else of the configuration file. */
static int find_paths(const struct status_args *args, char **words,
                      struct db_paths *paths)
{
	auto_configuration struct lsv_config_file *file = NULL;
	int r = 0;

	for (; *words && r == 0; words++)
		r = add_path(paths, *words, NULL);
	if (r < 0 || paths->n > 0)
		return r;
	r = configuration_read(&args->configuration, &file);
	if (r == 0 && !file)
		return bad_usage("which database? name one, or a "
		                 "configuration file (-config)");
	if (r == 0)
		r = lsv_config_file_each(file, add_path, paths);
	if (r == 0 && paths->n == 0)
		return log_error(0, "%s names no database", file->path),
		       -ENOENT;
	return r;
}

static int print_json(const struct lsv_status *status)
{
	auto_free char *text = lsv_status_json(status);

	return !text || puts(text) == EOF ? -EIO : 0;
}

static int print_all(const struct status_args *args,
                     const struct lsv_status *statuses, const int *grades,
                     size_t n)
{
	int r = 0;

	if (args->prometheus)
		return metrics_print(statuses, grades, n);
	for (size_t i = 0; i < n && r == 0; i++) {
		if (args->json) {
			r = print_json(&statuses[i]);
			continue;
		}
		if (i > 0)
			putchar('\n');
		status_print(&statuses[i]);
	}
	return fflush(stdout) == EOF ? -EIO : r;
}

/* Reads all and prints them; the exit status. */
static int look(const struct status_args *args, const struct db_paths *paths)
{
	auto_free struct lsv_status *statuses = calloc(paths->n,
	                                               sizeof *statuses);
	auto_free int *grades = calloc(paths->n, sizeof *grades);
	int worst = FINE;

	if (!statuses || !grades)
		return CANNOT_TELL;
	for (size_t i = 0; i < paths->n; i++) {
		lsv_status_read(paths->at[i], NULL, false, &statuses[i]);
		tell_configuration(&args->configuration, &statuses[i]);
		grades[i] = exit_status(&statuses[i], args->max_lag_ns);
		/* What is broken is worse than what cannot be told. */
		if (worst != BROKEN &&
		    (grades[i] == BROKEN || grades[i] > worst))
			worst = grades[i];
	}
	if (args->watch && isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	return print_all(args, statuses, grades, paths->n) < 0 ? CANNOT_TELL
	                                                       : worst;
}

int cmd_status(int argc, char **argv)
{
	struct status_args args;
	struct db_paths paths = {0};
	int status = CANNOT_TELL;
	int r = parse(argc, argv, &args);

	if (r == 0 && args.help)
		return fputs(usage, stdout) < 0 ? CANNOT_TELL : FINE;
	if (r == 0)
		r = find_paths(&args, argv + optind, &paths);
	if (r == 0)
		status = look(&args, &paths);
	while (r == 0 && args.watch && !ferror(stdout)) {
		sleep(1);
		status = look(&args, &paths);
	}
	for (size_t i = 0; i < paths.n; i++)
		free(paths.at[i]);
	free(paths.at);
	return status;
}
