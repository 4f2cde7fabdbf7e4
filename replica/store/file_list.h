/* SPDX-License-Identifier: MIT */
#ifndef LSV_FILE_LIST_H
#define LSV_FILE_LIST_H

/* A directory tree as a flat list of objects, in the order of their names. */

#include "replica/store/client.h"

/* Temporary files, hidden in the directory of the object to be. */
#define LSV_FILE_TEMP_PREFIX ".lsvfs-tmp-"

/* What the file system says, in the words of client.h. */
int lsv_file_vocabulary(int err);

/* Every regular file below 'root' whose name below it begins with 'prefix',
 * temporary files left out.  A root that is not there has no objects. */
int lsv_file_list(const char *root, const char *prefix, lsv_list_fn *each,
                  void *arg);

/* Removes the temporary files in 'dir' that nobody touched since 'before_ns'.
 * What cannot be removed stays. */
void lsv_file_sweep(const char *dir, int64_t before_ns);

#endif
