/* SPDX-License-Identifier: MIT */

/*
 * A replica that is a bucket and a prefix.  What stands between its five verbs
 * and the wire:
 *
 *	s3_put s3_multipart s3_get s3_list
 *	s3_delete                             objects
 *	s3_request                            URL, signature, what stores
 *correct http                                  the wire
 *
 * No request is made before the first verb.
 */

#include "replica/base/log.h"
#include "replica/store/region.h"
#include "replica/store/s3_delete.h"
#include "replica/store/s3_get.h"
#include "replica/store/s3_list.h"
#include "replica/store/s3_put.h"
#include "replica/store/s3_request.h"
#include "replica/store/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct lsv_s3 *self(struct lsv_client *client)
{
	return (struct lsv_s3 *)client;
}

static int s3_put(struct lsv_client *client, const char *name,
                  struct lsv_reader *body, int64_t time_ns,
                  enum lsv_put_mode mode)
{
	return lsv_s3_put(self(client), name, body, time_ns, mode);
}

static int s3_get(struct lsv_client *client, const char *name,
                  const struct lsv_range *range, struct lsv_writer *into)
{
	return lsv_s3_get(self(client), name, range, into);
}

static int s3_list(struct lsv_client *client, const char *prefix,
                   lsv_list_fn *each, void *arg)
{
	return lsv_s3_list(self(client), prefix, each, arg);
}

static int s3_remove(struct lsv_client *client, const char *name)
{
	return lsv_s3_delete(self(client), name);
}

static int s3_remove_some(struct lsv_client *client, const char *const *names,
                          size_t n)
{
	return lsv_s3_delete_some(self(client), names, n);
}

static void release(struct lsv_s3_common *common)
{
	unsigned n;

	pthread_mutex_lock(&common->mutex);
	n = --common->n_clients;
	pthread_mutex_unlock(&common->mutex);
	if (n)
		return;
	lsv_credentials_close(common->credentials);
	lsv_s3_place_free(&common->place);
	pthread_mutex_destroy(&common->mutex);
	free(common);
}

static void s3_close(struct lsv_client *client)
{
	struct lsv_s3 *s3 = self(client);

	lsv_http_close(s3->http);
	if (s3->common)
		release(s3->common);
	free(s3->base.url);
	free(s3);
}

static int s3_clone(struct lsv_client *client, struct lsv_client **out);

static const struct lsv_client_ops s3_ops = {
	.scheme = "s3",
	.put = s3_put,
	.get = s3_get,
	.list = s3_list,
	.remove = s3_remove,
	.remove_some = s3_remove_some,
	.clone = s3_clone,
	.close = s3_close,
};

/* A client of 'common', of which it holds a share from then on. */
static int create(const char *url, struct lsv_s3_common *common,
                  struct lsv_client **out)
{
	struct lsv_s3 *s3 = calloc(1, sizeof *s3);

	if (!s3)
		return -ENOMEM;
	s3->base.ops = &s3_ops;
	s3->base.why = s3->why;
	s3->base.url = strndup(url, strcspn(url, "?"));
	if (!s3->base.url) {
		s3_close(&s3->base);
		return -ENOMEM;
	}
	pthread_mutex_lock(&common->mutex);
	common->n_clients++;
	pthread_mutex_unlock(&common->mutex);
	s3->common = common;
	*out = &s3->base;
	return 0;
}

static int s3_clone(struct lsv_client *client, struct lsv_client **out)
{
	return create(client->url, self(client)->common, out);
}

/* Where it is, as far as that is known before anybody was asked. */
static void set_region(struct lsv_s3_common *common)
{
	const struct lsv_s3_place *place = &common->place;
	auto_free char *found = NULL;
	const char *region = place->region;

	if (!region && !place->endpoint && lsv_region_find(&found) == 0)
		region = found;
	common->is_region_known = region != NULL;
	snprintf(common->region, sizeof common->region, "%s",
	         region ? region : "us-east-1");
	/* AWS does since 2024; every other store is asked. */
	if (!place->endpoint)
		common->guard = LSV_GUARD_HONOURED;
}

static int open_credentials(const struct lsv_client_options *options,
                            struct lsv_s3_common *common)
{
	const struct lsv_credential_options who = {
		.key_id = options ? options->access_key_id : NULL,
		.secret = options ? options->secret_access_key : NULL,
		.token = options ? options->session_token : NULL,
		.ca_file = common->place.ca_file,
	};

	return lsv_credentials_open(&who, &common->credentials);
}

int lsv_client_s3(const char *url, const struct lsv_client_options *options,
                  struct lsv_client **out)
{
	struct lsv_s3_common *common = calloc(1, sizeof *common);
	char why[LSV_S3_WHY_SIZE], shown[LSV_URL_SHOWN_SIZE];
	int r;

	if (!common)
		return -ENOMEM;
	pthread_mutex_init(&common->mutex, NULL);
	common->n_clients = 1; /* ours, until it is made */
	r = lsv_s3_place_parse(url, options, &common->place, why);
	lsv_url_show(url, shown, sizeof shown);
	if (r == -EINVAL)
		(void)log_error(0, "cannot open replica '%s': %s", shown, why);
	if (r == 0) {
		set_region(common);
		r = open_credentials(options, common);
	}
	if (r == 0)
		r = create(url, common, out);
	release(common);
	return r;
}
