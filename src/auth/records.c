#include "auth/records.h"

#include <stdarg.h>
#include <stdio.h>

#include "auth/auth.h"
#include "grammar/smtp/mailbox.h"
#include "run/net.h"

enum { VALUE_MAX = WEB_AUTH_DNS_ROW_VALUE_MAX };

static const char note_address[] =
	"the server's address; who gives it to you sets its PTR record to the server's name, "
	"without which many refuse its mail";
static const char note_dmarc[] =
	"DMARC: mail that neither SPF nor DKIM vouches for is suspect; p=reject once the reports "
	"show no mail of yours in it";
static const char note_tlsa[] =
	"DANE: counts where the zone of the server's name is signed (DNSSEC); goes with the "
	"certificate's key: publish the next key's record before you change it";
static const char note_policy[] =
	"MTA-STS: only once https://mta-sts.DOMAIN/.well-known/mta-sts.txt answers with the "
	"policy; another id whenever the policy changes";
static const char note_settings[] =
	"some mail programs ask there for their settings; only once this server answers for it";

struct printing {
	struct auth *auth;
	arena *mem;
	str domain, host;
	struct web_auth_dns_row *rows;
	size_t n;
	result r;
};

struct row {
	const char *type;
	const char *note;
	str prefix; /* of the name: "_dmarc." */
	str under;  /* the domain or the host */
};

__attribute__((format(printf, 3, 4))) static void put(struct printing *p, struct row row, const char *format, ...)
{
	AUTO_BUF buf name = buf_new(WEB_AUTH_DNS_ROW_NAME_MAX);
	char value[VALUE_MAX + 1];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(value, sizeof value, format, args);
	va_end(args);
	buf_put(&name, row.prefix);
	buf_put(&name, row.under);
	/* A name that is too long for DNS, or a value that is no record: there is none of this kind. */
	if (name.broken == FAIL_LIMIT || n < 0 || (size_t)n >= sizeof value || p->n == WEB_AUTH_DOMAIN_RECORDS_ARE_ROWS_MAX)
		return;
	if (!failed(p->r))
		p->r = buf_result(&name);
	p->rows[p->n++] = (struct web_auth_dns_row){.name = arena_dup(p->mem, buf_str(&name)), .type = str_from(row.type),
		.value = arena_dup(p->mem, str_of(value, (size_t)n)), .note = str_from(row.note)};
}

/* ---- where mail goes ---- */

static void put_address(struct printing *p, const net_addr *a)
{
	AUTO_BUF buf text = buf_new(64);
	net_put_ip(&text, a);
	str ip = buf_str(&text);
	if (str_eq(ip, STR("0.0.0.0")) || str_eq(ip, STR("::")))
		return;
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->rows[i].value, ip))
			return;
	put(p, (struct row){net_is_v4(a) ? "A" : "AAAA", note_address, {0}, p->host}, "%.*s", STR_ARG(ip));
}

static void put_addresses(struct printing *p)
{
	str rest = options_text(&p->auth->options, OPT_LISTEN_SMTP), one;
	net_addr a;
	while (options_next(&rest, &one))
		if (!failed(net_parse(one, &a)))
			put_address(p, &a);
}

/* ---- who may send ---- */

static const char *note_of(const struct book_key *k)
{
	switch (k->state) {
	case KEY_PUBLISHED:
		return "new key: publish it now; it takes over from the old one when it is seen in DNS";
	case KEY_RETIRED:
		return "old key: leave it until it is not listed any more, for mail that it signed";
	default:
		return k->algorithm == DKIM_RSA_SHA256 ? "signs mail (RSA)" : "signs mail (Ed25519)";
	}
}

static void put_key(struct printing *p, uint64_t id)
{
	AUTO_BUF buf public = buf_new(KEY_PUBLIC_MAX), text = buf_new(VALUE_MAX);
	char prefix[KEY_SELECTOR_MAX + sizeof "._domainkey."];
	result r = directory_read_public(p->auth->directory, id, &public);
	const struct book_key *k = book_key(&p->auth->directory->book, id);
	if (!k || public.n == 0) {
		p->r = failed(r) && r.kind != FAIL_ABSENT ? r : p->r;
		return;
	}
	dkim_key_print(&text, k->algorithm, buf_str(&public));
	snprintf(prefix, sizeof prefix, "%.*s._domainkey.", STR_ARG(key_selector(k)));
	put(p, (struct row){"TXT", note_of(k), str_from(prefix), p->domain}, "%.*s", STR_ARG(buf_str(&text)));
}

