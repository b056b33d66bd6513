/* Bans, for people. */
#include <stdio.h>
#include <time.h>

#include "cli/commands.h"

static void print_row(struct table *t, const json_t *row)
{
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	int64_t until = number_of(row, "until"), refused = number_of(row, "refused");
	table_cell(t, text_of(row, "network"));
	table_cell(t, text_of(row, "grade"));
	table_cell(t, put_time(&b, number_of(row, "since")));
	buf_clear(&b);
	table_cell(t, until ? put_time(&b, until) : STR("removed"));
	buf_clear(&b);
	buf_put_u64(&b, (uint64_t)refused);
	table_cell(t, buf_str(&b));
	table_cell(t, text_of(row, "by"));
	table_cell(t, text_of(row, "reason"));
}

static void print_rows(const json_t *rows)
{
	json_t *row;
	size_t i;
	struct table t = table_new("Network|What|Since|Until|Refused|By|Why");
	json_array_foreach(rows, i, row)
		print_row(&t, row);
	table_print(&t);
}

int run_ban_list(struct call *c)
{
	json_t *answer;
	int status = list_server(c, &(struct api_pages){.name = "ban-list", .key = "network"}, &answer);
	if (status != STATUS_DONE)
		return status;
	const json_t *rows = json_object_get(answer, "rows");
	if (c->json)
		show_json(answer);
	else if (json_array_size(rows) == 0)
		puts("No network is banned.");
	else
		print_rows(rows);
	return finish(status, answer);
}

/* ---- for packet filters ---- */

/* nftables' words; `add` does no harm to what is there already. */
static void print_set(const json_t *rows, bool v6)
{
	const char *name = v6 ? "banned6" : "banned4";
	int64_t now = time(NULL);
	size_t i, n = 0;
	json_t *row;
	printf("add set inet postern %s { type %s; flags interval, timeout; auto-merge; }\nflush set inet postern %s\n",
	       name, v6 ? "ipv6_addr" : "ipv4_addr", name);
	json_array_foreach(rows, i, row) {
		str network = text_of(row, "network");
		int64_t until = number_of(row, "until");
		bool of_this = (str_chr(network, ':') != STR_NONE) == v6 && str_eq(text_of(row, "grade"), STR("banned"));
		if (!of_this || (until && until <= now))
			continue;
		if (n++ == 0)
			printf("add element inet postern %s { %.*s", name, STR_ARG(network));
		else
			printf(", %.*s", STR_ARG(network));
		if (until)
			printf(" timeout %llds", (long long)(until - now));
	}
	if (n > 0)
		puts(" }");
}

int run_ban_export(struct call *c)
{
	json_t *answer;
	int status = list_server(c, &(struct api_pages){.name = "ban-list", .key = "network"}, &answer);
	if (status != STATUS_DONE)
		return status;
	puts("# Postern's bans, for nft -f. A rule has to use them: see docs/bans.md.\nadd table inet postern");
	print_set(json_object_get(answer, "rows"), false);
	print_set(json_object_get(answer, "rows"), true);
	return finish(status, answer);
}

/* False: no time. 0: for good. */
static bool seconds_of(const struct call *c, int64_t *out)
{
	const char *text = call_option(c, "for");
	int64_t now = time(NULL), until;
	*out = 0;
	if (!text)
		return true;
	if (!time_of_text(str_from(text), now, &until) || until <= now)
		return false;
	*out = until - now;
	return true;
}

int run_ban_add(struct call *c)
{
	const char *reason = call_option(c, "reason"), *grade = call_option(c, "grade");
	json_t *answer;
	int64_t seconds;
	if (!seconds_of(c, &seconds))
		return complain(c, STATUS_USAGE, "usage",
			"--for is 30m, 2h, 90d, or a time to come such as 2027-01-31T18:00:00Z");
	json_t *in = json_pack("{s:s, s:s, s:I, s:s}", "network", c->words[0], "grade", grade ? grade : "banned", "seconds",
		(json_int_t)seconds, "reason", reason ? reason : "");
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "a reason is UTF-8 text");
	int status = ask_server(c, "ban-add", in, &answer);
	if (status == STATUS_DONE && c->json)
		puts("{\"done\":true}");
	else if (status == STATUS_DONE)
		printf("%s: in force%s\n", c->words[0], seconds ? "" : " until it is removed");
	return finish(status, answer);
}

int run_ban_why(struct call *c)
{
	json_t *answer;
	int status = ask_server(c, "ban-why", json_pack("{s:s}", "address", c->words[0]), &answer);
	if (status != STATUS_DONE)
		return status;
	const json_t *rows = json_object_get(answer, "rows");
	bool never = json_is_true(json_object_get(answer, "never")), none = json_array_size(rows) == 0;
	if (c->json)
		show_json(answer);
	else if (never)
		printf("%s is never banned (option never-ban).\n", c->words[0]);
	else if (none)
		printf("Nothing holds for %s.\n", c->words[0]);
	else
		print_rows(rows);
	str points = text_of(answer, "points");
	if (!c->json && !never && points.n > 0)
		printf("Points now: %.*s.\n", STR_ARG(points));
	return finish(none || never ? STATUS_NO : STATUS_DONE, answer);
}
