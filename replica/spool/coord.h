/* SPDX-License-Identifier: MIT */
#ifndef LSV_COORD_H
#define LSV_COORD_H

/*
 * The page that all processes with one database open share: the file "coord"
 * of the local folder, 4096 bytes, mapped.  Offsets are in lsvfs-format(5);
 * the struct is their only other home.  Integers are little-endian, which is
 * the host's order wherever this is mapped (others capture without it).
 */

#include "replica/wal/pos.h"
#include "replica/wal/shm.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LSV_COORD_SIZE 4096
#define LSV_COORD_VERSION 1
#define LSV_STAMPS 64
#define LSV_REPLICAS_MAX 8
#define LSV_BOOT_ID_SIZE 16

/* When a commit happened.  Written under SQLite's WRITE lock, so by one
 * writer at a time, in commit order. */
struct lsv_stamp {
	uint32_t salt[2];
	uint32_t frame;       /* its last */
	uint32_t checksum[2]; /* of that frame, SQLite's chain */
	uint32_t number;      /* stamp_next once it is in; written last */
	int64_t time_ns;
};

/* How far the shadow goes, in both counts. */
struct lsv_captured {
	uint32_t salt[2]; /* of SQLite's WAL; both 0: nothing known */
	uint32_t frame;
	uint32_t index;
	uint64_t generation;
	uint64_t offset;
	uint64_t txid;
	int64_t time_ns; /* of the commit; alone: of the last one there was */
};

enum lsv_replica_state {
	LSV_REPLICA_UNKNOWN,
	LSV_REPLICA_FINE,
	LSV_REPLICA_FAILING,
	LSV_REPLICA_BROKEN
};

struct lsv_shipped {
	_Atomic(uint64_t) name_hash;  /* 0: no replica */
	_Atomic(uint64_t) generation; /* 0: it has not begun there yet */
	_Atomic(uint64_t) offset;
	_Atomic(uint64_t) txid;
	_Atomic(int64_t) time_ns;          /* of the last commit shipped */
	_Atomic(int64_t) failing_since_ns; /* 0: the last put succeeded */
	_Atomic(uint32_t) index;
	_Atomic(uint32_t) state;  /* enum lsv_replica_state */
	_Atomic(uint64_t) n_puts; /* objects put since the page was made */
};

enum lsv_leader_sleep {
	LSV_LEADER_AWAKE,
	LSV_LEADER_BY_WORD, /* waits on 'wake' */
	LSV_LEADER_BY_FILE, /* hears the page's file being opened */
};

#define LSV_RESET_MIDS 8

