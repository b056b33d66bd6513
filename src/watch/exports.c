#include "watch/exports.h"

#include <stdio.h>

#include "base/mem.h"
#include "config/options.h"
#include "grammar/text/json_text.h"
#include "run/net.h"
#include "watch/journal.h"

/* ---- which events, and how bad they are ---- */

enum { HIGH = 1, MEDIUM = 2, LOW = 3, SIGNATURE_FIRST = 9100000 }; /* numbers of our own: Suricata's end below */

static const struct exported {
	enum log_name event;
	int severity; /* EVE's: 1 is worst */
	const char *category;
	bool blocked;
} exported[] = {
	{EV_LOGIN_FAILED, LOW, "Attempted User Privilege Gain", false},
	{EV_LIMITED, LOW, "Attempted Denial of Service", true},
	{EV_ABUSE, MEDIUM, "Generic Protocol Command Decode", false},
	{EV_ATTACK, MEDIUM, "Misc Attack", false},
	{EV_SUSPECTED, HIGH, "Successful Credential Theft Detected", false},
	{EV_CONTAINED, HIGH, "Successful Credential Theft Detected", true},
	{EV_FREED, LOW, "Not Suspicious Traffic", false},
	{EV_BAN_ADDED, MEDIUM, "Misc Attack", true},
	{EV_BAN_REMOVED, LOW, "Not Suspicious Traffic", false},
	{EV_BAN_REFUSED, LOW, "Misc Attack", true},
	{EV_LOGIN, LOW, "Not Suspicious Traffic", false},
};

static const struct exported *row_of(unsigned event)
{
	for (size_t i = 0; i < sizeof exported / sizeof *exported; i++)
		if ((unsigned)exported[i].event == event)
			return &exported[i];
	return NULL;
}

static str field_of(struct log_record r, str name)
{
	struct log_value v;
	str found = {NULL, 0};
	while (log_next(&r, &v))
		if (v.type == 's' && str_eq(v.name, name))
			found = v.text;
	return found;
}

/* Whom it is about: the client's address, or a network's first. Empty where that is none ("local uid 33"): readers
 * of src_ip refuse it. */
static str source_of(const struct log_record *r)
{
	net_addr a;
	str client = field_of(*r, STR("client"));
	if (client.n == 0)
		client = field_of(*r, STR("network"));
	client = str_sub(client, 0, str_chr(client, '/'));
	return failed(net_parse_ip(client, &a)) ? (str){NULL, 0} : client;
}

/* ---- EVE ---- */

static void put_text(buf *out, const char *name, str text)
{
	buf_printf(out, ",\"%s\":", name);
	json_put(out, text);
}

/* 2026-11-22T10:00:00.123000+0000 */
static void put_eve_time(buf *out, int64_t at)
{
	char stamp[STAMP_SIZE];
	stamp_of(at, stamp);
	buf_put(out, str_of(stamp, STAMP_SIZE - 2)); /* without its Z */
	buf_put(out, STR("000+0000"));
}

static void put_eve(buf *out, const struct entry *e, const struct log_record *r)
{
	const struct exported *x = row_of(r->event);
	const struct log_meaning *m = x ? log_meaning_of(r->event) : NULL;
	size_t start = out->n;
	if (!x)
		return;
	str source = source_of(r);
	buf_put(out, STR("{\"timestamp\":\""));
	put_eve_time(out, e->at);
	buf_put(out, STR("\",\"event_type\":\"alert\""));
	if (source.n > 0)
		put_text(out, "src_ip", source);
	if (field_of(*r, STR("protocol")).n > 0)
		put_text(out, "app_proto", field_of(*r, STR("protocol")));
	buf_put(out, STR(",\"proto\":\"TCP\",\"alert\":{\"action\":"));
	buf_put(out, x->blocked ? STR("\"blocked\"") : STR("\"allowed\""));
	buf_printf(out, ",\"gid\":1,\"signature_id\":%d,\"rev\":1", SIGNATURE_FIRST + (int)r->event);
	put_text(out, "signature", str_from(m->meaning));
	put_text(out, "category", str_from(x->category));
	buf_printf(out, ",\"severity\":%d},\"postern\":{\"event\":\"%s\",\"room\":", x->severity, m->name);
	json_put(out, e->from.role);
	buf_put(out, STR(",\"fields\":"));
	bool whole = fields_put(out, *r, SIZE_MAX);
	buf_put(out, STR("}}\n"));
	if (!whole)
		out->n = start;
}

