/* Domains and aliases, for people. */
#include <stdio.h>

#include "cli/commands.h"

/* Gets a list; with --json it is shown at once and there is nothing more to do. */
static bool get_list(const struct call *c, const char *name, const char *key, json_t **rows, int *status)
{
	json_t *answer;
	*status = list_server(c, &(struct api_pages){.name = name, .key = key}, &answer);
	if (*status == STATUS_DONE && c->json)
		show_json(answer);
	*rows = *status == STATUS_DONE && !c->json ? json_incref(json_object_get(answer, "rows")) : NULL;
	json_decref(answer);
	return *rows != NULL;
}

static void number_cell(struct table *t, const json_t *row, const char *key)
{
	AUTO_BUF buf b = buf_new(32);
	buf_put_u64(&b, (uint64_t)number_of(row, key));
	table_cell(t, buf_str(&b));
}

int run_domain_list(struct call *c)
{
	json_t *rows, *row;
	size_t i;
	int status;
	if (!get_list(c, "domain-list", "name", &rows, &status))
		return status;
	struct table t = table_new("Domain|Accounts|Unknown addresses|Signing");
	json_array_foreach(rows, i, row) {
		str to = text_of(row, "catch_all");
		table_cell(&t, text_of(row, "name"));
		number_cell(&t, row, "accounts");
		table_cell(&t, to.n > 0 ? to : STR("are refused"));
		table_cell(&t, json_is_true(json_object_get(row, "signs")) ? STR("on") : STR("off"));
	}
	table_print(&t);
	return finish(status, rows);
}

int run_alias_list(struct call *c)
{
	json_t *rows, *row, *target;
	size_t i, k;
	int status;
	if (!get_list(c, "alias-list", "address", &rows, &status))
		return status;
	struct table t = table_new("Alias|Goes to|Kind");
	json_array_foreach(rows, i, row) {
		AUTO_BUF buf to = buf_new(TABLE_MAX);
		json_array_foreach(json_object_get(row, "targets"), k, target) {
			buf_put(&to, k > 0 ? STR(", ") : STR(""));
			buf_put(&to, str_from(json_string_value(target)));
		}
		table_cell(&t, text_of(row, "address"));
		table_cell(&t, buf_str(&to));
		table_cell(&t, json_is_true(json_object_get(row, "fixed")) ? STR("always there") : STR("alias"));
	}
	table_print(&t);
	return finish(status, rows);
}
