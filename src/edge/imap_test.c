/* IMAP before login, played by a client. */
#include "base/test.h"
#include "edge/edge_scenes.h"
#include "run/random.h"

#define HELLO "S: * OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+\n"
#define IN "S: a OK hello\nS: * BYE that was all\nEND"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct kit_scene scenes[] = {
	{"capabilities without TLS", HELLO "H: LOGINDISABLED\nN: AUTH=\nN: STARTTLS\nC: a CAPABILITY\nS: * CAPABILITY\n"
		"S: a OK"},
	{"HTTP", HELLO "C: POST / HTTP/1.1\nC: a LOGIN user1@here.test secret\nS: * BYE This is a port for mail\nEND",
		.demo = true},
	{"logout", HELLO "C: a LOGOUT\nS: * BYE\nS: a OK\nEND"},
	{"noop, id", HELLO "C: a NOOP\nS: a OK\nC: b ID NIL\nS: * ID (\nS: b OK"},
	{"a command of later", HELLO "C: a SELECT INBOX\nS: a BAD Log in first"},
	{"no password in clear", HELLO "C: a LOGIN user1 secret\nS: a NO [PRIVACYREQUIRED]\n"
		"C: a AUTHENTICATE PLAIN\nS: a NO [PRIVACYREQUIRED]"},
	{"no certificate", HELLO "C: a STARTTLS\nS: a NO"},
	{"login", HELLO "H: AUTH=PLAIN\nC: a LOGIN user1@here.test secret\n" IN, .demo = true},
	{"login by literals", HELLO "C: a LOGIN {15}\nS: + \nC: user1@here.test {6+}\nc: secret\\r\\n\n" IN, .demo = true},
	{"authenticate at once", HELLO "C: a AUTHENTICATE PLAIN AHVzZXIxQGhlcmUudGVzdABzZWNyZXQ=\n" IN, .demo = true},
	{"authenticate in two steps", HELLO "C: a AUTHENTICATE PLAIN\nS: + \nC: AHVzZXIxQGhlcmUudGVzdABzZWNyZXQ=\n" IN,
		.demo = true},
	{"cancelled", HELLO "C: a AUTHENTICATE PLAIN\nS: + \nC: *\nS: a BAD The login was cancelled\nC: b NOOP\nS: b OK",
		.demo = true},
	{"another mechanism", HELLO "C: a AUTHENTICATE CRAM-MD5\nS: a NO [CANNOT]", .demo = true},
	{"wrong password", HELLO "C: a LOGIN user1@here.test wrong\nS: a NO [AUTHENTICATIONFAILED]\nC: b NOOP\nS: b OK",
		.demo = true},
	{"a user name that nobody has", HELLO "C: a LOGIN " A64 A64 A64 A64 " x\nS: a NO [AUTHENTICATIONFAILED]",
		.demo = true},
	{"a long tag", HELLO "C: " A64 "b NOOP\nS: " A64 "b OK\nC: " A64 "b LOGIN user1@here.test secret\nS: " A64 "b BAD",
		.demo = true},
	{"auth does not say what to offer", "W: 600\nS: * OK [CAPABILITY\nH: AUTH=PLAIN\nN: SCRAM", .demo = true,
		.silent = KIT_OFFERS},
	{"auth is silent", HELLO "C: a LOGIN user1@here.test secret\nW: 61000\nS: a NO [UNAVAILABLE]", .demo = true,
		.silent = KIT_AUTH},
	{"auth answers too late", HELLO "C: a LOGIN user1@here.test secret\nW: 61000\nS: a NO [UNAVAILABLE]\nL:\n"
		"S: * BYE\nEND", .demo = true, .silent = KIT_AUTH},
	{"auth is gone", HELLO "C: a LOGIN user1@here.test secret\nS: a NO [UNAVAILABLE]", .demo = true, .gone = KIT_AUTH},
	{"a literal of 4 GB", HELLO "C: a LOGIN {4294967295}\nS: a BAD [TOOBIG]\nC: b NOOP\nS: b OK", .demo = true},
	{"a literal of no size", HELLO "C: a LOGIN {99999999999999999999}\nS: a BAD [TOOBIG]\nC: b NOOP\nS: b OK\n"
		"C: c LOGIN {99999999999999999999+}\nS: * BYE [TOOBIG]\nEND"},
	{"a literal of 4 GB without asking", HELLO "C: a LOGIN {4294967295+}\nC: b NOOP\nS: * BYE [TOOBIG]\nEND"},
	{"too many literals", HELLO "c: a LOGIN {0+}\\r\\n {0+}\\r\\n {0+}\\r\\n {0+}\\r\\n {0+}\\r\\n\n"
		"S: * BYE [TOOBIG]\nEND"},
	{"silence", HELLO "W: 61000\nS: * BYE Nobody logged in in time\nEND"},
	{"a drop now and then", HELLO "c: a\nW: 30000\nc: b\nW: 31000\nS: * BYE Nobody logged in in time\nEND"},
};

static void act(struct kit *k, const struct kit_scene *s)
{
	kit_enter(k, s, CLIENT_IMAP);
	kit_play(k, s->play);
}

static void every_scene_is_played(void **state)
{
	(void)state;
	kit_scenes(scenes, sizeof scenes / sizeof scenes[0], act);
}

ON_KIT(a_line_without_end_is_ended)
{
	kit_open(k, false);
	kit_begin(k, CLIENT_IMAP);
	kit_play(k, HELLO);
	for (int i = 0; i < 2000; i++)
		kit_say(k, STR("aaaaaaaaaa"));
	kit_play(k, "C: \nS: * BYE [TOOBIG]\nEND");
}

ON_KIT(a_guesser_waits_and_is_ended)
{
	kit_open(k, true);
	kit_begin(k, CLIENT_IMAP);
	k->guest.trusted = false;
	k->delay = 3000;
	kit_play(k, HELLO);
	for (int i = 0; i < 5; i++)
		kit_play(k, "C: a LOGIN user1@here.test wrong\nW: 2900\nW: 200\nS: a NO");
	kit_play(k, "S: * BYE Too many failed logins\nEND");
}

ON_KIT(commands_before_login_have_a_limit)
{
	kit_open(k, false);
	kit_begin(k, CLIENT_IMAP);
	kit_play(k, HELLO);
	for (int i = 0; i < 100; i++)
		kit_play(k, "C: a NOOP\nS: a OK");
	kit_play(k, "C: a NOOP\nS: * BYE Too many commands before login\nEND");
}

ON_KIT(a_stopping_server_says_so)
{
	kit_open(k, false);
	kit_begin(k, CLIENT_IMAP);
	kit_play(k, HELLO);
	k->edge.stopping = true;
	fiber_cancel(k->fiber);
	kit_play(k, "S: * BYE [UNAVAILABLE] The server is stopping\nEND");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scene_is_played),
		cmocka_unit_test(a_line_without_end_is_ended),
		cmocka_unit_test(a_guesser_waits_and_is_ended),
		cmocka_unit_test(commands_before_login_have_a_limit),
		cmocka_unit_test(a_stopping_server_says_so),
	};
	assert_ok(random_open());
	return cmocka_run_group_tests_name("edge imap", tests, NULL, NULL);
}
