/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_url.h"

#include "replica/base/fileio.h"
#include "replica/store/s3_host.h"
#include "replica/store/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* The least that S3 takes for a part that is not the last. */

static const char no_secrets[] =
	"a URL is no place for secrets: keys come from the environment, the "
	"configuration or ~/.aws";

/* What a URL's query may say; the rest of its life is in lsv_s3_place. */
struct parameters {
	char *endpoint;
	char *region;
	char *path_style;
	char *skip_verify;
	char *sse;
	char *sse_kms_key_id;
	char *storage_class;
	char *part_size;
	char *concurrency;
	char *ca_file;
	/* cppcheck-suppress unusedStructMember */
	char *ignored; /* Litestream's, without a meaning here */
};

static const struct {
	const char *name;  /* as in litestream.yml */
	const char *camel; /* as stock 0.5 has it, too; NULL: the same */
	size_t at;
} names[] = {
	{"endpoint", NULL, offsetof(struct parameters, endpoint)},
	{"region", NULL, offsetof(struct parameters, region)},
	{"force-path-style", "forcePathStyle",
         offsetof(struct parameters, path_style)},
	{"skip-verify", "skipVerify", offsetof(struct parameters, skip_verify)},
	{"sse", NULL, offsetof(struct parameters, sse)},
	{"sse-kms-key-id", "sseKmsKeyId",
         offsetof(struct parameters, sse_kms_key_id)},
	{"storage-class", "storageClass",
         offsetof(struct parameters, storage_class)},
	{"part-size", "partSize", offsetof(struct parameters, part_size)},
	{"ca-file", NULL, offsetof(struct parameters, ca_file)},
	{"concurrency", NULL, offsetof(struct parameters, concurrency)},
	/* Bodies are always signed, with an MD5 besides. */
	{"sign-payload", "signPayload", offsetof(struct parameters, ignored)},
	{"sign-accept-encoding", "signAcceptEncoding",
         offsetof(struct parameters, ignored)},
	{"require-content-md5", "requireContentMD5",
         offsetof(struct parameters, ignored)},
	{"put-object-content-md5", "putObjectContentMD5",
         offsetof(struct parameters, ignored)},
};

static void parameters_free(struct parameters *parameters)
{
	for (size_t i = 0; i < LENGTH(names); i++) {
		char **value = (char **)((char *)parameters + names[i].at);

		free(take(*value));
	}
}

#define auto_parameters __attribute__((cleanup(parameters_free)))

