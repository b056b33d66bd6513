#include "auth/certificate_door.h"

#include "auth/app_certificates.h"
#include "auth/app_door.h"
#include "auth/certificates.h"
#include "grammar/text/base64.h"

enum { PEM_MAX = WEB_AUTH_CERTIFICATE_ADDED_CERTIFICATE_MAX, PEM_LINE = 64 };

/* RFC 7468 section 5, its lines ended by LF. */
static result pem_of(str der, arena *a, str *out)
{
	AUTO_BUF buf b = buf_new(PEM_MAX), base64 = buf_new(PEM_MAX);
	base64_encode(&base64, der, 0);
	TRY(buf_result(&base64));
	buf_put(&b, STR("-----BEGIN CERTIFICATE-----\n"));
	for (str rest = buf_str(&base64); rest.n > 0; rest = str_skip(rest, PEM_LINE)) {
		buf_put(&b, str_sub(rest, 0, PEM_LINE));
		buf_putc(&b, '\n');
	}
	buf_put(&b, STR("-----END CERTIFICATE-----\n"));
	TRY(buf_result(&b));
	*out = arena_dup(a, buf_str(&b));
	return arena_result(a);
}

static result issue(arena *a, const struct web_auth_certificate_add *m, struct app_password *n,
	struct certificate_made *made)
{
	AUTO_BUF buf public = buf_new(WEB_AUTH_CERTIFICATE_ADD_PUBLIC_MAX);
	const struct app_plan p = {.name = m->name, .expires = m->expires, .scope = {.protocols = m->protocols.p,
		.protocols_n = m->protocols.n, .networks = m->networks.p, .networks_n = m->networks.n}};
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->account, &who));
	TRY(app_door_plan(&p, a, n));
	if (m->public.n == 0 || failed(base64_decode(&public, m->public)))
		return failure(FAIL_INPUT, "the public key is given as DER in base64");
	const struct certificate_order o = {.account = who->id, .public = buf_str(&public), .arena = a};
	return certificate_issue(&auth, &o, n, made);
}

static result add(arena *a, const struct web_auth_certificate_add *m, struct web_auth_certificate_added *answer)
{
	struct app_password n;
	struct certificate_made made;
	TRY(issue(a, m, &n, &made));
	TRY(pem_of(made.certificate, a, &answer->certificate));
	TRY(pem_of(made.authority, a, &answer->authority));
	TRY(app_digits(n.serial, a, &answer->serial));
	TRY(app_digits(n.fingerprint, a, &answer->fingerprint));
	answer->expires = n.expires;
	return OK;
}

result certificate_door_add(struct arrival *in, struct web_auth_certificate_add *m,
	struct web_auth_certificate_added *answer)
{
	return web_report(in, "certificate add", m->account, add(in->arena, m, answer));
}

result certificate_door_list(struct arrival *in, struct web_auth_certificate_list *m,
	struct web_auth_app_passwords *answer)
{
	return app_door_rows(m->account, app_certificates_read, in->arena, answer);
}

result certificate_door_revoke(struct arrival *in, struct web_auth_certificate_revoke *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "certificate revoke", m->account, app_door_end(m->account, m->name, app_certificate_revoke));
}
