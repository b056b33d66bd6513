/* POP3 command lines (RFC 1939, 2449, 2595, 5034, 6856) as typed structs, and
 * the capabilities that both sides of a login announce.
 *
 * A line comes without its end. Views point into it. What is wrong is the
 * result's sentence, for the -ERR: ABSENT for an unknown command, INPUT for
 * arguments that do not fit. Letters in either case; blanks are taken at the end
 * of commands, and several between numbers. What follows "USER " and "PASS " is
 * taken as it stands: passwords may begin with, end in and hold spaces.
 *
 * RFC 2449 section 4 ends a command line at 255 octets; longer passwords and
 * initial responses do come, and are taken up to POP3_LINE_MAX. Nothing
 * suspends. */
#ifndef GRAMMAR_POP3_H
#define GRAMMAR_POP3_H

#include "base/buf.h"
#include "grammar/text/sasl.h"

enum pop3_verb {
#define VERB(ID, NAME, STATES, ARGUMENTS) POP3_##ID,
#include "grammar/pop3/pop3_verbs.h"
#undef VERB
	POP3_VERBS
};

enum pop3_states { POP3_BEFORE_LOGIN = 1, POP3_AFTER_LOGIN = 2 };

enum { POP3_LINE_MAX = SASL_LINE_MAX + 32 }; /* octets without the line end */

struct pop3_auth {
	str mechanism; /* empty: the client asks which there are */
	bool has_initial;
	str initial; /* base64, "=" read as empty */
};

/* What the verb does not take is zero. */
struct pop3_command {
	enum pop3_verb verb;
	str text; /* USER, PASS */
	struct pop3_auth auth;
	struct {
		bool given;      /* LIST and UIDL may come without a number */
		uint64_t number; /* of a message, as the client wrote it: 0 and more than there are, too */
		uint64_t lines;  /* TOP */
	} message;
};

result pop3_parse(str line, struct pop3_command *out) NODISCARD;
str pop3_verb_name(enum pop3_verb v);
unsigned pop3_verb_states(enum pop3_verb v); /* enum pop3_states */

/* The lines of CAPA that are the same before and after login (RFC 2449). */
void pop3_put_capabilities(buf *out);

#endif
