#include "edge/signers.h"
#include "base/mem.h"
#include "edge/neighbours.h"
#include "run/clock.h"
#include "talk/edge_auth.h"

/* A domain's rows; the texts are the arena's, which goes with them. */
struct kept {
	uint64_t until;
	struct signers_rows rows;
	arena texts;
};

static void forget(struct kept *k)
{
	if (k)
		arena_free(&k->texts);
	mem_free(k);
}

void signers_init(struct signers *s)
{
	s->domains = hash_new(SIGNERS_DOMAINS);
}

void signers_drop(struct signers *s)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&s->domains, &at, &key, &value))
		forget(value);
	hash_free(&s->domains);
	signers_init(s);
}

static result copy_rows(const struct signers_rows *from, arena *a, struct signers_rows *to)
{
	to->n = from->n;
	for (size_t i = 0; i < from->n; i++) {
		const struct asker_inspect_signer *f = &from->p[i];
		to->p[i] = (struct asker_inspect_signer){.domain = arena_dup(a, f->domain),
			.selector = arena_dup(a, f->selector), .algorithm = f->algorithm, .key = arena_dup(a, f->key)};
	}
	return arena_result(a);
}

static void keep(struct signers *s, str domain, const struct signers_rows *rows)
{
	struct kept *k = mem_alloc(sizeof *k);
	if (!k)
		return;
	k->until = clock_mono_ms() + SIGNERS_MS;
	k->texts = arena_new(8192);
	if (s->domains.n == SIGNERS_DOMAINS)
		signers_drop(s);
	forget(hash_remove(&s->domains, domain));
	if (failed(copy_rows(rows, &k->texts, &k->rows)) || failed(hash_put(&s->domains, domain, k)))
		forget(k);
}

static result ask_auth(str domain, arena *a, struct signers_rows *out)
{
	struct channel *auth;
	const struct asking ask = {.arena = a, .timeout_ms = NEIGHBOUR_LOOKUP_MS};
	const struct edge_auth_signers q = {.domain = domain};
	struct edge_auth_signers_are are;
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	TRY(edge_auth_signers_call_within(auth, &ask, &q, &are));
	out->n = are.rows.n;
	for (size_t i = 0; i < are.rows.n; i++)
		out->p[i] = (struct asker_inspect_signer){.domain = are.rows.p[i].domain,
			.selector = are.rows.p[i].selector,
			.algorithm = (enum asker_inspect_algorithm)are.rows.p[i].algorithm, .key = are.rows.p[i].key};
	return OK;
}

_Static_assert((int)SIGNERS_MAX == (int)EDGE_AUTH_SIGNERS_ARE_ROWS_MAX &&
	       (int)EDGE_AUTH_ALGORITHM_ED25519_SHA256 == (int)ASKER_INSPECT_ALGORITHM_ED25519_SHA256,
	       "auth and inspect speak of keys alike");

result signers_of(struct signers *s, str domain, arena *a, struct signers_rows *out)
{
	const struct kept *k = hash_get(&s->domains, domain);
	*out = (struct signers_rows){.n = 0};
	if (k && k->until > clock_mono_ms())
		return copy_rows(&k->rows, a, out);
	TRY(ask_auth(domain, a, out));
	keep(s, domain, out);
	return OK;
}
