/* SPDX-License-Identifier: MIT */

/* lsvfs-restore(1) and lsvfs restore: a database out of its replica. */

#include "tools/restore_run.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/restore/bounds.h"
#include "replica/restore/output.h"
#include "replica/spool/folder.h"
#include "replica/spool/spoolfile.h"
#include "tools/exits.h"
#include "tools/json.h"
#include "tools/progress.h"
#include "tools/restore_args.h"
#include "tools/restore_choice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t cancelled; /* the signal that came */

static void cancel(int signal_no)
{
	cancelled = signal_no;
}

/* The first signal lets us clean up, the second ends us. */
static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = cancel,
	                           .sa_flags = (int)SA_RESETHAND};

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Who asks how we ended shall see the signal. */
static void pass_signal_on(void)
{
	if (!cancelled)
		return;
	signal(cancelled, SIG_DFL);
	raise(cancelled);
}

static void draw(void *arg, uint64_t done, uint64_t total)
{
	progress_draw(arg, done, total);
}

/* What the new file came from, for the generation that it will begin:
 * .<db>-litestream/parent (lsvfs-format(5)). */
static int write_parent(const char *db_path, const struct lsv_pos *pos)
{
	auto_free char *dir = lsv_folder_path(db_path);
	auto_free char *file = dir ? lsv_path_join(dir, "parent") : NULL;
	char line[LSV_POS_TEXT_SIZE + 1];
	bool is_stock;
	size_t n;
	int r;

	if (!file)
		return -ENOMEM;
	lsv_pos_format(pos, line);
	n = strlen(line);
	line[n] = '\n';
	r = lsv_folder_make(db_path, &is_stock);
	return r < 0 ? r
	             : lsv_spool_replace(file, line, n + 1,
	                                 lsv_folder_file_mode(db_path), true);
}

/* The database is restored without it, too. */
static void leave_parent(const char *output, const struct lsv_pos *pos)
{
	/* As SQLite sees it: behind symbolic links. */
	auto_free char *path = realpath(output, NULL);
	int r = path ? write_parent(path, pos) : -errno;

	if (r < 0)
		(void)log_warn(r, "cannot note beside %s where it came from",
		               output);
}

static void print_text(const struct restore_args *args,
                       const struct lsv_plan *plan,
                       const struct lsv_restored *restored)
{
	char position[LSV_POS_TEXT_SIZE], time[LSV_TIME_TEXT_SIZE];
	char size[PROGRESS_SIZE_TEXT];

	lsv_pos_format(&restored->pos, position);
	lsv_time_format(restored->time_ns, time);
	progress_size(args->dry_run ? plan->n_bytes : restored->size, size);
	printf("%s%s", args->dry_run ? "would restore" : "restored",
	       args->output ? " " : "");
	printf("%s: ", args->output ? args->output : "");
	if (plan->is_ours)
		printf("txid %" PRIu64 " of ", restored->txid);
	printf("%s, position %s, %s%s\n", time, position, size,
	       args->dry_run ? " to fetch" : "");
}

static int print_json(const struct restore_args *args,
                      const struct lsv_plan *plan,
                      const struct lsv_restored *restored)
{
	struct json *json = json_open();
	char generation[LSV_GENERATION_SIZE], position[LSV_POS_TEXT_SIZE];

	lsv_generation_format(restored->pos.generation, generation);
	lsv_pos_format(&restored->pos, position);
	json_text(json, "output", args->output);
	json_bool(json, "dry_run", args->dry_run);
	json_text(json, "writer", plan->is_ours ? "lsvfs" : "litestream");
	json_text(json, "generation", generation);
	json_text(json, "position", position);
	if (plan->is_ours) {
		json_int(json, "txid", (int64_t)restored->txid);
		json_hex64(json, "page_hash", restored->page_hash);
	}
	json_time(json, "time", restored->time_ns);
	json_text(json, "snapshot", plan->snapshot->name);
	json_int(json, "segments", (int64_t)plan->n_segments);
	json_int(json, "fetched_bytes", (int64_t)plan->n_bytes);
	if (!args->dry_run)
		json_int(json, "size", (int64_t)restored->size);
	return json_print(json);
}

static int print_result(const struct restore_args *args,
                        const struct lsv_plan *plan,
                        const struct lsv_restored *restored)
{
	int r = 0;

	if (args->json)
		r = print_json(args, plan, restored);
	else
		print_text(args, plan, restored);
	if (r == 0 && (fflush(stdout) == EOF || ferror(stdout)))
		r = -EIO;
	return r < 0 ? log_error(r, "cannot print the result") : 0;
}

static void say_plan(const struct lsv_client *client,
                     const struct lsv_plan *plan)
{
	char size[PROGRESS_SIZE_TEXT];

	progress_size(plan->n_bytes, size);
	log_info("fetches %s and %zu WAL segment%s, %s, from %s",
	         plan->snapshot->name, plan->n_segments,
	         plan->n_segments == 1 ? "" : "s", size, client->url);
}

