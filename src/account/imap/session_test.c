#include "account/stage.h"
#include "base/mem.h"
#include "grammar/text/charset.h"

DIALOGUE(says_what_it_can,
	"C: a CAPABILITY", "S: * CAPABILITY IMAP4rev1 IMAP4rev2 ...APPENDLIMIT=1048576",
	"S: a OK CAPABILITY completed",
	"C: b NOOP", "S: b OK ...",
	"C: c ID NIL", "S: * ID (...", "S: c OK ...",
	"C: d NAMESPACE", "S: * NAMESPACE ((\"\" \"/\")) NIL NIL", "S: d OK ...",
	"C: e LOGIN a b", "S: e BAD You are logged in already",
	"C: f FETCH 1 UID", "S: f BAD No mailbox is selected...",
	"C: g LOGOUT", "S: * BYE Logging out", "S: g OK ...", "EOF")

DIALOGUE(refuses_what_it_cannot_read,
	"C: a", "S: a BAD ...",
	"C: * NOOP", "S: * BAD ...",
	"C: b BLURDYBLOOP", "S: b BAD ...",
	"C: c SELECT", "S: c BAD ...",
	"C: d SELECT INBOX extra", "S: d BAD ...",
	"C: e LIST \"\" \"open", "S: e BAD ...",
	"C: f SEARCH {9000}", "S: f BAD [TOOBIG] ...",
	"C: g SEARCH {4294967296}", "S: g BAD [TOOBIG] ...",
	"C: h NOOP", "S: h OK ...",
	"C: i SELECT {99999999999999999999999}", "S: i BAD [TOOBIG] ...",
	"C: j SELECT {9000000000+}", "S: * BYE [TOOBIG] ...", "EOF")

DIALOGUE(reads_literals,
	"C: a SELECT {5}", "S: + ...",
	"C: INBOX", "S> a OK [READ-WRITE] ...",
	"C: b SELECT {5+}",
	"C: INBOX", "S: * OK [CLOSED] ...", "S> b OK [READ-WRITE] ...",
	"C: c LIST {0+}",
	"C:  {5+}",
	"C: INBOX", "S: * LIST (...) \"/\" INBOX", "S: c OK ...")

DIALOGUE(answers_together_what_comes_together,
	"DELIVER one",
	"C- a SELECT INBOX\\r\\nb FETCH 1 UID\\r\\nc LOGOUT\\r\\n", "S> a OK ...", "S: * 1 FETCH (UID 1)",
	"S: b OK ...", "S: * BYE ...", "S: c OK ...", "EOF")

DIALOGUE(selects,
	"DELIVER one",
	"DELIVER two",
	"C: a SELECT INBOX", "S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
	"S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] ...", "S: * 2 EXISTS",
	"S: * 2 RECENT", "S: * OK [UNSEEN 1] ...", "S: * OK [UIDVALIDITY ...] ...", "S: * OK [UIDNEXT 3] ...",
	"S: * OK [HIGHESTMODSEQ ...] ...", "S: * OK [MAILBOXID (F...)] ...", "S: a OK [READ-WRITE] ...",
	"C: b CLOSE", "S: b OK ...",
	"C: c EXAMINE INBOX", "S> * OK [PERMANENTFLAGS ()] ...", "S> c OK [READ-ONLY] ...",
	"C: d STORE 1 +FLAGS (\\Seen)", "S: d NO [READ-ONLY] ...",
	"C: e SELECT nowhere", "S: * OK [CLOSED] ...", "S: e NO [NONEXISTENT] ...",
	"C: f FETCH 1 FLAGS", "S: f BAD ...")

DIALOGUE(makes_and_moves_mailboxes,
	"C: a CREATE blurdybloop/", "S: a OK [MAILBOXID (F...)] ...",
	"C: b CREATE blurdybloop", "S: b NO [ALREADYEXISTS] ...",
	"C: c CREATE INBOX", "S: c NO ...",
	"C: d RENAME blurdybloop sarasoop", "S: d OK ...",
	"C: e RENAME zowie x", "S: e NO [NONEXISTENT] ...",
	"C: f DELETE sarasoop", "S: f OK ...",
	"C: g DELETE sarasoop", "S: g NO [NONEXISTENT] ...",
	"C: h DELETE INBOX", "S: h NO [CANNOT] ...",
	"C: i CREATE a//b", "S: i NO [CANNOT] ...",
	"C: j CREATE \"bad&name\"", "S: j NO [CANNOT] ...",
	"C: k CREATE x (USE (\\Sent))", "S: k ...",
	"C: l CREATE y (USE (\\Important))", "S: l NO [USEATTR] ...")

