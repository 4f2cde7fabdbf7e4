/* SPDX-License-Identifier: MIT */
/*
 * The methods without a thought in them: straight to the lower file or VFS.
 */
#include "vfs/file.h"

#include "vfs/lower.h"

#include <string.h>

#define LOWER(f) lsv_lower((struct lsv_file *)(f))
#define CALL(f, method, ...)                                                   \
	(LOWER(f)->pMethods->method(LOWER(f), ##__VA_ARGS__))

static int f_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	return CALL(f, xRead, buf, n, at);
}

static int f_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	return CALL(f, xWrite, buf, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return CALL(f, xTruncate, size);
}

static int f_sync(sqlite3_file *f, int flags)
{
	return CALL(f, xSync, flags);
}

static int f_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return CALL(f, xFileSize, size);
}

static int f_lock(sqlite3_file *f, int level)
{
	return CALL(f, xLock, level);
}

static int f_unlock(sqlite3_file *f, int level)
{
	return CALL(f, xUnlock, level);
}

static int f_check_reserved(sqlite3_file *f, int *out)
{
	return CALL(f, xCheckReservedLock, out);
}

static int f_file_control(sqlite3_file *f, int op, void *arg)
{
	return CALL(f, xFileControl, op, arg);
}

static int f_sector_size(sqlite3_file *f)
{
	return CALL(f, xSectorSize);
}

static int f_characteristics(sqlite3_file *f)
{
	return CALL(f, xDeviceCharacteristics);
}

static int f_shm_map(sqlite3_file *f, int region, int size, int extend,
                     void volatile **out)
{
	return CALL(f, xShmMap, region, size, extend, out);
}

static int f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return CALL(f, xShmLock, offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
	CALL(f, xShmBarrier);
}

static int f_shm_unmap(sqlite3_file *f, int delete_it)
{
	return CALL(f, xShmUnmap, delete_it);
}

static int f_fetch(sqlite3_file *f, sqlite3_int64 at, int n, void **out)
{
	return CALL(f, xFetch, at, n, out);
}

static int f_unfetch(sqlite3_file *f, sqlite3_int64 at, void *page)
{
	return CALL(f, xUnfetch, at, page);
}

void lsv_forward_methods(sqlite3_io_methods *methods)
{
	*methods = (sqlite3_io_methods){
		.iVersion = 3,
		.xRead = f_read,
		.xWrite = f_write,
		.xTruncate = f_truncate,
		.xSync = f_sync,
		.xFileSize = f_file_size,
		.xLock = f_lock,
		.xUnlock = f_unlock,
		.xCheckReservedLock = f_check_reserved,
		.xFileControl = f_file_control,
		.xSectorSize = f_sector_size,
		.xDeviceCharacteristics = f_characteristics,
		.xShmMap = f_shm_map,
		.xShmLock = f_shm_lock,
		.xShmBarrier = f_shm_barrier,
		.xShmUnmap = f_shm_unmap,
		.xFetch = f_fetch,
		.xUnfetch = f_unfetch,
	};
}

void lsv_forward_limit(sqlite3_io_methods *methods,
                       const sqlite3_io_methods *lower)
{
	if (methods->iVersion > lower->iVersion)
		methods->iVersion = lower->iVersion;
	if (!lower->xSectorSize)
		methods->xSectorSize = NULL;
	if (!lower->xDeviceCharacteristics)
		methods->xDeviceCharacteristics = NULL;
	if (lower->iVersion < 2 || !lower->xShmMap)
		methods->xShmMap = NULL;
	if (lower->iVersion < 2 || !lower->xShmLock)
		methods->xShmLock = NULL;
	if (lower->iVersion < 2 || !lower->xShmBarrier)
		methods->xShmBarrier = NULL;
	if (lower->iVersion < 2 || !lower->xShmUnmap)
		methods->xShmUnmap = NULL;
	if (lower->iVersion < 3 || !lower->xFetch)
		methods->xFetch = NULL;
	if (lower->iVersion < 3 || !lower->xUnfetch)
		methods->xUnfetch = NULL;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
	(void)v;
	return lsv_lower_vfs()->xDelete(lsv_lower_vfs(), name, sync_dir);
}

static int v_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	(void)v;
	return lsv_lower_vfs()->xAccess(lsv_lower_vfs(), name, flags, out);
}

