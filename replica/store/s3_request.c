/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_request.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/store/digest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 24
/* The signature of a request is good for 15 minutes; who is this far off may
 * fail before long. */
#define SKEW_NS (INT64_C(240) * LSV_NS_PER_S)
#define LESSONS_MAX 4

int lsv_s3_failed(struct lsv_s3 *s3, int err, const char *name,
                  const char *format, ...)
{
	char text[LSV_CLIENT_WHY_SIZE];
	va_list args;

	if (err == -ENOENT) /* that is all there is to say */
		return err;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (name)
		snprintf(s3->why, sizeof s3->why, "%.120s: %.270s", name, text);
	else
		memcpy(s3->why, text, sizeof s3->why);
	log_debug("%s: %s", s3->base.url, s3->why);
	return err;
}

char *lsv_s3_key(const struct lsv_s3 *s3, const char *name)
{
	const char *prefix = s3->common->place.prefix;

	return *prefix ? lsv_sprintf("%s/%s", prefix, name) : strdup(name);
}

enum lsv_s3_guard lsv_s3_guard(struct lsv_s3 *s3)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&s3->common->mutex);

	return s3->common->guard;
}

void lsv_s3_set_guard(struct lsv_s3 *s3, enum lsv_s3_guard guard)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&s3->common->mutex);

	s3->common->guard = guard;
}

/* A request's parts on the wire. */
struct wire {
	char *base; /* "https://host" */
	char *host; /* as in the Host header */
	char *path;
	char *query;
	char *url;
	char region[LSV_S3_CODE_SIZE];
	int64_t now_ns; /* by the store's clock */
	char sha256[LSV_SHA256_TEXT_SIZE];
	char *headers[HEADERS_MAX];
	size_t n_headers;
};

static void wire_free(struct wire *wire)
{
	free(wire->base);
	free(wire->host);
	free(wire->path);
	free(wire->query);
	free(wire->url);
	for (size_t i = 0; i < wire->n_headers; i++)
		free(wire->headers[i]);
}

#define auto_wire __attribute__((cleanup(wire_free)))

static bool in_host(const struct lsv_s3_place *place)
{
	/* No certificate is for a name with more dots. */
	return !place->is_path_style &&
	       (place->endpoint || !strchr(place->bucket, '.'));
}

