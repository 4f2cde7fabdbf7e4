/* SPDX-License-Identifier: MIT */
#include "test/crash/ledger.h"

#include "replica/base/clock.h"
#include "test/crash/dice.h"
#include "test/crash/errand.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPLICA "replica"
#define OUTPUT "restored.db"
#define N_TIMESTAMPS 12
#define NOTHING 3 /* lsvfs-restore: nothing restorable for that target */

const char *ledger_image(unsigned no)
{
	static char names[2][64];
	static int which;

	which ^= 1;
	snprintf(names[which], sizeof names[which], "image/%06u.db", no);
	return names[which];
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

static bool is_same(const char *path, const char *other)
{
	uint64_t offset;

	return size_of(path) == size_of(other) &&
	       !first_difference(path, other, &offset);
}

void ledger_note(struct ledger *ledger, struct moment moment)
{
	if (ledger->n > 0 &&
	    is_same(ledger_image(ledger->at[ledger->n - 1].image),
	            ledger_image(moment.image))) {
		unlink(ledger_image(moment.image));
		return;
	}
	if (ledger_append(ledger, moment) < 0)
		die("out of memory");
}

/* Restores and expects success. */
static void restore_txid(uint64_t txid, struct restore_answer *answer)
{
	char text[32];
	const char *options[] = {"-txid", text, NULL};

	snprintf(text, sizeof text, "%" PRIu64, txid);
	errand_restore(REPLICA, OUTPUT, options, answer);
}

/* The first line from 'at' on that is what was restored. */
static size_t find_line(const struct ledger *ledger, size_t at)
{
	for (; at < ledger->n; at++) {
		if (is_same(OUTPUT, ledger_image(ledger->at[at].image)))
			return at;
	}
	return at;
}

/* Nobody but us touched the database, so continuity was witnessed all the way
 * (I3; design.md section 5): there is nothing for which a generation may end.
 */
static void prove_one_generation(void)
{
	DIR *dir = opendir(REPLICA "/generations");
	const struct dirent *entry;
	int n = 0;

	if (!dir)
		die("no generation: %s", strerror(errno));
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	if (n != 1)
		die("%d generations, with nobody else at work", n);
}

/* txid after txid: each is the line of the one before, or the next. */
static size_t prove_txids(const struct ledger *ledger, size_t from,
                          uint64_t last_txid)
{
	struct restore_answer answer;
	uint64_t txid = 1;
	size_t first, at;

	restore_txid(txid, &answer);
	if (answer.status != 0)
		die("txid 1: exit %d: %s", answer.status, errand_errors());
	first = at = find_line(ledger, 0);
	/* The snapshot is what was before txid 1. */
	if (first > from + 1)
		die("txid 1 is none of the first %zu commits", from + 2);
	while (++txid <= last_txid) {
		restore_txid(txid, &answer);
		if (answer.status != 0 || answer.txid != txid)
			die("txid %" PRIu64 ": exit %d, txid %" PRIu64 ": %s",
			    txid, answer.status, answer.txid, errand_errors());
		if (is_same(OUTPUT, ledger_image(ledger->at[at].image)))
			continue;
		if (++at == ledger->n ||
		    !same_bytes(OUTPUT, ledger_image(ledger->at[at].image)))
			die("txid %" PRIu64 " is not commit %zu", txid, at + 1);
	}
	if (at + 1 != ledger->n)
		die("the last txid, %" PRIu64 ", is commit %zu of %zu",
		    last_txid, at + 1, ledger->n);
	return first;
}

/* 'first': the line of the first txid.  'is_late': a commit's time may be when
 * it was seen. */
static void prove_time(const struct ledger *ledger, size_t first, bool is_late,
                       int64_t ns)
{
	char text[LSV_TIME_TEXT_SIZE];
	const char *options[] = {"-timestamp", text, NULL};
	size_t n_certain = 0, n_possible = 0;
	struct restore_answer answer;

	while (!is_late && n_certain < ledger->n &&
	       ledger->at[n_certain].after_ns <= ns)
		n_certain++;
	while (n_possible < ledger->n && ledger->at[n_possible].before_ns <= ns)
		n_possible++;
	lsv_time_format(ns, text);
	errand_restore(REPLICA, OUTPUT, options, &answer);
	if (answer.status == NOTHING && n_certain <= first)
		return;
	if (answer.status != 0)
		die("%s: exit %d: %s", text, answer.status, errand_errors());
	for (size_t i = n_certain ? n_certain - 1 : 0; i < n_possible; i++) {
		if (is_same(OUTPUT, ledger_image(ledger->at[i].image)))
			return;
	}
	die("%s: txid %" PRIu64 " is not commit %zu to %zu (it is %zu)", text,
	    answer.txid, n_certain, n_possible, find_line(ledger, 0) + 1);
}

/* Half of them in the middle between two commits, half anywhere. */
static int64_t random_time(const struct ledger *ledger, struct dice *dice)
{
	const struct moment *first = &ledger->at[0];
	const struct moment *last = &ledger->at[ledger->n - 1];
	uint32_t i = dice_below(dice, (uint32_t)ledger->n);
	int64_t span = last->after_ns - first->before_ns + 2;

	if (i + 1 < ledger->n && dice_percent(dice, 50))
		return ledger->at[i].after_ns +
		       (ledger->at[i + 1].before_ns - ledger->at[i].after_ns) /
		               2;
	return first->before_ns - 1 +
	       (int64_t)(dice_roll(dice) % (uint64_t)span);
}

void ledger_prove(const struct ledger *ledger, size_t from, struct dice *dice)
{
	struct restore_answer answer;
	size_t first;

	prove_one_generation();
	errand_restore(REPLICA, OUTPUT, NULL, &answer);
	if (answer.status != 0)
		die("latest: exit %d: %s", answer.status, errand_errors());
	first = prove_txids(ledger, from, answer.txid);
	for (int i = 0; i < N_TIMESTAMPS; i++)
		prove_time(ledger, first, false, random_time(ledger, dice));
	printf("%" PRIu64 " txids", answer.txid);
}

/* What one generation holds, in lines of the ledger. */
struct stretch {
	size_t first, last;
};

LSV_VECTOR(stretch_list, struct stretch)

/* Each txid of the generation; false: it has no snapshot yet, its process was
 * killed. */
static bool prove_stretch(const struct ledger *ledger, const char *generation,
                          struct stretch *out)
{
	char text[32] = "latest";
	const char *options[] = {"-generation", generation, NULL, text, NULL};
	struct restore_answer answer;
	uint64_t last_txid;

	errand_restore(REPLICA, OUTPUT, options, &answer);
	if (answer.status == NOTHING)
		return false;
	options[2] = "-txid";
	last_txid = answer.txid;
	*out = (struct stretch){0};
	for (uint64_t txid = 0; txid <= last_txid; txid++) {
		snprintf(text, sizeof text, "%" PRIu64, txid);
		if (answer.status == 0)
			errand_restore(REPLICA, OUTPUT, options, &answer);
		if (answer.status != 0)
			die("%s, txid %s: exit %d: %s", generation, text,
			    answer.status, errand_errors());
		if (txid == 0)
			out->first = out->last = find_line(ledger, 0);
		else if (!is_same(OUTPUT,
		                  ledger_image(ledger->at[out->last].image)))
			out->last++;
		if (out->last >= ledger->n ||
		    !is_same(OUTPUT, ledger_image(ledger->at[out->last].image)))
			die("%s, txid %s is not commit %zu", generation, text,
			    out->last + 1);
	}
	return true;
}

static void prove_stretches(const struct ledger *ledger,
                            struct stretch_list *stretches)
{
	DIR *dir = opendir(REPLICA "/generations");
	const struct dirent *entry;
	struct stretch stretch;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    !prove_stretch(ledger, entry->d_name, &stretch))
			continue;
		if (stretch_list_append(stretches, stretch) < 0)
			die("out of memory");
	}
	if (dir)
		closedir(dir);
	if (stretches->n == 0)
		die("no generation");
}

