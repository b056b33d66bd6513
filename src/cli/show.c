#include "cli/show.h"

#include <stdio.h>
#include <time.h>

/* ---- clean text ---- */

static bool is_mark(str s, size_t i, size_t *n)
{
	unsigned char c = str_at(s, i);
	*n = 1;
	if (c < 0x20 || c == 0x7f)
		return true;
	if (c == 0xc2 && s.n - i > 1 && str_at(s, i + 1) < 0xa0) { /* C1 */
		*n = 2;
		return true;
	}
	if (c != 0xe2 || s.n - i < 3)
		return false;
	unsigned code = (unsigned)(str_at(s, i + 1) & 0x3f) << 6 | (str_at(s, i + 2) & 0x3f);
	*n = 3;
	return (code >= 0x28 && code <= 0x2e) || (code >= 0x66 && code <= 0x69); /* U+2028-202E, U+2066-2069 */
}

str clean(buf *b, str s)
{
	size_t from = b->n, n;
	for (size_t i = 0; i < s.n;) {
		if (is_mark(s, i, &n)) {
			buf_putc(b, '?');
			i += n;
		} else {
			buf_putc(b, s.p[i++]);
		}
	}
	return str_skip(buf_str(b), from);
}

/* ---- values ---- */

str text_of(const json_t *v, const char *key)
{
	const json_t *m = json_object_get(v, key);
	return json_is_string(m) ? str_of(json_string_value(m), json_string_length(m)) : (str){0};
}

int64_t number_of(const json_t *v, const char *key)
{
	return json_integer_value(json_object_get(v, key));
}

str put_size(buf *b, uint64_t octets)
{
	static const char *const units[] = {"octets", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t from = b->n, unit = 0;
	double v = (double)octets;
	for (; v >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
		v /= 1024;
	buf_printf(b, unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
	return str_skip(buf_str(b), from);
}

str put_time(buf *b, int64_t seconds)
{
	char text[64];
	struct tm t;
	time_t s = (time_t)seconds;
	size_t from = b->n;
	if (localtime_r(&s, &t) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &t) > 0)
		buf_put(b, str_from(text));
	return str_skip(buf_str(b), from);
}

str put_span(buf *b, int64_t s)
{
	size_t from = b->n;
	if (s >= 86400)
		buf_printf(b, "%lld d %lld h", (long long)(s / 86400), (long long)(s % 86400 / 3600));
	else if (s >= 3600)
		buf_printf(b, "%lld h %lld min", (long long)(s / 3600), (long long)(s % 3600 / 60));
	else if (s >= 60)
		buf_printf(b, "%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
	else
		buf_printf(b, "%lld s", (long long)s);
	return str_skip(buf_str(b), from);
}

void show_line(const char *name, str value)
{
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	str shown = clean(&b, value);
	printf("%-12s %.*s\n", name, STR_ARG(shown));
}

void show_json(const json_t *v)
{
	json_dumpf(v, stdout, JSON_COMPACT);
	putchar('\n');
}

void show_problem(const json_t *v)
{
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	str what = text_of(v, "error");
	str shown = clean(&b, what.n > 0 ? what : STR("the server said no and gave no reason"));
	fprintf(stderr, "postern: %.*s\n", STR_ARG(shown));
	if (text_of(v, "trace").n > 0)
		fprintf(stderr, "postern: the log has it under %.*s\n", STR_ARG(text_of(v, "trace")));
}

/* ---- tables ---- */

struct table table_new(const char *heads)
{
	struct table t = {.cells = buf_new(TABLE_MAX)};
	str rest = str_from(heads);
	while (rest.n > 0) {
		size_t end = str_chr(rest, '|');
		table_cell(&t, str_sub(rest, 0, end));
		t.columns++;
		rest = end == STR_NONE ? (str){0} : str_skip(rest, end + 1);
	}
	return t;
}

void table_cell(struct table *t, str s)
{
	clean(&t->cells, s);
	buf_putc(&t->cells, '\0');
	t->n++;
}

/* Columns on the screen: UTF-8 sequences count one. */
static size_t width_of(str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += (str_at(s, i) & 0xc0) != 0x80;
	return n;
}

static str next_cell(str *rest)
{
	size_t end = str_chr(*rest, '\0');
	str cell = str_sub(*rest, 0, end);
	*rest = str_skip(*rest, cell.n + 1);
	return cell;
}

void table_print(struct table *t)
{
	size_t widths[TABLE_COLUMNS] = {0};
	str rest = buf_str(&t->cells);
	for (size_t i = 0; i < t->n; i++) {
		size_t w = width_of(next_cell(&rest)), *column = &widths[i % t->columns];
		*column = w > *column ? w : *column;
	}
	rest = buf_str(&t->cells);
	for (size_t i = 0; i < t->n; i++) {
		str cell = next_cell(&rest);
		bool last = (i + 1) % t->columns == 0;
		int blanks = last ? 0 : (int)(widths[i % t->columns] - width_of(cell) + 2);
		printf("%.*s%*s%s", STR_ARG(cell), blanks, "", last ? "\n" : "");
	}
	buf_free(&t->cells);
}
