/* Answers as the large providers give them, and what they are taken for. */
#include "base/test.h"

#include <stdio.h>

#include "grammar/smtp/advice.h"

static const struct {
	uint16_t code;
	const char *status, *host, *text, *means;
} answers[] = {
	/* Gmail */
	{550, "5.1.1", "gmail-smtp-in.l.google.com", "The email account that you tried to reach does not exist. Please try "
		"double-checking the recipient's email address for typos", "unknown-user"},
	{552, "5.2.2", "gmail-smtp-in.l.google.com", "The recipient's inbox is out of storage space. Please direct the "
		"recipient to https://support.google.com/mail/?p=OverQuotaPerm", "mailbox-full"},
	{550, "5.7.26", "aspmx.l.google.com", "Your email has been blocked because the sender is unauthenticated. Gmail "
		"requires all senders to authenticate with either SPF or DKIM.", "unproven-sender"},
	{550, "5.7.25", "aspmx.l.google.com", "The IP address sending this message does not have a PTR record setup",
		"no-reverse-name"},
	{550, "5.7.1", "gmail-smtp-in.l.google.com", "[2001:db8::1] Our system has detected that this message does not "
		"meet IPv6 sending guidelines regarding PTR records and authentication.", "gmail-ipv6"},
	{421, "4.7.0", "gmail-smtp-in.l.google.com", "[192.0.2.1 15] Our system has detected that this message is "
		"suspicious due to the very low reputation of the sending IP address.", "gmail-reputation"},
	{421, "4.7.28", "gmail-smtp-in.l.google.com", "Gmail has detected an unusual rate of unsolicited mail",
		"gmail-reputation"},
	{450, "4.2.1", "gmail-smtp-in.l.google.com", "The user you are trying to contact is receiving mail too quickly.",
		"recipient-busy"},
	{550, "5.2.1", "gmail-smtp-in.l.google.com", "The email account that you tried to reach is inactive. "
		"p=DisabledUser",
		"mailbox-disabled"},
	{550, "5.7.26", "gmail-smtp-in.l.google.com.", "Unauthenticated email from example.org is not accepted due to "
		"domain's DMARC policy.", "unproven-sender"},
	{552, "5.7.0", "gmail-smtp-in.l.google.com", "This message was blocked because its content presents a potential "
		"security issue.", "attachment"},
	{552, "5.3.4", "gmail-smtp-in.l.google.com", "Your message exceeded Google's message size limits.", "too-large"},
	/* Outlook, Microsoft 365 */
	{550, "5.7.1", "hotmail-com.olc.protection.outlook.com", "Unfortunately, messages from [192.0.2.1] weren't sent. "
		"Please contact your Internet service provider since part of their network is on our block list (S3150).",
		"microsoft-blocked"},
	{451, "4.7.650", "outlook-com.olc.protection.outlook.com", "The mail server [192.0.2.1] has been temporarily rate "
		"limited due to IP reputation. (S775)", "too-fast"},
	{550, "5.7.606", "example-org.mail.protection.outlook.com", "Access denied, banned sending IP [192.0.2.1]. To "
		"request removal from this list please visit https://sender.office.com/", "microsoft-banned"},
	{550, "5.4.1", "example-org.mail.protection.outlook.com", "Recipient address rejected: Access denied.",
		"unknown-user"},
	{550, "5.5.0", "hotmail-com.olc.protection.outlook.com", "Requested action not taken: mailbox unavailable "
		"(S2017062302).",
		"unknown-user"},
	{550, "5.7.1", "example-org.mail.protection.outlook.com", "Service unavailable, Client host [192.0.2.1] blocked "
		"using Spamhaus. "
		"To request removal from this list see https://www.spamhaus.org/query/ip/192.0.2.1", "spamhaus"},
	{550, "5.7.515", "hotmail-com.olc.protection.outlook.com", "Access denied, sending domain example.org does not "
		"meet the required authentication level.", "dmarc"},
	{550, "5.7.124", "example-org.mail.protection.outlook.com", "Sender not in allowed-senders list", "not-permitted"},
	/* Yahoo, AOL */
	{421, "4.7.0", "mta5.am0.yahoodns.net", "[TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected "
		"volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", "yahoo-deferred"},
	{553, "5.7.1", "mta5.am0.yahoodns.net", "[BL21] Connections will not be accepted from 192.0.2.1, because the ip "
		"is in Spamhaus's list", "yahoo-blocked"},
	{554, "5.7.9", "mta7.am0.yahoodns.net", "Message not accepted for policy reasons. See "
		"https://postmaster.yahooinc.com/error-codes",
		"yahoo-blocked"},
	{552, "", "mta7.am0.yahoodns.net", "1 Requested mail action aborted, mailbox not found", "unknown-user"},
	/* iCloud */
	{554, "5.7.1", "mx01.mail.icloud.com", "[HM08] Message rejected due to local policy. Please visit "
		"https://support.apple.com/en-us/HT204137", "icloud"},
	{552, "5.2.2", "mx02.mail.icloud.com", "<anna@icloud.com>: user is over quota", "mailbox-full"},
	/* Germany's */
	{554, "", "mx00.t-online.de", "IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact "
		"tosa@rx.t-online.de to clarify.)", "t-online"},
	{554, "", "mx00.gmx.net", "Transaction failed Reject due to policy restrictions. For explanation visit "
		"https://postmaster.gmx.net/en/error-messages?ip=192.0.2.1", "gmx-webde"},
	{550, "", "mx-ha02.web.de", "Requested action not taken: mailbox unavailable", "unknown-user"},
	/* filters */
	{550, "5.7.1", "mx0a-0001.pphosted.com", "Service unavailable; client [192.0.2.1] blocked, see "
		"https://ipcheck.proofpoint.com/?ip=192.0.2.1", "proofpoint"},
	{451, "", "eu-smtp-inbound-1.mimecast.com", "Internal resources are temporarily unavailable - "
		"https://community.mimecast.com/docs/DOC-1369#451", "greylisted"},
	{550, "", "us-smtp-inbound-1.mimecast.com", "Rejected by header based Anti-Spoofing policy: a@b.test - "
		"https://community.mimecast.com/docs/DOC-1369#550", "mimecast"},
	{554, "", "mx.example.net", "Service unavailable; Client host [192.0.2.1] blocked using b.barracudacentral.org; "
		"http://www.barracudanetworks.com/reputation/?pr=1&ip=192.0.2.1", "barracuda"},
	{554, "5.7.1", "mx.example.net", "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; "
		"https://www.spamhaus.org/sbl/query/SBL1", "spamhaus"},
	{554, "5.7.1", "mx.example.net", "Client host [192.0.2.1] blocked using pbl.spamhaus.org", "dynamic-address"},
	{554, "5.7.1", "mx.example.net", "Service unavailable; Client host blocked using zen.spamhaus.org; Error: open "
		"resolver; https://www.spamhaus.org/returnc/pub/", "list-misused"},
	{554, "5.7.1", "mx.example.net", "Client host [192.0.2.1] blocked using bl.spamcop.net", "spamcop"},
	/* everybody's */
	{450, "4.2.0", "mx.example.net", "<a@b.test>: Recipient address rejected: Greylisted, see "
		"http://postgrey.schweikert.ch/help",
		"greylisted"},
	{451, "4.7.1", "mx.example.net", "Greylisting in action, please come back later", "greylisted"},
	{550, "5.1.1", "mx.example.net", "<a@b.test>: Recipient address rejected: User unknown in virtual mailbox table",
		"unknown-user"},
	{550, "", "mx.example.net", "No such user here", "unknown-user"},
	{452, "4.2.2", "mx.example.net", "The email account that you tried to reach is over quota", "mailbox-full"},
	{552, "5.3.4", "mx.example.net", "Message size exceeds fixed limit", "too-large"},
	{552, "", "mx.example.net", "Error", "too-large"},
	{450, "4.7.25", "mx.example.net", "Client host rejected: cannot find your hostname, [192.0.2.1]",
		"no-reverse-name"},
	{450, "4.7.1", "mx.example.net", "Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
		"no-reverse-name"},
	{550, "5.7.23", "mx.example.net", "The message was rejected because of Sender Policy Framework violation -> 550 "
		"5.7.1",
		"unproven-sender"},
	{550, "5.7.1", "mx.example.net", "SPF check failed: 192.0.2.1 is not permitted to send for example.org", "spf"},
	{550, "5.7.1", "mx.example.net", "rejected by DMARC policy for example.org", "dmarc"},
	{550, "5.7.20", "mx.example.net", "No passing signature", "dkim"},
	{530, "5.7.0", "mx.example.net", "Must issue a STARTTLS command first", "wants-tls"},
	{554, "5.7.1", "mx.example.net", "<a@b.test>: Relay access denied", "relaying-denied"},
	{535, "5.7.8", "smarthost.example.net", "Error: authentication failed", "login-refused"},
	{554, "5.4.6", "mx.example.net", "Too many hops: 51 (50 max)", "loop"},
	{421, "4.7.0", "mx.example.net", "Too many connections from your IP", "too-fast"},
	{554, "5.7.1", "mx.example.net", "Spam message rejected", "taken-for-spam"},
	{552, "5.7.0", "mx.example.net", "Message contains a virus (Eicar-Test-Signature)", "virus"},
	{550, "5.1.8", "mx.example.net", "<a@b.test>: Sender address rejected: Domain not found", "sender-domain"},
	{554, "", "mx.example.net", "Denied", "failed"},
	{550, "5.7.1", "mx.example.net", "Administrative prohibition", "policy"},
	{451, "", "mx.example.net", "Requested action aborted: local error in processing", "their-trouble"},
	{452, "4.3.1", "mx.example.net", "Insufficient system storage", "their-disk"},
	{452, "4.5.3", "mx.example.net", "Error: too many recipients", "many-recipients"},
	{501, "5.5.4", "mx.example.net", "Helo command rejected: Invalid name", "greeting-name"},
	/* our own words */
	{0, "5.1.10", "", "The domain example.org takes no mail (null MX).", "takes-no-mail"},
	{0, "5.1.2", "", "The domain exampel.org does not exist.", "no-such-domain"},
	{0, "4.4.1", "mx.spf-dmarc.example", "mx.spf-dmarc.example does not answer.", "unreachable"},
	{0, "4.7.10", "mx.example.net", "mx.example.net shows a certificate for another name.", "tls-unverified"},
	{0, "5.7.30", "mx.example.net", "does not promise REQUIRETLS", "no-requiretls"},
	{0, "5.7.10", "mx.example.net", "cannot prove over TLS that it is the right one, which the sender requires",
		"no-requiretls"},
	{0, "5.6.7", "mx.example.net", "no SMTPUTF8", "no-international-addresses"},
	{0, "5.6.3", "mx.example.net", "no 8BITMIME", "no-8bit"},
	{0, "5.3.4", "mx.example.net", "takes at most 10 octets", "too-large"},
	{0, "5.4.7", "", "The time within which the sender wanted it delivered is over.", "time-asked"},
	{0, "4.4.7", "", "It was tried for five days.", "gave-up"},
	{0, "5.4.6", "", "Mail for example.org leads back to this server.", "loop"},
};

