/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_error.h"

#include "replica/store/s3_xml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static int keep_element(void *arg, const char *path, const char *text)
{
	struct lsv_s3_error *error = arg;
	const char *name = strrchr(path, '/');

	if (strncmp(path, "Error/", 6) != 0)
		return 0;
	if (strcmp(name, "/Code") == 0)
		snprintf(error->code, sizeof error->code, "%s", text);
	if (strcmp(name, "/Message") == 0)
		snprintf(error->message, sizeof error->message, "%s", text);
	if (strcmp(name, "/Region") == 0)
		snprintf(error->region, sizeof error->region, "%s", text);
	return 0;
}

void lsv_s3_error_read(const struct lsv_http_response *response,
                       struct lsv_s3_error *error)
{
	*error = (struct lsv_s3_error){.status = response->status};
	/* A page of a proxy's is no XML; then the status must do. */
	(void)lsv_xml_read(response->body.data, response->body.n, keep_element,
	                   error);
	if (response->region[0])
		snprintf(error->region, sizeof error->region, "%.63s",
		         response->region);
}

static const struct {
	const char *code;
	int err;
} codes[] = {
	{"NoSuchKey", -ENOENT},
	{"AccessDenied", -EACCES},
	{"NoSuchBucket", -ENXIO},
	{"NoSuchUpload", -EAGAIN},
	{"PreconditionFailed", -EEXIST},
	{"ConditionalRequestConflict", -EAGAIN},
	{"OperationAborted", -EAGAIN},
	{"InvalidRange", -ERANGE},
	{"NotImplemented", -EOPNOTSUPP},
	{"SlowDown", -EAGAIN},
	{"ServiceUnavailable", -EAGAIN},
	{"InternalError", -EAGAIN},
	{"RequestTimeout", -EAGAIN},
	{"RequestTimeTooSkewed", -EACCES},
	{"BadDigest", -EAGAIN},
	{"XAmzContentSHA256Mismatch", -EAGAIN},
	{"IncompleteBody", -EAGAIN},
	{"QuotaExceeded", -ENOSPC},
	{"XMinioStorageFull", -ENOSPC},
	{"XMinioAdminBucketQuotaExceeded", -ENOSPC},
	{"AuthorizationHeaderMalformed", -EACCES},
	{"ExpiredToken", -EACCES},
	{"InvalidToken", -EACCES},
};

static const struct {
	int status;
	int err;
} statuses[] = {
	{401, -EACCES},     {403, -EACCES}, {404, -ENOENT}, {408, -EAGAIN},
	{409, -EAGAIN},     {412, -EEXIST}, {416, -ERANGE}, {429, -EAGAIN},
	{501, -EOPNOTSUPP}, {507, -ENOSPC},
};

int lsv_s3_error_meaning(const struct lsv_s3_error *error)
{
	for (size_t i = 0; i < LENGTH(codes); i++) {
		if (strcmp(codes[i].code, error->code) == 0)
			return codes[i].err;
	}
	for (size_t i = 0; i < LENGTH(statuses); i++) {
		if (statuses[i].status == error->status)
			return statuses[i].err;
	}
	return error->status >= 500 ? -EAGAIN : -EPROTO;
}

static const struct {
	const char *code;
	const char *text;
} remedies[] = {
	{"NoSuchBucket", "create the bucket, or correct its name in the URL"},
	{"AccessDenied",
         "the policy must let these keys list the bucket, and get, put and "
         "delete below the prefix"},
	{"SignatureDoesNotMatch",
         "the secret access key does not belong to the key id"},
	{"InvalidAccessKeyId", "the store does not know this access key id"},
	{"ExpiredToken", "the session has expired: get new credentials"},
	{"InvalidToken", "the session token is not of these keys"},
	{"AuthorizationHeaderMalformed", "give the right region"},
	{"PermanentRedirect", "give the bucket's region"},
	{"RequestTimeTooSkewed", "set this machine's clock"},
	{"AccountProblem", "ask the store's operator"},
	{"InvalidObjectState", "it is archived: restore it from there first"},
	{"SlowDown", "the store wants fewer requests"},
	{"QuotaExceeded", "the store is full: make room or raise the quota"},
	{"XMinioStorageFull", "the store is full: make room"},
};

void lsv_s3_error_text(const struct lsv_s3_error *error, char *text, size_t n)
{
	const char *remedy = NULL;

	for (size_t i = 0; i < LENGTH(remedies); i++) {
		if (strcmp(remedies[i].code, error->code) == 0)
			remedy = remedies[i].text;
	}
	if (!remedy && error->status == 403 && !error->code[0])
		remedy = "look at the keys and at the policy";
	snprintf(text, n, "the store says %d%s%s%s%s%s%s", error->status,
	         error->code[0] ? " " : "", error->code,
	         error->message[0] ? ", " : "", error->message,
	         remedy ? "; " : "", remedy ? remedy : "");
}
