/* SPDX-License-Identifier: MIT */
#include "replica/spool/leader.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/spool/spoolfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int lsv_leader_open(const char *gen_dir, mode_t mode, int *fd)
{
	auto_free char *path = lsv_path_join(gen_dir, "lock");
	int opened;

	if (!path)
		return -ENOMEM;
	opened = lsv_spool_open(path, O_RDWR | O_CREAT, mode);
	if (opened < 0)
		return opened;
	*fd = opened;
	return 0;
}

static int set_lock(int fd, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	int r;

	do {
		r = fcntl(fd, F_SETLK, &lock);
	} while (r < 0 && errno == EINTR);
	return r;
}

bool lsv_leader_lock(int fd)
{
	return set_lock(fd, F_WRLCK) == 0;
}

void lsv_leader_unlock(int fd)
{
	set_lock(fd, F_UNLCK);
}

bool lsv_leader_is_locked(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
