#include "grammar/smtp/mailbox.h"

#include <idn2.h>

static result wrong(const char *text)
{
	return failure(FAIL_INPUT, text);
}

static bool is_atext(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c > 127 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_string(unsigned char c)
{
	return c == '.' || is_atext(c);
}

static bool is_label(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c > 127 || c == '-' || c == '_';
}

static bool is_dtext(unsigned char c)
{
	return c >= 33 && c <= 126 && c != '[' && c != ']' && c != '\\';
}

/* The text between the quotes, without its backslashes. */
static result take_quoted(cursor *c, arena *a, str *out)
{
	cursor_expect(c, '"');
	char *p = arena_alloc(a, cursor_left(c));
	size_t n = 0;
	if (!p)
		return arena_result(a);
	for (;;) {
		int ch = cursor_next(c);
		if (ch == '"')
			break;
		if (ch == '\\') {
			ch = cursor_next(c);
			if (ch > 127)
				return wrong(
					"a backslash in the quoted local part stands before a byte it cannot quote");
		}
		if (ch < 0)
			return wrong("the quoted local part has no closing quote");
		if (ch < 32 || ch == 127)
			return wrong("the local part contains a control character");
		p[n++] = (char)ch;
	}
	*out = str_of(p, n);
	return OK;
}

static result take_local(cursor *c, arena *a, struct mailbox *m)
{
	if (cursor_peek(c) == '"') {
		TRY(take_quoted(c, a, &m->local));
	} else {
		m->local = cursor_while(c, is_dot_string);
		if (m->local.n == 0)
			return wrong("the address has no local part before the @");
	}
	if (!str_is_ascii(m->local)) {
		if (!str_is_utf8(m->local))
			return wrong("the local part is not valid UTF-8");
		m->utf8 = true;
	}
	return OK;
}

static result check_label(str label)
{
	if (label.n == 0)
		return wrong("the domain has an empty label");
	if (label.n > MAILBOX_LABEL_MAX)
		return wrong("a label of the domain is longer than 63 octets");
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return wrong("a label of the domain begins or ends with a hyphen");
	return OK;
}

static result take_name(cursor *c, struct mailbox *m)
{
	const char *start = c->p;
	do {
		TRY(check_label(cursor_while(c, is_label)));
	} while (cursor_eat(c, '.'));
	m->domain = str_of(start, (size_t)(c->p - start));
	m->kind = MAILBOX_NAME;
	if (!str_is_ascii(m->domain)) {
		if (!str_is_utf8(m->domain))
			return wrong("the domain is not valid UTF-8");
		m->utf8 = true;
	}
	return OK;
}

static result read_literal(str inner, struct mailbox *m)
{
	size_t colon = str_chr(inner, ':');
	if (str_istarts(inner, STR("IPv6:"))) {
		m->kind = MAILBOX_IPV6;
		return ip_parse(str_skip(inner, 5), &m->ip) && m->ip.n == 16
			       ? OK
			       : wrong("the IPv6 address literal is malformed");
	}
	if (colon == STR_NONE) {
		m->kind = MAILBOX_IPV4;
		return ip_parse(inner, &m->ip) ? OK : wrong("the IPv4 address literal is malformed");
	}
	for (size_t i = 0; i < colon; i++)
		if (!ascii_alpha(str_at(inner, i)) && !ascii_digit(str_at(inner, i)) && inner.p[i] != '-')
			return wrong("the tag of the address literal is malformed");
	if (colon == 0 || inner.p[colon - 1] == '-' || colon + 1 == inner.n)
		return wrong("the address literal is malformed");
	m->kind = MAILBOX_GENERAL;
	return OK;
}

static result take_literal(cursor *c, struct mailbox *m)
{
	const char *start = c->p;
	cursor_expect(c, '[');
	str inner = cursor_while(c, is_dtext);
	if (!cursor_eat(c, ']'))
		return wrong("the address literal has no closing bracket");
	m->domain = str_of(start, (size_t)(c->p - start));
	return read_literal(inner, m);
}

result mailbox_take_domain(cursor *c, struct mailbox *out)
{
	struct mailbox m = *out;
	TRY(cursor_peek(c) == '[' ? take_literal(c, &m) : take_name(c, &m));
	if (m.domain.n > MAILBOX_DOMAIN_MAX)
		return wrong("the domain is longer than 255 octets");
	*out = m;
	return OK;
}

/* Whether the local part may stand without quotes. */
static bool is_plain_local(str local)
{
	bool dot = true;
	for (size_t i = 0; i < local.n; i++) {
		unsigned char c = str_at(local, i);
		if (c == '.' ? dot : !is_atext(c))
			return false;
		dot = c == '.';
	}
	return !dot;
}

static size_t printed_local_size(str local)
{
	size_t n = local.n;
	if (is_plain_local(local))
		return n;
	for (size_t i = 0; i < local.n; i++)
		n += local.p[i] == '"' || local.p[i] == '\\';
	return n + 2;
}

static result check_limits(const struct mailbox *m)
{
	size_t local = printed_local_size(m->local);
	if (local > MAILBOX_LOCAL_MAX)
		return wrong("the local part is longer than 64 octets");
	if (local + 1 + m->domain.n > MAILBOX_MAX)
		return wrong("the address is longer than 254 octets");
	return OK;
}

result mailbox_take(cursor *c, arena *a, struct mailbox *out)
{
	struct mailbox m = {0};
	TRY(take_local(c, a, &m));
	if (!cursor_eat(c, '@')) {
		if (!str_ieq(m.local, STR("postmaster")))
			return wrong("the address has no @ and domain");
		m.kind = MAILBOX_BARE;
	} else {
		TRY(mailbox_take_domain(c, &m));
	}
	TRY(check_limits(&m));
	*out = m;
	return OK;
}

result mailbox_parse(str s, arena *a, struct mailbox *out)
{
	cursor c = cursor_on(s);
	struct mailbox m;
	TRY(mailbox_take(&c, a, &m));
	if (!cursor_done(&c))
		return wrong("the address contains a character that is not permitted there");
	if (m.kind == MAILBOX_BARE)
		return wrong("the address has no @ and domain");
	*out = m;
	return OK;
}

/* "@a,@b:" in front of the mailbox; it is checked and forgotten. */
static result skip_route(cursor *c)
{
	struct mailbox ignored = {0};
	if (cursor_peek(c) != '@')
		return OK;
	do {
		if (!cursor_eat(c, '@'))
			return wrong("the source route is malformed");
		TRY(mailbox_take_domain(c, &ignored));
	} while (cursor_eat(c, ','));
	return cursor_eat(c, ':') ? OK : wrong("the source route has no colon at its end");
}

result mailbox_take_path(cursor *c, arena *a, struct mailbox *out)
{
	struct mailbox m = {0};
	if (!cursor_eat(c, '<'))
		return wrong("the address does not begin with <");
	if (cursor_eat(c, '>')) {
		*out = m;
		return OK;
	}
	TRY(skip_route(c));
	TRY(mailbox_take(c, a, &m));
	if (!cursor_eat(c, '>'))
		return wrong("the address contains a character that is not permitted there, or has no > at its end");
	*out = m;
	return OK;
}

void mailbox_print(buf *out, const struct mailbox *m)
{
	if (m->kind == MAILBOX_NULL)
		return;
	bool plain = is_plain_local(m->local);
	if (!plain)
		buf_putc(out, '"');
	for (size_t i = 0; i < m->local.n; i++) {
		char c = m->local.p[i];
		if (c == '"' || c == '\\')
			buf_putc(out, '\\');
		buf_putc(out, c);
	}
	if (!plain)
		buf_putc(out, '"');
	if (m->kind == MAILBOX_BARE)
		return;
	buf_putc(out, '@');
	buf_put(out, m->domain);
}

void mailbox_print_path(buf *out, const struct mailbox *m)
{
	buf_putc(out, '<');
	mailbox_print(out, m);
	buf_putc(out, '>');
}

static str lower(str s, arena *a)
{
	char *p = arena_alloc(a, s.n);
	if (!p)
		return (str){NULL, 0};
	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)ascii_lower(str_at(s, i));
	return str_of(p, s.n);
}

