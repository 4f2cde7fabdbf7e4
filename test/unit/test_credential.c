/* SPDX-License-Identifier: MIT */
#include "replica/store/credential.h"

#include "replica/base/clock.h"
#include "replica/store/credential_json.h"
#include "replica/store/sts_xml.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <string.h>

/* Nothing of the machine's own, and nobody asked over a network. */
static void forget_environment(void)
{
	static const char *const names[] = {
		"LITESTREAM_ACCESS_KEY_ID",
		"LITESTREAM_SECRET_ACCESS_KEY",
		"AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN",
		"AWS_PROFILE",
		"AWS_DEFAULT_PROFILE",
		"AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"HOME",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials", 1);
	setenv("AWS_CONFIG_FILE", "/nowhere/config", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

static void expect(const struct lsv_credential_options *options,
                   const char *key_id, const char *secret, const char *token)
{
	auto_credentials struct lsv_credentials *chain = NULL;
	auto_credential struct lsv_credential found = {0};

	ck_assert_int_eq(lsv_credentials_open(options, &chain), 0);
	ck_assert_int_eq(lsv_credentials_get(chain, false, &found), 0);
	ck_assert_pstr_eq(found.key_id, key_id);
	ck_assert_pstr_eq(found.secret, secret);
	ck_assert_pstr_eq(found.token, token);
	ck_assert_int_eq(found.expires_ns, 0);
}

static void expect_failure(const struct lsv_credential_options *options,
                           const char *why_has)
{
	auto_credentials struct lsv_credentials *chain = NULL;
	auto_credential struct lsv_credential found = {0};
	char why[LSV_CREDENTIALS_WHY_SIZE];

	ck_assert_int_eq(lsv_credentials_open(options, &chain), 0);
	ck_assert_int_eq(lsv_credentials_get(chain, false, &found), -EACCES);
	lsv_credentials_why(chain, why);
	ck_assert_msg(strstr(why, why_has), "'%s' has no '%s'", why, why_has);
	ck_assert_msg(!strstr(why, "hush"), "%s", why);
}

START_TEST(the_first_source_that_has_one_gives_it)
{
	const struct lsv_credential_options configured = {
		.key_id = "CONFIGURED", .secret = "hush-0", .token = "TOKEN"};
	const struct lsv_credential_options anonymous = {.is_anonymous = true};

	forget_environment();
	expect_failure(NULL, "no credentials found");
	setenv("AWS_ACCESS_KEY_ID", "AWS", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "hush-2", 1);
	expect(NULL, "AWS", "hush-2", NULL);
	setenv("AWS_SESSION_TOKEN", "SESSION", 1);
	expect(NULL, "AWS", "hush-2", "SESSION");
	setenv("LITESTREAM_ACCESS_KEY_ID", "LS", 1);
	setenv("LITESTREAM_SECRET_ACCESS_KEY", "hush-1", 1);
	expect(NULL, "LS", "hush-1", NULL);
	expect(&configured, "CONFIGURED", "hush-0", "TOKEN");
	expect(&anonymous, NULL, NULL, NULL);
}
END_TEST

START_TEST(half_a_key_is_said_and_nobody_else_steps_in)
{
	const struct lsv_credential_options key_only = {.key_id = "K"};
	const struct lsv_credential_options secret_only = {.secret = "hush"};

	forget_environment();
	setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
	expect_failure(NULL, "AWS_ACCESS_KEY_ID is not");
	setenv("AWS_ACCESS_KEY_ID", "AWS", 1);
	setenv("LITESTREAM_ACCESS_KEY_ID", "LS", 1);
	expect_failure(NULL, "LITESTREAM_SECRET_ACCESS_KEY is not");
	expect_failure(&key_only, "secret-access-key is not");
	expect_failure(&secret_only, "access-key-id is not");
}
END_TEST

START_TEST(who_asks_the_same_shares_a_chain)
{
	const struct lsv_credential_options a = {.key_id = "A", .secret = "1"};
	const struct lsv_credential_options same = {.key_id = "A",
	                                            .secret = "1"};
	const struct lsv_credential_options other = {.key_id = "A",
	                                             .secret = "2"};
	auto_credentials struct lsv_credentials *first = NULL;
	auto_credentials struct lsv_credentials *second = NULL;
	auto_credentials struct lsv_credentials *third = NULL;

	ck_assert_int_eq(lsv_credentials_open(&a, &first), 0);
	ck_assert_int_eq(lsv_credentials_open(&same, &second), 0);
	ck_assert_int_eq(lsv_credentials_open(&other, &third), 0);
	ck_assert_ptr_eq(first, second);
	ck_assert_ptr_ne(first, third);
}
END_TEST

#define GOOD_JSON                                                              \
	"\"AccessKeyId\": \"K\", \"SecretAccessKey\": \"S\", "                 \
	"\"Token\": \"T\", \"Expiration\": \"2026-11-24T20:00:00Z\""

START_TEST(json_of_a_metadata_service)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{"{" GOOD_JSON "}", 0},
		{"{\"Code\": \"Success\", " GOOD_JSON "}", 0},
		{"{\"Code\": \"Failed\", " GOOD_JSON "}", -EBADMSG},
		{"{\"AccessKeyId\": \"K\", \"SecretAccessKey\": \"S\"}", 0},
		{"{\"AccessKeyId\": \"K\"}", -EBADMSG},
		{"{\"AccessKeyId\": \"K\", \"SecretAccessKey\": \"\"}",
	         -EBADMSG},
		{"{\"AccessKeyId\": 7, \"SecretAccessKey\": \"S\"}", -EBADMSG},
		{"{\"AccessKeyId\": \"K\\r\\nX: y\", "
	         "\"SecretAccessKey\": \"S\"}",
	         -EBADMSG},
		{"{\"AccessKeyId\": \"K\", \"SecretAccessKey\": \"S\", "
	         "\"Token\": \"a b\"}",
	         -EBADMSG},
		{"{\"AccessKeyId\": \"K\", \"SecretAccessKey\": \"S\", "
	         "\"Expiration\": \"soon\"}",
	         -EBADMSG},
		{"[]", -EBADMSG},
		{"", -EBADMSG},
		{"{" GOOD_JSON, -EBADMSG},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_credential struct lsv_credential found = {0};

		ck_assert_int_eq(
			lsv_credential_json_parse(
				cases[i].text, strlen(cases[i].text), &found),
			cases[i].r);
		ck_assert_pstr_eq(found.key_id, cases[i].r ? NULL : "K");
	}
}
END_TEST

