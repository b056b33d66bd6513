/* SMTP sessions between a client that plays a dialogue and neighbours that are
 * well, silent, gone or unable. */
#include "base/test.h"
#include "edge/deliver.h"
#include "edge/edge_scenes.h"
#include "run/effort.h"
#include "run/random.h"
#include "talk/edge_auth.h"

#include <string.h>
#include <unistd.h>

#define EHLO "S: 220 mx.here.test\nC: EHLO client.test\nS: 250 HELP\n"
#define FROM "C: MAIL FROM:<a@far.test>\nS: 250 2.1.0\n"
#define TO(WHO) "C: RCPT TO:<" WHO "@here.test>\nS: 250 2.1.5\n"
#define LETTER "C: DATA\nS: 354\nC: Subject: hello\nC: \nC: text\nC: .\n"
#define QUIT "C: QUIT\nS: 221 2.0.0\nEND"
/* "\0user1@here.test\0secret" */
#define LOGIN "C: AUTH PLAIN AHVzZXIxQGhlcmUudGVzdABzZWNyZXQ=\n"

static const struct kit_scene scenes[] = {
	{"a letter", EHLO FROM TO("user1") LETTER "S: 250 2.0.0 Kept as \nK: 1\nQ: 0\n" QUIT},
	{"two letters", EHLO FROM TO("user1") LETTER "S: 250\n" FROM TO("user2") LETTER "S: 250\nK: 2\n" QUIT},
	{"one copy an account", EHLO FROM TO("both") TO("user1") LETTER "S: 250\nK: 2\n" QUIT},
	{"postmaster alone", EHLO FROM "C: RCPT TO:<Postmaster>\nS: 250\n" LETTER "S: 250\nK: 1"},
	{"the null sender", EHLO "C: MAIL FROM:<>\nS: 250\n" TO("user1") LETTER "S: 250\nK: 1"},
	{"nobody, disabled, later", EHLO FROM "C: RCPT TO:<unknown@here.test>\nS: 550 5.1.1\n"
		"C: RCPT TO:<disabled@here.test>\nS: 550 5.2.1\nC: RCPT TO:<later@here.test>\nS: 451 4.3.0\n"
		"C: RCPT TO:<a@elsewhere.test>\nS: 550 5.7.1\nC: DATA\nS: 503 5.5.1"},
	{"over quota", EHLO FROM "C: RCPT TO:<full@here.test>\nS: 452 4.2.2\n" TO("user1") LETTER "S: 250\n"
		"K: 1"},
	{"half an alias over quota", EHLO FROM "C: RCPT TO:<half@here.test>\nS: 452 4.2.2\nC: DATA\nS: 503"},
	{"too large for the mailbox", EHLO FROM "C: RCPT TO:<user1@here.test>\nS: 552 5.2.3",
		.too_large = true},

	{"HTTP", "S: 220\nC: POST / HTTP/1.1\nC: EHLO client.test\nS: 521 5.5.1\nEND"},
	{"HTTP behind EHLO", EHLO FROM "C: GET /?x HTTP/1.1\nS: 521 5.5.1\nEND"},

	/* order (RFC 5321 3.3, 4.1.4) */
	{"MAIL before EHLO", "S: 220\nC: MAIL FROM:<a@far.test>\nS: 503 5.5.1"},
	{"MAIL twice", EHLO FROM "C: MAIL FROM:<b@far.test>\nS: 503 5.5.1"},
	{"RCPT before MAIL", EHLO "C: RCPT TO:<user1@here.test>\nS: 503 5.5.1"},
	{"EHLO ends the transaction", EHLO FROM TO("user1") "C: EHLO again.test\nS: 250\nC: DATA\nS: 503"},
	{"RSET ends the transaction", EHLO FROM TO("user1") "C: RSET\nS: 250 2.0.0\nC: DATA\nS: 503\n" FROM},
	{"HELO knows no parameters", "S: 220\nC: HELO a.test\nS: 250 mx.here.test\n"
		"C: MAIL FROM:<a@far.test> SIZE=1\nS: 504 5.5.4"},
	{"STARTTLS within a transaction", EHLO FROM "C: STARTTLS\nS: 503 5.5.1"},
	{"STARTTLS without a certificate", EHLO "N: STARTTLS\nC: STARTTLS\nS: 454 4.7.0"},
	{"QUIT at once", "S: 220\n" QUIT},

	/* data (RFC 5321 4.5.2) and chunks (RFC 3030) */
	{"a bare LF", EHLO FROM TO("user1") "C: DATA\nS: 354\nC: a\\nb\nC: .\nS: 554 5.6.0\nH: line feed\n"
		"K: 0\nC: DATA\nS: 503"},
	{"a bare CR", EHLO FROM TO("user1") "C: DATA\nS: 354\nC: a\\rb\nC: .\nS: 554 5.6.0\n"
		"H: carriage return\nK: 0"},
	{"a bare LF is mended where the owner wants it", EHLO FROM TO("user1") "C: DATA\nS: 354\nC: a\\nb\n"
		"C: .\nS: 250\nK: 1",
		.option = OPT_BARE_NEWLINE, .value = "normalise"},
	{"LF.LF is no end of data", EHLO FROM TO("user1") "C: DATA\nS: 354\n"
		"c: a\\n.\\nMAIL FROM:<b@far.test>\\n\nC: \nC: .\nS: 554\nC: NOOP\nS: 250\nK: 0"},
	{"chunks", EHLO FROM TO("user1") "C: BDAT 3\nc: abc\nS: 250 2.0.0 Chunk\nC: BDAT 0 LAST\n"
		"S: 250 2.0.0 Kept\nK: 1"},
	{"DATA between chunks", EHLO FROM TO("user1") "C: BDAT 1\nc: a\nS: 250\nC: DATA\nS: 503\n"
		"C: BDAT 0 LAST\nS: 250\nK: 1"},
	{"RCPT between chunks", EHLO FROM TO("user1") "C: BDAT 1\nc: a\nS: 250\n"
		"C: RCPT TO:<user2@here.test>\nS: 503"},
	{"a chunk without recipients is eaten", EHLO FROM "C: BDAT 6 LAST\nC: QUIT\nS: 503 5.5.1\nC: NOOP\n"
		"S: 250"},
	{"a chunk without a size ends the connection", EHLO FROM TO("user1") "C: BDAT x LAST\nC: NOOP\n"
		"S: 501 5.5.4\nEND"},
	{"BINARYMIME needs chunks", EHLO "C: MAIL FROM:<a@far.test> BODY=BINARYMIME\nS: 250\n" TO("user1")
		"C: DATA\nS: 503 5.5.1"},
	{"announced too large", EHLO "H: 250-SIZE 65536\nC: MAIL FROM:<a@far.test> SIZE=65537\nS: 552 5.3.4",
		.option = OPT_MESSAGE_SIZE, .value = "64k"},
	{"in a circle", EHLO FROM TO("user1") "C: DATA\nS: 354\nC: Received: 1\nC: Received: 2\n"
		"C: Received: 3\nC: Received: 4\n"
		"C: Received: 5\nC: Received: 6\nC: Received: 7\nC: Received: 8\nC: Received: 9\n"
		"C: Received: 10\nC: \nC: .\n"
		"S: 554 5.4.6\nK: 0\nC: DATA\nS: 503", .option = OPT_HOPS, .value = "10"},

	/* limits */
	{"recipients", EHLO "H: RCPTMAX=100\nC: NOOP\nS: 250", .option = OPT_RECIPIENTS, .value = "100"},
	{"messages in one connection", EHLO "H: MAILMAX=1\n" FROM TO("user1") LETTER "S: 250\n"
		"C: MAIL FROM:<a@far.test>\nS: 421 4.7.0\nEND",
		.option = OPT_MESSAGES, .value = "1"},
	{"errors in one connection", EHLO "C: X\nS: 500 5.5.2\nC: X\nS: 421 4.7.0\nEND",
		.option = OPT_ERRORS, .value = "1"},
	{"silence", EHLO "W: 299000\nC: NOOP\nS: 250\nW: 301000\nS: 421 4.4.2\nEND"},
	{"half a command and silence", EHLO "c: NOO\nW: 301000\nS: 421 4.4.2\nEND"},
	{"replies do not wait for half a command", EHLO "c: NOOP\\r\\nNOO\nS: 250\nC: P\nS: 250"},
	{"silence within the data", EHLO FROM TO("user1") "C: DATA\nS: 354\nC: text\nW: 301000\n"
		"S: 421 4.4.2\nEND"},
	{"silence within a chunk", EHLO FROM TO("user1") "C: BDAT 10\nc: text\nW: 301000\nS: 421 4.4.2\nEND"},

	/* neighbours that answer nothing, refuse, or are gone: always a 4xx, and the session goes on */
	{"auth is silent at RCPT", EHLO FROM "C: RCPT TO:<user1@here.test>\nW: 21000\nS: 451 4.3.0\n"
		"C: NOOP\nS: 250", .silent = KIT_AUTH},
	{"auth refuses at RCPT", EHLO FROM "C: RCPT TO:<user1@here.test>\nS: 451 4.3.0", .refuses = KIT_AUTH},
	{"auth is gone at RCPT", EHLO FROM "C: RCPT TO:<user1@here.test>\nS: 451 4.3.0", .gone = KIT_AUTH},
	{"an account is silent at RCPT: the queue will hold it", EHLO FROM "C: RCPT TO:<user1@here.test>\n"
		"W: 21000\nS: 250\n"
		LETTER "W: 121000\nS: 250\nK: 1\nQ: 1", .silent = KIT_ACCOUNT},
	{"two accounts are silent at RCPT: not longer", EHLO FROM "C: RCPT TO:<both@here.test>\nW: 21000\n"
		"S: 250", .silent = KIT_ACCOUNT},
	{"auth answers too late", EHLO FROM "C: RCPT TO:<user1@here.test>\nW: 21000\nS: 451 4.3.0\nL:\n"
		TO("user1") LETTER "S: 250\nK: 1", .silent = KIT_AUTH},
	{"inspect answers too late", EHLO FROM TO("user1") LETTER "W: 61000\nW: 61000\nS: 451 4.3.0\nL:\nK: 0\n"
		FROM TO("user1") LETTER "S: 250\nK: 1\nQ: 0", .silent = KIT_INSPECT},
	{"an account keeps its copy too late: the queue's is the same delivery", EHLO FROM
		"C: RCPT TO:<user1@here.test>\nW: 21000\nS: 250\n" LETTER "W: 121000\nS: 250\nK: 1\nQ: 1\nL:\n"
		"K: 2\nQ: 1\n" FROM TO("user1") LETTER "S: 250\nK: 3\nQ: 1", .silent = KIT_ACCOUNT},
	{"the queue keeps too late: the client sends again", EHLO FROM TO("user1") LETTER "W: 121000\nW: 61000\n"
		"S: 451 4.3.0\nL:\nQ: 1\n" FROM TO("user1") LETTER "S: 250\nQ: 2", .silent = KIT_QUEUE,
		.gone = KIT_ACCOUNT},
	{"vault wraps too late", EHLO FROM TO("user1") LETTER "W: 21000\nS: 451 4.3.0\nK: 0\nL:\n"
		FROM TO("user1") LETTER "S: 250\nQ: 1", .silent = KIT_VAULT, .gone = KIT_ACCOUNT},
	{"an account refuses", EHLO FROM TO("user1") LETTER "S: 250\nQ: 1", .refuses = KIT_ACCOUNT},
	{"an account is gone", EHLO FROM TO("user1") LETTER "S: 250\nQ: 1", .gone = KIT_ACCOUNT},
	{"an account is unable", EHLO FROM TO("both") LETTER "S: 250\nQ: 2", .unable = true},
	{"inspect is silent", EHLO FROM TO("user1") LETTER "W: 61000\nW: 61000\nS: 451 4.3.0\nK: 0\n"
		"C: NOOP\nS: 250", .silent = KIT_INSPECT},
	{"inspect refuses", EHLO FROM TO("user1") LETTER "W: 11\nW: 31\nW: 91\nW: 271\nW: 811\n"
		"S: 451 4.3.0\nC: DATA\nS: 503",
		.refuses = KIT_INSPECT},
	{"inspect is gone", EHLO FROM TO("user1") LETTER "W: 11\nW: 31\nW: 91\nW: 271\nW: 811\nS: 451 4.3.0",
		.gone = KIT_INSPECT},
	{"account and queue are silent", EHLO FROM TO("user1") "C: DATA\nS: 354\nC: .\nW: 121000\nW: 61000\n"
		"S: 451 4.3.0\nK: 0",
		.silent = KIT_QUEUE, .gone = KIT_ACCOUNT},
	{"account and vault are silent", EHLO FROM TO("user1") LETTER "W: 21000\nS: 451 4.3.0\nK: 0",
		.silent = KIT_VAULT, .gone = KIT_ACCOUNT},
	{"account and vault are gone", EHLO FROM TO("both") LETTER "S: 451 4.3.0\nK: 0",
		.gone = KIT_ACCOUNT | KIT_VAULT},
	{"account gone, queue refuses", EHLO FROM TO("both") LETTER "S: 451 4.3.0\nK: 0",
		.gone = KIT_ACCOUNT, .refuses = KIT_QUEUE},

	/* submission (RFC 6409, 4954) */
	{"no AUTH on port 25", EHLO "N: AUTH\n" LOGIN "S: 502 5.5.1"},
	{"no AUTH without TLS", EHLO "N: AUTH\n" LOGIN "S: 538 5.7.11\nC: MAIL FROM:<user1@here.test>\n"
		"S: 530 5.7.0", .submission = true},
	{"login and send", EHLO "H: AUTH PLAIN LOGIN\n" LOGIN "S: 235 2.7.0\nC: EHLO again.test\nS: 250\n"
		"N: AUTH\n" LOGIN "S: 503\n"
		"C: MAIL FROM:<user1@here.test>\nS: 250\n" TO("user2") LETTER "S: 250\nK: 1\n" QUIT,
		.submission = true, .demo = true},
	{"a device without TLS", EHLO "H: AUTH PLAIN LOGIN\nN: SCRAM\n" LOGIN "S: 235 2.7.0\n"
		"C: MAIL FROM:<user1@here.test>\nS: 250\n" TO("user2") LETTER "S: 250\nK: 1\n" QUIT,
		.submission = true, .device = true},
	{"a device without TLS by LOGIN", EHLO
		"C: AUTH LOGIN\nS: 334\nC: dXNlcjFAaGVyZS50ZXN0\nS: 334\nC: c2VjcmV0\nS: 235",
		.submission = true, .device = true},
	{"a device without TLS by SCRAM", EHLO "C: AUTH SCRAM-SHA-256\nS: 504 5.5.4", .submission = true, .device = true},
	{"a device on port 25", EHLO "N: AUTH\n" LOGIN "S: 502 5.5.1", .device = true},
	{"devices, when auth does not say", EHLO "N: AUTH\n" LOGIN "S: 538 5.7.11", .submission = true, .device = true,
		.refuses = KIT_OFFERS},
	{"a foreign sender", EHLO LOGIN "S: 235\nC: MAIL FROM:<user2@here.test>\nS: 553 5.7.1\n"
		"C: MAIL FROM:<user1@here.test>\nS: 250",
		.submission = true, .demo = true},
	{"elsewhere", EHLO LOGIN "S: 235\nC: MAIL FROM:<user1@here.test>\nS: 250\n"
		"C: RCPT TO:<a@elsewhere.test>\nS: 250 2.1.5",
		.submission = true, .demo = true},
	{"LOGIN step by step", EHLO "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dXNlcjFAaGVyZS50ZXN0\n"
		"S: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\nS: 235",
		.submission = true, .demo = true},
	{"cancelled", EHLO "C: AUTH PLAIN\nS: 334 \nC: *\nS: 501 5.7.0\nC: NOOP\nS: 250",
		.submission = true, .demo = true},
	{"not base64", EHLO "C: AUTH PLAIN !\nS: 501 5.5.2", .submission = true, .demo = true},
	{"another mechanism", EHLO "C: AUTH CRAM-MD5\nS: 504 5.5.4", .submission = true, .demo = true},
	{"wrong password", EHLO "C: AUTH PLAIN AHVzZXIxQGhlcmUudGVzdAB3cm9uZw==\nS: 535 5.7.8",
		.submission = true, .demo = true},
	{"auth is silent at login", EHLO LOGIN "W: 61000\nS: 454 4.7.0\nC: NOOP\nS: 250",
		.submission = true, .demo = true, .silent = KIT_AUTH},
	{"auth is gone at login", EHLO LOGIN "S: 454 4.7.0", .submission = true, .demo = true, .gone = KIT_AUTH},

	/* XCLIENT: the demo's alone */
	{"XCLIENT is not for strangers", EHLO "C: XCLIENT ADDR=192.0.2.9\nS: 550 5.7.0"},
	{"XCLIENT begins anew", EHLO "H: XCLIENT\nC: XCLIENT ADDR=192.0.2.9\nS: 220 mx.here.test\n"
		"C: MAIL FROM:<a@far.test>\nS: 503",
		.demo = true},
	{"XCLIENT logs out", EHLO LOGIN "S: 235\nC: XCLIENT ADDR=192.0.2.9\nS: 220\nC: EHLO a.test\nS: 250\n"
		"C: MAIL FROM:<user1@here.test>\nS: 530", .submission = true, .demo = true},
	{"XCLIENT never logs in", EHLO "C: XCLIENT LOGIN=user1\nS: 550 5.7.0", .demo = true},
};

