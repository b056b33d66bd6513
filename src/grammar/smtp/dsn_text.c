#include "grammar/mime/date.h"
#include "grammar/smtp/advice.h"
#include "grammar/smtp/dsn.h"

enum { COLUMNS = 76, INDENT = 4 };

void dsn_put_line(buf *out, str s)
{
	uint32_t c;
	for (size_t i = 0; i < s.n;) {
		size_t n = str_utf8_at(s, i, &c);
		if (n == 0)
			buf_putc(out, '?');
		else if (c < 32 || c == 127)
			buf_putc(out, ' ');
		else
			buf_put(out, str_sub(s, i, n));
		i += n ? n : 1;
	}
}

void dsn_carry(buf *out, const buf *from)
{
	if (from->broken == FAIL_MEMORY)
		out->broken = FAIL_MEMORY;
}

static void put_indent(buf *out, size_t n)
{
	while (n-- > 0)
		buf_putc(out, ' ');
}

/* In lines of at most COLUMNS where there are blanks to break at. */
static void put_wrapped(buf *out, size_t indent, str s)
{
	AUTO_BUF buf line = buf_new(4096);
	dsn_put_line(&line, str_sub(s, 0, 1024));
	dsn_carry(out, &line);
	str rest = str_trim(buf_str(&line));
	while (rest.n > 0) {
		size_t n = rest.n;
		if (indent + n > COLUMNS) {
			size_t blank = str_rchr(str_sub(rest, 0, COLUMNS - indent + 1), ' ');
			if (blank == STR_NONE)
				blank = str_chr(rest, ' ');
			n = blank == STR_NONE ? rest.n : blank;
		}
		put_indent(out, indent);
		buf_put(out, str_sub(rest, 0, n));
		buf_put(out, STR("\r\n"));
		rest = str_trim(str_skip(rest, n));
	}
}

static void put_date(buf *out, int64_t seconds)
{
	date_print(out, (struct date_time){.seconds = seconds});
}

/* ---- what happened, in order of weight ---- */

static const enum dsn_action order[DSN_ACTIONS] = {DSN_FAILED, DSN_DELAYED, DSN_RELAYED, DSN_EXPANDED, DSN_DELIVERED};

static bool has(const struct dsn *d, enum dsn_action a)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->rows[i].action == a)
			return true;
	return false;
}

static const char *const subjects[DSN_ACTIONS] = {
	[DSN_FAILED] = "Not delivered", [DSN_DELAYED] = "Not delivered yet", [DSN_DELIVERED] = "Delivered",
	[DSN_RELAYED] = "Passed on", [DSN_EXPANDED] = "Delivered to a list"};

const char *dsn_subject(const struct dsn *d)
{
	for (size_t i = 0; i < DSN_ACTIONS; i++)
		if (has(d, order[i]))
			return subjects[order[i]];
	return "About your message";
}

static const char *const sentences[DSN_ACTIONS] = {
	[DSN_FAILED] = "Your message could not be delivered to:",
	[DSN_DELAYED] = ("Your message has not been delivered yet to the following. You need not do anything: it is tried "
		"again by itself, and you hear of it if it fails in the end."),
	[DSN_DELIVERED] = "Your message was delivered to:",
	[DSN_RELAYED] = "Your message was taken by the next server, which does not report whether it was delivered. It "
		"was for:",
	[DSN_EXPANDED] = "Your message was delivered to a list, which passes it on to its members:"};

/* ---- a recipient ---- */

static void put_answer(buf *out, const struct dsn_row *r)
{
	AUTO_BUF buf line = buf_new(4096);
	if (r->diagnostic.n == 0 && r->code == 0)
		return;
	if (r->code > 0) {
		buf_put(&line, STR("The server "));
		buf_put(&line, r->host);
		buf_printf(&line, "%ssaid: %u ", r->host.n > 0 ? " " : "", r->code);
		buf_put(&line, r->status);
		buf_putc(&line, ' ');
	}
	buf_put(&line, r->diagnostic);
	put_wrapped(out, 2 * INDENT, buf_str(&line));
	dsn_carry(out, &line);
}

static void put_time(buf *out, const char *before, int64_t when)
{
	AUTO_BUF buf line = buf_new(200);
	if (when == 0)
		return;
	buf_put(&line, str_from(before));
	put_date(&line, when);
	buf_putc(&line, '.');
	put_wrapped(out, 2 * INDENT, buf_str(&line));
	dsn_carry(out, &line);
}

static void put_row(buf *out, const struct dsn_row *r)
{
	const struct advice *a = advice_at(r->advice);
	bool bad = r->action == DSN_FAILED || r->action == DSN_DELAYED;
	put_wrapped(out, INDENT, r->address);
	if (bad && a) {
		put_wrapped(out, 2 * INDENT, str_from(a->meaning));
		put_wrapped(out, 2 * INDENT, str_from(advice_fault_sentence(a->fault)));
	}
	if (bad && a && r->action == DSN_FAILED)
		put_wrapped(out, 2 * INDENT, str_from(a->remedy));
	if (r->action == DSN_DELAYED)
		put_time(out, "It is tried until ", r->until);
	if (bad)
		put_answer(out, r);
	buf_put(out, STR("\r\n"));
}

static void put_group(buf *out, const struct dsn *d, enum dsn_action a)
{
	if (!has(d, a))
		return;
	put_wrapped(out, 0, str_from(sentences[a]));
	buf_put(out, STR("\r\n"));
	for (size_t i = 0; i < d->n; i++)
		if (d->rows[i].action == a)
			put_row(out, &d->rows[i]);
}

/* ---- the message it is about, and who writes ---- */

static void put_about(buf *out, const struct dsn *d)
{
	AUTO_BUF buf line = buf_new(4096);
	buf_put(&line, STR("It is about your message"));
	if (d->subject.n > 0) {
		buf_put(&line, STR(" \""));
		buf_put(&line, d->subject);
		buf_putc(&line, '"');
	}
	if (d->arrived > 0) {
		buf_put(&line, STR(", which came to this server on "));
		put_date(&line, d->arrived);
	}
	buf_putc(&line, '.');
	put_wrapped(out, 0, buf_str(&line));
	dsn_carry(out, &line);
	buf_put(out, STR("\r\n"));
	buf_clear(&line);
	buf_put(&line, STR("This was written by the mail server "));
	buf_put(&line, d->reporting_mta);
	buf_put(&line, STR("; nobody reads answers to it but its postmaster."));
	put_wrapped(out, 0, buf_str(&line));
	dsn_carry(out, &line);
}

void dsn_print_text(buf *out, const struct dsn *d)
{
	for (size_t i = 0; i < DSN_ACTIONS; i++)
		put_group(out, d, order[i]);
	put_about(out, d);
}
