/* SPDX-License-Identifier: MIT */
#include "vfs/job.h"

#include "replica/base/log.h"
#include "replica/base/thread.h"
#include "vfs/bell.h"

#define THREADS_MAX 3

struct job {
	STAILQ_ENTRY(job) link;
	struct lsv_db *db;
	lsv_job_fn *fn;
};

static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pool_work = PTHREAD_COND_INITIALIZER;
static STAILQ_HEAD(job_queue, job) queue = STAILQ_HEAD_INITIALIZER(queue);
static int n_threads, n_idle;

static void finish(struct job *job)
{
	struct lsv_db *db = job->db;

	pthread_mutex_lock(&db->mutex);
	db->is_job_queued = false;
	pthread_cond_broadcast(&db->changed);
	pthread_mutex_unlock(&db->mutex);
	lsv_bell_hurry(db);
	lsv_db_release(db);
	free(job);
}

static void *serve(void *arg)
{
	struct job *job;

	(void)arg;
	pthread_mutex_lock(&pool_mutex);
	for (;;) {
		while (STAILQ_EMPTY(&queue)) {
			n_idle++;
			pthread_cond_wait(&pool_work, &pool_mutex);
			n_idle--;
		}
		job = STAILQ_FIRST(&queue);
		STAILQ_REMOVE_HEAD(&queue, link);
		pthread_mutex_unlock(&pool_mutex);
		job->fn(job->db);
		finish(job);
		pthread_mutex_lock(&pool_mutex);
	}
	return NULL;
}

/* Under pool_mutex. */
static bool enqueue(struct job *job)
{
	STAILQ_INSERT_TAIL(&queue, job, link);
	if (n_idle == 0 && n_threads < THREADS_MAX) {
		int r = lsv_thread_start(serve, NULL);

		if (r == 0)
			n_threads++;
		else
			log_error(r, "cannot start a thread for uploads");
	}
	pthread_cond_signal(&pool_work);
	return n_threads > 0;
}

bool lsv_job_queue(struct lsv_db *db, lsv_job_fn *fn)
{
	struct job *job = calloc(1, sizeof *job);
	bool is_free;

	if (!job)
		return false;
	pthread_mutex_lock(&db->mutex);
	is_free = !db->is_job_queued;
	db->is_job_queued = true;
	pthread_mutex_unlock(&db->mutex);
	if (!is_free) {
		free(job);
		return false;
	}
	job->db = lsv_db_find(db->path);
	job->fn = fn;
	pthread_mutex_lock(&pool_mutex);
	is_free = enqueue(job);
	pthread_mutex_unlock(&pool_mutex);
	return is_free;
}

void lsv_job_fork_child(void)
{
	pthread_mutex_init(&pool_mutex, NULL);
	pthread_cond_init(&pool_work, NULL);
	STAILQ_INIT(&queue);
	n_threads = n_idle = 0;
}
