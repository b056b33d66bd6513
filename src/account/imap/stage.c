/* The protocol of the stage: IMAP, and what the room asks of inspect done here. */
#include "account/letters.h"
#include "account/stage.h"
#include "grammar/mime/facts.h"
#include "grammar/mime/search_text.h"
#include "grammar/text/nfc.h"
#include "run/loop.h"
#include "talk/body.h"

enum { NEEDLE_MAX = 8 * 1024 * 1024 };

/* ---- in inspect's place */

struct examining {
	str message;
	arena *m;
	struct facts facts;
	result done;
};

static void examine_here(void *arg)
{
	struct examining *e = arg;
	struct charsets *cs = charsets_new();
	e->done = facts_of(e->message, &(struct facts_wants){cs, true}, e->m, &e->facts);
	charsets_free(&cs);
}

static result letter_here(str message, arena *m, struct letter *out)
{
	struct examining e = {.message = message, .m = m};
	AUTO_BUF buf encoded = buf_new(FACTS_ENCODED_MAX);
	fiber_on_loop_stack(examine_here, &e);
	TRY(e.done);
	facts_encode(&e.facts, &encoded);
	return letter_of(arena_dup(m, buf_str(&encoded)), message, m, out);
}

static result examine(const struct imap_home *home, struct body *message, arena *m, struct letter *out)
{
	(void)home;
	return letter_here(message->bytes, m, out);
}

struct folding {
	const struct imap_needle *needle;
	buf out;
	bool known;
};

static void fold_here(void *arg)
{
	struct folding *f = arg;
	struct charsets *cs = charsets_new();
	AUTO_BUF buf utf8 = buf_new(NEEDLE_MAX);
	f->known = !f->needle->charset.n || charset_known(cs, f->needle->charset);
	charset_text(cs, f->needle->charset.n ? f->needle->charset : STR("UTF-8"), f->needle->text, &utf8);
	if (f->needle->name)
		nfc_put(buf_str(&utf8), &f->out);
	else
		search_fold(buf_str(&utf8), &f->out);
	charsets_free(&cs);
}

static result fold(const struct imap_home *home, const struct imap_needle *needle, arena *m, str *out)
{
	struct folding f = {.needle = needle, .out = buf_new(NEEDLE_MAX)};
	(void)home;
	fiber_on_loop_stack(fold_here, &f);
	*out = arena_dup(m, buf_str(&f.out));
	buf_free(&f.out);
	return f.known ? arena_result(m) : failure(FAIL_ABSENT, "nobody knows it");
}

struct looking {
	str message;
	const struct search_key *key;
	bool yes;
	result done;
};

static void look_here(void *arg)
{
	struct looking *k = arg;
	struct charsets *cs = charsets_new();
	arena m = arena_new(MIME_ARENA_MAX);
	struct mime_table table;
	assert_ok(mime_parse(k->message, &m, &table));
	k->done = search_message_has(&(struct search_source){k->message, &table, cs}, k->key, &k->yes);
	arena_free(&m);
	charsets_free(&cs);
}

static result look(const struct imap_home *home, struct body *message, const struct search_key *key, bool *yes)
{
	struct looking k = {.message = message->bytes, .key = key};
	(void)home;
	fiber_on_loop_stack(look_here, &k);
	*yes = k.yes;
	return k.done;
}

/* ---- the protocol */

static void letter(str message, arena *m, struct letter *out)
{
	assert_ok(letter_here(message, m, out));
	out->trace = STR(STAGE_TRACE "Received: from test\r\n");
}

static void small(buf *out, str name)
{
	buf_put(out, STR("From: \"A. Sender\" <sender@example.net>\r\nTo: user@example.test\r\nSubject: "));
	buf_put(out, name);
	buf_put(out, STR("\r\nDate: Tue, 3 Mar 2026 10:00:01 +0000\r\nMessage-ID: <1@example.net>\r\n\r\n"));
	buf_put(out, STR("This is a message.\r\n"));
}

static void open_home(struct stage *t)
{
	t->imap.owner = t->kit->owner;
	t->imap.message_max = 1024 * 1024;
	t->imap.idle_ms = 60000;
	t->imap.append = budget_new(4 * 1024 * 1024);
	t->imap.examine = examine;
	t->imap.fold = fold;
	t->imap.look = look;
	imap_home_init(&t->imap);
}

static void close_home(struct stage *t)
{
	imap_sessions_stop(&t->imap);
	assert_true(list_empty(&t->imap.sessions));
	assert_int_equal(t->imap.append.taken, 0);
}

static void run(struct stage *t, int socket)
{
	imap_session_run(&t->imap, &(struct imap_login_done){.socket = socket, .tag = STR("t")});
}

static void greeted(struct stage *t, size_t who)
{
	assert_true(str_starts(stage_line(t, who), STR("t OK [CAPABILITY IMAP4rev1")));
}

const struct stage_protocol stage_protocol = {open_home, close_home, run, greeted, letter, small};
