#include "auth/signing.h"

#include <stdio.h>

#include "auth/auth.h"
#include "base/log.h"
#include "grammar/smtp/mailbox.h"
#include "grammar/text/base64.h"
#include "run/clock.h"

enum { ANSWERS_MAX = 1 << 20, TXT_MAX = 65535 };

void signing_init(struct signing *s)
{
	*s = (struct signing){.busy = false};
	gate_init(&s->free);
}

static void tell(const char *what, const struct book_key *k)
{
	log_event(EV_DKIM_KEY, NULL, F_STR("what", str_from(what)), F_STR("domain", k->domain->name),
		  F_STR("selector", key_selector(k)));
}

/* ---- making ---- */

static bool has_all(const struct book_domain *d)
{
	for (int a = 0; a < KEY_ALGORITHMS; a++)
		if (!domain_key(d, KEY_ACTIVE, (enum dkim_algorithm)a))
			return false;
	return true;
}

/* Key and domain may be gone after a wait: they are looked up anew. */
static result finish(struct auth *a, uint64_t id)
{
	AUTO_BUF buf public = buf_new(KEY_PUBLIC_MAX);
	AUTO_ARENA arena mem = arena_new(1024);
	const struct book_key *k = book_key(&a->directory->book, id);
	const struct signing_wanted w = {arena_dup(&mem, key_name(k)), arena_dup(&mem, k->domain->name), k->algorithm};
	TRY(arena_result(&mem));
	TRY(a->world->make_key(&w, &public));
	TRY(directory_finish_key(a->directory, id, buf_str(&public), clock_wall_s()));
	k = book_key(&a->directory->book, id);
	if (k)
		tell(k->state == KEY_ACTIVE ? "signs from now on" : "waits for its record in DNS", k);
	return OK;
}

static result finish_begun(struct auth *a, str domain)
{
	for (;;) {
		const struct book_domain *d = book_domain(&a->directory->book, domain);
		const struct book_key *k = NULL;
		for (int i = 0; d && !k && i < KEY_ALGORITHMS; i++)
			k = domain_key(d, KEY_BEGUN, (enum dkim_algorithm)i);
		if (!k)
			return OK;
		TRY(finish(a, k->id));
	}
}

static result make(struct auth *a, str domain)
{
	TRY(directory_begin_keys(a->directory, domain, clock_wall_s()));
	return finish_begun(a, domain);
}

/* One at a time: two who ask for the same domain would make its keys twice. */
static result locked(struct auth *a, result (*act)(struct auth *a, str domain), str domain)
{
	while (a->signing.busy)
		TRY(gate_wait(&a->signing.free, FIBER_FOREVER));
	a->signing.busy = true;
	result r = act(a, domain);
	a->signing.busy = false;
	gate_wake_one(&a->signing.free);
	return r;
}

static result make_missing(struct auth *a, str domain)
{
	const struct book_domain *d = book_domain(&a->directory->book, domain);
	return d && !has_all(d) ? make(a, domain) : OK;
}

result signing_ready(struct auth *a, str domain)
{
	const struct book_domain *d = book_domain(&a->directory->book, domain);
	if (!d)
		return failure(FAIL_ABSENT, "this server has no such domain; postern domain list shows those it has");
	return has_all(d) ? OK : locked(a, make_missing, domain);
}

/* ---- asked by an edge ---- */

static result list_active(const struct book_domain *d, arena *m, struct edge_auth_signers_are *out)
{
	struct edge_auth_signer *rows = arena_array(m, SIGNING_ROWS, sizeof *rows);
	if (!rows)
		return arena_result(m);
	LIST_EACH(n, &d->keys) {
		const struct book_key *k = LIST_OWNER(n, struct book_key, node);
		if (k->state != KEY_ACTIVE || out->rows.n == SIGNING_ROWS)
			continue;
		rows[out->rows.n++] = (struct edge_auth_signer){.domain = arena_dup(m, d->name),
			.selector = arena_dup(m, key_selector(k)), .key = arena_dup(m, key_name(k)),
			.algorithm = k->algorithm == DKIM_RSA_SHA256 ? EDGE_AUTH_ALGORITHM_RSA_SHA256
								     : EDGE_AUTH_ALGORITHM_ED25519_SHA256};
	}
	out->rows.p = rows;
	return arena_result(m);
}