DIALOGUE(lists,
	"C: a LIST \"\" \"\"", "S: * LIST (\\Noselect) \"/\" \"\"", "S: a OK ...",
	"C: b LIST \"\" inbox", "S: * LIST (\\HasNoChildren) \"/\" INBOX", "S: b OK ...",
	"C: c CREATE work/2026/march", "S: c OK ...",
	"C: d LIST \"\" \"work/%\"", "S: * LIST (\\NonExistent \\Noselect \\HasChildren) \"/\" work/2026",
	"S: d OK ...",
	"C: e LIST work/ 2026*", "S: * LIST (...) \"/\" work/2026",
	"S: * LIST (\\HasNoChildren) \"/\" work/2026/march", "S: e OK ...",
	"C: f LIST \"\" Sent", "S: * LIST (\\HasNoChildren \\Sent) \"/\" Sent", "S: f OK ...",
	"C: g LIST (SPECIAL-USE) \"\" (Tr% Jun%) RETURN (STATUS (MESSAGES))",
	"S: * LIST (...\\Junk) \"/\" Junk", "S: * STATUS Junk (MESSAGES 0)",
	"S: * LIST (...\\Trash) \"/\" Trash", "S: * STATUS Trash (MESSAGES 0)", "S: g OK ...",
	"C: h CREATE \"&ZeVnLIqe-\"", "S: h OK ...",
	"C: i LIST \"\" \"&Ze*\"", "S: * LIST (...) \"/\" &ZeVnLIqe-", "S: i OK ...")

DIALOGUE(subscribes,
	"C: a CREATE club/chess", "S: a OK ...",
	"C: b SUBSCRIBE club/chess", "S: b OK ...",
	"C: c LSUB \"\" club/*", "S: * LSUB () \"/\" club/chess", "S: c OK ...",
	"C: d LSUB \"\" %", "S> * LSUB (\\Noselect) \"/\" club", "S> d OK ...",
	"C: e LIST (SUBSCRIBED RECURSIVEMATCH) \"\" club",
	"S: * LIST (...) \"/\" club (\"CHILDINFO\" (\"SUBSCRIBED\"))", "S: e OK ...",
	"C: f UNSUBSCRIBE club/chess", "S: f OK ...",
	"C: g LSUB \"\" club/*", "S: g OK ...")

DIALOGUE(counts,
	"DELIVER one",
	"DELIVER two",
	"C: a STATUS inbox (UIDNEXT MESSAGES UNSEEN)", "S: * STATUS INBOX (MESSAGES 2 UIDNEXT 3 UNSEEN 2)",
	"S: a OK ...",
	"C: b STATUS nowhere (MESSAGES)", "S: b NO [NONEXISTENT] ...",
	"C: c STATUS INBOX (MAILBOXID APPENDLIMIT SIZE DELETED-STORAGE)",
	"S: * STATUS INBOX (DELETED-STORAGE 0 SIZE ... APPENDLIMIT 1048576 MAILBOXID (F...))", "S: c OK ...")

DIALOGUE(fetches_what_is_stored,
	"DELIVER Hello",
	"C: s SELECT INBOX", "S> s OK ...",
	"C: a FETCH 1 ENVELOPE",
	"S: * 1 FETCH (ENVELOPE (\"Tue, 3 Mar 2026 10:00:01 +0000\" \"Hello\" ((\"A. Sender\" NIL "
	"\"sender\" \"example.net\")) "
	"((\"A. Sender\" NIL \"sender\" \"example.net\")) ((\"A. Sender\" NIL \"sender\" \"example.net\")) "
	"((NIL NIL \"user\" \"example.test\")) NIL NIL NIL \"<1@example.net>\"))",
	"S: a OK ...",
	"C: b FETCH 1 BODY",
	"S: * 1 FETCH (BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 20 1))",
	"S: b OK ...",
	"C: c UID FETCH 1 (FLAGS EMAILID THREADID)",
	"S: * 1 FETCH (UID 1 FLAGS (\\Recent) EMAILID (M...) THREADID NIL)", "S: c OK ...",
	"C: d FETCH 1 FAST",
	"S: * 1 FETCH (FLAGS (\\Recent) INTERNALDATE \" 3-Mar-2026 10:00:01 +0000\" RFC822.SIZE 224)",
	"S: d OK ...",
	"C: e FETCH 2 FLAGS", "S: e BAD ...",
	"C: f UID FETCH 99 FLAGS", "S: f OK ...",
	"C: g FETCH 1 SAVEDATE", "S: * 1 FETCH (SAVEDATE \"...\")", "S: g OK ...")

