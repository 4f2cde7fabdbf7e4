/* SPDX-License-Identifier: MIT */
#include "replica/base/fileio.h"

#include "replica/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CLOSED_MAX 10 /* times in a row that somebody closes what we open */

char *lsv_sprintf(const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

char *lsv_path_join(const char *dir, const char *name)
{
	return lsv_sprintf("%s/%s", dir, name);
}

int lsv_fd_raise(int fd)
{
	int higher, saved;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	saved = errno;
	close(fd);
	errno = saved;
	return higher;
}

/* Where the program's own are closed something takes their place for so long:
 * who prints there fails as before.  Returns how many. */
static int fill_low(int fds[STDERR_FILENO + 1])
{
	int n = 0;

	for (int low = 0; low <= STDERR_FILENO; low++) {
		if (fcntl(low, F_GETFD) >= 0)
			continue;
		fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fds[n] > STDERR_FILENO)
			close(fds[n]);
		else if (fds[n] >= 0)
			n++;
	}
	return n;
}

static void empty_low(const int fds[STDERR_FILENO + 1], int n)
{
	int saved = errno;

	while (n > 0)
		close(fds[--n]);
	errno = saved;
}

/* Closed since: what was printed into a new file meanwhile is none of it. */
static int raise_new(int fd)
{
	int raised = lsv_fd_raise(fd);

	if (raised == fd || raised < 0 || lseek(raised, 0, SEEK_CUR) == 0 ||
	    (ftruncate(raised, 0) == 0 && lseek(raised, 0, SEEK_SET) == 0))
		return raised;
	close(raised);
	errno = EIO;
	return -1;
}

static int open_raised(const char *path, int flags, mode_t mode)
{
	bool is_new = flags & (O_EXCL | O_TRUNC) ||
	              (flags & O_TMPFILE) == O_TMPFILE;
	int low[STDERR_FILENO + 1], n = 0, fd, raised;

	if ((flags & O_ACCMODE) != O_RDONLY)
		n = fill_low(low);
	fd = open(path, flags | O_CLOEXEC, mode);
	empty_low(low, n);
	raised = is_new ? raise_new(fd) : lsv_fd_raise(fd);
	if (raised < 0 && fd >= 0 && flags & O_EXCL)
		unlink(path);
	return raised;
}

int lsv_open(const char *path, int flags, mode_t mode)
{
	int fd = open_raised(path, flags, mode);

	/* The program closed it, with its own. */
	for (int i = 0; i < CLOSED_MAX && fd < 0 && errno == EBADF; i++)
		fd = open_raised(path, flags, mode);
	return fd;
}

int lsv_mkostemp(char *path)
{
	int low[STDERR_FILENO + 1], n = fill_low(low);
	int fd = mkostemp(path, O_CLOEXEC);

	empty_low(low, n);
	return raise_new(fd);
}

DIR *lsv_opendir(const char *path)
{
	int fd = lsv_open(path, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

ssize_t lsv_pread(int fd, void *buf, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(fd, (char *)buf + done, n - done,
		                    (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Beyond RLIMIT_FSIZE a write costs the program its life (SIGXFSZ) where its
 * own files are all smaller than ours.  UINT64_MAX: there is none. */
static uint64_t file_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) < 0 ||
	                       limit.rlim_cur == RLIM_INFINITY
	               ? UINT64_MAX
	               : limit.rlim_cur;
}

/* Where the next 'n' bytes of a file end; of what is none, 0. */
static uint64_t end_of_write(int fd, size_t n)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;
	off_t at;

	if (flags < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	at = (flags & O_APPEND) ? st.st_size : lseek(fd, 0, SEEK_CUR);
	return at < 0 ? 0 : (uint64_t)at + n;
}

int lsv_pwrite(int fd, const void *buf, size_t n, uint64_t offset)
{
	size_t done = 0;

	if (offset + n > file_limit())
		return -EFBIG;
	while (done < n) {
		ssize_t put = pwrite(fd, (const char *)buf + done, n - done,
		                     (off_t)(offset + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

int lsv_write(int fd, const void *buf, size_t n)
{
	uint64_t limit = file_limit();
	size_t done = 0;

	if (limit != UINT64_MAX && end_of_write(fd, n) > limit)
		return -EFBIG;
	while (done < n) {
		ssize_t put = write(fd, (const char *)buf + done, n - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

int lsv_allocate(int fd, uint64_t from, uint64_t to)
{
	struct stat st;
	int err;

	/* Within its size a file may have any part of it. */
	if (to > file_limit() &&
	    (fstat(fd, &st) < 0 || to > (uint64_t)st.st_size))
		return -EFBIG;
	do {
		err = posix_fallocate(fd, (off_t)from, (off_t)(to - from));
	} while (err == EINTR);
	return -err;
}

static int make_folder(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return errno == EEXIST ? 0 : -errno;
}

int lsv_mkdirs(const char *path, mode_t mode)
{
	auto_free char *copy = strdup(path);
	int r;

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		/* What is above may not be ours to look at; the last step
		 * tells. */
		r = make_folder(copy, mode);
		if (r < 0 && r != -EACCES && r != -EROFS && r != -EPERM)
			return r;
		*p = '/';
	}
	return make_folder(copy, mode);
}

/* What people name where they want no file to be read. */
static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int lsv_file_read(const char *path, size_t max, char **content, size_t *n)
{
	auto_close int fd = lsv_open(path, O_RDONLY, 0);
	auto_free char *buf = NULL;
	struct stat st;
	ssize_t got;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !is_null(&st))
		return -EINVAL;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	got = lsv_pread(fd, buf, (size_t)st.st_size, 0);
	if (got < 0)
		return (int)got;
	buf[got] = 0;
	*content = take(buf);
	if (n)
		*n = (size_t)got;
	return 0;
}

static int write_durably(const char *path, const void *content, size_t n,
                         mode_t mode)
{
	auto_close int fd = lsv_open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = lsv_write(fd, content, n);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

static int sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir = slash ? strndup(path, (size_t)(slash - path) + 1)
	                            : strdup(".");

	return dir ? lsv_dir_sync(dir) : -ENOMEM;
}

int lsv_file_replace(const char *path, const void *content, size_t n,
                     mode_t mode)
{
	auto_free char *temp = lsv_sprintf("%s.tmp-%d", path, (int)getpid());
	int r;

	if (!temp)
		return -ENOMEM;
	r = write_durably(temp, content, n, mode);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temp);
		return r;
	}
	return sync_parent(path);
}

int lsv_dir_sync(const char *path)
{
	auto_close int fd = lsv_open(path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a directory and say EINVAL. */
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int lsv_remove_tree(const char *path)
{
	int r = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	if (r == -1)
		return errno == ENOENT ? 0 : -errno;
	return r;
}

int lsv_random(void *buf, size_t n)
{
	return getrandom(buf, n, 0) == (ssize_t)n ? 0 : -EIO;
}
