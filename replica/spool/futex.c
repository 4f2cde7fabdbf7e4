/* SPDX-License-Identifier: MIT */
#include "replica/spool/coord.h"

#include "replica/base/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Shared futexes: the page is mapped by several processes. */
static long futex(_Atomic(uint32_t) *word, int op, uint32_t value,
                  const struct timespec *until)
{
	return syscall(SYS_futex, word, op, value, until, NULL,
	               FUTEX_BITSET_MATCH_ANY);
}

void lsv_futex_wait(_Atomic(uint32_t) *word, uint32_t value, int64_t timeout_ns)
{
	int64_t end_ns = lsv_clock_mono_ns() +
	                 (timeout_ns < 0 ? 0 : timeout_ns);
	struct timespec until = {end_ns / LSV_NS_PER_S, end_ns % LSV_NS_PER_S};

	/* BITSET takes an absolute time, so that a signal does not make the
	 * wait longer. */
	while (atomic_load_explicit(word, memory_order_acquire) == value &&
	       futex(word, FUTEX_WAIT_BITSET, value,
	             timeout_ns < 0 ? NULL : &until) < 0 &&
	       errno == EINTR)
		;
}

void lsv_futex_wake(_Atomic(uint32_t) *word, int n)
{
	futex(word, FUTEX_WAKE, (uint32_t)n, NULL);
}