DIALOGUE(fetches_sections,
	"DELIVER Hello",
	"C: s SELECT INBOX", "S> s OK ...",
	"C: a FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT date)]",
	"S: * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT date)] {56}", "S: Subject: Hello",
	"S: Date: Tue, 3 Mar 2026 10:00:01 +0000", "S: ", "S: )", "S: a OK ...",
	"C: b FETCH 1 BODY.PEEK[TEXT]<5.2>", "S: * 1 FETCH (BODY[TEXT]<5> {2}", "S: is)", "S: b OK ...",
	"C: c FETCH 1 BODY.PEEK[TEXT]<500.2>", "S: * 1 FETCH (BODY[TEXT]<500> \"\")", "S: c OK ...",
	"C: d FETCH 1 BODY.PEEK[2]", "S: * 1 FETCH (BODY[2] NIL)", "S: d OK ...",
	"C: e FETCH 1 (BODY.PEEK[1] BINARY.SIZE[1])", "S: * 1 FETCH (BODY[1] {20}", "S: This is a message.",
	"S:  BINARY.SIZE[1] 20)", "S: e OK ...",
	"C: f FETCH 1 FLAGS", "S: * 1 FETCH (FLAGS (\\Recent))", "S: f OK ...",
	"C: g FETCH 1 BODY[TEXT]", "S: * 1 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT] {20}",
	"S: This is a message.", "S: )", "S: g OK ...",
	"C: h FETCH 1 RFC822.HEADER", "S: * 1 FETCH (RFC822.HEADER {204}",
	"S: Return-Path: <sender@example.net>", "S> )", "S: h OK ...")

DIALOGUE(stores_flags,
	"DELIVER one",
	"DELIVER two",
	"C: s SELECT INBOX", "S> s OK ...",
	"C: a STORE 1:2 +FLAGS (\\Deleted $Forwarded)", "S: * FLAGS (... $Forwarded)",
	"S: * OK [PERMANENTFLAGS (... $Forwarded \\*)] ...", "S: * 1 FETCH (FLAGS (\\Deleted \\Recent $Forwarded))",
	"S: * 2 FETCH (FLAGS (\\Deleted \\Recent $Forwarded))", "S: a OK ...",
	"C: b STORE 1 -FLAGS (\\Deleted)", "S: * 1 FETCH (FLAGS (\\Recent $Forwarded))", "S: b OK ...",
	"C: c STORE 1 FLAGS.SILENT (\\Flagged)", "S: c OK ...",
	"C: d FETCH 1 FLAGS", "S: * 1 FETCH (FLAGS (\\Flagged \\Recent))", "S: d OK ...",
	"C: e STORE 1 FLAGS (\\Recent)", "S: e BAD ...",
	"C: f UID STORE 2 FLAGS ()", "S: * 2 FETCH (FLAGS (\\Recent) UID 2)", "S: f OK ...")

DIALOGUE(stores_unless_changed,
	"DELIVER one",
	"C: s SELECT INBOX", "S> s OK ...",
	"2C: s SELECT INBOX", "2S> s OK ...",
	"C: a FETCH 1 MODSEQ", "S: * OK [HIGHESTMODSEQ ...] ...", "S: * 1 FETCH (MODSEQ (...))", "S: a OK ...",
	"C: b STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)",
	"S: * 1 FETCH (FLAGS (\\Recent) UID 1 MODSEQ (...))", "S: b OK [MODIFIED 1] ...",
	"C: c STORE 1 (UNCHANGEDSINCE 1000) +FLAGS.SILENT (\\Seen)", "S: * 1 FETCH (UID 1 MODSEQ (...))",
	"S: c OK ...",
	"2C: n NOOP", "2S: * 1 FETCH (FLAGS (\\Seen))", "2S: n OK ...",
	"C: d FETCH 1 FLAGS (CHANGEDSINCE 1)", "S: * 1 FETCH (FLAGS (\\Seen \\Recent) MODSEQ (...))",
	"S: d OK ...",
	"C: e FETCH 1 FLAGS (CHANGEDSINCE 1000)", "S: e OK ...")

DIALOGUE(expunges,
	"DELIVER 1",
	"DELIVER 2",
	"DELIVER 3",
	"DELIVER 4",
	"C: s SELECT INBOX", "S> s OK ...",
	"C: a STORE 1,3,4 +FLAGS.SILENT (\\Deleted)", "S: a OK ...",
	"C: b UID EXPUNGE 4", "S: * 4 EXPUNGE", "S: b OK ...",
	"C: c EXPUNGE", "S: * 1 EXPUNGE", "S: * 2 EXPUNGE", "S: c OK ...",
	"C: d FETCH 1:* UID", "S: * 1 FETCH (UID 2)", "S: d OK ...",
	"C: e STORE 1 +FLAGS.SILENT (\\Deleted)", "S: e OK ...",
	"C: f UNSELECT", "S: f OK ...",
	"C: g STATUS INBOX (MESSAGES)", "S: * STATUS INBOX (MESSAGES 1)", "S: g OK ...",
	"C: h SELECT INBOX", "S> h OK ...",
	"C: i CLOSE", "S: i OK ...",
	"C: j SELECT INBOX", "S> * 0 EXISTS", "S> j OK ...",
	"C: k FETCH 1:* UID", "S: k OK ...")

