#include "grammar/dkim/dkim_signature.h"

#include "grammar/smtp/mailbox.h"
#include "grammar/text/base64.h"

static const str algorithms[] = {STR_INIT("rsa-sha256"), STR_INIT("ed25519-sha256")};
static const str canons[] = {STR_INIT("simple"), STR_INIT("relaxed")};

/* ---- reading ---- */

static result invalid(const char *why)
{
	return failure(FAIL_INPUT, why);
}

static result read_algorithm(str value, struct dkim_signature *s)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		if (str_ieq(value, algorithms[i])) {
			s->algorithm = (enum dkim_algorithm)i;
			return OK;
		}
	}
	return invalid(str_ieq(value, STR("rsa-sha1")) ? "it is made with SHA-1, which proves nothing any more"
						       : "its algorithm is unknown");
}

static bool read_canon(str word, enum dkim_canon *out)
{
	for (size_t i = 0; i < sizeof canons / sizeof *canons; i++) {
		if (str_ieq(word, canons[i])) {
			*out = (enum dkim_canon)i;
			return true;
		}
	}
	return false;
}

static result read_canons(const str *value, struct dkim_signature *s)
{
	s->header = s->body = DKIM_SIMPLE;
	if (!value)
		return OK;
	size_t slash = str_chr(*value, '/');
	bool known = read_canon(str_trim(str_sub(*value, 0, slash)), &s->header) &&
		     (slash == STR_NONE || read_canon(str_trim(str_skip(*value, slash + 1)), &s->body));
	return known ? OK : invalid("its canonical form (c=) is unknown");
}

static result read_number(const str *value, uint64_t *out)
{
	if (!value)
		return OK;
	return str_to_u64(*value, out) && *out <= INT64_MAX ? OK : invalid("a number in it (t=, x=, l=) is none");
}

static result read_numbers(const struct dkim_tags *t, struct dkim_signature *s)
{
	uint64_t at = UINT64_MAX, until = UINT64_MAX;
	s->length = DKIM_WHOLE;
	TRY(read_number(dkim_tag(t, STR("t")), &at));
	TRY(read_number(dkim_tag(t, STR("x")), &until));
	TRY(read_number(dkim_tag(t, STR("l")), &s->length));
	s->signed_at = at == UINT64_MAX ? -1 : (int64_t)at;
	s->expires = until == UINT64_MAX ? -1 : (int64_t)until;
	return at != UINT64_MAX && until < at ? invalid("it expired before it was made") : OK;
}

static result read_name(str value, arena *a, str *out)
{
	result r = str_starts(value, STR("[")) ? invalid("") : mailbox_domain(value, a, out);
	return r.kind == FAIL_INPUT ? invalid("its domain or selector is no name") : r;
}

/* i= names the domain or something below it (section 3.5). */
static result read_identity(const str *value, arena *a, struct dkim_signature *s)
{
	str host;
	s->identity = value ? *value : STR("");
	if (!value)
		return OK;
	size_t sign = str_rchr(*value, '@');
	if (sign == STR_NONE)
		return invalid("its identity (i=) has no @");
	TRY(read_name(str_skip(*value, sign + 1), a, &host));
	bool below = host.n > s->domain.n && str_ends(host, s->domain) && host.p[host.n - s->domain.n - 1] == '.';
	return below || str_eq(host, s->domain) ? OK : invalid("its identity (i=) is outside of its domain (d=)");
}

static result read_names(str value, struct dkim_signature *s)
{
	str rest = value, word;
	bool from = false;
	while (dkim_word_next(&rest, &word)) {
		if (word.n == 0)
			return invalid("a field name in h= is empty");
		from |= str_ieq(word, STR("From"));
	}
	s->names = value;
	return from ? OK : invalid("it does not cover the From field");
}

static result read_query(const str *value)
{
	str rest = value ? *value : STR("dns/txt"), word;
	while (dkim_word_next(&rest, &word))
		if (str_ieq(word, STR("dns/txt")) || str_ieq(word, STR("dns")))
			return OK;
	return invalid("its key is not in DNS (q=)");
}

static result read_hashes(const struct dkim_tags *t, arena *a, struct dkim_signature *s)
{
	result r = dkim_base64(*dkim_tag(t, STR("bh")), a, &s->body_hash);
	if (!failed(r))
		r = dkim_base64(*dkim_tag(t, STR("b")), a, &s->signature);
	if (failed(r))
		return r.kind == FAIL_INPUT ? invalid("its hash or signature is no base64") : r;
	return s->body_hash.n == DKIM_DIGEST && s->signature.n > 0 ? OK
								   : invalid("its hash or signature has the wrong length");
}

