/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_URL_H
#define LSV_S3_URL_H

/*
 * Where an S3 replica is: a URL as Litestream has it, and what the replica's
 * options say beside it.
 *
 *	s3://bucket/prefix                      AWS
 *	s3://bucket.s3.eu-west-3.amazonaws.com/prefix
 *	s3://bucket.localhost:9000/prefix       MinIO and the like, by HTTP
 *	s3://bucket.nyc3.digitaloceanspaces.com/prefix, and other providers'
 *	s3://bucket/prefix?endpoint=http://10.0.0.5:9000&region=eu
 *
 * The query has the last word, then come the options, then the host's form.
 */

#include "replica/store/client.h"

struct lsv_s3_place {
	char *bucket;
	char *prefix;   /* "" or without a slash at either end */
	char *endpoint; /* "https://host[:port][/path]"; NULL: AWS */
	char *region;   /* NULL: not said, the bucket knows */
	char *sse;      /* x-amz-server-side-encryption; NULL: none */
	char *sse_kms_key_id;
	char *storage_class;
	char *ca_file;
	uint64_t part_size;   /* of a multipart upload; 0: not said */
	uint64_t concurrency; /* parts at once; 0: not said */
	bool is_path_style;   /* the bucket is in the path, not in the host */
	bool skip_verify;
};

#define LSV_S3_WHY_SIZE 256

/* All or nothing; the caller frees it.  -EINVAL: no such URL, and 'why' says
 * what is wrong with it (never with a secret in it). */
int lsv_s3_place_parse(const char *url,
                       const struct lsv_client_options *options,
                       struct lsv_s3_place *place, char why[LSV_S3_WHY_SIZE]);
void lsv_s3_place_free(struct lsv_s3_place *place);
int lsv_s3_place_copy(const struct lsv_s3_place *from, struct lsv_s3_place *to);

#endif
