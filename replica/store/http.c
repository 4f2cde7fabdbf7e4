/* SPDX-License-Identifier: MIT */

/*
 * A curl easy handle inside a multi handle of its own: the same transfer, but
 * ours to wait for, so that another thread can end it at once.
 */

#include "replica/store/http.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/store/digest.h"
#include "replica/store/env.h"
#include "replica/store/http_header.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#define CONNECT_MS 10000
#define STALLED_S 30
#define TOTAL_MS 60000
#define BYTES_A_SECOND (16U << 10)
#define BUFFER_SIZE (256L << 10)
#define POLL_MS 500

struct lsv_http {
	LIST_ENTRY(lsv_http) link; /* of those that are at work */
	CURL *easy;
	CURLM *multi;
	unsigned stalled_s;
	unsigned total_ms;
	unsigned bytes_a_second;
	_Atomic(int) is_stopped;
	char why[CURL_ERROR_SIZE];

	/* What is on the way. */
	const struct lsv_http_request *request;
	struct lsv_http_response *response;
	int64_t began_ns;
	int error;     /* of body, of 'into', or ours */
	bool has_head; /* to its empty line: curl does not mind a cut one */
};

/* Who is inside the libraries now, and whether anybody may still go there. */
static pthread_mutex_t work_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_ended = PTHREAD_COND_INITIALIZER;
static LIST_HEAD(work, lsv_http) at_work = LIST_HEAD_INITIALIZER(at_work);
static bool is_over;

static void before_fork(void)
{
	pthread_mutex_lock(&work_mutex);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&work_mutex);
}

/* The child has none of the threads that were at work. */
static void after_fork_in_child(void)
{
	LIST_INIT(&at_work);
	pthread_mutex_unlock(&work_mutex);
}

static void init(void)
{
	lsv_digest_init();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static void init_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init);
}

/* Ends the transfer from inside; the first reason counts. */
static void fail_with(struct lsv_http *http, int error)
{
	if (http->error == 0)
		http->error = error;
}

static size_t give_body(char *buf, size_t size, size_t n, void *arg)
{
	struct lsv_http *http = arg;
	struct lsv_reader *body = http->request->body;
	ssize_t got = body->read(body, buf, size * n);

	if (got >= 0)
		return (size_t)got;
	fail_with(http, (int)got);
	return CURL_READFUNC_ABORT;
}

/* A kept connection may turn out to be dead when half of the body is sent. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
	struct lsv_http *http = arg;
	struct lsv_reader *body = http->request->body;
	int r;

	if (offset != 0 || origin != SEEK_SET || !body || !body->rewind)
		return CURL_SEEKFUNC_CANTSEEK;
	r = body->rewind(body);
	if (r == 0)
		return CURL_SEEKFUNC_OK;
	fail_with(http, r);
	return CURL_SEEKFUNC_FAIL;
}

static bool is_success(int status)
{
	return status >= 200 && status < 300;
}

/* A refusal's text is for a person: what is too long is cut.  An answer that
 * somebody will read must be whole. */
static int keep_body(struct lsv_http *http, const char *bytes, size_t n)
{
	struct lsv_buf *body = &http->response->body;
	size_t room = LSV_HTTP_BODY_MAX - body->n;

	if (n <= room)
		return lsv_buf_append(body, bytes, n);
	if (is_success(http->response->status))
		return -EPROTO;
	return lsv_buf_append(body, bytes, room);
}

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct lsv_http *http = arg;
	struct lsv_writer *into = http->request->into;
	int r;

	n *= size;
	if (into && is_success(http->response->status))
		r = into->write(into, bytes, n);
	else
		r = keep_body(http, bytes, n);
	if (r == 0)
		return n;
	fail_with(http, r < 0 ? r : -ECANCELED);
	return n == 0 ? 1 : 0;
}

static size_t take_header(char *line, size_t size, size_t n, void *arg)
{
	struct lsv_http *http = arg;

	n *= size;
	http->has_head = n == 2 && memcmp(line, "\r\n", 2) == 0;
	lsv_http_header(http->response, line, n);
	return n;
}

/* A transfer may take long, but not for ever. */
static int watch(void *arg, curl_off_t down, curl_off_t down_now, curl_off_t up,
                 curl_off_t up_now)
{
	struct lsv_http *http = arg;
	int64_t ms = (lsv_clock_mono_ns() - http->began_ns) / LSV_NS_PER_MS;
	int64_t bytes = down > up ? down : up;

	/* Of a body whose length was not said: as long as it goes on. */
	if (bytes < down_now)
		bytes = down_now;
	if (bytes < up_now)
		bytes = up_now;
	if (ms <= http->total_ms + bytes / http->bytes_a_second * 1000)
		return 0;
	fail_with(http, -ETIMEDOUT);
	return 1;
}

