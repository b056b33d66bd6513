/* Client certificates, for people. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client_key.h"
#include "cli/commands.h"
#include "run/files.h"
#include "run/secret.h"

/* What is asked of the server, with what the certificate is made for. */
static json_t *request_for(const struct call *c, const buf *public)
{
	const char *expires = call_option(c, "expires");
	int64_t at = 0;
	if (expires && !time_of_text(str_from(expires), time(NULL), &at))
		return NULL;
	return json_pack("{s:s, s:s, s:s%, s:o, s:o, s:I}", "account", call_option(c, "account"), "name", c->words[0],
		"public", public->p, public->n, "protocols", words_of(c, "protocol"), "networks", words_of(c, "network"),
		"expires", (json_int_t)at);
}

static int ask(struct call *c, const buf *public, json_t **answer)
{
	json_t *in = request_for(c, public);
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "names are UTF-8 text; --expires is 90d, 12h, a day such as "
			"2027-01-31, or 2027-01-31T18:00:00Z");
	return ask_server(c, "certificate-add", in, answer);
}

/* ---- for a key that the device has ---- */

static int add_for_request(struct call *c, const char *file)
{
	AUTO_BUF buf pem = buf_new(CLIENT_REQUEST_MAX), public = buf_new(CLIENT_PUBLIC_MAX);
	json_t *answer;
	result r = file_load(file, &pem);
	if (!failed(r))
		r = client_request_public(buf_str(&pem), &public);
	if (failed(r))
		return complain(c, STATUS_USAGE, "usage", r.text);
	int status = ask(c, &public, &answer);
	if (status == STATUS_DONE && c->json)
		show_json(answer);
	else if (status == STATUS_DONE)
		printf("%.*s%.*s", STR_ARG(text_of(answer, "certificate")), STR_ARG(text_of(answer, "authority")));
	return finish(status, answer);
}

/* ---- with a key of its own ---- */

struct target {
	char path[4096];
	int fd;
};

/* Before the server is asked: a certificate that cannot be kept is not made. */
static result open_target(const struct call *c, struct target *t)
{
	const char *out = call_option(c, "out");
	int n = snprintf(t->path, sizeof t->path, "%s%s", out ? out : c->words[0], out ? "" : ".p12");
	if (n <= 0 || (size_t)n >= sizeof t->path || (!out && strchr(c->words[0], '/')))
		return failure(FAIL_INPUT, "say with --out which file to write");
	t->fd = open(t->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (t->fd >= 0)
		return OK;
	return errno == EEXIST ? failure(FAIL_EXISTS, "the file exists already; name another one with --out")
			       : failure(FAIL_DENIED, "the file cannot be made; name another one with --out");
}

static result write_target(const struct target *t, str bytes)
{
	bool good = write(t->fd, bytes.p, bytes.n) == (ssize_t)bytes.n && fsync(t->fd) == 0;
	return good ? OK : failure(FAIL_DISK, "the file cannot be written; revoke the certificate, and make another one");
}

static void tell(const struct call *c, const struct target *t, const json_t *answer, str passphrase)
{
	if (c->json) {
		json_t *v = json_pack("{s:s%, s:s, s:O, s:O, s:O}", "passphrase", passphrase.p, passphrase.n, "file", t->path,
			"serial", json_object_get(answer, "serial"), "fingerprint", json_object_get(answer, "fingerprint"),
			"expires", json_object_get(answer, "expires"));
		show_json(v);
		json_decref(v);
		return;
	}
	printf("%.*s\n", STR_ARG(passphrase));
	fprintf(stderr, "This is the passphrase of %s, where the certificate \"%s\" of %s is with its key; it is not shown "
		"again.\nGive both to the device, then delete the file.\n", t->path, c->words[0], call_option(c, "account"));
}

static int keep(struct call *c, const struct target *t, EVP_PKEY *key, json_t *answer)
{
	char passphrase[CLIENT_PASSPHRASE];
	SECRET_BUF buf file = buf_new(CLIENT_FILE_MAX);
	const struct client_file f = {.key = key, .name = c->words[0],
		.certificate = json_string_value(json_object_get(answer, "certificate")),
		.authority = json_string_value(json_object_get(answer, "authority"))};
	result r = client_file_make(&f, passphrase, &file);
	if (!failed(r))
		r = write_target(t, buf_str(&file));
	if (!failed(r))
		tell(c, t, answer, str_of(passphrase, sizeof passphrase));
	secret_wipe(passphrase, sizeof passphrase);
	return failed(r) ? complain(c, STATUS_NO, "disk", r.text) : STATUS_DONE;
}

static int add_to(struct call *c, const struct target *t, EVP_PKEY *key)
{
	AUTO_BUF buf public = buf_new(CLIENT_PUBLIC_MAX);
	json_t *answer;
	result r = client_key_public(key, &public);
	if (failed(r))
		return complain(c, STATUS_NO, "memory", r.text);
	int status = ask(c, &public, &answer);
	if (status != STATUS_DONE)
		return status;
	return finish(keep(c, t, key, answer), answer);
}

static int add_with_key(struct call *c)
{
	struct target t;
	result r = open_target(c, &t);
	if (failed(r))
		return complain(c, STATUS_USAGE, "usage", r.text);
	int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC); /* asking the server changes it */
	EVP_PKEY *key = client_key_make();
	int status = add_to(c, &t, key);
	EVP_PKEY_free(key);
	close(t.fd);
	if (status != STATUS_DONE)
		unlinkat(folder, t.path, 0);
	if (folder >= 0)
		close(folder);
	return status;
}

int run_certificate_add(struct call *c)
{
	const char *request = call_option(c, "request");
	return request ? add_for_request(c, request) : add_with_key(c);
}

/* ---- the list ---- */

static void row_cells(struct table *t, const json_t *row)
{
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	int64_t used = number_of(row, "used");
	table_cell(t, text_of(row, "name"));
	table_cell(t, joined(json_object_get(row, "protocols"), "all", &b));
	table_cell(t, joined(json_object_get(row, "networks"), "anywhere", &b));
	table_cell(t, put_time(&b, number_of(row, "expires")));
	table_cell(t, used ? put_time(&b, used) : STR("never"));
	table_cell(t, text_of(row, "used_from"));
	table_cell(t, text_of(row, "serial"));
}

int run_certificate_list(struct call *c)
{
	json_t *answer, *row;
	size_t i;
	int status = ask_server(c, "certificate-list", json_pack("{s:s}", "account", call_option(c, "account")), &answer);
	if (status != STATUS_DONE || c->json) {
		if (status == STATUS_DONE)
			show_json(answer);
		return finish(status, answer);
	}
	struct table t = table_new("Name|Protocols|Networks|Expires|Last used|From|Serial number");
	json_array_foreach(json_object_get(answer, "rows"), i, row)
		row_cells(&t, row);
	table_print(&t);
	return finish(status, answer);
}
