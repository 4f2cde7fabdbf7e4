/* SPDX-License-Identifier: MIT */

/*
 *	thread 1   fetch seg 9 │claim│ write     fetch seg 6 │claim│ write
 *	thread 2   fetch seg 8 ....│claim│ write   fetch snapshot ........
 *	thread 3   fetch seg 7 ........│claim│ write     │ write, read back
 *
 * Fetching and writing run side by side; claiming goes in turn, which makes
 * the result the same for any number of threads.  The first that finds no job
 * left writes what the snapshot's thread decompresses.
 */

#include "replica/restore/apply.h"

#include "replica/base/log.h"
#include "replica/restore/claims.h"
#include "replica/restore/parallel.h"
#include "replica/restore/pour.h"
#include "replica/restore/relay.h"
#include "replica/restore/say.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

struct apply {
	const struct lsv_fetch *fetch;
	struct lsv_client *client;
	int fd;
	const char *dir;
	struct lsv_claims claims;
	struct lsv_link *links;
	uint64_t poured; /* bytes of the snapshot */
	struct lsv_proof proof;
	struct lsv_relay relay; /* of the snapshot's bytes */

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t next;     /* job to begin: 0 the newest segment, the last the
	                    snapshot */
	size_t turn;     /* job that may claim */
	size_t n_poured; /* segments */
	int error;       /* the first one stays */
};

static void set_error(struct apply *a, int error)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&a->mutex);

	if (a->error == 0)
		a->error = error;
	pthread_cond_broadcast(&a->changed);
	lsv_relay_fail(&a->relay, -ECANCELED);
}

/* False when there is none left to begin. */
static bool take_job(struct apply *a, size_t *job)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&a->mutex);

	if (a->error || a->next > a->fetch->plan->n_segments)
		return false;
	*job = a->next++;
	return true;
}

static int wait_turn(struct apply *a, size_t job)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&a->mutex);

	while (a->turn != job && a->error == 0)
		pthread_cond_wait(&a->changed, &a->mutex);
	return a->error ? -ECANCELED : 0;
}

static void pass_turn(struct apply *a)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&a->mutex);

	a->turn++;
	pthread_cond_broadcast(&a->changed);
}

static void count_poured(struct apply *a)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&a->mutex);

	a->n_poured++;
}

static bool is_poured(struct apply *a)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&a->mutex);

	return a->n_poured == a->fetch->plan->n_segments;
}

/* Frames of segment i up to the target. */
static size_t count_frames(const struct lsv_plan *plan, size_t i,
                           const struct lsv_pages *pages)
{
	const struct lsv_pos *pos = &plan->segments[i].pos;
	uint64_t first = pos->offset ? pos->offset : LSV_WAL_HEADER_SIZE;
	uint64_t n;

	if (!plan->is_ours || i + 1 < plan->n_segments)
		return pages->refs.n;
	n = (plan->end.offset - first) /
	    (LSV_FRAME_HEADER_SIZE + pages->page_size);
	return n < pages->refs.n ? (size_t)n : pages->refs.n;
}

static int claim_pages(struct apply *a, size_t job, size_t i,
                       const struct lsv_pages *pages,
                       struct lsv_claim_list *list)
{
	const struct lsv_plan *plan = a->fetch->plan;
	int r = wait_turn(a, job);

	list->n = 0;
	if (r == 0)
		r = lsv_claims_take(&a->claims, &pages->refs,
		                    count_frames(plan, i, pages),
		                    plan->segments[i].pos.offset == 0, list);
	if (r == 0)
		pass_turn(a);
	return r;
}

static int apply_segment(struct apply *a, struct lsv_client *client, size_t job,
                         struct lsv_pages *pages, struct lsv_claim_list *list)
{
	const struct lsv_plan *plan = a->fetch->plan;
	size_t i = plan->n_segments - 1 - job;
	int r = lsv_fetch_segment(a->fetch, client, &plan->segments[i], pages,
	                          &a->links[i]);

	if (r == 0)
		r = claim_pages(a, job, i, pages, list);
	if (r == 0)
		r = lsv_pour_claims(a->fd, pages, list);
	if (r == 0)
		count_poured(a);
	return r;
}

/* Reads back what was written while it is in the processor's cache. */
struct read_back {
	struct lsv_writer base;
	struct lsv_writer *pour;
	struct apply *apply;
};

static int write_and_read(struct lsv_writer *writer, const void *buf, size_t n)
{
	const struct read_back *b = (const struct read_back *)writer;
	struct apply *a = b->apply;
	uint64_t end = (uint64_t)a->claims.db_pages * a->fetch->page_size;
	int r = b->pour->write(b->pour, buf, n);

	if (r < 0 || !is_poured(a))
		return r;
	return lsv_prove_some(&a->proof, a->poured < end ? a->poured : end);
}

