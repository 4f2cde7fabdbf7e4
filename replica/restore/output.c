/* SPDX-License-Identifier: MIT */
#include "replica/restore/output.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/restore/say.h"
#include "replica/restore/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_SIDES 3

/* What SQLite would take for a part of the restored database. */
static const char *const side_suffixes[N_SIDES] = {"-wal", "-shm", "-journal"};

struct lsv_output {
	char *path;
	char *dir;
	char *temp;
	int fd;
	bool force;
	bool has_old;
	struct stat old;
	struct lsv_db_lock *lock;
};

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int complain_exists(const char *path)
{
	return say(-EEXIST,
	           "cannot restore: %s exists, remove it or use -force", path);
}

int lsv_output_check(const char *path)
{
	if (exists(path)) {
		(void)complain_exists(path);
		return -EEXIST;
	}
	for (int i = 0; i < N_SIDES; i++) {
		auto_free char *side = lsv_sprintf("%s%s", path,
		                                   side_suffixes[i]);

		if (!side)
			return -ENOMEM;
		if (exists(side))
			return complain_exists(side);
	}
	return 0;
}

static int split(struct lsv_output *o, const char *path)
{
	const char *slash;
	uint64_t random;
	int r = lsv_random(&random, sizeof random);

	if (r < 0)
		return r;
	/* A database behind a symbolic link is replaced there, where SQLite
	 * looks for its side files. */
	o->path = o->force ? realpath(path, NULL) : NULL;
	if (!o->path)
		o->path = strdup(path);
	if (!o->path)
		return -ENOMEM;
	slash = strrchr(o->path, '/');
	if (!slash)
		o->dir = strdup(".");
	else
		o->dir = strndup(o->path, slash == o->path
		                                  ? 1
		                                  : (size_t)(slash - o->path));
	if (!o->dir)
		return -ENOMEM;
	o->temp = lsv_sprintf("%s/.%s.lsvfs-restore-%016" PRIx64, o->dir,
	                      slash ? slash + 1 : o->path, random);
	return o->temp ? 0 : -ENOMEM;
}

static int lock_old(struct lsv_output *o)
{
	if (stat(o->path, &o->old) < 0)
		return errno == ENOENT ? 0
		                       : log_error(-errno, "cannot look at %s",
		                                   o->path);
	if (!S_ISREG(o->old.st_mode))
		return say(-EEXIST, "cannot restore: %s is no regular file",
		           o->path);
	o->has_old = true;
	return lsv_verify_lock(o->path, &o->lock);
}

/* That the output's folder is not there says nothing about the replica. */
static int folder_error(int r)
{
	return r == -ENOENT || r == -EEXIST ? -EIO : r;
}

static int make_temp(struct lsv_output *o)
{
	int r = lsv_mkdirs(o->dir, 0777);

	if (r < 0)
		return folder_error(log_error(r, "cannot make %s", o->dir));
	/* A backup's reader need not be the database's: no one else's until
	 * a person says so, as stock does. */
	o->fd = lsv_open(o->temp, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (o->fd < 0)
		return folder_error(
			log_error(-errno, "cannot make a file in %s", o->dir));
	if (o->has_old && fchown(o->fd, o->old.st_uid, o->old.st_gid) < 0)
		(void)log_warn(-errno, "cannot give %s its old owner", o->path);
	if (o->has_old && fchmod(o->fd, o->old.st_mode & 0777) < 0)
		(void)log_warn(-errno, "cannot give %s its old mode", o->path);
	return 0;
}

int lsv_output_open(const char *path, bool force, struct lsv_output **out)
{
	struct lsv_output *o = calloc(1, sizeof *o);
	int r;

	if (!o)
		return -ENOMEM;
	o->fd = -1;
	o->force = force;
	r = force ? 0 : lsv_output_check(path);
	if (r == 0)
		r = split(o, path);
	if (r == 0 && force)
		r = lock_old(o);
	if (r == 0)
		r = make_temp(o);
	if (r < 0) {
		lsv_output_close(o);
		return r;
	}
	*out = o;
	return 0;
}

int lsv_output_fd(const struct lsv_output *output)
{
	return output->fd;
}

const char *lsv_output_temp(const struct lsv_output *output)
{
	return output->temp;
}

const char *lsv_output_dir(const struct lsv_output *output)
{
	return output->dir;
}

/* Side files of the old database, out of the way but not gone yet. */
struct aside {
	char *from[N_SIDES];
	char *to[N_SIDES];
	bool moved[N_SIDES];
};

static int move_aside(const struct lsv_output *o, struct aside *aside)
{
	for (int i = 0; i < N_SIDES; i++) {
		aside->from[i] = lsv_sprintf("%s%s", o->path, side_suffixes[i]);
		aside->to[i] = lsv_sprintf("%s%s", o->temp, side_suffixes[i]);
		if (!aside->from[i] || !aside->to[i])
			return -ENOMEM;
		aside->moved[i] = rename(aside->from[i], aside->to[i]) == 0;
		if (!aside->moved[i] && errno != ENOENT)
			return log_error(-errno, "cannot move %s away",
			                 aside->from[i]);
	}
	return 0;
}

/* Back to their places, or gone for good. */
static void settle(struct aside *aside, bool published)
{
	for (int i = 0; i < N_SIDES; i++) {
		if (aside->moved[i] && published)
			unlink(aside->to[i]);
		else if (aside->moved[i] &&
		         rename(aside->to[i], aside->from[i]) < 0)
			(void)log_error(-errno, "cannot move %s back to %s",
			                aside->to[i], aside->from[i]);
		free(aside->from[i]);
		free(aside->to[i]);
	}
}

static int replace(const struct lsv_output *o)
{
	struct aside aside = {0};
	int r = move_aside(o, &aside);

	if (r == 0 && rename(o->temp, o->path) < 0)
		r = log_error(-errno, "cannot rename to %s", o->path);
	settle(&aside, r == 0);
	return r;
}

/* What came there since we looked stays. */
static int publish_new(const struct lsv_output *o)
{
	int r = lsv_output_check(o->path);

	if (r < 0)
		return r;
	if (renameat2(AT_FDCWD, o->temp, AT_FDCWD, o->path, RENAME_NOREPLACE) ==
	    0)
		return 0;
	if (errno == EEXIST)
		return complain_exists(o->path);
	if (errno != EINVAL && errno != ENOSYS)
		return log_error(-errno, "cannot rename to %s", o->path);
	/* A file system that cannot do that can link. */
	if (link(o->temp, o->path) < 0)
		return errno == EEXIST
		               ? complain_exists(o->path)
		               : log_error(-errno, "cannot rename to %s",
		                           o->path);
	unlink(o->temp);
	return 0;
}

int lsv_output_publish(struct lsv_output *o)
{
	int r = o->force ? replace(o) : publish_new(o);

	if (r < 0)
		return r;
	free(o->temp);
	o->temp = NULL;
	r = lsv_dir_sync(o->dir);
	return r < 0 ? log_error(r, "cannot sync %s", o->dir) : 0;
}

void lsv_output_close(struct lsv_output *o)
{
	if (!o)
		return;
	if (o->fd >= 0) {
		close(o->fd);
		if (o->temp)
			unlink(o->temp);
	}
	lsv_verify_unlock(o->lock);
	free(o->path);
	free(o->dir);
	free(o->temp);
	free(o);
}
