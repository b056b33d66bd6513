#include "base/test.h"

#include "grammar/smtp/smtp_offer.h"

static void a_full_offer_is_read(void **state)
{
	(void)state;
	struct smtp_offer o;
	smtp_offer_read(STR("mx.example.test at your service\nPIPELINING\nsize 52428800\n8BITMIME\nSTARTTLS\nCHUNKING\n"
			    "BINARYMIME\nSMTPUTF8\nDSN\nENHANCEDSTATUSCODES\nREQUIRETLS\nDELIVERBY 240\n"
			    "AUTH LOGIN\tPLAIN XOAUTH2\nLIMITS RCPTMAX=50 MAILMAX=7 RCPTDOMAINMAX=1 NEW=3\nX-OWN thing"),
			&o);
	assert_int_equal(o.has, 8191);
	assert_int_equal(o.size, 52428800);
	assert_int_equal(o.by_min, 240);
	assert_int_equal(o.rcpt_max, 50);
	assert_int_equal(o.mail_max, 7);
	assert_int_equal(o.domain_max, 1);
}

static void the_greeting_offers_nothing(void **state)
{
	(void)state;
	struct smtp_offer o;
	smtp_offer_read(STR("STARTTLS"), &o);
	assert_int_equal(o.has, 0);
	smtp_offer_read(STR("PIPELINING\n\nDSN"), &o);
	assert_int_equal(o.has, SMTP_CAN_DSN);
}

static void what_does_not_parse_is_not_offered(void **state)
{
	(void)state;
	struct smtp_offer o;
	smtp_offer_read(STR("x\nSIZE many\nDELIVERBY soon\nLIMITS RCPTMAX=x MAILMAX\nSTARTTLSX\nAUTH\nSIZE 1x"), &o);
	assert_int_equal(o.has, 0);
	assert_int_equal(o.rcpt_max, 0);
	smtp_offer_read(STR("x\nSIZE\nDELIVERBY\nAUTH=PLAIN"), &o);
	assert_int_equal(o.has, SMTP_CAN_SIZE | SMTP_CAN_DELIVERBY | SMTP_CAN_AUTH_PLAIN);
	assert_int_equal(o.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_offer_is_read),
		cmocka_unit_test(the_greeting_offers_nothing),
		cmocka_unit_test(what_does_not_parse_is_not_offered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