static int v_full_pathname(sqlite3_vfs *v, const char *name, int n, char *out)
{
	(void)v;
	return lsv_lower_vfs()->xFullPathname(lsv_lower_vfs(), name, n, out);
}

static void *v_dl_open(sqlite3_vfs *v, const char *name)
{
	(void)v;
	return lsv_lower_vfs()->xDlOpen(lsv_lower_vfs(), name);
}

static void v_dl_error(sqlite3_vfs *v, int n, char *text)
{
	(void)v;
	lsv_lower_vfs()->xDlError(lsv_lower_vfs(), n, text);
}

static void (*v_dl_sym(sqlite3_vfs *v, void *handle, const char *name))(void)
{
	(void)v;
	return lsv_lower_vfs()->xDlSym(lsv_lower_vfs(), handle, name);
}

static void v_dl_close(sqlite3_vfs *v, void *handle)
{
	(void)v;
	lsv_lower_vfs()->xDlClose(lsv_lower_vfs(), handle);
}

static int v_randomness(sqlite3_vfs *v, int n, char *out)
{
	(void)v;
	return lsv_lower_vfs()->xRandomness(lsv_lower_vfs(), n, out);
}

static int v_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return lsv_lower_vfs()->xSleep(lsv_lower_vfs(), us);
}

static int v_current_time(sqlite3_vfs *v, double *out)
{
	(void)v;
	return lsv_lower_vfs()->xCurrentTime(lsv_lower_vfs(), out);
}

static int v_get_last_error(sqlite3_vfs *v, int n, char *text)
{
	(void)v;
	return lsv_lower_vfs()->xGetLastError(lsv_lower_vfs(), n, text);
}

static int v_current_time_64(sqlite3_vfs *v, sqlite3_int64 *out)
{
	(void)v;
	return lsv_lower_vfs()->xCurrentTimeInt64(lsv_lower_vfs(), out);
}

static int v_set_system_call(sqlite3_vfs *v, const char *name,
                             sqlite3_syscall_ptr call)
{
	(void)v;
	return lsv_lower_vfs()->xSetSystemCall(lsv_lower_vfs(), name, call);
}

static sqlite3_syscall_ptr v_get_system_call(sqlite3_vfs *v, const char *name)
{
	(void)v;
	/* What another copy of us knows us by; it is never called. */
	if (strcmp(name, LSV_COPY_MARK) == 0)
		return (sqlite3_syscall_ptr)v_current_time;
	return lsv_lower_vfs()->xGetSystemCall(lsv_lower_vfs(), name);
}

static const char *v_next_system_call(sqlite3_vfs *v, const char *name)
{
	(void)v;
	return lsv_lower_vfs()->xNextSystemCall(lsv_lower_vfs(), name);
}

void lsv_forward_vfs(sqlite3_vfs *vfs, sqlite3_vfs *lower)
{
	bool has_2 = lower->iVersion >= 2, has_3 = lower->iVersion >= 3;

	vfs->iVersion = lower->iVersion < 3 ? lower->iVersion : 3;
	vfs->mxPathname = lower->mxPathname;
	vfs->xDelete = v_delete;
	vfs->xAccess = v_access;
	vfs->xFullPathname = v_full_pathname;
	vfs->xDlOpen = lower->xDlOpen ? v_dl_open : NULL;
	vfs->xDlError = lower->xDlError ? v_dl_error : NULL;
	vfs->xDlSym = lower->xDlSym ? v_dl_sym : NULL;
	vfs->xDlClose = lower->xDlClose ? v_dl_close : NULL;
	vfs->xRandomness = v_randomness;
	vfs->xSleep = v_sleep;
	vfs->xCurrentTime = v_current_time;
	vfs->xGetLastError = lower->xGetLastError ? v_get_last_error : NULL;
	vfs->xCurrentTimeInt64 = has_2 && lower->xCurrentTimeInt64
	                                 ? v_current_time_64
	                                 : NULL;
	vfs->xSetSystemCall = has_3 && lower->xSetSystemCall ? v_set_system_call
	                                                     : NULL;
	vfs->xGetSystemCall = has_3 && lower->xGetSystemCall ? v_get_system_call
	                                                     : NULL;
	vfs->xNextSystemCall = has_3 && lower->xNextSystemCall
	                               ? v_next_system_call
	                               : NULL;
}
