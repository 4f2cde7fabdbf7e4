/* SPDX-License-Identifier: MIT */

/* The plain bytes of a segment, in two writes cut where the first byte says:
 * no cut may change what is accepted. */

#include "replica/base/log.h"
#include "replica/format/segment.h"
#include "test/fuzz/fuzz.h"

static int count(void *arg, const struct lsv_frame *frame, const void *page,
                 uint64_t end)
{
	uint64_t *sum = arg;

	must(page && frame->page_no != 0);
	*sum = *sum * 31 + frame->page_no + end;
	return 0;
}

static int decode(const uint8_t *bytes, size_t n, size_t cut, uint64_t *sum)
{
	struct lsv_chain chain = {0};
	auto_writer struct lsv_writer *decoder = NULL;
	int r = lsv_segment_decode(&chain, count, sum, &decoder);

	must(r == 0);
	r = decoder->write(decoder, bytes, cut);
	if (r == 0)
		r = decoder->write(decoder, bytes + cut, n - cut);
	return r == 0 ? lsv_segment_decode_end(decoder) : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint64_t whole = 0, in_two = 0;
	size_t cut;
	int r;

	if (n < 1)
		return 0;
	lsv_log_set_level(LSV_LOG_OFF);
	cut = bytes[0] % n;
	r = decode(bytes + 1, n - 1, 0, &whole);
	must(decode(bytes + 1, n - 1, cut, &in_two) == r);
	must(whole == in_two);
	return 0;
}