__attribute__((format(printf, 2, 3))) static int wrong(
	char why[LSV_S3_WHY_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, LSV_S3_WHY_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

/* One "name=value" of n bytes. */
static int set_parameter(struct parameters *parameters, const char *word,
                         size_t n, char why[LSV_S3_WHY_SIZE])
{
	const char *equals = memchr(word, '=', n);
	size_t n_name = equals ? (size_t)(equals - word) : n;
	auto_free char *name = strndup(word, n_name);
	auto_free char *text = equals ? strndup(equals + 1, n - n_name - 1)
	                              : strdup("");
	char *value, **field;

	if (!name || !text)
		return -ENOMEM;
	for (size_t i = 0; i < LENGTH(names); i++) {
		if (strcmp(name, names[i].name) != 0 &&
		    (!names[i].camel || strcmp(name, names[i].camel) != 0))
			continue;
		value = lsv_url_decode(text);
		if (!value)
			return wrong(why,
			             "the value of %.*s is not encoded "
			             "as URLs are",
			             (int)n_name, name);
		field = (char **)((char *)parameters + names[i].at);
		free(*field);
		*field = value;
		return 0;
	}
	return wrong(why, "no option is called '%.*s'",
	             n_name < 40 ? (int)n_name : 40, name);
}

static int parse_query(const char *query, struct parameters *parameters,
                       char why[LSV_S3_WHY_SIZE])
{
	int r = 0;

	while (*query && r == 0) {
		size_t n = strcspn(query, "&");

		if (n)
			r = set_parameter(parameters, query, n, why);
		query += n + (query[n] == '&');
	}
	return r;
}

/* "a//b/../c/" is "a/c": what S3 has no folders for is no part of a key. */
static char *clean(const char *path)
{
	auto_free char *text = strdup(path);
	char *out = text ? calloc(strlen(path) + 2, 1) : NULL;
	char *rest = text, *word;
	size_t n = 0;

	if (!out)
		return NULL;
	while ((word = strsep(&rest, "/")) != NULL) {
		if (!*word || strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0) {
			char *slash = memrchr(out, '/', n);

			n = slash ? (size_t)(slash - out) : 0;
			continue;
		}
		n += (size_t)sprintf(out + n, "%s%s", n ? "/" : "", word);
	}
	out[n] = 0;
	return out;
}

/* Litestream's words for yes and no; *value stays where the text is empty. */
static int read_bool(const char *text, bool *value)
{
	static const char *const words[] = {"false", "true", "0",  "1",
	                                    "f",     "t",    "no", "yes"};

	for (size_t i = 0; text && *text && i < LENGTH(words); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*value = i % 2;
			return 0;
		}
	}
	return text && *text ? -EINVAL : 0;
}

static int set_text(char **field, const char *first, const char *second)
{
	const char *text = first && *first ? first : second;

	if (!text || !*text)
		return 0;
	free(*field);
	*field = strdup(text);
	return *field ? 0 : -ENOMEM;
}

static int set_endpoint(struct lsv_s3_place *place, const char *text,
                        char why[LSV_S3_WHY_SIZE])
{
	char *endpoint;

	if (strchr(text, '@'))
		return wrong(why, "%s", no_secrets);
	endpoint = lsv_s3_endpoint(text);
	if (!endpoint)
		return -ENOMEM;
	free(place->endpoint);
	place->endpoint = endpoint;
	place->is_path_style = true;
	return 0;
}

static int set_number(uint64_t *number, const char *text, uint64_t least,
                      uint64_t most)
{
	char *end;

	if (!text)
		return 0;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno || *end || !isdigit((unsigned char)*text) ||
	                       *number < least || *number > most
	               ? -EINVAL
	               : 0;
}

static int set_parts(struct lsv_s3_place *place,
                     const struct parameters *parameters,
                     const struct lsv_client_options *options,
                     char why[LSV_S3_WHY_SIZE])
{
	place->part_size = options->part_size;
	place->concurrency = options->concurrency;
	if (set_number(&place->part_size, parameters->part_size, LSV_PART_MIN,
	               LSV_PART_MAX) < 0)
		return wrong(why, "part-size is a number of bytes from 5 MiB "
		                  "to 5 GiB");
	if (set_number(&place->concurrency, parameters->concurrency, 0,
	               UINT32_MAX) < 0)
		return wrong(why, "concurrency is a number of parts");
	return 0;
}

static int set_sse(struct lsv_s3_place *place,
                   const struct parameters *parameters,
                   const struct lsv_client_options *options)
{
	int r = set_text(&place->sse, parameters->sse, options->sse);

	if (r == 0)
		r = set_text(&place->sse_kms_key_id, parameters->sse_kms_key_id,
		             options->sse_kms_key_id);
	if (r == 0 && place->sse_kms_key_id)
		r = set_text(&place->sse, place->sse, "aws:kms");
	return r;
}

static int set_switches(struct lsv_s3_place *place,
                        const struct parameters *parameters,
                        const struct lsv_client_options *options,
                        char why[LSV_S3_WHY_SIZE])
{
	if (options->force_path_style != LSV_CHOICE_NONE)
		place->is_path_style = options->force_path_style ==
		                       LSV_CHOICE_YES;
	place->skip_verify = options->skip_verify;
	if (read_bool(parameters->path_style, &place->is_path_style) < 0)
		return wrong(why, "force-path-style is true or false");
	if (read_bool(parameters->skip_verify, &place->skip_verify) < 0)
		return wrong(why, "skip-verify is true or false");
	return set_parts(place, parameters, options, why);
}

/* What the query and the options say over what the host says. */
static int overrule(struct lsv_s3_place *place,
                    const struct parameters *parameters,
                    const struct lsv_client_options *options,
                    char why[LSV_S3_WHY_SIZE])
{
	const char *endpoint = parameters->endpoint && *parameters->endpoint
	                               ? parameters->endpoint
	                               : options->endpoint;
	int r = 0;

	if (endpoint && *endpoint)
		r = set_endpoint(place, endpoint, why);
	if (r == 0)
		r = set_text(&place->region, parameters->region,
		             options->region);
	if (r == 0)
		r = set_text(&place->storage_class, parameters->storage_class,
		             options->storage_class);
	if (r == 0)
		r = set_text(&place->ca_file, parameters->ca_file,
		             options->ca_file);
	if (r == 0)
		r = set_sse(place, parameters, options);
	return r < 0 ? r : set_switches(place, parameters, options, why);
}

static int set_host(struct lsv_s3_place *place, const char *text,
                    char why[LSV_S3_WHY_SIZE])
{
	struct lsv_s3_host host;
	int r;

	if (strchr(text, '@'))
		return wrong(why, "%s", no_secrets);
	if (!lsv_url_has_port(text, strlen(text)))
		return wrong(why, "a port is a number");
	r = lsv_s3_host_parse(text, &host);
	if (r < 0)
		return r;
	place->bucket = host.bucket;
	place->region = host.region;
	place->endpoint = host.endpoint;
	place->is_path_style = host.is_path_style;
	if (!*place->bucket)
		return wrong(why, "no bucket is named: "
		                  "s3://BUCKET/PREFIX");
	return 0;
}

static int set_prefix(struct lsv_s3_place *place, const char *path, size_t n,
                      char why[LSV_S3_WHY_SIZE])
{
	auto_free char *text = strndup(path, n);
	auto_free char *decoded = text ? lsv_url_decode(text) : NULL;

	if (text && !decoded)
		return wrong(why, "behind a percent sign stand two "
		                  "hexadecimal digits");
	place->prefix = decoded ? clean(decoded) : NULL;
	return place->prefix ? 0 : -ENOMEM;
}

static int parse(const char *rest, const struct lsv_client_options *options,
                 struct lsv_s3_place *place, char why[LSV_S3_WHY_SIZE])
{
	auto_parameters struct parameters parameters = {0};
	size_t n_host = strcspn(rest, "/?"), n_path;
	auto_free char *host = strndup(rest, n_host);
	const char *path = rest + n_host;
	int r = host ? set_host(place, host, why) : -ENOMEM;

	n_path = strcspn(path, "?");
	if (r == 0)
		r = set_prefix(place, path, n_path, why);
	if (r == 0 && path[n_path])
		r = parse_query(path + n_path + 1, &parameters, why);
	return r < 0 ? r : overrule(place, &parameters, options, why);
}

int lsv_s3_place_parse(const char *url,
                       const struct lsv_client_options *options,
                       struct lsv_s3_place *place, char why[LSV_S3_WHY_SIZE])
{
	static const struct lsv_client_options none;
	struct lsv_s3_place out = {0};
	int r;

	why[0] = 0;
	if (strncasecmp(url, "s3://", 5) != 0)
		return wrong(why, "it does not begin with s3://");
	r = parse(url + 5, options ? options : &none, &out, why);
	if (r < 0)
		lsv_s3_place_free(&out);
	else
		*place = out;
	return r;
}

/* Its texts, each of them ours. */
static const size_t texts[] = {
	offsetof(struct lsv_s3_place, bucket),
	offsetof(struct lsv_s3_place, prefix),
	offsetof(struct lsv_s3_place, endpoint),
	offsetof(struct lsv_s3_place, region),
	offsetof(struct lsv_s3_place, sse),
	offsetof(struct lsv_s3_place, sse_kms_key_id),
	offsetof(struct lsv_s3_place, storage_class),
	offsetof(struct lsv_s3_place, ca_file),
};

static char **text_of(struct lsv_s3_place *place, size_t i)
{
	return (char **)((char *)place + texts[i]);
}

void lsv_s3_place_free(struct lsv_s3_place *place)
{
	for (size_t i = 0; i < LENGTH(texts); i++)
		free(take(*text_of(place, i)));
}

int lsv_s3_place_copy(const struct lsv_s3_place *from, struct lsv_s3_place *to)
{
	struct lsv_s3_place copy = *from;
	int r = 0;

	for (size_t i = 0; i < LENGTH(texts); i++) {
		char **text = text_of(&copy, i);

		if (!*text)
			continue;
		*text = r == 0 ? strdup(*text) : NULL;
		if (!*text)
			r = -ENOMEM;
	}
	if (r < 0)
		lsv_s3_place_free(&copy);
	else
		*to = copy;
	return r;
}
