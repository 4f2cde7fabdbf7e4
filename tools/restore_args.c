/* SPDX-License-Identifier: MIT */
#include "tools/restore_args.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "tools/option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PARALLELISM 256

#define usage(...) (log_error(0, __VA_ARGS__), -EINVAL)

typedef int set_fn(struct restore_args *args, const char *value);

static int set_output(struct restore_args *args, const char *value)
{
	args->output = value;
	return *value ? 0 : usage("-o: the path is empty");
}

static int set_config(struct restore_args *args, const char *value)
{
	(void)configuration_option('c', value, &args->source.configuration);
	return *value ? 0 : usage("-config: the path is empty");
}

static int set_no_expand_env(struct restore_args *args, const char *value)
{
	(void)configuration_option('e', value, &args->source.configuration);
	return 0;
}

static int set_replica(struct restore_args *args, const char *value)
{
	args->source.replica = value;
	return 0;
}

/* Each target excludes the others. */
static int set_kind(struct restore_args *args, enum lsv_target_kind kind)
{
	if (args->target.kind != LSV_TARGET_LATEST && args->target.kind != kind)
		return usage("-timestamp, -txid and -index exclude "
		             "each other");
	args->target.kind = kind;
	return 0;
}

static int set_timestamp(struct restore_args *args, const char *value)
{
	if (lsv_time_parse(value, &args->target.time_ns) < 0)
		return usage("-timestamp %s: expected a time such as "
		             "2026-01-31T23:59:59Z or "
		             "2026-01-31T23:59:59.25+02:00",
		             value);
	return set_kind(args, LSV_TARGET_TIME);
}

static int set_generation(struct restore_args *args, const char *value)
{
	uint64_t id;

	if (lsv_generation_parse(value, strlen(value), &id) < 0 || id == 0)
		return usage("-generation %s: expected 16 hexadecimal "
		             "digits, lower case",
		             value);
	args->target.generation = id;
	return 0;
}

/* A whole number in all of 'value'. */
static int parse_number(const char *value, int base, uint64_t max,
                        uint64_t *number)
{
	char *end;

	if (!strchr("0123456789abcdefABCDEF", *value) || !*value)
		return -EINVAL;
	errno = 0;
	*number = strtoull(value, &end, base);
	return errno || *end || *number > max ? -EINVAL : 0;
}

static int set_index(struct restore_args *args, const char *value)
{
	uint64_t number;

	if (parse_number(value, 16, INT32_MAX, &number) < 0)
		return usage("-index %s: expected a hexadecimal number, "
		             "as in the names of objects",
		             value);
	args->target.index = (uint32_t)number;
	return set_kind(args, LSV_TARGET_INDEX);
}

/* Litestream 0.5 writes its own with 16 digits: another number here. */
static bool is_foreign_txid(const char *value)
{
	size_t n = strlen(value);

	return strspn(value, "0123456789abcdefABCDEF") == n &&
	       (n == 16 || (n > 1 && *value == '0'));
}

static int set_txid(struct restore_args *args, const char *value)
{
	if (is_foreign_txid(value))
		return usage("-txid %s: expected a decimal number without "
		             "leading zeros (Litestream 0.5 writes hexadecimal "
		             "ones, of its own)",
		             value);
	if (parse_number(value, 10, INT64_MAX, &args->target.txid) < 0)
		return usage("-txid %s: expected a number", value);
	return set_kind(args, LSV_TARGET_TXID);
}

static int set_parallelism(struct restore_args *args, const char *value)
{
	uint64_t number;

	if (parse_number(value, 10, MAX_PARALLELISM, &number) < 0 ||
	    number == 0)
		return usage("-parallelism %s: expected 1 to %d", value,
		             MAX_PARALLELISM);
	args->parallelism = (unsigned)number;
	return 0;
}

static int set_check(struct restore_args *args, const char *value)
{
	static const char *const names[] = {
		[LSV_CHECK_NONE] = "none",
		[LSV_CHECK_QUICK] = "quick",
		[LSV_CHECK_FULL] = "full",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(value, names[i]) == 0) {
			args->check = (enum lsv_check)i;
			args->has_check = true;
			return 0;
		}
	}
	return usage("-integrity-check %s: expected none, quick or full",
	             value);
}

#define FLAG_SETTER(field)                                                     \
	static int set_##field(struct restore_args *args, const char *value)   \
	{                                                                      \
		(void)value;                                                   \
		args->field = true;                                            \
		return 0;                                                      \
	}

