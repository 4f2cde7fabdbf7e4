/* SPDX-License-Identifier: MIT */
#ifndef LSV_LEAD_H
#define LSV_LEAD_H

/*
 * Who appends (design.md section 5): the leader's lock and epoch, and whether
 * the shadow continues what SQLite's WAL holds.  All are called under the
 * database's shadow mutex.
 */

#include "replica/base/clock.h"
#include "vfs/db.h"

/* From FOLLOWING to ADRIFT: takes the lock and reads all ends from disk.
 * -EAGAIN: another process leads. */
int lsv_lead_take(struct lsv_db *db);

/* Before each append and each put: the lock granted again and the epoch still
 * ours.  False: everything was forgotten, we follow. */
bool lsv_lead_holds(struct lsv_db *db);

/* A leader that does not go on for so long is taken for stopped. */
#define LSV_STUCK_NS (5 * LSV_NS_PER_S)

/* The leader is stopped: ends its generation, by beginning one (FOLLOWING to
 * ADRIFT).  -EAGAIN: it goes on, or another one leads by now. */
int lsv_lead_usurp(struct lsv_db *db);

/* Lets go, so that another process may lead. */
void lsv_lead_drop(struct lsv_db *db);

/* Whatever was ours in the local folder is forgotten: it is not there. */
void lsv_lead_forget(struct lsv_db *db);

/* Another process leads: its lock tells, and nothing waits for it. */
bool lsv_lead_is_led(struct lsv_db *db);

/* From ADRIFT to LIVE when the cheap cases of continuity prove it (cases 1
 * and 2).  -ESTALE: not proven, 'reason' says why. */
int lsv_lead_attach(struct lsv_db *db);

/* There is no WAL, or no commit in it, and the database is as it was when the
 * shadow had all of it: nothing is missing, although no connection shows us its
 * shm. */
bool lsv_lead_is_at_rest(struct lsv_db *db);

/* From LIVE to ADRIFT with nothing wrong: no connection has the database
 * open. */
void lsv_lead_detach(struct lsv_db *db);

/* Ends the generation: a new one is due, said once (I3). */
void lsv_lead_end(struct lsv_db *db, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Removes what an ended generation has in the local folder. */
void lsv_lead_clear(struct lsv_db *db);

/* Makes a generation's folder current: lock, 'generation', epoch. */
int lsv_lead_switch(struct lsv_db *db, uint64_t generation);

/* Whatever the role, does what can be done at once in an application's thread
 * so that the shadow holds every commit: before a reset, a checkpoint, a last
 * close.  0: it does; -EAGAIN: not (yet); -ENODATA: there is no generation
 * to complete. */
int lsv_lead_settle(struct lsv_db *db, uint64_t budget);
/* The same, up to a head of an exclusive connection that is final. */
int lsv_lead_settle_at(struct lsv_db *db, const struct lsv_shm *head);

#endif
