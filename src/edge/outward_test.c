/* What a session takes for other servers, from whom, and how it leaves. */
#include "base/test.h"
#include "edge/deliver.h"
#include "edge/edge_scenes.h"
#include "run/random.h"

#include <stdio.h>
#include <string.h>

#define EHLO "S: 220 mx.here.test\nC: EHLO client.test\nS: 250 HELP\n"
#define LOGIN EHLO "C: AUTH PLAIN AHVzZXIxQGhlcmUudGVzdABzZWNyZXQ=\nS: 235\n"
#define MINE "C: MAIL FROM:<user1@here.test>\nS: 250\n"
#define STRANGER "C: MAIL FROM:<s@strange.test>\nS: 250\n"
#define RCPT(WHO) "C: RCPT TO:<" WHO ">\nS: 250 2.1.5\n"
#define LETTER "C: DATA\nS: 354\nC: Subject: hello\nC: \nC: text\nC: .\n"
#define HEADER(LINE) "C: DATA\nS: 354\nC: " LINE "\nC: \nC: text\nC: .\n"
#define MAILER .submission = true, .demo = true

static const struct kit_scene scenes[] = {
	/* a login's mail */
	{"to elsewhere", LOGIN MINE RCPT("a@far.test") LETTER "S: 250 2.0.0 Kept\nK: 1\nP: 1\n"
		"T: account 1 route 0 flags 0 from user1@here.test to a@far.test 0 ,\n", MAILER},
	{"signed with all keys, and complete", LOGIN MINE RCPT("a@far.test") LETTER "S: 250\n"
		"T: DKIM-Signature: s=rsa; b=YSBzaWdu\nT: DKIM-Signature: s=ed; b=YSBzaWdu\n"
		"T: Message-ID: <\nT: @mx.here.test>\\r\\nSubject: hello", MAILER},
	{"not where the client was", LOGIN MINE RCPT("a@far.test") LETTER "S: 250\n"
		"T: Received: from unknown\\r\\n\tby", MAILER},
	{"where the client was, if the owner wants that", LOGIN MINE RCPT("a@far.test") LETTER "S: 250\n"
		"T: Received: from client.test ([127.0.0.1])", MAILER, .option = OPT_RECEIVED_HIDE, .value = "no"},
	{"one parcel for all", LOGIN MINE RCPT("a@far.test") RCPT("b@other.test") RCPT("a@far.test") LETTER "S: 250\n"
		"P: 1\nT: to a@far.test 0 ,b@other.test 0 ,\n", MAILER},
	{"here and elsewhere", LOGIN MINE RCPT("user2@here.test") RCPT("a@far.test") LETTER "S: 250\nK: 2\nP: 1", MAILER},
	{"what reports were asked for", LOGIN MINE
		"C: RCPT TO:<a@far.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@y.test\nS: 250\n" LETTER "S: 250\n"
		"T: to a@far.test 6 rfc822;x@y.test,\n", MAILER},
	{"a delivery here is reported to who asks for it", LOGIN MINE
		"C: RCPT TO:<user2@here.test> NOTIFY=SUCCESS ORCPT=rfc822;x@y.test\nS: 250\n"
		"C: RCPT TO:<USER2@here.test> NOTIFY=FAILURE\nS: 250\n" LETTER "S: 250\nK: 2\nP: 1\n"
		"T: to user2@here.test 2 rfc822;x@y.test delivered,\n", MAILER},
	{"a delivery here that nobody asks about is not", LOGIN MINE "C: RCPT TO:<user2@here.test> NOTIFY=NEVER\nS: 250\n"
		LETTER "S: 250\nK: 1\nP: 0", MAILER},
	{"its report cannot be kept: the message is", LOGIN MINE "C: RCPT TO:<user2@here.test> NOTIFY=SUCCESS\nS: 250\n"
		LETTER "S: 250 2.0.0 Kept\nP: 0", MAILER, .refuses = KIT_QUEUE},
	{"strangers are not told of deliveries", EHLO STRANGER "C: RCPT TO:<user2@here.test> NOTIFY=SUCCESS\nS: 250\n"
		LETTER "S: 250\nK: 1\nP: 0"},
	{"nor of what is passed on", EHLO STRANGER "C: RCPT TO:<out@here.test> NOTIFY=SUCCESS,FAILURE\nS: 250\n" LETTER
		"S: 250\nP: 1\nT: a@far.test 4 rfc822;out@here.test"},
	{"nor of anything who wants only that", EHLO STRANGER "C: RCPT TO:<out@here.test> NOTIFY=SUCCESS\nS: 250\n" LETTER
		"S: 250\nP: 1\nT: a@far.test 1 rfc822;out@here.test"},
	{"an alias that leads outside is the login's own mail", LOGIN MINE RCPT("out@here.test") LETTER "S: 250\nP: 1\n"
		"T: account 1 route unknown 0 flags 0 from user1@here.test to a@far.test 0 rfc822;out@here.test,b@far.test 0\n"
		"T: DKIM-Signature", MAILER},
	{"a report of a login's program", LOGIN "C: MAIL FROM:<>\nS: 250\n" RCPT("a@far.test") LETTER "S: 250\n"
		"T: flags 0 from  to a@far.test\nT: DKIM-Signature", MAILER},
	{"to a domain this is a backup for", LOGIN MINE RCPT("nobody@back.test") LETTER "S: 250\n"
		"P: 1\nT: route 0", MAILER},
	{"enough for now", LOGIN MINE "C: RCPT TO:<limited@far.test>\n"
		"S: 450 4.7.1 Enough for now.\nC: DATA\nS: 503", MAILER},

	/* who signs */
	{"From of another domain of the login", LOGIN MINE RCPT("a@far.test") HEADER("From: x@own.test") "S: 250\n"
		"T: DKIM-Signature: s=rsa; b=", MAILER},
	{"From of a domain that is not the login's", LOGIN MINE RCPT("a@far.test") HEADER("From: x@else.test") "S: 250\n"
		"T: to a@far.test 0 , hold 0 by 0\\nReceived", MAILER},
	{"vault does not sign: nothing leaves unsigned", LOGIN MINE RCPT("a@far.test") LETTER "S: 451 4.3.0\nP: 0",
		MAILER, .gone = KIT_VAULT},

	/* flags */
	{"eight bits", LOGIN "C: MAIL FROM:<user1@here.test> BODY=8BITMIME\nS: 250\n" RCPT("a@far.test") LETTER "S: 250\n"
		"T: flags 1 from", MAILER},
	{"chunks of octets", LOGIN "C: MAIL FROM:<user1@here.test> BODY=BINARYMIME\nS: 250\n" RCPT("a@far.test")
		"C: BDAT 4 LAST\nc: a\\r\\nb\nS: 250\nT: flags 2 from", MAILER},
	{"SMTPUTF8 that nothing needs", LOGIN "C: MAIL FROM:<user1@here.test> SMTPUTF8\nS: 250\n" RCPT("a@far.test")
		LETTER "S: 250\nT: flags 0 from", MAILER},
	{"SMTPUTF8", LOGIN "C: MAIL FROM:<user1@here.test> SMTPUTF8\nS: 250\n" RCPT("ä@far.test")
		LETTER "S: 250\nT: flags 4 from", MAILER},
	{"TLS-Required: No", LOGIN MINE RCPT("a@far.test") HEADER("TLS-Required: No") "S: 250\nT: flags 16 from", MAILER},

	/* when, by when, how (RFC 4865, 2852, 8689); the clock of the kit says 1700000000 */
	{"what EHLO tells a mail program", "S: 220\nC: EHLO a.test\nS: 250 HELP\n"
		"H: 250-FUTURERELEASE 5184000 2024-01-13T22:13:20Z\nH: 250-DELIVERBY\nH: 250-DSN\nN: REQUIRETLS", MAILER},
	{"what EHLO tells a server", EHLO "N: FUTURERELEASE\nN: DELIVERBY\nN: DSN"},
	{"held for an hour", LOGIN "C: MAIL FROM:<user1@here.test> HOLDFOR=3600\nS: 250\n" RCPT("a@far.test") LETTER
		"S: 250\nT: hold 1700003600 by 0", MAILER},
	{"held until a time", LOGIN "C: MAIL FROM:<user1@here.test> HOLDUNTIL=2023-11-15T00:00:00Z\nS: 250\n"
		RCPT("a@far.test") LETTER "S: 250\nT: hold 1700006400 by 0", MAILER},
	{"held until a time that is over", LOGIN "C: MAIL FROM:<user1@here.test> HOLDUNTIL=2020-11-15T00:00:00Z\nS: 250\n"
		RCPT("a@far.test") LETTER "S: 250\nT: hold 0 by 0", MAILER},
	{"held too long", LOGIN "C: MAIL FROM:<user1@here.test> HOLDFOR=5184001\nS: 501 5.5.4\n"
		"C: MAIL FROM:<user1@here.test> HOLDUNTIL=2024-01-13T22:13:21Z\nS: 501 5.5.4\n"
		"C: RCPT TO:<a@far.test>\nS: 503", MAILER},
	{"held where nothing is", EHLO "N: FUTURERELEASE\nC: MAIL FROM:<user1@here.test> HOLDFOR=10\n"
		"S: 504 5.5.4", MAILER,
		.option = OPT_HOLD_LONGEST, .value = "0"},
	{"held mail to somebody here", LOGIN "C: MAIL FROM:<user1@here.test> HOLDFOR=10\nS: 250\n" RCPT("user2@here.test")
		RCPT("a@far.test") LETTER "S: 250\nK: 2\nQ: 1\nP: 1", MAILER},
	{"other servers hold nothing here", EHLO "C: MAIL FROM:<s@strange.test> HOLDFOR=10\nS: 504\n"
		"C: MAIL FROM:<s@strange.test> BY=10;R\nS: 504"},
	{"in ten minutes or returned", LOGIN "C: MAIL FROM:<user1@here.test> BY=600;R\nS: 250\n" RCPT("a@far.test") LETTER
		"S: 250\nT: hold 0 by -1700000600", MAILER},
	{"late already, to be told", LOGIN "C: MAIL FROM:<user1@here.test> BY=-10;N\nS: 250\n" RCPT("a@far.test") LETTER
		"S: 250\nT: hold 0 by 1699999990", MAILER},
	{"REQUIRETLS without TLS", EHLO "C: MAIL FROM:<s@strange.test> REQUIRETLS\nS: 530 5.7.10"},

	/* mail of others */
	{"no way on for strangers", EHLO STRANGER "C: RCPT TO:<a@far.test>\nS: 550 5.7.1\nC: DATA\nS: 503\nP: 0"},
	{"forwarded, with a sender of ours and unsigned", EHLO STRANGER RCPT("out@here.test") LETTER "S: 250\nP: 1\nK: 1\n"
		"T: account 0 route unknown 0 flags 64 from srs=back@here.test to a@far.test 0 rfc822;out@here.test,b@far\n"
		"T: , hold 0 by 0\\nReceived: from client.test ([192.0.2.1])"},
	{"kept here and forwarded", EHLO STRANGER RCPT("mixed@here.test") LETTER "S: 250\nP: 1\nK: 2"},
	{"a report is forwarded as one", EHLO "C: MAIL FROM:<>\nS: 250\n" RCPT("out@here.test") LETTER "S: 250\n"
		"T: flags 64 from  to a@far.test"},
	{"a backup for what the primary knows", EHLO STRANGER RCPT("good@back.test") LETTER "S: 250\n"
		"T: account 0 route 7 flags 0 from s@strange.test to good@back.test 0 , hold 0 by 0\\nReceived"},
	{"nobody at the primary", EHLO STRANGER "C: RCPT TO:<bad@back.test>\nS: 550 5.1.1\nH: nobody of that name"},
	{"a primary that cannot be asked", EHLO STRANGER "C: RCPT TO:<slow@back.test>\nS: 451 4.4.1"},
	{"relay is gone", EHLO STRANGER "C: RCPT TO:<good@back.test>\nS: 451 4.3.0", .gone = KIT_RELAY},
	{"relay is silent", EHLO STRANGER "C: RCPT TO:<good@back.test>\nW: 91000\nS: 451 4.3.0", .silent = KIT_RELAY},
	{"each way a parcel", EHLO STRANGER RCPT("out@here.test") RCPT("good@back.test") LETTER "S: 250\nP: 2"},
	{"forwarding in a circle", EHLO STRANGER RCPT("out@here.test") "C: DATA\nS: 354\n"
		"C: Received: from a by mx.here.test; x\nC: Received: from b (by c)\nC:  by MX.here.test with SMTP\n"
		"C: Received: from a by mx.here.test\nC: Received: from a by mx.here.test\nC: \nC: .\nS: 554 5.4.6\nK: 0"},

	/* neighbours that fail: nothing was accepted */
	{"queue refuses", LOGIN MINE RCPT("user2@here.test") RCPT("a@far.test") LETTER "S: 451 4.3.0\nK: 0",
		MAILER, .refuses = KIT_QUEUE},
	{"queue is silent", LOGIN MINE RCPT("a@far.test") LETTER "W: 61000\n"
		"S: 451 4.3.0\nK: 0", MAILER, .silent = KIT_QUEUE},
	{"inspect refuses", LOGIN MINE RCPT("a@far.test") LETTER "W: 11\nW: 31\nW: 91\nW: 271\nW: 811\nS: 451 4.3.0",
		MAILER, .refuses = KIT_INSPECT},
};