static void answers_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		const struct advice_reply r = {answers[i].code, str_from(answers[i].status), str_from(answers[i].host),
			str_from(answers[i].text)};
		const struct advice *a = advice_at(advice_find(&r));
		if (!a || strcmp(a->name, answers[i].means) != 0)
			fail_msg("%u %s %s: taken for %s, not %s", r.code, answers[i].status, answers[i].text,
				 a ? a->name : "nothing", answers[i].means);
	}
}

/* ---- each row by itself ---- */

enum meaning {
#define MEANING(NUMBER, ID, NAME, FAULT, WHAT, REMEDY) ID = (NUMBER),
#include "grammar/smtp/advice_meanings.h"
#undef MEANING
};

static const struct row {
	enum meaning means;
	uint16_t code;
	const char *status, *host, *words;
} rows[] = {
#define PATTERN(...) {__VA_ARGS__},
#include "grammar/smtp/advice_patterns.h"
#undef PATTERN
};

/* An answer that has what the row asks for and nothing else; of the class given, where the row leaves it open. */
static struct advice_reply answer_of(const struct row *row, char class, char status[16], char host[64])
{
	uint16_t code = row->code ? row->code : class == '4' ? 450 : 550;
	snprintf(status, 16, "%s", row->status ? row->status : "");
	if (status[0] == 'x')
		status[0] = class;
	size_t star = strcspn(status, "*");
	status[star] = '\0';
	snprintf(host, 64, "mx1%s", row->host ? row->host : ".example.net");
	if (code < 10)
		code = (uint16_t)(code * 100 + 50);
	return (struct advice_reply){code, str_from(status), str_from(host), STR("")};
}

