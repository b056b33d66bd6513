#include "grammar/audit/audit_line.h"

#include <sodium.h>

/* Words of ours, which name nobody. All other text is sealed. */
static const str plain[] = {
	STR_INIT("act"),      STR_INIT("outcome"),   STR_INIT("protocol"), STR_INIT("verdict"), STR_INIT("role"),
	STR_INIT("asked"),    STR_INIT("algorithm"), STR_INIT("state"),    STR_INIT("key"),     STR_INIT("signature"),
	STR_INIT("selector"), STR_INIT("remains"),   STR_INIT("file"),     STR_INIT("kind"),    STR_INIT("hash"),
	STR_INIT("mechanism"), STR_INIT("detector"), STR_INIT("measure"),  STR_INIT("grade"),
};

struct audit_hash audit_hash_of(str octets)
{
	struct audit_hash h;
	_Static_assert(crypto_hash_sha256_BYTES == AUDIT_HASH, "SHA-256 has 32 octets");
	crypto_hash_sha256(h.b, (const unsigned char *)octets.p, octets.n);
	return h;
}

static struct audit_hash sealed_of(const unsigned char salt[AUDIT_SALT], str text)
{
	struct audit_hash h;
	crypto_hash_sha256_state s;
	crypto_hash_sha256_init(&s);
	crypto_hash_sha256_update(&s, salt, AUDIT_SALT);
	crypto_hash_sha256_update(&s, (const unsigned char *)text.p, text.n);
	crypto_hash_sha256_final(&s, h.b);
	return h;
}

/* ---- reading ---- */

static void want(cursor *c, str text)
{
	c->bad = !str_eq(cursor_take(c, text.n), text) || c->bad;
}

static uint64_t take_number(cursor *c)
{
	uint64_t v = 0;
	bool zero = cursor_peek(c) == '0';
	const char *from = c->p;
	while (!c->bad && ascii_digit((unsigned char)(cursor_peek(c) < 0 ? 0 : cursor_peek(c)))) {
		uint64_t digit = (uint64_t)(cursor_next(c) - '0');
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			c->bad = true;
	}
	if (c->p == from || (zero && c->p != from + 1))
		c->bad = true; /* none, or one that could be written in another way */
	return c->bad ? 0 : v;
}

static void take_hex(cursor *c, void *out, size_t n)
{
	str digits = cursor_take(c, 2 * n);
	c->bad = c->bad || !hex_read(digits, out, n);
}

static str take_time(cursor *c)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	str t = cursor_take(c, AUDIT_TIME);
	for (size_t i = 0; i < t.n; i++)
		c->bad = c->bad || (form[i] == 'd' ? !ascii_digit(str_at(t, i)) : t.p[i] != form[i]);
	return t;
}

static bool is_name(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_alpha(str_at(s, i)) && !ascii_digit(str_at(s, i)) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= AUDIT_NAME_MAX;
}

static void take_value(cursor *c, struct audit_value *v)
{
	int first = cursor_peek(c);
	if (first == '"') {
		v->type = 's';
		v->text = json_take(c);
	} else if (first == '{') {
		v->type = 'x';
		want(c, STR("{\"sealed\":\""));
		take_hex(c, v->sealed.b, sizeof v->sealed);
		want(c, STR("\"}"));
	} else {
		v->type = cursor_eat(c, '-') ? 'i' : 'u';
		v->number = take_number(c);
		c->bad = c->bad || (v->type == 'i' && (v->number == 0 || v->number > (uint64_t)1 << 63));
		v->number = v->type == 'i' ? 0 - v->number : v->number;
	}
}

static void take_field(cursor *c, struct audit_value *v)
{
	*v = (struct audit_value){0};
	v->name = json_take(c);
	c->bad = c->bad || !is_name(v->name);
	cursor_expect(c, ':');
	take_value(c, v);
}

static str take_fields(cursor *c)
{
	struct audit_value v;
	const char *from = c->p;
	size_t n = 0;
	while (!c->bad && cursor_peek(c) != '}') {
		if (n++ > 0)
			cursor_expect(c, ',');
		take_field(c, &v);
	}
	return c->bad ? (str){NULL, 0} : str_of(from, (size_t)(c->p - from));
}

static void take_trace(cursor *c, struct audit_line *l)
{
	trace_id t;
	want(c, STR(",\"trace\":\""));
	const char *from = c->p;
	take_hex(c, t.b, sizeof t);
	l->trace = str_of(from, 2 * sizeof t);
	cursor_expect(c, '"');
}

