/* SPDX-License-Identifier: MIT */

/* A whole object as it lies on the replica, the first byte its codec: the
 * frames, and the commit table behind them. */

#include "replica/base/log.h"
#include "replica/format/codec.h"
#include "replica/format/table.h"
#include "test/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#define PLAIN_MAX (8U << 20)

/* Counts, so that a bomb of zeros costs no memory. */
struct sink {
	struct lsv_writer base;
	uint64_t n;
};

static int sink_write(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct sink *sink = (struct sink *)writer;

	must(buf || n == 0);
	sink->n += n;
	return sink->n > PLAIN_MAX ? -EFBIG : 0;
}

static void read_table(const uint8_t *bytes, size_t n)
{
	struct lsv_table table;
	auto_buf struct lsv_buf again = {0};

	if (lsv_table_decode(bytes, n, &table) < 0)
		return;
	must(table.commits.n > 0);
	must(lsv_table_encode(&table, &again) == 0);
	lsv_table_free(&table);
}

static void read_tail(const uint8_t *bytes, size_t n)
{
	const uint8_t *tail = NULL;
	size_t n_tail = 0, needed = 0;

	if (lsv_codec_tail(bytes, n, &tail, &n_tail, &needed) == 0) {
		must(tail >= bytes && n_tail <= n &&
		     (size_t)(tail - bytes) <= n - n_tail);
		read_table(tail, n_tail);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct sink sink = {{.write = sink_write}, 0};
	auto_buf struct lsv_buf tail = {0};
	auto_writer struct lsv_writer *decompress = NULL;
	int r;

	if (n < 1)
		return 0;
	lsv_log_set_level(LSV_LOG_OFF);
	r = lsv_decompress_open(bytes[0] & 1 ? LSV_ZSTD : LSV_LZ4, &sink.base,
	                        &tail, &decompress);
	must(r == 0);
	bytes++;
	n--;
	r = decompress->write(decompress, bytes, n);
	if (r == 0 && lsv_decompress_end(decompress) == 0)
		read_table(tail.data, tail.n);
	read_tail(bytes, n);
	read_table(bytes, n);
	return 0;
}
