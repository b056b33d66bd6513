/* Faults planted into an edge, so that a test sees them found: each function
 * here takes the place of the real one of its name (the linker's --wrap). Built
 * for the tests alone, from the very objects of the real program. */
#include <openssl/ssl.h>

#include "edge/login.h"
#include "edge/smtp.h"
#include "grammar/smtp/smtp_data.h"
#include "run/sandbox.h"

/* A password in clear, on every port that has logins. */
bool __wrap_client_may_login(const struct client *c);
bool __wrap_client_may_login(const struct client *c)
{
	return c->protocol != CLIENT_SMTP;
}

/* Whoever speaks HTTP is served. */
bool __wrap_client_speaks_http(const struct client *c, str line);
bool __wrap_client_speaks_http(const struct client *c, str line)
{
	(void)c;
	(void)line;
	return false;
}

void __wrap_tls_context_alpn(struct tls_context *c, str protocols);
void __wrap_tls_context_alpn(struct tls_context *c, str protocols)
{
	(void)c;
	(void)protocols;
}

/* What came behind STARTTLS is kept and answered inside TLS. */
bool __wrap_stream_pending(const struct stream *s);
bool __wrap_stream_pending(const struct stream *s)
{
	(void)s;
	return false;
}

/* An open relay. */
result __wrap_smtp_elsewhere(struct smtp_session *s, const struct elsewhere *to, bool *accepted);
result __wrap_smtp_elsewhere(struct smtp_session *s, const struct elsewhere *to, bool *accepted)
{
	(void)s;
	(void)to;
	*accepted = true;
	return OK;
}

/* LF . LF ends a message. */
size_t __real_smtp_data_feed(struct smtp_data *d, str in, buf *out);
size_t __wrap_smtp_data_feed(struct smtp_data *d, str in, buf *out);
size_t __wrap_smtp_data_feed(struct smtp_data *d, str in, buf *out)
{
	size_t at = str_find(in, STR("\n.\n"));
	if (at == STR_NONE || (at > 0 && in.p[at - 1] == '\r'))
		return __real_smtp_data_feed(d, in, out);
	(void)__real_smtp_data_feed(d, str_sub(in, 0, at), out);
	(void)__real_smtp_data_feed(d, STR("\r\n.\r\n"), out);
	return at + 3;
}

/* Everybody is treated as the demo treats its own machine: no limits, no ends. */
void __real_client_set_address(struct client *c, const net_addr *a, bool announced);
void __wrap_client_set_address(struct client *c, const net_addr *a, bool announced);
void __wrap_client_set_address(struct client *c, const net_addr *a, bool announced)
{
	__real_client_set_address(c, a, announced);
	c->trusted = true;
}

/* Ciphers without encryption, and old ones. */
int __real_SSL_CTX_set_cipher_list(SSL_CTX *tls, const char *list);
int __wrap_SSL_CTX_set_cipher_list(SSL_CTX *tls, const char *list);
int __wrap_SSL_CTX_set_cipher_list(SSL_CTX *tls, const char *list)
{
	(void)list;
	SSL_CTX_set_security_level(tls, 0);
	return __real_SSL_CTX_set_cipher_list(tls, "ALL:eNULL:@SECLEVEL=0");
}

/* Tells who is not there. */
result __real_login_ask(struct client *c, const struct login_try *q, struct login_answer *out);
result __wrap_login_ask(struct client *c, const struct login_try *q, struct login_answer *out);
result __wrap_login_ask(struct client *c, const struct login_try *q, struct login_answer *out)
{
	result r = __real_login_ask(c, q, out);
	if (failed(r) || out->verdict != EDGE_AUTH_LOGIN_VERDICT_REFUSED || str_starts(q->user, STR("user")))
		return r;
	out->verdict = EDGE_AUTH_LOGIN_VERDICT_BARRED;
	memcpy(out->text, "Nobody here is called that", sizeof "Nobody here is called that");
	return OK;
}

/* No jail. */
result __wrap_sandbox_enter(const struct sandbox *s, struct sandbox_state *state);
result __wrap_sandbox_enter(const struct sandbox *s, struct sandbox_state *state)
{
	sandbox_probe(state);
	(void)s;
	return OK;
}
