/* SPDX-License-Identifier: MIT */
#ifndef LSV_OUTSIDE_H
#define LSV_OUTSIDE_H

/*
 * A database that belongs to somebody else's program, from a process of ours:
 * opened through the VFS as that program would, and read, so that SQLite
 * recovers what a crash left.
 */

/* 0: everything is on the replicas, and each of them was asked whether it still
 * has the newest of it; -EINVAL: not in WAL mode; -ENOENT: no replica is
 * configured; -EPERM: the replica is another database's; -ETIMEDOUT; -EIO: what
 * SQLite or a replica said is logged. */
int lsv_outside_sync(const char *db_path, int timeout_ms);

#endif
