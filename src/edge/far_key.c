#include "edge/far_key.h"
#include "edge/neighbours.h"
#include "run/tls_far.h"
#include "talk/principal_vault.h"
#include "talk/room.h"

static result ask_once(const struct tls_to_sign *what, buf *out)
{
	AUTO_ARENA arena a = arena_new(8192);
	struct channel *vault;
	const struct principal_vault_sign_handshake q = {
		.scheme = (enum principal_vault_tls_scheme)what->scheme,
		.hash = (enum principal_vault_tls_hash)what->hash, .bytes = what->bytes};
	struct principal_vault_handshake_signed signed_by;
	const struct asking ask = {.arena = &a, .timeout_ms = NEIGHBOUR_KEY_MS};
	TRY(neighbour(NEIGHBOUR_VAULT, &vault));
	result r = principal_vault_sign_handshake_call_within(vault, &ask, &q, &signed_by);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the vault does not sign the handshake");
	buf_put(out, signed_by.signature);
	return buf_result(out);
}

/* A vault that is being replaced costs its callers a moment, not their connections. */
static result ask_vault(void *ctx, const struct tls_to_sign *what, buf *out)
{
	unsigned tried = 0;
	result r;
	(void)ctx;
	do
		r = ask_once(what, out);
	while (room_ask_again(r, ++tried));
	return r;
}

_Static_assert((int)TLS_ED25519 == (int)PRINCIPAL_VAULT_TLS_SCHEME_ED25519 &&
	       (int)TLS_SHA512 == (int)PRINCIPAL_VAULT_TLS_HASH_SHA512,
	       "the vault and TLS speak of signatures alike");
_Static_assert((int)TLS_TO_SIGN_MAX == (int)PRINCIPAL_VAULT_SIGN_HANDSHAKE_BYTES_MAX &&
	       (int)TLS_SIGNATURE_MAX == (int)PRINCIPAL_VAULT_HANDSHAKE_SIGNED_SIGNATURE_MAX,
	       "what TLS has signed fits the message");

static const struct tls_signer vault_signs = {.sign = ask_vault};

/* As IANA lists them for mail, and what servers that send say. */
static const str spoken[] = {
	[FAR_KEY_MAIL] = STR_INIT("\4imap\4pop3\4smtp\5esmtp"),
	[FAR_KEY_WEB] = STR_INIT("\10http/1.1"),
};

result far_key_open(void)
{
	return tls_far_open(&vault_signs);
}

result far_key_context(str chain, enum far_key_use use, struct tls_context **out)
{
	TRY(tls_far_context(chain, out));
	tls_context_alpn(*out, spoken[use]);
	return OK;
}
