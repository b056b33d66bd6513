#include "grammar/smtp/tls_report.h"

#include "grammar/mime/date.h"
#include "grammar/text/base64.h"

/* ---- JSON (RFC 8259) ---- */

static void put_text(buf *out, str s)
{
	uint32_t c;
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n;) {
		size_t n = str_utf8_at(s, i, &c);
		if (n == 0)
			buf_putc(out, '?');
		else if (c < 32 || c == '"' || c == '\\' || c == 127)
			buf_printf(out, "\\u%04x", c);
		else
			buf_put(out, str_sub(s, i, n));
		i += n ? n : 1;
	}
	buf_putc(out, '"');
}

static void put_name(buf *out, const char *name)
{
	buf_putc(out, '"');
	buf_put(out, str_from(name));
	buf_put(out, STR("\":"));
}

static void put_member(buf *out, const char *name, str value)
{
	put_name(out, name);
	put_text(out, value);
}

static void put_time(buf *out, const char *name, int64_t seconds)
{
	struct date d = date_of_days(seconds / TLS_REPORT_DAY_S);
	unsigned s = (unsigned)(seconds % TLS_REPORT_DAY_S);
	put_name(out, name);
	buf_printf(out, "\"%04u-%02u-%02uT%02u:%02u:%02uZ\"", d.year, d.month, d.day, s / 3600, s / 60 % 60, s % 60);
}

static int64_t start_of(const struct tls_report *r)
{
	return r->day * TLS_REPORT_DAY_S;
}

static int64_t end_of(const struct tls_report *r)
{
	return r->until > 0 ? r->until : start_of(r) + TLS_REPORT_DAY_S - 1;
}

/* The lines of a policy that begin with a word, which is left out; all of them for an empty one. */
static void put_lines(buf *out, str policy, str word)
{
	bool any = false;
	buf_putc(out, '[');
	while (policy.n > 0) {
		size_t end = str_chr(policy, '\n');
		str line = str_trim(str_sub(policy, 0, end));
		policy = end == STR_NONE ? str_sub(policy, 0, 0) : str_skip(policy, end + 1);
		if (line.n == 0 || !str_istarts(line, word))
			continue;
		buf_put(out, any ? STR(",") : STR(""));
		put_text(out, str_trim(str_skip(line, word.n)));
		any = true;
	}
	buf_putc(out, ']');
}

static bool is_dane(const struct tls_report_row *row)
{
	return str_eq(row->policy_type, STR("tlsa"));
}

static bool same_policy(const struct tls_report_row *a, const struct tls_report_row *b)
{
	return str_eq(a->policy_type, b->policy_type) && str_eq(a->policy, b->policy) &&
	       (!is_dane(a) || str_eq(a->host, b->host));
}

static void put_policy(buf *out, const struct tls_report *r, const struct tls_report_row *row)
{
	buf_put(out, STR("{\"policy\":{"));
	put_member(out, "policy-type", row->policy_type);
	if (row->policy.n > 0) {
		buf_put(out, STR(",\"policy-string\":"));
		put_lines(out, row->policy, STR(""));
	}
	buf_putc(out, ',');
	/* RFC 8460 section 1.1: a policy of DANE is that of the server, and the report all the same its domain's. */
	put_member(out, "policy-domain", is_dane(row) ? row->host : r->domain);
	if (str_eq(row->policy_type, STR("sts"))) {
		buf_put(out, STR(",\"mx-host\":"));
		put_lines(out, row->policy, STR("mx:"));
	}
	buf_putc(out, '}');
}

static void put_failure(buf *out, const struct tls_report_row *row)
{
	buf_putc(out, '{');
	put_member(out, "result-type", row->result);
	const struct {
		const char *name;
		str value;
	} more[] = {{"sending-mta-ip", row->local}, {"receiving-mx-hostname", row->host}, {"receiving-ip", row->address},
		{"additional-information", row->detail}};
	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		if (more[i].value.n == 0)
			continue;
		buf_putc(out, ',');
		put_member(out, more[i].name, more[i].value);
	}
	buf_printf(out, ",\"failed-session-count\":%llu}", (unsigned long long)row->sessions);
}

