/* The arguments of SMTP commands, and their limits; smtp.h parses them.
 * Structs of views: they own nothing. */
#ifndef GRAMMAR_SMTP_ARGS_H
#define GRAMMAR_SMTP_ARGS_H

#include "grammar/smtp/mailbox.h"

/* Octets of a line without CRLF. */
enum {
	SMTP_SHORT_LINE_MAX = 510,
	SMTP_LONG_LINE_MAX = 2048, /* MAIL, RCPT and XCLIENT with all their parameters */
	SMTP_LINE_MAX = 12286,	   /* AUTH (RFC 4954 section 4); no line is longer */
	SMTP_ENVID_MAX = 100,
	SMTP_ORCPT_MAX = 500,
	SMTP_HELO_MAX = 255,
	SMTP_SECONDS_MAX = 999999999, /* of HOLDFOR and BY: nine digits */
};

/* Parameters that can be offered, as bits. */
enum smtp_param {
	SMTP_P_SIZE = 1,
	SMTP_P_BODY = 2,
	SMTP_P_SMTPUTF8 = 4,
	SMTP_P_RET = 8,
	SMTP_P_ENVID = 16,
	SMTP_P_AUTH = 32,
	SMTP_P_NOTIFY = 64,
	SMTP_P_ORCPT = 128,
	SMTP_P_BINARYMIME = 256, /* only for `offered`: BODY=BINARYMIME */
	SMTP_P_HOLDFOR = 512,
	SMTP_P_HOLDUNTIL = 1024,
	SMTP_P_BY = 2048,
	SMTP_P_REQUIRETLS = 4096,
	SMTP_P_FUTURE = SMTP_P_HOLDFOR | SMTP_P_HOLDUNTIL,
	SMTP_P_DSN = SMTP_P_RET | SMTP_P_ENVID | SMTP_P_NOTIFY | SMTP_P_ORCPT,
};

enum smtp_body { SMTP_BODY_NONE, SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };
enum smtp_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS };
enum smtp_notify { SMTP_NOTIFY_NEVER = 1, SMTP_NOTIFY_SUCCESS = 2, SMTP_NOTIFY_FAILURE = 4, SMTP_NOTIFY_DELAY = 8 };

struct smtp_helo {
	str name;   /* as written */
	bool valid; /* a domain or an address literal, which is in: */
	struct mailbox domain;
};

struct smtp_mail {
	unsigned given; /* bits of smtp_param */
	struct mailbox from;
	uint64_t size;
	enum smtp_body body;
	enum smtp_ret ret;
	str envid;	     /* decoded; printable ASCII */
	struct mailbox auth; /* MAILBOX_NULL for AUTH=<> */
	uint32_t hold_for;   /* seconds (RFC 4865); never beside hold_until */
	int64_t hold_until;  /* seconds since 1970 */
	int64_t by;	     /* seconds from now (RFC 2852), over already when negative */
	bool by_return;	     /* mode R, else N */
	bool by_trace;
};

struct smtp_rcpt {
	unsigned given;
	struct mailbox to;
	unsigned notify; /* bits of smtp_notify */
	str orcpt_type;	 /* "rfc822", "utf-8", ... as written */
	str orcpt;	 /* decoded; no control characters */
};

struct smtp_bdat {
	uint64_t size;
	bool last;
};

struct smtp_auth {
	str mechanism;
	bool has_initial;
	str initial; /* base64 as sent; empty for "=" */
};

enum smtp_x {
	SMTP_X_NAME,
	SMTP_X_ADDR,
	SMTP_X_PORT,
	SMTP_X_PROTO,
	SMTP_X_HELO,
	SMTP_X_LOGIN,
	SMTP_X_DESTADDR,
	SMTP_X_DESTPORT,
	SMTP_X_COUNT
};

struct smtp_xclient {
	unsigned given;		 /* 1u << enum smtp_x */
	unsigned unknown;	 /* those given as [UNAVAILABLE] or [TEMPUNAVAIL] */
	str value[SMTP_X_COUNT]; /* decoded */
	struct ip addr;		 /* of ADDR, when given and known */
	uint16_t port;		 /* of PORT, likewise */
};

#endif
