/* SPDX-License-Identifier: MIT */
#ifndef LSV_FILE_H
#define LSV_FILE_H

/*
 * A file of ours: the wrapped one lies right behind it, in the buffer that
 * SQLite allocated.  Only main databases that are replicated and their WALs
 * are wrapped (I14); everything else is the lower VFS's own.
 */

#include "vfs/api.h"
#include "vfs/coalesce.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct lsv_db;

enum lsv_file_kind { LSV_FILE_MAIN, LSV_FILE_WAL };

struct lsv_file {
	sqlite3_file base;
	sqlite3_io_methods methods; /* what the lower file can do, by us */
	enum lsv_file_kind kind;
	uint32_t family; /* of processes: a fork makes a new one (11) */
	bool is_ours;    /* opened by the worker */
	struct lsv_db *db;
	struct lsv_file *main;     /* of a WAL: its database */
	struct lsv_file *wal;      /* of a main: its WAL, while open */
	bool gathers;              /* a WAL whose writes may be gathered */
	struct lsv_coalesce held;  /* of a WAL: under WRITE */
	LIST_ENTRY(lsv_file) link; /* main: of the database's connections */

	/* Of a main: touched by its connection's thread, the shm pointer
	 * also by others under the database's mutex. */
	volatile void *shm; /* region 0 */
	bool has_write;     /* WRITE, exclusive */
	bool wants_write;   /* of ours: counted in n_ours_writing */
	bool has_ckpt;
	bool keeps_ckpt; /* of ours: CKPT is kept when SQLite lets it go */
	bool has_kept_ckpt;
	bool in_gate; /* READ1..4, exclusive */
	bool gate_took_ckpt;
	bool has_gate_head; /* the live head when the gate was passed */
	uint32_t gate_salt[2];
	uint32_t gate_frame;
	bool wants_wal;          /* once it has a page (force-wal) */
	bool is_exclusive;       /* EXCLUSIVE on the database file */
	_Atomic(int) lock_level; /* SQLITE_LOCK_*, on the database file */
	int64_t plain_ns;        /* first transaction without a WAL; 0: none */
	bool syncs_header;  /* the next xSync of the WAL is of its header */
	bool in_checkpoint; /* between CKPT_START and CKPT_DONE */
	bool has_barrier_salt;
	bool caught_up; /* by xLock(EXCLUSIVE), and nothing since */
	uint32_t barrier_salt[2];
	bool is_excluding;     /* lsv_db_exclude() is ours to take back */
	uint32_t seen_salt[2]; /* the live head, when WRITE was granted or */
	uint32_t seen_frame;   /* last stamped */
	uint64_t ticket;       /* of a commit that waits in PHASETWO; 0: none */

	/* Of a main whose shm is heap memory (locking_mode=EXCLUSIVE from the
	 * start): what its WAL writes told. */
	bool is_heap;
	uint32_t heap_salt[2];
	uint32_t heap_page_size;
	uint32_t heap_candidate; /* last frame written that commits */
	uint32_t heap_commit;    /* that was finalised */
};

static inline sqlite3_file *lsv_lower(struct lsv_file *file)
{
	return (sqlite3_file *)(file + 1);
}

/* Of a file that SQLite hands us; NULL: not ours. */
struct lsv_file *lsv_file_of(sqlite3_file *file);

/* A main file of ours: CKPT is kept from now on when SQLite lets it go; false:
 * it is let go. */
void lsv_file_keep_ckpt(struct lsv_file *file, bool keeps);

/* The method table for a file whose lower one is open: ours where a method
 * has a thought in it (shim.c), forwards (forward.c) elsewhere, nothing where
 * the lower file has nothing. */
void lsv_file_set_methods(struct lsv_file *file);
void lsv_forward_methods(sqlite3_io_methods *methods);
void lsv_forward_limit(sqlite3_io_methods *methods,
                       const sqlite3_io_methods *lower);
/* The VFS's own methods but xOpen. */
void lsv_forward_vfs(sqlite3_vfs *vfs, sqlite3_vfs *lower);

/* A file control of ours, of a main file that is replicated: its database, into
 * a struct lsv_db *, borrowed while the connection has it open. */
#define LSV_FCNTL_DB 0x4c535646

/* A system call that only our VFS has. */
#define LSV_COPY_MARK "lsvfs"

#endif