static result keep(str s, arena *a, str *out)
{
	str copy = lower(s, a);
	if (!copy.p)
		return arena_result(a);
	*out = copy;
	return OK;
}

static result parse_domain(str domain, struct mailbox *m)
{
	cursor c = cursor_on(domain);
	*m = (struct mailbox){0};
	TRY(mailbox_take_domain(&c, m));
	return cursor_done(&c) ? OK : wrong("the domain contains a character that is not permitted there");
}

static result normal_literal(const struct mailbox *m, arena *a, str *out)
{
	if (m->kind == MAILBOX_GENERAL)
		return keep(m->domain, a, out);
	AUTO_BUF buf b = buf_new(MAILBOX_DOMAIN_MAX);
	buf_put(&b, m->kind == MAILBOX_IPV4 ? STR("[") : STR("[ipv6:"));
	ip_print(&b, &m->ip);
	buf_putc(&b, ']');
	TRY(buf_result(&b));
	return keep(buf_str(&b), a, out);
}

/* What UTS 46 makes of a name may be anything ("＠" becomes "@"), so it is parsed again. */
static result normal_name(str domain, arena *a, str *out)
{
	struct mailbox m;
	char *ascii = NULL;
	char *text = arena_cstr(a, domain);
	if (!text)
		return arena_result(a);
	int rc = idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_MALLOC)
		return failure(FAIL_MEMORY, "out of memory");
	if (rc != IDN2_OK)
		return wrong("the domain is not a valid internationalised domain name");
	result r = parse_domain(str_from(ascii), &m);
	if (!failed(r) && (m.kind != MAILBOX_NAME || m.utf8))
		r = wrong("the domain is not a valid internationalised domain name");
	if (!failed(r))
		r = keep(m.domain, a, out);
	idn2_free(ascii);
	return r;
}

result mailbox_domain(str domain, arena *a, str *out)
{
	struct mailbox m;
	TRY(parse_domain(domain, &m));
	if (m.kind != MAILBOX_NAME)
		return normal_literal(&m, a, out);
	return m.utf8 ? normal_name(domain, a, out) : keep(domain, a, out);
}

/* The U-label form, when it leads back to the same name; a name that only
 * looks like an A-label is shown as it is. */
static result shown_name(str normal, const char *unicode, arena *a, str *out)
{
	str back;
	if (failed(mailbox_domain(str_from(unicode), a, &back)) || !str_eq(back, normal)) {
		*out = normal;
		return OK;
	}
	str copy = arena_dup(a, str_from(unicode));
	if (!copy.p)
		return arena_result(a);
	*out = copy;
	return OK;
}

result mailbox_domain_unicode(str domain, arena *a, str *out)
{
	str normal;
	char *unicode = NULL;
	TRY(mailbox_domain(domain, a, &normal));
	if (str_find(normal, STR("xn--")) == STR_NONE) {
		*out = normal;
		return OK;
	}
	char *text = arena_cstr(a, normal);
	if (!text)
		return arena_result(a);
	int rc = idn2_to_unicode_8z8z(text, &unicode, 0);
	if (rc == IDN2_MALLOC)
		return failure(FAIL_MEMORY, "out of memory");
	result r = shown_name(normal, rc == IDN2_OK ? unicode : text, a, out);
	idn2_free(unicode);
	return r;
}