static void act(struct kit *k, const struct kit_scene *s)
{
	kit_enter(k, s, s->submission ? CLIENT_SUBMISSION : CLIENT_SMTP);
	kit_play(k, s->play);
	kit_hang_up(k);
	kit_wait(0); /* the logout is on its way */
	assert_int_equal(k->logouts, k->logins && !k->silent && !k->gone && strstr(s->play, "S: 235") ? 1 : 0);
}

static void every_scene_is_played(void **state)
{
	(void)state;
	kit_scenes(scenes, sizeof scenes / sizeof scenes[0], act);
}

/* ---- what a dialogue cannot say ---- */

static void begin(struct kit *k)
{
	kit_open(k, false);
	kit_begin(k, CLIENT_SMTP);
}

static void say_many(struct kit *k, size_t lines, const char *line)
{
	for (size_t i = 0; i < lines; i++)
		kit_say(k, str_from(line));
}

ON_KIT(wishes_for_reports_are_kept_with_each_copy)
{
	begin(k);
	k->gone = KIT_ACCOUNT;
	kit_play(k, EHLO "C: MAIL FROM:<a@far.test> RET=HDRS ENVID=QQ+2B1\nS: 250\n"
		"C: RCPT TO:<user1@here.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;old@example.test\nS: 250\n"
		"C: RCPT TO:<user2@here.test>\nS: 250\n" LETTER "S: 250\nQ: 2");
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(k->kept[i].trace, strstr(k->kept[i].recipient, "user1")
			? "notify 12 ret 2 envid QQ+1 orcpt rfc822;old@example.test" : "notify 0 ret 2 envid QQ+1 orcpt ");
}

