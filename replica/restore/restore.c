/* SPDX-License-Identifier: MIT */
#include "replica/restore/restore.h"

#include "replica/base/log.h"
#include "replica/restore/apply.h"
#include "replica/restore/output.h"
#include "replica/restore/parallel.h"
#include "replica/restore/prove.h"
#include "replica/restore/say.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

struct run {
	const struct lsv_plan *plan;
	const struct lsv_restore_options *options;
	struct lsv_output *output;
	pthread_mutex_t mutex; /* of n_done and the callback */
	uint64_t n_done;
};

static int fetched(void *arg, uint64_t n_bytes)
{
	struct run *run = arg;
	const struct lsv_restore_options *options = run->options;
	auto_unlock pthread_mutex_t *held = lsv_lock(&run->mutex);

	run->n_done += n_bytes;
	if (options->progress)
		options->progress(options->arg, run->n_done,
		                  run->plan->n_bytes);
	return options->cancelled && *options->cancelled ? -ECANCELED : 0;
}

static int check_hash(const struct run *run, const struct lsv_applied *applied)
{
	uint64_t hash;
	int r;

	if (!run->plan->is_ours)
		return 0;
	r = lsv_prove_page_hash(&applied->proof, applied->page_size,
	                        applied->db_pages, &hash);
	if (r < 0)
		return r;
	if (hash == run->plan->target.page_hash)
		return 0;
	return say(-EBADMSG,
	           "damaged %s or a segment behind it: the pages do not "
	           "have the checksum that txid %" PRIu64 " recorded",
	           run->plan->snapshot->name, run->plan->target.txid);
}

static int check_database(const struct run *run)
{
	const struct lsv_restore_options *options = run->options;
	enum lsv_check check = options->check;
	int r;

	if (!options->has_check)
		check = run->plan->is_ours ? LSV_CHECK_NONE : LSV_CHECK_QUICK;
	if (check == LSV_CHECK_NONE && !run->plan->is_ours)
		(void)log_warn(0, "restored without a check: Litestream's "
		                  "replicas have no checksum of the database");
	r = lsv_verify_database(lsv_output_temp(run->output), check);
	if (r == -EBADMSG && !run->plan->is_ours)
		return say(-EBADMSG,
		           "damaged %s or a segment behind it: SQLite "
		           "finds the restored database malformed",
		           run->plan->snapshot->name);
	return r;
}

/* The disk writes while we read what is in memory anyhow. */
static int prove(const struct run *run, const struct lsv_applied *applied)
{
	struct lsv_flush *flush;
	int r = lsv_flush_begin(lsv_output_fd(run->output), &flush), flushed;

	if (r < 0)
		return r;
	r = check_hash(run, applied);
	if (r == 0)
		r = check_database(run);
	flushed = lsv_flush_end(flush);
	return r < 0 ? r : flushed;
}

/* A distant store makes wait, so many at a time; of a directory no more than
 * there are processors to decode them, since each costs memory. */
#define MAX_DEFAULT 8

static unsigned parallelism(const struct run *run, bool is_near)
{
	unsigned n = MAX_DEFAULT;

	if (run->options->parallelism)
		return run->options->parallelism;
	if (is_near)
		n = lsv_processors();
	return n < MAX_DEFAULT ? n : MAX_DEFAULT;
}

static int make(struct run *run, struct lsv_client *client,
                struct lsv_applied *applied)
{
	const struct lsv_restore_options *options = run->options;
	bool is_near = strcmp(client->ops->scheme, "file") == 0;
	unsigned n = parallelism(run, is_near);
	struct lsv_fetch fetch = {
		.plan = run->plan,
		.n_snapshot_pieces = is_near ? 1 : n,
		.fetched = fetched,
		.arg = run,
	};
	int r = lsv_apply(&fetch, client, n, lsv_output_fd(run->output),
	                  lsv_output_dir(run->output), applied);

	if (r == 0)
		r = prove(run, applied);
	if (r == 0 && options->cancelled && *options->cancelled)
		r = -ECANCELED;
	return r < 0 ? r : lsv_output_publish(run->output);
}

int lsv_restore(struct lsv_client *client, const struct lsv_plan *plan,
                const struct lsv_restore_options *options,
                struct lsv_restored *restored)
{
	struct run run = {
		.plan = plan,
		.options = options,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
	struct lsv_applied applied = {0};
	int r = lsv_output_open(options->output, options->force, &run.output);

	if (r == 0)
		r = make(&run, client, &applied);
	lsv_output_close(run.output);
	if (r < 0)
		return r;
	*restored = (struct lsv_restored){
		.pos = plan->end,
		.txid = plan->target.txid,
		.time_ns = plan->target.time_ns,
		.size = applied.size,
		.page_size = applied.page_size,
		.page_hash = plan->target.page_hash,
	};
	return 0;
}
