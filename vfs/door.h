/* SPDX-License-Identifier: MIT */
#ifndef LSV_DOOR_H
#define LSV_DOOR_H

/*
 * How a way in gets to the engine, started for one SQLite.  Two of them: of
 * the shared library (door.c) and of the static one (direct.c).
 */

#include "vfs/engine.h"

/* For the SQLite that the code at 'caller' uses.  NULL: there is none, or it
 * cannot be served; said once. */
const struct lsv_engine *lsv_door_open(const void *caller);

/* For the SQLite that handed out this table. */
const struct lsv_engine *lsv_door_open_api(
	const struct sqlite3_api_routines *api);

/* The engine if it was opened before, else NULL. */
const struct lsv_engine *lsv_door_engine(void);

#endif
