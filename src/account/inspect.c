#include "account/account.h"
#include "account/letters.h"
#include "talk/asker_inspect.h"
#include "talk/room.h"

/* `received` and the like of the answer are for an arrival's loop limit. */
static result ask(struct body *message, arena *m, struct asker_inspect_examined *out)
{
	struct asker_inspect_examine q = {
		.purpose = ASKER_INSPECT_EXAMINE_PURPOSE_APPEND,
		.message = body_view(message),
	};
	const struct asking how = {.arena = m, .timeout_ms = ACCOUNT_INSPECT_MS};
	struct channel *c;
	TRY(room_connect(&asker_inspect_as_asker_kind, "inspect", ROOM_ANY, &c));
	return asker_inspect_examine_call_within(c, &how, &q, out);
}

static result unable(result why)
{
	log_event(EV_INSPECT_FAILED, NULL, F_STR("why", str_from(why.text)));
	return failure(FAIL_BUSY, "the message could not be examined just now; try again in a moment");
}

result account_examine(const struct imap_home *home, struct body *message, arena *m, struct letter *out)
{
	struct asker_inspect_examined found;
	(void)home;
	result r = ask(message, m, &found);
	if (r.kind == FAIL_CLOSED) /* inspect was being replaced */
		r = ask(message, m, &found);
	if (failed(r))
		return unable(r);
	str facts = arena_dup(m, found.facts.bytes);
	asker_inspect_examined_release(&found);
	TRY(arena_result(m));
	r = letter_of(facts, message->bytes, m, out);
	return failed(r) ? unable(r) : OK;
}
