/* SPDX-License-Identifier: MIT */
#include "vfs/job.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/base/thread.h"
#include "vfs/bell.h"

#include <limits.h>

#define THREADS_MAX 16
#define THREADS_KEPT 2 /* what idles beyond that ends */
#define TROUBLED_MAX 4 /* threads for jobs of replicas that fail */
#define START_AGAIN_NS LSV_NS_PER_S

struct job {
	STAILQ_ENTRY(job) link;
	struct lsv_db *db;
	struct lsv_replica *replica; /* NULL: the database's job */
	lsv_job_fn *fn;
	bool is_troubled; /* the replica's last put failed */
};
STAILQ_HEAD(job_queue, job);

static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pool_work = PTHREAD_COND_INITIALIZER;
static struct job_queue queue = STAILQ_HEAD_INITIALIZER(queue);
static struct job_queue troubled = STAILQ_HEAD_INITIALIZER(troubled);
static int n_threads, n_idle, n_troubled;
/* When a thread that could not be had is tried for again; 0: none could not. */
static int64_t start_due_ns;

static bool *queued_flag(const struct job *job)
{
	return job->replica ? &job->replica->is_job_queued
	                    : &job->db->is_job_queued;
}

static void finish(struct job *job)
{
	struct lsv_db *db = job->db;

	pthread_mutex_lock(&db->mutex);
	*queued_flag(job) = false;
	pthread_cond_broadcast(&db->changed);
	pthread_mutex_unlock(&db->mutex);
	lsv_bell_hurry(db);
	lsv_db_release(db);
	free(job);
}

/* Under pool_mutex, as all below.  NULL: none that may run now. */
static struct job *next_job(void)
{
	struct job_queue *from = &queue;
	struct job *job = STAILQ_FIRST(from);

	if (!job && n_troubled < TROUBLED_MAX) {
		from = &troubled;
		job = STAILQ_FIRST(from);
	}
	if (job)
		STAILQ_REMOVE_HEAD(from, link);
	return job;
}

static void run_job(struct job *job)
{
	bool is_troubled = job->is_troubled;

	n_troubled += is_troubled;
	pthread_mutex_unlock(&pool_mutex);
	job->fn(job->db, job->replica);
	finish(job);
	pthread_mutex_lock(&pool_mutex);
	n_troubled -= is_troubled;
}

static void *serve(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&pool_mutex);
	for (;;) {
		struct job *job = next_job();

		if (job) {
			run_job(job);
			continue;
		}
		if (n_idle == THREADS_KEPT)
			break;
		n_idle++;
		pthread_cond_wait(&pool_work, &pool_mutex);
		n_idle--;
	}
	n_threads--;
	pthread_mutex_unlock(&pool_mutex);
	return NULL;
}

/* Said once an episode. */
static void start_thread(void)
{
	bool was_tried = start_due_ns != 0;
	int r = lsv_thread_start(serve, NULL);

	n_threads += r == 0;
	start_due_ns = r == 0 ? 0 : lsv_clock_mono_ns() + START_AGAIN_NS;
	if (r < 0 && !was_tried)
		log_error(r, "cannot start a thread for uploads, it will be "
		             "tried again");
	if (r == 0 && was_tried)
		log_info("a thread for uploads could be started");
}

static void enqueue(struct job *job)
{
	STAILQ_INSERT_TAIL(job->is_troubled ? &troubled : &queue, job, link);
	if (n_idle == 0 && n_threads < THREADS_MAX &&
	    !(job->is_troubled && n_troubled >= TROUBLED_MAX))
		start_thread();
	pthread_cond_signal(&pool_work);
}

int64_t lsv_job_retry(void)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&pool_mutex);

	if (STAILQ_EMPTY(&queue) && STAILQ_EMPTY(&troubled))
		start_due_ns = 0;
	if (start_due_ns && lsv_clock_mono_ns() >= start_due_ns)
		start_thread();
	return start_due_ns ? start_due_ns : INT64_MAX;
}

/* False: there is one. */
static bool claim(struct job *job)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&job->db->mutex);

	if (*queued_flag(job))
		return false;
	*queued_flag(job) = true;
	if (job->replica) {
		job->replica->job_since_ns = lsv_clock_mono_ns();
		job->is_troubled = job->replica->n_failures > 0;
	}
	return true;
}

void lsv_job_queue(struct lsv_db *db, struct lsv_replica *replica,
                   lsv_job_fn *fn)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return;
	*job = (struct job){.db = db, .replica = replica, .fn = fn};
	if (!claim(job)) {
		free(job);
		return;
	}
	lsv_db_keep(db);
	pthread_mutex_lock(&pool_mutex);
	enqueue(job);
	pthread_mutex_unlock(&pool_mutex);
}

void lsv_job_fork_child(void)
{
	pthread_mutex_init(&pool_mutex, NULL);
	pthread_cond_init(&pool_work, NULL);
	STAILQ_INIT(&queue);
	STAILQ_INIT(&troubled);
	n_threads = n_idle = n_troubled = 0;
	start_due_ns = 0;
}
