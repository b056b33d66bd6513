/* A letter's story, a sentence an event. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/story.h"

/* Rooms send their events on their own, so those of one letter come nearly in order. Keeps the order of equals. */
static void sort_by_time(const json_t **rows, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const json_t *row = rows[i];
		size_t k = i;
		for (; k > 0 && number_of(rows[k - 1], "at") > number_of(row, "at"); k--)
			rows[k] = rows[k - 1];
		rows[k] = row;
	}
}

/* Which letter: the first digits of its trace id, which the command takes as well. */
enum { LETTER_DIGITS = 8 };

static void print_row(struct table *t, const json_t *row)
{
	AUTO_BUF buf when = buf_new(TABLE_MAX), what = buf_new(TABLE_MAX);
	int64_t at = number_of(row, "at");
	put_time(&when, at / 1000);
	buf_printf(&when, ".%03d", (int)(at % 1000));
	story_tell(&what, text_of(row, "event"), json_object_get(row, "fields"));
	table_cell(t, buf_str(&when));
	table_cell(t, str_sub(text_of(row, "trace"), 0, LETTER_DIGITS));
	table_cell(t, text_of(row, "room"));
	table_cell(t, buf_str(&what));
}

static void print_rows(const json_t *rows)
{
	size_t n = json_array_size(rows);
	const json_t **sorted = mem_array(n > 0 ? n : 1, sizeof *sorted);
	struct table t = table_new("Time|Letter|Room|What happened");
	for (size_t i = 0; sorted && i < n; i++)
		sorted[i] = json_array_get(rows, i);
	if (sorted)
		sort_by_time(sorted, n);
	for (size_t i = 0; i < n; i++)
		print_row(&t, sorted ? sorted[i] : json_array_get(rows, i));
	table_print(&t);
	mem_free(sorted);
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
