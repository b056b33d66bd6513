/* POP3 before login, between a client that plays a dialogue and neighbours that
 * are well, silent or gone. What needs TLS is in tests/dialogues/pop3. */
#include "base/test.h"
#include "edge/edge_scenes.h"
#include "run/random.h"

#define HELLO "S: +OK Postern\n"
#define USER "C: USER user1@here.test\nS: +OK\n"
/* "\0user1@here.test\0secret" */
#define PLAIN "AHVzZXIxQGhlcmUudGVzdABzZWNyZXQ="
#define QUIT "C: QUIT\nS: +OK\nEND"

static const struct kit_scene scenes[] = {
	{"USER and PASS", HELLO USER "C: PASS secret\nS: +OK hello\nEND"},
	{"AUTH with initial response", HELLO "C: AUTH PLAIN " PLAIN "\nS: +OK hello\nEND"},
	{"AUTH in two steps", HELLO "C: auth plain\nS: + \nC: " PLAIN "\nS: +OK hello\nEND"},
	{"all at once", HELLO "c: USER user1@here.test\\r\\nPASS secret\\r\\nSTAT\\r\\n\nS: +OK\nS: +OK hello\nEND"},
	{"HTTP", HELLO "C: GET / HTTP/1.1\nC: CAPA\nS: -ERR This is a port for mail\nEND"},
	{"lines ended by LF", HELLO "c: USER user1@here.test\\n\nS: +OK\nc: PASS secret\\n\nS: +OK hello\nEND"},
	{"the words of CAPA", HELLO "C: CAPA\nS: +OK\nS: USER\nS: SASL PLAIN\nS: TOP\nS: UIDL\nS: RESP-CODES\n"
		"S: AUTH-RESP-CODE\nS: PIPELINING\nS: UTF8 USER\nS: EXPIRE NEVER\nS: IMPLEMENTATION Postern\nS: .\n" QUIT},
	{"the mechanisms", HELLO "C: AUTH\nS: +OK\nS: PLAIN\nS: SCRAM-SHA-256\nS: .\n"
		"C: AUTH CRAM-MD5\nS: -ERR This mech\n" QUIT},
	{"UTF8", HELLO "C: UTF8\nS: +OK\n" USER "C: PASS secret\nS: +OK hello\nEND"},

	/* refusals (RFC 3206) */
	{"a wrong password", HELLO USER "C: PASS Secret\nS: -ERR [AUTH] \nC: PASS secret\nS: -ERR Send USER\n"
		USER "C: PASS secret\nS: +OK hello\nEND"},
	{"an unknown user", HELLO "C: USER nobody\nS: +OK\nC: PASS secret\nS: -ERR [AUTH] \n" QUIT},
	{"a wrong PLAIN", HELLO "C: AUTH PLAIN AHVzZXIxQGhlcmUudGVzdAB4\nS: -ERR [AUTH] \n" QUIT},
	{"no PLAIN", HELLO "C: AUTH PLAIN ====\nS: -ERR The login message\nC: AUTH PLAIN =\nS: -ERR The login\n"
		"C: AUTH PLAIN\nS: + \nC: *\nS: -ERR The login was cancelled\n" QUIT},
	{"PASS without USER", HELLO "C: PASS secret\nS: -ERR Send USER\nC: PASS\nS: -ERR A space\n" QUIT},
	{"no name is like that", HELLO "C: USER \xff\nS: -ERR No user\nC: PASS a\nS: -ERR Send USER\n" USER
		"C: PASS \xff\nS: -ERR [AUTH] No password\n" QUIT},
	{"the last USER counts", HELLO "C: USER nobody\nS: +OK\n" USER "C: PASS secret\nS: +OK hello\nEND"},
	{"five failed logins", HELLO USER "C: PASS a\nS: -ERR [AUTH]\n" USER "C: PASS b\nS: -ERR [AUTH]\n"
		USER "C: PASS c\nS: -ERR [AUTH]\n" USER "C: PASS d\nS: -ERR [AUTH] User\n"
		USER "C: PASS e\nS: -ERR [AUTH] Too many\nEND"},
	{"a guesser waits", HELLO USER "C: PASS a\nW: 4000\nC: NOOP\nW: 900\nW: 200\nS: -ERR [AUTH]\nS: -ERR Log in\n" QUIT,
		.delay = 5000},
	{"auth has gone", HELLO USER "C: PASS secret\nS: -ERR [SYS/TEMP]\n" USER "C: PASS secret\nS: -ERR [SYS/TEMP]\n"
		QUIT, .gone = KIT_AUTH},
	{"auth refuses to answer", HELLO USER "C: PASS secret\nS: -ERR [SYS/TEMP]\n" QUIT, .refuses = KIT_AUTH},

	/* order and form */
	{"not before login", HELLO "C: STAT\nS: -ERR Log in\nC: LIST\nS: -ERR Log in\nC: RETR 1\nS: -ERR Log in\n"
		"C: NOOP\nS: -ERR Log in\n" QUIT},
	{"unknown commands", HELLO "C: EHLO a\nS: -ERR This server\nC: \nS: -ERR\nC: APOP a b\nS: -ERR This server\n" QUIT},
	{"STLS without a certificate", HELLO "C: STLS\nS: -ERR TLS is active\n" QUIT},
	{"STLS without a certificate, in clear", HELLO "C: STLS\nS: -ERR TLS is not\n" QUIT, .clear = true},
	{"nothing is heard for too long", HELLO "W: 61000\nEND"},
	{"half a command", HELLO "c: USER us\nW: 61000\nEND"},
};

