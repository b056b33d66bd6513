#include "account/account.h"
#include "account/letters.h"
#include "grammar/mime/search_text.h"
#include "run/effort.h"
#include "talk/asker_inspect.h"
#include "talk/room.h"

typedef result inspect_call(struct channel *c, const struct asking *how, void *arg);

static result ask(inspect_call *call, void *arg, arena *m)
{
	const struct asking how = {.arena = m, .timeout_ms = ACCOUNT_INSPECT_MS};
	unsigned tried = 0;
	result r;
	do {
		struct channel *c;
		TRY(room_connect(&asker_inspect_as_asker_kind, "inspect", ROOM_ANY, &c));
		r = call(c, &how, arg);
	} while (failed(r) && room_ask_again(r, ++tried));
	return r;
}

struct examining {
	struct asker_inspect_examine q;
	struct asker_inspect_examined found;
};

static result examine(struct channel *c, const struct asking *how, void *arg)
{
	struct examining *e = arg;
	return asker_inspect_examine_call_within(c, how, &e->q, &e->found);
}

static result unable(result why)
{
	log_event(EV_INSPECT_FAILED, NULL, F_STR("why", str_from(why.text)));
	return failure(FAIL_BUSY, "the message could not be examined just now; try again in a moment");
}

result account_facts(struct body *message, arena *m, str *facts)
{
	struct examining e = {.q = {.purpose = ASKER_INSPECT_EXAMINE_PURPOSE_APPEND, .message = body_view(message)}};
	result r = ask(examine, &e, m);
	if (failed(r))
		return unable(r);
	effort_charge(e.found.took);
	*facts = arena_dup(m, e.found.facts.bytes);
	asker_inspect_examined_release(&e.found);
	return arena_result(m);
}

result account_examine(const struct imap_home *home, struct body *message, arena *m, struct letter *out)
{
	str facts;
	(void)home;
	TRY(account_facts(message, m, &facts));
	result r = letter_of(facts, message->bytes, m, out);
	return failed(r) ? unable(r) : OK;
}

struct folding {
	struct asker_inspect_fold q;
	struct asker_inspect_folded is;
};

static result fold(struct channel *c, const struct asking *how, void *arg)
{
	struct folding *f = arg;
	return asker_inspect_fold_call_within(c, how, &f->q, &f->is);
}

result account_fold(const struct imap_home *home, const struct imap_needle *needle, arena *m, str *out)
{
	struct folding f = {.q = {.charset = needle->charset, .text = needle->text}};
	f.q.form = needle->name ? ASKER_INSPECT_FOLD_FORM_NFC : ASKER_INSPECT_FOLD_FORM_SEARCH;
	(void)home;
	if (needle->charset.n > ASKER_INSPECT_FOLD_CHARSET_MAX)
		return failure(FAIL_ABSENT, "nobody knows this character set");
	TRY(ask(fold, &f, m));
	bool known = f.is.known;
	*out = arena_dup(m, f.is.text.bytes);
	asker_inspect_folded_release(&f.is);
	if (!known)
		return failure(FAIL_ABSENT, "nobody knows this character set");
	return arena_result(m);
}

struct looking {
	struct asker_inspect_look q;
	struct asker_inspect_looked is;
};

static result look(struct channel *c, const struct asking *how, void *arg)
{
	struct looking *k = arg;
	return asker_inspect_look_call_within(c, how, &k->q, &k->is);
}

result account_look(const struct imap_home *home, struct body *message, const struct search_key *key, bool *yes)
{
	static const enum asker_inspect_look_scope scopes[] = {
		[SEARCH_IN_FIELD] = ASKER_INSPECT_LOOK_SCOPE_FIELD,
		[SEARCH_IN_BODY] = ASKER_INSPECT_LOOK_SCOPE_BODY,
		[SEARCH_IN_ALL] = ASKER_INSPECT_LOOK_SCOPE_ALL,
	};
	AUTO_ARENA arena m = arena_new(4096);
	struct looking k = {.q = {.scope = scopes[key->scope], .name = key->name}};
	(void)home;
	k.q.needle = body_of(key->needle);
	k.q.message = body_view(message);
	TRY(ask(look, &k, &m));
	effort_charge(k.is.took);
	*yes = k.is.yes;
	return OK;
}