DIALOGUE(copies_and_moves,
	"DELIVER 1",
	"DELIVER 2",
	"DELIVER 3",
	"C: s SELECT INBOX", "S> s OK ...",
	"C: a CREATE MEETING", "S: a OK ...",
	"C: b COPY 2:3 MEETING", "S: b OK [COPYUID ... 2:3 1:2] ...",
	"C: c UID MOVE 1 MEETING", "S: * OK [COPYUID ... 1 3] ...", "S: * 1 EXPUNGE", "S: c OK ...",
	"C: d COPY 1 nowhere", "S: d NO [TRYCREATE] ...",
	"C: e STATUS MEETING (MESSAGES)", "S: * STATUS MEETING (MESSAGES 3)", "S: e OK ...",
	"C: f UID COPY 77 MEETING", "S: f OK COPY completed",
	"C: g MOVE 1 nowhere", "S: g NO [TRYCREATE] ...")

DIALOGUE(tells_others,
	"DELIVER 1",
	"DELIVER 2",
	"C: s SELECT INBOX", "S> s OK ...",
	"2C: s SELECT INBOX", "2S> s OK ...",
	"2C: x STORE 1 +FLAGS.SILENT (\\Deleted)", "2S: x OK ...",
	"C: q NOOP", "S: * 1 FETCH (FLAGS (\\Deleted \\Recent))", "S: q OK ...",
	"2C: y EXPUNGE", "2S: * 1 EXPUNGE", "2S: y OK ...",
	"C: a FETCH 2 UID", "S: * 2 FETCH (UID 2)", "S: a OK ...",
	"C: w FETCH 1 FLAGS", "S: w NO [EXPUNGEISSUED] ...",
	"C: b NOOP", "S: * 1 EXPUNGE", "S: b OK ...",
	"DELIVER 3",
	"C: c NOOP", "S: * 2 EXISTS", "S: * 2 RECENT", "S: c OK ...",
	"2C: d NOOP", "2S: * 2 EXISTS", "2S: * 0 RECENT", "2S: d OK ...")

DIALOGUE(idles,
	"C: s SELECT INBOX", "S> s OK ...",
	"C: a IDLE", "S: + ...",
	"DELIVER 1", "S: * 1 EXISTS", "S: * 1 RECENT", "QUIET",
	"2C: s SELECT INBOX", "2S> s OK ...",
	"2C: b STORE 1 +FLAGS.SILENT (\\Deleted)", "2S: b OK ...", "S: * 1 FETCH (FLAGS (\\Deleted \\Recent))",
	"2C: c EXPUNGE", "2S: * 1 EXPUNGE", "2S: c OK ...", "S: * 1 EXPUNGE",
	"C: DONE", "S: a OK IDLE completed",
	"C: d IDLE", "S: + ...",
	"C: nonsense", "S: d BAD ...",
	"C: e UNSELECT", "S: e OK ...",
	"C: f IDLE", "S: + ...",
	"C: DONE", "S: f OK ...")

DIALOGUE(loses_a_mailbox_others_delete,
	"C: a CREATE gone", "S: a OK ...",
	"C: s SELECT gone", "S> s OK ...",
	"3C: s SELECT gone", "3S> s OK ...",
	"3C: i IDLE", "3S: + ...",
	"2C: d DELETE gone", "2S: d OK ...",
	"C: b NOOP", "S: * BYE ...", "EOF", "3S: * BYE The selected mailbox was deleted...", "3EOF",
	"2C: c CREATE own", "2S: c OK ...",
	"2C: e SELECT own", "2S> e OK ...",
	"2C: f DELETE own", "2S: * OK [CLOSED] ...", "2S: f OK ...")

DIALOGUE(appends,
	"C: a APPEND INBOX (\\Seen $Work) \"14-Jul-1993 02:44:25 -0700\" {29}", "S: + ...",
	"C- Subject: afternoon\\r\\n\\r\\nmeeting",
	"C: ", "S: a OK [APPENDUID ... 1] ...",
	"C: b SELECT INBOX", "S> b OK ...",
	"C: c FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)",
	"S: * 1 FETCH (FLAGS (\\Seen \\Recent $Work) INTERNALDATE \"14-Jul-1993 02:44:25 -0700\" RFC822.SIZE 29)",
	"S: c OK ...",
	"C: d APPEND INBOX {5+}",
	"C- hello",
	"C-  (\\Flagged) ~{3+}",
	"C- \\r\\na\\0b",
	"C: ", "S: * 3 EXISTS", "S: * 3 RECENT", "S: d OK [APPENDUID ... 2:3] ...",
	"C: e FETCH 3 (FLAGS BINARY[1])", "S: * 3 FETCH (...", "S> e OK ...",
	"C: f APPEND nowhere {5+}",
	"C: hello", "S: f NO [TRYCREATE] ...",
	"C: g APPEND INBOX {5000000}", "S: g NO [TOOBIG] ...",
	"C: h APPEND INBOX {3+}",
	"C- abc",
	"C-  nonsense {2+}",
	"C- \\r\\nxy",
	"C: ", "S: h BAD ...",
	"C: i APPEND INBOX {0+}",
	"C: ", "S: i NO ...",
	"C: j APPEND INBOX UTF8 (~{3+}",
	"C: abc)", "S: j BAD ...",
	"C: k ENABLE UTF8=ACCEPT", "S: * ENABLED UTF8=ACCEPT", "S: k OK ...",
	"C: l APPEND INBOX UTF8 (~{3+}",
	"C: abc)", "S: * 4 EXISTS", "S: * 4 RECENT", "S: l OK [APPENDUID ... 4] ...")

