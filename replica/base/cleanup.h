/* SPDX-License-Identifier: MIT */
#ifndef LSV_CLEANUP_H
#define LSV_CLEANUP_H

/*
 * Ownership by scope: what is declared auto_* is given back at the closing
 * brace, whatever path leaves.  take() hands it on instead.
 *
 *	auto_free char *path = lsv_path_join(dir, "state");
 *	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
 *	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
 *
 * A type with a life of its own declares its attribute beside its close
 * function with LSV_AUTO(type, close).
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static inline void lsv_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void lsv_cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void lsv_cleanup_unlock(pthread_mutex_t **mutex)
{
	if (*mutex)
		pthread_mutex_unlock(*mutex);
}

static inline pthread_mutex_t *lsv_lock(pthread_mutex_t *mutex)
{
	pthread_mutex_lock(mutex);
	return mutex;
}

#define auto_free __attribute__((cleanup(lsv_cleanup_free)))
#define auto_close __attribute__((cleanup(lsv_cleanup_close)))
#define auto_unlock __attribute__((cleanup(lsv_cleanup_unlock), unused))

/* Defines lsv_auto_<name>(), for __attribute__((cleanup(...))). */
#define LSV_AUTO(name, type, close_fn)                                         \
	static inline void lsv_auto_##name(type **p)                           \
	{                                                                      \
		if (*p)                                                        \
			close_fn(*p);                                          \
	}

#define take(p)                                                                \
	__extension__({                                                        \
		__typeof__(p) taken_ = (p);                                    \
		(p) = NULL;                                                    \
		taken_;                                                        \
	})

#define take_fd(fd)                                                            \
	__extension__({                                                        \
		int taken_ = (fd);                                             \
		(fd) = -1;                                                     \
		taken_;                                                        \
	})

#endif