static int by_line(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->last < y->last ? -1 : x->last > y->last;
}

void ledger_prove_outside(const struct ledger *ledger, size_t from,
                          uint32_t max_generations, struct dice *dice)
{
	struct stretch_list s = {0};
	struct restore_answer answer;

	prove_stretches(ledger, &s);
	qsort(s.at, s.n, sizeof *s.at, by_line);
	for (size_t i = 1; i < s.n; i++) {
		if (s.at[i].first < s.at[i - 1].last)
			die("a generation from commit %zu on, but commit %zu "
			    "is of one before",
			    s.at[i].first + 1, s.at[i - 1].last + 1);
	}
	if (s.at[0].first > from || s.at[s.n - 1].last + 1 != ledger->n)
		die("commits %zu to %zu of %zu to %zu", s.at[0].first + 1,
		    s.at[s.n - 1].last + 1, from + 1, ledger->n);
	if (s.n > max_generations)
		die("%zu generations, expected at most %u", s.n,
		    max_generations);
	errand_restore(REPLICA, OUTPUT, NULL, &answer);
	if (answer.status != 0 || find_line(ledger, 0) + 1 != ledger->n)
		die("latest: exit %d: %s", answer.status, errand_errors());
	for (int i = 0; i < N_TIMESTAMPS; i++)
		prove_time(ledger, 0, true, random_time(ledger, dice));
	printf("%zu generations", s.n);
	free(s.at);
}

void ledger_glance(const struct ledger *ledger)
{
	struct restore_answer answer;

	errand_restore(REPLICA, OUTPUT, NULL, &answer);
	if (answer.status == NOTHING)
		return;
	if (answer.status != 0)
		die("latest, in use: exit %d: %s", answer.status,
		    errand_errors());
	if (find_line(ledger, 0) == ledger->n)
		die("latest, in use: txid %" PRIu64 " is no commit of ours",
		    answer.txid);
}
