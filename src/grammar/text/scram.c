#include "grammar/text/scram.h"

#include "base/cursor.h"
#include "grammar/text/base64.h"

/* ---- pieces ---- */

static bool not_comma(unsigned char c)
{
	return c != ',';
}

static bool in_binding_name(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '.' || c == '-';
}

static bool in_nonce(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != ',';
}

/* "a=value" */
static str attribute(cursor *c, char name)
{
	cursor_expect(c, name);
	cursor_expect(c, '=');
	return cursor_while(c, not_comma);
}

/* saslname: "=2C" and "=3D" stand for what would end or escape. */
static str name_of(cursor *c, arena *a, str raw)
{
	AUTO_BUF buf out = buf_new(SCRAM_MESSAGE_MAX);
	for (size_t i = 0; i < raw.n; i++) {
		char ch = raw.p[i];
		str escape = str_sub(raw, i, 3);
		if (ch == '=') {
			ch = str_eq(escape, STR("=2C")) ? ',' : '=';
			c->bad = c->bad || (ch == '=' && !str_eq(escape, STR("=3D")));
			i += 2;
		}
		buf_putc(&out, ch);
	}
	c->bad = c->bad || out.broken || raw.n == 0 || str_chr(raw, '\0') != STR_NONE || !str_is_utf8(buf_str(&out));
	return arena_dup(a, buf_str(&out));
}

static str nonce_of(cursor *c)
{
	str nonce = attribute(c, 'r');
	cursor rest = cursor_on(nonce);
	str good = cursor_while(&rest, in_nonce);
	c->bad = c->bad || nonce.n == 0 || good.n != nonce.n || nonce.n > SCRAM_NONCE_MAX;
	return nonce;
}

/* One of ",x=value"; false when none is next. */
static bool extension(cursor *c)
{
	if (!cursor_eat(c, ','))
		return false;
	int name = cursor_next(c);
	cursor_expect(c, '=');
	str value = cursor_while(c, not_comma);
	c->bad = c->bad || name < 0 || !ascii_alpha((unsigned char)name) || name == 'm' || value.n == 0 ||
		 str_chr(value, '\0') != STR_NONE || !str_is_utf8(value);
	return !c->bad;
}

static str since(const cursor *c, const char *start)
{
	return str_of(start, (size_t)(c->p - start));
}

static str extensions(cursor *c)
{
	const char *start = c->p;
	while (extension(c))
		continue;
	return since(c, start);
}

static str octets_of(cursor *c, arena *a, str coded)
{
	AUTO_BUF buf out = buf_new(SCRAM_MESSAGE_MAX);
	c->bad = c->bad || failed(base64_decode(&out, coded)) || out.n == 0;
	return arena_dup(a, buf_str(&out));
}

/* ---- the client's first message ---- */

static void header(cursor *c, arena *a, struct scram_first *m)
{
	int flag = cursor_next(c);
	m->flag = (enum scram_flag)flag;
	c->bad = c->bad || (flag != SCRAM_UNBOUND && flag != SCRAM_UNOFFERED && flag != SCRAM_BOUND);
	if (flag == SCRAM_BOUND) {
		cursor_expect(c, '=');
		m->binding = cursor_while(c, in_binding_name);
		c->bad = c->bad || m->binding.n == 0;
	}
	cursor_expect(c, ',');
	if (cursor_peek(c) == 'a')
		m->authzid = name_of(c, a, attribute(c, 'a'));
	cursor_expect(c, ',');
}

result scram_first_parse(str message, arena *a, struct scram_first *out)
{
	cursor c = cursor_on(message);
	struct scram_first m = {0};
	c.bad = message.n > SCRAM_MESSAGE_MAX;
	header(&c, a, &m);
	m.header = since(&c, message.p);
	const char *bare = c.p;
	m.user = name_of(&c, a, attribute(&c, 'n'));
	cursor_expect(&c, ',');
	m.nonce = nonce_of(&c);
	m.extensions = extensions(&c);
	m.bare = since(&c, bare);
	TRY(arena_result(a));
	if (c.bad || !cursor_done(&c))
		return failure(FAIL_INPUT, "the client's first message is not as SCRAM says (RFC 5802 section 7)");
	*out = m;
	return OK;
}

static void put_name(buf *out, str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == ',')
			buf_put(out, STR("=2C"));
		else if (name.p[i] == '=')
			buf_put(out, STR("=3D"));
		else
			buf_putc(out, name.p[i]);
	}
}

void scram_first_print(buf *out, const struct scram_first *m)
{
	buf_putc(out, (char)m->flag);
	if (m->flag == SCRAM_BOUND) {
		buf_putc(out, '=');
		buf_put(out, m->binding);
	}
	buf_putc(out, ',');
	if (m->authzid.n) {
		buf_put(out, STR("a="));
		put_name(out, m->authzid);
	}
	buf_put(out, STR(",n="));
	put_name(out, m->user);
	buf_put(out, STR(",r="));
	buf_put(out, m->nonce);
	buf_put(out, m->extensions);
}

/* ---- the client's last message ---- */

/* The proof is the last attribute; an extension may stand before it. */
static str extensions_before_proof(cursor *c)
{
	const char *start = c->p;
	while (!c->bad && !(cursor_left(c) > 2 && c->p[0] == ',' && c->p[1] == 'p' && c->p[2] == '='))
		if (!extension(c))
			c->bad = true;
	return since(c, start);
}

result scram_final_parse(str message, arena *a, struct scram_final *out)
{
	cursor c = cursor_on(message);
	struct scram_final m = {0};
	c.bad = message.n > SCRAM_MESSAGE_MAX;
	m.binding = octets_of(&c, a, attribute(&c, 'c'));
	cursor_expect(&c, ',');
	m.nonce = nonce_of(&c);
	m.extensions = extensions_before_proof(&c);
	m.without_proof = since(&c, message.p);
	cursor_expect(&c, ',');
	m.proof = octets_of(&c, a, attribute(&c, 'p'));
	TRY(arena_result(a));
	if (c.bad || !cursor_done(&c))
		return failure(FAIL_INPUT, "the client's last message is not as SCRAM says (RFC 5802 section 7)");
	*out = m;
	return OK;
}

void scram_final_print(buf *out, const struct scram_final *m)
{
	buf_put(out, STR("c="));
	base64_encode(out, m->binding, 0);
	buf_put(out, STR(",r="));
	buf_put(out, m->nonce);
	buf_put(out, m->extensions);
	buf_put(out, STR(",p="));
	base64_encode(out, m->proof, 0);
}

/* ---- the server's messages ---- */

void scram_challenge_print(buf *out, const struct scram_challenge *m)
{
	buf_put(out, STR("r="));
	buf_put(out, m->nonce);
	buf_put(out, STR(",s="));
	base64_encode(out, m->salt, 0);
	buf_put(out, STR(",i="));
	buf_put_u64(out, m->iterations);
}

void scram_signature_print(buf *out, str signature)
{
	buf_put(out, STR("v="));
	base64_encode(out, signature, 0);
}
