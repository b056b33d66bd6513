/* SMTP command lines (RFC 5321, 3030, 3207, 3461, 4954, 6531, 6533, LMTP of
 * RFC 2033, and Postfix's XCLIENT) as typed structs.
 *
 * A line comes without its CRLF. Views point into the line or the arena. What
 * is wrong with a line is said in `fault`, ready to be printed as the reply:
 * 500 unknown verb or line too long, 501 syntax or a parameter given twice,
 * 504 a parameter that is known but not offered, 555 one that is unknown,
 * 553 UTF-8 without SMTPUTF8, 452 arena used up.
 *
 * Taken beyond the RFC, because real clients send it, and marked `lenient`:
 * blanks behind "FROM:" and "TO:", a path without angle brackets, several
 * blanks or tabs between words. Blanks at the line's end, letters in either
 * case, and more words behind the name of EHLO are taken silently. Nothing suspends. */
#ifndef GRAMMAR_SMTP_H
#define GRAMMAR_SMTP_H

#include "grammar/smtp/smtp_args.h"

enum smtp_verb {
	SMTP_EHLO,
	SMTP_HELO,
	SMTP_LHLO,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_BDAT,
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_QUIT,
	SMTP_VRFY,
	SMTP_EXPN,
	SMTP_HELP,
	SMTP_STARTTLS,
	SMTP_AUTH,
	SMTP_XCLIENT,
	SMTP_VERBS
};

struct smtp_command {
	enum smtp_verb verb;
	bool lenient;
	union {
		struct smtp_helo helo; /* EHLO, HELO, LHLO */
		struct smtp_mail mail;
		struct smtp_rcpt rcpt;
		struct smtp_bdat bdat;
		struct smtp_auth auth;
		struct smtp_xclient xclient;
		str text; /* NOOP, VRFY, EXPN, HELP */
	};
};

/* A refusal: code, enhanced status (RFC 3463), a sentence, and the word it is about (may be empty). */
struct smtp_fault {
	unsigned code;
	const char *status;
	const char *text;
	str word;
	str trace; /* under which the log has it, or empty; printed behind the text */
};

struct smtp_parser {
	arena *arena;
	unsigned offered;	 /* bits of smtp_param */
	bool smtputf8;		 /* said at MAIL: recipients may hold UTF-8 */
	struct smtp_fault fault; /* written when a line is refused */
};

result smtp_parse(struct smtp_parser *p, str line, struct smtp_command *out) NODISCARD;
str smtp_verb_name(enum smtp_verb verb);
void smtp_fault_print(buf *out, const struct smtp_fault *f); /* the reply line(s) */

#endif