enum { LARGE_LINES = 20000 }; /* of 10 octets: above what goes inline */

static void send_large(struct kit *k)
{
	begin(k);
	kit_play(k, EHLO FROM TO("both") "C: DATA\nS: 354");
	say_many(k, LARGE_LINES, "01234567\r\n");
}

ON_KIT(a_large_letter_is_kept)
{
	send_large(k);
	kit_play(k, "C: .\nS: 250\nK: 2\nQ: 0");
	assert_int_equal(k->kept[0].size, LARGE_LINES * 10);
	assert_true(str_starts(str_from(k->kept[1].trace), STR("Return-Path: <a@far.test>\r\nReceived: from client.test")));
	assert_int_equal(k->edge.transit.taken, 0);
}

ON_KIT(large_copies_are_sealed_one_at_a_time)
{
	send_large(k);
	k->gone = KIT_ACCOUNT;
	kit_play(k, "C: .\nS: 250\nK: 2\nQ: 2");
	assert_int_equal(k->sealing_most, 1);
}

ON_KIT(a_letter_above_the_budget_is_for_later)
{
	begin(k);
	k->edge.transit = budget_new(100000);
	kit_play(k, EHLO FROM TO("both") "C: DATA\nS: 354");
	say_many(k, LARGE_LINES, "01234567\r\n");
	kit_play(k, "C: .\nS: 452 4.3.1\nK: 0\n" FROM TO("user1") LETTER "S: 250\nK: 1");
}

