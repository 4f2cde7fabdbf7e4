/* SPDX-License-Identifier: MIT */

/*
 * One heap in the process.  The engine is opened with RTLD_DEEPBIND, so its
 * free() and that of its libraries would be libc's; but strdup() and the like
 * inside libc take from the process's malloc(), and where that is jemalloc or
 * another, the two would meet (seen: "munmap_chunk(): invalid pointer").  So
 * the engine exports an allocator in front of libc's, which passes on to the
 * process's.
 */

#include "vfs/export.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef void *malloc_fn(size_t n);
typedef void free_fn(void *p);
typedef void *calloc_fn(size_t n, size_t size);
typedef void *realloc_fn(void *p, size_t n);
typedef void *aligned_fn(size_t alignment, size_t n);
typedef size_t usable_fn(void *p);

/* Everyone else's function of that name; it is cached at *cache. */
static void *process_symbol(_Atomic(void *) *cache, const char *name)
{
	void *function = atomic_load_explicit(cache, memory_order_acquire);

	if (function)
		return function;
	/* The program's own handle: its scope does not have ours in it. */
	function = dlsym(dlopen(NULL, RTLD_LAZY), name);
	if (!function)
		abort(); /* a process without that function is not of libc */
	atomic_store_explicit(cache, function, memory_order_release);
	return function;
}

#define PROCESS(type, name)                                                    \
	__extension__({                                                        \
		static _Atomic(void *) cache_;                                 \
		(type *)process_symbol(&cache_, #name);                        \
	})

LSV_EXPORT void *malloc(size_t n)
{
	return PROCESS(malloc_fn, malloc)(n);
}

LSV_EXPORT void free(void *p)
{
	PROCESS(free_fn, free)(p);
}

LSV_EXPORT void *calloc(size_t n, size_t size)
{
	return PROCESS(calloc_fn, calloc)(n, size);
}

LSV_EXPORT void *realloc(void *p, size_t n)
{
	return PROCESS(realloc_fn, realloc)(p, n);
}

LSV_EXPORT void *memalign(size_t alignment, size_t n)
{
	return PROCESS(aligned_fn, memalign)(alignment, n);
}

LSV_EXPORT void *aligned_alloc(size_t alignment, size_t n)
{
	return PROCESS(aligned_fn, aligned_alloc)(alignment, n);
}

LSV_EXPORT int posix_memalign(void **p, size_t alignment, size_t n)
{
	typedef int posix_fn(void **, size_t, size_t);

	return PROCESS(posix_fn, posix_memalign)(p, alignment, n);
}

LSV_EXPORT size_t malloc_usable_size(void *p)
{
	return PROCESS(usable_fn, malloc_usable_size)(p);
}