/* What an earlier row takes in one class it may leave in the other, or where no server answered. */
static bool is_found(const struct row *row, str words)
{
	char status[16], host[64];
	for (char class = '4'; class <= '5'; class++) {
		struct advice_reply r = answer_of(row, class, status, host);
		r.text = words;
		if (advice_find(&r) == (uint16_t)row->means)
			return true;
		r.code = 0;
		if (row->code == 0 && advice_find(&r) == (uint16_t)row->means)
			return true;
	}
	print_error("%s, %s, %s, \"%.*s\": an earlier row says something else\n",
		advice_at((uint16_t)row->means)->name, status, host, STR_ARG(words));
	return false;
}

static void each_row_and_word_is_found(void **state)
{
	size_t wrong = 0;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		str rest = str_from(rows[i].words ? rows[i].words : "");
		do {
			size_t end = str_chr(rest, '|');
			wrong += !is_found(&rows[i], str_sub(rest, 0, end));
			rest = end == STR_NONE ? str_sub(rest, 0, 0) : str_skip(rest, end + 1);
		} while (rest.n > 0);
	}
	assert_int_equal(wrong, 0);
}

static void a_success_means_nothing(void **state)
{
	const struct advice_reply r = {250, STR("2.0.0"), STR("mx.example.net"), STR("spam greylisted")}, none = {0};
	(void)state;
	assert_int_equal(advice_find(&r), 0);
	assert_int_equal(advice_find(&none), 0);
	assert_null(advice_at(0));
	assert_null(advice_at(ADVICE_MAX));
	assert_null(advice_at(UINT16_MAX));
}