ON_KIT(what_is_too_large_is_eaten_and_refused)
{
	begin(k);
	k->guest.trusted = true;
	assert_ok(options_set(&k->edge.options, OPT_MESSAGE_SIZE, STR("65536")));
	kit_hang_up(k);
	kit_begin(k, CLIENT_SMTP);
	kit_play(k, EHLO FROM TO("user1") "C: DATA\nS: 354");
	say_many(k, LARGE_LINES, "01234567\r\n");
	kit_play(k, "C: .\nS: 552 5.3.4\nK: 0\n" FROM TO("user1") "C: BDAT 40000");
	say_many(k, 4000, "01234567\r\n");
	kit_play(k, "S: 250\nC: BDAT 40000");
	say_many(k, 4000, "01234567\r\n");
	kit_play(k, "S: 552 5.3.4\nC: DATA\nS: 503\nC: BDAT 1\nc: x\nS: 552\n"
		    "C: BDAT 0 LAST\nS: 552\nC: BDAT 0 LAST\nS: 503\n"
		    "K: 0\n" FROM);
}

/* ---- what auth said before ---- */

#define ASKED(TEXT, TIMES) \
	do { \
		unsigned before = k->lookups; \
		kit_play(k, TEXT); \
		assert_int_equal(k->lookups - before, TIMES); \
	} while (0)

