#include "inspect/signing.h"

#include <sodium.h>

#include "grammar/dkim/dkim_header.h"
#include "grammar/dkim/dkim_signature.h"
#include "grammar/mime/address_list.h"
#include "grammar/smtp/mailbox.h"

/* ---- who it is from ---- */

/* The one address of the field; false: none, or several. */
static bool only_address(str value, arena *a, struct address *out)
{
	struct address_walk walk = address_walk_on(header_unfold(a, value), a);
	struct address next;
	size_t n = 0;
	while (n < 2 && address_next(&walk, &next)) {
		if (next.kind != ADDRESS_MAILBOX)
			continue;
		*out = next;
		n++;
	}
	return n == 1;
}

result from_domain(const struct header *h, arena *a, str *out)
{
	const struct header_field *f = header_first(h, HEADER_FROM);
	struct address from;
	*out = str_of(NULL, 0);
	if (!f || header_after(h, f) || !only_address(f->value, a, &from) || from.host.n == 0)
		return a->broken == FAIL_NONE ? OK : arena_result(a);
	result r = mailbox_domain(from.host, a, out);
	if (!failed(r) && out->n <= ASKER_INSPECT_EXAMINED_FROM_DOMAIN_MAX)
		return OK;
	*out = str_of(NULL, 0);
	return r.kind == FAIL_INPUT ? OK : r;
}

/* ---- signatures ---- */

static void into_hash(void *ctx, str octets)
{
	crypto_hash_sha256_update(ctx, (const unsigned char *)octets.p, octets.n);
}

static void hash_body(str body, unsigned char out[DKIM_DIGEST])
{
	crypto_hash_sha256_state h;
	crypto_hash_sha256_init(&h);
	struct dkim_body b = {.canon = DKIM_RELAXED, .to = {into_hash, &h}, .limit = DKIM_WHOLE};
	dkim_body_feed(&b, body);
	dkim_body_finish(&b);
	crypto_hash_sha256_final(&h, out);
}

/* One message under way, for all its keys. */
struct work {
	struct dkim_header header;
	struct dkim_signature form; /* algorithm, domain and selector are the key's */
	arena *mem;
};

static enum dkim_algorithm algorithm_of(const struct asker_inspect_signer *s)
{
	return s->algorithm == ASKER_INSPECT_ALGORITHM_RSA_SHA256 ? DKIM_RSA_SHA256 : DKIM_ED25519_SHA256;
}

static result digest(struct work *w, const struct asker_inspect_signer *s, struct asker_inspect_signature *out)
{
	AUTO_BUF buf field = buf_new(DKIM_FIELD_MAX);
	crypto_hash_sha256_state h;
	size_t at;
	w->form.algorithm = algorithm_of(s);
	w->form.domain = s->domain;
	w->form.selector = s->selector;
	TRY(dkim_signature_print(&w->form, &field, &at));
	crypto_hash_sha256_init(&h);
	const struct dkim_covered c = {w->form.names, buf_str(&field), DKIM_RELAXED};
	dkim_header_hash(&w->header, &c, (struct dkim_sink){into_hash, &h});
	crypto_hash_sha256_final(&h, out->digest);
	out->key = s->key;
	out->at = (uint32_t)at;
	out->field = arena_dup(w->mem, buf_str(&field));
	return arena_result(w->mem);
}

static result digest_all(
	const struct signing_wish *w, struct work *work, struct asker_inspect_signature *out, size_t *n)
{
	AUTO_BUF buf names = buf_new(DKIM_FIELD_MAX);
	unsigned char digest_of_body[DKIM_DIGEST];
	dkim_header_names(&work->header, &names);
	TRY(buf_result(&names));
	hash_body(str_skip(w->message, header_length(w->message)), digest_of_body);
	work->form = (struct dkim_signature){.header = DKIM_RELAXED, .body = DKIM_RELAXED, .names = buf_str(&names),
		.body_hash = str_of((char *)digest_of_body, sizeof digest_of_body), .signed_at = w->now, .expires = -1,
		.length = DKIM_WHOLE};
	for (size_t i = 0; i < w->n; i++)
		if (str_ieq(w->signers[i].domain, w->domain))
			TRY(digest(work, &w->signers[i], &out[(*n)++]));
	return OK;
}

static bool any_signs(const struct signing_wish *w)
{
	for (size_t i = 0; w->domain.n > 0 && i < w->n; i++)
		if (str_ieq(w->signers[i].domain, w->domain))
			return true;
	return false;
}

result signing_digests(const struct signing_wish *w, arena *a, struct asker_inspect_signature **out, size_t *n)
{
	AUTO_ARENA arena scratch = arena_new(FACTS_ARENA_MAX);
	struct work work = {.mem = a};
	*n = 0;
	if (!any_signs(w))
		return OK;
	*out = arena_array(a, w->n, sizeof **out);
	if (!*out)
		return arena_result(a);
	TRY(dkim_header_open(w->message, &scratch, &work.header));
	result r = digest_all(w, &work, *out, n);
	dkim_header_close(&work.header);
	return r;
}
