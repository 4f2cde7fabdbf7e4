/* SPDX-License-Identifier: MIT */
#include "vfs/library.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/vector.h"
#include "vfs/api_table.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Every SQLite has it, and we do not interpose it. */
#define PROBE "sqlite3_sourceid"

LSV_VECTOR(names, char *);

/* The object that 'address' lies in; NULL: none. */
static struct link_map *map_of(const void *address)
{
	struct link_map *map = NULL;
	Dl_info info;

	if (!dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP))
		return NULL;
	return map;
}

static struct link_map *our_map(void)
{
	static const char inside;

	return map_of(&inside);
}

/* A handle on an object that is loaded; the program's own name is "". */
static void *handle_of(const struct link_map *map, int flags)
{
	return dlopen(*map->l_name ? map->l_name : NULL,
	              RTLD_LAZY | RTLD_NOLOAD | flags);
}

/* dlsym(), but what is ours is no answer. */
static void *symbol(void *handle, const char *name)
{
	void *found = dlsym(handle, name);

	return found && map_of(found) == our_map() ? NULL : found;
}

static void *symbol_near(const struct link_map *map, const char *name)
{
	void *handle = map ? handle_of(map, 0) : NULL;
	void *found = handle ? symbol(handle, name) : NULL;

	if (handle)
		dlclose(handle);
	return found;
}

static int collect(struct dl_phdr_info *info, size_t size, void *arg)
{
	char *name = strdup(info->dlpi_name);

	(void)size;
	/* Out of memory: look through those that we have. */
	if (name && names_append(arg, name) < 0)
		free(name);
	return 0;
}

/* In whatever is loaded, in load order.  Names first: dlopen() inside
 * dl_iterate_phdr() takes the loader's two locks in the wrong order. */
static void *symbol_anywhere(const char *name)
{
	struct names list = {0};
	void *found = NULL;

	dl_iterate_phdr(collect, &list);
	for (size_t i = 0; i < list.n; i++) {
		void *handle = NULL;

		if (!found && *list.at[i])
			handle = dlopen(list.at[i], RTLD_LAZY | RTLD_NOLOAD);
		if (handle) {
			found = symbol(handle, name);
			dlclose(handle);
		}
		free(list.at[i]);
	}
	free(list.at);
	return found;
}

void *lsv_library_next(const char *name, const void *caller)
{
	void *found = symbol(RTLD_NEXT, name);

	if (!found)
		found = symbol_near(map_of(caller), name);
	return found ? found : symbol_anywhere(name);
}

void *lsv_library_of(const void *caller)
{
	void *found = symbol(RTLD_DEFAULT, PROBE);
	struct link_map *map;

	if (!found)
		found = symbol_near(map_of(caller), PROBE);
	if (!found)
		found = symbol_anywhere(PROBE);
	map = found ? map_of(found) : NULL;
	return map ? handle_of(map, 0) : NULL;
}

static void *find_in(void *handle, const char *name)
{
	return dlsym(handle, name);
}

const char *lsv_library_fill(void *handle, struct sqlite3_api_routines *api)
{
	return lsv_api_fill(find_in, handle, api);
}

void lsv_library_pin(const void *address)
{
	struct link_map *map = map_of(address);

	/* The handle is kept on purpose. */
	if (map)
		handle_of(map, RTLD_NODELETE);
}

char *lsv_library_folder(void)
{
	const struct link_map *map = our_map();
	const char *slash = strrchr(map->l_name, '/');
	auto_free char *path = NULL;
	char folder[PATH_MAX], *real;
	void *handle = handle_of(map, 0);
	int r;

	if (!handle)
		return NULL;
	/* Not l_name: that may be relative to a folder long left. */
	r = dlinfo(handle, RTLD_DI_ORIGIN, folder);
	dlclose(handle);
	if (r != 0)
		return NULL;
	path = lsv_path_join(folder, slash ? slash + 1 : map->l_name);
	real = path ? realpath(path, NULL) : NULL;
	if (real)
		*strrchr(real, '/') = 0;
	return real;
}

/* An entry of a loaded object's dynamic section that is an address. */
static const char *dynamic_address(const struct link_map *map, ElfW(Sxword) tag)
{
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag != tag)
			continue;
		/* Some machines' loaders leave it unrelocated. */
		return (const char *)(d->d_un.d_ptr < map->l_addr
		                              ? d->d_un.d_ptr + map->l_addr
		                              : d->d_un.d_ptr);
	}
	return NULL;
}

/* Whether 'needed', as a DT_NEEDED has it, is this object. */
static bool is_named(const struct link_map *map, const char *needed)
{
	const char *strings = dynamic_address(map, DT_STRTAB);
	const char *slash = strrchr(map->l_name, '/');

	if (strcmp(slash ? slash + 1 : map->l_name, needed) == 0)
		return true;
	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SONAME && strings)
			return strcmp(strings + d->d_un.d_val, needed) == 0;
	}
	return false;
}

static bool is_needed(const struct link_map *program,
                      const struct link_map *map)
{
	const char *strings = dynamic_address(program, DT_STRTAB);

	for (const ElfW(Dyn) *d = program->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_NEEDED && strings &&
		    is_named(map, strings + d->d_un.d_val))
			return true;
	}
	return false;
}

/*
 * By the order of loading: the program, what is preloaded, what the program
 * needs, what that needs, what dlopen() brought.  So we were preloaded if the
 * program does not need us itself and something that it needs (libc, as a
 * rule) was loaded after us.  The environment proves nothing: a program may
 * have changed it, and there are two other ways to preload.
 */
static bool is_preloaded(void)
{
	const struct link_map *ours = our_map();
	const struct link_map *program = ours;

	while (program && program->l_prev)
		program = program->l_prev;
	if (!ours || is_needed(program, ours))
		return false;
	for (const struct link_map *map = ours->l_next; map;
	     map = map->l_next) {
		if (is_needed(program, map))
			return true;
	}
	return false;
}

bool lsv_library_is_preloaded(void)
{
	static _Atomic(int) answer; /* 0: not asked yet */

	if (!answer)
		answer = is_preloaded() ? 1 : -1;
	return answer > 0;
}
