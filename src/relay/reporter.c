#include "relay/reporter.h"

#include "grammar/dkim/dkim_signature.h"
#include "grammar/text/json_text.h"
#include "relay/limits.h"
#include "relay/relay.h"
#include "talk/principal_vault.h"
#include "talk/relay_auth.h"

static result copy_signers(struct reporter *r, const struct relay_auth_reporter_is *from)
{
	r->signers = arena_array(r->arena, from->signers.n + 1, sizeof *r->signers);
	if (!r->signers)
		return arena_result(r->arena);
	for (r->n = 0; r->n < from->signers.n; r->n++) {
		const struct relay_auth_signer *s = &from->signers.p[r->n];
		r->signers[r->n] = (struct asker_inspect_signer){.domain = s->domain, .selector = s->selector, .key = s->key,
			.algorithm = (enum asker_inspect_algorithm)s->algorithm};
	}
	return OK;
}

result reporter_find(struct reporter *r, str address)
{
	struct channel *auth;
	struct relay_auth_reporter_is is;
	const struct relay_auth_reporter q = {.address = address};
	const struct asking how = {r->trace, r->arena, RELAY_NEIGHBOUR_MS};
	TRY(relay.world->room(NEIGHBOUR_AUTH, &auth));
	TRY(relay_auth_reporter_call_within(auth, &how, &q, &is));
	r->domain = is.domain.n > 0 ? is.domain : relay_name();
	return copy_signers(r, &is);
}

result reporter_sign(const struct reporter *r, struct to_sign s, buf *out)
{
	struct principal_vault_to_sign wanted[PRINCIPAL_VAULT_SIGN_WANTED_MAX];
	const struct principal_vault_sign q = {.wanted = {wanted, s.n}};
	const struct asking how = {r->trace, r->arena, RELAY_NEIGHBOUR_MS};
	struct principal_vault_signatures_are are;
	struct channel *vault;
	if (s.n == 0)
		return OK;
	must(s.n <= PRINCIPAL_VAULT_SIGN_WANTED_MAX);
	for (size_t i = 0; i < s.n; i++) {
		wanted[i].key = s.p[i].key;
		memcpy(wanted[i].digest, s.p[i].digest, sizeof wanted[i].digest);
	}
	TRY(relay.world->room(NEIGHBOUR_VAULT, &vault));
	TRY(principal_vault_sign_call_within(vault, &how, &q, &are));
	if (are.signatures.n != s.n)
		return failure(FAIL_PEER, "vault signs another number than was asked for");
	for (size_t i = 0; i < s.n; i++)
		dkim_signature_fill(out, s.p[i].field, s.p[i].at, are.signatures.p[i]);
	return buf_result(out);
}

str reporter_message_id(const trace_id *id, arena *a)
{
	AUTO_BUF buf b = buf_new(ASKER_INSPECT_BOUNCE_MESSAGE_ID_MAX);
	hex_put(&b, id->b, sizeof id->b);
	buf_putc(&b, '@');
	buf_put(&b, relay_name());
	return arena_dup(a, buf_str(&b));
}
