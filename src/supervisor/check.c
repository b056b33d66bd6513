#include "supervisor/check.h"
#include "run/net.h"
#include "run/files.h"
#include "run/tls.h"

static result check_address(str address)
{
	net_addr a;
	if (!failed(net_parse(address, &a)))
		return OK;
	return failure(FAIL_INPUT, "an address to listen on has a port: \"192.0.2.1:25\", \"[2001:db8::1]:25\", "
				   "\"0.0.0.0:25\" for all");
}

static result check_network(str network)
{
	net_cidr n;
	if (!failed(net_parse_cidr(network, &n)))
		return OK;
	return failure(FAIL_INPUT, "a network is written \"192.0.2.0/24\" or \"2001:db8::/32\", a single address "
				   "without \"/\"");
}

result check_value(enum option_id id, str value)
{
	switch (id) {
	case OPT_LISTEN_SMTP:
	case OPT_LISTEN_SUBMISSION:
	case OPT_LISTEN_SUBMISSIONS:
	case OPT_LISTEN_IMAP:
	case OPT_LISTEN_IMAPS:
		return check_address(value);
	case OPT_PROXY_FROM:
		return check_network(value);
	default:
		return OK;
	}
}

static result read_pem(const struct options *o, enum option_id id, buf *out, buf *problems)
{
	str path = options_text(o, id);
	result r = path.n > 0 ? file_load(path.p, out) : failure(FAIL_ABSENT, "the option is not set: name a PEM file");
	if (failed(r))
		buf_printf(problems, "%s: %s\n", option_row_of(id)->name, r.text);
	return r;
}

result check_certificate(const struct options *o, buf *certificate, buf *private_key, buf *problems)
{
	struct tls_context *tls = NULL;
	result one = read_pem(o, OPT_CERTIFICATE, certificate, problems);
	result other = read_pem(o, OPT_PRIVATE_KEY, private_key, problems);
	TRY(one);
	TRY(other);
	result r = tls_server_context(buf_str(certificate), buf_str(private_key), &tls);
	if (failed(r))
		buf_printf(problems, "certificate, private-key: %s (%s)\n", r.text, tls_error());
	tls_context_free(&tls);
	return r;
}
