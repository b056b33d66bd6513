#include "auth/clear.h"

#include "run/net.h"

static bool is_permitted(const struct auth *a, str address)
{
	str rest = options_text(&a->options, OPT_CLEAR_FROM), text;
	net_addr at;
	net_cidr network;
	if (failed(net_parse_ip(address, &at)))
		return false;
	while (options_next(&rest, &text))
		if (!failed(net_parse_cidr(text, &network)) && net_in(&at, &network))
			return true;
	return false;
}

result clear_check(const struct auth *a, const struct app_password *p)
{
	net_cidr one;
	if (p->scope.protocols != 1u << EDGE_AUTH_PROTOCOL_SMTP)
		return failure(FAIL_INPUT, "without TLS an app password is for sending alone: name --protocol smtp");
	if (failed(net_parse_cidr(p->scope.networks, &one)) || one.bits != 128)
		return failure(FAIL_INPUT, "without TLS an app password is for one address: name --network 192.0.2.7/32");
	if (!is_permitted(a, str_sub(p->scope.networks, 0, str_chr(p->scope.networks, '/'))))
		return failure(FAIL_DENIED, "the option login-without-tls names no network that this address is in; nobody "
			"logs in from there without TLS");
	return OK;
}

result clear_addresses(const struct auth *a, arena *m, struct edge_auth_offers_are *out)
{
	str *v;
	size_t n, permitted = 0;
	if (options_text(&a->options, OPT_CLEAR_FROM).n == 0)
		return OK;
	TRY(app_passwords_clear(a->directory, m, &v, &n));
	for (size_t i = 0; i < n; i++)
		if (is_permitted(a, v[i]))
			v[permitted++] = v[i];
	out->clear.p = v;
	out->clear.n = permitted;
	return OK;
}