static void take_record(cursor *c, struct audit_line *l)
{
	want(c, STR("{\"seq\":"));
	l->seq = take_number(c);
	want(c, STR(",\"time\":\""));
	l->time = take_time(c);
	want(c, STR("\",\"prev\":\""));
	take_hex(c, l->prev.b, sizeof l->prev);
	want(c, STR("\",\"event\":"));
	l->event = json_take(c);
	want(c, STR(",\"room\":"));
	l->room = json_take(c);
	want(c, STR(",\"number\":"));
	l->number = take_number(c);
	if (!c->bad && str_starts(str_of(c->p, cursor_left(c)), STR(",\"trace\":")))
		take_trace(c, l);
	want(c, STR(",\"fields\":{"));
	l->fields = take_fields(c);
	want(c, STR("}}"));
}

bool audit_line_read(str line, struct audit_line *out)
{
	struct audit_line l = {0};
	cursor c = cursor_on(line);
	if (line.n > AUDIT_LINE_MAX || !str_is_utf8(line))
		return false;
	want(&c, STR("{\"hash\":\""));
	take_hex(&c, l.hash.b, sizeof l.hash);
	want(&c, STR("\",\"record\":"));
	const char *from = c.p;
	take_record(&c, &l);
	l.record = c.bad ? (str){NULL, 0} : str_of(from, (size_t)(c.p - from));
	cursor_expect(&c, '}');
	if (c.bad || !cursor_done(&c))
		return false;
	*out = l;
	return true;
}

bool audit_field_next(str *fields, struct audit_value *out)
{
	cursor c = cursor_on(*fields);
	if (fields->n == 0)
		return false;
	take_field(&c, out);
	cursor_eat(&c, ',');
	*fields = cursor_rest(&c);
	return !c.bad;
}

bool audit_field_find(str fields, str name, struct audit_value *out)
{
	while (audit_field_next(&fields, out))
		if (str_eq(out->name, name))
			return true;
	return false;
}

/* ---- clear lines ---- */

static void take_clear(cursor *c, struct audit_clear_value *v)
{
	v->name = json_take(c);
	c->bad = c->bad || !is_name(v->name);
	want(c, STR(":[\""));
	take_hex(c, v->salt, sizeof v->salt);
	want(c, STR("\","));
	v->text = json_take(c);
	cursor_expect(c, ']');
}

bool audit_clear_read(str line, struct audit_clear *out)
{
	struct audit_clear_value v;
	cursor c = cursor_on(line);
	if (line.n > AUDIT_LINE_MAX || !str_is_utf8(line))
		return false;
	want(&c, STR("{\"seq\":"));
	out->seq = take_number(&c);
	want(&c, STR(",\"clear\":{"));
	const char *from = c.p;
	do
		take_clear(&c, &v);
	while (cursor_eat(&c, ','));
	out->fields = c.bad ? (str){NULL, 0} : str_of(from, (size_t)(c.p - from));
	want(&c, STR("}}"));
	return !c.bad && cursor_done(&c);
}

bool audit_clear_next(str *fields, struct audit_clear_value *out)
{
	cursor c = cursor_on(*fields);
	if (fields->n == 0)
		return false;
	take_clear(&c, out);
	cursor_eat(&c, ',');
	*fields = cursor_rest(&c);
	return !c.bad;
}

bool audit_clear_fits(const struct audit_clear_value *v, const struct audit_hash *sealed)
{
	AUTO_BUF buf text = buf_new(AUDIT_LINE_MAX);
	if (!json_undo(v->text, &text))
		return false;
	struct audit_hash h = sealed_of(v->salt, buf_str(&text));
	return memcmp(h.b, sealed->b, sizeof h) == 0;
}

/* ---- printing ---- */

static bool is_plain(const struct log_value *v)
{
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		if (str_eq(v->name, plain[i]))
			return true;
	return false;
}

static void put_hex_text(buf *out, const void *p, size_t n)
{
	buf_putc(out, '"');
	hex_put(out, p, n);
	buf_putc(out, '"');
}

static void put_name(buf *out, str name)
{
	buf_putc(out, '"');
	buf_put(out, name);
	buf_put(out, STR("\":"));
}

struct printing {
	const struct audit_draft *draft;
	buf *chain, *clear;
	size_t n;
	bool sealed; /* something was: the clear line has begun */
};

/* One salt a field: whoever has guessed one value learns of no other. */
static void salt_of(const struct printing *p, unsigned char salt[AUDIT_SALT])
{
	unsigned char place = (unsigned char)p->n;
	_Static_assert(AUDIT_FIELDS_MAX < 256, "a field's place is one octet");
	crypto_generichash(salt, AUDIT_SALT, &place, 1, p->draft->seed, sizeof p->draft->seed);
}

