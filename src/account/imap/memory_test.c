/* A dialogue over and over with the N-th allocation refused: the session answers
 * or ends, what it said OK to is so, what it said NO to is not, the account is
 * sound, and the next session is served. */
#include "account/stage.h"
#include "grammar/text/charset.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define DRAFT "Subject: draft\r\n\r\nnot sent\r\n"
/* Two letters are there: uid 1 and 2. */
static const char says[] =
	"a01 CAPABILITY\r\na02 ENABLE CONDSTORE\r\na03 SELECT INBOX\r\n"
	"a04 FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[] BODY[1])\r\n"
	"a05 APPEND Drafts (\\Draft word) {28+}\r\n" DRAFT "\r\n"
	"a06 UID STORE 1 +FLAGS (\\Flagged keyword)\r\n"
	"a07 SEARCH OR SUBJECT one TEXT body\r\na08 UID COPY 1 Archive\r\na09 UID MOVE 1 Trash\r\n"
	"a10 UID STORE 2 +FLAGS (\\Deleted)\r\na11 UID EXPUNGE 2\r\n"
	"a12 LIST \"\" * RETURN (STATUS (MESSAGES UNSEEN))\r\na13 STATUS Trash (MESSAGES UIDNEXT HIGHESTMODSEQ)\r\n"
	"a14 CREATE new/one\r\na15 RENAME new other\r\na16 DELETE other/one\r\na17 SUBSCRIBE other\r\n"
	"a18 GETQUOTAROOT INBOX\r\na19 NOOP\r\na20 IDLE\r\nDONE\r\na21 NONSENSE\r\na22 LOGOUT\r\n";
enum { COMMANDS = 22, SAID_MAX = 1 << 20 };

/* Outside the seam that refuses: 'O'K, 'N'O, 'B'AD, or 0 for no answer. */
struct answers {
	char of[COMMANDS + 1];
};

static void note(struct answers *a, str line)
{
	uint64_t n;
	if (line.n < 5 || line.p[0] != 'a' || line.p[3] != ' ' || !str_to_u64(str_sub(line, 1, 2), &n) || n > COMMANDS)
		return;
	a->of[n] = line.p[4];
}

static struct answers listen_to(int fd, const bool *over)
{
	static char said[SAID_MAX];
	struct answers a = {{0}};
	size_t n = 0;
	for (int patience = 0; patience < 10000; patience++) {
		ssize_t got = read(fd, said + n, sizeof said - n);
		if (got == 0 || (got < 0 && *over))
			break;
		n += got > 0 ? (size_t)got : 0;
		if (got < 0)
			assert_ok(fiber_sleep(1));
	}
	for (str rest = str_of(said, n); rest.n;) {
		size_t end = str_find(rest, STR("\r\n"));
		note(&a, str_sub(rest, 0, end));
		rest = end == STR_NONE ? str_of(NULL, 0) : str_skip(rest, end + 2);
	}
	return a;
}

static struct answers speak(struct stage *t, uint64_t place, bool *hit)
{
	int client = stage_connect(t, 0);
	const bool *over = &t->sessions[0].over;
	assert_int_equal(write(client, says, sizeof says - 1), sizeof says - 1);
	mem_fail_at(place);
	struct answers a = listen_to(client, over);
	*hit = mem_count() >= place;
	mem_fail_at(0);
	close(client);
	for (int i = 0; i < 5000 && !*over; i++)
		assert_ok(fiber_sleep(1));
	assert_true(*over);
	return a;
}

/* ---- what is so ---- */

static uint32_t count_in(struct stage *t, const char *mailbox)
{
	struct mailbox_status s;
	result r = mailbox_status_of(&t->kit->owner, str_from(mailbox), &s);
	return failed(r) ? UINT32_MAX : s.messages;
}

static bool is_flagged(struct stage *t, const char *mailbox, uint32_t uid, uint64_t flag)
{
	struct view *v = kit_view(t->kit, mailbox);
	uint64_t flags = kit_flags(v, uid);
	view_close(&v);
	return flags != UINT64_MAX && (flags & flag);
}

static uint64_t place;

/* OK: it is so. NO: it is not. Without an answer either. */
static void expect(const struct answers *a, unsigned command, bool so)
{
	if (a->of[command] == 'O' && !so)
		fail_msg("allocation %lu: a%02u was answered OK and is not so", (unsigned long)place, command);
	if (a->of[command] == 'N' && so)
		fail_msg("allocation %lu: a%02u was answered NO and is so", (unsigned long)place, command);
}

static void judge(struct stage *t, const struct answers *a)
{
	bool moved = count_in(t, "Trash") == 1;
	expect(a, 5, count_in(t, "Drafts") == 1);
	expect(a, 6, is_flagged(t, moved ? "Trash" : "INBOX", 1, STORE_FLAGGED));
	expect(a, 8, count_in(t, "Archive") == 1);
	expect(a, 9, moved);
	if (a->of[10] == 'O')
		expect(a, 11, count_in(t, "INBOX") == (moved ? 0 : 1));
	else if (a->of[10] == 'N')
		assert_false(is_flagged(t, "INBOX", 2, STORE_DELETED));
	if (a->of[14] == 'O' && a->of[15] == 'O')
		expect(a, 16, count_in(t, "other/one") == UINT32_MAX);
	expect(a, 14, count_in(t, "new/one") != UINT32_MAX || count_in(t, "other/one") != UINT32_MAX || a->of[16] == 'O');
}

static bool went_on, given_up;

static void on_give_up(result why)
{
	assert_int_equal(why.kind, FAIL_MEMORY);
	given_up = true;
}

/* As the account's process does: it ends, and another one opens the store. */
static void start_anew(struct stage *t)
{
	struct kit *k = t->kit;
	stage_close(t);
	kit_reopen(k);
	stage_open(t, k);
}

static void round_of(struct kit *k)
{
	static const char *const serve[] = {"C: b1 SELECT INBOX", "S> b1 OK ...", "C: b2 NOOP", "S> b2 OK ...",
		"C: b3 APPEND Sent {28+}", "C: Subject: draft", "C: ", "C: not sent", "C: ", "S> b3 OK ...", NULL};
	struct stage t;
	k->give_up = on_give_up;
	given_up = false;
	kit_reopen(k);
	stage_open(&t, k);
	stage_deliver(&t, STR("Subject: one\r\n\r\nbody\r\n"));
	stage_deliver(&t, STR("Subject: two\r\nContent-Type: text/html\r\n\r\n<b>body</b>\r\n"));
	struct answers a = speak(&t, place, &went_on);
	if (given_up)
		start_anew(&t);
	judge(&t, &a);
	for (unsigned i = 1; i <= COMMANDS && !went_on; i++)
		if (a.of[i] != (i == 21 ? 'B' : 'O'))
			fail_msg("a%02u was answered %c", i, a.of[i]);
	stage_play(&t, serve);
	stage_close(&t);
}

static void every_allocation_may_be_refused(void **state)
{
	const char *first = getenv("POSTERN_ROUND"); /* begin there, to look at one */
	(void)state;
	place = 1;
	if (first)
		(void)str_to_u64(str_from(first), &place);
	do
		kit_run(round_of); /* which ends with a look at every invariant */
	while (went_on && ++place < 5000);
	printf("%lu allocations\n", (unsigned long)place - 1);
	assert_true(place > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_be_refused)};
	if (failed(charset_preload()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