static void act(struct kit *k, const struct kit_scene *s)
{
	kit_enter(k, s, CLIENT_POP3);
	k->guest.encrypted = !s->clear;
	kit_play(k, s->play);
}

static void every_scene_is_played(void **state)
{
	(void)state;
	kit_scenes(scenes, sizeof scenes / sizeof scenes[0], act);
}

ON_KIT(no_password_is_looked_at_in_clear)
{
	kit_open(k, false);
	kit_begin(k, CLIENT_POP3);
	kit_play(k, HELLO "C: CAPA\nS: +OK\nS: TOP\nS: UIDL\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: PIPELINING\n"
		"S: UTF8\nS: EXPIRE\nS: IMPLEMENTATION\nS: .\nC: USER user1@here.test\nS: -ERR Begin TLS\n"
		"C: PASS secret\nS: -ERR Begin TLS\nC: AUTH PLAIN " PLAIN "\nS: -ERR Begin TLS\nC: AUTH\nS: -ERR Begin TLS\n"
		QUIT);
	assert_int_equal(k->logins, 0);
}

ON_KIT(lines_and_commands_have_a_limit)
{
	kit_open(k, false);
	kit_begin(k, CLIENT_POP3);
	kit_play(k, HELLO "c: USER ");
	for (int i = 0; i < 1000; i++)
		kit_say(k, STR("0123456789"));
	kit_play(k, "C: x\nS: -ERR No command");
	for (int i = 0; i < 99; i++)
		kit_play(k, "C: CAPA x\nS: -ERR This command");
	kit_play(k, "C: CAPA\nS: -ERR Too many commands\nEND");
}

ON_KIT(a_stopping_server_says_so)
{
	kit_open(k, true);
	kit_begin(k, CLIENT_POP3);
	kit_play(k, HELLO USER);
	k->edge.stopping = true;
	fiber_cancel(k->fiber);
	kit_play(k, "S: -ERR [SYS/TEMP] The server is stopping\nEND");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scene_is_played),
		cmocka_unit_test(no_password_is_looked_at_in_clear),
		cmocka_unit_test(lines_and_commands_have_a_limit),
		cmocka_unit_test(a_stopping_server_says_so),
	};
	assert_ok(random_open());
	return cmocka_run_group_tests_name("edge pop3", tests, NULL, NULL);
}