static int run_plan(struct lsv_client *client, const struct lsv_plan *plan,
                    const struct restore_args *args)
{
	auto_free char *verb = lsv_sprintf("restoring %s", args->output);
	struct lsv_restored restored = {0};
	struct progress progress;
	const struct lsv_restore_options options = {
		.output = args->output,
		.parallelism = args->parallelism,
		.force = args->force,
		.has_check = args->has_check,
		.check = args->check,
		.progress = draw,
		.arg = &progress,
		.cancelled = &cancelled,
	};
	int r;

	if (!verb)
		return -ENOMEM;
	say_plan(client, plan);
	progress_begin(&progress, verb);
	r = lsv_restore(client, plan, &options, &restored);
	progress_end(&progress);
	if (r < 0)
		return r;
	leave_parent(args->output, &restored.pos);
	return print_result(args, plan, &restored);
}

static int dry_run(const struct lsv_plan *plan, const struct restore_args *args)
{
	const struct lsv_restored restored = {
		.pos = plan->end,
		.txid = plan->target.txid,
		.time_ns = plan->target.time_ns,
		.page_hash = plan->target.page_hash,
	};

	return print_result(args, plan, &restored);
}

/* What could be restored instead, one line a generation. */
static void print_ranges(struct lsv_client *client,
                         const struct lsv_catalog *catalog)
{
	const struct lsv_generations *v = &catalog->generations;

	for (size_t i = 0; i < v->n; i++) {
		struct lsv_bounds bounds;
		char text[LSV_BOUNDS_TEXT_SIZE];

		if (lsv_bounds_read(client, &v->at[i], &bounds) < 0)
			continue;
		lsv_bounds_format(&bounds, text);
		fprintf(stderr, "restorable: generation %s\n", text);
	}
}

static bool skip_existing(const struct restore_args *args)
{
	struct stat st;

	if (!args->if_db_not_exists || !args->output ||
	    lstat(args->output, &st) < 0)
		return false;
	fprintf(stderr, "%s exists, nothing to do\n", args->output);
	return true;
}

static int no_backup(const struct target *target,
                     const struct lsv_client *client,
                     const struct restore_args *args)
{
	const char *where = target->db_path ? target->db_path
	                                    : target->replicas[0].url;

	if (!args->if_replica_exists) {
		auto_free char *below = client ? restore_found_below(client)
		                               : NULL;

		log_error(0, "no backup found %s %s%s%s",
		          target->db_path ? "of" : "in", where,
		          below ? ", but there is one in " : "",
		          below ? below : "");
		return -ENOENT;
	}
	fprintf(stderr, "no backup %s %s, nothing to do\n",
	        target->db_path ? "of" : "in", where);
	return 0;
}

static int restore_from(struct target *target, const struct restore_args *args)
{
	struct restore_source source;
	int r = restore_choose(target, &args->target, &source);

	if (r == -ENOENT && source.is_empty) {
		r = no_backup(target, source.client, args);
	} else if (r == -ENOENT && source.client) {
		print_ranges(source.client, &source.catalog);
	} else if (r == 0) {
		r = args->dry_run ? dry_run(&source.plan, args)
		                  : run_plan(source.client, &source.plan, args);
	}
	restore_source_close(&source);
	return r;
}

static int check_output(const struct restore_args *args)
{
	return args->output && !args->force ? lsv_output_check(args->output)
	                                    : 0;
}

/* As Litestream: a database of the configuration goes back to where it was. */
static int default_output(struct restore_args *args,
                          const struct target *target)
{
	if (args->output || args->dry_run)
		return 0;
	if (!target->db_path)
		return log_error(0, "expected -o PATH: where to write the "
		                    "database"),
		       -EINVAL;
	args->output = target->db_path;
	return 0;
}

static int restore(struct restore_args *args)
{
	auto_target struct target target = {0};
	int r = 0;

	if (skip_existing(args))
		return 0;
	r = check_output(args);
	if (r == 0)
		r = target_open(args->word, &args->source, &target);
	if (r == 0)
		r = default_output(args, &target);
	if (r < 0 || skip_existing(args))
		return r;
	r = check_output(args);
	return r < 0 ? r : restore_from(&target, args);
}

int restore_run(int argc, char **argv)
{
	struct restore_args args;
	int r = restore_args_parse(argc, argv, &args);

	if (r < 0)
		return exits_of(r);
	if (args.help)
		restore_args_help();
	if (args.version && !args.help)
		printf("lsvfs-restore %s\n", PACKAGE_VERSION);
	if (args.help || args.version)
		return EXITS_DONE;
	if (args.verbose && lsv_log_level() < LSV_LOG_INFO)
		lsv_log_set_level(LSV_LOG_INFO);
	catch_signals();
	r = restore(&args);
	if (r < 0 && cancelled)
		r = -ECANCELED;
	r = exits_of(r);
	pass_signal_on();
	return r;
}