static void every_failure_means_something(void **state)
{
	(void)state;
	for (uint16_t code = 400; code < 600; code++) {
		const struct advice_reply r = {code, STR(""), STR(""), STR("")};
		assert_non_null(advice_at(advice_find(&r)));
	}
	const struct advice_reply own = {0, STR("4.9.9"), STR(""), STR("")}, lasting = {0, STR("5.9.9"), STR(""), STR("")};
	assert_string_equal(advice_at(advice_find(&own))->name, "unreachable");
	assert_string_equal(advice_at(advice_find(&lasting))->name, "failed");
}

static void a_status_is_compared_by_its_numbers(void **state)
{
	const struct advice_reply two = {550, STR("5.7.2"), STR(""), STR("")}, other = {550, STR("5.7.299"), STR(""),
		STR("")};
	(void)state;
	assert_string_equal(advice_at(advice_find(&two))->name, "not-permitted");
	assert_string_equal(advice_at(advice_find(&other))->name, "policy");
}

static void every_meaning_is_whole_sentences(void **state)
{
	size_t n = 0;
	(void)state;
	for (uint16_t i = 0; i < ADVICE_MAX; i++) {
		const struct advice *a = advice_at(i);
		if (!a)
			continue;
		n++;
		assert_true(str_ends(str_from(a->meaning), STR(".")));
		assert_true(str_ends(str_from(a->remedy), STR(".")));
		assert_true(strlen(a->meaning) < 200 && strlen(a->remedy) < 200);
		assert_true(strlen(advice_fault_sentence(a->fault)) > 10);
		for (uint16_t k = 0; k < i; k++)
			if (advice_at(k))
				assert_string_not_equal(advice_at(k)->name, a->name);
	}
	assert_true(n > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_understood),
		cmocka_unit_test(each_row_and_word_is_found),
		cmocka_unit_test(a_success_means_nothing),
		cmocka_unit_test(every_failure_means_something),
		cmocka_unit_test(a_status_is_compared_by_its_numbers),
		cmocka_unit_test(every_meaning_is_whole_sentences),
	};
	return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
