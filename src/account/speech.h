/* What the owner's IMAP and POP3 sessions have alike: a stream that answers go
 * out on, and an end when the room's comes.
 *
 * A session embeds one. It owns the stream, belongs to the fiber that opened it
 * and stands in the list of the room's sessions until it is closed. No call says
 * anything to the client on its own account. */
#ifndef ACCOUNT_SPEECH_H
#define ACCOUNT_SPEECH_H

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "run/effort.h"
#include "run/stream.h"

enum { SPEECH_STOP_MS = 2000 }; /* what a command under way has left when the room stops */

struct speech {
	struct list place;
	struct fiber *fiber;
	struct stream *stream;
	uint64_t credential; /* the app password that opened it; 0: the owner's own password */
	bool resting;  /* waits for a command: may be cancelled */
	bool stopping; /* the room ends, */
	bool revoked;  /* or what opened the session is no longer good */
};

struct speech_login {
	int socket; /* taken, also when it fails; then nothing is to be closed */
	uint64_t credential;
	uint64_t idle_ms;
};
struct speech_command {
	str verb;
	const trace_id *trace; /* may be NULL */
};

result speech_open(struct speech *s, const struct speech_login *l, struct list *sessions) NODISCARD;
void speech_close(struct speech *s);
/* Gives the answers gathered in `out` to the stream and clears it; `now` also
 * sends them. What made `out` incomplete is returned, and nothing sent. Suspends. */
result speech_send(struct speech *s, buf *out, bool now) NODISCARD;
/* Ends the effort of a command (run/effort.h) and returns what came of it; the log hears when it was spent. */
result speech_command_over(const struct effort *e, result r, const struct speech_command *c) NODISCARD;
/* Until the client says more; CANCELLED when the room stops. Suspends. */
result speech_rest(struct speech *s) NODISCARD;
/* Ends every session: at once where it rests, else after the command under way
 * or SPEECH_STOP_MS. Suspends until the last one has closed. */
void speech_stop(struct list *sessions);
/* Ends those that this credential opened, or all, in the same way, but does not
 * wait; the number of them. */
uint32_t speech_revoke(struct list *sessions, uint64_t credential, bool all);

#endif