/* One policy with all its rows, from the first of them on. */
static void put_group(buf *out, const struct tls_report *r, size_t first)
{
	uint64_t good = 0, bad = 0;
	bool any = false;
	for (size_t i = first; i < r->n; i++)
		if (same_policy(&r->rows[first], &r->rows[i]))
			*(r->rows[i].result.n > 0 ? &bad : &good) += r->rows[i].sessions;
	put_policy(out, r, &r->rows[first]);
	buf_printf(out, ",\"summary\":{\"total-successful-session-count\":%llu,\"total-failure-session-count\":%llu}",
		   (unsigned long long)good, (unsigned long long)bad);
	for (size_t i = first; i < r->n; i++) {
		if (r->rows[i].result.n == 0 || !same_policy(&r->rows[first], &r->rows[i]))
			continue;
		buf_put(out, any ? STR(",") : STR(",\"failure-details\":["));
		put_failure(out, &r->rows[i]);
		any = true;
	}
	buf_put(out, any ? STR("]}") : STR("}"));
}

static bool seen_before(const struct tls_report *r, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_policy(&r->rows[i], &r->rows[at]))
			return true;
	return false;
}

void tls_report_json(buf *out, const struct tls_report *r)
{
	bool any = false;
	buf_putc(out, '{');
	put_member(out, "organization-name", r->organization);
	buf_put(out, STR(",\"date-range\":{"));
	put_time(out, "start-datetime", start_of(r));
	buf_putc(out, ',');
	put_time(out, "end-datetime", end_of(r));
	buf_put(out, STR("},"));
	put_member(out, "contact-info", r->contact);
	buf_putc(out, ',');
	put_member(out, "report-id", r->id);
	buf_put(out, STR(",\"policies\":["));
	for (size_t i = 0; i < r->n && i < TLS_REPORT_ROWS_MAX; i++) {
		if (seen_before(r, i))
			continue;
		buf_put(out, any ? STR(",") : STR(""));
		put_group(out, r, i);
		any = true;
	}
	buf_put(out, STR("]}"));
}

/* ---- mail ---- */

static void put_header(buf *out, const struct tls_report_mail *m)
{
	const struct tls_report *r = m->report;
	buf_printf(out, "From: TLS Reports <postmaster@%.*s>\r\nTo: ", STR_ARG(m->from_domain));
	for (size_t i = 0; i < m->to_n; i++)
		buf_printf(out, "%s<%.*s>", i > 0 ? ",\r\n " : "", STR_ARG(m->to[i]));
	buf_printf(out, "\r\nSubject: Report Domain: %.*s\r\n Submitter: %.*s\r\n Report-ID: <%.*s>\r\nDate: ",
		   STR_ARG(r->domain), STR_ARG(m->submitter), STR_ARG(r->id));
	date_print(out, (struct date_time){.seconds = m->now});
	buf_printf(out, "\r\nMessage-ID: <%.*s>\r\nAuto-Submitted: auto-generated\r\nTLS-Required: No\r\n"
		"TLS-Report-Domain: %.*s\r\nTLS-Report-Submitter: %.*s\r\nMIME-Version: 1.0\r\n", STR_ARG(m->message_id),
		STR_ARG(r->domain), STR_ARG(m->submitter));
	buf_printf(out, "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"=_%.*s\"\r\n\r\n",
		   STR_ARG(r->id));
}

static void put_attachment(buf *out, const struct tls_report_mail *m)
{
	const struct tls_report *r = m->report;
	buf_printf(out, "--=_%.*s\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment;\r\n filename=\"%.*s!%.*s!%lld!%lld!%.*s.json.gz\"\r\n\r\n", STR_ARG(r->id),
		STR_ARG(m->submitter), STR_ARG(r->domain), (long long)start_of(r),
		(long long)end_of(r), STR_ARG(r->id));
	base64_encode(out, m->packed, BASE64_LINE);
}

void tls_report_print(buf *out, const struct tls_report_mail *m)
{
	const struct tls_report *r = m->report;
	put_header(out, m);
	buf_printf(out, "--=_%.*s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
		"This is a report about TLS (RFC 8460): how the sessions of one day went that\r\n"
		"the mail server %.*s had with the servers of %.*s.\r\n"
		"It is made for programs; %.*s asks for such reports in DNS.\r\n\r\n", STR_ARG(r->id), STR_ARG(m->submitter),
		STR_ARG(r->domain), STR_ARG(r->domain));
	put_attachment(out, m);
	buf_printf(out, "--=_%.*s--\r\n", STR_ARG(r->id));
}
