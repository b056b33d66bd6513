/* A letter's story. */
#include <stdio.h>

#include "cli/commands.h"

static void put_fields(buf *out, const json_t *fields)
{
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)fields, name, v) {
		if (json_is_string(v) && json_string_length(v) == 0)
			continue;
		buf_put(out, out->n > 0 ? STR(", ") : STR(""));
		buf_put(out, str_from(name));
		buf_putc(out, ' ');
		if (json_is_string(v))
			buf_put(out, str_of(json_string_value(v), json_string_length(v)));
		else if (json_is_integer(v))
			buf_printf(out, "%lld", (long long)json_integer_value(v));
		else
			buf_put(out, STR("..."));
	}
}

static void print_rows(const json_t *rows)
{
	json_t *row;
	size_t i;
	struct table t = table_new("Time|Trace|Room|Event|What");
	json_array_foreach(rows, i, row) {
		AUTO_BUF buf b = buf_new(TABLE_MAX), what = buf_new(TABLE_MAX);
		int64_t at = number_of(row, "at");
		put_time(&b, at / 1000);
		buf_printf(&b, ".%03d", (int)(at % 1000));
		put_fields(&what, json_object_get(row, "fields"));
		table_cell(&t, buf_str(&b));
		table_cell(&t, text_of(row, "trace"));
		table_cell(&t, text_of(row, "room"));
		table_cell(&t, text_of(row, "event"));
		table_cell(&t, buf_str(&what));
	}
	table_print(&t);
}

int run_trace(struct call *c)
{
	json_t *answer;
	int status = ask_server_twice(c, "trace", json_pack("{s:s}", "query", c->words[0]), &answer);
	if (status != STATUS_DONE)
		return status;
	const json_t *rows = json_object_get(answer, "rows");
	status = json_array_size(rows) > 0 ? STATUS_DONE : STATUS_NO;
	if (c->json)
		show_json(answer);
	else if (status == STATUS_NO)
		printf("Nothing is known of %s: it never came here, or longer ago than `trace-time` keeps.\n", c->words[0]);
	else
		print_rows(rows);
	if (!c->json && number_of(answer, "more") > 0)
		printf("(%lld earlier events are not shown.)\n", (long long)number_of(answer, "more"));
	return finish(status, answer);
}
