/* SPDX-License-Identifier: MIT */
#include "vfs/conf_cache.h"

#include "replica/base/cleanup.h"
#include "replica/base/log.h"
#include "replica/ship/config_file.h"
#include "replica/ship/config_path.h"
#include "vfs/logging.h"

#include <errno.h>
#include <sys/stat.h>

/* All under the mutex. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char *path;                   /* NULL: none is named */
static bool is_named;                /* by somebody: then it must be there */
static bool keeps_env;               /* $NAME stays as it is */
static bool was_looked_at;           /* 'seen' is of an earlier look */
static struct stat seen;             /* all zeros: it was not there */
static struct lsv_config_file *file; /* NULL: none, or it is wrong */
static bool is_wrong, is_required_there;

/* An open in another thread may be in here while this one forks. */
static void lock_for_fork(void)
{
	pthread_mutex_lock(&mutex);
}

static void unlock_after_fork(void)
{
	pthread_mutex_unlock(&mutex);
}

static void find_path(void)
{
	const char *where;

	pthread_atfork(lock_for_fork, unlock_after_fork, unlock_after_fork);
	if (path)
		return;
	where = lsv_config_file_where(NULL);
	is_named = where && where != lsv_config_default_path;
	/* Meant from where the process is now. */
	path = lsv_path_expand(where ? where : lsv_config_default_path);
}

void lsv_conf_cache_set(const char *new_path, bool expand_env)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

	free(path);
	path = lsv_path_expand(new_path);
	is_named = true;
	keeps_env = !expand_env;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void tell_notes(void)
{
	for (size_t i = 0; i < file->notes.n; i++)
		log_info("%s", file->notes.at[i]);
}

static void read_again(void)
{
	auto_free char *why = NULL;
	bool was_wrong = is_wrong;

	lsv_config_file_free(file);
	file = NULL;
	is_required_there = false;
	is_wrong = lsv_config_file_read(path, !keeps_env, &file, &why,
	                                &is_required_there) < 0;
	if (is_wrong) {
		log_error(0,
		          "cannot use the configuration, what only it names is "
		          "not replicated: %s",
		          why ? why : "out of memory");
		return;
	}
	lsv_logging_apply(&file->logging);
	if (was_wrong)
		log_info("%s: the configuration can be used again", path);
	tell_notes();
}

static void look(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct stat now = {0};
	bool is_there;

	pthread_once(&once, find_path);
	if (!path)
		return;
	is_there = stat(path, &now) == 0;
	if (!is_there)
		now = (struct stat){0};
	if (was_looked_at && is_same(&now, &seen))
		return;
	was_looked_at = true;
	seen = now;
	if (is_there || is_named) {
		read_again();
		return;
	}
	lsv_config_file_free(file);
	file = NULL;
	is_wrong = is_required_there = false;
}

int lsv_conf_cache_find(const char *db_path, struct lsv_config *config,
                        bool *is_required)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);
	int r = -ENOENT;

	look();
	*is_required |= is_required_there;
	if (file)
		r = lsv_config_file_find(file, db_path, config);
	if (r == -ENOENT)
		lsv_config_init(config);
	return is_wrong ? -EINVAL : r;
}

bool lsv_conf_cache_is_there(void)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

	return file || is_wrong;
}
