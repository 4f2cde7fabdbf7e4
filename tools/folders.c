/* SPDX-License-Identifier: MIT */
#include "tools/folders.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/ship/config_path.h"

#include <dirent.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define EVENTS                                                                 \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE)

/* What stands behind the name of a database in that of a file of SQLite's
 * beside it. */
static const char *const sides[] = {"-wal", "-journal"};

/* Local folders, ours and Litestream's: there is nothing for us, and much is
 * written there. */
static bool is_local_folder(const char *name)
{
	return fnmatch(".*-litestream", name, 0) == 0;
}

static void offer(const struct folders *folders, const char *path,
                  bool is_begun)
{
	struct lsv_config config;
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    lsv_config_file_find(folders->file, path, &config) < 0)
		return;
	lsv_config_free(&config);
	folders->found(folders->arg, path, is_begun);
}

static int add(struct folders *folders, const char *path, bool is_recursive)
{
	struct folder folder = {.is_recursive = is_recursive};

	folder.wd = inotify_add_watch(folders->fd, path,
	                              EVENTS | IN_ONLYDIR | IN_MASK_ADD);
	if (folder.wd < 0)
		return -errno;
	for (size_t i = 0; i < folders->list.n; i++) {
		struct folder *there = &folders->list.at[i];

		if (there->wd != folder.wd)
			continue;
		/* Two entries of the file, or one seen twice. */
		there->is_recursive |= is_recursive;
		return 0;
	}
	folder.path = strdup(path);
	if (folder.path && folder_list_append(&folders->list, folder) == 0)
		return 0;
	free(folder.path);
	return -ENOMEM;
}

/* What is in one that is watched: those below it, where it is recursive, and
 * the files, where 'reports'. */
static void look_into(struct folders *folders, const char *path,
                      bool is_recursive, bool reports);

/* One below another. */
static void enter(struct folders *folders, const char *path, bool reports)
{
	int r = add(folders, path, true);

	if (r == 0)
		look_into(folders, path, true, reports);
	else if (r != -ENOENT && r != -ENOTDIR)
		(void)log_error(r, "cannot watch %s", path);
}

static void look_into(struct folders *folders, const char *path,
                      bool is_recursive, bool reports)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		auto_free char *below = lsv_path_join(path, entry->d_name);
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    is_local_folder(entry->d_name) || !below ||
		    lstat(below, &st) < 0)
			continue;
		if (reports && S_ISREG(st.st_mode))
			offer(folders, below, false);
		if (is_recursive && S_ISDIR(st.st_mode))
			enter(folders, below, reports);
	}
	if (dir)
		closedir(dir);
}

int folders_open(struct folders *folders)
{
	for (size_t i = 0; i < folders->file->n_dbs; i++) {
		const struct lsv_config_db *db = &folders->file->dbs[i];
		int r = db->dir ? add(folders, db->dir, db->is_recursive) : 0;

		if (r < 0)
			return log_error(r, "cannot watch %s", db->dir);
		if (db->dir)
			look_into(folders, db->dir, db->is_recursive, false);
	}
	return 0;
}

void folders_close(struct folders *folders)
{
	for (size_t i = 0; i < folders->list.n; i++)
		free(folders->list.at[i].path);
	free(folders->list.at);
	folders->list = (struct folder_list){0};
}

static void forget(struct folders *folders, size_t i)
{
	free(folders->list.at[i].path);
	folders->list.at[i] = folders->list.at[--folders->list.n];
}

/* Moved away: what the kernel watches is no longer what has the name. */
static void leave(struct folders *folders, const char *path)
{
	for (size_t i = folders->list.n; i-- > 0;) {
		const char *at = folders->list.at[i].path;

		if (strcmp(at, path) != 0 && !lsv_path_below(path, at))
			continue;
		inotify_rm_watch(folders->fd, folders->list.at[i].wd);
		forget(folders, i);
	}
}

static void take_file(const struct folders *folders, const char *path,
                      uint32_t mask)
{
	size_t n = strlen(path);

	if (mask & (IN_CLOSE_WRITE | IN_MOVED_TO))
		offer(folders, path, false);
	for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
		size_t n_side = strlen(sides[i]);
		auto_free char *db = NULL;

		if (!(mask & (IN_CREATE | IN_MOVED_TO | IN_DELETE)) ||
		    n <= n_side || strcmp(path + n - n_side, sides[i]) != 0)
			continue;
		db = strndup(path, n - n_side);
		if (db)
			offer(folders, db, true);
	}
}

static void take_folder(struct folders *folders, const char *path,
                        uint32_t mask)
{
	if (mask & IN_MOVED_FROM)
		leave(folders, path);
	if (mask & (IN_CREATE | IN_MOVED_TO))
		enter(folders, path, true);
}

/* Events were lost. */
static void look_through(struct folders *folders)
{
	size_t n = folders->list.n;

	for (size_t i = 0; i < n; i++) {
		auto_free char *path = strdup(folders->list.at[i].path);

		if (path)
			look_into(folders, path,
			          folders->list.at[i].is_recursive, true);
	}
}

bool folders_take(struct folders *folders, const struct inotify_event *event)
{
	struct folder *folder = NULL;
	auto_free char *path = NULL;
	size_t i;

	if (event->mask & IN_Q_OVERFLOW) {
		look_through(folders);
		return true;
	}
	for (i = 0; i < folders->list.n && !folder; i++)
		if (folders->list.at[i].wd == event->wd)
			folder = &folders->list.at[i];
	if (!folder)
		return false;
	if (event->mask & IN_IGNORED) {
		forget(folders, (size_t)(folder - folders->list.at));
		return true;
	}
	if (event->len == 0)
		return false;
	path = lsv_path_join(folder->path, event->name);
	if (!path)
		return false;
	if (!(event->mask & IN_ISDIR))
		take_file(folders, path, event->mask);
	else if (folder->is_recursive && !is_local_folder(event->name))
		take_folder(folders, path, event->mask);
	return event->mask & IN_ISDIR && event->mask & IN_MOVED_FROM;
}
