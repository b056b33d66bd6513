/* The sample mail, through the server's own SMTP port, by libcurl. */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/demo/demo.h"
#include "grammar/mime/address_list.h"
#include "grammar/mime/header.h"
#include "run/files.h"

enum { LETTER_MAX = 16 << 20, ARENA_MAX = 4 << 20, SMTP_TIME_S = 60 };

struct letter {
	arena mem;
	buf text; /* with CRLF */
	size_t sent;
	char *from;
	struct curl_slist *to;
};

/* ---- where the letters lie ---- */

static DIR *open_letters(char *path, size_t size)
{
	static const char *const places[] = {POSTERN_SHARE "/demo-mail", POSTERN_DOCS "/demo-mail"};
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	if (n > 0) {
		path[n] = '\0';
		char *slash = strrchr(path, '/');
		size_t left = size - (size_t)(slash - path);
		DIR *dir = snprintf(slash, left, "/../docs/demo-mail") < (int)left ? opendir(path) : NULL;
		if (dir)
			return dir;
	}
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		DIR *dir = opendir(places[i]);
		if (dir && snprintf(path, size, "%s", places[i]) < (int)size)
			return dir;
		if (dir)
			closedir(dir);
	}
	return NULL;
}

/* ---- one letter ---- */

static void put_crlf(buf *out, str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
			buf_putc(out, '\r');
		buf_putc(out, text.p[i]);
	}
}

static char *address_of(struct letter *l, const struct address *a)
{
	AUTO_BUF buf text = buf_new(1024);
	if (a->kind != ADDRESS_MAILBOX || !a->mailbox.p || !a->host.p)
		return NULL;
	buf_put(&text, a->mailbox);
	buf_putc(&text, '@');
	buf_put(&text, a->host);
	return text.broken ? NULL : arena_cstr(&l->mem, buf_str(&text));
}

/* The letters are written to user1 ... userN @example.test; the demo has no others. */
static bool is_ours(const struct demo *d, const char *address, uint32_t *number)
{
	str a = str_from(address), tail = STR("@" DEMO_DOMAIN);
	return str_istarts(a, STR("user")) && str_iends(a, tail)
		&& str_to_u32(str_sub(a, 4, a.n - 4 - tail.n), number) && *number >= 1 && *number <= d->users;
}

static void add_recipient(const struct demo *d, struct letter *l, uint32_t number)
{
	char address[DEMO_DOMAIN_MAX + 32];
	snprintf(address, sizeof address, "user%u@%s", number, d->domain);
	for (const struct curl_slist *s = l->to; s; s = s->next)
		if (str_ieq(str_from(s->data), str_from(address)))
			return;
	struct curl_slist *more = curl_slist_append(l->to, address);
	l->to = more ? more : l->to;
}

static void read_recipients(const struct demo *d, struct letter *l, const struct header *h, enum header_id id)
{
	struct address a;
	struct address_walk w = address_walk_on(header_unfold(&l->mem, header_value(h, id)), &l->mem);
	while (address_next(&w, &a)) {
		uint32_t number;
		const char *address = address_of(l, &a);
		if (address && is_ours(d, address, &number))
			add_recipient(d, l, number);
	}
}

static result read_envelope(const struct demo *d, struct letter *l)
{
	struct header h;
	struct address a;
	str text = buf_str(&l->text);
	TRY(header_parse(str_sub(text, 0, header_length(text)), HEADER_FIELDS_MAX, &l->mem, &h));
	struct address_walk from = address_walk_on(header_unfold(&l->mem, header_value(&h, HEADER_FROM)), &l->mem);
	while (!l->from && address_next(&from, &a))
		l->from = address_of(l, &a);
	add_recipient(d, l, 1);
	read_recipients(d, l, &h, HEADER_TO);
	read_recipients(d, l, &h, HEADER_CC);
	return l->from && l->to ? OK : failure(FAIL_INPUT, "a sample letter has no sender");
}

static result letter_read(const struct demo *d, const char *path, struct letter *l)
{
	AUTO_BUF buf raw = buf_new(LETTER_MAX);
	*l = (struct letter){.mem = arena_new(ARENA_MAX), .text = buf_new(2 * LETTER_MAX)};
	TRY(file_load(path, &raw));
	put_crlf(&l->text, buf_str(&raw));
	TRY(buf_result(&l->text));
	return read_envelope(d, l);
}

static void letter_free(struct letter *l)
{
	curl_slist_free_all(l->to);
	buf_free(&l->text);
	arena_free(&l->mem);
}

/* ---- SMTP ---- */

static size_t give(char *to, size_t size, size_t n, void *ctx)
{
	struct letter *l = ctx;
	str left = str_sub(str_skip(buf_str(&l->text), l->sent), 0, size * n);
	if (left.n > 0)
		memcpy(to, left.p, left.n);
	l->sent += left.n;
	return left.n;
}

static result send_letter(struct demo *d, CURL *c, struct letter *l, const char *name)
{
	char why[CURL_ERROR_SIZE] = "", url[64];
	snprintf(url, sizeof url, "smtp://127.0.0.1:%u/demo.example.test", d->base + 25);
	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)SMTP_TIME_S);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, l->from);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, l->to);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(c, CURLOPT_READDATA, l);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	CURLcode code = curl_easy_perform(c);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK)
		return demo_trouble(d, FAIL_NETWORK, "the sample letter %s was not taken: %s", name,
				    why[0] ? why : curl_easy_strerror(code));
	return OK;
}

static result deliver(struct demo *d, CURL *c, const char *folder, const char *name)
{
	char path[8192];
	struct letter l;
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return failure(FAIL_LIMIT, "the path of the sample mail is too long");
	result r = letter_read(d, path, &l);
	if (!failed(r))
		r = send_letter(d, c, &l, name);
	letter_free(&l);
	return r;
}

static int is_letter(const struct dirent *e)
{
	return str_ends(str_from(e->d_name), STR(".eml"));
}

/* Sorted by name, so that the mailbox tells the story in its order. */
static result deliver_all(struct demo *d, CURL *c, const char *folder)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_letter, alphasort);
	result r = n >= 0 ? OK : demo_trouble(d, FAIL_DISK, "%s cannot be read: %s", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (!failed(r))
			r = deliver(d, c, folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return r;
}

result demo_mail(struct demo *d)
{
	char folder[4096];
	DIR *dir = open_letters(folder, sizeof folder);
	if (!dir)
		return failure(FAIL_ABSENT, "the sample mail (docs/demo-mail) is not there; start with --empty to go without");
	closedir(dir);
	CURL *c = curl_easy_init();
	result r = c ? deliver_all(d, c, folder) : failure(FAIL_MEMORY, "out of memory");
	curl_easy_cleanup(c);
	return r;
}
