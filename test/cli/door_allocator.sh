#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a process with an allocator of its own, the engine uses that one.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

[ -z "$SANITIZER" ] || skip "a sanitizer is the allocator"
requires sqlite3

# An allocator that dies of a pointer that is not its own.
cat >allocator.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#define MAGIC UINT64_C(0x6c73766673616c6c)
struct head { uint64_t magic; size_t n; };
static char *arena;
static size_t used;
static void *take(size_t n, size_t align)
{
	size_t at;
	if (!arena)
		arena = mmap(0, 1u << 30, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	align = align < 16 ? 16 : align;
	do {
		at = __atomic_load_n(&used, __ATOMIC_SEQ_CST);
	} while (!__atomic_compare_exchange_n(&used, &(size_t){at},
		((at + sizeof(struct head) + align - 1) & ~(align - 1)) + n,
		0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	at = (at + sizeof(struct head) + align - 1) & ~(align - 1);
	((struct head *)(arena + at))[-1] = (struct head){MAGIC, n};
	return arena + at;
}
static struct head *head(void *p)
{
	struct head *h = (struct head *)p - 1;
	static const char text[] = "allocator: a stranger's pointer\n";
	if ((char *)p < arena || (char *)p > arena + (1u << 30) ||
	    h->magic != MAGIC) {
		if (write(2, text, sizeof text - 1) > 0)
			_exit(99);
	}
	return h;
}
void *malloc(size_t n) { return take(n, 16); }
void *calloc(size_t n, size_t m) { return take(n * m, 16); }
void free(void *p) { if (p) head(p)->magic = 0; }
void *realloc(void *p, size_t n)
{
	void *q = take(n, 16);
	if (p) {
		size_t old = head(p)->n;
		memcpy(q, p, old < n ? old : n);
		free(p);
	}
	return q;
}
void *memalign(size_t a, size_t n) { return take(n, a); }
void *aligned_alloc(size_t a, size_t n) { return take(n, a); }
int posix_memalign(void **p, size_t a, size_t n)
{
	*p = take(n, a);
	return 0;
}
size_t malloc_usable_size(void *p) { return p ? head(p)->n : 0; }
END
$CC -O1 -fno-builtin -shared -fPIC -o allocator.so allocator.c

# (The shell opens a file at once only if it is there.)
sqlite3 a.db "create table a(x)"

export LSVFS_REPLICA_URL=$PWD/backup/%f LSVFS_OPTIONS=sync-interval=100ms
LD_PRELOAD="$PWD/allocator.so" prints unix sqlite3 a.db .vfsname
LD_PRELOAD="$LIBLSVFS $PWD/allocator.so" prints "wal
litestream/unix
1" sqlite3 a.db 'pragma journal_mode=wal' .vfsname 'create table t(x)' \
	'insert into t values (1)' 'select * from t'
LD_PRELOAD="$PWD/allocator.so" prints litestream/unix sqlite3 :memory: \
	".load $LIBLSVFS" '.open a.db' .vfsname
