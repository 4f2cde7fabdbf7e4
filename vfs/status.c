/* SPDX-License-Identifier: MIT */
#include "vfs/status.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/quote.h"
#include "replica/spool/folder.h"
#include "replica/spool/shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The shared page as it is; a copy, never made here. */
static int read_coord(const char *dir, struct lsv_coord_page *page)
{
	auto_free char *path = lsv_path_join(dir, "coord");
	auto_close int fd = path ? lsv_open(path, O_RDONLY, 0) : -1;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = lsv_pread(fd, page, sizeof *page, 0);
	return n == (ssize_t)sizeof *page ? 0 : -EBADMSG;
}

/* SQLite's live head, by its file: this needs no lock. */
static int read_live(const char *db_path, struct lsv_shm *live)
{
	auto_free char *path = lsv_sprintf("%s-shm", db_path);
	auto_close int fd = path ? lsv_open(path, O_RDONLY, 0) : -1;
	uint8_t head[LSV_SHM_HEAD_SIZE] __attribute__((aligned(8)));

	if (fd < 0)
		return -errno;
	if (lsv_pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return -EAGAIN;
	return lsv_shm_read(head, live);
}

static void take_state(const char *dir, struct lsv_status *status)
{
	auto_free struct lsv_state *state = calloc(1, sizeof *state);

	if (!state || lsv_state_load(dir, state) < 0)
		return;
	while (status->n_replicas < LSV_REPLICAS_MAX &&
	       state->replicas[status->n_replicas].name_hash) {
		const struct lsv_replica_record *record =
			&state->replicas[status->n_replicas];
		struct lsv_replica_status *replica =
			&status->replicas[status->n_replicas++];

		memcpy(replica->name, record->name, sizeof replica->name);
		memcpy(replica->url, record->url, sizeof replica->url);
		memcpy(replica->error, record->error, sizeof replica->error);
		replica->shipped = record->shipped;
		replica->shipped_txid = record->txid;
		replica->shipped_ns = record->time_ns;
		if (!record->has_snapshot)
			replica->shipped.generation = 0;
		if (record->is_broken)
			replica->health = LSV_HEALTH_BROKEN;
	}
}

static void take_coord(const struct lsv_coord_page *page,
                       struct lsv_status *status)
{
	struct lsv_captured captured;

	if (lsv_coord_captured(page, &captured)) {
		status->captured = (struct lsv_pos){
			captured.generation, captured.index, captured.offset};
		status->captured_txid = captured.txid;
	}
	if (page->leader_pid && kill((pid_t)page->leader_pid, 0) == 0)
		status->leader_pid = page->leader_pid;
	for (size_t i = 0; i < status->n_replicas; i++) {
		status->replicas[i].n_puts = page->shipped[i].n_puts;
		status->replicas[i].failing_ns =
			page->shipped[i].failing_since_ns;
	}
}

/* Commits that nobody has copied yet. */
static bool has_uncaptured(const struct lsv_coord_page *page,
                           const struct lsv_shm *live)
{
	struct lsv_captured captured;

	return live->mx_frame > 0 && lsv_coord_captured(page, &captured) &&
	       (live->mx_frame != captured.frame ||
	        !lsv_salt_equal(live->salt, captured.salt));
}

/* When the oldest commit behind the shipped position was made: by the shadow's
 * records, or, if nobody copied it yet, when SQLite last wrote its WAL, or what
 * is left of it. */
static int64_t oldest_missing_ns(const char *dir,
                                 const struct lsv_status *status,
                                 struct lsv_pos at)
{
	auto_free char *gen_dir = lsv_folder_generation_dir(
		dir, status->captured.generation);
	auto_free char *wal_path = lsv_sprintf("%s-wal", status->path);
	struct lsv_tuple wal;

	if (at.generation != status->captured.generation)
		at = (struct lsv_pos){
			.generation = status->captured.generation};
	for (; gen_dir && at.index <= status->captured.index;
	     at.index++, at.offset = 0) {
		struct lsv_records records = {0};
		int64_t ns = 0;

		if (lsv_shadow_records(gen_dir, at.index, at.offset, UINT64_MAX,
		                       false, &records) == 0 &&
		    records.n > 0)
			ns = records.at[0].commit.time_ns;
		free(records.at);
		if (ns)
			return ns;
	}
	if ((wal_path && lsv_tuple_of(wal_path, &wal) == 0) ||
	    lsv_tuple_of(status->path, &wal) == 0)
		return wal.mtime_ns;
	return lsv_clock_ns();
}

/* Bytes 18 and 19 of the header tell the journal mode (2: WAL). */
static bool is_not_wal(const char *path)
{
	auto_close int fd = lsv_open(path, O_RDONLY, 0);
	uint8_t header[20];

	return fd >= 0 &&
	       lsv_pread(fd, header, sizeof header, 0) ==
	               (ssize_t)sizeof header &&
	       (header[18] != 2 || header[19] != 2);
}

static void judge_replica(const char *dir, bool has_more,
                          const struct lsv_status *status,
                          struct lsv_replica_status *replica)
{
	bool is_behind =
		status->captured.generation != 0 &&
		(has_more ||
	         replica->shipped.generation != status->captured.generation ||
	         lsv_pos_compare(&replica->shipped, &status->captured) < 0);

	if (is_behind) {
		replica->lag_ns = lsv_clock_ns() -
		                  oldest_missing_ns(dir, status,
		                                    replica->shipped);
		if (replica->lag_ns <= 0)
			replica->lag_ns = 1;
	}
	if (replica->health == LSV_HEALTH_BROKEN)
		return;
	if (replica->failing_ns || replica->error[0])
		replica->health = LSV_HEALTH_FAILING;
	else if (replica->shipped.generation == 0)
		replica->health = LSV_HEALTH_NONE;
	else
		replica->health = is_behind ? LSV_HEALTH_BEHIND
		                            : LSV_HEALTH_FINE;
}

static void judge(const char *dir, bool has_more, struct lsv_status *status)
{
	if (status->n_replicas == 0)
		status->health = LSV_HEALTH_NONE;
	for (size_t i = 0; i < status->n_replicas; i++) {
		struct lsv_replica_status *replica = &status->replicas[i];

		judge_replica(dir, has_more, status, replica);
		if (replica->lag_ns > status->lag_ns)
			status->lag_ns = replica->lag_ns;
		if (replica->health > status->health)
			status->health = replica->health;
	}
}

static void unknown(struct lsv_status *status, int r, const char *what)
{
	snprintf(status->error, sizeof status->error, "%s: %s", what,
	         strerror(-r));
	status->health = LSV_HEALTH_UNKNOWN;
}

static void not_wal(struct lsv_status *status)
{
	status->health = LSV_HEALTH_NOT_WAL;
	if (!status->error[0])
		snprintf(status->error, sizeof status->error,
		         "run PRAGMA journal_mode=wal once");
}

static void never_replicated(struct lsv_status *status, int r)
{
	static const char why[] =
		"no program has committed to it through lsvfs yet: start the "
		"program with LD_PRELOAD=liblsvfs.so, or run lsvfs sync, "
		"with LSVFS_REPLICA_URL set";

	if (r != -ENOENT) {
		unknown(status, r, "the folder of lsvfs beside it");
		return;
	}
	snprintf(status->error, sizeof status->error, "%s", why);
	status->health = LSV_HEALTH_UNKNOWN;
}

/* The folder that has our shared page: apart when Litestream has its own. */
static char *find_folder(const char *path, struct lsv_coord_page *page, int *r)
{
	auto_free char *dir = lsv_folder_path(path);
	auto_free char *apart = dir ? lsv_path_join(dir, "lsvfs") : NULL;

	*r = apart ? read_coord(dir, page) : -ENOMEM;
	if (*r != -ENOENT)
		return take(dir);
	*r = read_coord(apart, page);
	return take(apart);
}

void lsv_status_read(const char *db_path, const struct lsv_shm *live,
                     bool is_plain, struct lsv_status *status)
{
	auto_free char *path = realpath(db_path, NULL);
	auto_free char *dir = NULL;
	struct lsv_shm from_file = {0};
	struct lsv_coord_page page;
	int r;

	memset(status, 0, sizeof *status);
	snprintf(status->path, sizeof status->path, "%s",
	         path ? path : db_path);
	if (!path) {
		unknown(status, -errno, *db_path ? db_path : "''");
		return;
	}
	if (!live)
		is_plain = is_not_wal(path);
	dir = find_folder(path, &page, &r);
	if (r < 0) {
		if (is_plain)
			not_wal(status);
		else
			never_replicated(status, r);
		return;
	}
	lsv_folder_generation(dir, &status->generation);
	take_state(dir, status);
	take_coord(&page, status);
	if (!live && read_live(path, &from_file) < 0)
		from_file.mx_frame = 0;
	judge(dir, has_uncaptured(&page, live ? live : &from_file), status);
	if (is_plain)
		not_wal(status);
}

const char *lsv_health_text(enum lsv_health health)
{
	static const char *const texts[] = {
		[LSV_HEALTH_FINE] = "replicated",
		[LSV_HEALTH_BEHIND] = "behind",
		[LSV_HEALTH_FAILING] = "failing",
		[LSV_HEALTH_BROKEN] = "broken",
		[LSV_HEALTH_NONE] = "no snapshot yet",
		[LSV_HEALTH_NOT_WAL] = "not in WAL mode",
		[LSV_HEALTH_UNKNOWN] = "unknown",
	};

	return texts[health];
}

static void put_position(FILE *out, const struct lsv_pos *pos)
{
	char text[LSV_POS_TEXT_SIZE];

	lsv_pos_format(pos, text);
	if (pos->generation)
		fprintf(out, "\"%s\"", text);
	else
		fputs("null", out);
}

static void put_time(FILE *out, int64_t ns)
{
	char text[LSV_TIME_TEXT_SIZE];

	lsv_time_format(ns, text);
	if (ns)
		fprintf(out, "\"%s\"", text);
	else
		fputs("null", out);
}

static void put_replica(FILE *out, const struct lsv_replica_status *replica)
{
	fputs("{\"name\":", out);
	lsv_quote_json(out, replica->name);
	fputs(",\"url\":", out);
	lsv_quote_json(out, replica->url);
	fprintf(out, ",\"state\":\"%s\",\"position\":",
	        lsv_health_text(replica->health));
	put_position(out, &replica->shipped);
	fprintf(out, ",\"txid\":%" PRIu64 ",\"time\":", replica->shipped_txid);
	put_time(out, replica->shipped_ns);
	fprintf(out, ",\"lag_ms\":%" PRId64 ",\"puts\":%" PRIu64,
	        replica->lag_ns / LSV_NS_PER_MS, replica->n_puts);
	fputs(",\"failing_since\":", out);
	put_time(out, replica->failing_ns);
	fputs(",\"error\":", out);
	lsv_quote_json(out, replica->error);
	fputs("}", out);
}

static void put_status(FILE *out, const struct lsv_status *status)
{
	fputs("{\"path\":", out);
	lsv_quote_json(out, status->path);
	fprintf(out, ",\"state\":\"%s\",\"position\":",
	        lsv_health_text(status->health));
	put_position(out, &status->captured);
	fprintf(out, ",\"txid\":%" PRIu64 ",\"leader\":%u,\"lag_ms\":%" PRId64,
	        status->captured_txid, (unsigned)status->leader_pid,
	        status->lag_ns / LSV_NS_PER_MS);
	fputs(",\"replicas\":[", out);
	for (size_t i = 0; i < status->n_replicas; i++) {
		fputs(i ? "," : "", out);
		put_replica(out, &status->replicas[i]);
	}
	fputs("],\"error\":", out);
	lsv_quote_json(out, status->error);
	fputs("}", out);
}

char *lsv_status_json(const struct lsv_status *status)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return NULL;
	put_status(out, status);
	return fclose(out) == 0 ? text : NULL;
}
