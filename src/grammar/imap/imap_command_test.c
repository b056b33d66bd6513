#include "base/buf.h"
#include "base/mem.h"
#include "base/test.h"
#include "grammar/imap/imap_command.h"

static struct imap_command take(const char *text, arena *a)
{
	struct imap_command c;
	result r = imap_parse(str_from(text), a, &c);
	if (failed(r))
		fail_msg("%s: %s at %zu", text, r.text, c.error_at);
	return c;
}

static void commands_without_arguments(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	static const struct {
		const char *text;
		enum imap_verb verb;
	} rows[] = {
		{"abcd CAPABILITY", IMAP_CAPABILITY_COMMAND}, {"a002 noop", IMAP_NOOP_COMMAND},
		{"A023 LOGOUT", IMAP_LOGOUT_COMMAND},
		{"a STARTTLS", IMAP_STARTTLS_COMMAND}, {"a Check", IMAP_CHECK_COMMAND}, {"a CLOSE", IMAP_CLOSE_COMMAND},
		{"a UNSELECT", IMAP_UNSELECT_COMMAND}, {"a IDLE", IMAP_IDLE_COMMAND},
		{"a NAMESPACE", IMAP_NAMESPACE_COMMAND},
		{"a EXPUNGE", IMAP_EXPUNGE_COMMAND}, {"]$.1 NOOP", IMAP_NOOP_COMMAND}, {"a NOOP  ", IMAP_NOOP_COMMAND},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(take(rows[i].text, &a).verb, rows[i].verb);
	assert_str(take("]$.1 NOOP", &a).tag, STR("]$.1"));
}

static void login_and_authenticate(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("a001 LOGIN SMITH SESAME", &a);
	assert_str(c.login.user, STR("SMITH"));
	assert_str(c.login.password, STR("SESAME"));
	c = take("A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man", &a);
	assert_str(c.login.user, STR("FRED FOOBAR"));
	assert_str(c.login.password, STR("fat man"));
	c = take("a login \"a\\\\b\" \"\"", &a);
	assert_str(c.login.user, STR("a\\b"));
	assert_true(c.login.password.n == 0 && !c.utf8);
	c = take("a login \"\xc3\xbc\" x", &a);
	assert_true(c.utf8);
	c = take("a AUTHENTICATE PLAIN", &a);
	assert_str(c.auth.mechanism, STR("PLAIN"));
	assert_false(c.auth.has_initial);
	c = take("a AUTHENTICATE PLAIN AHRlc3QAdGVzdA==", &a);
	assert_str(c.auth.initial, STR("AHRlc3QAdGVzdA=="));
	c = take("a AUTHENTICATE EXTERNAL =", &a);
	assert_true(c.auth.has_initial && c.auth.initial.n == 0);
}

static void enable_and_id(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("t ENABLE CONDSTORE X-GOOD-IDEA UTF8=ACCEPT", &a);
	assert_int_equal(c.enable.n, 3);
	assert_str(c.enable.v[2], STR("UTF8=ACCEPT"));
	assert_int_equal(take("a023 ID NIL", &a).id.n, 0);
	assert_int_equal(take("a023 ID ()", &a).id.n, 0);
	c = take("a023 ID (\"name\" \"sodr\" \"version\" NIL)", &a);
	assert_int_equal(c.id.n, 4);
	assert_str(c.id.v[1], STR("sodr"));
	assert_null(c.id.v[3].p);
}

static void select_with_its_parameters(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("A142 SELECT INBOX", &a);
	assert_str(c.select.mailbox, STR("INBOX"));
	c = take("A EXAMINE \"a b\" (CONDSTORE)", &a);
	assert_int_equal(c.verb, IMAP_EXAMINE_COMMAND);
	assert_true(c.select.condstore && !c.select.qresync);
	c = take("A02 SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))", &a);
	assert_true(c.select.qresync && c.select.uidvalidity == 67890007 && c.select.modseq == 20050715194045000);
	assert_true(c.select.has_known && c.select.known.n == 3 && !c.select.has_match);
	c = take("A03 SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541) CONDSTORE)", &a);
	assert_true(c.select.condstore && c.select.known.n == 2);
	c = take("A SELECT INBOX (QRESYNC (67890007 9 1:29997 (5000,7500,9000,9990:9999 "
		 "15000,22500,27000,29970,29973)))", &a);
	assert_true(c.select.has_match && c.select.match_numbers.n == 4 && c.select.match_uids.n == 5);
	c = take("A SELECT INBOX (QRESYNC (1 2 (1 3)))", &a);
	assert_true(!c.select.has_known && c.select.has_match);
	c = take("A SELECT INBOX (QRESYNC (1 2))", &a);
	assert_true(!c.select.has_known && !c.select.has_match);
}

static void mailboxes_made_and_moved(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("t1 CREATE MySpecial (USE (\\Drafts \\Sent))", &a);
	assert_true(c.create.has_use && c.create.uses == (IMAP_USE_DRAFTS | IMAP_USE_SENT));
	assert_int_equal(c.create.unknown.n, 0);
	c = take("t1 CREATE Old (USE (\\Bogus))", &a);
	assert_str(c.create.unknown, STR("\\Bogus"));
	assert_true(take("t1 CREATE Old (USE ())", &a).create.has_use);
	assert_str(take("A003 CREATE owatagusiam/", &a).create.mailbox, STR("owatagusiam/"));
	c = take("A683 RENAME \"foo bar\" zowie", &a);
	assert_str(c.rename.from, STR("foo bar"));
	assert_str(c.rename.to, STR("zowie"));
	assert_str(take("A DELETE a]b", &a).mailbox, STR("a]b"));
	assert_str(take("A002 SUBSCRIBE #news.comp.mail.mime", &a).mailbox, STR("#news.comp.mail.mime"));
	assert_int_equal(take("A UNSUBSCRIBE x", &a).verb, IMAP_UNSUBSCRIBE_COMMAND);
}

static void lists(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("A101 LIST \"\" \"\"", &a);
	assert_true(!c.list.extended && c.list.patterns.n == 1 && c.list.patterns.v[0].n == 0);
	c = take("A202 LIST ~/Mail/ %]*", &a);
	assert_str(c.list.reference, STR("~/Mail/"));
	assert_str(c.list.patterns.v[0], STR("%]*"));
	c = take("A02 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"*\"", &a);
	assert_int_equal(c.list.select, IMAP_SELECT_SUBSCRIBED | IMAP_SELECT_RECURSIVEMATCH);
	c = take("A06 LIST (REMOTE) \"\" % RETURN (CHILDREN subscribed SPECIAL-USE)", &a);
	assert_int_equal(c.list.returns, IMAP_LIST_CHILDREN | IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE);
	c = take("BBB LIST \"\" (\"INBOX\" \"Drafts\" Sent/%)", &a);
	assert_true(c.list.extended && c.list.patterns.n == 3);
	c = take("A01 LIST () \"\" % RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)", &a);
	assert_int_equal(c.list.returns, IMAP_LIST_STATUS | IMAP_LIST_CHILDREN);
	assert_int_equal(c.list.status, IMAP_STATUS_MESSAGES | IMAP_STATUS_UNSEEN);
	assert_true(take("a LIST \"\" % RETURN ()", &a).list.extended);
	c = take("A002 LSUB \"#news.\" \"comp.mail.*\"", &a);
	assert_str(c.list.patterns.v[0], STR("comp.mail.*"));
}

static void status_and_quota(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("A STATUS b (UIDNEXT MESSAGES RECENT UIDVALIDITY UNSEEN DELETED "
				     "DELETED-STORAGE SIZE HIGHESTMODSEQ APPENDLIMIT MAILBOXID)", &a);
	assert_int_equal(c.status.items, 2 * IMAP_STATUS_MAILBOXID - 1);
	assert_str(imap_status_name(IMAP_STATUS_UIDNEXT), STR("UIDNEXT"));
	c = take("A SETQUOTA \"\" (STORAGE 512 MESSAGE 9223372036854775807)", &a);
	assert_str(c.setquota.limits->next->resource, STR("MESSAGE"));
	assert_true(c.setquota.limits->next->limit == IMAP_NUMBER64_MAX && !c.setquota.limits->next->next);
	assert_null(take("A SETQUOTA x ()", &a).setquota.limits);
	assert_int_equal(take("A GETQUOTA \"\"", &a).verb, IMAP_GETQUOTA_COMMAND);
	assert_str(take("A GETQUOTAROOT INBOX", &a).mailbox, STR("INBOX"));
}

static void store_copy_move_expunge(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("A003 STORE 2:4 +FLAGS (\\Deleted)", &a);
	assert_true(c.store.mode == IMAP_STORE_ADD && !c.store.silent && c.store.flags.system == IMAP_DELETED);
	c = take("a UID STORE 1 -FLAGS.SILENT \\Seen x", &a);
	assert_true(c.uid && c.store.mode == IMAP_STORE_REMOVE && c.store.silent && c.store.flags.keywords.n == 1);
	c = take("d105 STORE 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)", &a);
	assert_true(c.store.unchanged_since && c.store.modseq == 320162338);
	c = take("a STORE $ (UNCHANGEDSINCE 0) FLAGS ()", &a);
	assert_true(c.store.set.saved && c.store.unchanged_since && c.store.mode == IMAP_STORE_REPLACE);
	c = take("A003 UID COPY 2:4 MEETING", &a);
	assert_str(c.copy.mailbox, STR("MEETING"));
	c = take("a UID MOVE 42:69 foo", &a);
	assert_int_equal(c.verb, IMAP_MOVE_COMMAND);
	c = take("A003 UID EXPUNGE 3000:3002", &a);
	assert_true(c.uid && c.expunge.n == 1);
}

static void fetch_items(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("a FETCH 1 ALL", &a);
	assert_int_equal(c.fetch.items,
		IMAP_ITEM_FLAGS | IMAP_ITEM_INTERNALDATE | IMAP_ITEM_RFC822_SIZE | IMAP_ITEM_ENVELOPE);
	assert_int_equal(take("a FETCH 1 full", &a).fetch.items, 31);
	assert_int_equal(take("a FETCH 1 FAST", &a).fetch.items, 7);
	c = take("a FETCH 1:* (UID BODYSTRUCTURE MODSEQ EMAILID THREADID SAVEDATE ENVELOPE)", &a);
	assert_int_equal(c.fetch.items, 32 | 64 | 128 | 256 | 512 | 1024 | IMAP_ITEM_ENVELOPE);
	c = take("a FETCH 1 BODY", &a);
	assert_true(c.fetch.items == IMAP_ITEM_BODY && !c.fetch.sections);
	c = take("s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)", &a);
	assert_true(c.fetch.changed_since && c.fetch.vanished && c.fetch.modseq == 12345);
	c = take("a FETCH 1 RFC822.HEADER", &a);
	assert_true(c.fetch.sections->name == IMAP_RFC822_HEADER && c.fetch.sections->peek);
}

static void sections_print_as_they_must_be_answered(void **state)
{
	(void)state;
	static const struct {
		const char *item, *answer;
		bool peek;
	} rows[] = {
		{"BODY[]", "BODY[]", false},
		{"BODY.PEEK[HEADER]", "BODY[HEADER]", true},
		{"BODY[TEXT]<0.2048>", "BODY[TEXT]<0>", false},
		{"body.peek[4.2.2.1]", "BODY[4.2.2.1]", true},
		{"BODY[4.2.HEADER]", "BODY[4.2.HEADER]", false},
		{"BODY[1.mime]", "BODY[1.MIME]", false},
		{"BODY[HEADER.FIELDS (DATE FROM)]", "BODY[HEADER.FIELDS (DATE FROM)]", false},
		{"BODY[3.header.fields.not (\"x y\" {1}\r\na)]<7.1>", "BODY[3.HEADER.FIELDS.NOT (\"x y\" a)]<7>",
		false},
		{"BINARY[]", "BINARY[]", false},
		{"BINARY.PEEK[1.2]<5.10>", "BINARY[1.2]<5>", true},
		{"BINARY.SIZE[1]", "BINARY.SIZE[1]", true},
		{"RFC822", "RFC822", false},
		{"RFC822.TEXT", "RFC822.TEXT", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA arena a = arena_new(65536);
		AUTO_BUF buf text = buf_new(1000), out = buf_new(1000);
		struct imap_command c;
		buf_printf(&text, "a FETCH 1 (FLAGS %s UID)", rows[i].item);
		assert_ok(imap_parse(buf_str(&text), &a, &c));
		assert_int_equal(c.fetch.items, IMAP_ITEM_FLAGS | IMAP_ITEM_UID);
		imap_put_section(&out, c.fetch.sections);
		assert_str(buf_str(&out), str_from(rows[i].answer));
		assert_int_equal(c.fetch.sections->peek, rows[i].peek);
		assert_null(c.fetch.sections->next);
	}
}

static void sections_keep_their_order(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c = take("a FETCH 1 (BODY[1] RFC822.SIZE BODY[2] BODY)", &a);
	assert_int_equal(c.fetch.sections->part[0], 1);
	assert_int_equal(c.fetch.sections->next->part[0], 2);
	assert_int_equal(c.fetch.items, IMAP_ITEM_RFC822_SIZE | IMAP_ITEM_BODY);
}

/* The text after "|" is what remains unread where the trouble is noticed. */
static const char *const refused[] = {
	"|", "| NOOP", "|+ NOOP", "a|", "a|\tNOOP", "a |", "a | NOOP", "a |FOO", "a |COMPRESS DEFLATE",
	"a NOOP |x", "a NOOP|\r\n",
	"a UID|", "a UID |", "a UID NOOP|", "a UID |X", "a LOGIN|", "a LOGIN |", "a LOGIN a|", "a LOGIN a |",
	"a LOGIN a b |c",
	"a LOGIN \"a|", "a LOGIN |{3}", "a LOGIN |{2} x\r\nab", "a AUTHENTICATE |\"x\"", "a AUTHENTICATE X |",
	"a ENABLE|", "a ENABLE a |", "a ID|", "a ID |x", "a ID (|x NIL)", "a ID (\"x\"|)",
	"a ID (\"x\" \"y\"", "a SELECT|",
	"a SELECT x (|)", "a SELECT x (|FOO)", "a SELECT x |y", "a SELECT x (QRESYNC (|0 1))",
	"a SELECT x (QRESYNC (1 0|))",
	"a SELECT x (QRESYNC (1 1 |*))", "a SELECT x (QRESYNC (1 1 1 |2))", "a SELECT x (QRESYNC (1 1 1 (2|)))",
	"a SELECT x (QRESYNC (1 1) |QRESYNC (1 1))", "a CREATE x (|FOO)", "a CREATE x (USE (|Sent))",
	"a CREATE x (USE (\\|))",
	"a CREATE x (USE (\\Sent)| )", "a RENAME a|", "a LIST \"\"|", "a LIST \"\" |",
	"a LIST (RECURSIVEMATCH)| \"\" *",
	"a LIST (RECURSIVEMATCH REMOTE)| \"\" *", "a LIST (|FOO) \"\" *", "a LIST \"\" (|)",
	"a LIST \"\" % RETURN|",
	"a LIST \"\" % RETURN (|FOO)", "a LIST \"\" % RETURN (STATUS|)", "a LSUB \"\" |(x)", "a STATUS x|",
	"a STATUS x (|)",
	"a STATUS x (|FOO)", "a STATUS x (SIZE|", "a SETQUOTA x|", "a SETQUOTA x (STORAGE|)",
	"a SETQUOTA x (STORAGE |-1)",
	"a STORE |x FLAGS ()", "a STORE 1 |FOO ()", "a STORE 1 FLAGS |\\Recent", "a STORE 1 FLAGS|",
	"a STORE 1 +|X ()",
	"a STORE 1 (|FOO 1) FLAGS ()", "a STORE 1 (UNCHANGEDSINCE 1|  FLAGS ()", "a COPY 1|", "a COPY |",
	"a MOVE 1:|x y",
	"a UID EXPUNGE|", "a EXPUNGE |1", "a FETCH|", "a FETCH 1|", "a FETCH 1 |", "a FETCH 1 (|)",
	"a FETCH 1 |FOO", "a FETCH 1 (|ALL)",
	"a FETCH 1 ALL |FLAGS", "a FETCH 1 BODY[|", "a FETCH 1 BODY[]|x", "a FETCH 1 BODY[1.|]",
	"a FETCH 1 BODY[|0]",
	"a FETCH 1 BODY[MIME|]", "a FETCH 1 BODY[1|x]", "a FETCH 1 BINARY[1.|MIME]",
	"a FETCH 1 BODY[HEADER.FIELDS|]",
	"a FETCH 1 BODY[HEADER.FIELDS (|)]", "a FETCH 1 BODY[]<1|>", "a FETCH 1 BODY[]<1.0|>",
	"a FETCH 1 BINARY.SIZE[1]|<0.1>",
	"a FETCH 1 |BODY.PEEK", "a FETCH 1 |RFC822[]", "a FETCH 1 FLAGS (VANISHED)|",
	"a UID FETCH 1 FLAGS (VANISHED)|",
	"a FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)|", "a FETCH 1 FLAGS (|FOO)", "a APPEND x|", "a APPEND x |y",
};

static void what_is_refused_and_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		AUTO_ARENA arena a = arena_new(65536);
		char text[200];
		size_t at = strcspn(refused[i], "|"), n = strlen(refused[i]);
		bool marked = at < n;
		memcpy(text, refused[i], at);
		memcpy(text + at, refused[i] + at + marked, n - at - marked);
		struct imap_command c;
		result r = imap_parse(str_of(text, n - marked), &a, &c);
		if (r.kind != FAIL_INPUT && r.kind != FAIL_ABSENT)
			fail_msg("%s was taken", refused[i]);
		if (c.error_at != (marked ? at : n))
			fail_msg("%s: noticed at %zu: %s", refused[i], c.error_at, r.text);
		assert_true(str_eq(c.tag, STR("a")) == (refused[i][0] == 'a'));
	}
}

