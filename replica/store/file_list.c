/* SPDX-License-Identifier: MIT */

/*
 * The walk behind client_file's list.  Names are compared as whole strings:
 * "a.b" comes before "a/c", since '.' is smaller than '/'.  So each
 * directory is sorted with a slash behind the names of directories; then the
 * walk meets all names in order and needs to remember one directory a level.
 */

#include "replica/store/file_list.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/base/vector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* The layout has four levels; symbolic links could make a circle. */
#define MAX_DEPTH 16

struct entry {
	char *name; /* with a slash at the end: a directory */
	uint64_t size;
	int64_t time_ns;
};

LSV_VECTOR(entries, struct entry)

struct walk {
	const char *root;
	const char *prefix;
	lsv_list_fn *each;
	void *arg;
	int depth;
};

static void free_entries(struct entries *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->at[i].name);
	free(v->at);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name,
	              ((const struct entry *)b)->name);
}

static int close_dir(DIR **dir)
{
	return *dir ? closedir(*dir) : 0;
}

static bool is_temp(const char *name)
{
	return strncmp(name, LSV_FILE_TEMP_PREFIX,
	               sizeof LSV_FILE_TEMP_PREFIX - 1) == 0;
}

/* May this name, or one below it, begin with the prefix? */
static bool leads_to(const char *name, const char *prefix)
{
	size_t n = strlen(name), m = strlen(prefix);

	return strncmp(name, prefix, n < m ? n : m) == 0;
}

static int add_entry(struct entries *v, int dir_fd, const char *below,
                     const char *name)
{
	struct entry entry = {0};
	struct stat st;
	int r;

	if (fstatat(dir_fd, name, &st, 0) < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	entry.name = lsv_sprintf("%s%s%s", below, name,
	                         S_ISDIR(st.st_mode) ? "/" : "");
	if (!entry.name)
		return -ENOMEM;
	entry.size = (uint64_t)st.st_size;
	entry.time_ns = st.st_mtim.tv_sec * LSV_NS_PER_S + st.st_mtim.tv_nsec;
	r = entries_append(v, entry);
	if (r < 0)
		free(entry.name);
	return r;
}

int lsv_file_vocabulary(int err)
{
	switch (err) {
	case -EDQUOT:
		return -ENOSPC;
	case -EPERM:
	case -EROFS:
		return -EACCES;
	/* A network's file system says so of a file or a server that it lost;
	 * who delivers says it of the local WAL, or of the generation. */
	case -ESTALE:
	case -ENODATA:
	case -ENOLINK:
	case -ENXIO:
		return -EIO;
	default:
		return err;
	}
}

static int read_dir(const struct walk *walk, const char *below,
                    struct entries *v)
{
	auto_free char *path = lsv_path_join(walk->root, below);
	__attribute__((cleanup(close_dir))) DIR *dir = NULL;
	const struct dirent *d;
	int r = 0;

	if (!path)
		return -ENOMEM;
	dir = lsv_opendir(path);
	if (!dir) {
		/* Gone meanwhile, or never there: no object is no error.  A
		 * root that is a file is one, though. */
		if (errno == ENOENT || (errno == ENOTDIR && *below))
			return 0;
		return lsv_file_vocabulary(
			log_error(-errno, "cannot list %s", path));
	}
	while (r == 0 && (errno = 0, d = readdir(dir))) {
		if (strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0 || is_temp(d->d_name))
			continue;
		r = add_entry(v, dirfd(dir), below, d->d_name);
	}
	if (r == 0 && errno)
		r = -errno;
	return r < 0 ? lsv_file_vocabulary(log_error(r, "cannot list %s", path))
	             : 0;
}

static int walk_dir(struct walk *walk, const char *below)
{
	__attribute__((cleanup(free_entries))) struct entries v = {0};
	int r;

	if (walk->depth == MAX_DEPTH)
		return log_error(-ELOOP, "cannot list %s/%s", walk->root,
		                 below);
	r = read_dir(walk, below, &v);
	if (v.n)
		qsort(v.at, v.n, sizeof *v.at, by_name);
	walk->depth++;
	for (size_t i = 0; r == 0 && i < v.n; i++) {
		const struct entry *e = &v.at[i];

		if (!leads_to(e->name, walk->prefix))
			continue;
		if (e->name[strlen(e->name) - 1] == '/')
			r = walk_dir(walk, e->name);
		else if (strlen(e->name) >= strlen(walk->prefix))
			r = walk->each(walk->arg,
			               &(struct lsv_object){e->name, e->size,
			                                    e->time_ns});
	}
	walk->depth--;
	return r;
}

int lsv_file_list(const char *root, const char *prefix, lsv_list_fn *each,
                  void *arg)
{
	struct walk walk = {root, prefix, each, arg, 0};
	const char *slash = strrchr(prefix, '/');
	auto_free char *start = slash ? strndup(prefix,
	                                        (size_t)(slash - prefix) + 1)
	                              : strdup("");

	/* Begin below the root where the prefix allows it. */
	return start ? walk_dir(&walk, start) : -ENOMEM;
}

void lsv_file_sweep(const char *path, int64_t before_ns)
{
	__attribute__((cleanup(close_dir))) DIR *dir = lsv_opendir(path);
	const struct dirent *d;
	struct stat st;

	while (dir && (d = readdir(dir))) {
		/* The modification time is a commit's; the time of the last
		 * change is a clock that nobody sets. */
		if (is_temp(d->d_name) &&
		    fstatat(dirfd(dir), d->d_name, &st, 0) == 0 &&
		    st.st_ctim.tv_sec * LSV_NS_PER_S < before_ns &&
		    unlinkat(dirfd(dir), d->d_name, 0) == 0)
			log_info("removed %s/%s: its writer is gone", path,
			         d->d_name);
	}
}