static void act(struct kit *k, const struct kit_scene *s)
{
	kit_enter(k, s, s->submission ? CLIENT_SUBMISSION : CLIENT_SMTP);
	kit_play(k, s->play);
}

static void all_scenes(void **state)
{
	(void)state;
	kit_scenes(scenes, sizeof scenes / sizeof scenes[0], act);
}

static const struct kit_scene mailer = {.play = LOGIN MINE, MAILER};

ON_KIT(keys_are_asked_for_once_and_recipients_are_told)
{
	kit_enter(k, &mailer, CLIENT_SUBMISSION);
	kit_play(k, LOGIN MINE RCPT("a@far.test") RCPT("out@here.test") LETTER "S: 250\n" MINE RCPT("b@far.test") LETTER
		"S: 250\nP: 2");
	kit_wait(0);
	assert_int_equal(k->asked_signers, 1);
	assert_int_equal(k->asked_to_sign, 2);
	assert_int_equal(k->wrote, 2); /* what an alias leads to was not written to */
	kit_wait(SIGNERS_MS);
	kit_play(k, MINE RCPT("a@far.test") LETTER "S: 250");
	assert_int_equal(k->asked_signers, 2);
}

ON_KIT(the_way_is_auths_until_it_tells_of_a_change)
{
	kit_enter(k, &mailer, CLIENT_SUBMISSION);
	kit_play(k, LOGIN MINE RCPT("routed@far.test") LETTER "S: 250\nT: account 1 route 9 flags 0");
	kit_play(k, MINE RCPT("a@far.test") RCPT("routed@far.test") LETTER "S: 250\nT: route 0 flags 0");
	kit_play(k, MINE RCPT("routed@far.test"));
	kit_change_directory(k);
	kit_play(k, LETTER "S: 250\nP: 3\nT: route unknown 9 flags 0");
	kit_play(k, MINE RCPT("b@far.test"));
	kit_say(k, STR("DATA\r\n\r\n.\r\n"));
	kit_change_directory(k); /* lies unread when the message is posted */
	kit_play(k, "S: 354\nS: 250\nT: route unknown 0 flags 0 from user1@here.test to b@far.test");
}

