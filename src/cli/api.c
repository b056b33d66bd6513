#include "cli/api.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "run/secret.h"

struct slot {
	CURL *easy;
	struct api_job *job; /* NULL: free */
	buf answer;
	buf sent; /* may hold a password: wiped */
};

struct api {
	char socket[256];
	char *folder; /* for what people are told */
	int stop_fd;
	CURLM *multi;
	struct curl_slist *headers;
	struct slot slots[API_PARALLEL];
};

json_t *api_problem(const char *kind, const char *text)
{
	return json_pack("{s:s, s:s}", "error", text, "kind", kind);
}

/* ---- opening ---- */

static result enter_folder(struct api *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	str name = str_from(slash ? slash + 1 : path);
	str folder = slash ? str_of(path, slash == path ? 1 : (size_t)(slash - path)) : STR(".");
	if (name.n == 0 || name.n > 100)
		return failure(FAIL_INPUT, "the socket's own name is empty or longer than 100 octets");
	a->folder = mem_alloc(folder.n + 1);
	if (!a->folder)
		return failure(FAIL_MEMORY, "out of memory");
	memcpy(a->folder, folder.p, folder.n);
	memcpy(a->socket, name.p, name.n);
	if (chdir(a->folder) == 0)
		return OK;
	if (errno == EACCES)
		return failure(FAIL_DENIED, "you may not enter the server's directory; use sudo, or the user that runs it");
	return failure(FAIL_ABSENT, "there is no such directory; name the server's with --dir");
}

static result open_curl(struct api *a)
{
	a->multi = curl_multi_init();
	a->headers = curl_slist_append(NULL, "Content-Type: application/json");
	struct curl_slist *more = a->headers ? curl_slist_append(a->headers, "Expect:") : NULL;
	if (!a->multi || !more)
		return failure(FAIL_MEMORY, "out of memory");
	for (size_t i = 0; i < API_PARALLEL; i++) {
		a->slots[i].answer = buf_new(API_ANSWER_MAX);
		a->slots[i].sent = buf_new(API_ANSWER_MAX);
	}
	return OK;
}

result api_open(const char *socket_path, int stop_fd, struct api **out)
{
	struct api *a = mem_alloc(sizeof *a);
	if (!a)
		return failure(FAIL_MEMORY, "out of memory");
	a->stop_fd = stop_fd;
	result r = enter_folder(a, socket_path);
	if (!failed(r))
		r = open_curl(a);
	if (failed(r))
		api_close(&a);
	else
		*out = a;
	return r;
}

static void slot_clear(struct slot *s)
{
	if (s->sent.p)
		secret_wipe(s->sent.p, s->sent.cap);
	buf_clear(&s->sent);
	buf_clear(&s->answer);
	s->job = NULL;
}

void api_close(struct api **at)
{
	struct api *a = *at;
	*at = NULL;
	if (!a)
		return;
	for (size_t i = 0; i < API_PARALLEL; i++) {
		slot_clear(&a->slots[i]);
		buf_free(&a->slots[i].sent);
		buf_free(&a->slots[i].answer);
		curl_easy_cleanup(a->slots[i].easy);
	}
	curl_slist_free_all(a->headers);
	curl_multi_cleanup(a->multi);
	mem_free(a->folder);
	mem_free(a);
}

/* ---- one request ---- */

static size_t on_answer(char *p, size_t size, size_t n, void *to)
{
	buf *b = to;
	buf_put(b, str_of(p, size * n));
	return b->broken ? 0 : size * n;
}

static int put_piece(const char *p, size_t n, void *to)
{
	buf_put(to, str_of(p, n));
	return 0;
}

static bool prepare(struct api *a, struct slot *s)
{
	char url[128];
	/* One piece of memory: a buffer that grew would leave copies nobody wipes. */
	size_t need = json_dumpb(s->job->in, NULL, 0, JSON_COMPACT);
	if (!buf_reserve(&s->sent, need + 1) || json_dump_callback(s->job->in, put_piece, &s->sent, JSON_COMPACT) < 0)
		return false;
	if (!s->easy)
		s->easy = curl_easy_init();
	if (!s->easy)
		return false;
	curl_easy_reset(s->easy);
	snprintf(url, sizeof url, "http://localhost/v1/%s", s->job->name);
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	curl_easy_setopt(s->easy, CURLOPT_UNIX_SOCKET_PATH, a->socket);
	curl_easy_setopt(s->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, a->headers);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->sent.p);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)s->sent.n);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, &s->answer);
	curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT, (long)API_CONNECT_S);
	curl_easy_setopt(s->easy, CURLOPT_TIMEOUT, s->job->time_s ? s->job->time_s : (long)API_TIME_S);
	curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
	return curl_multi_add_handle(a->multi, s->easy) == CURLM_OK;
}