START_TEST(json_has_all_its_fields)
{
	static const char text[] = "{" GOOD_JSON "}";
	auto_credential struct lsv_credential found = {0};
	int64_t expires_ns;

	ck_assert_int_eq(lsv_credential_json_parse(text, strlen(text), &found),
	                 0);
	ck_assert_int_eq(lsv_time_parse("2026-11-24T20:00:00Z", &expires_ns),
	                 0);
	ck_assert_str_eq(found.secret, "S");
	ck_assert_str_eq(found.token, "T");
	ck_assert_int_eq(found.expires_ns, expires_ns);
}
END_TEST

START_TEST(json_of_an_error_has_a_code)
{
	static const struct {
		const char *text, *code;
	} cases[] = {
		{"{\"code\": \"AccessDenied\"}", "AccessDenied"},
		{"{\"Code\": \"X\"}", "X"},
		{"{\"code\": \"a\\nb\"}", ""},
		{"nothing", ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char code[LSV_CREDENTIAL_CODE_SIZE];

		lsv_credential_json_error(cases[i].text, strlen(cases[i].text),
		                          code);
		ck_assert_str_eq(code, cases[i].code);
	}
}
END_TEST

#define STS(inside)                                                            \
	"<?xml version=\"1.0\"?><AssumeRoleResponse xmlns=\"x\">"              \
	"<AssumeRoleResult><Credentials>" inside                               \
	"</Credentials></AssumeRoleResult></AssumeRoleResponse>"
#define STS_ALL                                                                \
	"<SessionToken> T&amp;U </SessionToken><Other><Secret/></Other>\n"     \
	"<SecretAccessKey>S</SecretAccessKey>"                                 \
	"<Expiration>2026-11-24T20:00:00.500Z</Expiration>"                    \
	"<AccessKeyId>K</AccessKeyId>"

START_TEST(xml_of_sts)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{STS(STS_ALL), 0},
		{STS("<AccessKeyId>K</AccessKeyId>"), -EBADMSG},
		{STS("<Wrong>" STS_ALL "</Wrong>"), -EBADMSG},
		{"<!DOCTYPE a [<!ENTITY b \"c\">]>" STS(STS_ALL), -EBADMSG},
		{"<AssumeRoleResponse><Credentials>" STS_ALL, -EBADMSG},
		{"", -EBADMSG},
		{"<html><AccessKeyId>K</AccessKeyId></html>", -EBADMSG},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_credential struct lsv_credential found = {0};

		ck_assert_int_eq(lsv_sts_parse(cases[i].text,
		                               strlen(cases[i].text), &found),
		                 cases[i].r);
		if (cases[i].r < 0)
			continue;
		ck_assert_str_eq(found.key_id, "K");
		ck_assert_str_eq(found.secret, "S");
		ck_assert_str_eq(found.token, "T&U");
		ck_assert_int_eq(found.expires_ns % LSV_NS_PER_S,
		                 500 * LSV_NS_PER_MS);
	}
}
END_TEST

START_TEST(xml_of_an_error_has_a_code_and_a_line)
{
	static const char text[] =
		"<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type>"
		"<Code>AccessDenied</Code><Message>you\nmay not</Message>"
		"</Error><RequestId>1</RequestId></ErrorResponse>";
	struct lsv_sts_error error;

	lsv_sts_parse_error(text, strlen(text), &error);
	ck_assert_str_eq(error.code, "AccessDenied");
	ck_assert_str_eq(error.message, "you may not");
	lsv_sts_parse_error("<html>", 6, &error);
	ck_assert_str_eq(error.code, "");
	ck_assert_str_eq(error.message, "");
}
END_TEST

UNIT(credential, the_first_source_that_has_one_gives_it,
     half_a_key_is_said_and_nobody_else_steps_in,
     who_asks_the_same_shares_a_chain, json_of_a_metadata_service,
     json_has_all_its_fields, json_of_an_error_has_a_code, xml_of_sts,
     xml_of_an_error_has_a_code_and_a_line)