/* A copy for an account has one of its own always. */
ON_KIT(letters_for_the_relay_share_a_key_for_a_moment)
{
	kit_enter(k, &mailer, CLIENT_SUBMISSION);
	kit_play(k, LOGIN MINE RCPT("a@far.test") LETTER "S: 250\n" MINE RCPT("b@far.test") LETTER "S: 250\nP: 2");
	assert_int_equal(k->asked_keys, 1);
	kit_wait(ITEM_KEY_MS);
	kit_play(k, MINE RCPT("a@far.test") LETTER "S: 250");
	assert_int_equal(k->asked_keys, 2);
	k->unable = true;
	kit_play(k, MINE RCPT("user1@here.test") RCPT("user2@here.test") LETTER "S: 250\nQ: 2");
	assert_int_equal(k->asked_keys, 4);
}

ON_KIT(a_sender_is_asked_about_until_something_changes)
{
	kit_enter(k, &mailer, CLIENT_SUBMISSION);
	kit_play(k, LOGIN MINE "C: RSET\nS: 250\n" MINE "C: RSET\nS: 250");
	assert_int_equal(k->asked_senders, 1);
	kit_play(k, "C: MAIL FROM:<user2@here.test>\nS: 553\nC: MAIL FROM:<user2@here.test>\nS: 553\n" MINE
		"C: RSET\nS: 250");
	assert_int_equal(k->asked_senders, 3);
	kit_say(k, STR("MAIL FROM:<user1@here.test>\r\n"));
	kit_change_directory(k);
	kit_play(k, "S: 250\nC: RSET\nS: 250");
	assert_int_equal(k->asked_senders, 4);
	kit_wait(0);
	kit_play(k, MINE "C: RSET\nS: 250\n" MINE);
	assert_int_equal(k->asked_senders, 5);
}

