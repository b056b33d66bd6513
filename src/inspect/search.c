#include "inspect/search.h"

#include "grammar/mime/search_text.h"
#include "grammar/text/nfc.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "inspect/watchdog.h"

static struct charsets *charsets;

result search_open(void)
{
	charsets = charsets_new();
	return charsets ? OK : failure(FAIL_MEMORY, "out of memory");
}

void search_close(void)
{
	charsets_free(&charsets);
}

/* ---- a needle */

struct folding {
	const struct asker_inspect_fold *m;
	buf utf8;
	buf out;
	bool known;
};

/* On the loop's stack, as all that calls ICU. */
static void fold_needle(void *arg)
{
	struct folding *f = arg;
	str text = f->m->text;
	f->known = !f->m->charset.n || charset_known(charsets, f->m->charset);
	if (!f->known)
		return;
	if (f->m->charset.n) {
		charset_text(charsets, f->m->charset, text, &f->utf8);
		text = buf_str(&f->utf8);
	}
	if (f->m->form == ASKER_INSPECT_FOLD_FORM_NFC)
		nfc_put(text, &f->out);
	else
		search_fold(text, &f->out);
}

result on_fold(struct arrival *in, struct asker_inspect_fold *m, struct asker_inspect_folded *answer)
{
	struct folding f = {.m = m, .utf8 = buf_new(ASKER_INSPECT_FOLDED_TEXT_MAX)};
	f.out = buf_new(ASKER_INSPECT_FOLDED_TEXT_MAX);
	watchdog_run(fold_needle, &f);
	result r = buf_result(&f.utf8);
	if (!failed(r))
		r = buf_result(&f.out);
	answer->known = f.known;
	answer->text = body_of(arena_dup(in->arena, buf_str(&f.out)));
	buf_free(&f.utf8);
	buf_free(&f.out);
	return failed(r) ? r : arena_result(in->arena);
}

/* ---- a whole message */

struct looking {
	const struct asker_inspect_look *m;
	struct search_key key;
	arena parts;
	bool yes;
	result done;
};

static void look_through(void *arg)
{
	struct looking *k = arg;
	struct mime_table table;
	k->done = mime_parse(k->m->message.bytes, &k->parts, &table);
	if (failed(k->done))
		return;
	const struct search_source from = {k->m->message.bytes, &table, charsets};
	k->done = search_message_has(&from, &k->key, &k->yes);
}

result on_look(struct arrival *in, struct asker_inspect_look *m, struct asker_inspect_looked *answer)
{
	static const enum search_scope scopes[] = {
		[ASKER_INSPECT_LOOK_SCOPE_FIELD] = SEARCH_IN_FIELD,
		[ASKER_INSPECT_LOOK_SCOPE_BODY] = SEARCH_IN_BODY,
		[ASKER_INSPECT_LOOK_SCOPE_ALL] = SEARCH_IN_ALL,
	};
	struct looking k = {.m = m, .parts = arena_new(MIME_ARENA_MAX)};
	(void)in;
	k.key = (struct search_key){scopes[m->scope], m->name, m->needle.bytes};
	uint64_t before = clock_cpu_ns();
	watchdog_run(look_through, &k);
	answer->took = clock_cpu_ns() - before;
	arena_free(&k.parts);
	answer->yes = k.yes;
	return k.done;
}
