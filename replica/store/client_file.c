/* SPDX-License-Identifier: MIT */

/*
 * A replica that is a directory.  An object is a file of its name below the
 * root; its modification time is the time of its last commit.
 *
 *	put:  .lsvfs-tmp-<random>  write, set time, fsync
 *	      link() onto the name, so that nothing is ever overwritten
 *	      fsync of the directory, and of those above that were made
 *
 * Files are 0600 and directories 0700 (less what the umask takes): a replica
 * holds all that the database holds.  What root makes is the database's
 * owner's, who goes on with it.
 */

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/store/client.h"
#include "replica/store/file_list.h"
#include "replica/wal/pagehash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IO_SIZE (256U << 10)
/* How often a directory that is written to is looked through for temporary
 * files of writers that died. */
#define SWEEP_EVERY 4096
#define STALE_NS (INT64_C(24) * 3600 * LSV_NS_PER_S)

struct file_client {
	struct lsv_client base;
	char *root;      /* the base's URL, too */
	char *db_path;   /* whose owner is to have all; NULL: who made it */
	uint64_t swept;  /* the directory looked through last, its hash */
	unsigned n_puts; /* since then */
};

static struct file_client *self(struct lsv_client *client)
{
	return (struct file_client *)client;
}

static void forget_why(struct lsv_client *client)
{
	if (client->why)
		client->why[0] = 0;
}

/* A person must know which path it was: the replica's is only where that
 * begins.  The reason first, should the path be long.  That something is not
 * there is an answer. */
static int failed(struct lsv_client *client, int err, const char *verb,
                  const char *path)
{
	int r = lsv_file_vocabulary(err);

	(void)lsv_log(LSV_LOG_DEBUG, err, "cannot %s %s", verb, path);
	if (r == -ENOENT)
		return r;
	if (!client->why)
		client->why = calloc(1, LSV_CLIENT_WHY_SIZE);
	if (client->why)
		snprintf(client->why, LSV_CLIENT_WHY_SIZE, "%s (%s)",
		         strerror(-r), path);
	return r;
}

