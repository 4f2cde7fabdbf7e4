/* SPDX-License-Identifier: MIT */
#include "replica/spool/spoolfile.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

mode_t lsv_spool_dir_mode(mode_t file_mode)
{
	return file_mode | (file_mode & 0444) >> 2;
}

static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
}

void lsv_spool_own(int fd, const char *path, mode_t mode)
{
	auto_free char *parent = parent_of(path);
	struct stat above;
	struct stat st;

	if (!parent || stat(parent, &above) < 0 || fstat(fd, &st) < 0)
		return;
	/* Only root may give files away; SQLite does the same for -wal. */
	if ((st.st_uid != above.st_uid || st.st_gid != above.st_gid) &&
	    fchown(fd, above.st_uid, above.st_gid) < 0)
		errno = 0;
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		errno = 0;
}

int lsv_spool_open(const char *path, int flags, mode_t mode)
{
	int create = flags & O_CREAT;
	int fd;

	/* A link that somebody laid there could lead anywhere. */
	flags = (flags & ~(O_CREAT | O_EXCL)) | O_CLOEXEC | O_NOFOLLOW;
	/* Twice, since another process may make or remove it in between. */
	for (int i = 0; i < 2; i++) {
		fd = lsv_open(path, flags, 0);
		if (fd >= 0 || errno != ENOENT || !create)
			break;
		fd = lsv_open(path, flags | O_CREAT | O_EXCL, mode);
		if (fd >= 0)
			lsv_spool_own(fd, path, mode);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd < 0 ? -errno : fd;
}

int lsv_spool_mkdir(const char *path, mode_t file_mode)
{
	mode_t mode = lsv_spool_dir_mode(file_mode);
	auto_close int fd = -1;

	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = lsv_open(path, O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0)
		lsv_spool_own(fd, path, mode);
	return 0;
}

static int write_temp(const char *temp, const void *content, size_t n,
                      mode_t mode, bool durably)
{
	auto_close int fd = lsv_spool_open(temp, O_WRONLY | O_CREAT | O_TRUNC,
	                                   mode);
	int r;

	if (fd < 0)
		return fd;
	r = lsv_write(fd, content, n);
	if (r < 0)
		return r;
	return durably && fsync(fd) < 0 ? -errno : 0;
}

int lsv_spool_replace(const char *path, const void *content, size_t n,
                      mode_t mode, bool durably)
{
	auto_free char *temp = lsv_sprintf("%s.tmp-%d", path, (int)getpid());
	auto_free char *parent = parent_of(path);
	int r;

	if (!temp || !parent)
		return -ENOMEM;
	r = write_temp(temp, content, n, mode, durably);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temp);
		return r;
	}
	return durably ? lsv_dir_sync(parent) : 0;
}
