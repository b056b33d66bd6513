/* One SMTP session: its state and the steps that its commands are made of.
 *
 * smtp_session (edge.h) reads a line, looks its verb up in the table of smtp.c,
 * and calls the handler; a handler replies once and may suspend. The
 * transaction's memory is one bounded arena: reaching its ceiling is 452. */
#ifndef EDGE_SMTP_H
#define EDGE_SMTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "edge/edge.h"
#include "edge/intake.h"
#include "edge/outward.h"
#include "grammar/smtp/smtp.h"

enum smtp_limits {
	SMTP_TRANSACTION_MAX = 4 << 20, /* memory of one transaction besides its data */
	SMTP_COMMAND_MAX = 64 << 10,    /* memory of one parsed command */
	SMTP_LOGINS_MAX = 5,            /* failed logins before the connection is ended */
	SMTP_TARGETS_MAX = 100000,      /* accounts behind all recipients of a transaction */
	SMTP_TRANSIT_STEP = 64 << 10,   /* a message is counted in such steps against the budget */
};

enum smtp_state {
	SMTP_CONNECTED = 1, /* no greeting yet */
	SMTP_GREETED = 2,   /* HELO or EHLO was said */
	SMTP_SENDER = 4,    /* MAIL was accepted */
	SMTP_READY = 8,     /* and at least one RCPT */
	SMTP_CHUNKS = 16,   /* and at least one BDAT, not the last */
};

/* What the client asked of reports for one recipient (RFC 3461 4.1, 4.2). */
struct smtp_asked {
	unsigned notify; /* bits of smtp_notify, 0: not said */
	str orcpt;       /* "type;address", empty: not said */
};

/* One account that the message goes to. The same account behind two
 * recipients gets one copy: deliveries are unique by id in an account. */
struct smtp_target {
	uint64_t account;
	const struct smtp_asked *asked;
	str recipient; /* as the client wrote it, canonical; in the arena */
};

struct smtp_session {
	struct client *client;
	enum smtp_state state;
	bool esmtp;
	str helo;              /* as said; in helo_text */
	char helo_text[SMTP_HELO_MAX];
	bool ending;           /* after this reply the connection is ended */
	uint64_t commands, errors, messages, logins_failed;
	bool logged_in;
	bool unmapped; /* the local socket: local-users does not name this user */
	uint64_t account;
	trace_id token;        /* all zero: nobody is */
	char user[320];        /* who is logged in, for the log */
	size_t user_n;
	buf may_send_as;       /* the sender that auth allowed this login last, */
	uint64_t may_send_at;  /* when the directory had changed so often */

	arena transaction;
	trace_id trace;        /* this transaction's id; delivery id and trace id in one */
	struct smtp_mail mail; /* views into the arena */
	str sender;            /* canonical; empty for the null reverse-path */
	struct smtp_target *targets;
	size_t targets_n, targets_cap;
	hash accounts;         /* which accounts are among the targets */
	struct outward outward; /* recipients on other servers */
	struct outward told;    /* recipients here whose delivery is reported (NOTIFY=SUCCESS) */
	int64_t hold_until, deliver_by; /* seconds since 1970 (RFC 4865, RFC 2852); 0: not asked */
	str asked;             /* the recipient that is being looked at; empty: none */
	size_t recipients;
	struct mailbox first;  /* the first recipient */
	struct intake data;
	uint64_t counted;      /* of the budget */
	bool too_large, no_room, spoilt; /* BDAT: the rest is eaten, the last chunk gets the refusal */
};

/* Replies; `status` is the enhanced code ("2.1.0") or NULL. Only for refusals
 * of the client's doing: session_refuse counts towards errors-per-connection and
 * is logged. Text is one sentence, LF begins another line. */
result smtp_reply(struct smtp_session *s, unsigned code, const char *status, const char *text) NODISCARD;
result session_refuse(struct smtp_session *s, const struct smtp_fault *f) NODISCARD;
#define SMTP_REFUSE(S, CODE, STATUS, TEXT) \
	session_refuse((S), &(struct smtp_fault){.code = (CODE), .status = (STATUS), .text = (TEXT)})

void smtp_reset(struct smtp_session *s); /* ends the transaction */
/* Refuses the message and ends the transaction; the log still has whose it was. */
result smtp_refuse_message(struct smtp_session *s, const struct smtp_fault *f) NODISCARD;
/* As if the client had just connected: no transaction, no name, no login. */
void smtp_begin(struct smtp_session *s);
result smtp_greet(struct smtp_session *s) NODISCARD; /* 220 */
bool smtp_is_submission(const struct smtp_session *s);
bool smtp_offers_hold(const struct smtp_session *s); /* FUTURERELEASE */
bool smtp_is_private(const struct smtp_session *s);  /* nobody on the way can read along: TLS, or no way */
/* For a whole line, in ms: less under pressure, for who has not logged in. */
uint64_t smtp_command_time(const struct smtp_session *s);

/* Handlers, one per verb. */
typedef result smtp_handler(struct smtp_session *s, const struct smtp_command *c);
smtp_handler smtp_do_ehlo, smtp_do_helo, smtp_do_lhlo, smtp_do_starttls; /* smtp_hello.c */
smtp_handler smtp_do_mail, smtp_do_rset;                                 /* smtp_mail.c */
smtp_handler smtp_do_rcpt;                                               /* smtp_rcpt.c */
smtp_handler smtp_do_data, smtp_do_bdat;                                 /* smtp_body.c */
smtp_handler smtp_do_auth;                                               /* smtp_login.c */
smtp_handler smtp_do_xclient;                                            /* smtp_xclient.c */

/* smtp_elsewhere.c: may this transaction's mail go to that address on another
 * server? *accepted; otherwise a refusal was sent. Suspends. */
struct elsewhere {
	str address, domain;
	bool relayed;   /* this server is a backup for the domain, */
	uint64_t route; /* and that is the way to the primary */
};
result smtp_elsewhere(struct smtp_session *s, const struct elsewhere *to, bool *accepted) NODISCARD;
result smtp_limited(struct smtp_session *s, str why) NODISCARD; /* refuses a login that sent enough for now */

/* The local socket: who connected is logged in, if the configuration gives that user an account. Suspends. */
result smtp_meet_local(struct smtp_session *s) NODISCARD; /* smtp_login.c */

/* The message is whole in s->data: examine, deliver, reply. letter.c */
result smtp_accept(struct smtp_session *s) NODISCARD;

#endif