static result read_tags(const struct dkim_tags *t, arena *a, struct dkim_signature *s)
{
	static const str needed[] = {STR_INIT("v"), STR_INIT("a"), STR_INIT("b"), STR_INIT("bh"), STR_INIT("d"),
		STR_INIT("h"), STR_INIT("s")};
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!dkim_tag(t, needed[i]))
			return invalid("a tag that it must have (v, a, b, bh, d, h, s) is missing");
	if (!str_eq(*dkim_tag(t, STR("v")), STR("1")))
		return invalid("its version is not 1");
	TRY(read_algorithm(*dkim_tag(t, STR("a")), s));
	TRY(read_canons(dkim_tag(t, STR("c")), s));
	TRY(read_numbers(t, s));
	TRY(read_query(dkim_tag(t, STR("q"))));
	TRY(read_name(*dkim_tag(t, STR("d")), a, &s->domain));
	TRY(read_name(*dkim_tag(t, STR("s")), a, &s->selector));
	TRY(read_identity(dkim_tag(t, STR("i")), a, s));
	TRY(read_names(*dkim_tag(t, STR("h")), s));
	return read_hashes(t, a, s);
}

result dkim_signature_parse(str value, arena *a, struct dkim_signature *out)
{
	struct dkim_signature s = {0};
	struct dkim_tags *t = arena_alloc(a, sizeof *t);
	if (!t)
		return arena_result(a);
	if (value.n > DKIM_FIELD_READ_MAX)
		return invalid("it is longer than anybody needs");
	TRY(dkim_tags_parse(value, t));
	TRY(read_tags(t, a, &s));
	*out = s;
	return OK;
}

/* b= is found as the parser finds it: the tag's name, white space around it or not. */
result dkim_signature_emptied(str field, arena *a, str *out)
{
	size_t at = str_chr(field, ':');
	while (at != STR_NONE) {
		str spec = str_skip(field, at + 1);
		size_t end = str_chr(spec, ';'), equals = str_chr(spec, '=');
		spec = str_sub(spec, 0, end);
		if (equals < spec.n && str_eq(str_trim(str_sub(spec, 0, equals)), STR("b"))) {
			AUTO_BUF buf b = buf_new(field.n);
			buf_put(&b, str_sub(field, 0, at + 1 + equals + 1));
			buf_put(&b, str_skip(field, at + 1 + spec.n));
			TRY(buf_result(&b));
			*out = arena_dup(a, buf_str(&b));
			return out->p ? OK : arena_result(a);
		}
		at = end == STR_NONE ? STR_NONE : at + 1 + end;
	}
	return invalid("it has no b= tag");
}

/* ---- printing ---- */

static void put_tag(buf *out, size_t *line, const char *name, str value)
{
	const struct dkim_tag tag = {str_from(name), value};
	dkim_tag_print(out, line, &tag);
}

/* What is put together first: a number, a pair, base64. */
static void put_made(buf *out, size_t *line, const char *name, buf *made)
{
	put_tag(out, line, name, buf_str(made));
	if (made->broken)
		out->broken = made->broken;
	buf_clear(made);
}

result dkim_signature_print(const struct dkim_signature *s, buf *out, size_t *at)
{
	AUTO_BUF buf part = buf_new(DKIM_FIELD_MAX);
	size_t line = out->n, from = out->n;
	buf_put(out, STR(DKIM_FIELD_NAME ": "));
	put_tag(out, &line, "v", STR("1"));
	put_tag(out, &line, "a", algorithms[s->algorithm]);
	buf_printf(&part, "%.*s/%.*s", STR_ARG(canons[s->header]), STR_ARG(canons[s->body]));
	put_made(out, &line, "c", &part);
	put_tag(out, &line, "d", s->domain);
	put_tag(out, &line, "s", s->selector);
	if (s->signed_at >= 0) {
		buf_put_u64(&part, (uint64_t)s->signed_at);
		put_made(out, &line, "t", &part);
	}
	put_tag(out, &line, "h", s->names);
	base64_encode(&part, s->body_hash, 0);
	put_made(out, &line, "bh", &part);
	buf_put(out, STR(";\r\n\tb="));
	*at = out->n - from;
	buf_put(out, STR("\r\n"));
	return buf_result(out);
}

void dkim_signature_fill(buf *out, str field, size_t at, str signature)
{
	enum { ROOM = DKIM_LINE - sizeof "\tb=" };
	AUTO_BUF buf b = buf_new(signature.n * 2 + 4);
	base64_encode(&b, signature, 0);
	buf_put(out, str_sub(field, 0, at));
	if (b.broken)
		out->broken = b.broken;
	for (str rest = buf_str(&b); rest.n > 0; rest = str_skip(rest, ROOM)) {
		buf_put(out, rest.p == b.p ? STR("") : STR("\r\n\t  "));
		buf_put(out, str_sub(rest, 0, ROOM));
	}
	buf_put(out, str_skip(field, at));
}
