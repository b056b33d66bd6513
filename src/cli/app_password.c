/* App passwords, for people. */
#include <stdio.h>
#include <time.h>

#include "cli/commands.h"
#include "grammar/text/timestamp.h"

json_t *words_of(const struct call *c, const char *option)
{
	json_t *list = json_array();
	for (size_t i = 0; i < c->options_n; i++) {
		str rest = str_from(c->options[i].value);
		if (!str_eq(str_of(c->options[i].name, c->options[i].name_n), str_from(option)))
			continue;
		while (rest.n > 0) {
			size_t comma = str_chr(rest, ',');
			str word = str_trim(str_sub(rest, 0, comma));
			if (word.n > 0)
				json_array_append_new(list, json_stringn(word.p, word.n));
			rest = comma == STR_NONE ? (str){NULL, 0} : str_skip(rest, comma + 1);
		}
	}
	return list;
}

/* "90d", "12h" from now. */
static bool span_of(str text, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t n;
	if (text.n < 2 || !str_to_u64(str_sub(text, 0, text.n - 1), &n) || n > INT32_MAX)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (units[i].unit == text.p[text.n - 1]) {
			*seconds = (int64_t)n * units[i].seconds;
			return true;
		}
	}
	return false;
}

/* "2027-01-31": the end of that day here. */
static bool day_of(str text, int64_t *at)
{
	struct tm tm = {.tm_isdst = -1};
	uint32_t year, month, day;
	if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' || !str_to_u32(str_sub(text, 0, 4), &year) ||
	    !str_to_u32(str_sub(text, 5, 2), &month) || !str_to_u32(str_sub(text, 8, 2), &day) || year < 1970 ||
	    month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)month - 1;
	tm.tm_mday = (int)day + 1;
	*at = mktime(&tm);
	return *at > 0;
}

bool time_of_text(str text, int64_t now, int64_t *out)
{
	enum { PLAIN_DIGITS = 9 }; /* seconds since 1970 have more */
	uint64_t plain;
	int64_t span;
	if (span_of(text, &span)) {
		*out = now + span;
		return true;
	}
	if (text.n > PLAIN_DIGITS && str_to_u64(text, &plain) && plain < INT64_MAX) {
		*out = (int64_t)plain;
		return true;
	}
	return timestamp_parse(text, out) || day_of(text, out);
}

static void show_secret(const struct call *c, const json_t *answer)
{
	str secret = text_of(answer, "secret");
	if (c->json) {
		show_json(answer);
		return;
	}
	printf("%.*s\n", STR_ARG(secret));
	fprintf(stderr, "This is the app password \"%s\" of %s; it is not shown again. With or without the hyphens.\n",
		c->words[0], call_option(c, "account"));
	if (call_option(c, "without-tls"))
		fprintf(stderr, "Without TLS everybody between the device and this server can read it, and what the device "
			"sends: it is good\nfor sending from that one address alone. Keep the device in a network of its own.\n");
}

int run_app_password_add(struct call *c)
{
	const char *expires = call_option(c, "expires");
	int64_t at = 0;
	json_t *answer;
	if (expires && !time_of_text(str_from(expires), time(NULL), &at))
		return complain(c, STATUS_USAGE, "usage",
			"--expires is 90d, 12h, a day such as 2027-01-31, or 2027-01-31T18:00:00Z");
	json_t *in = json_pack("{s:s, s:s, s:o, s:o, s:I, s:b}", "account", call_option(c, "account"), "name", c->words[0],
		"protocols", words_of(c, "protocol"), "networks", words_of(c, "network"), "expires", (json_int_t)at, "clear",
		call_option(c, "without-tls") != NULL);
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "names must be UTF-8 text");
	int status = ask_server(c, "app-password-add", in, &answer);
	if (status == STATUS_DONE)
		show_secret(c, answer);
	return finish(status, answer);
}

/* ---- the list ---- */

str joined(const json_t *list, const char *none, buf *b)
{
	size_t i, before = b->n;
	json_t *one;
	json_array_foreach(list, i, one)
		buf_printf(b, "%s%s", i > 0 ? ", " : "", json_string_value(one));
	if (b->n == before)
		buf_put(b, str_from(none));
	return str_skip(buf_str(b), before);
}

static void row_cells(struct table *t, const json_t *row)
{
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	int64_t expires = number_of(row, "expires"), used = number_of(row, "used");
	table_cell(t, text_of(row, "name"));
	table_cell(t, joined(json_object_get(row, "protocols"), "all", &b));
	size_t from = b.n;
	joined(json_object_get(row, "networks"), "anywhere", &b);
	buf_put(&b, json_is_true(json_object_get(row, "clear")) ? STR(" without TLS") : STR(""));
	table_cell(t, str_skip(buf_str(&b), from));
	table_cell(t, expires ? put_time(&b, expires) : STR("never"));
	table_cell(t, used ? put_time(&b, used) : STR("never"));
	table_cell(t, text_of(row, "used_from"));
	table_cell(t, text_of(row, "used_protocol"));
}

int run_app_password_list(struct call *c)
{
	json_t *answer, *row;
	size_t i;
	int status = ask_server(c, "app-password-list", json_pack("{s:s}", "account", call_option(c, "account")), &answer);
	if (status != STATUS_DONE || c->json) {
		if (status == STATUS_DONE)
			show_json(answer);
		return finish(status, answer);
	}
	struct table t = table_new("Name|Protocols|Networks|Expires|Last used|From|By");
	json_array_foreach(json_object_get(answer, "rows"), i, row)
		row_cells(&t, row);
	table_print(&t);
	return finish(status, answer);
}
