/* SPDX-License-Identifier: MIT */
#include "replica/spool/folder.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/spool/spoolfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_SIZE 16

char *lsv_folder_path(const char *db_path)
{
	const char *slash = strrchr(db_path, '/');
	const char *name = slash ? slash + 1 : db_path;

	return lsv_sprintf("%.*s.%s-litestream", (int)(name - db_path), db_path,
	                   name);
}

static bool exists(const char *dir, const char *name)
{
	auto_free char *path = lsv_path_join(dir, name);
	struct stat st;

	return path && stat(path, &st) == 0;
}

char *lsv_folder_generation_dir(const char *dir, uint64_t generation)
{
	char text[LSV_GENERATION_SIZE];

	lsv_generation_format(generation, text);
	return lsv_sprintf("%s/generations/%s", dir, text);
}

mode_t lsv_folder_file_mode(const char *db_path)
{
	struct stat st;

	return stat(db_path, &st) < 0 ? 0600 : (st.st_mode & 0666) | 0600;
}

/* The database's owner, not that of the folder above; root may do it. */
static void own_as(const char *dir, const char *db_path)
{
	struct stat db, st;

	if (stat(db_path, &db) < 0 || stat(dir, &st) < 0 ||
	    (db.st_uid == st.st_uid && db.st_gid == st.st_gid))
		return;
	if (chown(dir, db.st_uid, db.st_gid) < 0)
		errno = 0;
}

int lsv_folder_make(const char *db_path, bool *is_stock)
{
	auto_free char *dir = lsv_folder_path(db_path);
	uint64_t generation;
	struct stat st;
	int r;

	if (!dir)
		return -ENOMEM;
	if (stat(dir, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			return -ENOTDIR;
		*is_stock = !exists(dir, "coord") &&
		            (exists(dir, "generation") ||
		             exists(dir, "generations")) &&
		            lsv_folder_generation(dir, &generation) < 0;
		return 0;
	}
	r = lsv_spool_mkdir(dir, lsv_folder_file_mode(db_path));
	if (r < 0)
		return r;
	own_as(dir, db_path);
	*is_stock = false;
	return 0;
}

/* ---- Generations ---- */

/* Whether a generation's folder was made by us. */
static bool is_ours(const char *dir, uint64_t generation)
{
	auto_free char *gen_dir = lsv_folder_generation_dir(dir, generation);

	return gen_dir && exists(gen_dir, "lock");
}

int lsv_folder_generation(const char *dir, uint64_t *generation)
{
	auto_free char *path = lsv_path_join(dir, "generation");
	auto_free char *text = NULL;
	uint64_t value;
	size_t n;
	int r;

	if (!path)
		return -ENOMEM;
	r = lsv_file_read(path, 4096, &text, &n);
	if (r < 0)
		return r == -EFBIG || r == -EINVAL ? -ENOENT : r;
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (lsv_generation_parse(text, n, &value) < 0 || !is_ours(dir, value))
		return -ENOENT;
	*generation = value;
	return 0;
}

static char *proposal_path(const char *dir, uint64_t generation)
{
	char text[LSV_GENERATION_SIZE];

	lsv_generation_format(generation, text);
	return lsv_sprintf("%s/" LSV_PROPOSAL_PREFIX "%s", dir, text);
}

int lsv_folder_propose(const char *dir, uint64_t generation, mode_t mode)
{
	auto_free char *path = proposal_path(dir, generation);
	auto_close int fd =
		path ? lsv_spool_open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
		     : -ENOMEM;
	char text[LSV_GENERATION_SIZE];
	int r;

	if (fd < 0)
		return fd;
	lsv_generation_format(generation, text);
	text[HEX_SIZE] = '\n'; /* instead of the final zero */
	r = lsv_write(fd, text, HEX_SIZE + 1);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

int lsv_folder_set_generation(const char *dir, uint64_t generation)
{
	auto_free char *proposal = proposal_path(dir, generation);
	auto_free char *path = lsv_path_join(dir, "generation");

	if (!proposal || !path)
		return -ENOMEM;
	if (rename(proposal, path) < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	return lsv_dir_sync(dir);
}

void lsv_folder_withdraw(const char *dir, uint64_t generation)
{
	auto_free char *path = proposal_path(dir, generation);

	if (path)
		unlink(path);
}

static int touch_lock(const char *gen_dir, mode_t mode)
{
	auto_free char *path = lsv_path_join(gen_dir, "lock");
	auto_close int fd = path ? lsv_spool_open(path, O_RDWR | O_CREAT, mode)
	                         : -ENOMEM;

	return fd < 0 ? fd : 0;
}

/* The lock first: it says that what follows is ours. */
static int make_generation(const char *gen_dir, mode_t mode)
{
	auto_free char *wal = lsv_path_join(gen_dir, "wal");
	int r;

	if (!wal)
		return -ENOMEM;
	r = lsv_spool_mkdir(gen_dir, mode);
	if (r == 0)
		r = touch_lock(gen_dir, mode);
	if (r == 0)
		r = lsv_spool_mkdir(wal, mode);
	if (r < 0)
		lsv_remove_tree(gen_dir);
	return r;
}

int lsv_folder_new_generation(const char *dir, mode_t mode,
                              uint64_t *generation)
{
	auto_free char *above = lsv_path_join(dir, "generations");
	auto_free char *gen_dir = NULL;
	uint64_t value;
	int r;

	if (!above)
		return -ENOMEM;
	r = lsv_random(&value, sizeof value);
	if (r < 0)
		return r;
	value |= 1; /* 0 is none; no salt of ours is 0 */
	gen_dir = lsv_folder_generation_dir(dir, value);
	if (!gen_dir)
		return -ENOMEM;
	r = lsv_spool_mkdir(above, mode);
	if (r == 0)
		r = make_generation(gen_dir, mode);
	if (r == 0)
		r = lsv_dir_sync(above);
	if (r == 0)
		*generation = value;
	return r;
}

/* "<generation>/<index>:<offset>", as lsv_pos_format() writes it. */
int lsv_folder_parent(const char *dir, struct lsv_pos *parent)
{
	auto_free char *path = lsv_path_join(dir, "parent");
	auto_free char *text = NULL;
	size_t n;
	int r;

	if (!path)
		return -ENOMEM;
	r = lsv_file_read(path, LSV_POS_TEXT_SIZE, &text, &n);
	if (r < 0)
		return r;
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = 0;
	return lsv_pos_parse(text, parent);
}
