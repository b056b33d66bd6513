/* Is the server well? */
#include <stdio.h>

#include "cli/commands.h"
#include "run/clock.h"

static void print_rooms(const json_t *rooms)
{
	json_t *row;
	size_t i;
	struct table t = table_new("Room|Number|Process|Running for|Restarts");
	json_array_foreach(rooms, i, row) {
		AUTO_BUF buf b = buf_new(256);
		table_cell(&t, text_of(row, "role"));
		buf_put_u64(&b, (uint64_t)number_of(row, "number"));
		table_cell(&t, buf_str(&b));
		buf_clear(&b);
		buf_put_u64(&b, (uint64_t)number_of(row, "pid"));
		table_cell(&t, number_of(row, "pid") > 0 ? buf_str(&b) : STR("down"));
		table_cell(&t, put_span(&b, clock_wall_s() - number_of(row, "started")));
		buf_clear(&b);
		buf_put_u64(&b, (uint64_t)number_of(row, "restarts"));
		table_cell(&t, buf_str(&b));
	}
	table_print(&t);
}

static void print_counters(const json_t *counters)
{
	const char *name;
	json_t *v;
	if (!json_is_object(counters)) {
		puts("The counters are not there: the log is being replaced.");
		return;
	}
	struct table t = table_new("Event|Since the start");
	json_object_foreach((json_t *)(uintptr_t)counters, name, v) {
		AUTO_BUF buf b = buf_new(32);
		if (json_integer_value(v) == 0)
			continue;
		buf_put_u64(&b, (uint64_t)json_integer_value(v));
		table_cell(&t, str_from(name));
		table_cell(&t, buf_str(&b));
	}
	table_print(&t);
}

int run_status(struct call *c)
{
	json_t *answer;
	int status = ask_server(c, "status", json_object(), &answer);
	if (status != STATUS_DONE || c->json) {
		if (status == STATUS_DONE)
			show_json(answer);
		return finish(status, answer);
	}
	AUTO_BUF buf b = buf_new(256);
	str span = put_span(&b, number_of(answer, "uptime"));
	printf("Postern %.*s, running for %.*s\n\n", STR_ARG(text_of(answer, "version")), STR_ARG(span));
	print_rooms(json_object_get(answer, "rooms"));
	if (number_of(answer, "more") > 0)
		printf("and %lld more\n", (long long)number_of(answer, "more"));
	putchar('\n');
	print_counters(json_object_get(answer, "counters"));
	return finish(status, answer);
}