ON_KIT(who_receives_is_asked_once)
{
	begin(k);
	ASKED(EHLO FROM TO("both"), 1);
	ASKED(TO("both") TO("both") LETTER "S: 250\nK: 2\n", 0);
	ASKED(FROM TO("both") TO("user1"), 1);
	for (int i = 0; i < 2; i++) {
		ASKED("C: RCPT TO:<unknown@here.test>\nS: 550\n", 1);
		ASKED("C: RCPT TO:<disabled@here.test>\nS: 550\n", 1);
		ASKED("C: RCPT TO:<later@here.test>\nS: 451\n", 1);
	}
	ASKED("C: RCPT TO:<full@here.test>\nS: 452\n", 1);
	ASKED("C: RCPT TO:<full@here.test>\nS: 452\n", 0); /* its account is asked each time */
	kit_change_directory(k);
	kit_wait(0);
	ASKED(TO("both"), 1);
	ASKED(TO("both"), 0);
}

/* The session runs before the news is read, for the client's line is there first. */
ON_KIT(what_auth_just_said_counts_although_it_is_unread)
{
	begin(k);
	ASKED(EHLO FROM TO("user1"), 1);
	ASKED(TO("user1"), 0);
	kit_say(k, STR("RCPT TO:<user1@here.test>\r\n"));
	kit_change_directory(k);
	ASKED("S: 250", 1);
}

