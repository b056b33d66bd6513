#include "grammar/smtp/trace.h"
#include "grammar/mime/header.h"

static bool is_safe(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) || (c != '\0' && strchr(".-_:[]", c));
}

static void put_safe(buf *out, str s)
{
	s = str_sub(s, 0, TRACE_VALUE_MAX);
	for (size_t i = 0; i < s.n; i++)
		buf_putc(out, is_safe(str_at(s, i)) ? s.p[i] : '?');
}

/* "from helo (rdns [ip])"; what is not known is left out. */
static void put_from(buf *out, const struct trace_received *t)
{
	buf_put(out, STR("Received: from "));
	put_safe(out, t->helo.n > 0 ? t->helo : STR("unknown"));
	if (t->ip.n == 0)
		return;
	buf_put(out, STR(" ("));
	put_safe(out, t->rdns);
	buf_put(out, t->rdns.n > 0 ? STR(" [") : STR("["));
	buf_put(out, t->ip.n == 16 ? STR("IPv6:") : STR(""));
	ip_print(out, &t->ip);
	buf_put(out, STR("])"));
}

static void put_with(buf *out, unsigned with)
{
	bool extended = with & (TRACE_EXTENDED | TRACE_LMTP);
	bool utf8 = extended && (with & TRACE_UTF8);
	if (utf8)
		buf_put(out, STR("UTF8"));
	else if (extended && !(with & TRACE_LMTP))
		buf_putc(out, 'E');
	buf_put(out, with & TRACE_LMTP ? STR("LMTP") : STR("SMTP"));
	if (extended && (with & TRACE_TLS))
		buf_putc(out, 'S');
	if (extended && (with & TRACE_AUTH))
		buf_putc(out, 'A');
}

/* Whether the recipient may stand in this message's header. */
static bool may_name(const struct trace_received *t)
{
	return t->recipient && t->recipient->kind != MAILBOX_NULL && (!t->recipient->utf8 || (t->with & TRACE_UTF8));
}

void trace_print_received(buf *out, const struct trace_received *t)
{
	put_from(out, t);
	buf_put(out, STR("\r\n\tby "));
	put_safe(out, t->by);
	buf_put(out, STR(" with "));
	put_with(out, t->with);
	if (t->id.n > 0) {
		buf_put(out, STR(" id "));
		put_safe(out, t->id);
	}
	if (may_name(t)) {
		buf_put(out, STR("\r\n\tfor "));
		mailbox_print_path(out, t->recipient);
	}
	if (t->tls.n > 0) {
		buf_put(out, STR("\r\n\ttls "));
		put_safe(out, t->tls);
	}
	buf_put(out, STR(";\r\n\t"));
	date_print(out, t->when);
	buf_put(out, STR("\r\n"));
}

void trace_print_return_path(buf *out, const struct mailbox *from)
{
	buf_put(out, STR("Return-Path: "));
	mailbox_print_path(out, from);
	buf_put(out, STR("\r\n"));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word of a folded value, without comments; empty at the end. */
static str next_word(str *rest)
{
	size_t depth = 0, i = 0, start;
	for (; i < rest->n; i++) {
		char c = rest->p[i];
		depth += c == '(';
		if (!depth && !is_space(c))
			break;
		depth -= c == ')' && depth > 0;
	}
	for (start = i; i < rest->n && !is_space(rest->p[i]) && rest->p[i] != '(' && rest->p[i] != ';'; i++)
		;
	str word = str_sub(*rest, start, i - start);
	/* A ";" ends what names hosts; the date follows. */
	*rest = i < rest->n && rest->p[i] == ';' && !word.n ? STR("") : str_skip(*rest, i);
	return word;
}

static bool is_by(str value, str host)
{
	for (str word = next_word(&value); word.n; word = next_word(&value))
		if (str_ieq(word, STR("by")))
			return str_ieq(next_word(&value), host);
	return false;
}

size_t trace_count_by(str head, str host)
{
	struct header_walk w = {.text = head};
	struct header_field f;
	size_t count = 0;
	while (header_next(&w, &f))
		count += f.id == HEADER_RECEIVED && is_by(f.value, host);
	return count;
}