static void put_sealed(struct printing *p, const struct log_value *v)
{
	unsigned char salt[AUDIT_SALT];
	AUTO_BUF buf shown = buf_new(AUDIT_LINE_MAX), text = buf_new(AUDIT_LINE_MAX);
	salt_of(p, salt);
	json_put(&shown, v->text);
	str inner = str_sub(buf_str(&shown), 1, shown.n - 2);
	json_undo(inner, &text); /* what a reader of the clear line will have */
	struct audit_hash h = sealed_of(salt, buf_str(&text));
	buf_put(p->chain, STR("{\"sealed\":"));
	put_hex_text(p->chain, h.b, sizeof h);
	buf_putc(p->chain, '}');
	if (!p->sealed)
		buf_printf(p->clear, "{\"seq\":%llu,\"clear\":{", (unsigned long long)p->draft->seq);
	else
		buf_putc(p->clear, ',');
	p->sealed = true;
	put_name(p->clear, v->name);
	buf_putc(p->clear, '[');
	put_hex_text(p->clear, salt, sizeof salt);
	buf_putc(p->clear, ',');
	buf_put(p->clear, buf_str(&shown));
	buf_putc(p->clear, ']');
}

static void put_field(struct printing *p, const struct log_value *v)
{
	if (p->n > 0)
		buf_putc(p->chain, ',');
	put_name(p->chain, v->name);
	if (v->type == 's' && (is_plain(v) || v->text.n == 0))
		json_put(p->chain, v->text);
	else if (v->type == 's')
		put_sealed(p, v);
	else if (v->type == 'i' && (int64_t)v->number < 0)
		buf_printf(p->chain, "-%llu", (unsigned long long)(0 - v->number));
	else
		buf_put_u64(p->chain, v->number);
	p->n++;
}

static bool put_fields(struct printing *p, struct log_record r)
{
	struct log_value v;
	while (log_next(&r, &v)) {
		if (!is_name(v.name))
			return false;
		if (p->n == AUDIT_FIELDS_MAX - 1)
			v = (struct log_value){.name = STR("cut"), .type = 'u', .number = 1};
		if (p->n < AUDIT_FIELDS_MAX)
			put_field(p, &v);
	}
	return !r.fields.bad;
}

static bool is_traced(const trace_id *t)
{
	return t && !sodium_is_zero(t->b, sizeof t->b);
}

static void put_record(struct printing *p)
{
	const struct audit_draft *d = p->draft;
	buf_printf(p->chain, "{\"seq\":%llu,\"time\":\"%.*s\",\"prev\":", (unsigned long long)d->seq, STR_ARG(d->time));
	put_hex_text(p->chain, d->prev.b, sizeof d->prev);
	buf_put(p->chain, STR(",\"event\":"));
	json_put(p->chain, d->event);
	buf_put(p->chain, STR(",\"room\":"));
	json_put(p->chain, d->room);
	buf_printf(p->chain, ",\"number\":%llu", (unsigned long long)d->number);
	if (is_traced(d->trace)) {
		buf_put(p->chain, STR(",\"trace\":"));
		put_hex_text(p->chain, d->trace->b, sizeof *d->trace);
	}
	buf_put(p->chain, STR(",\"fields\":{"));
}

enum { HASH_AT = sizeof "{\"hash\":\"" - 1, RECORD_AT = HASH_AT + 2 * AUDIT_HASH + sizeof "\",\"record\":" - 1 };

bool audit_line_put(const struct audit_draft *d, struct log_record fields, buf *chain, buf *clear,
		    struct audit_hash *hash)
{
	size_t before = chain->n, clear_before = clear->n;
	struct printing p = {.draft = d, .chain = chain, .clear = clear};
	static const struct audit_hash none;
	buf_put(chain, STR("{\"hash\":"));
	put_hex_text(chain, none.b, sizeof none);
	buf_put(chain, STR(",\"record\":"));
	put_record(&p);
	if (!put_fields(&p, fields) || chain->broken || clear->broken) {
		chain->n = before;
		clear->n = clear_before;
		return false;
	}
	buf_put(chain, STR("}}"));
	*hash = audit_hash_of(str_skip(buf_str(chain), before + RECORD_AT));
	buf_put(chain, STR("}\n"));
	buf_put(clear, p.sealed ? STR("}}\n") : STR(""));
	if (chain->broken || clear->broken)
		return false;
	AUTO_BUF buf digits = buf_new(2 * AUDIT_HASH);
	hex_put(&digits, hash->b, sizeof *hash);
	must(!digits.broken);
	memcpy(chain->p + before + HASH_AT, digits.p, digits.n);
	return true;
}
