#include "auth/certificates.h"

#include <sodium.h>

#include "auth/app_certificates.h"
#include "run/clock.h"
#include "run/random.h"

enum { DAY = 86400 };

_Static_assert((int)APP_FINGERPRINT == (int)crypto_hash_sha256_BYTES, "fingerprints are of SHA-256");

/* ---- issuing ---- */

/* Positive and of its full length (RFC 5280 4.1.2.2). */
static void make_serial(unsigned char out[APP_SERIAL])
{
	random_fill(out, APP_SERIAL);
	out[0] = (unsigned char)((out[0] & 0x7f) | 0x40);
}

static result certify(struct auth *a, const struct certificate_order *o, const struct app_password *n,
	struct certificate_made *out)
{
	const struct book_account *who = book_account(&a->directory->book, o->account);
	struct certificate_wish w = {.account = o->account, .public = o->public, .until = n->expires};
	w.subject = arena_dup(o->arena, who->entry->key); /* the account may be erased meanwhile */
	memcpy(w.serial, n->serial.p, sizeof w.serial);
	TRY(arena_result(o->arena));
	return a->world->certify(&w, o->arena, out);
}

result certificate_issue(struct auth *a, const struct certificate_order *o, struct app_password *n,
	struct certificate_made *out)
{
	unsigned char serial[APP_SERIAL], print[APP_FINGERPRINT];
	int64_t now = clock_wall_s();
	n->expires = n->expires ? n->expires : now + (int64_t)CERTIFICATE_DAYS * DAY;
	if (n->expires > now + (int64_t)CERTIFICATE_DAYS_MAX * DAY)
		return failure(FAIL_INPUT, "a certificate is good for ten years at most");
	make_serial(serial);
	n->serial = arena_dup(o->arena, str_of((const char *)serial, sizeof serial));
	TRY(arena_result(o->arena));
	TRY(certify(a, o, n, out));
	crypto_hash_sha256(print, (const unsigned char *)out->certificate.p, out->certificate.n);
	n->fingerprint = arena_dup(o->arena, str_of((const char *)print, sizeof print));
	TRY(arena_result(o->arena));
	return app_certificate_keep(a->directory, o->account, n, out->authority);
}

/* ---- logging in ---- */

static str print_of(const struct edge_auth_certificate_login *m)
{
	return str_of((const char *)m->fingerprint, sizeof m->fingerprint);
}

/* Whose it is, unless another is asked for; NULL: nobody. */
static result find_owner(struct auth *a, const struct certificate_question *q, struct book_account **out)
{
	struct app_certificate c;
	*out = NULL;
	result r = app_certificate_find(a->directory, print_of(q->asked), q->m, &c);
	if (failed(r))
		return r.kind == FAIL_ABSENT ? OK : r;
	struct book_account *who = book_account(&a->directory->book, c.account);
	if (q->asked->authzid.n == 0 || reach_login(&a->directory->book, q->asked->authzid) == who)
		*out = who;
	return OK;
}

/* Once more: it may have been revoked after the round of the account's secrets was noted. */
static void prove(struct auth *a, const struct certificate_question *q, const struct login_try *t, struct proof *p)
{
	struct app_certificate c;
	if (!t->claimed)
		return;
	result r = app_certificate_find(a->directory, print_of(q->asked), &p->arena, &c);
	if (!failed(r) && c.account == p->account)
		prove_found(p, t, &c.row);
	else if (failed(r) && r.kind != FAIL_ABSENT)
		p->r = r;
}

result certificate_login(struct auth *a, const struct certificate_question *q, struct edge_auth_login_is *answer)
{
	const struct edge_auth_certificate_login *m = q->asked;
	struct book_account *who;
	result found = find_owner(a, q, &who);
	const struct login_try t = {.protocol = m->protocol, .client = m->client, .tag = m->tag, .encrypted = true,
		.user = arena_dup(q->m, who ? who->entry->key : m->subject), .session = m->session,
		.mechanism = "EXTERNAL", .channel = q->channel, .trace = q->trace, .claimed = who};
	struct proof p;
	answer->session = -1;
	TRY(arena_result(q->m));
	prove_begin(&p, &t);
	if (failed(found))
		p.r = found; /* it is not known whose it is */
	else
		prove(a, q, &t, &p);
	p.repeat = p.r.kind == FAIL_DENIED; /* our authority signed it once: nobody can guess one */
	result r = login_conclude(a, &t, &p, answer);
	if (answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		answer->address = t.user;
	prove_end(&p);
	return r;
}