DIALOGUE(searches,
	"DELIVER Holiday one",
	"DELIVER Holiday two",
	"DELIVER Work",
	"C: s SELECT INBOX", "S> s OK ...",
	"C: a STORE 2 +FLAGS.SILENT (\\Flagged)", "S: a OK ...",
	"C: b SEARCH FLAGGED", "S: * SEARCH 2", "S: b OK ...",
	"C: c SEARCH NOT FLAGGED SUBJECT \"holiday\"", "S: * SEARCH 1", "S: c OK ...",
	"C: d UID SEARCH OR 1 SUBJECT wOrK", "S: * SEARCH 1 3", "S: d OK ...",
	"C: e SEARCH TEXT \"string not in mailbox\"", "S: * SEARCH", "S: e OK ...",
	"C: f SEARCH CHARSET NOSUCH ALL", "S: f NO [BADCHARSET (US-ASCII UTF-8)] ...",
	"C: g SEARCH CHARSET iso-8859-1 BODY message", "S: * SEARCH 1 2 3", "S: g OK ...",
	"C: h SEARCH RETURN (MIN MAX COUNT ALL) ALL", "S: * ESEARCH (TAG \"h\") MIN 1 MAX 3 COUNT 3 ALL 1:3",
	"S: h OK ...",
	"C: i SEARCH RETURN (SAVE) FROM sender SENTON 3-Mar-2026 SUBJECT two", "S: i OK ...",
	"C: j FETCH $ UID", "S: * 2 FETCH (UID 2)", "S: j OK ...",
	"C: k SEARCH UID $", "S: * SEARCH 2", "S: k OK ...",
	"C: l SEARCH ON 3-Mar-2026 HEADER Received test KEYWORD none", "S: * SEARCH", "S: l OK ...",
	"C: m SEARCH SENTBEFORE 3-Mar-2026", "S: * SEARCH", "S: m OK ...",
	"C: n SEARCH HEADER Message-ID \"\" LARGER 10", "S: * SEARCH 1 2 3", "S: n OK ...",
	"C: o SEARCH HEADER received \"FROM test\" HEADER X-None \"\"", "S: * SEARCH", "S: o OK ...",
	"C: p SEARCH HEADER received \"FROM test\"", "S: * SEARCH 1 2 3", "S: p OK ...",
	"C: q SEARCH MODSEQ 1", "S: * OK [HIGHESTMODSEQ ...] ...", "S: * SEARCH 1 2 3 (MODSEQ ...)",
	"S: q OK ...")

DIALOGUE(speaks_rev2,
	"DELIVER 1",
	"C: a ENABLE IMAP4rev2 NONSENSE", "S: * ENABLED IMAP4rev2", "S: a OK ...",
	"C: b SELECT INBOX", "S: * FLAGS ...", "S: * OK [PERMANENTFLAGS ...", "S: * 1 EXISTS",
	"S: * OK [UIDVALIDITY ...", "S: * OK [UIDNEXT ...", "S: * OK [HIGHESTMODSEQ ...",
	"S: * OK [MAILBOXID ...", "S: * LIST (\\HasNoChildren \\Subscribed) \"/\" INBOX", "S: b OK [READ-WRITE] ...",
	"C: c SEARCH ALL", "S: * ESEARCH (TAG \"c\") ALL 1", "S: c OK ...",
	"C: d FETCH 1 FLAGS", "S: * 1 FETCH (FLAGS ())", "S: d OK ...",
	"C: e CREATE \"gr\xc3\xbc\xc3\x9f" "e\"", "S: e OK ...",
	"C: f LIST \"\" gr*", "S: * LIST (\\HasNoChildren) \"/\" \"gr\xc3\xbc\xc3\x9f" "e\"", "S: f OK ...")

DIALOGUE(resynchronises,
	"DELIVER 1",
	"DELIVER 2",
	"DELIVER 3",
	"C: a ENABLE QRESYNC", "S: * ENABLED QRESYNC", "S: a OK ...",
	"C: b SELECT INBOX", "S> b OK ...",
	"C: c STORE 2 +FLAGS.SILENT (\\Deleted)", "S: * 2 FETCH (UID 2 MODSEQ (...))", "S: c OK ...",
	"C: d EXPUNGE", "S: * VANISHED 2", "S: d OK [HIGHESTMODSEQ ...] ...",
	"C: e UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "S: * VANISHED (EARLIER) 2",
	"S: * 1 FETCH (UID 1 FLAGS (\\Recent) MODSEQ (...))",
	"S: * 2 FETCH (UID 3 FLAGS (\\Recent) MODSEQ (...))", "S: e OK ...",
	"C: f SELECT INBOX (QRESYNC (1 1))", "S> * OK [MAILBOXID ...", "S> f OK ...",
	"C: g CLOSE", "S: g OK CLOSE completed")

