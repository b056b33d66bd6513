/* A dialogue of each protocol, over and over, with the N-th allocation refused:
 * every reply is well formed, "Kept" is said of what is kept alone, a login is
 * accepted or refused for now, the session ends, and the next one is served. */
#include "base/test.h"
#include "edge/edge_kit.h"
#include "run/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"

#define AUTH64 "AHVzZXIxQGhlcmUudGVzdABzZWNyZXQ="
#define TWO "RCPT TO:<user1@here.test>\r\nRCPT TO:<user2@here.test>\r\n"
#define LETTERS                                                                         \
	"MAIL FROM:<user1@here.test> SIZE=30\r\n" TWO                                   \
	"DATA\r\nSubject: one\r\n\r\ntext\r\n.\r\n"                                     \
	"MAIL FROM:<user1@here.test> BODY=8BITMIME\r\n" TWO                             \
	"RCPT TO:<unknown@here.test>\r\nRCPT TO:<full@here.test>\r\n"                   \
	"BDAT 7\r\nab\r\nc\r\nBDAT 2 LAST\r\n\r\nRSET\r\nVRFY x\r\nHELP\r\nNONSENSE\r\nQUIT\r\n"

#define FAR "MAIL FROM:<user1@here.test>\r\nRCPT TO:<user1@here.test>\r\nRCPT TO:<a@far.test>\r\n" \
	"DATA\r\nSubject: one\r\n\r\ntext\r\n.\r\n"

static const struct dialogue {
	const char *name, *says;
	enum client_protocol protocol;
	bool demo;       /* logins without TLS */
	bool unable;     /* the copies go to the queue */
	const char *won; /* a line begins so when all is well */
	size_t kept;     /* copies, when all is well */
} dialogues[] = {
	{"smtp", "EHLO client.test\r\n" LETTERS, CLIENT_SMTP, false, false, "250 2.0.0 Kept as ", 4},
	{"smtp by the queue", "EHLO client.test\r\n" LETTERS, CLIENT_SMTP, false, true, "250 2.0.0 Kept as ", 4},
	{"submission", "EHLO client.test\r\nAUTH PLAIN " AUTH64 "\r\n" LETTERS, CLIENT_SUBMISSION, true, false,
		"250 2.0.0 Kept as ", 4},
	{"to elsewhere", "EHLO client.test\r\nAUTH PLAIN " AUTH64 "\r\n" FAR FAR "QUIT\r\n", CLIENT_SUBMISSION, true, false,
		"250 2.0.0 Kept as ", 4},
	{"imap", "a CAPABILITY\r\nb ID NIL\r\nc NOOP\r\nd LOGIN {15+}\r\nuser1@here.test secret\r\n", CLIENT_IMAP, true,
		false, "d OK hello", 0},
	{"imap by AUTHENTICATE", "a AUTHENTICATE PLAIN " AUTH64 "\r\n", CLIENT_IMAP, true, false, "a OK hello", 0},
	{"pop3", "CAPA\r\nUSER user1@here.test\r\nPASS secret\r\n", CLIENT_POP3, true, false, "+OK hello", 0},
};
static const struct dialogue *now;

static bool is_smtp(void)
{
	return now->protocol == CLIENT_SMTP || now->protocol == CLIENT_SUBMISSION;
}

static bool well_formed(str line)
{
	if (is_smtp())
		return line.n >= 4 && line.p[0] >= '2' && line.p[0] <= '5' && ascii_digit(str_at(line, 1)) &&
		       ascii_digit(str_at(line, 2)) && (line.p[3] == ' ' || line.p[3] == '-');
	return line.n > 0 && line.n < 1000;
}

static size_t promised; /* copies that the replies say are kept */

/* How often a line began as when all is well. */
static size_t hear_to_the_end(struct kit *k)
{
	size_t won = 0, recipients = 0;
	str line;
	promised = 0;
	while (kit_hear(k, &line)) {
		if (!well_formed(line))
			fail_msg("%s: \"%.*s\"", now->name, STR_ARG(line));
		if (str_starts(line, STR("250 2.1.0")))
			recipients = 0;
		recipients += str_starts(line, STR("250 2.1.5"));
		won += str_starts(line, str_from(now->won));
		promised += str_starts(line, STR("250 2.0.0 Kept as ")) ? recipients : 0;
	}
	return won;
}

static size_t one_session(struct kit *k, uint64_t n, bool *hit)
{
	kit_begin(k, now->protocol);
	mem_fail_at(n);
	kit_say(k, str_from(now->says));
	shutdown(k->client, SHUT_WR);
	size_t won = hear_to_the_end(k);
	kit_hang_up(k);
	*hit = mem_count() >= n;
	mem_fail_at(0);
	return won;
}

static uint64_t place;
static bool went_on;

static void round_of(struct kit *k)
{
	bool hit;
	kit_open(k, now->demo);
	k->unable = now->unable;
	(void)one_session(k, place, &went_on);
	assert_true(k->kept_n >= promised);
	if (!went_on)
		assert_true(promised == now->kept && k->kept_n == now->kept);
	size_t before = k->kept_n;
	size_t won = one_session(k, 0, &hit);
	if (won != (is_smtp() ? 2 : 1) || k->kept_n - before != now->kept)
		fail_msg("%s: after allocation %lu was refused the next session is not served", now->name,
			(unsigned long)place);
}

static void every_allocation_may_be_refused(void **state)
{
	const char *first = getenv("POSTERN_ROUND"); /* begin there, to look at one */
	(void)state;
	for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++) {
		now = &dialogues[i];
		place = 1;
		if (first)
			(void)str_to_u64(str_from(first), &place);
		do
			kit_run(round_of);
		while (went_on && ++place < 5000);
		printf("%s: %lu allocations\n", now->name, (unsigned long)place - 1);
		assert_true(place > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_be_refused)};
	assert_ok(random_open());
	return cmocka_run_group_tests_name("edge memory", tests, NULL, NULL);
}
