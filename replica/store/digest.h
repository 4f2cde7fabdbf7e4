/* SPDX-License-Identifier: MIT */
#ifndef LSV_DIGEST_H
#define LSV_DIGEST_H

/* Digests as S3 wants them, and their texts.  -EIO: the library refuses (MD5
 * on a machine that forbids it). */

#include <stddef.h>
#include <stdint.h>

#define LSV_SHA256_SIZE 32
#define LSV_SHA256_TEXT_SIZE 65 /* lower-case hex and the final zero */
#define LSV_MD5_TEXT_SIZE 25    /* base64 and the final zero */

/* Before anybody in the process uses OpenSSL: its exit handler would take its
 * tables down under threads of ours that are still at work then.  Any number
 * of times. */
void lsv_digest_init(void);

int lsv_sha256_text(const void *bytes, size_t n,
                    char text[LSV_SHA256_TEXT_SIZE]);
int lsv_md5_text(const void *bytes, size_t n, char text[LSV_MD5_TEXT_SIZE]);

int lsv_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n,
                    uint8_t mac[LSV_SHA256_SIZE]);
int lsv_hmac_sha256_text(const void *key, size_t n_key, const void *bytes,
                         size_t n, char text[LSV_SHA256_TEXT_SIZE]);

/* Secrets do not stay behind in memory. */
void lsv_wipe(void *bytes, size_t n);

#endif