static int apply_snapshot(struct apply *a, struct lsv_client *client,
                          size_t job)
{
	auto_writer struct lsv_writer *pour = NULL;
	struct read_back into = {.base = {write_and_read, NULL}, .apply = a};
	int r = wait_turn(a, job), ended;

	if (r == 0)
		r = lsv_pour_open(a->fd, a->fetch->page_size, &a->claims,
		                  &a->poured, &pour);
	into.pour = pour;
	if (r == 0)
		r = lsv_relay_begin(&a->relay, &into.base);
	if (r == 0)
		r = lsv_fetch_snapshot(a->fetch, client, &a->relay.base);
	ended = lsv_relay_end(&a->relay);
	return r < 0 ? r : ended;
}

static int work_off(struct apply *a)
{
	__attribute__((cleanup(lsv_pages_free))) struct lsv_pages pages;
	auto_client struct lsv_client *client = NULL;
	struct lsv_claim_list list = {0};
	size_t job;
	int r = a->client->ops->clone(a->client, &client);

	lsv_pages_init(&pages, a->dir, a->fetch->page_size);
	while (r == 0 && take_job(a, &job))
		r = job < a->fetch->plan->n_segments
		            ? apply_segment(a, client, job, &pages, &list)
		            : apply_snapshot(a, client, job);
	free(list.at);
	return r;
}

static void work(void *arg)
{
	struct apply *a = arg;
	int r = work_off(a);

	if (r < 0)
		set_error(a, r);
	else
		lsv_relay_take(&a->relay);
}

/* Page size of a plan without segments, where only the snapshot's length
 * tells. */
static int measure(const struct apply *a, struct lsv_applied *applied)
{
	const struct lsv_plan *plan = a->fetch->plan;
	uint64_t pages = plan->base.db_pages;

	if (!plan->is_ours)
		return 0;
	if (a->poured % pages != 0 || a->poured / pages > LSV_PAGE_SIZE_MAX ||
	    !lsv_page_size_valid((uint32_t)(a->poured / pages)) ||
	    (applied->page_size && a->poured != pages * applied->page_size))
		return say(-EBADMSG,
		           "damaged %s: its length is not that of a "
		           "database of %u pages",
		           plan->snapshot->name, plan->base.db_pages);
	applied->page_size = (uint32_t)(a->poured / pages);
	return 0;
}

static int finish(const struct apply *a, struct lsv_applied *applied)
{
	const struct lsv_plan *plan = a->fetch->plan;
	struct lsv_applied result = {
		.page_size = a->fetch->page_size,
		.db_pages = a->claims.db_pages,
		.size = a->poured,
		.proof = a->proof,
	};
	int r = lsv_links_check(plan, a->links);

	if (r == 0)
		r = measure(a, &result);
	if (r < 0)
		return r;
	if (result.db_pages)
		result.size = (uint64_t)result.db_pages * result.page_size;
	if (ftruncate(a->fd, (off_t)result.size) < 0)
		return log_error(-errno, "cannot write a file in %s", a->dir);
	*applied = result;
	return 0;
}

/* All its blocks at once: a full disk shows now, and the file lies in one
 * piece.  A file system that cannot is no error. */
static int reserve(const struct apply *a)
{
	uint64_t size = (uint64_t)a->claims.db_pages * a->fetch->page_size;

	if (size && fallocate(a->fd, 0, 0, (off_t)size) < 0 && errno == ENOSPC)
		return log_error(-ENOSPC, "cannot write %llu bytes in %s",
		                 (unsigned long long)size, a->dir);
	return 0;
}

static int apply_all(struct apply *a, unsigned n_threads)
{
	int r = reserve(a);

	if (r < 0)
		return r;
	lsv_parallel(n_threads, work, a);
	return a->error;
}

/* Few segments share the connections that there may be.  The snapshot has
 * them all: it begins when every segment is here. */
static unsigned share_out(struct lsv_fetch *fetch, unsigned n)
{
	size_t n_jobs = fetch->plan->n_segments + 1;
	unsigned n_threads = n_jobs < n ? (unsigned)n_jobs : n;

	fetch->n_segment_pieces = fetch->n_snapshot_pieces / n_threads;
	return n_threads;
}

int lsv_apply(struct lsv_fetch *fetch, struct lsv_client *client, unsigned n,
              int fd, const char *dir, struct lsv_applied *applied)
{
	const struct lsv_plan *plan = fetch->plan;
	auto_free struct lsv_link *links = calloc(plan->n_segments + 1,
	                                          sizeof *links);
	struct apply a = {
		.fetch = fetch,
		.client = client,
		.fd = fd,
		.dir = dir,
		.links = links,
		.proof = {.fd = fd},
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	int r = links ? 0 : -ENOMEM;

	lsv_relay_init(&a.relay);
	if (r == 0 && plan->n_segments)
		r = lsv_fetch_shape(fetch, client);
	if (plan->is_ours)
		a.proof.page_size = fetch->page_size;
	if (r == 0)
		r = lsv_claims_init(&a.claims, plan->target.db_pages);
	if (r == 0)
		r = apply_all(&a, share_out(fetch, n));
	if (r == 0)
		r = finish(&a, applied);
	lsv_claims_free(&a.claims);
	lsv_relay_free(&a.relay);
	return r;
}
