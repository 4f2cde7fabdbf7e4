/* SPDX-License-Identifier: MIT */

/*
 * PHP loads its modules with RTLD_DEEPBIND, which binds them past whatever is
 * preloaded.  So for names with "sqlite" the flag is taken off.
 *
 * The loader finds the caller by its return address (for its RUNPATH,
 * $ORIGIN and namespace): the real dlopen() must be entered by a jump, as if
 * we had not been there.  That is a matter of code generation, in every build
 * of ours: a test has a library with a RUNPATH.
 */

#include "vfs/export.h"
#include "vfs/library.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#ifdef __clang__
#define JUMP __attribute__((musttail))
#else
#pragma GCC optimize("O2", "optimize-sibling-calls")
#define JUMP
#endif

#define UNTOUCHED                                                              \
	__attribute__((no_sanitize("address", "thread", "undefined"),          \
	               no_profile_instrument_function))

typedef void *dlopen_fn(const char *file, int flags);

UNTOUCHED static dlopen_fn *next_dlopen(void)
{
	static _Atomic(dlopen_fn *) next;

	if (!next)
		next = (dlopen_fn *)dlsym(RTLD_NEXT, "dlopen");
	return next;
}

UNTOUCHED static int flags_for(const char *file, int flags)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	if (!(flags & RTLD_DEEPBIND) || !file ||
	    !strstr(slash ? slash + 1 : file, "sqlite") ||
	    !lsv_library_is_preloaded())
		return flags;
	return flags & ~RTLD_DEEPBIND;
}

UNTOUCHED LSV_EXPORT void *dlopen(const char *file, int flags)
{
	dlopen_fn *next = next_dlopen();

	flags = flags_for(file, flags);
	JUMP return next(file, flags);
}
