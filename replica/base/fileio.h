/* SPDX-License-Identifier: MIT */
#ifndef LSV_FILEIO_H
#define LSV_FILEIO_H

/* Files: whole reads and writes, and one way to make a file durable.
 * All return 0 (or a count) or a negative errno, and log nothing. */

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "a/b" in a new string; NULL when out of memory. */
char *lsv_path_join(const char *dir, const char *name);

/* As asprintf(), but returns the string; NULL when out of memory. */
char *lsv_sprintf(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* No descriptor of ours may be 0, 1 or 2, not even for a moment longer than it
 * takes to move it: in a program that closed its own, what it prints would go
 * into our file, and what it opens there anew would close ours.  Gives 'fd'
 * back, or a higher one in its place; -1 and errno. */
int lsv_fd_raise(int fd);

/* As open() and opendir(), with O_CLOEXEC, above stderr; -1 or NULL, and
 * errno. */
int lsv_open(const char *path, int flags, mode_t mode);
/* As mkostemp(), in the same way. */
int lsv_mkostemp(char *path);
DIR *lsv_opendir(const char *path);

/* Reads at 'offset' until 'n' bytes or the end of the file; how many. */
ssize_t lsv_pread(int fd, void *buf, size_t n, uint64_t offset);

/* Writes all of it; -EFBIG, not a signal, where the process may write no
 * file so large. */
int lsv_pwrite(int fd, const void *buf, size_t n, uint64_t offset);
int lsv_write(int fd, const void *buf, size_t n);
/* Blocks for [from, to), in the same way. */
int lsv_allocate(int fd, uint64_t from, uint64_t to);

/* Creates 'path' and what is missing above it. */
int lsv_mkdirs(const char *path, mode_t mode);

/* The file's content in a new buffer with a zero byte behind it;
 * -EFBIG when it is larger than 'max'.  /dev/null is an empty one, what else
 * is no regular file -EINVAL. */
int lsv_file_read(const char *path, size_t max, char **content, size_t *n);

/* Replaces the file whole: temporary file beside it, fsync, rename, fsync of
 * the directory. */
int lsv_file_replace(const char *path, const void *content, size_t n,
                     mode_t mode);

/* fsync of a directory, so that names in it last. */
int lsv_dir_sync(const char *path);

/* Removes a folder and all in it; a folder that is not there is success. */
int lsv_remove_tree(const char *path);

/* Cryptographically random bytes. */
int lsv_random(void *buf, size_t n);

#endif
