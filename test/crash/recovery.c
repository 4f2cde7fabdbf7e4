/* SPDX-License-Identifier: MIT */
#include "test/crash/recovery.h"

#include "replica/base/bytes.h"
#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/wal/frame.h"
#include "test/crash/errand.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* At most 'max' bytes; how many, 0 too when it is not there. */
static uint64_t copy_file(const char *from, const char *to, uint64_t max)
{
	static char buf[1 << 18];
	auto_close int in = open(from, O_RDONLY | O_CLOEXEC);
	auto_close int out = -1;
	uint64_t offset = 0;
	ssize_t n = 0;

	unlink(to);
	if (in < 0)
		return 0;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		die("cannot create %s: %s", to, strerror(errno));
	while (offset < max &&
	       (n = lsv_pread(in, buf, sizeof buf, offset)) > 0) {
		if (lsv_pwrite(out, buf, (size_t)n, offset) < 0)
			die("cannot write %s", to);
		offset += (uint64_t)n;
	}
	if (n < 0)
		die("cannot read %s", from);
	return offset;
}

/* How far the WAL's frames carry its salts, or none: SQLite recovers nothing
 * beyond.  *has_zero: one had none. */
static uint64_t live_length(const char *wal_path, bool *has_zero)
{
	auto_close int fd = open(wal_path, O_RDONLY | O_CLOEXEC);
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header;
	struct lsv_frame frame;
	uint64_t at;

	*has_zero = false;
	if (fd < 0 ||
	    lsv_pread(fd, bytes, sizeof bytes, 0) < LSV_WAL_HEADER_SIZE ||
	    lsv_wal_header_decode(bytes, &header) < 0)
		return fd < 0 ? 0 : LSV_WAL_HEADER_SIZE;
	for (uint32_t i = 1;; i++) {
		at = lsv_frame_offset(i, header.page_size);
		if (lsv_pread(fd, bytes, LSV_FRAME_HEADER_SIZE, at) <
		    LSV_FRAME_HEADER_SIZE)
			return at;
		lsv_frame_decode(bytes, &frame);
		if (frame.salt[0] == 0 && frame.salt[1] == 0)
			*has_zero = true;
		else if (memcmp(frame.salt, header.salt, sizeof frame.salt) !=
		         0)
			return at;
	}
}

static void checkpoint(const char *path)
{
	sqlite3 *db = NULL;
	int n_log = 0, n_done = 0;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix") !=
	            SQLITE_OK ||
	    sqlite3_exec(db,
	                 "PRAGMA synchronous=OFF;"
	                 "SELECT count(*) FROM sqlite_schema",
	                 NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	                              &n_log, &n_done) != SQLITE_OK)
		die("SQLite cannot recover %s: %s", path, sqlite3_errmsg(db));
	if (sqlite3_close(db) != SQLITE_OK)
		die("cannot close %s", path);
}

bool recovery_make(const char *db_path, const char *side, const char *output,
                   bool *has_zero)
{
	auto_free char *wal = lsv_sprintf("%s-wal", db_path);
	auto_free char *side_wal = lsv_sprintf("%s-wal", side);
	uint64_t n;

	if (!wal || !side_wal)
		die("out of memory");
	/* In this order: a checkpoint in between only copies from the WAL. */
	n = copy_file(db_path, side, UINT64_MAX);
	n += copy_file(wal, side_wal, live_length(wal, has_zero));
	if (n == 0)
		return false;
	/* All of it may be in the WAL still. */
	if (access(side, F_OK) < 0)
		die("%s has a WAL but is not there", db_path);
	/* What is behind a frame without a checksum a crash loses, though its
	 * pages may be in the database already: SQLite (before 3.50.2) then
	 * recovers an older database or a malformed one (design.md section 4).
	 * It is no witness of such a commit. */
	if (*has_zero)
		return true;
	checkpoint(side);
	if (rename(side, output) < 0)
		die("cannot rename %s: %s", side, strerror(errno));
	return true;
}
