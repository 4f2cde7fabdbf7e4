/* SPDX-License-Identifier: MIT */
#include "replica/wal/commit.h"

#include "replica/base/bytes.h"

void lsv_commit_encode(const struct lsv_commit *commit,
                       uint8_t bytes[LSV_COMMIT_SIZE])
{
	put_le64(bytes, commit->end);
	put_le64(bytes + 8, commit->txid);
	put_le64(bytes + 16, (uint64_t)commit->time_ns);
	put_le64(bytes + 24, commit->page_hash);
	put_le32(bytes + 32, commit->checksum[0]);
	put_le32(bytes + 36, commit->checksum[1]);
	put_le32(bytes + 40, commit->db_pages);
	put_le32(bytes + 44, 0);
}

void lsv_commit_decode(const uint8_t bytes[LSV_COMMIT_SIZE],
                       struct lsv_commit *commit)
{
	commit->end = get_le64(bytes);
	commit->txid = get_le64(bytes + 8);
	commit->time_ns = (int64_t)get_le64(bytes + 16);
	commit->page_hash = get_le64(bytes + 24);
	commit->checksum[0] = get_le32(bytes + 32);
	commit->checksum[1] = get_le32(bytes + 36);
	commit->db_pages = get_le32(bytes + 40);
}
