/* Which server is meant, and asking it. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "config/load.h"

enum { EVENTS_COME_NS = 600 * 1000 * 1000 };

static const char admin_socket[] = "/admin.sock";
static const char standard_file[] = "/etc/postern/postern.conf";

int complain(const struct call *c, int status, const char *kind, const char *text)
{
	json_t *v = api_problem(kind, text);
	if (c->json)
		show_json(v);
	else
		show_problem(v);
	json_decref(v);
	return status;
}

/* --socket, --dir, the configuration's directory, the standard one. */
static result find_socket(const struct call *c, buf *out)
{
	struct options o;
	AUTO_BUF buf problems = buf_new(CONFIG_PROBLEMS_MAX);
	if (c->socket) {
		buf_put(out, str_from(c->socket));
		return buf_result(out);
	}
	options_init(&o);
	if (c->dir) {
		buf_put(out, str_from(c->dir));
	} else {
		bool readable = access(standard_file, R_OK) == 0;
		/* A mistake elsewhere in the file is posternd's to report. */
		result r = readable ? config_load(standard_file, &o, NULL, &problems) : OK;
		(void)r;
		buf_put(out, options_text(&o, OPT_DIRECTORY));
	}
	options_free(&o);
	buf_put(out, str_from(admin_socket));
	return buf_result(out);
}

int server_folder(const struct call *c, buf *out)
{
	result r = find_socket(c, out);
	size_t end = strlen(admin_socket);
	if (failed(r))
		return complain(c, STATUS_UNREACHABLE, "unreachable", r.text);
	if (!str_ends(buf_str(out), str_from(admin_socket)))
		return complain(c, STATUS_USAGE, "usage", "the socket does not tell the server's directory; give --dir");
	out->n -= end;
	return STATUS_DONE;
}

int connect_server(const struct call *c, struct api **out)
{
	AUTO_BUF buf path = buf_new(8192);
	result r = find_socket(c, &path);
	buf_putc(&path, '\0');
	if (!failed(r))
		r = buf_result(&path);
	if (!failed(r))
		r = api_open(path.p, -1, out);
	return failed(r) ? complain(c, STATUS_UNREACHABLE, "unreachable", r.text) : STATUS_DONE;
}

static int settle(const struct call *c, int status, json_t **out)
{
	if (status == STATUS_DONE)
		return status;
	if (c->json)
		show_json(*out);
	else
		show_problem(*out);
	json_decref(*out);
	*out = NULL;
	return status;
}

int ask_server(const struct call *c, const char *name, json_t *in, json_t **out)
{
	struct api *a;
	*out = NULL;
	int status = connect_server(c, &a);
	if (status != STATUS_DONE) {
		json_decref(in);
		return status;
	}
	status = settle(c, api_post(a, name, in, out), out);
	api_close(&a);
	return status;
}

/* Events reach the ledger within half a second: who asks right after a 250 waits
 * that long rather than to be told that nothing is known. */
int ask_server_twice(const struct call *c, const char *name, json_t *in, json_t **out)
{
	struct api *a;
	*out = NULL;
	int status = connect_server(c, &a);
	if (status == STATUS_DONE)
		status = settle(c, api_post(a, name, json_incref(in), out), out);
	else
		a = NULL;
	if (status == STATUS_DONE && json_array_size(json_object_get(*out, "rows")) == 0) {
		json_decref(*out);
		nanosleep(&(struct timespec){.tv_nsec = EVENTS_COME_NS}, NULL);
		status = settle(c, api_post(a, name, json_incref(in), out), out);
	}
	json_decref(in);
	api_close(&a);
	return status;
}

int list_server(const struct call *c, const struct api_pages *p, json_t **out)
{
	struct api *a;
	*out = NULL;
	int status = connect_server(c, &a);
	if (status != STATUS_DONE)
		return status;
	status = settle(c, api_list(a, p, out), out);
	api_close(&a);
	return status;
}

int finish(int status, json_t *answer)
{
	json_decref(answer);
	return status;
}