/* AWS's own endpoint; before the region is known, the one for all. */
static char *aws_endpoint(struct lsv_s3_common *common, const char *region)
{
	if (!common->is_region_known)
		return strdup("https://s3.amazonaws.com");
	return lsv_sprintf("https://s3.%s.amazonaws.com%s", region,
	                   strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

/* A default port is not named in the Host header. */
static void cut_port(char *host, bool is_https)
{
	char *colon = strrchr(host, ':');

	if (colon && strcmp(colon, is_https ? ":443" : ":80") == 0)
		*colon = 0;
}

/* base, host and the path up to the key. */
static int set_place(struct lsv_s3 *s3, struct wire *wire, char **root)
{
	struct lsv_s3_common *common = s3->common;
	const struct lsv_s3_place *place = &common->place;
	auto_free char *endpoint = place->endpoint
	                                   ? strdup(place->endpoint)
	                                   : aws_endpoint(common, wire->region);
	char *host, *path;
	size_t n_host;

	if (!endpoint)
		return -ENOMEM;
	host = strstr(endpoint, "://") + 3;
	n_host = strcspn(host, "/");
	path = host + n_host;
	wire->host = lsv_sprintf("%s%s%.*s",
	                         in_host(place) ? place->bucket : "",
	                         in_host(place) ? "." : "", (int)n_host, host);
	if (!wire->host)
		return -ENOMEM;
	wire->base = lsv_sprintf("%.*s%s", (int)(host - endpoint), endpoint,
	                         wire->host);
	cut_port(wire->host, strncasecmp(endpoint, "https", 5) == 0);
	*root = in_host(place) ? lsv_sprintf("%s/", path)
	                       : lsv_sprintf("%s/%s", path, place->bucket);
	return wire->base && *root ? 0 : -ENOMEM;
}

/* "/bucket/prefix/name" or, with the bucket in the host, "/prefix/name". */
static int set_path(struct lsv_s3 *s3, const char *root, const char *name,
                    struct wire *wire)
{
	auto_buf struct lsv_buf out = {0};
	auto_free char *key = name ? lsv_s3_key(s3, name) : strdup("");
	size_t n = strlen(root);
	int r = key ? lsv_uri_encode(&out, root, true) : -ENOMEM;

	if (r == 0 && *key && root[n - 1] != '/')
		r = lsv_buf_append(&out, "/", 1);
	if (r == 0)
		r = lsv_uri_encode(&out, key, true);
	if (r == 0)
		r = lsv_buf_append(&out, "", 1);
	if (r == 0)
		wire->path = (char *)take(out.data);
	return r;
}

static int set_url(struct lsv_s3 *s3, const struct lsv_s3_call *call,
                   struct wire *wire)
{
	auto_free char *root = NULL;
	int r = set_place(s3, wire, &root);

	if (r == 0)
		r = set_path(s3, root, call->name, wire);
	if (r == 0)
		r = lsv_query_text(call->query, call->n_query, &wire->query);
	if (r < 0)
		return r;
	wire->url = lsv_sprintf("%s%s%s%s", wire->base, wire->path,
	                        *wire->query ? "?" : "", wire->query);
	return wire->url ? 0 : -ENOMEM;
}

/* Takes 'header', which may be NULL: out of memory. */
static int add_header(struct wire *wire, char *header)
{
	if (!header || wire->n_headers == HEADERS_MAX - 1) {
		free(header);
		return -ENOMEM;
	}
	wire->headers[wire->n_headers++] = header;
	return 0;
}

static int add_headers(const struct lsv_s3_call *call,
                       const struct lsv_credential *credential,
                       struct wire *wire)
{
	char date[LSV_SIGV4_DATE_SIZE];
	int r = add_header(wire, lsv_sprintf("host: %s", wire->host));

	for (size_t i = 0; r == 0 && call->headers && call->headers[i]; i++)
		r = add_header(wire, strdup(call->headers[i]));
	lsv_sigv4_date(wire->now_ns, date);
	if (r == 0)
		r = add_header(wire, lsv_sprintf("x-amz-date: %s", date));
	if (r == 0)
		r = add_header(wire, lsv_sprintf("x-amz-content-sha256: %s",
		                                 wire->sha256));
	if (r == 0 && credential->token)
		r = add_header(wire, lsv_sprintf("x-amz-security-token: %s",
		                                 credential->token));
	return r;
}

static int add_signature(const struct lsv_s3_call *call,
                         const struct lsv_credential *credential,
                         struct wire *wire)
{
	const struct lsv_sigv4 request = {
		.method = call->method,
		.path = wire->path,
		.query = wire->query,
		.headers = (const char *const *)wire->headers,
		.body_sha256 = wire->sha256,
		.region = wire->region,
		.service = "s3",
	};
	char *header;
	int r;

	if (!credential->key_id)
		return 0;
	r = lsv_sigv4_sign(&request, credential->key_id, credential->secret,
	                   &header);
	return r < 0 ? r : add_header(wire, header);
}

static int prepare(struct lsv_s3 *s3, const struct lsv_s3_call *call,
                   const struct lsv_credential *credential, struct wire *wire)
{
	int r = lsv_sha256_text(call->body ? call->body : "", call->n_body,
	                        wire->sha256);

	pthread_mutex_lock(&s3->common->mutex);
	wire->now_ns = lsv_clock_ns() + s3->common->skew_ns;
	memcpy(wire->region, s3->common->region, sizeof wire->region);
	if (r == 0)
		r = set_url(s3, call, wire);
	pthread_mutex_unlock(&s3->common->mutex);
	if (r == 0)
		r = add_headers(call, credential, wire);
	return r < 0 ? r : add_signature(call, credential, wire);
}

static int open_http(struct lsv_s3 *s3)
{
	const struct lsv_s3_place *place = &s3->common->place;
	const struct lsv_http_options options = {
		.ca_file = place->ca_file,
		.skip_verify = place->skip_verify,
	};

	return s3->http ? 0 : lsv_http_open(&options, &s3->http);
}

/* One try.  0: there is an answer, whatever it says. */
static int send(struct lsv_s3 *s3, const struct lsv_s3_call *call,
                const struct lsv_credential *credential,
                struct lsv_http_response *response)
{
	auto_wire struct wire wire = {0};
	auto_reader struct lsv_reader *body = NULL;
	struct lsv_http_request request = {
		.method = call->method,
		.headers = (const char *const *)wire.headers,
		.into = call->into,
		.stalled_s = call->stalled_s,
	};
	int r = open_http(s3);

	if (r == 0)
		r = prepare(s3, call, credential, &wire);
	if (r < 0)
		return r;
	if (call->body) {
		body = lsv_reader_memory(call->body, call->n_body);
		if (!body)
			return -ENOMEM;
	}
	request.url = wire.url;
	request.body = body;
	r = lsv_http_do(s3->http, &request, response);
	log_debug("%s %s: %d", call->method, wire.url,
	          r < 0 ? r : response->status);
	if (r < 0)
		return lsv_s3_failed(s3, r, call->name, "%s: %s", wire.base,
		                     response->why);
	return 0;
}

/* What has been corrected in the course of one request. */
struct lessons {
	bool region;
	bool clock;
	bool credential;
};

static bool learn_region(struct lsv_s3_common *common,
                         const struct lsv_s3_error *error)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&common->mutex);

	if (!error->region[0] || (error->status != 301 &&
	                          error->status != 307 && error->status != 400))
		return false;
	if (common->is_region_known &&
	    strcmp(common->region, error->region) == 0)
		return false;
	log_debug("the bucket %s is in %s", common->place.bucket,
	          error->region);
	memcpy(common->region, error->region, sizeof common->region);
	common->is_region_known = true;
	return true;
}

