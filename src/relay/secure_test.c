/* TLS with other servers: as offered, by DANE, by MTA-STS, as the sender requires. */
#include "relay/relay_kit.h"

#include "grammar/dns/rdata.h"
#include "talk/mail_flags.h"

static const struct queue_relay_recipient anna = {.address = STR_INIT("anna@example.test")};

/* ---- TLS ---- */

static void over_tls(const struct queue_relay_sent *s)
{
	kit_delivered(s);
	assert_str(s->tls_version, STR("TLSv1.3"));
	assert_int_equal(s->verified, QUEUE_RELAY_VERIFIED_PKIX);
	assert_int_equal(s->tls.n, 1);
	assert_str(s->tls.p[0].policy_type, STR("no-policy-found"));
	assert_str(s->tls.p[0].result, STR(""));
}

#define TLS_SCRIPT ">220 mx", "<EHLO", ">250-mx", ">250 STARTTLS", "<STARTTLS", ">220 go", "tls"
#define TAKE_IT "<EHLO", ">250 mx", "<MAIL", ">250 fine", "<RCPT", ">250 fine", "<DATA", ">354 go", "data", \
	">250 kept", "<QUIT", ">221 bye"

static void tls_is_taken_where_it_is_offered(void **state)
{
	(void)state;
	static const char *const script[] = {TLS_SCRIPT, TAKE_IT, NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, over_tls);
}

static void in_clear(const struct queue_relay_sent *s)
{
	kit_delivered(s);
	assert_int_equal(s->tls_version.n, 0);
	assert_int_equal(s->tls.n, 1);
	assert_str(s->tls.p[0].result, STR("validation-failure"));
}

