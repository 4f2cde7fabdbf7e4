/* SPDX-License-Identifier: MIT */
#include "vfs/bare.h"

#include "vfs/lower.h"

#include <errno.h>
#include <sys/stat.h>

#define SHM_REGION 32768

static int open_file(struct lsv_db *db, struct lsv_bare *bare)
{
	sqlite3_vfs *lower = lsv_lower_vfs();
	sqlite3_file *file = calloc(1, (size_t)lower->szOsFile);

	bare->name = sqlite3_create_filename(db->path, "", "", 0, NULL);
	if (!bare->name || !file) {
		free(file);
		return -ENOMEM;
	}
	if (lower->xOpen(lower, bare->name, file,
	                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB,
	                 NULL) != SQLITE_OK) {
		free(file);
		return -EAGAIN;
	}
	bare->file = file;
	return 0;
}

int lsv_bare_open(struct lsv_db *db, struct lsv_bare *bare)
{
	struct stat st;
	int r = open_file(db, bare);

	if (r == 0 && stat(db->path, &st) < 0)
		r = -errno;
	/* The path may name another file by now. */
	if (r == 0 && (db->ino != st.st_ino || db->dev != st.st_dev))
		r = -EAGAIN;
	if (r < 0)
		lsv_bare_close(bare);
	return r;
}

int lsv_bare_map(struct lsv_db *db, struct lsv_bare *bare)
{
	const sqlite3_io_methods *methods = bare->file->pMethods;
	volatile void *shm = NULL;
	struct stat st;

	if (methods->iVersion < 2 || !methods->xShmMap)
		return -ENOTSUP;
	if (stat(db->shm_path, &st) < 0 || st.st_size < SHM_REGION)
		return -EAGAIN;
	if (methods->xShmMap(bare->file, 0, SHM_REGION, 0, &shm) != SQLITE_OK ||
	    !shm)
		return -EAGAIN;
	bare->shm = shm;
	return 0;
}

int lsv_bare_lock(struct lsv_bare *bare, int offset, int flags)
{
	return bare->file->pMethods->xShmLock(bare->file, offset, 1, flags);
}

void lsv_bare_unmap(struct lsv_bare *bare)
{
	if (bare->shm)
		bare->file->pMethods->xShmUnmap(bare->file, 0);
	bare->shm = NULL;
}

void lsv_bare_close(struct lsv_bare *bare)
{
	lsv_bare_unmap(bare);
	if (bare->file)
		bare->file->pMethods->xClose(bare->file);
	free(bare->file);
	sqlite3_free_filename(bare->name);
	*bare = (struct lsv_bare){0};
}
