/* The inspect room: parses one hostile message at a time, with no files, no
 * keys and no network, and says what it found.
 *
 * After a number of messages the process is replaced, so that whatever a
 * message may have done to it does not last. */
#include <malloc.h>

#include "base/log.h"
#include "grammar/mime/facts.h"
#include "grammar/text/charset.h"
#include "inspect/bounce.h"
#include "inspect/search.h"
#include "inspect/signing.h"
#include "inspect/submission.h"
#include "run/clock.h"
#include "talk/asker_inspect.h"
#include "talk/room.h"
#include "talk/settings.h"
#include "inspect/watchdog.h"

static struct {
	struct options options;
	struct charsets *charsets;
	uint64_t examined;
	bool worn; /* the supervisor was asked for a replacement */
} self;

static void count_message(void)
{
	self.examined++;
	if (self.worn || self.examined < options_number(&self.options, OPT_INSPECT_MESSAGES))
		return;
	self.worn = true;
	room_idle();
}

/* Parsers and ICU want more stack than a fiber has. */
struct work {
	const struct asker_inspect_examine *asked;
	struct asker_inspect_examined *answer;
	arena *out;     /* lives as long as the answer */
	arena *arena;
	str message;    /* as it goes on */
	struct facts facts;
	result result;
};

static result normalise(struct work *w)
{
	const struct submission s = {w->asked->message.bytes, w->asked->message_id, w->asked->now};
	if (w->asked->purpose != ASKER_INSPECT_EXAMINE_PURPOSE_SUBMISSION)
		return OK;
	TRY(submission_normalise(&s, w->out, &w->answer->changed, &w->answer->message));
	if (w->answer->changed)
		w->message = w->answer->message.bytes;
	return OK;
}

/* RFC 8689 section 5: one field that says No; anything else says nothing. */
static bool is_tls_optional(const struct header *h)
{
	size_t n = 0, no = 0;
	for (uint32_t i = 0; i < h->n; i++) {
		if (h->fields[i].id != HEADER_OTHER || !str_ieq(h->fields[i].name, STR("TLS-Required")))
			continue;
		n++;
		no += str_ieq(h->fields[i].value, STR("No"));
	}
	return n == 1 && no == 1;
}

/* What the next server must be able to take, and whose mail it is. */
static result tell_needs(struct work *w)
{
	const struct mime_part *root = &w->facts.parts.parts[0];
	if (w->facts.flags & FACTS_8BIT) {
		w->answer->utf8_header = !str_is_ascii(mime_header(w->message, root));
		w->answer->eight_bit = !str_is_ascii(mime_body(w->message, root));
	}
	w->answer->tls_optional = is_tls_optional(root->header);
	TRY(from_domain(root->header, w->arena, &w->answer->from_domain));
	w->answer->from_domain = arena_dup(w->out, w->answer->from_domain);
	return arena_result(w->out);
}

static result tell_signatures(struct work *w)
{
	const struct signing_wish wish = {.message = w->message, .domain = w->answer->from_domain, .now = w->asked->now,
		.signers = w->asked->signers.p, .n = w->asked->signers.n};
	struct asker_inspect_signature *p = NULL;
	TRY(signing_digests(&wish, w->out, &p, &w->answer->signatures.n));
	w->answer->signatures.p = p;
	return OK;
}

static result look_at(struct work *w)
{
	const struct facts_wants wants = {.charsets = self.charsets, .search_text = true};
	TRY(normalise(w));
	TRY(facts_of(w->message, &wants, w->arena, &w->facts));
	TRY(tell_needs(w));
	return tell_signatures(w);
}

static void find_facts(void *arg)
{
	struct work *w = arg;
	w->result = look_at(w);
}

static result encode(const struct work *w, struct asker_inspect_examined *answer, arena *out)
{
	AUTO_BUF buf encoded = buf_new(ASKER_INSPECT_EXAMINED_FACTS_MAX);
	facts_encode(&w->facts, &encoded);
	TRY(buf_result(&encoded));
	answer->facts = body_of(arena_dup(out, buf_str(&encoded)));
	answer->received = w->facts.received;
	return arena_result(out);
}

static result on_examine(struct arrival *in, struct asker_inspect_examine *m, struct asker_inspect_examined *answer)
{
	AUTO_ARENA arena a = arena_new(FACTS_ARENA_MAX);
	struct work w = {.asked = m, .answer = answer, .out = in->arena, .arena = &a, .message = m->message.bytes,
		.result = OK};
	uint64_t before = m->purpose == ASKER_INSPECT_EXAMINE_PURPOSE_APPEND ? clock_cpu_ns() : 0;
	watchdog_run(find_facts, &w);
	if (before)
		answer->took = clock_cpu_ns() - before;
	TRY(w.result);
	TRY(encode(&w, answer, in->arena));
	count_message();
	return OK;
}

static result on_bounce(struct arrival *in, struct asker_inspect_bounce *m, struct asker_inspect_bounced *answer)
{
	struct bounce b = {.asked = m, .charsets = self.charsets, .out = in->arena, .answer = answer, .result = OK};
	watchdog_run(bounce_write, &b);
	count_message();
	return b.result;
}

static result prepare(const struct supervisor_room_begin *b)
{
	TRY(settings_read(b, &self.options));
	TRY(charset_preload());
	self.charsets = charsets_new();
	return self.charsets ? search_open() : failure(FAIL_MEMORY, "out of memory");
}

static const struct asker_inspect_as_inspect handlers = {
	.examine = on_examine, .bounce = on_bounce, .fold = on_fold, .look = on_look};
static const struct room_door doors[] = {{.kind = &asker_inspect_as_inspect_kind, .handlers = &handlers}};
static const struct sandbox_call timers[] = {{"setitimer"}, {0}};
static const struct sandbox_call *const tables[] = {timers, NULL};
static const struct sandbox sandbox = {.room = "inspect", .tables = tables};
static const struct room room = {.prepare = prepare, .sandbox = &sandbox, .doors = doors, .doors_n = 1};

enum { HEAP_PIECE_MAX = 4 << 20, HEAP_SPARE_MAX = 16 << 20 };

int main(void)
{
	/* The next message needs the same memory again. */
	mallopt(M_MMAP_THRESHOLD, HEAP_PIECE_MAX);
	mallopt(M_TRIM_THRESHOLD, HEAP_SPARE_MAX);
	int status = room_main(&room);
	charsets_free(&self.charsets);
	search_close();
	options_free(&self.options);
	return status;
}
