/* SPDX-License-Identifier: MIT */

/* The databases of a configuration file, one after another. */

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/ship/config_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char magic[16] = "SQLite format 3";

struct scan {
	const struct lsv_config_file *file;
	const struct lsv_config_db *db;
	lsv_config_db_fn *each;
	void *arg;
};

bool lsv_config_is_database(const char *path)
{
	auto_close int fd = lsv_open(path, O_RDONLY | O_NONBLOCK, 0);
	char head[sizeof magic];

	return fd >= 0 &&
	       lsv_pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
	       memcmp(head, magic, sizeof head) == 0;
}

static int hand_on(const struct scan *scan, const char *path)
{
	struct lsv_config config;
	int r = lsv_config_file_find(scan->file, path, &config);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = scan->each(scan->arg, path, &config);
	lsv_config_free(&config);
	return r;
}

/* An entry with a path of its own comes by itself. */
bool lsv_config_file_names(const struct lsv_config_file *file,
                           const char *db_path)
{
	for (size_t i = 0; i < file->n_dbs; i++) {
		const struct lsv_config_db *db = &file->dbs[i];

		if (db->path && strcmp(db->path, db_path) == 0)
			return true;
	}
	return false;
}

static int scan_folder(const struct scan *scan, const char *dir);

static int scan_entry(const struct scan *scan, const char *dir,
                      const char *name)
{
	auto_free char *path = lsv_sprintf(
		"%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name);
	struct stat st;

	if (!path)
		return -ENOMEM;
	if (lstat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return scan->db->is_recursive ? scan_folder(scan, path) : 0;
	return S_ISREG(st.st_mode) &&
	                       !lsv_config_file_names(scan->file, path) &&
	                       lsv_config_is_database(path)
	               ? hand_on(scan, path)
	               : 0;
}

static int scan_folder(const struct scan *scan, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort);
	int r = 0;

	if (n < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (r == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			r = scan_entry(scan, dir, name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int lsv_config_file_each(const struct lsv_config_file *file,
                         lsv_config_db_fn *each, void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < file->n_dbs; i++) {
		const struct scan scan = {file, &file->dbs[i], each, arg};

		r = scan.db->path ? hand_on(&scan, scan.db->path)
		                  : scan_folder(&scan, scan.db->dir);
	}
	return r;
}
