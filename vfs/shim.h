/* SPDX-License-Identifier: MIT */
#ifndef LSV_SHIM_H
#define LSV_SHIM_H

/*
 * The VFS "litestream" itself, as the ways in see it.  Everything here works
 * on the SQLite behind sqlite3_api (api.h), which is set before.
 */

#include <stdint.h>

struct lsv_settings;

/* Registers the VFS "litestream" (or "lsvfs" when that name is taken by a
 * stranger) over the default VFS.  Idempotent; a later call only acts on
 * make_default.  'settings' is borrowed for the call (copied).  SQLITE_*. */
int lsv_shim_register(const struct lsv_settings *settings, int make_default);

/* 1: sqlite3_vfs_find(NULL) is ours. */
int lsv_shim_is_default(void);

/* As the functions of these names in lsvfs.h. */
int lsv_shim_sync(const char *db_path, int timeout_ms);
int lsv_shim_txid(const char *db_path, uint64_t *txid);
int lsv_shim_checkpoint(const char *db_path);
int lsv_shim_snapshot(const char *db_path);
char *lsv_shim_status(const char *db_path);
char *lsv_shim_replica(const char *db_path);

#endif