/* Of HEAD there is no text that would say why it was refused. */
static bool learn_clock(struct lsv_s3_common *common,
                        const struct lsv_s3_error *error, int64_t date_ns)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&common->mutex);
	int64_t skew_ns = date_ns ? date_ns - lsv_clock_ns() : 0;
	int64_t off_ns = skew_ns - common->skew_ns;

	if (!date_ns || (error->status != 403 && error->status != 400) ||
	    (off_ns < SKEW_NS && off_ns > -SKEW_NS))
		return false;
	common->skew_ns = skew_ns;
	log_debug("the store's clock is %lld s before ours",
	          (long long)(skew_ns / LSV_NS_PER_S));
	return true;
}

static bool has_expired(const struct lsv_s3_error *error,
                        const struct lsv_credential *credential)
{
	static const char *const codes[] = {
		"ExpiredToken", "ExpiredTokenException", "InvalidToken",
		"TokenRefreshRequired", "InvalidAccessKeyId"};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (strcmp(codes[i], error->code) == 0)
			return true;
	}
	return credential->token && !error->code[0] &&
	       (error->status == 400 || error->status == 403);
}

/* Whether the same request may fare better now. */
static bool learn(struct lsv_s3 *s3, const struct lsv_s3_error *error,
                  int64_t date_ns, const struct lsv_credential *credential,
                  struct lessons *lessons)
{
	if (!lessons->region && learn_region(s3->common, error))
		return lessons->region = true;
	if (!lessons->clock && learn_clock(s3->common, error, date_ns))
		return lessons->clock = true;
	if (!lessons->credential && credential->key_id &&
	    has_expired(error, credential))
		return lessons->credential = true;
	return false;
}

static int get_credential(struct lsv_s3 *s3, bool renew,
                          struct lsv_credential *credential)
{
	char why[LSV_CREDENTIALS_WHY_SIZE];
	int r = lsv_credentials_get(s3->common->credentials, renew, credential);

	if (r == 0)
		return 0;
	lsv_credentials_why(s3->common->credentials, why);
	return lsv_s3_failed(s3, r, NULL, "%s",
	                     why[0] ? why : "there are no credentials");
}

int lsv_s3_do(struct lsv_s3 *s3, const struct lsv_s3_call *call,
              struct lsv_http_response *response)
{
	struct lessons lessons = {0};
	struct lsv_s3_error error;
	char text[LSV_CLIENT_WHY_SIZE];

	s3->why[0] = 0;
	for (int i = 0;; i++) {
		auto_credential struct lsv_credential credential = {0};
		bool was_renewed = lessons.credential;
		int r = get_credential(s3, was_renewed, &credential);

		if (r == 0)
			r = send(s3, call, &credential, response);
		if (r < 0)
			return r;
		if (response->status >= 200 && response->status < 300)
			return 0;
		lsv_s3_error_read(response, &error);
		if (i == LESSONS_MAX || !learn(s3, &error, response->date_ns,
		                               &credential, &lessons))
			break;
	}
	lsv_s3_error_text(&error, text, sizeof text);
	return lsv_s3_failed(s3, lsv_s3_error_meaning(&error), call->name, "%s",
	                     text);
}
