#include "fetch/engine.h"
#include "fetch/transfer.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "run/clock.h"

enum { EVENTS = 64 };

struct work {
	const struct engine_wish *wish;
	CURL *easy;
	struct curl_slist *headers, *addresses;
	arena *a;
	buf body;
	size_t header; /* octets so far */
	bool over;     /* the answer is larger than it may be */
	bool begun, done;
	CURLcode code;
	struct gate changed;
	char error[CURL_ERROR_SIZE];
	struct asker_fetch_got *got;
};

/* One process has one. */
static struct {
	CURLM *multi;
	X509_STORE *trusted;
	int epoll, kick; /* kick: the timer changed while the fiber waits */
	struct fd_watch *watch;
	uint64_t timer;  /* on the monotonic clock; FIBER_FOREVER: none */
	bool acting;
} self = {.epoll = -1, .kick = -1, .timer = FIBER_FOREVER};

/* ---- what libcurl waits for ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	(void)easy;
	(void)ctx;
	struct epoll_event e = {.data.fd = fd, .events = (what & CURL_POLL_IN ? EPOLLIN : 0u)
				| (what & CURL_POLL_OUT ? EPOLLOUT : 0u)};
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(self.epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (epoll_ctl(self.epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) < 0)
		return -1;
	curl_multi_assign(self.multi, fd, &self);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
	(void)multi;
	(void)ctx;
	self.timer = ms < 0 ? FIBER_FOREVER : clock_mono_ms() + (uint64_t)ms;
	if (!self.acting && eventfd_write(self.kick, 1) < 0)
		return -1;
	return 0;
}

static void tell_the_done(void)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(self.multi, &left)) != NULL;) {
		char *ctx = NULL;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &ctx);
		struct work *w = (struct work *)(void *)ctx;
		w->done = true;
		w->code = m->data.result;
		gate_wake_all(&w->changed);
	}
}

static void act_on(const struct epoll_event *e)
{
	int running;
	eventfd_t count;
	if (e->data.fd == self.kick) {
		eventfd_read(self.kick, &count);
		return;
	}
	int flags = (e->events & EPOLLIN ? CURL_CSELECT_IN : 0) | (e->events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
		| (e->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	curl_multi_socket_action(self.multi, e->data.fd, flags, &running);
}

static void act(void *arg)
{
	struct epoll_event e[EVENTS];
	int running;
	(void)arg;
	self.acting = true;
	int n = epoll_wait(self.epoll, e, EVENTS, 0);
	for (int i = 0; i < n; i++)
		act_on(&e[i]);
	if (clock_left(self.timer) == 0) {
		self.timer = FIBER_FOREVER;
		curl_multi_socket_action(self.multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	tell_the_done();
	self.acting = false;
}

static void hear(void *arg)
{
	(void)arg;
	for (;;) {
		result r = fd_wait(self.watch, FD_READ, clock_left(self.timer));
		if (failed(r) && r.kind != FAIL_TIMEOUT)
			return;
		fiber_on_loop_stack(act, NULL);
	}
}

/* ---- life ---- */