ON_KIT(an_answer_from_before_a_change_is_used_once)
{
	begin(k);
	k->silent = KIT_AUTH;
	ASKED(EHLO FROM "C: RCPT TO:<user1@here.test>\nW: 1", 1);
	kit_change_directory(k);
	kit_wait(0);
	k->silent = 0;
	gate_wake_all(&k->loud);
	ASKED("S: 250\n", 0);
	ASKED(TO("user1"), 1);
	ASKED(TO("user1"), 0);
}

ON_KIT(nobody_is_known_without_auth)
{
	begin(k);
	kit_play(k, EHLO FROM TO("user1") TO("user1"));
	channel_close(&k->far[NEIGHBOUR_AUTH]);
	k->gone = KIT_AUTH; /* and is not back yet */
	kit_play(k, "C: RCPT TO:<user1@here.test>\nS: 451");
}

ON_KIT(recipients_have_a_limit)
{
	kit_open(k, false);
	assert_ok(options_set(&k->edge.options, OPT_RECIPIENTS, STR("100")));
	kit_begin(k, CLIENT_SMTP);
	kit_play(k, EHLO FROM);
	for (int i = 0; i < 100; i++)
		kit_play(k, TO("user1"));
	kit_play(k, "C: RCPT TO:<user2@here.test>\nS: 452 4.5.3\n" LETTER "S: 250\nK: 1");
}