/* RCPT_N recipients, in parcels of as many as one packet holds; each exactly once. */
static const struct kit_scene stranger = {.play = ""};

ON_KIT(tls_all_the_way)
{
	kit_enter(k, &stranger, CLIENT_SMTP);
	k->guest.encrypted = true;
	kit_play(k, EHLO "H: 250-REQUIRETLS\nC: MAIL FROM:<s@strange.test> REQUIRETLS\nS: 250\n" RCPT("out@here.test")
		HEADER("TLS-Required: No") "S: 250\nT: flags 72 from"); /* forwarded, and the parameter counts */
}

ON_KIT(many_recipients_go_in_parcels)
{
	enum { RCPT_N = 2500, CHUNK = 50 };
	kit_enter(k, &mailer, CLIENT_SUBMISSION);
	must(!failed(options_set(&k->edge.options, OPT_RECIPIENTS, STR("3000"))));
	kit_play(k, LOGIN MINE);
	for (unsigned i = 0; i < RCPT_N; i++) {
		AUTO_BUF buf line = buf_new(800);
		str said;
		buf_printf(&line, "RCPT TO:<%.*s%u@far.test> ORCPT=rfc822;%0*u@far.test\r\n", 60,
			   "a-long-name-of-somebody-whose-mail-takes-so-much-more-room", i, i % 10 ? 1 : 400, i);
		kit_say(k, buf_str(&line));
		assert_true(kit_hear(k, &said) && str_starts(said, STR("250")));
	}
	kit_play(k, LETTER "S: 250");
	unsigned n = 0;
	for (size_t i = 0; i < k->kept_n; i++) {
		assert_true(k->kept[i].posted && k->kept[i].recipients <= OUTWARD_PARCEL);
		assert_true(strlen(k->kept[i].recipient) <= OUTWARD_PARCEL_OCTETS);
		n += k->kept[i].recipients;
	}
	assert_int_equal(n, RCPT_N);
	kit_wait(0);
	assert_int_equal(k->wrote, RCPT_N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_scenes),
		cmocka_unit_test(keys_are_asked_for_once_and_recipients_are_told),
		cmocka_unit_test(the_way_is_auths_until_it_tells_of_a_change),
		cmocka_unit_test(letters_for_the_relay_share_a_key_for_a_moment),
		cmocka_unit_test(a_sender_is_asked_about_until_something_changes),
		cmocka_unit_test(tls_all_the_way),
		cmocka_unit_test(many_recipients_go_in_parcels),
	};
	must(!failed(random_open()));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
