/* Programs of this machine on the local socket: who they are is what the kernel says. */
#include "base/test.h"
#include "edge/edge_scenes.h"
#include "run/random.h"

#define EHLO "S: 220 mx.here.test\nC: EHLO localhost\nS: 250 HELP\n"
#define LETTER "C: DATA\nS: 354\nC: Subject: hello\nC: \nC: text\nC: .\n"

static const struct kit_scene scene = {.play = ""};

static void enter(struct kit *k, uint32_t uid)
{
	kit_enter(k, &scene, CLIENT_LOCAL);
	client_set_user(&k->guest, uid);
}

ON_KIT(a_user_with_an_account_sends)
{
	enter(k, KIT_USER);
	kit_play(k, EHLO "H: XACCOUNT user1@here.test\nN: AUTH\nN: STARTTLS\nH: REQUIRETLS\n"
		"C: MAIL FROM:<user1@here.test> REQUIRETLS\nS: 250\nC: RCPT TO:<a@far.test>\nS: 250\n" LETTER "S: 250\nP: 1\n"
		"T: account 1 route 0 flags 8 from user1@here.test\nT: DKIM-Signature: s=rsa\nT: Received: from unknown\\r\\n\n"
		"C: MAIL FROM:<user2@here.test>\nS: 553 5.7.1\nC: QUIT\nS: 221\nEND");
	kit_wait(0);
	assert_int_equal(k->logouts, 1);
}

ON_KIT(whom_nobody_named_does_not)
{
	enter(k, KIT_USER + 1);
	kit_play(k, EHLO "N: XACCOUNT\nC: MAIL FROM:<user1@here.test>\nS: 530 5.7.0\nC: RCPT TO:<a@far.test>\nS: 503\n"
		"C: XCLIENT ADDR=192.0.2.9\nS: 550");
	assert_int_equal(k->kept_n, 0);
}

ON_KIT(nor_does_anybody_while_auth_is_gone)
{
	enter(k, KIT_USER);
	k->gone = KIT_AUTH;
	kit_play(k, EHLO "C: MAIL FROM:<user1@here.test>\nS: 451 4.7.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_with_an_account_sends),
		cmocka_unit_test(whom_nobody_named_does_not),
		cmocka_unit_test(nor_does_anybody_while_auth_is_gone),
	};
	must(!failed(random_open()));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
