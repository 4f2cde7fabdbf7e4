/* SPDX-License-Identifier: MIT */
#include "replica/spool/record.h"

#include "replica/base/bytes.h"
#include "replica/base/crc32c.h"
#include "replica/base/fileio.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define AT_FRAME 48
#define AT_HEADER 52
#define AT_CRC 76

void lsv_record_encode(const struct lsv_record *record,
                       uint8_t bytes[LSV_RECORD_SIZE])
{
	lsv_commit_encode(&record->commit, bytes);
	put_le32(bytes + AT_FRAME, record->real.frame);
	memcpy(bytes + AT_HEADER, record->real.header, LSV_FRAME_HEADER_SIZE);
	put_le32(bytes + AT_CRC, lsv_crc32c(bytes, AT_CRC));
}

int lsv_record_decode(const uint8_t bytes[LSV_RECORD_SIZE],
                      struct lsv_record *record)
{
	if (get_le32(bytes + AT_CRC) != lsv_crc32c(bytes, AT_CRC))
		return -EBADMSG;
	lsv_commit_decode(bytes, &record->commit);
	record->real.frame = get_le32(bytes + AT_FRAME);
	memcpy(record->real.header, bytes + AT_HEADER, LSV_FRAME_HEADER_SIZE);
	return 0;
}

int lsv_record_count(int fd, uint64_t *n)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*n = (uint64_t)st.st_size / LSV_RECORD_SIZE;
	return 0;
}

int lsv_record_at(int fd, uint64_t place, struct lsv_record *record)
{
	uint8_t bytes[LSV_RECORD_SIZE];
	ssize_t got = lsv_pread(fd, bytes, sizeof bytes,
	                        place * LSV_RECORD_SIZE);

	if (got < 0)
		return (int)got;
	return got == sizeof bytes ? lsv_record_decode(bytes, record)
	                           : -EBADMSG;
}

int lsv_record_count_valid(int fd, uint64_t *n)
{
	struct lsv_record last;
	uint64_t count = 0;
	int r = lsv_record_count(fd, &count);

	if (r == 0 && count > 0) {
		r = lsv_record_at(fd, count - 1, &last);
		if (r == -EBADMSG) {
			count--;
			r = 0;
		}
	}
	if (r == 0)
		*n = count;
	return r;
}

int lsv_record_search(int fd, uint64_t n, uint64_t end, uint64_t *place)
{
	uint64_t low = 0;
	uint64_t high = n;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct lsv_record record;
		int r = lsv_record_at(fd, middle, &record);

		if (r < 0)
			return r;
		if (record.commit.end < end)
			low = middle + 1;
		else
			high = middle;
	}
	*place = low;
	return 0;
}