static void put_keys(struct printing *p)
{
	const struct book_domain *d = book_domain(&p->auth->directory->book, p->domain);
	uint64_t ids[RECORDS_KEYS_MAX];
	size_t n = 0;
	for (struct list *at = d ? d->keys.prev : NULL; at && at != &d->keys && n < RECORDS_KEYS_MAX; at = at->prev) {
		const struct book_key *k = LIST_OWNER(at, struct book_key, node);
		if (k->state != KEY_BEGUN)
			ids[n++] = k->id;
	}
	while (n > 0)
		put_key(p, ids[--n]);
}

static void put_sender_policies(struct printing *p)
{
	put(p, (struct row){"TXT", "SPF: only the domain's mail servers send its mail", {0}, p->domain}, "v=spf1 mx -all");
	if (!str_eq(p->host, p->domain))
		put(p, (struct row){"TXT", "SPF of the server's own name, which its reports of failure go by", {0}, p->host},
		    "v=spf1 a -all");
	put_keys(p);
	put(p, (struct row){"TXT", note_dmarc, STR("_dmarc."), p->domain},
	    "v=DMARC1; p=quarantine; rua=mailto:postmaster@%.*s", STR_ARG(p->domain));
}

/* ---- that nobody listens in on the way ---- */

static void put_transport(struct printing *p)
{
	str digest = options_text(&p->auth->options, OPT_CERTIFICATE_DIGEST);
	if (digest.n > 0)
		put(p, (struct row){"TLSA", note_tlsa, STR("_25._tcp."), p->host},
		    "3 1 1 %.*s", STR_ARG(digest));
	put(p, (struct row){"TXT", "TLSRPT: where other servers report failures of TLS", STR("_smtp._tls."), p->domain},
	    "v=TLSRPTv1; rua=mailto:postmaster@%.*s", STR_ARG(p->domain));
	put(p, (struct row){"TXT", note_policy, STR("_mta-sts."), p->domain}, "v=STSv1; id=1");
	put(p, (struct row){"CNAME", "MTA-STS: the host of the policy, if this server answers for it", STR("mta-sts."),
		    p->domain}, "%.*s.", STR_ARG(p->host));
}

/* ---- how mail programs find the server (RFC 6186, RFC 8314) ---- */

static void put_service(struct printing *p, enum option_id listens, const char *prefix)
{
	str rest = options_text(&p->auth->options, listens), one;
	net_addr a;
	if (!options_next(&rest, &one) || failed(net_parse(one, &a)))
		return;
	size_t colon = str_rchr(one, ':');
	put(p, (struct row){"SRV", "mail programs find the server by it", str_from(prefix), p->domain}, "0 1 %.*s %.*s.",
	    STR_ARG(str_skip(one, colon + 1)), STR_ARG(p->host));
}

static void put_services(struct printing *p)
{
	put_service(p, OPT_LISTEN_SUBMISSIONS, "_submissions._tcp.");
	put_service(p, OPT_LISTEN_SUBMISSION, "_submission._tcp.");
	put_service(p, OPT_LISTEN_IMAPS, "_imaps._tcp.");
	put_service(p, OPT_LISTEN_IMAP, "_imap._tcp.");
	put_service(p, OPT_LISTEN_POP3S, "_pop3s._tcp.");
	put_service(p, OPT_LISTEN_POP3, "_pop3._tcp.");
	put(p, (struct row){"CNAME", note_settings,
		    STR("autoconfig."), p->domain}, "%.*s.", STR_ARG(p->host));
}

static void put_all(struct printing *p)
{
	put(p, (struct row){"MX", "where mail for the domain goes", {0}, p->domain}, "10 %.*s.", STR_ARG(p->host));
	put_addresses(p);
	put_sender_policies(p);
	put_transport(p);
	put_services(p);
}

static result server_name(const struct auth *a, arena *m, str *out)
{
	result r = mailbox_domain(options_text(&a->options, OPT_HOSTNAME), m, out);
	return r.kind == FAIL_INPUT || (!failed(r) && str_starts(*out, STR("[")))
		       ? failure(FAIL_INPUT, "the server has no name that DNS knows; set `hostname` in its configuration")
		       : r;
}

result records_of(struct auth *a, str domain, arena *m, struct web_auth_domain_records_are *out)
{
	struct printing p = {.auth = a, .mem = m, .r = OK};
	result r = mailbox_domain(domain, m, &p.domain);
	if (!failed(r))
		r = signing_ready(a, p.domain);
	if (failed(r) && r.kind != FAIL_LIMIT)
		return r;
	TRY(server_name(a, m, &p.host));
	p.rows = arena_array(m, WEB_AUTH_DOMAIN_RECORDS_ARE_ROWS_MAX, sizeof *p.rows);
	if (!p.rows)
		return arena_result(m);
	put_all(&p);
	TRY(p.r);
	out->rows.p = p.rows;
	out->rows.n = p.n;
	return arena_result(m);
}
