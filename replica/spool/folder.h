/* SPDX-License-Identifier: MIT */
#ifndef LSV_FOLDER_H
#define LSV_FOLDER_H

/*
 * The local folder .<db>-litestream/ beside a database, and the names in it
 * (design.md section 5, lsvfs-format(5)).  A generation's folder is ours when
 * it has a file "lock"; one without is Litestream's and left alone.
 */

#include "replica/base/vector.h"
#include "replica/wal/pos.h"

#include <stdbool.h>
#include <sys/types.h>

#define LSV_PROPOSAL_PREFIX "generation.tmp-"

/* ".../.<file>-litestream" for ".../<file>"; the caller frees. */
char *lsv_folder_path(const char *db_path);

/* Makes it, with the database's owner and its mode (x where r).  *is_stock:
 * it was there before, has generations, none of them ours, and no coord:
 * Litestream's, never continued. */
int lsv_folder_make(const char *db_path, bool *is_stock);
/* The mode for files in it: the database's own, and always ours to use. */
mode_t lsv_folder_file_mode(const char *db_path);

/* generations/<gen>; the caller frees. */
char *lsv_folder_generation_dir(const char *dir, uint64_t generation);

/* The file "generation".  -ENOENT: none yet, or not one of ours. */
int lsv_folder_generation(const char *dir, uint64_t *generation);
/* What shall be in it, in a file beside it, which lasts. */
int lsv_folder_propose(const char *dir, uint64_t generation, mode_t mode);
/* What was proposed becomes so.  -EAGAIN: it was withdrawn. */
int lsv_folder_set_generation(const char *dir, uint64_t generation);
/* Takes that proposal back, or (also another process's) all but that one. */
void lsv_folder_withdraw(const char *dir, uint64_t generation);
int lsv_folder_withdraw_others(const char *dir, uint64_t keep);
/* A new random generation: its folder with wal/ and lock in it. */
int lsv_folder_new_generation(const char *dir, mode_t mode,
                              uint64_t *generation);

LSV_VECTOR(lsv_indexes, uint32_t)
/* The indexes that have a shadow, rising. */
int lsv_folder_indexes(const char *gen_dir, struct lsv_indexes *out);
/* Removes an index's shadow; one that is not there is success. */
int lsv_folder_remove_index(const char *gen_dir, uint32_t index);
/* Removes all that a generation holds but its lock.  Nobody takes what is left
 * for a generation that has not begun: lsv_folder_indexes() is -ENOENT. */
int lsv_folder_discard(const char *gen_dir);
/* Removes a generation of ours. */
int lsv_folder_remove_generation(const char *gen_dir);
/* Removes all generations of ours but 'keep' (stock's are left alone, and what
 * another process leads), and what killed processes left unfinished. */
int lsv_folder_remove_others(const char *dir, uint64_t keep);
/* Bytes used by shadows of a generation. */
uint64_t lsv_folder_bytes(const char *gen_dir);

/* Left by a restore: what this database was restored from, as
 * lsv_pos_format() writes it and a newline.  -ENOENT: nothing. */
int lsv_folder_parent(const char *dir, struct lsv_pos *parent);

#endif
