/* SPDX-License-Identifier: MIT */
#include "vfs/pragma.h"

#include "replica/base/clock.h"
#include "vfs/ask.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* What is asked and what is answered: words[0] is the one text, of SQLite's
 * own memory; with an error it is that error's text. */
#define ANSWER 0
#define NAME 1
#define VALUE 2

typedef int pragma_fn(struct lsv_db *db, char **words);

static int answer(char **words, char *text)
{
	if (!text)
		return SQLITE_NOMEM;
	words[ANSWER] = sqlite3_mprintf("%s", text);
	free(text);
	return words[ANSWER] ? SQLITE_OK : SQLITE_NOMEM;
}

static int refuse(char **words, int rc, const char *why)
{
	words[ANSWER] = sqlite3_mprintf("%s: %s", words[NAME], why);
	return rc;
}

/* A number is milliseconds, as everywhere in SQLite. */
static int parse_timeout(const char *text, int64_t *ns)
{
	uint64_t ms = 0;

	*ns = -1;
	if (!text)
		return 0;
	if (text[strspn(text, "0123456789")] || !*text)
		return lsv_duration_parse(text, ns);
	for (; *text; text++)
		if (__builtin_mul_overflow(ms, 10, &ms) ||
		    (ms += (uint64_t)(*text - '0')) > INT64_MAX / LSV_NS_PER_MS)
			return -EINVAL;
	*ns = (int64_t)ms * LSV_NS_PER_MS;
	return 0;
}

static int answer_sync(struct lsv_db *db, char **words)
{
	int64_t timeout_ns;

	if (parse_timeout(words[VALUE], &timeout_ns) < 0)
		return refuse(words, SQLITE_ERROR,
		              "expected milliseconds, or a time such as '10s'");
	switch (lsv_ask_sync(db, timeout_ns)) {
	case 0:
		return answer(words, strdup("replicated"));
	case -EINVAL:
		return refuse(words, SQLITE_ERROR,
		              "the database is not in WAL mode, run PRAGMA "
		              "journal_mode=wal once");
	case -ETIMEDOUT:
		return refuse(words, SQLITE_BUSY,
		              "timed out, not every commit is on the replica");
	case -EPERM:
		return refuse(words, SQLITE_PERM,
		              "the replica is another database's");
	default:
		return refuse(words, SQLITE_IOERR,
		              "it cannot be replicated, see lsvfs_status");
	}
}

static int answer_txid(struct lsv_db *db, char **words)
{
	uint64_t txid;

	switch (lsv_ask_txid(db, &txid)) {
	case 0:
		words[ANSWER] = sqlite3_mprintf("%llu",
		                                (unsigned long long)txid);
		return words[ANSWER] ? SQLITE_OK : SQLITE_NOMEM;
	case -EAGAIN:
		return refuse(words, SQLITE_BUSY,
		              "the process that replicates it does not answer");
	default:
		return SQLITE_OK; /* there is none: no row */
	}
}

static int answer_checkpoint(struct lsv_db *db, char **words)
{
	uint32_t n_done, n_all;

	switch (lsv_ask_checkpoint(db, &n_done, &n_all)) {
	case 0:
		words[ANSWER] = sqlite3_mprintf("%u of %u frames", n_done,
		                                n_all);
		return words[ANSWER] ? SQLITE_OK : SQLITE_NOMEM;
	case -EBUSY:
		return refuse(words, SQLITE_BUSY,
		              "somebody else is checkpointing it");
	default:
		return refuse(words, SQLITE_IOERR, "it cannot be read");
	}
}

static int answer_snapshot(struct lsv_db *db, char **words)
{
	if (lsv_ask_snapshot(db) < 0)
		return refuse(words, SQLITE_BUSY,
		              "another process replicates it: ask there");
	return answer(words, strdup("wished"));
}

static int answer_status(struct lsv_db *db, char **words)
{
	return answer(words, lsv_ask_status(db));
}

static int answer_replica(struct lsv_db *db, char **words)
{
	return answer(words, lsv_ask_replicas(db));
}

static int answer_version(struct lsv_db *db, char **words)
{
	(void)db;
	return answer(words, strdup(PACKAGE_VERSION));
}

static const struct {
	const char *name;
	pragma_fn *answer;
} pragmas[] = {
	{"lsvfs_status", answer_status},
	{"lsvfs_sync", answer_sync},
	{"lsvfs_txid", answer_txid},
	{"lsvfs_checkpoint", answer_checkpoint},
	{"lsvfs_snapshot", answer_snapshot},
	{"lsvfs_replica", answer_replica},
	{"lsvfs_version", answer_version},
};

int lsv_pragma(struct lsv_file *main, char **words)
{
	/* Most are SQLite's own: they are not compared with each of ours. */
	if (sqlite3_strnicmp(words[NAME], "lsvfs_", 6) != 0 || main->is_ours)
		return SQLITE_NOTFOUND;
	for (size_t i = 0; i < sizeof pragmas / sizeof *pragmas; i++)
		if (sqlite3_stricmp(words[NAME], pragmas[i].name) == 0)
			return pragmas[i].answer(main->db, words);
	return SQLITE_NOTFOUND;
}