static void unknown_commands_are_told_apart(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	struct imap_command c;
	assert_int_equal(imap_parse(STR("x1 COMPRESS DEFLATE"), &a, &c).kind, FAIL_ABSENT);
	assert_str(c.tag, STR("x1"));
	assert_int_equal(c.verb, IMAP_VERBS);
	assert_int_equal(imap_parse(STR("x1 FETCH 0 ALL"), &a, &c).kind, FAIL_INPUT);
	assert_int_equal(c.verb, IMAP_FETCH_COMMAND);
}

static void part_numbers_are_bounded(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf text = buf_new(65536);
	struct imap_command c;
	buf_put(&text, STR("a FETCH 1 BODY[1"));
	for (int i = 1; i < IMAP_PART_NUMBERS_MAX; i++)
		buf_put(&text, STR(".1"));
	size_t full = text.n;
	buf_putc(&text, ']');
	assert_ok(imap_parse(buf_str(&text), &a, &c));
	assert_int_equal(c.fetch.sections->depth, IMAP_PART_NUMBERS_MAX);
	text.n = full;
	buf_put(&text, STR(".TEXT]"));
	assert_ok(imap_parse(buf_str(&text), &a, &c));
	assert_int_equal(c.fetch.sections->depth, IMAP_PART_NUMBERS_MAX);
	text.n = full;
	buf_put(&text, STR(".1]"));
	assert_int_equal(imap_parse(buf_str(&text), &a, &c).kind, FAIL_LIMIT);
}

