/* SPDX-License-Identifier: MIT */
#include "replica/store/digest.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define MD5_SIZE 16

static void to_hex(const uint8_t *bytes, char text[LSV_SHA256_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < LSV_SHA256_SIZE; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[LSV_SHA256_TEXT_SIZE - 1] = 0;
}

static void init(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

void lsv_digest_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init);
}

int lsv_sha256_text(const void *bytes, size_t n,
                    char text[LSV_SHA256_TEXT_SIZE])
{
	uint8_t sum[LSV_SHA256_SIZE];

	lsv_digest_init();
	if (!EVP_Digest(bytes, n, sum, NULL, EVP_sha256(), NULL))
		return -EIO;
	to_hex(sum, text);
	return 0;
}

int lsv_md5_text(const void *bytes, size_t n, char text[LSV_MD5_TEXT_SIZE])
{
	uint8_t sum[MD5_SIZE];

	lsv_digest_init();
	if (!EVP_Digest(bytes, n, sum, NULL, EVP_md5(), NULL))
		return -EIO;
	EVP_EncodeBlock((uint8_t *)text, sum, MD5_SIZE);
	return 0;
}

int lsv_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n,
                    uint8_t mac[LSV_SHA256_SIZE])
{
	lsv_digest_init();
	if (n_key > INT_MAX ||
	    !HMAC(EVP_sha256(), key, (int)n_key, bytes, n, mac, NULL))
		return -EIO;
	return 0;
}

int lsv_hmac_sha256_text(const void *key, size_t n_key, const void *bytes,
                         size_t n, char text[LSV_SHA256_TEXT_SIZE])
{
	uint8_t mac[LSV_SHA256_SIZE];
	int r = lsv_hmac_sha256(key, n_key, bytes, n, mac);

	if (r == 0)
		to_hex(mac, text);
	return r;
}

void lsv_wipe(void *bytes, size_t n)
{
	OPENSSL_cleanse(bytes, n);
}
