/* Mail addresses as SMTP writes them: Mailbox and Path of RFC 5321 section
 * 4.1.2, with UTF-8 as RFC 6531 section 3.3 adds it.
 *
 * The parsed address holds views: into the input, or into the arena where
 * quotes had to be undone. UTF-8 is always parsed and told by `utf8`; whether
 * SMTPUTF8 permits it is the caller's to say. Source routes are stepped over
 * (appendix C). Taken beyond the RFC because real senders have them: dots at
 * the ends of a local part or two in a row (printed in quotes), and
 * underscores in domain names. Nothing suspends.
 * Errors: INPUT with one sentence, LIMIT or MEMORY of the arena. */
#ifndef GRAMMAR_MAILBOX_H
#define GRAMMAR_MAILBOX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "grammar/smtp/ip.h"

/* Octets, counted in the canonical form (RFC 5321 section 4.5.3.1). */
enum {
	MAILBOX_LOCAL_MAX = 64,
	MAILBOX_DOMAIN_MAX = 255,
	MAILBOX_MAX = 254, /* a path, with its brackets, has at most 256 */
	MAILBOX_LABEL_MAX = 63,
};

enum mailbox_kind {
	MAILBOX_NULL,	 /* the empty path <> */
	MAILBOX_BARE,	 /* <Postmaster>, the one address without a domain */
	MAILBOX_NAME,	 /* a domain name */
	MAILBOX_IPV4,	 /* [192.0.2.1] */
	MAILBOX_IPV6,	 /* [IPv6:2001:db8::1] */
	MAILBOX_GENERAL, /* [tag:content] */
};

struct mailbox {
	enum mailbox_kind kind;
	str local;    /* without quotes */
	str domain;   /* as written, a literal with its brackets */
	struct ip ip; /* of an IPv4 or IPv6 literal */
	bool utf8;    /* octets above 127 occur */
};

result mailbox_parse(str s, arena *a, struct mailbox *out) NODISCARD; /* local@domain and nothing else */
/* From the cursor: up to the first octet that cannot belong to it. On failure
 * the cursor stays somewhere within. */
result mailbox_take(cursor *c, arena *a, struct mailbox *out) NODISCARD;
result mailbox_take_path(cursor *c, arena *a, struct mailbox *out) NODISCARD; /* <...>, also <> and <Postmaster> */
/* A domain name or an address literal alone (HELO); fills kind, domain, ip, utf8. */
result mailbox_take_domain(cursor *c, struct mailbox *out) NODISCARD;

/* Canonical: quotes only where they are needed. Nothing for MAILBOX_NULL. */
void mailbox_print(buf *out, const struct mailbox *m);
void mailbox_print_path(buf *out, const struct mailbox *m); /* in brackets */

/* The form to compare and to look up by: lower case, A-labels (IDNA2008 with
 * UTS 46 mapping), literals as RFC 5952 prints them. Both spellings of an
 * internationalised name give the same bytes. */
result mailbox_domain(str domain, arena *a, str *out) NODISCARD;
result mailbox_domain_unicode(str domain, arena *a, str *out) NODISCARD; /* U-labels, to show to people */

#endif