static json_t *unreachable(const struct api *a, CURLcode code)
{
	char text[1024];
	struct stat s;
	if (code != CURLE_COULDNT_CONNECT)
		snprintf(text, sizeof text, "the server at %s/%s did not answer: %s", a->folder, a->socket,
			 curl_easy_strerror(code));
	else if (stat(a->socket, &s) < 0 && errno == ENOENT)
		snprintf(text, sizeof text,
			 "no server runs in %s (there is no %s); start it, or name another directory with --dir", a->folder,
			 a->socket);
	else
		snprintf(text, sizeof text,
			 "the server in %s cannot be reached by %s; see whether posternd runs, and whether you may use the socket",
			 a->folder, a->socket);
	return api_problem("unreachable", text);
}

static void settle(struct api *a, struct slot *s, CURLcode code)
{
	struct api_job *j = s->job;
	long status = 0;
	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	j->out = code == CURLE_OK ? json_loadb(s->answer.p ? s->answer.p : "", s->answer.n, 0, NULL) : unreachable(a, code);
	if (!j->out) {
		j->out = api_problem("unreachable", "what answered on the administration socket is not a Postern server");
		code = CURLE_WEIRD_SERVER_REPLY;
	}
	j->status = code != CURLE_OK ? STATUS_UNREACHABLE : status == 200 ? STATUS_DONE : STATUS_NO;
	curl_multi_remove_handle(a->multi, s->easy);
	json_decref(j->in);
	j->in = NULL;
	slot_clear(s);
}

static void give_up(struct api_job *j, const char *why)
{
	j->status = STATUS_UNREACHABLE;
	j->out = api_problem("unreachable", why);
	json_decref(j->in);
	j->in = NULL;
}

/* ---- many ---- */

static size_t fill(struct api *a, struct api_job *jobs, size_t n, size_t next)
{
	for (size_t i = 0; i < API_PARALLEL && next < n; i++) {
		struct slot *s = &a->slots[i];
		if (s->job)
			continue;
		s->job = &jobs[next++];
		if (!prepare(a, s)) {
			give_up(s->job, "out of memory");
			slot_clear(s);
		}
	}
	return next;
}

static void take_done(struct api *a)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(a->multi, &left));) {
		struct slot *s = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s);
		settle(a, s, code);
	}
}

static bool wait_some(struct api *a)
{
	struct curl_waitfd stop = {.fd = a->stop_fd, .events = CURL_WAIT_POLLIN};
	int running;
	curl_multi_perform(a->multi, &running);
	take_done(a);
	if (running > 0)
		curl_multi_poll(a->multi, &stop, a->stop_fd >= 0 ? 1 : 0, 1000, NULL);
	return stop.revents == 0;
}

static bool is_busy(const struct api *a)
{
	for (size_t i = 0; i < API_PARALLEL; i++)
		if (a->slots[i].job)
			return true;
	return false;
}

void api_run(struct api *a, struct api_job *jobs, size_t n)
{
	size_t next = 0;
	bool go_on = true;
	while (go_on && (next < n || is_busy(a))) {
		next = fill(a, jobs, n, next);
		go_on = wait_some(a);
	}
	for (size_t i = 0; i < API_PARALLEL; i++)
		if (a->slots[i].job)
			settle(a, &a->slots[i], CURLE_ABORTED_BY_CALLBACK);
	for (; next < n; next++)
		give_up(&jobs[next], "interrupted");
}

int api_post(struct api *a, const char *name, json_t *in, json_t **out)
{
	struct api_job j = {.name = name, .in = in};
	api_run(a, &j, 1);
	*out = j.out;
	return j.status;
}

int api_list(struct api *a, const struct api_pages *p, json_t **out)
{
	json_t *all = json_array(), *page = NULL, *after = NULL, *rows;
	int status;
	for (;;) {
		json_t *in = p->in ? json_copy((json_t *)(uintptr_t)p->in) : json_object();
		if (after)
			json_object_set(in, "after", after);
		status = api_post(a, p->name, in, &page);
		rows = json_object_get(page, "rows");
		if (status != STATUS_DONE || json_array_size(rows) == 0)
			break;
		json_array_extend(all, rows);
		json_decref(after);
		after = json_incref(json_object_get(json_array_get(rows, json_array_size(rows) - 1), p->key));
		json_decref(page);
	}
	json_decref(after);
	if (status == STATUS_DONE)
		json_object_set(page, "rows", all);
	json_decref(all);
	*out = page;
	return status;
}