FLAG_SETTER(if_db_not_exists)
FLAG_SETTER(if_replica_exists)
FLAG_SETTER(force)
FLAG_SETTER(dry_run)
FLAG_SETTER(json)
FLAG_SETTER(verbose)
FLAG_SETTER(help)
FLAG_SETTER(version)

/* The one list of options: what is parsed, and what -help says. */
static const struct {
	const char *name;
	const char *value; /* NULL: a flag */
	set_fn *set;
	const char *help;
} table[] = {
	{"o", "PATH", set_output,
         "where to write the database (DB: to where it was)"},
	{"config", "F", set_config, "the configuration file"},
	{"no-expand-env", NULL, set_no_expand_env,
         "leave $NAME in it as it is"},
	{"replica", "NAME", set_replica,
         "only this one of the database's replicas"},
	{"timestamp", "TIME", set_timestamp,
         "restore the last commit at or before TIME (RFC 3339)"},
	{"txid", "N", set_txid, "restore commit N"},
	{"index", "HEX", set_index,
         "restore to the end of WAL index HEX (with -generation)"},
	{"generation", "NAME", set_generation, "restore from this generation"},
	{"parallelism", "N", set_parallelism,
         "objects or pieces to fetch at a time"},
	{"integrity-check", "HOW", set_check,
         "none, quick or full: let SQLite check the result, too"},
	{"if-db-not-exists", NULL, set_if_db_not_exists,
         "exit 0 when PATH exists"},
	{"if-replica-exists", NULL, set_if_replica_exists,
         "exit 0 when there is no backup"},
	{"force", NULL, set_force, "replace PATH, unless it is in use"},
	{"dry-run", NULL, set_dry_run,
         "say what would be restored, write nothing"},
	{"json", NULL, set_json, "print the result as JSON"},
	{"v", NULL, set_verbose, "say what is fetched, and from where"},
	{"help", NULL, set_help, "print this"},
	{"version", NULL, set_version, "print the version"},
};

#define N_OPTIONS (sizeof table / sizeof *table)

void restore_args_help(void)
{
	printf("lsvfs-restore: get a SQLite database back from its replica\n\n"
	       "Usage: lsvfs-restore [options] DB\n"
	       "       lsvfs-restore -o PATH [options] URL\n\n"
	       "DB is a database whose replica the configuration tells, URL a "
	       "replica: a\ndirectory, file:///directory. Options "
	       "take one dash or two:\n\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		char left[32];

		snprintf(left, sizeof left, "-%s%s%s", table[i].name,
		         table[i].value ? " " : "",
		         table[i].value ? table[i].value : "");
		printf("  %-21s %s\n", left, table[i].help);
	}
	printf("\nExit status: 0 restored and proven; 1 failed; 2 usage; "
	       "3 nothing restorable\nfor that target; 4 the replica is "
	       "damaged; 5 PATH exists or is in use.\n\n"
	       "Example: lsvfs-restore -o app.db -timestamp "
	       "2026-01-31T12:00:00Z /backup/app\n\n"
	       "See lsvfs-restore(1).\n");
}

static int check(int argc, char **argv, struct restore_args *args)
{
	if (args->help || args->version)
		return 0;
	if (optind == argc)
		return usage("expected a database or the URL of a "
		             "replica, see "
		             "lsvfs-restore -help");
	if (optind + 1 < argc)
		return usage(
			"expected one database or URL, '%s' is one too many, "
			"see lsvfs-restore -help",
			argv[optind + 1]);
	args->word = argv[optind];
	if (args->target.kind == LSV_TARGET_INDEX && !args->target.generation)
		return usage("-index needs -generation: each generation "
		             "counts from 0");
	return 0;
}

int restore_args_parse(int argc, char **argv, struct restore_args *args)
{
	struct option options[N_OPTIONS + 2] = {0};
	int c, i, r = 0;

	*args = (struct restore_args){.source.may_be_path = true};
	for (size_t k = 0; k < N_OPTIONS; k++) {
		options[k].name = table[k].name;
		options[k].has_arg = table[k].value ? required_argument
		                                    : no_argument;
	}
	options[N_OPTIONS] = (struct option){"h", no_argument, NULL, 'h'};
	while (r == 0 && (c = option_next(argc, argv, options, &i)) != -1) {
		if (c == 'h')
			args->help = true;
		else
			r = c == 0 ? table[i].set(args, optarg) : -EINVAL;
	}
	return r < 0 ? r : check(argc, argv, args);
}