static void the_table_answers(void **state)
{
	(void)state;
	assert_str(imap_verb_name(IMAP_GETQUOTAROOT_COMMAND), STR("GETQUOTAROOT"));
	assert_int_equal(imap_verb_states(IMAP_LOGIN_COMMAND), IMAP_BEFORE_LOGIN);
	assert_int_equal(imap_verb_states(IMAP_FETCH_COMMAND), IMAP_SELECTED);
	assert_int_equal(imap_verb_flags(IMAP_FETCH_COMMAND), IMAP_TAKES_UID | IMAP_HOLDS_EXPUNGE);
	assert_int_equal(imap_verb_flags(IMAP_NOOP_COMMAND), 0);
}

static const char *const memory_eaters[] = {
	"a SEARCH OR (1 2) NOT OR 3:4,5 HEADER \"a\\\"b\" {1}\r\nx",
	"a FETCH 1,2 (BODY[1.2.HEADER.FIELDS (a b c d e f)] BODY[])",
	"a LIST (SUBSCRIBED) \"\" (a b c d e)",
	"a SETQUOTA \"\\\\\" (STORAGE 1 MESSAGE 2)",
	"a ID (\"a\" \"b\" \"c\" \"d\" \"e\" \"f\")",
	"a STORE 1 FLAGS (a b c d e f g)",
};

