/* SPDX-License-Identifier: MIT */
#include "vfs/plain.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/base/vector.h"
#include "vfs/bare.h"
#include "vfs/db.h"

#include <stdint.h>
#include <string.h>

#define A_WHILE_NS (10 * LSV_NS_PER_S)
#define TOLD_MAX 256
/* Of the database header: what it is, and the version to read it, 2 for WAL. */
#define MAGIC "SQLite format 3"
#define VERSION_AT 19

LSV_VECTOR(told_list, char *);

/* The first one that asks about it is told. */
static bool is_told(const char *path)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static struct told_list told;
	auto_unlock pthread_mutex_t *held = NULL;
	char *copy;

	/* Held by nobody for long, but perhaps across a fork for ever. */
	if (pthread_mutex_trylock(&mutex) != 0)
		return true;
	held = &mutex;
	for (size_t i = 0; i < told.n; i++)
		if (strcmp(told.at[i], path) == 0)
			return true;
	copy = told.n < TOLD_MAX ? strdup(path) : NULL;
	if (copy && told_list_append(&told, copy) == 0)
		return false;
	free(copy);
	return true;
}

/* By what is in the file: another connection may have switched. */
static enum lsv_journal journal_of(sqlite3_file *lower)
{
	uint8_t header[VERSION_AT + 1];
	int rc = lower->pMethods->xRead(lower, header, (int)sizeof header, 0);

	if (rc == SQLITE_IOERR_SHORT_READ)
		return LSV_JOURNAL_NONE;
	return rc == SQLITE_OK && memcmp(header, MAGIC, sizeof MAGIC) == 0 &&
	                       header[VERSION_AT] != 2
	               ? LSV_JOURNAL_PLAIN
	               : LSV_JOURNAL_WAL;
}

enum lsv_journal lsv_plain_look(struct lsv_db *db)
{
	enum lsv_journal journal = LSV_JOURNAL_WAL;
	struct lsv_bare bare = {0};

	lsv_db_enter_next(db);
	if (lsv_bare_open(db, &bare) == 0)
		journal = journal_of(bare.file);
	lsv_bare_close(&bare);
	lsv_db_leave(db);
	return journal;
}

bool lsv_plain_park(struct lsv_db *db)
{
	/* First: who brings it back after the look finds it so. */
	atomic_store(&db->is_parked, 1);
	if (lsv_plain_look(db) == LSV_JOURNAL_PLAIN)
		return true;
	atomic_store(&db->is_parked, 0);
	return false;
}

static void tell(struct lsv_file *main)
{
	if (journal_of(lsv_lower(main)) != LSV_JOURNAL_PLAIN ||
	    is_told(main->db->path))
		return;
	(void)log_warn(0,
	               "%s is not in WAL mode: it is not replicated; run "
	               "PRAGMA journal_mode=wal once",
	               main->db->path);
}

void lsv_plain_write(struct lsv_file *main)
{
	if (!main->db || main->is_ours)
		return;
	if (main->plain_ns == 0) {
		main->plain_ns = lsv_clock_mono_ns();
	} else if (main->plain_ns != INT64_MAX &&
	           lsv_clock_mono_ns() - main->plain_ns >= A_WHILE_NS) {
		tell(main);
		main->plain_ns = INT64_MAX;
	}
}

void lsv_plain_closing(struct lsv_file *main)
{
	if (main->plain_ns != 0 && main->plain_ns != INT64_MAX &&
	    !main->is_ours)
		tell(main);
	main->plain_ns = 0;
}
