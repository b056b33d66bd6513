/* One IMAP command from its text to its typed arguments (RFC 3501, RFC 9051
 * and the extensions named in the headers included here).
 *
 * Strings are views of the text or live in the arena; both must outlive the
 * command. The arena's ceiling bounds the memory: reaching it is FAIL_LIMIT.
 * On failure `tag` is set when it could be read (else empty: answer "*"),
 * `error_at` is the offset of the trouble and the result's text is a sentence
 * for the BAD. FAIL_ABSENT: there is no such command. Nothing suspends. */
#ifndef GRAMMAR_IMAP_COMMAND_H
#define GRAMMAR_IMAP_COMMAND_H

#include "grammar/imap/imap_append.h"
#include "grammar/imap/imap_fetch.h"
#include "grammar/imap/imap_list.h"
#include "grammar/imap/imap_mailbox.h"
#include "grammar/imap/imap_search.h"

enum imap_verb {
#define VERB(ID, NAME, STATES, FLAGS, ARGUMENTS) IMAP_##ID##_COMMAND,
#include "grammar/imap/imap_verbs.h"
#undef VERB
	IMAP_VERBS
};

enum imap_states { IMAP_BEFORE_LOGIN = 1, IMAP_AFTER_LOGIN = 2, IMAP_SELECTED = 4 };
enum imap_verb_flags { IMAP_TAKES_UID = 1, IMAP_HOLDS_EXPUNGE = 2 };

struct imap_auth {
	str mechanism;
	bool has_initial;
	str initial; /* base64, "=" read as empty */
};

struct imap_login {
	str user;
	str password;
};

struct imap_copy { /* COPY and MOVE */
	struct imap_set set;
	str mailbox;
};

enum imap_store_mode { IMAP_STORE_REPLACE, IMAP_STORE_ADD, IMAP_STORE_REMOVE };
struct imap_store {
	struct imap_set set;
	enum imap_store_mode mode;
	bool silent;
	bool unchanged_since;
	uint64_t modseq;
	struct imap_flags flags;
};

struct imap_command {
	str tag;
	enum imap_verb verb;
	bool uid;  /* came with "UID" */
	bool utf8; /* a quoted string held UTF-8: only after ENABLE UTF8=ACCEPT or IMAP4rev2 */
	size_t error_at;
	union {
		struct imap_auth auth;
		struct imap_login login;
		struct imap_strs enable; /* capability names */
		struct imap_strs id;     /* field, value, field, value; a NIL has p NULL */
		struct imap_select select; /* EXAMINE too */
		struct imap_create create;
		struct imap_rename rename;
		str mailbox; /* DELETE, SUBSCRIBE, UNSUBSCRIBE, GETQUOTAROOT; GETQUOTA's root */
		struct imap_list list; /* LSUB too */
		struct imap_status status;
		struct imap_setquota setquota;
		struct imap_set expunge; /* of UID EXPUNGE */
		struct imap_search search;
		struct imap_fetch fetch;
		struct imap_store store;
		struct imap_copy copy;
	};
};

result imap_parse(str text, arena *a, struct imap_command *out) NODISCARD;

str imap_verb_name(enum imap_verb v);
unsigned imap_verb_states(enum imap_verb v); /* enum imap_states */
unsigned imap_verb_flags(enum imap_verb v);

#endif