DIALOGUE(tells_the_quota,
	"C: a GETQUOTAROOT INBOX", "S: * QUOTAROOT INBOX \"\"", "S: * QUOTA \"\" ()", "S: a OK ...",
	"C: b GETQUOTA nowhere", "S: b NO [NONEXISTENT] ...",
	"C: c SETQUOTA \"\" (STORAGE 5)", "S: c NO [NOPERM] ...")

/* ---- beyond dialogues */

ON_STAGE(bounds_a_line)
{
	AUTO_BUF buf line = buf_new(1024 * 1024);
	buf_put(&line, STR("a NOOP "));
	while (line.n < 300000)
		buf_putc(&line, 'x');
	buf_put(&line, STR("\r\nb NOOP\r\n"));
	stage_send(t, 0, buf_str(&line));
	assert_true(str_starts(stage_line(t, 0), STR("a BAD [LIMIT] This command is longer than 65536 octets")));
	assert_str(stage_line(t, 0), STR("b OK NOOP completed"));
}

/* "AAA" in base64, 19 times: one full line. */
static const char quadruples[] = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
	"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";

ON_STAGE(streams_a_big_message)
{
	AUTO_BUF buf text = buf_new(1024 * 1024), command = buf_new(2 * 1024 * 1024);
	buf_put(&text, STR("Subject: big\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
	while (text.n < 700000)
		buf_printf(&text, "%.*s\r\n", 76, quadruples);
	buf_printf(&command, "a APPEND INBOX {%zu+}\r\n", text.n);
	buf_put(&command, buf_str(&text));
	buf_put(&command, STR("\r\nb SELECT INBOX\r\nc FETCH 1 (BODY.PEEK[] BINARY.SIZE[1] BINARY.PEEK[1]<100000.5>)\r\n"));
	stage_send(t, 0, buf_str(&command));
	while (!str_starts(stage_line(t, 0), STR("b OK")))
		;
	AUTO_BUF buf want = buf_new(200);
	buf_printf(&want, "* 1 FETCH (BODY[] {%zu}", text.n);
	assert_str(stage_line(t, 0), buf_str(&want));
	assert_str(stage_octets(t, 0, text.n), buf_str(&text));
	assert_str(stage_line(t, 0), STR(" BINARY.SIZE[1] 511518 BINARY[1]<100000> {5}"));
	assert_str(stage_line(t, 0), STR("AAAAA)"));
	assert_str(stage_line(t, 0), STR("c OK FETCH completed"));
}

/* A header block that the store keeps with the body, and a message inside it all. */
ON_STAGE(fetches_parts_of_parts)
{
	AUTO_BUF buf text = buf_new(4 * 1024 * 1024);
	static const char *const lines[] = {
		"C: a SELECT INBOX", "S> a OK ...",
		"C: b FETCH 1 BODY.PEEK[HEADER.FIELDS (subject)]", "S: * 1 FETCH (BODY[HEADER.FIELDS (subject)] {18}",
		"S: Subject: outer", "S: ", "S: )", "S: b OK ...",
		"C: c FETCH 1 BODY.PEEK[HEADER]<0.10>", "S: * 1 FETCH (BODY[HEADER]<0> {10}", "S: Return-Pat)", "S: c OK ...",
		"C: d FETCH 1 (BODY.PEEK[1] BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT] BODY.PEEK[2.MIME])",
		"S: * 1 FETCH (BODY[1] {5}", "S: hello BODY[2.HEADER] {58}", "S: Subject: inner",
		"S: Content-Type: text/html; charset=utf-8", "S: ",
		"S:  BODY[2.TEXT] {8}", "S: <p>x</p> BODY[2.MIME] {32}",
		"S: Content-Type: message/rfc822", "S: ",
		"S: )", "S: d OK ...",
		"C: e FETCH 1 (BODY.PEEK[2.HEADER.FIELDS.NOT (subject)] BODY.PEEK[2.1] BODY.PEEK[3] BODY.PEEK[1.HEADER])",
		"S: * 1 FETCH (BODY[2.HEADER.FIELDS.NOT (subject)] {42}", "S: Content-Type: text/html; charset=utf-8", "S: ",
		"S:  BODY[2.1] {8}", "S: <p>x</p> BODY[3] NIL BODY[1.HEADER] NIL)", "S: e OK ...",
		"C: f FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1])", "S: * 1 FETCH (BINARY.SIZE[1] 5 BINARY[1] {5}", "S: hello)",
		"S: f OK ...",
		NULL,
	};
	buf_put(&text, STR("Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n"));
	while (text.n < 200000)
		buf_printf(&text, "X-Padding: %zu\r\n", text.n);
	buf_put(&text, STR("\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"));
	buf_put(&text, STR("Subject: inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>x</p>\r\n--b--\r\n"));
	stage_deliver(t, buf_str(&text));
	stage_play(t, lines);
}

/* One client asks for everything and does not read; the other works on, and
 * removes what the first was to get. */
ON_STAGE(waits_for_slow_readers_alone)
{
	enum { MESSAGES = 100, SIZE = 40000 };
	AUTO_BUF buf text = buf_new(SIZE * 2);
	static const char *const before[] = {
		"C: a SELECT INBOX", "S> a OK ...", "2C: a SELECT INBOX", "2S> a OK ...", "C: b FETCH 1:* BODY.PEEK[]",
		"S: * 1 FETCH (BODY[] {...}", "2C: b FETCH 1 FLAGS", "2S: * 1 FETCH (FLAGS ())", "2S: b OK ...",
		"2C: c STORE 1:* +FLAGS.SILENT (\\Deleted)", "2S: c OK ...", "2C: d EXPUNGE", "2S> d OK ...", NULL,
	};
	static const char *const after[] = {"C: c NOOP", "S> * 1 EXPUNGE", "S> c OK ...", NULL};
	buf_put(&text, STR("Subject: x\r\n\r\n"));
	while (text.n < SIZE)
		buf_put(&text, STR("0123456789\r\n"));
	for (int i = 0; i < MESSAGES; i++)
		stage_deliver(t, buf_str(&text));
	stage_play(t, before);
	unsigned got = 1; /* it has begun to come */
	str line;
	for (line = stage_line(t, 0); !str_starts(line, STR("b ")); line = stage_line(t, 0)) {
		size_t at = str_find(line, STR("(BODY[] {"));
		uint64_t n = 0;
		if (at == STR_NONE)
			continue;
		str number = str_skip(line, at + 9);
		assert_true(str_to_u64(str_sub(number, 0, number.n - 1), &n));
		assert_true(str_ends(stage_octets(t, 0, n), buf_str(&text)));
		got++;
	}
	assert_true(got < MESSAGES);
	assert_str(str_sub(line, 0, 21), STR("b NO [EXPUNGEISSUED] "));
	stage_play(t, after);
}

ON_STAGE(searches_beyond_the_search_text)
{
	AUTO_BUF buf text = buf_new(4 * 1024 * 1024);
	static const char *const lines[] = {
		"C: a SELECT INBOX", "S> a OK ...",
		"C: b SEARCH BODY {8+}", "C: \xc3\x9c" "BERALL", "S: * SEARCH 1", "S: b OK ...",
		"C: c SEARCH BODY nowhere", "S: * SEARCH", "S: c OK ...",
		"C: d SEARCH CHARSET iso-8859-1 TEXT {7+}", "C: \xfc" "berall", "S: * SEARCH 1", "S: d OK ...",
		"C: e SEARCH TEXT {7+}", "C: \xfc" "berall", "S: e NO [BADCHARSET ...] ...",
		"C: f SEARCH SUBJECT long", "S: * SEARCH 1", "S: f OK ...", NULL,
	};
	buf_put(&text, STR("Subject: long\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"));
	while (text.n < 1500000)
		buf_printf(&text, "line %zu of many\r\n", text.n);
	buf_put(&text, STR("\xc3\xbc" "berall\r\n"));
	stage_deliver(t, buf_str(&text));
	stage_play(t, lines);
}

/* ---- what the disk and the machine refuse */

static result note_body(void *ctx, str name)
{
	if (str_ends(name, STR(".body")))
		buf_put(ctx, name);
	return OK;
}

/* Done twice it is mended. */
static void damage_the_body(struct kit *k)
{
	AUTO_BUF buf name = buf_new(256), bytes = buf_new(4 * 1024 * 1024);
	assert_ok(files_list(k->files, note_body, &name));
	buf_putc(&name, '\0');
	buf_put(&bytes, sim_bytes(k->sim, name.p));
	assert_true(bytes.n > 1000);
	bytes.p[200] ^= 1;
	sim_put(k->sim, name.p, buf_str(&bytes));
}

/* The body of the second message is a file, and is spoilt: it alone cannot be read. */
ON_STAGE(tells_damage_apart)
{
	AUTO_BUF buf text = buf_new(4 * 1024 * 1024);
	uint64_t seed = 7;
	static const char *const lines[] = {
		"C: a SELECT INBOX", "S> a OK ...",
		"C: b FETCH 1:3 (UID BODY.PEEK[TEXT]<0.4>)", "S: * 1 FETCH (UID 1 BODY[TEXT]<0> {4}", "S: This)",
		"S: * 2 FETCH (UID 2 BODY[TEXT]<0> NIL)", "S: * 3 FETCH (UID 3 BODY[TEXT]<0> {4}", "S: This)",
		"S: b NO [CORRUPTION] ...",
		"C: c FETCH 2 FLAGS", "S: * 2 FETCH (FLAGS (\\Recent))", "S: c OK ...", NULL,
	};
	buf_put(&text, STR("Subject: big\r\n\r\n"));
	while (text.n < 1500000)
		buf_printf(&text, "%016llx\r\n", (unsigned long long)sim_random(&seed));
	stage_play(t, (const char *const[]){"DELIVER 1", NULL});
	stage_deliver(t, buf_str(&text));
	stage_play(t, (const char *const[]){"DELIVER 3", NULL});
	damage_the_body(t->kit);
	stage_play(t, lines);
	damage_the_body(t->kit);
}

/* Memory is refused at each place in turn; the answer of a SAVE that has no room is [NOTSAVED] (RFC 5182 2.1). */
ON_STAGE(says_when_a_result_is_not_saved)
{
	enum { PLACES = 60 };
	unsigned met = 0;
	for (int i = 0; i < 2000; i++)
		assert_ok(kit_append(t->kit, "INBOX", 0, "many"));
	for (unsigned n = 1; n <= PLACES; n++) {
		stage_play(t, (const char *const[]){"C: a SELECT INBOX", "S> a OK ...", NULL});
		stage_send(t, 0, STR("b SEARCH RETURN (SAVE) ALL\r\n"));
		str line;
		mem_fail_at(n);
		result r = stream_read_line(t->clients[0], 1000, LINE_CRLF, &line);
		mem_fail_at(0);
		bool answered = !failed(r) && str_starts(line, STR("b "));
		met += answered && str_starts(line, STR("b NO [NOTSAVED] "));
		if (!answered) /* without memory for the answer itself the session ends */
			stream_free(&t->clients[0]);
	}
	assert_int_equal(met, 1);
}

/* Sessions that wait for a command, in IDLE, and in the middle of a literal. */
ON_STAGE(says_bye_when_the_room_stops)
{
	static const char *const lines[] = {
		"C: a NOOP", "S: a OK ...",
		"2C: a SELECT INBOX", "2S> a OK ...",
		"2C: b IDLE", "2S: + ...",
		"3C: a APPEND INBOX {10}", "3S: + ...", NULL,
	};
	static const char *const ends[] = {
		"S: * BYE [UNAVAILABLE] ...", "EOF", "2S: * BYE [UNAVAILABLE] ...", "2EOF",
		"3S: * BYE [UNAVAILABLE] ...", "3EOF", NULL,
	};
	stage_play(t, lines);
	imap_sessions_stop(&t->imap);
	assert_true(list_empty(&t->imap.sessions));
	stage_play(t, ends);
}

/* RFC 9051 5.4, 7.1.5: whoever says nothing is told why the connection ends; so is who waits in IDLE. */
ON_STAGE(ends_silent_sessions)
{
	static const char *const lines[] = {
		"C: a NOOP", "S: a OK ...", "S: * BYE [UNAVAILABLE] Nothing was heard for too long; log in again.", "EOF",
		"2C: a SELECT INBOX", "2S> a OK ...", "2C: b IDLE", "2S: + ...", "2S: * BYE [UNAVAILABLE] ...", "2EOF", NULL,
	};
	t->imap.idle_ms = 100;
	stage_play(t, lines);
}

ON_STAGE(keeps_to_the_quota)
{
	static const char *const lines[] = {
		"C: a APPEND INBOX {2000}", "S: a NO [OVERQUOTA] ...",
		"DELIVER 1",
		"C: b SELECT INBOX", "S> b OK ...",
		"C: c GETQUOTA \"\"", "S: * QUOTA \"\" (STORAGE 1 1)", "S: c OK ...", NULL,
	};
	assert_ok(store_quota_set(&t->kit->administrator, 1024));
	stage_play(t, lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_can),
		cmocka_unit_test(refuses_what_it_cannot_read),
		cmocka_unit_test(reads_literals),
		cmocka_unit_test(answers_together_what_comes_together),
		cmocka_unit_test(selects),
		cmocka_unit_test(makes_and_moves_mailboxes),
		cmocka_unit_test(lists),
		cmocka_unit_test(subscribes),
		cmocka_unit_test(counts),
		cmocka_unit_test(fetches_what_is_stored),
		cmocka_unit_test(fetches_sections),
		cmocka_unit_test(stores_flags),
		cmocka_unit_test(stores_unless_changed),
		cmocka_unit_test(expunges),
		cmocka_unit_test(copies_and_moves),
		cmocka_unit_test(tells_others),
		cmocka_unit_test(idles),
		cmocka_unit_test(loses_a_mailbox_others_delete),
		cmocka_unit_test(appends),
		cmocka_unit_test(searches),
		cmocka_unit_test(speaks_rev2),
		cmocka_unit_test(resynchronises),
		cmocka_unit_test(tells_the_quota),
		cmocka_unit_test(bounds_a_line),
		cmocka_unit_test(fetches_parts_of_parts),
		cmocka_unit_test(waits_for_slow_readers_alone),
		cmocka_unit_test(streams_a_big_message),
		cmocka_unit_test(searches_beyond_the_search_text),
		cmocka_unit_test(says_bye_when_the_room_stops),
		cmocka_unit_test(keeps_to_the_quota),
		cmocka_unit_test(ends_silent_sessions),
		cmocka_unit_test(tells_damage_apart),
		cmocka_unit_test(says_when_a_result_is_not_saved),
	};
	return failed(charset_preload()) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
