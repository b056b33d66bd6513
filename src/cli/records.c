/* A domain's DNS records: as a zone file has them, or as JSON. */
#include <stdio.h>

#include "cli/commands.h"

enum { STRING_MAX = 255 /* octets of one string of a TXT record (RFC 1035 section 3.3.14) */ };

static void put_strings(buf *out, str text)
{
	bool several = text.n > STRING_MAX;
	buf_put(out, several ? STR("(") : STR(""));
	for (str rest = text; rest.n > 0; rest = str_skip(rest, STRING_MAX)) {
		str piece = str_sub(rest, 0, STRING_MAX);
		buf_put(out, several ? STR(" \"") : STR("\""));
		for (size_t i = 0; i < piece.n; i++) {
			if (piece.p[i] == '"' || piece.p[i] == '\\')
				buf_putc(out, '\\');
			buf_putc(out, piece.p[i]);
		}
		buf_putc(out, '"');
	}
	buf_put(out, several ? STR(" )") : STR(""));
}

static void show_record(const json_t *row)
{
	AUTO_BUF buf line = buf_new(TABLE_MAX), note = buf_new(TABLE_MAX), shown = buf_new(TABLE_MAX);
	str type = text_of(row, "type"), said = clean(&note, text_of(row, "note"));
	buf_put(&line, text_of(row, "name"));
	buf_put(&line, STR(". IN "));
	buf_put(&line, type);
	buf_putc(&line, ' ');
	if (str_eq(type, STR("TXT")))
		put_strings(&line, text_of(row, "value"));
	else
		buf_put(&line, text_of(row, "value"));
	str record = clean(&shown, buf_str(&line));
	printf("; %.*s\n%.*s\n", STR_ARG(said), STR_ARG(record));
}

static bool is_address(const json_t *row)
{
	return str_eq(text_of(row, "type"), STR("A")) || str_eq(text_of(row, "type"), STR("AAAA"));
}

int run_domain_records(struct call *c)
{
	json_t *answer, *row;
	size_t i;
	bool address = false;
	int status = ask_server(c, "domain-records", json_pack("{s:s}", "name", c->words[0]), &answer);
	if (status != STATUS_DONE)
		return finish(status, answer);
	const json_t *rows = json_object_get(answer, "rows");
	if (c->json) {
		show_json(rows);
		return finish(status, answer);
	}
	json_array_foreach(rows, i, row) {
		address |= is_address(row);
		show_record(row);
	}
	if (!address)
		puts("; The server listens on all its addresses: add an A and an AAAA record for its name, and have each\n"
		     "; address's PTR record (set by who gives you the address) lead back to that name.");
	return finish(status, answer);
}
