/* The administration API: one row an endpoint. Routing, what is logged, and
 * docs/admin-api.md are made from the table; members and their limits are those
 * of the message (talk/web-*.talk) that a row passes on.
 *
 * A request is POST /v1/NAME with one JSON object; an answer is one JSON object.
 * A refusal is {"error": sentence, "kind": word, "trace": id} with a fitting
 * status. Constant data. */
#ifndef WEB_ENDPOINTS_H
#define WEB_ENDPOINTS_H

#include <jansson.h>
#include "talk/channel.h"
#include "web/people.h"

enum backend { BY_AUTH, BY_QUEUE, BY_WATCH, BY_VAULT, BY_WEB, BACKENDS };

struct ask {
	const struct endpoint *endpoint;
	const struct caller *who;
	trace_id trace;
	arena *arena;
	json_t *in;
};

struct endpoint {
	const char *name;
	enum backend backend;
	unsigned number;   /* of the message; BY_WEB: 0 */
	const char *needs; /* members that must be there, separated by blanks */
	bool changes;      /* is in the audit log before it is done, and again before it is answered */
	const char *about;
	uint64_t within_ms; /* 0: API_CALL_MS */
	result (*check)(const struct ask *q);                /* before it is passed on; may be NULL */
	void (*dress)(json_t *answer);                       /* after it; may be NULL */
	result (*own)(const struct ask *q, json_t **answer); /* BY_WEB alone; suspends */
	enum audience whom; /* FOR_OWNERS: users who are no administrators get what is about their own account */
	const struct talk_shape *takes, *gives; /* what has secrets of those of `own`, for wiping; may be NULL */
};

/* Documents and tests are built from the same rows as the server. */
extern const struct endpoint endpoints[];
extern const size_t endpoints_n;

const struct endpoint *endpoint_find(str name);
const struct channel_kind *backend_kind(enum backend b); /* NULL: web itself */
const char *backend_role(enum backend b);
const struct talk_message *endpoint_message(const struct endpoint *e); /* NULL: web itself */

#endif