static result open_multi(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	self.epoll = epoll_create1(EPOLL_CLOEXEC);
	self.kick = e.data.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (self.epoll < 0 || self.kick < 0 || epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.kick, &e) < 0)
		return failure(FAIL_LIMIT, "no descriptors for HTTPS");
	self.multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
	if (!self.multi)
		return failure(FAIL_MEMORY, "libcurl cannot be set up");
	curl_multi_setopt(self.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(self.multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(self.multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return OK;
}

result engine_open(X509_STORE *trusted)
{
	self.trusted = trusted;
	self.timer = FIBER_FOREVER;
	result r = open_multi();
	if (failed(r))
		engine_close();
	return r;
}

result engine_start(void)
{
	TRY(fd_watch_open(self.epoll, &self.watch));
	return fiber_start(hear, NULL, "curl", NULL);
}

void engine_close(void)
{
	if (self.watch)
		fd_watch_close(&self.watch);
	curl_multi_cleanup(self.multi);
	X509_STORE_free(self.trusted);
	self.multi = NULL;
	self.trusted = NULL;
	for (int *fd = &self.epoll; fd; fd = fd == &self.epoll ? &self.kick : NULL) {
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

/* ---- one request ---- */

static CURLcode on_ssl(CURL *easy, void *ssl, void *ctx)
{
	(void)easy;
	(void)ctx;
	SSL_CTX_set1_cert_store(ssl, self.trusted); /* curl's own is empty */
	return CURLE_OK;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct work *w = ctx;
	(void)p;
	w->header += size * n;
	w->over |= w->header > TRANSFER_HEADER_MAX;
	return w->over ? 0 : size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct work *w = ctx;
	w->over |= size * n > w->wish->request->octets - w->body.n;
	if (w->over)
		return 0;
	buf_put(&w->body, str_of(p, size * n));
	return w->body.broken ? 0 : size * n;
}

static void set_bounds(const struct work *w)
{
	CURL *c = w->easy;
	long ms = (long)w->wish->time_ms;
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)TRANSFER_CONNECT_MS);
}

static void set_tls(CURL *c)
{
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_ssl);
	curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

static bool set_post(struct work *w)
{
	const struct request *r = w->wish->request;
	AUTO_BUF buf type = buf_new(200);
	buf_printf(&type, "Content-Type: %.*s%c", STR_ARG(r->type), '\0');
	if (type.broken)
		return false;
	w->headers = curl_slist_append(NULL, type.p);
	if (!w->headers || !curl_slist_append(w->headers, "Expect:"))
		return false;
	curl_easy_setopt(w->easy, CURLOPT_HTTPHEADER, w->headers);
	curl_easy_setopt(w->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(w->easy, CURLOPT_POSTFIELDS, r->body.n > 0 ? r->body.p : "");
	curl_easy_setopt(w->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
	return true;
}

static bool set_request(struct work *w)
{
	char *url = request_url(w->wish->request, w->a);
	w->addresses = curl_slist_append(NULL, w->wish->addresses);
	if (!url || !w->addresses)
		return false;
	curl_easy_setopt(w->easy, CURLOPT_URL, url);
	curl_easy_setopt(w->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(w->easy, CURLOPT_RESOLVE, w->addresses);
	curl_easy_setopt(w->easy, CURLOPT_USERAGENT, "Postern");
	curl_easy_setopt(w->easy, CURLOPT_PRIVATE, w);
	curl_easy_setopt(w->easy, CURLOPT_ERRORBUFFER, w->error);
	curl_easy_setopt(w->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(w->easy, CURLOPT_HEADERDATA, w);
	curl_easy_setopt(w->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(w->easy, CURLOPT_WRITEDATA, w);
	return !w->wish->request->post || set_post(w);
}

static void begin(void *arg)
{
	struct work *w = arg;
	w->easy = curl_easy_init();
	if (!w->easy)
		return;
	set_bounds(w);
	set_tls(w->easy);
	w->begun = set_request(w) && curl_multi_add_handle(self.multi, w->easy) == CURLM_OK;
}

static str printable(const char *text, arena *a)
{
	str s = arena_dup(a, str_sub(str_from(text), 0, ASKER_FETCH_GOT_WHY_MAX));
	for (size_t i = 0; s.p && i < s.n; i++)
		if (str_at(s, i) < ' ' || str_at(s, i) > 126)
			((char *)(uintptr_t)s.p)[i] = '?';
	return s;
}

static void describe_end(struct work *w)
{
	long status = 0;
	char *type = NULL;
	if (w->code != CURLE_OK) {
		transfer_refuse("the answer is larger than it may be", w->got);
		if (!w->over)
			w->got->why = printable(w->error[0] ? w->error : curl_easy_strerror(w->code), w->a);
		return;
	}
	curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(w->easy, CURLINFO_CONTENT_TYPE, &type);
	*w->got = (struct asker_fetch_got){
		.finding = ASKER_FETCH_FINDING_DONE,
		.status = (uint16_t)status,
		.type = arena_dup(w->a, str_sub(str_from(type), 0, ASKER_FETCH_GOT_TYPE_MAX)),
		.message = body_of(arena_dup(w->a, buf_str(&w->body))),
	};
}

static void finish(void *arg)
{
	struct work *w = arg;
	if (w->done)
		describe_end(w);
	if (w->begun)
		curl_multi_remove_handle(self.multi, w->easy);
	curl_easy_cleanup(w->easy);
	curl_slist_free_all(w->headers);
	curl_slist_free_all(w->addresses);
	buf_free(&w->body);
}

static result await(struct work *w)
{
	if (!w->begun)
		return failure(FAIL_MEMORY, "out of memory");
	while (!w->done)
		TRY(gate_wait(&w->changed, FIBER_FOREVER));
	return OK;
}

result engine_run(const struct engine_wish *wish, arena *a, struct asker_fetch_got *got)
{
	struct work w = {.wish = wish, .a = a, .body = buf_new(TRANSFER_BODY_MAX), .got = got};
	gate_init(&w.changed);
	fiber_on_loop_stack(begin, &w);
	result r = await(&w);
	fiber_on_loop_stack(finish, &w);
	TRY(r);
	return arena_result(a);
}