ON_KIT(messages_have_a_limit)
{
	kit_open(k, false);
	assert_ok(options_set(&k->edge.options, OPT_MESSAGES, STR("2")));
	kit_begin(k, CLIENT_SMTP);
	kit_play(k, EHLO FROM TO("user1") LETTER "S: 250\n" FROM TO("user1") LETTER "S: 250\nK: 2\n"
		"C: MAIL FROM:<a@far.test>\nS: 421 4.7.0 Enough messages\nEND");
}

ON_KIT(copies_are_delivered_some_at_a_time)
{
	begin(k);
	kit_play(k, EHLO FROM TO("crowd"));
	k->silent = KIT_ACCOUNT;
	kit_play(k, LETTER "W: 0");
	assert_int_equal(k->delivering, DELIVER_AT_ONCE);
	assert_int_equal(k->kept_n, 0);
	kit_play(k, "L:\nS: 250\nK: 40");
}

/* A command's memory is more than the longest line needs, so nobody is refused for want of it. */
ON_KIT(the_longest_commands_have_their_memory)
{
	enum { LONG = SMTP_LONG_LINE_MAX - 60 };
	static const char *const forms[][2] = {
		{"MAIL FROM:<\"", "\"@far.test>\r\n"}, {"MAIL FROM:<a@far.test> AUTH=\"", "\"@far.test\r\n"},
		{"MAIL FROM:<a@", ">\r\n"}, {"MAIL FROM:<a@far.test> ENVID=", "\r\n"},
	};
	AUTO_BUF buf line = buf_new(2 * LONG);
	str answer;
	begin(k);
	kit_play(k, EHLO);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		buf_clear(&line);
		buf_put(&line, str_from(forms[i][0]));
		for (int n = 0; n < LONG; n++)
			buf_putc(&line, 'a');
		buf_put(&line, str_from(forms[i][1]));
		kit_say(k, buf_str(&line));
		assert_true(kit_hear(k, &answer));
		if (!str_starts(answer, STR("501 5.")) && !str_starts(answer, STR("553 5.")))
			fail_msg("%s: %.*s", forms[i][0], STR_ARG(answer));
	}
}

