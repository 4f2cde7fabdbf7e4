/* SPDX-License-Identifier: MIT */
#include "vfs/shim.h"

#include "replica/ship/config.h"
#include "vfs/api.h"

#include <stdlib.h>
#include <string.h>

/* A database's method table: the lower file's, with two of ours. */
struct methods {
	sqlite3_io_methods base;
	const sqlite3_io_methods *lower;
};

static sqlite3_vfs vfs, *lower;
static struct lsv_config config;

static const struct methods *methods_of(const sqlite3_file *file)
{
	return (const struct methods *)file->pMethods;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	int rc = methods_of(file)->lower->xFileControl(file, op, arg);

	if (rc == SQLITE_OK && op == SQLITE_FCNTL_VFSNAME)
		*(char **)arg = sqlite3_mprintf("%s/%z", vfs.zName,
		                                *(char **)arg);
	return rc;
}

static int close_file(sqlite3_file *file)
{
	void *methods = (void *)file->pMethods;

	file->pMethods = methods_of(file)->lower;
	free(methods);
	return file->pMethods->xClose(file);
}

static int open_file(sqlite3_vfs *ours, const char *name, sqlite3_file *file,
                     int flags, int *out_flags)
{
	int rc = lower->xOpen(lower, name, file, flags, out_flags);
	struct methods *methods;

	(void)ours;
	if (rc != SQLITE_OK || !(flags & SQLITE_OPEN_MAIN_DB) ||
	    !(config.replica || sqlite3_uri_parameter(name, "replica")))
		return rc;
	methods = malloc(sizeof *methods);
	if (!methods)
		return rc;
	methods->base = *file->pMethods;
	methods->base.xFileControl = file_control;
	methods->base.xClose = close_file;
	methods->lower = file->pMethods;
	file->pMethods = &methods->base;
	return rc;
}

int lsv_shim_register(const struct lsv_config *defaults, int make_default)
{
	if (!lower) {
		lower = sqlite3_vfs_find(NULL);
		vfs = *lower;
		vfs.zName = sqlite3_vfs_find("litestream") ? "lsvfs"
		                                           : "litestream";
		vfs.xOpen = open_file;
		if (lsv_config_copy(defaults, &config) < 0)
			return SQLITE_NOMEM;
	}
	return sqlite3_vfs_register(&vfs, make_default);
}

int lsv_shim_is_default(void)
{
	return sqlite3_vfs_find(NULL) == &vfs;
}

int lsv_shim_sync(const char *db_path, int timeout_ms)
{
	(void)db_path;
	(void)timeout_ms;
	return SQLITE_NOTFOUND;
}

char *lsv_shim_status(const char *db_path)
{
	(void)db_path;
	return NULL;
}
