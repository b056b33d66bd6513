#include "grammar/dkim/dkim_key.h"

static const str types[] = {STR_INIT("rsa"), STR_INIT("ed25519")};

static bool names(const str *list, str want)
{
	str rest = list ? *list : (str){NULL, 0}, word;
	while (dkim_word_next(&rest, &word))
		if (str_ieq(word, want))
			return true;
	return false;
}

static result read_type(const str *value, struct dkim_key *k)
{
	str type = value ? *value : types[DKIM_RSA_SHA256];
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (str_ieq(type, types[i])) {
			k->algorithm = (enum dkim_algorithm)i;
			return OK;
		}
	}
	return failure(FAIL_INPUT, "the key's type (k=) is unknown");
}

static result read_key(const struct dkim_tags *t, arena *a, struct dkim_key *k)
{
	const str *version = dkim_tag(t, STR("v")), *hashes = dkim_tag(t, STR("h")), *use = dkim_tag(t, STR("s"));
	const str *octets = dkim_tag(t, STR("p")), *flags = dkim_tag(t, STR("t"));
	if (version && (version != &t->list[0].value || !str_eq(*version, STR("DKIM1"))))
		return failure(FAIL_INPUT, "the record is of another version (v=) than DKIM1");
	if (!octets)
		return failure(FAIL_INPUT, "the record has no key (p=)");
	if (hashes && !names(hashes, STR("sha256")))
		return failure(FAIL_INPUT, "the key is not for SHA-256 (h=)");
	if (use && !names(use, STR("*")) && !names(use, STR("email")))
		return failure(FAIL_INPUT, "the key is not for mail (s=)");
	TRY(read_type(dkim_tag(t, STR("k")), k));
	k->testing = names(flags, STR("y"));
	k->strict = names(flags, STR("s"));
	return octets->n > 0 ? dkim_base64(*octets, a, &k->octets) : OK;
}

result dkim_key_parse(str record, arena *a, struct dkim_key *out)
{
	struct dkim_key k = {0};
	struct dkim_tags *t = arena_alloc(a, sizeof *t);
	if (!t)
		return arena_result(a);
	if (record.n > DKIM_RECORD_MAX)
		return failure(FAIL_INPUT, "the record is longer than anybody needs");
	TRY(dkim_tags_parse(record, t));
	TRY(read_key(t, a, &k));
	*out = k;
	return OK;
}

void dkim_key_print(buf *out, enum dkim_algorithm algorithm, str base64)
{
	buf_printf(out, "v=DKIM1; k=%.*s; p=", STR_ARG(types[algorithm]));
	buf_put(out, base64);
}