/* ---- RFC 5424 ---- */

enum { AUTHPRIV = 10, SD_VALUE_MAX = 1000 };

/* The severities of RFC 5424 6.2.1. */
static int syslog_severity(const struct log_meaning *m)
{
	static const int of[] = {[LOG_DEBUG] = 7, [LOG_INFO] = 6, [LOG_NOTICE] = 5, [LOG_WARNING] = 4, [LOG_ERROR] = 3};
	return of[m->level];
}

/* 6.3.3: quotes, backslashes and closing brackets are escaped; a line stays a line. */
static void put_param(buf *out, str name, str text)
{
	buf_putc(out, ' ');
	buf_put(out, str_sub(name, 0, 32));
	buf_put(out, STR("=\""));
	text = str_clip(text, SD_VALUE_MAX);
	if (!str_is_utf8(text))
		text = STR("?");
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '"' || c == '\\' || c == ']')
			buf_putc(out, '\\');
		buf_putc(out, (unsigned char)c < ' ' || c == 127 ? ' ' : c);
	}
	buf_putc(out, '"');
}

static void put_params(buf *out, struct log_record r)
{
	struct log_value v;
	while (log_next(&r, &v)) {
		char digits[24];
		int n = v.type == 's' ? 0
			: v.type == 'u' ? snprintf(digits, sizeof digits, "%llu", (unsigned long long)v.number)
					: snprintf(digits, sizeof digits, "%lld", (long long)v.number);
		put_param(out, v.name, v.type == 's' ? v.text : str_of(digits, (size_t)n));
	}
}

static void put_syslog(buf *out, const struct entry *e, const struct log_record *r)
{
	const struct exported *x = row_of(r->event);
	const struct log_meaning *m = x ? log_meaning_of(r->event) : NULL;
	char stamp[STAMP_SIZE];
	if (!x)
		return;
	stamp_of(e->at, stamp);
	buf_printf(out, "<%d>1 %s - postern - %s [postern@32473", AUTHPRIV * 8 + syslog_severity(m), stamp, m->name);
	put_param(out, STR("room"), e->from.role);
	put_params(out, *r);
	buf_printf(out, "] %s\n", m->meaning);
}

/* ---- the files ---- */

static const struct kind {
	const char *word, *file;
	void (*put)(buf *out, const struct entry *e, const struct log_record *r);
} kinds[] = {
	{"eve", "eve.json", put_eve},
	{"syslog", "syslog.log", put_syslog},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct exports {
	struct journal *to[KINDS];
};

static result open_one(struct exports *x, str word)
{
	for (size_t i = 0; i < KINDS; i++)
		if (str_eq(word, str_from(kinds[i].word)))
			return x->to[i] ? OK : journal_open_file(kinds[i].file, &x->to[i]);
	return failure(FAIL_INPUT, "`export` knows eve and syslog");
}

result exports_open(str words, struct exports **out)
{
	struct exports *x = mem_alloc(sizeof *x);
	result r = x ? OK : failure(FAIL_MEMORY, "out of memory");
	for (str word; !failed(r) && options_next(&words, &word);)
		r = open_one(x, word);
	if (failed(r) && x)
		exports_close(&x);
	*out = x;
	return r;
}

void exports_take(struct exports *x, const struct entry *e, const struct log_record *r)
{
	if (!row_of(r->event))
		return;
	for (size_t i = 0; i < KINDS; i++) {
		buf *lines = x->to[i] ? journal_lines(x->to[i]) : NULL;
		if (!lines)
			continue;
		kinds[i].put(lines, e, r);
		journal_kick(x->to[i]);
	}
}

void exports_close(struct exports **at)
{
	struct exports *x = *at;
	*at = NULL;
	if (!x)
		return;
	for (size_t i = 0; i < KINDS; i++)
		journal_close(&x->to[i]);
	mem_free(x);
}