/* Not for children of the application, and not where a closed stdout was. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose,
                                 struct curl_sockaddr *to)
{
	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);

	(void)arg;
	(void)purpose;
	fd = lsv_fd_raise(fd);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
	if (a && *a)
		return a;
	if (b && *b)
		return b;
	return c && *c ? c : NULL;
}

static void set_tls(struct lsv_http *http,
                    const struct lsv_http_options *options)
{
	CURL *easy = http->easy;
	const char *ca_file = first_of(options->ca_file,
	                               lsv_env("AWS_CA_BUNDLE"),
	                               lsv_env("SSL_CERT_FILE"));
	const char *ca_dir = first_of(lsv_env("SSL_CERT_DIR"), NULL, NULL);

	if (ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	if (ca_dir)
		curl_easy_setopt(easy, CURLOPT_CAPATH, ca_dir);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	if (!options->skip_verify)
		return;
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

static void set_once(struct lsv_http *http,
                     const struct lsv_http_options *options)
{
	CURL *easy = http->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "lsvfs/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->why);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(easy, CURLOPT_READDATA, http);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, http);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, http);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(
		easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(options->connect_ms ? options->connect_ms : CONNECT_MS));
	if (options->is_direct)
		curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	set_tls(http, options);
}

int lsv_http_open(const struct lsv_http_options *options, struct lsv_http **out)
{
	static const struct lsv_http_options none;
	struct lsv_http *http = calloc(1, sizeof *http);

	if (!http)
		return -ENOMEM;
	if (!options)
		options = &none;
	init_once();
	http->easy = curl_easy_init();
	http->multi = curl_multi_init();
	if (!http->easy || !http->multi) {
		lsv_http_close(http);
		return -ENOMEM;
	}
	http->stalled_s = options->stalled_s ? options->stalled_s : STALLED_S;
	http->total_ms = options->total_ms ? options->total_ms : TOTAL_MS;
	http->bytes_a_second = options->bytes_a_second ? options->bytes_a_second
	                                               : BYTES_A_SECOND;
	set_once(http, options);
	*out = http;
	return 0;
}

void lsv_http_close(struct lsv_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http);
}

static void set_method(CURL *easy, const struct lsv_http_request *request)
{
	curl_off_t size = request->body ? request->body->size : 0;

	curl_easy_setopt(easy, CURLOPT_UPLOAD, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (strcmp(request->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	/* A PUT or POST without a body says that its length is 0. */
	if (request->body || request->method[0] == 'P')
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, size);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static int append(struct curl_slist **list, const char *text)
{
	struct curl_slist *more = curl_slist_append(*list, text);

	if (!more)
		return -ENOMEM;
	*list = more;
	return 0;
}

static int set_headers(CURL *easy, const struct lsv_http_request *request,
                       struct curl_slist **list)
{
	/* Nothing that the request does not ask for itself. */
	int r = append(list, "Expect:");

	for (size_t i = 0; r == 0 && request->headers && request->headers[i];
	     i++)
		r = append(list, request->headers[i]);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *list);
	return r;
}

static bool begin_work(struct lsv_http *http)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&work_mutex);

	if (is_over || atomic_load(&http->is_stopped))
		return false;
	LIST_INSERT_HEAD(&at_work, http, link);
	return true;
}

static void end_work(struct lsv_http *http)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&work_mutex);

	LIST_REMOVE(http, link);
	pthread_cond_broadcast(&work_ended);
}

/* Until it is done, one way or the other. */
static CURLcode transfer(struct lsv_http *http)
{
	CURLcode code = CURLE_OUT_OF_MEMORY;
	int n_running = 1, n_messages;
	CURLMsg *message;

	while (n_running) {
		if (curl_multi_perform(http->multi, &n_running) != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
		if (!n_running)
			break;
		if (atomic_load(&http->is_stopped)) {
			fail_with(http, -ECANCELED);
			/* Threads that resolve a name are left alone. */
			curl_easy_setopt(http->easy, CURLOPT_QUICK_EXIT, 1L);
			return CURLE_ABORTED_BY_CALLBACK;
		}
		curl_multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
	}
	while ((message = curl_multi_info_read(http->multi, &n_messages)))
		if (message->msg == CURLMSG_DONE)
			code = message->data.result;
	return code;
}

/* Of what curl says: worth trying again, or not.  All else is -EPROTO. */
static const struct {
	CURLcode code;
	int err;
} meanings[] = {
	{CURLE_COULDNT_RESOLVE_PROXY, -EAGAIN},
	{CURLE_COULDNT_RESOLVE_HOST, -EAGAIN},
	{CURLE_COULDNT_CONNECT, -EAGAIN},
	{CURLE_OPERATION_TIMEDOUT, -EAGAIN},
	{CURLE_GOT_NOTHING, -EAGAIN},
	{CURLE_SEND_ERROR, -EAGAIN},
	{CURLE_RECV_ERROR, -EAGAIN},
	{CURLE_PARTIAL_FILE, -EAGAIN},
	{CURLE_SEND_FAIL_REWIND, -EAGAIN},
	{CURLE_SSL_CONNECT_ERROR, -EAGAIN},
	{CURLE_URL_MALFORMAT, -EINVAL},
	{CURLE_UNSUPPORTED_PROTOCOL, -EINVAL},
	{CURLE_OUT_OF_MEMORY, -ENOMEM},
	{CURLE_FAILED_INIT, -ENOMEM},
};

static int meaning_of(CURLcode code)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (meanings[i].code == code)
			return meanings[i].err;
	}
	return -EPROTO;
}

