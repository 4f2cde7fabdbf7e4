/* SPDX-License-Identifier: MIT */

/*
 * The door of liblsvfs.so: opens the private library with the engine when it
 * is first needed, and starts it for one SQLite.
 */

#define SQLITE_CORE 1 /* the table's type without the macros over it */

#include "vfs/door.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "vfs/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3ext.h>
#include <stdatomic.h>
#include <string.h>

/* Where it is, from our own folder: installed, and in a build tree. */
static const char *const engine_files[] = {
	"lsvfs/lsvfs-engine.so",
	"lsvfs-engine.so",
};

typedef const char *sourceid_fn(void);

/* Held while a library is looked for and opened, never over the engine's
 * work: its locks come first at a fork. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(const struct lsv_engine *) engine;
static const char *source_id; /* of the SQLite that it was started for */
static bool is_hopeless, is_told;

static void lock_for_fork(void)
{
	pthread_mutex_lock(&mutex);
}

static void unlock_after_fork(void)
{
	pthread_mutex_unlock(&mutex);
}

static void prepare_once(void)
{
	lsv_log_configure(getenv("LSVFS_LOG"));
	pthread_atfork(lock_for_fork, unlock_after_fork, unlock_after_fork);
}

static pthread_mutex_t *lock_door(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, prepare_once);
	return lsv_lock(&mutex);
}

/*
 * RTLD_DEEPBIND: the engine's libraries use their own OpenSSL and zlib, not
 * those that a program like Node exports.  A sanitizer's run-time ends the
 * process at the sight of the flag.
 */
static int engine_flags(void)
{
	static const char *const sanitizers[] = {"__asan_init", "__tsan_init",
	                                         "__msan_init"};

	for (size_t i = 0; i < sizeof sanitizers / sizeof *sanitizers; i++) {
		if (dlsym(RTLD_DEFAULT, sanitizers[i]))
			return RTLD_NOW | RTLD_LOCAL;
	}
	return RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
}

/* The handle, or NULL with errors of dlopen() for the one that is there. */
static void *open_in(const char *folder)
{
	for (size_t i = 0; i < sizeof engine_files / sizeof *engine_files;
	     i++) {
		auto_free char *path = lsv_path_join(folder, engine_files[i]);

		if (path && access(path, F_OK) == 0)
			return dlopen(path, engine_flags());
	}
	return NULL;
}

static const struct lsv_engine *load_engine(void)
{
	auto_free char *folder = lsv_library_folder();
	const struct lsv_engine *loaded;
	const char *why;
	void *handle;

	dlerror();
	handle = folder ? open_in(folder) : NULL;
	if (!handle) {
		why = dlerror();
		log_error(0,
		          "cannot open lsvfs/lsvfs-engine.so below %s, nothing "
		          "is replicated: %s",
		          folder ? folder : "liblsvfs.so's folder",
		          why ? why : "it is not there, install it again");
		return NULL;
	}
	loaded = dlsym(handle, LSV_ENGINE_SYMBOL);
	if (!loaded || strcmp(loaded->version, lsvfs_version()) != 0) {
		log_error(0,
		          "cannot use lsvfs-engine.so in %s, nothing is "
		          "replicated: it is of another version, install both "
		          "again",
		          folder);
		return NULL;
	}
	return loaded;
}

/* The program has as many open as it may; at a later open perhaps not. */
static bool lacks_descriptors(void)
{
	auto_close int fd = lsv_open("/", O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 && (errno == EMFILE || errno == ENFILE);
}

static const struct lsv_engine *start_engine(
	const struct sqlite3_api_routines *api)
{
	const struct lsv_engine *loaded = load_engine();

	if (!loaded || loaded->start(api) < 0) {
		/* Said; once is enough. */
		is_hopeless = loaded || !lacks_descriptors();
		return NULL;
	}
	/* It holds pointers into SQLite from now on. */
	lsv_library_pin((const void *)api->sourceid);
	source_id = api->sourceid();
	atomic_store(&engine, loaded);
	return loaded;
}

static const struct lsv_engine *refuse_second(const char *version)
{
	if (!is_told)
		log_error(0,
		          "this process uses a second SQLite (%s): what is "
		          "opened through it is not replicated",
		          version);
	is_told = true;
	return NULL;
}

static const struct lsv_engine *open_library(void *handle)
{
	static struct sqlite3_api_routines api;
	sourceid_fn *sourceid = dlsym(handle, "sqlite3_sourceid");
	const char *missing;

	if (atomic_load(&engine) || is_hopeless) {
		if (!atomic_load(&engine))
			return NULL;
		return sourceid && sourceid() == source_id
		               ? atomic_load(&engine)
		               : refuse_second(sourceid ? sourceid() : "?");
	}
	missing = lsv_library_fill(handle, &api);
	if (!missing)
		return start_engine(&api);
	is_hopeless = true;
	log_error(0,
	          "cannot work inside this SQLite, nothing is replicated: it "
	          "has no %s() (3.40.0 or newer is needed)",
	          missing);
	return NULL;
}

const struct lsv_engine *lsv_door_open(const void *caller)
{
	auto_unlock pthread_mutex_t *held = lock_door();
	void *handle = lsv_library_of(caller);
	const struct lsv_engine *opened;

	if (!handle) {
		if (!is_told)
			log_error(0, "no SQLite is loaded as a shared library: "
			             "link liblsvfs.a, or load liblsvfs.so as "
			             "an extension");
		is_told = true;
		return NULL;
	}
	opened = open_library(handle);
	dlclose(handle);
	return opened;
}

const struct lsv_engine *lsv_door_open_api(
	const struct sqlite3_api_routines *api)
{
	auto_unlock pthread_mutex_t *held = lock_door();

	if (is_hopeless)
		return NULL;
	if (!atomic_load(&engine))
		return start_engine(api);
	return api->sourceid() == source_id ? atomic_load(&engine)
	                                    : refuse_second(api->sourceid());
}

const struct lsv_engine *lsv_door_engine(void)
{
	return atomic_load(&engine);
}