/* Mail that other servers expect to be signed had better wait than go without,
 * unless there can be no more keys. */
result signing_signers(struct auth *a, str domain, arena *m, struct edge_auth_signers_are *out)
{
	str name;
	result r = mailbox_domain(domain, m, &name);
	if (!failed(r))
		r = signing_ready(a, name);
	if (r.kind == FAIL_ABSENT || r.kind == FAIL_INPUT)
		return OK;
	const struct book_domain *d = book_domain(&a->directory->book, name);
	if (d && !d->signs)
		return OK;
	if (d)
		TRY(list_active(d, m, out));
	return out->rows.n > 0 || r.kind == FAIL_LIMIT ? OK : r;
}

/* ---- is it in DNS? ---- */

/* RFC 6376 section 3.6.2.2: the strings of a record are one text. */
static result join(str rdata, buf *out)
{
	for (cursor c = cursor_on(rdata); !cursor_done(&c);) {
		str piece = cursor_take(&c, cursor_u8(&c));
		if (c.bad)
			return failure(FAIL_INPUT, "a TXT record is cut off");
		buf_put(out, piece);
	}
	return buf_result(out);
}

static bool is_key(const struct book_key *k, str rdata, str public)
{
	AUTO_ARENA arena a = arena_new(ANSWERS_MAX);
	AUTO_BUF buf text = buf_new(TXT_MAX), octets = buf_new(KEY_PUBLIC_MAX);
	struct dkim_key found;
	return !failed(join(rdata, &text)) && !failed(dkim_key_parse(buf_str(&text), &a, &found)) &&
	       found.algorithm == k->algorithm && !failed(base64_decode(&octets, public)) &&
	       str_eq(found.octets, buf_str(&octets));
}

/* Several records at one name are no key (section 3.6.2.2: undefined). */
static result seen_in_dns(struct auth *a, uint64_t id, bool *out)
{
	AUTO_ARENA arena m = arena_new(ANSWERS_MAX);
	AUTO_BUF buf public = buf_new(KEY_PUBLIC_MAX);
	struct asker_resolve_looked_up found = {0};
	char name[KEY_SELECTOR_MAX + sizeof "._domainkey." + MAILBOX_DOMAIN_MAX];
	const struct book_key *k = book_key(&a->directory->book, id);
	snprintf(name, sizeof name, "%.*s._domainkey.%.*s", STR_ARG(key_selector(k)), STR_ARG(k->domain->name));
	TRY(a->world->text_records(str_from(name), &m, &found));
	TRY(directory_read_public(a->directory, id, &public));
	k = book_key(&a->directory->book, id);
	*out = k && found.finding == ASKER_RESOLVE_FINDING_FOUND && found.records.n == 1 &&
	       is_key(k, found.records.p[0], buf_str(&public));
	return OK;
}

/* ---- what is due ---- */

static int64_t rotation_s(const struct auth *a)
{
	return (int64_t)(options_number(&a->options, OPT_DKIM_ROTATE) / 1000);
}

static bool is_old(const struct auth *a, const struct book_domain *d)
{
	const struct book_key *k = domain_key(d, KEY_ACTIVE, DKIM_RSA_SHA256);
	return k && rotation_s(a) > 0 && clock_wall_s() - k->since >= rotation_s(a);
}

static result begin_due(struct auth *a, str domain)
{
	const struct book_domain *d = book_domain(&a->directory->book, domain);
	if (!d || (has_all(d) && !is_old(a, d)))
		return finish_begun(a, domain);
	return make(a, domain);
}

static result turn_if_seen(struct auth *a, uint64_t id)
{
	bool seen = false;
	TRY(seen_in_dns(a, id, &seen));
	if (!seen)
		return OK;
	TRY(directory_turn_key(a->directory, id, clock_wall_s()));
	const struct book_key *k = book_key(&a->directory->book, id);
	if (k)
		tell("was found in DNS and signs from now on", k);
	return OK;
}

