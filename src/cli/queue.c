/* The queue, for people. */
#include <stdio.h>

#include "cli/commands.h"
#include "grammar/mime/date.h"

/* What is chosen: a word (a number is an item, else a message's id) and the options. NULL: no UTF-8. */
static json_t *choice_of(const struct call *c)
{
	static const char *const names[] = {"message", "sender", "destination"};
	json_t *in = json_object();
	uint64_t item;
	int bad = 0;
	if (c->n > 0 && str_to_u64(str_from(c->words[0]), &item) && item <= INT64_MAX && item > 0)
		bad |= json_object_set_new(in, "item", json_integer((json_int_t)item));
	else if (c->n > 0)
		bad = -1;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (call_option(c, names[i]))
			bad |= json_object_set_new(in, names[i], json_string(call_option(c, names[i])));
	if (bad == 0)
		return in;
	json_decref(in);
	return NULL;
}

static int usage(const struct call *c)
{
	return complain(c, STATUS_USAGE, "usage", "an item is a number, as `postern queue list` shows it");
}

static void cell_u64(struct table *t, int64_t v)
{
	AUTO_BUF buf b = buf_new(32);
	buf_put_u64(&b, (uint64_t)v);
	table_cell(t, buf_str(&b));
}

static void print_rows(const json_t *rows)
{
	json_t *row;
	size_t i;
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	struct table t = table_new("Item|State|Tries|Next try|Size|From|To|Why");
	json_array_foreach(rows, i, row) {
		str state = text_of(row, "state");
		bool waits = str_eq(state, STR("waiting")) || str_eq(state, STR("delivering"));
		bool reports = str_eq(state, STR("reporting"));
		buf_clear(&b);
		cell_u64(&t, number_of(row, "item"));
		table_cell(&t, state);
		cell_u64(&t, number_of(row, "attempts"));
		table_cell(&t, waits ? put_time(&b, number_of(row, "next")) : reports ? STR("none") : STR("when released"));
		buf_clear(&b);
		table_cell(&t, put_size(&b, (uint64_t)number_of(row, "size")));
		table_cell(&t, text_of(row, "sender"));
		table_cell(&t, text_of(row, "recipient"));
		buf_clear(&b);
		if (text_of(row, "host").n > 0)
			buf_printf(&b, "%.*s: ", STR_ARG(text_of(row, "host")));
		if (number_of(row, "code") > 0)
			buf_printf(&b, "%d ", (int)number_of(row, "code"));
		if (text_of(row, "status").n > 0)
			buf_printf(&b, "%.*s ", STR_ARG(text_of(row, "status")));
		buf_put(&b, text_of(row, "why"));
		table_cell(&t, buf_str(&b));
	}
	table_print(&t);
}

int run_queue_list(struct call *c)
{
	json_t *answer, *in = choice_of(c);
	if (!in)
		return usage(c);
	int status = list_server(c, &(struct api_pages){.name = "queue-list", .key = "item", .in = in}, &answer);
	bool all = json_object_size(in) == 0;
	json_decref(in);
	if (status != STATUS_DONE)
		return status;
	const json_t *rows = json_object_get(answer, "rows");
	if (c->json)
		show_json(answer);
	else if (json_array_size(rows) == 0)
		puts(all ? "The queue is empty: every accepted message is in its mailbox or with its next server." :
			"Nothing in the queue matches.");
	else
		print_rows(rows);
	return finish(status, answer);
}

static void show_time(const char *name, int64_t seconds)
{
	AUTO_BUF buf b = buf_new(64);
	if (seconds > 0)
		show_line(name, put_time(&b, seconds));
}

/* What the last answers mean and what to do about them. */
static void print_advice(const json_t *rows)
{
	json_t *row;
	size_t i;
	json_array_foreach(rows, i, row)
		if (text_of(row, "advice").n > 0)
			printf("%.*s: %.*s\n", STR_ARG(text_of(row, "recipient")), STR_ARG(text_of(row, "advice")));
}

int run_queue_show(struct call *c)
{
	json_t *answer;
	uint64_t item;
	bool number = str_to_u64(str_from(c->words[0]), &item) && str_from(c->words[0]).n < 8;
	json_t *in = number ? json_pack("{s:I}", "item", (json_int_t)item) : json_pack("{s:s}", "message", c->words[0]);
	int status = in ? ask_server(c, "queue-show", in, &answer) : usage(c);
	if (!in || status != STATUS_DONE)
		return status;
	if (c->json) {
		show_json(answer);
		return finish(status, answer);
	}
	AUTO_BUF buf b = buf_new(256);
	show_line("Message", text_of(answer, "delivery"));
	show_line("From", text_of(answer, "sender"));
	show_line("Size", put_size(&b, (uint64_t)number_of(answer, "size")));
	show_time("Kept", number_of(answer, "kept"));
	show_time("Held until", number_of(answer, "hold_until"));
	show_time("Deliver by", number_of(answer, "deliver_by"));
	show_time("Given up", number_of(answer, "expires"));
	show_line("Envelope id", text_of(answer, "envid"));
	print_rows(json_object_get(answer, "rows"));
	print_advice(json_object_get(answer, "rows"));
	return finish(status, answer);
}

int run_queue_act(struct call *c)
{
	json_t *answer, *in = choice_of(c);
	if (!in)
		return usage(c);
	int status = ask_server(c, c->command->endpoint, in, &answer);
	if (status != STATUS_DONE)
		return status;
	if (c->json)
		show_json(answer);
	else
		printf("%lld: %s\n", (long long)number_of(answer, "items"), c->command->said);
	return finish(status, answer);
}

int run_queue_suppressed(struct call *c)
{
	json_t *answer, *row;
	size_t i;
	int status = list_server(c, &(struct api_pages){.name = "queue-suppressed", .key = "address"}, &answer);
	if (status != STATUS_DONE)
		return status;
	if (c->json) {
		show_json(answer);
		return finish(status, answer);
	}
	AUTO_BUF buf b = buf_new(256);
	struct table t = table_new("Address|Times|Until|Last answer");
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		buf_clear(&b);
		table_cell(&t, text_of(row, "address"));
		cell_u64(&t, number_of(row, "hits"));
		table_cell(&t, number_of(row, "until") > 0 ? put_time(&b, number_of(row, "until")) : STR("still tried"));
		table_cell(&t, text_of(row, "text"));
	}
	table_print(&t);
	return finish(status, answer);
}

int run_queue_tls(struct call *c)
{
	json_t *answer, *row;
	size_t i;
	int status = list_server(c, &(struct api_pages){.name = "queue-tls", .key = "report"}, &answer);
	if (status != STATUS_DONE)
		return status;
	if (c->json) {
		show_json(answer);
		return finish(status, answer);
	}
	AUTO_BUF buf b = buf_new(64);
	struct table t = table_new("Day (UTC)|Domain|Sessions|Failed");
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		struct date d = date_of_days(number_of(row, "day"));
		buf_clear(&b);
		buf_printf(&b, "%04u-%02u-%02u", d.year, d.month, d.day);
		table_cell(&t, buf_str(&b));
		table_cell(&t, text_of(row, "domain"));
		cell_u64(&t, number_of(row, "sessions"));
		cell_u64(&t, number_of(row, "failures"));
	}
	table_print(&t);
	return finish(status, answer);
}
