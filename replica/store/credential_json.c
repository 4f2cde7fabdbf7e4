/* SPDX-License-Identifier: MIT */
#include "replica/store/credential_json.h"

#include "replica/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

LSV_AUTO(object, json_t, json_decref)
#define auto_object __attribute__((cleanup(lsv_auto_object)))

/* NULL: absent, null or empty. */
static const char *get(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && *text ? text : NULL;
}

/* What goes into a header must not end it. */
static bool is_plain(const char *text)
{
	if (!text)
		return true;
	for (; *text; text++)
		if (!isgraph((unsigned char)*text))
			return false;
	return true;
}

int lsv_credential_json_parse(const void *text, size_t n,
                              struct lsv_credential *out)
{
	auto_object json_t *object = json_loadb(text, n, 0, NULL);
	const char *code = get(object, "Code");
	const char *expires = get(object, "Expiration");
	const char *key_id = get(object, "AccessKeyId");
	const char *secret = get(object, "SecretAccessKey");
	const char *token = get(object, "Token");
	struct lsv_credential found = {0};

	if ((code && strcmp(code, "Success") != 0) || !key_id || !secret)
		return -EBADMSG;
	if (!is_plain(key_id) || !is_plain(secret) || !is_plain(token))
		return -EBADMSG;
	if (expires && lsv_time_parse(expires, &found.expires_ns) < 0)
		return -EBADMSG;
	found.key_id = strdup(key_id);
	found.secret = strdup(secret);
	found.token = token ? strdup(token) : NULL;
	if (!found.key_id || !found.secret || (token && !found.token)) {
		lsv_credential_free(&found);
		return -ENOMEM;
	}
	*out = found;
	return 0;
}

void lsv_credential_json_error(const void *text, size_t n,
                               char code[LSV_CREDENTIAL_CODE_SIZE])
{
	auto_object json_t *object = json_loadb(text, n, 0, NULL);
	const char *found = get(object, "code");

	if (!found)
		found = get(object, "Code");
	snprintf(code, LSV_CREDENTIAL_CODE_SIZE, "%s",
	         found && is_plain(found) ? found : "");
}