static result retire_if_over(struct auth *a, const struct book_key *k)
{
	int64_t kept = (int64_t)(options_number(&a->options, OPT_EXPIRE_TIME) / 1000) + SIGNING_MARGIN_S;
	if (clock_wall_s() - k->since < kept)
		return OK;
	tell("is destroyed; its record can leave DNS", k);
	return directory_doom_key(a->directory, k->id);
}

/* Ids of a domain's keys, since the keys themselves may go while one waits. */
struct ids {
	size_t n;
	uint64_t id[64];
};

static struct ids ids_of(const struct book_domain *d)
{
	struct ids v = {0};
	LIST_EACH(n, &d->keys)
		if (v.n < sizeof v.id / sizeof *v.id)
			v.id[v.n++] = LIST_OWNER(n, struct book_key, node)->id;
	return v;
}

static result look_at_domain(struct auth *a, str domain)
{
	TRY(locked(a, begin_due, domain));
	const struct book_domain *d = book_domain(&a->directory->book, domain);
	const struct ids v = d ? ids_of(d) : (struct ids){0};
	for (size_t i = 0; i < v.n; i++) {
		const struct book_key *k = book_key(&a->directory->book, v.id[i]);
		result r = OK;
		if (k && k->state == KEY_PUBLISHED)
			r = turn_if_seen(a, v.id[i]);
		else if (k && k->state == KEY_RETIRED)
			r = retire_if_over(a, k);
		TRY(r);
	}
	return OK;
}

static result destroy_doomed(struct auth *a)
{
	struct doomed_key k = {0};
	for (;;) {
		TRY(directory_next_doomed(a->directory, k.id, &k));
		if (k.id == 0)
			return OK;
		TRY(a->world->drop_key(str_of(k.name, sizeof k.name)));
		TRY(directory_forget_key(a->directory, k.id));
	}
}

/* The list is in the order of row ids; only where the domain has gone meanwhile it is searched. */
static const struct book_domain *domain_after(const struct book *b, str name, uint64_t id)
{
	const struct book_domain *same = book_domain(b, name);
	const struct list *n = same && same->id == id ? same->node.next : b->domain_list.next;
	for (; n != &b->domain_list; n = n->next) {
		const struct book_domain *d = LIST_OWNER(n, struct book_domain, node);
		if (d->id > id)
			return d;
	}
	return NULL;
}

static result turn_all_seen(struct auth *a, struct ids v)
{
	for (size_t i = 0; i < v.n; i++) {
		const struct book_key *k = book_key(&a->directory->book, v.id[i]);
		if (k && k->state == KEY_PUBLISHED)
			TRY(turn_if_seen(a, v.id[i]));
	}
	return OK;
}

result signing_rotate(struct auth *a, str domain)
{
	TRY(signing_ready(a, domain));
	const struct book_domain *d = book_domain(&a->directory->book, domain);
	bool waits = d && (domain_key(d, KEY_PUBLISHED, DKIM_RSA_SHA256) ||
			   domain_key(d, KEY_PUBLISHED, DKIM_ED25519_SHA256));
	return waits ? turn_all_seen(a, ids_of(d)) : locked(a, make, domain);
}

static void trouble(str domain, result r)
{
	if (failed(r) && r.kind != FAIL_CANCELLED)
		log_event(EV_DKIM_TROUBLE, NULL, F_STR("domain", domain), F_STR("why", str_from(r.text)));
}

void signing_look(struct auth *a)
{
	char copy[MAILBOX_DOMAIN_MAX];
	str name = str_of(copy, 0);
	uint64_t id = 0;
	const struct book_domain *d;
	while (!fiber_cancelled() && (d = domain_after(&a->directory->book, name, id))) {
		must(d->name.n <= sizeof copy);
		memcpy(copy, d->name.p, d->name.n);
		name.n = d->name.n;
		id = d->id;
		trouble(name, look_at_domain(a, name));
	}
	trouble(STR(""), destroy_doomed(a));
}

void signing_tend(struct auth *a)
{
	uint64_t wait = SIGNING_CALM_MS;
	while (!failed(fiber_sleep(wait))) {
		signing_look(a);
		wait = SIGNING_EACH_MS;
	}
}
