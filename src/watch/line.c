#include "watch/line.h"

#include <stdio.h>
#include <time.h>

static const char digits[] = "0123456789abcdef";

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static const char *const levels[] = {
	[LOG_DEBUG] = "debug",	   [LOG_INFO] = "info",	  [LOG_NOTICE] = "notice",
	[LOG_WARNING] = "warning", [LOG_ERROR] = "error",
};

void stamp_of(int64_t wall_ms, char out[STAMP_SIZE])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm t;
	memset(out, 0, STAMP_SIZE);
	gmtime_r(&s, &t);
	size_t n = strftime(out, STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &t);
	snprintf(out + n, STAMP_SIZE - n, ".%03uZ", (unsigned)(wall_ms % 1000) % 1000);
}

void trace_hex(const trace_id *id, char out[TRACE_HEX])
{
	for (size_t i = 0; i < sizeof id->b; i++) {
		out[2 * i] = digits[id->b[i] >> 4];
		out[2 * i + 1] = digits[id->b[i] & 15];
	}
}

/* ---- text ---- */

static void put_name(buf *out, const char *name)
{
	buf_put(out, STR(",\""));
	buf_put(out, str_from(name));
	buf_put(out, STR("\":"));
}

/* ---- events ---- */

/* What does not fit a signed number becomes a text: many readers know no more (RFC 8259 6). */
static void put_number(buf *out, uint64_t v)
{
	char text[24];
	if (v <= INT64_MAX)
		buf_put_u64(out, v);
	else
		json_put(out, str_of(text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)v)));
}

static void put_i64(buf *out, int64_t v)
{
	if (v < 0)
		buf_putc(out, '-');
	buf_put_u64(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void put_value(buf *out, const struct log_value *v)
{
	json_put(out, v->name);
	buf_putc(out, ':');
	if (v->type == 's')
		json_put(out, v->text);
	else if (v->type == 'u')
		put_number(out, v->number);
	else
		put_i64(out, (int64_t)v->number);
}

/* Names are ours, in our sources; another one is damage. */
static bool is_name(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_plain(str_at(s, i)))
			return false;
	return s.n > 0;
}

bool fields_put(buf *out, struct log_record r, size_t max)
{
	static const char cut_off[] = ",\"cut\":true}";
	struct log_value v;
	size_t start = out->n;
	bool cut = false;
	must(max >= sizeof cut_off);
	buf_putc(out, '{');
	while (log_next(&r, &v)) {
		size_t before = out->n;
		r.fields.bad = !is_name(v.name);
		if (cut || r.fields.bad)
			continue;
		if (before > start + 1)
			buf_putc(out, ',');
		put_value(out, &v);
		if (out->n - start > max - (sizeof cut_off - 1)) {
			out->n = before;
			cut = true;
		}
	}
	if (cut)
		buf_put(out, str_skip(str_from(cut_off), out->n == start + 1 ? 1 : 0));
	else
		buf_putc(out, '}');
	return !r.fields.bad;
}

bool line_put(buf *out, const struct log_record *r, const struct origin *from, const char *stamp)
{
	const struct log_meaning *m = log_meaning_of(r->event);
	size_t start = out->n;
	buf_put(out, STR("{\"time\":\""));
	buf_put(out, str_from(stamp));
	buf_put(out, STR("\",\"level\":\""));
	buf_put(out, str_from(levels[m->level]));
	buf_put(out, STR("\",\"event\":\""));
	buf_put(out, str_from(m->name));
	buf_putc(out, '"');
	put_name(out, "room");
	json_put(out, from->role);
	put_name(out, "number");
	put_number(out, from->number);
	if (!trace_is_none(&r->trace)) {
		char hex[TRACE_HEX];
		trace_hex(&r->trace, hex);
		put_name(out, "trace");
		json_put(out, str_of(hex, sizeof hex));
	}
	put_name(out, "fields");
	bool whole = fields_put(out, *r, SIZE_MAX);
	buf_put(out, STR("}\n"));
	if (!whole)
		out->n = start;
	return whole;
}
