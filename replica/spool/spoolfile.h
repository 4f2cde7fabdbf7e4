/* SPDX-License-Identifier: MIT */
#ifndef LSV_SPOOLFILE_H
#define LSV_SPOOLFILE_H

/*
 * How files and folders come into the local folder: with exactly the mode
 * asked for, whatever the umask, and owned as the folder above them, so that
 * root and the database's owner can work on it in turn.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* open(), making the file when 'flags' has O_CREAT; O_CLOEXEC is added.  The
 * descriptor, or -errno. */
int lsv_spool_open(const char *path, int flags, mode_t mode);

/* mkdir() with x where 'file_mode' has r; one that is there is success. */
int lsv_spool_mkdir(const char *path, mode_t file_mode);

/* Gives a new file or folder its mode and the owner of the folder it lies
 * in.  What the process may not do is left undone. */
void lsv_spool_own(int fd, const char *path, mode_t mode);

/* Replaces a file whole, through a temporary one beside it; 'durably' with
 * fsync of both file and folder. */
int lsv_spool_replace(const char *path, const void *content, size_t n,
                      mode_t mode, bool durably);

/* The mode of a folder whose files have 'file_mode'. */
mode_t lsv_spool_dir_mode(mode_t file_mode);

#endif