/* A message in as many pieces as it has octets, say. */
ON_KIT(a_command_has_a_limit_of_processor_time)
{
	kit_open(k, false);
	assert_ok(options_set(&k->edge.options, OPT_COMMAND_CPU, STR("10ms")));
	kit_begin(k, CLIENT_SMTP);
	kit_play(k, EHLO FROM TO("user1") "C: DATA\nS: 354");
	effort_test_cost(1000000);
	for (int i = 0; i < 9; i++) {
		kit_say(k, STR("x"));
		kit_wait(0);
	}
	kit_play(k, "C: .\nW: 0");
	assert_false(k->over);
	kit_play(k, "C: more\nS: 421 4.7.0 This command took more processor time\nEND\nK: 0");
	effort_test_cost(0);
}

/* Above half of the places a command has ten seconds. */
ON_KIT(under_pressure_nobody_waits_long)
{
	kit_open(k, false);
	k->edge.limits.most.all = 1;
	kit_begin(k, CLIENT_SMTP);
	kit_play(k, EHLO "W: 9000\nC: NOOP\nS: 250\nW: 10100\nS: 421 4.4.2\nEND");
}

/* Replies are not gathered without end for a client that reads none. */
ON_KIT(a_client_that_reads_nothing_is_ended)
{
	begin(k);
	for (int i = 0; i < 200; i++)
		fiber_yield();
	for (int i = 0; i < 100000; i++)
		if (write(k->client, "HELP\r\nHELP\r\nHELP\r\nHELP\r\n", 24) < 0)
			fiber_yield();
	kit_wait(301000);
	assert_true(k->over);
}

ON_KIT(a_stopping_server_says_so)
{
	begin(k);
	kit_play(k, EHLO FROM);
	k->edge.stopping = true;
	fiber_cancel(k->fiber);
	kit_play(k, "S: 421 4.3.2\nEND");
}

/* The copies' fibers use the session's stack: it waits for them, quietly. */
ON_KIT(a_stop_waits_for_the_copies)
{
	begin(k);
	k->silent = KIT_ACCOUNT;
	kit_play(k, EHLO FROM "C: RCPT TO:<both@here.test>\nW: 21000\nS: 250\n" LETTER "W: 0");
	k->edge.stopping = true;
	fiber_cancel(k->fiber);
	kit_wait(0);
	assert_false(k->over);
	kit_wait(121000);
	kit_play(k, "S: 421 4.3.2\nEND");
	assert_true(k->over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scene_is_played),
		cmocka_unit_test(a_large_letter_is_kept),
		cmocka_unit_test(large_copies_are_sealed_one_at_a_time),
		cmocka_unit_test(a_letter_above_the_budget_is_for_later),
		cmocka_unit_test(what_is_too_large_is_eaten_and_refused),
		cmocka_unit_test(recipients_have_a_limit),
		cmocka_unit_test(messages_have_a_limit),
		cmocka_unit_test(copies_are_delivered_some_at_a_time),
		cmocka_unit_test(the_longest_commands_have_their_memory),
		cmocka_unit_test(a_command_has_a_limit_of_processor_time),
		cmocka_unit_test(under_pressure_nobody_waits_long),
		cmocka_unit_test(who_receives_is_asked_once),
		cmocka_unit_test(what_auth_just_said_counts_although_it_is_unread),
		cmocka_unit_test(an_answer_from_before_a_change_is_used_once),
		cmocka_unit_test(nobody_is_known_without_auth),
		cmocka_unit_test(a_client_that_reads_nothing_is_ended),
		cmocka_unit_test(a_stopping_server_says_so),
		cmocka_unit_test(a_stop_waits_for_the_copies),
		cmocka_unit_test(wishes_for_reports_are_kept_with_each_copy),
	};
	assert_ok(random_open());
	return cmocka_run_group_tests_name("edge smtp", tests, NULL, NULL);
}