/* A name stays below the root and says one thing only. */
static bool name_valid(const char *name)
{
	for (;;) {
		size_t n = strcspn(name, "/");

		if (n == 0 || (n == 1 && name[0] == '.') ||
		    (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (!name[n])
			return true;
		name += n + 1;
	}
}

static int object_path(struct lsv_client *client, const char *name, char **path)
{
	forget_why(client);
	if (!name_valid(name))
		return log_error(-EINVAL, "cannot use object name '%s'", name);
	*path = lsv_path_join(self(client)->root, name);
	return *path ? 0 : -ENOMEM;
}

/* "a/b" of "a/b/c" and "a/b//c", "/" of "/c", "." of "c". */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	while (slash > path && slash[-1] == '/')
		slash--;
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Where it cannot be, on a share without owners, it is as good without. */
static void give_away(const struct file_client *f, int fd)
{
	struct stat st;

	if (f->db_path && geteuid() == 0 && stat(f->db_path, &st) == 0 &&
	    fchown(fd, st.st_uid, st.st_gid) < 0)
		errno = 0;
}

/* Makes the last folder of a path, so that it lasts.  It is given away by way
 * of the folder above: who owns that cannot lay another one into its place. */
static int make_last_dir(const struct file_client *f, const char *path)
{
	auto_free char *parent = parent_of(path);
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	auto_close int above = -1, fd = -1;

	if (!parent)
		return -ENOMEM;
	above = lsv_open(parent, O_PATH | O_DIRECTORY, 0);
	if (above < 0 || mkdirat(above, name, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = lsv_fd_raise(openat(
		above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (fd >= 0)
		give_away(f, fd);
	return lsv_dir_sync(parent);
}

/* Makes a directory and what is missing above it. */
static int make_dirs(const struct file_client *f, const char *path)
{
	auto_free char *parent = NULL;
	int r = make_last_dir(f, path);

	if (r != -ENOENT)
		return r;
	parent = parent_of(path);
	if (!parent || strcmp(parent, path) == 0)
		return parent ? r : -ENOMEM;
	r = make_dirs(f, parent);
	return r < 0 ? r : make_last_dir(f, path);
}

/* A new temporary file in 'dir', which is made when it is not there. */
static int open_temp(const struct file_client *f, const char *dir,
                     enum lsv_put_mode mode, char **path, int *fd)
{
	uint64_t random;
	int r = lsv_random(&random, sizeof random);
	/* The last object of a directory may be removed, and the directory
	 * with it, between our two steps: hence more than one try. */
	int n_tries = 3;

	if (r < 0)
		return r;
	*path = lsv_sprintf("%s/" LSV_FILE_TEMP_PREFIX "%016" PRIx64, dir,
	                    random);
	if (!*path)
		return -ENOMEM;
	do {
		*fd = lsv_open(*path, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (*fd >= 0) {
			give_away(f, *fd);
			return 0;
		}
		if (errno != ENOENT)
			return -errno;
		r = mode == LSV_PUT_NEXT ? make_last_dir(f, dir)
		                         : make_dirs(f, dir);
	} while (r == 0 && --n_tries);
	return r < 0 ? r : -ENOENT;
}

/* All of the body, on disk, with its time. */
static int fill_temp(int fd, struct lsv_reader *body, int64_t time_ns)
{
	struct timespec ts[2] = {{.tv_nsec = UTIME_OMIT}};
	auto_writer struct lsv_writer *into = lsv_writer_fd(fd);
	int r;

	if (!into)
		return -ENOMEM;
	r = lsv_copy(body, into);
	if (r < 0)
		return r;
	ts[1].tv_sec = time_ns / LSV_NS_PER_S;
	ts[1].tv_nsec = time_ns % LSV_NS_PER_S;
	if (ts[1].tv_nsec < 0) {
		ts[1].tv_sec--;
		ts[1].tv_nsec += LSV_NS_PER_S;
	}
	if (futimens(fd, ts) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* 1: the same bytes; 0: others. */
static int same_bytes(int a, int b)
{
	auto_free uint8_t *buf = malloc((size_t)2 * IO_SIZE);
	uint64_t at = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = lsv_pread(a, buf, IO_SIZE, at);
		ssize_t m = lsv_pread(b, buf + IO_SIZE, IO_SIZE, at);

		if (n < 0 || m < 0)
			return n < 0 ? (int)n : (int)m;
		if (n != m || memcmp(buf, buf + IO_SIZE, (size_t)n) != 0)
			return 0;
		if (n == 0)
			return 1;
		at += (uint64_t)n;
	}
}

/* The name is taken.  With our own bytes it is a put whose outcome was not
 * known; then it is made durable once more, since that may be what failed. */
static int accept_same(int fd, const char *path)
{
	auto_close int there = lsv_open(path, O_RDONLY, 0);
	int same;

	if (there < 0)
		return -errno;
	same = same_bytes(fd, there);
	if (same < 0)
		return same;
	if (!same)
		return -EEXIST;
	return fsync(there) < 0 ? -errno : 0;
}

/* Gives the temporary file its name. */
static int publish(int fd, const char *temp, const char *path,
                   enum lsv_put_mode mode)
{
	if (mode == LSV_PUT_REPLACE)
		return rename(temp, path) < 0 ? -errno : 0;
	if (link(temp, path) == 0)
		return 0;
	if (errno == EEXIST)
		return accept_same(fd, path);
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	/* A file system without hard links. */
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EEXIST ? accept_same(fd, path) : -errno;
}

static void sweep_sometimes(struct file_client *f, const char *dir)
{
	uint64_t hash = lsv_xxh64(dir, strlen(dir));

	if (f->swept == hash && ++f->n_puts < SWEEP_EVERY)
		return;
	f->swept = hash;
	f->n_puts = 0;
	lsv_file_sweep(dir, lsv_clock_ns() - STALE_NS);
}

/* Directories are no objects: one that became empty goes too, since stock
 * tools take an empty generation for a generation. */
static void remove_empty(const char *root, const char *path)
{
	auto_free char *dir = parent_of(path);

	while (dir && strlen(dir) > strlen(root) && rmdir(dir) == 0) {
		char *up = parent_of(dir);

		free(dir);
		dir = up;
	}
}

static int file_put(struct lsv_client *client, const char *name,
                    struct lsv_reader *body, int64_t time_ns,
                    enum lsv_put_mode mode)
{
	auto_free char *path = NULL, *dir = NULL, *temp = NULL;
	auto_close int fd = -1;
	int r = object_path(client, name, &path);

	if (r < 0)
		return r;
	dir = parent_of(path);
	if (!dir)
		return -ENOMEM;
	r = open_temp(self(client), dir, mode, &temp, &fd);
	if (r < 0)
		return failed(client, r, "create a file in", dir);
	r = fill_temp(fd, body, time_ns);
	if (r == 0)
		r = publish(fd, temp, path, mode);
	unlink(temp);
	if (r == 0)
		r = lsv_dir_sync(dir);
	if (r < 0) {
		remove_empty(self(client)->root, path);
		return failed(client, r, "put", path);
	}
	sweep_sometimes(self(client), dir);
	return 0;
}

/* The bytes [*from, *to) of a file of 'size' bytes. */
static void resolve(const struct lsv_range *range, uint64_t size,
                    uint64_t *from, uint64_t *to)
{
	*from = 0;
	*to = size;
	if (!range)
		return;
	if (range->from_end) {
		*from = range->n < size ? size - range->n : 0;
		return;
	}
	*from = range->offset < size ? range->offset : size;
	if (range->n && range->n < size - *from)
		*to = *from + range->n;
}

static int copy_range(int fd, uint64_t from, uint64_t to,
                      struct lsv_writer *into)
{
	auto_free uint8_t *buf = malloc(IO_SIZE);

	if (!buf)
		return -ENOMEM;
	while (from < to) {
		size_t n = to - from < IO_SIZE ? (size_t)(to - from) : IO_SIZE;
		ssize_t got = lsv_pread(fd, buf, n, from);
		int r;

		if (got < 0)
			return (int)got;
		if (got == 0) /* it was cut under our hands */
			return -EBADMSG;
		r = into->write(into, buf, (size_t)got);
		if (r < 0)
			return r;
		from += (uint64_t)got;
	}
	return 0;
}

static int file_get(struct lsv_client *client, const char *name,
                    const struct lsv_range *range, struct lsv_writer *into)
{
	auto_free char *path = NULL;
	auto_close int fd = -1;
	uint64_t from, to;
	struct stat st;
	int r = object_path(client, name, &path);

	if (r < 0)
		return r;
	fd = lsv_open(path, O_RDONLY, 0);
	if (fd < 0 || fstat(fd, &st) < 0)
		return failed(client, -errno, "open", path);
	if (!S_ISREG(st.st_mode))
		return failed(client, -ENOENT, "get what is no file:", path);
	resolve(range, (uint64_t)st.st_size, &from, &to);
	if (from == 0 && to > IO_SIZE)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	r = copy_range(fd, from, to, into);
	return r < 0 ? failed(client, r, "get", path) : 0;
}

static int file_list(struct lsv_client *client, const char *prefix,
                     lsv_list_fn *each, void *arg)
{
	forget_why(client);
	return lsv_file_list(self(client)->root, prefix, each, arg);
}

static int file_remove(struct lsv_client *client, const char *name)
{
	auto_free char *path = NULL, *dir = NULL;
	int r = object_path(client, name, &path);

	if (r < 0)
		return r;
	if (unlink(path) < 0)
		return errno == ENOENT || errno == ENOTDIR
		               ? 0
		               : failed(client, -errno, "remove", path);
	dir = parent_of(path);
	if (!dir)
		return -ENOMEM;
	/* Removals have an order too (I9), which a crash must not change. */
	r = lsv_dir_sync(dir);
	if (r < 0)
		return failed(client, r, "sync", dir);
	remove_empty(self(client)->root, path);
	return 0;
}

static int file_own_as(struct lsv_client *client, const char *db_path)
{
	struct file_client *f = self(client);

	free(f->db_path);
	f->db_path = strdup(db_path);
	return f->db_path ? 0 : -ENOMEM;
}

static int file_clone(struct lsv_client *client, struct lsv_client **out)
{
	const char *db_path = self(client)->db_path;
	int r = lsv_client_file(self(client)->root, out);

	if (r < 0 || !db_path)
		return r;
	r = file_own_as(*out, db_path);
	if (r < 0)
		lsv_client_close(take(*out));
	return r;
}

static void file_close(struct lsv_client *client)
{
	struct file_client *f = self(client);

	free(f->root);
	free(f->db_path);
	free(f->base.why);
	free(f);
}

static const struct lsv_client_ops file_ops = {
	.scheme = "file",
	.put = file_put,
	.get = file_get,
	.list = file_list,
	.remove = file_remove,
	.own_as = file_own_as,
	.clone = file_clone,
	.close = file_close,
};

int lsv_client_file(const char *root, struct lsv_client **out)
{
	struct file_client *f;
	size_t n = strlen(root);

	if (n == 0)
		return log_error(-EINVAL, "cannot open a replica: empty path");
	f = calloc(1, sizeof *f);
	if (!f)
		return -ENOMEM;
	while (n > 1 && root[n - 1] == '/')
		n--;
	f->base.ops = &file_ops;
	f->root = strndup(root, n);
	f->base.url = f->root;
	if (!f->root) {
		file_close(&f->base);
		return -ENOMEM;
	}
	*out = &f->base;
	return 0;
}