struct lsv_coord_page {
	/* The first 64 bytes never change meaning. */
	uint8_t magic[8]; /* "LSVFSCRD" */
	uint32_t version;
	uint32_t min_version;
	uint32_t size;
	_Atomic(uint32_t) leader_pid; /* 0: none */
	_Atomic(uint64_t) epoch;
	uint8_t leader_boot[LSV_BOOT_ID_SIZE];
	uint8_t zero0[16];
	/* 64: captured, under a seqlock */
	_Atomic(uint32_t) captured_seq; /* odd: being written */
	uint32_t zero1;
	struct lsv_captured captured;
	uint8_t zero5[8];
	/* 128: words to wait on (futex) and to count */
	_Atomic(uint32_t) wake; /* rises when the leader has something to do */
	_Atomic(uint32_t) sleeps;  /* the leader does: enum lsv_leader_sleep */
	_Atomic(uint32_t) done;    /* rises when captured or shipped advanced */
	_Atomic(uint32_t) waiters; /* how many wait on 'done' */
	_Atomic(uint32_t) drain;   /* 1: new readers and writers wait (6) */
	uint32_t zero6;
	/* CLOCK_MONOTONIC of the leader's last step */
	_Atomic(int64_t) advanced_ns;
	/* 160: tickets.  Whoever must know that all commits made until now are
	 * captured or shipped draws the next request and waits for it. */
	_Atomic(uint64_t) request;
	_Atomic(uint64_t) captured_ticket;
	_Atomic(uint64_t) shipped_ticket; /* on every replica */
	/* Resets of the WAL whose backfill nobody was seen to sync (I4). */
	_Atomic(uint64_t) unsynced_resets;
	/* On every replica but those that are broken: for these it is the
	 * leader who tries, in its own time. */
	_Atomic(uint64_t) answered_ticket;
	/* Tickets of this page are larger; when it was made, UTC, so that no
	 * other page of this place has the same. */
	uint64_t first_ticket;
	uint64_t zero2[6];
	struct lsv_shipped shipped[LSV_REPLICAS_MAX]; /* 256 */
	/* 768 */
	_Atomic(uint32_t) stamp_next; /* number of stamps written */
	uint8_t zero3[1024 - 772];
	struct lsv_stamp stamps[LSV_STAMPS]; /* 1024 */
	/* 3072: the last reset that one of us witnessed (witness.h) */
	_Atomic(uint32_t) reset_seq; /* odd: being written */
	_Atomic(uint32_t) reset_frame;
	_Atomic(uint32_t) reset_from[2];
	_Atomic(uint32_t) reset_to[2];
	/* Salts between the two that no commit was written under. */
	_Atomic(uint32_t) reset_mid[LSV_RESET_MIDS][2];
	uint8_t zero4[LSV_COORD_SIZE - 1024 - LSV_STAMPS * 32 - 24 -
	              8 * LSV_RESET_MIDS];
};

/* Maps 'dir'/coord, making it (whole, before it is mapped) when missing, in the
 * place of *page unless that is NULL: then it stays when this fails.  *ino: the
 * file's.  -EPROTO: a newer version that does not allow us.  -EBADMSG: not a
 * coord.  The descriptor is closed again: nobody locks this file. */
int lsv_coord_map(const char *dir, mode_t mode, struct lsv_coord_page **page,
                  ino_t *ino);
/* Whether what was mapped is still what others find in 'dir'. */
bool lsv_coord_is_in(const char *dir, const struct lsv_coord_page *page,
                     ino_t ino);
/* Private memory instead, for a process that is alone (no room for a file). */
int lsv_coord_alone(struct lsv_coord_page **out);
void lsv_coord_unmap(struct lsv_coord_page *page); /* NULL is fine */
/* Of the file in 'dir'.  To be freed; NULL: out of memory. */
char *lsv_coord_path(const char *dir);
/* Opens it, for who hears that. */
void lsv_coord_call(const char *dir);

void lsv_coord_stamp(struct lsv_coord_page *page, const struct lsv_shm *shm,
                     int64_t time_ns);
/* The time of the commit that ends at (salt, frame), or that of the nearest
 * stamp behind it in the same incarnation, or 0. */
int64_t lsv_coord_time(const struct lsv_coord_page *page,
                       const uint32_t salt[2], uint32_t frame);

/* The time of the commit that 'head' ends with, or 0: none has its stamp. */
int64_t lsv_coord_stamped(const struct lsv_coord_page *page,
                          const struct lsv_shm *head);

void lsv_coord_set_captured(struct lsv_coord_page *page,
                            const struct lsv_captured *captured);
/* False: torn by a writer that is gone or at work; nothing known. */
bool lsv_coord_captured(const struct lsv_coord_page *page,
                        struct lsv_captured *captured);

/* Futex wait and wake across processes.  Waits while *word == value, until it
 * is woken, at most timeout_ns (<0: for ever): the caller looks again. */
void lsv_futex_wait(_Atomic(uint32_t) *word, uint32_t value,
                    int64_t timeout_ns);
void lsv_futex_wake(_Atomic(uint32_t) *word, int n);

/* This boot's id, 16 bytes; zeros when /proc does not tell. */
void lsv_boot_id(uint8_t id[LSV_BOOT_ID_SIZE]);

#endif
