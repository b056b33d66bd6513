/* Reports about TLS (RFC 8460): how a day's sessions with a domain's servers
 * went, as JSON (section 4), and as the mail that carries it (section 5.3).
 *
 * The mail asks not to be held back for want of TLS (RFC 8689 5): what it tells
 * of may be why it could not be sent otherwise. The buf's ceiling shows in
 * buf_result; nothing else fails or suspends. */
#ifndef GRAMMAR_TLS_REPORT_H
#define GRAMMAR_TLS_REPORT_H

#include "base/buf.h"

enum { TLS_REPORT_ROWS_MAX = 1000, TLS_REPORT_DAY_S = 86400 };

/* Sessions that ended the same way. */
struct tls_report_row {
	str policy_type;             /* sts, tlsa, no-policy-found */
	str policy;                  /* its text, lines separated by LF */
	str host, address, local;    /* of the server, and ours */
	str result, detail;          /* result empty: a success */
	uint64_t sessions;
};

struct tls_report {
	str organization, contact; /* contact: an address */
	str id;                    /* of letters, digits, '-', '.': it stands in a file's name */
	str domain;                /* of the policies */
	int64_t day;               /* days since 1970 */
	int64_t until;             /* seconds since 1970: the part of the day until then; 0: all of it */
	const struct tls_report_row *rows;
	size_t n;
};
void tls_report_json(buf *out, const struct tls_report *r);

struct tls_report_mail {
	const struct tls_report *report;
	const str *to;
	size_t to_n;
	str from_domain, submitter, message_id;
	int64_t now;
	str packed; /* the JSON, by gzip */
};
void tls_report_print(buf *out, const struct tls_report_mail *m);

#endif
