/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/spool/folder.h"
#include "replica/spool/leader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A temporary file that is older belongs to nobody any more. */
#define LEFTOVER_S 600

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define auto_dir __attribute__((cleanup(close_dir)))

/* The next name that is neither "." nor ".."; NULL at the end. */
static const char *next_name(DIR *dir)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	return NULL;
}

/* ---- Indexes ---- */

/* "%08x.commits": with it an index is there. */
static bool parse_index(const char *name, uint32_t *index)
{
	return strlen(name) == 16 && strcmp(name + 8, ".commits") == 0 &&
	       lsv_hex32_parse(name, index) == 0;
}

static int compare_indexes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int lsv_folder_indexes(const char *gen_dir, struct lsv_indexes *out)
{
	auto_free char *path = lsv_path_join(gen_dir, "wal");
	auto_dir DIR *dir = path ? lsv_opendir(path) : NULL;
	struct lsv_indexes list = {0};
	const char *name;
	uint32_t index;

	if (!dir)
		return path ? -errno : -ENOMEM;
	while ((name = next_name(dir))) {
		if (!parse_index(name, &index))
			continue;
		if (lsv_indexes_append(&list, index) < 0) {
			free(list.at);
			return -ENOMEM;
		}
	}
	if (list.n > 0)
		qsort(list.at, list.n, sizeof *list.at, compare_indexes);
	*out = list;
	return 0;
}

static int remove_file(const char *gen_dir, uint32_t index, const char *suffix)
{
	auto_free char *path = lsv_sprintf("%s/wal/%08x.%s", gen_dir,
	                                   (unsigned)index, suffix);

	if (!path)
		return -ENOMEM;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int lsv_folder_remove_index(const char *gen_dir, uint32_t index)
{
	/* The frames first: while the records are there, the index is listed
	 * and somebody will come back for what was left. */
	int r = remove_file(gen_dir, index, "wal");

	return r < 0 ? r : remove_file(gen_dir, index, "commits");
}

uint64_t lsv_folder_bytes(const char *gen_dir)
{
	auto_free char *path = lsv_path_join(gen_dir, "wal");
	auto_dir DIR *dir = path ? lsv_opendir(path) : NULL;
	uint64_t sum = 0;
	const char *name;
	struct stat st;

	if (!dir)
		return 0;
	while ((name = next_name(dir)))
		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += (uint64_t)st.st_size;
	return sum;
}

/* ---- Cleaning up ---- */

static int remove_entries(const char *path, const char *but)
{
	auto_dir DIR *dir = lsv_opendir(path);
	const char *name;

	if (!dir)
		return -errno;
	while ((name = next_name(dir))) {
		auto_free char *entry = NULL;
		int r;

		if (strcmp(name, but) == 0)
			continue;
		entry = lsv_path_join(path, name);
		r = entry ? lsv_remove_tree(entry) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

int lsv_folder_discard(const char *gen_dir)
{
	auto_free char *wal = lsv_path_join(gen_dir, "wal");
	auto_free char *away = lsv_path_join(gen_dir, "discarded");

	if (!wal || !away)
		return -ENOMEM;
	/* At one stroke: half removed it would be empty at some time. */
	if (rename(wal, away) < 0 && errno != ENOENT)
		return -errno;
	return remove_entries(gen_dir, "lock");
}

/* "lock" goes last: without it the rest would be taken for stock's. */
int lsv_folder_remove_generation(const char *gen_dir)
{
	auto_free char *lock = lsv_path_join(gen_dir, "lock");
	struct stat st;
	int r;

	if (!lock)
		return -ENOMEM;
	if (stat(lock, &st) < 0)
		return 0;
	r = remove_entries(gen_dir, "lock");
	return r < 0 ? r : lsv_remove_tree(gen_dir);
}

/* Whoever removes what is not current may have stood still since, and another
 * process have made what is.  'kept': the lock of what this one takes for it.
 */
static bool is_successor(const char *gen_dir, const struct stat *kept)
{
	auto_free char *lock = lsv_path_join(gen_dir, "lock");
	auto_close int fd = lock ? lsv_open(lock, O_RDWR, 0) : -1;
	struct stat st;

	return fd >= 0 && lsv_leader_is_locked(fd) && fstat(fd, &st) == 0 &&
	       (st.st_mtim.tv_sec > kept->st_mtim.tv_sec ||
	        (st.st_mtim.tv_sec == kept->st_mtim.tv_sec &&
	         st.st_mtim.tv_nsec > kept->st_mtim.tv_nsec));
}

/* What of ours is not 'keep', or a successor of it. */
static int remove_unless_newer(const char *dir, uint64_t generation,
                               const struct stat *kept)
{
	auto_free char *gen_dir = lsv_folder_generation_dir(dir, generation);

	if (!gen_dir)
		return -ENOMEM;
	return is_successor(gen_dir, kept)
	               ? 0
	               : lsv_folder_remove_generation(gen_dir);
}

static int remove_generations(const char *dir, uint64_t keep)
{
	auto_free char *path = lsv_path_join(dir, "generations");
	auto_free char *kept_dir = lsv_folder_generation_dir(dir, keep);
	auto_free char *lock = kept_dir ? lsv_path_join(kept_dir, "lock")
	                                : NULL;
	auto_dir DIR *list = path ? lsv_opendir(path) : NULL;
	const char *name;
	struct stat kept;

	if (!list)
		return !path ? -ENOMEM : errno == ENOENT ? 0 : -errno;
	if (!lock)
		return -ENOMEM;
	/* Who removed that is who leads now. */
	if (stat(lock, &kept) < 0)
		return errno == ENOENT ? 0 : -errno;
	while ((name = next_name(list))) {
		uint64_t generation;
		int r;

		if (lsv_generation_parse(name, strlen(name), &generation) < 0 ||
		    generation == keep)
			continue;
		r = remove_unless_newer(dir, generation, &kept);
		if (r < 0)
			return r;
	}
	return 0;
}

int lsv_folder_withdraw_others(const char *dir, uint64_t keep)
{
	const size_t skip = strlen(LSV_PROPOSAL_PREFIX);
	auto_dir DIR *list = lsv_opendir(dir);
	char kept[LSV_GENERATION_SIZE];
	const char *name;

	if (!list)
		return -errno;
	lsv_generation_format(keep, kept);
	while ((name = next_name(list)))
		if (strncmp(name, LSV_PROPOSAL_PREFIX, skip) == 0 &&
		    strcmp(name + skip, kept) != 0 &&
		    unlinkat(dirfd(list), name, 0) < 0 && errno != ENOENT)
			return -errno;
	return 0;
}

/* Temporary files that a killed process left: <name>.tmp-<pid> of a
 * replacement, coord.<six letters> of its making. */
static bool is_temporary(const char *name)
{
	return strstr(name, ".tmp-") ||
	       (strncmp(name, "coord.", 6) == 0 && strlen(name) == 12);
}

static void remove_leftovers(const char *path)
{
	auto_dir DIR *dir = lsv_opendir(path);
	const char *name;
	struct stat st;

	if (!dir)
		return;
	while ((name = next_name(dir)))
		if (is_temporary(name) &&
		    fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    time(NULL) - st.st_mtime > LEFTOVER_S)
			unlinkat(dirfd(dir), name, 0);
}

int lsv_folder_remove_others(const char *dir, uint64_t keep)
{
	remove_leftovers(dir);
	return remove_generations(dir, keep);
}
