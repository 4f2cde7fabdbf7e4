/* SPDX-License-Identifier: MIT */
#include "replica/wal/commit.h"
#include "test/lib/unit.h"

#include <string.h>

static const struct lsv_commit example = {
	.end = UINT64_C(0x0102030405060708),
	.txid = UINT64_C(0x1112131415161718),
	.time_ns = -2,
	.page_hash = UINT64_C(0x2122232425262728),
	.checksum = {0x31323334, 0x35363738},
	.db_pages = 0x41424344,
};

/* lsvfs-format(5): what every reader of a replica relies on. */
START_TEST(a_record_lies_byte_by_byte_as_specified)
{
	static const uint8_t expected[LSV_COMMIT_SIZE] =
		"\x08\x07\x06\x05\x04\x03\x02\x01"
		"\x18\x17\x16\x15\x14\x13\x12\x11"
		"\xfe\xff\xff\xff\xff\xff\xff\xff"
		"\x28\x27\x26\x25\x24\x23\x22\x21"
		"\x34\x33\x32\x31\x38\x37\x36\x35"
		"\x44\x43\x42\x41\x00\x00\x00\x00";
	uint8_t bytes[LSV_COMMIT_SIZE];

	memset(bytes, 0xaa, sizeof bytes);
	lsv_commit_encode(&example, bytes);
	ck_assert_mem_eq(bytes, expected, sizeof bytes);
}
END_TEST

START_TEST(a_record_reads_back_as_it_was_written)
{
	uint8_t bytes[LSV_COMMIT_SIZE], again[LSV_COMMIT_SIZE];
	struct lsv_commit commit;

	lsv_commit_encode(&example, bytes);
	memset(&commit, 0xaa, sizeof commit);
	lsv_commit_decode(bytes, &commit);
	ck_assert(commit.time_ns == -2);
	ck_assert(commit.txid == example.txid);
	lsv_commit_encode(&commit, again);
	ck_assert_mem_eq(bytes, again, sizeof bytes);
}
END_TEST

UNIT(commit, a_record_lies_byte_by_byte_as_specified,
     a_record_reads_back_as_it_was_written)
