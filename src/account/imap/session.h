/* What the files of imap/ share: one session and how its commands speak.
 *
 * A command is a function run_NAME (verbs.h). It writes untagged responses into
 * s->out, calls imap_send when that may be long, and returns OK or why not; the
 * session makes the tagged answer of it, with the response code that imap_code
 * set or the one that the failure's kind has. Memory from s->arena ends with
 * the command. */
#ifndef ACCOUNT_IMAP_SESSION_H
#define ACCOUNT_IMAP_SESSION_H

#include "account/imap/imap.h"
#include "account/speech.h"
#include "grammar/imap/imap_codes.h"
#include "grammar/imap/imap_command.h"
#include "grammar/imap/imap_name.h"
#include "grammar/imap/imap_print.h"

enum imap_enabled {
	ENABLED_REV2 = 1,
	ENABLED_UTF8 = 2,
	ENABLED_CONDSTORE = 4,
	ENABLED_QRESYNC = 8,
};

struct imap_session {
	struct imap_home *home;
	struct speech speech;
	trace_id trace;
	struct view *view;  /* NULL: no mailbox is selected */
	uint32_t uidvalidity; /* that was told of it */
	unsigned enabled;   /* enum imap_enabled */
	uint32_t *saved;    /* uids found by SEARCH RETURN (SAVE), ascending (RFC 5182) */
	size_t saved_n;
	result link;        /* what ended the connection; nothing is sent any more */
	bool ending;        /* no further command */
	bool held;          /* the client was told of a HIGHESTMODSEQ that removals held back (RFC 7162 3.2) */
	/* Of the command at hand: */
	buf text;
	buf tag;
	buf out;
	buf code;           /* response code of the tagged answer, without brackets */
	const char *done;   /* text of the tagged OK, NULL: the usual one */
	bool bad;           /* the failure is answered by BAD, not NO */
	bool uid;           /* came with UID */
	bool modseqs;       /* a MODSEQ was told */
	arena arena;
};

typedef result imap_run(struct imap_session *s, struct imap_command *c);

/* ---- reply.c */
result imap_bad(struct imap_session *s, const char *sentence) NODISCARD;                 /* a failure for BAD */
result imap_no(struct imap_session *s, const char *code, const char *sentence) NODISCARD; /* code may be NULL */
void imap_code(struct imap_session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void imap_answer(struct imap_session *s, str tag, str name, result r);
void imap_bye(struct imap_session *s, const char *sentence); /* untagged, sent as far as it goes; ends the session */
/* Gives what is in s->out to the stream; `now` also sends it. Suspends. */
result imap_send(struct imap_session *s, bool now) NODISCARD;
result imap_send_if_long(struct imap_session *s) NODISCARD;
bool imap_utf8(const struct imap_session *s); /* names and strings may be UTF-8 */
bool imap_enabled(const struct imap_session *s, unsigned bit);
void imap_put_view_flags(struct imap_session *s, uint64_t flags);
/* FLAGS (...) [UID n] [MODSEQ (n)] as an untagged FETCH. */
void imap_put_flags_news(struct imap_session *s, const struct view_message *m);
void imap_put_keywords(struct imap_session *s); /* FLAGS and PERMANENTFLAGS of the selected mailbox */

/* ---- args.c: from what the client wrote to what the store takes */
result imap_name_of(struct imap_session *s, str wire, str *name) NODISCARD; /* suspends where NFC is asked for */
/* A name or pattern in NFC (RFC 9051 5.1). Suspends only for a script that is not always in it. */
result imap_normal(struct imap_session *s, str *name) NODISCARD;
/* The messages a set names; BAD when a number is beyond the mailbox. */
result imap_pick(struct imap_session *s, struct imap_set *set, bool by_uid, struct uids *out) NODISCARD;
/* The same set as resolved UIDs or numbers, "$" put in. */
result imap_settle_set(struct imap_session *s, struct imap_set *set, bool by_uid) NODISCARD;
struct flag_names imap_flag_names(const struct imap_flags *f);
/* "the target is not there" becomes TRYCREATE (RFC 9051 7.1). */
result imap_try_create(struct imap_session *s, result r) NODISCARD;

/* ---- news.c */
/* Tells what changed in the selected mailbox; `expunge`: numbers may change now.
 * Suspends only where much is told. */
result imap_news(struct imap_session *s, bool expunge) NODISCARD;
void imap_enable_condstore(struct imap_session *s);
void imap_unselect(struct imap_session *s);
/* With QRESYNC: HIGHESTMODSEQ where removals are held back while others' mod-sequences are told. */
void imap_put_held_back(struct imap_session *s);

#endif
