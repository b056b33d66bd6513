#include "supervisor/check.h"
#include "supervisor/databases.h"
#include "grammar/dns/anchors.h"

#include <pwd.h>
#include <stdio.h>

#include "run/net.h"
#include "run/files.h"
#include "run/tls.h"
#include "run/tls_cert.h"

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

/* What travels in clear stays in the house. */
static result check_clear(str network)
{
	net_cidr n;
	TRY(check_network(network));
	if (!failed(net_parse_cidr(network, &n)) && net_cidr_is_private(&n))
		return OK;
	return failure(FAIL_INPUT, "from public addresses everybody on the way could read passwords and mail; name the "
				   "private network that the device is in (192.168.7.0/24, fd00:7::/64)");
}

static result check_forward(str server)
{
	net_addr a;
	if (str_eq(server, STR("none")) || !failed(net_parse(server, &a)))
		return OK;
	return failure(FAIL_INPUT, "a DNS server is written with its port: \"192.0.2.53:53\", \"[2001:db8::53]:53\"; "
				   "\"none\" for no look-ups at all");
}

result check_file(str path, buf *out)
{
	AUTO_BUF buf name = buf_new(4096);
	buf_put(&name, path);
	buf_putc(&name, '\0');
	TRY(buf_result(&name));
	result r = file_load((const char *)name.p, out);
	if (r.kind == FAIL_LIMIT)
		return failure(FAIL_LIMIT, "the file is larger than 64 KiB: keep in it only what is needed");
	return r;
}

static result check_anchors(str text)
{
	AUTO_BUF buf record = buf_new(ANCHOR_RECORD_MAX);
	struct anchors at = anchors_on(text);
	do
		TRY(anchors_next(&at, &record));
	while (record.n > 0);
	return at.records > 0 ? OK : failure(FAIL_INPUT, "the file holds no trust anchor: DS or DNSKEY records are needed");
}

static result check_content(enum option_id id, str path)
{
	AUTO_BUF buf content = buf_new(CHECK_FILE_MAX);
	if (path.n == 0)
		return OK;
	TRY(check_file(path, &content));
	if (id == OPT_DNS_ANCHOR)
		return check_anchors(buf_str(&content));
	if (id == OPT_FETCH_CA && str_find(buf_str(&content), STR("-----BEGIN ")) == STR_NONE)
		return failure(FAIL_INPUT, "the file holds no certificate: PEM (-----BEGIN CERTIFICATE-----) is needed");
	return OK;
}

static bool user_known(str user)
{
	char name[256];
	uint32_t uid;
	if (str_to_u32(user, &uid))
		return true;
	if (user.n >= sizeof name)
		return false;
	snprintf(name, sizeof name, "%.*s", STR_ARG(user));
	return getpwnam(name) != NULL;
}

/* "user=address". Whoever is named may send as the account: so nobody is named by a rule for all. */
static result check_local_user(str rule)
{
	size_t equals = str_chr(rule, '='), at;
	str user = str_trim(str_sub(rule, 0, equals)), address = str_trim(str_skip(rule, equals + 1));
	if (equals == STR_NONE || !user.n)
		return failure(FAIL_INPUT, "a user of this machine and its account's address are written "
			       "\"www-data=web@example.org\"");
	if (str_chr(user, '*') != STR_NONE || str_chr(user, '-') == 0 || str_ieq(user, STR("all")))
		return failure(FAIL_INPUT, "a rule for everybody would let every program of this machine send as that account; "
			       "name each user: \"www-data=web@example.org\"");
	if (!user_known(user))
		return failure(FAIL_INPUT, "this machine has no such user; `getent passwd` lists those there are");
	at = str_rchr(address, '@');
	if (at == STR_NONE || at == 0 || at + 1 == address.n || str_chr(address, '*') != STR_NONE)
		return failure(FAIL_INPUT, "behind \"=\" stands the address of one account: \"www-data=web@example.org\"");
	return OK;
}

result check_value(enum option_id id, str value)
{
	if (option_row_of(id)->type == FILE_AT)
		return check_content(id, value);
	switch (id) {
	case OPT_LISTEN_SMTP:
	case OPT_LISTEN_SUBMISSION:
	case OPT_LISTEN_SUBMISSIONS:
	case OPT_LISTEN_IMAP:
	case OPT_LISTEN_IMAPS:
	case OPT_LISTEN_POP3:
	case OPT_LISTEN_POP3S:
	case OPT_LISTEN_HTTPS:
		return check_address(value);
	case OPT_DNS_FORWARD:
		return check_forward(value);
	case OPT_LOCAL_USERS:
		return check_local_user(value);
	case OPT_CLEAR_FROM:
		return check_clear(value);
	case OPT_EXPORT:
		return str_eq(value, STR("eve")) || str_eq(value, STR("syslog"))
			? OK : failure(FAIL_INPUT, "what can be exported is \"eve\" and \"syslog\"");
	case OPT_PROXY_FROM:
	case OPT_NEVER_BAN:
	case OPT_ADMIN_FROM:
		return check_network(value);
	case OPT_COUNTRY_DATABASE:
	case OPT_NETWORK_DATABASE:
		return databases_check(value);
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

result check_digest(struct options *o, str certificate)
{
	unsigned char digest[TLS_KEY_DIGEST];
	char text[2 * TLS_KEY_DIGEST];
	TRY(tls_key_digest(certificate, digest));
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
	return options_set(o, OPT_CERTIFICATE_DIGEST, str_of(text, sizeof text));
}