static void a_failed_handshake_is_tried_again_without(void **state)
{
	(void)state;
	static const char *const broken[] = {">220 mx", "<EHLO", ">250-mx", ">250 STARTTLS", "<STARTTLS", ">220 go",
		">nonsense", NULL};
	static const char *const plain[] = {">220 mx", TAKE_IT, NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(broken);
	kit_script(plain);
	kit_send(&m, in_clear);
}

static void secure_dns(str key_hash)
{
	static char tlsa[35] = {3, 1, 1};
	memcpy(tlsa + 3, key_hash.p, key_hash.n);
	kit_record((struct kit_record){"example.test", DNS_MX, ASKER_RESOLVE_FINDING_FOUND, true,
		STR("\0\12\2mx\7example\4test\0")});
	kit_record((struct kit_record){"mx.example.test", DNS_A, ASKER_RESOLVE_FINDING_FOUND, true,
		STR("\177\0\0\1")});
	kit_record((struct kit_record){"mx.example.test", DNS_AAAA, ASKER_RESOLVE_FINDING_NO_DATA, true, STR("")});
	kit_record((struct kit_record){"_25._tcp.mx.example.test", DNS_TLSA, ASKER_RESOLVE_FINDING_FOUND, true,
		str_of(tlsa, sizeof tlsa)});
}

static void by_dane(const struct queue_relay_sent *s)
{
	kit_delivered(s);
	assert_int_equal(s->verified, QUEUE_RELAY_VERIFIED_DANE);
	assert_str(s->tls.p[0].policy_type, STR("tlsa"));
}

static void dane_proves_the_server(void **state)
{
	(void)state;
	static const char *const script[] = {TLS_SCRIPT, TAKE_IT, NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	secure_dns(kit.tls_key_hash);
	kit_script(script);
	kit_send(&m, by_dane);
}

static void refused_by_dane(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_LATER);
	assert_str(s->outcomes.p[0].status, STR("4.7.10"));
	assert_int_not_equal(str_find(s->outcomes.p[0].text, STR("DANE")), STR_NONE);
	assert_int_equal(s->tls.n, 1);
	assert_str(s->tls.p[0].result, kit.wanted);
	assert_int_equal(kit.played, 1);
}

static void another_key_than_danes_gets_nothing(void **state)
{
	(void)state;
	static const char *const script[] = {TLS_SCRIPT, NULL};
	static char wrong[32] = "another key";
	struct queue_relay_send m = kit_mail(&anna, 1);
	secure_dns(str_of(wrong, sizeof wrong));
	kit_script(script);
	kit.wanted = STR("validation-failure");
	kit_send(&m, refused_by_dane);
}

static void a_stripped_starttls_gets_nothing_with_dane(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	secure_dns(kit.tls_key_hash);
	kit_script(script);
	kit.wanted = STR("starttls-not-supported");
	kit_send(&m, refused_by_dane);
}

static void require_tls_needs_a_promise(void **state)
{
	(void)state;
	static const char *const script[] = {TLS_SCRIPT, "<EHLO", ">250 mx", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	m.flags = MAIL_REQUIRETLS;
	secure_dns(kit.tls_key_hash);
	kit_script(script);
	kit.wanted = STR("5.7.30");
	kit_send(&m, kit_refused);
}

/* ---- MTA-STS ---- */

#define STS_ENFORCE "version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmax_age: 86400\r\n"

static void sts_dns(const char *policy)
{
	kit_usual_dns();
	kit_record((struct kit_record){"_mta-sts.example.test", DNS_TXT, ASKER_RESOLVE_FINDING_FOUND, false,
		STR("\17v=STSv1; id=17;")});
	kit.sts_policy = policy;
}

static void by_sts(const struct queue_relay_sent *s)
{
	kit_delivered(s);
	assert_int_equal(s->verified, QUEUE_RELAY_VERIFIED_STS);
	assert_str(s->tls.p[0].policy_type, STR("sts"));
	assert_str(s->tls.p[0].policy,
		STR("version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 86400"));
	assert_int_equal(kit.fetched, 1);
}

static void a_policy_that_enforces_proves_the_server(void **state)
{
	(void)state;
	static const char *const script[] = {TLS_SCRIPT, TAKE_IT, NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	sts_dns(STS_ENFORCE);
	kit_script(script);
	kit_send(&m, by_sts);
}

static void refused_by_sts(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_LATER);
	assert_int_not_equal(str_find(s->outcomes.p[0].text, STR("MTA-STS")), STR_NONE);
	assert_int_equal(s->tls.n, 1);
	assert_str(s->tls.p[0].policy_type, STR("sts"));
	assert_str(s->tls.p[0].result, kit.wanted);
}

static void a_stripped_starttls_gets_nothing_under_a_policy(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	sts_dns(STS_ENFORCE);
	kit_script(script);
	kit.wanted = STR("starttls-not-supported");
	kit_send(&m, refused_by_sts);
}

static void a_certificate_nobody_trusts_gets_nothing_under_a_policy(void **state)
{
	(void)state;
	static const char *const script[] = {TLS_SCRIPT, NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	relay.tls = kit.trusts_nobody;
	sts_dns(STS_ENFORCE);
	kit_script(script);
	kit.wanted = STR("certificate-not-trusted");
	kit_send(&m, refused_by_sts);
}

static void a_server_the_policy_does_not_name_is_not_called(void **state)
{
	(void)state;
	struct queue_relay_send m = kit_mail(&anna, 1);
	sts_dns("version: STSv1\r\nmode: enforce\r\nmx: *.other.test\r\nmax_age: 86400\r\n");
	kit.wanted = STR("validation-failure");
	kit_send(&m, refused_by_sts);
	assert_int_equal(kit.played, 0);
}

static void sent_all_the_same(const struct queue_relay_sent *s)
{
	kit_delivered(s);
	assert_int_equal(s->tls.n, 1);
	assert_str(s->tls.p[0].policy_type, STR("sts"));
	assert_str(s->tls.p[0].result, STR("starttls-not-supported"));
}

static void in_testing_it_is_sent_and_reported(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", TAKE_IT, NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	sts_dns("version: STSv1\r\nmode: testing\r\nmx: mx.example.test\r\nmax_age: 86400\r\n");
	kit_script(script);
	kit_send(&m, sent_all_the_same);
}

static void a_policy_holds_while_its_host_is_gone(void **state)
{
	(void)state;
	static const char *const script[] = {TLS_SCRIPT, TAKE_IT, NULL};
	static const char *const stripped[] = {">220 mx", "<EHLO", ">250 mx", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	sts_dns(STS_ENFORCE);
	kit_script(script);
	kit_send(&m, by_sts);
	kit.records[2].rdata = STR("\17v=STSv1; id=18;");
	kit.sts_policy = NULL;
	kit_script(stripped);
	kit.wanted = STR("starttls-not-supported");
	kit_again(&m, refused_by_sts);
	kit.records[2].finding = ASKER_RESOLVE_FINDING_FAILED;
	kit_script(stripped);
	kit_again(&m, refused_by_sts);
	assert_int_equal(kit.fetched, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RELAY(tls_is_taken_where_it_is_offered),
		IN_RELAY(a_failed_handshake_is_tried_again_without),
		IN_RELAY(dane_proves_the_server),
		IN_RELAY(another_key_than_danes_gets_nothing),
		IN_RELAY(a_stripped_starttls_gets_nothing_with_dane),
		IN_RELAY(require_tls_needs_a_promise),
		IN_RELAY(a_policy_that_enforces_proves_the_server),
		IN_RELAY(a_stripped_starttls_gets_nothing_under_a_policy),
		IN_RELAY(a_certificate_nobody_trusts_gets_nothing_under_a_policy),
		IN_RELAY(a_server_the_policy_does_not_name_is_not_called),
		IN_RELAY(in_testing_it_is_sent_and_reported),
		IN_RELAY(a_policy_holds_while_its_host_is_gone),
	};
	return cmocka_run_group_tests(tests, kit_group_open, kit_group_close);
}