static const char *remedy_for(CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return "; if its certificate is right, name the file of its "
		       "authority with ca-file or $SSL_CERT_FILE";
	case CURLE_SSL_CACERT_BADFILE:
		return "; look at ca-file, $AWS_CA_BUNDLE and $SSL_CERT_FILE";
	case CURLE_SSL_CONNECT_ERROR:
		return "; does it speak TLS there?";
	case CURLE_COULDNT_CONNECT:
		return "; does the store run, are its host and port right?";
	case CURLE_OPERATION_TIMEDOUT:
		return "; is there a network, and no proxy or firewall between?";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "; is the name right, is there a network?";
	default:
		return "";
	}
}

static int explain(struct lsv_http *http, CURLcode code)
{
	char *why = http->response->why;
	int err = http->error;

	if (err == 0 && code == CURLE_OK && !http->has_head)
		code = CURLE_PARTIAL_FILE;
	if (err == 0 && code == CURLE_OK)
		return 0;
	if (err == -ETIMEDOUT) {
		snprintf(why, LSV_HTTP_WHY_SIZE, "it takes too long");
		return -EAGAIN;
	}
	if (err < 0) {
		snprintf(why, LSV_HTTP_WHY_SIZE, "%s", strerror(-err));
		return err;
	}
	snprintf(why, LSV_HTTP_WHY_SIZE, "%.300s%s",
	         http->why[0] ? http->why : curl_easy_strerror(code),
	         remedy_for(code));
	return meaning_of(code);
}

static int perform(struct lsv_http *http,
                   const struct lsv_http_request *request)
{
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_FAILED_INIT;

	set_method(http->easy, request);
	curl_easy_setopt(http->easy, CURLOPT_URL, request->url);
	curl_easy_setopt(http->easy, CURLOPT_LOW_SPEED_TIME,
	                 (long)(request->stalled_s ? request->stalled_s
	                                           : http->stalled_s));
	if (set_headers(http->easy, request, &headers) == 0 &&
	    curl_multi_add_handle(http->multi, http->easy) == CURLM_OK) {
		code = transfer(http);
		curl_multi_remove_handle(http->multi, http->easy);
	}
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	return explain(http, code);
}

int lsv_http_do(struct lsv_http *http, const struct lsv_http_request *request,
                struct lsv_http_response *response)
{
	int r;

	lsv_http_response_free(response);
	if (request->body && request->body->size < 0)
		return -EINVAL;
	*response = (struct lsv_http_response){.length = -1};
	http->request = request;
	http->response = response;
	http->began_ns = lsv_clock_mono_ns();
	http->error = 0;
	http->has_head = false;
	http->why[0] = 0;
	if (!begin_work(http)) {
		snprintf(response->why, LSV_HTTP_WHY_SIZE, "it was stopped");
		return -ECANCELED;
	}
	r = perform(http, request);
	end_work(http);
	return r;
}

void lsv_http_response_free(struct lsv_http_response *response)
{
	lsv_buf_free(&response->body);
	response->body = (struct lsv_buf){0};
}

void lsv_http_stop(struct lsv_http *http)
{
	atomic_store(&http->is_stopped, 1);
	curl_multi_wakeup(http->multi);
}

void lsv_http_stop_all(unsigned timeout_ms)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&work_mutex);
	int64_t until_ns = lsv_clock_ns() + timeout_ms * LSV_NS_PER_MS;
	struct timespec until = {until_ns / LSV_NS_PER_S,
	                         until_ns % LSV_NS_PER_S};
	struct lsv_http *http;
	int err = 0;

	is_over = true;
	for (http = LIST_FIRST(&at_work); http; http = LIST_NEXT(http, link))
		lsv_http_stop(http);
	while (!LIST_EMPTY(&at_work) && err == 0)
		err = pthread_cond_timedwait(&work_ended, &work_mutex, &until);
}