/* Every allocation fails once, and every ceiling is tried: never more than a refusal. */
static void memory_that_is_refused(void **state)
{
	(void)state;
	struct imap_command c;
	for (size_t i = 0; i < sizeof memory_eaters / sizeof *memory_eaters; i++) {
		bool done = false;
		for (size_t max = 0; !done; max += 16) {
			AUTO_ARENA arena a = arena_new(max);
			result r = imap_parse(str_from(memory_eaters[i]), &a, &c);
			assert_true(r.kind == FAIL_LIMIT || r.kind == FAIL_NONE);
			done = r.kind == FAIL_NONE;
			assert_true(max < 10000);
		}
		AUTO_ARENA arena a = arena_new(65536);
		mem_fail_at(1);
		assert_int_equal(imap_parse(str_from(memory_eaters[i]), &a, &c).kind, FAIL_MEMORY);
		mem_fail_at(0);
		assert_str(c.tag, STR("a"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_without_arguments),
		cmocka_unit_test(login_and_authenticate),
		cmocka_unit_test(enable_and_id),
		cmocka_unit_test(select_with_its_parameters),
		cmocka_unit_test(mailboxes_made_and_moved),
		cmocka_unit_test(lists),
		cmocka_unit_test(status_and_quota),
		cmocka_unit_test(store_copy_move_expunge),
		cmocka_unit_test(fetch_items),
		cmocka_unit_test(sections_print_as_they_must_be_answered),
		cmocka_unit_test(sections_keep_their_order),
		cmocka_unit_test(what_is_refused_and_where),
		cmocka_unit_test(unknown_commands_are_told_apart),
		cmocka_unit_test(part_numbers_are_bounded),
		cmocka_unit_test(the_table_answers),
		cmocka_unit_test(memory_that_is_refused),
	};
	return cmocka_run_group_tests_name("imap_command", tests, NULL, NULL);
}
