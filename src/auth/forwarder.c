#include "auth/forwarder.h"

#include <sodium.h>

#include "grammar/smtp/mailbox.h"
#include "grammar/smtp/srs.h"
#include "run/clock.h"

enum { DAY_S = 86400, TEXT_MAX = 2000 };
/* In the domain's place: what follows is the number of a long sender. */
#define LONG_MARK "-"

static int64_t today(void)
{
	return clock_wall_s() / DAY_S;
}

static result sign(const unsigned char key[FORWARD_KEY], const struct srs *s, unsigned char out[SRS_HASH_OCTETS])
{
	unsigned char whole[crypto_auth_hmacsha256_BYTES];
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	srs_hashed(&text, s);
	TRY(buf_result(&text));
	crypto_auth_hmacsha256(whole, (const unsigned char *)text.p, text.n, key);
	memcpy(out, whole, SRS_HASH_OCTETS);
	return OK;
}

/* ---- going out ---- */

/* local@domain from the form, in the arena. */
static result finish(struct auth *a, struct srs *s, arena *m, str *out)
{
	unsigned char mac[SRS_HASH_OCTETS];
	AUTO_BUF buf digits = buf_new(SRS_HASH), local = buf_new(TEXT_MAX), text = buf_new(TEXT_MAX);
	TRY(sign(a->directory->forward.key[0], s, mac));
	srs_put_hash(&digits, mac);
	s->hash = buf_str(&digits);
	srs_print(&local, s);
	TRY(buf_result(&local));
	struct mailbox box = {.kind = MAILBOX_NAME, .local = buf_str(&local),
		.domain = LIST_OWNER(a->directory->book.domain_list.next, struct book_domain, node)->name};
	mailbox_print(&text, &box);
	TRY(buf_result(&text));
	*out = arena_dup(m, buf_str(&text));
	return arena_result(m);
}

static result finish_long(struct auth *a, str sender, arena *m, str *out)
{
	uint64_t number;
	AUTO_BUF buf text = buf_new(32);
	TRY(forward_long_keep(a->directory, sender, today(), &number));
	buf_put_u64(&text, number);
	TRY(buf_result(&text));
	struct srs s = {.kind = SRS_0, .day = (uint32_t)(today() % SRS_DAYS), .domain = STR(LONG_MARK),
		.rest = buf_str(&text)};
	return finish(a, &s, m, out);
}

/* What a forwarder before us wrote is not wrapped once more: reports go straight to the first one. */
static struct srs form_of(const struct mailbox *from, str domain)
{
	struct srs was, s = {.kind = SRS_0, .day = (uint32_t)(today() % SRS_DAYS), .domain = domain, .rest = from->local};
	if (failed(srs_parse(from->local, &was)) || was.kind == SRS_NONE)
		return s;
	s.kind = SRS_1;
	s.rest = str_skip(from->local, 4);
	if (was.kind == SRS_1) {
		s.domain = was.domain;
		s.rest = was.rest;
	}
	return s;
}

static size_t local_size(const struct srs *s)
{
	const size_t before = sizeof "SRS0=" + SRS_HASH; /* and the = after it */
	return before + (s->kind == SRS_0 ? sizeof "TT" : 0) + s->domain.n + 1 + s->rest.n;
}

/* No quotes, so that it is as long as it looks. */
static bool plain(str local)
{
	AUTO_BUF buf b = buf_new(TEXT_MAX);
	struct mailbox box = {.kind = MAILBOX_NAME, .local = local, .domain = STR("x")};
	mailbox_print(&b, &box);
	return b.n > 0 && b.p[0] != '"';
}

result forwarder_address(struct auth *a, str sender, arena *m, str *out)
{
	struct mailbox from;
	str domain;
	*out = sender;
	if (sender.n == 0)
		return OK;
	result r = mailbox_parse(sender, m, &from);
	if (!failed(r))
		r = mailbox_domain(from.domain, m, &domain);
	bool odd = r.kind == FAIL_INPUT; /* a domain that is no name in the DNS, say: a number stands for it all */
	if (failed(r) && !odd)
		return r;
	if (!odd && book_domain(&a->directory->book, domain))
		return OK;
	TRY(forward_keys_refresh(a->directory, today()));
	if (list_empty(&a->directory->book.domain_list)) /* asked at the end: the call before suspends */
		return failure(FAIL_ABSENT, "this server has no domain to forward from");
	if (odd)
		return finish_long(a, sender, m, out);
	struct srs s = form_of(&from, domain);
	if (local_size(&s) > MAILBOX_LOCAL_MAX || from.kind != MAILBOX_NAME || !plain(from.local))
		return finish_long(a, sender, m, out);
	return finish(a, &s, m, out);
}

/* ---- coming back ---- */

static bool signed_by_us(const struct forward_keys *k, const struct srs *s)
{
	unsigned char mac[SRS_HASH_OCTETS];
	for (size_t i = 0; i < k->n; i++)
		if (!failed(sign(k->key[i], s, mac)) && srs_hash_is(s->hash, mac))
			return true;
	return false;
}

/* A clock that was set back a little does not lose reports. */
static bool in_time(const struct srs *s)
{
	uint32_t age = srs_age(s->day, (uint64_t)today());
	return s->kind == SRS_1 || age <= FORWARD_DAYS || age == SRS_DAYS - 1;
}

static enum forwarder_verdict long_back(struct auth *a, const struct srs *s, arena *m, str *out)
{
	uint64_t number;
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	if (!str_to_u64(s->rest, &number))
		return FORWARDER_WRONG;
	result r = forward_long_find(a->directory, number, &text);
	if (r.kind == FAIL_ABSENT)
		return FORWARDER_OLD;
	*out = arena_dup(m, buf_str(&text));
	return failed(r) || failed(arena_result(m)) ? FORWARDER_LATER : FORWARDER_LEADS;
}

static enum forwarder_verdict original(const struct srs *s, arena *m, str *out)
{
	AUTO_BUF buf local = buf_new(TEXT_MAX), text = buf_new(TEXT_MAX);
	buf_put(&local, s->kind == SRS_1 ? STR("SRS0") : STR(""));
	buf_put(&local, s->rest);
	struct mailbox box = {.kind = MAILBOX_NAME, .local = buf_str(&local), .domain = s->domain};
	mailbox_print(&text, &box);
	*out = arena_dup(m, buf_str(&text));
	return failed(buf_result(&text)) || failed(arena_result(m)) ? FORWARDER_LATER : FORWARDER_LEADS;
}

enum forwarder_verdict forwarder_back(struct auth *a, str address, arena *m, str *out)
{
	struct mailbox to;
	struct srs s;
	str domain;
	if (failed(mailbox_parse(address, m, &to)) || failed(mailbox_domain(to.domain, m, &domain)) ||
	    !book_domain(&a->directory->book, domain))
		return FORWARDER_NONE;
	if (failed(srs_parse(to.local, &s)))
		return FORWARDER_WRONG;
	if (s.kind == SRS_NONE)
		return FORWARDER_NONE;
	if (!signed_by_us(&a->directory->forward, &s))
		return FORWARDER_WRONG;
	if (!in_time(&s))
		return FORWARDER_OLD;
	return str_eq(s.domain, STR(LONG_MARK)) ? long_back(a, &s, m, out) : original(&s, m, out);
}
