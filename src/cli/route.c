/* Ways that mail goes instead of to its MX. */
#include <stdio.h>

#include "cli/commands.h"

static const char *or_none(const char *text)
{
	return text ? text : "";
}

static bool port_of(const struct call *c, json_int_t *port)
{
	const char *text = call_option(c, "port");
	uint32_t n = 0;
	if (text && (!str_to_u32(str_from(text), &n) || n == 0 || n > UINT16_MAX))
		return false;
	*port = n;
	return true;
}

int run_route_add(struct call *c)
{
	const char *user = call_option(c, "user");
	json_int_t port;
	json_t *answer;
	if (!port_of(c, &port))
		return complain(c, STATUS_USAGE, "usage", "--port is a number from 1 to 65535");
	json_t *in = json_pack("{s:s, s:s, s:s, s:I, s:b, s:s, s:s, s:s}", "kind", c->words[0], "match",
			       c->n > 1 ? c->words[1] : "", "host", or_none(call_option(c, "host")), "port", port,
			       "mx", call_option(c, "mx") != NULL, "protocol", call_option(c, "lmtp") ? "lmtp" : "smtp",
			       "tls", or_none(call_option(c, "tls")), "user", or_none(user));
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "names must be UTF-8 text");
	int status = user ? ask_with_password(c, "route-add", in, &answer) : ask_server(c, "route-add", in, &answer);
	if (status != STATUS_DONE)
		return status;
	puts(c->json ? "{\"done\":true}" : "Mail goes that way now.");
	return finish(status, answer);
}

static void way_cell(struct table *t, const json_t *row)
{
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	str host = text_of(row, "host");
	buf_put(&b, host.n > 0 ? host : STR("the destination's MX"));
	if (number_of(row, "port") > 0)
		buf_printf(&b, ", port %lld", (long long)number_of(row, "port"));
	if (json_is_true(json_object_get(row, "mx")))
		buf_put(&b, STR(", by its MX"));
	table_cell(t, buf_str(&b));
}

int run_route_list(struct call *c)
{
	json_t *answer, *row;
	size_t i;
	int status = list_server(c, &(struct api_pages){.name = "route-list", .key = "route"}, &answer);
	if (status != STATUS_DONE || c->json) {
		if (status == STATUS_DONE)
			show_json(answer);
		return finish(status, answer);
	}
	struct table t = table_new("Kind|Match|Goes to|Protocol|TLS|Login");
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		str match = text_of(row, "match"), user = text_of(row, "user");
		table_cell(&t, text_of(row, "kind"));
		table_cell(&t, match.n > 0 ? match : STR("everything"));
		way_cell(&t, row);
		table_cell(&t, text_of(row, "protocol"));
		table_cell(&t, text_of(row, "tls"));
		table_cell(&t, user.n > 0 ? user : STR("none"));
	}
	table_print(&t);
	return finish(status, answer);
}
