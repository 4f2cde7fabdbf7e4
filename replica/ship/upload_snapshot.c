/* SPDX-License-Identifier: MIT */
#include "replica/base/fileio.h"
#include "replica/format/layout.h"
#include "replica/ship/proof.h"
#include "replica/ship/put.h"
#include "replica/ship/upload.h"
#include "replica/spool/spoolfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A snapshot's table is 136 bytes; a later version may add some. */
#define TAIL_SIZE 4096

/* <gen_dir>/<index>.snapshot.lz4: the object's own name, whole; with ".tmp":
 * being written. */
static char *spool_path(const struct lsv_upload *upload, uint32_t index,
                        const char *suffix)
{
	return lsv_sprintf("%s/%08" PRIx32 ".snapshot.%s%s", upload->gen_dir,
	                   index, upload->codec == LSV_ZSTD ? "zst" : "lz4",
	                   suffix);
}

/* Files beside the shadow are as open as it is. */
static int create(const char *gen_dir, const char *path)
{
	struct stat st;

	if (stat(gen_dir, &st) < 0)
		return -errno;
	return lsv_spool_open(path, O_WRONLY | O_CREAT | O_TRUNC,
	                      st.st_mode & 0666);
}

static void init_table(const struct lsv_upload *upload, uint32_t index,
                       struct lsv_commit *at, struct lsv_table *table)
{
	at->end = 0;
	at->checksum[0] = at->checksum[1] = 0;
	*table = (struct lsv_table){
		.first = {upload->generation, index, 0},
		.first_txid = at->txid,
		.commits = {at, 1, 1},
	};
	memcpy(table->lineage, upload->lineage, LSV_LINEAGE_SIZE);
}

/* Ends with -ENOSPC when 'left' is used up. */
struct limited {
	struct lsv_reader base;
	struct lsv_reader *from;
	uint64_t left;
};

static ssize_t read_limited(struct lsv_reader *reader, void *buf, size_t n)
{
	struct limited *limited = (struct limited *)reader;
	ssize_t got = limited->from->read(limited->from, buf, n);

	if (got < 0)
		return got;
	if ((uint64_t)got > limited->left)
		return -ENOSPC;
	limited->left -= (uint64_t)got;
	return got;
}

/* The database's own commits need space, too. */
static int half_of_free(int fd, uint64_t *bytes)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return -errno;
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize / 2;
	return 0;
}

static int write_spool(const struct lsv_upload *upload, const char *path,
                       struct lsv_reader *object)
{
	auto_close int fd = create(upload->gen_dir, path);
	auto_writer struct lsv_writer *into = NULL;
	struct limited limited = {.base = {.read = read_limited},
	                          .from = object};
	int r;

	if (fd < 0)
		return fd;
	r = half_of_free(fd, &limited.left);
	if (r < 0)
		return r;
	into = lsv_writer_fd(fd);
	return into ? lsv_copy(&limited.base, into) : -ENOMEM;
}

int lsv_upload_spool_snapshot(const struct lsv_upload *upload, uint32_t index,
                              const struct lsv_snapshot_source *source,
                              struct lsv_commit *at)
{
	auto_free char *temp = spool_path(upload, index, ".tmp");
	auto_free char *path = spool_path(upload, index, "");
	auto_reader struct lsv_reader *object = NULL;
	struct lsv_table table;
	int r;

	if (!temp || !path)
		return -ENOMEM;
	init_table(upload, index, at, &table);
	r = lsv_snapshot_encode(upload->codec, source, &table, &object);
	if (r < 0)
		return r;
	r = write_spool(upload, temp, object);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	return r;
}

/* The table at a spooled object's end, if it is this upload's. */
static int read_table(const struct lsv_upload *upload, uint32_t index, int fd,
                      uint64_t size, struct lsv_table *table)
{
	uint8_t bytes[TAIL_SIZE];
	size_t n = size < sizeof bytes ? (size_t)size : sizeof bytes;
	ssize_t got = lsv_pread(fd, bytes, n, size - n);
	const uint8_t *tail;
	size_t n_tail, needed;
	int r;

	if (got < 0)
		return (int)got;
	if (lsv_codec_tail(bytes, (size_t)got, &tail, &n_tail, &needed) < 0)
		return -EBADMSG;
	r = lsv_table_decode(tail, n_tail, table);
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	if (lsv_table_is_snapshot(table) &&
	    table->first.generation == upload->generation &&
	    table->first.index == index &&
	    memcmp(table->lineage, upload->lineage, LSV_LINEAGE_SIZE) == 0)
		return 0;
	lsv_table_free(table);
	return -EBADMSG;
}

static int put_spooled(const struct lsv_upload *upload,
                       struct lsv_client *client, struct lsv_reader *file,
                       const struct lsv_table *table, uint64_t *n_bytes)
{
	auto_free char *name = lsv_layout_snapshot(
		upload->generation, table->first.index, upload->codec);
	auto_reader struct lsv_reader *proof = NULL;
	int r = name ? lsv_proof_snapshot(upload->codec, file, table, &proof)
	             : -ENOMEM;

	if (r < 0)
		return r;
	return lsv_put(client, name, proof, table->commits.at[0].time_ns,
	               LSV_PUT_NEW, n_bytes);
}

int lsv_upload_snapshot(const struct lsv_upload *upload,
                        struct lsv_client *client, uint32_t index,
                        uint64_t *n_bytes)
{
	auto_free char *path = spool_path(upload, index, "");
	auto_reader struct lsv_reader *file = NULL;
	auto_table struct lsv_table table = {0};
	auto_close int fd = -1;
	struct stat st;
	int r;

	if (!path)
		return -ENOMEM;
	fd = lsv_open(path, O_RDONLY, 0);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	r = read_table(upload, index, fd, (uint64_t)st.st_size, &table);
	if (r < 0)
		return r;
	file = lsv_reader_file(fd, 0, (uint64_t)st.st_size, 0);
	if (!file)
		return -ENOMEM;
	return put_spooled(upload, client, file, &table, n_bytes);
}

bool lsv_upload_has_spooled(const struct lsv_upload *upload, uint32_t index)
{
	auto_free char *path = spool_path(upload, index, "");

	return path && access(path, F_OK) == 0;
}

void lsv_upload_drop_snapshot(const struct lsv_upload *upload, uint32_t index)
{
	static const char *const suffixes[] = {"", ".tmp"};

	/* Either codec's: the option may have changed since. */
	for (int i = 0; i < 4; i++) {
		struct lsv_upload either = *upload;
		auto_free char *path = NULL;

		either.codec = i / 2 ? LSV_ZSTD : LSV_LZ4;
		path = spool_path(&either, index, suffixes[i % 2]);
		if (path)
			unlink(path);
	}
}
