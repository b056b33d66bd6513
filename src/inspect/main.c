/* The inspect room: parses one hostile message at a time, with no files, no
 * keys and no network, and says what it found.
 *
 * After a number of messages the process is replaced, so that whatever a
 * message may have done to it does not last. */
#include <malloc.h>

#include "base/log.h"
#include "grammar/mime/facts.h"
#include "grammar/text/charset.h"
#include "inspect/search.h"
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
	str message;
	arena *arena;
	struct facts facts;
	result result;
};

static void find_facts(void *arg)
{
	struct work *w = arg;
	const struct facts_wants wants = {.charsets = self.charsets, .search_text = true};
	w->result = facts_of(w->message, &wants, w->arena, &w->facts);
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
	struct work w = {.message = m->message.bytes, .arena = &a, .result = OK};
	watchdog_run(find_facts, &w);
	TRY(w.result);
	TRY(encode(&w, answer, in->arena));
	count_message();
	return OK;
}

static result prepare(const struct supervisor_room_begin *b)
{
	TRY(settings_read(b, &self.options));
	TRY(charset_preload());
	self.charsets = charsets_new();
	return self.charsets ? search_open() : failure(FAIL_MEMORY, "out of memory");
}

static const struct asker_inspect_as_inspect handlers = {
	.examine = on_examine, .fold = on_fold, .look = on_look};
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
